//! On PostgreSQL each worker thread has its own connections: a failure of one worker must not affect the others.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::future::{join, join_all};
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection};

use crate::{
    database::Database,
    server::{Server, at_once, organizations, tally, until},
    sockets::{Socket, head},
};

const CONNECTIONS: i64 = 5;
/// The control connection, which pings the database and reads revocations.
const LOOKOUT: i64 = 1;
/// Maximum time for a response on a busy machine.
const LATE: Duration = Duration::from_secs(5);

/// Opens a connection and gets a response on it: it stays with that worker. Returns `None` if the worker hangs.
async fn on_a_live_worker(server: &Server) -> Option<Socket> {
    let mut socket = Socket::open(&server.address).await;
    socket.send("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    socket.answer(Duration::from_secs(1)).await.map(|_| socket)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_worker_keeps_no_connection_from_the_others() {
    let database = Database::make().await;
    let [organization] = organizations(&database.url).await;
    let server = Server::start(&database.url, &["--database-connections", &CONNECTIONS.to_string()]).await;
    // Make every worker open all its connections.
    let caller = server.caller(organization, "mia");
    tally(&at_once(10, |_| caller.count()).await);

    let victim = server.caller(organization, "fault:hang-at-read");
    let bomb = victim.try_ask("{ departments { totalCount } }", json!({}));
    let others = async {
        until(async || on_a_live_worker(&server).await.is_none().then_some(())).await;
        let sockets = join_all((0..6).map(|_| until(async || on_a_live_worker(&server).await))).await;
        join_all(sockets.into_iter().enumerate().map(async |(number, mut socket)| {
            let token = server.caller(organization, &format!("caller {number}")).token;
            for at in 0..10 {
                let create =
                    format!("mutation {{ departmentCreate(input: {{ name: \"{number} {at}\" }}) {{ outcome }} }}");
                for (query, expected) in [("{ departments { totalCount } }", "totalCount"), (&create, "CREATED")] {
                    let body = json!({ "query": query }).to_string();
                    socket.send(head(&token, &format!("content-length: {}\r\n", body.len())) + &body).await;
                    let answer = socket.answer(LATE).await.unwrap();
                    assert!(answer.contains(expected), "{answer}");
                }
            }
        }))
        .await;
    };
    tokio::select! {
        answered = bomb => panic!("a worker that hangs has answered: {answered:?}"),
        () = others => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_are_never_more_connections_than_there_may_be() {
    let database = Database::make().await;
    if database.is_sqlite() {
        // The readers of a SQLite file are not limited.
        return;
    }
    let [ours, theirs] = organizations(&database.url).await;
    let server = Server::start(&database.url, &["--database-connections", &CONNECTIONS.to_string()]).await;
    let callers = [server.caller(ours, "mia"), server.caller(theirs, "noa")];
    let is_over = AtomicBool::new(false);
    // Each write is repeated once: a used idempotency key makes a statement fail.
    let load = async {
        for round in 0..10 {
            let answers = at_once(16, |at| {
                let caller = &callers[at % 2];
                async move {
                    if at % 4 < 2 { caller.create(&format!("{} {at}", round / 2)).await } else { caller.count().await }
                }
            });
            assert!(tally(&answers.await).0 > 0);
        }
        is_over.store(true, Ordering::Relaxed);
    };
    let most = async {
        let mut watch = PgConnection::connect(&database.url).await.unwrap();
        let mut most = 0;
        while !is_over.load(Ordering::Relaxed) {
            let open = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'rapport'";
            most = most.max(sqlx::query_scalar::<_, i64>(open).fetch_one(&mut watch).await.unwrap());
        }
        most
    };
    let ((), most) = join(load, most).await;
    assert!((2..=CONNECTIONS + LOOKOUT).contains(&most), "{most}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hangs_up_while_his_statement_waits_keeps_nobody_else_waiting() {
    let database = Database::make().await;
    if database.is_sqlite() {
        // Readers of SQLite cannot be blocked.
        return;
    }
    let [organization] = organizations(&database.url).await;
    // One connection for each of two workers, and two shared ones.
    let server = Server::start(&database.url, &["--database-connections", "4"]).await;
    let caller = server.caller(organization, "mia");
    let mut holder = PgConnection::connect(&database.url).await.unwrap();
    let mut watch = PgConnection::connect(&database.url).await.unwrap();
    holder.execute("BEGIN; LOCK TABLE department IN ACCESS EXCLUSIVE MODE").await.unwrap();

    let body = json!({ "query": "{ departments { totalCount } }" }).to_string();
    let mut sockets = Vec::new();
    for _ in 0..2 {
        let mut socket = Socket::open(&server.address).await;
        socket.send(head(&caller.token, &format!("content-length: {}\r\n", body.len())) + &body).await;
        sockets.push(socket);
    }
    let waiting =
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until(async || (sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut watch).await.unwrap() == 2).then_some(()))
        .await;
    sockets.into_iter().for_each(Socket::reset);

    // Repeat while both requests wait for the lock.
    let mut answers = Vec::new();
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut watch).await.unwrap() == 2 {
        answers.push(caller.ask("{ mediums { totalCount } }", json!({})).await);
    }
    assert_eq!(tally(&answers).0, answers.len());
    assert!(answers.len() > 20, "{}", answers.len());
}
