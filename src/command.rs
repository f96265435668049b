//! The commands. Each returns the text to print.

mod audit;
mod documents;
mod export;
mod import;
pub mod recovery;
mod serve;

pub use self::{audit::audit, documents::documents, export::export, import::import, serve::serve};

use std::path::Path;

use anyhow::{Context, Result, bail};
use entity::{Permission, api_client, department, id, organization};
use sea_orm::{EntityTrait, QueryOrder};
use secrecy::ExposeSecret;

use crate::{
    Error, UserError,
    auth::{
        Actor, Departments, claims, departments::MOST, external_issuer::External, revoked::Revocation, tokens::Tokens,
    },
    clock,
    config::{
        ApiClientCommand, ApiClientRequest, DEMO_FILE, OrganizationCommand, OrganizationRequest, RevokeRequest,
        Settings, TokenRequest,
    },
    demo,
    exchange::api_client as slice,
    graphql::mutation::input::wire_id,
    http::Authenticator,
    schema,
    store::{
        Scope, Store, Tx,
        operation::{
            diagnosis,
            unscoped::{ListedOrganization, NewOrganization},
        },
        writing::draft::Reference,
    },
    suggest,
};

/// Opens the database. Migrates a `SQLite` file; on `PostgreSQL` checks the schema only, since other servers may use
/// it.
pub async fn open(settings: &Settings) -> Result<Store> {
    must_be_there(settings)?;
    let store = Store::open(&settings.database).await?.with_erasure_ledger(settings.erasure_ledger.clone());
    let store = with_api(store);
    let ready = if store.is_ours_to_change() { store.migrate().await } else { store.check_schema().await };
    Ok(ready.map(|()| store)?)
}

/// Returns the store with what its jobs need of the API.
fn with_api(store: Store) -> Store {
    store.with_jobs(schema::jobs()).with_document_runner(schema::document_runner())
}

/// Returns an error if the file is missing and the command does not create it: avoids new files in a wrong folder.
fn must_be_there(settings: &Settings) -> Result<()> {
    let Some(file) = settings.database_file() else { return Ok(()) };
    if settings.command.makes_database() || file.exists() {
        return Ok(());
    }
    let looked_at = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    bail!(
        "database file {} does not exist; create it with `rapport organization create` or `rapport serve`, or select \
         another with --database-url",
        looked_at.display()
    );
}

/// Opens the database and migrates its schema.
pub async fn migrate(settings: &Settings) -> Result<String> {
    let store = Store::open(&settings.database).await?;
    for requirement in store.unmet_requirements() {
        tracing::warn!("{requirement}");
    }
    store.migrate().await?;
    store.must_write().await?;
    store.close().await?;
    Ok(String::new())
}

/// Returns the error message for the operator, with a known cause if there is one and without texts meant for API
/// callers.
pub fn error_message(error: &anyhow::Error) -> String {
    let link = |error: &(dyn std::error::Error + 'static)| match error.downcast_ref::<Error>() {
        // The source of the error is next in the chain and describes it.
        Some(Error::Internal(_)) => None,
        Some(Error::Unavailable | Error::Collision) => {
            Some(diagnosis::last().map_or_else(|| "the database is busy; try again".to_owned(), |cause| cause.0))
        }
        Some(Error::Timeout) => Some("the database did not answer in time".to_owned()),
        _ => Some(error.to_string()),
    };
    error.chain().filter_map(link).collect::<Vec<_>>().join(": ")
}

/// Returns the built-in issuer, if it is on.
pub fn tokens(settings: &Settings) -> Result<Option<Tokens>> {
    let Some(file) = settings.key_file()? else { return Ok(None) };
    let tokens = Tokens::new(file.open()?, &settings.issuer)?;
    Ok(Some(if settings.is_issuer_public { tokens.accepting_default() } else { tokens }))
}

/// Returns the authenticator for the configured issuers.
pub fn gate(settings: &Settings, store: Store, tokens: Option<Tokens>) -> Result<Authenticator> {
    let externals = settings.external_issuers.iter().cloned().map(External::new).collect::<crate::Result<_>>()?;
    Ok(Authenticator::new(store, tokens, externals).with_client_life(settings.client_life))
}

/// Issues an access token.
pub async fn token(settings: &Settings, request: &TokenRequest) -> Result<String> {
    // Open the database first: the key is generated next to a file that must exist.
    settings.key_file()?.context("the built-in issuer is disabled; enable it with --signing-key")?;
    let scope = operator(settings, &request.organization).await?;
    let tokens = tokens(settings)?.context("the built-in issuer is disabled")?;
    let departments = Departments::new(request.departments.iter().copied());
    let departments = departments.with_context(|| format!("a token names at most {MOST} departments"))?;
    let known = scope.select_by_ids((department::ID,), departments.uuids()).await?;
    anyhow::ensure!(known.len() == departments.uuids().len(), "the organization has no such department");
    let actor = Actor {
        subject: request.subject.clone(),
        permissions: request.permissions,
        departments: (!request.departments.is_empty()).then_some(departments),
        ..scope.actor().clone()
    };
    let token = tokens.issue(&actor, request.life, clock::now())?;
    let tx = scope.begin().await?;
    tx.note_act("issuedToken").await?;
    tx.commit().await?;
    Ok(format!("{}\n", token.expose_secret()))
}

/// Creates, lists, suspends and resumes organizations.
pub async fn organization(settings: &Settings, command: &OrganizationCommand) -> Result<String> {
    let (slug, is_suspended) = match command {
        OrganizationCommand::Create(request) => return create_organization(settings, request).await,
        OrganizationCommand::List => return list_organizations(settings).await,
        OrganizationCommand::Suspend { slug } => (slug, true),
        OrganizationCommand::Resume { slug } => (slug, false),
    };
    let tx = operator(settings, slug).await?.begin().await?;
    tx.suspend(is_suspended).await?;
    tx.commit().await?;
    Ok(String::new())
}

async fn create_organization(settings: &Settings, request: &OrganizationRequest) -> Result<String> {
    let (slug, name, time_zone) = (request.slug.as_str(), request.name.as_str(), request.time_zone.name());
    let new = NewOrganization { slug, name, time_zone, is_noted: true };
    let store = open(settings).await?;
    let created = store.create_organization(&new, clock::now()).await?;
    let id = created.with_context(|| format!("organization {} already exists", request.slug))?;
    Ok(format!("{}\n", id::encode(organization::NOUN.prefix, id.into())))
}

async fn list_organizations(settings: &Settings) -> Result<String> {
    let listed = open(settings).await?.listed_organizations().await?;
    let line = |one: &ListedOrganization| {
        let id = id::encode(organization::NOUN.prefix, one.id.into());
        let state = one.suspended_at.map_or_else(|| "active".to_owned(), |at| format!("suspended {at}"));
        format!("{}\t{id}\t{}\t{state}\n", one.slug, one.name.escape_default())
    };
    Ok(listed.iter().map(line).collect())
}

/// Revokes the current tokens of a subject.
pub async fn revoke(settings: &Settings, request: &RevokeRequest) -> Result<String> {
    let tx = operator(settings, &request.organization).await?.begin().await?;
    tx.revoke_tokens(Revocation::Subject, &request.subject).await?;
    tx.note_act("revokedTokens").await?;
    tx.commit().await?;
    Ok(String::new())
}

/// Creates, revokes and lists API clients.
pub async fn api_client(settings: &Settings, command: &ApiClientCommand) -> Result<String> {
    match command {
        ApiClientCommand::Create(request) => create_client(settings, request).await,
        ApiClientCommand::Revoke { organization, id } => {
            let tx = operator(settings, organization).await?.begin().await?;
            let done = slice::revoke(&tx, &Reference::Id(wire_id(api_client::NOUN.prefix, id))).await?;
            commit(tx, done).await.map(|_| String::new())
        }
        ApiClientCommand::List { organization } => {
            let all = api_client::Entity::find().order_by_asc(api_client::Column::Id);
            let rows = operator(settings, organization).await?.all(all).await?;
            Ok(rows.iter().map(line).collect())
        }
    }
}

async fn create_client(settings: &Settings, request: &ApiClientRequest) -> Result<String> {
    let tx = operator(settings, &request.organization).await?.begin().await?;
    let done = slice::make(&tx, &request.name, request.permissions).await?;
    let secret = tx.take_secrets().into_iter().find(|(field, _)| *field == slice::SECRET);
    let (id, _) = commit(tx, done).await?;
    let id = id::encode(api_client::NOUN.prefix, id);
    let (_, secret) = secret.context("the client has no secret")?;
    Ok(format!("id: {id}\nsecret: {}\n", secret.expose_secret()))
}

/// Commits the transaction and returns what it did, or the mistakes as an error.
async fn commit<T>(tx: Tx, done: std::result::Result<T, Vec<UserError>>) -> Result<T> {
    match done {
        Ok(done) => {
            tx.commit().await?;
            Ok(done)
        }
        Err(mistakes) => {
            let messages: Vec<_> =
                mistakes.iter().map(|mistake| format!("{}: {}", mistake.path.join("."), mistake.message)).collect();
            bail!(messages.join("; "))
        }
    }
}

fn line(client: &api_client::Model) -> String {
    let id = id::encode(api_client::NOUN.prefix, client.id.into());
    let known: Vec<_> = slice::scopes(&client.scopes);
    let scopes = claims::scope(known.iter().filter_map(|name| Permission::parse(name)).collect());
    let state = client.revoked_at.map_or_else(|| "active".to_owned(), |at| format!("revoked {}", at.0));
    format!("{id}\t{}\t{scopes}\t{state}\n", client.name.escape_default())
}

/// Opens the database for the operator, who has all permissions, in the organization with that slug.
async fn operator(settings: &Settings, slug: &str) -> Result<Scope> {
    let store = open(settings).await?;
    let Some(organization) = store.organization_by_slug(slug).await? else {
        bail!(no_organization(settings, &store, slug).await?)
    };
    Ok(store.scope(Actor::operator(organization), clock::now()))
}

/// Returns the error message for an unknown slug, with a hint.
async fn no_organization(settings: &Settings, store: &Store, slug: &str) -> Result<String> {
    let known: Vec<String> = store.organizations().await?.into_iter().map(|(_, slug)| slug).collect();
    let meant = suggest::one(slug, known.iter().map(String::as_str));
    let hint = match (meant, known.is_empty()) {
        (Some(meant), _) => format!("; did you mean {meant}?"),
        (None, true) => "; create one with `rapport organization create`".to_owned(),
        (None, false) => "; list the existing ones with `rapport organization list`".to_owned(),
    };
    let is_demo = |file: &Path| file.with_file_name(DEMO_FILE).exists() && slug == demo::SLUG;
    let demo = if settings.database_file().is_some_and(is_demo) {
        format!("; the demo's organization is in {DEMO_FILE}: use --database-url sqlite://{DEMO_FILE}")
    } else {
        String::new()
    };
    Ok(format!("no organization {slug} in {}{hint}{demo}", settings.address()))
}
