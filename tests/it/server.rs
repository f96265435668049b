//! The service behind its door: a real server, tokens forged with its own key, and a provider of keys to play with.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::{App as ActixApp, HttpResponse, HttpServer, dev::ServerHandle, web};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use chrono::TimeDelta;
use entity::{Permission, id::OrganizationId, organization};
use jsonwebtoken::{Algorithm, EncodingKey};
use rapport::{
    auth::{
        Actor,
        external_issuer::{External, IssuerConfig},
        key::SigningKey,
        tokens::Tokens,
    },
    clock,
    config::HttpSettings,
    graphql::documents::limits::Limits,
    http::{self, Authenticator},
    schema,
    store::{Options, Store},
};
use reqwest::{Client, RequestBuilder, Response};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};

use crate::app::App;
pub use crate::{
    app::now,
    signer::{Signer, sign, twice, with, without},
};

/// A server with an organization `acme`, and the key of its built-in issuer.
pub struct Door {
    pub app: App,
    pub acme: OrganizationId,
    pub gate: Arc<Authenticator>,
    pub signer: Signer,
    pub tokens: Tokens,
    pub url: String,
    http: Client,
    server: ServerHandle,
}

impl Door {
    pub async fn open(externals: Vec<Value>) -> Self {
        Self::with(externals, settings()).await
    }

    /// A server that takes bodies of the size that a server takes unless it is told otherwise.
    pub async fn for_imports() -> Self {
        Self::with(Vec::new(), HttpSettings { body_limit: 4 << 20, ..settings() }).await
    }

    /// A server whose callers have few points, and regain some every second.
    pub async fn with_points(points: u32, points_per_second: u32) -> Self {
        let limits = Limits { points, points_per_second, ..Limits::DEFAULT };
        Self::with(Vec::new(), HttpSettings { limits, ..settings() }).await
    }

    /// A server that waits no longer than this for a request, or for what a client must say first.
    pub async fn impatient(request_timeout: Duration) -> Self {
        Self::with(Vec::new(), HttpSettings { request_timeout, ..settings() }).await
    }

    /// A server with this much memory for the bodies of requests, in bytes.
    pub async fn with_body_memory(body_memory: usize) -> Self {
        let limits = Limits { body_memory, ..Limits::DEFAULT };
        Self::with(Vec::new(), HttpSettings { limits, ..settings() }).await
    }

    /// A server that knows its public URL.
    pub async fn at(public_url: &str) -> Self {
        Self::with(Vec::new(), HttpSettings { public_url: Some(public_url.to_owned()), ..settings() }).await
    }

    async fn with(externals: Vec<Value>, settings: HttpSettings) -> Self {
        let app = App::start().await;
        let acme = app.organization("acme").await;
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let der = pair.to_pkcs8v1().unwrap();
        let issuer = settings.public_url.as_deref().unwrap_or("rapport");
        let tokens = Tokens::new(SigningKey::parse(der.as_ref()).unwrap(), issuer).unwrap().accepting_default();
        let keys: Value = serde_json::from_str(tokens.jwks()).unwrap();
        let id = keys["keys"][0]["kid"].as_str().unwrap().to_owned();
        let signer = Signer { key: EncodingKey::from_ec_der(der.as_ref()), algorithm: Algorithm::ES256, id };
        let gate = Arc::new(gate(app.store.clone(), &tokens, &externals));
        let serving =
            http::App { schema: schema::build(), store: app.store.clone(), gate: Arc::clone(&gate), demo: None };
        let (address, server) = serve(move |config| http::routes(serving.clone(), &settings)(config));
        let url = format!("http://{address}");
        Self { app, acme, gate, signer, tokens, url, http: client(), server }
    }

    /// Another server on the same database.
    pub async fn replica(&self) -> Authenticator {
        self.replica_at(self.app.database.url.clone(), Options::COMMAND_TIMEOUT).await
    }

    /// One that reaches the database by another address, and has less patience.
    pub async fn replica_at(&self, url: String, acquire_timeout: Duration) -> Authenticator {
        let options = Options { url, max_connections: 2, acquire_timeout };
        gate(Store::open(&options).await.unwrap(), &self.tokens, &[])
    }

    /// Another gate of the same server, which believes these issuers.
    pub fn gate_with(&self, externals: &[Value]) -> Authenticator {
        gate(self.app.store.clone(), &self.tokens, externals)
    }

    pub fn actor(&self, permissions: impl IntoIterator<Item = Permission>) -> Actor {
        let permissions = permissions.into_iter().collect();
        Actor {
            organization: self.acme,
            subject: "ada".to_owned(),
            client: None,
            permissions,
            expires: None,
            departments: None,
        }
    }

    /// A genuine token.
    pub fn token(&self, permissions: impl IntoIterator<Item = Permission>) -> String {
        let token = self.tokens.issue(&self.actor(permissions), TimeDelta::minutes(10), clock::now());
        token.unwrap().expose_secret().to_owned()
    }

    /// The claims of a genuine token.
    pub fn claims(&self) -> Value {
        let now = clock::now().timestamp();
        json!({
            "iss": "rapport", "aud": "rapport", "sub": "ada", "exp": now + 600, "iat": now, "jti": "1",
            "org": entity::id::encode(organization::NOUN.prefix, self.acme.into()), "scope": "map:read",
        })
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.url))
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.url))
    }

    /// A request that anybody with a good token may make.
    pub fn question(&self) -> RequestBuilder {
        self.post("/graphql").json(&json!({ "query": "{ organization { slug } }" }))
    }

    pub async fn ask(&self, token: &str) -> Answer {
        Answer::of(self.question().bearer_auth(token).send().await.unwrap()).await
    }

    /// Whether a token lets its bearer in.
    pub async fn lets_in(&self, token: &str) -> bool {
        let answer = self.ask(token).await;
        match answer.status {
            200 => assert_eq!(answer.body["data"]["organization"]["slug"], "acme", "{answer:?}"),
            _ => assert_eq!(answer.refused(), (401, "UNAUTHENTICATED"), "{answer:?}"),
        }
        answer.status == 200
    }

    pub async fn mutate(&self, token: &str, field: &str, input: Value, selection: &str) -> Value {
        let (first, rest) = field.split_at(1);
        let ty = format!("{}{rest}Input!", first.to_ascii_uppercase());
        let query = format!("mutation($input: {ty}) {{ {field}(input: $input) {{ {selection} }} }}");
        let asked = json!({ "query": query, "variables": { "input": input } });
        let asked = self.post("/graphql").bearer_auth(token).json(&asked);
        let mut answer = Answer::of(asked.send().await.unwrap()).await;
        assert_eq!(answer.body.get("errors"), None, "{answer:?}");
        answer.body["data"][field].take()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

fn gate(store: Store, tokens: &Tokens, externals: &[Value]) -> Authenticator {
    let externals =
        externals.iter().map(|terms| External::new(IssuerConfig::parse(&terms.to_string()).unwrap()).unwrap());
    Authenticator::new(store, Some(tokens.clone()), externals.collect())
}

fn settings() -> HttpSettings {
    let listen = "127.0.0.1:0".parse().unwrap();
    HttpSettings {
        listen,
        admin_listen: listen,
        public_url: None,
        cors_origins: Vec::new(),
        trusted_proxies: Vec::new(),
        body_limit: 100_000,
        request_timeout: Duration::from_secs(10),
        drain_timeout: Duration::from_secs(1),
        drain_delay: Duration::ZERO,
        exit_timeout: Duration::from_secs(1),
        limits: Limits::DEFAULT,
    }
}

fn serve(routes: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static) -> (SocketAddr, ServerHandle) {
    let make = move || ActixApp::new().configure(routes.clone());
    let server = HttpServer::new(make).workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    (address, handle)
}

fn client() -> Client {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    Client::builder().no_proxy().build().unwrap()
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub challenge: Option<String>,
    pub cache: Option<String>,
    pub retry_after: Option<String>,
    pub body: Value,
}

impl Answer {
    pub async fn of(response: Response) -> Self {
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (challenge, cache, retry_after) =
            (header("www-authenticate"), header("cache-control"), header("retry-after"));
        let status = response.status().as_u16();
        let body = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default();
        Self { status, challenge, cache, retry_after, body }
    }

    pub fn refused(&self) -> (u16, &str) {
        (self.status, self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default())
    }
}

/// What a provider answers when it is asked for its keys.
#[derive(Clone)]
pub enum Mode {
    Keys(Vec<Value>),
    Body(String),
    Away,
    Elsewhere(String),
}

/// A provider of keys that counts how often it is asked, and can be made to wait with its answers.
pub struct Provider {
    pub url: String,
    mode: Arc<Mutex<Mode>>,
    fetches: Arc<AtomicUsize>,
    asked: Arc<Notify>,
    is_held: watch::Sender<bool>,
    server: ServerHandle,
}

impl Provider {
    pub fn start(mode: Mode) -> Self {
        let (mode, fetches) = (Arc::new(Mutex::new(mode)), Arc::new(AtomicUsize::new(0)));
        let (asked, (is_held, held)) = (Arc::new(Notify::new()), watch::channel(false));
        let shared = (Arc::clone(&mode), Arc::clone(&fetches), Arc::clone(&asked), held);
        let (address, server) = serve(move |config| {
            let (mode, fetches, asked, held) = shared.clone();
            let answer = move || {
                let (mode, fetches) = (mode.lock().unwrap().clone(), Arc::clone(&fetches));
                let (asked, mut held) = (Arc::clone(&asked), held.clone());
                async move {
                    fetches.fetch_add(1, Ordering::SeqCst);
                    asked.notify_one();
                    held.wait_for(|held| !held).await.unwrap();
                    match mode {
                        Mode::Keys(keys) => HttpResponse::Ok().json(json!({ "keys": keys })),
                        Mode::Body(text) => HttpResponse::Ok().body(text),
                        Mode::Away => HttpResponse::ServiceUnavailable().finish(),
                        Mode::Elsewhere(url) => HttpResponse::Found().insert_header(("location", url)).finish(),
                    }
                }
            };
            config.route("/keys", web::get().to(answer));
        });
        Self { url: format!("http://{address}/keys"), mode, fetches, asked, is_held, server }
    }

    /// Answers nobody until [`Provider::release`].
    pub fn hold(&self) {
        self.is_held.send_replace(true);
    }

    pub fn release(&self) {
        self.is_held.send_replace(false);
    }

    /// Waits until it was asked.
    pub async fn asked(&self) {
        self.asked.notified().await;
    }

    pub fn turn(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    pub fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// The terms on which its tokens are believed.
    pub fn terms(&self, algorithm: &str) -> Value {
        json!({
            "issuer": "https://id.example/", "jwks": self.url, "audience": "rapport-api", "algorithm": algorithm,
            "organizations": "*", "scopes": Permission::ALL.map(Permission::name),
        })
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

/// Claims of a provider's token at `now`, for the organization `acme`.
pub fn foreign_claims(now: chrono::DateTime<chrono::Utc>) -> Value {
    let now = now.timestamp();
    json!({
        "iss": "https://id.example/", "aud": ["rapport-api", "other"], "sub": "ada", "exp": now + 86_000, "iat": now,
        "org": "acme", "scope": "map:read openid",
    })
}
