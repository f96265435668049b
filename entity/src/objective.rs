//! Objectives that somebody pursues at an interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    evidence::BEHIND,
    id::{EvidenceId, InteractionPointId, ObjectiveId, OrganizationId},
};

crate::string_enum! {
    /// Owner of an objective.
    ObjectiveOwner as "ObjectiveOwner" {
        /// The person who deals with the organization.
        Person = "PERSON",
        /// The company that person works for.
        TheirCompany = "THEIR_COMPANY",
        /// The organization itself.
        Ours = "OURS",
    }
}

/// What somebody wants to achieve at an interaction point: the person, the company they work for, or the organization.
/// Up to 1,000 per point; more fail with TOO_LONG.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "objective")]
#[noun(
    prefix = "obj", read = MapRead, write = MapWrite, operations = FULL, external_ids,
    through(evidence: EvidenceId, doc = BEHIND, inverse(objectives = "Objectives that this evidence supports."))
)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ObjectiveId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Owner of the objective. Fails with INVALID if an objective that it conflicts with has the same owner.
    #[noun(required, ordered)]
    pub owner: ObjectiveOwner,
    /// What the owner wants to achieve.
    #[noun(required, searchable, max = 2000)]
    pub statement: String,
    /// Folded copy of `statement` for search.
    pub statement_folded: String,
    /// The interaction point at which the objective is pursued.
    #[noun(
        fixed,
        part,
        inverse(objectives = "Objectives of the person, their company and the organization at this point.")
    )]
    pub point_id: InteractionPointId,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
