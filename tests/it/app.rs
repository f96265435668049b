//! The harness: the whole service in process on a database of its own, SQLite or PostgreSQL.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, Utc};
use entity::{Permission, Permissions, id::OrganizationId};
use rapport::{
    auth::Actor,
    schema::{self, ApiSchema},
    store::{Options, Store, system::NewOrganization},
};
use serde_json::{Value, json};

/// A server with a database of its own.
pub struct App {
    /// The store, for counting statements.
    pub store: Store,
    /// Address of the database.
    pub url: String,
    schema: ApiSchema,
    _directory: Option<tempfile::TempDir>,
}

/// One caller.
#[derive(Clone)]
pub struct Caller<'a> {
    app: &'a App,
    actor: Actor,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub body: Value,
}

pub fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-11-22T12:00:00Z").unwrap().with_timezone(&Utc)
}

impl App {
    pub async fn start() -> Self {
        let (url, directory) = match std::env::var("RAPPORT_TEST_POSTGRES") {
            Ok(url) => (postgres_database(&url).await, None),
            Err(_) => {
                let directory = tempfile::tempdir().unwrap();
                (format!("sqlite://{}/test.db?mode=rwc", directory.path().display()), Some(directory))
            }
        };
        let store = Store::open(&Options { url: url.clone(), max_connections: 4 }).await.unwrap();
        store.migrate().await.unwrap();
        Self { store, url, schema: schema::build(), _directory: directory }
    }

    pub async fn organization(&self, slug: &str) -> OrganizationId {
        let new = NewOrganization { slug, name: slug, time_zone: "America/New_York" };
        self.store.create_organization(&new, now()).await.unwrap().unwrap()
    }

    pub fn caller(
        &self,
        organization: OrganizationId,
        permissions: impl IntoIterator<Item = Permission>,
    ) -> Caller<'_> {
        let permissions: Permissions = permissions.into_iter().collect();
        Caller { app: self, actor: Actor { organization, subject: "tester".into(), client: None, permissions } }
    }

    pub async fn admin(&self, slug: &str) -> Caller<'_> {
        let organization = self.organization(slug).await;
        self.caller(organization, Permission::ALL)
    }
}

impl Caller<'_> {
    pub fn organization(&self) -> OrganizationId {
        self.actor.organization
    }

    /// The same caller with other permissions.
    #[must_use]
    pub fn with(&self, permissions: impl IntoIterator<Item = Permission>) -> Self {
        let permissions = permissions.into_iter().collect();
        Self { app: self.app, actor: Actor { permissions, ..self.actor.clone() } }
    }

    pub async fn run(&self, document: &str, variables: Value) -> Reply {
        let scope = self.app.store.scope(self.actor.clone(), now());
        let request =
            async_graphql::Request::new(document).variables(async_graphql::Variables::from_json(variables)).data(scope);
        let mut response = self.app.schema.execute(request).await;
        rapport::graphql::failure::publish(&mut response, "test");
        Reply { body: serde_json::to_value(&response).unwrap() }
    }

    pub async fn ask(&self, document: &str) -> Value {
        let reply = self.run(document, json!({})).await;
        assert_eq!(reply.body.get("errors"), None, "{:#}", reply.body);
        reply.body["data"].clone()
    }
}

/// A new database on the server of `url`, made from a template that was migrated once.
async fn postgres_database(url: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("rapport_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    use sqlx::{Connection, Executor};
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    connection.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    let (base, _) = url.rsplit_once('/').unwrap();
    format!("{base}/{name}")
}
