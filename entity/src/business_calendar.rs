//! Business calendars: when the organization is at work.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{BusinessCalendarId, OrganizationId},
};

/// When the organization is at work, on the clock of a time zone: its intervals of the week, and the holidays on which it
/// is closed. A calendar without intervals is open at any hour. What was due before a calendar changed stays due then; clocks
/// that start or go on afterwards follow the change.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "business_calendar")]
#[noun(prefix = "bcal", read = ResponseRead, write = ResponseWrite, operations = PART, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BusinessCalendarId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Display name.
    #[noun(required, ordered, searchable, max = 200)]
    pub name: String,
    /// Folded copy of `name` for search.
    pub name_folded: String,
    /// IANA time zone of the intervals and holidays. Defaults to that of the organization.
    #[noun(optional, time_zone)]
    pub time_zone: String,
}
