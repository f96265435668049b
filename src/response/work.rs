//! The query `myWork`: open cases and follow-ups in one list, by what is due next.

use entity::{
    Permission,
    case::{self, CaseStage},
    department,
    follow_up::{self, FollowUpStatus},
    id::{DepartmentId, MemberId},
    member,
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use crate::{
    Error, Result,
    graphql::{
        planning::{connection::page_size, distinct::PageInfo},
        slice::Query,
        typed::{
            fields::QueryFn,
            input::{Input, RefTo},
            output::{Output, instant},
            union::row_union,
        },
    },
    record::{
        time_range::TimeRange,
        timeline::{page_info, position},
    },
    store::{
        Scope,
        paging::{
            cursor::Codec,
            timeline::{NEVER, Open, Source, TimelinePage, TimelineQuery, TimelineRow},
        },
        statement::{
            cell::{Cell, CellKind},
            filter::{Comparison, Predicate},
        },
    },
};

/// The query `myWork`.
pub const MY_WORK: Query = Query {
    name: "myWork",
    doc: "The open cases and follow-ups of a member or of a department in one list: what is due first in front, overdue \
          work among it, and cases without a deadline last. Without a subject and a department, it is that of the member \
          with the token's subject; nothing if nobody has it.",
    permissions: &[Permission::ResponseRead],
    run: &QueryFn::new(|scope, wanted| Box::pin(my_work(scope, wanted))),
};

entity::string_enum! {
    /// A type of work.
    WorkKind as "WorkKind" {
        /// A case that is not closed.
        Case = "CASE",
        /// A follow-up that is open.
        FollowUp = "FOLLOW_UP",
    }
}

/// All types of work.
pub(super) const KINDS: [WorkKind; 2] = [WorkKind::Case, WorkKind::FollowUp];

row_union! {
    /// Something to be done.
    WorkItem, Some(Permission::ResponseRead), [&case::NOUN, &follow_up::NOUN].into_iter()
}

/// Whose work, and which entries of it.
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
    /// Returns work of these types. Defaults to all.
    kinds: Option<Vec<WorkKind>>,
    /// Returns only what is due in this time. Cases without a deadline are due at the end of all times.
    between: Option<TimeRange>,
    /// Subject of the member whose work it is. Cannot be combined with `department`.
    #[input(max = 255)]
    subject: Option<String>,
    /// Department whose work it is, whoever has taken it.
    department: Option<RefTo<DepartmentId>>,
}

/// A page of a list of work.
#[derive(Output)]
#[output(read = ResponseRead)]
struct WorkConnection {
    /// The rows of the page.
    nodes: Vec<WorkItem>,
    /// The entries of the page, with the time and the cursor of each row.
    edges: Vec<WorkEdge>,
    /// Position of the page within the list.
    page_info: PageInfo,
}

/// An entry of a list of work.
#[derive(Output)]
#[output(read = ResponseRead)]
struct WorkEdge {
    /// The row itself.
    node: WorkItem,
    /// The type of the row.
    kind: WorkKind,
    /// When it is due next, UTC; null for a case without a deadline.
    due_at: Option<ChronoUnixTimestampMillis>,
    /// Whether that is past.
    is_overdue: bool,
    /// Opaque position of the row in the list.
    cursor: String,
}

const CASE: Open = Open { state: case::STAGE.name(), ended: &[CaseStage::Closed.text()], due: case::DUE_AT.name() };
const FOLLOW_UP: Open = Open {
    state: follow_up::STATUS.name(),
    ended: &[FollowUpStatus::Done.text(), FollowUpStatus::Skipped.text()],
    due: follow_up::DUE_AT.name(),
};

/// Whose work it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner {
    Member(Uuid),
    Department(Uuid),
}

impl Owner {
    pub(super) const fn id(self) -> Uuid {
        match self {
            Self::Member(id) | Self::Department(id) => id,
        }
    }

    /// Returns the rows of a kind that are its work.
    const fn source(self, kind: WorkKind) -> Source {
        let (case, follow_up) = match self {
            Self::Member(_) => (case::ASSIGNEE_ID.name(), follow_up::OWNER_ID.name()),
            Self::Department(_) => (case::DEPARTMENT_ID.name(), follow_up::DEPARTMENT_ID.name()),
        };
        match kind {
            WorkKind::Case => Source::open(&case::NOUN, case, &CASE),
            WorkKind::FollowUp => Source::open(&follow_up::NOUN, follow_up, &FOLLOW_UP),
        }
    }

    /// Returns the query of its work, before paging.
    pub(super) fn query(self, kinds: impl IntoIterator<Item = WorkKind>) -> TimelineQuery {
        let sources = kinds.into_iter().map(|kind| self.source(kind)).collect();
        TimelineQuery { is_ascending: true, from: Some(i64::MIN), ..TimelineQuery::of(sources) }
    }
}

/// Returns whose work is wanted; `None` if there is no such member or department.
async fn owner(scope: &Scope, wanted: &Wanted) -> Result<Option<Owner>> {
    if let Some(named) = &wanted.department {
        if wanted.subject.is_some() {
            return Err(Error::BadInput("work is that of a subject or of a department".to_owned()));
        }
        scope.may_read(&department::NOUN)?;
        return Ok(scope.row_id(&department::NOUN, &named.reference).await?.map(Owner::Department));
    }
    let subject = wanted.subject.as_ref().unwrap_or(&scope.actor().subject);
    let named = Comparison::Eq(Cell::Text(subject.clone()));
    let filter = Predicate::Column(member::SUBJECT.into(), named);
    let found = scope.select_where_unchecked((member::ID,), &filter, 1).await?;
    Ok(found.into_iter().next().map(|(MemberId(id),)| Owner::Member(id)))
}

async fn my_work(scope: &Scope, wanted: Wanted) -> Result<WorkConnection> {
    let (limit, is_backward) = page_size(wanted.first, wanted.last)?;
    let Some(owner) = owner(scope, &wanted).await? else {
        let page_info =
            PageInfo { has_next_page: false, has_previous_page: false, start_cursor: None, end_cursor: None };
        return Ok(WorkConnection { nodes: Vec::new(), edges: Vec::new(), page_info });
    };
    let kinds = wanted.kinds.unwrap_or_else(|| KINDS.to_vec());
    let question = format!("work {owner:?}");
    let codec = Codec::for_query(&question, &[CellKind::Int, CellKind::Id], scope.organization());
    let position = |cursor: Option<String>| cursor.map(|cursor| position(&codec, &cursor)).transpose();
    let (after, before) = (position(wanted.after)?, position(wanted.before)?);
    let (from, to) = wanted.between.unwrap_or_default().millis();
    let all = owner.query(KINDS.into_iter().filter(|kind| kinds.contains(kind)));
    let query = TimelineQuery { from: from.or(all.from), to, after, before, limit, is_backward, ..all };
    let page = scope.timelines(&query, &[owner.id()]).await?.remove(&owner.id()).unwrap_or_default();
    Ok(connection(scope, &codec, &query, &page))
}

fn connection(scope: &Scope, codec: &Codec, query: &TimelineQuery, page: &TimelinePage) -> WorkConnection {
    let now = scope.now().timestamp_millis();
    let edge = |row: &TimelineRow| {
        let (at, id) = row.position;
        WorkEdge {
            node: WorkItem { noun: row.noun, id },
            kind: if row.noun.table == case::TABLE { WorkKind::Case } else { WorkKind::FollowUp },
            due_at: (at < NEVER).then(|| instant(at)),
            is_overdue: at < now,
            cursor: codec.encode([&Cell::Int(at), &Cell::Id(id)]),
        }
    };
    let edges: Vec<WorkEdge> = page.rows.iter().map(edge).collect();
    let page_info = page_info(query, page.has_more, edges.iter().map(|edge| &edge.cursor));
    WorkConnection { nodes: edges.iter().map(|edge| edge.node).collect(), edges, page_info }
}
