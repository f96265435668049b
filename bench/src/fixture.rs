//! Builds requests from tokens, cursors and pseudo-random numbers.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    data::{self, KINDS, Organization, READ, mix},
    load::{Connection, Request, post},
    question::{Asked, FROM, Kind, Place, Question, TO},
    server::Server,
    wire,
};

/// The scopes of the benchmark's tokens.
pub const SCOPES: &str = "map:read map:write record:read record:write customers:read customers:write response:read";

/// Data from which requests are built.
pub struct Fixture {
    pub organizations: Vec<Organization>,
    tokens: Vec<String>,
    small: Vec<Place>,
    large: Vec<Place>,
    /// Makes the keys of this run different from those of other runs on the same database.
    stamp: String,
}

/// The subject of a case: the question, the size of the organization and the number of rows.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    pub question: Question,
    pub is_large: bool,
    pub first: u32,
}

impl Fixture {
    /// Issues a token for each organization.
    pub fn make(rapport: &Path, variables: &[(&'static str, String)]) -> Result<Self> {
        let organizations = data::organizations();
        let token = |organization: &Organization| -> Result<String> {
            let mut command = Command::new(rapport);
            command.args(["token", "--organization", &organization.slug, "--scope", SCOPES, "--subject", "bench"]);
            let output = command.args(["--ttl", "24h"]).envs(variables.iter().cloned()).output()?;
            ensure!(output.status.success(), "no token: {}", String::from_utf8_lossy(&output.stderr));
            Ok(String::from_utf8(output.stdout)?.trim().to_owned())
        };
        let tokens = organizations.iter().map(token).collect::<Result<_>>()?;
        let stamp = format!("{:x}", chrono::Utc::now().timestamp());
        Ok(Self { organizations, tokens, small: Vec::new(), large: Vec::new(), stamp })
    }

    /// Collects cursors deep in some lists through the API.
    pub fn walk(&mut self, rapport: &Server) -> Result<()> {
        let mut line = Connection::open(rapport.address)?;
        for organization in (1..=READ as usize).step_by(8) {
            for kind in &KINDS[..4] {
                let page = self.edges(&mut line, rapport, organization, kind, None)?;
                self.small.extend([400, 550, 700, 850].iter().filter_map(|place| page.get(*place).cloned()));
            }
        }
        for kind in &KINDS[..4] {
            let mut after = None;
            for _ in 0..8 {
                let page = self.edges(&mut line, rapport, 0, kind, after.as_deref())?;
                self.large.extend([300, 600].iter().filter_map(|place| page.get(*place).cloned()));
                after = page.last().map(|last| last.cursor.clone());
            }
        }
        ensure!(self.small.len() > 100 && self.large.len() > 30, "the data set is not what it should be");
        Ok(())
    }

    fn edges(
        &self,
        line: &mut Connection,
        rapport: &Server,
        organization: usize,
        kind: &'static str,
        after: Option<&str>,
    ) -> Result<Vec<Place>> {
        let query = "query($after: String, $kind: FeedbackKind!, $from: DateTime!, $to: DateTime!) { feedbackRecords(first: \
                     1000, after: $after, filter: {kind: {eq: $kind}, receivedAt: {gte: $from, lt: $to}}, orderBy: [{field: \
                     RECEIVED_AT, direction: DESC}]) { edges { cursor node { id receivedAt } } } }";
        let variables = json!({ "after": after, "kind": kind, "from": FROM, "to": TO });
        let body = json!({ "query": query, "variables": variables }).to_string();
        let answer = line.answer(&self.sent(rapport, "/graphql", organization, &body, ""))?;
        let edges = answer["data"]["feedbackRecords"]["edges"].as_array().context("there are no edges")?;
        let place = |edge: &Value| {
            let (cursor, node) = (edge["cursor"].as_str()?.to_owned(), &edge["node"]);
            let (at, id) = wire::millis(node["receivedAt"].as_str()?).zip(wire::uuid(node["id"].as_str()?))?;
            Some(Place { organization, kind, cursor, at, id })
        };
        edges.iter().map(|edge| place(edge).context("an edge lacks something")).collect()
    }

    fn sent(&self, server: &Server, path: &str, organization: usize, body: &str, holds: &'static str) -> Request {
        let headers = match server.kind {
            Kind::Rapport | Kind::Limit => format!("Authorization: Bearer {}\r\n", self.tokens[organization]),
            Kind::PostGraphile => String::new(),
            Kind::Apollo => format!("X-Organization: {}\r\n", self.organizations[organization].id),
        };
        post(server.address, path, &headers, body, holds)
    }

    /// Returns the request to a server for a question.
    pub fn request(&self, server: &Server, asked: &Asked) -> Request {
        let organization = asked.organization();
        let body = asked.body(server.kind, self.organizations[organization].id);
        let holds = match (asked.question(), server.kind) {
            (Question::Q5 | Question::Q6 | Question::Q7 | Question::Q11, Kind::Rapport | Kind::Limit) => "\"CREATED\"",
            (Question::Q5, _) => "receivedAt",
            _ => "",
        };
        self.sent(server, server.path(asked.question()), organization, &body, holds)
    }

    /// Returns `count` requests. The same seed gives the same requests, except for the keys of writes, which `mark`
    /// makes unique.
    pub fn requests(&self, server: &Server, subject: Subject, count: usize, seed: u64, mark: &str) -> Vec<Request> {
        (0..count as u64).map(|place| self.request(server, &self.asked(subject, seed, place, mark))).collect()
    }

    /// Returns the question and the arguments at one index of a sequence of requests.
    pub fn asked(&self, subject: Subject, seed: u64, place: u64, mark: &str) -> Asked {
        let (random, stamp) = (mix(mix(seed) ^ place), &self.stamp);
        let read = if subject.is_large { 0 } else { 1 + (random % READ) as usize };
        let written = (1 + READ + random % (data::PLAYED - READ - 1)) as usize;
        match subject.question {
            Question::Q1 => {
                let id = self.organizations[read].points[((random >> 32) % data::POINTS) as usize].id;
                Asked::Point { organization: read, id }
            }
            Question::Q2 => Asked::Points { organization: read },
            Question::Q3 => {
                let places = if subject.is_large { &self.large } else { &self.small };
                Asked::Page { place: places[(random % places.len() as u64) as usize].clone(), first: subject.first }
            }
            Question::Q4 => Asked::Groups { organization: read },
            Question::Q5 => {
                let mut record = self.record(written, random, place);
                record["idempotencyKey"] = json!(format!("{stamp}-{mark}-{seed}-{place}"));
                Asked::Create { organization: written, record }
            }
            Question::Q6 => {
                let row = |nth: u64| {
                    let mut row = self.record(written, mix(random ^ nth), nth);
                    row["externalId"] =
                        json!({ "system": "crm", "id": format!("{stamp}-{mark}-{seed}-{place}-{nth}") });
                    row
                };
                Asked::Upsert { organization: written, rows: (0..u64::from(subject.first)).map(row).collect() }
            }
            Question::Q7 => {
                let row = |nth: u64| {
                    let id = format!("{stamp}-{mark}-{seed}-{place}-{nth}");
                    self.interaction(written, mix(random ^ nth), nth, &id)
                };
                Asked::Interactions { organization: written, rows: (0..u64::from(subject.first)).map(row).collect() }
            }
            Question::Q8 => {
                let organization = 1 + (random % data::TIMELINES) as usize;
                let id = self.organizations[organization].customers[0];
                Asked::Timeline { organization, id, first: subject.first }
            }
            Question::Q11 => {
                let organization = (data::PLAYED + random % (data::ORGANIZATIONS - data::PLAYED)) as usize;
                let owner = &self.organizations[organization];
                let pick = |ids: &[Uuid], shift: u32| ids[((random >> shift) % ids.len() as u64) as usize];
                let interaction = json!({
                    "status": "COMPLETED",
                    "direction": "OUTBOUND",
                    "purpose": "SELL",
                    "summary": data::body(random),
                    "pointRef": { "id": wire::id("point", owner.points[((random >> 24) % data::POINTS) as usize].id) },
                    "mediumRef": { "id": wire::id("med", pick(&owner.mediums, 40)) },
                    "customerRef": { "id": wire::id("cust", pick(&owner.customers, 48)) },
                });
                Asked::Complete { organization, interaction }
            }
            Question::Q10 => {
                let organization = data::BUSY as usize;
                let id = self.organizations[organization].departments[1];
                Asked::Work { organization, id, first: subject.first }
            }
            Question::Q9 => Asked::Search { text: data::two_words(random), first: subject.first },
        }
    }

    fn interaction(&self, organization: usize, random: u64, place: u64, id: &str) -> Value {
        let owner = &self.organizations[organization];
        let pick = |ids: &[Uuid], shift: u32| ids[((random >> shift) % ids.len() as u64) as usize];
        let point = &owner.points[((random >> 24) % data::POINTS) as usize];
        let at = wire::instant(1_767_225_600_000 + (place * 1_000) as i64);
        let assessment = |nth: usize| {
            json!({
                "outcome": if (random >> nth) & 1 == 0 { "MET" } else { "EXCEEDED" },
                "expected": 5,
                "perceived": 5 + (random >> nth & 1),
                "verifiedBy": "ASKED",
                "assessedAt": at,
                "expectationRef": { "id": wire::id("exp", point.expectations[nth].id) },
            })
        };
        json!({
            "externalId": { "system": "crm", "id": id },
            "status": "COMPLETED",
            "direction": "INBOUND",
            "purpose": "SERVE",
            "occurredAt": at,
            "summary": data::body(random),
            "pointRef": { "id": wire::id("point", point.id) },
            "mediumRef": { "id": wire::id("med", pick(&owner.mediums, 40)) },
            "customerRef": { "id": wire::id("cust", pick(&owner.customers, 48)) },
            "assessments": { "upsert": [assessment(0), assessment(1)] },
            "offersMade": { "upsert": [
                { "status": "PRESENTED", "offerRef": { "id": wire::id("offer", pick(&owner.offers, 52)) } }
            ] },
        })
    }

    fn record(&self, organization: usize, random: u64, place: u64) -> Value {
        let owner = &self.organizations[organization];
        let pick = |ids: &[Uuid], shift: u32| ids[((random >> shift) % ids.len() as u64) as usize];
        let points: Vec<Uuid> = owner.points.iter().map(|point| point.id).collect();
        let score = (((random >> 12) & 1023) as f64 - 512.0) / 512.0;
        json!({
            "kind": KINDS[((random >> 8) % 6) as usize],
            "sentiment": if score < 0.0 { "NEGATIVE" } else { "POSITIVE" },
            "sentimentScore": score,
            "body": data::body(random),
            "receivedAt": wire::instant(1_767_225_600_000 + (place * 1_000) as i64),
            "pointRef": { "id": wire::id("point", pick(&points, 24)) },
            "mediumRef": { "id": wire::id("med", pick(&owner.mediums, 40)) },
        })
    }
}
