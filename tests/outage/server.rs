//! Runs the program as a separate process, and callers that measure how long each response takes.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use entity::{Permission, id::OrganizationId};
use futures_util::future::{join, join_all};
use rapport::{
    auth::{Actor, key::KeyFile, tokens::Tokens},
    clock,
    store::{Options, Store, operation::unscoped::NewOrganization},
};
use reqwest::Client;
use rustix::process::{Pid, Signal, kill_process};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Timeout for anything that must happen eventually, on a busy machine.
pub const TIMEOUT: Duration = Duration::from_mins(1);

/// A running server, killed on drop.
pub struct Server {
    process: Child,
    /// Address of the API, such as `127.0.0.1:8080`.
    pub address: String,
    /// Address of the health endpoints.
    pub admin: String,
    log: Arc<Mutex<Vec<Value>>>,
    tokens: Tokens,
    http: Client,
    _folder: TempDir,
}

/// A response and how long it took.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub retry_after: Option<String>,
    pub request_id: Option<String>,
    pub body: Value,
    pub took: Duration,
}

/// A client with a token for one organization.
#[derive(Clone)]
pub struct Caller<'a> {
    server: &'a Server,
    pub token: String,
}

impl Server {
    pub async fn start(database: &str, arguments: &[&str]) -> Self {
        Self::start_with(database, arguments, &[]).await
    }

    /// Starts the server with environment variables in addition to the one that enables faults.
    pub async fn start_with(database: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key.pem");
        let tokens = Tokens::new(KeyFile::Own(key.clone()).open().unwrap(), "rapport").unwrap();
        let mut process = command(folder.path(), database, &key, arguments, variables).spawn().unwrap();
        let log = Arc::<Mutex<Vec<Value>>>::default();
        let (lines, kept) = (BufReader::new(process.stderr.take().unwrap()).lines(), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                kept.lock().unwrap().push(serde_json::from_str(&line).unwrap_or(Value::String(line)));
            }
        });
        // Shorter than the server's keep-alive timeout, so that no connection is closed while a request is in transit.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let http =
            Client::builder().no_proxy().pool_idle_timeout(Duration::from_secs(1)).timeout(TIMEOUT).build().unwrap();
        let mut server =
            Self { process, address: String::new(), admin: String::new(), log, tokens, http, _folder: folder };
        let listening = until(async || server.find(|line| line["message"] == "listening")).await;
        let text = |key: &str| listening[key].as_str().unwrap().to_owned();
        (server.address, server.admin) = (text("address"), text("admin"));
        until(async || (server.ready().await == 200).then_some(())).await;
        server
    }

    /// Returns the first log line that matches.
    pub fn find(&self, is_wanted: impl Fn(&Value) -> bool) -> Option<Value> {
        self.log.lock().unwrap().iter().find(|line| is_wanted(line)).cloned()
    }

    pub fn caller(&self, organization: OrganizationId, subject: &str) -> Caller<'_> {
        let permissions = Permission::ALL.into_iter().collect();
        let actor = Actor {
            organization,
            subject: subject.to_owned(),
            client: None,
            permissions,
            expires: None,
            departments: None,
        };
        let token = self.tokens.issue(&actor, TimeDelta::minutes(30), clock::now()).unwrap();
        Caller { server: self, token: token.expose_secret().to_owned() }
    }

    /// Returns the status of a route at the admin address; 0 without a response within a second.
    async fn status(&self, path: &str) -> u16 {
        let asked = self.http.get(format!("http://{}{path}", self.admin)).timeout(Duration::from_secs(1)).send().await;
        asked.map_or(0, |answer| answer.status().as_u16())
    }

    pub async fn alive(&self) -> u16 {
        self.status("/healthz").await
    }

    /// Requests the health endpoint at the API address while `work` runs, and prints how long the responses took.
    pub async fn beside<T>(&self, what: &str, work: impl Future<Output = T>) -> T {
        let is_over = AtomicBool::new(false);
        let ask = async {
            let mut took = Vec::new();
            loop {
                let began = Instant::now();
                let answer = self.http.get(format!("http://{}/healthz", self.address)).send().await.unwrap();
                assert_eq!(answer.status().as_u16(), 200);
                took.push(began.elapsed());
                if is_over.load(Ordering::Relaxed) {
                    return took;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let work = async {
            let done = work.await;
            is_over.store(true, Ordering::Relaxed);
            done
        };
        let (done, mut took) = join(work, ask).await;
        took.sort();
        let most = took[took.len() * 99 / 100];
        println!("{what}: health of the API's own address: median {:?}, p99 {most:?}", took[took.len() / 2]);
        done
    }

    pub async fn ready(&self) -> u16 {
        self.status("/readyz").await
    }

    fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Returns the peak memory use of the process, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
    }

    pub fn terminate(&self) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
    }

    /// Waits until the process ends.
    pub async fn ended(&mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return (status, began.elapsed());
            }
            assert!(began.elapsed() < TIMEOUT, "the process does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether the process still runs.
    pub fn runs(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
        if std::thread::panicking() {
            let log = self.log.lock().unwrap();
            log.iter().rev().take(30).rev().for_each(|line| eprintln!("{line}"));
        }
    }
}

fn command(folder: &Path, database: &str, key: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rapport"));
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--log-format", "json"])
        .args(["--database-url", database, "--signing-key"])
        .arg(key)
        .args(arguments)
        .env_clear()
        .env("RAPPORT_TEST_FAULTS", "on")
        .envs(variables.iter().copied())
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

impl Caller<'_> {
    /// Sends a request. Returns the response, or the error if there is none.
    pub async fn try_ask(&self, document: &str, variables: Value) -> reqwest::Result<Answer> {
        let began = Instant::now();
        let asked = self.server.http.post(format!("http://{}/graphql", self.server.address)).bearer_auth(&self.token);
        let response = asked.json(&json!({ "query": document, "variables": variables })).send().await?;
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (retry_after, request_id) = (header("retry-after"), header("x-request-id"));
        let status = response.status().as_u16();
        let body = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
        Ok(Answer { status, retry_after, request_id, body, took: began.elapsed() })
    }

    pub async fn ask(&self, document: &str, variables: Value) -> Answer {
        self.try_ask(document, variables).await.unwrap()
    }

    /// Queries the number of departments.
    pub async fn count(&self) -> Answer {
        self.ask("{ departments { totalCount } }", json!({})).await
    }

    pub async fn create(&self, name: &str) -> Answer {
        let document = "mutation($input: DepartmentCreateInput!) { departmentCreate(input: $input) { outcome errors { code path } node { id } } }";
        self.ask(document, json!({ "input": { "name": name, "idempotencyKey": name } })).await
    }

    pub async fn update(&self, id: &str, name: &str) -> Answer {
        let document = "mutation($input: DepartmentUpdateInput!) { departmentUpdate(input: $input) { outcome } }";
        self.ask(document, json!({ "input": { "by": { "id": id }, "name": name } })).await
    }
}

impl Answer {
    /// Whether the response contains the requested data.
    pub fn is_good(&self) -> bool {
        self.status == 200 && self.body.get("errors").is_none()
    }

    pub fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
    }

    /// Returns the id of the created row.
    pub fn id(&self) -> String {
        self.body["data"]["departmentCreate"]["node"]["id"].as_str().unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }

    pub fn total(&self) -> u64 {
        self.body["data"]["departments"]["totalCount"].as_u64().unwrap_or_else(|| panic!("{self:?}"))
    }

    /// Whether the response is a 503 that asks the client to retry after a second.
    pub fn is_for_later(&self) -> bool {
        self.status == 503
            && self.retry_after.as_deref() == Some("1")
            && matches!(self.code(), "OVERLOADED" | "UNAVAILABLE")
            && self.body.get("data").is_none()
    }
}

/// Returns the numbers of successful responses, of refusals due to overload, and of refusals because the database is
/// unavailable. Panics if there are other responses.
#[track_caller]
pub fn tally(answers: &[Answer]) -> (usize, usize, usize) {
    let good = answers.iter().filter(|answer| answer.is_good()).count();
    let refused = |code: &str| answers.iter().filter(|answer| answer.is_for_later() && answer.code() == code).count();
    let (overloaded, unavailable) = (refused("OVERLOADED"), refused("UNAVAILABLE"));
    let other: Vec<_> = answers.iter().filter(|answer| !answer.is_good() && !answer.is_for_later()).collect();
    assert!(other.is_empty(), "{other:?}");
    (good, overloaded, unavailable)
}

/// Sends as many requests concurrently and returns the responses.
pub async fn at_once<F: Future<Output = Answer>>(times: usize, ask: impl Fn(usize) -> F) -> Vec<Answer> {
    join_all((0..times).map(ask)).await
}

/// Polls `ask` until it returns a value.
pub async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(began.elapsed() < 3 * TIMEOUT, "it does not happen");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Creates organizations before the server runs.
pub async fn organizations<const N: usize>(database: &str) -> [OrganizationId; N] {
    let store = Store::open(&Options {
        url: database.to_owned(),
        max_connections: 1,
        acquire_timeout: Options::COMMAND_TIMEOUT,
    })
    .await
    .unwrap();
    let mut made = Vec::new();
    for number in 0..N {
        let slug = format!("organization-{number}");
        let new = NewOrganization { slug: &slug, name: &slug, time_zone: "Europe/Berlin", is_noted: false };
        made.push(store.create_organization(&new, clock::now()).await.unwrap().unwrap());
    }
    store.close().await.unwrap();
    made.try_into().unwrap()
}
