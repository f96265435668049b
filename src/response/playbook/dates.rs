//! Playbooks act on dates: a job looks every hour which occasions and scheduled interactions come, and makes what is missing.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use entity::{
    customer, follow_up,
    id::{CustomerId, OccasionId},
    interaction::{self, InteractionStatus},
    kind::Date,
    noun::StringEnum,
    occasion,
    playbook::{self, PlaybookTrigger},
};
use sea_orm::prelude::Uuid;

use super::{
    active,
    events::{of_interaction, planned, time},
    make::{Facts, LATE, Occurrence, due, make},
    trigger::{Play, plays},
};
use crate::{
    Error, Result,
    calendar::start_of_day,
    record::occasion::coming,
    response::{
        deadline::Calendars,
        follow_up::{End, end_open},
    },
    store::{
        Scope, Tx,
        operation::jobs::{
            Job,
            kind::{Kind, Recurrence, ScheduleZone, Standing, StepResult},
        },
        statement::{
            cell::Cell,
            filter::{Comparison, Predicate},
            typed::assign,
        },
        writing::{draft::Draft, write::Hooks},
    },
};

/// Number of rows that one step looks at.
const STEP: usize = 500;
/// How long before they are due follow-ups of occasions are made.
const AHEAD: TimeDelta = TimeDelta::days(14);

/// The job that makes what dates make due.
pub static JOB: Kind = Kind {
    name: "PLAYBOOK_DATES",
    step: |scope, job| Box::pin(step(scope, job)),
    standing: Some(Standing {
        organizations: |store| Box::pin(store.with_rows(&playbook::NOUN)),
        recurs: Some(Recurrence { cron: "7 * * * *", zone: ScheduleZone::Utc }),
    }),
};

/// Rules of occasions: what was made for a day on which the occasion does not come any more is skipped.
pub const OCCASION_RULES: Hooks = Hooks { written: |tx, drafts| Box::pin(moved(tx, drafts)), ..Hooks::NONE };

async fn moved(tx: &Tx, drafts: &[Draft]) -> Result<()> {
    let is_moved = |draft: &&Draft| {
        let columns = [occasion::DATE.name(), occasion::RECURRENCE.name(), occasion::CUSTOMER_ID.name()];
        let row = draft.current.as_ref().filter(|_| draft.errors.is_empty());
        row.is_some_and(|row| columns.into_iter().any(|column| row.cell(column) != draft.cell(column)))
    };
    let ids: Vec<Uuid> = drafts.iter().filter(is_moved).map(|draft| draft.id).collect();
    end_open(tx, follow_up::OCCASION_ID, &ids, End::Skipped("the occasion was changed")).await
}

/// Looks at the next rows of a playbook. The progress is the playbook and the last row that was looked at.
async fn step(scope: &Scope, job: &Job) -> Result<StepResult> {
    let (done, after) = progress(&job.progress);
    let tx = scope.begin().await?;
    let playbooks = active(&tx).await?;
    let plays = plays(&tx, &playbooks, &[PlaybookTrigger::Occasion, PlaybookTrigger::InteractionScheduled]).await?;
    let Some(place) = plays.iter().position(|play| play.playbook.id.0 >= done) else {
        return tx.commit_step(job, None).await;
    };
    let play = &plays[place];
    let after = if play.playbook.id.0 == done { after } else { Uuid::nil() };
    let (occurrences, last) = match play.playbook.trigger {
        PlaybookTrigger::Occasion => occasions(&tx, play, after).await?,
        _ => interactions(&tx, play, after).await?,
    };
    make(&tx, occurrences).await?;
    let next = last.map(|last| (play.playbook.id.0, last));
    let next = next.or_else(|| plays.get(place + 1).map(|next| (next.playbook.id.0, Uuid::nil())));
    let progress = next.map(|(playbook, after)| format!("{}:{}", playbook.simple(), after.simple()));
    tx.commit_step(job, progress.as_deref()).await
}

/// Reads the two ids of a progress.
pub(super) fn progress(text: &str) -> (Uuid, Uuid) {
    let id = |text: &str| Uuid::try_parse(text).unwrap_or_default();
    text.split_once(':').map_or_else(Default::default, |(playbook, row)| (id(playbook), id(row)))
}

/// Returns the condition that a row meets that of a play and follows another one.
fn following<T>(play: &Play<'_>, id: entity::Col<T>, after: Uuid) -> Predicate {
    Predicate::All(vec![Predicate::Column(id.into(), Comparison::Gt(Cell::Id(after))), play.condition.clone()])
}

/// Returns what the playbook makes for the next scheduled interactions, and the last of them if others may follow.
async fn interactions<'a>(tx: &Tx, play: &Play<'a>, after: Uuid) -> Result<(Vec<Occurrence<'a>>, Option<Uuid>)> {
    let open = [InteractionStatus::Scheduled, InteractionStatus::Confirmed];
    let named = open.map(|status| Cell::Text(status.name().to_owned())).to_vec();
    let since = (tx.now() - LATE).timestamp_millis() - play.playbook.offset_minutes.abs() * 60_000;
    let filter = Predicate::All(vec![
        Predicate::Column(interaction::STATUS.into(), Comparison::In(named)),
        Predicate::Column(interaction::SCHEDULED_AT.into(), Comparison::Gt(Cell::Int(since))),
        following(play, interaction::ID, after),
    ]);
    let found = tx.select_where_unchecked((interaction::ID,), &filter, STEP - 1).await?;
    let ids: Vec<Uuid> = found.into_iter().map(|(id,)| id.into()).collect();
    // Locked, so that none is moved or called off meanwhile.
    let rows = tx.lock(&interaction::NOUN, &ids).await?;
    let occurrence = |id: &Uuid| {
        let row = rows.get(id)?;
        let at = planned(|column| row.cell(column))?;
        let facts = of_interaction(|column| row.cell(column), *id);
        Some(Occurrence { playbook: play.playbook, row: *id, is_new: false, which: time(at), at, facts })
    };
    let last = ids.last().copied().filter(|_| ids.len() == STEP);
    Ok((ids.iter().filter_map(occurrence).collect(), last))
}

/// Returns what the playbook makes for the days of the next occasions, and the last of these if others may follow.
async fn occasions<'a>(tx: &Tx, play: &Play<'a>, after: Uuid) -> Result<(Vec<Occurrence<'a>>, Option<Uuid>)> {
    let found = tx.select_where_unchecked((occasion::ID,), &following(play, occasion::ID, after), STEP - 1).await?;
    let ids: Vec<Uuid> = found.into_iter().map(|(id,)| id.into()).collect();
    // Locked, so that none is changed meanwhile.
    let rows = tx.lock(&occasion::NOUN, &ids).await?;
    let customers: HashSet<Uuid> =
        rows.values().filter_map(|row| row.get(occasion::CUSTOMER_ID)).map(Uuid::from).collect();
    let customers: Vec<Uuid> = customers.into_iter().collect();
    let zones = tx.select_by_ids_unchecked((customer::ID, customer::TIME_ZONE), &customers).await?;
    let zones: HashMap<CustomerId, String> = zones.into_iter().filter_map(|(id, zone)| Some((id, zone?))).collect();
    let own = tx.time_zone().await?;
    let calendars = Calendars::read(tx, play.playbook.calendar_id).await?;
    let mut occurrences = Vec::new();
    for id in &ids {
        let Some(row) = rows.get(id) else { continue };
        let Some((first, recurrence)) = row.get(occasion::DATE).and_then(Date::day).zip(row.get(occasion::RECURRENCE))
        else {
            continue;
        };
        let customer = row.get(occasion::CUSTOMER_ID);
        let zone = match customer.and_then(|id| zones.get(&id)) {
            Some(name) => name.parse().map_err(|_| Error::internal("a time zone is not known"))?,
            None => own,
        };
        let facts = Facts {
            customer,
            account: row.get(occasion::ACCOUNT_ID),
            ..Facts::about(assign(follow_up::OCCASION_ID, Some(OccasionId(*id))))
        };
        let made = row.get(occasion::CREATED_AT).map_or(tx.now(), |at| at.0).max(play.playbook.created_at.0);
        for (day, at) in days(first, recurrence, zone, tx.now()) {
            // A day that was over when the occasion or the playbook was made is history.
            let is_to_come = at + TimeDelta::days(1) > made;
            if is_to_come && due(play.playbook, at, &calendars).is_some_and(|due| due <= tx.now() + AHEAD) {
                let (which, facts) = (Date::of(day).to_string(), facts.clone());
                occurrences.push(Occurrence { playbook: play.playbook, row: *id, is_new: false, which, at, facts });
            }
        }
    }
    Ok((occurrences, ids.last().copied().filter(|_| ids.len() == STEP)))
}

/// Returns the days around now on which an occasion comes, each with its beginning.
fn days(
    first: NaiveDate,
    recurrence: occasion::Recurrence,
    zone: Tz,
    now: DateTime<Utc>,
) -> Vec<(NaiveDate, DateTime<Utc>)> {
    let year = now.with_timezone(&zone).year();
    // An offset reaches a year, by business time more.
    let from = (year - 2..=year + 2).filter_map(|year| coming(first, recurrence, NaiveDate::from_ymd_opt(year, 1, 1)?));
    let mut days: Vec<NaiveDate> = from.collect();
    days.dedup();
    days.into_iter().filter_map(|day| Some((day, start_of_day(zone, day)?))).collect()
}
