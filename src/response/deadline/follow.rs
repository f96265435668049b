//! The clocks of cases follow the cases: their stages, what decides about the policy, and whom they wait for.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{
    Col,
    case::{
        ACCOUNT_ID, ACKNOWLEDGED_AT, ASSESSED_AT, CLOSED_AT, COMMUNICATED_AT, CUSTOMER_ID, CaseStage, DUE_AT,
        INVESTIGATED_AT, PRIORITY, RECEIVED_AT, REOPENED_AT, RESPONDED_AT, RESPONSE_POLICY_ID, SEVERITY, STAGE,
        TOLD_AT, WAITING_FOR,
    },
    col::ColumnType,
    deadline::{self, DeadlineKind},
    id::CaseId,
    response_policy::Model as Policy,
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use super::{
    case_clocks::{CaseClocks, responses},
    clock::Clock,
    policies::{Calendars, Facts, Policies, terms},
};
use crate::{
    Result,
    store::{Tx, writing::draft::Draft},
};

type Time = Col<Option<ChronoUnixTimestampMillis>>;

/// The clocks that start when a case is received.
const FROM_RECEIPT: [DeadlineKind; 3] =
    [DeadlineKind::Acknowledge, DeadlineKind::FirstResponse, DeadlineKind::Resolution];

/// The times of the stages from ACKNOWLEDGED on, in their order.
const TIMES: [Time; 6] = [ACKNOWLEDGED_AT, ASSESSED_AT, INVESTIGATED_AT, RESPONDED_AT, COMMUNICATED_AT, CLOSED_AT];

/// Lets the clocks of cases follow the drafts. A new case that is closed has none: it ended in another system.
pub(in crate::response) async fn follow(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    let mut moves: Vec<(usize, Move)> = Vec::new();
    let may_need = |draft: &Draft| draft.errors.is_empty() && draft.get(STAGE) != Some(CaseStage::Closed);
    let mut policies = if drafts.iter().any(may_need) { Policies::read(tx).await? } else { Policies::default() };
    for (place, draft) in drafts.iter_mut().enumerate().filter(|(_, draft)| draft.errors.is_empty()) {
        let mut step = Move::of(draft);
        step.is_other_to_filters = !step.is_new && policies.ask_for_changes(draft);
        if step.after == CaseStage::Closed && draft.get(WAITING_FOR).is_some() {
            draft.set(WAITING_FOR, None);
        }
        let starts = step.is_new && step.after != CaseStage::Closed;
        if starts || !step.is_new && (step.is_other() || step.wants_policy() || changes(draft, WAITING_FOR)) {
            moves.push((place, step));
        }
    }
    if moves.is_empty() {
        return Ok(());
    }
    let id = |place: usize| drafts[place].id;
    let known: Vec<Uuid> = moves.iter().filter(|(_, step)| !step.is_new).map(|(place, _)| id(*place)).collect();
    let mut clocks = CaseClocks::read(tx, &known).await?;
    let evaluated = moves.iter().filter(|(_, step)| step.wants_policy());
    let evaluated: Vec<(&Draft, Facts)> = evaluated.map(|(place, step)| (&drafts[*place], step.facts)).collect();
    policies.evaluate(tx, &evaluated).await?;
    let chosen = |place: usize, step: &Move| {
        step.wants_policy().then(|| policies.choose(drafts[place].id, step.facts)).flatten()
    };
    let chosen: Vec<Option<&Policy>> = moves.iter().map(|(place, step)| chosen(*place, step)).collect();
    let mut calendars: Vec<_> = chosen.iter().filter_map(|policy| Some((*policy)?.calendar_id)).collect();
    calendars.extend(clocks.values().flat_map(CaseClocks::calendars));
    let calendars = Calendars::read(tx, calendars).await?;
    let unanswered = moves.iter().zip(&chosen).filter(|((place, step), policy)| {
        let has = |clocks: &CaseClocks| clocks.has(DeadlineKind::FirstResponse);
        !step.is_new && step.is_other_case() && policy.is_some() && !clocks.get(&id(*place)).is_some_and(has)
    });
    let unanswered: Vec<Uuid> = unanswered.map(|((place, _), _)| id(*place)).collect();
    let answered = responses(tx, &unanswered).await?;
    for ((place, step), policy) in moves.into_iter().zip(chosen) {
        let draft = &mut drafts[place];
        let mut own = clocks.remove(&draft.id).unwrap_or_default();
        // A case that only its filters see differently stays with its version of a policy that still decides about it.
        let mut is_kept =
            |policy: &&Policy| step.is_seen_differently() && own.open().any(|clock| clock.terms.policy == policy.id);
        let policy = policy.filter(|policy| !is_kept(policy));
        step.run(tx.now(), draft, own, policy, (&calendars, &answered))?;
    }
    Ok(())
}

/// What a draft changes of a case.
struct Move {
    is_new: bool,
    before: CaseStage,
    after: CaseStage,
    /// The time of receipt that it replaces.
    was_received_at: Option<DateTime<Utc>>,
    /// Whether what is compared with the conditions of policies, or the selected policy, changes.
    is_other_to_conditions: bool,
    /// Whether something changes that the filter of a policy asks for.
    is_other_to_filters: bool,
    facts: Facts,
}

impl Move {
    fn of(draft: &Draft) -> Self {
        let after = draft.get(STAGE).unwrap_or(CaseStage::Received);
        let received = draft.current.as_ref().and_then(|row| row.get(RECEIVED_AT));
        Self {
            is_new: draft.is_new(),
            before: draft.current.as_ref().and_then(|row| row.get(STAGE)).unwrap_or(CaseStage::Received),
            after,
            was_received_at: received.filter(|_| changes(draft, RECEIVED_AT)).map(|at| at.0),
            is_other_to_filters: false,
            is_other_to_conditions: changes(draft, PRIORITY)
                || changes(draft, SEVERITY)
                || changes(draft, CUSTOMER_ID)
                || changes(draft, ACCOUNT_ID)
                || changes(draft, RESPONSE_POLICY_ID),
            facts: Facts {
                selected: draft.get(RESPONSE_POLICY_ID),
                priority: draft.get(PRIORITY),
                severity: draft.get(SEVERITY),
                account: draft.get(ACCOUNT_ID),
                customer: draft.get(CUSTOMER_ID),
            },
        }
    }

    const fn is_other_case(&self) -> bool {
        self.is_other_to_conditions || self.is_other_to_filters
    }

    /// Returns whether nothing but filters says that another policy may decide.
    fn is_seen_differently(&self) -> bool {
        self.is_other_to_filters && !self.is_other_to_conditions && !self.is_reopened()
    }

    fn is_other(&self) -> bool {
        self.before != self.after || self.was_received_at.is_some()
    }

    fn is_reopened(&self) -> bool {
        self.before == CaseStage::Closed && self.after != CaseStage::Closed
    }

    fn wants_policy(&self) -> bool {
        self.after != CaseStage::Closed && (self.is_new || self.is_other_case() || self.is_reopened())
    }

    /// Moves the clocks of the case, and lets the draft write them.
    fn run(
        &self,
        now: DateTime<Utc>,
        draft: &mut Draft,
        mut clocks: CaseClocks,
        policy: Option<&Policy>,
        (calendars, answered): (&Calendars, &HashMap<Uuid, Vec<DateTime<Utc>>>),
    ) -> Result<()> {
        let received_at = draft.get(RECEIVED_AT).map_or(now, |at| at.0);
        if let Some(before) = self.was_received_at {
            for clock in clocks.open().filter(|clock| clock.started_at == before) {
                clock.start_at(received_at, calendars.get(clock.terms.calendar)?);
            }
        }
        if let Some(policy) = policy {
            for clock in clocks.open() {
                if let Some(terms) = terms(policy, clock.kind) {
                    clock.change_terms(terms, calendars.get(policy.calendar_id)?);
                }
            }
            for kind in FROM_RECEIPT.into_iter().filter(|kind| !clocks.has(*kind)).collect::<Vec<_>>() {
                let is_answered = kind == DeadlineKind::FirstResponse && answered.contains_key(&draft.id);
                let is_done = !self.is_new && (self.is_past(kind) || is_answered);
                if let Some(terms) = terms(policy, kind).filter(|_| !is_done) {
                    clocks.add(Clock::start(kind, terms, received_at, calendars.get(policy.calendar_id)?));
                }
            }
            if self.is_reopened() && !clocks.is_open(DeadlineKind::Resolution) {
                let at = draft.get(REOPENED_AT).filter(|_| draft.gives(REOPENED_AT)).map_or(now, |at| at.0);
                if let Some(terms) = terms(policy, DeadlineKind::Resolution) {
                    let time = calendars.get(policy.calendar_id)?;
                    clocks.add(Clock::start(DeadlineKind::Resolution, terms, at, time));
                }
            }
        }
        let waiting_for = draft.get(WAITING_FOR);
        for clock in clocks.open() {
            let time = calendars.get(clock.terms.calendar)?;
            if let Some(at) = self.done_at(draft, clock, now) {
                clock.complete(at, time);
            } else {
                clock.wait(waiting_for, now, time);
            }
        }
        draft.set(DUE_AT, clocks.due_at().map(ChronoUnixTimestampMillis));
        let (made, changed) = clocks.written(CaseId(draft.id));
        if !self.is_new && made.len() + changed.len() > 0 {
            let relation = draft.noun.relations.iter().find(|known| known.target.table == deadline::TABLE);
            draft.changed_relations.extend(relation.map(|known| known.name));
        }
        draft.related_rows.extend(made.into_iter().map(|row| (&deadline::NOUN, row)));
        draft.related_changes.extend(changed.into_iter().map(|change| (&deadline::NOUN, change)));
        Ok(())
    }

    /// Returns whether the case is past that which a kind is for, by its stage.
    fn is_past(&self, kind: DeadlineKind) -> bool {
        let end = match kind {
            DeadlineKind::Acknowledge => CaseStage::Acknowledged,
            DeadlineKind::FirstResponse | DeadlineKind::NextResponse => CaseStage::Communicated,
            DeadlineKind::Resolution => CaseStage::Closed,
        };
        self.after.rank() >= end.rank()
    }

    /// Returns when that which an open clock is for was done; `None` if it is not.
    fn done_at(&self, draft: &Draft, clock: &Clock, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // A customer may ask again after having been told: only what is told then answers that.
        let is_again = clock.kind == DeadlineKind::NextResponse && self.after.rank() <= self.before.rank();
        if !self.is_past(clock.kind) || is_again {
            return None;
        }
        let since_start = |column: Time| draft.get(column).map(|at| at.0).filter(|at| *at >= clock.started_at);
        Some(match clock.kind {
            DeadlineKind::Acknowledge => TIMES.into_iter().filter_map(since_start).min(),
            DeadlineKind::FirstResponse => [TOLD_AT, COMMUNICATED_AT, CLOSED_AT].into_iter().find_map(since_start),
            DeadlineKind::NextResponse => since_start(TOLD_AT),
            DeadlineKind::Resolution => since_start(CLOSED_AT),
        })
        .map(|at| at.unwrap_or(now).min(now))
    }
}

/// Returns whether a draft changes a column of a case.
fn changes<T: ColumnType>(draft: &Draft, column: Col<T>) -> bool {
    let name = column.name();
    draft.current.as_ref().is_some_and(|row| row.cell(name) != draft.cell(name))
}
