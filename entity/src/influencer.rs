//! What moves the customer to an interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    evidence::BEHIND,
    id::{EvidenceId, InfluencerId, OrganizationId},
};

/// What moves the customer to an interaction point: an advertisement, a friend, a broken part. Kept in a library per
/// organization.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "influencer")]
#[noun(
    prefix = "infl", read = MapRead, write = MapWrite, operations = FULL, external_ids,
    through(evidence: EvidenceId, doc = BEHIND, inverse(influencers = "Influencers it supports."))
)]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InfluencerId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Name to show.
    #[noun(required, ordered, searchable, max = 200)]
    pub name: String,
    /// The name folded for search.
    pub name_folded: String,
    /// What it is, in a few sentences.
    #[noun(optional, max = 2000)]
    pub description: Option<String>,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
