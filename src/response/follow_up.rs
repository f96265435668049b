//! Follow-ups: how they are put off and end, and when rules end them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{
    Col,
    col::ColumnType,
    follow_up::{
        CUSTOMER_ID, DEPARTMENT_ID, DONE_AT, DONE_BY_ID, DUE_AT, FIRST_DUE_AT, FollowUpKind, FollowUpStatus, ID, KIND,
        NOUN, OCCURRENCE, PLAYBOOK_ID, SKIPPED_AT, SKIPPED_BECAUSE, SNOOZED_UNTIL_AT, STATUS, Transition, VERSION,
    },
    id::{CustomerId, InteractionId, NounId},
    interaction,
    noun::StringEnum,
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use super::{case::clear, placed::place, playbook};
use crate::{
    Result,
    error::Code,
    graphql::slice::Module,
    record::past::refuse_future,
    store::{
        Tx,
        statement::{
            cell::Cell,
            filter::{Comparison, Predicate},
        },
        writing::{
            draft::{Draft, Mode, Reference, Target},
            write::Hooks,
        },
    },
    text::is_blank,
};

/// Rules of follow-ups.
const RULES: Hooks = Hooks { prepare: |tx, drafts| Box::pin(prepare(tx, drafts)), ..Hooks::NONE };

/// GraphQL module of follow-ups.
pub const SLICE: Module = Module { rules: RULES, ..Module::new(&NOUN) };

/// The interaction in which a follow-up was done: its customer, and when it took place.
type DoneBy = (Option<CustomerId>, Option<ChronoUnixTimestampMillis>);

async fn prepare(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    let named: Vec<Uuid> = drafts.iter().filter_map(|draft| draft.get(DONE_BY_ID)).map(InteractionId::uuid).collect();
    let columns = (interaction::ID, interaction::CUSTOMER_ID, interaction::OCCURRED_AT);
    let mut done_by: HashMap<InteractionId, DoneBy> = HashMap::new();
    if !named.is_empty() {
        let found = tx.select_by_ids_unchecked(columns, &named).await?;
        done_by.extend(found.into_iter().map(|(id, customer, at)| (id, (customer, at))));
    }
    for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
        snooze(draft, tx.now());
        end(tx, draft, &done_by);
    }
    place(tx, drafts, DEPARTMENT_ID).await
}

/// Puts a follow-up off.
fn snooze(draft: &mut Draft, now: DateTime<Utc>) {
    let Some(until) = draft.get(SNOOZED_UNTIL_AT).filter(|_| draft.does(Transition::Snooze)) else { return };
    if until.0 <= now {
        draft.refuse(Code::OutOfRange, "snoozedUntilAt", "a follow-up is put off to a time in the future");
        return;
    }
    if draft.get(FIRST_DUE_AT).is_none() {
        draft.set(FIRST_DUE_AT, draft.get(DUE_AT));
    }
    draft.set(DUE_AT, until);
}

/// Completes and checks what a follow-up says of how it ended.
fn end(tx: &Tx, draft: &mut Draft, done_by: &HashMap<InteractionId, DoneBy>) {
    let now = Some(ChronoUnixTimestampMillis(tx.now()));
    if draft.does(Transition::Reopen) {
        clear(draft, DONE_AT);
        clear(draft, DONE_BY_ID);
    }
    let status = draft.get(STATUS);
    let met = draft.get(DONE_BY_ID).and_then(|id| done_by.get(&id));
    if status == Some(FollowUpStatus::Done) {
        if draft.get(DONE_AT).is_none() {
            let at = met.and_then(|(_, at)| *at).or(now);
            draft.set(DONE_AT, at);
        }
        let customers = draft.get(CUSTOMER_ID).zip(met.and_then(|(customer, _)| *customer));
        if customers.is_some_and(|(own, met)| own != met) && draft.gives(DONE_BY_ID) {
            draft.refuse(Code::Invalid, "doneByRef", "the interaction is with another customer");
        }
    } else {
        refuse_unless_null(draft, DONE_AT, "doneAt", "only a DONE follow-up has doneAt");
        refuse_unless_null(draft, DONE_BY_ID, "doneByRef", "only a DONE follow-up was done in an interaction");
    }
    if draft.does(Transition::Skip) && draft.get(SKIPPED_BECAUSE).is_none_or(|why| is_blank(&why)) {
        draft.refuse(Code::Required, "skippedBecause", "say why it is not going to be done");
    }
    if status == Some(FollowUpStatus::Skipped) && draft.get(SKIPPED_AT).is_none() {
        draft.set(SKIPPED_AT, now);
    }
    refuse_future(tx, draft, DONE_AT);
    refuse_future(tx, draft, SKIPPED_AT);
}

/// Refuses a value of a column that the status does not allow, or clears one that is there from before.
fn refuse_unless_null<T>(draft: &mut Draft, column: Col<T>, field: &str, message: &str) {
    if draft.cell(column.name()).is_null() {
        return;
    }
    if draft.gives(column) {
        draft.refuse(Code::Invalid, field, message);
    } else {
        draft.set_cell(column.name(), Cell::Null);
    }
}

/// How a rule ends open follow-ups.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// What they were for is not due any more. Their playbooks may make others for the same time.
    Skipped(&'static str),
    /// What those of the kind CONFIRM were for is confirmed; the others stay open.
    Confirmed,
}

/// Ends the open follow-ups that playbooks have made for a time of these rows.
pub(super) async fn end_open<T>(tx: &Tx, about: Col<Option<T>>, rows: &[Uuid], how: End) -> Result<()>
where
    T: NounId,
    Option<T>: ColumnType,
{
    if rows.is_empty() {
        return Ok(());
    }
    let text = |value: &str| Comparison::Eq(Cell::Text(value.to_owned()));
    let mut filter = vec![
        Predicate::Column(about.into(), Comparison::In(rows.iter().copied().map(Cell::Id).collect())),
        Predicate::Column(STATUS.into(), text(FollowUpStatus::Open.name())),
        Predicate::Not(Box::new(Predicate::Column(OCCURRENCE.into(), Comparison::IsNull))),
    ];
    if let End::Confirmed = how {
        filter.push(Predicate::Column(KIND.into(), text(FollowUpKind::Confirm.name())));
    }
    let columns = (ID, VERSION, about, PLAYBOOK_ID, OCCURRENCE);
    let open = tx.select_where_unchecked(columns, &Predicate::All(filter), MOST).await?;
    if open.is_empty() {
        return Ok(());
    }
    let now = Some(ChronoUnixTimestampMillis(tx.now()));
    let (mut drafts, mut keys) = (Vec::with_capacity(open.len()), Vec::new());
    for (id, version, row, playbook, occurrence) in open {
        let mut draft = Draft::new(&NOUN, Target::Row(Reference::Id(Some(id.into()))), Mode::UpdateOnly);
        draft.expected_version = Some(version);
        match how {
            End::Skipped(why) => {
                draft.set(STATUS, FollowUpStatus::Skipped);
                draft.set(SKIPPED_AT, now);
                draft.set(SKIPPED_BECAUSE, Some(why.to_owned()));
                if let (Some(row), Some(playbook), Some(occurrence)) = (row, playbook, occurrence) {
                    keys.push(playbook::key(playbook, row.uuid(), &occurrence));
                }
            }
            End::Confirmed => draft.set(STATUS, FollowUpStatus::Done),
        }
        drafts.push(draft);
    }
    // One that somebody ends at the same time fails alone.
    tx.write_by_rule(&NOUN, &RULES, &mut drafts, false).await?;
    tx.forget_effects(&keys).await
}

/// Maximum number of open follow-ups that one call ends.
const MOST: usize = 100_000;
