//! Secrets and personal data planted everywhere: no log repeats one, whatever is logged, and no refusal.

mod commands;
mod door;
mod inputs;
mod outage;
mod plant;
mod served;

use std::cell::RefCell;

use reqwest::RequestBuilder;
use serde_json::Value;

use self::served::Served;

/// What every canary contains. Nothing else does.
const SONG: &str = "kanarie";

/// What betrays how the server is made: no client is ever told.
const MARKERS: [&str; 32] = [
    "SELECT ",
    "INSERT INTO",
    "DELETE FROM",
    "RETURNING",
    "ON CONFLICT",
    "sqlx",
    "SQLite",
    "sqlite",
    "PostgreSQL",
    "postgres",
    "sea-orm",
    "sea_orm",
    "DbErr",
    "SQLSTATE",
    "constraint",
    "relation \"",
    "no such table",
    "no such column",
    "database is locked",
    "async_graphql",
    "async-graphql",
    "actix",
    "serde",
    "line 1 column",
    "jsonwebtoken",
    "InvalidSignature",
    "panicked",
    "unwrap",
    ".rs:",
    "src/",
    "/tmp/",
    env!("CARGO_MANIFEST_DIR"),
];

thread_local! {
    /// What was found. A run goes on after the first, so that all are seen at once.
    static FOUND: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Notes what must not be.
fn hold(is_good: bool, otherwise: impl FnOnce() -> String) {
    if !is_good {
        FOUND.with_borrow_mut(|found| found.push(otherwise().chars().take(600).collect()));
    }
}

/// Numbered canaries, to tell where one came from.
#[derive(Default)]
struct Canaries {
    planted: RefCell<Vec<String>>,
}

impl Canaries {
    /// A new one, and where it is put.
    fn plant(&self, place: &str) -> String {
        let mut planted = self.planted.borrow_mut();
        planted.push(place.to_owned());
        format!("{SONG}{:04}", planted.len())
    }

    fn count(&self) -> usize {
        self.planted.borrow().len()
    }
}

/// What came back.
#[derive(Debug, Default)]
struct Reply {
    status: u16,
    text: String,
    retry_after: Option<String>,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The codes of the errors, of the request and of payloads.
    fn codes(&self) -> Vec<String> {
        let mut found = Vec::new();
        gather(&self.json(), &mut found);
        found
    }
}

fn gather(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(code) if name == "code" => found.push(code.clone()),
                    _ => gather(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, found)),
        _ => {}
    }
}

/// Sends a request whose answer must be silent about what was sent and about how it was read.
async fn refused(why: &str, request: RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let headers = format!("{:?}", response.headers());
    let retry_after = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    let text = response.text().await.unwrap();
    silent(why, &format!("{status} {headers} {text}"));
    Reply { status, text, retry_after }
}

fn silent(why: &str, text: &str) {
    hold(!text.to_lowercase().contains(SONG), || format!("{why}: a canary in {text}"));
    for marker in MARKERS {
        hold(!text.contains(marker), || format!("{why}: {marker:?} in {text}"));
    }
}

/// That the log of a server that has ended repeats nothing of what it must not know, and is made of whole lines.
fn keeps_quiet(log: &str, secrets: &[String], format: &str) {
    for line in log.lines() {
        hold(!line.to_lowercase().contains(SONG), || format!("a canary in the log: {line}"));
        hold(!line.chars().any(char::is_control), || format!("a control character in the log: {line:?}"));
        for secret in secrets {
            hold(!line.contains(secret.as_str()), || format!("the secret {secret} in the log: {line}"));
        }
        let is_whole = if format == "json" {
            let line: Value = serde_json::from_str(line).unwrap_or_default();
            // Whatever they say there today, tomorrow's version may say more.
            let is_theirs = ["DEBUG", "TRACE"].iter().any(|level| line["level"] == *level)
                && !line["target"].as_str().is_some_and(|target| target.starts_with("rapport"));
            hold(!is_theirs, || format!("a library says below info: {line}"));
            line["timestamp"].is_string()
        } else {
            line.starts_with("20") && line.as_bytes().get(10) == Some(&b'T')
        };
        hold(is_whole, || format!("no line of the log: {line}"));
    }
}

/// The whole of it, in one form of the log.
async fn sing(format: &str) {
    let canaries = Canaries::default();
    let served = Served::start(&canaries, format).await;
    let world = plant::plant(&served).await;
    let address = door::open_address(&served).await;
    let mut sent = door::knock(&served, &canaries).await;
    // Thousands of requests, which are read alike whatever form the log has.
    if format == "text" {
        sent += inputs::mistake(&served, &world, &canaries).await;
    }
    sent += outage::fail(&served, &world, &canaries).await;
    let all = canaries.count() + world.count();
    drop(world);
    let (log, mut secrets) = served.stop();
    secrets.extend(address);
    keeps_quiet(&log, &secrets, format);
    // Not quiet for want of saying anything.
    let requests = log.lines().filter(|line| line.contains("duration_ms")).count();
    assert!(requests >= sent, "{requests} of {sent} requests are in the log");
    assert!(log.contains("a statement failed"), "the outage is in the log");
    println!("{all} canaries, {} secrets, {sent} refusals, {} lines of log", secrets.len(), log.lines().count());
    assert!(all >= 200, "{all} canaries");
    let found = FOUND.take();
    assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
}

#[actix_web::test]
async fn no_canary_sings_in_the_log_as_text_or_in_a_refusal() {
    sing("text").await;
}

#[actix_web::test]
async fn no_canary_sings_in_the_log_as_json() {
    sing("json").await;
}
