//! What was published of a journey, as it was then.

use sea_orm::entity::prelude::*;

use crate::{
    id::{JourneyEditionId, JourneyId, OrganizationId},
    noun::{Field, Kind, Link, Noun, Operation, Relationship, SYSTEM, Writable},
    permission::Permission,
};

/// What was published of a journey.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "journey_edition")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JourneyEditionId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Counts the editions of the journey, from 1.
    pub number: i64,
    /// The journey as it was, JSON.
    pub document: String,
    /// When it was published.
    pub published_at: ChronoUnixTimestampMillis,
    /// Subject of the token that published it.
    pub published_by: String,
    /// The journey.
    pub journey_id: JourneyId,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of an edition.
pub static NOUN: Noun = Noun {
    name: "JourneyEdition",
    singular: "journeyEdition",
    plural: "journeyEditions",
    table: "journey_edition",
    prefix: "edition",
    doc: "A journey as it was when journeyPublish froze it. An edition never changes; journeyDiff compares two.",
    tenant: "organization_id",
    system: &SYSTEM,
    read: Some(Permission::MapRead),
    write: Permission::MapWrite,
    fields: &[
        Field::new(
            "number",
            "number",
            Kind::Int { min: 1, max: i64::MAX },
            "Counts the editions of the journey, from 1.",
        )
        .ordered(),
        Field::new(
            "document",
            "document",
            Kind::Json,
            "The journey, its stages, steps and links, the points with their mediums, influencers and expectations: lists of objects by the name of their list, each object as the API showed it, relations as ids.",
        ),
        Field::new("publishedAt", "published_at", Kind::Instant, "When it was published, UTC.").ordered(),
        Field::new("publishedBy", "published_by", Kind::Text { max: 255 }, "Subject of the token that published it."),
    ],
    relations: &[Relationship {
        name: "journey",
        target: &crate::journey::NOUN,
        link: Link::One { column: "journey_id", is_nullable: false, writable: Writable::Never },
        doc: "The journey.",
    }],
    operations: &[Operation::List],
    has_external_ids: false,
};
