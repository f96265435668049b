//! A private PostgreSQL cluster on disk, with settings that keep its background work out of the figures.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::process::{Process, Program, free_address};

/// Settings that differ from the defaults. The README gives the reasons.
pub const SETTINGS: [(&str, &str); 10] = [
    ("shared_buffers", "5GB"),
    ("effective_cache_size", "8GB"),
    ("random_page_cost", "1.1"),
    ("jit", "off"),
    ("autovacuum", "off"),
    ("max_wal_size", "4GB"),
    ("checkpoint_timeout", "1h"),
    ("max_connections", "100"),
    ("listen_addresses", "127.0.0.1"),
    ("log_min_messages", "warning"),
];

/// A running cluster.
pub struct Cluster {
    pub process: Process,
    address: SocketAddr,
}

/// Returns the path of a program of PostgreSQL: in the last of Debian's version directories, otherwise in `PATH`.
pub fn program(name: &str) -> Result<PathBuf> {
    let found = fs::read_dir("/usr/lib/postgresql").ok().into_iter().flatten().flatten();
    let mut debian: Vec<PathBuf> = found.map(|it| it.path().join("bin").join(name)).filter(|it| it.exists()).collect();
    debian.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = std::env::split_paths(&path).map(|directory| directory.join(name)).find(|it| it.exists());
    debian.pop().or(usual).with_context(|| format!("{name} is not installed"))
}

/// Returns the user to run PostgreSQL as, if this process runs as root, which PostgreSQL refuses.
fn user() -> Option<&'static str> {
    let output = Command::new("id").arg("-u").output().ok()?;
    (output.stdout.trim_ascii() == b"0").then_some("postgres")
}

impl Cluster {
    /// Starts the cluster in a directory. Creates the cluster if the directory has none.
    pub fn start(directory: &Path, logs: &Path, with_statements: bool) -> Result<Self> {
        let address = free_address()?;
        if !directory.join("PG_VERSION").exists() {
            fs::create_dir_all(directory)?;
            let mut command = Command::new("setpriv");
            if let Some(user) = user() {
                ensure!(Command::new("chown").arg(user).arg(directory).status()?.success(), "chown fails");
                command.args(["--reuid", user, "--regid", user, "--init-groups"]);
            }
            command.arg("--").arg(program("initdb")?).arg("-D").arg(directory);
            command.args(["-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-instructions"]);
            ensure!(command.output()?.status.success(), "initdb fails");
        }
        let mut words = vec![program("postgres")?.into(), "-D".into(), directory.into()];
        for (name, value) in SETTINGS {
            words.extend(["-c".into(), format!("{name}={value}").into()]);
        }
        if with_statements {
            for setting in ["shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track_planning=on"] {
                words.extend(["-c".into(), setting.into()]);
            }
        }
        let port = address.port().to_string();
        words.extend(["-c".into(), format!("port={port}").into(), "-c".into(), "unix_socket_directories=".into()]);
        let program = Program { name: "postgres", words, variables: Vec::new(), user: user(), signal: "INT", logs };
        Ok(Self { process: program.start()?, address })
    }

    /// Returns the URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://bench@{}/{database}", self.address)
    }
}
