//! Metrics, and their export for Prometheus.

use std::{sync::OnceLock, time::Duration};

use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::store::operation::jobs::list;

const REQUESTS: &str = "rapport_http_requests_total";
const DURATION: &str = "rapport_http_request_duration_seconds";
const HOLD: &str = "rapport_writer_hold_seconds";
const IN_FLIGHT: &str = "rapport_http_requests_in_flight";
pub(super) const STREAMS: &str = "rapport_streams";
const BUILD: &str = "rapport_build_info";
const PLANS: &str = "rapport_plan_cache_total";

/// Upper bounds of the histogram buckets in seconds, from an in-memory look-up to the timeout of a request.
const BUCKETS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Installs the metrics recorder on the first call. Returns a handle for reading the metrics.
pub fn recorder() -> &'static PrometheusHandle {
    RECORDER.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full(DURATION.to_owned()), &BUCKETS)
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Full(HOLD.to_owned()), &BUCKETS))
            .expect("there are buckets")
            .build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another metrics recorder is installed: /metrics stays empty");
        }
        metrics::describe_counter!(REQUESTS, "Number of requests by route, status and code of the first error.");
        metrics::describe_histogram!(DURATION, "Duration of requests in seconds, by route.");
        metrics::describe_histogram!(HOLD, "Duration in seconds for which a transaction held the SQLite writer.");
        metrics::describe_gauge!(IN_FLIGHT, "Number of requests in progress.");
        metrics::describe_gauge!(STREAMS, "Number of subscriptions that run on this server.");
        metrics::describe_counter!(
            PLANS,
            "Number of root fields whose plan was in the cache (hit) or compiled (miss)."
        );
        metrics::describe_gauge!(
            list::JOBS,
            "Number of jobs of all organizations by kind and state; each server counts the same jobs."
        );
        metrics::describe_counter!(list::CLAIMS, "Number of jobs that this server claimed, by kind.");
        metrics::describe_counter!(list::STEPS, "Number of steps of jobs that this server completed, by kind.");
        metrics::describe_counter!(list::FAILURES, "Number of steps of jobs that failed on this server, by kind.");
        metrics::describe_gauge!(BUILD, "Constant 1, labelled with the running version.");
        gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        handle
    })
}

/// Counts a finished request.
pub fn count(route: &str, status: u16, code: &str, took: Duration) {
    let labels = [("route", route.to_owned()), ("status", status.to_string()), ("code", code.to_owned())];
    counter!(REQUESTS, &labels).increment(1);
    histogram!(DURATION, "route" => route.to_owned()).record(took);
}

/// Counts a request as in progress until dropped.
pub struct InFlight(());

impl InFlight {
    pub fn enter() -> Self {
        gauge!(IN_FLIGHT).increment(1.0);
        Self(())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        gauge!(IN_FLIGHT).decrement(1.0);
    }
}
