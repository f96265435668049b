//! Parts of units.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{OrganizationId, UnitId, UnitPartId},
};

/// A part of a unit that can fail and be replaced by itself. A replaced part is retired, and its successor is a new row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "unit_part")]
#[noun(prefix = "upart", read = RecordRead, write = RecordWrite, operations = PART, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UnitPartId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Name of the part, for example drain pump.
    #[noun(required, ordered, searchable, max = 200)]
    pub name: String,
    /// Folded copy of `name` for search.
    pub name_folded: String,
    /// Serial number of the part.
    #[noun(optional, searchable, max = 200, personal = Identifier)]
    pub serial: Option<String>,
    /// Folded copy of `serial` for search.
    pub serial_folded: Option<String>,
    /// When it went into service, UTC; null if it did not, or if that is unknown.
    #[noun(optional, ordered)]
    pub in_service_at: Option<ChronoUnixTimestampMillis>,
    /// When it was removed or replaced, UTC; null until then. Fails with OUT_OF_RANGE before inServiceAt and in the
    /// future.
    #[noun(optional, ordered)]
    pub retired_at: Option<ChronoUnixTimestampMillis>,
    /// Up to 50 tags of up to 64 characters, without duplicates, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub tags: String,
    /// Up to 20 named values with unique names; names and values have up to 200 characters.
    #[noun(default = "[]", attributes(most = 20, max = 200), personal = FreeText)]
    pub attributes: String,
    /// The unit that it is a part of.
    #[noun(fixed, part, inverse(parts = "Parts of the unit, up to 1,000."))]
    pub unit_id: UnitId,
}
