//! Prepares both databases: generates them once per version of the generator and copies them. Later runs reuse the
//! copies while these are usable.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tokio::runtime::Runtime;

use crate::{
    cluster::{Cluster, SETTINGS, program},
    cpu::Group,
    data,
    generate::{self, postgres::connect},
    server::{Places, Server},
};

/// Loads all tables and indexes into memory, so that disk reads do not affect the figures.
const WARM: &str = "CREATE SCHEMA IF NOT EXISTS warm; CREATE EXTENSION IF NOT EXISTS pg_prewarm SCHEMA warm; \
                    SELECT warm.pg_prewarm(oid) FROM pg_class WHERE relkind IN ('r', 'i', 't') \
                    AND relnamespace IN ('public'::regnamespace, 'pg_toast'::regnamespace)";
/// Number of rows that earlier runs have written to a copy.
const WRITTEN: &str = "SELECT (SELECT COUNT(*) FROM idempotency) + (SELECT COUNT(*) FROM feedback_record_external_id) \
                       + 4 * (SELECT COUNT(*) FROM interaction_external_id)";
/// Number of written rows after which a copy is recreated: a tenth of its rows.
const MAX_WRITTEN: i64 = 200_000;
const MIGRATIONS: &str = "SELECT COUNT(*) FROM seaql_migrations";
/// Number of organizations whose weekly counts are not complete.
const UNCOUNTED: &str = "SELECT COUNT(*) FROM organization_sequence WHERE rolled_to IS NULL OR rolled_to <> last \
                         OR rolled_until <> 9223372036854775807";

/// Input paths and options.
pub struct Request<'a> {
    pub data: &'a Path,
    pub rapport: &'a Path,
    pub base: Option<&'a Path>,
    pub peers: &'a Path,
    pub with_sqlite: bool,
    /// Whether to recreate the copies.
    pub is_fresh: bool,
    /// Whether PostgreSQL records its statements.
    pub with_statements: bool,
}

/// One of the two databases, for statements that return one number or nothing.
enum Database<'a> {
    Postgres(&'a Runtime, String),
    Sqlite(PathBuf),
}

impl Database<'_> {
    fn execute(&self, sql: &str) -> Result<()> {
        let done = match self {
            Self::Postgres(runtime, url) => {
                runtime.block_on(async { anyhow::Ok(connect(url).await?.batch_execute(sql).await?) })
            }
            Self::Sqlite(path) => rusqlite::Connection::open(path)?.execute_batch(sql).map_err(Into::into),
        };
        done.with_context(|| sql.chars().take(80).collect::<String>())
    }

    fn number(&self, sql: &str) -> Result<i64> {
        match self {
            Self::Postgres(runtime, url) => {
                runtime.block_on(async { anyhow::Ok(connect(url).await?.query_one(sql, &[]).await?.get(0)) })
            }
            Self::Sqlite(path) => Ok(rusqlite::Connection::open(path)?.query_row(sql, [], |row| row.get(0))?),
        }
    }

    /// Migrates the database, then runs Rapport until its weekly counts are complete. Returns whether the database
    /// changed. Err if counting takes more than 15 minutes.
    fn migrate(&self, places: &Places) -> Result<bool> {
        let is_sqlite = matches!(self, Self::Sqlite(_));
        let before = self.number(MIGRATIONS).unwrap_or(0);
        places.migrate(is_sqlite)?;
        if self.number(UNCOUNTED)? == 0 {
            return Ok(self.number(MIGRATIONS)? > before);
        }
        let began = Instant::now();
        let server = Server::start(&crate::server::counter(is_sqlite), places)?;
        while self.number(UNCOUNTED)? > 0 {
            ensure!(began.elapsed() < Duration::from_secs(900), "weeks are not counted after {:?}", began.elapsed());
            std::thread::sleep(Duration::from_millis(200));
        }
        drop(server);
        println!("  weeks counted in {:.0} s", began.elapsed().as_secs_f64());
        Ok(true)
    }
}

/// Prepares the databases of this run. Returns the running cluster, and the paths and URLs that servers need.
pub fn databases(request: &Request, logs: PathBuf) -> Result<(Cluster, Places)> {
    let data = &fs::canonicalize(request.data)?;
    let (key, public_key) = keys(data)?;
    let version = data.join(format!("v{}", data::VERSION));
    fs::create_dir_all(&version)?;
    let mut cluster = Cluster::start(&version.join("postgres"), &logs, request.with_statements)?;
    let runtime = Runtime::new()?;
    wait(&mut cluster, &runtime)?;
    let mut places = Places {
        rapport: request.rapport.to_owned(),
        base: request.base.map(Path::to_owned),
        bench: std::env::current_exe()?,
        peers: request.peers.to_owned(),
        key,
        public_key,
        logs,
        postgres: cluster.url("pristine"),
        sqlite: version.join("pristine.db"),
    };
    let began = Instant::now();
    postgres(&cluster, &runtime, &mut places, &version, request.is_fresh)?;
    if request.with_sqlite {
        sqlite(&mut places, &version, request.is_fresh)?;
    }
    println!("Databases are ready after {:.0} s", began.elapsed().as_secs_f64());
    Ok((cluster, places))
}

fn postgres(cluster: &Cluster, runtime: &Runtime, places: &mut Places, version: &Path, is_fresh: bool) -> Result<()> {
    let database = |name: &str| Database::Postgres(runtime, cluster.url(name));
    once(&version.join("postgres-is-ready"), || {
        println!("Generating on PostgreSQL");
        database("postgres").execute("DROP DATABASE IF EXISTS pristine")?;
        database("postgres").execute("CREATE DATABASE pristine")?;
        places.migrate(false)?;
        runtime.block_on(generate::postgres::fill(&places.postgres))?;
        database("pristine").migrate(places)?;
        database("pristine").execute("VACUUM (ANALYZE, FREEZE)")?;
        database("pristine").execute("CHECKPOINT")
    })?;
    places.postgres = cluster.url("run");
    let (run, mark) = (database("run"), version.join("postgres-is-copied"));
    let is_kept = !is_fresh && mark.exists() && run.number(WRITTEN)? < MAX_WRITTEN;
    let mut has_changed = is_kept.then(|| run.migrate(places)).and_then(Result::ok);
    if has_changed.is_none() {
        println!("Copying PostgreSQL's database");
        drop(fs::remove_file(&mark));
        database("postgres").execute("DROP DATABASE IF EXISTS run WITH (FORCE)")?;
        database("postgres").execute("CREATE DATABASE run TEMPLATE pristine STRATEGY FILE_COPY")?;
        has_changed = Some(run.migrate(places)?);
        run.execute(&fs::read_to_string(places.peers.join("postgraphile.sql"))?)?;
        fs::write(&mark, "")?;
    }
    if has_changed == Some(true) {
        run.execute("VACUUM ANALYZE")?;
    }
    run.execute("CHECKPOINT")?;
    run.execute(WARM)
}

fn sqlite(places: &mut Places, version: &Path, is_fresh: bool) -> Result<()> {
    let pristine = places.sqlite.clone();
    once(&version.join("sqlite-is-ready"), || {
        println!("Generating on SQLite");
        remove(&pristine);
        places.migrate(true)?;
        generate::sqlite::fill(&pristine)?;
        let database = Database::Sqlite(pristine.clone());
        database.migrate(places)?;
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    })?;
    places.sqlite = version.join("run.db");
    let (run, mark) = (Database::Sqlite(places.sqlite.clone()), version.join("sqlite-is-copied"));
    let is_kept = !is_fresh && mark.exists() && run.number(WRITTEN)? < MAX_WRITTEN && run.migrate(places).is_ok();
    if !is_kept {
        println!("Copying SQLite's file");
        drop(fs::remove_file(&mark));
        remove(&places.sqlite);
        fs::copy(&pristine, &places.sqlite)?;
        run.migrate(places)?;
        fs::write(&mark, "")?;
    }
    io::copy(&mut File::open(&places.sqlite)?, &mut io::sink())?;
    Ok(())
}

/// Removes a SQLite file with its WAL and shared-memory files.
fn remove(path: &Path) {
    for ending in ["db", "db-wal", "db-shm"] {
        drop(fs::remove_file(path.with_extension(ending)));
    }
}

/// Does `work` unless the file `mark` exists, then creates that file.
fn once(mark: &Path, work: impl FnOnce() -> Result<()>) -> Result<()> {
    if !mark.exists() {
        let began = Instant::now();
        work()?;
        println!("  done in {:.0} s", began.elapsed().as_secs_f64());
        fs::write(mark, "")?;
    }
    Ok(())
}

fn wait(cluster: &mut Cluster, runtime: &Runtime) -> Result<()> {
    let url = cluster.url("postgres");
    for _ in 0..600 {
        if runtime.block_on(connect(&url)).is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    runtime.block_on(connect(&url)).map(drop).context("PostgreSQL does not answer; see postgres.log")
}

/// Returns the files of the signing key and its public key. Creates them if they do not exist.
fn keys(data: &Path) -> Result<(PathBuf, PathBuf)> {
    let (key, public_key) = (data.join("key.pem"), data.join("key.pub.pem"));
    let openssl = |arguments: &[&str], to: &Path| -> Result<()> {
        let status = Command::new("openssl").args(arguments).arg("-out").arg(to).output()?.status;
        ensure!(status.success(), "openssl fails");
        Ok(())
    };
    if !public_key.exists() {
        openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], &key)?;
        let path = key.display().to_string();
        openssl(&["pkey", "-pubout", "-in", &path], &public_key)?;
    }
    Ok((key, public_key))
}

/// Describes the hardware, the software and the settings of the run for the report.
pub fn circumstances(database: &Group, compared: usize) -> Vec<String> {
    let first = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map_or("unknown", |(_, value)| value.trim()).to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let version = program("postgres").ok().and_then(|program| Command::new(program).arg("--version").output().ok());
    let version = version.map_or_else(String::new, |output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let settings: Vec<String> = SETTINGS.iter().map(|(name, value)| format!("{name}={value}")).collect();
    vec![
        format!("{cores} cores of {}, {}", first("/proc/cpuinfo", "model name"), first("/proc/meminfo", "MemTotal")),
        format!(
            "Linux {}; load average at the end {}",
            kernel.trim(),
            load.split(' ').take(3).collect::<Vec<_>>().join(" ")
        ),
        format!("{version} over TCP on loopback, with {}", settings.join(", ")),
        format!("CPU time from {}", database.method()),
        format!("{compared} answers compared before timing: the same from every server"),
    ]
}
