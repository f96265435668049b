//! Consents: decisions of customers about being contacted, which are only added.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{
    consent::{CUSTOMER_ID, ConsentDecision, ConsentPurpose, DECIDED_AT, DECISION, ID, MEDIUM_ID, NOUN, PURPOSE},
    customer,
    id::{ConsentId, CustomerId, MediumId},
    noun::StringEnum as _,
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use super::{past::refuse_future, testimonial::withdraw};
use crate::{
    Error, Result,
    error::Code,
    graphql::{
        slice::{Computed, Module, Part},
        typed::{
            fields::{ByRow, ComputedFn},
            output::Output,
        },
    },
    store::{
        Connection, Scope, Tx,
        writing::{draft::Draft, write::Hooks},
    },
};

/// Maximum number of decisions read to compute one field.
const MAX: usize = 100_000;

/// GraphQL module of consents.
pub const SLICE: Module = Module {
    rules: Hooks {
        prepare: |tx, drafts| {
            Box::pin(async {
                for draft in drafts.iter_mut() {
                    check(tx, draft);
                }
                Ok(())
            })
        },
        written: |tx, drafts| {
            Box::pin(async {
                let customers: Vec<Uuid> = drafts.iter().filter_map(withdraws).collect();
                withdraw(tx, &customers).await
            })
        },
        ..Hooks::NONE
    },
    ..Module::new(&NOUN)
};

/// Computed field of customers.
pub const HELD: Part = Part::Computed(
    &customer::NOUN,
    &Computed {
        name: "consentsHeld",
        doc: "What holds now: the newest decision of the customer for each purpose and medium, by purpose. A decision \
              about one medium and one about every medium are listed side by side; the newer of the two holds for that \
              medium.",
        run: &ComputedFn::new(|scope, (), ids| Box::pin(held(scope, ids))),
    },
);

/// A customer's newest decision about a purpose and a medium.
#[derive(Output)]
#[output(read = RecordRead)]
struct ConsentHeld {
    /// What the decision is about.
    purpose: ConsentPurpose,
    /// What the customer decided.
    decision: ConsentDecision,
    /// When the customer decided, UTC.
    decided_at: ChronoUnixTimestampMillis,
    /// The medium; null if the decision is about every medium.
    medium: Option<MediumId>,
    /// The decision itself.
    consent: ConsentId,
}

fn check(tx: &Tx, draft: &mut Draft) {
    refuse_future(tx, draft, DECIDED_AT);
    if !draft.is_new() && !draft.changes().is_empty() {
        let message = "a decision is never changed; create one for the new decision";
        draft.refuse(Code::Invalid, "decision", message);
    }
}

/// Returns the customer who withdraws the consent to be quoted, if the draft says so.
fn withdraws(draft: &Draft) -> Option<Uuid> {
    let is_to_quote = draft.get(PURPOSE) == Some(ConsentPurpose::Testimonial);
    let is_withdrawn = draft.get(DECISION) == Some(ConsentDecision::Withdrawn);
    let is_new = draft.errors.is_empty() && draft.is_new();
    draft.get(CUSTOMER_ID).filter(|_| is_new && is_to_quote && is_withdrawn).map(Uuid::from)
}

/// A decision of a customer about being contacted.
#[derive(Clone, Copy, Debug)]
pub struct Decision {
    /// When the customer decided.
    pub at: DateTime<Utc>,
    /// What the decision is about.
    pub purpose: ConsentPurpose,
    /// The medium; `None` if the decision is about every medium.
    pub medium: Option<MediumId>,
    /// Whether the customer consented.
    pub is_granted: bool,
}

/// Returns the decisions of customers, the oldest first. Without a permission check; for rules that the server applies
/// to every caller.
pub async fn decisions<C: Connection>(
    scope: &Scope<C>,
    customers: &[Uuid],
) -> Result<HashMap<CustomerId, Vec<Decision>>> {
    let columns = (CUSTOMER_ID, PURPOSE, MEDIUM_ID, DECIDED_AT, ID, DECISION);
    let mut rows = scope.select_unchecked(columns, CUSTOMER_ID, customers, MAX).await?;
    if rows.len() > MAX {
        return Err(Error::BadInput(format!("these customers made more than {MAX} decisions about consent")));
    }
    rows.sort_unstable_by_key(|(_, _, _, at, id, _)| (at.0, *id));
    let mut decisions: HashMap<CustomerId, Vec<Decision>> = HashMap::new();
    for (customer, purpose, medium, at, _, decision) in rows {
        let is_granted = decision == ConsentDecision::Granted;
        decisions.entry(customer).or_default().push(Decision { at: at.0, purpose, medium, is_granted });
    }
    Ok(decisions)
}

async fn held(scope: &Scope, ids: &[Uuid]) -> Result<ByRow<Vec<ConsentHeld>>> {
    let columns = (CUSTOMER_ID, PURPOSE, MEDIUM_ID, DECIDED_AT, ID, DECISION);
    let mut rows = scope.select(columns, CUSTOMER_ID, ids, MAX).await?;
    if rows.len() > MAX {
        return Err(Error::BadInput(format!(
            "these customers made more than {MAX} decisions; ask for fewer customers"
        )));
    }
    rows.sort_by_key(|(customer, purpose, medium, at, id, _)| (*customer, purpose.name(), *medium, at.0, *id));
    let mut held: ByRow<Vec<ConsentHeld>> = HashMap::new();
    for (place, (customer, purpose, medium, at, id, decision)) in rows.iter().enumerate() {
        let is_newest =
            rows.get(place + 1).is_none_or(|next| (next.0, next.1, next.2) != (*customer, *purpose, *medium));
        if is_newest {
            held.entry(customer.0).or_default().push(ConsentHeld {
                purpose: *purpose,
                decision: *decision,
                decided_at: *at,
                medium: *medium,
                consent: *id,
            });
        }
    }
    Ok(held)
}
