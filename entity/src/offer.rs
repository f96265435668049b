//! Offers to customers at interaction points.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    evidence::BEHIND,
    id::{EvidenceId, OfferId, OrganizationId},
    kind::{CurrencyCode, money::Amount},
};

crate::string_enum! {
    /// Kind of offer.
    OfferKind as "OfferKind" {
        /// Something to buy.
        Sale = "SALE",
        /// Something to learn.
        Education = "EDUCATION",
        /// Something done for the customer.
        Service = "SERVICE",
        /// Somebody to refer the customer to, or to refer to the organization.
        Referral = "REFERRAL",
        /// Something beyond what the customer expects.
        Extra = "EXTRA",
    }
}

/// Something useful to offer to customers at interaction points. An offer benefits both sides; both benefits are
/// required. The filter `{interactionPoints: {none: {}}}` finds offers that no point makes.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "offer")]
#[noun(
    prefix = "offer", read = MapRead, write = MapWrite, operations = FULL, external_ids,
    through(evidence: EvidenceId, doc = BEHIND, inverse(offers = "Offers that this evidence supports."))
)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OfferId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Kind of offer.
    #[noun(required, ordered)]
    pub kind: OfferKind,
    /// Display name.
    #[noun(required, ordered, searchable, max = 200)]
    pub name: String,
    /// Folded copy of `name` for search.
    pub name_folded: String,
    /// What the offer includes, in a few sentences.
    #[noun(optional, max = 2000)]
    pub description: Option<String>,
    /// Benefit for the customer. Fails with REQUIRED if blank.
    #[noun(required, max = 2000)]
    pub customer_benefit: String,
    /// Benefit for the organization. Fails with REQUIRED if blank.
    #[noun(required, max = 2000)]
    pub organization_benefit: String,
    /// Value of the offer for the customer; null if it cannot be expressed in money.
    #[noun(optional, ordered, money)]
    pub value: Option<Amount>,
    /// Currency of the value.
    pub value_currency: Option<CurrencyCode>,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
