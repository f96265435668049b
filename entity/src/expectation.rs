//! Expectations of customers at an interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    evidence::BEHIND,
    id::{EvidenceId, ExpectationId, FeedbackRecordId, InteractionId, InteractionPointId, OrganizationId},
    kind::Decimal,
};

crate::string_enum! {
    /// Kind of expectation: how strongly the customer wants it.
    ExpectationKind as "ExpectationKind" {
        /// The customer would like it.
        Want = "WANT",
        /// The customer cannot do without it.
        Need = "NEED",
        /// The customer gains from it.
        Benefit = "BENEFIT",
    }
}

crate::string_enum! {
    /// Source of an expectation.
    ExpectationSource as "ExpectationSource" {
        /// The organization's marketing.
        Marketing = "MARKETING",
        /// The organization's past performance.
        PastPerformance = "PAST_PERFORMANCE",
        /// What other companies do.
        Precedent = "PRECEDENT",
        /// What other customers say.
        WordOfMouth = "WORD_OF_MOUTH",
        /// Research among customers.
        Research = "RESEARCH",
        /// Feedback from customers.
        Feedback = "FEEDBACK",
    }
}

crate::string_enum! {
    /// Dimension of service quality, as in SERVQUAL.
    ServiceDimension as "ServiceDimension" {
        /// What the customer sees: rooms, equipment, staff, materials.
        Tangibles = "TANGIBLES",
        /// Doing what was promised, dependably and accurately.
        Reliability = "RELIABILITY",
        /// Helping promptly.
        Responsiveness = "RESPONSIVENESS",
        /// Knowledge and courtesy that inspire trust.
        Assurance = "ASSURANCE",
        /// Individual, caring attention.
        Empathy = "EMPATHY",
    }
}

/// Something the customer wants at an interaction point. A point can have any number of expectations; ranks 1 to 5 mark
/// its top five.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "expectation")]
#[noun(
    prefix = "exp", read = MapRead, write = MapWrite, operations = FULL, external_ids,
    through(evidence: EvidenceId, doc = BEHIND, inverse(expectations = "Expectations that this evidence supports."))
)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ExpectationId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Kind of expectation: how strongly the customer wants it.
    #[noun(default = "WANT")]
    pub kind: ExpectationKind,
    /// The expectation in the customer's words.
    #[noun(required, searchable, max = 2000)]
    pub statement: String,
    /// Folded copy of `statement` for search.
    pub statement_folded: String,
    /// Source of the expectation.
    #[noun(required)]
    pub source: ExpectationSource,
    /// Dimension of service quality that the expectation belongs to.
    #[noun(optional)]
    pub dimension: Option<ServiceDimension>,
    /// What the target measures, for example time to answer.
    #[noun(optional, max = 200)]
    pub target_metric: Option<String>,
    /// Unit of the target value, for example days.
    #[noun(optional, max = 64)]
    pub target_unit: Option<String>,
    /// Value that satisfies the customer, in the unit of the target; up to 4 digits after the decimal point.
    #[noun(optional)]
    pub target_value: Option<Decimal<4>>,
    /// Standard to meet every time, in words, for example answered within two working days. The target states it in
    /// numbers.
    #[noun(optional, max = 2000)]
    pub standard: Option<String>,
    /// Importance, from 1 (hardly matters) to 7 (decisive).
    #[noun(optional, ordered, min = 1, max = 7)]
    pub importance: Option<i64>,
    /// Position among the top five expectations of the point, 1 first; null if it is not one of them. Set by
    /// interactionPointRankExpectations.
    #[noun(ordered, min = 1, max = 5)]
    pub rank: Option<i64>,
    /// The interaction point at which the customer has the expectation.
    #[noun(fixed, part, inverse(expectations = "Expectations that customers have at this point."))]
    pub point_id: InteractionPointId,
    /// Interaction in which the organization learned of the expectation.
    #[noun(optional, inverse(discovered_expectations = "Expectations that the organization learned of in it."))]
    pub discovered_in_interaction_id: Option<InteractionId>,
    /// Feedback from which the organization learned of the expectation.
    #[noun(optional, inverse(discovered_expectations = "Expectations that the organization learned of from it."))]
    pub discovered_in_feedback_id: Option<FeedbackRecordId>,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
