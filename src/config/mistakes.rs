//! Error messages for wrong flags: one line with the mistake, a suggestion, and where to find help.

use std::{error::Error as _, ffi::OsString};

use clap::{
    FromArgMatches,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::{CommandLine, ConfigError};

/// Parses a command line.
pub fn parse(command: clap::Command, arguments: &[OsString]) -> Result<CommandLine, ConfigError> {
    let parsed = command.try_get_matches_from(arguments).and_then(|matches| CommandLine::from_arg_matches(&matches));
    parsed.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ConfigError::Shown(error.to_string()),
        _ => ConfigError::Wrong(without_value(&error).unwrap_or_else(|| sentence(&error.to_string()))),
    })
}

/// Describes an invalid database URL or issuer without repeating the value, which may contain a secret.
fn without_value(error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(setting)) = error.get(ContextKind::InvalidArg) else { return None };
    let is_secret = ["--external-issuer", "--database-url"].iter().any(|secret| setting.starts_with(secret));
    let reason = error.source().filter(|_| is_secret)?;
    Some(format!("invalid value for '{setting}': {reason}"))
}

/// Converts an error message of clap to one line: mistake, suggestion and reference to help, without the usage lines.
fn sentence(message: &str) -> String {
    let paragraphs = message.split("\n\n").map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    let sentences: Vec<String> = paragraphs
        .filter(|text| !text.is_empty() && !text.starts_with("Usage:"))
        .map(|text| text.trim_start_matches("error: ").trim_end_matches('.').to_owned())
        .collect();
    sentences.join("; ").replace("; For more information, try", "; for more, try")
}
