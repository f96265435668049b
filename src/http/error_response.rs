//! The uniform format of error responses.

use std::borrow::Cow;

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{ALLOW, CACHE_CONTROL, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE},
    },
};
use async_graphql::Response;
use serde::Serialize;

use super::{middleware::RequestId, request::media::Media};
use crate::{error::reason::Reason, graphql::failure::refuse};

/// The outcome of a request for the log and the metrics; every response of this API has one as an extension.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// `query`, `mutation` or `subscription`.
    pub operation: Option<&'static str>,
    /// The code of the first error.
    pub code: Option<Cow<'static, str>>,
}

/// The response to a request that is refused before execution.
#[derive(Debug)]
pub struct ErrorResponse {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    header: Option<(HeaderName, Cow<'static, str>)>,
    closes: bool,
    request_id: Option<RequestId>,
}

#[derive(Serialize)]
struct Body<'a> {
    errors: [Shown<'a>; 1],
}

#[derive(Serialize)]
struct Shown<'a> {
    message: &'a str,
    extensions: Extensions,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Extensions {
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl ErrorResponse {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), header: None, closes: false, request_id: None }
    }

    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", "no such path")
    }

    pub fn method_not_allowed(allow: &'static str, message: &'static str) -> Self {
        let refusal = Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message);
        refusal.with(ALLOW, allow)
    }

    pub fn not_acceptable(message: &'static str) -> Self {
        Self::new(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message)
    }

    pub fn unsupported(message: &'static str) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message)
    }

    /// The response to failed authentication. Body and challenge (RFC 6750, 3) state what is public of the reason.
    pub fn unauthenticated(reason: Reason) -> Self {
        let message = reason.message();
        let challenge: Cow<'static, str> = match reason {
            // Without a token, the challenge has no error (RFC 6750, 3.1).
            Reason::Missing => "Bearer".into(),
            _ => format!("Bearer error=\"invalid_token\", error_description=\"{message}\"").into(),
        };
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message).with(WWW_AUTHENTICATE, challenge)
    }

    /// The response to an invalid signed URL.
    pub fn address(reason: Reason) -> Self {
        let message = reason.message_of_address();
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message).with(WWW_AUTHENTICATE, "Bearer")
    }

    pub fn unavailable(message: &'static str) -> Self {
        let refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message);
        refusal.with(RETRY_AFTER, "1")
    }

    pub fn overloaded(message: &'static str) -> Self {
        let refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, crate::graphql::failure::OVERLOADED, message);
        refusal.with(RETRY_AFTER, "1")
    }

    pub fn rate_limited(seconds: u64) -> Self {
        Self::rate_limited_because("points exhausted; wait", seconds)
    }

    pub fn rate_limited_because(message: &'static str, seconds: u64) -> Self {
        let code = crate::graphql::failure::RATE_LIMITED;
        let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, code, message);
        refusal.with(RETRY_AFTER, seconds.to_string())
    }

    pub fn internal(request_id: Option<RequestId>) -> Self {
        let code = crate::graphql::failure::INTERNAL;
        Self { request_id, ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, code, "internal error") }
    }

    /// The response that replaces an error response of the framework.
    pub fn of_status(status: StatusCode, request_id: RequestId) -> Self {
        let code = match status {
            StatusCode::NOT_FOUND => "NOT_FOUND",
            StatusCode::METHOD_NOT_ALLOWED => "METHOD_NOT_ALLOWED",
            StatusCode::NOT_ACCEPTABLE => "NOT_ACCEPTABLE",
            StatusCode::REQUEST_TIMEOUT => "REQUEST_TIMEOUT",
            StatusCode::PAYLOAD_TOO_LARGE => "PAYLOAD_TOO_LARGE",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "UNSUPPORTED_MEDIA_TYPE",
            status if status.is_server_error() => return Self::internal(Some(request_id)),
            _ => "BAD_REQUEST",
        };
        Self::new(status, code, status.canonical_reason().unwrap_or("refused"))
    }

    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Returns the error as one of a GraphQL response.
    pub fn into_response(self) -> Response {
        Response::from_errors(vec![refuse(self.code, self.message, None)])
    }

    /// Closes the connection after the response, since the rest of the request is not read.
    pub fn closing(mut self) -> Self {
        self.closes = true;
        self
    }

    fn with(mut self, name: HeaderName, value: impl Into<Cow<'static, str>>) -> Self {
        self.header = Some((name, value.into()));
        self
    }

    pub fn respond(self, media: Media) -> HttpResponse {
        let request_id = self.request_id.map(|id| id.to_string());
        let extensions = Extensions { code: self.code, request_id };
        let body = Body { errors: [Shown { message: &self.message, extensions }] };
        let mut builder = HttpResponse::build(self.status);
        builder.content_type(media.content_type()).insert_header((CACHE_CONTROL, "no-store"));
        if let Some((name, value)) = self.header {
            builder.insert_header((name, &*value));
        }
        if self.closes {
            builder.force_close();
        }
        let mut response = builder.json(body);
        let outcome = Outcome { operation: None, code: Some(self.code.into()) };
        response.extensions_mut().insert(outcome);
        response
    }
}
