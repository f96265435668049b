//! Keeps the counts of [`entity::rollup`] consistent with the rows, in the transaction that changes the rows.
//!
//! The counts are valid while `rolled_to` of the organization's sequence row equals `last`. A writing transaction locks
//! that row in its last statements and holds it until commit, so concurrent writers and `build` cannot lose a count.

pub(in crate::store) mod build;
mod read;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use chrono::DateTime;
use chrono_tz::Tz;
use entity::{
    Noun,
    event::EventOperation,
    id::OrganizationId,
    noun::StringEnum,
    organization::{self, Weekday},
    rollup::{self, Number, Rollup},
};
use sea_orm::prelude::Uuid;

pub use self::read::{Asked, Rolled};
use super::{
    Tx,
    statement::{
        builder::{Alias, Sql},
        cell::{Cell, CellKind, Record, column_named},
    },
    transaction::event::is_after,
};
use crate::{
    Error, Result,
    calendar::{BucketUnit, boundaries},
};

/// One, in billionths.
pub const BILLIONTHS: f64 = 1e9;

/// Value of `rolled_until` once all rows are counted.
pub(super) const FOREVER: i64 = i64::MAX;

/// Rows added and removed by a transaction, to be counted at commit.
#[derive(Debug, Default)]
pub(super) struct RollupDelta {
    changes: Vec<(&'static Rollup, Change)>,
    /// Whether the transaction changes the time zone or first day of the week, which invalidates all counts.
    is_void: bool,
}

/// An added or removed row.
#[derive(Clone, Debug)]
struct Change {
    key: Uuid,
    at: i64,
    sign: i64,
    numbers: Vec<Option<i64>>,
}

/// The week boundaries of the counts, and the instant up to which rows are counted.
#[derive(Clone, Debug)]
pub(super) struct Weeks {
    zone: Tz,
    week_start: Weekday,
    until: i64,
}

/// Counts of one week: the number of rows, then sum and number of values of each column.
type Counts = Vec<i64>;

/// Counts by relation and week.
#[derive(Debug, Default)]
pub(super) struct Table(BTreeMap<(Uuid, i64), Counts>);

/// Maximum number of cached organizations.
const MAX_SEEN: usize = 1_024;

/// Cache of the last known rollup state by organization; `None` if nothing is counted. Entries may be outdated: a
/// statement that relies on one must check it.
#[derive(Debug, Default)]
pub(super) struct RollupStateCache(Mutex<HashMap<OrganizationId, Option<Weeks>>>);

impl RollupDelta {
    /// Returns whether there is nothing to count.
    pub(super) fn is_empty(&self) -> bool {
        self.is_void || self.changes.is_empty()
    }

    /// Returns whether this transaction changes where the organization's weeks begin.
    pub(super) const fn resets_rollup(&self) -> bool {
        self.is_void
    }

    /// Returns the amounts to add to the counts.
    pub(super) fn tables(&self, weeks: &Weeks) -> Result<Vec<(&'static Rollup, Table)>> {
        let mut tables = Vec::new();
        for rollup in rollup::ROLLUPS.into_iter().filter(|_| !self.is_void) {
            let of_it = self.changes.iter().filter(|(known, _)| known.table == rollup.table);
            let mut table = Table::default();
            weeks.count(of_it.map(|(_, change)| change), &mut table)?;
            table.0.retain(|_, counts| counts.iter().any(|count| *count != 0));
            if !table.0.is_empty() {
                tables.push((rollup, table));
            }
        }
        Ok(tables)
    }

    fn note(&mut self, noun: &'static Noun, row: &Record, operation: EventOperation) {
        let has_changed = |columns: &[&str]| columns.iter().any(|column| row.was(column).is_some());
        self.is_void |= noun.table == organization::NOUN.table && has_changed(&["time_zone", "week_start"]);
        let Some(rollup) = rollup::of(noun) else { return };
        match operation {
            EventOperation::Created => self.changes.push((rollup, Change::of(rollup, row, 1))),
            EventOperation::Deleted => self.changes.push((rollup, Change::of(rollup, row, -1))),
            _ if has_changed(&[rollup.key, rollup.time])
                || rollup.numbers.iter().flat_map(Number::columns).any(|column| row.was(column).is_some()) =>
            {
                self.changes.push((rollup, Change::of(rollup, &row.unchanged(), -1)));
                self.changes.push((rollup, Change::of(rollup, row, 1)));
            }
            _ => {}
        }
    }
}

impl Change {
    fn of(rollup: &Rollup, row: &Record, sign: i64) -> Self {
        let number = |number: &Number| {
            let is_counted = number.only.is_none_or(|(column, value)| row.cell(column).text() == Some(value));
            whole(row.cell(number.column)).filter(|_| is_counted)
        };
        Self {
            key: row.cell(rollup.key).id().unwrap_or_default(),
            at: row.cell(rollup.time).int().unwrap_or_default(),
            sign,
            numbers: rollup.numbers.iter().map(number).collect(),
        }
    }
}

/// Returns a number as it is summed.
fn whole(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Float(number) => Some(billionths(*number)),
        cell => cell.int(),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "numbers that are summed are small")]
/// Rounds to billionths in a way that the databases can also compute: no summed number is below -1, and for positive
/// numbers truncation rounds down.
fn billionths(number: f64) -> i64 {
    (number * BILLIONTHS + BILLIONTHS + 0.5).floor() as i64 - 1_000_000_000
}

/// Appends the sum and the number of values, as columns of these names: integers unchanged, floats in billionths, rounded
/// as in the counts.
pub(crate) fn sums(sql: &mut Sql, noun: &'static Noun, number: &Number) {
    sql.push(", CAST(SUM(");
    if column_named(noun, number.column).kind == CellKind::Float {
        sql.push(if sql.is_postgres() { "CAST(floor(" } else { "CAST((" });
        value(sql, number);
        sql.push(" * 1e9 + 1000000000 + 0.5) AS BIGINT) - 1000000000");
    } else {
        value(sql, number);
    }
    sql.push(") AS BIGINT) AS ").name(&[number.name, "_sum"]).push(", COUNT(");
    value(sql, number);
    sql.push(") AS ").name(&[number.name, "_n"]);
}

/// Appends the number of a row; null if the row is not one of those that are summed.
fn value(sql: &mut Sql, number: &Number) {
    match number.only {
        None => sql.column(Alias::ROW, number.column),
        Some((column, value)) => {
            sql.push("CASE WHEN ").column(Alias::ROW, column).push(" = ").bind(value).push(" THEN ");
            sql.column(Alias::ROW, number.column).push(" END")
        }
    };
}

impl Weeks {
    /// Reads the columns of [`weeks`]; returns `None` if nothing is counted.
    pub(super) fn of(cells: &[Cell]) -> Result<Option<Self>> {
        let [Cell::Int(until), Cell::Text(zone), Cell::Text(week_start)] = cells else { return Ok(None) };
        let (zone, week_start) = Self::parse(zone, week_start)?;
        Ok(Some(Self { zone, week_start, until: *until }))
    }

    fn parse(zone: &str, week_start: &str) -> Result<(Tz, Weekday)> {
        let known = zone.parse().ok().zip(Weekday::parse(week_start));
        known.ok_or_else(|| Error::internal("weeks are counted in a zone that is not known"))
    }

    /// Returns the start of the week that contains an instant, and the start of the next week.
    fn around(&self, at: i64) -> Result<(i64, i64)> {
        let at = DateTime::from_timestamp_millis(at);
        let week = at.and_then(|at| boundaries(BucketUnit::Week, self.zone, self.week_start, at, at, 1));
        let week = week.ok_or_else(|| Error::internal("an instant is in no week"))?;
        Ok((week[0], week[1]))
    }

    /// Adds the changes whose time is before `until`.
    fn count<'a>(&self, changes: impl IntoIterator<Item = &'a Change>, table: &mut Table) -> Result<()> {
        // Caches week boundaries: the rows of one call mostly fall into few weeks.
        let mut known: BTreeMap<i64, i64> = BTreeMap::new();
        for change in changes.into_iter().filter(|change| change.at < self.until) {
            let near = known.range(..=change.at).next_back().filter(|(_, end)| change.at < **end);
            let week = if let Some((start, _)) = near {
                *start
            } else {
                let (start, end) = self.around(change.at)?;
                known.insert(start, end);
                start
            };
            let counts = table.0.entry((change.key, week)).or_insert_with(|| vec![0; 1 + 2 * change.numbers.len()]);
            counts[0] += change.sign;
            for (pair, number) in counts[1..].chunks_mut(2).zip(&change.numbers) {
                if let Some(number) = number {
                    pair[0] += change.sign * number;
                    pair[1] += change.sign;
                }
            }
        }
        Ok(())
    }
}

/// Appends the columns that [`Weeks::of`] reads.
pub(super) fn weeks(sql: &mut Sql) {
    sql.push("CASE WHEN rolled_to = last THEN rolled_until END AS rolled_until, rolled_zone, rolled_week_start");
}

impl Tx {
    /// Records a change of a row, to be counted when the transaction commits.
    pub(super) fn count_later(&self, noun: &'static Noun, row: &Record, operation: EventOperation) {
        self.conn.pending().counts.note(noun, row, operation);
    }

    /// Returns the cached rollup state; the outer `None` means that it is not cached.
    #[expect(clippy::option_option, reason = "not to know is another thing than to know that none are counted")]
    pub(super) fn cached_weeks(&self) -> Option<Option<Weeks>> {
        let seen = self.store.weeks.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(&self.organization()).cloned()
    }

    /// Caches the rollup state.
    pub(super) fn cache_weeks(&self, weeks: Option<&Weeks>) {
        let mut seen = self.store.weeks.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MAX_SEEN {
            seen.clear();
        }
        seen.insert(self.organization(), weeks.cloned());
    }

    /// Writes the recorded counts. The transaction must hold the lock of the organization's sequence row.
    pub(super) async fn store_counts(&self, notes: &RollupDelta, weeks: Option<&Weeks>) -> Result<()> {
        let Some(weeks) = weeks else { return Ok(()) };
        for (rollup, table) in notes.tables(weeks)? {
            self.write_rows(table.len(), |sql| table.add(sql, rollup, self.organization(), None)).await?;
        }
        Ok(())
    }
}

impl Weeks {
    /// Appends a condition that the rollup state is the expected one, as read by the part that locked the sequence row.
    pub(super) fn are(weeks: Option<&Self>, sql: &mut Sql, sequence: Alias) {
        sql.push(" AND EXISTS (SELECT 1 FROM ").alias(sequence).push(" WHERE ").column(sequence, "rolled_until");
        match weeks {
            None => sql.push(" IS NULL)"),
            Some(weeks) => sql
                .push(" = ")
                .bind(weeks.until)
                .push(" AND ")
                .column(sequence, "rolled_zone")
                .push(" = ")
                .bind(weeks.zone.name())
                .push(" AND ")
                .column(sequence, "rolled_week_start")
                .push(" = ")
                .bind(weeks.week_start.name())
                .push(")"),
        };
    }
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Appends the statement that adds these counts to the stored ones. Binds one value or one array per column, so
    /// that the text is the same for any number of rows. On PostgreSQL, the statement may follow the part `after` of a
    /// batch, which locks the sequence row.
    pub(super) fn add(&self, sql: &mut Sql, rollup: &Rollup, organization: OrganizationId, after: Option<Alias>) {
        let table = &self.0;
        let columns = |sql: &mut Sql, write: &dyn Fn(&mut Sql, &[&'static str])| {
            write(sql, &["n"]);
            for number in rollup.numbers {
                write(sql.push(", "), &[number.name, "_sum"]);
                write(sql.push(", "), &[number.name, "_n"]);
            }
        };
        sql.push("INSERT INTO ").name(&[rollup.table]).push(" AS t (organization_id, ").name(&[rollup.key]);
        columns(sql.push(", week, "), &|sql, name| {
            sql.name(name);
        });
        sql.push(") SELECT ").bind_tenant(organization);
        let width = 1 + 2 * rollup.numbers.len();
        if sql.is_postgres() {
            let keys: Vec<Uuid> = table.keys().map(|(key, _)| *key).collect();
            sql.push(", v.* FROM unnest(").ids(&keys).push(", ");
            sql.integers(table.keys().map(|(_, week)| *week));
            for place in 0..width {
                sql.push(", ").integers(table.values().map(|counts| counts[place]));
            }
            sql.push(") AS v");
            if let Some(after) = after {
                let row = Alias::nested('q', 0);
                sql.push(" CROSS JOIN organization_sequence AS ").alias(row).push(" WHERE ");
                is_after(sql, row, organization, after);
            }
        } else {
            let rows: Vec<serde_json::Value> = table
                .iter()
                .map(|((key, week), counts)| {
                    let mut row = vec![serde_json::json!(key.simple().to_string()), serde_json::json!(week)];
                    row.extend(counts.iter().map(|count| serde_json::json!(count)));
                    row.into()
                })
                .collect();
            sql.push(", unhex(value ->> 0)");
            for place in 1..width + 2 {
                sql.push(", value ->> ").number(place);
            }
            // Without a condition, `SQLite` would parse ON as part of a join.
            sql.push(" FROM json_each(").bind(serde_json::Value::from(rows).to_string()).push(") WHERE TRUE");
        }
        sql.push(" ON CONFLICT (organization_id, ").name(&[rollup.key]).push(", week) DO UPDATE SET ");
        columns(sql, &|sql, name| {
            sql.name(name).push(" = t.").name(name).push(" + excluded.").name(name);
        });
        sql.push(" RETURNING organization_id");
    }
}
