//! The tenant: one company and its settings.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{DepartmentId, OrganizationId},
    kind::LanguageTag,
};

crate::string_enum! {
    /// A day of the week.
    Weekday as "Weekday" {
        /// Monday.
        Monday = "MONDAY",
        /// Tuesday.
        Tuesday = "TUESDAY",
        /// Wednesday.
        Wednesday = "WEDNESDAY",
        /// Thursday.
        Thursday = "THURSDAY",
        /// Friday.
        Friday = "FRIDAY",
        /// Saturday.
        Saturday = "SATURDAY",
        /// Sunday.
        Sunday = "SUNDAY",
    }
}

/// The tenant: one company. Every other row belongs to exactly one.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "organization")]
#[noun(prefix = "org", read = any_token, write = Admin, operations = [Update])]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrganizationId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Short name for commands, unique on the server.
    #[noun(max = 64)]
    pub slug: String,
    /// Name to show.
    #[noun(required, max = 200)]
    pub name: String,
    /// IANA time zone in which days, weeks and months are counted.
    #[noun(default = "\"UTC\"", time_zone)]
    pub time_zone: String,
    /// First day of the week.
    #[noun(default = "MONDAY")]
    pub week_start: Weekday,
    /// Language and region of its people.
    #[noun(default = "\"en\"")]
    pub locale: LanguageTag,
    /// Days of 24 hours after which the review of an interaction point is stale, unless the point says otherwise; null
    /// for never.
    #[noun(optional, min = 1, max = 3_650)]
    pub review_cadence_days: Option<i64>,
    /// Department that receives feedback no rule routes. Made with the organization, named Unassigned.
    #[noun(required)]
    pub fallback_department_id: Option<DepartmentId>,
}
