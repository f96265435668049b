//! The harness: the whole service in process on a database of its own, SQLite or PostgreSQL.

use std::sync::{Arc, LazyLock};

use async_graphql::{Response, Variables};
use chrono::{DateTime, Utc};
use entity::{Permission, Permissions, id::OrganizationId};
use rapport::{
    auth::Actor,
    graphql::{document::Document, limits::Limits, shape::Shape},
    schema::{self, ApiSchema},
    store::{Options, Store, system::NewOrganization},
};
use serde_json::{Value, json};

use crate::database::Database;

/// The schema's outline, as a server reads it when it starts.
static SHAPE: LazyLock<Shape> = LazyLock::new(|| Shape::read(&schema::build().sdl()).unwrap());

/// A server with a database of its own.
pub struct App {
    /// The store, for counting statements.
    pub store: Store,
    /// The database behind it, for what no API shows.
    pub database: Arc<Database>,
    /// The schema, for what runs its own requests.
    pub schema: ApiSchema,
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
        Self::on(Arc::new(Database::make().await)).await
    }

    /// A server on a database that other servers may be on, too.
    pub async fn on(database: Arc<Database>) -> Self {
        let store = Store::open(&Options { url: database.url.clone(), max_connections: 4 }).await.unwrap();
        Self { store, database, schema: schema::build() }
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
    /// The same caller under another name.
    pub fn named(&self, subject: &str) -> Self {
        let mut named = self.clone();
        subject.clone_into(&mut named.actor.subject);
        named
    }

    /// The same caller with other permissions.
    #[must_use]
    pub fn with(&self, permissions: impl IntoIterator<Item = Permission>) -> Self {
        let permissions = permissions.into_iter().collect();
        Self { app: self.app, actor: Actor { permissions, ..self.actor.clone() } }
    }

    /// The caller's organization.
    pub fn organization(&self) -> OrganizationId {
        self.actor.organization
    }

    /// Runs a document on the way the endpoint takes it, without the network.
    pub async fn run(&self, document: &str, variables: Value) -> Reply {
        let variables = Variables::from_json(variables);
        // Tests of answers ask for everything at once; what that costs is tested elsewhere.
        let limits = Limits { cost_limit: u32::MAX, ..Limits::DEFAULT };
        let prepared =
            Document::read(document, None, &limits).and_then(|document| document.prepare(variables, &SHAPE, &limits));
        let mut response = match prepared {
            Ok(prepared) => {
                let scope = self.app.store.scope(self.actor.clone(), now());
                self.app.schema.execute(prepared.request.data(scope)).await
            }
            Err(error) => Response::from_errors(vec![error]),
        };
        rapport::graphql::failure::publish(&mut response, "test");
        Reply { body: serde_json::to_value(&response).unwrap() }
    }

    /// The data of an answer without errors.
    #[track_caller]
    pub fn data(&self, document: &str, variables: Value) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            let mut reply = self.run(document, variables).await;
            assert_eq!(reply.body.get("errors"), None, "asked at {caller}: {:#}", reply.body);
            reply.body["data"].take()
        }
    }

    /// The data of an answer without errors to a question without variables.
    #[track_caller]
    pub fn ask(&self, document: &str) -> impl Future<Output = Value> {
        self.data(document, json!({}))
    }

    /// The payload of one mutation field.
    #[track_caller]
    pub fn mutate(&self, field: &str, input: Value, selection: &str) -> impl Future<Output = Value> {
        let (first, rest) = field.split_at(1);
        let ty = format!("{}{rest}Input!", first.to_ascii_uppercase());
        let document = format!("mutation($input: {ty}) {{ {field}(input: $input) {{ {selection} }} }}");
        let caller = std::panic::Location::caller();
        let field = field.to_owned();
        async move {
            let mut reply = self.run(&document, json!({ "input": input })).await;
            assert_eq!(reply.body.get("errors"), None, "changed at {caller}: {:#}", reply.body);
            reply.body["data"][field].take()
        }
    }
}
