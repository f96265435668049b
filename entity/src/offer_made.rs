//! Offers made: what was offered in an interaction, and what the customer answered.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{InteractionId, MessageVariantId, OfferId, OfferMadeId, OrganizationId},
    kind::{CurrencyCode, money::Amount},
};

crate::string_enum! {
    /// Status of an offer made.
    OfferMadeStatus as "OfferMadeStatus" {
        /// Made; not answered yet.
        Presented = "PRESENTED",
        /// The customer accepted it.
        Accepted = "ACCEPTED",
        /// The customer declined it.
        Declined = "DECLINED",
    }
}

crate::string_enum! {
    /// What an offer of kind EDUCATION helps the customer with.
    EducationPurpose as "EducationPurpose" {
        /// To decide better.
        Decide = "DECIDE",
        /// To use a product better.
        Use = "USE",
        /// To reach an objective by another service.
        OtherService = "OTHER_SERVICE",
    }
}

/// An offer that was made to the customer in an interaction. An extra that is given without being asked for is an offer
/// of kind EXTRA with the status ACCEPTED.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "offer_made")]
#[noun(prefix = "made", plural = "offersMade", read = RecordRead, write = RecordWrite, operations = PART, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OfferMadeId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Status. A new row may have any status; afterwards, transitions change it, and so may upserts and imports.
    #[noun(ordered, lifecycle(
        initial = Presented,
        on_create,
        accept(from(Presented, Declined), to = Accepted, accepts(reason, value), stamps = answered_at,
            doc = "Records that the customer accepted an offer."),
        decline(from(Presented), to = Declined, requires(reason), stamps = answered_at,
            doc = "Records that the customer declined an offer, and why."),
    ))]
    pub status: OfferMadeStatus,
    /// When the customer answered, UTC; null until then.
    pub answered_at: Option<ChronoUnixTimestampMillis>,
    /// Why the customer answered so.
    #[noun(optional, max = 2000, personal = FreeText)]
    pub reason: Option<String>,
    /// Value of the offer in this interaction; null if it is that of the offer, or cannot be expressed in money.
    #[noun(optional, money)]
    pub value: Option<Amount>,
    /// Currency of the value.
    pub value_currency: Option<CurrencyCode>,
    /// What an offer of kind EDUCATION helps the customer with. Fails with INVALID for offers of other kinds.
    #[noun(optional)]
    pub education_purpose: Option<EducationPurpose>,
    /// Up to 50 tags of up to 64 characters, without duplicates, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub tags: String,
    /// Up to 20 named values with unique names; names and values have up to 200 characters.
    #[noun(default = "[]", attributes(most = 20, max = 200), personal = FreeText)]
    pub attributes: String,
    /// The interaction in which the offer was made.
    #[noun(fixed, part, inverse(offers_made = "Offers made in the interaction."))]
    pub interaction_id: InteractionId,
    /// The offer that was made.
    #[noun(fixed, inverse(made = "Interactions in which the offer was made."))]
    pub offer_id: OfferId,
    /// Message variant that presented the offer.
    #[noun(optional, inverse(offers_made = "Offers that the variant presented."))]
    pub message_variant_id: Option<MessageVariantId>,
}
