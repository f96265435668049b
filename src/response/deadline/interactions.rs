//! The clocks of cases follow the interactions about them: a person's response stops them, a customer's question starts
//! the next one.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::{
    case::{
        self, ACCOUNT_ID, CUSTOMER_ID, CaseStage, DUE_AT, PRIORITY, RESPONSE_POLICY_ID, SEVERITY, STAGE, TOLD_AT,
        WAITING_FOR, WaitingFor,
    },
    deadline::{self, DeadlineKind},
    event::EventOperation,
    id::CaseId,
    interaction::{
        CASE_ID, DIRECTION, IS_AUTOMATED, InteractionDirection, InteractionPurpose, InteractionStatus, OCCURRED_AT,
        PURPOSE, STATUS,
    },
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use super::{
    case_clocks::{CaseClocks, responses},
    clock::Clock,
    policies::{Calendars, Facts, Policies, terms},
};
use crate::{
    Result,
    store::{
        Tx,
        statement::{
            cell::{Cell, Column, Record},
            typed::assign,
        },
        writing::{draft::Draft, write::Hooks},
    },
};

/// Rules of interactions.
pub(in crate::response) const RULES: Hooks =
    Hooks { written: |tx, drafts| Box::pin(written(tx, drafts)), ..Hooks::NONE };

/// Something that was said about a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Said {
    at: DateTime<Utc>,
    is_by_customer: bool,
}

impl Said {
    /// Returns what an interaction says of which case; `None` if it did already, or if it moves no clock: a machine
    /// answers nothing, and thanks want no answer.
    fn of(draft: &Draft) -> Option<(Uuid, Self)> {
        let case = draft.get(CASE_ID)?;
        let is_said = |status| status == Some(InteractionStatus::Completed);
        let was_said = |row: &Record| is_said(row.get(STATUS)) && row.get(CASE_ID) == Some(case);
        if !draft.errors.is_empty() || !is_said(draft.get(STATUS)) || draft.current.as_ref().is_some_and(was_said) {
            return None;
        }
        let is_by_customer = match draft.get(DIRECTION)? {
            InteractionDirection::Inbound if draft.get(PURPOSE) == Some(InteractionPurpose::Thank) => return None,
            InteractionDirection::Outbound if draft.get(IS_AUTOMATED) == Some(true) => return None,
            direction => direction == InteractionDirection::Inbound,
        };
        Some((case.into(), Self { at: draft.get(OCCURRED_AT)?.0, is_by_customer }))
    }
}

async fn written(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    let mut said: HashMap<Uuid, Vec<Said>> = HashMap::new();
    for (case, what) in drafts.iter().filter_map(Said::of) {
        said.entry(case).or_default().push(what);
    }
    if said.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = said.keys().copied().collect();
    let cases = tx.lock(&case::NOUN, &ids).await?;
    let mut clocks = CaseClocks::read(tx, &ids).await?;
    let asked = said.iter().filter(|(_, said)| said.iter().any(|said| said.is_by_customer));
    let asked: HashSet<Uuid> = asked.map(|(case, _)| *case).collect();
    let answers = responses(tx, &asked.iter().copied().collect::<Vec<_>>()).await?;
    let facts = |case: &Record| Facts {
        selected: case.get(RESPONSE_POLICY_ID),
        priority: case.get(PRIORITY),
        severity: case.get(SEVERITY),
        account: case.get(ACCOUNT_ID),
        customer: case.get(CUSTOMER_ID),
    };
    let wanted: Vec<(Uuid, Facts)> = asked.iter().filter_map(|id| Some((*id, facts(cases.get(id)?)))).collect();
    let mut policies = if wanted.is_empty() { Policies::default() } else { Policies::read(tx).await? };
    policies.evaluate_stored(tx, &wanted).await?;
    let mut calendars: Vec<_> =
        wanted.iter().filter_map(|(id, facts)| Some(policies.choose(*id, *facts)?.calendar_id)).collect();
    calendars.extend(clocks.values().flat_map(CaseClocks::calendars));
    let calendars = Calendars::read(tx, calendars).await?;
    let (mut rows, mut made, mut moved) = (Vec::new(), Vec::new(), Vec::new());
    for (id, row) in cases {
        let mut talk = Talk {
            stage: row.get(STAGE).unwrap_or(CaseStage::Received),
            waiting_for: row.get(WAITING_FOR),
            answers: answers.get(&id).cloned().unwrap_or_default(),
            clocks: clocks.remove(&id).unwrap_or_default(),
        };
        talk.answers.extend(row.get(TOLD_AT).map(|at| at.0));
        let mut said = said.remove(&id).unwrap_or_default();
        said.sort_unstable();
        for said in said {
            talk.hear(said, &calendars)?;
            if said.is_by_customer
                && talk.is_unanswered(said.at)
                && let Some(policy) = policies.choose(id, facts(&row))
                && let Some(terms) = terms(policy, DeadlineKind::NextResponse)
            {
                let time = calendars.get(policy.calendar_id)?;
                let mut clock = Clock::start(DeadlineKind::NextResponse, terms, said.at, time);
                clock.wait(talk.waiting_for, tx.now(), time);
                talk.clocks.add(clock);
            }
        }
        let mut changes: Vec<(Column, Cell)> = vec![
            assign(WAITING_FOR, talk.waiting_for),
            assign(DUE_AT, talk.clocks.due_at().map(ChronoUnixTimestampMillis)),
        ];
        changes.retain(|(column, cell)| row.cell(column.name) != cell);
        let mut fields: Vec<&'static str> = changes.iter().map(|(column, _)| column.field).collect();
        let (new, altered) = talk.clocks.written(CaseId(id));
        if new.len() + altered.len() > 0 {
            let relation = case::NOUN.relations.iter().find(|known| known.target.table == deadline::TABLE);
            fields.extend(relation.map(|known| known.name));
        }
        made.extend(new);
        moved.extend(altered);
        if !fields.is_empty() {
            rows.push((row.changed(&changes, &Cell::Int(tx.now().timestamp_millis())), fields));
        }
    }
    if !rows.is_empty() {
        tx.put(&case::NOUN, rows, EventOperation::Updated).await?;
    }
    if !made.is_empty() {
        tx.make(&deadline::NOUN, made).await?;
    }
    if !moved.is_empty() {
        tx.alter(&deadline::NOUN, moved).await?;
    }
    Ok(())
}

/// What is said about a case, as far as its clocks depend on it.
struct Talk {
    stage: CaseStage,
    waiting_for: Option<WaitingFor>,
    /// When persons answered.
    answers: Vec<DateTime<Utc>>,
    clocks: CaseClocks,
}

impl Talk {
    /// Lets the open clocks follow: an answer completes those of responses, and a word of the customer ends the wait for
    /// it.
    fn hear(&mut self, said: Said, calendars: &Calendars) -> Result<()> {
        if !said.is_by_customer {
            for clock in self.clocks.open().filter(|clock| clock.started_at <= said.at) {
                if matches!(clock.kind, DeadlineKind::FirstResponse | DeadlineKind::NextResponse) {
                    clock.complete(said.at, calendars.get(clock.terms.calendar)?);
                }
            }
            return Ok(());
        }
        let is_late = self.clocks.open().any(|clock| clock.paused_at.is_some_and(|paused| paused > said.at));
        if self.waiting_for == Some(WaitingFor::Customer) && !is_late {
            self.waiting_for = None;
            for clock in self.clocks.open() {
                clock.wait(None, said.at, calendars.get(clock.terms.calendar)?);
            }
        }
        Ok(())
    }

    /// Returns whether what the customer said wants the next response: there was one before, none since, and no other
    /// clock runs for one.
    fn is_unanswered(&self, at: DateTime<Utc>) -> bool {
        let is_asked =
            [DeadlineKind::FirstResponse, DeadlineKind::NextResponse].into_iter().any(|kind| self.clocks.is_open(kind));
        let is_answered = self.answers.iter().any(|answer| *answer > at);
        let is_later = self.answers.iter().any(|answer| *answer <= at);
        self.stage != CaseStage::Closed && !is_asked && is_later && !is_answered
    }
}
