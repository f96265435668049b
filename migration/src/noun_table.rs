//! Makes the tables of a noun: its own, its sets and its external ids. Steps that exist use it, so what it makes never
//! changes.

use sea_orm_migration::{
    SchemaManager,
    sea_orm::{ConnectionTrait as _, DbBackend, DbErr},
};

use crate::dialect;

/// The tables of a noun whose rows can change and have external ids.
#[derive(Clone, Copy, Debug)]
pub struct NounTable<'a> {
    /// Name of the table.
    pub name: &'a str,
    /// Its columns after `updated_at`, as SQL, in the order of the model.
    pub columns: &'a str,
    /// Its foreign keys: columns, table and columns there, each without the organization. A last column that several
    /// keys have gets one index.
    pub keys: &'a [(&'a str, &'a str, &'a str)],
    /// Columns that are unique together with the organization, for the keys of other tables.
    pub unique: &'a [&'a str],
    /// Orderable columns, and whether they are nullable; those of every noun are known.
    pub orders: &'a [(&'a str, bool)],
    /// Columns with tags.
    pub tags: &'a [&'a str],
    /// Whether it has a column `attributes`.
    pub has_attributes: bool,
}

impl NounTable<'_> {
    /// No columns of its own.
    pub const NONE: Self =
        Self { name: "", columns: "", keys: &[], unique: &[], orders: &[], tags: &[], has_attributes: false };

    /// Creates the tables with their keys and indexes.
    pub async fn create(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let Self { name, columns, .. } = self;
        let unique: Vec<String> =
            self.unique.iter().map(|columns| format!(", UNIQUE (organization_id, {columns})")).collect();
        let table = format!(
            "CREATE TABLE {name} (
                organization_id {{uuid}} NOT NULL,
                id {{uuid}} NOT NULL,
                version BIGINT NOT NULL,
                created_at BIGINT NOT NULL,
                updated_at BIGINT NOT NULL,
                {columns},
                {{key}}{}",
            unique.concat()
        );
        let own = "FOREIGN KEY (organization_id) REFERENCES organization (id)".to_owned();
        let others = self.keys.iter().map(|(columns, other, theirs)| key(columns, other, theirs, ""));
        create(manager, name, table, &std::iter::once(own).chain(others).collect::<Vec<_>>()).await?;
        let mut indexed: Vec<&str> = Vec::new();
        for (columns, ..) in self.keys {
            let column = columns.rsplit(", ").next().unwrap_or(columns);
            if !indexed.contains(&column) {
                indexed.push(column);
                let index = format!("CREATE INDEX ix_{name}_{column} ON {name} (organization_id, {column}, id)");
                dialect::run(manager, &index).await?;
            }
        }
        dialect::orders(manager, name, &[("created_at", false), ("updated_at", false)]).await?;
        dialect::orders(manager, name, self.orders).await?;
        for column in self.tags {
            items(manager, name, column, "").await?;
        }
        if self.has_attributes {
            attributes(manager, name).await?;
        }
        dialect::external_ids(manager, name).await
    }
}

/// Creates the index table of a noun's attributes.
pub async fn attributes(manager: &SchemaManager<'_>, noun: &str) -> Result<(), DbErr> {
    items(
        manager,
        noun,
        "attributes",
        "value_folded {text},
        number DOUBLE PRECISION,
        instant BIGINT,",
    )
    .await?;
    // As in m0014: the server looks for attributes that are not read yet.
    let unread = format!(
        "CREATE INDEX ix_{noun}_attributes_unread ON {noun}_attributes (organization_id, item)
            WHERE value_folded IS NULL"
    );
    dialect::run(manager, &unread).await
}

/// Creates the index table of a set, with more columns for each item.
pub async fn items(manager: &SchemaManager<'_>, noun: &str, column: &str, more: &str) -> Result<(), DbErr> {
    let name = format!("{noun}_{column}");
    let table = format!(
        "CREATE TABLE {name} (
            organization_id {{uuid}} NOT NULL,
            {noun}_id {{uuid}} NOT NULL,
            item {{text}} NOT NULL,
            {more}
            PRIMARY KEY (organization_id, {noun}_id, item)"
    );
    create(manager, &name, table, &[key(&format!("{noun}_id"), noun, "id", " ON DELETE CASCADE")]).await?;
    dialect::run(manager, &format!("CREATE INDEX ix_{name} ON {name} (organization_id, item, {noun}_id)")).await
}

/// Returns a foreign key to a table: columns here and there, each without the organization, and what a deletion does.
pub fn key(columns: &str, other: &str, theirs: &str, action: &str) -> String {
    format!("FOREIGN KEY (organization_id, {columns}) REFERENCES {other} (organization_id, {theirs}){action}")
}

/// Creates a table, then its foreign keys, so that a table can be distributed before others refer to it. `SQLite` can
/// only make both at once. `table` lacks the closing parenthesis.
pub async fn create(manager: &SchemaManager<'_>, name: &str, table: String, keys: &[String]) -> Result<(), DbErr> {
    if manager.get_connection().get_database_backend() == DbBackend::Sqlite {
        let parts: Vec<&str> = std::iter::once(table.as_str()).chain(keys.iter().map(String::as_str)).collect();
        return dialect::run(manager, &format!("{})", parts.join(", "))).await;
    }
    dialect::run(manager, &format!("{table})")).await?;
    for key in keys {
        dialect::run(manager, &format!("ALTER TABLE {name} ADD {key}")).await?;
    }
    Ok(())
}
