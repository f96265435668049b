//! A channel of communication, in a tree: category, then medium.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{MediumId, OrganizationId},
};

/// A channel of communication (phone, letter, shop, the product itself), in a tree: category, then medium.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "medium")]
#[noun(
    prefix = "med", read = MapRead, write = MapWrite, operations = FULL, external_ids,
    order(children)
)]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MediumId,
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
    /// Category it belongs to. A cycle is refused with CYCLE.
    #[noun(optional, inverse(children = "Mediums below it."))]
    pub parent_id: Option<MediumId>,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
