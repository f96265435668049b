//! Starts servers, each in a group of its own, and ends them with the run.

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
    /// The signal that ends it.
    signal: &'static str,
}

/// What to run.
pub struct Program<'a> {
    pub name: &'a str,
    pub words: Vec<OsString>,
    pub variables: Vec<(&'static str, String)>,
    /// Whom to run it as, if not as the caller.
    pub user: Option<&'a str>,
    pub signal: &'static str,
    /// Directory of its log.
    pub logs: &'a Path,
}

impl Program<'_> {
    /// Starts it. It ends when this process does.
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
    /// Waits until it answers at a path.
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

/// An address with a free port, and a free one after it.
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
