//! Playbooks act on events: in the transaction that writes the row.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, SecondsFormat, Utc};
use entity::{
    Col,
    case::{self, CaseStage},
    col::ColumnType,
    feedback_record, follow_up,
    id::{CaseId, FeedbackRecordId, InteractionId, MemberId},
    interaction::{self, InteractionStatus},
    member,
    playbook::{Model as Playbook, PlaybookTrigger},
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use super::{
    active,
    make::{Facts, Occurrence, make},
    trigger::{met, plays},
};
use crate::{
    Result,
    response::{
        contact::duty,
        follow_up::{End, end_open},
        routing::fallback,
    },
    store::{
        Tx,
        statement::{
            cell::Cell,
            filter::{Comparison, Predicate},
            typed::assign,
        },
        writing::{draft::Draft, write::Hooks},
    },
};

/// Rules of interactions.
pub const INTERACTION_RULES: Hooks = Hooks {
    prepare: |tx, drafts| Box::pin(read_before_interactions(tx, drafts)),
    written: |tx, drafts| Box::pin(interactions(tx, drafts)),
    ..Hooks::NONE
};

/// Rules of cases.
pub const CASE_RULES: Hooks = Hooks {
    written: |tx, drafts| Box::pin(act(tx, drafts, PlaybookTrigger::CaseResponded, case_responded)),
    ..Hooks::NONE
};

/// Rules of feedback.
pub const FEEDBACK_RULES: Hooks = Hooks {
    prepare: |tx, drafts| Box::pin(read_early(tx, drafts)),
    written: |tx, drafts| Box::pin(act(tx, drafts, PlaybookTrigger::FeedbackReceived, feedback_received)),
    ..Hooks::NONE
};

/// Reads the playbooks, and the contact policies to which what they make keeps, before new rows are written: afterwards, no
/// other transaction could use what was read.
async fn read_early(tx: &Tx, drafts: &[Draft]) -> Result<()> {
    if drafts.iter().any(is_written_anew) && !active(tx).await?.is_empty() {
        duty::read_policies(tx).await?;
    }
    Ok(())
}

/// Like [`read_early`]; also reads the fallback department, if a follow-up about a new interaction may need it.
async fn read_before_interactions(tx: &Tx, drafts: &[Draft]) -> Result<()> {
    read_early(tx, drafts).await?;
    let has_no_department = |draft: &&Draft| draft.get(interaction::DEPARTMENT_ID).is_none();
    if !drafts.iter().filter(has_no_department).any(is_written_anew) {
        return Ok(());
    }
    let about_interactions = [PlaybookTrigger::InteractionCompleted, PlaybookTrigger::InteractionScheduled];
    let needs_one =
        |playbook: &Playbook| playbook.department_id.is_none() && about_interactions.contains(&playbook.trigger);
    if active(tx).await?.iter().any(needs_one) {
        fallback(tx).await?;
    }
    Ok(())
}

fn is_written_anew(draft: &Draft) -> bool {
    draft.is_new() && draft.errors.is_empty()
}

/// An event of a row: which time of it, when, and what the follow-up is about.
type Event = (String, DateTime<Utc>, Facts);

/// Lets the playbooks with a trigger act on the written drafts for which `event` returns one.
async fn act(
    tx: &Tx,
    drafts: &[Draft],
    trigger: PlaybookTrigger,
    event: fn(&Draft, DateTime<Utc>) -> Option<Event>,
) -> Result<()> {
    let written = drafts.iter().filter(|draft| draft.errors.is_empty());
    let events: Vec<(&Draft, Event)> = written.filter_map(|draft| Some((draft, event(draft, tx.now())?))).collect();
    if events.is_empty() {
        return Ok(());
    }
    let playbooks = active(tx).await?;
    let occurrences = occurrences(tx, &playbooks, trigger, &events).await?;
    make(tx, occurrences).await
}

async fn occurrences<'a>(
    tx: &Tx,
    playbooks: &'a [Playbook],
    trigger: PlaybookTrigger,
    events: &[(&Draft, Event)],
) -> Result<Vec<Occurrence<'a>>> {
    let plays = plays(tx, playbooks, &[trigger]).await?;
    if plays.is_empty() || events.is_empty() {
        return Ok(Vec::new());
    }
    let drafts: Vec<&Draft> = events.iter().map(|(draft, _)| *draft).collect();
    let by_row: HashMap<Uuid, &(&Draft, Event)> = events.iter().map(|event| (event.0.id, event)).collect();
    let mut occurrences = Vec::new();
    for (play, rows) in plays.iter().zip(met(tx, &plays, &drafts).await?) {
        for row in rows {
            let Some((draft, (which, at, facts))) = by_row.get(&row) else { continue };
            let (which, at, facts) = (which.clone(), *at, facts.clone());
            occurrences.push(Occurrence { playbook: play.playbook, row, is_new: draft.is_new(), which, at, facts });
        }
    }
    Ok(occurrences)
}

fn case_responded(draft: &Draft, now: DateTime<Utc>) -> Option<Event> {
    let was = draft.current.as_ref().and_then(|row| row.get(case::STAGE)) == Some(CaseStage::Responded);
    if was || draft.get(case::STAGE)? != CaseStage::Responded {
        return None;
    }
    // A case that was reopened keeps the time when it was first responded to.
    let reopened = draft.get(case::REOPENED_AT);
    let first = draft.get(case::RESPONDED_AT).filter(|_| reopened.is_none());
    let facts = Facts {
        customer: draft.get(case::CUSTOMER_ID),
        account: draft.get(case::ACCOUNT_ID),
        department: draft.get(case::DEPARTMENT_ID),
        owner: draft.get(case::ASSIGNEE_ID),
        ..Facts::about(assign(follow_up::CASE_ID, Some(CaseId(draft.id))))
    };
    Some((reopened.map(|at| time(at.0)).unwrap_or_default(), first.map_or(now, |at| at.0), facts))
}

fn feedback_received(draft: &Draft, now: DateTime<Utc>) -> Option<Event> {
    let facts = Facts {
        customer: draft.get(feedback_record::CUSTOMER_ID),
        department: draft.get(feedback_record::DEPARTMENT_ID),
        medium: draft.get(feedback_record::MEDIUM_ID),
        ..Facts::about(assign(follow_up::FEEDBACK_RECORD_ID, Some(FeedbackRecordId(draft.id))))
    };
    let at = draft.get(feedback_record::RECEIVED_AT).map_or(now, |at| at.0);
    draft.is_new().then_some((String::new(), at, facts))
}

async fn interactions(tx: &Tx, drafts: &[Draft]) -> Result<()> {
    let steps: Vec<Step<'_>> = drafts.iter().filter(|draft| draft.errors.is_empty()).map(Step::of).collect();
    let was_planned = || steps.iter().filter(|step| step.planned.0.is_some());
    let outdated: Vec<Uuid> =
        was_planned().filter(|step| step.planned.0 != step.planned.1).map(|step| step.draft.id).collect();
    let confirmed: Vec<Uuid> = was_planned().filter(|step| step.is_confirmed).map(|step| step.draft.id).collect();
    let why = End::Skipped("the interaction is not due at that time any more");
    end_open(tx, follow_up::INTERACTION_ID, &outdated, why).await?;
    end_open(tx, follow_up::INTERACTION_ID, &confirmed, End::Confirmed).await?;
    let completed = steps.iter().filter_map(|step| Some((String::new(), step.completed?, step)));
    let planned = steps.iter().filter(|step| step.planned.0 != step.planned.1);
    let planned = planned.filter_map(|step| Some((time(step.planned.1?), step.planned.1?, step)));
    let events = [
        (PlaybookTrigger::InteractionCompleted, completed.collect::<Vec<_>>()),
        (PlaybookTrigger::InteractionScheduled, planned.collect()),
    ];
    if events.iter().all(|(_, events)| events.is_empty()) {
        return Ok(());
    }
    let playbooks = active(tx).await?;
    let mut all = Vec::new();
    for (trigger, events) in events {
        let mut events: Vec<(&Draft, Event)> = events
            .into_iter()
            .map(|(which, at, step)| {
                let draft = step.draft;
                (draft, (which, at, of_interaction(|column| draft.cell(column), draft.id)))
            })
            .collect();
        if playbooks.iter().any(|playbook| playbook.trigger == trigger && playbook.owner_id.is_none()) {
            let staff = staff(tx, &events).await?;
            for (draft, (.., facts)) in &mut events {
                facts.owner = draft.get(interaction::STAFF_SUBJECT).and_then(|subject| staff.get(&subject).copied());
            }
        }
        all.extend(occurrences(tx, &playbooks, trigger, &events).await?);
    }
    make(tx, all).await
}

/// What a draft changes of an interaction.
struct Step<'a> {
    draft: &'a Draft,
    /// For when it was planned, and for when it is.
    planned: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    /// Whether it becomes confirmed.
    is_confirmed: bool,
    /// When it took place, if that is new.
    completed: Option<DateTime<Utc>>,
}

impl<'a> Step<'a> {
    fn of(draft: &'a Draft) -> Self {
        let before = draft.current.as_ref();
        let status = (before.and_then(|row| row.get(interaction::STATUS)), draft.get(interaction::STATUS));
        let is_new = |wanted: InteractionStatus| status.0 != Some(wanted) && status.1 == Some(wanted);
        let occurred = draft.get(interaction::OCCURRED_AT).map(|at| at.0);
        Self {
            draft,
            planned: (before.and_then(|row| planned(|column| row.cell(column))), planned(|column| draft.cell(column))),
            is_confirmed: is_new(InteractionStatus::Confirmed),
            completed: occurred.filter(|_| is_new(InteractionStatus::Completed)),
        }
    }
}

/// Returns for when an interaction is planned; `None` if it is not, or no time is agreed.
pub(super) fn planned<'a>(cell: impl Fn(&'static str) -> &'a Cell) -> Option<DateTime<Utc>> {
    let status = cell(interaction::STATUS.name()).value::<InteractionStatus>()?;
    let is_planned = matches!(status, InteractionStatus::Scheduled | InteractionStatus::Confirmed);
    let at = cell(interaction::SCHEDULED_AT.name()).value::<Option<ChronoUnixTimestampMillis>>()?;
    is_planned.then_some(at.0)
}

/// Returns what a follow-up about an interaction is about.
pub(super) fn of_interaction<'a>(cell: impl Fn(&'static str) -> &'a Cell, id: Uuid) -> Facts {
    fn get<'a, T: ColumnType>(cell: &impl Fn(&'static str) -> &'a Cell, column: Col<T>) -> Option<T::Value> {
        cell(column.name()).value::<T>()
    }
    Facts {
        customer: get(&cell, interaction::CUSTOMER_ID),
        account: get(&cell, interaction::ACCOUNT_ID),
        department: get(&cell, interaction::DEPARTMENT_ID),
        medium: get(&cell, interaction::MEDIUM_ID),
        ..Facts::about(assign(follow_up::INTERACTION_ID, Some(InteractionId(id))))
    }
}

/// Returns the members who took part in interactions, by subject.
async fn staff(tx: &Tx, events: &[(&Draft, Event)]) -> Result<HashMap<String, MemberId>> {
    let subjects: HashSet<String> =
        events.iter().filter_map(|(draft, _)| draft.get(interaction::STAFF_SUBJECT)).collect();
    if subjects.is_empty() {
        return Ok(HashMap::new());
    }
    let most = subjects.len();
    let named = Comparison::In(subjects.into_iter().map(Cell::Text).collect());
    let is_active = Predicate::Column(member::ARCHIVED_AT.into(), Comparison::IsNull);
    let filter = Predicate::All(vec![Predicate::Column(member::SUBJECT.into(), named), is_active]);
    Ok(tx.select_where_unchecked((member::SUBJECT, member::ID), &filter, most).await?.into_iter().collect())
}

/// Returns an instant as the name of an occurrence.
pub(super) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
