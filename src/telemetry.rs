//! The log: where it goes and in which form. Its lines hold ids, never personal data, tokens or documents.

use std::io::{self, IsTerminal};

use clap::ValueEnum;
use tracing_subscriber::{Layer, filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Sends what `targets` lets through to standard error: standard output belongs to the commands' results.
pub fn start(targets: Targets, format: LogFormat) {
    let lines = match format {
        LogFormat::Text => fmt::layer().with_ansi(io::stderr().is_terminal()).with_writer(io::stderr).boxed(),
        LogFormat::Json => fmt::layer().json().flatten_event(true).with_writer(io::stderr).boxed(),
    };
    // Not a filter of that one layer: those lose lines where a library asks whether a level is on and logs nothing.
    tracing_subscriber::registry().with(lines).with(targets).init();
}
