//! Logs rejected CORS preflights, naming the setting that allows further origins.

use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::{
    HttpRequest,
    http::{
        Method,
        header::{ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, ORIGIN},
    },
};

/// The allowed origins, and whether a rejection has been logged.
#[derive(Debug)]
pub struct Origins {
    listed: Vec<String>,
    is_logged: AtomicBool,
}

impl Origins {
    pub fn new(listed: &[String]) -> Self {
        Self { listed: listed.to_vec(), is_logged: AtomicBool::new(false) }
    }

    /// Returns whether an origin is allowed.
    pub fn is_listed(&self, origin: &HeaderValue) -> bool {
        self.listed.iter().any(|listed| listed.as_bytes() == origin.as_bytes())
    }

    /// Logs, once per process, that a preflight came from an origin that is not allowed. The message omits the origin,
    /// since any client can put any text there.
    pub fn look_at(&self, request: &HttpRequest) {
        if request.method() != Method::OPTIONS || !request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
            return;
        }
        let Some(origin) = request.headers().get(ORIGIN) else { return };
        if !self.is_listed(origin) && !self.is_logged.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "rejected a CORS preflight: the origin is not listed in --cors-origin; further rejections are not \
                 logged"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_a_preflight_of_an_origin_that_is_not_listed_is_told() {
        let origins = Origins::new(&["https://app.example".to_owned()]);
        let asked = |method: Method, origin: &'static str| {
            let request = TestRequest::default().method(method).insert_header((ORIGIN, origin));
            request.insert_header((ACCESS_CONTROL_REQUEST_METHOD, "POST")).to_http_request()
        };
        origins.look_at(&asked(Method::OPTIONS, "https://app.example"));
        origins.look_at(&asked(Method::POST, "https://other.example"));
        origins.look_at(&TestRequest::default().method(Method::OPTIONS).to_http_request());
        assert!(!origins.is_logged.load(Ordering::Relaxed));
        origins.look_at(&asked(Method::OPTIONS, "https://other.example"));
        assert!(origins.is_logged.load(Ordering::Relaxed));
    }
}
