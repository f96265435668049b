//! The command line: reads the settings, runs one command, prints its result or one sentence on what went wrong.

use std::{io::Write, process::ExitCode, sync::Arc};

use anyhow::{Context, Result};
use chrono::TimeDelta;
use entity::{id, organization};
use rapport::{
    auth::{Actor, tokens::Tokens},
    clock,
    config::{Command, OrganizationCommand, OrganizationRequest, Settings, Stop, TokenRequest},
    demo, housekeeping,
    http::{self, App, Demo},
    schema::{self, ApiSchema},
    store::{Store, system::NewOrganization},
    telemetry,
};
use secrecy::ExposeSecret;

#[actix_web::main]
async fn main() -> ExitCode {
    let (text, code) = match run().await {
        Ok(text) => (text, 0),
        Err(error) => match error.downcast_ref::<Stop>() {
            Some(Stop::Shown(help)) => (help.clone(), 0),
            stop => {
                eprintln!("rapport: {error:#}");
                (String::new(), if stop.is_some() { 2 } else { 1 })
            }
        },
    };
    let printed = std::io::stdout().write_all(text.as_bytes());
    if printed.is_ok() { ExitCode::from(code) } else { ExitCode::FAILURE }
}

/// What to print.
async fn run() -> Result<String> {
    let settings = Settings::read()?;
    telemetry::start(settings.log.clone(), settings.log_format);
    match &settings.command {
        Command::Serve => start(&settings, false).await,
        Command::Demo => start(&settings, true).await,
        Command::Migrate => Ok(Store::open(&settings.database).await?.migrate().await.map(|()| String::new())?),
        Command::Schema => Ok(schema::build().sdl()),
        Command::Token(request) => token(&settings, request).await,
        Command::Organization(OrganizationCommand::Create(request)) => create_organization(&settings, request).await,
    }
}

/// A file is ours to bring up to date; other servers may be at work on a `PostgreSQL` database.
async fn open(settings: &Settings) -> Result<Store> {
    let store = Store::open(&settings.database).await?;
    let ready = if store.is_postgres() { store.check_schema().await } else { store.migrate().await };
    Ok(ready.map(|()| store)?)
}

async fn start(settings: &Settings, is_demo: bool) -> Result<String> {
    let tokens = Arc::new(Tokens::new(settings.key_file()?.open()?, &settings.issuer)?);
    let schema = schema::build();
    let (store, demo) = if is_demo {
        let store = Store::open(&settings.database).await?;
        let token = demo(&store, &schema, &tokens).await?;
        (store, Some(Demo { token }))
    } else {
        (open(settings).await?, None)
    };
    housekeeping::start(store.clone());
    let token = demo.as_ref().map(|demo| demo.token.clone());
    let announce = |address| {
        if let Some(token) = token {
            println!("Rapport is at http://{address}/\nToken, for 12 hours: {token}");
        }
    };
    http::serve(App { schema, store, tokens, demo }, &settings.http, announce).await?;
    Ok(String::new())
}

/// Fills the example database and issues a token for it.
async fn demo(store: &Store, schema: &ApiSchema, tokens: &Tokens) -> Result<String> {
    let organization = demo::seed(store, schema).await?;
    let organization = organization.context("the database holds other data; demo only uses one of its own")?;
    let token = tokens.issue(&demo::actor(organization), TimeDelta::hours(12), clock::now())?;
    Ok(token.expose_secret().to_owned())
}

async fn token(settings: &Settings, request: &TokenRequest) -> Result<String> {
    let tokens = Tokens::new(settings.key_file()?.open()?, &settings.issuer)?;
    let organization = open(settings).await?.organization_by_slug(&request.organization).await?;
    let actor = Actor {
        organization: organization.with_context(|| format!("there is no organization {}", request.organization))?,
        subject: request.subject.clone(),
        client: None,
        permissions: request.permissions,
    };
    let token = tokens.issue(&actor, request.life, clock::now())?;
    Ok(format!("{}\n", token.expose_secret()))
}

async fn create_organization(settings: &Settings, request: &OrganizationRequest) -> Result<String> {
    let new = NewOrganization { slug: &request.slug, name: &request.name, time_zone: request.time_zone.name() };
    let created = open(settings).await?.create_organization(&new, clock::now()).await?;
    let id = created.with_context(|| format!("there is already an organization {}", request.slug))?;
    Ok(format!("{}\n", id::encode(organization::NOUN.prefix, id.into())))
}
