//! The limit on PostgreSQL: prepared statements, pipelined on a few connections; one statement per write.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context, Result, bail};
use chrono::{NaiveDateTime, Utc};
use futures_util::future::try_join;
use tokio_postgres::{Client, Row, Statement, types::ToSql};
use uuid::Uuid;

use super::{
    answer::{self, *},
    ask, bulk, complete,
    door::Caller,
    route::{self, COLUMNS, Routed, Rule},
    search, timeline, work,
};
use crate::{data::EVENT_FIELDS, generate::postgres::connect, wire};

const POINT: &str = "SELECT name, kind, description, created_at FROM interaction_point \
                     WHERE organization_id = $1 AND id = $2";
const POINTS: &str = "SELECT id, name, kind FROM interaction_point WHERE organization_id = $1 \
                      AND archived_at IS NULL ORDER BY id LIMIT $2";
const TOP_FIVE: &str = "SELECT e.point_id, e.id, e.statement, e.kind, e.importance, e.rank FROM unnest($2::uuid[]) p(id) \
                        CROSS JOIN LATERAL (SELECT * FROM expectation e WHERE e.organization_id = $1 \
                        AND e.point_id = p.id AND e.rank IS NOT NULL AND e.archived_at IS NULL ORDER BY e.rank \
                        LIMIT 5) e";
const LAST_THREE: &str = "SELECT f.point_id, f.id, f.kind, f.sentiment_score, f.body, f.received_at \
                          FROM unnest($2::uuid[]) p(id) CROSS JOIN LATERAL (SELECT * FROM feedback_record f \
                          WHERE f.organization_id = $1 AND f.point_id = p.id ORDER BY f.received_at DESC, f.id DESC \
                          LIMIT 3) f";
const PAGE: &str = "SELECT id, kind, sentiment_score, body, received_at FROM feedback_record \
                    WHERE organization_id = $1 AND kind = $2 AND received_at >= $3 AND received_at < $4 \
                    AND (received_at, id) < ($5, $6) ORDER BY received_at DESC, id DESC LIMIT $7";
const GROUPS: &str = "SELECT point_id, date_trunc('week', to_timestamp(received_at / 1000.0) AT TIME ZONE 'UTC') AS week, \
                      COUNT(*), AVG(sentiment_score), COUNT(sentiment_score) FROM feedback_record \
                      WHERE organization_id = $1 GROUP BY 1, 2 ORDER BY 2, 1";
pub const FALLBACK: &str = "SELECT fallback_department_id FROM organization WHERE id = $1";
const REPLAY: &str = "SELECT fingerprint, result FROM idempotency WHERE organization_id = $1 AND subject = $2 \
                      AND idempotency_key = $3";
const CREATE: &str = "WITH i AS (INSERT INTO idempotency (organization_id, subject, idempotency_key, fingerprint, \
    created_at, result) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING organization_id), \
    f AS (INSERT INTO feedback_record (organization_id, id, version, created_at, updated_at, kind, sentiment, \
    sentiment_score, body, body_folded, received_at, tags, attributes, priority, point_id, medium_id, department_id) \
    SELECT $1, $7, 1, $5, $5, $8, $9, $10, $11, $12, $13, '[]', '[]', $14, $15, $16, $17 FROM i), \
    r AS (INSERT INTO routing (organization_id, id, version, created_at, updated_at, feedback_record_id, cause, rule_id, \
    rule_version, department_id, priority, response_policy_id, reason, subject) \
    SELECT $1, $18, 1, $5, $5, $7, $19, $20, $21, $17, $14, $22, $23, $2 FROM i), \
    s AS (UPDATE organization_sequence SET last = last + 1, rolled_to = rolled_to + 1 WHERE organization_id = $1 AND EXISTS (SELECT FROM i) \
    RETURNING last) \
    INSERT INTO event (organization_id, id, sequence, noun, row_id, operation, version, subject, occurred_at, fields) \
    SELECT $1, $25, last, 'FeedbackRecord', $7, 'CREATED', 1, $2, $5, $24 FROM s";
const KNOWN: &str = "SELECT system, external_id, feedback_record_id FROM feedback_record_external_id \
                     WHERE organization_id = $1 AND (system, external_id) IN \
                     (SELECT * FROM unnest($2::text[], $3::text[]))";
const UPSERT: &str = "WITH v AS (SELECT * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::float8[], $6::text[], \
    $7::text[], $8::bigint[], $9::text[], $10::uuid[], $11::uuid[], $12::uuid[], $13::uuid[], $14::text[], $15::uuid[], \
    $16::bigint[], $17::uuid[], $18::text[], $19::text[], $20::text[], $21::boolean[], $26::uuid[]) WITH ORDINALITY \
    AS v(id, kind, sentiment, score, body, folded, received, priority, point, medium, department, routing, cause, rule, \
    rule_version, policy, reason, system, external_id, is_new, event, place)), \
    f AS (INSERT INTO feedback_record (organization_id, id, version, created_at, updated_at, kind, sentiment, \
    sentiment_score, body, body_folded, received_at, tags, attributes, priority, point_id, medium_id, department_id) \
    SELECT $1, id, 1, $22, $22, kind, sentiment, score, body, folded, received, '[]', '[]', priority, point, medium, \
    department FROM v ON CONFLICT (organization_id, id) DO UPDATE SET version = feedback_record.version + 1, \
    updated_at = excluded.updated_at, kind = excluded.kind, sentiment = excluded.sentiment, \
    sentiment_score = excluded.sentiment_score, body = excluded.body, body_folded = excluded.body_folded, \
    received_at = excluded.received_at, point_id = excluded.point_id, medium_id = excluded.medium_id \
    RETURNING id, version), \
    r AS (INSERT INTO routing (organization_id, id, version, created_at, updated_at, feedback_record_id, cause, rule_id, \
    rule_version, department_id, priority, response_policy_id, reason, subject) \
    SELECT $1, routing, 1, $22, $22, id, cause, rule, rule_version, department, priority, policy, reason, $23 FROM v \
    WHERE is_new), \
    x AS (INSERT INTO feedback_record_external_id (organization_id, feedback_record_id, system, external_id) \
    SELECT $1, id, system, external_id FROM v WHERE is_new), \
    s AS (UPDATE organization_sequence SET last = last + $24, rolled_to = rolled_to + $24 WHERE organization_id = $1 RETURNING last - $24 AS base) \
    INSERT INTO event (organization_id, id, sequence, noun, row_id, operation, version, subject, occurred_at, fields) \
    SELECT $1, v.event, s.base + v.place, 'FeedbackRecord', v.id, CASE WHEN v.is_new THEN 'CREATED' ELSE 'UPDATED' END, f.version, \
    $23, $22, $25 FROM s CROSS JOIN v JOIN f ON f.id = v.id";

/// A connection with its prepared statements.
pub struct Session {
    client: Client,
    statements: HashMap<&'static str, Statement>,
}

/// The connections, used in rotation.
pub struct Postgres {
    sessions: Vec<Session>,
    next: AtomicUsize,
}

type Parameters<'a> = [&'a (dyn ToSql + Sync)];

impl Session {
    async fn open(url: &str) -> Result<Self> {
        let client = connect(url).await?;
        let mut statements = HashMap::new();
        let own = [POINT, POINTS, TOP_FIVE, LAST_THREE, PAGE, GROUPS, FALLBACK, REPLAY, CREATE, KNOWN, UPSERT];
        let of_timelines = [timeline::CUSTOMER, timeline::INTERACTIONS, timeline::PURCHASES, timeline::RECORDS];
        let of_work =
            [work::POSITIONS, work::CASES, work::FOLLOW_UPS, complete::PLAYBOOKS, complete::CUSTOMER, complete::WRITE];
        let others = [bulk::KNOWN, bulk::POINTS, bulk::WRITE, search::POSTGRES];
        for text in own.into_iter().chain(of_timelines).chain(of_work).chain(others) {
            statements.insert(text, client.prepare(text).await?);
        }
        let rules = format!(
            "SELECT {COLUMNS} FROM routing_rule WHERE organization_id = $1 AND archived_at IS NULL ORDER BY position, id"
        );
        statements.insert("rules", client.prepare(&rules).await?);
        statements.insert("positions", client.prepare(&timeline::positions()).await?);
        Ok(Self { client, statements })
    }

    pub async fn rows(&self, statement: &str, parameters: &Parameters<'_>) -> Result<Vec<Row>> {
        Ok(self.client.query(&self.statements[statement], parameters).await?)
    }

    pub async fn execute(&self, statement: &str, parameters: &Parameters<'_>) -> Result<u64> {
        Ok(self.client.execute(&self.statements[statement], parameters).await?)
    }

    /// Returns the routing rules and the fallback department, in one round trip.
    async fn desk(&self, organization: Uuid) -> Result<(Vec<Rule>, Uuid)> {
        let of: [&(dyn ToSql + Sync); 1] = [&organization];
        let (rules, fallback) = try_join(self.rows("rules", &of), self.rows(FALLBACK, &of)).await?;
        let rule = |row: &Row| Rule {
            id: row.get(0),
            version: row.get(1),
            name: row.get(2),
            kind: row.get(3),
            sentiment: row.get(4),
            score_from: row.get(5),
            score_to: row.get(6),
            point: row.get(7),
            medium: row.get(8),
            department: row.get(9),
            priority: row.get(10),
            policy: row.get(11),
        };
        Ok((rules.iter().map(rule).collect(), fallback.first().context("no organization")?.get(0)))
    }
}

impl Postgres {
    pub async fn connect(url: &str, count: usize) -> Result<Self> {
        let mut sessions = Vec::with_capacity(count);
        for _ in 0..count {
            sessions.push(Session::open(url).await?);
        }
        Ok(Self { sessions, next: AtomicUsize::new(0) })
    }

    pub async fn answer(&self, caller: &Caller, question: &str, body: &[u8]) -> Result<Vec<u8>> {
        let session = &self.sessions[self.next.fetch_add(1, Ordering::Relaxed) % self.sessions.len()];
        let organization = caller.organization;
        match question {
            "q1" => point(session, organization, ask::read(body)?).await,
            "q2" => points(session, organization, ask::read(body)?).await,
            "q3" => page(session, organization, ask::read(body)?).await,
            "q4" => groups(session, organization).await,
            "q5" => create(session, caller, body).await,
            "q6" => upsert(session, caller, ask::read(body)?).await,
            "q7" => bulk::postgres(session, caller, ask::read(body)?).await,
            "q8" => timeline::postgres(session, organization, ask::read(body)?).await,
            "q9" => search::postgres(session, organization, ask::read(body)?).await,
            "q11" => complete::postgres(session, caller, ask::read(body)?).await,
            "q10" => work::postgres(session, organization, ask::read(body)?).await,
            _ => bail!("no such question"),
        }
    }
}

async fn point(session: &Session, organization: Uuid, asked: ask::Point) -> Result<Vec<u8>> {
    let id = wire::uuid(&asked.id).context("no id")?;
    let rows = session.rows(POINT, &[&organization, &id]).await?;
    let point = rows.first().map(|row| Point {
        id: asked.id,
        name: row.get(0),
        kind: row.get(1),
        description: row.get(2),
        created_at: wire::instant(row.get(3)),
    });
    Ok(answer::write("interactionPoint", &point))
}

/// Returns the record whose columns begin at an index.
pub fn record(row: &Row, from: usize) -> Record<'_> {
    Record {
        id: wire::id("fb", row.get(from)),
        kind: row.get(from + 1),
        sentiment_score: row.get(from + 2),
        body: row.get(from + 3),
        received_at: wire::instant(row.get(from + 4)),
    }
}

async fn points(session: &Session, organization: Uuid, asked: ask::Points) -> Result<Vec<u8>> {
    let points = session.rows(POINTS, &[&organization, &asked.first]).await?;
    let ids: Vec<Uuid> = points.iter().map(|row| row.get(0)).collect();
    let of: [&(dyn ToSql + Sync); 2] = [&organization, &ids];
    let (top, last) = try_join(session.rows(TOP_FIVE, &of), session.rows(LAST_THREE, &of)).await?;
    let full = |row| {
        let row: &Row = row;
        let (expectations, feedback_records) =
            (Nodes { nodes: Vec::with_capacity(5) }, Nodes { nodes: Vec::with_capacity(3) });
        let id = wire::id("point", row.get(0));
        FullPoint { id, name: row.get(1), kind: row.get(2), expectations, feedback_records }
    };
    let mut nodes: Vec<FullPoint> = points.iter().map(full).collect();
    let place = |id: Uuid| ids.binary_search(&id).expect("it was asked for");
    for row in &top {
        nodes[place(row.get(0))].expectations.nodes.push(Expectation {
            id: wire::id("exp", row.get(1)),
            statement: row.get(2),
            kind: row.get(3),
            importance: row.get(4),
            rank: row.get(5),
        });
    }
    for row in &last {
        nodes[place(row.get(0))].feedback_records.nodes.push(record(row, 1));
    }
    Ok(answer::write("interactionPoints", &Nodes { nodes }))
}

async fn page(session: &Session, organization: Uuid, asked: ask::Page) -> Result<Vec<u8>> {
    let ((from, to), more) = (asked.range()?, asked.first + 1);
    let of: [&(dyn ToSql + Sync); 7] = [&organization, &asked.kind, &from, &to, &asked.before, &asked.before_id, &more];
    let rows = session.rows(PAGE, &of).await?;
    let has_next_page = rows.len() as i64 == more;
    let rows = &rows[..rows.len() - usize::from(has_next_page)];
    let end_cursor = rows.last().map(|row| format!("{},{}", row.get::<_, i64>(4), row.get::<_, Uuid>(0)));
    let nodes = rows.iter().map(|row| record(row, 0)).collect();
    Ok(answer::write("feedbackRecords", &Page { nodes, page_info: PageInfo { has_next_page, end_cursor } }))
}

async fn groups(session: &Session, organization: Uuid) -> Result<Vec<u8>> {
    let rows = session.rows(GROUPS, &[&organization]).await?;
    let nodes: Vec<Group> = rows
        .iter()
        .map(|row| Group {
            count: row.get(2),
            bucket_start: wire::instant(row.get::<_, NaiveDateTime>(1).and_utc().timestamp_millis()),
            point: StringEnum { id: wire::id("point", row.get(0)) },
            mean_sentiment_score: Mean { mean: row.get(3), n: row.get(4) },
        })
        .collect();
    Ok(answer::write("feedbackRecordGroups", &Groups { group_count: nodes.len(), nodes }))
}

async fn create(session: &Session, caller: &Caller, body: &[u8]) -> Result<Vec<u8>> {
    let asked: ask::Record = ask::read::<ask::Create>(body)?.input;
    let (rules, fallback) = session.desk(caller.organization).await?;
    let routed = route::route(&asked, Uuid::now_v7(), &rules, fallback)?;
    let key = asked.idempotency_key.context("no key")?;
    let (print, now, memory) = (route::fingerprint(body), Utc::now().timestamp_millis(), route::memory(routed.id));
    let of: [&(dyn ToSql + Sync); 25] = [
        &caller.organization,
        &caller.subject,
        &key,
        &print,
        &now,
        &memory,
        &routed.id,
        &asked.kind,
        &asked.sentiment,
        &asked.sentiment_score,
        &asked.body,
        &routed.folded,
        &routed.received,
        &routed.priority,
        &routed.point,
        &routed.medium,
        &routed.department,
        &routed.routing,
        &routed.cause,
        &routed.rule,
        &routed.version,
        &routed.policy,
        &routed.reason,
        &EVENT_FIELDS,
        &routed.event,
    ];
    if session.execute(CREATE, &of).await? != 1 {
        let known = session.rows(REPLAY, &[&caller.organization, &caller.subject, &key]).await?;
        bail!("the key was used: {:?}", known.first().map(|row| row.get::<_, String>(1)));
    }
    Ok(answer::write("feedbackRecordCreate", &created(routed)))
}

/// Returns the response for a created record.
pub fn created(routed: Routed) -> Created<'static> {
    let node = CreatedNode {
        id: wire::id("fb", routed.id),
        received_at: wire::instant(routed.received),
        priority: routed.priority,
        department: StringEnum { id: wire::id("dept", routed.department) },
    };
    Created { outcome: "CREATED", is_replayed: false, errors: [], node }
}

async fn upsert(session: &Session, caller: &Caller, asked: ask::Bulk) -> Result<Vec<u8>> {
    let rows = asked.input.rows;
    let keys = rows.iter().map(|row| row.external_id.as_ref().context("no external id"));
    let keys = keys.collect::<Result<Vec<_>>>()?;
    let systems: Vec<&str> = keys.iter().map(|key| key.system.as_str()).collect();
    let externals: Vec<&str> = keys.iter().map(|key| key.id.as_str()).collect();
    let organization = caller.organization;
    let known: [&(dyn ToSql + Sync); 3] = [&organization, &systems, &externals];
    let (known, (rules, fallback)) = try_join(session.rows(KNOWN, &known), session.desk(organization)).await?;
    let known: HashMap<(&str, &str), Uuid> = known.iter().map(|row| ((row.get(0), row.get(1)), row.get(2))).collect();
    let ids = keys.iter().map(|key| known.get(&(key.system.as_str(), key.id.as_str())).copied());
    let ids: Vec<Option<Uuid>> = ids.collect();
    let mut routed = Vec::with_capacity(rows.len());
    for (row, id) in rows.iter().zip(&ids) {
        routed.push(route::route(row, id.unwrap_or_else(Uuid::now_v7), &rules, fallback)?);
    }
    macro_rules! column {
        ($from:expr, $it:ident, $value:expr) => {
            $from.iter().map(|$it| $value).collect::<Vec<_>>()
        };
    }
    let (now, count) = (Utc::now().timestamp_millis(), rows.len() as i64);
    let of: [&(dyn ToSql + Sync); 26] = [
        &organization,
        &column!(routed, it, it.id),
        &column!(rows, it, it.kind.as_str()),
        &column!(rows, it, it.sentiment.as_deref()),
        &column!(rows, it, it.sentiment_score),
        &column!(rows, it, it.body.as_str()),
        &column!(routed, it, it.folded.as_str()),
        &column!(routed, it, it.received),
        &column!(routed, it, it.priority.as_str()),
        &column!(routed, it, it.point),
        &column!(routed, it, it.medium),
        &column!(routed, it, it.department),
        &column!(routed, it, it.routing),
        &column!(routed, it, it.cause),
        &column!(routed, it, it.rule),
        &column!(routed, it, it.version),
        &column!(routed, it, it.policy),
        &column!(routed, it, it.reason.as_str()),
        &systems,
        &externals,
        &column!(ids, it, it.is_none()),
        &now,
        &caller.subject,
        &count,
        &EVENT_FIELDS,
        &column!(routed, it, it.event),
    ];
    session.execute(UPSERT, &of).await?;
    Ok(answer::write("feedbackRecordsBulkUpsert", &upserted(&ids, &routed)))
}

/// Returns the response for upserted records. `known` has the ids of records that existed before.
pub fn upserted(known: &[Option<Uuid>], routed: &[Routed]) -> Upserted<'static> {
    let row = |(index, (known, routed)): (usize, (&Option<Uuid>, &Routed))| UpsertedRow {
        index,
        outcome: if known.is_some() { "UPDATED" } else { "CREATED" },
        node: StringEnum { id: wire::id("fb", routed.id) },
    };
    Upserted { errors: [], results: known.iter().zip(routed).enumerate().map(row).collect() }
}
