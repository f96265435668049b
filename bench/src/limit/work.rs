//! The first page of a department's work: what is due first of its open cases and follow-ups with one statement, then the
//! rows of both kinds that the page has.

use std::collections::HashMap;

use anyhow::{Context, Result};
use chrono::Utc;
use futures_util::future::try_join;
use rusqlite::{Connection, params};
use serde::Serialize;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::{
    answer::{self, PageInfo},
    ask,
    postgres::Session,
};
use crate::wire;

/// Stands for no deadline, as in the index.
const NEVER: i64 = 253_402_300_799_999;

/// Kind, time and id of what is due first, as many as a page of 20 needs. The number stands in the text: with a parameter in its
/// place, PostgreSQL plans anew each time.
pub const POSITIONS: &str = "SELECT * FROM (SELECT * FROM (SELECT CAST(0 AS BIGINT) AS kind, CASE WHEN stage NOT IN \
    ('CLOSED') THEN COALESCE(due_at, 253402300799999) END AS at, id FROM customer_case WHERE organization_id = $1 AND \
    department_id = $2 AND CASE WHEN stage NOT IN ('CLOSED') THEN COALESCE(due_at, 253402300799999) END >= 0 \
    ORDER BY 2, 3 LIMIT 21) AS c UNION ALL SELECT * FROM (SELECT CAST(1 AS BIGINT) AS kind, CASE WHEN status NOT IN \
    ('DONE', 'SKIPPED') THEN COALESCE(due_at, 253402300799999) END AS at, id FROM follow_up WHERE organization_id = $1 AND \
    department_id = $2 AND CASE WHEN status NOT IN ('DONE', 'SKIPPED') THEN COALESCE(due_at, 253402300799999) END >= 0 \
    ORDER BY 2, 3 LIMIT 21) AS f) AS u ORDER BY 2, 3 LIMIT 21";
/// The cases with these ids on PostgreSQL.
pub const CASES: &str =
    "SELECT id, title, stage, priority FROM customer_case WHERE organization_id = $1 AND id = ANY($2)";
/// The follow-ups with these ids on PostgreSQL.
pub const FOLLOW_UPS: &str = "SELECT id, title, kind FROM follow_up WHERE organization_id = $1 AND id = ANY($2)";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    edges: Vec<Edge>,
    page_info: PageInfo,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Edge {
    kind: &'static str,
    due_at: Option<String>,
    is_overdue: bool,
    node: Node,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Node {
    Case { id: String, title: String, stage: String, priority: String },
    FollowUp { id: String, title: String, kind: String },
}

type Position = (i64, i64, Uuid);

/// Returns the response for these positions, of which the last is beyond the page.
fn response(asked: &ask::Timeline, positions: &[Position], mut nodes: HashMap<Uuid, Node>) -> Result<Vec<u8>> {
    let limit = usize::try_from(asked.first)?;
    let page = &positions[..positions.len().min(limit)];
    let now = Utc::now().timestamp_millis();
    let edge = |(kind, at, id): &Position| {
        let node = nodes.remove(id).context("a row is missing")?;
        let due_at = (*at < NEVER).then(|| wire::instant(*at));
        Ok(Edge { kind: if *kind == 0 { "CASE" } else { "FOLLOW_UP" }, due_at, is_overdue: *at < now, node })
    };
    let edges = page.iter().map(edge).collect::<Result<_>>()?;
    let end_cursor = page.last().map(|(_, at, id)| format!("{at},{id}"));
    let page_info = PageInfo { has_next_page: positions.len() > limit, end_cursor };
    Ok(answer::write("myWork", &Page { edges, page_info }))
}

pub async fn postgres(session: &Session, organization: Uuid, asked: ask::Timeline) -> Result<Vec<u8>> {
    let id = wire::uuid(&asked.id).context("no id")?;
    let of: [&(dyn ToSql + Sync); 2] = [&organization, &id];
    let found = session.rows(POSITIONS, &of).await?;
    let positions: Vec<Position> = found.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let page = &positions[..positions.len().min(usize::try_from(asked.first)?)];
    let of_kind = async |wanted: i64, statement: &str| {
        let ids: Vec<Uuid> = page.iter().filter(|(kind, ..)| *kind == wanted).map(|(.., id)| *id).collect();
        if ids.is_empty() { Ok(Vec::new()) } else { session.rows(statement, &[&organization, &ids]).await }
    };
    let (cases, follow_ups) = try_join(of_kind(0, CASES), of_kind(1, FOLLOW_UPS)).await?;
    let mut nodes = HashMap::with_capacity(page.len());
    for row in &cases {
        let id = row.get(0);
        let (title, stage, priority) = (row.get(1), row.get(2), row.get(3));
        nodes.insert(id, Node::Case { id: wire::id("case", id), title, stage, priority });
    }
    for row in &follow_ups {
        let id = row.get(0);
        nodes.insert(id, Node::FollowUp { id: wire::id("follow", id), title: row.get(1), kind: row.get(2) });
    }
    response(&asked, &positions, nodes)
}

/// Looks each row up by itself, which is cheaper than a list because SQLite runs in-process.
pub fn sqlite(reader: &Connection, organization: Uuid, asked: &ask::Timeline) -> Result<Vec<u8>> {
    let id = wire::uuid(&asked.id).context("no id")?;
    let mut found = reader.prepare_cached(&POSITIONS.replace('$', "?"))?;
    let found = found.query_map(params![organization, id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let positions: Vec<Position> = found.collect::<Result<_, _>>()?;
    let mut case = reader
        .prepare_cached("SELECT title, stage, priority FROM customer_case WHERE organization_id = ?1 AND id = ?2")?;
    let mut follow_up =
        reader.prepare_cached("SELECT title, kind FROM follow_up WHERE organization_id = ?1 AND id = ?2")?;
    let mut nodes = HashMap::with_capacity(positions.len());
    for (kind, _, id) in positions.iter().take(usize::try_from(asked.first)?) {
        let of = params![organization, id];
        let node = if *kind == 0 {
            let id = wire::id("case", *id);
            case.query_row(of, |row| {
                Ok(Node::Case { id, title: row.get(0)?, stage: row.get(1)?, priority: row.get(2)? })
            })?
        } else {
            let id = wire::id("follow", *id);
            follow_up.query_row(of, |row| Ok(Node::FollowUp { id, title: row.get(0)?, kind: row.get(1)? }))?
        };
        nodes.insert(*id, node);
    }
    response(asked, &positions, nodes)
}
