//! Opening `SQLite` through rusqlite, running statements and reading rows.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, Rows, ffi, params_from_iter, types::ValueRef};
use sea_orm::{Statement, Value, prelude::Uuid};

use super::{PerParent, RowLayout, TenantRow, checkpoint};
use crate::store::{
    operation::connect::MAPPED,
    statement::cell::{Cell, CellKind},
};

/// Size of the prepared-statement cache of a connection.
const PREPARED: usize = 256;

/// Page cache of the writer connection, in KiB.
const CACHE: i64 = 16_384;

fn open(file: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    // Callers set their own busy timeout; the driver's default would block the calling thread.
    connection.busy_timeout(Duration::ZERO)?;
    Ok(connection)
}

/// Opens a read-only connection to an existing file in WAL mode.
pub fn reader(file: &Path) -> rusqlite::Result<Connection> {
    let connection = open(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "mmap_size", MAPPED)?;
    Ok(connection)
}

/// Opens the writer connection to such a file, with `synchronous = FULL`.
pub fn writer(file: &Path) -> rusqlite::Result<Connection> {
    let connection = open(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // KiB. Pages that a long transaction writes stay in memory until it commits.
    connection.pragma_update(None, "cache_size", -CACHE)?;
    // Deleted content is overwritten, so that no erased personal data stays in free space.
    connection.pragma_update(None, "secure_delete", true)?;
    checkpoint::watch(&connection);
    #[cfg(debug_assertions)]
    if let Some(most) = crate::faults::most_pages() {
        connection.pragma_update(None, "max_page_count", most)?;
    }
    Ok(connection)
}

/// Returns the rows of a statement.
pub fn read(connection: &Connection, statement: &Statement, layout: RowLayout<'_>) -> rusqlite::Result<Vec<TenantRow>> {
    let mut prepared = connection.prepare_cached(&statement.sql)?;
    let mut found = Vec::new();
    add(&mut found, None, prepared.query(params_from_iter(values(statement)))?, layout)?;
    Ok(found)
}

/// Appends the rows of a statement, with their parent if it is known.
fn add(
    found: &mut Vec<TenantRow>,
    parent: Option<Uuid>,
    mut rows: Rows<'_>,
    layout: RowLayout<'_>,
) -> rusqlite::Result<()> {
    while let Some(row) = rows.next()? {
        let row = layout.read(|place, kind| kind.read_sqlite(row.get_ref(place)?, place))?;
        found.push(TenantRow { parent: parent.or(row.parent), ..row });
    }
    Ok(())
}

/// Runs a statement once for each parent and returns all rows. Stops at the deadline, if there is one, with the error
/// of an interrupted statement.
pub fn read_per_parent(
    connection: &Connection,
    statement: &mut Statement,
    per_parent: PerParent<'_>,
    layout: RowLayout<'_>,
    until: Option<Instant>,
) -> rusqlite::Result<Vec<TenantRow>> {
    let mut prepared = connection.prepare_cached(&statement.sql)?;
    let mut found = Vec::new();
    for parent in per_parent.parents {
        if until.is_some_and(|until| Instant::now() >= until) {
            return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_INTERRUPT), None));
        }
        if let Some(values) = &mut statement.values {
            per_parent.places.iter().for_each(|place| values.0[*place] = (*parent).into());
        }
        add(&mut found, Some(*parent), prepared.query(params_from_iter(values(statement)))?, layout)?;
    }
    Ok(found)
}

/// Like [`read_per_parent`], in one read transaction.
pub fn read_per_parent_in_snapshot(
    connection: &Connection,
    statement: &mut Statement,
    per_parent: PerParent<'_>,
    layout: RowLayout<'_>,
    until: Instant,
) -> rusqlite::Result<Vec<TenantRow>> {
    connection.prepare_cached("BEGIN")?.execute(())?;
    let found = read_per_parent(connection, statement, per_parent, layout, Some(until));
    connection.prepare_cached("COMMIT")?.execute(())?;
    found
}

/// Runs a statement without a result. Returns the number of changed rows.
pub fn execute(connection: &Connection, statement: &Statement) -> rusqlite::Result<u64> {
    let changed = connection.prepare_cached(&statement.sql)?.execute(params_from_iter(values(statement)))?;
    Ok(changed as u64)
}

fn values(statement: &Statement) -> impl Iterator<Item = Bound<'_>> {
    statement.values.iter().flat_map(|values| &values.0).map(Bound)
}

/// Converts a value for binding.
struct Bound<'a>(&'a Value);

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        let value = match self.0 {
            Value::Bool(Some(value)) => ValueRef::Integer(i64::from(*value)),
            Value::Int(Some(number)) => ValueRef::Integer(i64::from(*number)),
            Value::BigInt(Some(number)) => ValueRef::Integer(*number),
            // The type that SeaORM uses for LIMIT.
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

#[cfg(test)]
mod tests {
    use entity::{Tenanted as _, feedback_record::Entity, id::OrganizationId};
    use rusqlite::StatementStatus;
    use sea_orm::{DbBackend, prelude::Uuid};

    use crate::store::{
        Options, Store,
        paging::page::{PageQuery, Selection, Term, by_id, page},
        statement::{
            cell::{Column, columns},
            filter::{Comparison, Predicate},
            template::PlanSize,
        },
    };
    use crate::store::{driver::sqlite::*, statement::builder::Sql};

    const ROWS: i64 = 3_000;

    /// Creates a file with feedback records, each with a later time and product than the one before.
    async fn filled(folder: &tempfile::TempDir, organization: Uuid) -> Connection {
        let file = folder.path().join("some.db");
        let url = format!("sqlite://{}?mode=rwc", file.display());
        let store =
            Store::open(&Options { url, max_connections: 1, acquire_timeout: Options::COMMAND_TIMEOUT }).await.unwrap();
        store.migrate().await.unwrap();
        store.close().await.unwrap();
        let connection = open(&file, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        let insert = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
            INSERT INTO feedback_record (organization_id, id, version, created_at, updated_at, kind, received_at, product,
                tags, attributes, priority, department_id)
            SELECT ?1, CAST(printf('%016d', i) AS BLOB), 1, i, i, 'PRAISE', i, printf('%05d', i), '[]', '[]', 'LOW', ?1 FROM n";
        connection.execute(insert, (organization.as_bytes(), ROWS)).unwrap();
        connection
    }

    /// Counts the steps of `SQLite`'s virtual machine for the twenty rows after the given one.
    fn steps(connection: &Connection, organization: Uuid, order: Column, after: i64, is_descending: bool) -> i32 {
        let cell = |number: i64| match order.kind {
            CellKind::Text => Cell::Text(format!("{number:05}")),
            _ => Cell::Int(number),
        };
        let id = Uuid::from_slice(format!("{after:016}").as_bytes()).unwrap();
        let range = [Comparison::Gte(cell(1)), Comparison::Lt(cell(ROWS))];
        let query = PageQuery {
            filter: Predicate::All(range.map(|test| Predicate::Column(order, test)).into()),
            order: vec![Term::new(order, is_descending), by_id(is_descending)],
            after: Some(vec![cell(after), Cell::Id(id)]),
            before: None,
            limit: 20,
            looks_ahead: true,
            is_backward: false,
        };
        let mut sql = Sql::new(DbBackend::Sqlite);
        let selection = Selection::new(Entity::NOUN, vec![order], Vec::new(), &PlanSize::default());
        page(&mut sql, &selection, &query, OrganizationId(organization)).unwrap();
        let statement = sql.finish();
        let mut prepared = connection.prepare(&statement.sql).unwrap();
        let found = prepared.query_map(params_from_iter(values(&statement)), |_| Ok(())).unwrap().count();
        assert_eq!(found, 21);
        prepared.get_status(StatementStatus::VmStep)
    }

    #[tokio::test]
    async fn a_page_costs_the_same_wherever_it_begins_in_a_range() {
        let (folder, organization) = (tempfile::tempdir().unwrap(), entity::id::new());
        let connection = filled(&folder, organization).await;
        for name in ["received_at", "product"] {
            let order = columns(Entity::NOUN).into_iter().find(|column| column.name == name).unwrap();
            let [first, middle, last] = [30, ROWS / 2, ROWS - 30]
                .map(|after| [false, true].map(|way| steps(&connection, organization, order, after, way)));
            assert!(first == middle && middle == last, "{name}: {first:?} {middle:?} {last:?}");
        }
    }
}
