//! What the customer wants at an interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    id::{ExpectationId, InteractionPointId, OrganizationId},
    noun::{FULL, Field, Kind, Link, Noun, Relationship, SYSTEM, StringEnum, Writable},
    permission::Permission,
};

crate::string_enum! {
    /// How badly the customer wants it.
    ExpectationKind as "ExpectationKind" {
        /// Would like it.
        Want = "WANT",
        /// Cannot do without it.
        Need = "NEED",
        /// Gains from it.
        Benefit = "BENEFIT",
    }
}

crate::string_enum! {
    /// Where an expectation comes from.
    ExpectationSource as "ExpectationSource" {
        /// What we said.
        Marketing = "MARKETING",
        /// What we did before.
        PastPerformance = "PAST_PERFORMANCE",
        /// What others do.
        Precedent = "PRECEDENT",
        /// What other customers say.
        WordOfMouth = "WORD_OF_MOUTH",
        /// What research found.
        Research = "RESEARCH",
        /// What customers told us.
        Feedback = "FEEDBACK",
    }
}

/// What the customer wants at a point.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "expectation")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ExpectationId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// The point.
    pub point_id: InteractionPointId,
    /// How badly it is wanted.
    pub kind: ExpectationKind,
    /// In the customer's words.
    pub statement: String,
    /// The statement folded for search.
    pub statement_folded: String,
    /// Where it comes from.
    pub source: ExpectationSource,
    /// What is measured.
    pub target_metric: Option<String>,
    /// In which unit.
    pub target_unit: Option<String>,
    /// The value that satisfies.
    pub target_value: Option<f64>,
    /// What is promised to be met.
    pub standard: Option<String>,
    /// 1 to 7.
    pub importance: Option<i64>,
    /// 1 to 5 within the top five.
    pub rank: Option<i64>,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of an expectation.
pub static NOUN: Noun = Noun {
    name: "Expectation",
    singular: "expectation",
    plural: "expectations",
    table: "expectation",
    prefix: "exp",
    doc: "What the customer wants at an interaction point. Any number may be noted; rank 1 to 5 picks the top five.",
    tenant: "organization_id",
    read: Some(Permission::MapRead),
    write: Permission::MapWrite,
    system: &SYSTEM,
    fields: &[
        Field::new("kind", "kind", Kind::Enum(ExpectationKind::TYPE), "How badly the customer wants it.").default_value("WANT"),
        Field::new("statement", "statement", Kind::Text { max: 2000 }, "The expectation in the customer's words.")
            .required()
            .searchable(),
        Field::new("source", "source", Kind::Enum(ExpectationSource::TYPE), "Where it comes from.").required(),
        Field::new(
            "targetMetric",
            "target_metric",
            Kind::Text { max: 200 },
            "What is measured, for example time to answer.",
        )
        .optional(),
        Field::new("targetUnit", "target_unit", Kind::Text { max: 64 }, "Unit of the target, for example days.")
            .optional(),
        Field::new(
            "targetValue",
            "target_value",
            Kind::Float { min: f64::MIN, max: f64::MAX },
            "Value that satisfies, in the unit of the target.",
        )
        .optional(),
        Field::new(
            "standard",
            "standard",
            Kind::Text { max: 2000 },
            "The standard that is to be met every time, in words, for example answered within two working days. The target says it in numbers.",
        )
        .optional(),
        Field::new(
            "importance",
            "importance",
            Kind::Int { min: 1, max: 7 },
            "How important, 1 (hardly) to 7 (decides).",
        )
        .optional()
        .ordered(),
        Field::new(
            "rank",
            "rank",
            Kind::Int { min: 1, max: 5 },
            "Place in the top five of its point, 1 first; null outside. Set whole by interactionPointRankExpectations.",
        )
        .nullable()
        .ordered(),
    ],
    relations: &[
        Relationship {
            name: "point",
            target: &crate::interaction_point::NOUN,
            link: Link::One { column: "point_id", is_nullable: false, writable: Writable::Fixed },
            doc: "The interaction point it belongs to.",
        },
        crate::evidence::behind("expectation_evidence", "expectation_id"),
    ],
    operations: FULL,
    has_external_ids: true,
};
