//! Cases: problems of customers that somebody handles until the customer was told.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    feedback_record::Priority,
    id::{
        AccountId, CaseId, CauseId, CustomerId, DepartmentId, FeedbackRecordId, InteractionPointId, MediumId, MemberId,
        OrganizationId, ResponsePolicyId,
    },
};

crate::string_enum! {
    /// Stage of a case. The stages are those of ISO 10002, in their order.
    CaseStage as "CaseStage" {
        /// The organization knows of the problem.
        Received = "RECEIVED",
        /// The customer knows that the organization knows.
        Acknowledged = "ACKNOWLEDGED",
        /// Severity, safety, urgency and the kind of problem are known.
        Assessed = "ASSESSED",
        /// The facts are being found out.
        Investigated = "INVESTIGATED",
        /// The organization has decided what to do about it.
        Responded = "RESPONDED",
        /// The customer was told the decision.
        Communicated = "COMMUNICATED",
        /// Nothing is left to do.
        Closed = "CLOSED",
    }
}

crate::string_enum! {
    /// Severity of a problem for the customer.
    Severity as "Severity" {
        /// Hardly felt.
        Minor = "MINOR",
        /// Felt; the customer can go on.
        Moderate = "MODERATE",
        /// The customer cannot go on.
        Major = "MAJOR",
        /// Harm to people, property or the law.
        Critical = "CRITICAL",
    }
}

crate::string_enum! {
    /// What a customer who complains wants.
    Disposition as "Disposition" {
        /// Not known yet.
        Undetermined = "UNDETERMINED",
        /// To be heard. Listening is the answer.
        Venting = "VENTING",
        /// To have a problem solved.
        RealProblem = "REAL_PROBLEM",
    }
}

crate::string_enum! {
    /// How a case ended.
    Resolution as "Resolution" {
        /// The problem is solved: an attempt worked.
        Solved = "SOLVED",
        /// The problem is not solved.
        NotSolved = "NOT_SOLVED",
        /// The organization declined what the customer sought.
        Declined = "DECLINED",
        /// The customer wanted to be heard, and was.
        Venting = "VENTING",
        /// Another case is about the same problem.
        Duplicate = "DUPLICATE",
        /// The customer withdrew the complaint.
        Withdrawn = "WITHDRAWN",
    }
}

crate::string_enum! {
    /// Whom a case waits for.
    WaitingFor as "WaitingFor" {
        /// The customer must answer or do something.
        Customer = "CUSTOMER",
        /// Somebody else must, for example a supplier.
        ThirdParty = "THIRD_PARTY",
    }
}

impl CaseStage {
    /// Returns its position in the order of the stages.
    pub const fn rank(self) -> usize {
        self as usize
    }
}

/// A problem of customers that the organization handles until the customer was told. Its stages are those of ISO 10002;
/// each has the time when the case first reached it, and a stage that was skipped has none.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "customer_case")]
#[noun(
    name = "Case", prefix = "case", read = ResponseRead, write = ResponseWrite, operations = PART, external_ids,
    order(feedback_records, attempts, comments), timeline(at(received_at)), narrowed_by(department_id),
    through(
        feedback_records: FeedbackRecordId,
        doc = "Feedback that the case is about. caseSetFeedbackRecords replaces the list.",
        inverse(cases = "Cases about the feedback.")
    )
)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CaseId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// The problem in a few words.
    #[noun(required, searchable, max = 200, personal = FreeText)]
    pub title: String,
    /// Folded copy of `title` for search.
    pub title_folded: String,
    /// The problem, as it is understood now.
    #[noun(optional, searchable, max = 20000, personal = FreeText)]
    pub summary: Option<String>,
    /// Folded copy of `summary` for search.
    pub summary_folded: Option<String>,
    /// Stage. A new case may have any stage; afterwards, transitions change it, and so may upserts and imports. The rules
    /// of closing are those of `caseClose`; they do not apply to a stage that a creation, an upsert or an import sets.
    #[noun(ordered, lifecycle(
        initial = Received,
        on_create,
        acknowledge(from(Received), to = Acknowledged, stamps = acknowledged_at,
            doc = "Records that the customer was told that the organization knows of the problem."),
        assess(from(Received, Acknowledged), to = Assessed, accepts(severity), stamps = assessed_at,
            doc = "Records the initial assessment."),
        investigate(from(Received, Acknowledged, Assessed), to = Investigated, stamps = investigated_at,
            doc = "Records that the investigation began."),
        respond(from(Received, Acknowledged, Assessed, Investigated), to = Responded, stamps = responded_at,
            doc = "Records that the organization decided what to do."),
        communicate(from(Received, Acknowledged, Assessed, Investigated, Responded), to = Communicated,
            requires(told_what, told_medium_id), accepts(told_at), stamps = communicated_at, needs(MapRead),
            doc = "Records what the customer was told, and by which medium."),
        close(from(Received, Acknowledged, Assessed, Investigated, Responded, Communicated), to = Closed,
            requires(resolution),
            accepts(told_what, told_medium_id, told_at, not_told_because, listening_note, is_solved_at_first_contact,
                duplicate_of_id),
            stamps = closed_at,
            doc = "Closes a case. Fails with REQUIRED unless it says what the customer was told, by which medium and \
                when, or why not; as VENTING without a listening note; as DUPLICATE without the case that it \
                duplicates. Fails with INVALID as SOLVED without an attempt that worked, and as VENTING unless that \
                is its disposition."),
        reopen(from(Communicated, Closed), to = Investigated, accepts(reopened_because), stamps = reopened_at,
            doc = "Takes a case up again. The first time of each stage is kept; resolution, duplicateOf and what the \
                customer was told are cleared: the customer must be told anew."),
    ))]
    pub stage: CaseStage,
    /// When the organization received the complaint, UTC. Defaults to the current time. Fails with OUT_OF_RANGE in the
    /// future.
    #[noun(default = "now", ordered)]
    pub received_at: ChronoUnixTimestampMillis,
    /// When the case was first acknowledged, UTC. Times of stages fail with OUT_OF_RANGE in the future, before
    /// receivedAt, and before that of an earlier stage unless the case was reopened.
    pub acknowledged_at: Option<ChronoUnixTimestampMillis>,
    /// When the case was first assessed, UTC.
    pub assessed_at: Option<ChronoUnixTimestampMillis>,
    /// When the case was first investigated, UTC.
    pub investigated_at: Option<ChronoUnixTimestampMillis>,
    /// When the organization first decided, UTC.
    pub responded_at: Option<ChronoUnixTimestampMillis>,
    /// When the decision was first communicated, UTC.
    pub communicated_at: Option<ChronoUnixTimestampMillis>,
    /// When the case was first closed, UTC. A case that was reopened keeps it; its stage says whether it is closed now.
    #[noun(imported, ordered)]
    pub closed_at: Option<ChronoUnixTimestampMillis>,
    /// When the case was last reopened, UTC; null if never.
    #[noun(imported, ordered)]
    pub reopened_at: Option<ChronoUnixTimestampMillis>,
    /// Why the case was last reopened.
    #[noun(optional, max = 2000, personal = FreeText)]
    pub reopened_because: Option<String>,
    /// Priority.
    #[noun(default = "NORMAL")]
    pub priority: Priority,
    /// Severity for the customer; null if it is not assessed.
    #[noun(optional)]
    pub severity: Option<Severity>,
    /// Whom the case waits for; null if for nobody. The response policy says whether its clocks pause meanwhile. CUSTOMER is
    /// cleared by a COMPLETED INBOUND interaction about the case unless its purpose is THANK, and a closed case waits for nobody.
    #[noun(optional)]
    pub waiting_for: Option<WaitingFor>,
    /// When the first of its open deadlines is due, UTC; null if none is. Those that are overdue have it in the past.
    #[noun(ordered)]
    pub due_at: Option<ChronoUnixTimestampMillis>,
    /// Whether somebody's safety is concerned.
    #[noun(default = "false")]
    pub is_safety_relevant: bool,
    /// When the case was escalated, UTC: the first time that isSafetyRelevant was set. Null if never.
    #[noun(imported, ordered)]
    pub escalated_at: Option<ChronoUnixTimestampMillis>,
    /// What the customer wants to be done.
    #[noun(optional, max = 2000, personal = FreeText)]
    pub remedy_sought: Option<String>,
    /// What the customer wants by complaining.
    #[noun(default = "UNDETERMINED")]
    pub disposition: Disposition,
    /// What was heard while listening to the customer.
    #[noun(optional, max = 2000, personal = FreeText)]
    pub listening_note: Option<String>,
    /// Whether the first person that the customer reached could have solved it; null if unknown.
    #[noun(optional)]
    pub is_solvable_at_first_contact: Option<bool>,
    /// Whether the first person that the customer reached solved it; null if unknown. Fails with INVALID if true of a
    /// case that could not be.
    #[noun(optional)]
    pub is_solved_at_first_contact: Option<bool>,
    /// How the case ended. Fails with INVALID unless the case is closed.
    #[noun(optional)]
    pub resolution: Option<Resolution>,
    /// What the customer was told.
    #[noun(optional, max = 2000, personal = FreeText)]
    pub told_what: Option<String>,
    /// When the customer was told, UTC. Defaults to the current time in caseCommunicate and caseClose, if toldWhat is
    /// given. Fails with OUT_OF_RANGE in the future and before receivedAt.
    #[noun(optional, ordered)]
    pub told_at: Option<ChronoUnixTimestampMillis>,
    /// Why the customer was not told, or not everything.
    #[noun(optional, max = 2000, personal = FreeText)]
    pub not_told_because: Option<String>,
    /// Up to 50 tags of up to 64 characters, without duplicates, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub tags: String,
    /// Up to 20 named values with unique names; names and values have up to 200 characters.
    #[noun(default = "[]", attributes(most = 20, max = 200), personal = FreeText)]
    pub attributes: String,
    /// Customer who has the problem; null if unknown, or if several have it. Erasing the customer erases the texts of the
    /// case.
    #[noun(optional, inverse(cases = "Cases of the customer."))]
    pub customer_id: Option<CustomerId>,
    /// Account that has the problem.
    #[noun(optional, inverse(cases = "Cases of the account."))]
    pub account_id: Option<AccountId>,
    /// Interaction point at which the problem arose.
    #[noun(optional, inverse(cases = "Cases that arose at this point."))]
    pub point_id: Option<InteractionPointId>,
    /// Department that handles the case. Defaults to the one that feedback without a matching rule is routed to.
    #[noun(optional, inverse(cases = "Cases that the department handles."))]
    pub department_id: DepartmentId,
    /// Member who owns the case; null if nobody does yet. If it is omitted when the case is opened or moved to a department,
    /// the `assignment` of the department decides.
    #[noun(optional, inverse(cases = "Cases that the member owns."))]
    pub assignee_id: Option<MemberId>,
    /// Response policy that was selected for the case, by the rule that opened it or by hand. Null, or one that is archived,
    /// lets the conditions of the policies decide.
    #[noun(optional, inverse(cases = "Cases for which it was selected."))]
    pub response_policy_id: Option<ResponsePolicyId>,
    /// What caused the problem.
    #[noun(optional, inverse(cases = "Cases with this cause."))]
    pub cause_id: Option<CauseId>,
    /// Medium by which the customer was told.
    #[noun(optional)]
    pub told_medium_id: Option<MediumId>,
    /// The case that is about the same problem. Fails with INVALID unless the case is closed as DUPLICATE, and with CYCLE
    /// if that case is a duplicate of this one.
    #[noun(optional, inverse(duplicates = "Cases that are closed as duplicates of this one."))]
    pub duplicate_of_id: Option<CaseId>,
    /// The case that caused this one. Fails with CYCLE if this one caused that.
    #[noun(optional, inverse(consequences = "Cases that this one caused."))]
    pub caused_by_id: Option<CaseId>,
}
