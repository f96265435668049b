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
use sea_orm::prelude::ChronoUnixTimestampMillis;

use crate::{
    Result,
    exchange::old_rows,
    graphql::{
        slice::{Done, Module, Mutation},
        typed::{
            fields::MutationFn,
            input::{Input, RefTo},
        },
    },
    store::{
        Tx,
        operation::jobs::kind::{Kind, Recurrence, ScheduleZone, Standing},
        statement::{
            cell::{Cell, Column},
            typed::assign,
        },
        writing::draft::Outcome,
    },
};

/// How long deliveries are kept.
const KEPT: TimeDelta = TimeDelta::days(30);

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
    step: |scope, job| Box::pin(old_rows::remove(scope, job, (ID, CREATED_AT), KEPT)),
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
