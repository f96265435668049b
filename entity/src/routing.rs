//! One decision on where a feedback record goes, kept for ever.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    feedback_record::Priority,
    id::{DepartmentId, FeedbackRecordId, OrganizationId, RoutingId, RoutingRuleId},
    personal::STAFF,
};

crate::string_enum! {
    /// What decided where feedback goes.
    RoutingCause as "RoutingCause" {
        /// A rule matched.
        Rule = "RULE",
        /// No rule matched: the fallback department.
        Fallback = "FALLBACK",
        /// Somebody decided.
        Reroute = "REROUTE",
    }
}

/// One decision on where a feedback record goes: the rule, its version and the reason.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "routing")]
#[noun(prefix = "route", read = ResponseRead, write = ResponseWrite, operations = [])]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RoutingId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// What decided.
    pub cause: RoutingCause,
    /// Version the rule had then.
    #[noun(min = 1, max = i64::MAX)]
    pub rule_version: Option<i64>,
    /// Priority given.
    pub priority: Priority,
    /// Response policy named by the rule.
    #[noun(max = 200)]
    pub response_policy: Option<String>,
    /// Why, in a sentence. Made of what the rule says, never of the customer's words; whoever re-routes should not
    /// quote them either, as it is open to whoever reads routings. Erasing the customer empties it.
    #[noun(max = 2000, personal = FreeText, unguarded)]
    pub reason: String,
    /// Subject of the token that caused it.
    #[noun(max = 255, personal = Identifier, unguarded, retained_because = STAFF)]
    pub subject: String,
    /// The feedback.
    #[noun(inverse(routings = "Every routing of it, with rule and reason."))]
    pub feedback_record_id: FeedbackRecordId,
    /// The rule that matched; null for the fallback and for a re-routing.
    pub rule_id: Option<RoutingRuleId>,
    /// Where it went.
    pub department_id: DepartmentId,
}
