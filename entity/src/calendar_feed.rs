//! Calendar feeds: work lists that a calendar subscribes to.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{CalendarFeedId, DepartmentId, MemberId, OrganizationId},
};

crate::string_enum! {
    /// Status of a calendar feed.
    CalendarFeedStatus as "CalendarFeedStatus" {
        /// Its address works.
        Active = "ACTIVE",
        /// Its address works no longer, and never again.
        Revoked = "REVOKED",
    }
}

/// The open work of a member or of a department as a calendar: each case and follow-up at the time when it is due, up to
/// 1,000 of them. `url` is an address for a calendar to subscribe to, which does not expire. It works until the feed is revoked
/// or deleted, or the tokens of whoever asked for it are.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "calendar_feed")]
#[noun(
    prefix = "calfeed", read = ResponseRead, write = ResponseWrite, operations = PART, external_ids,
    exactly_one(member, department)
)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CalendarFeedId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Name of the calendar.
    #[noun(required, ordered, searchable, max = 200)]
    pub name: String,
    /// Folded copy of `name` for search.
    pub name_folded: String,
    /// Status.
    #[noun(ordered, lifecycle(
        initial = Active,
        revoke(from(Active), to = Revoked, stamps = revoked_at, doc = "Lets all addresses of a calendar feed work no longer."),
    ))]
    pub status: CalendarFeedStatus,
    /// When it was revoked, UTC; null if it was not.
    #[noun(imported)]
    pub revoked_at: Option<ChronoUnixTimestampMillis>,
    /// Member whose work it shows.
    #[noun(optional, inverse(calendar_feeds = "Calendars of the member's work."))]
    pub member_id: Option<MemberId>,
    /// Department whose work it shows.
    #[noun(optional, inverse(calendar_feeds = "Calendars of the department's work."))]
    pub department_id: Option<DepartmentId>,
}
