//! Attribute definitions: whether the values of an attribute are personal data.

use sea_orm::entity::prelude::*;

pub use crate::noun_enum::AttributeNoun;
use crate::{
    Noun,
    id::{AttributeDefinitionId, OrganizationId},
};

/// Declares whether the values of an attribute are personal data. Attributes without a definition are personal: reading
/// them requires `customers:read`. A change takes effect with the next request. Up to 1,000 per organization; more fail
/// with TOO_LONG.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "attribute_definition")]
#[noun(
    prefix = "attr", read = Admin, write = Admin, operations = [List, Create, Update, Delete], unique(noun, name)
)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AttributeDefinitionId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Type whose rows have the attribute.
    #[noun(fixed)]
    pub noun: AttributeNoun,
    /// Name of the attribute, exactly as rows contain it. Unique per type; a duplicate fails with TAKEN.
    #[noun(required, ordered, max = 200)]
    pub name: String,
    /// Whether values may be personal data. If false, every token that can read the rows can also read the attribute,
    /// filter by it and group by it.
    #[noun(required)]
    pub is_personal: bool,
}
