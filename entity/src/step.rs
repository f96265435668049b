//! An interaction point placed in a journey.

use sea_orm::entity::prelude::*;

use crate::{
    id::{InteractionPointId, JourneyId, OrganizationId, StageId, StepId},
    noun::{Field, Kind, Link, Noun, PART, Relationship, SYSTEM, Writable},
    permission::Permission,
};

/// An interaction point placed in a journey.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "step")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StepId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Name of its own.
    pub label: Option<String>,
    /// The label folded for search.
    pub label_folded: Option<String>,
    /// What is special about the point here.
    pub notes: Option<String>,
    /// Place in the journey.
    pub position: i64,
    /// The journey.
    pub journey_id: JourneyId,
    /// The stage.
    pub stage_id: Option<StageId>,
    /// The point.
    pub point_id: InteractionPointId,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of a step.
pub static NOUN: Noun = Noun {
    name: "Step",
    singular: "step",
    plural: "steps",
    table: "step",
    prefix: "step",
    doc: "An interaction point placed in a journey, in one of its stages or in none. One point may stand in many journeys, and more than once in one.",
    tenant: "organization_id",
    system: &SYSTEM,
    read: Some(Permission::MapRead),
    write: Permission::MapWrite,
    fields: &[
        Field::new(
            "label",
            "label",
            Kind::Text { max: 200 },
            "What the step is called here; without one, it goes by its point's name.",
        )
        .optional()
        .ordered()
        .searchable(),
        Field::new("notes", "notes", Kind::Text { max: 2000 }, "What is special about the point in this journey.")
            .optional(),
        Field::new(
            "position",
            "position",
            Kind::Int { min: 1, max: 1_000 },
            "Place among the steps of its journey, from 1 without gaps. Given on a write, the others make room; past the end is the end, and so is a new one without.",
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
            name: "stage",
            target: &crate::stage::NOUN,
            link: Link::One { column: "stage_id", is_nullable: true, writable: Writable::Optional },
            doc: "The stage it stands in, of the same journey.",
        },
        Relationship {
            name: "point",
            target: &crate::interaction_point::NOUN,
            link: Link::One { column: "point_id", is_nullable: false, writable: Writable::Required },
            doc: "The interaction point.",
        },
        Relationship {
            name: "outgoing",
            target: &crate::step_link::NOUN,
            link: Link::Many { column: "from_id" },
            doc: "Links that start at it.",
        },
        Relationship {
            name: "incoming",
            target: &crate::step_link::NOUN,
            link: Link::Many { column: "to_id" },
            doc: "Links that end at it.",
        },
    ],
    operations: PART,
    has_external_ids: true,
};
