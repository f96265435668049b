//! The measured servers. All run at the same time, and one receives requests at a time.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::{
    process::{Process, Program, free_address},
    question::{Kind, Question},
};

/// Description of a server.
#[derive(Clone, Copy)]
pub struct Sort {
    pub name: &'static str,
    pub kind: Kind,
    pub is_sqlite: bool,
    /// Whether the server is the base: the other Rapport, which the measured one is compared with.
    pub is_base: bool,
}

/// A running server.
pub struct Server {
    pub name: &'static str,
    pub kind: Kind,
    pub is_sqlite: bool,
    pub address: SocketAddr,
    pub process: Process,
}

/// Paths and database URLs.
pub struct Places {
    pub rapport: PathBuf,
    /// Program of the base, if there is one.
    pub base: Option<PathBuf>,
    pub bench: PathBuf,
    /// Directory of the Node.js peers.
    pub peers: PathBuf,
    pub key: PathBuf,
    pub public_key: PathBuf,
    pub logs: PathBuf,
    pub postgres: String,
    pub sqlite: PathBuf,
}

const fn sort(name: &'static str, kind: Kind, is_sqlite: bool) -> Sort {
    Sort { name, kind, is_sqlite, is_base: false }
}

/// All servers, in the order of the tables.
pub const SORTS: [Sort; 8] = [
    sort("rapport", Kind::Rapport, false),
    Sort { is_base: true, ..sort("base", Kind::Rapport, false) },
    sort("limit", Kind::Limit, false),
    sort("postgraphile", Kind::PostGraphile, false),
    sort("apollo", Kind::Apollo, false),
    sort("rapport-sqlite", Kind::Rapport, true),
    Sort { is_base: true, ..sort("base-sqlite", Kind::Rapport, true) },
    sort("limit-sqlite", Kind::Limit, true),
];

/// Returns a Rapport server that completes the weekly counts before the measurements.
pub const fn counter(is_sqlite: bool) -> Sort {
    sort("counter", Kind::Rapport, is_sqlite)
}

impl Server {
    /// Returns the path for a question. The limit has one path per question.
    pub const fn path(&self, question: Question) -> &'static str {
        match self.kind {
            Kind::Limit => {
                ["/q1", "/q2", "/q3", "/q4", "/q5", "/q6", "/q7", "/q8", "/q9", "/q10", "/q11"][question as usize]
            }
            Kind::Rapport | Kind::PostGraphile => "/graphql",
            Kind::Apollo => "/",
        }
    }

    /// Starts a server and waits until it responds.
    pub fn start(sort: &Sort, places: &Places) -> Result<Self> {
        let Sort { name, kind, is_sqlite, .. } = *sort;
        let address = free_address()?;
        let (words, variables) = program(sort, address, places);
        let program = Program { name, words, variables, user: None, signal: "TERM", logs: &places.logs };
        let mut process = program.start()?;
        let path = if matches!(kind, Kind::Rapport | Kind::Limit) { "/readyz" } else { "/" };
        let ready = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        process
            .wait_for(address, ready.as_bytes())
            .with_context(|| format!("{name}; see {}", places.logs.join(format!("{name}.log")).display()))?;
        Ok(Self { name, kind, is_sqlite, address, process })
    }
}

/// Returns the settings of Rapport: the defaults, except for limits that the benchmark would exceed.
pub fn rapport_variables(places: &Places, is_sqlite: bool) -> Vec<(&'static str, String)> {
    let sqlite = || format!("sqlite://{}?mode=rwc", places.sqlite.display());
    let url = if is_sqlite { sqlite() } else { places.postgres.clone() };
    vec![
        ("RAPPORT_DATABASE_URL", url),
        ("RAPPORT_SIGNING_KEY", places.key.display().to_string()),
        ("RAPPORT_POINTS", "100000000".to_owned()),
        ("RAPPORT_POINTS_PER_SECOND", "100000000".to_owned()),
    ]
}

type Words = Vec<std::ffi::OsString>;

impl Places {
    /// Runs `rapport migrate` on a database.
    pub fn migrate(&self, is_sqlite: bool) -> Result<()> {
        let mut command = Command::new(&self.rapport);
        let status = command.arg("migrate").envs(rapport_variables(self, is_sqlite)).status()?;
        ensure!(status.success(), "rapport migrate fails");
        Ok(())
    }
}

fn program(sort: &Sort, address: SocketAddr, places: &Places) -> (Words, Vec<(&'static str, String)>) {
    let node = |script: &str| -> (Words, Vec<(&'static str, String)>) {
        let words = vec![places.peers.join("node_modules/.bin/node").into(), places.peers.join(script).into()];
        let variables = vec![
            ("NODE_ENV", "production".to_owned()),
            ("GRAPHILE_ENV", "production".to_owned()),
            ("BENCH_DATABASE", places.postgres.clone()),
            ("BENCH_PORT", address.port().to_string()),
        ];
        (words, variables)
    };
    match sort.kind {
        Kind::Rapport => {
            let mut variables = rapport_variables(places, sort.is_sqlite);
            variables.push(("RAPPORT_LISTEN", address.to_string()));
            let program = places.base.as_ref().filter(|_| sort.is_base).unwrap_or(&places.rapport);
            (vec![program.into(), "serve".into()], variables)
        }
        Kind::Limit => {
            let database = if sort.is_sqlite { places.sqlite.clone().into() } else { places.postgres.clone().into() };
            let mut words: Words = vec![places.bench.clone().into(), "limit".into()];
            words.extend(["--listen".into(), address.to_string().into(), "--database".into(), database]);
            words.extend(["--key".into(), Path::new(&places.public_key).into()]);
            (words, Vec::new())
        }
        Kind::PostGraphile => node("postgraphile.mjs"),
        Kind::Apollo => node("apollo.mjs"),
    }
}
