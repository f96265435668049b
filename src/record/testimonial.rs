//! Testimonials, and which of them may be quoted now.

use std::collections::HashMap;

use entity::{
    Permission,
    consent::{self, ConsentDecision, ConsentPurpose},
    feedback_record,
    id::{CustomerId, FeedbackRecordId, TestimonialId},
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
        statement::{
            cell::{Cell, Column},
            filter::{Comparison, Predicate},
            typed::assign,
        },
        writing::{draft::Draft, write::Hooks},
    },
};

/// Maximum number of rows of a kind that one call reads about customers.
const MAX_ROWS: usize = 100_000;

/// GraphQL module of testimonials.
pub const SLICE: Module = Module {
    rules: Hooks { prepare: |tx, drafts| Box::pin(prepare(tx, drafts)), ..Hooks::NONE },
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
    let page = scope.newest_ids(filter, CONSENTED_AT, first, after).await?;
    Ok(QuotableTestimonials {
        nodes: page.ids.into_iter().map(|testimonial| QuotableTestimonial { testimonial }).collect(),
        has_next_page: page.has_next_page,
        end_cursor: page.end_cursor,
    })
}

async fn prepare(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
        refuse_future(tx, draft, CONSENTED_AT);
        refuse_future(tx, draft, WITHDRAWN_AT);
        refuse_before(draft, WITHDRAWN_AT, CONSENTED_AT);
        refuse_before(draft, EXPIRES_AT, CONSENTED_AT);
    }
    // The consent may have been withdrawn before the testimonial is written down.
    let record = |draft: &Draft| draft.get(FEEDBACK_RECORD_ID).filter(|_| draft.is_new() && draft.errors.is_empty());
    let records: Vec<Uuid> = drafts.iter().filter_map(record).map(Uuid::from).collect();
    if records.is_empty() {
        return Ok(());
    }
    let columns = (feedback_record::ID, feedback_record::CUSTOMER_ID);
    let owners = owners(tx.select_by_ids_unchecked(columns, &records).await?);
    let withdrawals = Withdrawals::read(tx, &owners.values().copied().collect::<Vec<_>>()).await?;
    for draft in drafts {
        let owner = record(draft).and_then(|id| owners.get(&id.into()));
        let at = owner.zip(draft.get(CONSENTED_AT)).and_then(|(owner, at)| withdrawals.first_since(*owner, at));
        if draft.get(WITHDRAWN_AT).is_none() && at.is_some() {
            draft.set(WITHDRAWN_AT, at);
        }
    }
    Ok(())
}

/// When customers withdrew the consent to be quoted, by customer.
struct Withdrawals(HashMap<Uuid, Vec<ChronoUnixTimestampMillis>>);

impl Withdrawals {
    async fn read(tx: &Tx, customers: &[Uuid]) -> Result<Self> {
        let columns =
            (consent::CUSTOMER_ID, consent::PURPOSE, consent::DECISION, consent::MEDIUM_ID, consent::DECIDED_AT);
        let rows = tx.select_unchecked(columns, consent::CUSTOMER_ID, customers, MAX_ROWS).await?;
        require_few(rows.len(), "decisions")?;
        let mut times: HashMap<Uuid, Vec<ChronoUnixTimestampMillis>> = HashMap::new();
        for (customer, purpose, decision, medium, at) in rows {
            let is_to_quote = purpose == ConsentPurpose::Testimonial && medium.is_none();
            if is_to_quote && decision == ConsentDecision::Withdrawn {
                times.entry(customer.0).or_default().push(at);
            }
        }
        for times in times.values_mut() {
            times.sort_unstable_by_key(|at| at.0);
        }
        Ok(Self(times))
    }

    /// Returns when the customer first withdrew a consent given at `consented`; `None` if they did not.
    fn first_since(&self, customer: Uuid, consented: ChronoUnixTimestampMillis) -> Option<ChronoUnixTimestampMillis> {
        let times = self.0.get(&customer)?;
        times.get(times.partition_point(|at| at.0 < consented.0)).copied()
    }
}

/// Withdraws the testimonials of customers who withdrew their consent to be quoted: those consented to before.
pub(super) async fn withdraw(tx: &Tx, customers: &[Uuid]) -> Result<()> {
    if customers.is_empty() {
        return Ok(());
    }
    withdraw_by(tx, customers, &Withdrawals::read(tx, customers).await?).await
}

/// Like [`withdraw`], for customers who turn out to be one person: what one of them withdrew, the others did.
pub(super) async fn withdraw_as_one(tx: &Tx, customers: &[Uuid]) -> Result<()> {
    let Withdrawals(times) = Withdrawals::read(tx, customers).await?;
    let mut times: Vec<ChronoUnixTimestampMillis> = times.into_values().flatten().collect();
    if times.is_empty() {
        return Ok(());
    }
    times.sort_unstable_by_key(|at| at.0);
    let of_all = customers.iter().map(|customer| (*customer, times.clone())).collect();
    withdraw_by(tx, customers, &Withdrawals(of_all)).await
}

async fn withdraw_by(tx: &Tx, customers: &[Uuid], withdrawals: &Withdrawals) -> Result<()> {
    let columns = (feedback_record::ID, feedback_record::CUSTOMER_ID);
    let records = tx.select_unchecked(columns, feedback_record::CUSTOMER_ID, customers, MAX_ROWS).await?;
    require_few(records.len(), "feedback records")?;
    let owners = owners(records);
    let ids: Vec<Uuid> = owners.keys().copied().collect();
    let columns = (ID, FEEDBACK_RECORD_ID, CONSENTED_AT, WITHDRAWN_AT);
    let rows = tx.select_unchecked(columns, FEEDBACK_RECORD_ID, &ids, MAX_ROWS).await?;
    require_few(rows.len(), "testimonials")?;
    let held = rows.into_iter().filter(|(.., withdrawn)| withdrawn.is_none());
    let times: HashMap<Uuid, ChronoUnixTimestampMillis> = held
        .filter_map(|(id, record, consented, _)| {
            Some((id.0, withdrawals.first_since(*owners.get(&record.0)?, consented)?))
        })
        .collect();
    let ids: Vec<Uuid> = times.keys().copied().collect();
    let records = tx.lock(&NOUN, &ids).await?.into_iter();
    let changes = records.filter_map(|(id, record)| Some((record, vec![assign(WITHDRAWN_AT, Some(*times.get(&id)?))])));
    tx.change(&NOUN, changes.collect()).await
}

/// Returns the customers of feedback records, by record.
fn owners(records: Vec<(FeedbackRecordId, Option<CustomerId>)>) -> HashMap<Uuid, Uuid> {
    records.into_iter().filter_map(|(id, owner)| Some((id.0, owner?.0))).collect()
}

fn require_few(count: usize, what: &str) -> Result<()> {
    if count > MAX_ROWS {
        return Err(Error::BadInput(format!("these customers have more than {MAX_ROWS} {what}; write fewer at once")));
    }
    Ok(())
}
