//! The event outbox: one row for each change, written in the transaction of the change.

use entity::{
    event::EventOperation,
    id::{self, OrganizationId},
};
use sea_orm::{Value, prelude::Uuid};

use crate::{
    Error, Result,
    store::{
        Tx,
        rollup::{self, RollupDelta, Weeks},
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind},
        },
    },
};

/// A change of a row.
#[derive(Clone, Debug)]
pub struct Event {
    /// GraphQL type name of the row.
    pub noun: &'static str,
    /// Id of the row.
    pub row: Uuid,
    /// The kind of change.
    pub operation: EventOperation,
    /// Version of the row after the change.
    pub version: i64,
    /// GraphQL names of the fields that changed, without their values.
    pub fields: Vec<&'static str>,
}

impl Tx {
    /// Queues an event; it is stored when the transaction commits.
    pub fn note(&self, event: Event) {
        self.conn.pending().events.push(event);
    }

    /// Stores events and returns the week settings by which the organization's rows are counted.
    pub(in crate::store) async fn store_events(&self, events: &[Event], counts: &RollupDelta) -> Result<Option<Weeks>> {
        let mut weeks = None;
        for part in events.chunks(MAX_EVENTS) {
            weeks = if self.sql().is_postgres() {
                self.store_in_one(part, counts).await?
            } else {
                self.store_in_two(part, counts).await?
            };
        }
        Ok(weeks)
    }

    async fn store_in_one(&self, events: &[Event], counts: &RollupDelta) -> Result<Option<Weeks>> {
        let (mut sql, sequence) = (self.sql(), Alias::nested('s', 0));
        self.advance(sql.push("WITH s AS ("), events, counts);
        advanced(&mut sql, events);
        self.insert_events(sql.push("), e AS ("), events, sequence);
        sql.push(
            ") SELECT s.organization_id, (SELECT COUNT(*) FROM e), s.rolled_until, s.rolled_zone, s.rolled_week_start ",
        );
        sql.push("FROM s");
        let rows = self.rows(sql.finish(), &ADVANCED).await?;
        let stored = rows.first().and_then(|row| row[0].int()).unwrap_or(0);
        self.whole(u64::try_from(stored).unwrap_or(0), events)?;
        rows.first().map_or(Ok(None), |row| Weeks::of(&row[1..]))
    }

    /// Appends the statement that inserts events after the sequence was advanced. PostgreSQL only. The rows are
    /// selected from the table of the sequence itself, so that a database distributed by organization can route the
    /// statement; the new sequence number comes from the part of the statement that advanced the sequence.
    pub(in crate::store) fn insert_events(&self, sql: &mut Sql, events: &[Event], sequence: Alias) {
        sql.push("INSERT INTO event (").push(COLUMNS).push(") SELECT ").column(Alias::ROW, "organization_id");
        sql.push(", v.id, (SELECT base FROM ").alias(sequence).push(" WHERE ");
        sql.column(sequence, "organization_id")
            .push(" = ")
            .column(Alias::ROW, "organization_id")
            .push(") + v.place, v.noun, v.row_id, v.operation, v.version, ");
        self.common(sql);
        let cells: Vec<[Cell; 6]> = events.iter().map(Event::cells).collect();
        sql.push(", v.fields FROM organization_sequence AS t CROSS JOIN UNNEST(");
        sql.list(KINDS.into_iter().enumerate(), |sql, (place, kind)| {
            sql.array(kind, cells.iter().map(|row| &row[place]));
        });
        sql.push(") WITH ORDINALITY AS v(id, noun, row_id, operation, version, fields, place) WHERE ");
        is_after(sql, Alias::ROW, self.organization(), sequence);
        sql.push(" RETURNING organization_id");
    }

    async fn store_in_two(&self, events: &[Event], counts: &RollupDelta) -> Result<Option<Weeks>> {
        let mut sql = self.sql();
        self.advance(&mut sql, events, counts);
        rollup::weeks(sql.push(" RETURNING organization_id, last, "));
        let rows = self.rows(sql.finish(), &ADVANCED).await?;
        let last = rows.first().and_then(|row| row[0].int()).unwrap_or(0);
        let base = last - count(events);
        let mut sql = self.sql();
        sql.push("INSERT INTO event (")
            .push(COLUMNS)
            .push(") SELECT ")
            .bind_tenant(self.organization())
            .push(", v.column2, ");
        sql.bind(base).push(" + v.column1, v.column3, v.column4, v.column5, v.column6, ");
        self.common(&mut sql);
        sql.push(", v.column7 FROM (VALUES ");
        sql.list(events.iter().enumerate(), |sql, (index, event)| {
            sql.push("(").number(index + 1);
            for (cell, kind) in event.cells().iter().zip(KINDS) {
                sql.push(", ").cell(cell, kind);
            }
            sql.push(")");
        });
        sql.push(") AS v");
        let stored = self.execute(sql.finish()).await?;
        self.whole(stored, events)?;
        rows.first().map_or(Ok(None), |row| Weeks::of(&row[1..]))
    }

    /// Appends the statement that reserves the organization's next sequence numbers; it ends with its `WHERE`
    /// condition.
    pub(in crate::store) fn advance(&self, sql: &mut Sql, events: &[Event], counts: &RollupDelta) {
        sql.push("UPDATE organization_sequence AS t SET last = last + ").bind(count(events)).push(", rolled_to = ");
        if counts.resets_rollup() {
            sql.push("NULL");
        } else {
            sql.push("rolled_to + ").bind(count(events));
        }
        sql.push(" WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
    }

    fn common(&self, sql: &mut Sql) {
        sql.bind(self.actor().subject.as_str()).push(", ").bind(Value::String(self.actor().client.clone()));
        sql.push(", ").bind(self.now().timestamp_millis());
    }

    fn whole(&self, stored: u64, events: &[Event]) -> Result<()> {
        if usize::try_from(stored) == Ok(events.len()) {
            return Ok(());
        }
        Err(Error::internal(format!("{stored} of {} events of {} were stored", events.len(), self.organization().0)))
    }
}

/// Appends the condition that a row of `organization_sequence` belongs to the organization and that the part of the
/// statement that advances it returned a row. PostgreSQL only.
pub(in crate::store) fn is_after(sql: &mut Sql, row: Alias, organization: OrganizationId, sequence: Alias) {
    sql.column(row, "organization_id").push(" = ").bind_tenant(organization);
    sql.push(" AND EXISTS (SELECT 1 FROM ").alias(sequence).push(")");
}

/// Kinds of the columns that are returned when the sequence was advanced, without the tenant.
const ADVANCED: [CellKind; 4] = [CellKind::Int, CellKind::Int, CellKind::Text, CellKind::Text];

/// All columns of an event, in the order in which they are written, and read again for sealing.
pub(in crate::store) const COLUMNS: &str =
    "organization_id, id, sequence, noun, row_id, operation, version, subject, client_id, occurred_at, fields";

/// Maximum number of events that one statement stores.
pub(in crate::store) const MAX_EVENTS: usize = 4_000;

/// Appends the `RETURNING` clause of advancing the sequence: the number before the first reserved one, and the week
/// settings.
pub(in crate::store) fn advanced(sql: &mut Sql, events: &[Event]) {
    sql.push(" RETURNING organization_id, last - ").bind(count(events)).push(" AS base, ");
    rollup::weeks(sql);
}

/// Kinds of the cells of an event.
const KINDS: [CellKind; 6] =
    [CellKind::Id, CellKind::Text, CellKind::Id, CellKind::Text, CellKind::Int, CellKind::Text];

fn count(events: &[Event]) -> i64 {
    i64::try_from(events.len()).expect("a chunk fits")
}

impl Event {
    /// Returns the cells that differ between events: a new id, noun, row, operation, version and fields.
    fn cells(&self) -> [Cell; 6] {
        use entity::noun::StringEnum;
        let text = |text: &str| Cell::Text(text.to_owned());
        [
            Cell::Id(id::new()),
            text(self.noun),
            Cell::Id(self.row),
            text(self.operation.name()),
            Cell::Int(self.version),
            Cell::Text(serde_json::json!(self.fields).to_string()),
        ]
    }
}
