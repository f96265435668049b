//! Starts servers, each in a separate control group, and stops them at the end of the run.

use std::{
    ffi::OsString,
    fs::File,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{cpu::Group, load::Connection};

/// A running server.
pub struct Process {
    pub group: Group,
    child: Child,
    /// The signal that stops the server.
    signal: &'static str,
}

/// A program to start.
pub struct Program<'a> {
    pub name: &'a str,
    pub words: Vec<OsString>,
    pub variables: Vec<(&'static str, String)>,
    /// The user to run the program as, if not the current one.
    pub user: Option<&'a str>,
    pub signal: &'static str,
    /// Directory of the log file.
    pub logs: &'a Path,
}

impl Program<'_> {
    /// Starts the program. The kernel stops it when this process ends.
    pub fn start(self) -> Result<Process> {
        let mut group = Group::make(self.name);
        let log = File::create(self.logs.join(format!("{}.log", self.name)))?;
        let mut command = Command::new("sh");
        command.arg("-c").arg("[ -z \"$1\" ] || echo $$ >\"$1\"; shift; exec \"$@\"").arg("sh");
        command.arg(group.door().unwrap_or_default()).args(["setpriv", "--pdeathsig", self.signal]);
        if let Some(user) = self.user {
            command.args(["--reuid", user, "--regid", user, "--init-groups"]);
        }
        command.arg("--").args(&self.words).envs(self.variables);
        let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn();
        let child = child.with_context(|| format!("{} does not start", self.name))?;
        group.root = Some(child.id());
        Ok(Process { group, child, signal: self.signal })
    }
}

impl Process {
    /// Waits until the server responds to a request with a status below 500. Err if it ends or after a minute.
    pub fn wait_for(&mut self, address: SocketAddr, request: &[u8]) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(60) {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}");
            }
            let answered = Connection::open(address).and_then(|mut line| line.ask(request));
            if answered.is_ok_and(|(status, _)| status < 500) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("it does not answer within a minute")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let pid = self.child.id().to_string();
        drop(Command::new("kill").args(["-s", self.signal, &pid]).status());
        drop(self.child.wait());
    }
}

/// Returns a loopback address with a free port whose next port is free too.
pub fn free_address() -> Result<SocketAddr> {
    for _ in 0..100 {
        let first = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let next = SocketAddr::new(first.ip(), first.port().wrapping_add(1));
        if TcpListener::bind(next).is_ok() {
            return Ok(first);
        }
    }
    bail!("there are no two free ports")
}
