//! The first page of a customer's timeline: the positions of all kinds with one statement, then the rows of each kind that
//! the page has.

use std::collections::HashMap;

use anyhow::{Context, Result};
use futures_util::future::{try_join, try_join3};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::{
    answer::{self, PageInfo, Record},
    ask,
    postgres::Session,
};
use crate::wire;

/// The name of the customer.
pub const CUSTOMER: &str = "SELECT name FROM customer WHERE organization_id = $1 AND id = $2";
/// The rows of each kind on PostgreSQL.
pub const INTERACTIONS: &str = "SELECT id, status, purpose, summary, occurred_at FROM interaction \
                                WHERE organization_id = $1 AND id = ANY($2)";
pub const PURCHASES: &str = "SELECT id, product, item_count, bought_at FROM purchase WHERE organization_id = $1 \
                             AND id = ANY($2)";
pub const RECORDS: &str = "SELECT id, kind, sentiment_score, body, received_at FROM feedback_record \
                           WHERE organization_id = $1 AND id = ANY($2)";

/// Time and table of the rows of each kind, in the order of the numbers that [`positions`] returns, and the condition
/// that they are about the customer `$2`. The data set has only rows of the first three, but any may be there.
const SOURCES: [(&str, &str, &str); 10] = [
    ("COALESCE(occurred_at, scheduled_at, created_at)", "interaction", "customer_id = $2"),
    ("bought_at", "purchase", "customer_id = $2"),
    ("received_at", "feedback_record", "customer_id = $2"),
    ("decided_at", "consent", "customer_id = $2"),
    ("created_at", "occasion", "customer_id = $2"),
    ("referred_at", "referral", "referrer_id = $2"),
    ("referred_at", "referral", "referred_id = $2"),
    ("shared_at", "content_share", "customer_id = $2"),
    ("due_at", "follow_up", "customer_id = $2"),
    ("failed_at", "repair", "unit_id IN (SELECT u.id FROM unit u WHERE u.organization_id = $1 AND u.customer_id = $2)"),
];

/// Returns the statement for the kinds, times and ids of the newest rows, as many as a page of 20 needs.
pub fn positions() -> String {
    let of = |(kind, (at, table, condition)): (usize, &(&str, &str, &str))| {
        format!(
            "SELECT * FROM (SELECT CAST({kind} AS BIGINT) AS kind, {at} AS at, id FROM {table} \
             WHERE organization_id = $1 AND {condition} ORDER BY 2 DESC, 3 DESC LIMIT 21) AS s{kind}"
        )
    };
    let all = SOURCES.iter().enumerate().map(of).collect::<Vec<_>>().join(" UNION ALL ");
    format!("SELECT * FROM ({all}) AS u ORDER BY 2 DESC, 3 DESC LIMIT 21")
}

#[derive(Serialize)]
pub struct Customer<'a> {
    id: &'a str,
    name: Option<&'a str>,
    timeline: Timeline<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Timeline<'a> {
    edges: Vec<Edge<'a>>,
    page_info: PageInfo,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Edge<'a> {
    kind: &'static str,
    placed_at: String,
    node: Node<'a>,
}

#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Node<'a> {
    Interaction {
        id: String,
        status: &'a str,
        purpose: Option<&'a str>,
        summary: Option<&'a str>,
        occurred_at: Option<String>,
    },
    Purchase {
        id: String,
        product: Option<&'a str>,
        item_count: Option<i64>,
        bought_at: String,
    },
    Record(Record<'a>),
}

impl Node<'_> {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Interaction { .. } => "INTERACTION",
            Self::Purchase { .. } => "PURCHASE",
            Self::Record(_) => "FEEDBACK_RECORD",
        }
    }
}

type Position = (i64, i64, Uuid);

/// Returns the response for these positions, of which the last is beyond the page.
fn response<'a>(
    asked: &'a ask::Timeline,
    name: Option<&'a str>,
    positions: &[Position],
    mut nodes: HashMap<Uuid, Node<'a>>,
) -> Result<Vec<u8>> {
    let limit = usize::try_from(asked.first)?;
    let page = &positions[..positions.len().min(limit)];
    let edge = |(_, at, id): &Position| {
        let node = nodes.remove(id).context("the data set has no rows of this kind")?;
        Ok(Edge { kind: node.kind(), placed_at: wire::instant(*at), node })
    };
    let edges = page.iter().map(edge).collect::<Result<_>>()?;
    let end_cursor = page.last().map(|(_, at, id)| format!("{at},{id}"));
    let page_info = PageInfo { has_next_page: positions.len() > limit, end_cursor };
    Ok(answer::write("customer", &Customer { id: &asked.id, name, timeline: Timeline { edges, page_info } }))
}

pub async fn postgres(session: &Session, organization: Uuid, asked: ask::Timeline) -> Result<Vec<u8>> {
    let id = wire::uuid(&asked.id).context("no id")?;
    let of: [&(dyn ToSql + Sync); 2] = [&organization, &id];
    let (customer, found) = try_join(session.rows(CUSTOMER, &of), session.rows("positions", &of)).await?;
    let positions: Vec<Position> = found.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let page = &positions[..positions.len().min(usize::try_from(asked.first)?)];
    let of_kind = async |wanted: i64, statement: &str| {
        let ids: Vec<Uuid> = page.iter().filter(|(kind, ..)| *kind == wanted).map(|(.., id)| *id).collect();
        if ids.is_empty() { Ok(Vec::new()) } else { session.rows(statement, &[&organization, &ids]).await }
    };
    let (interactions, purchases, records) =
        try_join3(of_kind(0, INTERACTIONS), of_kind(1, PURCHASES), of_kind(2, RECORDS)).await?;
    let mut nodes = HashMap::with_capacity(page.len());
    for row in &interactions {
        let id = row.get(0);
        let (occurred_at, status) = (row.get::<_, Option<i64>>(4).map(wire::instant), row.get(1));
        let (purpose, summary) = (row.get(2), row.get(3));
        let node = Node::Interaction { id: wire::id("inter", id), status, purpose, summary, occurred_at };
        nodes.insert(id, node);
    }
    for row in &purchases {
        let id = row.get(0);
        let (product, item_count, bought_at) = (row.get(1), row.get(2), wire::instant(row.get(3)));
        nodes.insert(id, Node::Purchase { id: wire::id("purchase", id), product, item_count, bought_at });
    }
    for row in &records {
        nodes.insert(row.get(0), Node::Record(super::postgres::record(row, 0)));
    }
    response(&asked, customer.first().and_then(|row| row.get(0)), &positions, nodes)
}

/// A row of a kind, with its texts: `SQLite` keeps those only until the next row.
enum Row {
    Interaction(String, Option<String>, Option<String>, Option<i64>),
    Purchase(Option<String>, Option<i64>, i64),
    Record(String, Option<f64>, Option<String>, i64),
}

impl Row {
    fn node(&self, id: Uuid) -> Node<'_> {
        match self {
            Self::Interaction(status, purpose, summary, at) => Node::Interaction {
                id: wire::id("inter", id),
                status,
                purpose: purpose.as_deref(),
                summary: summary.as_deref(),
                occurred_at: at.map(wire::instant),
            },
            Self::Purchase(product, item_count, at) => Node::Purchase {
                id: wire::id("purchase", id),
                product: product.as_deref(),
                item_count: *item_count,
                bought_at: wire::instant(*at),
            },
            Self::Record(kind, sentiment_score, body, at) => Node::Record(Record {
                id: wire::id("fb", id),
                kind,
                sentiment_score: *sentiment_score,
                body: body.as_deref(),
                received_at: wire::instant(*at),
            }),
        }
    }
}

/// Looks each row up by itself, which is cheaper than a list because SQLite runs in-process.
pub fn sqlite(reader: &Connection, organization: Uuid, asked: &ask::Timeline) -> Result<Vec<u8>> {
    let id = wire::uuid(&asked.id).context("no id")?;
    let mut customer = reader.prepare_cached(&CUSTOMER.replace('$', "?"))?;
    let name: Option<Option<String>> = customer.query_row(params![organization, id], |row| row.get(0)).optional()?;
    let mut found = reader.prepare_cached(&positions().replace('$', "?"))?;
    let found = found.query_map(params![organization, id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let positions: Vec<Position> = found.collect::<Result<_, _>>()?;
    let mut interaction = reader.prepare_cached(
        "SELECT status, purpose, summary, occurred_at FROM interaction WHERE organization_id = ?1 AND id = ?2",
    )?;
    let mut purchase = reader
        .prepare_cached("SELECT product, item_count, bought_at FROM purchase WHERE organization_id = ?1 AND id = ?2")?;
    let mut record = reader.prepare_cached(
        "SELECT kind, sentiment_score, body, received_at FROM feedback_record WHERE organization_id = ?1 AND id = ?2",
    )?;
    let mut rows = Vec::with_capacity(positions.len());
    for (kind, _, id) in positions.iter().take(usize::try_from(asked.first)?) {
        let of = params![organization, id];
        rows.push((
            *id,
            match kind {
                0 => interaction
                    .query_row(of, |row| Ok(Row::Interaction(row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?,
                1 => purchase.query_row(of, |row| Ok(Row::Purchase(row.get(0)?, row.get(1)?, row.get(2)?)))?,
                _ => record.query_row(of, |row| Ok(Row::Record(row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?,
            },
        ));
    }
    let nodes = rows.iter().map(|(id, row)| (*id, row.node(*id))).collect();
    response(asked, name.as_ref().and_then(|name| name.as_deref()), &positions, nodes)
}
