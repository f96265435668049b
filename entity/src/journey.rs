//! A named flow of interaction points for one kind of customer.

use sea_orm::entity::prelude::*;

use crate::{
    id::{JourneyId, OrganizationId},
    noun::{FULL, Field, Kind, Link, Noun, Relationship, SYSTEM, StringEnum, Writable},
    permission::Permission,
};

crate::string_enum! {
    /// How far a journey has come.
    JourneyStatus as "JourneyStatus" {
        /// Being worked on; never published.
        Draft = "DRAFT",
        /// Published: its latest edition says what should happen.
        Published = "PUBLISHED",
        /// In the archive.
        Archived = "ARCHIVED",
    }
}

/// A named flow of interaction points.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "journey")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JourneyId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Title to show.
    pub title: String,
    /// The title folded for search.
    pub title_folded: String,
    /// What it is.
    pub summary: Option<String>,
    /// Whose journey it is.
    pub customer_segment: Option<String>,
    /// What we want with it.
    pub objective: Option<String>,
    /// How far it has come.
    pub status: JourneyStatus,
    /// The longer journey it is a part of.
    pub parent_id: Option<JourneyId>,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of a journey.
pub static NOUN: Noun = Noun {
    name: "Journey",
    singular: "journey",
    plural: "journeys",
    table: "journey",
    prefix: "journey",
    doc: "A named flow of interaction points for one kind of customer: stages in order, steps in order, and links that say what follows what. Long journeys are nested.",
    tenant: "organization_id",
    system: &SYSTEM,
    read: Some(Permission::MapRead),
    write: Permission::MapWrite,
    fields: &[
        Field::new("title", "title", Kind::Text { max: 200 }, "Title to show.").required().ordered().searchable(),
        Field::new("summary", "summary", Kind::Text { max: 2000 }, "What it is, in a few sentences.").optional(),
        Field::new(
            "customerSegment",
            "customer_segment",
            Kind::Text { max: 200 },
            "The kind of customer whose journey it is.",
        )
        .optional()
        .ordered(),
        Field::new("objective", "objective", Kind::Text { max: 2000 }, "What we want to reach with it.").optional(),
        Field::new(
            "status",
            "status",
            Kind::Enum(JourneyStatus::TYPE),
            "How far it has come. journeyPublish, journeyArchive and journeyUnarchive set it.",
        )
        .ordered(),
    ],
    relations: &[
        Relationship {
            name: "parent",
            target: &NOUN,
            link: Link::One { column: "parent_id", is_nullable: true, writable: Writable::Optional },
            doc: "The longer journey it is a part of. A cycle is refused with CYCLE.",
        },
        Relationship {
            name: "children",
            target: &NOUN,
            link: Link::Many { column: "parent_id" },
            doc: "Journeys nested in it.",
        },
        Relationship {
            name: "stages",
            target: &crate::stage::NOUN,
            link: Link::Many { column: "journey_id" },
            doc: "Its phases.",
        },
        Relationship {
            name: "steps",
            target: &crate::step::NOUN,
            link: Link::Many { column: "journey_id" },
            doc: "Its steps.",
        },
        Relationship {
            name: "links",
            target: &crate::step_link::NOUN,
            link: Link::Many { column: "journey_id" },
            doc: "The lines between its steps.",
        },
        Relationship {
            name: "editions",
            target: &crate::journey_edition::NOUN,
            link: Link::Many { column: "journey_id" },
            doc: "What was published of it.",
        },
    ],
    operations: FULL,
    has_external_ids: true,
};
