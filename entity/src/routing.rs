//! Routing decisions, kept as long as their feedback record.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    feedback_record::Priority,
    id::{DepartmentId, FeedbackRecordId, OrganizationId, ResponsePolicyId, RoutingId, RoutingRuleId},
    personal::STAFF,
};

crate::string_enum! {
    /// Cause of a routing decision.
    RoutingCause as "RoutingCause" {
        /// A rule matched.
        Rule = "RULE",
        /// No rule matched; the fallback department applies.
        Fallback = "FALLBACK",
        /// A person or an API client rerouted the feedback.
        Reroute = "REROUTE",
    }
}

/// A decision about the department of a feedback record, with the rule, its version and the reason.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "routing")]
#[noun(prefix = "route", read = ResponseRead, write = ResponseWrite, operations = [], without_events,
    narrowed_by(department_id), narrowed_through(feedback_record))]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RoutingId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Cause of the decision.
    pub cause: RoutingCause,
    /// Version of the rule at the time of the decision; null without a rule.
    #[noun(min = 1, max = i64::MAX)]
    pub rule_version: Option<i64>,
    /// Priority that the decision gave to the feedback.
    pub priority: Priority,
    /// Reason, in a sentence. A rule's reason contains text of the rule, never the customer's words. Do not quote the
    /// customer in the reason of a reroute: every token that can read routings can read it. Erasing the customer
    /// empties it.
    #[noun(max = 2000, personal = FreeText, unguarded)]
    pub reason: String,
    /// Who caused the decision: the subject of the access token.
    #[noun(max = 255, personal = Identifier, unguarded, retained_because = STAFF)]
    pub subject: String,
    /// The feedback record that was routed.
    #[noun(inverse(routings = "All routing decisions for the record, with rule and reason."))]
    pub feedback_record_id: FeedbackRecordId,
    /// The rule that matched; null for the fallback and for a reroute.
    pub rule_id: Option<RoutingRuleId>,
    /// Department that the decision chose.
    pub department_id: DepartmentId,
    /// Response policy that the rule selects; null if it selects none.
    pub response_policy_id: Option<ResponsePolicyId>,
}
