//! The party that feedback is routed to and that owns interaction points.

use sea_orm::entity::prelude::*;

use crate::{
    id::{DepartmentId, OrganizationId},
    noun::{FULL, Field, Kind, Link, Noun, Personal, Relationship, SYSTEM},
    permission::Permission,
    personal::STAFF,
};

/// The party that feedback is routed to.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "department")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DepartmentId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Name to show.
    pub name: String,
    /// The name folded for search.
    pub name_folded: String,
    /// How to reach it.
    pub contact: Option<String>,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of a department.
pub static NOUN: Noun = Noun {
    name: "Department",
    singular: "department",
    plural: "departments",
    table: "department",
    prefix: "dept",
    doc: "The party that feedback is routed to and that owns interaction points.",
    tenant: "organization_id",
    read: Some(Permission::MapRead),
    write: Permission::MapWrite,
    system: &SYSTEM,
    fields: &[
        Field::new("name", "name", Kind::Text { max: 200 }, "Name to show.").required().ordered().searchable(),
        Field::new(
            "contact",
            "contact",
            Kind::Text { max: 200 },
            "How colleagues reach it: an address, a number, a name. A contact of the company, open to whoever reads \
             departments: name a desk rather than somebody's own number.",
        )
        .optional()
        .personal(Personal::Contact)
        .unguarded()
        .retained_because(STAFF),
    ],
    relations: &[
        Relationship {
            name: "interactionPoints",
            target: &crate::interaction_point::NOUN,
            link: Link::Many { column: "owner_id" },
            doc: "Interaction points it owns.",
        },
        Relationship {
            name: "feedbackRecords",
            target: &crate::feedback_record::NOUN,
            link: Link::Many { column: "department_id" },
            doc: "Feedback routed to it.",
        },
    ],
    operations: FULL,
    has_external_ids: true,
};
