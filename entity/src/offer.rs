//! Something useful to put before the customer at an interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    id::{OfferId, OrganizationId},
    noun::{FULL, Field, Kind, Link, Noun, Relationship, SYSTEM, StringEnum},
    permission::Permission,
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

/// Something useful to put before the customer.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "offer")]
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
    pub kind: OfferKind,
    /// Name to show.
    pub name: String,
    /// The name folded for search.
    pub name_folded: String,
    /// What it consists of.
    pub description: Option<String>,
    /// What the customer gains.
    pub customer_benefit: String,
    /// What the organization gains.
    pub organization_benefit: String,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of an offer.
pub static NOUN: Noun = Noun {
    name: "Offer",
    singular: "offer",
    plural: "offers",
    table: "offer",
    prefix: "offer",
    doc: "Something useful to put before the customer at interaction points. Both sides gain, or it is no offer: both benefits are required. Offers at no point: filter {interactionPoints: {none: {}}}.",
    tenant: "organization_id",
    read: Some(Permission::MapRead),
    write: Permission::MapWrite,
    system: &SYSTEM,
    fields: &[
        Field::new("kind", "kind", Kind::Enum(OfferKind::TYPE), "What it is.").required().ordered(),
        Field::new("name", "name", Kind::Text { max: 200 }, "Name to show.").required().ordered().searchable(),
        Field::new("description", "description", Kind::Text { max: 2000 }, "What it consists of, in a few sentences.")
            .optional(),
        Field::new(
            "customerBenefit",
            "customer_benefit",
            Kind::Text { max: 2000 },
            "What the customer gains. Blank is refused with REQUIRED.",
        )
        .required(),
        Field::new(
            "organizationBenefit",
            "organization_benefit",
            Kind::Text { max: 2000 },
            "What the organization gains. Blank is refused with REQUIRED.",
        )
        .required(),
    ],
    relations: &[
        Relationship {
            name: "interactionPoints",
            target: &crate::interaction_point::NOUN,
            link: Link::Through {
                table: "interaction_point_offer",
                from: "offer_id",
                to: "interaction_point_id",
                edge: &[],
            },
            doc: "Interaction points at which it is put before customers. Set from the point by interactionPointSetOffers.",
        },
        crate::evidence::behind("offer_evidence", "offer_id"),
    ],
    operations: FULL,
    has_external_ids: true,
};
