//! What is withdrawn on one server is refused on each. The time is the test's own: nothing is waited for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{Permission, Permissions, id};
use rapport::{
    Error,
    auth::{Actor, revoked::Revocation},
    exchange::api_client,
    http::Authenticator,
    store::{Options, Store, Tx, writing::draft::Reference},
};
use sea_orm::prelude::Uuid;
use secrecy::ExposeSecret;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

use crate::server::{Door, now};

/// What a slow wire takes to let anybody in.
const LONGER_THAN_ANYBODY_WAITS: Duration = Duration::from_millis(1_200);

fn at(seconds: i64) -> DateTime<Utc> {
    now() + TimeDelta::seconds(seconds)
}

fn token(door: &Door, actor: &Actor, seconds: i64) -> String {
    door.tokens.issue(actor, TimeDelta::hours(1), at(seconds)).unwrap().expose_secret().to_owned()
}

async fn is_let_in(gate: &Authenticator, token: &str, seconds: i64) -> bool {
    match gate.verify(token, at(seconds)).await {
        Ok(_) => true,
        Err(Error::Unauthenticated(_)) => false,
        Err(error) => panic!("{error}"),
    }
}

async fn change(store: &Store, actor: Actor, seconds: i64, what: impl AsyncFnOnce(&Tx)) {
    let tx = store.scope(actor, at(seconds)).begin().await.unwrap();
    what(&tx).await;
    tx.commit().await.unwrap();
}

/// Asserts that a change is without effect on a replica that has just polled, and has its effect within 10 seconds:
/// at the next poll, and without any poll.
async fn reaches_each_replica(door: &Door, token: &str, is_in: bool, what: impl AsyncFnOnce(&Tx)) {
    let (polling, idle) = (door.replica().await, door.replica().await);
    for replica in [&polling, &idle, &door.gate] {
        assert_eq!(is_let_in(replica, token, 0).await, !is_in);
    }
    change(&door.app.store, door.actor(Permission::ALL), 1, what).await;
    for replica in [&polling, &idle] {
        assert_eq!(is_let_in(replica, token, 2).await, !is_in, "a replica knows nothing before it asks");
    }
    polling.poll(at(5)).await.unwrap();
    assert_eq!(is_let_in(&polling, token, 5).await, is_in);
    assert_eq!(is_let_in(&idle, token, 10).await, is_in, "nobody is judged by an answer of 10 seconds ago");
    assert_eq!(is_let_in(&door.replica().await, token, 5).await, is_in, "a replica that has just started");
}

#[actix_web::test]
async fn a_revoked_client_is_refused_on_each_replica_within_ten_seconds() {
    let door = Door::open(Vec::new()).await;
    let mut clients = Vec::new();
    for name in ["CRM", "Shop"] {
        change(&door.app.store, door.actor(Permission::ALL), 0, async |tx| {
            let scopes = Permissions::default().with(Permission::MapRead);
            clients.push(api_client::make(tx, name, scopes).await.unwrap().unwrap().0);
        })
        .await;
    }
    let as_client = |id: &Uuid| {
        let id = id::encode("client", *id);
        Actor { subject: id.clone(), client: Some(id), ..door.actor([]) }
    };
    let [mine, others] = [&clients[0], &clients[1]].map(|id| token(&door, &as_client(id), 0));
    reaches_each_replica(&door, &mine, false, async |tx| {
        api_client::revoke(tx, &Reference::Id(Some(clients[0]))).await.unwrap().unwrap();
    })
    .await;
    let replica = door.replica().await;
    assert!(is_let_in(&replica, &others, 20).await);
    assert!(is_let_in(&replica, &token(&door, &door.actor([]), 0), 20).await);
}

#[actix_web::test]
async fn a_suspended_organization_is_refused_until_it_is_resumed() {
    let door = Door::open(Vec::new()).await;
    let mine = token(&door, &door.actor([]), 0);
    let other = Actor { organization: door.app.organization("other").await, ..door.actor([]) };
    let others = token(&door, &other, 0);
    let suspend = async |tx: &Tx| assert!(tx.suspend(true).await.unwrap());
    reaches_each_replica(&door, &mine, false, suspend).await;
    assert!(is_let_in(&door.replica().await, &others, 20).await);
    change(&door.app.store, door.actor([]), 5, async |tx| assert!(!tx.suspend(true).await.unwrap())).await;
    door.gate.poll(at(0)).await.unwrap();
    let resume = async |tx: &Tx| assert!(tx.suspend(false).await.unwrap());
    reaches_each_replica(&door, &mine, true, resume).await;
    let events = "SELECT operation, fields FROM event WHERE noun = 'Organization'".to_owned();
    let told = [Some("UPDATED".to_owned()), Some("[\"suspendedAt\"]".to_owned())];
    assert_eq!(door.app.database.look(events).await, [told.clone(), told]);
}

#[actix_web::test]
async fn the_tokens_somebody_held_are_refused_also_by_a_clock_that_was_ahead_and_later_ones_are_not() {
    let door = Door::open(Vec::new()).await;
    let ada = token(&door, &door.actor([]), 0);
    let grace = token(&door, &Actor { subject: "grace".to_owned(), ..door.actor([]) }, 0);
    let elsewhere = Actor { organization: door.app.organization("other").await, ..door.actor([]) };
    let elsewhere = token(&door, &elsewhere, 0);
    reaches_each_replica(&door, &ada, false, async |tx| tx.revoke_tokens(Revocation::Subject, "ada").await.unwrap())
        .await;
    let replica = door.replica().await;
    for (token, is_in) in [
        (&grace, true),
        (&elsewhere, true),
        (&token(&door, &door.actor([]), 1), false),
        // A clock that is ahead by the leeway may have issued these before the withdrawal.
        (&token(&door, &door.actor([]), 2), false),
        (&token(&door, &door.actor([]), 31), false),
        (&token(&door, &door.actor([]), 32), true),
    ] {
        assert_eq!(is_let_in(&replica, token, 20).await, is_in);
    }
}

#[actix_web::test]
async fn a_withdrawal_by_a_clock_that_is_behind_gives_nothing_back() {
    let door = Door::open(Vec::new()).await;
    let token = token(&door, &door.actor([]), 100);
    for seconds in [120, 10] {
        let withdraw = async |tx: &Tx| tx.revoke_tokens(Revocation::Subject, "ada").await.unwrap();
        change(&door.app.store, door.actor([]), seconds, withdraw).await;
        assert!(!is_let_in(&door.replica().await, &token, 130).await, "withdrawn at {seconds}");
    }
}

#[actix_web::test]
async fn nobody_is_let_in_when_it_cannot_be_known_who_is_refused() {
    let door = Door::open(Vec::new()).await;
    let token = token(&door, &door.actor([]), 0);
    assert!(is_let_in(&door.gate, &token, 0).await);
    door.app.store.clone().close().await.unwrap();
    assert!(is_let_in(&door.gate, &token, 9).await);
    assert!(matches!(door.gate.verify(&token, at(10)).await, Err(Error::Unavailable)));
    assert!(matches!(door.gate.verify("nonsense", at(10)).await, Err(Error::Unauthenticated(_))));
}

/// A way to PostgreSQL that can be made slow to let anybody in; counts those who took it.
struct Wire {
    url: String,
    is_slow: Arc<AtomicBool>,
    begun: Arc<AtomicUsize>,
}

impl Wire {
    async fn to(url: &str) -> Self {
        let (user, rest) = url.split_once('@').unwrap();
        let (server, database) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("{user}@{}/{database}", listener.local_addr().unwrap());
        let wire = Self { url, is_slow: Arc::default(), begun: Arc::default() };
        let (server, is_slow, begun) = (server.to_owned(), Arc::clone(&wire.is_slow), Arc::clone(&wire.begun));
        actix_web::rt::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                begun.fetch_add(1, Ordering::Relaxed);
                let (server, is_slow) = (server.clone(), is_slow.load(Ordering::Relaxed));
                actix_web::rt::spawn(async move {
                    if is_slow {
                        tokio::time::sleep(LONGER_THAN_ANYBODY_WAITS).await;
                    }
                    let mut server = TcpStream::connect(server).await.unwrap();
                    drop(copy_bidirectional(&mut client, &mut server).await);
                });
            }
        });
        wire
    }
}

#[actix_web::test]
async fn a_connection_that_takes_long_to_be_made_is_not_begun_anew_for_each_caller() {
    let door = Door::open(Vec::new()).await;
    if door.app.database.is_sqlite() {
        return;
    }
    let wire = Wire::to(&door.app.database.url).await;
    let gate = door.replica_at(wire.url.clone(), Options::SERVER_TIMEOUT).await;
    let before = wire.begun.load(Ordering::Relaxed);
    wire.is_slow.store(true, Ordering::Relaxed);
    let (token, mut refused) = (token(&door, &door.actor([]), 0), 0);
    while let Err(error) = gate.verify(&token, at(0)).await {
        assert!(matches!(error, Error::Unavailable), "{error:?}");
        assert_eq!(wire.begun.load(Ordering::Relaxed), before + 1);
        refused += 1;
        tokio::task::yield_now().await;
    }
    assert!(refused > 0, "somebody was told to come back");
}
