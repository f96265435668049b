//! The application: its parts and its routes.

use std::{net::IpAddr, sync::Arc, time::Duration};

use actix_cors::Cors;
use actix_web::{
    FromRequest, Handler, HttpRequest, HttpResponse, Resource,
    body::BoxBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    guard,
    http::header,
    middleware::{Compress, Condition, from_fn},
    web::{self, ServiceConfig},
};
use ipnet::IpNet;
use tokio::runtime::Handle;

use super::{
    all_rows, calendar, diagram,
    discovery::{self, Discovery},
    documents,
    error_response::ErrorResponse,
    event_log, explorer, graphql, health, import_file,
    known_documents::KnownDocuments,
    limits::{admission::Admission, rate_limit::RateLimiter},
    metrics, middleware, oauth, organization_export, published,
    request::{
        authenticator::Authenticator, body, body_memory::BodyMemory, client_address, media::Media, preflight::Origins,
    },
    serve::threads,
    streams::{Streams, socket},
};
use crate::{
    auth::{signed_url::UrlSigner, tokens::Tokens},
    config::HttpSettings,
    graphql::{
        documents::{cache::DocumentCache, limits::Limits},
        types::schema_index::SchemaIndex,
    },
    schema::ApiSchema,
    store::{Store, usage::compute::ComputePool},
};

/// Maximum time that parsing a large request waits for a thread of the compute pool.
const COMPUTE_WAIT: Duration = Duration::from_millis(80);

/// The parts of the application that the commands provide.
#[derive(Clone)]
pub struct App {
    /// The GraphQL schema.
    pub schema: ApiSchema,
    /// The open database.
    pub store: Store,
    /// Authenticates callers.
    pub gate: Arc<Authenticator>,
    /// Set by `demo`, never by `serve`.
    pub demo: Option<Demo>,
}

/// A database with sample data, accessible to any user of this machine.
#[derive(Clone)]
pub struct Demo {
    /// The access token that the explorer is given if the browser runs on this machine.
    pub token: String,
}

/// The state of the handlers, created once and shared by all workers.
pub(super) struct State {
    pub app: App,
    pub schema_index: SchemaIndex,
    pub sdl: web::Bytes,
    pub body_limit: usize,
    pub request_timeout: Duration,
    pub attempts: oauth::Attempts,
    pub limits: Limits,
    pub documents: DocumentCache,
    pub known_documents: KnownDocuments,
    pub rate_limiter: RateLimiter,
    /// Signs URLs, if there is a signing key.
    pub addresses: Option<Arc<UrlSigner>>,
    /// What OAuth clients discover, if the public URL is known.
    pub discovery: Option<Discovery>,
    pub admission: Admission,
    /// The origins allowed by CORS.
    pub origins: Origins,
    pub compute: ComputePool,
    pub memory: BodyMemory,
    pub streams: Streams,
    /// The proxies whose forwarding headers are trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// The runtime of the database connections. It lives as long as the process, whereas workers stop one by one.
    pub home: Handle,
}

impl State {
    pub fn new(app: App, settings: &HttpSettings) -> Self {
        // Before the parts that count something.
        metrics::recorder();
        let sdl = app.schema.sdl();
        let admission = Admission::new(app.store.connections());
        let signer = app.gate.tokens.clone();
        let addresses = signer.map(|tokens| UrlSigner::new(tokens, settings.public_url.as_deref()));
        let discovery = settings.public_url.as_deref().map(|public_url| {
            let issuer = app.gate.tokens.as_ref().map(Tokens::issuer);
            Discovery::new(public_url, issuer, &app.gate.external_issuers())
        });
        Self {
            discovery,
            schema_index: SchemaIndex::read(&sdl).expect("a schema can be read from its own SDL"),
            sdl: sdl.into(),
            body_limit: settings.body_limit,
            request_timeout: settings.request_timeout,
            attempts: oauth::Attempts::default(),
            addresses: addresses.map(Arc::new),
            rate_limiter: RateLimiter::new(&settings.limits),
            limits: settings.limits.clone(),
            documents: DocumentCache::default(),
            known_documents: KnownDocuments::default(),
            admission,
            origins: Origins::new(&settings.cors_origins),
            compute: ComputePool::new(threads(), COMPUTE_WAIT, Handle::current()),
            streams: Streams::new(app.store.clone()),
            memory: BodyMemory::new(settings.limits.body_memory),
            trusted_proxies: settings.trusted_proxies.clone(),
            home: Handle::current(),
            app,
        }
    }

    /// Returns the client's address.
    pub fn address(&self, http: &HttpRequest) -> Option<IpAddr> {
        client_address::of(http.headers(), http.peer_addr().map(|peer| peer.ip()), &self.trusted_proxies)
    }
}

/// Mounts the whole API, for in-process tests.
pub fn routes(app: App, settings: &HttpSettings) -> impl FnOnce(&mut ServiceConfig) + use<> {
    let health = health::Health::new(app.store.clone());
    let store = app.store.clone();
    mount(web::Data::new(State::new(app, settings)), store, web::Data::new(health), settings.cors_origins.clone())
}

/// Mounts the API. `store` belongs to the worker thread that handles the requests.
pub(super) fn mount(
    state: web::Data<State>,
    store: Store,
    health: web::Data<health::Health>,
    origins: Vec<String>,
) -> impl FnOnce(&mut ServiceConfig) {
    let store = store.with_addresses(state.addresses.clone());
    move |config| {
        let endpoint = web::resource("/graphql")
            .route(web::get().guard(guard::fn_guard(socket::is_upgrade)).to(socket::open))
            .route(web::get().to(graphql::graphql))
            .route(web::post().to(graphql::graphql));
        // Everything is in one scope, because a scope can add middleware to any application.
        let all = web::scope("")
            .app_data(state)
            .app_data(web::Data::new(store))
            .app_data(health)
            .service(guarded(endpoint, "GET, POST"))
            .service(guarded(web::resource("/oauth/token").route(web::post().to(oauth::token)), "POST"))
            .service(readable("/schema.graphql", published::schema))
            .service(readable("/.well-known/jwks.json", published::jwks))
            .service(readable(&format!("{}{{path:.*}}", discovery::AUTHORIZATION_SERVER), discovery::metadata))
            .service(readable(&format!("{}{{path:.*}}", discovery::PROTECTED_RESOURCE), discovery::metadata))
            .service(readable("/journeys/{id}.svg", diagram::diagram))
            .service(readable("/journeys/{id}/events.{format}", event_log::event_log))
            .service(readable("/calendars/{id}.ics", calendar::calendar))
            .service(readable("/documents/{name}/all.{format}", all_rows::all_rows))
            .service(readable("/documents/{name}.{format}", documents::document))
            .service(readable("/organization/export", organization_export::export))
            .service(guarded(
                web::resource("/imports/{id}/file").route(web::post().to(import_file::import_file)),
                "POST",
            ))
            .service(readable("/healthz", health::alive))
            .service(readable("/readyz", health::ready))
            .service(readable("/", explorer::page))
            .service(readable("/explorer/{file}", explorer::asset))
            .default_service(web::to(not_found))
            .wrap(Condition::new(!origins.is_empty(), cors(&origins)))
            .wrap(Compress::default())
            .wrap(from_fn(middleware::request_middleware));
        config.service(all);
    }
}

/// The service that actix requires of a resource with middleware.
pub(super) trait Routed:
    ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = actix_web::Error,
        InitError = (),
    >
{
}

impl<T> Routed for T where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<BoxBody>,
            Error = actix_web::Error,
            InitError = (),
        >
{
}

/// Adds error responses in the format of this API to a resource: for panics and for unsupported methods.
fn guarded(resource: Resource, allow: &'static str) -> Resource<impl Routed> {
    let refuse = move |unread: web::Payload| async move {
        let refusal = ErrorResponse::method_not_allowed(allow, "method not allowed for this path");
        body::hold(refusal.respond(Media::Json), unread)
    };
    resource.default_service(web::to(refuse)).wrap(from_fn(middleware::catch_panic))
}

/// Creates a resource that supports only GET and HEAD.
pub(super) fn readable<H, Args>(path: &str, handler: H) -> Resource<impl Routed + use<H, Args>>
where
    H: Handler<Args, Output = HttpResponse>,
    Args: FromRequest + 'static,
{
    let get_or_head = web::route().guard(guard::Any(guard::Get()).or(guard::Head()));
    guarded(web::resource(path.to_owned()).route(get_or_head.to(handler)), "GET, HEAD")
}

pub(super) async fn not_found(unread: web::Payload) -> HttpResponse {
    body::hold(ErrorResponse::not_found().respond(Media::Json), unread)
}

/// Allows exactly the listed origins. The API uses no cookies, so CORS alone controls access from other sites.
fn cors(origins: &[String]) -> Cors {
    let allowed = Cors::default()
        .allowed_methods(["GET", "POST"])
        .allowed_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT])
        .expose_headers(["x-request-id", "retry-after", "ratelimit", "ratelimit-policy"])
        .max_age(3_600);
    origins.iter().fold(allowed, |cors, origin| cors.allowed_origin(origin))
}
