//! The report: medians with their range, ratios between servers of the same round, and whether targets are met.

use std::fmt::Write;

use crate::{
    measure::{Case, Latencies, Sample, Samples, Silent},
    server::NAMES,
};

/// Everything there is to tell.
pub struct Findings<'a> {
    pub cases: &'a [&'a Case],
    /// Who has no figure, and why.
    pub silent: Silent,
    pub samples: Samples,
    pub latencies: Latencies,
    /// Server, resident and anonymous kilobytes when idle and after all of it.
    pub memory: Vec<(&'static str, (u64, u64), (u64, u64))>,
    /// What it ran on and how, a line each.
    pub circumstances: Vec<String>,
}

/// A ratio that ought to be at most, or at least, so much.
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

/// `other` costs at least so many times what `server` costs.
const fn times(case: &'static str, server: &'static str, other: &'static str, bound: f64) -> Target {
    Target { case, server, other, bound, is_most: false }
}

const TARGETS: [Target; 17] = [
    most("q1", "rapport", "limit", 2.0),
    most("q2", "rapport", "limit", 1.9),
    most("q3", "rapport", "limit", 1.6),
    most("q4", "rapport", "limit", 0.8),
    most("q5", "rapport", "limit", 1.8),
    most("q6", "rapport", "limit", 1.6),
    times("q1", "rapport", "postgraphile", 3.5),
    times("q2", "rapport", "postgraphile", 1.6),
    times("q3", "rapport", "postgraphile", 1.8),
    times("q4", "rapport", "postgraphile", 1.5),
    times("q5", "rapport", "postgraphile", 2.0),
    most("q1", "rapport-sqlite", "rapport", 0.6),
    most("q2", "rapport-sqlite", "rapport", 1.0),
    most("q3", "rapport-sqlite", "rapport", 1.0),
    most("q4", "rapport-sqlite", "rapport", 1.0),
    most("q5", "rapport-sqlite", "rapport", 1.0),
    most("q6", "rapport-sqlite", "rapport", 1.0),
];

/// Most kilobytes resident when idle.
const IDLE: u64 = 30 * 1_024;
/// Most microseconds of the server for another row of a page.
const ROW: f64 = 6.0;
/// How many times the cost of 10 k records a group-by of 1 M may have.
const GROWTH: f64 = 3.0;

/// Smallest, median and largest.
fn spread(mut values: Vec<f64>) -> Option<(f64, f64, f64)> {
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

impl Findings<'_> {
    fn spread_of(&self, case: &'static str, server: &'static str, of: fn(&Sample) -> f64) -> Option<(f64, f64, f64)> {
        spread(self.samples.get(&(case, server))?.iter().map(of).collect())
    }

    /// The ratio of two servers' totals, round by round.
    fn ratio(&self, case: &str, server: &str, other: &str) -> Option<(f64, f64, f64)> {
        let find = |server: &str| self.samples.iter().find(|(key, _)| **key == (case, server)).map(|(_, it)| it);
        self.paired(find(server)?, find(other)?, Sample::total)
    }

    fn paired(&self, ours: &[Sample], others: &[Sample], of: fn(&Sample) -> f64) -> Option<(f64, f64, f64)> {
        spread(ours.iter().zip(others).map(|(our, other)| of(our) / of(other)).collect())
    }

    /// The whole report as Markdown.
    pub fn write(&self) -> String {
        let mut text = String::from("# What Rapport costs\n\nWritten by `bench/run`. ");
        text.push_str("How it is measured and what the figures mean: [README](../README.md).\n\n");
        for line in &self.circumstances {
            writeln!(text, "- {line}").expect("writing to a string succeeds");
        }
        self.write_targets(&mut text);
        self.write_costs(&mut text);
        self.write_memory(&mut text);
        text
    }

    fn write_targets(&self, text: &mut String) {
        text.push_str("\n## Targets\n\nRatios of total CPU time in the same round: median [smallest–largest].\n\n");
        text.push_str("| | Measured | Target | |\n|---|---|---|---|\n");
        let mut line = |what: String, (low, middle, high): (f64, f64, f64), target: String, is_met: bool| {
            let verdict = if is_met { "met" } else { "**missed**" };
            let range = format!("{} [{}–{}]", number(middle), number(low), number(high));
            writeln!(text, "| {what} | {range} | {target} | {verdict} |").expect("writing to a string succeeds");
        };
        for target in &TARGETS {
            let (case, name) = (target.case, target.case.to_uppercase());
            let (ours, other) = (target.server, target.other);
            if target.is_most {
                let Some(ratio) = self.ratio(case, ours, other) else { continue };
                let bound = format!("≤ {}", target.bound);
                line(format!("{name}: {ours} / {other}"), ratio, bound, ratio.1 <= target.bound);
            } else {
                let Some(ratio) = self.ratio(case, other, ours) else { continue };
                let bound = format!("≥ {}", target.bound);
                line(format!("{name}: {other} / {ours}"), ratio, bound, ratio.1 >= target.bound);
            }
        }
        for server in ["rapport", "rapport-sqlite", "limit", "limit-sqlite"] {
            let is_ours = server.starts_with("rapport");
            let samples = |case| self.samples.get(&(case, server));
            if let Some((large, small)) = samples("q4-large").zip(samples("q4"))
                && let Some(ratio) = self.paired(large, small, Sample::total)
            {
                let target = if is_ours { format!("≤ {GROWTH}") } else { String::new() };
                line(format!("Q4: 1 M / 10 k records, {server}"), ratio, target, ratio.1 <= GROWTH);
            }
            if let Some((long, short)) = samples("q3-100").zip(samples("q3-10"))
                && let Some(row) =
                    spread(long.iter().zip(short).map(|(long, short)| (long.server - short.server) / 90.0).collect())
            {
                let target = if is_ours { format!("≤ {ROW} µs") } else { String::new() };
                line(format!("Q3: server, another row (µs), {server}"), row, target, row.1 <= ROW);
            }
        }
        for (server, (resident, _), _) in self.memory.iter().filter(|it| it.0.starts_with("rapport")) {
            let megabytes = *resident as f64 / 1_024.0;
            let target = "≤ 30 MB".to_owned();
            line(format!("Idle memory (MB), {server}"), (megabytes, megabytes, megabytes), target, *resident <= IDLE);
        }
    }

    fn write_costs(&self, text: &mut String) {
        text.push_str("\n## CPU time a request\n\nMicroseconds, user and system: server + database = total [smallest–");
        text.push_str("largest total]; × is the total beside the limit of the same database in the same round; p50 and ");
        text.push_str("p99 in milliseconds at a fixed rate.\n");
        for case in self.cases {
            let rate = case.rate.map_or(String::new(), |rate| format!(", latencies at {rate}/s"));
            let (title, count, connections) = (case.title, case.count, case.connections);
            let name = case.key.to_uppercase();
            writeln!(text, "\n### {name}: {title}\n\n{connections} connections, {count} requests a round in full{rate}.\n")
                .expect("writing to a string succeeds");
            text.push_str("| | server | database | total | × | requests/s | p50 | p99 | bytes |\n");
            text.push_str("|---|---|---|---|---|---|---|---|---|\n");
            for (server, ..) in NAMES {
                self.write_cost(text, case, server);
            }
        }
    }

    fn write_cost(&self, text: &mut String, case: &Case, server: &'static str) {
        let median = |of: fn(&Sample) -> f64| self.spread_of(case.key, server, of);
        let Some((low, total, high)) = median(Sample::total) else {
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
        let (p50, p99) = self.latencies.get(&(case.key, server)).map_or((String::new(), String::new()), |it| {
            (format!("{:.1}", it.0), format!("{:.1}", it.1))
        });
        let (own, rate, bytes) = (number(middle(|it| it.server)), middle(|it| it.per_second), middle(|it| it.bytes as f64));
        let total = format!("{} [{}–{}]", number(total), number(low), number(high));
        writeln!(text, "| {server} | {own} | {database} | {total} | {ratio} | {rate:.0} | {p50} | {p99} | {bytes:.0} |")
            .expect("writing to a string succeeds");
    }

    fn write_memory(&self, text: &mut String) {
        text.push_str("\n## Memory\n\nMegabytes resident (of them anonymous), when idle and after all of it. On SQLite the ");
        text.push_str("mapped file counts as resident, though the kernel may take it back.\n\n| | idle | after |\n|---|---|---|\n");
        let megabytes = |(resident, anonymous): (u64, u64)| format!("{} ({})", resident / 1_024, anonymous / 1_024);
        for (server, idle, after) in &self.memory {
            writeln!(text, "| {server} | {} | {} |", megabytes(*idle), megabytes(*after))
                .expect("writing to a string succeeds");
        }
    }
}
