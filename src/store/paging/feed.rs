//! Reads pages of the change feed: the events of an organization in the order of commits, with one statement.

use chrono::{DateTime, Utc};
use entity::{
    Noun,
    event::{self, EventOperation},
    id::{self, OrganizationId},
    noun::StringEnum,
    noun_named, organization,
};
use sea_orm::prelude::Uuid;

use super::page::trim;
use crate::{
    Error, Result,
    store::{
        Connection, Scope, Tx,
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind},
        },
    },
};

/// Selects a page of the feed.
#[derive(Clone, Debug)]
pub struct FeedQuery {
    /// Return only changes after this sequence; 0 for the beginning.
    pub after: i64,
    /// Return only changes of rows of these nouns.
    pub nouns: Vec<&'static Noun>,
    /// Return only changes of these kinds; `None` for all.
    pub operations: Option<Vec<EventOperation>>,
    /// Maximum number of changes.
    pub limit: usize,
}

/// A position in the feed: the sequence and the id of an event. Zero and the nil id stand for the beginning.
pub type FeedPosition = (i64, Uuid);

/// A page of the feed, and where the feed begins and ends, all as of one moment.
#[derive(Clone, Debug)]
pub struct FeedPage {
    /// Changes when a backup was restored: positions of another epoch are not comparable.
    pub epoch: Uuid,
    /// Sequence of the oldest change that can be read; that after the head if there is none.
    pub oldest: i64,
    /// The newest event.
    pub head: FeedPosition,
    /// Id of the event at the position that was given; `None` if there is none.
    pub found: Option<Uuid>,
    /// The changes, in the order of commits.
    pub changes: Vec<FeedChange>,
    /// Whether more changes follow.
    pub has_more: bool,
}

/// A change of a row.
#[derive(Clone, Debug)]
pub struct FeedChange {
    /// The event.
    pub position: FeedPosition,
    /// When it happened, in epoch milliseconds.
    pub occurred_at: i64,
    /// The noun of the row.
    pub noun: &'static Noun,
    /// The row.
    pub row: Uuid,
    /// The kind of change.
    pub operation: EventOperation,
    /// Version of the row after the change.
    pub version: i64,
    /// Names of the fields that changed.
    pub fields: Vec<String>,
    /// The row that a merged one stands for now; `None` for other changes, and if the merge was undone.
    pub merged_into: Option<Uuid>,
    /// Whether this change or a later one erased the personal data in the row.
    pub is_erased: bool,
}

/// Kinds of the columns of the statement, without the tenant: the part, and the values of an event.
const KINDS: [CellKind; 11] = [
    CellKind::Int,
    CellKind::Int,
    CellKind::Id,
    CellKind::Int,
    CellKind::Text,
    CellKind::Id,
    CellKind::Text,
    CellKind::Int,
    CellKind::Text,
    CellKind::Id,
    CellKind::Int,
];

// Parts of the statement, by which its rows are ordered.
const EPOCH: usize = 0;
const OLDEST: usize = 1;
const HEAD: usize = 2;
const FOUND: usize = 3;
const PAGE: usize = 4;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// An event beside the selected row.
const BESIDE: Alias = Alias::nested('e', 0);

impl<C: Connection> Scope<C> {
    /// Returns a page of the feed. Err if the caller may not read one of the nouns, or not the whole organization.
    pub async fn feed(&self, query: &FeedQuery) -> Result<FeedPage> {
        self.require_whole_organization()?;
        query.nouns.iter().try_for_each(|noun| self.may_read(noun))?;
        let mut sql = self.sql();
        write(&mut sql, query, self.organization(), self.now());
        let rows = self.read_rows(sql.finish(), &KINDS).await?;
        let mut page = FeedPage {
            epoch: Uuid::nil(),
            oldest: 0,
            head: (0, Uuid::nil()),
            found: None,
            changes: Vec::new(),
            has_more: false,
        };
        for row in &rows {
            page.take(row).ok_or_else(|| Error::internal("an event cannot be read"))?;
        }
        if page.oldest == 0 {
            page.oldest = page.head.0 + 1;
        }
        page.has_more = trim(&mut page.changes, query.limit, false);
        Ok(page)
    }
}

impl Tx {
    /// Begins another epoch of the feed: positions of before are refused from now on.
    pub async fn begin_epoch(&self) -> Result<()> {
        let mut sql = self.sql();
        sql.push("UPDATE organization_sequence AS t SET epoch = ").bind(id::new()).push(" WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" RETURNING organization_id");
        self.rows(sql.finish(), &[]).await?;
        Ok(())
    }
}

impl FeedPage {
    fn take(&mut self, row: &[Cell]) -> Option<()> {
        let (sequence, id) = (row[1].int()?, row[2].id()?);
        match usize::try_from(row[0].int()?).ok()? {
            EPOCH => self.epoch = id,
            OLDEST => self.oldest = sequence,
            HEAD => self.head = (sequence, id),
            FOUND => self.found = Some(id),
            _ => self.changes.push(FeedChange {
                position: (sequence, id),
                occurred_at: row[3].int()?,
                noun: noun_named(row[4].text()?)?,
                row: row[5].id()?,
                operation: EventOperation::parse(row[6].text()?)?,
                version: row[7].int()?,
                fields: serde_json::from_str(row[8].text()?).ok()?,
                merged_into: row[9].id(),
                is_erased: row[10].int()? == 1,
            }),
        }
        Some(())
    }
}

fn write(sql: &mut Sql, query: &FeedQuery, organization: OrganizationId, now: DateTime<Utc>) {
    sql.push("SELECT u.* FROM (");
    begin(sql, EPOCH, "organization_id").push("CAST(0 AS BIGINT), COALESCE(t.epoch, t.organization_id)");
    no_event(sql, "organization_id").push("organization_sequence AS t WHERE ");
    sql.filter_tenant(Alias::ROW, "organization_id", organization).push(" UNION ALL ");
    begin(sql, OLDEST, "id").push("COALESCE(");
    write_oldest(sql, organization, now);
    no_event(sql.push(", 0), t.id"), "id").push("organization AS t WHERE ");
    sql.filter_tenant(Alias::ROW, &organization::NOUN, organization);
    for (part, rest) in [(HEAD, " ORDER BY t.sequence DESC LIMIT 1"), (FOUND, " AND t.sequence = ")] {
        begin(sql.push(" UNION ALL SELECT * FROM ("), part, "organization_id").push("t.sequence, t.id");
        no_event(sql, "organization_id").push("event AS t WHERE ");
        sql.filter_tenant(Alias::ROW, &event::NOUN, organization).push(rest);
        if part == FOUND {
            sql.bind(query.after);
        }
        sql.push(") AS b").number(part);
    }
    begin(sql.push(" UNION ALL SELECT * FROM ("), PAGE, "organization_id");
    write_page(sql, query, organization);
    sql.push(") AS b").number(PAGE).push(") AS u ORDER BY 2, 3");
}

/// Appends the tenant and the part of a row.
fn begin<'a>(sql: &'a mut Sql, part: usize, tenant: &'static str) -> &'a mut Sql {
    sql.push("SELECT ").column(Alias::ROW, tenant).push(" AS tenant, CAST(").number(part).push(" AS BIGINT) AS part, ")
}

/// Appends values for the columns of which a row has none. Not null, because PostgreSQL would take nulls for texts.
fn no_event<'a>(sql: &'a mut Sql, id: &'static str) -> &'a mut Sql {
    sql.push(", CAST(0 AS BIGINT), CAST('' AS TEXT), ").column(Alias::ROW, id);
    sql.push(", CAST('' AS TEXT), CAST(0 AS BIGINT), CAST('' AS TEXT), ").column(Alias::ROW, id);
    sql.push(", CAST(0 AS BIGINT) FROM ")
}

/// Appends the sequence of the oldest event that the organization keeps readable; null if there is none.
fn write_oldest(sql: &mut Sql, organization: OrganizationId, now: DateTime<Utc>) {
    let begin = |sql: &mut Sql| {
        sql.push("(SELECT e.sequence FROM event AS e WHERE ");
        sql.filter_tenant_again("it is that of the row", BESIDE, &event::NOUN, organization).push(" AND ");
        sql.same_tenant_again("the events are filtered", (BESIDE, "organization_id"), (Alias::ROW, "id"));
    };
    sql.push("CASE WHEN t.change_retention_days IS NULL THEN ");
    begin(sql);
    sql.push(" ORDER BY e.sequence LIMIT 1) ELSE ");
    begin(sql);
    sql.push(" AND e.occurred_at >= ").bind(now.timestamp_millis()).push(" - t.change_retention_days * ");
    sql.bind(DAY).push(" ORDER BY e.occurred_at, e.id LIMIT 1) END");
}

fn write_page(sql: &mut Sql, query: &FeedQuery, organization: OrganizationId) {
    sql.push("t.sequence, t.id, t.occurred_at, t.noun, t.row_id, t.operation, t.version, t.fields, ");
    sql.push("CASE WHEN t.operation = 'MERGED' THEN ").merged_target(Alias::ROW, "row_id", organization);
    sql.push(" END, CASE WHEN EXISTS (SELECT 1 FROM event AS e WHERE ");
    sql.filter_tenant_again(
        "the row is found by an id in the organization's own event, and is never shown",
        BESIDE,
        &event::NOUN,
        organization,
    );
    // An index has only these events, so that a row with a long history costs no more than another.
    sql.push(" AND e.row_id = t.row_id AND e.sequence >= t.sequence AND e.operation = 'ERASED') ");
    sql.push("THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END FROM event AS t WHERE ");
    sql.filter_tenant(Alias::ROW, &event::NOUN, organization).push(" AND t.sequence > ").bind(query.after);
    let text = |name: &str| Cell::Text(name.to_owned());
    let names: Vec<Cell> = query.nouns.iter().map(|noun| text(noun.name)).collect();
    sql.push(" AND ").is_one_of_cells(Alias::ROW, "noun", CellKind::Text, &names);
    if let Some(operations) = &query.operations {
        let names: Vec<Cell> = operations.iter().map(|operation| text(operation.name())).collect();
        sql.push(" AND ").is_one_of_cells(Alias::ROW, "operation", CellKind::Text, &names);
    }
    sql.push(" ORDER BY t.sequence LIMIT ").number(query.limit + 1);
}
