//! A clock: how it starts, pauses, goes on and ends.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    case::WaitingFor,
    deadline::{
        CALENDAR_ID, CASE_ID, COMPLETED_AT, DUE_AT, DeadlineKind, ELAPSED, IS_PAUSED_FOR_CUSTOMER,
        IS_PAUSED_FOR_THIRD_PARTY, KIND, PAUSED_AT, POLICY_ID, POLICY_NAME, POLICY_VERSION, RESUMED_AT, STARTED_AT,
        TARGET_MINUTES,
    },
    id::{BusinessCalendarId, CaseId, ResponsePolicyId},
    kind::Duration,
};
use sea_orm::prelude::ChronoUnixTimestampMillis;

use crate::{
    business_time::BusinessTime,
    store::{
        statement::{cell::Record, typed::assign},
        writing::write::NewRow,
    },
};

/// What a version of a policy says of a clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) policy: ResponsePolicyId,
    pub(super) name: String,
    pub(super) version: i64,
    pub(super) calendar: BusinessCalendarId,
    pub(super) target_minutes: i64,
    pub(super) is_paused_for_customer: bool,
    pub(super) is_paused_for_third_party: bool,
}

/// A clock of a case. Methods take the business time of its calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    pub(super) kind: DeadlineKind,
    pub(super) terms: Terms,
    pub(super) started_at: DateTime<Utc>,
    pub(super) due_at: Option<DateTime<Utc>>,
    pub(super) paused_at: Option<DateTime<Utc>>,
    /// When its time last began to run.
    pub(super) resumed_at: DateTime<Utc>,
    pub(super) completed_at: Option<DateTime<Utc>>,
    /// Business time that it used before `resumed_at`; if it is completed, all that it used.
    pub(super) elapsed: TimeDelta,
}

impl Clock {
    /// Starts a clock.
    pub(super) fn start(kind: DeadlineKind, terms: Terms, at: DateTime<Utc>, time: &BusinessTime) -> Self {
        let mut clock = Self {
            kind,
            terms,
            started_at: at,
            due_at: None,
            paused_at: None,
            resumed_at: at,
            completed_at: None,
            elapsed: TimeDelta::zero(),
        };
        clock.resume(at, time);
        clock
    }

    /// Reads a stored clock.
    pub(super) fn of(row: &Record) -> Option<Self> {
        Some(Self {
            kind: row.get(KIND)?,
            terms: Terms {
                policy: row.get(POLICY_ID)?,
                name: row.get(POLICY_NAME)?,
                version: row.get(POLICY_VERSION)?,
                calendar: row.get(CALENDAR_ID)?,
                target_minutes: row.get(TARGET_MINUTES)?,
                is_paused_for_customer: row.get(IS_PAUSED_FOR_CUSTOMER)?,
                is_paused_for_third_party: row.get(IS_PAUSED_FOR_THIRD_PARTY)?,
            },
            started_at: row.get(STARTED_AT)?.0,
            due_at: row.get(DUE_AT).map(|at| at.0),
            paused_at: row.get(PAUSED_AT).map(|at| at.0),
            resumed_at: row.get(RESUMED_AT)?.0,
            completed_at: row.get(COMPLETED_AT).map(|at| at.0),
            elapsed: TimeDelta::milliseconds(row.get(ELAPSED)?.millis()),
        })
    }

    /// Returns the values of its row.
    pub(super) fn row(&self, case: CaseId) -> NewRow {
        let terms = &self.terms;
        vec![
            assign(KIND, self.kind),
            assign(POLICY_NAME, terms.name.clone()),
            assign(POLICY_VERSION, terms.version),
            assign(TARGET_MINUTES, terms.target_minutes),
            assign(STARTED_AT, ChronoUnixTimestampMillis(self.started_at)),
            assign(DUE_AT, self.due_at.map(ChronoUnixTimestampMillis)),
            assign(PAUSED_AT, self.paused_at.map(ChronoUnixTimestampMillis)),
            assign(RESUMED_AT, ChronoUnixTimestampMillis(self.resumed_at)),
            assign(COMPLETED_AT, self.completed_at.map(ChronoUnixTimestampMillis)),
            assign(ELAPSED, Duration::of_millis(self.elapsed.num_milliseconds())),
            assign(IS_PAUSED_FOR_CUSTOMER, terms.is_paused_for_customer),
            assign(IS_PAUSED_FOR_THIRD_PARTY, terms.is_paused_for_third_party),
            assign(CASE_ID, case),
            assign(POLICY_ID, terms.policy),
            assign(CALENDAR_ID, terms.calendar),
        ]
    }

    pub(super) const fn is_open(&self) -> bool {
        self.completed_at.is_none()
    }

    /// Returns the business time that is left, negative once it is due.
    pub(super) fn remaining(&self, now: DateTime<Utc>, time: &BusinessTime) -> TimeDelta {
        let running = if self.is_open() && self.paused_at.is_none() {
            time.between(self.resumed_at, now)
        } else {
            TimeDelta::zero()
        };
        self.left() - running
    }

    /// Ends it. What was done before it started is done when it starts.
    pub(super) fn complete(&mut self, at: DateTime<Utc>, time: &BusinessTime) {
        let at = at.max(self.started_at);
        if self.paused_at.is_none() {
            self.elapsed += time.between(self.resumed_at, at);
        }
        self.completed_at = Some(at);
    }

    /// Pauses it or lets it go on, by whom the case waits for.
    pub(super) fn wait(&mut self, waiting_for: Option<WaitingFor>, at: DateTime<Utc>, time: &BusinessTime) {
        let may_pause = matches!(self.kind, DeadlineKind::NextResponse | DeadlineKind::Resolution);
        let pauses = may_pause
            && match waiting_for {
                None => false,
                Some(WaitingFor::Customer) => self.terms.is_paused_for_customer,
                Some(WaitingFor::ThirdParty) => self.terms.is_paused_for_third_party,
            };
        match (self.paused_at, pauses) {
            (None, true) if self.due_at.is_none_or(|due| due > at) => {
                self.elapsed += time.between(self.resumed_at, at);
                self.paused_at = Some(at);
                self.due_at = None;
            }
            (Some(_), false) => self.resume(at, time),
            _ => {}
        }
    }

    /// Puts it under another policy. That of the same policy stays under the version that it has.
    pub(super) fn change_terms(&mut self, terms: Terms, time: &BusinessTime) {
        if terms.policy != self.terms.policy {
            self.terms = terms;
            if self.paused_at.is_none() {
                self.resume(self.resumed_at, time);
            }
        }
    }

    /// Lets it have started at another time.
    pub(super) fn start_at(&mut self, at: DateTime<Utc>, time: &BusinessTime) {
        let was_never_paused = self.paused_at.is_none() && self.resumed_at == self.started_at;
        self.started_at = at;
        if was_never_paused {
            self.resume(at, time);
        }
    }

    fn resume(&mut self, at: DateTime<Utc>, time: &BusinessTime) {
        self.paused_at = None;
        self.resumed_at = at;
        self.due_at = time.after(at, self.left());
    }

    fn left(&self) -> TimeDelta {
        TimeDelta::minutes(self.terms.target_minutes) - self.elapsed
    }
}

/// Returns the time at which something was due if that passed before it was completed, or is past.
pub(super) fn breached_at(
    due_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    due_at.filter(|due| completed_at.unwrap_or(now) > *due)
}
