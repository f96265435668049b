//! The example organization, loaded once; each test has a copy of it.

use std::{sync::Arc, time::UNIX_EPOCH};

use async_graphql::Variables;
use entity::{Permission, id::OrganizationId};
use rapport::{
    clock, demo,
    graphql::{execution::run, types::schema_index::SchemaIndex},
};
use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    database::{Database, migrate},
};

/// A server on the example's database.
pub struct Example {
    pub app: App,
    organization: OrganizationId,
}

impl Example {
    /// One that the test may change.
    pub async fn own() -> Self {
        let database = Database::copy(&format!("example_{}", program()), async |url| load(url).await).await;
        let organization = database.look(format!("SELECT {} FROM organization", database.id("id"))).await;
        let organization = organization[0][0].as_deref().unwrap().parse().unwrap();
        Self { app: App::on(Arc::new(database)).await, organization: OrganizationId(organization) }
    }

    /// Sends everything that the demo sends once more, under new idempotency keys if `is_fresh`.
    pub async fn load_again(&self, is_fresh: bool) -> demo::Outcomes {
        let index = SchemaIndex::read(&self.app.schema.sdl()).unwrap();
        let execute = async |document: String, mut variables: Value| {
            if let (true, Value::String(key)) = (is_fresh, &mut variables["input"]["idempotencyKey"]) {
                key.push_str("-again");
            }
            let scope = self.app.store.scope(demo::actor(self.organization), clock::now());
            let asked = (document.as_str(), Variables::from_json(variables));
            Ok(serde_json::to_value(run::execute(&self.app.schema, &index, asked, scope).await).unwrap())
        };
        demo::load(execute).await.unwrap()
    }

    /// Somebody who may do everything there.
    pub fn admin(&self) -> Caller<'_> {
        self.app.caller(self.organization, Permission::ALL)
    }

    /// The database, for what no API shows.
    pub fn database(&self) -> &Database {
        &self.app.database
    }
}

/// Loads the example organization into an empty database.
async fn load(url: String) {
    migrate(&url).await;
    let database = Database::at(url);
    if !database.is_sqlite() {
        // The statistics are those of the server, not of an autovacuum that comes while the table grows.
        database.change("ALTER TABLE feedback_record_attributes SET (autovacuum_enabled = false)").await;
    }
    let app = App::on(Arc::new(database)).await;
    demo::seed(&app.store, &app.schema).await.unwrap().expect("the database was empty");
    // As housekeeping does a few seconds after a load: until then PostgreSQL knows nothing of the rows it plans for.
    app.store.analyze_new_tables().await.unwrap();
    app.store.close().await.unwrap();
}

/// Tells programs and days apart: what the demo has depends on both.
fn program() -> String {
    let built = std::fs::metadata(std::env::current_exe().unwrap()).unwrap().modified().unwrap();
    let built = built.duration_since(UNIX_EPOCH).unwrap().as_nanos();
    format!("{built}_{}", clock::now().date_naive().format("%Y%m%d"))
}

/// The numbers counted in the file without Rapport: `examples/complaints/count.py` prints them.
pub fn counted() -> Value {
    serde_json::from_str(include_str!("data/complaints_counts.json")).unwrap()
}

/// All rows of a list, page by page. `document` takes `$first`, `$after` and what `variables` hold, and names the list `rows`.
pub async fn paged(caller: &Caller<'_>, document: &str, mut variables: Value) -> Vec<Value> {
    let mut rows = Vec::new();
    loop {
        let data = caller.data(document, variables.clone()).await;
        let page = &data["rows"];
        rows.extend(page["nodes"].as_array().unwrap().iter().cloned());
        if page["pageInfo"]["hasNextPage"] == false {
            return rows;
        }
        variables["after"] = page["pageInfo"]["endCursor"].clone();
        assert_ne!(variables["after"], json!(null));
    }
}
