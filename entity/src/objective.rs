//! What somebody wants to reach at an interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    evidence::BEHIND,
    id::{EvidenceId, InteractionPointId, ObjectiveId, OrganizationId},
};

crate::string_enum! {
    /// Whose agenda an objective is on.
    ObjectiveOwner as "ObjectiveOwner" {
        /// The person we meet.
        Person = "PERSON",
        /// The company that person works for.
        TheirCompany = "THEIR_COMPANY",
        /// We.
        Ours = "OURS",
    }
}

/// What somebody wants to reach at an interaction point: the person, the company they work for, or we. At most 1,000 a
/// point.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "objective")]
#[noun(
    prefix = "obj", read = MapRead, write = MapWrite, operations = FULL, external_ids,
    through(evidence: EvidenceId, doc = BEHIND, inverse(objectives = "Objectives it supports."))
)]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ObjectiveId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Whose it is. Refused with INVALID if it would be that of an objective it conflicts with.
    #[noun(required, ordered)]
    pub owner: ObjectiveOwner,
    /// What they want to reach.
    #[noun(required, searchable, max = 2000)]
    pub statement: String,
    /// The statement folded for search.
    pub statement_folded: String,
    /// The interaction point it is pursued at.
    #[noun(fixed, part, inverse(objectives = "What the person, their company and we want to reach there."))]
    pub point_id: InteractionPointId,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
