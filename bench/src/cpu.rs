//! Reads CPU time from the kernel: of a control group if one can be created, otherwise of a process and its children.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Processes whose CPU time and memory are measured together.
pub struct Group {
    directory: Option<PathBuf>,
    is_first_version: bool,
    /// Id of the first process, once it runs.
    pub root: Option<u32>,
}

const PLACES: [(&str, bool); 3] =
    [("/sys/fs/cgroup/cpuacct", true), ("/sys/fs/cgroup", false), ("/sys/fs/cgroup/unified", false)];

impl Group {
    /// Creates a group with a name that is unique to this run.
    pub fn make(name: &str) -> Self {
        let name = format!("rapport-bench-{}-{name}", std::process::id());
        for (place, is_first_version) in PLACES {
            let directory = Path::new(place).join(&name);
            let file = directory.join(if is_first_version { "cpuacct.usage" } else { "cpu.stat" });
            if fs::create_dir(&directory).is_ok() {
                if file.exists() {
                    return Self { directory: Some(directory), is_first_version, root: None };
                }
                drop(fs::remove_dir(&directory));
            }
        }
        Self { directory: None, is_first_version: false, root: None }
    }

    /// Describes the source of the CPU time for the report.
    pub fn method(&self) -> &'static str {
        match (&self.directory, self.is_first_version) {
            (Some(_), true) => "cgroup v1 cpuacct.usage, nanoseconds",
            (Some(_), false) => "cgroup v2 cpu.stat, microseconds",
            (None, _) => "/proc/PID/stat of the processes and their ended children, ticks of 10 ms",
        }
    }

    /// Returns the file to which a process writes its id to join the group, if there is a control group.
    pub fn door(&self) -> Option<PathBuf> {
        self.directory.as_ref().map(|directory| directory.join("cgroup.procs"))
    }

    /// Returns user and system time so far, in nanoseconds.
    pub fn time(&self) -> io::Result<u64> {
        let Some(directory) = &self.directory else {
            return Ok(self.tree().map(ticks).sum::<u64>() * 10_000_000);
        };
        if self.is_first_version {
            let text = fs::read_to_string(directory.join("cpuacct.usage"))?;
            return text.trim().parse().map_err(io::Error::other);
        }
        let text = fs::read_to_string(directory.join("cpu.stat"))?;
        let micros = text.lines().find_map(|line| line.strip_prefix("usage_usec "));
        micros
            .and_then(|micros| micros.trim().parse::<u64>().ok())
            .map(|micros| micros * 1_000)
            .ok_or_else(|| io::Error::other("no usage"))
    }

    /// Returns the current resident and anonymous memory, in kilobytes.
    pub fn memory(&self) -> (u64, u64) {
        let field = |pid: u32, name: &str| -> u64 {
            let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
        };
        let pids: Vec<u32> = self.tree().collect();
        let sum = |name: &str| pids.iter().map(|pid| field(*pid, name)).sum();
        (sum("VmRSS"), sum("RssAnon"))
    }

    /// Returns the ids of the first process and its living descendants.
    fn tree(&self) -> impl Iterator<Item = u32> {
        let mut pids: Vec<u32> = self.root.into_iter().collect();
        let mut place = 0;
        while let Some(pid) = pids.get(place) {
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
            pids.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
            place += 1;
        }
        pids.into_iter()
    }
}

/// Returns user and system time of a process and its ended children, in ticks of 10 ms.
fn ticks(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_whitespace().skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum()
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(directory) = &self.directory {
            drop(fs::remove_dir(directory));
        }
    }
}
