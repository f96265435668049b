//! The mutation `caseOpen`: one case from several feedback records.

use entity::{
    Permission,
    case::{
        ACCOUNT_ID, ASSIGNEE_ID, CUSTOMER_ID, DEPARTMENT_ID, IS_SAFETY_RELEVANT, NOUN, POINT_ID, PRIORITY, RECEIVED_AT,
        REMEDY_SOUGHT, SEVERITY, SUMMARY, Severity, TITLE,
    },
    customer, department,
    feedback_record::{self, Priority},
    id::{CustomerId, DepartmentId, FeedbackRecordId, InteractionPointId, MemberId},
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use super::{RULES, feedback_records};
use crate::{
    Result, UserError,
    error::Code,
    graphql::{
        slice::{Done, Mutation},
        typed::{
            fields::MutationFn,
            input::{Input, RefTo},
        },
    },
    store::{
        Tx,
        statement::cell::Column,
        writing::draft::{Draft, Mode, Outcome, Target},
    },
    text::is_blank,
};

/// Maximum number of feedback records that one call opens a case from.
const MAX: usize = 1_000;

/// The mutation `caseOpen`.
pub const OPEN: Mutation = Mutation {
    name: "caseOpen",
    doc: "Opens a case from feedback records. What the input omits follows from them: receivedAt is that of the earliest, \
          the priority the highest, the department that of the first in the list; customer and point are those that all \
          of them have, and the account is that of the customer.",
    permissions: &[Permission::ResponseWrite, Permission::RecordRead],
    run: &MutationFn::new(|tx, input| Box::pin(open(tx, input))),
};

/// What a case is opened from.
#[derive(Input)]
struct CaseOpen {
    /// The feedback records, 1 to 1,000.
    #[input(most = MAX)]
    feedback_records: Vec<RefTo<FeedbackRecordId>>,
    /// The problem in a few words, up to 200 characters.
    #[input(max = 200)]
    title: String,
    /// The problem, as it is understood now, up to 20,000 characters.
    #[input(max = 20_000)]
    summary: Option<String>,
    /// What the customer wants to be done, up to 2,000 characters.
    #[input(max = 2_000)]
    remedy_sought: Option<String>,
    /// Priority.
    priority: Option<Priority>,
    /// Severity for the customer.
    severity: Option<Severity>,
    /// Whether somebody's safety is concerned. Defaults to false.
    is_safety_relevant: Option<bool>,
    /// Department that handles the case.
    department_ref: Option<RefTo<DepartmentId>>,
    /// Member who owns the case.
    assignee_ref: Option<RefTo<MemberId>>,
}

/// A feedback record, as far as a case follows from it.
type Source = (
    FeedbackRecordId,
    Priority,
    ChronoUnixTimestampMillis,
    Option<CustomerId>,
    Option<InteractionPointId>,
    DepartmentId,
);

async fn open(tx: &Tx, input: &CaseOpen) -> Result<Done> {
    let sources = match sources(tx, &input.feedback_records).await? {
        Ok(sources) => sources,
        Err(mistakes) => return Ok(Err(mistakes)),
    };
    let mut draft = Draft::new(&NOUN, Target::New, Mode::CreateOnly);
    if is_blank(&input.title) {
        draft.refuse(Code::Required, "title", "a value is required");
    }
    draft.set(TITLE, input.title.clone());
    draft.set(SUMMARY, input.summary.clone());
    draft.set(REMEDY_SOUGHT, input.remedy_sought.clone());
    draft.set(SEVERITY, input.severity);
    draft.set(IS_SAFETY_RELEVANT, input.is_safety_relevant.unwrap_or_default());
    let highest = sources.iter().map(|(_, priority, ..)| *priority).max_by_key(|priority| *priority as usize);
    draft.set(PRIORITY, input.priority.or(highest).unwrap_or(Priority::Normal));
    if let Some(earliest) = sources.iter().map(|(.., received, _, _, _)| *received).min_by_key(|at| at.0) {
        draft.set(RECEIVED_AT, earliest);
    }
    let customer = common(sources.iter().map(|(.., customer, _, _)| *customer));
    draft.set(CUSTOMER_ID, customer);
    draft.set(POINT_ID, common(sources.iter().map(|(.., point, _)| *point)));
    let ids: Vec<Uuid> = customer.into_iter().map(Uuid::from).collect();
    let accounts = tx.select_by_ids_unchecked((customer::ID, customer::ACCOUNT_ID), &ids).await?;
    draft.set(ACCOUNT_ID, accounts.first().and_then(|(_, account)| *account));
    refer(&mut draft, ASSIGNEE_ID.into(), input.assignee_ref.as_ref());
    refer(&mut draft, DEPARTMENT_ID.into(), input.department_ref.as_ref());
    if input.department_ref.is_none() {
        let first: Vec<Uuid> = sources.iter().map(|(.., department)| department.0).take(1).collect();
        let archived = tx.archived_among(&department::NOUN, &first).await?;
        if let Some(department) = first.into_iter().find(|department| !archived.contains(department)) {
            draft.set(DEPARTMENT_ID, DepartmentId(department));
        }
    }
    draft.lines.push((feedback_records(), sources.iter().map(|(id, ..)| (id.0, Vec::new())).collect()));
    draft.find_words(tx.organization());
    let written = tx.write(&NOUN, &RULES, &mut [draft], true).await?.remove(0);
    Ok(match written.id {
        Some(id) if written.errors.is_empty() => Ok((id, Outcome::Created)),
        _ => Err(written.errors),
    })
}

/// Returns the feedback records in the order of the list, or the user errors in the list.
async fn sources(
    tx: &Tx,
    named: &[RefTo<FeedbackRecordId>],
) -> Result<std::result::Result<Vec<Source>, Vec<UserError>>> {
    let found = tx.references(&feedback_record::NOUN, named.iter().map(|named| &named.reference)).await?;
    let (mut ids, mut mistakes): (Vec<Uuid>, Vec<UserError>) = (Vec::new(), Vec::new());
    for (index, named) in named.iter().enumerate() {
        let mut refuse = |code, message: &str| {
            let path = vec!["feedbackRecords".to_owned(), index.to_string()];
            mistakes.push(UserError { code, message: message.to_owned(), path });
        };
        match found.get(&named.reference) {
            None => refuse(Code::NotFound, "no such FeedbackRecord"),
            Some(id) if ids.contains(id) => refuse(Code::Invalid, "duplicate entry"),
            Some(id) => ids.push(*id),
        }
    }
    if named.is_empty() {
        let message = "a case is opened from at least one; caseCreate makes one without feedback";
        mistakes.push(UserError::new(Code::Required, "feedbackRecords", message));
    }
    if !mistakes.is_empty() {
        return Ok(Err(mistakes));
    }
    let columns = (
        feedback_record::ID,
        feedback_record::PRIORITY,
        feedback_record::RECEIVED_AT,
        feedback_record::CUSTOMER_ID,
        feedback_record::POINT_ID,
        feedback_record::DEPARTMENT_ID,
    );
    let mut sources: Vec<Source> = tx.select_by_ids_unchecked(columns, &ids).await?;
    sources.sort_by_key(|(id, ..)| ids.iter().position(|known| *known == id.0));
    Ok(Ok(sources))
}

/// Returns the value that all have.
fn common<T: PartialEq>(mut values: impl Iterator<Item = Option<T>>) -> Option<T> {
    let first = values.next()?;
    first.filter(|first| values.all(|other| other.as_ref() == Some(first)))
}

/// Lets a column refer to a row that the caller names.
fn refer<T>(draft: &mut Draft, column: Column, named: Option<&RefTo<T>>) {
    let relation = draft.noun.relations.iter().find(|relation| relation.is_by(column.name));
    let relation = relation.expect("the column is that of a relation");
    draft.references.extend(named.map(|named| (relation, column, named.reference.clone())));
}
