//! Business intervals: when a business calendar is open, by day of the week.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{BusinessCalendarId, BusinessIntervalId, OrganizationId},
    kind::LocalTime,
    organization::Weekday,
};

/// Hours of a day of the week at which a business calendar is open. A day may have several intervals, which must not
/// overlap. Where the clocks change, what the local clock shows decides: an hour that is skipped is not worked, and one
/// that is repeated is worked twice.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "business_interval")]
#[noun(prefix = "bint", read = ResponseRead, write = ResponseWrite, operations = PART, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BusinessIntervalId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Day of the week.
    #[noun(required)]
    pub weekday: Weekday,
    /// From when on the calendar is open, on the clock of its time zone.
    #[noun(required)]
    pub opens: LocalTime,
    /// Until when it is open, exclusive; `24:00` is the end of the day. Fails with OUT_OF_RANGE unless after opens, and
    /// with INVALID if the interval overlaps another one of the day.
    #[noun(required)]
    pub closes: LocalTime,
    /// What is to be known about the interval, for example who is at work.
    #[noun(optional, searchable, max = 200)]
    pub note: Option<String>,
    /// Folded copy of `note` for search.
    pub note_folded: Option<String>,
    /// The calendar.
    #[noun(
        fixed,
        part,
        inverse(intervals = "When it is open, up to 100 intervals a week; without any it is open at any hour.")
    )]
    pub calendar_id: BusinessCalendarId,
}
