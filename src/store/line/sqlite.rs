//! How `SQLite` is opened, asked and read on our own threads.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, ffi, params_from_iter, types::ValueRef};
use sea_orm::{Statement, Value, prelude::Uuid};

use super::{Answered, Below, Found};
use crate::store::{
    cell::{Cell, CellKind},
    connect::MAPPED,
};

/// Statements that a connection keeps prepared.
const PREPARED: usize = 256;

fn open(file: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    // Who may wait says so; the driver's own default would keep the thread that asks.
    connection.busy_timeout(Duration::ZERO)?;
    Ok(connection)
}

/// A connection that only reads a file that is there and has a write-ahead log.
pub fn reader(file: &Path) -> rusqlite::Result<Connection> {
    let connection = open(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "mmap_size", MAPPED)?;
    Ok(connection)
}

/// A connection that writes to such a file, and answers for what it has committed.
pub fn writer(file: &Path) -> rusqlite::Result<Connection> {
    let connection = open(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What is deleted is overwritten: an erased person must not be left between the rows.
    connection.pragma_update(None, "secure_delete", true)?;
    #[cfg(debug_assertions)]
    if let Some(most) = crate::faults::most_pages() {
        connection.pragma_update(None, "max_page_count", most)?;
    }
    Ok(connection)
}

/// The rows that a statement answers with.
pub fn read(connection: &Connection, statement: &Statement, answered: Answered<'_>) -> rusqlite::Result<Vec<Found>> {
    let mut prepared = connection.prepare_cached(&statement.sql)?;
    let mut rows = prepared.query(params_from_iter(values(statement)))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(answered.read(|place, kind| kind.read_sqlite(row.get_ref(place)?, place))?);
    }
    Ok(found)
}

/// The rows that a statement answers with below each of other rows, one after the other. Stops at a moment, if one is
/// given, as an interrupted statement does.
pub fn read_below(
    connection: &Connection,
    statement: &mut Statement,
    below: Below<'_>,
    answered: Answered<'_>,
    until: Option<Instant>,
) -> rusqlite::Result<Vec<Found>> {
    let mut prepared = connection.prepare_cached(&statement.sql)?;
    let mut found = Vec::new();
    for parent in below.parents {
        if until.is_some_and(|until| Instant::now() >= until) {
            return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_INTERRUPT), None));
        }
        if let Some(values) = &mut statement.values {
            below.places.iter().for_each(|place| values.0[*place] = (*parent).into());
        }
        let mut rows = prepared.query(params_from_iter(values(statement)))?;
        while let Some(row) = rows.next()? {
            let row = answered.read(|place, kind| kind.read_sqlite(row.get_ref(place)?, place))?;
            found.push(Found { parent: Some(*parent), ..row });
        }
    }
    Ok(found)
}

/// As [`read_below`], all of it as it was at one moment.
pub fn read_below_at_once(
    connection: &Connection,
    statement: &mut Statement,
    below: Below<'_>,
    answered: Answered<'_>,
    until: Instant,
) -> rusqlite::Result<Vec<Found>> {
    connection.prepare_cached("BEGIN")?.execute(())?;
    let found = read_below(connection, statement, below, answered, Some(until));
    connection.prepare_cached("COMMIT")?.execute(())?;
    found
}

/// Runs a statement that answers with nothing. Answers how many rows it changed.
pub fn execute(connection: &Connection, statement: &Statement) -> rusqlite::Result<u64> {
    let changed = connection.prepare_cached(&statement.sql)?.execute(params_from_iter(values(statement)))?;
    Ok(changed as u64)
}

fn values(statement: &Statement) -> impl Iterator<Item = Bound<'_>> {
    statement.values.iter().flat_map(|values| &values.0).map(Bound)
}

/// A value as `SQLite` takes it.
struct Bound<'a>(&'a Value);

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        let value = match self.0 {
            Value::Bool(Some(value)) => ValueRef::Integer(i64::from(*value)),
            Value::Int(Some(number)) => ValueRef::Integer(i64::from(*number)),
            Value::BigInt(Some(number)) => ValueRef::Integer(*number),
            // What SeaORM limits a query with.
            Value::BigUnsigned(Some(number)) => ValueRef::Integer(i64::try_from(*number).unwrap_or(i64::MAX)),
            Value::Double(Some(number)) => ValueRef::Real(*number),
            Value::String(Some(text)) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(Some(bytes)) => ValueRef::Blob(bytes),
            Value::Uuid(Some(id)) => ValueRef::Blob(id.as_bytes()),
            Value::Bool(None)
            | Value::Int(None)
            | Value::BigInt(None)
            | Value::Double(None)
            | Value::String(None)
            | Value::Bytes(None)
            | Value::Uuid(None) => ValueRef::Null,
            other => {
                let kind = format!("SQLite is given no {:?}", std::mem::discriminant(other));
                return Err(rusqlite::Error::ToSqlConversionFailure(kind.into()));
            }
        };
        Ok(rusqlite::types::ToSqlOutput::Borrowed(value))
    }
}

impl CellKind {
    fn read_sqlite(self, value: ValueRef<'_>, place: usize) -> rusqlite::Result<Cell> {
        Ok(match (self, value) {
            (_, ValueRef::Null) => Cell::Null,
            (Self::Id, ValueRef::Blob(bytes)) if bytes.len() == 16 => {
                Cell::Id(Uuid::from_slice(bytes).expect("sixteen bytes are an id"))
            }
            (Self::Text, ValueRef::Text(bytes)) => Cell::Text(str::from_utf8(bytes)?.to_owned()),
            (Self::Int, ValueRef::Integer(number)) => Cell::Int(number),
            (Self::Bool, ValueRef::Integer(number)) => Cell::Bool(number != 0),
            (Self::Float, ValueRef::Real(number)) => Cell::Float(number),
            #[expect(clippy::cast_precision_loss, reason = "whole numbers where others are expected are small")]
            (Self::Float, ValueRef::Integer(number)) => Cell::Float(number as f64),
            (_, other) => return Err(rusqlite::Error::InvalidColumnType(place, String::new(), other.data_type())),
        })
    }
}
