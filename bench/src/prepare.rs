//! Prepares both databases: generated once for each version of the generator, copied afresh for each run.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::{
    cluster::{Cluster, SETTINGS, program},
    cpu::Group,
    data,
    generate::{self, postgres::connect},
    server::Places,
};

/// Reads everything into memory: what is measured is the work, not the disk.
const WARM: &str = "CREATE SCHEMA warm; CREATE EXTENSION pg_prewarm SCHEMA warm; SELECT warm.pg_prewarm(oid) FROM pg_class \
                    WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace";

/// A database for this run of each sort, brought up to date by `rapport migrate`.
pub fn databases(data: &Path, rapport: &Path, peers: &Path, logs: PathBuf) -> Result<(Cluster, Places)> {
    let data = &fs::canonicalize(data)?;
    let (key, public_key) = keys(data)?;
    let version = data.join(format!("v{}", data::VERSION));
    fs::create_dir_all(&version)?;
    let mut cluster = Cluster::start(&version.join("postgres"), &logs)?;
    let pristine = format!("pristine_{}", data::VERSION);
    let runtime = tokio::runtime::Runtime::new()?;
    wait(&mut cluster, &runtime)?;
    once(&version.join("postgres-is-ready"), || {
        println!("Generating on PostgreSQL");
        let sql = [format!("DROP DATABASE IF EXISTS {pristine}"), format!("CREATE DATABASE {pristine}")];
        runtime.block_on(execute(&cluster.url("postgres"), &sql))?;
        migrate(rapport, &cluster.url(&pristine), &key)?;
        runtime.block_on(generate::postgres::fill(&cluster.url(&pristine)))
    })?;
    let file = version.join("pristine.db");
    once(&version.join("sqlite-is-ready"), || {
        println!("Generating on SQLite");
        drop(fs::remove_file(&file));
        migrate(rapport, &format!("sqlite://{}?mode=rwc", file.display()), &key)?;
        generate::sqlite::fill(&file)
    })?;

    println!("Copying");
    let sql = [
        "DROP DATABASE IF EXISTS run WITH (FORCE)".to_owned(),
        format!("CREATE DATABASE run TEMPLATE {pristine} STRATEGY FILE_COPY"),
    ];
    runtime.block_on(execute(&cluster.url("postgres"), &sql))?;
    let sqlite = version.join("run.db");
    for ending in ["db", "db-wal", "db-shm"] {
        drop(fs::remove_file(version.join(format!("run.{ending}"))));
    }
    fs::copy(&file, &sqlite)?;
    let postgres = cluster.url("run");
    migrate(rapport, &postgres, &key)?;
    migrate(rapport, &format!("sqlite://{}?mode=rw", sqlite.display()), &key)?;
    let functions = fs::read_to_string(peers.join("postgraphile.sql"))?;
    let last = [functions, "VACUUM ANALYZE".to_owned(), "CHECKPOINT".to_owned(), WARM.to_owned()];
    runtime.block_on(execute(&postgres, &last))?;
    let (rapport, peers, bench) = (rapport.to_owned(), peers.to_owned(), std::env::current_exe()?);
    Ok((cluster, Places { rapport, bench, peers, key, public_key, logs, postgres, sqlite }))
}

/// Does something whose doneness a file remembers.
fn once(mark: &Path, work: impl FnOnce() -> Result<()>) -> Result<()> {
    if !mark.exists() {
        work()?;
        fs::write(mark, "")?;
    }
    Ok(())
}

fn wait(cluster: &mut Cluster, runtime: &tokio::runtime::Runtime) -> Result<()> {
    let url = cluster.url("postgres");
    for _ in 0..600 {
        if runtime.block_on(connect(&url)).is_ok() {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    runtime.block_on(connect(&url)).map(drop).context("PostgreSQL does not answer; see postgres.log")
}

async fn execute(url: &str, statements: &[String]) -> Result<()> {
    let client = connect(url).await?;
    for statement in statements {
        client.batch_execute(statement).await.with_context(|| statement.chars().take(80).collect::<String>())?;
    }
    Ok(())
}

fn migrate(rapport: &Path, url: &str, key: &Path) -> Result<()> {
    let status = Command::new(rapport)
        .arg("migrate")
        .env("RAPPORT_DATABASE_URL", url)
        .env("RAPPORT_SIGNING_KEY", key)
        .status()?;
    ensure!(status.success(), "rapport migrate fails on {url}");
    Ok(())
}

/// The signing key of the run, and its public half.
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

/// What it all ran on.
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
        format!("Linux {}; load average at the end {}", kernel.trim(), load.split(' ').take(3).collect::<Vec<_>>().join(" ")),
        format!("{version} over TCP on loopback, with {}", settings.join(", ")),
        format!("CPU time from {}", database.method()),
        format!("{compared} answers compared before timing: the same from every server"),
    ]
}
