//! Follows the change feed for an endpoint, as any reader of it would: makes the deliveries of the next changes and records
//! how far it has come in one transaction, so that nothing is lost or made twice when a server ends.

use entity::{
    kind::Sequence,
    webhook_delivery,
    webhook_endpoint::{EVENT_TYPES, IS_ENABLED, NOUN, POSITION, SCOPES},
};
use sea_orm::prelude::Uuid;

use super::{event_types::Subscription, message::Message};
use crate::{
    Result,
    store::{Scope, paging::feed::FeedQuery, statement::typed::assign},
};

/// Number of changes that are considered at a time.
const STEP: usize = 200;

/// Makes the deliveries of the next changes. Does nothing if another server does so at the same time. Returns whether the
/// endpoint has come further.
pub(super) async fn follow(scope: &Scope, endpoint: Uuid) -> Result<bool> {
    let found = scope.select_by_ids((POSITION, EVENT_TYPES, SCOPES), &[endpoint]).await?.pop();
    let Some((position, types, scopes)) = found else { return Ok(false) };
    let subscription = Subscription::of(&types, &scopes);
    let query = FeedQuery { after: position.number(), nouns: subscription.nouns(), operations: None, limit: STEP };
    let page = scope.feed(&query).await?;
    let last = page.changes.last().map(|change| change.position.0).filter(|_| page.has_more);
    let to = last.unwrap_or(page.head.0);
    if to <= position.number() {
        return Ok(false);
    }
    let wanted = page.changes.iter().filter(|change| subscription.takes(change)).map(Message::of);
    let wanted: Vec<Message> = wanted.collect();
    let tx = scope.begin().await?;
    let record = tx.lock(&NOUN, &[endpoint]).await?.remove(&endpoint).filter(|record| {
        record.get(IS_ENABLED) == Some(true)
            && record.get(POSITION) == Some(position)
            && record.get(EVENT_TYPES) == Some(types)
            && record.get(SCOPES) == Some(scopes)
    });
    let Some(record) = record else {
        tx.roll_back().await?;
        return Ok(false);
    };
    if !wanted.is_empty() {
        let rows = wanted.into_iter().map(|message| message.delivery(endpoint.into(), tx.now())).collect();
        tx.make(&webhook_delivery::NOUN, rows).await?;
    }
    tx.keep(&NOUN, vec![(record, vec![assign(POSITION, Sequence::of(to))])]).await?;
    tx.commit().await?;
    Ok(true)
}
