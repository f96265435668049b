//! A PostgreSQL server that the tests can break: in a temporary folder, reachable only by a socket in it.

use std::{
    fs::{self, File},
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use sqlx::{AssertSqlSafe, ConnectOptions, Executor, PgConnection, Row, postgres::PgConnectOptions};
use tempfile::TempDir;

use crate::dice::Dice;

/// Maximum time for the server to start, on a busy machine.
const TIMEOUT: Duration = Duration::from_mins(1);
/// Name of the role and of the program's database.
pub const NAME: &str = "rapport";

/// A running PostgreSQL server, stopped and removed on drop.
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    /// User and group that run the server if the test runs as root, which PostgreSQL refuses.
    user: Option<(u32, u32)>,
    postgres: Option<Child>,
}

impl Cluster {
    pub async fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let is_root = fs::metadata(folder.path()).unwrap().uid() == 0;
        let user = is_root.then(|| (number_of("-u"), number_of("-g")));
        if let Some((user, group)) = user {
            std::os::unix::fs::chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let mut cluster = Self { folder, programs: programs(), user, postgres: None };
        let made = cluster
            .command("initdb", &["--pgdata=data", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .args(["--username", NAME])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        cluster.start().await;
        cluster.administer().await.execute(AssertSqlSafe(format!("CREATE DATABASE {NAME}"))).await.unwrap();
        cluster
    }

    /// Stops the server as if it had crashed, and starts it again.
    pub async fn restart_immediately(&mut self) {
        self.stop_immediately();
        self.start().await;
    }

    /// Terminates one of the program's connections, preferably a busy one. Returns whether there was any.
    pub async fn terminate(&self, dice: &mut Dice) -> bool {
        let mut connection = self.administer().await;
        let sql = "SELECT pid, COALESCE(state <> 'idle', FALSE) FROM pg_stat_activity WHERE application_name = 'rapport' ORDER BY pid";
        let rows = connection.fetch_all(sql).await.unwrap();
        let all: Vec<(i32, bool)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let busy: Vec<(i32, bool)> = all.iter().copied().filter(|(_, is_busy)| *is_busy).collect();
        let Some((pid, _)) = dice.pick(if busy.is_empty() { &all } else { &busy }) else { return false };
        let sql = format!("SELECT pg_terminate_backend({pid})");
        connection.fetch_one(AssertSqlSafe(sql)).await.unwrap().get(0)
    }

    /// Returns the state and query of the program's connections that are idle in a transaction.
    pub async fn in_transaction(&self) -> Vec<String> {
        let sql = "SELECT state || ': ' || query FROM pg_stat_activity \
                   WHERE application_name = 'rapport' AND state LIKE 'idle in transaction%'";
        let rows = self.administer().await.fetch_all(sql).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Returns the log lines that begin with one of these codes.
    pub fn logged(&self, codes: &[&str]) -> Vec<String> {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap();
        let is_wanted = |line: &&str| codes.iter().any(|code| line.starts_with(code));
        log.lines().filter(is_wanted).map(str::to_owned).collect()
    }

    /// Returns the path of the server's socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join(".s.PGSQL.5432")
    }

    /// Returns the options for connecting to a database.
    pub fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass().socket(self.folder.path()).port(5432).username(NAME).database(database)
    }

    async fn administer(&self) -> PgConnection {
        self.options("postgres").connect().await.unwrap()
    }

    async fn start(&mut self) {
        let log = File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let socket = format!("unix_socket_directories={}", self.folder.path().display());
        let child = self
            .command("postgres", &["-D", "data", "-p", "5432", "-c", "listen_addresses=", "-c", &socket])
            .args(["-c", "log_line_prefix=%e ", "-c", "max_connections=60", "-c", "shared_buffers=32MB"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.postgres = Some(child.unwrap());
        let options = self.options("postgres");
        let answers = async {
            while options.connect().await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let has_started = tokio::time::timeout(TIMEOUT, answers).await.is_ok();
        assert!(has_started, "{}", fs::read_to_string(self.folder.path().join("log")).unwrap());
    }

    fn stop_immediately(&mut self) {
        let Some(mut postgres) = self.postgres.take() else { return };
        let stopped = self.command("pg_ctl", &["stop", "-D", "data", "-m", "immediate", "-s"]).status();
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
        self.stop_immediately();
    }
}

/// Returns the folder of the server programs of the newest installed version.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| Some((version.file_name().to_str()?.parse().ok()?, version.path().join("bin"))))
        .filter(|(_, folder)| has_all(folder))
        .collect();
    found.sort();
    let (_, folder) = found.pop().expect("PostgreSQL's programs in /usr/lib/postgresql/*/bin: install postgresql");
    folder
}

fn has_all(folder: &Path) -> bool {
    ["initdb", "postgres", "pg_ctl"].iter().all(|program| folder.join(program).exists())
}

/// Returns the numeric id of the user or group `postgres`.
fn number_of(option: &str) -> u32 {
    let output = Command::new("id").args([option, "postgres"]).output().unwrap();
    let number = String::from_utf8(output.stdout).unwrap().trim().parse();
    number.expect("a user postgres, which the package postgresql makes")
}
