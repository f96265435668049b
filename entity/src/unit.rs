//! Units: products in the field.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{CustomerId, OrganizationId, UnitId},
};

/// A product in the field: one article that a customer has. Its parts can be written with it.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "unit")]
#[noun(prefix = "unit", read = RecordRead, write = RecordWrite, operations = FULL, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UnitId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Product that the unit is one of, for example a model number.
    #[noun(required, ordered, searchable, max = 200)]
    pub product: String,
    /// Folded copy of `product` for search.
    pub product_folded: String,
    /// Serial number. Not unique: makers number independently.
    #[noun(optional, searchable, max = 200, personal = Identifier)]
    pub serial: Option<String>,
    /// Folded copy of `serial` for search.
    pub serial_folded: Option<String>,
    /// When it went into service, UTC; null if it did not, or if that is unknown.
    #[noun(optional, ordered)]
    pub in_service_at: Option<ChronoUnixTimestampMillis>,
    /// When it was taken out of service for good, UTC; null until then. Fails with OUT_OF_RANGE before inServiceAt and
    /// in the future.
    #[noun(optional, ordered)]
    pub retired_at: Option<ChronoUnixTimestampMillis>,
    /// Up to 50 tags of up to 64 characters, without duplicates, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub tags: String,
    /// Up to 20 named values with unique names; names and values have up to 200 characters.
    #[noun(default = "[]", attributes(most = 20, max = 200), personal = FreeText)]
    pub attributes: String,
    /// Customer who has the unit; null if unknown.
    #[noun(optional, inverse(units = "Units that the customer has."))]
    pub customer_id: Option<CustomerId>,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
