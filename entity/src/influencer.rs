//! Influencers, which move customers to an interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    evidence::BEHIND,
    id::{EvidenceId, InfluencerId, OrganizationId},
};

/// Something that moves customers to an interaction point, for example an advertisement, a friend or a broken part. An
/// organization keeps a library of influencers and links them to its points.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "influencer")]
#[noun(
    prefix = "infl", read = MapRead, write = MapWrite, operations = FULL, external_ids,
    through(evidence: EvidenceId, doc = BEHIND, inverse(influencers = "Influencers that this evidence supports."))
)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InfluencerId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Display name.
    #[noun(required, ordered, searchable, max = 200)]
    pub name: String,
    /// Folded copy of `name` for search.
    pub name_folded: String,
    /// Description in a few sentences.
    #[noun(optional, max = 2000)]
    pub description: Option<String>,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
