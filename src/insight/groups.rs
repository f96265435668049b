//! Counts and means of feedback records by point, medium, department, kind, product, tag and time.

use std::collections::HashSet;

use chrono::DateTime;
use chrono_tz::Tz;
use entity::{
    Noun, Permission, feedback_record,
    noun::{EnumType, Named},
    organization::{self, Weekday},
};
use futures_util::future::BoxFuture;

use super::group_types::{GROUP, GROUPS, GroupKey, GroupOrder, MEAN};
use crate::{
    Error, Result,
    calendar::{BucketUnit, boundaries},
    graphql::{
        filter::list_filter,
        input::{Input, text},
        slice::{Answer, Argument, InputObject, Made, Query},
    },
    store::{
        Scope,
        cell::{Cell, CellKind, given},
        filter::Predicate,
        narrow::Site,
        rollup::{self, BILLIONTHS},
        sql::{Alias, Sql},
    },
};

/// Groups when the caller does not say.
const DEFAULT: usize = 1_000;
/// Most groups of one answer, and most buckets.
pub(super) const MOST: usize = 10_000;
/// Columns whose means are told, with their names on the wire.
pub(super) const SCORES: [(&str, &str); 4] =
    [("sentiment_score", "meanSentimentScore"), ("nps", "meanNps"), ("csat", "meanCsat"), ("ces", "meanCes")];
/// The noun that is counted.
static NOUN: &Noun = &feedback_record::NOUN;

/// The objects of the answer.
pub const OBJECTS: &[&Noun] = &[&GROUPS, &GROUP, &MEAN];

/// The enums of the arguments.
pub const ENUMS: &[&EnumType] = &[GroupKey::TYPE, GroupOrder::TYPE, BucketUnit::TYPE];

/// A time bucket.
pub const BUCKET: InputObject = InputObject {
    name: "BucketInput",
    doc: "Contiguous, half-open buckets of the time feedback was received, right over daylight saving changes.",
    fields: &[
        Argument { name: "unit", ty: "BucketUnit!", default: None, doc: "How long a bucket is." },
        Argument {
            name: "timeZone",
            ty: "TimeZone",
            default: None,
            doc: "Where days begin; the organization's when left out.",
        },
        Argument {
            name: "weekStart",
            ty: "Weekday",
            default: None,
            doc: "First day of a week; the organization's when left out.",
        },
    ],
};

/// The query.
pub const QUERY: Query = Query {
    name: "feedbackRecordGroups",
    doc: "Feedback records counted by what they share, with the mean of each score. With a bucket and no keys, empty \
          buckets between the first and the last record are told as 0.",
    arguments: &[
        Argument {
            name: "filter",
            ty: "FeedbackRecordFilter",
            default: None,
            doc: "Which records; all conditions must hold.",
        },
        Argument { name: "groupBy", ty: "[FeedbackRecordGroupKey!]", default: Some("[]"), doc: "By what, each once." },
        Argument { name: "bucket", ty: "BucketInput", default: None, doc: "By when they were received." },
        Argument { name: "orderBy", ty: "GroupOrder", default: Some("COUNT"), doc: "In which order." },
        Argument { name: "first", ty: "Int", default: Some("1000"), doc: "Most groups, 1 to 10,000." },
    ],
    answer: &GROUPS,
    permissions: &[Permission::RecordRead],
    run: groups,
};

/// What was asked.
pub(super) struct Ask {
    pub filter: Predicate,
    pub keys: Vec<GroupKey>,
    pub bucket: Option<Bucket>,
    /// Edges of the buckets, one more than there are.
    pub edges: Option<Vec<i64>>,
    pub order: GroupOrder,
    pub first: usize,
}

/// Which buckets were asked for.
pub(super) struct Bucket {
    pub unit: BucketUnit,
    pub zone: Option<String>,
    pub week_start: Option<Weekday>,
}

impl GroupKey {
    /// The expression to group by, and the column of the answer.
    const fn column(self) -> (Alias, &'static str, &'static str, CellKind) {
        match self {
            Self::Point => (Alias::ROW, "point_id", "point_id", CellKind::Id),
            Self::Medium => (Alias::ROW, "medium_id", "medium_id", CellKind::Id),
            Self::Department => (Alias::ROW, "department_id", "department_id", CellKind::Id),
            Self::Kind => (Alias::ROW, "kind", "kind", CellKind::Text),
            Self::Product => (Alias::ROW, "product", "product", CellKind::Text),
            Self::Tag => (Alias::LINK, "item", "tag", CellKind::Text),
        }
    }

    const fn permission(self) -> Option<Permission> {
        match self {
            Self::Point | Self::Medium | Self::Department => Some(Permission::MapRead),
            Self::Kind | Self::Product | Self::Tag => None,
        }
    }
}

fn groups<'a>(scope: &'a Scope, input: &'a Input) -> BoxFuture<'a, Result<Answer>> {
    Box::pin(async move {
        let mut ask = ask(scope, input)?;
        let rows = match ask.counted(scope).await? {
            Some(rows) => rows,
            None => ask.read(scope).await?,
        };
        let place = ask.keys.len() + ask.edges.iter().count();
        let told = |offset: usize| rows.first().and_then(|row| row[place + offset].int()).unwrap_or(0);
        let mut record_count = told(2);
        if ask.keys.contains(&GroupKey::Tag) {
            record_count = scope.count(NOUN, &ask.filter).await?;
        }
        let mut group_count = told(1);
        let mut nodes: Vec<Made> = rows.iter().map(|row| ask.group(row)).collect();
        if let Some(edges) = ask.edges.as_ref().filter(|edges| ask.keys.is_empty() && edges.len() > 1) {
            nodes = ask.fill(edges, nodes);
            group_count = i64::try_from(edges.len() - 1).unwrap_or(i64::MAX);
        }
        Ok(Answer::Object(Made {
            cells: vec![("record_count", Cell::Int(record_count)), ("group_count", Cell::Int(group_count))],
            inside: vec![("nodes", nodes)],
        }))
    })
}

fn ask(scope: &Scope, input: &Input) -> Result<Ask> {
    let mut keys = Vec::new();
    for value in input.list("groupBy") {
        let key = text(value).and_then(GroupKey::parse);
        let key = key.ok_or_else(|| Error::BadInput("groupBy takes group keys".to_owned()))?;
        if let Some(permission) = key.permission() {
            scope.actor().require(permission)?;
        }
        if keys.contains(&key) {
            return Err(Error::BadInput(format!("groupBy names {} twice", key.name())));
        }
        keys.push(key);
    }
    let first = match input.int("first")? {
        None => DEFAULT,
        Some(first) => usize::try_from(first)
            .ok()
            .filter(|first| (1..=MOST).contains(first))
            .ok_or_else(|| Error::BadInput(format!("first must be from 1 to {MOST}")))?,
    };
    let filter = list_filter(NOUN, input.get("filter"), scope.actor())?;
    let bucket = input.object("bucket")?.map(|bucket| Bucket::read(&bucket)).transpose()?;
    let order = input.text("orderBy")?.and_then(GroupOrder::parse).unwrap_or(GroupOrder::Count);
    Ok(Ask { filter, keys, bucket, edges: None, order, first })
}

/// The edges of the buckets that cover all records of the filter.
async fn edges(scope: &Scope, bucket: &Bucket, filter: &Predicate) -> Result<Vec<i64>> {
    let own = own_organization(scope).await?;
    let zone = bucket.zone.as_deref().unwrap_or(&own.0);
    let zone = zone.parse().map_err(|_| Error::internal("a time zone is not known"))?;
    let week_start = bucket.week_start.unwrap_or(own.1);
    let mut sql = scope.sql();
    sql.push("SELECT t.organization_id, MIN(t.received_at), MAX(t.received_at) FROM feedback_record AS t WHERE ");
    sql.narrow(Site::GroupRange, Alias::ROW, NOUN.tenant, scope.organization()).push(" AND ");
    filter.write(&mut sql, NOUN, scope.organization(), Alias::ROW)?;
    sql.push(" GROUP BY t.organization_id");
    scope.may_filter(filter)?;
    let range = scope.read_rows(sql.finish(), &[CellKind::Int, CellKind::Int]).await?;
    let at = |index: usize| {
        let millis = range.first().and_then(|row| row[index].int());
        millis.and_then(DateTime::from_timestamp_millis)
    };
    let Some((from, to)) = at(0).zip(at(1)) else { return Ok(Vec::new()) };
    boundaries(bucket.unit, zone, week_start, from, to, MOST).ok_or_else(too_many)
}

pub(super) fn too_many() -> Error {
    Error::BadInput(format!("there would be more than {MOST} buckets; narrow the filter"))
}

impl Bucket {
    fn read(input: &Input) -> Result<Self> {
        let unit = input.text("unit")?.and_then(BucketUnit::parse);
        let unit = unit.ok_or_else(|| Error::BadInput("unit must be a bucket unit".to_owned()))?;
        let zone = input.text("timeZone")?.map(str::to_owned);
        if zone.as_deref().is_some_and(|zone| zone.parse::<Tz>().is_err()) {
            return Err(Error::BadInput("timeZone is not an IANA time zone".to_owned()));
        }
        Ok(Self { unit, zone, week_start: input.text("weekStart")?.and_then(Weekday::parse) })
    }
}

/// Time zone and week start of the caller's organization.
async fn own_organization(scope: &Scope) -> Result<(String, Weekday)> {
    let column = |name| given(&organization::NOUN, name, Cell::Null).0;
    let columns = [column("time_zone"), column("week_start")];
    let rows = scope.by_ids(&organization::NOUN, &columns, &[scope.organization().0]).await?;
    let found = rows.first().and_then(|row| Some((row[0].text()?.to_owned(), Weekday::parse(row[1].text()?)?)));
    found.ok_or_else(|| Error::internal("an organization has no time zone"))
}

impl Ask {
    /// Groups the records themselves.
    async fn read(&mut self, scope: &Scope) -> Result<Vec<Vec<Cell>>> {
        if let Some(bucket) = &self.bucket {
            self.edges = Some(edges(scope, bucket, &self.filter).await?);
        }
        let mut sql = scope.sql();
        self.write(&mut sql, scope)?;
        let mut kinds: Vec<CellKind> = self.keys.iter().map(|key| key.column().3).collect();
        kinds.extend(self.edges.iter().map(|_| CellKind::Int));
        kinds.extend([CellKind::Int; 3]);
        kinds.extend(SCORES.iter().flat_map(|_| [CellKind::Int, CellKind::Int]));
        scope.read_rows(sql.finish(), &kinds).await
    }

    /// Keys, bucket, count, groups, records, then sum and number of each score.
    fn write(&self, sql: &mut Sql, scope: &Scope) -> Result<()> {
        scope.may_filter(&self.filter)?;
        sql.push("SELECT g.tenant");
        for key in &self.keys {
            sql.push(", g.").name(&[key.column().2]);
        }
        if self.edges.is_some() {
            sql.push(", g.bucket");
        }
        sql.push(", g.n, COUNT(*) OVER (PARTITION BY g.tenant) AS groups, ");
        sql.push("CAST(SUM(g.n) OVER (PARTITION BY g.tenant) AS BIGINT) AS records");
        for (column, _) in SCORES {
            sql.push(", g.").name(&[column, "_sum"]).push(", g.").name(&[column, "_n"]);
        }
        sql.push(" FROM (SELECT t.organization_id AS tenant");
        for key in &self.keys {
            let (alias, column, name, _) = key.column();
            sql.push(", ").column(alias, column).push(" AS ").name(&[name]);
        }
        if let Some(edges) = &self.edges {
            sql.push(", ");
            bucket(sql, edges);
            sql.push(" AS bucket");
        }
        sql.push(", COUNT(*) AS n");
        for (column, _) in SCORES {
            rollup::sum(sql.push(", "), given(NOUN, column, Cell::Null).0);
            sql.push(" AS ").name(&[column, "_sum"]);
            sql.push(", COUNT(").column(Alias::ROW, column).push(") AS ").name(&[column, "_n"]);
        }
        sql.push(" FROM feedback_record AS t");
        if self.keys.contains(&GroupKey::Tag) {
            sql.push(" LEFT JOIN feedback_record_tags AS l ON ");
            sql.narrow(Site::GroupTags, Alias::LINK, "organization_id", scope.organization()).push(" AND ");
            sql.tie(Site::GroupTagsRow, (Alias::LINK, "organization_id"), (Alias::ROW, NOUN.tenant));
            sql.push(" AND l.feedback_record_id = t.id");
        }
        sql.push(" WHERE ").narrow(Site::Groups, Alias::ROW, NOUN.tenant, scope.organization()).push(" AND ");
        self.filter.write(sql, NOUN, scope.organization(), Alias::ROW)?;
        // What was recorded after the edges were found has no bucket.
        if let Some((from, to)) = self.edges.as_ref().and_then(|edges| edges.first().zip(edges.last())) {
            sql.push(" AND t.received_at >= ").bind(*from).push(" AND t.received_at < ").bind(*to);
        }
        sql.push(" GROUP BY 1");
        let width = self.keys.len() + usize::from(self.edges.is_some());
        for place in 0..width {
            sql.push(", ").number(place + 2);
        }
        sql.push(") AS g ORDER BY ");
        if self.order == GroupOrder::Count {
            sql.push("g.n DESC, ");
        }
        if self.edges.is_some() {
            sql.push("g.bucket, ");
        }
        for key in &self.keys {
            sql.push("g.").name(&[key.column().2]);
            sql.push(if sql.is_postgres() { " NULLS FIRST, " } else { ", " });
        }
        sql.push("g.tenant LIMIT ").number(self.first);
        Ok(())
    }

    fn group(&self, row: &[Cell]) -> Made {
        let mut cells: Vec<(&'static str, Cell)> =
            self.keys.iter().zip(row).map(|(key, cell)| (key.column().2, cell.clone())).collect();
        let mut place = self.keys.len();
        if let Some(edges) = &self.edges {
            let bucket = row[place].int().and_then(|bucket| usize::try_from(bucket).ok()).unwrap_or(0);
            cells.extend(span(edges, bucket));
            place += 1;
        }
        cells.push(("count", row[place].clone()));
        let means = SCORES.iter().zip(row[place + 3..].chunks(2));
        let means = means.map(|((column, name), pair)| (*name, vec![mean(column, pair)]));
        Made { cells, inside: means.collect() }
    }

    /// Puts empty buckets where no record was received.
    fn fill(&self, edges: &[i64], found: Vec<Made>) -> Vec<Made> {
        let start =
            |made: &Made| made.cells.iter().find(|(name, _)| *name == "bucket_start").and_then(|(_, cell)| cell.int());
        let known: HashSet<i64> = found.iter().filter_map(start).collect();
        let missing = (0..edges.len() - 1).filter(|bucket| !known.contains(&edges[*bucket]));
        let empty = missing.map(|bucket| {
            let mut cells = vec![("count", Cell::Int(0))];
            cells.extend(span(edges, bucket));
            let none = [Cell::Null, Cell::Int(0)];
            let means = SCORES.iter().map(|(column, name)| (*name, vec![mean(column, &none)]));
            Made { cells, inside: means.collect() }
        });
        let mut all: Vec<Made> = empty.collect();
        all.splice(0..0, found);
        if self.order == GroupOrder::Key {
            all.sort_by_key(start);
        }
        all.truncate(self.first);
        all
    }
}

fn span(edges: &[i64], bucket: usize) -> [(&'static str, Cell); 2] {
    let edge = |index: usize| edges.get(index).map_or(Cell::Null, |edge| Cell::Int(*edge));
    [("bucket_start", edge(bucket)), ("bucket_end", edge(bucket + 1))]
}

/// The mean of a score from its sum and number: sums of numbers with fractions are in billionths.
fn mean(column: &str, pair: &[Cell]) -> Made {
    let n = pair[1].int().unwrap_or(0);
    let unit = if given(NOUN, column, Cell::Null).0.kind == CellKind::Float { BILLIONTHS } else { 1.0 };
    #[expect(clippy::cast_precision_loss, reason = "sums and numbers are below 2^52 for four million records")]
    let mean = pair[0].int().filter(|_| n > 0).map_or(Cell::Null, |sum| Cell::Float(sum as f64 / unit / n as f64));
    Made { cells: vec![("mean", mean), ("n", Cell::Int(n))], inside: Vec::new() }
}

/// The place of a record's bucket, from 0: a binary search in either database.
fn bucket(sql: &mut Sql, edges: &[i64]) {
    if sql.is_postgres() {
        sql.push("CAST(width_bucket(t.received_at, ").integers(edges.iter().copied()).push(") - 1 AS BIGINT)");
    } else if edges.is_empty() {
        sql.push("0");
    } else {
        search(sql, edges, 0, edges.len() - 1);
    }
}

fn search(sql: &mut Sql, edges: &[i64], from: usize, to: usize) {
    if from + 1 >= to {
        sql.number(from);
        return;
    }
    let middle = usize::midpoint(from, to);
    // Bound, so that the database's cache of statements knows it again when time has moved on.
    sql.push("CASE WHEN t.received_at < ").bind(edges[middle]).push(" THEN ");
    search(sql, edges, from, middle);
    sql.push(" ELSE ");
    search(sql, edges, middle, to);
    sql.push(" END");
}
