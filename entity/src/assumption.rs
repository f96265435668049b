//! Assumptions of customers at an interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    evidence::BEHIND,
    id::{AssumptionId, EvidenceId, InteractionPointId, MediumId, OrganizationId},
};

crate::string_enum! {
    /// Subject of an assumption.
    AssumptionSubject as "AssumptionSubject" {
        /// The product that is bought or used.
        Product = "PRODUCT",
        /// How the customer is served.
        Service = "SERVICE",
        /// The solution to the customer's problem.
        Solution = "SOLUTION",
        /// What the customer infers from experience with others.
        Precedent = "PRECEDENT",
    }
}

crate::string_enum! {
    /// Whether an assumption is correct.
    AssumptionTruth as "AssumptionTruth" {
        /// Not yet checked: an open assumption.
        Unknown = "UNKNOWN",
        /// The assumption is correct.
        Correct = "CORRECT",
        /// The assumption is wrong and needs a correction.
        Wrong = "WRONG",
    }
}

/// Something the customer takes for granted at an interaction point. The filter `{truth: {eq: UNKNOWN}}` finds open
/// assumptions; `{truth: {eq: WRONG}, correctedAt: {isNull: true}}` finds those that are wrong and not yet corrected.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "assumption")]
#[noun(
    prefix = "assum", read = MapRead, write = MapWrite, operations = FULL, external_ids,
    through(evidence: EvidenceId, doc = BEHIND, inverse(assumptions = "Assumptions that this evidence supports."))
)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AssumptionId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Subject of the assumption.
    #[noun(required, ordered)]
    pub about: AssumptionSubject,
    /// What the customer takes for granted.
    #[noun(required, searchable, max = 2000)]
    pub statement: String,
    /// Folded copy of `statement` for search.
    pub statement_folded: String,
    /// Whether the assumption is correct. Only a WRONG assumption can have a correction; any other value fails with
    /// INVALID while there is one.
    #[noun(default = "UNKNOWN", ordered)]
    pub truth: AssumptionTruth,
    /// What would give the customer a more accurate picture. Fails with INVALID unless the truth is WRONG.
    #[noun(optional, max = 2000)]
    pub correction: Option<String>,
    /// When the correction was made, UTC; null until then. Fails with REQUIRED without a correction, and with
    /// OUT_OF_RANGE in the future.
    #[noun(optional, ordered)]
    pub corrected_at: Option<ChronoUnixTimestampMillis>,
    /// The interaction point at which the customer makes the assumption.
    #[noun(fixed, part, inverse(assumptions = "Assumptions that customers make at this point."))]
    pub point_id: InteractionPointId,
    /// Medium that carries the correction. Fails with REQUIRED without a correction.
    #[noun(optional)]
    pub corrected_through_id: Option<MediumId>,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
