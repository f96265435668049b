//! The environment: tells settings, variables injected by other software, and mistakes apart.

use std::ffi::{OsStr, OsString};

use super::ConfigError;
use crate::suggest;

/// The prefix of the variables for settings.
const PREFIX: &str = "RAPPORT_";

/// The token of the programs in `examples/`, which are run in the same shell.
const CLIENT_TOKEN: &str = "TOKEN";

/// Names that new users try, and the flag they mean.
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

/// Returns the command without the environment variables that are empty: compose and unit files set a variable to the
/// empty string to omit it.
pub fn without_empty(command: clap::Command, variables: &[(OsString, OsString)]) -> clap::Command {
    let empty = |name: Option<&OsStr>| variables.iter().any(|(known, text)| Some(&**known) == name && text.is_empty());
    command.mut_args(|setting| if empty(setting.get_env()) { setting.env(None::<&str>) } else { setting })
}

/// Returns an error for an unknown variable with the prefix: a mistyped setting must not be ignored silently.
pub fn refuse_unknown(command: &clap::Command, variables: &[(OsString, OsString)]) -> Result<(), ConfigError> {
    for (variable, text) in variables {
        let name = variable.to_string_lossy();
        let Some(setting) = name.strip_prefix(PREFIX).filter(|rest| !rest.starts_with("TEST_")) else { continue };
        let is_known = command.get_arguments().any(|known| known.get_env() == Some(variable));
        if is_known || text.is_empty() || setting == CLIENT_TOKEN || is_injected(setting, &text.to_string_lossy()) {
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

/// Whether Kubernetes or Docker injects this variable for a service or container whose name begins with `rapport`, such
/// as `RAPPORT_PORT=tcp://10.0.0.1:8080` or `RAPPORT_DB_SERVICE_HOST=10.0.0.2`. `name` is without [`PREFIX`].
fn is_injected(name: &str, text: &str) -> bool {
    let parts: Vec<&str> = name.split('_').collect();
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_address = || ["tcp://", "udp://", "sctp://"].iter().any(|scheme| text.starts_with(scheme));
    // A service name can be any number of words, so the pattern may match after any of them. Docker links add the name
    // of the link and the variables of the other container.
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

/// Whether a test enables fault injection.
#[cfg(debug_assertions)]
pub fn are_faults_on() -> bool {
    std::env::var_os("RAPPORT_TEST_FAULTS").is_some()
}

/// Returns the maximum number of pages of a `SQLite` file that a test has set.
#[cfg(debug_assertions)]
pub fn most_pages() -> Option<u32> {
    std::env::var_os("RAPPORT_TEST_MOST_PAGES")?.to_str()?.parse().ok()
}
