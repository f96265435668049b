//! A database for each test: made, looked into past the API, and dropped again.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Once,
        atomic::{AtomicU32, Ordering},
    },
};

use migration::{Migrator, MigratorTrait};
use rapport::store::{Options, Store};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection};

/// Number of the advisory lock under which the template is made.
const TEMPLATE_LOCK: i64 = 0x7465_6d70_6c61_7465;

/// How many databases were made.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// Says once which database the suite runs on, past the capture of what tests print.
fn say(database: &str) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        std::io::stderr().write_all(format!("The suite runs on {database}.\n").as_bytes()).unwrap();
    });
}

/// A migrated database that goes away with this value.
pub struct Database {
    /// Its address.
    pub url: String,
    /// Address of the server and name of the database there; `None` for a file.
    server: Option<(String, String)>,
    folder: Option<tempfile::TempDir>,
}

impl Database {
    /// Makes one on the server that `RAPPORT_TEST_POSTGRES` names, or a file.
    pub async fn make() -> Self {
        Self::copy(&format!("template_{}", state()), async |url| migrate(&url).await).await
    }

    /// One at an address that somebody else looks after.
    pub fn at(url: String) -> Self {
        Self { server: server().map(|server| (server, String::new())), url, folder: None }
    }

    /// Makes a copy of a template, which `prepare` fills and leaves if there is none of this name yet.
    pub async fn copy(template: &str, prepare: impl AsyncFnOnce(String)) -> Self {
        say(if server().is_some() { "PostgreSQL" } else { "SQLite" });
        let Some(server) = server() else {
            let folder = tempfile::tempdir().unwrap();
            std::fs::copy(template_file(template, prepare).await, folder.path().join("test.db")).unwrap();
            let url = format!("sqlite://{}/test.db?mode=rwc", folder.path().display());
            return Self { url, server: None, folder: Some(folder) };
        };
        let name = format!("rapport_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&server).await.unwrap();
        let template = template_database(&server, &mut connection, template, prepare).await;
        // A run that was killed may have left one of this name.
        run(&mut connection, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        run(&mut connection, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        Self { url: beside(&server, &name), server: Some((server, name)), folder: None }
    }

    /// One on the server without our tables, made with `options` such as an encoding. None where the suite runs on files.
    pub async fn empty(options: &str) -> Option<Self> {
        let server = server()?;
        let name = format!("rapport_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&server).await.unwrap();
        run(&mut connection, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        run(&mut connection, format!("CREATE DATABASE {name} {options}")).await;
        Some(Self { url: beside(&server, &name), server: Some((server, name)), folder: None })
    }

    /// One without our tables, of either kind.
    pub async fn bare() -> Option<Self> {
        if server().is_some() {
            return Self::empty("").await;
        }
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/test.db?mode=rwc", folder.path().display());
        Some(Self { url, server: None, folder: Some(folder) })
    }

    /// A file that stays when this value goes.
    pub fn of_file(file: &Path) -> Self {
        Self { url: format!("sqlite://{}", file.display()), server: None, folder: None }
    }

    /// Takes all steps that it lacks.
    pub async fn migrate(&self) {
        migrate(&self.url).await;
    }

    /// Its name on the server.
    pub fn name(&self) -> &str {
        &self.server.as_ref().unwrap().1
    }

    /// Reads columns as text, for what no API shows. Ids are read with [`Database::id`].
    pub async fn look(&self, sql: String) -> Vec<Vec<Option<String>>> {
        let sql = AssertSqlSafe(sql);
        if self.server.is_some() {
            let rows = PgConnection::connect(&self.url).await.unwrap().fetch_all(sql).await.unwrap();
            rows.iter().map(|row| (0..row.len()).map(|column| row.get(column)).collect()).collect()
        } else {
            let rows = SqliteConnection::connect(&self.url).await.unwrap().fetch_all(sql).await.unwrap();
            rows.iter().map(|row| (0..row.len()).map(|column| row.get(column)).collect()).collect()
        }
    }

    /// How the database goes about a statement with placeholders, by indexes where there are any.
    pub async fn plan(&self, text: &str) -> Vec<String> {
        if self.server.is_none() {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            let rows = connection.fetch_all(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"))).await.unwrap();
            return rows.iter().map(|row| row.get("detail")).collect();
        }
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        run(&mut connection, "SET enable_seqscan = off".to_owned()).await;
        run(&mut connection, "SET plan_cache_mode = force_generic_plan".to_owned()).await;
        run(&mut connection, format!("PREPARE asked AS {text}")).await;
        let count = (1..=100_000).take_while(|place| text.contains(&format!("${place}"))).count();
        let explain = format!("EXPLAIN EXECUTE asked({})", vec!["NULL"; count].join(", "));
        let rows = connection.fetch_all(AssertSqlSafe(explain)).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Runs statements past the API, with no key between tables holding them.
    pub async fn force(&self, statements: Vec<String>) {
        if self.server.is_some() {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            run(&mut connection, "SET session_replication_role = replica".to_owned()).await;
            for sql in statements {
                run(&mut connection, sql).await;
            }
        } else {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            connection.execute("PRAGMA foreign_keys = OFF").await.unwrap();
            for sql in statements {
                connection.execute(AssertSqlSafe(sql)).await.unwrap();
            }
        }
    }

    /// Runs SQL past the API, as whoever owns the database can.
    pub async fn change(&self, sql: &str) {
        self.try_change(sql).await.unwrap();
    }

    /// Like [`Database::change`], for what the database may refuse.
    pub async fn try_change(&self, sql: &str) -> sqlx::Result<()> {
        let sql = AssertSqlSafe(sql.to_owned());
        if self.server.is_some() {
            PgConnection::connect(&self.url).await?.execute(sql).await.map(drop)
        } else {
            SqliteConnection::connect(&self.url).await?.execute(sql).await.map(drop)
        }
    }

    /// Runs a statement on a file.
    pub async fn write(file: &Path, sql: &'static str) {
        let mut connection = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
        connection.execute(sql).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Locks a file until the answer is dropped.
    pub async fn lock_file(file: &Path) -> Held {
        let mut connection = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
        connection.execute("BEGIN IMMEDIATE").await.unwrap();
        Held { _postgres: None, _sqlite: Some(connection) }
    }

    /// Locks a table of PostgreSQL, or all of SQLite's, until the answer is dropped.
    pub async fn hold(&self, table: &str) -> Held {
        if self.server.is_some() {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            run(&mut connection, format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")).await;
            Held { _postgres: Some(connection), _sqlite: None }
        } else {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            connection.execute("BEGIN IMMEDIATE").await.unwrap();
            Held { _postgres: None, _sqlite: Some(connection) }
        }
    }

    /// Lets nobody in any more, and ends the connections there are. PostgreSQL only.
    pub async fn close_door(&self) {
        let (server, name) = self.server.as_ref().unwrap();
        let mut connection = PgConnection::connect(server).await.unwrap();
        run(&mut connection, format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
        let sessions = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        run(&mut connection, sessions).await;
    }

    /// SQL for an id as 32 hexadecimal digits.
    pub fn id(&self, column: &str) -> String {
        if self.is_sqlite() {
            format!("lower(hex({column}))")
        } else {
            format!("replace(CAST({column} AS TEXT), '-', '')")
        }
    }

    /// The folder that holds the file and what stands beside it.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_ref().map(tempfile::TempDir::path)
    }

    /// Whether it is a folder's file.
    pub fn is_sqlite(&self) -> bool {
        self.server.is_none()
    }
}

/// A lock, held until it is dropped.
pub struct Held {
    _postgres: Option<PgConnection>,
    _sqlite: Option<SqliteConnection>,
}

impl Drop for Database {
    fn drop(&mut self) {
        let Some((url, name)) = self.server.as_ref().filter(|(_, name)| !name.is_empty()) else { return };
        let (url, sql) = (url.clone(), format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        // A runtime of its own: the test's may be shutting down.
        let dropped = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move { run(&mut PgConnection::connect(&url).await.unwrap(), sql).await });
        });
        drop(dropped.join());
    }
}

#[expect(clippy::disallowed_methods, reason = "the one setting of the tests themselves")]
fn server() -> Option<String> {
    std::env::var("RAPPORT_TEST_POSTGRES").ok()
}

/// Tells the states of the migrations apart.
fn state() -> String {
    let mut hasher = DefaultHasher::new();
    // The steps that this program takes: its sources may have changed since it was compiled.
    for step in Migrator::migrations() {
        step.name().hash(&mut hasher);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migration/src");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        std::fs::read(file).unwrap().hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

/// The file that others are copied from, kept beside what was compiled.
async fn template_file(name: &str, prepare: impl AsyncFnOnce(String)) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("{name}.db"));
    if !file.exists() {
        // Renamed when it is whole: a process that dies half-way leaves no wrong template.
        let new = tempfile::tempdir_in(folder).unwrap();
        let made = new.path().join("template.db");
        prepare(format!("sqlite://{}?mode=rwc", made.display())).await;
        assert!(!new.path().join("template.db-wal").exists(), "something was not written to the file");
        std::fs::rename(made, &file).unwrap();
    }
    file
}

/// The database that others are copied from, kept on the server.
async fn template_database(
    server: &str,
    connection: &mut PgConnection,
    name: &str,
    prepare: impl AsyncFnOnce(String),
) -> String {
    let name = format!("rapport_{name}");
    let known = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
    let is_known = async |connection: &mut PgConnection| {
        connection.fetch_optional(AssertSqlSafe(known.clone())).await.unwrap().is_some()
    };
    if is_known(connection).await {
        return name;
    }
    run(connection, format!("SELECT pg_advisory_lock({TEMPLATE_LOCK})")).await;
    if !is_known(connection).await {
        // Renamed when it is whole: a process that dies half-way leaves no wrong template.
        run(connection, format!("DROP DATABASE IF EXISTS {name}_new WITH (FORCE)")).await;
        run(connection, format!("CREATE DATABASE {name}_new")).await;
        prepare(beside(server, &format!("{name}_new"))).await;
        run(connection, format!("ALTER DATABASE {name}_new RENAME TO {name}")).await;
    }
    run(connection, format!("SELECT pg_advisory_unlock({TEMPLATE_LOCK})")).await;
    name
}

/// Takes all steps that the database at this address lacks.
pub async fn migrate(url: &str) {
    let store =
        Store::open(&Options { url: url.to_owned(), max_connections: 2, acquire_timeout: Options::COMMAND_TIMEOUT })
            .await
            .unwrap();
    store.migrate().await.unwrap();
    store.close().await.unwrap();
}

async fn run(connection: &mut PgConnection, sql: String) {
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
}

/// The address of another database on the same server.
fn beside(server: &str, name: &str) -> String {
    format!("{}/{name}", server.rsplit_once('/').unwrap().0)
}
