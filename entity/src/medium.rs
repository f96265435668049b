//! Mediums: channels of communication, in a tree of categories.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{MediumId, OrganizationId},
};

/// A channel of communication, for example phone, letter, shop or the product itself. Mediums form a tree; a parent is
/// a category.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "medium")]
#[noun(
    prefix = "med", read = MapRead, write = MapWrite, operations = FULL, external_ids,
    order(children)
)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MediumId,
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
    /// Category of the medium. Fails with CYCLE if it would be below itself.
    #[noun(optional, inverse(children = "Mediums in this category."))]
    pub parent_id: Option<MediumId>,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
