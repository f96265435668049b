//! The search: the same index, with one statement for the rows and their bodies.

use anyhow::{Result, ensure};
use rusqlite::{Connection, params};
use serde::Serialize;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::{
    answer::{self, PageInfo},
    ask,
    postgres::Session,
    row::text,
};
use crate::{
    wire,
    words::{self, Segment},
};

/// The end of both statements: rows with the words in an external id first, then those with the words in the body, each
/// newest first.
macro_rules! found {
    ($entries:literal, $organization:literal, $first:literal) => {
        concat!(
            "SELECT f.id, c.place, f.body FROM (SELECT e.row_id, CAST(MIN(CASE e.source WHEN 'FeedbackRecord.body' \
             THEN 1 ELSE 0 END) AS BIGINT) AS place FROM ",
            $entries,
            " AND e.organization_id = ",
            $organization,
            " AND e.source IN ('FeedbackRecord.body', 'FeedbackRecord.externalIds') GROUP BY e.row_id \
             ORDER BY place, e.row_id DESC LIMIT ",
            $first,
            ") AS c JOIN feedback_record f ON f.organization_id = ",
            $organization,
            " AND f.id = c.row_id ORDER BY c.place, c.row_id DESC"
        )
    };
}

/// The statement on PostgreSQL.
pub const POSTGRES: &str = found!("search_entry e WHERE e.document @@ CAST(CAST($2 AS TEXT) AS TSQUERY)", "$1", "$3");
// A cross join keeps the order: the words first.
const SQLITE: &str =
    found!("search_text t CROSS JOIN search_entry e WHERE t.search_text MATCH ?2 AND e.document = t.rowid", "?1", "?3");

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Results<'a> {
    nodes: Vec<Hit<'a>>,
    page_info: PageInfo,
}

#[derive(Serialize)]
struct Hit<'a> {
    r#type: &'static str,
    id: String,
    field: &'static str,
    score: i64,
    snippet: Vec<Segment<'a>>,
}

fn hit<'a>(id: Uuid, place: i64, body: &'a str, terms: &[&str]) -> Result<Hit<'a>> {
    ensure!(place == 1, "the searched organization has no external ids");
    let (id, snippet) = (wire::id("fb", id), words::snippet(body, terms));
    Ok(Hit { r#type: "FeedbackRecord", id, field: "body", score: 1, snippet })
}

fn response(nodes: Vec<Hit<'_>>, has_next_page: bool) -> Vec<u8> {
    let end_cursor = nodes.last().map(|last| format!("1,{}", last.id));
    answer::write("search", &Results { nodes, page_info: PageInfo { has_next_page, end_cursor } })
}

pub async fn postgres(session: &Session, organization: Uuid, asked: ask::Search) -> Result<Vec<u8>> {
    let terms: Vec<&str> = asked.text.split(' ').collect();
    let (query, more) = (words::tsquery(organization, &terms), asked.first + 1);
    let of: [&(dyn ToSql + Sync); 3] = [&organization, &query, &more];
    let rows = session.rows(POSTGRES, &of).await?;
    let has_next_page = rows.len() as i64 == more;
    let page = &rows[..rows.len() - usize::from(has_next_page)];
    let nodes = page.iter().map(|row| hit(row.get(0), row.get(1), row.get(2), &terms));
    Ok(response(nodes.collect::<Result<_>>()?, has_next_page))
}

pub fn sqlite(reader: &Connection, organization: Uuid, asked: &ask::Search) -> Result<Vec<u8>> {
    let terms: Vec<&str> = asked.text.split(' ').collect();
    let mut statement = reader.prepare_cached(SQLITE)?;
    let mut rows = statement.query(params![organization, words::fts5(organization, &terms), asked.first + 1])?;
    let mut found: Vec<(Uuid, i64, String)> = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((row.get(0)?, row.get(1)?, text(row, 2)?.to_owned()));
    }
    let has_next_page = found.len() as i64 > asked.first;
    found.truncate(usize::try_from(asked.first)?);
    let nodes = found.iter().map(|(id, place, body)| hit(*id, *place, body, &terms));
    Ok(response(nodes.collect::<Result<_>>()?, has_next_page))
}
