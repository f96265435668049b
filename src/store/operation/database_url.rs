//! Parses database URLs, for every command and every connection.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use sqlx::{postgres::PgConnectOptions, sqlite::SqliteConnectOptions};
use url::Url;

/// Parameters that are passed on to the driver.
const PASSED: [&str; 17] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];
/// Parameters of libpq that hosting providers write into URLs and that are ignored here.
const DROPPED: [&str; 13] = [
    "channel_binding",
    "connect_timeout",
    "fallback_application_name",
    "gssencmode",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "load_balance_hosts",
    "sslcompression",
    "sslsni",
    "target_session_attrs",
    "tcp_user_timeout",
];

/// The location of the database.
#[derive(Clone)]
pub enum Address {
    /// A `SQLite` file.
    Sqlite(SqliteFile),
    /// A PostgreSQL server.
    Postgres(Box<PgConnectOptions>),
}

/// A file of `SQLite`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteFile {
    /// The path of the file.
    pub path: PathBuf,
    /// The access mode.
    pub mode: Mode,
}

/// Access mode of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `mode=ro`.
    Read,
    /// `mode=rw`, which is the default.
    Write,
    /// `mode=rwc`: the file is created if it does not exist.
    Make,
}

/// Formats like `Display`: the URL may contain a password.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// Formats the address for messages, without user and password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => file.path.display().fmt(f),
            Self::Postgres(options) => match options.get_socket() {
                Some(socket) => write!(f, "PostgreSQL at {}:{}", socket.display(), options.get_port()),
                None if options.get_host().starts_with('/') => {
                    write!(f, "PostgreSQL at {}:{}", options.get_host(), options.get_port())
                }
                None if options.get_host().contains(':') && !options.get_host().starts_with('[') => {
                    write!(f, "PostgreSQL at [{}]:{}", options.get_host(), options.get_port())
                }
                None => write!(f, "PostgreSQL at {}:{}", options.get_host(), options.get_port()),
            },
        }
    }
}

impl Address {
    /// Parses `sqlite://FILE?mode=…`, `sqlite:FILE` or `postgres://USER:PASSWORD@HOST:PORT/NAME?…`. Schemes are
    /// case-insensitive, `postgresql://` equals `postgres://`, names are percent-encoded. Err is a message without the
    /// URL.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (scheme, rest) = text.split_once(':').ok_or_else(|| match Path::new(text).extension() {
            Some(_) => "a file is named as sqlite://FILE?mode=rwc".to_owned(),
            None => "expected sqlite://FILE?mode=rwc or postgres://USER@HOST/NAME".to_owned(),
        })?;
        match scheme.to_ascii_lowercase().as_str() {
            "sqlite" | "sqlite3" => sqlite(rest).map(Self::Sqlite),
            "postgres" | "postgresql" => postgres(rest),
            scheme if scheme.contains("postgres") => {
                Err("drivers are not named: write postgres:// in place of what stands before ://".to_owned())
            }
            _ => Err("expected sqlite://FILE?mode=rwc or postgres://USER@HOST/NAME".to_owned()),
        }
    }

    /// Returns the URL of an existing file.
    pub fn of_file(path: &Path) -> String {
        // Escapes the characters that have a special meaning in a URL.
        let name = path.display().to_string().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
        format!("sqlite://{name}?mode=rw")
    }

    /// Returns the file if the database is `SQLite`.
    pub fn file(&self) -> Option<&SqliteFile> {
        if let Self::Sqlite(file) = self { Some(file) } else { None }
    }
}

impl SqliteFile {
    /// Returns the driver's options for opening the file.
    pub fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(&self.path)
            .create_if_missing(self.mode == Mode::Make)
            .read_only(self.mode == Mode::Read)
    }
}

fn sqlite(rest: &str) -> Result<SqliteFile, String> {
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (name, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let mut mode = Mode::Write;
    for (key, value) in url::form_urlencoded::parse(parameters.as_bytes()) {
        mode = match (&*key, &*value) {
            ("mode", "ro") => Mode::Read,
            ("mode", "rw") => Mode::Write,
            ("mode", "rwc") => Mode::Make,
            // Each connection would open a separate database.
            ("mode", "memory") => return Err("a database in memory would be gone at the end: name a file".to_owned()),
            ("mode", _) => return Err("mode is ro, rw or rwc".to_owned()),
            ("cache", "private") => mode,
            _ => return Err(format!("a file has no parameter {}, only mode", key.escape_default())),
        };
    }
    if name.starts_with(":memory:") {
        return Err("a database in memory would be gone at the end: name a file".to_owned());
    }
    let read = SqliteConnectOptions::from_str(&format!("sqlite://{name}"));
    let path = read.map_err(|_| "the file's name has a % that encodes no text".to_owned())?.get_filename().to_owned();
    let is_named = !path.as_os_str().is_empty() && !path.to_string_lossy().starts_with("file:");
    if is_named { Ok(SqliteFile { path, mode }) } else { Err("no file is named: sqlite://FILE?mode=rwc".to_owned()) }
}

fn postgres(rest: &str) -> Result<Address, String> {
    let form = "this is no address: postgres://USER:PASSWORD@HOST:PORT/NAME, where @ : / ? # % in a name or a password are \
                percent-encoded (@ is %40)";
    if !rest.starts_with("//") {
        return Err(form.to_owned());
    }
    let mut url = Url::parse(&format!("postgres:{rest}")).map_err(|_| form.to_owned())?;
    if url.fragment().is_some() || url.path().trim_start_matches('/').contains('/') {
        return Err(form.to_owned());
    }
    let given: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let mut passed = Vec::new();
    for (key, value) in given {
        if PASSED.contains(&key.as_str()) || key.starts_with("options[") {
            passed.push((key, value));
        } else if !DROPPED.contains(&key.as_str()) {
            // The message omits the value, which may be a secret.
            return Err(format!("there is no parameter {} of PostgreSQL's address", key.escape_default()));
        }
    }
    url.set_query(None);
    if !passed.is_empty() {
        url.query_pairs_mut().extend_pairs(passed);
    }
    let wrong = |error: sqlx::Error| {
        let is_about_tls = matches!(&error, sqlx::Error::Configuration(reason) if reason.to_string().contains("ssl"));
        if is_about_tls {
            "sslmode is disable, allow, prefer, require, verify-ca or verify-full".to_owned()
        } else {
            form.to_owned()
        }
    };
    // The driver decides what else is valid: an empty host, for example, means a directory of Unix sockets.
    PgConnectOptions::from_str(url.as_str()).map(|options| Address::Postgres(Box::new(options))).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_in_every_usual_form() {
        for (text, path, mode) in [
            ("sqlite://rapport.db", "rapport.db", Mode::Write),
            ("sqlite:rapport.db", "rapport.db", Mode::Write),
            ("sqlite:./data/rapport.db?mode=rwc", "./data/rapport.db", Mode::Make),
            ("sqlite:///var/lib/rapport.db?mode=ro", "/var/lib/rapport.db", Mode::Read),
            ("sqlite:/var/lib/rapport.db?mode=rw", "/var/lib/rapport.db", Mode::Write),
            ("SQLite://my%20data%3F/caf%C3%A9.db?mode=rwc", "my data?/café.db", Mode::Make),
            ("sqlite://with space.db?cache=private&mode=rwc", "with space.db", Mode::Make),
            ("  sqlite://rapport.db?mode=rwc\n", "rapport.db", Mode::Make),
        ] {
            let Ok(Address::Sqlite(file)) = Address::parse(text) else { panic!("{text}") };
            assert_eq!(file, SqliteFile { path: path.into(), mode }, "{text}");
            assert_eq!(file.options().get_filename(), Path::new(path));
            let again = Address::parse(&Address::of_file(&file.path)).unwrap();
            assert_eq!(again.file().map(|file| &file.path), Some(&file.path));
        }
    }

    #[test]
    fn servers_are_named_in_every_usual_form() {
        for (text, host, port, user, name) in [
            ("postgres://ann@db/rapport", "db", 5432, "ann", "rapport"),
            ("postgresql://ann@db:6543/rapport", "db", 6543, "ann", "rapport"),
            ("Postgres://ann@db/rapport", "db", 5432, "ann", "rapport"),
            ("POSTGRESQL://ann:secret@db/rapport\n", "db", 5432, "ann", "rapport"),
            ("postgres://an%40n:p%2F%3A%23s@db/rap%20port", "db", 5432, "an@n", "rap port"),
            ("postgres://ann@[::1]:5433/rapport", "[::1]", 5433, "ann", "rapport"),
            ("postgres://ann@db/rapport?sslmode=require&channel_binding=require", "db", 5432, "ann", "rapport"),
            ("postgres://db/?user=ann&dbname=rapport&connect_timeout=10", "db", 5432, "ann", "rapport"),
        ] {
            let Ok(Address::Postgres(options)) = Address::parse(text) else { panic!("{text}") };
            let found = (options.get_host(), options.get_port(), options.get_username(), options.get_database());
            assert_eq!(found, (host, port, user, Some(name)), "{text}");
        }
        for text in ["postgres://ann@%2Fvar%2Frun/rapport", "postgres:///rapport?host=/var/run&user=ann"] {
            let Ok(Address::Postgres(options)) = Address::parse(text) else { panic!("{text}") };
            assert_eq!(options.get_socket().map(|path| path.to_str()), Some(Some("/var/run")), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for (text, said) in [
            ("", "expected"),
            ("secret", "expected"),
            ("secret.db", "sqlite://FILE"),
            ("mysql://root:secret@host/db", "expected"),
            ("jdbc:postgresql://host/secret", "expected"),
            ("postgresql+asyncpg://ann:secret@host/db", "postgres://"),
            ("postgres:ann:secret@host/db", "percent-encoded"),
            ("postgres://ann:se/cret@host/db", "percent-encoded"),
            ("postgres://ann:se#cret@host/db", "percent-encoded"),
            ("postgres://ann@host:secret/db", "percent-encoded"),
            ("postgres://ann@host/db?sslmode=secret", "sslmode"),
            ("postgres://ann@host/db?passwort=secret", "passwort"),
            ("sqlite://", "no file"),
            ("sqlite:", "no file"),
            ("sqlite::memory:", "memory"),
            ("sqlite://:memory:", "memory"),
            ("sqlite://secret?mode=memory", "memory"),
            ("sqlite://secret?mode=secret", "ro, rw or rwc"),
            ("sqlite://secret?immutable=1", "immutable"),
            ("sqlite://secret%FF", "%"),
        ] {
            let refusal = Address::parse(text).unwrap_err();
            assert!(refusal.contains(said) && !refusal.contains("secret"), "{text}: {refusal}");
        }
    }
}
