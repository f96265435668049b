//! Starts, kills and restarts the real program.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tokio::sync::{oneshot, watch};

/// Maximum time until a server listens, on a busy machine.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Returns a command of the program that runs in `folder`, without the environment of the tests.
pub fn command<'a>(folder: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rapport"));
    command.args(arguments).env_clear().current_dir(folder);
    command
}

/// Runs a command that must succeed and returns what it prints.
#[track_caller]
pub fn printed(mut command: Command) -> String {
    let output = command.output().expect("the program can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A server that can be killed. Each start uses a new address.
pub struct Server {
    folder: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    child: Option<Child>,
    address: watch::Sender<Option<SocketAddr>>,
}

impl Server {
    /// Creates a server without starting it. `arguments` are added to the usual ones of `serve`.
    pub fn new(folder: &Path, name: &str, arguments: &[String]) -> Self {
        let usual = ["serve", "--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--log-format=json"];
        // Rate limits must not slow down the tests.
        let rich = ["--points=100000000", "--points-per-second=100000000"];
        let arguments = usual.into_iter().chain(rich).map(str::to_owned).chain(arguments.iter().cloned()).collect();
        let log = folder.join(format!("{name}.log"));
        Self { folder: folder.to_owned(), arguments, log, child: None, address: watch::Sender::new(None) }
    }

    /// Returns a receiver of the address at which the server listens.
    pub fn address(&self) -> watch::Receiver<Option<SocketAddr>> {
        self.address.subscribe()
    }

    /// Starts the server without waiting. The receiver gets the address, or is closed if the process ends before it
    /// listens.
    pub fn spawn(&mut self) -> oneshot::Receiver<SocketAddr> {
        assert!(self.child.is_none(), "it runs already");
        let arguments = self.arguments.iter().map(String::as_str);
        let mut child = command(&self.folder, arguments).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut log = File::options().create(true).append(true).open(&self.log).unwrap();
        self.child = Some(child);
        let (tell, told) = oneshot::channel();
        std::thread::spawn(move || {
            let mut tell = Some(tell);
            for line in lines.map_while(Result::ok) {
                writeln!(log, "{line}").unwrap();
                let Ok(line) = serde_json::from_str::<Value>(&line) else { continue };
                if line["message"] == "listening"
                    && let Some(tell) = tell.take()
                {
                    // The receiver may be dropped.
                    let _ = tell.send(line["address"].as_str().unwrap().parse().unwrap());
                }
            }
        });
        told
    }

    /// Starts the server and waits until it listens. Retries if the process ends before, e.g. while the database is
    /// down.
    pub async fn start(&mut self) {
        let started = async {
            loop {
                let told = self.spawn();
                if let Ok(address) = told.await {
                    self.address.send_replace(Some(address));
                    return;
                }
                self.end();
            }
        };
        let is_started = tokio::time::timeout(TIMEOUT, started).await.is_ok();
        assert!(is_started, "it does not listen: {}", self.last_words());
    }

    /// Kills the server by SIGKILL.
    pub fn kill(&mut self) {
        self.address.send_replace(None);
        self.end();
    }

    fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Whether the server has not ended since the last start.
    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// Returns the log lines of errors and panics.
    pub fn errors(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().filter(|line| line.contains("\"ERROR\"") || line.contains("panicked")).map(str::to_owned).collect()
    }

    fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}
