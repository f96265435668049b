//! Makes the follow-ups of playbooks: one for each occurrence.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    follow_up::{
        ACCOUNT_ID, CUSTOMER_ID, DEPARTMENT_ID, DUE_AT, FollowUpStatus, KIND, MEDIUM_ID, NOUN, OCCURRENCE, OWNER_ID,
        PLAYBOOK_ID, PLAYBOOK_VERSION, SKIPPED_AT, SKIPPED_BECAUSE, STATUS, TAGS, TITLE,
    },
    id::{AccountId, CustomerId, DepartmentId, MediumId, MemberId, PlaybookId},
    playbook::Model as Playbook,
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use crate::{
    Result,
    business_time::BusinessTime,
    response::{
        contact::duty::{self, Allowed, Duty},
        deadline::Calendars,
        routing,
    },
    store::{
        Tx,
        statement::{
            cell::{Cell, Column},
            typed::assign,
        },
        writing::write::NewRow,
    },
};

/// How late a follow-up may be made: what happened and would have been due before is history.
pub(super) const LATE: TimeDelta = TimeDelta::days(7);

/// Something that a playbook makes a follow-up for.
pub(super) struct Occurrence<'a> {
    pub(super) playbook: &'a Playbook,
    /// The row that the trigger is about.
    pub(super) row: Uuid,
    /// Whether the transaction creates the row.
    pub(super) is_new: bool,
    /// Which time of the row, or which customer, it is for; empty if there is only one.
    pub(super) which: String,
    /// When the trigger happens.
    pub(super) at: DateTime<Utc>,
    pub(super) facts: Facts,
}

impl Occurrence<'_> {
    fn medium(&self) -> Option<MediumId> {
        self.playbook.medium_id.or(self.facts.medium)
    }

    fn duty(&self, due: DateTime<Utc>) -> Duty {
        Duty { customer: self.facts.customer, medium: self.medium(), kind: self.playbook.kind, due }
    }
}

/// What a follow-up is about.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// The reference to the row that the trigger is about.
    pub(super) about: (Column, Cell),
    pub(super) customer: Option<CustomerId>,
    pub(super) account: Option<AccountId>,
    pub(super) department: Option<DepartmentId>,
    pub(super) owner: Option<MemberId>,
    pub(super) medium: Option<MediumId>,
}

impl Facts {
    pub(super) const fn about(about: (Column, Cell)) -> Self {
        Self { about, customer: None, account: None, department: None, owner: None, medium: None }
    }
}

/// Returns the key of the one follow-up that a playbook makes for an occurrence of a row.
pub fn key(playbook: PlaybookId, row: Uuid, which: &str) -> String {
    format!("playbook/{}/{}/{which}", playbook.0.simple(), row.simple())
}

/// Returns the instant some minutes after another one, or before it if they are negative, by business time if one is
/// given; `None` if that is not reached.
pub(super) fn offset(at: DateTime<Utc>, minutes: i64, business: Option<&BusinessTime>) -> Option<DateTime<Utc>> {
    let offset = TimeDelta::minutes(minutes);
    match business {
        None => at.checked_add_signed(offset),
        Some(business) if minutes < 0 => business.before(at, -offset),
        Some(business) => business.after(at, offset),
    }
}

/// Returns when the follow-up of a playbook is due for a trigger; `None` if never.
pub(super) fn due(playbook: &Playbook, at: DateTime<Utc>, calendars: &Calendars) -> Option<DateTime<Utc>> {
    offset(at, playbook.offset_minutes, playbook.calendar_id.and_then(|id| calendars.find(id)))
}

/// Makes the follow-ups of these occurrences that have none yet, unless they are history or about a person who was
/// erased. One is due when the contact policies allow it, and skipped from the start if they do not say when.
pub(super) async fn make(tx: &Tx, occurrences: Vec<Occurrence<'_>>) -> Result<()> {
    if occurrences.is_empty() {
        return Ok(());
    }
    let named = occurrences.iter().filter_map(|occurrence| occurrence.playbook.calendar_id);
    let calendars = Calendars::read(tx, named).await?;
    let customers: HashSet<Uuid> = occurrences.iter().filter_map(|it| it.facts.customer).map(Uuid::from).collect();
    let customers: Vec<Uuid> = customers.into_iter().collect();
    let erased = tx.erased_among(customers).await?;
    let mut wanted: HashMap<String, (Occurrence<'_>, DateTime<Utc>)> = HashMap::new();
    for occurrence in occurrences {
        let is_erased = occurrence.facts.customer.is_some_and(|customer| erased.contains(&customer.0));
        let due = due(occurrence.playbook, occurrence.at, &calendars);
        let due = due.filter(|due| occurrence.at.max(*due) >= tx.now() - LATE);
        if let Some(due) = due.filter(|_| !is_erased) {
            wanted.insert(key(occurrence.playbook.id, occurrence.row, &occurrence.which), (occurrence, due));
        }
    }
    let (new, others): (Vec<_>, Vec<_>) = wanted.iter().partition(|(_, (occurrence, _))| occurrence.is_new);
    let first = tx.first_effects(others.into_iter().map(|(key, _)| key.clone()).collect()).await?;
    tx.record_effects(&new.into_iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>()).await?;
    wanted.retain(|key, (occurrence, _)| occurrence.is_new || first.contains(key));
    if wanted.is_empty() {
        return Ok(());
    }
    let mut fallback = None;
    if wanted.values().any(|(it, _)| it.playbook.department_id.or(it.facts.department).is_none()) {
        fallback = Some(routing::fallback(tx).await?.department);
    }
    let mut wanted: Vec<(Occurrence<'_>, DateTime<Utc>)> =
        wanted.into_values().map(|(occurrence, due)| (occurrence, due.max(tx.now()))).collect();
    wanted.sort_unstable_by_key(|(occurrence, due)| (*due, occurrence.row, occurrence.playbook.id));
    let duties: Vec<Duty> = wanted.iter().map(|(occurrence, due)| occurrence.duty(*due)).collect();
    let allowed = duty::allowed(tx, &duties).await?;
    let rows = wanted.into_iter().zip(allowed).map(|((occurrence, due), allowed)| {
        let mut row = row(occurrence, fallback.map(DepartmentId));
        match allowed {
            Allowed::From(due) => {
                row.extend([assign(STATUS, FollowUpStatus::Open), assign(DUE_AT, ChronoUnixTimestampMillis(due))]);
            }
            Allowed::Unknown(why) => {
                let now = Some(ChronoUnixTimestampMillis(tx.now()));
                row.extend([assign(STATUS, FollowUpStatus::Skipped), assign(DUE_AT, ChronoUnixTimestampMillis(due))]);
                row.extend([assign(SKIPPED_AT, now), assign(SKIPPED_BECAUSE, Some(why))]);
            }
        }
        row
    });
    tx.create(&NOUN, rows.collect()).await
}

fn row(occurrence: Occurrence<'_>, fallback: Option<DepartmentId>) -> NewRow {
    let medium = occurrence.medium();
    let Occurrence { playbook, which, facts, .. } = occurrence;
    let mut row = vec![
        assign(TITLE, playbook.title.clone()),
        assign(KIND, playbook.kind),
        assign(TAGS, "[]".to_owned()),
        assign(PLAYBOOK_ID, Some(playbook.id)),
        assign(PLAYBOOK_VERSION, Some(playbook.version)),
        assign(OCCURRENCE, Some(which).filter(|which| !which.is_empty())),
        assign(CUSTOMER_ID, facts.customer),
        assign(ACCOUNT_ID, facts.account),
        assign(OWNER_ID, playbook.owner_id.or(facts.owner)),
        assign(MEDIUM_ID, medium),
        facts.about,
    ];
    row.retain(|(_, cell)| !cell.is_null());
    row.extend(playbook.department_id.or(facts.department).or(fallback).map(|id| assign(DEPARTMENT_ID, id)));
    row
}
