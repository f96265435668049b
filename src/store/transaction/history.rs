//! Reads the history of rows from the event outbox.

use std::collections::HashMap;

use entity::{Noun, event};
use sea_orm::prelude::Uuid;

use crate::{
    Result,
    store::{
        Connection, Scope,
        statement::{
            builder::Alias,
            cell::{Cell, CellKind},
        },
    },
};

/// A past change of a row.
#[derive(Clone, Debug)]
pub struct HistoryEntry {
    /// Position in the organization's order of commits.
    pub sequence: i64,
    /// The kind of change.
    pub operation: String,
    /// Time of the change in epoch milliseconds.
    pub occurred_at: i64,
    /// JSON array of the names of the changed fields.
    pub fields: String,
}

impl<C: Connection> Scope<C> {
    /// Returns the changes of rows of a noun, in order. Scans all events of the organization: there is no index by row.
    pub async fn history(&self, noun: &'static Noun, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<HistoryEntry>>> {
        self.may_read(noun)?;
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.row_id, t.sequence, t.operation, t.occurred_at, t.fields ");
        sql.push("FROM event AS t WHERE ");
        sql.filter_tenant(Alias::ROW, &event::NOUN, self.organization()).push(" AND t.noun = ");
        sql.bind(noun.name).push(" AND ").is_one_of(Alias::ROW, "row_id", ids).push(" ORDER BY t.sequence");
        let kinds = [CellKind::Id, CellKind::Int, CellKind::Text, CellKind::Int, CellKind::Text];
        let mut found: HashMap<Uuid, Vec<HistoryEntry>> = HashMap::new();
        for row in self.read_rows(sql.finish(), &kinds).await? {
            if let [Cell::Id(id), Cell::Int(sequence), Cell::Text(operation), Cell::Int(at), Cell::Text(fields)] =
                row.as_slice()
            {
                let (operation, fields) = (operation.clone(), fields.clone());
                let happened = HistoryEntry { sequence: *sequence, operation, occurred_at: *at, fields };
                found.entry(*id).or_default().push(happened);
            }
        }
        Ok(found)
    }
}
