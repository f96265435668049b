//! Two objectives that get in each other's way.

use sea_orm::entity::prelude::*;

use crate::{
    id::{InteractionPointId, ObjectiveConflictId, ObjectiveId, OrganizationId},
    noun::{Field, Kind, Link, Noun, PART, Relationship, SYSTEM, Writable},
    permission::Permission,
};

/// Two objectives of a point that get in each other's way.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "objective_conflict")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ObjectiveConflictId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// The point of both.
    pub point_id: InteractionPointId,
    /// One objective.
    pub first_id: ObjectiveId,
    /// The other.
    pub second_id: ObjectiveId,
    /// How they conflict.
    pub note: String,
    /// The note folded for search.
    pub note_folded: String,
    /// How it was settled.
    pub resolution: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of a conflict of objectives.
pub static NOUN: Noun = Noun {
    name: "ObjectiveConflict",
    singular: "objectiveConflict",
    plural: "objectiveConflicts",
    table: "objective_conflict",
    prefix: "conflict",
    doc: "Two objectives of one interaction point and of different owners that get in each other's way. Open ones: filter {resolution: {isNull: true}}. Points with any: interactionPoints(filter: {objectiveConflicts: {some: {}}}). At most 1,000 a point.",
    tenant: "organization_id",
    read: Some(Permission::MapRead),
    write: Permission::MapWrite,
    system: &SYSTEM,
    fields: &[
        Field::new("note", "note", Kind::Text { max: 2000 }, "How they get in each other's way.")
            .required()
            .searchable(),
        Field::new("resolution", "resolution", Kind::Text { max: 2000 }, "How it was settled; null while it is open.")
            .optional(),
    ],
    relations: &[
        Relationship {
            name: "point",
            target: &crate::interaction_point::NOUN,
            link: Link::One { column: "point_id", is_nullable: false, writable: Writable::Fixed },
            doc: "The interaction point of both objectives.",
        },
        Relationship {
            name: "first",
            target: &crate::objective::NOUN,
            link: Link::One { column: "first_id", is_nullable: false, writable: Writable::Fixed },
            doc: "One of the objectives, of the same point.",
        },
        Relationship {
            name: "second",
            target: &crate::objective::NOUN,
            link: Link::One { column: "second_id", is_nullable: false, writable: Writable::Fixed },
            doc: "The other one, of the same point and of another owner.",
        },
    ],
    operations: PART,
    has_external_ids: true,
};
