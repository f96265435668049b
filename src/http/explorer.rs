//! The explorer at `/`: `GraphiQL`, served from this binary; the page makes no request to any other host.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    net::SocketAddr,
    sync::LazyLock,
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, HOST, HeaderMap, REFERRER_POLICY},
    web,
};
use serde_json::json;

use super::{app::State, error_response::ErrorResponse, request::media::Media};

/// The queries that open as tabs for the example organization. The first line of each describes it.
pub const EXAMPLES: [&str; 7] = [
    include_str!("explorer/examples/1-complaints.graphql"),
    include_str!("explorer/examples/2-mediums.graphql"),
    include_str!("explorer/examples/3-points.graphql"),
    include_str!("explorer/examples/4-departments.graphql"),
    include_str!("explorer/examples/5-external-id.graphql"),
    include_str!("explorer/examples/6-create.graphql"),
    PICTURE,
];

/// The queries for an organization without data: they create some.
pub const BEGINNINGS: [&str; 4] = [
    include_str!("explorer/examples/empty-1-journey.graphql"),
    include_str!("explorer/examples/empty-2-template.graphql"),
    include_str!("explorer/examples/empty-3-record.graphql"),
    PICTURE,
];

/// The queries for a user's own organization that already has data of any kind.
pub const GENERAL: [&str; 5] = [
    PICTURE,
    include_str!("explorer/examples/3-points.graphql"),
    include_str!("explorer/examples/1-complaints.graphql"),
    include_str!("explorer/examples/own-1-feedback.graphql"),
    include_str!("explorer/examples/empty-3-record.graphql"),
];

const PICTURE: &str = include_str!("explorer/examples/7-picture.graphql");

/// Scripts and requests from this origin only. `GraphiQL` sets styles from scripts and embeds fonts and icons as
/// `data:` URLs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    font-src data:; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

const PAGE: &str = include_str!("explorer/page.html");
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// A file that the page loads. Its URL contains a hash of its content, so caches may keep it indefinitely.
struct Asset {
    name: &'static str,
    address: String,
    content_type: &'static str,
    body: &'static [u8],
    is_gzip: bool,
}

static ASSETS: LazyLock<[Asset; 6]> = LazyLock::new(|| {
    let asset = |name: &'static str, content_type, body: &'static [u8], is_gzip| {
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        let address = format!("{:016x}-{name}", hasher.finish());
        Asset { name, address, content_type, body, is_gzip }
    };
    [
        asset("react.js", SCRIPT, include_bytes!("explorer/react-18.3.1.js.gz"), true),
        asset("react-dom.js", SCRIPT, include_bytes!("explorer/react-dom-18.3.1.js.gz"), true),
        asset("graphiql.js", SCRIPT, include_bytes!("explorer/graphiql-4.1.2.js.gz"), true),
        asset("graphiql.css", STYLE, include_bytes!("explorer/graphiql-4.1.2.css.gz"), true),
        asset("page.js", SCRIPT, include_bytes!("explorer/page.js"), false),
        asset("page.css", STYLE, include_bytes!("explorer/page.css"), false),
    ]
});

/// Serves the page.
pub(super) async fn page(http: HttpRequest, state: web::Data<State>) -> HttpResponse {
    let demo = state.app.demo.as_ref();
    let token = demo.filter(|_| is_at_this_machine(&http)).map(|demo| demo.token.as_str());
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        // The page may contain a token.
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(written(demo.is_some(), token))
}

/// Serves an asset of the page.
pub(super) async fn asset(file: web::Path<String>) -> HttpResponse {
    let Some(asset) = ASSETS.iter().find(|asset| asset.address == *file) else {
        return ErrorResponse::not_found().respond(Media::Json);
    };
    let mut builder = HttpResponse::Ok();
    builder.content_type(asset.content_type).insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"));
    if asset.is_gzip {
        builder.insert_header((CONTENT_ENCODING, "gzip"));
    }
    builder.body(asset.body)
}

fn written(is_demo: bool, token: Option<&str>) -> String {
    // Without a token the server cannot know what the organization contains: the page queries that and chooses a set.
    let examples = if is_demo {
        json!({ "filled": EXAMPLES, "empty": EXAMPLES })
    } else {
        json!({ "filled": GENERAL, "empty": BEGINNINGS })
    };
    let settings = json!({ "examples": examples, "token": token });
    // A `<` could close the surrounding script element.
    let settings = settings.to_string().replace('<', "\\u003c");
    let page = ASSETS.iter().fold(PAGE.to_owned(), |page, asset| {
        page.replace(&format!("{{{}}}", asset.name), &format!("/explorer/{}", asset.address))
    });
    page.replace("{settings}", &settings)
}

/// Whether the browser runs on this machine and addressed it by a loopback name. Checking the `Host` header prevents
/// DNS rebinding: another site can make its own name resolve to this address and read the response.
fn is_at_this_machine(http: &HttpRequest) -> bool {
    let port = http.app_config().local_addr().port();
    !is_forwarded(http.headers()) && http.peer_addr().is_some_and(is_loopback) && names_loopback(http.headers(), port)
}

fn is_loopback(peer: SocketAddr) -> bool {
    peer.ip().to_canonical().is_loopback()
}

/// Whether the request came through a proxy. Behind a proxy on this machine, every peer address is a loopback address.
fn is_forwarded(headers: &HeaderMap) -> bool {
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"]
        .iter()
        .any(|name| headers.contains_key(*name))
}

fn names_loopback(headers: &HeaderMap, port: u16) -> bool {
    let mut hosts = headers.get_all(HOST);
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| host.as_bytes() == format!("{name}:{port}").as_bytes())
}
