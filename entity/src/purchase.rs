//! Purchases.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{AccountId, CustomerId, InteractionPointId, OrganizationId, PurchaseId},
    kind::{CurrencyCode, money::Amount},
};

/// A purchase by a customer, by an account, or by a customer on behalf of an account; by nobody known if both are null.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "purchase")]
#[noun(prefix = "purchase", read = RecordRead, write = RecordWrite, operations = PART, external_ids,
    timeline(at(bought_at)))]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PurchaseId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// When it was made, UTC. Defaults to the current time; fails with OUT_OF_RANGE in the future.
    #[noun(default = "now", ordered)]
    pub bought_at: ChronoUnixTimestampMillis,
    /// What was paid or is owed. Fails with OUT_OF_RANGE if it is negative.
    #[noun(required, money)]
    pub amount: Amount,
    /// Currency of the amount.
    pub amount_currency: CurrencyCode,
    /// Number of items bought.
    #[noun(optional, min = 0, max = 1_000_000_000)]
    pub item_count: Option<i64>,
    /// What was bought.
    #[noun(optional, ordered, searchable, max = 200)]
    pub product: Option<String>,
    /// Folded copy of `product` for search.
    pub product_folded: Option<String>,
    /// What was paid back, in the currency of the amount and not more than it; null if nothing was.
    #[noun(optional, money)]
    pub refunded: Option<Amount>,
    /// Currency of the refund.
    pub refunded_currency: Option<CurrencyCode>,
    /// Up to 50 tags of up to 64 characters, without duplicates, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub tags: String,
    /// Up to 20 named values with unique names; names and values have up to 200 characters.
    #[noun(default = "[]", attributes(most = 20, max = 200), personal = FreeText)]
    pub attributes: String,
    /// Customer who bought.
    #[noun(optional, inverse(purchases = "Purchases by the customer."))]
    pub customer_id: Option<CustomerId>,
    /// Account that bought.
    #[noun(optional, inverse(purchases = "Purchases by the account."))]
    pub account_id: Option<AccountId>,
    /// Interaction point at which it was made.
    #[noun(optional, inverse(purchases = "Purchases made at the point."))]
    pub point_id: Option<InteractionPointId>,
}
