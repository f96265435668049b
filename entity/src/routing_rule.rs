//! Where feedback goes: the first rule that matches decides.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    feedback_record::{FeedbackKind, Priority, Sentiment},
    id::{DepartmentId, InteractionPointId, MediumId, OrganizationId, RoutingRuleId},
    interaction_point::PointKind,
};

/// Where feedback goes. Rules are tried by position, then by age; the first whose every condition holds decides. A
/// condition left out holds always.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "routing_rule")]
#[noun(prefix = "rule", read = ResponseRead, write = ResponseWrite, operations = FULL, external_ids)]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RoutingRuleId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Name to show.
    #[noun(required, ordered, searchable, max = 200)]
    pub name: String,
    /// The name folded for search.
    pub name_folded: String,
    /// Lower positions are tried first.
    #[noun(required, ordered, min = 0, max = 1_000_000)]
    pub position: i64,
    /// Holds for feedback of this kind.
    #[noun(optional)]
    pub kind: Option<FeedbackKind>,
    /// Holds for feedback of this mood.
    #[noun(optional)]
    pub sentiment: Option<Sentiment>,
    /// Holds for a sentiment score of at least this, -1 to 1.
    #[noun(optional, min = -1.0, max = 1.0)]
    pub score_from: Option<f64>,
    /// Holds for a sentiment score of at most this, -1 to 1.
    #[noun(optional, min = -1.0, max = 1.0)]
    pub score_to: Option<f64>,
    /// Holds for feedback about exactly this product.
    #[noun(optional, max = 200)]
    pub product: Option<String>,
    /// Holds for feedback that carries this tag.
    #[noun(optional, max = 64)]
    pub tag: Option<String>,
    /// Holds for feedback whose body contains one of these, letter case ignored.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub words: String,
    /// Holds for feedback at a point of this kind.
    #[noun(optional)]
    pub point_kind: Option<PointKind>,
    /// Priority it gives to the feedback.
    #[noun(default = "NORMAL")]
    pub priority: Priority,
    /// Name of the response policy it asks for.
    #[noun(optional, max = 200)]
    pub response_policy: Option<String>,
    /// Holds for feedback at this point.
    #[noun(optional)]
    pub point_id: Option<InteractionPointId>,
    /// Holds for feedback over this medium.
    #[noun(optional)]
    pub medium_id: Option<MediumId>,
    /// Department it routes to.
    #[noun(required)]
    pub department_id: DepartmentId,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
