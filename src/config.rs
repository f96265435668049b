//! Settings.

use std::{net::SocketAddr, time::Duration};

/// How to serve HTTP.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Where the API listens.
    pub listen: SocketAddr,
    /// Where health and metrics are served from a thread of their own.
    pub admin_listen: SocketAddr,
    /// Origins that browsers may call from.
    pub cors_origins: Vec<String>,
    /// Most bytes in a request's body.
    pub body_limit: usize,
    /// How long a request may take to arrive, and again to be answered.
    pub request_timeout: Duration,
    /// How long running requests may take to finish after a signal to stop.
    pub drain_timeout: Duration,
}
