//! What the customer takes for granted at an interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    evidence::BEHIND,
    id::{AssumptionId, EvidenceId, InteractionPointId, MediumId, OrganizationId},
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

/// What the customer takes for granted at an interaction point. Open assumptions: filter {truth: {eq: UNKNOWN}}. The
/// marketing backlog, wrong and not yet corrected: filter {truth: {eq: WRONG}, correctedAt: {isNull: true}}.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "assumption")]
#[noun(
    prefix = "assum", read = MapRead, write = MapWrite, operations = FULL, external_ids,
    through(evidence: EvidenceId, doc = BEHIND, inverse(assumptions = "Assumptions it supports."))
)]
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
    /// What it is about.
    #[noun(required, ordered)]
    pub about: AssumptionSubject,
    /// What the customer takes for granted.
    #[noun(required, searchable, max = 2000)]
    pub statement: String,
    /// The statement folded for search.
    pub statement_folded: String,
    /// Whether it is so. Only one that is WRONG has a correction: another value is refused with INVALID while it has.
    #[noun(default = "UNKNOWN", ordered)]
    pub truth: AssumptionTruth,
    /// What would give the customer a truer picture. Refused with INVALID unless the truth is WRONG.
    #[noun(optional, max = 2000)]
    pub correction: Option<String>,
    /// When the correction was made, UTC; null while it is to be done. Needs a correction, and is refused with
    /// OUT_OF_RANGE in the future.
    #[noun(optional, ordered)]
    pub corrected_at: Option<ChronoUnixTimestampMillis>,
    /// The interaction point it is made at.
    #[noun(fixed, part, inverse(assumptions = "What customers take for granted there."))]
    pub point_id: InteractionPointId,
    /// Medium that carries the correction. Needs a correction.
    #[noun(optional)]
    pub corrected_through_id: Option<MediumId>,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
