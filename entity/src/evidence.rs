//! Research that supports an element of the map. A table for each element links it to its evidence.

use sea_orm::entity::prelude::*;

use crate::{
    id::{EvidenceId, OrganizationId},
    noun::{FULL, Field, Kind, Link, Noun, Relationship, SYSTEM, StringEnum},
    permission::Permission,
};

crate::string_enum! {
    /// How evidence was found.
    EvidenceKind as "EvidenceKind" {
        /// By listening and watching: interviews, visits, letters.
        Qualitative = "QUALITATIVE",
        /// By counting and measuring: surveys, experiments, records.
        Quantitative = "QUANTITATIVE",
    }
}

/// Research that supports elements of the map.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "evidence")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EvidenceId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// How it was found.
    pub kind: EvidenceKind,
    /// Title to show.
    pub title: String,
    /// The title folded for search.
    pub title_folded: String,
    /// What it shows.
    pub finding: Option<String>,
    /// How it was gathered.
    pub method: Option<String>,
    /// Where it comes from.
    pub source_name: Option<String>,
    /// Address of the source.
    pub source_url: Option<String>,
    /// When it was gathered.
    pub gathered_at: Option<ChronoUnixTimestampMillis>,
    /// How many were asked or counted.
    pub sample_size: Option<i64>,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The relation of an element to the evidence behind it.
pub const fn behind(table: &'static str, from: &'static str) -> Relationship {
    Relationship {
        name: "evidence",
        target: &NOUN,
        link: Link::Through { table, from, to: "evidence_id", edge: &[] },
        doc: "Evidence behind it. Set whole by the mutation of its noun that ends in SetEvidence.",
    }
}

/// The relation of evidence to the elements of a noun that it supports.
const fn supports(
    name: &'static str,
    target: &'static Noun,
    table: &'static str,
    to: &'static str,
    doc: &'static str,
) -> Relationship {
    Relationship { name, target, link: Link::Through { table, from: "evidence_id", to, edge: &[] }, doc }
}

/// The description of evidence.
pub static NOUN: Noun = Noun {
    name: "Evidence",
    singular: "evidence",
    plural: "evidences",
    table: "evidence",
    prefix: "evid",
    doc: "Research that supports elements of the map. One piece may support any number of them; each element shows by evidenceLevel what stands behind it.",
    tenant: "organization_id",
    read: Some(Permission::MapRead),
    write: Permission::MapWrite,
    system: &SYSTEM,
    fields: &[
        Field::new(
            "kind",
            "kind",
            Kind::Enum(EvidenceKind::TYPE),
            "How it was found. QUANTITATIVE needs a sample size.",
        )
        .required()
        .ordered(),
        Field::new("title", "title", Kind::Text { max: 200 }, "Title to show.").required().ordered().searchable(),
        Field::new("finding", "finding", Kind::Text { max: 2000 }, "What it shows, in a few sentences.").optional(),
        Field::new(
            "method",
            "method",
            Kind::Text { max: 200 },
            "How it was gathered, for example interviews, survey, records of calls.",
        )
        .optional(),
        Field::new(
            "sourceName",
            "source_name",
            Kind::Text { max: 200 },
            "Where it comes from: a study, a team, a publication.",
        )
        .optional(),
        Field::new(
            "sourceUrl",
            "source_url",
            Kind::Text { max: 2000 },
            "Address of the source, http or https; any other is refused with INVALID.",
        )
        .optional(),
        Field::new(
            "gatheredAt",
            "gathered_at",
            Kind::Instant,
            "When it was gathered, UTC. Refused with OUT_OF_RANGE in the future.",
        )
        .optional()
        .ordered(),
        Field::new(
            "sampleSize",
            "sample_size",
            Kind::Int { min: 1, max: 2_000_000_000 },
            "How many people or cases were asked or counted, at least 1. Required of QUANTITATIVE evidence.",
        )
        .optional()
        .ordered(),
    ],
    relations: &[
        supports(
            "interactionPoints",
            &crate::interaction_point::NOUN,
            "interaction_point_evidence",
            "interaction_point_id",
            "Interaction points it supports.",
        ),
        supports(
            "influencers",
            &crate::influencer::NOUN,
            "influencer_evidence",
            "influencer_id",
            "Influencers it supports.",
        ),
        supports(
            "expectations",
            &crate::expectation::NOUN,
            "expectation_evidence",
            "expectation_id",
            "Expectations it supports.",
        ),
        supports(
            "assumptions",
            &crate::assumption::NOUN,
            "assumption_evidence",
            "assumption_id",
            "Assumptions it supports.",
        ),
        supports(
            "objectives",
            &crate::objective::NOUN,
            "objective_evidence",
            "objective_id",
            "Objectives it supports.",
        ),
        supports(
            "desiredResults",
            &crate::desired_result::NOUN,
            "desired_result_evidence",
            "desired_result_id",
            "Desired results it supports.",
        ),
        supports("offers", &crate::offer::NOUN, "offer_evidence", "offer_id", "Offers it supports."),
        supports("messages", &crate::message::NOUN, "message_evidence", "message_id", "Messages it supports."),
    ],
    operations: FULL,
    has_external_ids: true,
};
