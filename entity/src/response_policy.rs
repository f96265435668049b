//! Response policies: what is due when.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    case::{self, Severity},
    feedback_record::Priority,
    id::{BusinessCalendarId, OrganizationId, ResponsePolicyId},
};

/// How much time the organization takes to respond. Policies are evaluated by position, then by age; the first one whose
/// conditions all hold decides about a case, unless a rule or somebody selected one for it. A condition that is not set
/// always holds. The conditions are evaluated when a case is opened or reopened, and when it changes in a way that one of
/// them asks for. A clock keeps the version of
/// the policy under which it started: later changes do not move it.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "response_policy")]
#[noun(prefix = "rpol", read = ResponseRead, write = ResponseWrite, operations = FULL, external_ids, unique(name))]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ResponsePolicyId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Display name. One that another policy has, archived or not, fails with TAKEN.
    #[noun(required, ordered, searchable, max = 200)]
    pub name: String,
    /// Folded copy of `name` for search.
    pub name_folded: String,
    /// Position, 0 to 1,000,000; policies with lower positions are evaluated first.
    #[noun(required, ordered, min = 0, max = 1_000_000)]
    pub position: i64,
    /// Condition: the case has this priority.
    #[noun(optional)]
    pub priority: Option<Priority>,
    /// Condition: the case has this severity.
    #[noun(optional)]
    pub severity: Option<Severity>,
    /// Condition: the account or the customer of the case has exactly this segment.
    #[noun(optional, max = 200)]
    pub segment: Option<String>,
    /// Condition: the case meets this filter. It is kept as it is given, and read with the scopes of whoever saved it;
    /// filterMistake says if it is broken. Fails with INVALID if it asks for relations to many rows, for external ids, or
    /// for the policy or the deadline of the case, which policies decide, or compares personal data with a value.
    #[noun(optional, filter_of = case)]
    pub filter: Option<String>,
    /// Business minutes until a case is acknowledged, 1 to 525,600; null if no time is set. Minutes fail with
    /// OUT_OF_RANGE if the calendar does not reach them within ten years.
    #[noun(optional, min = 1, max = 525_600)]
    pub acknowledge_minutes: Option<i64>,
    /// Business minutes until somebody responds for the first time, 1 to 525,600; null if no time is set.
    #[noun(optional, min = 1, max = 525_600)]
    pub first_response_minutes: Option<i64>,
    /// Business minutes until somebody responds to what the customer says afterwards, 1 to 525,600; null if no time is
    /// set.
    #[noun(optional, min = 1, max = 525_600)]
    pub next_response_minutes: Option<i64>,
    /// Business minutes until a case is closed, 1 to 525,600; null if no time is set.
    #[noun(optional, min = 1, max = 525_600)]
    pub resolution_minutes: Option<i64>,
    /// Whether the clocks NEXT_RESPONSE and RESOLUTION pause while the case waits for the customer.
    #[noun(default = "true")]
    pub is_paused_for_customer: bool,
    /// Whether the clocks NEXT_RESPONSE and RESOLUTION pause while the case waits for a third party.
    #[noun(default = "false")]
    pub is_paused_for_third_party: bool,
    /// Calendar that counts the minutes.
    #[noun(required, inverse(policies = "Response policies whose minutes it counts."))]
    pub calendar_id: BusinessCalendarId,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
