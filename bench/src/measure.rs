//! Compares the responses of all servers, then measures them in rounds, in which every server gets the same requests.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use crate::{
    cpu::Group,
    fixture::{Fixture, Subject},
    load::{self, Connection},
    question::{Kind, Question},
    server::Server,
};

/// A case to measure.
pub struct Case {
    pub key: &'static str,
    pub title: &'static str,
    pub subject: Subject,
    /// Requests per round.
    pub count: usize,
    pub connections: usize,
    /// Requests per second at which latencies are measured; `None` if they are not.
    pub rate: Option<f64>,
    /// Whether the Node.js peers are measured too.
    pub with_peers: bool,
}

const fn case(key: &'static str, title: &'static str, question: Question, count: usize, rate: Option<f64>) -> Case {
    let first = match question {
        Question::Q6 | Question::Q7 => 1_000,
        Question::Q3 => 50,
        _ => 20,
    };
    let subject = Subject { question, is_large: false, first };
    let connections = if matches!(question, Question::Q6 | Question::Q7) { 1 } else { 4 };
    Case { key, title, subject, count, connections, rate, with_peers: rate.is_some() }
}

const fn of(case: Case, key: &'static str, title: &'static str, is_large: bool, first: u32) -> Case {
    let subject = Subject { is_large, first, ..case.subject };
    Case { key, title, subject, rate: None, with_peers: false, ..case }
}

/// All cases, in the order of the report.
pub const CASES: [Case; 18] = [
    case("q1", "Point by id", Question::Q1, 2_000, Some(200.0)),
    case("q2", "20 points, each with top five expectations and last 3 records", Question::Q2, 300, Some(50.0)),
    case("q3", "Page of 50 records by kind and time, deep", Question::Q3, 500, Some(50.0)),
    case("q4", "Count and mean by point and week, 10 k records", Question::Q4, 20, Some(4.0)),
    case("q5", "Create one record, routed, with event and key", Question::Q5, 400, Some(40.0)),
    Case { with_peers: false, ..case("q6", "Bulk upsert of 1,000 new records", Question::Q6, 5, Some(1.0)) },
    Case {
        with_peers: false,
        ..case(
            "q7",
            "Bulk upsert of 1,000 new interactions, each with two assessments and an offer",
            Question::Q7,
            5,
            Some(1.0),
        )
    },
    Case { with_peers: false, ..case("q8", "First 20 rows of a timeline of 5,000", Question::Q8, 500, Some(50.0)) },
    Case { with_peers: false, ..case("q9", "Search of two words among 1 M bodies", Question::Q9, 300, Some(50.0)) },
    Case { with_peers: false, ..case("q10", "First 20 of 110,000 things to do", Question::Q10, 500, Some(50.0)) },
    Case {
        with_peers: false,
        ..case("q11", "Complete an interaction that triggers three playbooks", Question::Q11, 400, Some(40.0))
    },
    of(case("", "", Question::Q3, 500, None), "q3-10", "Page of 10 records", false, 10),
    of(case("", "", Question::Q3, 300, None), "q3-100", "Page of 100 records", false, 100),
    of(case("", "", Question::Q1, 1_000, None), "q1-large", "Q1 in the organization of 1 M records", true, 0),
    of(case("", "", Question::Q2, 200, None), "q2-large", "Q2 in the organization of 1 M records", true, 0),
    of(case("", "", Question::Q3, 300, None), "q3-large", "Q3 in the organization of 1 M records", true, 50),
    Case {
        connections: 1,
        ..of(case("", "", Question::Q4, 2, None), "q4-large", "Q4 in the organization of 1 M records", true, 0)
    },
    Case { connections: 32, ..of(case("", "", Question::Q5, 1_000, None), "q5-32", "Q5 from 32 writers", false, 0) },
];

/// CPU time of one case, server and round, in microseconds per request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    pub server: f64,
    pub database: f64,
    pub per_second: f64,
    pub bytes: usize,
}

impl Sample {
    pub fn total(&self) -> f64 {
        self.server + self.database
    }
}

/// Samples by case and server, one per round.
pub type Samples = BTreeMap<(&'static str, &'static str), Vec<Sample>>;
/// Median and 99th percentile in milliseconds at a fixed rate, by case and server.
pub type Latencies = BTreeMap<(&'static str, &'static str), (f64, f64)>;

impl Case {
    /// Returns whether the case is measured on a server.
    pub fn wants(&self, server: &Server) -> bool {
        match server.kind {
            Kind::Rapport | Kind::Limit => true,
            Kind::PostGraphile | Kind::Apollo => self.with_peers,
        }
    }

    /// Returns `share` of the requests per round, at least 1.
    pub fn count(&self, share: f64) -> usize {
        ((self.count as f64 * share) as usize).max(1)
    }

    /// Returns the number of warm-up requests before each round.
    pub fn warm(&self, share: f64) -> usize {
        let count = self.count(share);
        if count > 10 { (count / 10).max(self.connections) } else { 1 }
    }
}

/// Reasons why servers have no figures, by case and server.
pub type Silent = BTreeMap<(&'static str, &'static str), String>;

/// Compares the responses of all servers with those of the limit. Returns the number of equal responses, and the
/// servers with a different response or none, which get no figures.
pub fn compare(fixture: &Fixture, servers: &[Server], cases: &[&Case]) -> (usize, Silent) {
    let (mut same, mut silent) = (0, Silent::new());
    for case in cases {
        let asked: Vec<&Server> = servers.iter().filter(|server| case.wants(server)).collect();
        let Some(first) = asked.iter().find(|server| server.kind == Kind::Limit).or(asked.first()) else { continue };
        for place in 0..if matches!(case.subject.question, Question::Q4 | Question::Q5 | Question::Q6 | Question::Q7) {
            1
        } else {
            8
        } {
            let known = answer(fixture, first, case, place);
            for server in asked.iter().filter(|server| server.name != first.name) {
                let why = match (&known, answer(fixture, server, case, place)) {
                    (_, Err(error)) => format!("{error:#}"),
                    (Err(error), _) => format!("nothing to compare with: {error:#}"),
                    (Ok(known), Ok(answer)) if *known == answer => {
                        same += 1;
                        continue;
                    }
                    (Ok(known), Ok(answer)) => {
                        format!("another answer than {}: {}", first.name, differ(known, &answer))
                    }
                };
                silent.entry((case.key, server.name)).or_insert(why);
            }
        }
    }
    (same, silent)
}

fn answer(fixture: &Fixture, server: &Server, case: &Case, place: u64) -> Result<serde_json::Value> {
    let asked = fixture.asked(case.subject, 1, place, &format!("{}-{}", server.name, case.key));
    let answer = asked.comparable(&Connection::open(server.address)?.answer(&fixture.request(server, &asked))?);
    ensure!(answer.to_string().len() > 40, "next to nothing: {answer}");
    Ok(answer)
}

fn differ(known: &serde_json::Value, other: &serde_json::Value) -> String {
    let (known, other) = (known.to_string(), other.to_string());
    let place = known.bytes().zip(other.bytes()).take_while(|(one, two)| one == two).count();
    let part = |text: &str| text.chars().skip(place.saturating_sub(60)).take(160).collect::<String>();
    format!("{} … {}", part(&known), part(&other))
}

/// Measures the CPU time of one case on one server, after a warm-up.
pub fn sample(
    fixture: &Fixture,
    server: &Server,
    database: &Group,
    case: &Case,
    round: usize,
    share: f64,
) -> Result<Sample> {
    let count = case.count(share);
    let seed = 100 + round as u64;
    let mark = |what: &str| format!("{}-{}-{what}", server.name, case.key);
    let warm = fixture.requests(server, case.subject, case.warm(share), seed, &mark("warm"));
    let requests = fixture.requests(server, case.subject, count, seed + 1_000, &mark("run"));
    load::run(server.address, &warm, case.connections.min(warm.len()), None)?;
    let before = (server.process.group.time()?, database.time()?);
    let outcome = load::run(server.address, &requests, case.connections.min(count), None)?;
    let after = (server.process.group.time()?, database.time()?);
    let micros = |from: u64, to: u64| (to - from) as f64 / 1e3 / count as f64;
    let database = if server.is_sqlite { 0.0 } else { micros(before.1, after.1) };
    let per_second = count as f64 / outcome.seconds;
    Ok(Sample { server: micros(before.0, after.0), database, per_second, bytes: outcome.bytes / count })
}

/// Measures the latencies of a case at `rate` requests per second. Returns the median and the 99th percentile in
/// milliseconds.
pub fn latency(fixture: &Fixture, server: &Server, case: &Case, rate: f64, seconds: f64) -> Result<(f64, f64)> {
    let count = ((rate * seconds) as usize).max(10);
    let requests = fixture.requests(server, case.subject, count, 9_000, &format!("{}-rate", server.name));
    let outcome = load::run(server.address, &requests, 16.min(count), Some(rate))?;
    Ok((outcome.percentile(0.5), outcome.percentile(0.99)))
}
