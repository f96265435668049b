//! The outbox: one row for everything that happened, in the transaction in which it happened.

use entity::{event::EventOperation, id};
use sea_orm::{Value, prelude::Uuid};

use super::{
    Tx,
    cell::CellKind,
    narrow::Site,
    rollup::{self, Weeks},
    sql::{Alias, Sql},
};
use crate::{Error, Result};

/// Something that happened to a row.
#[derive(Clone, Debug)]
pub struct Event {
    /// GraphQL type name of the row.
    pub noun: &'static str,
    /// The row.
    pub row: Uuid,
    /// What happened.
    pub operation: EventOperation,
    /// Version of the row afterwards.
    pub version: i64,
    /// GraphQL names of the fields that changed; never their values.
    pub fields: Vec<&'static str>,
}

impl Tx {
    /// Notes an event; it is stored when the transaction commits.
    pub fn note(&self, event: Event) {
        self.events.lock().expect("no holder of the lock panics").push(event);
    }

    /// Stores what was noted. The organization's sequence is taken here, in the last statement, and its row
    /// stays locked until the commit: so the sequence is the order of commits and has no gaps.
    pub(super) async fn store_events(&self) -> Result<()> {
        let events = std::mem::take(&mut *self.events.lock().expect("no holder of the lock panics"));
        let mut weeks = None;
        for part in events.chunks(4_000) {
            let is_postgres = self.sql().is_postgres();
            weeks = if is_postgres { self.store_in_one(part).await? } else { self.store_in_two(part).await? };
        }
        self.store_counts(weeks).await
    }

    async fn store_in_one(&self, events: &[Event]) -> Result<Option<Weeks>> {
        let mut sql = self.sql();
        self.advance(sql.push("WITH s AS ("), events);
        sql.push(" RETURNING organization_id, last - ").number(events.len()).push(" AS base, ");
        rollup::weeks(&mut sql);
        sql.push("), ");
        sql.push("e AS (INSERT INTO event (")
            .push(COLUMNS)
            .push(") SELECT s.organization_id, v.id, s.base + v.place, v.noun, v.row_id, v.operation, v.version, ");
        self.common(&mut sql);
        sql.push(", v.fields FROM s CROSS JOIN (VALUES ");
        sql.list(events.iter().enumerate(), |sql, (index, event)| {
            sql.push("(").number(index + 1).push(", ");
            event.write(sql);
            sql.push(")");
        });
        sql.push(") AS v(place, id, noun, row_id, operation, version, fields) RETURNING 1) ");
        sql.push(
            "SELECT s.organization_id, (SELECT COUNT(*) FROM e), s.rolled_until, s.rolled_zone, s.rolled_week_start ",
        );
        sql.push("FROM s");
        let rows = self.rows(sql.finish(), &ADVANCED).await?;
        let stored = rows.first().and_then(|row| row[0].int()).unwrap_or(0);
        self.whole(u64::try_from(stored).unwrap_or(0), events)?;
        rows.first().map_or(Ok(None), |row| Weeks::of(&row[1..]))
    }

    async fn store_in_two(&self, events: &[Event]) -> Result<Option<Weeks>> {
        let mut sql = self.sql();
        self.advance(&mut sql, events);
        rollup::weeks(sql.push(" RETURNING organization_id, last, "));
        let rows = self.rows(sql.finish(), &ADVANCED).await?;
        let last = rows.first().and_then(|row| row[0].int()).unwrap_or(0);
        let base = last - i64::try_from(events.len()).expect("a chunk fits");
        let mut sql = self.sql();
        sql.push("INSERT INTO event (")
            .push(COLUMNS)
            .push(") SELECT ")
            .owner(self.organization())
            .push(", v.column2, ");
        sql.bind(base).push(" + v.column1, v.column3, v.column4, v.column5, v.column6, ");
        self.common(&mut sql);
        sql.push(", v.column7 FROM (VALUES ");
        sql.list(events.iter().enumerate(), |sql, (index, event)| {
            sql.push("(").number(index + 1).push(", ");
            event.write(sql);
            sql.push(")");
        });
        sql.push(") AS v");
        let stored = self.execute(sql.finish()).await?;
        self.whole(stored, events)?;
        rows.first().map_or(Ok(None), |row| Weeks::of(&row[1..]))
    }

    fn advance(&self, sql: &mut Sql, events: &[Event]) {
        sql.push("UPDATE organization_sequence AS t SET last = last + ").number(events.len()).push(", rolled_to = ");
        if self.moves_weeks() {
            sql.push("NULL");
        } else {
            sql.push("rolled_to + ").number(events.len());
        }
        sql.push(" WHERE ");
        sql.narrow(Site::Sequence, Alias::ROW, "organization_id", self.organization());
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

/// What is told of the organization's sequence when it has moved, the tenant left out.
const ADVANCED: [CellKind; 4] = [CellKind::Int, CellKind::Int, CellKind::Text, CellKind::Text];

/// Every column, in the order in which an event is written, and read again to be sealed.
pub(super) const COLUMNS: &str =
    "organization_id, id, sequence, noun, row_id, operation, version, subject, client_id, occurred_at, fields";

impl Event {
    fn write(&self, sql: &mut Sql) {
        use entity::noun::Named;
        sql.bind(id::new())
            .push(", ")
            .bind(self.noun)
            .push(", ")
            .bind(self.row)
            .push(", ")
            .bind(self.operation.name())
            .push(", ");
        sql.bind(self.version).push(", ").bind(serde_json::json!(self.fields).to_string());
    }
}
