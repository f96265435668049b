//! Holidays: days on which a business calendar is closed.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{BusinessCalendarId, HolidayId, OrganizationId},
    kind::Date,
};

/// A day on which a business calendar is closed.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "holiday")]
#[noun(prefix = "holiday", read = ResponseRead, write = ResponseWrite, operations = PART, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: HolidayId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// The day, on the clock of the calendar's time zone.
    #[noun(required, ordered)]
    pub date: Date,
    /// Name of the holiday.
    #[noun(required, ordered, searchable, max = 200)]
    pub name: String,
    /// Folded copy of `name` for search.
    pub name_folded: String,
    /// The calendar.
    #[noun(fixed, part, inverse(holidays = "Days on which it is closed, up to 1,000."))]
    pub calendar_id: BusinessCalendarId,
}
