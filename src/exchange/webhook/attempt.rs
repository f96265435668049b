//! Attempts to deliver a message: which are due, and what follows from the answer.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    Permission, Permissions,
    id::WebhookDeliveryId,
    webhook_delivery::{
        self, ATTEMPT_COUNT, DELIVERED_AT, ENDPOINT_ID, FAILURE, LAST_ATTEMPT_AT, MESSAGE_ID, NEXT_ATTEMPT_AT, PAYLOAD,
        RESPONSE_BODY, RESPONSE_STATUS, STATUS, WebhookDeliveryStatus,
    },
    webhook_endpoint::{
        self, DISABLED_AT, DISABLED_REASON, DOCUMENT_ID, FIRST_FAILED_AT, IS_ENABLED, SCOPES, URL,
        WebhookDisabledReason,
    },
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};
use serde_json::json;
use tokio::time::timeout;
use url::Url;

use super::{
    endpoint::keys,
    event_types::names,
    message::{ROW_ID, told_row, with_result},
    signing::SigningKey,
};
use crate::{
    Error, Result,
    auth::Actor,
    exchange::documents,
    outbound::{Answer, NoAnswer, Outbound},
    store::{
        Scope, Tx,
        statement::{
            cell::{Cell, Record},
            filter::{Comparison, Predicate},
            typed::assign,
        },
    },
};

/// How long reading a document may take.
const READING: Duration = Duration::from_secs(10);
/// How long an attempt may take until another server may repeat it; longer than a request may take.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// The waits after the first attempts, in seconds: those of Standard Webhooks, 75 h 35 min 5 s in all.
const WAITS: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// The longest wait that an endpoint can ask for.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(24);
/// For how long all attempts must have failed until an endpoint is disabled.
const PATIENCE: TimeDelta = TimeDelta::hours(120);
/// The status with which an endpoint says that it wants no more messages.
const GONE: u16 = 410;

/// A message that this server sends.
pub(super) struct Attempt {
    endpoint: Uuid,
    delivery: Uuid,
    /// Version of the delivery: if it is another one, another server has it.
    version: i64,
    url: Option<Url>,
    keys: Vec<SigningKey>,
    message: String,
    payload: String,
    /// The document whose answer the message carries, and the scopes with which it is read.
    document: Option<(String, Permissions)>,
}

/// Takes up to `most` messages that are due, so that no other server sends them until the lease ends. At most `in_flight` are
/// sent to an endpoint at a time, by all servers.
pub(super) async fn take_due(scope: &Scope, endpoint: Uuid, most: usize, in_flight: usize) -> Result<Vec<Attempt>> {
    let tx = scope.begin().await?;
    let Some(record) = tx.lock(&webhook_endpoint::NOUN, &[endpoint]).await?.remove(&endpoint) else {
        tx.roll_back().await?;
        return Ok(Vec::new());
    };
    let now = Cell::Int(tx.now().timestamp_millis());
    let where_next = |comparison: Comparison, more: Option<Predicate>| {
        let own = Predicate::Column(ENDPOINT_ID.into(), Comparison::Eq(Cell::Id(endpoint)));
        let next = Predicate::Column(NEXT_ATTEMPT_AT.into(), comparison);
        Predicate::All([own, next].into_iter().chain(more).collect())
    };
    let is_sending = Comparison::Eq(Cell::Text(WebhookDeliveryStatus::Sending.text().to_owned()));
    let sending = where_next(Comparison::Gt(now.clone()), Some(Predicate::Column(STATUS.into(), is_sending)));
    let sending = tx.select_where_unchecked((webhook_delivery::ID,), &sending, in_flight).await?.len();
    let most = most.min(in_flight.saturating_sub(sending));
    if most == 0 || record.get(IS_ENABLED) != Some(true) {
        tx.roll_back().await?;
        return Ok(Vec::new());
    }
    let due = where_next(Comparison::Lte(now), None);
    let due = tx.select_where_unchecked((webhook_delivery::ID,), &due, most - 1).await?;
    let ids: Vec<Uuid> = due.into_iter().map(|(id,): (WebhookDeliveryId,)| id.into()).collect();
    let rows = tx.lock(&webhook_delivery::NOUN, &ids).await?;
    let url = record.get(URL).and_then(|url| Url::parse(url.as_str()).ok());
    let scopes = names(&record.get(SCOPES).unwrap_or_default());
    let scopes: Permissions = scopes.iter().filter_map(|scope| Permission::parse(scope)).collect();
    let (mut attempts, mut changes) = (Vec::new(), Vec::new());
    for row in ids.iter().filter_map(|id| rows.get(id)) {
        attempts.push(Attempt {
            endpoint,
            delivery: row.id(),
            version: row.version() + 1,
            url: url.clone(),
            keys: keys(&tx, &record)?,
            message: row.get(MESSAGE_ID).unwrap_or_default(),
            payload: row.get(PAYLOAD).unwrap_or_default(),
            document: record.get(DOCUMENT_ID).map(|id| (id, scopes)),
        });
        let now = tx.now();
        let values = vec![
            assign(STATUS, WebhookDeliveryStatus::Sending),
            assign(ATTEMPT_COUNT, row.get(ATTEMPT_COUNT).unwrap_or(0) + 1),
            assign(LAST_ATTEMPT_AT, Some(ChronoUnixTimestampMillis(now))),
            assign(NEXT_ATTEMPT_AT, Some(ChronoUnixTimestampMillis(now + LEASE))),
        ];
        changes.push((row.clone(), values));
    }
    if changes.is_empty() {
        tx.roll_back().await?;
    } else {
        tx.alter(&webhook_delivery::NOUN, changes).await?;
        tx.commit().await?;
    }
    Ok(attempts)
}

impl Attempt {
    /// Returns the endpoint.
    pub(super) const fn endpoint(&self) -> Uuid {
        self.endpoint
    }

    /// Returns the body: the payload, with what the document answers for the row as it is now.
    pub(super) async fn body(&self, scope: &Scope) -> Result<String> {
        let (Some((document, scopes)), Some(row)) = (&self.document, told_row(&self.payload)) else {
            return Ok(self.payload.clone());
        };
        let Some(text) = documents::text(scope, document).await? else {
            return Ok(self.payload.clone());
        };
        let reader = Actor { permissions: *scopes, ..scope.actor().clone() };
        let read = scope.run_document(reader, (text, json!({ ROW_ID: row })), false);
        let body = match timeout(READING, read).await {
            Ok(Ok(result)) => with_result(&self.payload, result),
            Ok(Err(error @ (Error::Unavailable | Error::Collision))) => return Err(error),
            // Whoever chose the document lacks a scope, the schema has changed, or it takes too long.
            Ok(Err(_)) | Err(_) => None,
        };
        Ok(body.unwrap_or_else(|| self.payload.clone()))
    }

    /// Sends the message. `Err` if there is no answer.
    pub(super) async fn send(&self, outbound: &Outbound, body: String, now: DateTime<Utc>) -> Result<Answer, NoAnswer> {
        let url = self.url.as_ref().ok_or(NoAnswer::Unknown)?;
        let timestamp = now.timestamp();
        let signatures: Vec<String> = self.keys.iter().map(|key| key.sign(&self.message, timestamp, &body)).collect();
        let headers = [
            ("webhook-id", self.message.clone()),
            ("webhook-timestamp", timestamp.to_string()),
            ("webhook-signature", signatures.join(" ")),
        ];
        outbound.post(url, &headers, body, now).await
    }

    /// Records what came of the attempt. Does nothing if another server has the delivery by now.
    pub(super) async fn record(&self, scope: &Scope, answer: Result<Answer, NoAnswer>) -> Result<()> {
        let tx = scope.begin().await?;
        let endpoint = tx.lock(&webhook_endpoint::NOUN, &[self.endpoint]).await?.remove(&self.endpoint);
        let delivery = tx.lock(&webhook_delivery::NOUN, &[self.delivery]).await?.remove(&self.delivery);
        let delivery = delivery.filter(|delivery| delivery.version() == self.version);
        let (Some(endpoint), Some(delivery)) = (endpoint, delivery) else { return tx.roll_back().await };
        let status = answer.as_ref().ok().map(|answer| answer.status);
        let is_delivered = status.is_some_and(|status| (200..300).contains(&status));
        let at = |at: DateTime<Utc>| Some(ChronoUnixTimestampMillis(at));
        let next = if is_delivered || status == Some(GONE) {
            None
        } else {
            let asked = answer.as_ref().ok().and_then(|answer| answer.retry_after);
            let wait = wait(self.delivery, delivery.get(ATTEMPT_COUNT).unwrap_or(1));
            wait.map(|wait| tx.now() + wait.max(asked.unwrap_or_default().min(LONGEST_WAIT)))
        };
        let state = match next {
            _ if is_delivered => WebhookDeliveryStatus::Delivered,
            Some(_) => WebhookDeliveryStatus::Pending,
            None => WebhookDeliveryStatus::Failed,
        };
        let values = vec![
            assign(STATUS, state),
            assign(NEXT_ATTEMPT_AT, next.and_then(at)),
            assign(DELIVERED_AT, at(tx.now()).filter(|_| is_delivered)),
            assign(RESPONSE_STATUS, status.map(i64::from)),
            assign(RESPONSE_BODY, answer.as_ref().ok().map(|answer| self.without_secrets(&answer.body))),
            assign(FAILURE, answer.as_ref().err().map(ToString::to_string)),
        ];
        tx.alter(&webhook_delivery::NOUN, vec![(delivery, values)]).await?;
        judge(&tx, endpoint, is_delivered, status).await?;
        tx.commit().await
    }

    /// Returns a text without the secrets that the receiver may have put there.
    fn without_secrets(&self, text: &str) -> String {
        use secrecy::ExposeSecret;
        self.keys.iter().fold(text.to_owned(), |text, key| {
            let verifier = key.verifier();
            let secret = verifier.expose_secret();
            let bare = secret.split_once('_').map_or(secret, |(_, bare)| bare);
            text.replace(bare, "…")
        })
    }
}

/// Records whether an endpoint answers, and disables one that wants no more messages or has failed for too long.
async fn judge(tx: &Tx, endpoint: Record, is_delivered: bool, status: Option<u16>) -> Result<()> {
    let failing = endpoint.get(FIRST_FAILED_AT);
    let has_failed_long = failing.is_some_and(|since| tx.now() - since.0 >= PATIENCE);
    let reason = match status {
        _ if is_delivered || endpoint.get(IS_ENABLED) != Some(true) => None,
        Some(GONE) => Some(WebhookDisabledReason::Gone),
        _ => has_failed_long.then_some(WebhookDisabledReason::Failing),
    };
    let now = Some(ChronoUnixTimestampMillis(tx.now()));
    if let Some(reason) = reason {
        let values = vec![assign(IS_ENABLED, false), assign(DISABLED_AT, now), assign(DISABLED_REASON, Some(reason))];
        return tx.change(&webhook_endpoint::NOUN, vec![(endpoint, values)]).await;
    }
    let kept = if is_delivered { None } else { failing.or(now) };
    if kept == failing {
        return Ok(());
    }
    tx.keep(&webhook_endpoint::NOUN, vec![(endpoint, vec![assign(FIRST_FAILED_AT, kept)])]).await
}

/// Returns how long a message waits after so many attempts: the time of Standard Webhooks, a tenth less to a tenth more,
/// spread by the id of the delivery so that messages that failed together do not return together. `None` after the last one.
fn wait(delivery: Uuid, attempts: i64) -> Option<TimeDelta> {
    let wait = WAITS.get(usize::try_from(attempts.max(1) - 1).ok()?)? * 1_000;
    let spread = (delivery.as_u64_pair().1 ^ attempts.unsigned_abs()).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 44;
    let share = i64::try_from(spread).unwrap_or_default();
    Some(TimeDelta::milliseconds(wait - wait / 10 + (((wait / 5) * share) >> 20)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_those_of_standard_webhooks_but_for_a_tenth_and_spread() {
        let ids: Vec<Uuid> = (0..100).map(|_| entity::id::new()).collect();
        for (place, seconds) in WAITS.into_iter().enumerate() {
            let attempts = i64::try_from(place).unwrap() + 1;
            let waits: Vec<i64> = ids.iter().map(|id| wait(*id, attempts).unwrap().num_milliseconds()).collect();
            let (least, most) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
            assert!(*least >= seconds * 900 && *most <= seconds * 1_100, "{attempts}: {least} to {most}");
            assert!(most - least > seconds * 100, "{attempts}: {least} to {most}");
        }
        assert_eq!(wait(ids[0], 10), None);
        assert_eq!(WAITS.into_iter().sum::<i64>(), 75 * 3_600 + 35 * 60 + 5);
    }
}
