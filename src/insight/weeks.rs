//! Reads groups from the rollup, which has the counts of all records by point and week of the organization.

use chrono_tz::Tz;
use entity::rollup;

use super::{
    buckets::Buckets,
    group_read::{GroupRow, Key},
    group_types::{GroupKey, GroupOrder},
    groups::Ask,
};
use crate::{
    Result,
    calendar::BucketUnit,
    store::{Scope, rollup::Asked, statement::filter::Predicate},
};

impl Ask {
    /// Returns the groups from the rollup, or `None` if the rollup does not support the query.
    pub(super) async fn counted(&mut self, scope: &Scope) -> Result<Option<Vec<GroupRow>>> {
        let is_about_all = matches!(&self.filter, Predicate::All(parts) if parts.is_empty());
        let is_by_week = self.bucket.as_ref().is_none_or(|bucket| bucket.unit == BucketUnit::Week);
        if !is_about_all || !is_by_week || self.keys.iter().any(|key| *key != Key::Of(GroupKey::Point)) {
            return Ok(None);
        }
        let bucket = self.bucket;
        let after = self.after.as_ref().filter(|_| !self.fills());
        let asked = Asked {
            rollup: &rollup::FEEDBACK,
            by_key: !self.keys.is_empty(),
            by_week: bucket.is_some(),
            zone: bucket.and_then(|bucket| bucket.time_zone).map(Tz::name),
            week_start: bucket.and_then(|bucket| bucket.week_start),
            largest_first: self.order == GroupOrder::Count,
            after: after.map(|after| (self.terms("week", |_| rollup::FEEDBACK.key), after.clone())),
            limit: self.limit(),
        };
        let Some(rolled) = scope.rolled(&asked).await? else { return Ok(None) };
        if bucket.is_some() {
            let mut buckets = Buckets::none(BucketUnit::Week, rolled.zone, rolled.week_start);
            if let Some((from, to)) = rolled.span.filter(|_| self.fills()) {
                buckets.cover(from, to);
            }
            self.buckets = Some(buckets);
        }
        Ok(Some(self.rows_of(rolled.groups)))
    }
}
