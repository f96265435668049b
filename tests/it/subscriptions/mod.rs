//! Subscriptions: the changes of an organization as they are committed, over event streams and sockets.

mod socket;
mod sse;
mod validation;

use std::time::Duration;

use actix_web::web::Bytes;
use entity::Permission;
use futures_util::{Stream, StreamExt as _, stream::BoxStream};
use serde_json::{Value, json};

use crate::{
    app::Caller,
    server::{Answer, Door},
};

pub const CHANGES: &str = "subscription($after: String, $afterSequence: Sequence, $epoch: String, $first: Int = 100,
        $types: [ChangeNoun!], $operations: [EventOperation!], $filter: ChangeFilter) {
    changes(after: $after, afterSequence: $afterSequence, epoch: $epoch, first: $first, types: $types,
            operations: $operations, filter: $filter) {
        nodes { sequence operation rowType rowId isMatching row { ... on Department { name } } }
        pageInfo { hasNextPage endCursor } headSequence headCursor epoch
    }
}";

/// More than anything here takes.
const LONG: Duration = Duration::from_secs(30);

/// An event stream.
pub struct Events {
    bytes: BoxStream<'static, reqwest::Result<Bytes>>,
    unread: String,
}

/// An event: its name and its data.
pub type Event = (String, String);

impl Events {
    /// Opens a stream that must begin.
    pub async fn open(door: &Door, token: &str, request: &Value) -> Self {
        let response = asked(door, token, request, "text/event-stream").await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { bytes: response.bytes_stream().boxed(), unread: String::new() }
    }

    /// Waits for the next event. `None` at the end; `Err` if the stream breaks off.
    pub async fn next(&mut self) -> Result<Option<Event>, String> {
        let waited = async {
            loop {
                if let Some(end) = self.unread.find("\n\n") {
                    let event: String = self.unread.drain(..end + 2).collect();
                    let event = event.trim_end();
                    if event == ":" {
                        continue;
                    }
                    let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                    let named = |name: &str| field(name).unwrap_or_default().to_owned();
                    return Ok(Some((named("event:"), named("data:"))));
                }
                match self.bytes.next().await {
                    Some(Ok(more)) => self.unread.push_str(std::str::from_utf8(&more).unwrap()),
                    Some(Err(error)) => return Err(error.to_string()),
                    None => return Ok(None),
                }
            }
        };
        tokio::time::timeout(LONG, waited).await.expect("something comes")
    }

    /// Whether a sign of life comes within the interval of looking for changes.
    pub async fn has_beaten(&mut self) -> bool {
        let more = tokio::time::timeout(Duration::from_millis(250), self.bytes.next()).await;
        more.is_ok_and(|more| more.unwrap().unwrap() == ":\n\n")
    }

    /// The page of the next event.
    pub async fn page(&mut self) -> Value {
        let (name, data) = self.next().await.unwrap().unwrap();
        assert_eq!(name, "next");
        let mut body: Value = serde_json::from_str(&data).unwrap();
        assert_eq!(body.get("errors"), None, "{body:#}");
        body["data"]["changes"].take()
    }

    /// Asserts that the stream ends with an error, and returns its code.
    pub async fn last(&mut self) -> String {
        let (name, data) = self.next().await.unwrap().unwrap();
        let body: Value = serde_json::from_str(&data).unwrap();
        assert_eq!((name.as_str(), &body["data"]["changes"]), ("next", &Value::Null), "{body:#}");
        assert_eq!(self.next().await, Ok(Some(("complete".to_owned(), String::new()))));
        assert_eq!(self.next().await, Ok(None));
        body["errors"][0]["extensions"]["code"].as_str().unwrap().to_owned()
    }
}

pub async fn asked(door: &Door, token: &str, request: &Value, accept: &str) -> reqwest::Response {
    door.post("/graphql").bearer_auth(token).header("accept", accept).json(request).send().await.unwrap()
}

/// What is refused before a stream begins.
pub async fn refused(door: &Door, token: &str, request: &Value, accept: &str) -> Answer {
    Answer::of(asked(door, token, request, accept).await).await
}

pub fn request(variables: &Value) -> Value {
    json!({ "query": CHANGES, "variables": variables })
}

pub fn admin(door: &Door) -> Caller<'_> {
    door.app.caller(door.acme, Permission::ALL)
}

/// Makes a department, and returns its id.
pub async fn make(door: &Door, name: &str) -> String {
    let made = admin(door).mutate("departmentCreate", json!({ "name": name }), "node { id } errors { code }").await;
    made["node"]["id"].as_str().unwrap().to_owned()
}

pub fn sequences(page: &Value) -> Vec<i64> {
    page["nodes"].as_array().unwrap().iter().map(|change| change["sequence"].as_i64().unwrap()).collect()
}

/// Waits for what a stream yields, no longer than anything takes.
pub async fn within<T>(stream: &mut (impl Stream<Item = T> + Unpin)) -> Option<T> {
    tokio::time::timeout(LONG, stream.next()).await.expect("something comes")
}
