//! A PostgreSQL server that a test can stop, in a temporary folder and on a port of its own.

use std::{
    fs::{self, File},
    net::TcpListener,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use rapport::store::{Options, Store};
use sqlx::{Connection, Executor, PgConnection};
use tempfile::TempDir;

use crate::server::until;

/// Name of the role.
const NAME: &str = "rapport";

/// A PostgreSQL server, stopped and removed on drop.
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
    /// User and group that run the server if the test runs as root, which PostgreSQL refuses.
    user: Option<(u32, u32)>,
    postgres: Option<Child>,
}

impl Cluster {
    /// Creates and starts a server with a migrated database.
    pub async fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let is_root = fs::metadata(folder.path()).unwrap().uid() == 0;
        let user = is_root.then(|| (number_of("-u"), number_of("-g")));
        if let Some((user, group)) = user {
            std::os::unix::fs::chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut cluster = Self { folder, programs: programs(), port, user, postgres: None };
        let made = cluster
            .command("initdb", &["--pgdata=data", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .args(["--username", NAME])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        cluster.start();
        let mut connection = until(async || PgConnection::connect(&cluster.url("postgres")).await.ok()).await;
        connection.execute("CREATE DATABASE rapport").await.unwrap();
        let store = Store::open(&Options {
            url: cluster.url(NAME),
            max_connections: 1,
            acquire_timeout: Options::COMMAND_TIMEOUT,
        })
        .await
        .unwrap();
        store.migrate().await.unwrap();
        store.close().await.unwrap();
        cluster
    }

    /// Returns the URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{NAME}@127.0.0.1:{}/{database}", self.port)
    }

    /// Returns the server log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Starts the server without waiting until it accepts connections.
    pub fn start(&mut self) {
        let log = File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let (port, sockets) =
            (self.port.to_string(), format!("unix_socket_directories={}", self.folder.path().display()));
        let child = self
            .command("postgres", &["-D", "data", "-p", &port, "-c", "listen_addresses=127.0.0.1", "-c", &sockets])
            .args(["-c", "max_connections=40", "-c", "shared_buffers=16MB"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.postgres = Some(child.unwrap());
    }

    /// Stops the server: `fast` aborts open transactions, `immediate` is equivalent to a crash.
    pub fn stop(&mut self, mode: &str) {
        let Some(mut postgres) = self.postgres.take() else { return };
        let stopped = self.command("pg_ctl", &["stop", "-D", "data", "-m", mode, "-s"]).status();
        if !stopped.is_ok_and(|status| status.success()) {
            drop(postgres.kill());
        }
        drop(postgres.wait());
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.args(arguments).current_dir(self.folder.path()).env_clear().env("PATH", "/usr/bin:/bin");
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop("immediate");
    }
}

/// Returns the folder of the server programs of the newest installed version.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.filter_map(|version| {
        let number: u32 = version.file_name().to_str()?.parse().ok()?;
        let folder = version.path().join("bin");
        ["initdb", "postgres", "pg_ctl"].iter().all(|program| folder.join(program).exists()).then_some((number, folder))
    });
    found.max().expect("PostgreSQL's programs in /usr/lib/postgresql/*/bin: install postgresql").1
}

/// Returns the numeric id of the user or group `postgres`.
fn number_of(option: &str) -> u32 {
    let output = Command::new("id").args([option, "postgres"]).output().unwrap();
    let number = String::from_utf8(output.stdout).unwrap().trim().parse();
    number.expect("a user postgres, which the package postgresql makes")
}
