//! Replays: the changes of a time are sent again to an endpoint, by a job.

use std::{collections::HashMap, str::FromStr};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    ChangeNoun, Permission,
    id::{self, WebhookEndpointId},
    webhook_delivery::{self, ENDPOINT_ID, ID, SEQUENCE},
    webhook_endpoint::{EVENT_TYPES, IS_ENABLED, NOUN, SCOPES},
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use super::{delivery::again, event_types::Subscription, message::Message};
use crate::{
    Error, Result, UserError,
    error::Code,
    graphql::{
        slice::{Done, Mutation},
        typed::{
            fields::MutationFn,
            input::{Input, RefTo},
        },
    },
    store::{
        Scope, Tx,
        operation::jobs::{
            Job, NewJob,
            kind::{Kind, StepResult},
        },
        paging::feed::{FeedChange, FeedQuery},
        statement::{
            cell::Cell,
            filter::{Comparison, Predicate},
        },
        writing::draft::Outcome,
    },
};

/// Number of changes that one step looks at.
const STEP: usize = 200;
/// How much the order of commits may differ from that of times: no transaction takes as long.
const DISORDER: TimeDelta = TimeDelta::minutes(5);

/// The mutation that begins a replay.
pub(super) const REPLAY: Mutation = Mutation {
    name: "webhookEndpointReplay",
    doc: "Sends the changes of a time to a webhook endpoint again, by its event types of now: also those that it missed \
          while it was disabled. Messages have the ids that they had before. Runs as a job; fails with CONFLICT while \
          another replay to the endpoint runs, and with INVALID if the endpoint is disabled.",
    permissions: &[Permission::Admin],
    run: &MutationFn::new(|tx, input| Box::pin(begin(tx, input))),
};

/// The job of a replay.
pub static JOB: Kind = Kind { name: "WEBHOOK_REPLAY", step: |scope, job| Box::pin(step(scope, job)), standing: None };

/// What is sent again.
#[derive(Input)]
struct WebhookEndpointReplay {
    /// The endpoint.
    by: RefTo<WebhookEndpointId>,
    /// Beginning of the time, inclusive.
    from: ChronoUnixTimestampMillis,
    /// End of the time, exclusive. Defaults to now.
    until: Option<ChronoUnixTimestampMillis>,
}

/// How far a replay has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Progress {
    /// Beginning and end of the time, in epoch milliseconds.
    times: (i64, i64),
    /// Sequence of the last change that was looked at; `None` until the first one is found.
    after: Option<i64>,
}

impl Progress {
    fn text(self) -> String {
        let after = self.after.map(|after| after.to_string()).unwrap_or_default();
        format!("{}:{}:{after}", self.times.0, self.times.1)
    }
}

impl FromStr for Progress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::internal("the progress of a replay cannot be read");
        let parts: Vec<&str> = text.split(':').collect();
        let [from, until, after] = parts.as_slice() else { return Err(wrong()) };
        let number = |text: &str| text.parse::<i64>().map_err(|_| wrong());
        let after = if after.is_empty() { None } else { Some(number(after)?) };
        Ok(Self { times: (number(from)?, number(until)?), after })
    }
}

async fn begin(tx: &Tx, input: &WebhookEndpointReplay) -> Result<Done> {
    let record = match tx.lock_one(&NOUN, Permission::Admin, &input.by.reference, None).await? {
        Ok(record) => record,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    let (from, until) = (input.from.0, input.until.map_or(tx.now(), |until| until.0));
    let mistake = if from >= until {
        Some(UserError::new(Code::OutOfRange, "from", "from must be before until"))
    } else if record.get(IS_ENABLED) != Some(true) {
        Some(UserError::new(Code::Invalid, "by", "the endpoint is disabled"))
    } else {
        None
    };
    if let Some(mistake) = mistake {
        return Ok(Err(vec![mistake]));
    }
    let progress = Progress { times: (from.timestamp_millis(), until.timestamp_millis()), after: None };
    let job = NewJob { id: id::new(), kind: &JOB, row: record.id(), progress: progress.text(), run_at: None };
    if !tx.begin_job_once(&job).await? {
        return Ok(Err(vec![UserError::new(Code::Conflict, "by", "another replay to the endpoint runs")]));
    }
    Ok(Ok((record.id(), Outcome::Unchanged)))
}

async fn step(scope: &Scope, job: &Job) -> Result<StepResult> {
    let progress: Progress = job.progress.parse()?;
    let Some(after) = progress.after else {
        let begin = DateTime::from_timestamp_millis(progress.times.0).unwrap_or_default() - DISORDER;
        let next = Progress { after: Some(before(scope, begin).await?), ..progress };
        return scope.begin().await?.commit_step(job, Some(&next.text())).await;
    };
    let Some((types, scopes)) = scope.select_by_ids((EVENT_TYPES, SCOPES), &[job.row]).await?.pop() else {
        // The endpoint was deleted.
        return scope.begin().await?.commit_step(job, None).await;
    };
    let subscription = Subscription::of(&types, &scopes);
    let page = scope.feed(&FeedQuery { after, nouns: subscription.nouns(), operations: None, limit: STEP }).await?;
    let is_over = |change: &FeedChange| change.occurred_at > progress.times.1 + DISORDER.num_milliseconds();
    let is_last = !page.has_more || page.changes.last().is_some_and(is_over);
    let next = page.changes.last().map(|change| change.position.0).filter(|_| !is_last);
    let is_wanted = |change: &&FeedChange| {
        (progress.times.0..progress.times.1).contains(&change.occurred_at) && subscription.takes(change)
    };
    let wanted: Vec<Message> = page.changes.iter().filter(is_wanted).map(Message::of).collect();
    let tx = scope.begin().await?;
    if !wanted.is_empty() {
        send_again(&tx, job.row, wanted).await?;
    }
    let progress = next.map(|after| Progress { after: Some(after), ..progress }.text());
    tx.commit_step(job, progress.as_deref()).await
}

/// Makes messages due again, or due if they are not in the log.
async fn send_again(tx: &Tx, endpoint: Uuid, messages: Vec<Message>) -> Result<()> {
    // As in every other change of deliveries, the endpoint is locked first.
    if tx.lock(&NOUN, &[endpoint]).await?.is_empty() {
        return Ok(());
    }
    let sequences = messages.iter().filter_map(|message| message.sequence).map(Cell::Int).collect();
    let known = Predicate::All(vec![
        Predicate::Column(ENDPOINT_ID.into(), Comparison::Eq(Cell::Id(endpoint))),
        Predicate::Column(SEQUENCE.into(), Comparison::In(sequences)),
    ]);
    let found = tx.select_where_unchecked((ID, SEQUENCE), &known, STEP).await?;
    let known: HashMap<i64, Uuid> =
        found.into_iter().filter_map(|(id, sequence)| Some((sequence?.number(), id.into()))).collect();
    let ids: Vec<Uuid> = known.values().copied().collect();
    let rows = tx.lock(&webhook_delivery::NOUN, &ids).await?;
    let changes: Vec<_> = rows.into_values().map(|row| (row, again(tx))).collect();
    if !changes.is_empty() {
        tx.alter(&webhook_delivery::NOUN, changes).await?;
    }
    let is_new = |message: &Message| message.sequence.is_none_or(|sequence| !known.contains_key(&sequence));
    let made: Vec<_> = messages.into_iter().filter(is_new).collect();
    if !made.is_empty() {
        let rows = made.into_iter().map(|message| message.delivery(endpoint.into(), tx.now())).collect();
        tx.make(&webhook_delivery::NOUN, rows).await?;
    }
    Ok(())
}

/// Returns the sequence of a change before an instant after which no change precedes it: by bisection, because times
/// ascend with sequences but for [`DISORDER`].
async fn before(scope: &Scope, at: DateTime<Utc>) -> Result<i64> {
    let nouns: Vec<_> = ChangeNoun::all().map(ChangeNoun::noun).collect();
    let query = |after| FeedQuery { after, nouns: nouns.clone(), operations: None, limit: 1 };
    let first = scope.feed(&query(0)).await?;
    let (mut low, mut high) = (0, first.head.0);
    while low < high {
        let middle = low + (high - low) / 2;
        let page = scope.feed(&query(middle)).await?;
        match page.changes.first() {
            Some(change) if change.occurred_at < at.timestamp_millis() => low = change.position.0,
            _ => high = middle,
        }
    }
    Ok(low)
}
