//! The clocks of a case: read, changed and written together.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{
    deadline::{CASE_ID, COMPLETED_AT, DeadlineKind, ID, KIND, NOUN},
    id::{BusinessCalendarId, CaseId},
    interaction::{self, InteractionDirection, InteractionStatus},
};
use sea_orm::prelude::Uuid;

use super::clock::Clock;
use crate::{
    Result,
    store::{
        Tx,
        statement::cell::Record,
        writing::{related::RowChange, write::NewRow},
    },
};

/// Maximum number of clocks, and of interactions, of the cases of one call.
const MANY: usize = 1_000_000;

/// The clocks of a case.
#[derive(Debug, Default)]
pub(super) struct CaseClocks {
    /// Those that are or were open, each with its row unless it is new.
    clocks: Vec<(Option<Record>, Clock)>,
    /// The kinds of those that were completed before.
    completed: Vec<DeadlineKind>,
}

impl CaseClocks {
    /// Reads the clocks of cases, and locks those that are open. The cases must be locked.
    pub(super) async fn read(tx: &Tx, cases: &[Uuid]) -> Result<HashMap<Uuid, Self>> {
        let mut read: HashMap<Uuid, Self> = HashMap::new();
        if cases.is_empty() {
            return Ok(read);
        }
        let known = tx.select_unchecked((ID, CASE_ID, KIND, COMPLETED_AT), CASE_ID, cases, MANY).await?;
        let mut open = Vec::new();
        for (id, case, kind, completed_at) in known {
            if completed_at.is_none() {
                open.push(id.into());
            } else {
                read.entry(case.into()).or_default().completed.push(kind);
            }
        }
        if open.is_empty() {
            return Ok(read);
        }
        open.sort_unstable();
        let mut rows = tx.lock(&NOUN, &open).await?;
        for row in open.iter().filter_map(|id| rows.remove(id)) {
            if let Some((case, clock)) = row.get(CASE_ID).zip(Clock::of(&row)) {
                read.entry(case.into()).or_default().clocks.push((Some(row), clock));
            }
        }
        Ok(read)
    }

    /// Returns the calendars of the open clocks.
    pub(super) fn calendars(&self) -> impl Iterator<Item = BusinessCalendarId> {
        self.clocks.iter().map(|(_, clock)| clock.terms.calendar)
    }

    /// Returns the open clocks, to change them.
    pub(super) fn open(&mut self) -> impl Iterator<Item = &mut Clock> {
        self.clocks.iter_mut().map(|(_, clock)| clock).filter(|clock| clock.is_open())
    }

    /// Returns whether a clock of the kind is open.
    pub(super) fn is_open(&self, kind: DeadlineKind) -> bool {
        self.clocks.iter().any(|(_, clock)| clock.kind == kind && clock.is_open())
    }

    /// Returns whether there is, or was, a clock of the kind.
    pub(super) fn has(&self, kind: DeadlineKind) -> bool {
        self.completed.contains(&kind) || self.clocks.iter().any(|(_, clock)| clock.kind == kind)
    }

    pub(super) fn add(&mut self, clock: Clock) {
        self.clocks.push((None, clock));
    }

    /// Returns when the first open clock is due.
    pub(super) fn due_at(&self) -> Option<DateTime<Utc>> {
        self.clocks.iter().filter(|(_, clock)| clock.is_open()).filter_map(|(_, clock)| clock.due_at).min()
    }

    /// Returns the rows of new clocks, and the changes of those that changed.
    pub(super) fn written(self, case: CaseId) -> (Vec<NewRow>, Vec<RowChange>) {
        let (mut made, mut changed) = (Vec::new(), Vec::new());
        for (row, clock) in self.clocks {
            match row {
                None => made.push(clock.row(case)),
                Some(row) if Clock::of(&row).as_ref() != Some(&clock) => changed.push((row, clock.row(case))),
                Some(_) => {}
            }
        }
        (made, changed)
    }
}

/// Returns when persons responded in interactions about these cases.
pub(super) async fn responses(tx: &Tx, cases: &[Uuid]) -> Result<HashMap<Uuid, Vec<DateTime<Utc>>>> {
    let columns = (
        interaction::CASE_ID,
        interaction::DIRECTION,
        interaction::STATUS,
        interaction::IS_AUTOMATED,
        interaction::OCCURRED_AT,
    );
    let mut responses: HashMap<Uuid, Vec<DateTime<Utc>>> = HashMap::new();
    for (case, direction, status, is_automated, occurred_at) in
        tx.select_unchecked(columns, interaction::CASE_ID, cases, MANY).await?
    {
        let responds = direction == Some(InteractionDirection::Outbound) && !is_automated;
        if let Some((case, at)) = case.zip(occurred_at)
            && status == InteractionStatus::Completed
            && responds
        {
            responses.entry(case.into()).or_default().push(at.0);
        }
    }
    Ok(responses)
}
