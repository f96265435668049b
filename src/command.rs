//! What the command line does. Each command answers with what to print.

mod audit;
pub mod recovery;
mod serve;

pub use self::{audit::audit, serve::serve};

use anyhow::{Context, Result, bail};
use entity::{Permission, api_client, event::EventOperation, id, organization};
use sea_orm::{EntityTrait, QueryOrder};
use secrecy::ExposeSecret;

use crate::{
    auth::{Actor, claims, external::External, tokens::Tokens, withdrawn::Withdrawal},
    clock,
    config::{
        ApiClientCommand, ApiClientRequest, OrganizationCommand, OrganizationRequest, RevokeRequest, Settings,
        TokenRequest,
    },
    exchange::api_client as slice,
    graphql::{input::wire_id, slice::Done},
    http::Gate,
    store::{Scope, Store, Tx, event::Event, system::NewOrganization},
};

/// Opens the database. A file is ours to bring up to date; other servers may be at work on `PostgreSQL`.
pub async fn open(settings: &Settings) -> Result<Store> {
    let store = Store::open(&settings.database).await?.with_erasure_ledger(settings.erasure_ledger.clone());
    let ready = if store.is_postgres() { store.check_schema().await } else { store.migrate().await };
    Ok(ready.map(|()| store)?)
}

/// The built-in issuer, if it is on.
pub fn tokens(settings: &Settings) -> Result<Option<Tokens>> {
    let Some(file) = settings.key_file()? else { return Ok(None) };
    Ok(Some(Tokens::new(file.open()?, &settings.issuer)?))
}

/// Who gets in.
pub fn gate(settings: &Settings, store: Store, tokens: Option<Tokens>) -> Result<Gate> {
    let externals = settings.external_issuers.iter().cloned().map(External::new).collect::<crate::Result<_>>()?;
    Ok(Gate::new(store, tokens, externals).with_client_life(settings.client_life))
}

/// Issues a token.
pub async fn token(settings: &Settings, request: &TokenRequest) -> Result<String> {
    let tokens = tokens(settings)?.context("the built-in issuer is off; --signing-key turns it on")?;
    let scope = operator(settings, &request.organization).await?;
    let actor = Actor { subject: request.subject.clone(), permissions: request.permissions, ..scope.actor().clone() };
    let token = tokens.issue(&actor, request.life, clock::now())?;
    let tx = scope.begin().await?;
    tx.note_act("issuedToken").await?;
    tx.commit().await?;
    Ok(format!("{}\n", token.expose_secret()))
}

/// Manages organizations.
pub async fn organization(settings: &Settings, command: &OrganizationCommand) -> Result<String> {
    let (slug, is_suspended) = match command {
        OrganizationCommand::Create(request) => return create_organization(settings, request).await,
        OrganizationCommand::Suspend { slug } => (slug, true),
        OrganizationCommand::Resume { slug } => (slug, false),
    };
    let tx = operator(settings, slug).await?.begin().await?;
    tx.suspend(is_suspended).await?;
    tx.commit().await?;
    Ok(String::new())
}

async fn create_organization(settings: &Settings, request: &OrganizationRequest) -> Result<String> {
    let new = NewOrganization { slug: &request.slug, name: &request.name, time_zone: request.time_zone.name() };
    let store = open(settings).await?;
    let created = store.create_organization(&new, clock::now()).await?;
    let id = created.with_context(|| format!("there is already an organization {}", request.slug))?;
    let tx = store.scope(Actor::operator(id), clock::now()).begin().await?;
    let fields = vec!["slug", "name", "timeZone"];
    tx.note(Event { noun: organization::NOUN.name, row: id.0, operation: EventOperation::Created, version: 1, fields });
    tx.commit().await?;
    Ok(format!("{}\n", id::encode(organization::NOUN.prefix, id.into())))
}

/// Refuses the tokens that a subject holds.
pub async fn revoke(settings: &Settings, request: &RevokeRequest) -> Result<String> {
    let tx = operator(settings, &request.organization).await?.begin().await?;
    tx.withdraw(Withdrawal::Subject, &request.subject).await?;
    tx.note_act("revokedTokens").await?;
    tx.commit().await?;
    Ok(String::new())
}

/// Manages API clients.
pub async fn api_client(settings: &Settings, command: &ApiClientCommand) -> Result<String> {
    match command {
        ApiClientCommand::Create(request) => create_client(settings, request).await,
        ApiClientCommand::Revoke { organization, id } => {
            let tx = operator(settings, organization).await?.begin().await?;
            let done = slice::revoke(&tx, wire_id(api_client::NOUN.prefix, id)).await?;
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
    let secret = tx.told().into_iter().find(|(field, _)| *field == slice::SECRET);
    let id = commit(tx, done).await?;
    let (_, secret) = secret.context("the client has no secret")?;
    Ok(format!("{id}\n{}\n", secret.expose_secret()))
}

/// Keeps what was done, or says what was wrong.
async fn commit(tx: Tx, done: Done) -> Result<String> {
    match done {
        Ok((id, _)) => {
            tx.commit().await?;
            Ok(id::encode(api_client::NOUN.prefix, id))
        }
        Err(mistakes) => {
            let told: Vec<_> =
                mistakes.iter().map(|mistake| format!("{}: {}", mistake.path.join("."), mistake.message)).collect();
            bail!(told.join("; "))
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

/// Whoever sits at the machine, in the organization of that slug: they may do everything.
async fn operator(settings: &Settings, slug: &str) -> Result<Scope> {
    let store = open(settings).await?;
    let organization = store.organization_by_slug(slug).await?;
    let organization = organization.with_context(|| format!("there is no organization {slug}"))?;
    Ok(store.scope(Actor::operator(organization), clock::now()))
}
