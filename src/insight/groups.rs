//! Counts and means of feedback records by point, medium, department, kind, product, tag, attribute and time.

use std::{cmp::Reverse, collections::HashSet};

use entity::{
    Permission, feedback_record,
    id::{DepartmentId, InteractionPointId, MediumId},
    noun::{Field, Kind, Noun, StringEnum},
    rollup::{FEEDBACK_NUMBERS, Number},
};

use super::{
    buckets::Buckets,
    group_read::{GroupRow, Key, NAMES},
    group_types::{
        Bucket, FeedbackRecordGroup, FeedbackRecordGroupAttribute, FeedbackRecordGroupCes, FeedbackRecordGroupTag,
        FeedbackRecordGroups, GroupArguments, GroupKey, GroupOrder, ScoreMean,
    },
};
use crate::{
    Error, Result,
    graphql::{
        planning::distinct::PageInfo,
        slice::Query,
        typed::{fields::QueryFn, output::count},
    },
    store::{
        Scope,
        paging::{cursor::Codec, page::trim},
        statement::{cell::Cell, filter::Predicate, template::Templates},
    },
};

/// Maximum number of groups in a response, and of buckets.
pub(super) const MAX: usize = 10_000;
/// Numbers whose means are returned.
pub(super) static SCORES: [Number; 7] = FEEDBACK_NUMBERS;
/// The noun whose rows are grouped.
pub(super) static NOUN: &Noun = &feedback_record::NOUN;

/// The query `feedbackRecordGroups`.
pub(super) const GROUPS: Query = Query {
    name: "feedbackRecordGroups",
    doc: "Groups feedback records and returns the count and the mean of each score per group. With a bucket and no \
          keys, empty buckets between the first and the last record are included with count 0; above 10,000 \
          buckets, empty ones are omitted.",
    permissions: &[Permission::RecordRead],
    run: &QueryFn::new(|scope, input| Box::pin(groups(scope, input))),
};

/// A parsed query.
pub(super) struct Ask {
    pub filter: Predicate,
    pub keys: Vec<Key>,
    pub bucket: Option<Bucket>,
    /// The buckets, once they are computed.
    pub buckets: Option<Buckets>,
    pub order: GroupOrder,
    pub first: usize,
    /// The values of the cursor, in the order of the sort terms.
    pub after: Option<Vec<Cell>>,
}

async fn groups(scope: &Scope, input: GroupArguments) -> Result<FeedbackRecordGroups> {
    let mut ask = Ask::of(scope, input)?;
    let codec = ask.codec(scope);
    let has_previous_page = ask.after.is_some();
    let mut rows = ask.rows(scope).await?;
    let totals = |rows: &[GroupRow]| rows.first().map_or((0, 0), |row| (row.groups, row.records));
    let (mut group_count, mut record_count) = totals(&rows);
    // The rollup returns its totals in a separate row if there are no groups after the cursor.
    rows.retain(|row| row.count.is_some());
    if rows.is_empty() && group_count == 0 && ask.after.is_some() && !ask.fills() {
        let all = Ask { after: None, first: 1, ..ask };
        ask = all;
        let rows = ask.rows(scope).await?;
        (group_count, record_count) = totals(&rows);
    }
    if ask.keys.iter().any(Key::repeats) {
        record_count = scope.count(NOUN, &ask.filter, &Templates::default()).await?;
    }
    let mut groups: Vec<Group> = rows.into_iter().map(|row| ask.group(row)).collect();
    if let Some(edges) = ask.buckets.as_ref().filter(|_| ask.fills()).and_then(Buckets::all) {
        group_count = count(edges.len() - 1);
        ask.fill(edges, &mut groups);
    }
    if ask.fills() {
        ask.skip(&mut groups);
    }
    let has_next_page = trim(&mut groups, ask.first, false);
    let cursor = |group: Option<&Group>| group.map(|group| codec.encode(&group.cursor));
    let page_info = PageInfo {
        has_next_page,
        has_previous_page,
        start_cursor: cursor(groups.first()),
        end_cursor: cursor(groups.last()),
    };
    let nodes = groups.into_iter().map(|group| group.shown).collect();
    Ok(FeedbackRecordGroups { record_count, group_count, nodes, page_info })
}

/// A group and its position in the sort order.
struct Group {
    shown: FeedbackRecordGroup,
    start: Option<i64>,
    cursor: Vec<Cell>,
}

/// Returns the field with the attributes of the noun.
fn attributes() -> &'static Field {
    let mut fields = NOUN.fields.iter();
    fields.find(|field| matches!(field.kind, Kind::Attributes { .. })).expect("feedback records have attributes")
}

impl Ask {
    fn of(scope: &Scope, input: GroupArguments) -> Result<Self> {
        let keys = input.group_by.into_iter().map(Key::Of);
        let keys = keys.chain(input.attributes.into_iter().map(Key::Attribute));
        let keys: Vec<Key> = keys.chain(input.tag_prefixes.into_iter().map(Key::TagPrefix)).collect();
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
        let first = usize::try_from(input.first).unwrap_or_default();
        let filter = input.filter.predicate(scope)?;
        let (bucket, order) = (input.bucket, input.order_by);
        let mut ask = Self { filter, keys, bucket, buckets: None, order, first, after: None };
        ask.after = input.after.map(|cursor| ask.codec(scope).decode(&cursor)).transpose()?;
        Ok(ask)
    }

    /// Returns the groups after the cursor, at most [`Ask::limit`]: from the rollup if it supports the query, otherwise
    /// from the records.
    async fn rows(&mut self, scope: &Scope) -> Result<Vec<GroupRow>> {
        match self.counted(scope).await? {
            Some(rows) => Ok(rows),
            None => self.read(scope).await,
        }
    }

    fn codec(&self, scope: &Scope) -> Codec {
        let mut terms = self.terms("bucket", |place| NAMES[place]);
        // Identify cursors by the meaning of the terms, not by the generated column names.
        for term in &mut terms {
            term.column.name = term.column.field;
        }
        Codec::new(NOUN, &terms, scope.organization())
    }

    /// Returns whether the response includes empty buckets. If so, all groups are read and the page is taken from them.
    pub(super) fn fills(&self) -> bool {
        self.keys.is_empty() && self.bucket.is_some()
    }

    /// Returns the maximum number of groups to read: the page plus one, or [`MAX`] plus one if [`Ask::fills`].
    pub(super) fn limit(&self) -> usize {
        if self.fills() { MAX + 1 } else { self.first + 1 }
    }

    fn group(&self, row: GroupRow) -> Group {
        let count = row.count.unwrap_or(0);
        let by_count = (self.order == GroupOrder::Count).then_some(Cell::Int(count)).into_iter();
        let cursor = by_count.chain(row.start.map(Cell::Int)).chain(row.keys.iter().cloned()).collect();
        let span = self.buckets.as_ref().zip(row.start).map(|(buckets, start)| buckets.span(start));
        let [mean_sentiment_score, mean_nps, mean_csat, efforts @ ..] = row.scores;
        let efforts = SCORES[SCORES.len() - efforts.len()..].iter().zip(efforts);
        let effort = |(number, score): (&Number, ScoreMean)| {
            let scale = number.only.and_then(|(_, scale)| StringEnum::parse(scale));
            scale.zip(score.mean).map(|(scale, mean)| FeedbackRecordGroupCes { scale, mean, n: score.n })
        };
        let mut shown = FeedbackRecordGroup {
            count,
            bucket_start: span.map(|(start, _)| start),
            bucket_end: span.and_then(|(_, end)| end),
            mean_sentiment_score,
            mean_nps,
            mean_csat,
            ces_means: efforts.filter_map(effort).collect(),
            ..FeedbackRecordGroup::default()
        };
        for (key, cell) in self.keys.iter().zip(row.keys) {
            let text = cell.text().map(str::to_owned);
            match key {
                Key::Of(GroupKey::Point) => shown.point_id = cell.id().map(InteractionPointId),
                Key::Of(GroupKey::Medium) => shown.medium_id = cell.id().map(MediumId),
                Key::Of(GroupKey::Department) => shown.department_id = cell.id().map(DepartmentId),
                Key::Of(GroupKey::Kind) => shown.kind = text.as_deref().and_then(StringEnum::parse),
                Key::Of(GroupKey::Product) => shown.product = text,
                Key::Of(GroupKey::Tag) => shown.tag = text,
                Key::Attribute(name) => {
                    shown.attributes.push(FeedbackRecordGroupAttribute { name: name.clone(), value: text });
                }
                Key::TagPrefix(prefix) => {
                    shown.tags.push(FeedbackRecordGroupTag { prefix: prefix.clone(), tag: text });
                }
            }
        }
        Group { shown, start: row.start, cursor }
    }

    /// Adds the buckets without records and restores the sort order.
    fn fill(&self, edges: &[i64], groups: &mut Vec<Group>) {
        let known: HashSet<i64> = groups.iter().filter_map(|group| group.start).collect();
        let missing = edges[..edges.len() - 1].iter().filter(|start| !known.contains(start));
        groups.extend(
            missing.map(|start| self.group(GroupRow { start: Some(*start), count: Some(0), ..GroupRow::default() })),
        );
        match self.order {
            GroupOrder::Key => groups.sort_by_key(|group| group.start),
            GroupOrder::Count => groups.sort_by_key(|group| (Reverse(group.shown.count), group.start)),
        }
    }

    /// Removes the groups up to the cursor.
    fn skip(&self, groups: &mut Vec<Group>) {
        let Some(after) = &self.after else { return };
        let start = after.last().and_then(Cell::int);
        groups.retain(|group| match (self.order, after.first().and_then(Cell::int)) {
            (GroupOrder::Count, Some(count)) => (Reverse(group.shown.count), group.start) > (Reverse(count), start),
            _ => group.start > start,
        });
    }
}
