//! An ordered phase of a journey.

use sea_orm::entity::prelude::*;

use crate::{
    id::{JourneyId, OrganizationId, StageId},
    noun::{Field, Kind, Link, Noun, PART, Relationship, SYSTEM, Writable},
    permission::Permission,
};

/// A phase of a journey.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "stage")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StageId,
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
    /// What it is.
    pub description: Option<String>,
    /// Place in the journey.
    pub position: i64,
    /// The journey.
    pub journey_id: JourneyId,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of a stage.
pub static NOUN: Noun = Noun {
    name: "Stage",
    singular: "stage",
    plural: "stages",
    table: "stage",
    prefix: "stage",
    doc: "An ordered phase of a journey, or a step of the supply chain.",
    tenant: "organization_id",
    system: &SYSTEM,
    read: Some(Permission::MapRead),
    write: Permission::MapWrite,
    fields: &[
        Field::new("name", "name", Kind::Text { max: 200 }, "Name to show.").required().ordered().searchable(),
        Field::new("description", "description", Kind::Text { max: 2000 }, "What it is, in a few sentences.")
            .optional(),
        Field::new(
            "position",
            "position",
            Kind::Int { min: 1, max: 1_000 },
            "Place among the stages of its journey, from 1 without gaps. Given on a write, the others make room; past the end is the end, and so is a new one without.",
        )
        .input_optional()
        .ordered(),
    ],
    relations: &[
        Relationship {
            name: "journey",
            target: &crate::journey::NOUN,
            link: Link::One { column: "journey_id", is_nullable: false, writable: Writable::Fixed },
            doc: "The journey it belongs to.",
        },
        Relationship {
            name: "steps",
            target: &crate::step::NOUN,
            link: Link::Many { column: "stage_id" },
            doc: "The steps in it.",
        },
    ],
    operations: PART,
    has_external_ids: true,
};
