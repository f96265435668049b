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
            cell::{Cell, Record, column_named},
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
        let text = |text: &str| Cell::Text(text.to_owned());
        is_change.then(|| {
            let version = draft.current.as_ref().map_or(1, |current| current.version() + 1);
            [
                (ROW_ID, Cell::Id(draft.id)),
                (TRANSITION, draft.transition.map_or(Cell::Null, |transition: &Transition| text(transition.name))),
                (FROM, before.unwrap_or(Cell::Null)),
                (TO, after),
                (CHANGED_AT, Cell::Int(now.timestamp_millis())),
                (SUBJECT, text(subject)),
                (ROW_VERSION, Cell::Int(version)),
            ]
            .map(|(column, cell)| (column_named(lifecycle.history.target, column), cell))
            .to_vec()
        })
    };
    drafts.iter().filter(|draft| draft.errors.is_empty()).filter_map(row).collect()
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
