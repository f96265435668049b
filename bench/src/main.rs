//! Measures the CPU time of Rapport, of hand-written SQL and of common alternatives. `bench/run` runs it.

mod cluster;
mod cpu;
mod data;
mod fixture;
mod generate;
mod limit;
mod load;
mod measure;
mod prepare;
mod process;
mod question;
mod report;
mod server;
mod statements;
mod wire;
mod words;

use std::{fs, path::PathBuf, time::Instant};

use anyhow::{Context, Result};
use clap::Parser;

use crate::{
    fixture::Fixture,
    measure::{CASES, Case, Latencies, Samples},
    question::Kind,
    report::Findings,
    server::{SORTS, Server},
    statements::Statements,
};

#[derive(Parser)]
enum Command {
    /// Measure everything and write the report
    Measure(Measure),
    /// Serve the hand-written limit
    Limit(limit::Arguments),
}

#[derive(clap::Args)]
struct Measure {
    /// The `rapport` to measure
    #[arg(long)]
    rapport: PathBuf,
    /// Another `rapport` to compare it with, in the same rounds on the same databases: `base` and `base-sqlite`
    #[arg(long)]
    base: Option<PathBuf>,
    /// Directory of the peers, with their `node_modules`
    #[arg(long)]
    peers: PathBuf,
    /// Directory of prepared databases
    #[arg(long)]
    data: PathBuf,
    /// File to write the report to
    #[arg(long)]
    report: PathBuf,
    /// Rounds
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Fewer requests a round
    #[arg(long)]
    quick: bool,
    /// Copy the databases anew, though the copies of the last run would do
    #[arg(long)]
    fresh: bool,
    /// CPU time only: no latencies
    #[arg(long)]
    cpu: bool,
    /// After each sample, ask PostgreSQL for its statements: this costs, so take no figure from such a run
    #[arg(long)]
    statements: bool,
    /// Only these servers
    #[arg(long, value_delimiter = ',')]
    servers: Vec<String>,
    /// Only these cases
    #[arg(long, value_delimiter = ',')]
    cases: Vec<String>,
    /// Lines to put into the report, such as the commit
    #[arg(long)]
    note: Vec<String>,
}

fn main() -> Result<()> {
    match Command::parse() {
        Command::Measure(arguments) => measure(&arguments),
        Command::Limit(arguments) => actix_web::rt::System::new().block_on(limit::serve(&arguments)),
    }
}

fn measure(arguments: &Measure) -> Result<()> {
    let share = if arguments.quick { 0.3 } else { 1.0 };
    let logs = arguments.data.join("logs");
    fs::create_dir_all(&logs)?;
    let is_wanted = |list: &[String], name: &str| list.is_empty() || list.iter().any(|wanted| wanted == name);
    let sorts = SORTS.into_iter().filter(|sort| arguments.base.is_some() || !sort.is_base);
    let sorts: Vec<_> = sorts.filter(|sort| is_wanted(&arguments.servers, sort.name)).collect();
    let request = prepare::Request {
        data: &arguments.data,
        rapport: &arguments.rapport,
        base: arguments.base.as_deref(),
        peers: &arguments.peers,
        with_sqlite: sorts.iter().any(|sort| sort.is_sqlite),
        is_fresh: arguments.fresh,
        with_statements: arguments.statements,
    };
    let (cluster, places) = prepare::databases(&request, logs)?;
    let cases: Vec<&Case> = CASES.iter().filter(|case| is_wanted(&arguments.cases, case.key)).collect();

    let mut fixture = Fixture::make(&arguments.rapport, &server::rapport_variables(&places, false))?;
    let servers = sorts.iter().map(|sort| Server::start(sort, &places)).collect::<Result<Vec<_>>>()?;
    std::thread::sleep(std::time::Duration::from_secs(3));
    let idle: Vec<_> = servers.iter().map(|server| server.process.group.memory()).collect();
    let guide = servers.iter().find(|server| server.kind == Kind::Rapport);
    fixture.walk(guide.context("one of the servers must be Rapport")?)?;

    let (compared, mut silent) = measure::compare(&fixture, &servers, &cases);
    println!("{compared} answers are the same; without: {silent:#?}");
    let database = &cluster.process.group;
    let (mut samples, mut latencies) = (Samples::new(), Latencies::new());
    let statements = arguments.statements.then(|| Statements::of(&places.postgres)).transpose()?;
    statements.iter().try_for_each(Statements::forget)?;
    let mut asked = report::Asked::new();
    let began = Instant::now();
    for round in 0..arguments.rounds {
        for case in &cases {
            // Rotate the order of servers between rounds, because the first server finds the caches cold.
            let turn = round % servers.len().max(1);
            let order = servers[turn..].iter().chain(&servers[..turn]);
            for server in order.filter(|server| case.wants(server)) {
                let key = (case.key, server.name);
                if silent.contains_key(&key) {
                    continue;
                }
                match measure::sample(&fixture, server, database, case, round, share) {
                    Ok(sample) => {
                        samples.entry(key).or_default().push(sample);
                        if let Some(statements) = statements.as_ref().filter(|_| !server.is_sqlite) {
                            asked.insert(key, statements.read(case.count(share) + case.warm(share))?);
                            statements.forget()?;
                        }
                    }
                    Err(error) => drop(silent.insert(key, format!("{error:#}"))),
                }
            }
        }
        println!("round {} of {} after {:.0} s", round + 1, arguments.rounds, began.elapsed().as_secs_f64());
    }
    for case in &cases {
        for server in servers.iter().filter(|server| samples.contains_key(&(case.key, server.name))) {
            if let Some(rate) = case.rate.filter(|_| !arguments.cpu) {
                let seconds = if arguments.quick { 2.0 } else { 5.0 };
                match measure::latency(&fixture, server, case, rate, seconds) {
                    Ok(found) => drop(latencies.insert((case.key, server.name), found)),
                    Err(error) => println!("{} of {} at {rate}/s: {error:#}", case.key, server.name),
                }
            }
        }
    }
    samples.retain(|key, _| !silent.contains_key(key));
    let memory = servers.iter().zip(idle).map(|(server, idle)| (server.name, idle, server.process.group.memory()));
    let memory = memory.collect();
    let mut circumstances = arguments.note.clone();
    circumstances.extend(prepare::circumstances(database, compared));
    circumstances.push(format!(
        "{} interleaved rounds, {} requests a round, {:.0} s",
        arguments.rounds,
        if arguments.quick { "30 % of the" } else { "all" },
        began.elapsed().as_secs_f64()
    ));
    let report = Findings { cases: &cases, silent, samples, latencies, asked, memory, circumstances }.write();
    if let Some(directory) = arguments.report.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(&arguments.report, &report)?;
    println!("\n{report}");
    drop(servers);
    Ok(())
}
