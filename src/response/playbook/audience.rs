//! Playbooks tell an audience of something new: a job makes a follow-up for each customer.

use chrono::{DateTime, Utc};
use entity::{
    Noun, content_item, customer, follow_up,
    id::{self, ContentItemId, ImprovementId},
    improvement::{self, ImprovementStatus},
    noun::StringEnum,
    playbook::{Model as Playbook, PlaybookTrigger},
};
use sea_orm::prelude::Uuid;

use super::{
    active,
    dates::progress,
    make::{Facts, Occurrence, make},
    trigger::plays,
};
use crate::{
    Result,
    graphql::planning::stored_filter::sound_condition,
    store::{
        Scope, Tx,
        operation::jobs::{
            Job, NewJob,
            kind::{Kind, StepResult},
        },
        statement::{
            cell::{Cell, Record},
            filter::{Comparison, Predicate},
            typed::assign,
        },
        writing::{draft::Draft, write::Hooks},
    },
};

/// Number of customers for whom one step makes follow-ups.
const STEP: usize = 500;

/// The job that makes the follow-ups about one row.
pub static JOB: Kind =
    Kind { name: "PLAYBOOK_AUDIENCE", step: |scope, job| Box::pin(step(scope, job)), standing: None };

/// Rules of improvements.
pub const IMPROVEMENT_RULES: Hooks = Hooks {
    written: |tx, drafts| {
        let is_done = |draft: &Draft| {
            let was = draft.current.as_ref().and_then(|row| row.get(improvement::STATUS));
            was != Some(ImprovementStatus::Done) && draft.get(improvement::STATUS) == Some(ImprovementStatus::Done)
        };
        Box::pin(begin(tx, drafts, PlaybookTrigger::ImprovementDone, is_done))
    },
    ..Hooks::NONE
};

/// Rules of content items.
pub const CONTENT_RULES: Hooks = Hooks {
    written: |tx, drafts| Box::pin(begin(tx, drafts, PlaybookTrigger::ContentAdded, Draft::is_new)),
    ..Hooks::NONE
};

/// Begins a job for each row that is news, if a playbook tells of it.
async fn begin(tx: &Tx, drafts: &[Draft], trigger: PlaybookTrigger, is_news: fn(&Draft) -> bool) -> Result<()> {
    let news = || drafts.iter().filter(|draft| draft.errors.is_empty() && is_news(draft));
    if news().next().is_none() || !active(tx).await?.iter().any(|playbook| playbook.trigger == trigger) {
        return Ok(());
    }
    for draft in news() {
        let (id, progress) = (id::new(), format!("{};", trigger.text()));
        tx.begin_job_once(&NewJob { id, kind: &JOB, row: draft.id, progress, run_at: None }).await?;
    }
    Ok(())
}

/// Makes the follow-ups for the next customers. The progress is the trigger, the playbook and the last customer.
async fn step(scope: &Scope, job: &Job) -> Result<StepResult> {
    let (trigger, rest) = job.progress.split_once(';').unwrap_or_default();
    let (done, after) = progress(rest);
    let tx = scope.begin().await?;
    let Some(trigger) = PlaybookTrigger::parse(trigger) else { return tx.commit_step(job, None).await };
    let noun: &'static Noun =
        if trigger == PlaybookTrigger::ContentAdded { &content_item::NOUN } else { &improvement::NOUN };
    let playbooks = active(&tx).await?;
    let plays = plays(&tx, &playbooks, &[trigger]).await?;
    // Locked, so that it is not deleted meanwhile.
    let news = tx.lock(noun, &[job.row]).await?.remove(&job.row);
    let place = plays.iter().position(|play| play.playbook.id.0 >= done);
    let Some((place, news)) = place.zip(news) else { return tx.commit_step(job, None).await };
    let play = &plays[place];
    let after = if play.playbook.id.0 == done { after } else { Uuid::nil() };
    let is_met = tx.meeting(noun, &[job.row], &[&play.condition]).await?.iter().any(|met| !met.is_empty());
    let mut last = None;
    if let Some(audience) = audience(&tx, play.playbook, &news, after).await?.filter(|_| is_met) {
        let columns = (customer::ID, customer::ACCOUNT_ID);
        let customers = tx.select_where_unchecked(columns, &audience, STEP - 1).await?;
        last = customers.last().map(|(id, _)| id.0).filter(|_| customers.len() == STEP);
        let (at, facts) = about(trigger, &news, tx.now());
        let occurrence = |(customer, account)| {
            let which = id::encode(customer::NOUN.prefix, Uuid::from(customer));
            let facts = Facts { customer: Some(customer), account, ..facts.clone() };
            Occurrence { playbook: play.playbook, row: job.row, is_new: false, which, at, facts }
        };
        make(&tx, customers.into_iter().map(occurrence).collect()).await?;
    }
    let next = last.map(|last| (play.playbook.id.0, last));
    let next = next.or_else(|| plays.get(place + 1).map(|next| (next.playbook.id.0, Uuid::nil())));
    let progress = next.map(|(id, after)| format!("{};{}:{}", trigger.text(), id.simple(), after.simple()));
    tx.commit_step(job, progress.as_deref()).await
}

/// Returns the condition of the customers after another one who are told of some news; `None` if the filter of the audience
/// is broken.
async fn audience(tx: &Tx, playbook: &Playbook, news: &Record, after: Uuid) -> Result<Option<Predicate>> {
    let mut all = vec![
        Predicate::Column(customer::ID.into(), Comparison::Gt(Cell::Id(after))),
        Predicate::Column(customer::ARCHIVED_AT.into(), Comparison::IsNull),
        Predicate::Column(customer::ERASED_AT.into(), Comparison::IsNull),
    ];
    if let Some(filter) = &playbook.audience {
        let Some(condition) = sound_condition(tx, &customer::NOUN, filter).await? else { return Ok(None) };
        all.push(condition);
    }
    if playbook.is_interest_matched {
        let topics = news.get(content_item::TOPICS).unwrap_or_default();
        let items = serde_json::from_str(&topics).unwrap_or_default();
        all.push(Predicate::HasAny { column: customer::INTERESTS.name(), items });
    }
    Ok(Some(Predicate::All(all)))
}

/// Returns when some news happened, and what the follow-ups are about.
fn about(trigger: PlaybookTrigger, news: &Record, now: DateTime<Utc>) -> (DateTime<Utc>, Facts) {
    if trigger == PlaybookTrigger::ContentAdded {
        let about = assign(follow_up::CONTENT_ITEM_ID, Some(ContentItemId(news.id())));
        return (news.get(content_item::CREATED_AT).map_or(now, |at| at.0), Facts::about(about));
    }
    let about = assign(follow_up::IMPROVEMENT_ID, Some(ImprovementId(news.id())));
    let facts = Facts { department: news.get(improvement::DEPARTMENT_ID), ..Facts::about(about) };
    (news.get(improvement::DONE_AT).map_or(now, |at| at.0), facts)
}
