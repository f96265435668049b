//! Runs one text of SQL on both databases: braces name what they spell differently.

use sea_orm_migration::{
    SchemaManager,
    sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement},
};

/// Columns every stored noun has: the tenant, the id, the version, the times.
const NOUN: &str = "organization_id {uuid} NOT NULL REFERENCES organization (id),
    id {uuid} NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL";

/// The key of every stored noun: rows of one organization stand together, and can be spread by it.
const KEY: &str = "PRIMARY KEY (organization_id, id)";

/// Lifts what would cut a step short, for this transaction: a pooler may drop what the session was begun with.
const LONG: &str = "SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true)";

/// Lets a step change several spread tables in one transaction, where the extension that spreads them is there.
const SEQUENTIAL: &str = "SELECT set_config('citus.multi_shard_modify_mode', 'sequential', true)
    WHERE EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus')";

/// Runs each statement of `text` (separated by `;`) in the migration's transaction.
///
/// `{noun}` stands for the columns every noun has, `{key}` for its key, `{uuid}` and `{text}` for column types, and
/// `{nulls first}` for the order of nulls in an index: null is the smallest value on both databases.
pub async fn run(manager: &SchemaManager<'_>, text: &str) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    if connection.get_database_backend() == DbBackend::Postgres {
        connection.execute_unprepared(LONG).await?;
        connection.execute_unprepared(SEQUENTIAL).await?;
    }
    let (uuid, text_type, nulls_first) = match connection.get_database_backend() {
        DbBackend::Postgres => ("UUID", "TEXT COLLATE \"C\"", "NULLS FIRST"),
        _ => ("BLOB", "TEXT", ""),
    };
    let text = text
        .replace("{noun}", NOUN)
        .replace("{key}", KEY)
        .replace("{uuid}", uuid)
        .replace("{text}", text_type)
        .replace("{nulls first}", nulls_first);
    for statement in text.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
        connection.execute_unprepared(statement).await?;
    }
    Ok(())
}

/// The table of a noun's external ids as steps before m0021 made it: one id per system and row. It is remade there.
pub async fn single_external_ids(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    run(
        manager,
        &format!(
            "CREATE TABLE {table}_external_id (
                organization_id {{uuid}} NOT NULL,
                {table}_id {{uuid}} NOT NULL,
                system {{text}} NOT NULL,
                external_id {{text}} NOT NULL,
                PRIMARY KEY (organization_id, system, external_id),
                UNIQUE (organization_id, {table}_id, system),
                FOREIGN KEY (organization_id, {table}_id) REFERENCES {table} (organization_id, id) ON DELETE CASCADE
            )"
        ),
    )
    .await
}

/// The table of a noun's external ids: any number of a system per row, one row per system and id.
pub async fn external_ids(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    let key =
        format!("FOREIGN KEY (organization_id, {table}_id) REFERENCES {table} (organization_id, id) ON DELETE CASCADE");
    let is_sqlite = manager.get_connection().get_database_backend() == DbBackend::Sqlite;
    let inline = if is_sqlite { format!(", {key}") } else { String::new() };
    run(
        manager,
        &format!(
            "CREATE TABLE {table}_external_id (
                organization_id {{uuid}} NOT NULL,
                {table}_id {{uuid}} NOT NULL,
                system {{text}} NOT NULL,
                external_id {{text}} NOT NULL,
                PRIMARY KEY (organization_id, system, external_id){inline}
            )"
        ),
    )
    .await?;
    external_ids_by_row(manager, table).await?;
    if is_sqlite { Ok(()) } else { run(manager, &format!("ALTER TABLE {table}_external_id ADD {key}")).await }
}

/// The index that finds the external ids of a row. It has no further columns: a planner that knows no table sizes yet
/// could choose it to find a row by its external id, and read all of the organization.
pub async fn external_ids_by_row(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    let index = format!("CREATE INDEX ix_{table}_external_id ON {table}_external_id (organization_id, {table}_id)");
    run(manager, &index).await
}

/// The table of the evidence behind the rows of a noun: gone with the row, but not with the evidence.
pub async fn evidence(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    run(
        manager,
        &format!(
            "CREATE TABLE {table}_evidence (
                organization_id {{uuid}} NOT NULL,
                {table}_id {{uuid}} NOT NULL,
                evidence_id {{uuid}} NOT NULL,
                PRIMARY KEY (organization_id, {table}_id, evidence_id),
                FOREIGN KEY (organization_id, {table}_id) REFERENCES {table} (organization_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organization_id, evidence_id) REFERENCES evidence (organization_id, id)
            );
            CREATE INDEX ix_{table}_evidence ON {table}_evidence (organization_id, evidence_id, {table}_id)"
        ),
    )
    .await
}

/// The table of the links from rows of a noun to rows of another: gone with the former, but not with the latter.
pub async fn links(manager: &SchemaManager<'_>, table: &str, target: &str) -> Result<(), DbErr> {
    let name = format!("{table}_{target}");
    let keys = [
        format!("FOREIGN KEY (organization_id, {table}_id) REFERENCES {table} (organization_id, id) ON DELETE CASCADE"),
        format!("FOREIGN KEY (organization_id, {target}_id) REFERENCES {target} (organization_id, id)"),
    ];
    let is_sqlite = manager.get_connection().get_database_backend() == DbBackend::Sqlite;
    let inline = if is_sqlite { format!(", {}", keys.join(", ")) } else { String::new() };
    run(
        manager,
        &format!(
            "CREATE TABLE {name} (
                organization_id {{uuid}} NOT NULL,
                {table}_id {{uuid}} NOT NULL,
                {target}_id {{uuid}} NOT NULL,
                PRIMARY KEY (organization_id, {table}_id, {target}_id){inline}
            );
            CREATE INDEX ix_{name} ON {name} (organization_id, {target}_id, {table}_id)"
        ),
    )
    .await?;
    if !is_sqlite {
        for key in &keys {
            run(manager, &format!("ALTER TABLE {name} ADD {key}")).await?;
        }
    }
    Ok(())
}

/// The index table of a column that holds a set of texts.
pub async fn items(manager: &SchemaManager<'_>, table: &str, column: &str) -> Result<(), DbErr> {
    run(
        manager,
        &format!(
            "CREATE TABLE {table}_{column} (
                organization_id {{uuid}} NOT NULL,
                {table}_id {{uuid}} NOT NULL,
                item {{text}} NOT NULL,
                PRIMARY KEY (organization_id, {table}_id, item),
                FOREIGN KEY (organization_id, {table}_id) REFERENCES {table} (organization_id, id) ON DELETE CASCADE
            );
            CREATE INDEX ix_{table}_{column} ON {table}_{column} (organization_id, item, {table}_id)"
        ),
    )
    .await
}

/// The indexes of a noun's orders: each leads with the organization and ends with the id.
pub async fn orders(manager: &SchemaManager<'_>, table: &str, columns: &[(&str, bool)]) -> Result<(), DbErr> {
    for (column, is_nullable) in columns {
        let nulls = if *is_nullable { "{nulls first}" } else { "" };
        run(manager, &format!("CREATE INDEX ix_{table}_{column} ON {table} (organization_id, {column} {nulls}, id)"))
            .await?;
    }
    Ok(())
}

/// Adds a nullable reference to rows of `target` to a table that exists, with its foreign key and index.
///
/// SQLite can add no foreign key of two columns to a table. The key does not change what is stored, so it is written
/// into the text of the schema, as <https://sqlite.org/lang_altertable.html#otheralter> describes.
pub async fn add_reference(manager: &SchemaManager<'_>, table: &str, column: &str, target: &str) -> Result<(), DbErr> {
    let key = format!("FOREIGN KEY (organization_id, {column}_id) REFERENCES {target} (organization_id, id)");
    run(manager, &format!("ALTER TABLE {table} ADD COLUMN {column}_id {{uuid}}")).await?;
    let connection = manager.get_connection();
    if connection.get_database_backend() == DbBackend::Sqlite {
        let find = Statement::from_string(DbBackend::Sqlite, "PRAGMA schema_version");
        let version: i64 = connection.query_one_raw(find).await?.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        run(
            manager,
            &format!(
                "PRAGMA writable_schema = ON;
                UPDATE sqlite_schema SET sql = substr(sql, 1, length(sql) - 1) || ', {key})'
                    WHERE type = 'table' AND name = '{table}';
                PRAGMA schema_version = {};
                PRAGMA writable_schema = OFF",
                version + 1
            ),
        )
        .await?;
    } else {
        run(manager, &format!("ALTER TABLE {table} ADD {key}")).await?;
    }
    run(manager, &format!("CREATE INDEX ix_{table}_{column} ON {table} (organization_id, {column}_id, id)")).await
}
