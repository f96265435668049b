//! Writes the report: medians with their range, ratios between servers in the same round, and whether targets are met.

use std::{collections::BTreeMap, fmt::Write};

use crate::{
    measure::{Case, Latencies, Sample, Samples, Silent},
    server::SORTS,
    statements::Statement,
};

/// Statements that PostgreSQL received, by case and server.
pub type Asked = BTreeMap<(&'static str, &'static str), Vec<Statement>>;

/// Resident and anonymous memory, in kilobytes.
type Memory = (u64, u64);

/// All results of a run.
pub struct Findings<'a> {
    pub cases: &'a [&'a Case],
    /// Servers without figures, and the reasons.
    pub silent: Silent,
    pub samples: Samples,
    pub latencies: Latencies,
    pub asked: Asked,
    /// Server, memory when idle and memory at the end of the run.
    pub memory: Vec<(&'static str, Memory, Memory)>,
    /// Descriptions of the environment, one per line.
    pub circumstances: Vec<String>,
}

/// An upper or lower bound of the ratio between the costs of two servers.
struct Target {
    case: &'static str,
    server: &'static str,
    other: &'static str,
    bound: f64,
    is_most: bool,
}

const fn most(case: &'static str, server: &'static str, other: &'static str, bound: f64) -> Target {
    Target { case, server, other, bound, is_most: true }
}

/// `other` must cost at least `bound` times as much as `server`.
const fn times(case: &'static str, server: &'static str, other: &'static str, bound: f64) -> Target {
    Target { case, server, other, bound, is_most: false }
}

const TARGETS: [Target; 22] = [
    most("q1", "rapport", "limit", 2.0),
    most("q2", "rapport", "limit", 1.9),
    most("q3", "rapport", "limit", 1.6),
    most("q4", "rapport", "limit", 0.8),
    most("q5", "rapport", "limit", 1.8),
    most("q6", "rapport", "limit", 1.6),
    most("q7", "rapport", "limit", 1.5),
    most("q8", "rapport", "limit", 1.5),
    most("q9", "rapport", "limit", 1.3),
    most("q10", "rapport", "limit", 1.3),
    most("q11", "rapport", "limit", 1.5),
    times("q1", "rapport", "postgraphile", 3.5),
    times("q2", "rapport", "postgraphile", 1.6),
    times("q3", "rapport", "postgraphile", 1.8),
    times("q4", "rapport", "postgraphile", 1.5),
    times("q5", "rapport", "postgraphile", 2.0),
    most("q1", "rapport-sqlite", "rapport", 0.6),
    most("q2", "rapport-sqlite", "rapport", 1.0),
    most("q3", "rapport-sqlite", "rapport", 1.0),
    most("q4", "rapport-sqlite", "rapport", 1.0),
    most("q5-32", "rapport-sqlite", "rapport", 1.0),
    most("q6", "rapport-sqlite", "rapport", 1.0),
];

/// Maximum resident memory when idle, in kilobytes.
const IDLE: u64 = 30 * 1_024;
/// Maximum CPU time of the server per additional row of a page in microseconds, if that of the limit is `LIMIT_ROW`.
const ROW: f64 = 6.0;
const LIMIT_ROW: f64 = 3.0;
/// Maximum ratio of the cost of grouping 1 M records to that of grouping 10 k.
const GROUPS_GROWTH: f64 = 3.0;
/// Maximum ratio that counts as no growth. Rounds differ by less.
const NO_GROWTH: f64 = 1.15;
/// Cases of the large organization, the same cases of small ones, and the maximum ratio of their costs.
const GROWTHS: [(&str, &str, f64); 4] = [
    ("q1-large", "q1", NO_GROWTH),
    ("q2-large", "q2", NO_GROWTH),
    ("q3-large", "q3", NO_GROWTH),
    ("q4-large", "q4", GROUPS_GROWTH),
];

type Spread = (f64, f64, f64);

/// Returns the minimum, the median and the maximum; `None` if there are no values.
fn spread(mut values: Vec<f64>) -> Option<Spread> {
    values.sort_by(f64::total_cmp);
    Some((*values.first()?, values[values.len() / 2], *values.last()?))
}

fn number(value: f64) -> String {
    match value {
        value if value >= 10_000.0 => format!("{:.1} ms", value / 1e3),
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

fn range((low, middle, high): Spread) -> String {
    if low == high { number(middle) } else { format!("{} [{}–{}]", number(middle), number(low), number(high)) }
}

impl Findings<'_> {
    fn spread_of(&self, case: &'static str, server: &'static str, of: fn(&Sample) -> f64) -> Option<Spread> {
        spread(self.samples.get(&(case, server))?.iter().map(of).collect())
    }

    /// Returns the ratios of the total CPU time of two servers in the same round.
    fn ratio(&self, case: &str, server: &str, other: &str) -> Option<Spread> {
        let find = |server: &str| self.samples.iter().find(|(key, _)| **key == (case, server)).map(|(_, it)| it);
        self.paired(find(server)?, find(other)?, Sample::total)
    }

    fn paired(&self, ours: &[Sample], others: &[Sample], of: fn(&Sample) -> f64) -> Option<Spread> {
        spread(ours.iter().zip(others).map(|(our, other)| of(our) / of(other)).collect())
    }

    /// Returns the report as Markdown.
    pub fn write(&self) -> String {
        let mut text = String::from("# What Rapport costs\n\nWritten by `bench/run`. ");
        text.push_str("How it is measured and what the figures mean: [README](../README.md).\n\n");
        for line in &self.circumstances {
            writeln!(text, "- {line}").expect("writing to a string succeeds");
        }
        self.write_targets(&mut text);
        self.write_base(&mut text);
        self.write_costs(&mut text);
        self.write_memory(&mut text);
        self.write_asked(&mut text);
        text
    }

    /// Returns the CPU time of the server per additional row of a page, in microseconds.
    fn row(&self, server: &'static str) -> Option<Spread> {
        let (long, short) = self.samples.get(&("q3-100", server)).zip(self.samples.get(&("q3-10", server)))?;
        spread(long.iter().zip(short).map(|(long, short)| (long.server - short.server) / 90.0).collect())
    }

    fn write_targets(&self, text: &mut String) {
        text.push_str("\n## Goals\n\nRatios of total CPU time in the same round: median [smallest–largest].\n\n");
        text.push_str("| | Measured | Goal | |\n|---|---|---|---|\n");
        let mut line = |what: String, measured: Spread, sign: &str, goal: f64, unit: &str| {
            let is_met = if sign == "≤" { measured.1 <= goal } else { measured.1 >= goal };
            let (verdict, goal) = (if is_met { "met" } else { "**not met**" }, number(goal));
            writeln!(text, "| {what} | {}{unit} | {sign} {goal}{unit} | {verdict} |", range(measured))
                .expect("writing to a string succeeds");
        };
        for target in &TARGETS {
            let (case, name) = (target.case, target.case.to_uppercase());
            let (ours, other) = (target.server, target.other);
            if target.is_most {
                let Some(ratio) = self.ratio(case, ours, other) else { continue };
                line(format!("{name}: {ours} / {other}"), ratio, "≤", target.bound, "");
            } else {
                let Some(ratio) = self.ratio(case, other, ours) else { continue };
                line(format!("{name}: {other} / {ours}"), ratio, "≥", target.bound, "");
            }
        }
        for (server, limit) in [("rapport", "limit"), ("rapport-sqlite", "limit-sqlite")] {
            for (large, small, bound) in GROWTHS {
                let Some((large_samples, small_samples)) =
                    self.samples.get(&(large, server)).zip(self.samples.get(&(small, server)))
                else {
                    continue;
                };
                let Some(ratio) = self.paired(large_samples, small_samples, Sample::total) else { continue };
                line(format!("{}: {server}, 1 M / 10 k records", small.to_uppercase()), ratio, "≤", bound, "");
            }
            if let Some((row, least)) = self.row(server).zip(self.row(limit)) {
                let goal = ROW / LIMIT_ROW * least.1;
                let what = format!("Q3: {server}'s server, another row; the limit's costs {} µs", range(least));
                line(what, row, "≤", goal, " µs");
            }
        }
        for (server, (resident, _), _) in self.memory.iter().filter(|it| it.0.starts_with("rapport")) {
            let megabytes = *resident as f64 / 1_024.0;
            line(
                format!("Idle memory, {server}"),
                (megabytes, megabytes, megabytes),
                "≤",
                IDLE as f64 / 1_024.0,
                " MB",
            );
        }
    }

    /// Appends the comparison of the measured Rapport with the base, if there is one.
    fn write_base(&self, text: &mut String) {
        let mut lines = String::new();
        for case in self.cases {
            for (ours, base) in [("rapport", "base"), ("rapport-sqlite", "base-sqlite")] {
                let Some(total) = self.ratio(case.key, ours, base) else { continue };
                let samples = |server| self.samples.get(&(case.key, server));
                let server =
                    samples(ours).zip(samples(base)).and_then(|(one, two)| self.paired(one, two, |it| it.server));
                let server = server.map_or(String::new(), range);
                writeln!(lines, "| {}: {ours} / {base} | {server} | {} |", case.key.to_uppercase(), range(total))
                    .expect("writing to a string succeeds");
            }
        }
        if !lines.is_empty() {
            text.push_str(
                "\n## Beside the base\n\nRatios of CPU time in the same round: median [smallest–largest].\n\n",
            );
            text.push_str("| | server | total |\n|---|---|---|\n");
            text.push_str(&lines);
        }
    }

    fn write_costs(&self, text: &mut String) {
        text.push_str("\n## CPU time a request\n\nMicroseconds, user and system: server + database = total [smallest–");
        text.push_str(
            "largest total]; × is the total beside the limit of the same database in the same round; p50 and ",
        );
        text.push_str("p99 in milliseconds at a fixed rate.\n");
        for case in self.cases {
            let rate = case.rate.map_or(String::new(), |rate| format!(", latencies at {rate}/s"));
            let (title, count, connections) = (case.title, case.count, case.connections);
            let name = case.key.to_uppercase();
            writeln!(
                text,
                "\n### {name}: {title}\n\n{connections} connections, {count} requests a round in full{rate}.\n"
            )
            .expect("writing to a string succeeds");
            text.push_str("| | server | database | total | × | requests/s | p50 | p99 | bytes |\n");
            text.push_str("|---|---|---|---|---|---|---|---|---|\n");
            for sort in &SORTS {
                self.write_cost(text, case, sort.name);
            }
        }
    }

    fn write_cost(&self, text: &mut String, case: &Case, server: &'static str) {
        let median = |of: fn(&Sample) -> f64| self.spread_of(case.key, server, of);
        let Some(total) = median(Sample::total) else {
            if let Some(why) = self.silent.get(&(case.key, server)) {
                let why: String = why.replace(['|', '\n'], " ").chars().take(120).collect();
                writeln!(text, "| {server} | no figure: {why} | | | | | | | |").expect("writing to a string succeeds");
            }
            return;
        };
        let middle = |of: fn(&Sample) -> f64| median(of).map_or(0.0, |it| it.1);
        let database = if server.ends_with("sqlite") { "–".to_owned() } else { number(middle(|it| it.database)) };
        let limit = if server.ends_with("sqlite") { "limit-sqlite" } else { "limit" };
        let ratio = self.ratio(case.key, server, limit).map_or(String::new(), |it| format!("{:.2}", it.1));
        let (p50, p99) = self
            .latencies
            .get(&(case.key, server))
            .map_or((String::new(), String::new()), |it| (format!("{:.1}", it.0), format!("{:.1}", it.1)));
        let (own, rate, bytes) =
            (number(middle(|it| it.server)), middle(|it| it.per_second), middle(|it| it.bytes as f64));
        let total = range(total);
        writeln!(
            text,
            "| {server} | {own} | {database} | {total} | {ratio} | {rate:.0} | {p50} | {p99} | {bytes:.0} |"
        )
        .expect("writing to a string succeeds");
    }

    fn write_memory(&self, text: &mut String) {
        text.push_str(
            "\n## Memory\n\nMegabytes resident (of them anonymous), when idle and after all of it. On SQLite the ",
        );
        text.push_str("mapped file counts as resident, though the kernel may take it back.\n\n| | idle | after |\n|---|---|---|\n");
        let megabytes = |(resident, anonymous): (u64, u64)| format!("{} ({})", resident / 1_024, anonymous / 1_024);
        for (server, idle, after) in &self.memory {
            writeln!(text, "| {server} | {} | {} |", megabytes(*idle), megabytes(*after))
                .expect("writing to a string succeeds");
        }
    }

    fn write_asked(&self, text: &mut String) {
        for ((case, server), statements) in &self.asked {
            let name = case.to_uppercase();
            writeln!(
                text,
                "\n## {name}: statements of {server}\n\n| calls a request | µs planning | µs executing | rows | |\n|---|---|---|---|---|"
            )
            .expect("writing to a string succeeds");
            for it in statements {
                let (calls, planning, executing, rows) =
                    (number(it.calls), number(it.planning), number(it.executing), number(it.rows));
                writeln!(text, "| {calls} | {planning} | {executing} | {rows} | `{}` |", it.text.replace('|', "\\|"))
                    .expect("writing to a string succeeds");
            }
        }
    }
}
