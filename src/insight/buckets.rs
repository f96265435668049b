//! Computes the time buckets of a query: all buckets of the range if they are few, otherwise those that contain
//! records.

use chrono::DateTime;
use chrono_tz::Tz;
use entity::organization::{self, Weekday};
use sea_orm::prelude::ChronoUnixTimestampMillis;

use super::{
    group_types::Bucket,
    groups::{MAX, NOUN},
};
use crate::{
    Error, Result,
    calendar::{BucketUnit, boundaries},
    graphql::typed::output::instant,
    store::{
        Scope,
        statement::{
            builder::{Alias, Sql},
            filter::Predicate,
        },
    },
};

/// Start (inclusive) and end (exclusive) of the supported time range in epoch milliseconds: years 1 to 9999.
const FIRST: i64 = -62_135_596_800_000;
const END: i64 = 253_402_300_800_000;

/// The buckets of a query and their calendar.
pub(super) struct Buckets {
    pub unit: BucketUnit,
    pub zone: Tz,
    pub week_start: Weekday,
    /// Edges in ascending order, in epoch milliseconds. There is one more edge than there are buckets and gaps.
    edges: Vec<i64>,
    /// Whether the range from the edge at the same index to the next edge is a gap without records instead of a bucket.
    /// Empty if there are no gaps.
    gaps: Vec<bool>,
}

impl Bucket {
    /// Returns the buckets of all records that match a filter. Err if more than [`MAX`] buckets contain records.
    pub(super) async fn find(&self, scope: &Scope, filter: &Predicate) -> Result<Buckets> {
        let (zone, week_start) = own_organization(scope).await?;
        let zone = match self.time_zone {
            Some(zone) => zone,
            None => zone.parse().map_err(|_| Error::internal("a time zone is not known"))?,
        };
        let mut buckets = Buckets::none(self.unit, zone, self.week_start.unwrap_or(week_start));
        let range = stretches(scope, filter, None).await?;
        if let Some((from, to)) = range.first() {
            match buckets.between(*from, *to, MAX) {
                Some(edges) => buckets.edges = edges,
                None => buckets.pick(&stretches(scope, filter, Some(self.unit)).await?)?,
            }
        }
        Ok(buckets)
    }
}

/// Returns the times of the first and the last record, in epoch milliseconds: of all records if `unit` is `None`,
/// otherwise of each interval of the length of the unit that contains records, in ascending order.
async fn stretches(scope: &Scope, filter: &Predicate, unit: Option<BucketUnit>) -> Result<Vec<(i64, i64)>> {
    scope.may_filter(filter)?;
    // Text: the noun's own filter is written by the store.
    let mut sql = scope.sql();
    sql.push("SELECT t.organization_id, MIN(t.received_at), MAX(t.received_at) FROM feedback_record AS t WHERE ");
    sql.filter_tenant(Alias::ROW, NOUN, scope.organization()).push(" AND ");
    filter.write(&mut sql, NOUN, scope.organization(), Alias::ROW)?;
    sql.push(" GROUP BY t.organization_id");
    if let Some(unit) = unit {
        // Both databases truncate integer division towards zero; subtracting FIRST keeps the dividend non-negative.
        sql.push(", (t.received_at - ").bind(FIRST).push(") / ").bind(length(unit));
        sql.push(" ORDER BY 2 LIMIT ").number(MAX + 1);
    }
    scope.read_tuples(sql.finish()).await
}

/// Returns the length of the shortest regular bucket of a unit, in milliseconds.
const fn length(unit: BucketUnit) -> i64 {
    const DAY: i64 = 86_400_000;
    match unit {
        BucketUnit::Hour => 3_600_000,
        BucketUnit::Day => DAY,
        BucketUnit::Week => 7 * DAY,
        BucketUnit::Month => 28 * DAY,
        BucketUnit::Quarter => 90 * DAY,
        BucketUnit::Year => 365 * DAY,
    }
}

fn too_many() -> Error {
    Error::BadInput(format!("more than {MAX} buckets have records; narrow the filter"))
}

/// Returns the time zone and the week start of the caller's organization.
async fn own_organization(scope: &Scope) -> Result<(String, Weekday)> {
    let columns = (organization::TIME_ZONE, organization::WEEK_START);
    let found = scope.select_by_ids(columns, &[scope.organization().0]).await?;
    found.into_iter().next().ok_or_else(|| Error::internal("an organization has no time zone"))
}

impl Buckets {
    pub(super) const fn none(unit: BucketUnit, zone: Tz, week_start: Weekday) -> Self {
        Self { unit, zone, week_start, edges: Vec::new(), gaps: Vec::new() }
    }

    /// Sets the buckets to those that cover a range, or to none if there are more than [`MAX`].
    pub(super) fn cover(&mut self, from: i64, to: i64) {
        self.edges = self.between(from, to, MAX).unwrap_or_default();
    }

    fn between(&self, from: i64, to: i64, most: usize) -> Option<Vec<i64>> {
        let at = DateTime::from_timestamp_millis;
        boundaries(self.unit, self.zone, self.week_start, at(from)?, at(to)?, most)
    }

    /// Sets the buckets to those that contain records, with gaps between them. Err if there are more than [`MAX`].
    fn pick(&mut self, stretches: &[(i64, i64)]) -> Result<()> {
        if stretches.len() > MAX {
            return Err(too_many());
        }
        for (from, to) in stretches {
            let edges = self.between(*from, *to, MAX).ok_or_else(too_many)?;
            for pair in edges.windows(2) {
                match self.edges.last() {
                    Some(last) if pair[0] < *last => continue,
                    Some(last) if pair[0] == *last => {}
                    last => {
                        if last.is_some() {
                            self.gaps.push(true);
                        }
                        self.edges.push(pair[0]);
                    }
                }
                self.gaps.push(false);
                self.edges.push(pair[1]);
            }
        }
        if self.gaps.iter().filter(|is_gap| !**is_gap).count() > MAX { Err(too_many()) } else { Ok(()) }
    }

    /// Returns the edges if the buckets have no gaps and there is at least one.
    pub(super) fn all(&self) -> Option<&[i64]> {
        (self.gaps.is_empty() && self.edges.len() > 1).then_some(&self.edges)
    }

    /// Returns the first and the last edge.
    pub(super) fn range(&self) -> Option<(i64, i64)> {
        self.edges.first().copied().zip(self.edges.last().copied())
    }

    /// Returns the start of the bucket at an index. Returns `None` for a gap; a gap has records only if they were
    /// inserted after the buckets were computed.
    pub(super) fn start(&self, place: i64) -> Option<i64> {
        let place = usize::try_from(place).ok()?;
        let is_gap = self.gaps.get(place).is_some_and(|is_gap| *is_gap);
        self.edges.get(place).copied().filter(|_| !is_gap)
    }

    /// Returns the index of the bucket that contains a time in epoch milliseconds.
    pub(super) fn place(&self, at: i64) -> i64 {
        let before = self.edges.partition_point(|edge| *edge <= at);
        i64::try_from(before).map_or(0, |before| before - 1)
    }

    /// Returns start and end of the bucket with the given start, clamped to the years 1 to 9999, which contain all
    /// records.
    pub(super) fn span(&self, start: i64) -> (ChronoUnixTimestampMillis, Option<ChronoUnixTimestampMillis>) {
        let end = match self.edges.binary_search(&start) {
            Ok(place) if place + 1 < self.edges.len() => Some(self.edges[place + 1]),
            _ => self.between(start, start, 1).and_then(|edges| edges.get(1).copied()),
        };
        (instant(start.max(FIRST)), end.map(|end| instant(end.min(END))))
    }

    /// Appends an expression for the index of a record's bucket, from 0. Both databases evaluate it as a binary search.
    pub(super) fn write(&self, sql: &mut Sql) {
        if sql.is_postgres() {
            sql.push("CAST(width_bucket(t.received_at, ").integers(self.edges.iter().copied()).push(") - 1 AS BIGINT)");
        } else if self.edges.is_empty() {
            sql.push("0");
        } else {
            search(sql, &self.edges, 0, self.edges.len() - 1);
        }
    }
}

fn search(sql: &mut Sql, edges: &[i64], from: usize, to: usize) {
    if from + 1 >= to {
        sql.number(from);
        return;
    }
    let middle = usize::midpoint(from, to);
    // Bind the edge, so that the text of the statement stays the same and the statement cache can reuse it.
    sql.push("CASE WHEN t.received_at < ").bind(edges[middle]).push(" THEN ");
    search(sql, edges, from, middle);
    sql.push(" ELSE ");
    search(sql, edges, middle, to);
    sql.push(" END");
}
