//! A line from step to step that shows what follows what.

use sea_orm::entity::prelude::*;

use crate::{
    id::{JourneyId, OrganizationId, StepId, StepLinkId},
    noun::{Field, Kind, Link, Noun, PART, Relationship, SYSTEM, StringEnum, Writable},
    permission::Permission,
};

crate::string_enum! {
    /// What a line between two steps means.
    StepLinkKind as "StepLinkKind" {
        /// The one step comes after the other.
        Sequence = "SEQUENCE",
        /// The one step may come after the other.
        Optional = "OPTIONAL",
        /// The way back to an earlier step. Only such links may close a circle.
        Loop = "LOOP",
        /// The one step comes at the same time as others that follow.
        Parallel = "PARALLEL",
    }
}

/// A line from step to step.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "step_link")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StepLinkId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// What it means.
    pub kind: StepLinkKind,
    /// What stands at the line.
    pub label: Option<String>,
    /// The journey of both steps.
    pub journey_id: JourneyId,
    /// Where it starts.
    pub from_id: StepId,
    /// Where it ends.
    pub to_id: StepId,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of a step link.
pub static NOUN: Noun = Noun {
    name: "StepLink",
    singular: "stepLink",
    plural: "stepLinks",
    table: "step_link",
    prefix: "link",
    doc: "A line from step to step of one journey that shows what follows what. Without its LOOP links a journey has no circle: one is refused with CYCLE.",
    tenant: "organization_id",
    system: &SYSTEM,
    read: Some(Permission::MapRead),
    write: Permission::MapWrite,
    fields: &[
        Field::new("kind", "kind", Kind::Enum(StepLinkKind::TYPE), "What it means.").default_value("SEQUENCE"),
        Field::new("label", "label", Kind::Text { max: 200 }, "What stands at the line, for example a condition.")
            .optional(),
    ],
    relations: &[
        Relationship {
            name: "journey",
            target: &crate::journey::NOUN,
            link: Link::One { column: "journey_id", is_nullable: false, writable: Writable::Fixed },
            doc: "The journey of both steps.",
        },
        Relationship {
            name: "from",
            target: &crate::step::NOUN,
            link: Link::One { column: "from_id", is_nullable: false, writable: Writable::Required },
            doc: "The step it starts at, of the same journey.",
        },
        Relationship {
            name: "to",
            target: &crate::step::NOUN,
            link: Link::One { column: "to_id", is_nullable: false, writable: Writable::Required },
            doc: "The step it ends at, of the same journey.",
        },
    ],
    operations: PART,
    has_external_ids: true,
};
