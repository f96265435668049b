//! Something useful to put before the customer at an interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    evidence::BEHIND,
    id::{EvidenceId, OfferId, OrganizationId},
    kind::{CurrencyCode, money::Amount},
};

crate::string_enum! {
    /// What an offer is.
    OfferKind as "OfferKind" {
        /// Something to buy.
        Sale = "SALE",
        /// Something to learn.
        Education = "EDUCATION",
        /// Something done for the customer.
        Service = "SERVICE",
        /// Somebody to go to, or to send to us.
        Referral = "REFERRAL",
        /// Something beyond what is expected.
        Extra = "EXTRA",
    }
}

/// Something useful to put before the customer at interaction points. Both sides gain, or it is no offer: both benefits
/// are required. Offers at no point: filter {interactionPoints: {none: {}}}.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "offer")]
#[noun(
    prefix = "offer", read = MapRead, write = MapWrite, operations = FULL, external_ids,
    through(evidence: EvidenceId, doc = BEHIND, inverse(offers = "Offers it supports."))
)]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OfferId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// What it is.
    #[noun(required, ordered)]
    pub kind: OfferKind,
    /// Name to show.
    #[noun(required, ordered, searchable, max = 200)]
    pub name: String,
    /// The name folded for search.
    pub name_folded: String,
    /// What it consists of, in a few sentences.
    #[noun(optional, max = 2000)]
    pub description: Option<String>,
    /// What the customer gains. Blank is refused with REQUIRED.
    #[noun(required, max = 2000)]
    pub customer_benefit: String,
    /// What the organization gains. Blank is refused with REQUIRED.
    #[noun(required, max = 2000)]
    pub organization_benefit: String,
    /// What the offer is worth to the customer, if it can be said in money.
    #[noun(optional, ordered, money)]
    pub value: Option<Amount>,
    /// The currency of the value.
    pub value_currency: Option<CurrencyCode>,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
