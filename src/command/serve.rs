//! The commands `serve` and `demo`.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result};
use chrono::TimeDelta;
use secrecy::ExposeSecret;

use super::{gate, open, tokens, with_api};
use crate::{
    auth::{key::KeyFile, signed_url::UrlSigner, tokens::Tokens},
    clock,
    config::Settings,
    demo,
    exchange::webhook,
    housekeeping,
    http::{self, App, Demo},
    outbound::Outbound,
    schema::{self, ApiSchema},
    store::Store,
};

/// Runs the server until it is stopped; as the demo, with the example database.
pub async fn serve(settings: &Settings, is_demo: bool) -> Result<String> {
    // Read a given key early. A key is generated next to the database file only after the rest has been opened.
    let given = match settings.key_file()? {
        Some(KeyFile::Given(_)) => tokens(settings)?,
        _ => None,
    };
    let (sockets, schema) = (http::Sockets::take(&settings.http)?, schema::build());
    let store = if is_demo { with_api(Store::open(&settings.database).await?) } else { open(settings).await? };
    for requirement in store.unmet_requirements() {
        tracing::warn!("{requirement}");
    }
    let tokens = if given.is_some() { given } else { tokens(settings)? };
    let demo = if is_demo {
        let tokens = tokens.as_ref().context("the demo requires the built-in issuer")?;
        Some(Demo { token: fill(&store, &schema, tokens).await? })
    } else {
        None
    };
    store.must_write().await?;
    let store = store.with_outbound(Outbound::new(settings.webhook_networks.clone()));
    let store = store.with_worker_pools(http::threads()).await;
    let signer = tokens.clone().map(|tokens| UrlSigner::new(tokens, settings.http.public_url.as_deref()));
    let gate = Arc::new(gate(settings, store.clone(), tokens)?);
    store.complete_ledger(None).await.context("--erasure-ledger")?;
    let housekeeping = housekeeping::start(store.clone());
    if let Some(signer) = signer {
        tokio::spawn(webhook::run(store.clone().with_addresses(Some(Arc::new(signer))), clock::now));
    }
    let token = demo.as_ref().map(|demo| demo.token.clone());
    let announce = |address| {
        if let Some(token) = token {
            println!("{}", announcement(settings, address, &token));
        }
    };
    http::serve(App { schema, store, gate, demo }, &settings.http, sockets, announce).await?;
    housekeeping.stop().await;
    Ok(String::new())
}

/// Returns the text that the demo prints once it listens.
fn announcement(settings: &Settings, address: SocketAddr, token: &str) -> String {
    let slug = demo::SLUG;
    // A PostgreSQL URL may contain a password, so it is not printed.
    let database = settings.database_file().map_or_else(
        || "--signing-key rapport-demo.key --database-url …".to_owned(),
        |file| format!("--database-url sqlite://{}", file.display()),
    );
    format!(
        "Rapport is at http://{address}/\nToken, for 12 hours: {token}\nOrganization: {slug}\nAnother token: {} token \
         --organization {slug} --scope \"map:read record:read\" {database}",
        settings.program
    )
}

/// Loads the example data and issues a token for it.
async fn fill(store: &Store, schema: &ApiSchema, tokens: &Tokens) -> Result<String> {
    let organization = demo::seed(store, schema).await?;
    let organization = organization.context("the database contains other data; demo requires a separate database")?;
    let token = tokens.issue(&demo::actor(organization), TimeDelta::hours(12), clock::now())?;
    Ok(token.expose_secret().to_owned())
}
