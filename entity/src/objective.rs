//! What somebody wants to reach at an interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    id::{InteractionPointId, ObjectiveId, OrganizationId},
    noun::{FULL, Field, Kind, Link, Noun, Relationship, SYSTEM, StringEnum, Writable},
    permission::Permission,
};

crate::string_enum! {
    /// Whose agenda an objective is on.
    ObjectiveOwner as "ObjectiveOwner" {
        /// The person we meet.
        Person = "PERSON",
        /// The company that person works for.
        TheirCompany = "THEIR_COMPANY",
        /// We.
        Ours = "OURS",
    }
}

/// What somebody wants to reach at a point.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "objective")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ObjectiveId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// The point.
    pub point_id: InteractionPointId,
    /// Whose it is.
    pub owner: ObjectiveOwner,
    /// What is wanted.
    pub statement: String,
    /// The statement folded for search.
    pub statement_folded: String,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of an objective.
pub static NOUN: Noun = Noun {
    name: "Objective",
    singular: "objective",
    plural: "objectives",
    table: "objective",
    prefix: "obj",
    doc: "What somebody wants to reach at an interaction point: the person, the company they work for, or we. At most 1,000 a point.",
    tenant: "organization_id",
    read: Some(Permission::MapRead),
    write: Permission::MapWrite,
    system: &SYSTEM,
    fields: &[
        Field::new(
            "owner",
            "owner",
            Kind::Enum(ObjectiveOwner::TYPE),
            "Whose it is. Refused with INVALID if it would be that of an objective it conflicts with.",
        )
        .required()
        .ordered(),
        Field::new("statement", "statement", Kind::Text { max: 2000 }, "What they want to reach.")
            .required()
            .searchable(),
    ],
    relations: &[
        Relationship {
            name: "point",
            target: &crate::interaction_point::NOUN,
            link: Link::One { column: "point_id", is_nullable: false, writable: Writable::Fixed },
            doc: "The interaction point it is pursued at.",
        },
        crate::evidence::behind("objective_evidence", "objective_id"),
    ],
    operations: FULL,
    has_external_ids: true,
};
