//! Improvements: changes that are made because of feedback.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{DepartmentId, ExpectationId, FeedbackRecordId, ImprovementId, InteractionPointId, OrganizationId},
};

crate::string_enum! {
    /// Status of an improvement.
    ImprovementStatus as "ImprovementStatus" {
        /// Somebody has proposed it.
        Proposed = "PROPOSED",
        /// It is going to be made.
        Planned = "PLANNED",
        /// It is being made.
        InProgress = "IN_PROGRESS",
        /// It is made: whoever contributed is to be told.
        Done = "DONE",
        /// It is not going to be made.
        Declined = "DECLINED",
    }
}

crate::string_enum! {
    /// What an improvement changes.
    ImprovementTarget as "ImprovementTarget" {
        /// How something is done.
        Process = "PROCESS",
        /// What is given, sent or shown to customers.
        Material = "MATERIAL",
        /// A product or a service.
        Product = "PRODUCT",
        /// How the organization deals with its customers as a whole.
        Programme = "PROGRAMME",
    }
}

/// A change that is made because of feedback: the outer loop, which mends for all customers what a case mends for one.
/// Once it is DONE, each customer whose feedback is linked has a notice, and the loop is closed when each was told or
/// could not be.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "improvement")]
#[noun(
    prefix = "improve", read = ResponseRead, write = ResponseWrite, operations = PART, external_ids,
    order(feedback_records, expectations, points, notices),
    through(
        feedback_records: FeedbackRecordId,
        doc = "Feedback that it is made because of. improvementSetFeedbackRecords replaces the list.",
        inverse(improvements = "Improvements that are made because of the feedback.")
    ),
    through(
        expectations: ExpectationId,
        doc = "Expectations that it is to meet better. improvementSetExpectations replaces the list.",
        inverse(improvements = "Improvements that are to meet the expectation better.")
    ),
    through(
        points: InteractionPointId,
        doc = "Interaction points that it changes. improvementSetPoints replaces the list.",
        inverse(improvements = "Improvements that change the point.")
    )
)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ImprovementId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// The change in a few words.
    #[noun(required, ordered, searchable, max = 200)]
    pub title: String,
    /// Folded copy of `title` for search.
    pub title_folded: String,
    /// What changes, and why.
    #[noun(optional, searchable, max = 20000)]
    pub description: Option<String>,
    /// Folded copy of `description` for search.
    pub description_folded: Option<String>,
    /// What it changes.
    #[noun(required)]
    pub target: ImprovementTarget,
    /// Status. A new improvement may have any status; afterwards, transitions change it, and so may upserts and imports.
    #[noun(ordered, lifecycle(
        initial = Proposed,
        on_create,
        plan(from(Proposed), to = Planned, stamps = planned_at, doc = "Records that an improvement is going to be made."),
        start(from(Planned), to = InProgress, stamps = started_at, doc = "Records that an improvement is being made."),
        complete(from(InProgress), to = Done, stamps = done_at, doc = "Records that an improvement is made. Each \
            customer whose feedback is linked gets a notice, unless the customer has one of this improvement already \
            or was erased: PENDING, or IMPOSSIBLE if no medium is allowed or no contact point is known. Fails with TOO_LONG if more than 10,000 records are linked to the improvements of a call."),
        decline(from(Proposed, Planned, InProgress), to = Declined, requires(declined_reason), stamps = declined_at,
            doc = "Records that an improvement is not going to be made, and why."),
        reopen(from(Declined, Done), to = Proposed, doc = "Takes an improvement up again. plannedAt, startedAt and \
            doneAt are cleared; declinedAt, declinedReason and the notices stay."),
    ))]
    pub status: ImprovementStatus,
    /// When it was planned, UTC.
    #[noun(optional)]
    pub planned_at: Option<ChronoUnixTimestampMillis>,
    /// When the change began, UTC. Fails with OUT_OF_RANGE before plannedAt. No time of an improvement is in the future.
    #[noun(optional)]
    pub started_at: Option<ChronoUnixTimestampMillis>,
    /// When it was done, UTC. Defaults to the current time if the status is DONE. Fails with OUT_OF_RANGE before startedAt.
    #[noun(optional, ordered)]
    pub done_at: Option<ChronoUnixTimestampMillis>,
    /// When it was last declined, UTC.
    #[noun(optional)]
    pub declined_at: Option<ChronoUnixTimestampMillis>,
    /// Why it was last declined. Fails with REQUIRED if it is missing while the status is DECLINED.
    #[noun(optional, max = 2000)]
    pub declined_reason: Option<String>,
    /// Up to 50 tags of up to 64 characters, without duplicates, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub tags: String,
    /// Department that makes it; null if none does yet.
    #[noun(optional, inverse(improvements = "Improvements that the department makes."))]
    pub department_id: Option<DepartmentId>,
}
