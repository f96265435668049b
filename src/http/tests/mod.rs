//! Tests of the whole application in process.

mod attacks;
mod edges;
mod explorer;
mod identity;
mod protocol;
mod spending;

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
    time::Duration,
};

use actix_web::{
    App as ActixApp,
    http::{
        StatusCode,
        header::{HeaderMap, HeaderName},
    },
    test::{TestRequest, call_service, init_service, read_body},
    web::{Bytes, ServiceConfig},
};
use chrono::TimeDelta;
use entity::{Permissions, id::OrganizationId};
use secrecy::ExposeSecret;
use serde_json::{Value as Json, json};

use super::{App, Authenticator, Demo, routes};
use crate::{
    auth::{Actor, key::KeyFile, tokens::Tokens},
    clock,
    config::HttpSettings,
    graphql::documents::limits::Limits,
    store,
};

const BODY_LIMIT: usize = 10_000;
const LISTED: &str = "https://front.example";

/// Tokens of a key generated for this test run.
static TOKENS: LazyLock<Tokens> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    let key = KeyFile::Own(directory.path().join("key.pem")).open().unwrap();
    Tokens::new(key, "rapport").unwrap()
});

/// A database file with the complete schema, created once.
static TEMPLATE: LazyLock<PathBuf> = LazyLock::new(|| {
    let file = tempfile::tempdir().unwrap().keep().join("template.db");
    let made = file.clone();
    let make = move || {
        actix_web::rt::System::new().block_on(async {
            let store = open(&made).await;
            store.migrate().await.unwrap();
            store.close().await.unwrap();
        });
    };
    std::thread::spawn(make).join().unwrap();
    file
});

async fn open(file: &Path) -> store::Store {
    let url = format!("sqlite://{}?mode=rwc", file.display());
    store::Store::open(&store::Options { url, max_connections: 2, acquire_timeout: store::Options::COMMAND_TIMEOUT })
        .await
        .unwrap()
}

fn good() -> String {
    token(OrganizationId(entity::id::new()), Permissions::default())
}

fn token(organization: OrganizationId, permissions: Permissions) -> String {
    let actor = Actor {
        organization,
        subject: "tester".to_owned(),
        client: None,
        permissions,
        expires: None,
        departments: None,
    };
    TOKENS.issue(&actor, TimeDelta::minutes(5), clock::now()).unwrap().expose_secret().to_owned()
}

fn settings() -> HttpSettings {
    let listen = "127.0.0.1:8080".parse().unwrap();
    HttpSettings {
        listen,
        admin_listen: listen,
        public_url: None,
        cors_origins: vec![LISTED.to_owned()],
        trusted_proxies: Vec::new(),
        body_limit: BODY_LIMIT,
        request_timeout: Duration::from_secs(5),
        drain_timeout: Duration::from_secs(5),
        drain_delay: Duration::ZERO,
        exit_timeout: Duration::from_secs(1),
        limits: Limits::DEFAULT,
    }
}

async fn app() -> App {
    let file = tempfile::tempdir().unwrap().keep().join("rapport.db");
    std::fs::copy(&*TEMPLATE, &file).unwrap();
    let store = open(&file).await;
    App {
        schema: crate::schema::build(),
        gate: Arc::new(Authenticator::new(store.clone(), Some(TOKENS.clone()), Vec::new())),
        store,
        demo: Some(Demo { token: "demo-token".to_owned() }),
    }
}

/// A response.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let name: HeaderName = name.parse().unwrap();
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {:?}", self.text()))
    }

    /// Returns the code of the first error.
    fn code(&self) -> String {
        let json = self.json();
        assert!(json["errors"][0]["message"].is_string(), "{json}");
        assert!(json.get("data").is_none(), "{json}");
        json["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no code: {json}")).to_owned()
    }

    fn refused(&self) -> (u16, String) {
        (self.status.as_u16(), self.code())
    }
}

async fn send(request: TestRequest) -> Answer {
    let app = app().await;
    send_to(routes(app, &settings()), request).await
}

async fn send_to(configure: impl FnOnce(&mut ServiceConfig), request: TestRequest) -> Answer {
    send_all(configure, [request]).await.remove(0)
}

/// Sends requests one after another to the same server.
async fn send_all(
    configure: impl FnOnce(&mut ServiceConfig),
    requests: impl IntoIterator<Item = TestRequest>,
) -> Vec<Answer> {
    let service = init_service(ActixApp::new().configure(configure)).await;
    let mut answers = Vec::new();
    for request in requests {
        let response = call_service(&service, request.to_request()).await;
        let (status, headers) = (response.status(), response.headers().clone());
        answers.push(Answer { status, headers, body: read_body(response).await });
    }
    answers
}

const GRAPHQL: (&str, &str) = ("accept", "application/graphql-response+json");
const JSON: (&str, &str) = ("content-type", "application/json");

fn post(body: impl Into<Bytes>) -> TestRequest {
    TestRequest::post().uri("/graphql").insert_header(JSON).insert_header(GRAPHQL).set_payload(body)
}

fn ask(query: &str) -> TestRequest {
    post(json!({ "query": query }).to_string())
}

fn get(parameters: &[(&str, &str)]) -> TestRequest {
    let mut uri = String::from("/graphql?");
    for (name, value) in parameters {
        write!(uri, "{name}=").unwrap();
        value.bytes().for_each(|byte| write!(uri, "%{byte:02X}").unwrap());
        uri.push('&');
    }
    TestRequest::get().uri(&uri).insert_header(GRAPHQL)
}

fn with_token(request: TestRequest) -> TestRequest {
    request.insert_header(("authorization", format!("Bearer {}", good())))
}
