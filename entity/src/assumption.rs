//! What the customer takes for granted at an interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    id::{AssumptionId, InteractionPointId, MediumId, OrganizationId},
    noun::{FULL, Field, Kind, Link, Noun, Relationship, SYSTEM, StringEnum, Writable},
    permission::Permission,
};

crate::string_enum! {
    /// What an assumption is about.
    AssumptionSubject as "AssumptionSubject" {
        /// What is bought or used.
        Product = "PRODUCT",
        /// How the customer is served.
        Service = "SERVICE",
        /// What solves the customer's problem.
        Solution = "SOLUTION",
        /// What others have led the customer to take for granted.
        Precedent = "PRECEDENT",
    }
}

crate::string_enum! {
    /// Whether what is assumed is so.
    AssumptionTruth as "AssumptionTruth" {
        /// Nobody has looked yet: an open assumption.
        Unknown = "UNKNOWN",
        /// It is so.
        Correct = "CORRECT",
        /// It is not so: the customer needs a truer picture.
        Wrong = "WRONG",
    }
}

/// What the customer takes for granted at a point.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "assumption")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AssumptionId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// The point.
    pub point_id: InteractionPointId,
    /// What it is about.
    pub about: AssumptionSubject,
    /// What is taken for granted.
    pub statement: String,
    /// The statement folded for search.
    pub statement_folded: String,
    /// Whether it is so.
    pub truth: AssumptionTruth,
    /// What would give a truer picture.
    pub correction: Option<String>,
    /// Medium of the correction.
    pub corrected_through_id: Option<MediumId>,
    /// When it was corrected.
    pub corrected_at: Option<ChronoUnixTimestampMillis>,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of an assumption.
pub static NOUN: Noun = Noun {
    name: "Assumption",
    singular: "assumption",
    plural: "assumptions",
    table: "assumption",
    prefix: "assum",
    doc: "What the customer takes for granted at an interaction point. Open assumptions: filter {truth: {eq: UNKNOWN}}. The marketing backlog, wrong and not yet corrected: filter {truth: {eq: WRONG}, correctedAt: {isNull: true}}.",
    tenant: "organization_id",
    read: Some(Permission::MapRead),
    write: Permission::MapWrite,
    system: &SYSTEM,
    fields: &[
        Field::new("about", "about", Kind::Enum(AssumptionSubject::TYPE), "What it is about.").required().ordered(),
        Field::new("statement", "statement", Kind::Text { max: 2000 }, "What the customer takes for granted.")
            .required()
            .searchable(),
        Field::new(
            "truth",
            "truth",
            Kind::Enum(AssumptionTruth::TYPE),
            "Whether it is so. Only one that is WRONG has a correction: another value is refused with INVALID while it has.",
        )
        .default_value("UNKNOWN")
        .ordered(),
        Field::new(
            "correction",
            "correction",
            Kind::Text { max: 2000 },
            "What would give the customer a truer picture. Refused with INVALID unless the truth is WRONG.",
        )
        .optional(),
        Field::new(
            "correctedAt",
            "corrected_at",
            Kind::Instant,
            "When the correction was made, UTC; null while it is to be done. Needs a correction, and is refused with OUT_OF_RANGE in the future.",
        )
        .optional()
        .ordered(),
    ],
    relations: &[
        Relationship {
            name: "point",
            target: &crate::interaction_point::NOUN,
            link: Link::One { column: "point_id", is_nullable: false, writable: Writable::Fixed },
            doc: "The interaction point it is made at.",
        },
        Relationship {
            name: "correctedThrough",
            target: &crate::medium::NOUN,
            link: Link::One { column: "corrected_through_id", is_nullable: true, writable: Writable::Optional },
            doc: "Medium that carries the correction. Needs a correction.",
        },
        crate::evidence::behind("assumption_evidence", "assumption_id"),
    ],
    operations: FULL,
    has_external_ids: true,
};
