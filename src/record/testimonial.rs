//! Testimonials, and which of them may be quoted now.

use std::collections::HashMap;

use entity::{
    Permission, feedback_record,
    id::TestimonialId,
    noun::StringEnum as _,
    testimonial::{
        CONSENTED_AT, EXPIRES_AT, FEEDBACK_RECORD_ID, ID, NOUN, QUOTE, SCOPE, TestimonialScope, WITHDRAWN_AT,
    },
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use super::past::{refuse_before, refuse_future};
use crate::{
    Error, Result,
    graphql::{
        slice::{Module, Query},
        typed::{fields::QueryFn, input::Input, output::Output},
    },
    store::{
        Scope, Tx,
        paging::{
            cursor::Codec,
            page::{PageQuery, Selection, Term},
        },
        statement::{
            cell::{Cell, Column},
            filter::{Comparison, Predicate},
            template::PlanSize,
            typed::assign,
        },
        writing::write::Hooks,
    },
};

/// Maximum number of feedback records of the customers who withdraw their consent in one call.
const MAX_RECORDS: usize = 100_000;

/// GraphQL module of testimonials.
pub const SLICE: Module = Module {
    rules: Hooks {
        prepare: |tx, drafts| {
            Box::pin(async {
                for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
                    refuse_future(tx, draft, CONSENTED_AT);
                    refuse_future(tx, draft, WITHDRAWN_AT);
                    refuse_before(draft, WITHDRAWN_AT, CONSENTED_AT);
                    refuse_before(draft, EXPIRES_AT, CONSENTED_AT);
                }
                Ok(())
            })
        },
        ..Hooks::NONE
    },
    ..Module::new(&NOUN)
};

/// The query `quotableTestimonials`.
pub const QUOTABLE: Query = Query {
    name: "quotableTestimonials",
    doc: "Testimonials that may be quoted now, newest consent first: the customer consented, the consent has neither \
          expired nor been withdrawn, and the words were not erased.",
    permissions: &[Permission::RecordRead, Permission::CustomersRead],
    run: &QueryFn::new(|scope, input| Box::pin(quotable(scope, input))),
};

/// Which testimonials are wanted.
#[derive(Input)]
struct Wanted {
    /// Where they are to be quoted. One that may be quoted in PUBLIC may be quoted anywhere, one for CONVERSATION also
    /// inside the organization. Defaults to PUBLIC.
    scope: Option<TestimonialScope>,
    /// Maximum number of testimonials, 1 to 100.
    #[input(default = 20, range = 1..=100)]
    first: i64,
    /// `endCursor` of the previous page.
    after: Option<String>,
}

/// A page of testimonials that may be quoted.
#[derive(Output)]
#[output(read = RecordRead)]
struct QuotableTestimonials {
    /// The testimonials.
    nodes: Vec<QuotableTestimonial>,
    /// Whether there are more: request the page after `endCursor`.
    has_next_page: bool,
    /// Cursor of the end of the page; null if the page is empty.
    end_cursor: Option<String>,
}

/// A testimonial that may be quoted.
#[derive(Output)]
#[output(read = RecordRead)]
struct QuotableTestimonial {
    /// The testimonial.
    testimonial: TestimonialId,
}

async fn quotable(scope: &Scope, Wanted { scope: place, first, after }: Wanted) -> Result<QuotableTestimonials> {
    let scopes = match place.unwrap_or(TestimonialScope::Public) {
        TestimonialScope::Public => vec![TestimonialScope::Public],
        TestimonialScope::Conversation => vec![TestimonialScope::Public, TestimonialScope::Conversation],
        TestimonialScope::Internal => {
            vec![TestimonialScope::Public, TestimonialScope::Conversation, TestimonialScope::Internal]
        }
    };
    let scopes = scopes.into_iter().map(|scope| Cell::Text(scope.name().to_owned())).collect();
    let now = || Cell::Int(scope.now().timestamp_millis());
    let is = |column: Column, comparison| Predicate::Column(column, comparison);
    let filter = Predicate::All(vec![
        is(SCOPE.into(), Comparison::In(scopes)),
        is(CONSENTED_AT.into(), Comparison::Lte(now())),
        is(WITHDRAWN_AT.into(), Comparison::IsNull),
        Predicate::Any(vec![is(EXPIRES_AT.into(), Comparison::IsNull), is(EXPIRES_AT.into(), Comparison::Gt(now()))]),
        // Erased words are empty.
        Predicate::Not(Box::new(is(QUOTE.into(), Comparison::Eq(Cell::Text(String::new()))))),
    ]);
    let order = vec![Term::new(CONSENTED_AT.into(), true), Term::new(ID.into(), true)];
    let codec = Codec::new(&NOUN, &order, scope.organization());
    let after = after.map(|cursor| codec.decode(&cursor)).transpose()?;
    let limit = usize::try_from(first).unwrap_or_default();
    let query = PageQuery { filter, order, after, before: None, limit, looks_ahead: true, is_backward: false };
    // A page has the columns of the order.
    let page = scope.page(&Selection::new(&NOUN, Vec::new(), Vec::new(), &PlanSize::default()), &query).await?;
    let id = |row: &Vec<Cell>| row.last().and_then(Cell::id).map(TestimonialId);
    let last = page.rows.last().map(|row| codec.encode(row));
    Ok(QuotableTestimonials {
        nodes: page.rows.iter().filter_map(id).map(|testimonial| QuotableTestimonial { testimonial }).collect(),
        has_next_page: page.has_more,
        end_cursor: last,
    })
}

/// Withdraws the testimonials of customers who withdrew their consent to be quoted: those consented to before.
pub(super) async fn withdraw(tx: &Tx, withdrawn: &[(Uuid, ChronoUnixTimestampMillis)]) -> Result<()> {
    let customers: Vec<Uuid> = withdrawn.iter().map(|(customer, _)| *customer).collect();
    let columns = (feedback_record::ID, feedback_record::CUSTOMER_ID);
    let records = tx.select_unchecked(columns, feedback_record::CUSTOMER_ID, &customers, MAX_RECORDS).await?;
    if records.len() > MAX_RECORDS {
        let message =
            format!("these customers gave more than {MAX_RECORDS} feedback records; withdraw for fewer at once");
        return Err(Error::BadInput(message));
    }
    let owners: HashMap<Uuid, Uuid> = records.iter().filter_map(|(id, owner)| Some((id.0, (*owner)?.0))).collect();
    let ids: Vec<Uuid> = owners.keys().copied().collect();
    let columns = (ID, FEEDBACK_RECORD_ID, CONSENTED_AT, WITHDRAWN_AT);
    let rows = tx.select_unchecked(columns, FEEDBACK_RECORD_ID, &ids, MAX_RECORDS).await?;
    let mut times = HashMap::new();
    for (id, record, consented, already) in rows {
        let owner = owners.get(&record.0);
        let at = withdrawn.iter().filter(|(customer, at)| owner == Some(customer) && at.0 >= consented.0);
        if let Some((_, at)) = at.min_by_key(|(_, at)| at.0).filter(|_| already.is_none()) {
            times.insert(id.0, *at);
        }
    }
    let ids: Vec<Uuid> = times.keys().copied().collect();
    let records = tx.lock(&NOUN, &ids).await?.into_iter();
    let changes = records.filter_map(|(id, record)| Some((record, vec![assign(WITHDRAWN_AT, Some(*times.get(&id)?))])));
    tx.change(&NOUN, changes.collect()).await
}
