//! Referrals: a customer brought another.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{CustomerId, InteractionId, OrganizationId, ReferralId},
};

crate::string_enum! {
    /// Status of a referral.
    ReferralStatus as "ReferralStatus" {
        /// It is not known yet what becomes of it.
        Open = "OPEN",
        /// The person referred became a customer.
        Won = "WON",
        /// The person referred did not become a customer.
        Lost = "LOST",
    }
}

/// A customer's recommendation that brought, or may bring, another one.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "referral")]
#[noun(prefix = "referral", read = RecordRead, write = RecordWrite, operations = PART, external_ids,
    timeline(at(referred_at)))]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReferralId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Status. A new row may have any status; afterwards, transitions change it, and so may upserts and imports.
    #[noun(ordered, lifecycle(
        initial = Open,
        on_create,
        win(from(Open, Lost), to = Won, stamps = decided_at, doc = "Records that the person referred became a customer."),
        lose(from(Open), to = Lost, accepts(reason), stamps = decided_at,
            doc = "Records that the person referred did not become a customer."),
    ))]
    pub status: ReferralStatus,
    /// When it was made, UTC. Defaults to the current time; fails with OUT_OF_RANGE in the future.
    #[noun(default = "now", ordered)]
    pub referred_at: ChronoUnixTimestampMillis,
    /// When it was won or lost, UTC; null until then.
    pub decided_at: Option<ChronoUnixTimestampMillis>,
    /// Why it was won or lost.
    #[noun(optional, max = 2000, personal = FreeText)]
    pub reason: Option<String>,
    /// Up to 50 tags of up to 64 characters, without duplicates, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub tags: String,
    /// Up to 20 named values with unique names; names and values have up to 200 characters.
    #[noun(default = "[]", attributes(most = 20, max = 200), personal = FreeText)]
    pub attributes: String,
    /// Customer who recommended the organization.
    #[noun(fixed, inverse(referrals_made = "Referrals that the customer made."))]
    pub referrer_id: CustomerId,
    /// Person who was referred; null if not known yet, or if it turned out to be the referrer: see
    /// customerMerge. Fails with INVALID if it is the referrer.
    #[noun(optional, inverse(referrals_received = "Referrals that brought the customer."))]
    pub referred_id: Option<CustomerId>,
    /// Interaction in which it was made.
    #[noun(optional, inverse(referrals = "Referrals made in the interaction."))]
    pub interaction_id: Option<InteractionId>,
}
