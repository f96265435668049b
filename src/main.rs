//! The command line: reads the settings, runs one command, prints its result or one sentence on what went wrong.

use std::{io::Write, process::ExitCode, sync::Arc};

use anyhow::{Context, Result};
use chrono::TimeDelta;
use rapport::{
    auth::tokens::Tokens,
    clock, command,
    config::{Command, Settings, Stop},
    demo, housekeeping,
    http::{self, App, Demo},
    schema::{self, ApiSchema},
    store::Store,
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
        Command::Token(request) => command::token(&settings, request).await,
        Command::Revoke(request) => command::revoke(&settings, request).await,
        Command::Organization(asked) => command::organization(&settings, asked).await,
        Command::ApiClient(asked) => command::api_client(&settings, asked).await,
    }
}

async fn start(settings: &Settings, is_demo: bool) -> Result<String> {
    let (tokens, schema) = (command::tokens(settings)?, schema::build());
    let (store, demo) = if is_demo {
        let store = Store::open(&settings.database).await?;
        let tokens = tokens.as_ref().context("the demo issues its own tokens")?;
        let token = demo(&store, &schema, tokens).await?;
        (store, Some(Demo { token }))
    } else {
        (command::open(settings).await?, None)
    };
    let gate = Arc::new(command::gate(settings, store.clone(), tokens)?);
    housekeeping::start(store.clone());
    let token = demo.as_ref().map(|demo| demo.token.clone());
    let announce = |address| {
        if let Some(token) = token {
            println!("Rapport is at http://{address}/\nToken, for 12 hours: {token}");
        }
    };
    http::serve(App { schema, store, gate, demo }, &settings.http, announce).await?;
    Ok(String::new())
}

/// Fills the example database and issues a token for it.
async fn demo(store: &Store, schema: &ApiSchema, tokens: &Tokens) -> Result<String> {
    let organization = demo::seed(store, schema).await?;
    let organization = organization.context("the database holds other data; demo only uses one of its own")?;
    let token = tokens.issue(&demo::actor(organization), TimeDelta::hours(12), clock::now())?;
    Ok(token.expose_secret().to_owned())
}
