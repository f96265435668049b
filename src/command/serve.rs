//! The command that serves, also with the example database.

use std::sync::Arc;

use anyhow::{Context, Result};
use chrono::TimeDelta;
use secrecy::ExposeSecret;

use super::{gate, open, tokens};
use crate::{
    auth::tokens::Tokens,
    clock,
    config::Settings,
    demo, housekeeping,
    http::{self, App, Demo},
    schema::{self, ApiSchema},
    store::Store,
};

/// Runs the server until it is stopped; with the example database if it is the demo.
pub async fn serve(settings: &Settings, is_demo: bool) -> Result<String> {
    let (tokens, schema) = (tokens(settings)?, schema::build());
    let (store, demo) = if is_demo {
        let store = Store::open(&settings.database).await?;
        let tokens = tokens.as_ref().context("the demo issues its own tokens")?;
        let token = fill(&store, &schema, tokens).await?;
        (store, Some(Demo { token }))
    } else {
        (open(settings).await?, None)
    };
    let store = store.for_threads(http::threads()).await;
    let gate = Arc::new(gate(settings, store.clone(), tokens)?);
    store.complete_ledger().await.context("--erasure-ledger")?;
    let housekeeping = housekeeping::start(store.clone());
    let token = demo.as_ref().map(|demo| demo.token.clone());
    let announce = |address| {
        if let Some(token) = token {
            println!("Rapport is at http://{address}/\nToken, for 12 hours: {token}");
        }
    };
    http::serve(App { schema, store, gate, demo }, &settings.http, announce).await?;
    housekeeping.stop().await;
    Ok(String::new())
}

/// Fills the example database and issues a token for it.
async fn fill(store: &Store, schema: &ApiSchema, tokens: &Tokens) -> Result<String> {
    let organization = demo::seed(store, schema).await?;
    let organization = organization.context("the database holds other data; demo only uses one of its own")?;
    let token = tokens.issue(&demo::actor(organization), TimeDelta::hours(12), clock::now())?;
    Ok(token.expose_secret().to_owned())
}
