//! Sockets, and the code of each way in which one is closed.

use std::time::Duration;

use entity::Permission;
use futures_util::SinkExt as _;
use rapport::auth::revoked::Revocation;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest as _,
        protocol::frame::{
            Frame,
            coding::{Data, OpCode},
        },
    },
};

use super::{CHANGES, make, sequences, within};
use crate::server::Door;

const PROTOCOL: &str = "graphql-transport-ws";

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

async fn connect(door: &Door, headers: &[(&'static str, &str)]) -> Result<Socket, Error> {
    let mut request = format!("{}/graphql", door.url.replace("http", "ws")).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    connect_async(request).await.map(|(socket, _)| Socket(socket))
}

impl Socket {
    async fn open(door: &Door) -> Self {
        connect(door, &[("sec-websocket-protocol", PROTOCOL)]).await.unwrap()
    }

    /// Opens a socket of a known caller.
    async fn acknowledged(door: &Door, token: &str) -> Self {
        let mut socket = Self::open(door).await;
        socket.say(&init(token)).await;
        assert_eq!(socket.hear().await, json!({ "type": "connection_ack" }));
        socket
    }

    async fn say(&mut self, message: &Value) {
        self.send(Message::text(message.to_string())).await;
    }

    async fn send(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        loop {
            match within(&mut self.0).await.unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Waits for the end, and returns the code with which the server closes.
    async fn code(&mut self) -> u16 {
        loop {
            match within(&mut self.0).await.unwrap().unwrap() {
                Message::Close(Some(frame)) => return frame.code.into(),
                Message::Close(None) => panic!("no code"),
                _ => {}
            }
        }
    }
}

fn init(token: &str) -> Value {
    json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {token}") } })
}

fn subscribe(id: &str, query: &str, variables: &Value) -> Value {
    json!({ "id": id, "type": "subscribe", "payload": { "query": query, "variables": variables } })
}

#[actix_web::test]
async fn operations_of_one_socket_run_side_by_side_until_they_are_completed() {
    let door = Door::open(Vec::new()).await;
    let token = door.token(Permission::ALL);
    make(&door, "One").await;
    let mut socket = Socket::acknowledged(&door, &token).await;
    socket.say(&json!({ "type": "ping", "payload": { "a": 1 } })).await;
    assert_eq!(socket.hear().await, json!({ "type": "pong" }));
    socket.say(&json!({ "type": "pong" })).await;
    socket.say(&subscribe("a", CHANGES, &json!({ "afterSequence": 0 }))).await;
    let told = socket.hear().await;
    assert_eq!((&told["id"], &told["type"]), (&json!("a"), &json!("next")));
    assert_eq!(sequences(&told["payload"]["data"]["changes"]), [1]);
    socket.say(&subscribe("q", "{ organization { slug } }", &json!({}))).await;
    let told = socket.hear().await;
    assert_eq!(
        (&told["type"], &told["id"], &told["payload"]["data"]),
        (&json!("next"), &json!("q"), &json!({ "organization": { "slug": "acme" } }))
    );
    assert_eq!(socket.hear().await, json!({ "id": "q", "type": "complete" }));
    let made = subscribe("m", "mutation { departmentCreate(input: { name: \"Two\" }) { node { name } } }", &json!({}));
    socket.say(&made).await;
    // The result of the mutation and the change that it made, in either order.
    let mut kinds = Vec::new();
    for _ in 0..3 {
        let told = socket.hear().await;
        kinds.push(format!("{} {}", told["id"].as_str().unwrap(), told["type"].as_str().unwrap()));
    }
    kinds.sort();
    assert_eq!(kinds, ["a next", "m complete", "m next"]);
    socket.say(&json!({ "id": "a", "type": "complete" })).await;
    socket.say(&subscribe("a", CHANGES, &json!({ "afterSequence": 1 }))).await;
    let told = socket.hear().await;
    assert_eq!((&told["id"], sequences(&told["payload"]["data"]["changes"])), (&json!("a"), vec![2]));
    assert_eq!(door.app.store.tenant_violations(), 0);
}

#[actix_web::test]
async fn an_operation_that_cannot_begin_has_an_error_and_the_socket_stays() {
    let door = Door::open(Vec::new()).await;
    let mut socket = Socket::acknowledged(&door, &door.token(Permission::ALL)).await;
    for (query, code) in [
        ("subscription { changes { x } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { a: changes { epoch } b: changes { epoch } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("{ x }", "GRAPHQL_VALIDATION_FAILED"),
    ] {
        socket.say(&subscribe("1", query, &json!({}))).await;
        let told = socket.hear().await;
        assert_eq!((&told["id"], &told["type"]), (&json!("1"), &json!("error")), "{told:#}");
        assert_eq!(told["payload"][0]["extensions"]["code"], code, "{query}");
    }
    socket.say(&json!({ "id": "1", "type": "subscribe", "payload": { "variables": {} } })).await;
    assert_eq!(socket.hear().await["payload"][0]["extensions"]["code"], "BAD_REQUEST");
    // What fails while it runs is a result.
    socket.say(&subscribe("1", CHANGES, &json!({ "afterSequence": 9 }))).await;
    let told = socket.hear().await;
    assert_eq!(
        (&told["type"], &told["payload"]["data"], &told["payload"]["errors"][0]["extensions"]["code"]),
        (&json!("next"), &json!({ "changes": null }), &json!("CURSOR_EXPIRED"))
    );
    assert_eq!(socket.hear().await, json!({ "id": "1", "type": "complete" }));
}

#[actix_web::test]
async fn more_than_a_hundred_streams_are_refused_and_the_socket_stays() {
    let door = Door::open(Vec::new()).await;
    let mut socket = Socket::acknowledged(&door, &door.token(Permission::ALL)).await;
    let small = "subscription { changes { headSequence } }";
    for id in 0..101 {
        socket.say(&subscribe(&id.to_string(), small, &json!({}))).await;
    }
    let mut refused = Vec::new();
    for _ in 0..101 {
        let told = socket.hear().await;
        if told["type"] == "error" {
            refused.push(told["payload"][0]["extensions"]["code"].clone());
        }
    }
    assert_eq!(refused, [json!("RATE_LIMITED")]);
    socket.say(&json!({ "id": "1", "type": "complete" })).await;
    socket.say(&subscribe("1", small, &json!({}))).await;
    assert_eq!(socket.hear().await["type"], "next");
}

#[actix_web::test]
async fn a_client_that_breaks_the_protocol_is_told_how() {
    let door = Door::open(Vec::new()).await;
    let token = door.token(Permission::ALL);
    let operation = subscribe("1", CHANGES, &json!({}));
    for (message, code) in [
        (operation.clone(), 4401),
        (json!({ "type": "connection_init" }), 4403),
        (init("x"), 4403),
        (json!({ "type": "connection_init", "payload": { "Authorization": 1 } }), 4400),
        (json!({ "type": "connection_init", "payload": [] }), 4400),
        (json!({ "type": "start" }), 4400),
        (json!([]), 4400),
    ] {
        let mut socket = Socket::open(&door).await;
        socket.say(&message).await;
        assert_eq!(socket.code().await, code, "{message}");
    }
    for (messages, code) in [
        (vec![init(&token)], 4429),
        (vec![operation.clone(), operation.clone()], 4409),
        (vec![json!({ "type": "subscribe", "payload": { "query": "{ __typename }" } })], 4400),
        (vec![json!({ "type": "subscribe", "id": "", "payload": { "query": "{ __typename }" } })], 4400),
        (vec![json!({ "type": "subscribe", "id": "1" })], 4400),
        (vec![json!({ "type": "complete" })], 4400),
    ] {
        let mut socket = Socket::acknowledged(&door, &token).await;
        for message in &messages {
            socket.say(message).await;
        }
        assert_eq!(socket.code().await, code, "{messages:?}");
    }
    let mut socket = Socket::acknowledged(&door, &token).await;
    socket.send(Message::binary(b"{}".to_vec())).await;
    assert_eq!(socket.code().await, 4400);
    for headers in [&[][..], &[("sec-websocket-protocol", "graphql-ws")]] {
        // A client notices the missing protocol itself unless it asked for none.
        match connect(&door, headers).await {
            Ok(mut socket) => assert_eq!(socket.code().await, 4406),
            Err(error) => assert!(error.to_string().contains("protocol"), "{error}"),
        }
    }
}

#[actix_web::test]
async fn who_stays_silent_is_told_the_time_is_over() {
    let door = Door::impatient(Duration::from_millis(300)).await;
    assert_eq!(Socket::open(&door).await.code().await, 4408);
}

#[actix_web::test]
async fn a_message_in_one_frame_or_in_many_is_no_longer_than_a_mebibyte() {
    let door = Door::open(Vec::new()).await;
    let token = door.token(Permission::ALL);
    let long = |length: usize| {
        let empty = json!({ "type": "ping", "payload": "" }).to_string().len();
        json!({ "type": "ping", "payload": "x".repeat(length - empty) }).to_string()
    };
    let mut socket = Socket::acknowledged(&door, &token).await;
    socket.send(Message::text(long(1 << 20))).await;
    assert_eq!(socket.hear().await["type"], "pong");
    socket.send(Message::text(long((1 << 20) + 1))).await;
    assert_eq!(socket.code().await, 1009);
    let mut stranger = Socket::open(&door).await;
    stranger.send(Message::text(long((16 << 10) + 1))).await;
    assert_eq!(stranger.code().await, 1009);

    let mut socket = Socket::acknowledged(&door, &token).await;
    let part = |code: Data, text: &str, is_last: bool| {
        Message::Frame(Frame::message(text.to_owned(), OpCode::Data(code), is_last))
    };
    socket.send(part(Data::Text, r#"{"type":"#, false)).await;
    socket.send(part(Data::Continue, r#""ping"}"#, true)).await;
    assert_eq!(socket.hear().await["type"], "pong");
    socket.send(part(Data::Text, "{", false)).await;
    let piece = " ".repeat(100_000);
    // It never ends; the server closes before it has taken all of it.
    for _ in 0..11 {
        if socket.0.send(part(Data::Continue, &piece, false)).await.is_err() {
            break;
        }
    }
    assert_eq!(socket.code().await, 1009);
}

#[actix_web::test]
async fn a_revoked_token_closes_its_socket_before_anything_else_is_sent() {
    let door = Door::open(Vec::new()).await;
    let mut socket = Socket::acknowledged(&door, &door.token(Permission::ALL)).await;
    let mut idle = Socket::acknowledged(&door, &door.token(Permission::ALL)).await;
    socket.say(&subscribe("1", CHANGES, &json!({}))).await;
    assert_eq!(socket.hear().await["type"], "next");
    let tx = door.app.store.scope(door.actor(Permission::ALL), rapport::clock::now()).begin().await.unwrap();
    tx.revoke_tokens(Revocation::Subject, "ada").await.unwrap();
    tx.commit().await.unwrap();
    door.gate.poll(rapport::clock::now()).await.unwrap();
    make(&door, "Secret").await;
    let end = within(&mut socket.0).await.unwrap().unwrap();
    assert!(matches!(&end, Message::Close(Some(frame)) if u16::from(frame.code) == 4403), "{end:?}");
    assert_eq!(idle.code().await, 4403);
    let mut again = Socket::open(&door).await;
    again.say(&init(&door.token(Permission::ALL))).await;
    assert_eq!(again.code().await, 4403);
}

#[actix_web::test]
async fn a_revoked_token_closes_its_socket_however_often_the_client_calls() {
    let door = Door::open(Vec::new()).await;
    let mut socket = Socket::acknowledged(&door, &door.token(Permission::ALL)).await;
    let tx = door.app.store.scope(door.actor(Permission::ALL), rapport::clock::now()).begin().await.unwrap();
    tx.revoke_tokens(Revocation::Subject, "ada").await.unwrap();
    tx.commit().await.unwrap();
    door.gate.poll(rapport::clock::now()).await.unwrap();
    let closed = async {
        loop {
            // The server may have closed it since the last answer.
            let _ = socket.0.send(Message::text(json!({ "type": "ping" }).to_string())).await;
            if let Message::Close(Some(frame)) = within(&mut socket.0).await.unwrap().unwrap() {
                return u16::from(frame.code);
            }
        }
    };
    assert_eq!(tokio::time::timeout(Duration::from_secs(15), closed).await, Ok(4403));
}

#[actix_web::test]
async fn a_server_without_room_says_when_to_come_back() {
    // Less memory for bodies than the message takes.
    let door = Door::with_body_memory(64 << 10).await;
    let mut socket = Socket::acknowledged(&door, &door.token(Permission::ALL)).await;
    let long = json!({ "type": "ping", "payload": "x".repeat(200_000) });
    socket.say(&long).await;
    assert_eq!(socket.code().await, 1013);
}

#[actix_web::test]
async fn pages_of_other_origins_open_none() {
    let door = Door::open(Vec::new()).await;
    let own = door.url.clone();
    for (origin, is_allowed) in [("https://evil.example", false), ("null", false), (own.as_str(), true)] {
        let socket = connect(&door, &[("sec-websocket-protocol", PROTOCOL), ("origin", origin)]).await;
        match socket {
            Ok(_) => assert!(is_allowed, "{origin}"),
            Err(Error::Http(response)) => assert_eq!((response.status().as_u16(), is_allowed), (403, false)),
            Err(error) => panic!("{error}"),
        }
    }
}

#[actix_web::test]
async fn a_token_in_the_headers_needs_none_in_the_first_message() {
    let door = Door::open(Vec::new()).await;
    let token = format!("Bearer {}", door.token(Permission::ALL));
    let headers = [("sec-websocket-protocol", PROTOCOL), ("authorization", token.as_str())];
    let mut socket = connect(&door, &headers).await.unwrap();
    socket.say(&json!({ "type": "connection_init" })).await;
    assert_eq!(socket.hear().await["type"], "connection_ack");
    let wrong = connect(&door, &[("sec-websocket-protocol", PROTOCOL), ("authorization", "Bearer x")]).await;
    assert!(matches!(wrong, Err(Error::Http(response)) if response.status() == 401));
}
