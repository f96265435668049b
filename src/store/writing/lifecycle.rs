//! Lifecycle states of rows: transitions of drafts, and the history of state changes.

use chrono::{DateTime, Utc};
use entity::{
    lifecycle::{CHANGED_AT, FROM, Lifecycle, ROW_ID, ROW_VERSION, SUBJECT, TO, TRANSITION, Transition},
    noun::Noun,
};
use sea_orm::prelude::Uuid;

use super::{draft::Draft, write::NewRow};
use crate::{
    Result,
    error::Code,
    store::{
        Tx,
        statement::{
            builder::Alias,
            cell::{Cell, Column, Record, column_named},
        },
    },
};

/// Sets the state of a draft of a noun with a lifecycle, from the draft's transition or from the value in an upsert, or
/// adds an error if this is not possible. A new row may start in any state; an existing row may change to any state
/// that is reachable by transitions.
pub(in crate::store) fn advance(draft: &mut Draft, now: DateTime<Utc>) {
    let Some(lifecycle) = draft.noun.lifecycle() else { return };
    let Some(current) = &draft.current else {
        if !draft.gives_cell(lifecycle.column) {
            draft.set_cell(lifecycle.column, Cell::Text(lifecycle.initial.to_owned()));
        }
        return;
    };
    let state = state(current, lifecycle).to_owned();
    let Some(transition) = draft.transition else {
        let wanted = draft.cell(lifecycle.column).text().unwrap_or_default();
        if !lifecycle.is_reachable(&state, wanted) {
            let message = format!("no transition leads from {state} to {wanted}; {}", allowed(current, lifecycle));
            draft.refuse(Code::InvalidTransition, field(draft.noun, lifecycle.column), message);
        }
        return;
    };
    if draft.has_mistake_at("expectedVersion") {
        return;
    }
    if !is_active(current) || !transition.from.contains(&state.as_str()) {
        let message =
            format!("{} is not allowed in the state {state}; {}", transition.name, allowed(current, lifecycle));
        draft.refuse(Code::InvalidTransition, "by", message);
        return;
    }
    for column in transition.required {
        let name = field(draft.noun, column);
        if draft.cell(column).is_null() && !draft.has_mistake_at(name) {
            draft.refuse(Code::Required, name, "a value is required");
        }
    }
    draft.set_cell(lifecycle.column, Cell::Text(transition.to.to_owned()));
    if let Some(column) = transition.stamps {
        draft.set_cell(column, Cell::Int(now.timestamp_millis()));
    }
}

fn state<'a>(record: &'a Record, lifecycle: &Lifecycle) -> &'a str {
    record.cell(lifecycle.column).text().unwrap_or_default()
}

/// Returns whether the row is not archived; archived rows allow no transition.
fn is_active(record: &Record) -> bool {
    record.cell("archived_at").is_null()
}

fn allowed(current: &Record, lifecycle: &Lifecycle) -> String {
    if !is_active(current) {
        return "the row is archived, and no transition is allowed until it is restored".to_owned();
    }
    let names: Vec<&str> = lifecycle.allowed(state(current, lifecycle)).map(|transition| transition.name).collect();
    if names.is_empty() { "no transition is allowed".to_owned() } else { format!("allowed: {}", names.join(", ")) }
}

/// Returns the input field of a column.
fn field(noun: &'static Noun, column: &str) -> &'static str {
    column_named(noun, column).field
}

/// Returns the history rows for the state changes of the drafts that are stored.
pub(in crate::store) fn state_changes(
    lifecycle: &'static Lifecycle,
    drafts: &[Draft],
    now: DateTime<Utc>,
    subject: &str,
) -> Vec<NewRow> {
    let row = |draft: &Draft| {
        let before = draft.current.as_ref().map(|current| current.cell(lifecycle.column).clone());
        let after = draft.cell(lifecycle.column).clone();
        let is_initial = after.text() == Some(lifecycle.initial);
        let is_change = match &before {
            None => !is_initial,
            Some(before) => *before != after || draft.transition.is_some() && !draft.is_unchanged(),
        };
        is_change.then(|| {
            let version = draft.current.as_ref().map_or(1, |current| current.version() + 1);
            let states = (before.unwrap_or(Cell::Null), after);
            state_change(lifecycle, (draft.id, version), (draft.transition, states), (now, subject))
        })
    };
    drafts.iter().filter(|draft| draft.errors.is_empty()).filter_map(row).collect()
}

/// Returns the history row for a change of the state of a row, with the version that it has afterwards.
fn state_change(
    lifecycle: &'static Lifecycle,
    (id, version): (Uuid, i64),
    (transition, (before, after)): (Option<&'static Transition>, (Cell, Cell)),
    (now, subject): (DateTime<Utc>, &str),
) -> NewRow {
    let text = |text: &str| Cell::Text(text.to_owned());
    [
        (ROW_ID, Cell::Id(id)),
        (TRANSITION, transition.map_or(Cell::Null, |transition| text(transition.name))),
        (FROM, before),
        (TO, after),
        (CHANGED_AT, Cell::Int(now.timestamp_millis())),
        (SUBJECT, text(subject)),
        (ROW_VERSION, Cell::Int(version)),
    ]
    .map(|(column, cell)| (column_named(lifecycle.history.target, column), cell))
    .to_vec()
}

/// Returns the history row for a row that a rule makes in another state than the initial one.
pub(in crate::store) fn first_state(
    noun: &'static Noun,
    row: &Record,
    now: DateTime<Utc>,
    subject: &str,
) -> Option<NewRow> {
    let lifecycle = noun.lifecycle().filter(|lifecycle| state(row, lifecycle) != lifecycle.initial)?;
    let states = (Cell::Null, row.cell(lifecycle.column).clone());
    Some(state_change(lifecycle, (row.id(), row.version()), (None, states), (now, subject)))
}

/// Returns what ends a row about a person who is erased, and the history row for it; nothing if the row has ended.
pub(in crate::store) fn ended_by_erasure(
    noun: &'static Noun,
    row: &Record,
    now: DateTime<Utc>,
    subject: &str,
) -> Option<(Vec<(Column, Cell)>, NewRow)> {
    let lifecycle = noun.lifecycle()?;
    let transition = lifecycle.on_erasure(state(row, lifecycle))?;
    let after = Cell::Text(transition.to.to_owned());
    let mut changes = vec![(column_named(noun, lifecycle.column), after.clone())];
    changes.extend(transition.stamps.map(|stamp| (column_named(noun, stamp), Cell::Int(now.timestamp_millis()))));
    let states = (row.cell(lifecycle.column).clone(), after);
    let change = state_change(lifecycle, (row.id(), row.version() + 1), (Some(transition), states), (now, subject));
    Some((changes, change))
}

impl Tx {
    /// Deletes the state history of deleted rows.
    pub(in crate::store) async fn forget_states(&self, noun: &'static Noun, ids: &[Uuid]) -> Result<()> {
        let Some(lifecycle) = noun.lifecycle() else { return Ok(()) };
        let target = lifecycle.history.target;
        let mut sql = self.sql();
        sql.push("DELETE FROM ").name(&[target.table]).push(" AS t WHERE ");
        sql.filter_tenant(Alias::ROW, target, self.organization());
        sql.push(" AND ").is_one_of(Alias::ROW, ROW_ID, ids).push(" RETURNING ").name(&[target.tenant]);
        self.rows(sql.finish(), &[]).await.map(drop)
    }
}
