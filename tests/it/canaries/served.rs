//! The real program, serving with everything in its log, and what it was told in secret.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    thread::JoinHandle,
};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::{Engine, engine::general_purpose::STANDARD};
use entity::Permission;
use reqwest::{Client, RequestBuilder};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tempfile::TempDir;

use super::Canaries;
use crate::{
    app::{App, Server},
    database::Database,
};

/// A server in a process of its own.
pub struct Served {
    pub app: App,
    pub url: String,
    /// The token of somebody who may do all.
    pub token: String,
    /// An API client.
    pub client: (String, String),
    pub http: Client,
    _folder: TempDir,
    secrets: Vec<String>,
    process: Process,
    log: JoinHandle<String>,
}

/// A child that a failed test does not leave behind.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Served {
    /// Starts one on a database of its own, with canaries in its configuration.
    pub async fn start(canaries: &Canaries, format: &str) -> Self {
        let app = App::on(Arc::new(Database::make().await)).await;
        app.organization("acme").await;
        let folder = tempfile::tempdir().unwrap();
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let der = pair.to_pkcs8v1().unwrap();
        std::fs::write(folder.path().join("key.der"), der.as_ref()).unwrap();
        let database = with_password(&app.database.url, &canaries.plant("the database's password"));
        let run = |arguments: &[&str]| {
            // A database that is busy for a moment is asked again.
            let mut tries = (0..10).map(|_| command(folder.path(), &database).args(arguments).output().unwrap());
            let output = tries.find(|output| output.status.success()).expect("the command succeeds");
            let text = String::from_utf8(output.stdout).unwrap();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let scopes = Permission::ALL.map(Permission::name).join(" ");
        let token = run(&["token", "--organization", "acme", "--scope", &scopes]).remove(0);
        let name = canaries.plant("an API client's name");
        let client = run(&["api-client", "create", "--organization", "acme", "--name", &name, "--scope", &scopes]);
        let label = |line: &str| line.split_once(": ").expect("it is labelled").1.to_owned();
        let client = (label(&client[0]), label(&client[1]));
        let issuer = json!({
            "issuer": "https://id.example/",
            // Nobody listens there: its keys are never had.
            "jwks": format!("http://127.0.0.1:9/{}?key={}", canaries.plant("a path"), canaries.plant("a query")),
            "audience": canaries.plant("an issuer's audience"),
            "algorithm": "ES256",
            "organizations": ["acme"],
            "scopes": "map:read",
            "organization-claim": canaries.plant("a claim"),
            "role-claim": "roles",
            "role-scopes": { canaries.plant("a role"): "map:read" },
        });
        let mut process = command(folder.path(), &database)
            .args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
            .args(["--log", "trace", "--log-format", format, "--request-timeout", "2s"])
            .args(["--cost-limit", "100000000", "--points", "100000000", "--points-per-second", "100000000"])
            .env("RAPPORT_EXTERNAL_ISSUER", issuer.to_string())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (found, listens) = mpsc::channel();
        let lines = BufReader::new(process.stderr.take().unwrap());
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            for line in lines.split(b'\n') {
                let line = String::from_utf8(line.unwrap()).unwrap();
                if line.contains("listening\"") || line.contains(" listening ") && line.contains("rapport") {
                    let port = line.split("127.0.0.1:").nth(1).unwrap();
                    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
                    found.send(format!("http://127.0.0.1:{port}")).unwrap();
                }
                log.push_str(&line);
                log.push('\n');
            }
            log
        });
        let url = listens.recv().expect("the server listens");
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let http = Client::builder().no_proxy().build().unwrap();
        let mut secrets: Vec<String> = token.split('.').map(str::to_owned).collect();
        let key = STANDARD.encode(der.as_ref());
        secrets.extend(key.as_bytes().chunks(32).map(|part| String::from_utf8(part.to_vec()).unwrap()));
        secrets.extend([client.1.clone(), STANDARD.encode(format!("{}:{}", client.0, client.1))]);
        Self { app, url, token, client, http, _folder: folder, secrets, process: Process(process), log }
    }

    /// What the harness's callers ask through.
    pub fn server(&self) -> Server {
        Server { url: self.url.clone(), token: self.token.clone(), http: self.http.clone() }
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.url))
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.url))
    }

    /// A request with the good token.
    pub fn ask(&self, query: &str, variables: &serde_json::Value) -> RequestBuilder {
        self.post("/graphql").bearer_auth(&self.token).json(&json!({ "query": query, "variables": variables }))
    }

    /// Ends the server; answers all it has logged, and the secrets that must not be there.
    pub fn stop(mut self) -> (String, Vec<String>) {
        let id = Pid::from_child(&self.process.0);
        kill_process(id, Signal::TERM).unwrap();
        assert!(self.process.0.wait().unwrap().success());
        (self.log.join().unwrap(), self.secrets)
    }
}

/// The program with nothing in its environment but the database and the key.
pub fn command(folder: &Path, database: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rapport"));
    command.env_clear().current_dir(folder);
    command.env("RAPPORT_DATABASE_URL", database).env("RAPPORT_SIGNING_KEY", folder.join("key.der"));
    command
}

/// The same address with a password, which the tests' PostgreSQL does not ask for.
pub fn with_password(url: &str, password: &str) -> String {
    match url.split_once('@') {
        Some((user, rest)) => format!("{}:{password}@{rest}", user.trim_end_matches(':')),
        None => url.to_owned(),
    }
}
