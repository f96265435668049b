//! What the customer wants at an interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    evidence::BEHIND,
    id::{EvidenceId, ExpectationId, InteractionPointId, OrganizationId},
    kind::Decimal,
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

/// What the customer wants at an interaction point. Any number may be noted; rank 1 to 5 picks the top five.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "expectation")]
#[noun(
    prefix = "exp", read = MapRead, write = MapWrite, operations = FULL, external_ids,
    through(evidence: EvidenceId, doc = BEHIND, inverse(expectations = "Expectations it supports."))
)]
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
    /// How badly the customer wants it.
    #[noun(default = "WANT")]
    pub kind: ExpectationKind,
    /// The expectation in the customer's words.
    #[noun(required, searchable, max = 2000)]
    pub statement: String,
    /// The statement folded for search.
    pub statement_folded: String,
    /// Where it comes from.
    #[noun(required)]
    pub source: ExpectationSource,
    /// What is measured, for example time to answer.
    #[noun(optional, max = 200)]
    pub target_metric: Option<String>,
    /// Unit of the target, for example days.
    #[noun(optional, max = 64)]
    pub target_unit: Option<String>,
    /// Value that satisfies, in the unit of the target: up to 4 digits after the point.
    #[noun(optional)]
    pub target_value: Option<Decimal<4>>,
    /// The standard that is to be met every time, in words, for example answered within two working days. The target
    /// says it in numbers.
    #[noun(optional, max = 2000)]
    pub standard: Option<String>,
    /// How important, 1 (hardly) to 7 (decides).
    #[noun(optional, ordered, min = 1, max = 7)]
    pub importance: Option<i64>,
    /// Place in the top five of its point, 1 first; null outside. Set whole by interactionPointRankExpectations.
    #[noun(ordered, min = 1, max = 5)]
    pub rank: Option<i64>,
    /// The interaction point it belongs to.
    #[noun(fixed, part, inverse(expectations = "What customers want there."))]
    pub point_id: InteractionPointId,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
