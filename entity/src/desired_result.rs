//! Results that the customer wants to have after an interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    evidence::BEHIND,
    id::{DesiredResultId, EvidenceId, InteractionPointId, OrganizationId},
};

/// A result that the customer wants to have after an interaction point. The filter `{measure: {isNull: true}}` finds
/// results that nobody measures.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "desired_result")]
#[noun(
    prefix = "result", read = MapRead, write = MapWrite, operations = FULL, external_ids,
    through(evidence: EvidenceId, doc = BEHIND, inverse(desired_results = "Desired results that this evidence supports."))
)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DesiredResultId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// What the customer wants to have afterwards.
    #[noun(required, searchable, max = 2000)]
    pub statement: String,
    /// Folded copy of `statement` for search.
    pub statement_folded: String,
    /// How ready the customer is for the result, and how to tell.
    #[noun(optional, max = 2000)]
    pub readiness: Option<String>,
    /// What else is needed before the customer can have the result.
    #[noun(optional, max = 2000)]
    pub prerequisites: Option<String>,
    /// Next step towards the result.
    #[noun(optional, max = 2000)]
    pub next_step: Option<String>,
    /// How to measure whether the customer has the result.
    #[noun(optional, max = 2000)]
    pub measure: Option<String>,
    /// The interaction point after which the customer wants the result.
    #[noun(fixed, part, inverse(desired_results = "Results that customers want to have after this point."))]
    pub point_id: InteractionPointId,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
