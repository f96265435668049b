//! The harness: the whole service in process on a database of its own, SQLite or PostgreSQL.

use std::sync::{Arc, LazyLock};

use async_graphql::{Response, Variables};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{Permission, Permissions, id::OrganizationId};
use rapport::{
    auth::{Actor, Departments, departments, key::SigningKey, signed_url::UrlSigner, tokens::Tokens},
    graphql::{
        documents::{cache::DocumentCache, limits::Limits},
        types::schema_index::SchemaIndex,
    },
    outbound::Outbound,
    schema::{self, ApiSchema},
    store::{Options, Scope, Store, operation::unscoped::NewOrganization},
};
use serde_json::{Value, json};

use crate::database::Database;

/// The schema's outline, as a server reads it when it starts.
static SHAPE: LazyLock<SchemaIndex> = LazyLock::new(|| SchemaIndex::read(&schema::build().sdl()).unwrap());

/// Signs addresses where no server stands around the schema.
static SIGNER: LazyLock<Arc<UrlSigner>> = LazyLock::new(|| {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let key = SigningKey::parse(pair.to_pkcs8v1().unwrap().as_ref()).unwrap();
    Arc::new(UrlSigner::new(Tokens::new(key, "rapport").unwrap(), None))
});

/// Tests of answers ask for everything at once; what that costs is tested elsewhere.
const LIMITS: Limits = Limits {
    document_bytes: usize::MAX,
    document_tokens: usize::MAX,
    document_selections: usize::MAX,
    cost_limit: u32::MAX,
    ..Limits::DEFAULT
};

/// A server with a database of its own.
pub struct App {
    /// The store, for counting statements.
    pub store: Store,
    /// The database behind it, for what no API shows.
    pub database: Arc<Database>,
    /// The schema, for what runs its own requests.
    pub schema: ApiSchema,
    documents: DocumentCache,
}

/// One caller.
#[derive(Clone)]
pub struct Caller<'a> {
    pub app: &'a App,
    actor: Actor,
    server: Option<Server>,
    /// The time of the caller's requests.
    time: DateTime<Utc>,
}

/// A server in a process of its own, and a token for it.
#[derive(Clone)]
pub struct Server {
    pub url: String,
    pub token: String,
    pub http: reqwest::Client,
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
        Self::with(database, 4).await
    }

    /// A server with so many connections.
    pub async fn with(database: Arc<Database>, max_connections: u32) -> Self {
        let store = Store::open(&Options {
            url: database.url.clone(),
            max_connections,
            acquire_timeout: Options::COMMAND_TIMEOUT,
        })
        .await
        .unwrap()
        .with_addresses(Some(Arc::clone(&SIGNER)))
        .with_outbound(Outbound::new(vec!["127.0.0.0/8".parse().unwrap()]))
        .with_jobs(schema::jobs())
        .with_document_runner(schema::document_runner());
        Self { store, database, schema: schema::build(), documents: DocumentCache::default() }
    }

    pub async fn organization(&self, slug: &str) -> OrganizationId {
        let new = NewOrganization { slug, name: slug, time_zone: "America/New_York", is_noted: false };
        self.store.create_organization(&new, now()).await.unwrap().unwrap()
    }

    pub fn caller(
        &self,
        organization: OrganizationId,
        permissions: impl IntoIterator<Item = Permission>,
    ) -> Caller<'_> {
        let permissions: Permissions = permissions.into_iter().collect();
        let actor = Actor {
            organization,
            subject: "tester".into(),
            client: None,
            permissions,
            expires: None,
            departments: None,
        };
        Caller { app: self, actor, server: None, time: now() }
    }

    /// Plans jobs and performs those that are due at an instant.
    pub async fn run_jobs(&self, at: DateTime<Utc>) {
        self.store.plan_jobs(at).await.unwrap();
        self.store.run_jobs(move || at).await.unwrap();
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

    /// The same caller speaking through an API client.
    pub fn through(&self, client: &str) -> Self {
        let mut through = self.clone();
        through.actor.client = Some(client.to_owned());
        through
    }

    /// The same caller with other permissions.
    #[must_use]
    pub fn with(&self, permissions: impl IntoIterator<Item = Permission>) -> Self {
        let permissions = permissions.into_iter().collect();
        Self { actor: Actor { permissions, ..self.actor.clone() }, ..self.clone() }
    }

    /// The same caller narrowed to departments with these ids.
    #[must_use]
    pub fn of_departments<'b>(&self, ids: impl IntoIterator<Item = &'b str>) -> Self {
        let ids = ids.into_iter().map(|id| departments::parse(id).expect("the id of a department"));
        let departments = Some(Departments::new(ids).expect("few departments"));
        Self { actor: Actor { departments, ..self.actor.clone() }, ..self.clone() }
    }

    /// The same caller, minutes after [`now`].
    #[must_use]
    pub fn after(&self, minutes: i64) -> Self {
        Self { time: now() + TimeDelta::minutes(minutes), ..self.clone() }
    }

    /// The same caller, who asks a server. What the caller may do there is what the token says.
    #[must_use]
    pub fn at(&self, server: Server) -> Self {
        Self { server: Some(server), ..self.clone() }
    }

    /// What the caller's requests run in.
    pub fn scope(&self) -> Scope {
        self.app.store.scope(self.actor.clone(), self.time)
    }

    /// The caller's organization.
    pub fn organization(&self) -> OrganizationId {
        self.actor.organization
    }

    /// Runs a document on the way the endpoint takes it, without the network.
    pub async fn run(&self, document: &str, variables: Value) -> Reply {
        if let Some(Server { url, token, http }) = &self.server {
            let asked = json!({ "query": document, "variables": variables });
            let sent = http.post(format!("{url}/graphql")).bearer_auth(token).json(&asked).send().await.unwrap();
            return Reply { body: sent.json().await.unwrap() };
        }
        self.run_remembering(&self.app.documents, document, variables).await
    }

    /// The same where these documents are known.
    pub async fn run_remembering(&self, documents: &DocumentCache, document: &str, variables: Value) -> Reply {
        let variables = Variables::from_json(variables);
        let prepared = documents
            .read(document, None, &LIMITS, true)
            .and_then(|document| document.prepare(variables, &SHAPE, &LIMITS));
        let mut response = match prepared {
            Ok(prepared) => {
                let scope = self.app.store.scope(self.actor.clone(), self.time);
                prepared.run(&self.app.schema, Some(scope)).await
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

/// References by id.
pub fn refs<T: serde::Serialize>(ids: impl IntoIterator<Item = T>) -> Value {
    ids.into_iter().map(|id| json!({ "id": id })).collect()
}
