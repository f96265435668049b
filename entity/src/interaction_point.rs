//! A point at which the company meets its customers.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    evidence::BEHIND,
    id::{DepartmentId, EvidenceId, InfluencerId, InteractionPointId, MediumId, OfferId, OrganizationId},
    kind::{Duration, Kind},
    noun::Field,
};

crate::string_enum! {
    /// Where in the relationship a point stands.
    PointKind as "InteractionPointKind" {
        /// Where the customer buys.
        PointOfSale = "POINT_OF_SALE",
        /// Where the customer is served.
        PointOfService = "POINT_OF_SERVICE",
        /// Where something is repaired.
        PointOfRepair = "POINT_OF_REPAIR",
        /// Where the product is disposed of or returned.
        PointOfDisposal = "POINT_OF_DISPOSAL",
        /// Where the customer considers and compares.
        Consideration = "CONSIDERATION",
        /// Where questions are answered before a sale.
        PreSales = "PRE_SALES",
        /// Where money is asked for or paid.
        Billing = "BILLING",
        /// Where the product reaches the customer.
        Delivery = "DELIVERY",
        /// Where the customer uses the product.
        ProductUse = "PRODUCT_USE",
        /// Where the customer meets printed or published material.
        Material = "MATERIAL",
        /// Where the customer complains.
        Complaint = "COMPLAINT",
        /// Any other.
        Other = "OTHER",
    }
}

/// What an influencer's link to a point says.
pub const INFLUENCE: &[Field] = &[Field::new(
    "strength",
    "strength",
    Kind::Int { min: 1, max: 5 },
    "How strongly it moves the customer, 1 (hardly) to 5 (decides).",
)
.required()];

/// A point at which the company meets its customers: any communication at any stage of the relationship, including
/// seeing or using the product.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "interaction_point")]
#[noun(
    prefix = "point", read = MapRead, write = MapWrite, operations = FULL, external_ids,
    through(
        mediums: MediumId,
        doc = "Mediums it runs over. Set whole by interactionPointSetMediums.",
        inverse(interaction_points = "Interaction points that run over it.")
    ),
    through(
        influencers: InfluencerId,
        doc = "Influencers that bring customers to it. Set whole by interactionPointSetInfluencers.",
        edge = INFLUENCE,
        inverse(interaction_points = "Interaction points it moves customers to.")
    ),
    through(
        offers: OfferId,
        doc = "What is put before customers there. Set whole by interactionPointSetOffers.",
        inverse(interaction_points = "Interaction points at which it is put before customers. Set from the point by interactionPointSetOffers.")
    ),
    through(evidence: EvidenceId, doc = BEHIND, inverse(interaction_points = "Interaction points it supports.")),
    order(mediums, influencers, expectations, assumptions, objectives, objective_conflicts, desired_results, offers, evidence, rankings, messages, review_answers)
)]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InteractionPointId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Where in the relationship it stands.
    #[noun(default = "OTHER", ordered)]
    pub kind: PointKind,
    /// Name to show.
    #[noun(required, ordered, searchable, max = 200)]
    pub name: String,
    /// The name folded for search.
    pub name_folded: String,
    /// What it is, in a few sentences.
    #[noun(optional, max = 2000)]
    pub description: Option<String>,
    /// What we want to reach there.
    #[noun(optional, max = 2000)]
    pub objective: Option<String>,
    /// What the customer wants to reach there.
    #[noun(optional, max = 2000)]
    pub customer_objective: Option<String>,
    /// The public promise: what to expect.
    #[noun(optional, max = 2000)]
    pub promise: Option<String>,
    /// Standards to be met there every time, whoever serves and over whichever medium: what the promise rests on.
    #[noun(optional, max = 2000)]
    pub standards: Option<String>,
    /// State of product usage at this point, for example first use.
    #[noun(optional, max = 200)]
    pub usage_state: Option<String>,
    /// How long it takes the customer if all goes well: from entering the shop to leaving it, from calling to an answer.
    #[noun(optional, ordered)]
    pub expected_duration: Option<Duration>,
    /// Days of 24 hours after which its review is stale; null for those of the organization.
    #[noun(optional, min = 1, max = 3_650)]
    pub review_cadence_days: Option<i64>,
    /// Department that owns it.
    #[noun(optional, inverse(interaction_points = "Interaction points it owns."))]
    pub owner_id: Option<DepartmentId>,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
