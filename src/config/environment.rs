//! The environment: which variables are settings, which are somebody else's, and which are mistakes.

use std::ffi::{OsStr, OsString};

use super::ConfigError;
use crate::suggest;

/// What stands before the names of our settings.
const PREFIX: &str = "RAPPORT_";

/// Names that newcomers try, and the flag they mean.
const SUGGESTIONS: [(&str, &str); 9] = [
    ("PORT", "listen"),
    ("HOST", "listen"),
    ("ADDRESS", "listen"),
    ("BIND", "listen"),
    ("DB", "database-url"),
    ("DB_URL", "database-url"),
    ("DATABASE", "database-url"),
    ("LOG_LEVEL", "log"),
    ("KEY", "signing-key"),
];

/// The command that takes no setting from a variable without text: that is how compose files and unit files leave one out.
pub fn without_empty(command: clap::Command, variables: &[(OsString, OsString)]) -> clap::Command {
    let empty = |name: Option<&OsStr>| variables.iter().any(|(known, text)| Some(&**known) == name && text.is_empty());
    command.mut_args(|setting| if empty(setting.get_env()) { setting.env(None::<&str>) } else { setting })
}

/// A mistyped variable must not be silently without effect.
pub fn refuse_unknown(command: &clap::Command, variables: &[(OsString, OsString)]) -> Result<(), ConfigError> {
    for (variable, text) in variables {
        let name = variable.to_string_lossy();
        let Some(setting) = name.strip_prefix(PREFIX).filter(|rest| !rest.starts_with("TEST_")) else { continue };
        let is_known = command.get_arguments().any(|known| known.get_env() == Some(variable));
        if is_known || text.is_empty() || is_injected(setting, &text.to_string_lossy()) {
            continue;
        }
        let meant = SUGGESTIONS.iter().find(|(known, _)| *known == setting).map(|(_, flag)| *flag).or_else(|| {
            let flags = command.get_arguments().filter_map(clap::Arg::get_long);
            suggest::one(&setting.replace('_', "-"), flags)
        });
        let variable = |flag: &str| format!("{PREFIX}{}", flag.to_uppercase().replace('-', "_"));
        let meant = meant.map(|flag| format!("; did you mean {}?", variable(flag))).unwrap_or_default();
        return Err(ConfigError::Wrong(format!("unknown setting {name} in the environment{meant}")));
    }
    Ok(())
}

/// Whether Kubernetes or Docker tells of a service or container whose name begins with `rapport`, such as
/// `RAPPORT_PORT=tcp://10.0.0.1:8080` or `RAPPORT_DB_SERVICE_HOST=10.0.0.2`. `name` is without [`PREFIX`].
fn is_injected(name: &str, text: &str) -> bool {
    let parts: Vec<&str> = name.split('_').collect();
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_address = || ["tcp://", "udp://", "sctp://"].iter().any(|scheme| text.starts_with(scheme));
    // Services may be of any name, so what is looked for may stand after any number of words.
    // Links of Docker name the link, and tell the other container's own variables.
    (0..parts.len()).any(|start| match &parts[start..] {
        ["SERVICE", "HOST"] | ["SERVICE", "PORT", ..] | ["ENV", _, ..] => true,
        ["PORT"] => is_address(),
        ["PORT", number, "TCP" | "UDP" | "SCTP", rest @ ..] => {
            is_number(number) && matches!(rest, [] | ["PROTO" | "PORT" | "ADDR"])
        }
        ["NAME"] => text.starts_with('/'),
        _ => false,
    })
}
