//! What the customer wants to have after an interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    evidence::BEHIND,
    id::{DesiredResultId, EvidenceId, InteractionPointId, OrganizationId},
};

/// What the customer wants to have after an interaction point. Those nobody measures: filter {measure: {isNull: true}}.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "desired_result")]
#[noun(
    prefix = "result", read = MapRead, write = MapWrite, operations = FULL, external_ids,
    through(evidence: EvidenceId, doc = BEHIND, inverse(desired_results = "Desired results it supports."))
)]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DesiredResultId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// What the customer wants to have afterwards.
    #[noun(required, searchable, max = 2000)]
    pub statement: String,
    /// The statement folded for search.
    pub statement_folded: String,
    /// How ready the customer is for it, and how one can tell.
    #[noun(optional, max = 2000)]
    pub readiness: Option<String>,
    /// What else is needed before it can be had.
    #[noun(optional, max = 2000)]
    pub prerequisites: Option<String>,
    /// What is to be done next to get there.
    #[noun(optional, max = 2000)]
    pub next_step: Option<String>,
    /// How it is measured that the customer has it.
    #[noun(optional, max = 2000)]
    pub measure: Option<String>,
    /// The interaction point after which it is wanted.
    #[noun(fixed, part, inverse(desired_results = "What customers want to have afterwards."))]
    pub point_id: InteractionPointId,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
