//! Counts and means of feedback records by point, medium, department, kind, product, tag, attribute and time.

use std::{cmp::Reverse, collections::HashSet};

use entity::{
    Noun, Permission, feedback_record,
    noun::{EnumType, Field, Kind, StringEnum},
};
use futures_util::future::BoxFuture;

use super::{
    buckets::{Bucket, Buckets},
    group_read::{Key, NAMES},
    group_types::{ATTRIBUTE, GROUP, GROUPS, GroupKey, GroupOrder, MEAN, TAG},
};
use crate::{
    Error, Result,
    calendar::BucketUnit,
    graphql::{
        mutation::input::{Input, text},
        planning::filter::list_filter,
        slice::{Argument, ComputedObject, InputObject, Query, Resolved},
    },
    store::{
        Scope,
        paging::cursor::Codec,
        rollup::BILLIONTHS,
        statement::{
            cell::{Cell, CellKind, column_named},
            filter::Predicate,
        },
    },
};

/// Groups when the caller does not say.
const DEFAULT: usize = 1_000;
/// Most groups of one answer, and most buckets.
pub(super) const MAX: usize = 10_000;
/// Columns whose means are told, with their names on the wire.
pub(super) const SCORES: [(&str, &str); 4] =
    [("sentiment_score", "meanSentimentScore"), ("nps", "meanNps"), ("csat", "meanCsat"), ("ces", "meanCes")];
/// The noun that is counted.
pub(super) static NOUN: &Noun = &feedback_record::NOUN;

/// The objects of the answer.
pub const OBJECTS: &[&Noun] = &[&GROUPS, &GROUP, &MEAN, &ATTRIBUTE, &TAG];

/// The enums of the arguments.
pub const ENUMS: &[&EnumType] = &[GroupKey::TYPE, GroupOrder::TYPE, BucketUnit::TYPE];

/// A time bucket.
pub const BUCKET: InputObject = InputObject {
    name: "BucketInput",
    doc: "Contiguous half-open time buckets by the time feedback was received, correct across daylight saving \
          changes.",
    fields: &[
        Argument { name: "unit", ty: "BucketUnit!", default: None, doc: "Unit of a bucket." },
        Argument {
            name: "timeZone",
            ty: "TimeZone",
            default: None,
            doc: "Time zone of the calendar. Defaults to the organization's.",
        },
        Argument {
            name: "weekStart",
            ty: "Weekday",
            default: None,
            doc: "First day of a week. Defaults to the organization's.",
        },
    ],
};

/// The query.
pub const QUERY: Query = Query {
    name: "feedbackRecordGroups",
    doc: "Groups feedback records and returns the count and the mean of each score per group. With a bucket and no \
          keys, empty buckets between the first and the last record are included with count 0; above 10,000 \
          buckets, empty ones are omitted.",
    arguments: &[
        Argument {
            name: "filter",
            ty: "FeedbackRecordFilter",
            default: None,
            doc: "Conditions on the records; all of them must hold.",
        },
        Argument {
            name: "groupBy",
            ty: "[FeedbackRecordGroupKey!]",
            default: Some("[]"),
            doc: "Keys to group by, \
            without duplicates.",
        },
        Argument {
            name: "attributes",
            ty: "[String!]",
            default: Some("[]"),
            doc: "Names of up to three attributes to group by. Records without the attribute count under null. \
                  Requires `customers:read` unless an admin declared the attribute not personal.",
        },
        Argument {
            name: "tagPrefixes",
            ty: "[String!]",
            default: Some("[]"),
            doc: "A tag prefix to group by, at most one. A record with several matching tags counts under each of \
                  them, a record without one under null.",
        },
        Argument { name: "bucket", ty: "BucketInput", default: None, doc: "Time bucket to group by." },
        Argument { name: "orderBy", ty: "GroupOrder", default: Some("COUNT"), doc: "Sort order of the groups." },
        Argument { name: "first", ty: "Int", default: Some("1000"), doc: "Maximum number of groups, 1 to 10,000." },
        Argument {
            name: "after",
            ty: "String",
            default: None,
            doc: "Returns the groups after this cursor: `pageInfo.endCursor` of the previous page of the same query.",
        },
    ],
    answer: &GROUPS,
    permissions: &[Permission::RecordRead],
    run: groups,
};

/// What was asked.
pub(super) struct Ask {
    pub filter: Predicate,
    pub keys: Vec<Key>,
    pub bucket: Option<Bucket>,
    /// The buckets, once they are known.
    pub buckets: Option<Buckets>,
    pub order: GroupOrder,
    pub first: usize,
    /// The values of a cursor, in the order of the groups.
    pub after: Option<Vec<Cell>>,
}

fn groups<'a>(scope: &'a Scope, input: &'a Input) -> BoxFuture<'a, Result<Resolved>> {
    Box::pin(async move {
        let mut ask = ask(scope, input)?;
        let codec = ask.codec(scope);
        let mut rows = ask.rows(scope).await?;
        let place = ask.keys.len() + usize::from(ask.bucket.is_some());
        let told = |rows: &[Vec<Cell>], offset: usize| rows.first().and_then(|row| row[place + offset].int());
        let (mut group_count, mut record_count) = (told(&rows, 1).unwrap_or(0), told(&rows, 2).unwrap_or(0));
        // The counts give their totals in a row of their own where no group follows.
        rows.retain(|row| !row[place].is_null());
        if rows.is_empty() && group_count == 0 && ask.after.is_some() && !ask.fills() {
            let all = Ask { after: None, first: 1, ..ask };
            ask = all;
            let rows = ask.rows(scope).await?;
            (group_count, record_count) = (told(&rows, 1).unwrap_or(0), told(&rows, 2).unwrap_or(0));
        }
        if ask.keys.iter().any(Key::repeats) {
            record_count = scope.count(NOUN, &ask.filter).await?;
        }
        let mut groups: Vec<Group> = rows.iter().map(|row| ask.group(row)).collect();
        if let Some(edges) = ask.buckets.as_ref().filter(|_| ask.fills()).and_then(Buckets::all) {
            group_count = i64::try_from(edges.len() - 1).unwrap_or(i64::MAX);
            ask.fill(edges, &mut groups);
        }
        if ask.fills() {
            ask.skip(&mut groups);
        }
        let has_more = groups.len() > ask.first;
        groups.truncate(ask.first);
        let cursor = |group: Option<&Group>| group.map_or(Cell::Null, |group| Cell::Text(codec.encode(&group.cursor)));
        let page = ComputedObject {
            cells: vec![
                ("has_next", Cell::Bool(has_more)),
                ("has_previous", Cell::Bool(input.present("after").is_some())),
                ("start_cursor", cursor(groups.first())),
                ("end_cursor", cursor(groups.last())),
            ],
            inside: Vec::new(),
        };
        Ok(Resolved::Object(ComputedObject {
            cells: vec![("record_count", Cell::Int(record_count)), ("group_count", Cell::Int(group_count))],
            inside: vec![("nodes", groups.into_iter().map(|group| group.made).collect()), ("pageInfo", vec![page])],
        }))
    })
}

/// A group, and where it stands in the order.
struct Group {
    made: ComputedObject,
    start: Option<i64>,
    count: i64,
    cursor: Vec<Cell>,
}

fn ask(scope: &Scope, input: &Input) -> Result<Ask> {
    let mut keys = Vec::new();
    for value in input.list("groupBy") {
        let key = text(value).and_then(GroupKey::parse);
        keys.push(Key::Of(key.ok_or_else(|| Error::BadInput("groupBy takes group keys".to_owned()))?));
    }
    for (name, most) in [("attributes", 3), ("tagPrefixes", 1)] {
        let values = input.list(name);
        if values.len() > most {
            return Err(Error::BadInput(format!("{name} takes at most {most}")));
        }
        for value in values {
            let given = text(value).filter(|text| !text.contains('\0'));
            let given = given.ok_or_else(|| Error::BadInput(format!("{name} takes strings")))?.to_owned();
            keys.push(if name == "attributes" { Key::Attribute(given) } else { Key::TagPrefix(given) });
        }
    }
    for (place, key) in keys.iter().enumerate() {
        if let Some(permission) = key.permission() {
            scope.actor().require(permission)?;
        }
        if let Key::Attribute(name) = key {
            scope.attribute_access().may_use_attribute(NOUN, attributes(), name)?;
        }
        if keys[..place].contains(key) {
            return Err(Error::BadInput(format!("duplicate key {key:?}")));
        }
    }
    debug_assert!(keys.len() <= NAMES.len());
    let first = match input.int("first")? {
        None => DEFAULT,
        Some(first) => usize::try_from(first)
            .ok()
            .filter(|first| (1..=MAX).contains(first))
            .ok_or_else(|| Error::BadInput(format!("first must be from 1 to {MAX}")))?,
    };
    let filter = list_filter(NOUN, input.get("filter"), scope.attribute_access())?;
    let bucket = input.object("bucket")?.map(|bucket| Bucket::read(&bucket)).transpose()?;
    let order = input.text("orderBy")?.and_then(GroupOrder::parse).unwrap_or(GroupOrder::Count);
    let mut ask = Ask { filter, keys, bucket, buckets: None, order, first, after: None };
    ask.after = input.text("after")?.map(|cursor| ask.codec(scope).decode(cursor)).transpose()?;
    Ok(ask)
}

/// The attributes of the noun.
fn attributes() -> &'static Field {
    let mut fields = NOUN.fields.iter();
    fields.find(|field| matches!(field.kind, Kind::Attributes { .. })).expect("feedback records have attributes")
}

impl Ask {
    /// The groups after the cursor, one more than are shown: from what is kept counted where that answers the question.
    async fn rows(&mut self, scope: &Scope) -> Result<Vec<Vec<Cell>>> {
        match self.counted(scope).await? {
            Some(rows) => Ok(rows),
            None => self.read(scope).await,
        }
    }

    fn codec(&self, scope: &Scope) -> Codec {
        let mut terms = self.terms("bucket", |place| NAMES[place]);
        // What a cursor is of is told by what the terms mean.
        for term in &mut terms {
            term.column.name = term.column.field;
        }
        Codec::new(NOUN, &terms, scope.organization())
    }

    /// Whether empty buckets are told: then all are read, and the page is cut from them.
    pub(super) fn fills(&self) -> bool {
        self.keys.is_empty() && self.bucket.is_some()
    }

    /// Most groups to read.
    pub(super) fn limit(&self) -> usize {
        if self.fills() { MAX + 1 } else { self.first + 1 }
    }

    fn group(&self, row: &[Cell]) -> Group {
        let mut cells: Vec<(&'static str, Cell)> = Vec::new();
        let (mut attributes, mut tags) = (Vec::new(), Vec::new());
        for (key, cell) in self.keys.iter().zip(row) {
            cells.extend(key.shown().map(|column| (column, cell.clone())));
            let of = |name: &String| ComputedObject {
                cells: vec![("name", Cell::Text(name.clone())), ("value", cell.clone())],
                inside: Vec::new(),
            };
            match key {
                Key::Attribute(name) => attributes.push(of(name)),
                Key::TagPrefix(prefix) => tags.push(of(prefix)),
                Key::Of(_) => {}
            }
        }
        let mut place = self.keys.len();
        let mut start = None;
        if let Some(buckets) = &self.buckets {
            start = row[place].int();
            cells.extend(start.into_iter().flat_map(|start| buckets.span(start)));
            place += 1;
        }
        cells.push(("count", row[place].clone()));
        let means = SCORES.iter().zip(row[place + 3..].chunks(2));
        let mut inside: Vec<_> = means.map(|((column, name), pair)| (*name, vec![mean(column, pair)])).collect();
        inside.extend([("attributes", attributes), ("tags", tags)]);
        let count = row[place].int().unwrap_or(0);
        let keys = &row[..self.keys.len()];
        Group { made: ComputedObject { cells, inside }, start, count, cursor: self.cursor(count, start, keys) }
    }

    fn cursor(&self, count: i64, start: Option<i64>, keys: &[Cell]) -> Vec<Cell> {
        let by_count = (self.order == GroupOrder::Count).then_some(Cell::Int(count));
        by_count.into_iter().chain(start.map(Cell::Int)).chain(keys.iter().cloned()).collect()
    }

    /// Puts empty buckets where no record was received.
    fn fill(&self, edges: &[i64], groups: &mut Vec<Group>) {
        let known: HashSet<i64> = groups.iter().filter_map(|group| group.start).collect();
        let zero = [Cell::Int(0), Cell::Null, Cell::Null].into_iter();
        let zero: Vec<Cell> = zero.chain(SCORES.iter().flat_map(|_| [Cell::Null, Cell::Int(0)])).collect();
        let missing = edges[..edges.len() - 1].iter().filter(|start| !known.contains(start));
        groups.extend(missing.map(|start| {
            let row: Vec<Cell> = [Cell::Int(*start)].into_iter().chain(zero.iter().cloned()).collect();
            self.group(&row)
        }));
        match self.order {
            GroupOrder::Key => groups.sort_by_key(|group| group.start),
            GroupOrder::Count => groups.sort_by_key(|group| (Reverse(group.count), group.start)),
        }
    }

    /// Leaves out the groups up to the cursor.
    fn skip(&self, groups: &mut Vec<Group>) {
        let Some(after) = &self.after else { return };
        let start = after.last().and_then(Cell::int);
        groups.retain(|group| match (self.order, after.first().and_then(Cell::int)) {
            (GroupOrder::Count, Some(count)) => (Reverse(group.count), group.start) > (Reverse(count), start),
            _ => group.start > start,
        });
    }
}

/// The mean of a score from its sum and number: sums of numbers with fractions are in billionths.
fn mean(column: &str, pair: &[Cell]) -> ComputedObject {
    let n = pair[1].int().unwrap_or(0);
    let unit = if column_named(NOUN, column).kind == CellKind::Float { BILLIONTHS } else { 1.0 };
    #[expect(clippy::cast_precision_loss, reason = "sums and numbers are below 2^52 for four million records")]
    let mean = pair[0].int().filter(|_| n > 0).map_or(Cell::Null, |sum| Cell::Float(sum as f64 / unit / n as f64));
    ComputedObject { cells: vec![("mean", mean), ("n", Cell::Int(n))], inside: Vec::new() }
}
