//! Every setting and command: flags before `RAPPORT_…` variables before a TOML file before defaults.

mod file;
mod limits;
mod values;

use std::{
    ffi::OsString,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::TimeDelta;
use chrono_tz::Tz;
use clap::{
    Args, CommandFactory, FromArgMatches, Parser, Subcommand,
    builder::{RangedI64ValueParser, RangedU64ValueParser},
    error::ErrorKind,
};
use entity::Permissions;
use tracing_subscriber::filter::Targets;

pub use limits::Limits;

use crate::{auth::key::KeyFile, store, telemetry::LogFormat};

/// The GraphQL API backend for customer interaction points.
#[derive(Parser)]
#[command(
    name = "rapport",
    version,
    arg_required_else_help = false,
    after_help = "Settings are read from flags, then RAPPORT_… variables, then the configuration file, whose keys are \
                  the names of the flags (listen = \"0.0.0.0:8080\")."
)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    given: Given,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Serve the API
    Serve,
    /// Serve an example organization from a database of its own
    Demo,
    /// Bring the database's schema up to date
    Migrate,
    /// Print the GraphQL schema
    Schema,
    /// Print an access token
    Token(TokenRequest),
    /// Manage organizations
    #[command(subcommand, arg_required_else_help = false)]
    Organization(OrganizationCommand),
}

/// Whom a token is for.
#[derive(Args, Clone, Debug)]
pub struct TokenRequest {
    /// Slug of the organization
    #[arg(long, value_name = "SLUG")]
    pub organization: String,
    /// Scopes with a space between them, such as "map:read record:read"
    #[arg(long = "scope", value_name = "SCOPES", value_parser = values::permissions)]
    pub permissions: Permissions,
    /// Who will use it
    #[arg(long, value_name = "NAME", default_value = "operator")]
    pub subject: String,
    /// How long it lives, at most 24h
    #[arg(long = "ttl", value_name = "DURATION", default_value = "1h", value_parser = values::token_life)]
    pub life: TimeDelta,
}

/// What to do with organizations.
#[derive(Clone, Debug, Subcommand)]
pub enum OrganizationCommand {
    /// Make an organization and print its id
    Create(OrganizationRequest),
}

/// The organization to make.
#[derive(Args, Clone, Debug)]
pub struct OrganizationRequest {
    /// Name in commands, unique on the server: a-z, 0-9 and -
    #[arg(long, value_parser = values::slug)]
    pub slug: String,
    /// Name to show
    #[arg(long, value_parser = values::name)]
    pub name: String,
    /// IANA time zone in which days, weeks and months are counted
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub time_zone: Tz,
}

/// The one list of settings. Each is a flag, a variable and a key of the file.
#[derive(Args)]
#[command(next_help_heading = "Settings")]
struct Given {
    /// Configuration file [default: rapport.toml, if it exists]
    #[arg(long, env = "RAPPORT_CONFIG", global = true, hide_env_values = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address to serve the API on
    #[arg(long, env = "RAPPORT_LISTEN", global = true, hide_env_values = true, value_name = "ADDRESS")]
    #[arg(default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Address to serve health and metrics on [default: 127.0.0.1 and the port after that of --listen]
    #[arg(long, env = "RAPPORT_ADMIN_LISTEN", global = true, hide_env_values = true, value_name = "ADDRESS")]
    admin_listen: Option<SocketAddr>,
    #[arg(long, env = "RAPPORT_DATABASE_URL", global = true, hide_env_values = true, value_name = "URL")]
    #[arg(help = "sqlite://FILE?mode=rwc or postgres://USER@HOST/NAME [default: sqlite://rapport.db?mode=rwc, \
                  for demo sqlite://rapport-demo.db?mode=rwc]")]
    database_url: Option<String>,
    /// Most connections to the database
    #[arg(long, env = "RAPPORT_DATABASE_CONNECTIONS", global = true, hide_env_values = true, value_name = "NUMBER")]
    #[arg(default_value = "8", value_parser = RangedI64ValueParser::<u32>::new().range(1..=1_000))]
    database_connections: u32,
    #[arg(long, env = "RAPPORT_SIGNING_KEY", global = true, hide_env_values = true, value_name = "FILE")]
    #[arg(help = "ES256 or EdDSA private key for access tokens, PKCS#8 as PEM or DER [default: made beside the \
                  SQLite file; on PostgreSQL required, but for demo rapport-demo.key]")]
    signing_key: Option<PathBuf>,
    /// Name of this server in its access tokens
    #[arg(long, env = "RAPPORT_ISSUER", global = true, hide_env_values = true, value_name = "NAME")]
    #[arg(default_value = "rapport", value_parser = values::name)]
    issuer: String,
    #[arg(long, env = "RAPPORT_CORS_ORIGIN", global = true, hide_env_values = true, value_name = "ORIGIN")]
    #[arg(help = "Web page origins that may call the API, such as https://app.example, repeated or with commas \
                  [default: none]")]
    #[arg(value_delimiter = ',', value_parser = values::origin)]
    cors_origin: Vec<String>,
    /// What to log: a level, or targets with levels such as info,rapport=debug
    #[arg(long, env = "RAPPORT_LOG", global = true, hide_env_values = true, value_name = "FILTER")]
    #[arg(default_value = "info", value_parser = values::log)]
    log: Targets,
    /// How to write the log
    #[arg(long, env = "RAPPORT_LOG_FORMAT", global = true, hide_env_values = true, value_name = "FORMAT")]
    #[arg(default_value = "text", value_enum)]
    log_format: LogFormat,
    /// Longest request body, in bytes
    #[arg(long, env = "RAPPORT_BODY_LIMIT", global = true, hide_env_values = true, value_name = "BYTES")]
    #[arg(default_value = "4194304", value_parser = RangedU64ValueParser::<usize>::new().range(1_024..=1_073_741_824))]
    body_limit: usize,
    /// Longest time for a request
    #[arg(long, env = "RAPPORT_REQUEST_TIMEOUT", global = true, hide_env_values = true, value_name = "DURATION")]
    #[arg(default_value = "10s", value_parser = values::duration)]
    request_timeout: Duration,
    /// Longest time for requests under way to finish after SIGTERM
    #[arg(long, env = "RAPPORT_DRAIN_TIMEOUT", global = true, hide_env_values = true, value_name = "DURATION")]
    #[arg(default_value = "25s", value_parser = values::duration)]
    drain_timeout: Duration,
    #[command(flatten)]
    limits: Limits,
}

/// Everything this run was told. Not for the log: the database's address may hold a password.
pub struct Settings {
    /// What to do.
    pub command: Command,
    /// How to reach the database.
    pub database: store::Options,
    /// The `iss` of access tokens.
    pub issuer: String,
    /// How to serve.
    pub http: HttpSettings,
    /// What to log.
    pub log: Targets,
    /// How to write the log.
    pub log_format: LogFormat,
    signing_key: Option<PathBuf>,
}

/// How to serve.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Where the API is served.
    pub listen: SocketAddr,
    /// Where health and metrics are served.
    pub admin_listen: SocketAddr,
    /// Origins whose pages may call the API.
    pub cors_origins: Vec<String>,
    /// Longest request body, in bytes.
    pub body_limit: usize,
    /// Longest time for a request.
    pub request_timeout: Duration,
    /// Longest time for requests under way to finish after SIGTERM.
    pub drain_timeout: Duration,
    /// What a request may ask for.
    pub limits: Limits,
}

/// Why there are no settings to run with.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// Help or the version was asked for.
    #[error("{0}")]
    Shown(String),
    /// A setting is wrong: a sentence that names it.
    #[error("{0}")]
    Wrong(String),
}

impl Settings {
    /// Reads the arguments and the environment of this process, and the configuration file.
    pub fn read() -> Result<Self, Stop> {
        let variables = std::env::vars_os().map(|(name, _)| name);
        Self::gather(std::env::args_os(), variables, Path::new("rapport.toml"))
    }

    fn gather(
        arguments: impl IntoIterator<Item = OsString>,
        variables: impl IntoIterator<Item = OsString>,
        usual_file: &Path,
    ) -> Result<Self, Stop> {
        let arguments: Vec<_> = arguments.into_iter().collect();
        let command = CommandLine::command();
        // The first reading finds the file; help then shows the defaults, not what the file says.
        let given = parse(command.clone(), &arguments)?.given;
        refuse_unknown_variables(&command, variables)?;
        let file = given.config.clone().or_else(|| usual_file.exists().then(|| usual_file.to_owned()));
        let line = match file {
            None => parse(command, &arguments)?,
            Some(file) => parse(file::with_defaults(command, &file)?, &arguments)
                .map_err(|stop| Stop::Wrong(format!("{}: {stop}", file.display())))?,
        };
        Self::resolve(line)
    }

    /// Fills in the defaults that depend on other settings.
    fn resolve(CommandLine { command, given }: CommandLine) -> Result<Self, Stop> {
        let url = given.database_url.unwrap_or_else(|| {
            let file = if matches!(command, Command::Demo) { "rapport-demo.db" } else { "rapport.db" };
            format!("sqlite://{file}?mode=rwc")
        });
        // The sentence must not repeat the address: it may hold a password.
        if !url.starts_with("postgres://") && sqlite_file(&url).is_none() {
            return Err(Stop::Wrong("--database-url must be sqlite://FILE?mode=rwc or postgres://…".to_owned()));
        }
        let admin_listen = match given.admin_listen {
            Some(address) => address,
            None => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port_after(given.listen.port())?),
        };
        if admin_listen == given.listen && admin_listen.port() != 0 {
            return Err(Stop::Wrong("--admin-listen must be another address than --listen".to_owned()));
        }
        if given.limits.points < given.limits.cost_limit {
            return Err(Stop::Wrong("--points must be at least --cost-limit".to_owned()));
        }
        Ok(Self {
            command,
            database: store::Options { url, max_connections: given.database_connections },
            issuer: given.issuer,
            http: HttpSettings {
                listen: given.listen,
                admin_listen,
                cors_origins: given.cors_origin,
                body_limit: given.body_limit,
                request_timeout: given.request_timeout,
                drain_timeout: given.drain_timeout,
                limits: given.limits,
            },
            log: given.log,
            log_format: given.log_format,
            signing_key: given.signing_key,
        })
    }

    /// Where the key for access tokens is. On `PostgreSQL` there is no place of our own to keep one: only the demo,
    /// which starts with one setting, leaves one where it was started.
    pub fn key_file(&self) -> Result<KeyFile, Stop> {
        if let Some(path) = &self.signing_key {
            return Ok(KeyFile::Given(path.clone()));
        }
        match sqlite_file(&self.database.url) {
            Some(file) => Ok(KeyFile::Own(file.with_extension("key"))),
            None if matches!(self.command, Command::Demo) => Ok(KeyFile::Own("rapport-demo.key".into())),
            None => Err(Stop::Wrong(
                "--signing-key is required on PostgreSQL: a file made by `openssl genpkey -algorithm ed25519 -out \
                 rapport.key`, or the rapport-demo.key that demo made"
                    .to_owned(),
            )),
        }
    }
}

fn parse(command: clap::Command, arguments: &[OsString]) -> Result<CommandLine, Stop> {
    let parsed = command.try_get_matches_from(arguments).and_then(|matches| CommandLine::from_arg_matches(&matches));
    parsed.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Stop::Shown(error.to_string()),
        _ => Stop::Wrong(sentence(&error.to_string())),
    })
}

/// The first paragraph of what clap says, on one line: the rest is usage and tips.
fn sentence(message: &str) -> String {
    let paragraph = message.lines().take_while(|line| !line.is_empty()).map(str::trim).collect::<Vec<_>>().join(" ");
    paragraph.strip_prefix("error: ").unwrap_or(&paragraph).to_owned()
}

/// A mistyped variable must not be silently without effect.
fn refuse_unknown_variables(
    command: &clap::Command,
    variables: impl IntoIterator<Item = OsString>,
) -> Result<(), Stop> {
    for variable in variables {
        let name = variable.to_string_lossy();
        let is_ours = name.starts_with("RAPPORT_") && !name.starts_with("RAPPORT_TEST_");
        if is_ours && !command.get_arguments().any(|known| known.get_env() == Some(&variable)) {
            return Err(Stop::Wrong(format!("there is no setting {name}, which the environment sets")));
        }
    }
    Ok(())
}

/// The file of an address of the form `sqlite://FILE?…`.
fn sqlite_file(url: &str) -> Option<&Path> {
    let file = url.strip_prefix("sqlite://")?.split('?').next()?;
    // `:memory:` would be another database for each connection.
    (!file.is_empty() && !file.contains(':')).then(|| Path::new(file))
}

/// Port 0 lets the system choose, for both.
fn port_after(port: u16) -> Result<u16, Stop> {
    let no_port = || Stop::Wrong("--admin-listen must be set when --listen has the last port".to_owned());
    if port == 0 { Ok(0) } else { port.checked_add(1).ok_or_else(no_port) }
}

#[cfg(test)]
mod tests;
