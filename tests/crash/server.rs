//! The real program, started, killed and started again.

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

/// How long a server may take to listen, on a machine with much else to do.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A command of the program, in a folder that holds nothing else, without the environment of the tests.
pub fn command<'a>(folder: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rapport"));
    command.args(arguments).env_clear().current_dir(folder);
    command
}

/// What a command that succeeds prints.
#[track_caller]
pub fn printed(mut command: Command) -> String {
    let output = command.output().expect("the program can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A server that can be killed. Each start has an address of its own.
pub struct Server {
    folder: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    child: Option<Child>,
    address: watch::Sender<Option<SocketAddr>>,
}

impl Server {
    /// One that is not started yet. `arguments` say what it serves.
    pub fn new(folder: &Path, name: &str, arguments: &[String]) -> Self {
        let usual = ["serve", "--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--log-format=json"];
        // Nobody here is to be kept waiting for points.
        let rich = ["--points=100000000", "--points-per-second=100000000"];
        let arguments = usual.into_iter().chain(rich).map(str::to_owned).chain(arguments.iter().cloned()).collect();
        let log = folder.join(format!("{name}.log"));
        Self { folder: folder.to_owned(), arguments, log, child: None, address: watch::Sender::new(None) }
    }

    /// Where it listens now.
    pub fn address(&self) -> watch::Receiver<Option<SocketAddr>> {
        self.address.subscribe()
    }

    /// Starts it without waiting. The receiver is told the address, or dropped when the process ends before it listens.
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
                    // Nobody may be waiting any more.
                    let _ = tell.send(line["address"].as_str().unwrap().parse().unwrap());
                }
            }
        });
        told
    }

    /// Starts it and waits until it listens. Tries again where it ends before: its database may just be away.
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

    /// SIGKILL.
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

    /// Whether it has run ever since it was last started.
    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// Lines of its log that tell of errors.
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
