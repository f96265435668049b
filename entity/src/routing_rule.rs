//! Routing rules: the first rule that matches decides.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    feedback_record::{self, FeedbackKind, Priority, Sentiment},
    id::{DepartmentId, InteractionPointId, MediumId, OrganizationId, ResponsePolicyId, RoutingRuleId},
    interaction_point::PointKind,
};

/// A rule that routes feedback to a department. Rules are evaluated by position, then by age; the first rule whose
/// conditions all hold decides. A condition that is not set always holds.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "routing_rule")]
#[noun(prefix = "rule", read = ResponseRead, write = ResponseWrite, operations = FULL, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RoutingRuleId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Display name.
    #[noun(required, ordered, searchable, max = 200)]
    pub name: String,
    /// Folded copy of `name` for search.
    pub name_folded: String,
    /// Position, 0 to 1,000,000; rules with lower positions are evaluated first.
    #[noun(required, ordered, min = 0, max = 1_000_000)]
    pub position: i64,
    /// Condition: the feedback is of this kind.
    #[noun(optional)]
    pub kind: Option<FeedbackKind>,
    /// Condition: the feedback has this sentiment.
    #[noun(optional)]
    pub sentiment: Option<Sentiment>,
    /// Condition: the sentiment score is at least this, -1 to 1.
    #[noun(optional, min = -1.0, max = 1.0)]
    pub score_from: Option<f64>,
    /// Condition: the sentiment score is at most this, -1 to 1. Fails with OUT_OF_RANGE below scoreFrom.
    #[noun(optional, min = -1.0, max = 1.0)]
    pub score_to: Option<f64>,
    /// Condition: the product is exactly this.
    #[noun(optional, max = 200)]
    pub product: Option<String>,
    /// Condition: the feedback has this tag.
    #[noun(optional, max = 64)]
    pub tag: Option<String>,
    /// Condition: the body contains at least one of these texts, up to 50 of up to 64 characters; case-insensitive.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub words: String,
    /// Condition: the interaction point is of this kind.
    #[noun(optional)]
    pub point_kind: Option<PointKind>,
    /// Condition: the feedback meets this filter when it arrives. It is kept as it is given, and read with the scopes of
    /// whoever saved it; filterMistake says if it is broken. Fails with INVALID if it asks for relations to many rows, for
    /// the department or the priority, which routing decides, or compares personal data with a value.
    #[noun(optional, filter_of = feedback_record)]
    pub filter: Option<String>,
    /// Priority that the rule gives to the feedback.
    #[noun(default = "NORMAL")]
    pub priority: Priority,
    /// Whether a case is opened for each feedback record that the rule routes when it is created. The case has the
    /// record's customer and point, and the department and priority of the rule; its title is the first line of the
    /// body, or the rule's name.
    #[noun(default = "false")]
    pub is_case_opened: bool,
    /// Response policy of the cases that the rule opens. Without one, or if it is archived, the conditions of the policies
    /// decide.
    #[noun(optional, inverse(routing_rules = "Routing rules that select it for the cases that they open."))]
    pub response_policy_id: Option<ResponsePolicyId>,
    /// Condition: the feedback is about this interaction point.
    #[noun(optional)]
    pub point_id: Option<InteractionPointId>,
    /// Condition: the feedback arrived through this medium.
    #[noun(optional)]
    pub medium_id: Option<MediumId>,
    /// Department that the rule routes to.
    #[noun(required)]
    pub department_id: DepartmentId,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
