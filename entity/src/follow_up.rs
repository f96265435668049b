//! Follow-ups: dated duties towards customers.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{
        AccountId, CaseId, ContentItemId, CustomerId, DepartmentId, FeedbackRecordId, FollowUpId, ImprovementId,
        InteractionId, MediumId, MemberId, OccasionId, OrganizationId, PlaybookId,
    },
};

crate::string_enum! {
    /// What a follow-up is for.
    FollowUpKind as "FollowUpKind" {
        /// To confirm what is agreed, for example an appointment.
        Confirm = "CONFIRM",
        /// To thank the customer.
        Thank = "THANK",
        /// To tell the customer of something new.
        Update = "UPDATE",
        /// To say a word on an occasion of the customer.
        Occasion = "OCCASION",
        /// To share something that the customer is interested in.
        Share = "SHARE",
        /// To solve something for the customer.
        Solve = "SOLVE",
        /// To tell the customer how something ended.
        TellOutcome = "TELL_OUTCOME",
    }
}

crate::string_enum! {
    /// Status of a follow-up.
    FollowUpStatus as "FollowUpStatus" {
        /// It is to be done.
        Open = "OPEN",
        /// It is done.
        Done = "DONE",
        /// It is not going to be done.
        Skipped = "SKIPPED",
    }
}

/// A dated duty towards a customer. People make them, and playbooks do by rule. It is overdue while it is OPEN and dueAt is
/// past.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "follow_up")]
#[noun(
    prefix = "follow", read = ResponseRead, write = ResponseWrite, operations = PART, external_ids,
    timeline(at(due_at)), narrowed_by(department_id)
)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FollowUpId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// What is to be done, in a few words.
    #[noun(required, searchable, max = 200, personal = FreeText)]
    pub title: String,
    /// Folded copy of `title` for search.
    pub title_folded: String,
    /// What it is for.
    #[noun(required)]
    pub kind: FollowUpKind,
    /// Status. A new follow-up may have any status; afterwards, transitions change it, and so may upserts and imports.
    #[noun(ordered, lifecycle(
        initial = Open,
        on_create,
        on_erasure = skip,
        complete(from(Open), to = Done, accepts(done_at, done_by_id, note), needs(RecordRead),
            doc = "Records that a follow-up is done, and in which interaction. Fails with INVALID at doneByRef if that \
                interaction is with another customer."),
        skip(from(Open), to = Skipped, requires(skipped_because), stamps = skipped_at,
            doc = "Records that a follow-up is not going to be done, and why."),
        snooze(from(Open), to = Open, requires(snoozed_until_at),
            doc = "Puts a follow-up off: dueAt becomes snoozedUntilAt, and firstDueAt stays. Fails with OUT_OF_RANGE \
                unless that time is in the future."),
        reopen(from(Done, Skipped), to = Open, doc = "Takes a follow-up up again. doneAt and doneBy are cleared; \
            skippedAt and skippedBecause stay."),
    ))]
    pub status: FollowUpStatus,
    /// When it is due, UTC.
    #[noun(required, ordered)]
    pub due_at: ChronoUnixTimestampMillis,
    /// When it was due before it was first put off, UTC; null if it never was.
    pub first_due_at: Option<ChronoUnixTimestampMillis>,
    /// Until when it was last put off, UTC; null if it never was.
    #[noun(imported)]
    pub snoozed_until_at: Option<ChronoUnixTimestampMillis>,
    /// When it was done, UTC; null unless the status is DONE. Defaults to the time of doneBy, or else to the current
    /// time. Fails with OUT_OF_RANGE in the future, and with INVALID for another status.
    #[noun(optional, ordered)]
    pub done_at: Option<ChronoUnixTimestampMillis>,
    /// When it was last skipped, UTC; null if never. Defaults to the current time if the status is SKIPPED. Fails with
    /// OUT_OF_RANGE in the future.
    #[noun(optional)]
    pub skipped_at: Option<ChronoUnixTimestampMillis>,
    /// Why it was last skipped.
    #[noun(optional, max = 2000, personal = FreeText)]
    pub skipped_because: Option<String>,
    /// What else is to be known.
    #[noun(optional, searchable, max = 2000, personal = FreeText)]
    pub note: Option<String>,
    /// Folded copy of `note` for search.
    pub note_folded: Option<String>,
    /// Up to 50 tags of up to 64 characters, without duplicates, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub tags: String,
    /// Which time of the row it is about the playbook made it for: the day of the occasion, or the time of the scheduled
    /// interaction. Of an audience, the id of the customer; null if there is only one.
    #[noun(max = 64)]
    pub occurrence: Option<String>,
    /// Version of the playbook that made it; null if none did.
    #[noun(min = 1, max = i64::MAX)]
    pub playbook_version: Option<i64>,
    /// Customer towards whom it is a duty; null if it is towards an account, or nobody in particular.
    #[noun(optional, inverse(follow_ups = "Duties towards the customer."))]
    pub customer_id: Option<CustomerId>,
    /// Account towards which it is a duty.
    #[noun(optional, inverse(follow_ups = "Duties towards the account."))]
    pub account_id: Option<AccountId>,
    /// Department that does it. Defaults to the one that feedback without a matching rule is routed to.
    #[noun(optional, inverse(follow_ups = "Follow-ups that the department does."))]
    pub department_id: DepartmentId,
    /// Member who does it; null if nobody has taken it yet.
    #[noun(optional, inverse(follow_ups = "Follow-ups that the member does."))]
    pub owner_id: Option<MemberId>,
    /// Medium by which to reach the customer.
    #[noun(optional)]
    pub medium_id: Option<MediumId>,
    /// Interaction that it is about.
    #[noun(optional, inverse(follow_ups = "Follow-ups about the interaction."))]
    pub interaction_id: Option<InteractionId>,
    /// Case that it is about.
    #[noun(optional, inverse(follow_ups = "Follow-ups about the case."))]
    pub case_id: Option<CaseId>,
    /// Feedback that it is about.
    #[noun(optional, inverse(follow_ups = "Follow-ups about the feedback."))]
    pub feedback_record_id: Option<FeedbackRecordId>,
    /// Occasion that it is about.
    #[noun(optional, inverse(follow_ups = "Follow-ups about the occasion."))]
    pub occasion_id: Option<OccasionId>,
    /// Improvement that it is about.
    #[noun(optional, inverse(follow_ups = "Who is told of the improvement by a follow-up."))]
    pub improvement_id: Option<ImprovementId>,
    /// Content item that it is about.
    #[noun(optional, inverse(follow_ups = "With whom it is to be shared by a follow-up."))]
    pub content_item_id: Option<ContentItemId>,
    /// Interaction in which it was done. Fails with INVALID unless the status is DONE, and if it is with another customer.
    #[noun(optional, inverse(done_follow_ups = "Follow-ups that were done in the interaction."))]
    pub done_by_id: Option<InteractionId>,
    /// Playbook that made it; null if none did.
    #[noun(inverse(follow_ups = "Follow-ups that it has made."))]
    pub playbook_id: Option<PlaybookId>,
}
