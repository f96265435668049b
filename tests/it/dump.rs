//! Everything the database holds of one organization, to see that nothing changed.

use std::collections::BTreeMap;

use entity::id::OrganizationId;

use crate::app::App;

/// Rows as text, by table.
pub type Dump = BTreeMap<String, Vec<String>>;

impl App {
    /// Every row of every table that belongs to the organization: events and idempotency keys included.
    pub async fn dump(&self, organization: OrganizationId) -> Dump {
        let mut dump = Dump::new();
        let mut parts = Vec::new();
        for (table, columns) in self.tables().await {
            let tenant = if table == "organization" { "id" } else { "organization_id" };
            if !columns.iter().any(|column| column == tenant) {
                continue;
            }
            let row = if self.database.is_sqlite() {
                let quoted: Vec<String> = columns.iter().map(|column| format!("quote(t.\"{column}\")")).collect();
                format!("json_array({})", quoted.join(", "))
            } else {
                "CAST(to_jsonb(t) AS TEXT)".to_owned()
            };
            let owned = format!("{} = '{}'", self.database.id(tenant), organization.0.simple());
            parts.push(format!("SELECT '{table}' AS held, {row} FROM {table} AS t WHERE {owned}"));
            dump.insert(table, Vec::new());
        }
        for row in self.database.look(format!("{} ORDER BY 1, 2", parts.join(" UNION ALL "))).await {
            if let [Some(table), Some(text)] = row.as_slice() {
                dump.get_mut(table).expect("it was asked for").push(text.clone());
            }
        }
        dump
    }

    /// Every table with its columns.
    pub async fn tables(&self) -> BTreeMap<String, Vec<String>> {
        let sql = if self.database.is_sqlite() {
            // The tables of FTS5 hold nothing but the words of `search_entry`.
            "SELECT m.name, c.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c
             WHERE m.type = 'table' AND m.name NOT LIKE 'search\\_text%' ESCAPE '\\'"
        } else {
            "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns
             WHERE table_schema = 'public'"
        };
        let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in self.database.look(sql.to_owned()).await {
            if let [Some(table), Some(column)] = row.as_slice() {
                tables.entry(table.clone()).or_default().push(column.clone());
            }
        }
        tables
    }
}
