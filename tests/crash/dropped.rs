//! Transactions that are dropped while they begin: a connection must not return to the pool with one open.

use std::time::Duration;

use chrono::DateTime;
use entity::Permission;
use rapport::{
    auth::Actor,
    store::{Options, Store, operation::unscoped::NewOrganization},
};

use crate::{
    cluster::{Cluster, NAME},
    dice::Dice,
    proxy::{Proxy, Target},
};

/// Maximum delay of each chunk between the store and PostgreSQL, in milliseconds.
const DELAY: u64 = 5;

pub async fn on_postgres(mut dice: Dice) {
    let cluster = Cluster::make().await;
    let wire = Proxy::start(Target::Socket(cluster.socket()), DELAY, dice.fork()).await;
    let store = open(format!("postgres://{NAME}@{}/{NAME}?sslmode=disable", wire.address)).await;
    drop_beginnings(&store, &mut dice).await;
    // PostgreSQL itself would end the transactions after 10 seconds, so the timeout is shorter.
    let quiet = async {
        while !cluster.in_transaction().await.is_empty() {
            dice.moment(50).await;
        }
    };
    let is_quiet = tokio::time::timeout(Duration::from_secs(5), quiet).await.is_ok();
    assert!(is_quiet, "left open: {:?}", cluster.in_transaction().await);
}

pub async fn on_sqlite(mut dice: Dice) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/rapport.db?mode=rwc", folder.path().display());
    let store = open(url.clone()).await;
    drop_beginnings(&store, &mut dice).await;
    // The file must not be locked, neither for the same connection nor for another one.
    organization(&store, "next").await;
    organization(&open(url).await, "other").await;
}

async fn open(url: String) -> Store {
    let store =
        Store::open(&Options { url, max_connections: 4, acquire_timeout: Options::COMMAND_TIMEOUT }).await.unwrap();
    store.migrate().await.unwrap();
    store
}

async fn organization(store: &Store, slug: &str) -> Actor {
    let new = NewOrganization { slug, name: slug, time_zone: "UTC", is_noted: false };
    let organization = store.create_organization(&new, DateTime::UNIX_EPOCH).await.unwrap().unwrap();
    let permissions = Permission::ALL.into_iter().collect();
    Actor { organization, subject: "tester".to_owned(), client: None, permissions, expires: None, departments: None }
}

async fn drop_beginnings(store: &Store, dice: &mut Dice) {
    let scope = store.scope(organization(store, "acme").await, DateTime::UNIX_EPOCH);
    let mut dropped = 0;
    while dropped < 100 {
        // On SQLite a transaction begins at once if the writer is free, so keep it busy.
        let held = if store.is_postgres() { None } else { Some(scope.begin().await.unwrap()) };
        tokio::select! {
            begun = scope.begin() => match begun {
                Ok(tx) => tx.roll_back().await.unwrap(),
                // No connection became free within a second on a busy machine.
                Err(error) => assert_eq!(error.code(), "UNAVAILABLE"),
            },
            () = dice.moment(if store.is_postgres() { 4 * DELAY } else { 1 }) => dropped += 1,
        }
        if let Some(held) = held {
            held.roll_back().await.unwrap();
        }
    }
}
