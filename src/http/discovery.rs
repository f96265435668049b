//! What OAuth clients read to find the token endpoint, the keys and the scopes: the metadata of RFC 8414 and RFC 9728. They
//! exist where the server knows its public URL.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, ContentType},
    web,
};
use entity::Permission;
use serde_json::json;

use super::{app::State, error_response::ErrorResponse, request::media::Media};

/// Where the metadata of the authorization server is. The path of the issuer follows, if it has one (RFC 8414, 3.1).
pub(super) const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";
/// Where the metadata of the API is. The path of the public URL follows, if it has one (RFC 9728, 3.1).
pub(super) const PROTECTED_RESOURCE: &str = "/.well-known/oauth-protected-resource";

/// The documents, made once.
pub(super) struct Discovery {
    /// The public URL.
    pub public_url: String,
    /// Path of the public URL; empty if it has none.
    path: String,
    /// What describes the token endpoint; `None` if another issuer is named, at whose address clients would look for it.
    authorization_server: Option<web::Bytes>,
    protected_resource: web::Bytes,
}

impl Discovery {
    /// Makes the documents of the server with this public URL. `issuer` is the one of its own tokens, if it issues any;
    /// `others` are those whose tokens it accepts besides.
    pub fn new(public_url: &str, issuer: Option<&str>, others: &[&str]) -> Self {
        let scopes: Vec<&str> = Permission::ALL.iter().map(|scope| scope.name()).collect();
        let authorization_server = json!({
            "issuer": public_url,
            "token_endpoint": format!("{public_url}/oauth/token"),
            "jwks_uri": format!("{public_url}/.well-known/jwks.json"),
            "scopes_supported": scopes,
            "response_types_supported": [],
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        });
        let issuers: Vec<&str> = issuer.into_iter().chain(others.iter().copied()).collect();
        let protected_resource = json!({
            "resource": public_url,
            "authorization_servers": issuers.iter().filter(|name| name.contains("://")).collect::<Vec<_>>(),
            "scopes_supported": scopes,
            "bearer_methods_supported": ["header"],
        });
        let path = url::Url::parse(public_url).map(|url| url.path().trim_end_matches('/').to_owned());
        Self {
            public_url: public_url.to_owned(),
            path: path.unwrap_or_default(),
            authorization_server: (issuer == Some(public_url)).then(|| authorization_server.to_string().into()),
            protected_resource: protected_resource.to_string().into(),
        }
    }

    /// Returns the document at a path; `None` if there is none. A proxy may take the path of the public URL away.
    fn find(&self, path: &str) -> Option<web::Bytes> {
        let is_at = |place: &str| path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest == self.path);
        if is_at(AUTHORIZATION_SERVER) {
            return self.authorization_server.clone();
        }
        is_at(PROTECTED_RESOURCE).then(|| self.protected_resource.clone())
    }
}

/// Serves the metadata.
pub async fn metadata(http: HttpRequest, state: web::Data<State>) -> HttpResponse {
    match state.discovery.as_ref().and_then(|discovery| discovery.find(http.path())) {
        Some(document) => HttpResponse::Ok()
            .insert_header((CACHE_CONTROL, "public, max-age=300"))
            .content_type(ContentType::json())
            .body(document),
        None => ErrorResponse::not_found().respond(Media::Json),
    }
}
