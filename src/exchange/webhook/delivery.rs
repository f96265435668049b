//! Webhook deliveries: sent again on request, and removed after 30 days.

use chrono::TimeDelta;
use entity::{
    Permission,
    id::WebhookDeliveryId,
    webhook_delivery::{
        ATTEMPT_COUNT, CREATED_AT, DELIVERED_AT, FAILURE, ID, NEXT_ATTEMPT_AT, NOUN, STATUS, WebhookDeliveryStatus,
    },
    webhook_endpoint,
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use crate::{
    Result,
    graphql::{
        slice::{Done, Module, Mutation},
        typed::{
            fields::MutationFn,
            input::{Input, RefTo},
        },
    },
    store::{
        Scope, Tx,
        operation::jobs::{
            Job,
            kind::{Kind, Recurrence, ScheduleZone, Standing, StepResult},
        },
        statement::{
            cell::{Cell, Column},
            filter::{Comparison, Predicate},
            typed::assign,
        },
        writing::{
            draft::{Draft, Mode, Outcome, Reference, Target},
            write::Hooks,
        },
    },
};

/// How long deliveries are kept.
const KEPT: TimeDelta = TimeDelta::days(30);
/// Number of deliveries that one step removes.
const STEP: usize = 500;

/// GraphQL module of webhook deliveries.
pub const SLICE: Module = Module { mutations: &[RESEND], ..Module::new(&NOUN) };

const RESEND: Mutation = Mutation {
    name: "webhookDeliveryResend",
    doc: "Sends a message again, whatever became of it: at once, with the same message id, and with all attempts if that \
          fails. A message to a disabled endpoint waits until the endpoint is enabled.",
    permissions: &[Permission::Admin],
    run: &MutationFn::new(|tx, WebhookDeliveryResend { by }| Box::pin(resend(tx, by))),
};

/// A message to be sent again.
#[derive(Input)]
struct WebhookDeliveryResend {
    /// The delivery.
    by: RefTo<WebhookDeliveryId>,
}

/// The job that removes old deliveries.
pub static LOG_JOB: Kind = Kind {
    name: "WEBHOOK_LOG",
    step: |scope, job| Box::pin(remove_old(scope, job)),
    standing: Some(Standing {
        organizations: |store| Box::pin(store.with_rows(&webhook_endpoint::NOUN)),
        recurs: Some(Recurrence { cron: "23 3 * * *", zone: ScheduleZone::Utc }),
    }),
};

async fn resend(tx: &Tx, by: &RefTo<WebhookDeliveryId>) -> Result<Done> {
    let record = match tx.lock_one(&NOUN, Permission::Admin, &by.reference, None).await? {
        Ok(record) => record,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    let id = record.id();
    let change = (record, again(tx));
    tx.alter(&NOUN, vec![change]).await?;
    Ok(Ok((id, Outcome::Updated)))
}

/// Returns the columns of a delivery that is sent again.
pub(super) fn again(tx: &Tx) -> Vec<(Column, Cell)> {
    vec![
        assign(STATUS, WebhookDeliveryStatus::Pending),
        assign(ATTEMPT_COUNT, 0),
        assign(NEXT_ATTEMPT_AT, Some(ChronoUnixTimestampMillis(tx.now()))),
        assign(DELIVERED_AT, None),
        assign(FAILURE, None),
    ]
}

/// Removes the next old deliveries.
async fn remove_old(scope: &Scope, job: &Job) -> Result<StepResult> {
    let until = Cell::Int((scope.now() - KEPT).timestamp_millis());
    let old = Predicate::Column(CREATED_AT.into(), Comparison::Lt(until));
    let found = scope.select_where_unchecked((ID,), &old, STEP - 1).await?;
    let draft = |(id,): &(WebhookDeliveryId,)| {
        Draft::new(&NOUN, Target::Row(Reference::Id(Some(Uuid::from(*id)))), Mode::UpdateOnly)
    };
    let mut drafts: Vec<Draft> = found.iter().map(draft).collect();
    let tx = scope.begin().await?;
    if !drafts.is_empty() {
        tx.delete(&NOUN, &Hooks::NONE, &mut drafts, false).await?;
    }
    tx.commit_step(job, (drafts.len() == STEP).then_some("")).await
}
