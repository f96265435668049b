//! Timelines: everything that is recorded about a customer, an account or a point, in the order of time.

use std::collections::HashMap;

use entity::{Permission, TimelineKind, id::NounId};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use super::time_range::TimeRange;
use crate::{
    Error, Result,
    graphql::{
        planning::{connection::page_size, distinct::PageInfo},
        slice::{Computed, Part},
        typed::{
            fields::{ByRow, ComputedFn},
            input::Input,
            output::{Output, instant},
            union::row_union,
        },
    },
    store::{
        Scope,
        paging::{
            cursor::Codec,
            page::{Term, by_id, neighbors},
            timeline::{Position, TimelinePage, TimelineQuery},
        },
        statement::cell::{Cell, CellKind, Column},
    },
};

/// Returns the computed field with the timelines of rows of `T`.
pub(super) const fn of<T: NounId + 'static>() -> Part {
    let timeline = &const {
        Computed {
            name: "timeline",
            doc: "Everything that is recorded about it, newest first: the rows that refer to it, and repairs of the \
                  customer's units, without archived ones. `placedAt` of an edge says how rows are placed.",
            run: &const { ComputedFn::new(|scope, wanted, ids| Box::pin(timelines::<T>(scope, wanted, ids))) },
        }
    };
    Part::Computed(T::NOUN, timeline)
}

row_union! {
    /// A row on a timeline.
    TimelineRow, Some(Permission::RecordRead), TimelineKind::all().map(TimelineKind::noun)
}

/// The entries to return.
#[derive(Input)]
struct Wanted {
    /// Number of entries to return from the start, 1 to 1,000. Defaults to 25 if `last` is omitted too.
    first: Option<i64>,
    /// Returns the entries after this cursor.
    after: Option<String>,
    /// Number of entries to return from the end, 1 to 1,000. Cannot be combined with `first`.
    last: Option<i64>,
    /// Returns the entries before this cursor.
    before: Option<String>,
    /// Returns rows of these types. Defaults to all that the token may read.
    kinds: Option<Vec<TimelineKind>>,
    /// Returns entries of this time.
    between: Option<TimeRange>,
}

/// A page of a timeline.
#[derive(Output)]
#[output(read = RecordRead)]
struct TimelineConnection {
    /// The rows of the page.
    nodes: Vec<TimelineRow>,
    /// The entries of the page, with the time and the cursor of each row.
    edges: Vec<TimelineEdge>,
    /// Position of the page within the timeline.
    page_info: PageInfo,
}

/// An entry of a timeline.
#[derive(Output)]
#[output(read = RecordRead)]
struct TimelineEdge {
    /// The row itself.
    node: TimelineRow,
    /// The type of the row.
    kind: TimelineKind,
    /// The time that places the row on the timeline, UTC: of an interaction when it took place, or else when it is
    /// scheduled, or else when it was recorded; of an occasion when it was recorded; of a follow-up when it is due; of any
    /// other row its own time.
    placed_at: ChronoUnixTimestampMillis,
    /// Opaque position of the row on the timeline.
    cursor: String,
}

async fn timelines<T: NounId>(scope: &Scope, wanted: Wanted, ids: &[Uuid]) -> Result<ByRow<TimelineConnection>> {
    let time = Column { name: "time", kind: CellKind::Int, is_nullable: false, field: "at" };
    let codec = Codec::new(T::NOUN, &[Term::new(time, true), by_id(true)], scope.organization());
    let position = |cursor: Option<String>| cursor.map(|cursor| position(&codec, &cursor)).transpose();
    let (from, to) = wanted.between.unwrap_or_default().millis();
    let (limit, is_backward) = page_size(wanted.first, wanted.last)?;
    let (after, before) = (position(wanted.after)?, position(wanted.before)?);
    let kinds: Vec<TimelineKind> = match wanted.kinds {
        Some(kinds) => TimelineKind::all().filter(|kind| kinds.contains(kind)).collect(),
        None => TimelineKind::all().filter(|kind| scope.may_read(kind.noun()).is_ok()).collect(),
    };
    let all = TimelineQuery::new(T::NOUN, kinds.into_iter().map(TimelineKind::noun));
    let query = TimelineQuery { from, to, after, before, limit, is_backward, ..all };
    let mut pages = scope.timelines(&query, ids).await?;
    let mut shown = HashMap::with_capacity(ids.len());
    for id in ids {
        shown.insert(*id, connection(&codec, &query, pages.remove(id).unwrap_or_default())?);
    }
    Ok(shown)
}

/// Reads a cursor of a list in the order of time.
pub fn position(codec: &Codec, cursor: &str) -> Result<Position> {
    match codec.decode(cursor)?.as_slice() {
        [Cell::Int(at), Cell::Id(id)] => Ok((*at, *id)),
        _ => Err(Error::internal("a cursor has other values than its order")),
    }
}

fn connection(codec: &Codec, query: &TimelineQuery, page: TimelinePage) -> Result<TimelineConnection> {
    let mut edges = Vec::with_capacity(page.rows.len());
    for row in page.rows {
        let (at, id) = row.position;
        let kind = TimelineKind::all().find(|kind| kind.noun().table == row.noun.table);
        edges.push(TimelineEdge {
            node: TimelineRow { noun: row.noun, id },
            kind: kind.ok_or_else(|| Error::internal(format!("{} is not on timelines", row.noun.name)))?,
            placed_at: instant(at),
            cursor: codec.encode([&Cell::Int(at), &Cell::Id(id)]),
        });
    }
    let page_info = page_info(query, page.has_more, edges.iter().map(|edge| &edge.cursor));
    Ok(TimelineConnection { nodes: edges.iter().map(|edge| edge.node).collect(), edges, page_info })
}

/// Returns where a page of a list in the order of time stands, by the cursors of its entries.
pub fn page_info<'a>(
    query: &TimelineQuery,
    has_more: bool,
    mut cursors: impl DoubleEndedIterator<Item = &'a String> + Clone,
) -> PageInfo {
    let (has_next_page, has_previous_page) =
        neighbors(has_more, query.is_backward, query.after.as_ref(), query.before.as_ref());
    let end_cursor = cursors.clone().next_back().cloned();
    PageInfo { has_next_page, has_previous_page, start_cursor: cursors.next().cloned(), end_cursor }
}
