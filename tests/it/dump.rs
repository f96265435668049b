//! Everything the database holds of one organization, to see that nothing changed.

use std::collections::BTreeMap;

use entity::id::OrganizationId;
use sqlx::{AssertSqlSafe, Connection, Row};

use crate::app::App;

/// Rows as text, by table.
pub type Dump = BTreeMap<String, Vec<String>>;

impl App {
    /// Every row of every table that belongs to the organization: events and idempotency keys included.
    pub async fn dump(&self, organization: OrganizationId) -> Dump {
        if self.database.url.starts_with("postgres") {
            postgres(&self.database.url, organization).await
        } else {
            sqlite(&self.database.url, organization).await
        }
    }
}

async fn postgres(url: &str, organization: OrganizationId) -> Dump {
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let tables = "SELECT table_name::text FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name = 'organization_id'";
    let mut tables: Vec<(String, &str)> = sqlx::query(tables)
        .fetch_all(&mut connection)
        .await
        .unwrap()
        .iter()
        .map(|row| (row.get(0), "organization_id"))
        .collect();
    tables.push(("organization".to_owned(), "id"));
    let mut dump = Dump::new();
    for (table, tenant) in tables {
        let text = format!("SELECT to_jsonb(t)::text FROM {table} AS t WHERE {tenant} = $1 ORDER BY 1");
        let query = sqlx::query(AssertSqlSafe(text)).bind(organization.0);
        let rows = query.fetch_all(&mut connection).await.unwrap();
        dump.insert(table, rows.iter().map(|row| row.get(0)).collect());
    }
    connection.close().await.unwrap();
    dump
}

async fn sqlite(url: &str, organization: OrganizationId) -> Dump {
    let mut connection = sqlx::SqliteConnection::connect(url).await.unwrap();
    let columns = "SELECT m.name, c.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c
        WHERE m.type = 'table' ORDER BY 1, c.cid";
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in sqlx::query(columns).fetch_all(&mut connection).await.unwrap() {
        tables.entry(row.get(0)).or_default().push(row.get(1));
    }
    let mut dump = Dump::new();
    for (table, columns) in tables {
        let tenant = if table == "organization" { "id" } else { "organization_id" };
        if !columns.iter().any(|column| column == tenant) {
            continue;
        }
        let quoted: Vec<String> = columns.iter().map(|column| format!("quote(\"{column}\")")).collect();
        let text = format!("SELECT json_array({}) FROM {table} WHERE {tenant} = ? ORDER BY 1", quoted.join(", "));
        let query = sqlx::query(AssertSqlSafe(text)).bind(organization.0);
        let rows = query.fetch_all(&mut connection).await.unwrap();
        dump.insert(table, rows.iter().map(|row| row.get(0)).collect());
    }
    connection.close().await.unwrap();
    dump
}
