//! Organizations: the tenants and their settings.

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

/// The tenant: one company. Every other row belongs to exactly one organization.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "organization")]
#[noun(prefix = "org", read = any_token, write = Admin, operations = [Update])]
pub struct Model {
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrganizationId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Short name for commands of the server, unique on the server.
    #[noun(max = 64)]
    pub slug: String,
    /// Display name.
    #[noun(required, max = 200)]
    pub name: String,
    /// IANA time zone of the calendar in which days, weeks and months are counted.
    #[noun(default = "\"UTC\"", time_zone)]
    pub time_zone: String,
    /// First day of the week.
    #[noun(default = "MONDAY")]
    pub week_start: Weekday,
    /// Language and region of the organization.
    #[noun(default = "\"en\"")]
    pub locale: LanguageTag,
    /// Number of 24-hour days after which a review of an interaction point is stale, 1 to 3,650, unless the point has
    /// its own setting; null means never.
    #[noun(optional, min = 1, max = 3_650)]
    pub review_cadence_days: Option<i64>,
    /// Number of 24-hour days after which the change feed leaves out a change, 1 to 3,650; null means never. The audit log
    /// keeps it.
    #[noun(optional, min = 1, max = 3_650)]
    pub change_retention_days: Option<i64>,
    /// Department that receives feedback that no routing rule matches. A new organization has a department named
    /// Unassigned for it.
    #[noun(required)]
    pub fallback_department_id: Option<DepartmentId>,
}
