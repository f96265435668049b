//! The tenant: one company and its settings.

use sea_orm::entity::prelude::*;

use crate::{
    id::{DepartmentId, OrganizationId},
    noun::{Field, Kind, Link, Noun, Operation, Relationship, SYSTEM, StringEnum, Writable},
    permission::Permission,
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

/// The tenant.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "organization")]
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
    /// Name in commands and addresses.
    pub slug: String,
    /// Name to show.
    pub name: String,
    /// IANA time zone.
    pub time_zone: String,
    /// First day of the week.
    pub week_start: Weekday,
    /// BCP 47 language tag.
    pub locale: String,
    /// Days after which a point is to be reviewed again.
    pub review_cadence_days: Option<i64>,
    /// Receives what no rule routes.
    pub fallback_department_id: Option<DepartmentId>,
}

impl ActiveModelBehavior for ActiveModel {}

/// The description of an organization.
pub static NOUN: Noun = Noun {
    name: "Organization",
    singular: "organization",
    plural: "organizations",
    table: "organization",
    prefix: "org",
    doc: "The tenant: one company. Every other row belongs to exactly one.",
    tenant: "id",
    read: None,
    write: Permission::Admin,
    system: &SYSTEM,
    fields: &[
        Field::new("slug", "slug", Kind::Text { max: 64 }, "Short name for commands, unique on the server."),
        Field::new("name", "name", Kind::Text { max: 200 }, "Name to show.").required(),
        Field::new(
            "timeZone",
            "time_zone",
            Kind::TimeZone,
            "IANA time zone in which days, weeks and months are counted.",
        )
        .default_value("\"UTC\""),
        Field::new("weekStart", "week_start", Kind::Enum(Weekday::TYPE), "First day of the week.").default_value("MONDAY"),
        Field::new("locale", "locale", Kind::Text { max: 35 }, "BCP 47 language tag.").default_value("\"en\""),
        Field::new(
            "reviewCadenceDays",
            "review_cadence_days",
            Kind::Int { min: 1, max: 3_650 },
            "Days of 24 hours after which the review of an interaction point is stale, unless the point says otherwise; null for never.",
        )
        .optional(),
    ],
    relations: &[Relationship {
        name: "fallbackDepartment",
        target: &crate::department::NOUN,
        link: Link::One { column: "fallback_department_id", is_nullable: true, writable: Writable::Required },
        doc: "Department that receives feedback no rule routes. Made with the organization, named Unassigned.",
    }],
    operations: &[Operation::Update],
    has_external_ids: false,
};
