//! Interaction points, at which the organization and its customers meet.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    evidence::BEHIND,
    id::{DepartmentId, EvidenceId, InfluencerId, InteractionPointId, MediumId, OfferId, OrganizationId},
    kind::{Duration, Kind},
    noun::Field,
};

crate::string_enum! {
    /// Kind of interaction point: its place in the customer relationship.
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
        /// Where the customer is billed or pays.
        Billing = "BILLING",
        /// Where the product is delivered to the customer.
        Delivery = "DELIVERY",
        /// Where the customer uses the product.
        ProductUse = "PRODUCT_USE",
        /// Where the customer sees printed or published material.
        Material = "MATERIAL",
        /// Where the customer complains.
        Complaint = "COMPLAINT",
        /// Any other kind.
        Other = "OTHER",
    }
}

/// Columns of the link between a point and an influencer.
pub const INFLUENCE: &[Field] = &[Field::new(
    "strength",
    "strength",
    Kind::Int { min: 1, max: 5 },
    "How strongly the influencer moves customers to the point, from 1 (weak) to 5 (decisive).",
)
.required()];

/// A point of contact between the organization and its customers: any communication at any stage of the relationship,
/// including seeing or using the product.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "interaction_point")]
#[noun(
    prefix = "point", read = MapRead, write = MapWrite, operations = FULL, external_ids,
    through(
        mediums: MediumId,
        doc = "Mediums that the point uses. interactionPointSetMediums replaces the list.",
        inverse(interaction_points = "Interaction points that use this medium.")
    ),
    through(
        influencers: InfluencerId,
        doc = "Influencers that move customers to the point. interactionPointSetInfluencers replaces the list.",
        edge = INFLUENCE,
        inverse(interaction_points = "Interaction points to which it moves customers.")
    ),
    through(
        offers: OfferId,
        doc = "Offers made to customers at the point. interactionPointSetOffers replaces the list.",
        inverse(interaction_points = "Interaction points at which the offer is made. interactionPointSetOffers of the point changes the list.")
    ),
    through(evidence: EvidenceId, doc = BEHIND, inverse(interaction_points = "Interaction points that this evidence supports.")),
    order(mediums, influencers, expectations, assumptions, objectives, objective_conflicts, desired_results, offers, evidence, rankings, messages, review_answers)
)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InteractionPointId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Kind of interaction point.
    #[noun(default = "OTHER", ordered)]
    pub kind: PointKind,
    /// Display name.
    #[noun(required, ordered, searchable, max = 200)]
    pub name: String,
    /// Folded copy of `name` for search.
    pub name_folded: String,
    /// Description in a few sentences.
    #[noun(optional, max = 2000)]
    pub description: Option<String>,
    /// The organization's objective at the point.
    #[noun(optional, max = 2000)]
    pub objective: Option<String>,
    /// The customer's objective at the point.
    #[noun(optional, max = 2000)]
    pub customer_objective: Option<String>,
    /// Public promise: what customers can expect at the point.
    #[noun(optional, max = 2000)]
    pub promise: Option<String>,
    /// Standards to meet at the point every time, regardless of staff and medium; they support the promise.
    #[noun(optional, max = 2000)]
    pub standards: Option<String>,
    /// State of product usage at the point, for example first use.
    #[noun(optional, max = 200)]
    pub usage_state: Option<String>,
    /// Time that the customer needs if all goes well, for example from entering the shop to leaving it.
    #[noun(optional, ordered)]
    pub expected_duration: Option<Duration>,
    /// Number of 24-hour days after which a review of the point is stale, 1 to 3,650; null means the organization's
    /// setting.
    #[noun(optional, min = 1, max = 3_650)]
    pub review_cadence_days: Option<i64>,
    /// Department that owns the point.
    #[noun(optional, inverse(interaction_points = "Interaction points that the department owns."))]
    pub owner_id: Option<DepartmentId>,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
