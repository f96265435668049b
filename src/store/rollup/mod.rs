//! Keeps the counts of [`entity::rollup`] in step with the rows, in the transaction that changes them.
//!
//! The counts are in force while `rolled_to` of the organization's sequence is its `last`. Whoever writes takes that row in
//! its last statements and holds it until the commit, so no count is lost between two writers, or between a writer
//! and `build`.

mod build;
mod read;

use std::collections::BTreeMap;

use chrono::DateTime;
use chrono_tz::Tz;
use entity::{
    Noun,
    event::EventOperation,
    noun::Named,
    organization::{self, Weekday},
    rollup::{self, Rollup},
};
use sea_orm::{Value, prelude::Uuid, sea_query::ArrayType};

pub use self::read::{Asked, Rolled};
use super::{
    Tx,
    cell::{Cell, CellKind, Column, Record},
    sql::{Alias, Sql},
};
use crate::{
    Error, Result,
    calendar::{BucketUnit, boundaries},
};

/// Billionths in one.
pub const BILLIONTHS: f64 = 1e9;

/// What the counts say once they say everything.
pub(super) const FOREVER: i64 = i64::MAX;

/// Rows that came and went in a transaction, yet to be counted.
#[derive(Debug, Default)]
pub(super) struct Notes {
    changes: Vec<(&'static Rollup, Change)>,
    /// Whether weeks begin elsewhere from now on.
    is_void: bool,
}

/// A row that came or went.
#[derive(Clone, Debug)]
struct Change {
    key: Uuid,
    at: i64,
    sign: i64,
    numbers: Vec<Option<i64>>,
}

/// Which weeks are counted, and how far.
#[derive(Clone, Debug)]
pub(super) struct Weeks {
    zone: Tz,
    week_start: Weekday,
    until: i64,
}

/// Counts of one week: the rows, then sum and number of each column.
type Counts = Vec<i64>;
/// Counts by relation and week.
type Table = BTreeMap<(Uuid, i64), Counts>;

impl Notes {
    fn note(&mut self, noun: &'static Noun, row: &Record, operation: EventOperation) {
        let has_changed = |columns: &[&str]| columns.iter().any(|column| row.was(column).is_some());
        self.is_void |= noun.table == organization::NOUN.table && has_changed(&["time_zone", "week_start"]);
        let Some(rollup) = rollup::of(noun) else { return };
        match operation {
            EventOperation::Created => self.changes.push((rollup, Change::of(rollup, row, 1))),
            EventOperation::Deleted => self.changes.push((rollup, Change::of(rollup, row, -1))),
            _ if has_changed(&[rollup.key, rollup.time]) || has_changed(rollup.numbers) => {
                self.changes.push((rollup, Change::of(rollup, &row.unchanged(), -1)));
                self.changes.push((rollup, Change::of(rollup, row, 1)));
            }
            _ => {}
        }
    }
}

impl Change {
    fn of(rollup: &Rollup, row: &Record, sign: i64) -> Self {
        let number = |column: &&str| match row.get(column) {
            Cell::Float(number) => Some(billionths(*number)),
            cell => cell.int(),
        };
        Self {
            key: row.get(rollup.key).id().unwrap_or_default(),
            at: row.get(rollup.time).int().unwrap_or_default(),
            sign,
            numbers: rollup.numbers.iter().map(number).collect(),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "numbers that are summed are small")]
/// Rounded as the databases can do it too: no number that is summed is below -1, and above 0 to cut off is to round down.
fn billionths(number: f64) -> i64 {
    (number * BILLIONTHS + BILLIONTHS + 0.5).floor() as i64 - 1_000_000_000
}

/// Appends the sum of a column: whole numbers as they are, others in billionths, rounded as they are in the counts.
pub(crate) fn sum(sql: &mut Sql, column: Column) {
    sql.push("CAST(SUM(");
    if column.kind == CellKind::Float {
        let floor = if sql.is_postgres() { "CAST(floor(" } else { "CAST((" };
        sql.push(floor).column(Alias::ROW, column.name).push(" * 1e9 + 1000000000 + 0.5) AS BIGINT) - 1000000000");
    } else {
        sql.column(Alias::ROW, column.name);
    }
    sql.push(") AS BIGINT)");
}

impl Weeks {
    /// From the columns of [`weeks`]; `None` while nothing is counted.
    pub(super) fn of(cells: &[Cell]) -> Result<Option<Self>> {
        let [Cell::Int(until), Cell::Text(zone), Cell::Text(week_start)] = cells else { return Ok(None) };
        let (zone, week_start) = Self::parse(zone, week_start)?;
        Ok(Some(Self { zone, week_start, until: *until }))
    }

    fn parse(zone: &str, week_start: &str) -> Result<(Tz, Weekday)> {
        let known = zone.parse().ok().zip(Weekday::parse(week_start));
        known.ok_or_else(|| Error::internal("weeks are counted in a zone that is not known"))
    }

    /// The week that holds an instant: its start, and the next one's.
    fn around(&self, at: i64) -> Result<(i64, i64)> {
        let at = DateTime::from_timestamp_millis(at);
        let week = at.and_then(|at| boundaries(BucketUnit::Week, self.zone, self.week_start, at, at, 1));
        let week = week.ok_or_else(|| Error::internal("an instant is in no week"))?;
        Ok((week[0], week[1]))
    }

    /// Adds changes up to where counting has come.
    fn count(&self, changes: impl IntoIterator<Item = Change>, table: &mut Table) -> Result<()> {
        // Rows of one call are mostly of few weeks.
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
            let counts = table.entry((change.key, week)).or_insert_with(|| vec![0; 1 + 2 * change.numbers.len()]);
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

/// Appends the columns that [`Weeks::of`] takes.
pub(super) fn weeks(sql: &mut Sql) {
    sql.push("CASE WHEN rolled_to = last THEN rolled_until END AS rolled_until, rolled_zone, rolled_week_start");
}

impl Tx {
    /// Notes what happened to a row, to be counted when the transaction commits.
    pub(super) fn count_later(&self, noun: &'static Noun, row: &Record, operation: EventOperation) {
        self.rolled.lock().expect("no holder of the lock panics").note(noun, row, operation);
    }

    /// Whether the weeks of the organization begin elsewhere after this transaction.
    pub(super) fn moves_weeks(&self) -> bool {
        self.rolled.lock().expect("no holder of the lock panics").is_void
    }

    /// Counts what was noted. The organization's sequence is taken already.
    pub(super) async fn store_counts(&self, weeks: Option<Weeks>) -> Result<()> {
        let notes = std::mem::take(&mut *self.rolled.lock().expect("no holder of the lock panics"));
        let Some(weeks) = weeks.filter(|_| !notes.is_void) else { return Ok(()) };
        for rollup in rollup::ROLLUPS {
            let of_it = notes.changes.iter().filter(|(known, _)| known.table == rollup.table);
            let mut table = Table::new();
            weeks.count(of_it.map(|(_, change)| change.clone()), &mut table)?;
            table.retain(|_, counts| counts.iter().any(|count| *count != 0));
            if table.is_empty() {
                continue;
            }
            let mut sql = self.sql();
            add(&mut sql, rollup, self.organization(), &table);
            let stored = self.rows(sql.finish(), &[]).await?.len();
            if stored != table.len() {
                return Err(Error::internal(format!("{stored} of {} counts were stored", table.len())));
            }
        }
        Ok(())
    }
}

/// Appends the statement that adds counts to what is there. One value or one array a column: the same text for any number.
fn add(sql: &mut Sql, rollup: &Rollup, organization: entity::id::OrganizationId, table: &Table) {
    let columns = |sql: &mut Sql, write: &dyn Fn(&mut Sql, &[&'static str])| {
        write(sql, &["n"]);
        for number in rollup.numbers {
            write(sql.push(", "), &[number, "_sum"]);
            write(sql.push(", "), &[number, "_n"]);
        }
    };
    sql.push("INSERT INTO ").name(&[rollup.table]).push(" AS t (organization_id, ").name(&[rollup.key]);
    columns(sql.push(", week, "), &|sql, name| {
        sql.name(name);
    });
    sql.push(") SELECT ").owner(organization);
    let width = 1 + 2 * rollup.numbers.len();
    if sql.is_postgres() {
        let array = |values: Vec<i64>| {
            Value::Array(ArrayType::BigInt, Some(Box::new(values.into_iter().map(Value::from).collect())))
        };
        let keys: Vec<Uuid> = table.keys().map(|(key, _)| *key).collect();
        sql.push(", v.* FROM unnest(").ids(&keys).push(", ");
        sql.bind(array(table.keys().map(|(_, week)| *week).collect()));
        for place in 0..width {
            sql.push(", ").bind(array(table.values().map(|counts| counts[place]).collect()));
        }
        sql.push(") AS v");
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
        // Without a condition, ON would be taken for a join's.
        sql.push(" FROM json_each(").bind(serde_json::Value::from(rows).to_string()).push(") WHERE TRUE");
    }
    sql.push(" ON CONFLICT (organization_id, ").name(&[rollup.key]).push(", week) DO UPDATE SET ");
    columns(sql, &|sql, name| {
        sql.name(name).push(" = t.").name(name).push(" + excluded.").name(name);
    });
    sql.push(" RETURNING organization_id");
}
