//! Deadlines: the clocks of cases.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{BusinessCalendarId, CaseId, DeadlineId, OrganizationId, ResponsePolicyId},
    kind::Duration,
};

crate::string_enum! {
    /// What a deadline is for.
    DeadlineKind as "DeadlineKind" {
        /// The case is acknowledged: from receivedAt until it reaches ACKNOWLEDGED or a later stage.
        Acknowledge = "ACKNOWLEDGE",
        /// Somebody responds: from receivedAt until the first COMPLETED OUTBOUND interaction about the case that is not
        /// automated, or until the case is COMMUNICATED or CLOSED.
        FirstResponse = "FIRST_RESPONSE",
        /// Somebody responds again: from a COMPLETED INBOUND interaction about the case after a response, unless its
        /// purpose is THANK, until the same as FIRST_RESPONSE.
        NextResponse = "NEXT_RESPONSE",
        /// The case is closed: from receivedAt, or from when it was last reopened, until it is CLOSED.
        Resolution = "RESOLUTION",
    }
}

/// A clock of a case: what is due when, by a version of a response policy. The server writes it as the case and the
/// interactions about it change; what is recorded later about the past counts from when it occurred. Once completed, it
/// is frozen. Changes have no entries of their own in the audit log; they are changes of `deadlines` of the case.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "deadline")]
#[noun(prefix = "dline", read = ResponseRead, write = ResponseWrite, operations = [List], without_events,
    narrowed_through(case))]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DeadlineId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// What it is for.
    pub kind: DeadlineKind,
    /// Name that the policy had when the clock started.
    #[noun(max = 200)]
    pub policy_name: String,
    /// Version of the policy that decided.
    #[noun(min = 1, max = i64::MAX)]
    pub policy_version: i64,
    /// Business minutes that the policy gives.
    #[noun(min = 1, max = 525_600)]
    pub target_minutes: i64,
    /// When it started, UTC.
    #[noun(ordered)]
    pub started_at: ChronoUnixTimestampMillis,
    /// When it is due, UTC; null while it is paused, and if the calendar does not reach the target within ten years.
    /// A clock that is due does not pause any more. Overdue are those with `completedAt` null and `dueAt` in the past.
    #[noun(ordered)]
    pub due_at: Option<ChronoUnixTimestampMillis>,
    /// Since when it is paused, UTC; null while it runs.
    pub paused_at: Option<ChronoUnixTimestampMillis>,
    /// When its time last began to run, UTC: when it started, or when it went on after a pause.
    pub resumed_at: ChronoUnixTimestampMillis,
    /// When that which it is for was done, UTC; null while it is open.
    #[noun(ordered)]
    pub completed_at: Option<ChronoUnixTimestampMillis>,
    /// Business time that it used before its last pause; once completed, all that it used.
    pub elapsed: Duration,
    /// Whether it pauses while the case waits for the customer.
    pub is_paused_for_customer: bool,
    /// Whether it pauses while the case waits for a third party.
    pub is_paused_for_third_party: bool,
    /// The case.
    #[noun(inverse(deadlines = "The clocks of the case."))]
    pub case_id: CaseId,
    /// The policy that decided.
    #[noun(inverse(deadlines = "Clocks under the policy."))]
    pub policy_id: ResponsePolicyId,
    /// Calendar that counts the minutes.
    pub calendar_id: BusinessCalendarId,
}
