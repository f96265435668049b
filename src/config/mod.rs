//! All settings and commands. Precedence: flags, then `RAPPORT_…` variables, then a TOML file, then defaults.

mod commands;
mod environment;
mod file;
mod limits;
mod mistakes;
mod values;

use std::{
    ffi::OsString,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::TimeDelta;
use clap::{
    Args, CommandFactory, Parser,
    builder::{RangedI64ValueParser, RangedU64ValueParser},
};
use ipnet::IpNet;
use tracing_subscriber::filter::Targets;

pub use self::commands::{
    ApiClientCommand, ApiClientRequest, AuditCommand, AuditRequest, Command, CustomerCommand, DocumentsCommand,
    ErasureCommand, ExportRequest, ImportRequest, OrganizationCommand, OrganizationRequest, RestoreRequest,
    RevokeRequest, TokenRequest,
};
#[cfg(debug_assertions)]
pub use self::environment::{are_faults_on, most_pages};
use self::{limits::GivenLimits, mistakes::parse};
use crate::{
    auth::{external_issuer::IssuerConfig, key::KeyFile, tokens::DEFAULT_ISSUER},
    graphql::documents::limits::Limits,
    store::{self, Address},
    telemetry::LogFormat,
};

/// The default database of every command but `demo`.
const USUAL_FILE: &str = "rapport.db";
/// The default database of `demo`.
pub const DEMO_FILE: &str = "rapport-demo.db";

/// The GraphQL API backend for customer interaction points.
#[derive(Parser)]
#[command(
    name = "rapport",
    version,
    arg_required_else_help = false,
    after_help = "Settings come from flags, then from RAPPORT_… environment variables, then from the configuration \
                  file, whose keys are the names of the flags (listen = \"0.0.0.0:8080\")."
)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    given: CliArgs,
}

/// All settings. Each is a flag, an environment variable and a key of the configuration file.
#[derive(Args)]
#[command(next_help_heading = "Settings")]
struct CliArgs {
    /// Configuration file [default: rapport.toml, if it exists]
    #[arg(long, env = "RAPPORT_CONFIG", global = true, hide_env_values = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address to serve the API on: HOST:PORT, or :PORT for 127.0.0.1
    #[arg(long, env = "RAPPORT_LISTEN", global = true, hide_env_values = true, value_name = "ADDRESS")]
    #[arg(default_value = "127.0.0.1:8080", value_parser = values::address)]
    listen: SocketAddr,
    /// Address to serve health checks and metrics on [default: 127.0.0.1 and the port after that of --listen]
    #[arg(long, env = "RAPPORT_ADMIN_LISTEN", global = true, hide_env_values = true, value_name = "ADDRESS")]
    #[arg(value_parser = values::address)]
    admin_listen: Option<SocketAddr>,
    #[arg(long, env = "RAPPORT_PUBLIC_URL", global = true, hide_env_values = true, value_name = "URL")]
    #[arg(
        help = "Base URL of this server, for example https://rapport.example: for signed URLs, as the issuer of access \
                tokens, and in what OAuth clients discover [default: none; signed URLs start with the path]"
    )]
    #[arg(value_parser = values::public_url)]
    public_url: Option<String>,
    #[arg(long, env = "RAPPORT_DATABASE_URL", global = true, hide_env_values = true, value_name = "URL")]
    #[arg(help = "sqlite://FILE?mode=rwc or postgres://USER@HOST/NAME [default: sqlite://rapport.db?mode=rwc, \
                  for demo sqlite://rapport-demo.db?mode=rwc]")]
    #[arg(value_parser = values::database)]
    database_url: Option<String>,
    /// Maximum number of database connections
    #[arg(long, env = "RAPPORT_DATABASE_CONNECTIONS", global = true, hide_env_values = true, value_name = "NUMBER")]
    #[arg(default_value = "8", value_parser = RangedI64ValueParser::<u32>::new().range(1..=1_000))]
    database_connections: u32,
    /// File outside the database that records every erasure, so that erasures survive a restore [default: none]
    #[arg(long, env = "RAPPORT_ERASURE_LEDGER", global = true, hide_env_values = true, value_name = "FILE")]
    erasure_ledger: Option<PathBuf>,
    #[arg(long, env = "RAPPORT_SIGNING_KEY", global = true, hide_env_values = true, value_name = "FILE")]
    #[arg(
        help = "ES256 or EdDSA private key that signs access tokens, PKCS#8 in PEM or DER; a server with an external \
                issuer and no key issues no tokens [default: generated next to the SQLite file; required on \
                PostgreSQL, where demo uses rapport-demo.key]"
    )]
    signing_key: Option<PathBuf>,
    /// Issuer (iss) of the access tokens of this server [default: the --public-url, or else rapport]
    #[arg(long, env = "RAPPORT_ISSUER", global = true, hide_env_values = true, value_name = "NAME")]
    #[arg(value_parser = values::name)]
    issuer: Option<String>,
    #[arg(long, env = "RAPPORT_ALLOW_BUILT_IN_ISSUER", global = true, hide_env_values = true, value_name = "BOOL")]
    #[arg(help = "Accept tokens signed by this server's own key when --listen is not a loopback address")]
    #[arg(default_value = "false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    allow_built_in_issuer: bool,
    #[arg(long, env = "RAPPORT_CLIENT_TOKEN_TTL", global = true, hide_env_values = true, value_name = "DURATION")]
    #[arg(help = "Lifetime of the access tokens of API clients, at most 1h")]
    #[arg(default_value = "1h", value_parser = values::client_token_life)]
    client_token_ttl: TimeDelta,
    #[arg(long, env = "RAPPORT_EXTERNAL_ISSUER", global = true, hide_env_values = true, value_name = "JSON")]
    #[arg(
        help = "OpenID provider whose access tokens are accepted; repeatable; [[external-issuer]] tables in the file. \
                Required keys: issuer, jwks (https URL), audience, algorithm (ES256, EdDSA, RS256 or PS256), \
                organizations (slugs or ids it may issue tokens for, or *), scopes (the maximum it may grant). \
                Optional: type (default at+jwt), audience-claim, client-claim, departments-claim, organization, organization-claim \
                (default org), scope-claim (default scope), scope-prefix, role-claim, role-scopes, claims. \
                docs/reference/issuers.md explains them, with an example for each common provider [default: none]"
    )]
    #[arg(value_parser = IssuerConfig::parse)]
    external_issuer: Vec<IssuerConfig>,
    #[arg(long, env = "RAPPORT_CORS_ORIGIN", global = true, hide_env_values = true, value_name = "ORIGIN")]
    #[arg(help = "Origins of web pages that may call the API (CORS), for example https://app.example; repeatable or \
                  comma-separated [default: none]")]
    #[arg(value_delimiter = ',', value_parser = values::origin)]
    cors_origin: Vec<String>,
    #[arg(long, env = "RAPPORT_TRUSTED_PROXY", global = true, hide_env_values = true, value_name = "NETWORK")]
    #[arg(
        help = "Addresses or networks of proxies, for example 10.0.0.0/8, whose X-Forwarded-For or Forwarded header \
                is trusted for the client's address; repeatable or comma-separated [default: none]"
    )]
    #[arg(value_delimiter = ',', value_parser = values::network)]
    trusted_proxy: Vec<IpNet>,
    #[arg(long, env = "RAPPORT_WEBHOOK_ALLOW", global = true, hide_env_values = true, value_name = "NETWORK")]
    #[arg(
        help = "Networks to which webhooks may be sent besides the internet, also over http, for example 10.1.0.0/16; \
                repeatable or comma-separated. Link-local addresses stay shut [default: none]"
    )]
    #[arg(value_delimiter = ',', value_parser = values::network)]
    webhook_allow: Vec<IpNet>,
    /// Log filter: a level, or targets with levels such as info,rapport=debug; libraries never log below info
    #[arg(long, env = "RAPPORT_LOG", global = true, hide_env_values = true, value_name = "FILTER")]
    #[arg(default_value = "info", value_parser = values::log)]
    log: Targets,
    /// Log format
    #[arg(long, env = "RAPPORT_LOG_FORMAT", global = true, hide_env_values = true, value_name = "FORMAT")]
    #[arg(default_value = "text", value_enum)]
    log_format: LogFormat,
    /// Maximum size of a request body, in bytes
    #[arg(long, env = "RAPPORT_BODY_LIMIT", global = true, hide_env_values = true, value_name = "BYTES")]
    #[arg(default_value = "4194304", value_parser = RangedU64ValueParser::<usize>::new().range(1_024..=1_073_741_824))]
    body_limit: usize,
    /// Timeout of a request
    #[arg(long, env = "RAPPORT_REQUEST_TIMEOUT", global = true, hide_env_values = true, value_name = "DURATION")]
    #[arg(default_value = "10s", value_parser = values::duration)]
    request_timeout: Duration,
    /// Maximum time for open requests to finish after SIGTERM
    #[arg(long, env = "RAPPORT_DRAIN_TIMEOUT", global = true, hide_env_values = true, value_name = "DURATION")]
    #[arg(default_value = "25s", value_parser = values::duration)]
    drain_timeout: Duration,
    #[arg(long, env = "RAPPORT_DRAIN_DELAY", global = true, hide_env_values = true, value_name = "DURATION")]
    #[arg(help = "Part of --drain-timeout in which the server still accepts connections, so that load balancers \
                  notice that it is no longer ready")]
    #[arg(default_value = "3s", value_parser = values::duration)]
    drain_delay: Duration,
    /// Maximum time after --drain-timeout before a server that hangs exits by force
    #[arg(long, env = "RAPPORT_EXIT_TIMEOUT", global = true, hide_env_values = true, value_name = "DURATION")]
    #[arg(default_value = "10s", value_parser = values::duration)]
    exit_timeout: Duration,
    #[command(flatten)]
    limits: GivenLimits,
}

/// The resolved settings of this run. Must not be logged: the database URL may contain a password.
pub struct Settings {
    /// The command to run.
    pub command: Command,
    /// How to connect to the database.
    pub database: store::Options,
    /// File to which every erasure is appended.
    pub erasure_ledger: Option<PathBuf>,
    /// The `iss` claim of access tokens of the built-in issuer.
    pub issuer: String,
    /// Whether that is the public URL because no other was named: then tokens that name the default are accepted, too.
    pub is_issuer_public: bool,
    /// External issuers whose tokens are accepted.
    pub external_issuers: Vec<IssuerConfig>,
    /// Lifetime of tokens for API clients.
    pub client_life: TimeDelta,
    /// Networks to which webhooks may be sent besides the internet.
    pub webhook_networks: Vec<IpNet>,
    /// Settings of the HTTP server.
    pub http: HttpSettings,
    /// Log filter.
    pub log: Targets,
    /// Log format.
    pub log_format: LogFormat,
    /// Name or path by which this program was called, for printing commands.
    pub program: String,
    /// A note to print before the command runs.
    pub note: Option<String>,
    address: Address,
    signing_key: Option<PathBuf>,
    is_built_in: bool,
}

/// Settings of the HTTP server.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Address of the API.
    pub listen: SocketAddr,
    /// Address of the health and metrics endpoints.
    pub admin_listen: SocketAddr,
    /// Base URL of this server for clients, without a trailing slash.
    pub public_url: Option<String>,
    /// Origins allowed by CORS.
    pub cors_origins: Vec<String>,
    /// Proxies whose forwarding headers are trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// Maximum size of a request body, in bytes.
    pub body_limit: usize,
    /// Timeout of a request.
    pub request_timeout: Duration,
    /// Maximum time for requests in progress to finish after SIGTERM.
    pub drain_timeout: Duration,
    /// The part of `drain_timeout` during which new connections are still accepted.
    pub drain_delay: Duration,
    /// Maximum time after `drain_timeout` before a process that hangs exits by force.
    pub exit_timeout: Duration,
    /// Limits on requests.
    pub limits: Limits,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Help or the version, which was requested instead of a command.
    #[error("{0}")]
    Shown(String),
    /// A setting is invalid; the message names it.
    #[error("{0}")]
    Wrong(String),
}

impl Settings {
    /// Reads the settings from the arguments and the environment of this process, and the configuration file.
    pub fn read() -> Result<Self, ConfigError> {
        Self::gather(std::env::args_os(), std::env::vars_os(), Path::new("."))
    }

    fn gather(
        arguments: impl IntoIterator<Item = OsString>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        folder: &Path,
    ) -> Result<Self, ConfigError> {
        let arguments: Vec<_> = arguments.into_iter().collect();
        let variables: Vec<_> = variables.into_iter().collect();
        let command = environment::without_empty(CommandLine::command(), &variables);
        // The first parse finds the file; --help then shows the built-in defaults, not the values of the file.
        let given = parse(command.clone(), &arguments)?.given;
        environment::refuse_unknown(&command, &variables)?;
        let usual_file = folder.join("rapport.toml");
        let file = given.config.clone().or_else(|| usual_file.exists().then_some(usual_file));
        let line = match file {
            None => parse(command, &arguments)?,
            Some(file) => parse(file::with_defaults(command, &file)?, &arguments)
                .map_err(|stop| ConfigError::Wrong(format!("{}: {stop}", file.display())))?,
        };
        let mut settings = Self::resolve(line, folder)?;
        settings.program = arguments.first().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Ok(settings)
    }

    /// Computes the defaults that depend on other settings, and checks settings against each other.
    fn resolve(CommandLine { command, given }: CommandLine, folder: &Path) -> Result<Self, ConfigError> {
        let (url, note) = match given.database_url {
            Some(url) => (url, None),
            None => command.usual_database(folder),
        };
        let address = Address::parse(&url).map_err(|reason| ConfigError::Wrong(format!("--database-url: {reason}")))?;
        let admin_listen = match given.admin_listen {
            Some(address) => address,
            None => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port_after(given.listen.port())?),
        };
        if admin_listen == given.listen && admin_listen.port() != 0 {
            return Err(ConfigError::Wrong("--admin-listen must differ from --listen".to_owned()));
        }
        let is_demo = matches!(command, Command::Demo);
        let is_asked_for = given.signing_key.is_some() || given.allow_built_in_issuer || is_demo;
        let is_built_in = is_asked_for || given.external_issuer.is_empty();
        let is_served = is_demo || matches!(command, Command::Serve);
        if is_served && is_built_in && !given.allow_built_in_issuer && !is_loopback(given.listen) {
            return Err(ConfigError::Wrong(format!(
                "--listen {} is not a loopback address: configure an --external-issuer, or set \
                 --allow-built-in-issuer to accept tokens signed by this server's own key",
                given.listen
            )));
        }
        let mut known: Vec<&str> = given.external_issuer.iter().map(|terms| terms.issuer.as_str()).collect();
        let is_public = given.issuer.is_none() && given.public_url.is_some();
        let issuer = given.issuer.or_else(|| given.public_url.clone()).unwrap_or_else(|| DEFAULT_ISSUER.to_owned());
        if is_built_in {
            known.push(&issuer);
            known.extend(is_public.then_some(DEFAULT_ISSUER));
        }
        known.sort_unstable();
        if let Some((twice, _)) = known.iter().zip(known.iter().skip(1)).find(|(one, next)| one == next) {
            return Err(ConfigError::Wrong(format!("--issuer and --external-issuer name {twice} twice")));
        }
        if given.drain_delay >= given.drain_timeout {
            return Err(ConfigError::Wrong("--drain-delay must be shorter than --drain-timeout".to_owned()));
        }
        if given.limits.points < given.limits.cost_limit {
            return Err(ConfigError::Wrong("--points must be at least --cost-limit".to_owned()));
        }
        let acquire_timeout = if is_served { store::Options::SERVER_TIMEOUT } else { store::Options::COMMAND_TIMEOUT };
        Ok(Self {
            command,
            database: store::Options { url, max_connections: given.database_connections, acquire_timeout },
            address,
            note,
            program: String::new(),
            erasure_ledger: given.erasure_ledger,
            is_issuer_public: is_public,
            issuer,
            external_issuers: given.external_issuer,
            client_life: given.client_token_ttl,
            is_built_in,
            webhook_networks: given.webhook_allow,
            http: HttpSettings {
                listen: given.listen,
                admin_listen,
                public_url: given.public_url,
                cors_origins: given.cors_origin,
                trusted_proxies: given.trusted_proxy,
                body_limit: given.body_limit,
                request_timeout: given.request_timeout,
                drain_timeout: given.drain_timeout,
                drain_delay: given.drain_delay,
                exit_timeout: given.exit_timeout,
                limits: given.limits.resolve(),
            },
            log: given.log,
            log_format: given.log_format,
            signing_key: given.signing_key,
        })
    }

    /// Returns the file of a `SQLite` database.
    pub fn database_file(&self) -> Option<&Path> {
        self.address.file().map(|file| file.path.as_path())
    }

    /// Returns the address of the database.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Returns the file of the signing key; `None` if the built-in issuer is off. `Err` on `PostgreSQL` without
    /// `--signing-key`, where there is no database file to generate a key next to.
    pub fn key_file(&self) -> Result<Option<KeyFile>, ConfigError> {
        if !self.is_built_in {
            return Ok(None);
        }
        if let Some(path) = &self.signing_key {
            return Ok(Some(KeyFile::Given(path.clone())));
        }
        match self.database_file() {
            Some(file) => Ok(Some(KeyFile::Own(file.with_extension("key")))),
            None if matches!(self.command, Command::Demo) => Ok(Some(KeyFile::Own("rapport-demo.key".into()))),
            None => Err(ConfigError::Wrong(
                "PostgreSQL requires a --signing-key or an --external-issuer: create a key with `openssl genpkey \
                 -algorithm ed25519 -out rapport.key`, or use the demo's rapport-demo.key"
                    .to_owned(),
            )),
        }
    }
}

/// Whether the address can be reached only from this machine.
fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// Returns the next port; 0 for port 0, so that the system chooses both.
fn port_after(port: u16) -> Result<u16, ConfigError> {
    let no_port = || ConfigError::Wrong("--admin-listen is required if --listen uses port 65535".to_owned());
    if port == 0 { Ok(0) } else { port.checked_add(1).ok_or_else(no_port) }
}

#[cfg(test)]
mod platform;
#[cfg(test)]
mod tests;
