//! What the customer wants to have after an interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    id::{DesiredResultId, InteractionPointId, OrganizationId},
    noun::{FULL, Field, Kind, Link, Noun, Relationship, SYSTEM, Writable},
    permission::Permission,
};

/// What the customer wants to have after a point.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "desired_result")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DesiredResultId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// The point.
    pub point_id: InteractionPointId,
    /// What is wanted.
    pub statement: String,
    /// The statement folded for search.
    pub statement_folded: String,
    /// How ready the customer is for it.
    pub readiness: Option<String>,
    /// What else it needs.
    pub prerequisites: Option<String>,
    /// What comes next.
    pub next_step: Option<String>,
    /// How one can tell that it was reached.
    pub measure: Option<String>,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of a desired result.
pub static NOUN: Noun = Noun {
    name: "DesiredResult",
    singular: "desiredResult",
    plural: "desiredResults",
    table: "desired_result",
    prefix: "result",
    doc: "What the customer wants to have after an interaction point. Those nobody measures: filter {measure: {isNull: true}}.",
    tenant: "organization_id",
    read: Some(Permission::MapRead),
    write: Permission::MapWrite,
    system: &SYSTEM,
    fields: &[
        Field::new("statement", "statement", Kind::Text { max: 2000 }, "What the customer wants to have afterwards.")
            .required()
            .searchable(),
        Field::new(
            "readiness",
            "readiness",
            Kind::Text { max: 2000 },
            "How ready the customer is for it, and how one can tell.",
        )
        .optional(),
        Field::new(
            "prerequisites",
            "prerequisites",
            Kind::Text { max: 2000 },
            "What else is needed before it can be had.",
        )
        .optional(),
        Field::new("nextStep", "next_step", Kind::Text { max: 2000 }, "What is to be done next to get there.")
            .optional(),
        Field::new("measure", "measure", Kind::Text { max: 2000 }, "How it is measured that the customer has it.")
            .optional(),
    ],
    relations: &[
        Relationship {
            name: "point",
            target: &crate::interaction_point::NOUN,
            link: Link::One { column: "point_id", is_nullable: false, writable: Writable::Fixed },
            doc: "The interaction point after which it is wanted.",
        },
        crate::evidence::behind("desired_result_evidence", "desired_result_id"),
    ],
    operations: FULL,
    has_external_ids: true,
};
