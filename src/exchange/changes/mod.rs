//! The query and the subscription `changes`: the changes of rows in the order of commits, for systems that stay in step.

mod filter;

use std::collections::HashSet;

use entity::{ChangeNoun, Permission, event::EventOperation, id::OrganizationId, kind::Sequence};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use self::filter::ChangeFilter;
use crate::{
    Error, Result,
    graphql::{
        planning::distinct::PageInfo,
        slice::{Query, Subscription},
        typed::{
            fields::QueryFn,
            input::Input,
            output::{Output, instant},
            subscription::{Step, SubscriptionFn},
            union::row_union,
        },
    },
    store::{
        Scope,
        paging::{
            cursor::Codec,
            feed::{FeedChange, FeedPage, FeedPosition, FeedQuery},
        },
        statement::cell::{Cell, CellKind},
    },
};

/// The query `changes`.
pub(super) const CHANGES: Query = Query {
    name: "changes",
    doc: "Changes of rows in the order of commits, oldest first: what a system reads that stays in step. To begin, take \
          `headCursor`, read all rows, then follow the changes after that cursor. Tells of the types that the caller may \
          read. If the caller may not read a selected field, fails with FORBIDDEN before it runs and shows nothing; so it \
          does for a token that is narrowed to departments. Fails with CURSOR_EXPIRED, and `oldestSequence` in the \
          extensions, if the position is of another epoch, not of this log, beyond the head, or before the oldest change.",
    permissions: &[Permission::ExchangeRead],
    run: &QueryFn::new(|scope, wanted| Box::pin(changes(scope, wanted))).whole(),
};

/// The subscription `changes`.
pub(super) const SUBSCRIPTION: Subscription = Subscription {
    name: "changes",
    doc: "Changes of rows as they are committed, page by page, oldest first: the query `changes`, asked again whenever there is \
          more. The first page comes at once, and may be empty. Without a position it begins at the head, so that its \
          `headCursor` is where to begin with a full read. To resume, give `pageInfo.endCursor` or else `headCursor` of \
          the last page as `after`. Changes are told at least once. Ends with CURSOR_EXPIRED as the query fails with it.",
    permissions: &[Permission::ExchangeRead],
    run: &SubscriptionFn::new(|scope, wanted, position| Box::pin(follow(scope, wanted, position))),
};

row_union! {
    /// A row that was changed.
    ChangedRow, None, ChangeNoun::all().map(ChangeNoun::noun), may_be_gone
}

/// Arguments of `changes`.
#[derive(Input)]
struct ChangesArguments {
    /// Returns the changes after this sequence; 0 is before all changes. Without a position, the query begins there, and the
    /// subscription at the head. Give `epoch`, too: a number alone does not show that an older backup was restored.
    after_sequence: Option<Sequence>,
    /// The epoch in which `afterSequence` was read.
    #[input(max = 64)]
    epoch: Option<String>,
    /// Returns the changes after this cursor: `pageInfo.endCursor` or `headCursor` of an earlier page, with any types and
    /// operations. Cannot be combined with `afterSequence` and `epoch`.
    after: Option<String>,
    /// Maximum number of changes, 1 to 1,000.
    #[input(default = 100, range = 1..=1_000)]
    first: i64,
    /// Types of rows. Defaults to all that the caller may read; a named one that the caller may not read fails with
    /// FORBIDDEN.
    types: Option<Vec<ChangeNoun>>,
    /// Kinds of changes. Defaults to all.
    operations: Option<Vec<EventOperation>>,
    /// Tells of the rows of one type, and in `isMatching` whether each meets this filter now. Cannot be combined with
    /// other `types`.
    filter: Option<ChangeFilter>,
}

/// A page of the feed of changes, with where the feed begins and ends as of the same moment.
#[derive(Output)]
#[output(read = ExchangeRead)]
struct ChangePage {
    /// The changes of the page, by `sequence`.
    nodes: Vec<Change>,
    /// Position of the page. If no page follows, changes up to `headCursor` have been shown.
    page_info: PageInfo,
    /// Sequence of the newest change in the organization, whatever its type; 0 if there is none.
    head_sequence: Sequence,
    /// Cursor of the newest change in the organization, whatever its type.
    head_cursor: String,
    /// Sequence of the oldest change that can be read; `headSequence` + 1 if there is none. See
    /// `Organization.changeRetentionDays`.
    oldest_sequence: Sequence,
    /// Changes when a backup is restored or erasures are replayed. Positions of another epoch are refused.
    epoch: String,
}

/// A change of a row: which one, and what kind of change. It has no values; `row` has those of now.
#[derive(Output)]
#[output(read = ExchangeRead)]
struct Change {
    /// Position in the order of commits of the organization. Ascending; those of types that the caller may not read are
    /// left out.
    sequence: Sequence,
    /// Kind of change.
    operation: EventOperation,
    /// Type of the row, for example `InteractionPoint`.
    row_type: String,
    /// Id of the row.
    #[output(row_of = "row_type")]
    row_id: Uuid,
    /// Version of the row after the change; for a deletion and a merge, the version that would have followed.
    row_version: i64,
    /// When the change happened, UTC.
    occurred_at: ChronoUnixTimestampMillis,
    /// Names of the changed fields: all given fields on create, none on delete.
    fields: Vec<String>,
    /// For `MERGED`, id of the row of the same type that the row stands for now; null if the merge was undone, and for
    /// other changes.
    #[output(row_of = "row_type")]
    merged_into_id: Option<Uuid>,
    /// The row as it is now. Null if it was deleted or merged into another, or if this change or a later one erased the
    /// personal data in it. Without selected fields for its type it is an empty object, and is not looked for.
    row: Option<ChangedRow>,
    /// Whether the row meets the argument `filter` now; null without it. False for a row that has left what the filter
    /// shows, because it was changed, archived, deleted or merged, and for one that was never in it.
    is_matching: Option<bool>,
}

/// A position from which a caller continues.
struct Position {
    /// The epoch, if it is known.
    epoch: Option<String>,
    /// The sequence; `None` for the head, whatever it is.
    sequence: Option<i64>,
    /// Id of the event there, if it is known.
    id: Option<Uuid>,
}

fn codec(organization: OrganizationId) -> Codec {
    Codec::for_query("changes", &[CellKind::Id, CellKind::Int, CellKind::Id], organization)
}

fn cursor(codec: &Codec, epoch: Uuid, (sequence, id): FeedPosition) -> String {
    codec.encode([&Cell::Id(epoch), &Cell::Int(sequence), &Cell::Id(id)])
}

impl Position {
    fn of(wanted: &ChangesArguments, codec: &Codec) -> Result<Self> {
        let Some(after) = &wanted.after else {
            let sequence = Some(wanted.after_sequence.map_or(0, Sequence::number));
            return Ok(Self { epoch: wanted.epoch.clone(), sequence, id: None });
        };
        if wanted.after_sequence.is_some() || wanted.epoch.is_some() {
            return Err(Error::BadInput("after is combined with afterSequence or epoch".to_owned()));
        }
        match codec.decode(after)?.as_slice() {
            [Cell::Id(epoch), Cell::Int(sequence), Cell::Id(id)] => {
                Ok(Self { epoch: Some(epoch.to_string()), sequence: Some(*sequence), id: Some(*id) })
            }
            _ => Err(Error::internal("a cursor of changes has other values")),
        }
    }

    /// The head, whatever it is.
    fn head(epoch: Option<String>) -> Self {
        Self { epoch, sequence: None, id: None }
    }

    /// Err if a page was not read after this position.
    fn check(&self, page: &FeedPage) -> Result<()> {
        let is_other = |epoch: &String| *epoch != page.epoch.to_string();
        let is_replaced = |id: Uuid| self.sequence > Some(0) && page.found != Some(id);
        let is_gone = |sequence: i64| sequence > page.head.0 || sequence < page.oldest - 1;
        if self.epoch.as_ref().is_some_and(is_other)
            || self.id.is_some_and(is_replaced)
            || self.sequence.is_some_and(is_gone)
        {
            return Err(Error::CursorExpired { oldest: page.oldest });
        }
        Ok(())
    }
}

/// Reads the page after a position.
async fn page(scope: &Scope, wanted: &ChangesArguments, position: &Position) -> Result<FeedPage> {
    let nouns = match (&wanted.filter, &wanted.types) {
        (Some(filter), None) => vec![filter.noun],
        (Some(filter), Some(types)) if types.iter().all(|noun| noun.noun().table == filter.noun.table) => {
            vec![filter.noun]
        }
        (Some(_), Some(_)) => return Err(Error::BadInput("filter is of one type: leave types out".to_owned())),
        (None, Some(types)) => types.iter().map(|noun| noun.noun()).collect(),
        (None, None) => ChangeNoun::all().map(ChangeNoun::noun).filter(|noun| scope.may_read(noun).is_ok()).collect(),
    };
    wanted.filter.as_ref().map_or(Ok(()), |filter| filter.check(scope))?;
    let limit = usize::try_from(wanted.first).unwrap_or_default();
    let operations = wanted.operations.clone();
    let page =
        scope.feed(&FeedQuery { after: position.sequence.unwrap_or(i64::MAX), nouns, operations, limit }).await?;
    position.check(&page)?;
    Ok(page)
}

async fn changes(scope: &Scope, wanted: ChangesArguments) -> Result<ChangePage> {
    let codec = codec(scope.organization());
    let position = Position::of(&wanted, &codec)?;
    let page = page(scope, &wanted, &position).await?;
    shown(scope, &wanted, (&codec, &position), page).await
}

/// Reads what follows the position of a subscription.
async fn follow(scope: &Scope, mut wanted: ChangesArguments, position: Option<String>) -> Result<Step<ChangePage>> {
    let codec = codec(scope.organization());
    let is_first = position.is_none();
    let begins_at_head = is_first && wanted.after.is_none() && wanted.after_sequence.is_none();
    if position.is_some() {
        (wanted.after, wanted.after_sequence, wanted.epoch) = (position, None, None);
    }
    let position = if begins_at_head { Position::head(wanted.epoch.take()) } else { Position::of(&wanted, &codec)? };
    let page = page(scope, &wanted, &position).await?;
    let seen = page.changes.last().filter(|_| page.has_more).map_or(page.head, |last| last.position);
    let (position_after, has_more) = (cursor(&codec, page.epoch, seen), page.has_more);
    let event = if is_first || !page.changes.is_empty() {
        Some(shown(scope, &wanted, (&codec, &position), page).await?)
    } else {
        None
    };
    Ok(Step { event, position: position_after, has_more })
}

/// Returns a page as the API shows it.
async fn shown(
    scope: &Scope,
    wanted: &ChangesArguments,
    (codec, position): (&Codec, &Position),
    page: FeedPage,
) -> Result<ChangePage> {
    let matching = match &wanted.filter {
        Some(filter) => Some(filter.matching(scope, &page.changes).await?),
        None => None,
    };
    let at = |change: &FeedChange| cursor(codec, page.epoch, change.position);
    let page_info = PageInfo {
        has_next_page: page.has_more,
        has_previous_page: position.sequence.unwrap_or(page.head.0) >= page.oldest,
        start_cursor: page.changes.first().map(at),
        end_cursor: page.changes.last().map(at),
    };
    Ok(ChangePage {
        page_info,
        head_sequence: Sequence::of(page.head.0),
        head_cursor: cursor(codec, page.epoch, page.head),
        oldest_sequence: Sequence::of(page.oldest),
        epoch: page.epoch.to_string(),
        nodes: page.changes.into_iter().map(|change| node(change, matching.as_ref())).collect(),
    })
}

fn node(change: FeedChange, matching: Option<&HashSet<Uuid>>) -> Change {
    let row = ChangedRow { noun: change.noun, id: change.row };
    Change {
        sequence: Sequence::of(change.position.0),
        operation: change.operation,
        row_type: change.noun.name.to_owned(),
        row_id: change.row,
        row_version: change.version,
        occurred_at: instant(change.occurred_at),
        fields: change.fields,
        merged_into_id: change.merged_into,
        row: (!change.is_erased).then_some(row),
        is_matching: matching.map(|rows| rows.contains(&change.row)),
    }
}
