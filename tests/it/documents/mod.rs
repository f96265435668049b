//! Documents made to bring the process down: whatever the text, it is answered soon, and nothing aborts.

mod bombs;
mod fuzz;

use std::{sync::LazyLock, time::Duration};

use async_graphql::{Response, Variables};
use futures_util::FutureExt as _;
use rapport::{
    graphql::{
        documents::{document::Document, limits::Limits},
        failure,
        types::schema_index::SchemaIndex,
    },
    schema::{self, ApiSchema},
};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

static SERVED: LazyLock<(ApiSchema, SchemaIndex)> = LazyLock::new(|| {
    let schema = schema::build();
    let schema_index = SchemaIndex::read(&schema.sdl()).unwrap();
    (schema, schema_index)
});

/// What a document of 32 KiB may take. What parses and validates is optimized even here, by the profile.
const MAX: Duration = Duration::from_millis(50);

/// What a server's worker has: tokio's default.
const STACK: usize = 2 << 20;

/// Runs on a thread with a worker's stack. An overflow ends the whole process, so there is nothing to catch.
fn as_a_worker<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(STACK).spawn(work).unwrap().join().unwrap()
}

/// All that happens to a document before its fields are resolved: scan, parse, weigh, merge, price, validate. Nobody is
/// calling, so every field that is not of the schema itself fails at once.
fn answer(text: &str) -> Response {
    let (schema, schema_index) = &*SERVED;
    let limits = Limits::DEFAULT;
    // Of several operations, the first is meant.
    let name = text.starts_with("query Q0 ").then(|| "Q0".to_owned());
    let prepared = Document::read(text, name, &limits).and_then(|document| {
        let _ = (document.kind(), document.is_public());
        document.prepare(Variables::from_json(json!({})), schema_index, &limits)
    });
    let mut response = match prepared {
        Ok(prepared) => schema.execute(prepared.request()).now_or_never().unwrap(),
        Err(refused) => Response::from_errors(vec![refused]),
    };
    failure::publish(&mut response, "test");
    response
}

/// An answer, and what it took of this thread's time.
fn measured(text: &str) -> (Response, Duration) {
    let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
    LazyLock::force(&SERVED);
    let began = now();
    let response = answer(text);
    let took = now().saturating_sub(began);
    assert!(response.errors.len() <= 10);
    (response, took)
}

/// The code of the first error, and what the answer took of this thread's time.
fn timed(text: &str) -> (Option<String>, Duration) {
    let (response, took) = measured(text);
    (response.errors.first().and_then(failure::code).map(str::to_owned), took)
}
