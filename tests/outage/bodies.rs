//! Requests that do not arrive completely, are too large, or whose clients disconnect.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::{
    database::Database,
    server::{Answer, Server, organizations, until},
    sockets::{Socket, head, refused},
};

/// Maximum memory growth that a refused body may cause, in bytes.
const MAX_GROWTH: u64 = 8 << 20;

#[tokio::test]
async fn what_does_not_arrive_is_not_waited_for() {
    let database = Database::make().await;
    let [organization] = organizations(&database.url).await;
    let server = Server::start(&database.url, &["--request-timeout", "1s"]).await;
    let caller = server.caller(organization, "mia");

    let slow_head = async {
        let mut socket = Socket::open(&server.address).await;
        for part in ["POST /graphql HTTP/1.1\r\n", "host: local", "host\r\n"] {
            assert!(socket.send(part).await);
        }
        assert_eq!(refused(&socket.rest().await).0, 408);
    };
    let slow_body = async {
        let mut socket = Socket::open(&server.address).await;
        assert!(socket.send(head(&caller.token, "content-length: 1000\r\n")).await);
        for _ in 0..100 {
            if !socket.send(" ").await {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(refused(&socket.rest().await), (408, "REQUEST_TIMEOUT".to_owned()));
    };
    let silent = join_all((0..200).map(async |_| Socket::open(&server.address).await.rest().await));
    let meanwhile = async {
        for _ in 0..20 {
            assert!(caller.count().await.is_good());
        }
    };
    futures_util::join!(slow_head, slow_body, silent, meanwhile);
}

#[tokio::test]
async fn a_body_that_is_too_large_costs_no_memory() {
    const PART: usize = 1 << 20;
    let database = Database::make().await;
    let [organization] = organizations(&database.url).await;
    let server = Server::start(&database.url, &[]).await;
    let caller = server.caller(organization, "mia");
    // What a thread allocates for its first request is no part of the growth.
    for _ in 0..16 {
        assert!(caller.count().await.is_good());
        let mut refusing = Socket::open(&server.address).await;
        assert!(refusing.send(head("wrong", "transfer-encoding: chunked\r\n")).await);
        assert_eq!(refused(&refusing.pour(b"1\r\n \r\n", 1).await.1).0, 401);
    }
    let before = server.peak_memory();

    let mut announced = Socket::open(&server.address).await;
    assert!(announced.send(head(&caller.token, "content-length: 314572800\r\n")).await);
    let (_, answer) = announced.pour(&vec![b' '; PART], 300).await;
    assert_eq!(refused(&answer), (413, "PAYLOAD_TOO_LARGE".to_owned()));

    let mut endless = Socket::open(&server.address).await;
    assert!(endless.send(head(&caller.token, "transfer-encoding: chunked\r\n")).await);
    let mut part = format!("{PART:x}\r\n").into_bytes();
    part.resize(part.len() + PART, b' ');
    part.extend_from_slice(b"\r\n");
    let (_, answer) = endless.pour(&part, 300).await;
    assert_eq!(refused(&answer), (413, "PAYLOAD_TOO_LARGE".to_owned()));
    // The body is not read to its end for other errors either.
    for (head, status) in [
        (head("wrong", "transfer-encoding: chunked\r\n"), 401),
        (head(&caller.token, "transfer-encoding: chunked\r\n").replace("/graphql", "/nowhere"), 404),
        (head(&caller.token, "transfer-encoding: chunked\r\n").replace("POST", "PUT"), 405),
    ] {
        let mut endless = Socket::open(&server.address).await;
        assert!(endless.send(head).await);
        assert_eq!(refused(&endless.pour(&part, 3).await.1).0, status);
    }

    let growth = server.peak_memory() - before;
    println!("two bodies of 300 MB cost {growth} bytes");
    assert!(growth < MAX_GROWTH, "{growth}");
    assert!(caller.count().await.is_good());
}

#[tokio::test]
async fn a_caller_who_says_no_more_is_answered() {
    let database = Database::make().await;
    let [organization] = organizations(&database.url).await;
    let server = Server::start(&database.url, &[]).await;
    let caller = server.caller(organization, "mia");
    let body = json!({ "query": "{ departments { totalCount } }" }).to_string();
    let mut socket = Socket::open(&server.address).await;
    let request = format!("{}{body}", head(&caller.token, &format!("content-length: {}\r\n", body.len())));
    assert!(socket.send(request).await);
    socket.close_half().await;
    let answer = socket.rest().await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("totalCount"), "{answer}");
}

#[tokio::test]
async fn a_mutation_whose_caller_is_gone_is_done_whole_or_not_at_all() {
    const TIMES: u64 = 200;
    let database = Database::make().await;
    let [organization] = organizations(&database.url).await;
    let server = Server::start(&database.url, &["--database-connections", "4"]).await;
    let caller = server.caller(organization, "mia");
    let before = caller.count().await.total();
    for at in 0..TIMES {
        let mutation = "mutation($input: DepartmentCreateInput!) { departmentCreate(input: $input) { outcome } }";
        let input = json!({ "name": format!("{at}"), "idempotencyKey": format!("{at}") });
        let body = json!({ "query": mutation, "variables": { "input": input } }).to_string();
        let mut socket = Socket::open(&server.address).await;
        let request = format!("{}{body}", head(&caller.token, &format!("content-length: {}\r\n", body.len())));
        assert!(socket.send(request).await);
        // From immediately to well after the response.
        tokio::time::sleep(Duration::from_micros(at * 100)).await;
        socket.reset();
    }
    // The idempotency keys tell whether each mutation is done: missing ones run now, none runs twice.
    for at in 0..TIMES {
        let answer = until(async || Some(caller.create(&format!("{at}")).await).filter(Answer::is_good)).await;
        assert!(answer.id().starts_with("dept_"), "{answer:?}");
    }
    assert_eq!(caller.count().await.total(), before + TIMES);
    let lonely = "SELECT CAST(COUNT(*) AS TEXT) FROM department WHERE name <> 'Unassigned' AND NOT EXISTS (SELECT 1 FROM \
                  event WHERE event.organization_id = department.organization_id AND event.row_id = department.id)";
    assert_eq!(database.look(lonely.to_owned()).await, [[Some("0".to_owned())]]);
    if !database.is_sqlite() {
        let open = "SELECT CAST(COUNT(*) AS TEXT) FROM pg_stat_activity WHERE datname = current_database() AND state \
                    LIKE 'idle in transaction%'";
        assert_eq!(database.look(open.to_owned()).await, [[Some("0".to_owned())]]);
    }
}
