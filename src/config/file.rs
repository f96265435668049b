//! The configuration file. Its values become the defaults of the flags, so the same validation applies.

use std::path::Path;

use clap::{Arg, ArgAction, Command};
use toml::{Table, Value};

use super::ConfigError;
use crate::suggest;

/// Returns the command with the file's values as defaults.
pub fn with_defaults(command: Command, file: &Path) -> Result<Command, ConfigError> {
    let wrong = |what: String| ConfigError::Wrong(format!("{}: {what}", file.display()));
    let content = crate::text::read_file(file).map_err(|error| wrong(error.to_string()))?;
    let table: Table = content.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| content[..span.start].matches('\n').count() + 1);
        wrong(format!("line {line} is not valid TOML: {}", error.message()))
    })?;
    table.iter().try_fold(command, |command, (key, value)| {
        let known = command.get_arguments().find(|known| known.get_long() == Some(key) && key != "config");
        let known = known.ok_or_else(|| {
            let flags = command.get_arguments().filter_map(Arg::get_long);
            let meant = suggest::one(&key.replace('_', "-"), flags);
            let meant = meant.map(|flag| format!("; did you mean {flag}?")).unwrap_or_default();
            wrong(format!("unknown setting {key}{meant}"))
        })?;
        let texts = match (value, known.get_action()) {
            (Value::String(text), _) => Some(vec![text.clone()]),
            (Value::Integer(number), _) => Some(vec![number.to_string()]),
            (Value::Boolean(word), _) if is_flag(known) => Some(vec![word.to_string()]),
            (Value::Array(list), ArgAction::Append) => list.iter().map(text).collect(),
            _ => None,
        };
        let texts = texts.ok_or_else(|| wrong(format!("{key} cannot be a {}", value.type_str())))?;
        let id = known.get_id().clone();
        Ok(command.mut_arg(id, |setting| setting.default_values(texts)))
    })
}

fn is_flag(known: &Arg) -> bool {
    known.get_value_parser().type_id() == std::any::TypeId::of::<bool>()
}

/// Converts an item of a list to text: a string as it is, a table to JSON, which is what the flag accepts.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Table(table) => serde_json::to_string(table).ok(),
        _ => None,
    }
}
