//! Groups that are counted already: by point and week of the organization, of all records.

use entity::rollup;

use super::{
    group_types::{GroupKey, GroupOrder},
    groups::{Ask, MOST, SCORES, too_many},
};
use crate::{
    Result,
    calendar::{BucketUnit, boundaries},
    store::{Scope, cell::Cell, filter::Predicate, rollup::Asked},
};

impl Ask {
    /// The rows of the answer from what is kept counted; `None` if that does not answer the question.
    pub(super) async fn counted(&mut self, scope: &Scope) -> Result<Option<Vec<Vec<Cell>>>> {
        let is_about_all = matches!(&self.filter, Predicate::All(parts) if parts.is_empty());
        let is_by_week = self.bucket.as_ref().is_none_or(|bucket| bucket.unit == BucketUnit::Week);
        if !is_about_all || !is_by_week || self.keys.iter().any(|key| *key != GroupKey::Point) {
            return Ok(None);
        }
        debug_assert!(SCORES.iter().map(|(column, _)| *column).eq(rollup::FEEDBACK.numbers.iter().copied()));
        let bucket = self.bucket.as_ref();
        let asked = Asked {
            rollup: &rollup::FEEDBACK,
            by_key: !self.keys.is_empty(),
            by_week: bucket.is_some(),
            zone: bucket.and_then(|bucket| bucket.zone.as_deref()),
            week_start: bucket.and_then(|bucket| bucket.week_start),
            largest_first: self.order == GroupOrder::Count,
            limit: self.first,
        };
        let Some(mut rolled) = scope.rolled(&asked).await? else { return Ok(None) };
        if bucket.is_some() {
            let at = chrono::DateTime::from_timestamp_millis;
            let span = rolled.span.and_then(|(from, to)| at(from).zip(at(to)));
            let edges = span.map_or(Some(Vec::new()), |(from, to)| {
                boundaries(BucketUnit::Week, rolled.zone, rolled.week_start, from, to, MOST)
            });
            let edges = edges.ok_or_else(too_many)?;
            for row in &mut rolled.groups {
                let week = &mut row[self.keys.len()];
                let place = week.int().and_then(|week| edges.binary_search(&week).ok());
                *week = place.and_then(|place| i64::try_from(place).ok()).map_or(Cell::Null, Cell::Int);
            }
            self.edges = Some(edges);
        }
        Ok(Some(rolled.groups))
    }
}
