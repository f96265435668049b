//! Content shared: which content item went to whom.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{ContentItemId, ContentShareId, CustomerId, InteractionId, OrganizationId},
};

/// A content item that was shared with a customer.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "content_share")]
#[noun(prefix = "share", read = RecordRead, write = RecordWrite, operations = PART, external_ids,
    timeline(at(shared_at)))]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ContentShareId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// When it was shared, UTC. Defaults to the current time; fails with OUT_OF_RANGE in the future.
    #[noun(default = "now", ordered)]
    pub shared_at: ChronoUnixTimestampMillis,
    /// How useful the customer found it, from 1 (not at all) to 7 (very); null if unknown.
    #[noun(optional, min = 1, max = 7)]
    pub usefulness: Option<i64>,
    /// Up to 50 tags of up to 64 characters, without duplicates, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub tags: String,
    /// Up to 20 named values with unique names; names and values have up to 200 characters.
    #[noun(default = "[]", attributes(most = 20, max = 200), personal = FreeText)]
    pub attributes: String,
    /// The content item.
    #[noun(fixed, inverse(shares = "Customers with whom it was shared."))]
    pub content_item_id: ContentItemId,
    /// Customer with whom it was shared. Defaults to that of the interaction; null if it was shared with everybody.
    #[noun(optional, inverse(content_shares = "Content that was shared with the customer."))]
    pub customer_id: Option<CustomerId>,
    /// Interaction in which it was shared.
    #[noun(optional, part, inverse(content_shares = "Content shared in the interaction."))]
    pub interaction_id: Option<InteractionId>,
}
