//! Playbooks: rules by which follow-ups are made.

use sea_orm::entity::prelude::*;

use crate::{
    Noun, case, content_item, customer, feedback_record,
    follow_up::FollowUpKind,
    id::{BusinessCalendarId, DepartmentId, MediumId, MemberId, OrganizationId, PlaybookId},
    improvement, interaction, occasion,
};

crate::string_enum! {
    /// What makes a playbook act.
    PlaybookTrigger as "PlaybookTrigger" {
        /// The time of a SCHEDULED or CONFIRMED interaction. One that is moved is due anew; the follow-up for its earlier
        /// time is skipped if it is open, and so is that of one that is called off.
        InteractionScheduled = "INTERACTION_SCHEDULED",
        /// An interaction becomes COMPLETED: at occurredAt.
        InteractionCompleted = "INTERACTION_COMPLETED",
        /// A case becomes RESPONDED: at respondedAt, and anew when it does again after it was reopened.
        CaseResponded = "CASE_RESPONDED",
        /// A feedback record is created: at receivedAt.
        FeedbackReceived = "FEEDBACK_RECEIVED",
        /// The day of an occasion begins, in the time zone of the customer: every year, if it comes every year. Follow-ups
        /// are made 14 days before they are due.
        Occasion = "OCCASION",
        /// An improvement becomes DONE: at doneAt, for each customer of the audience.
        ImprovementDone = "IMPROVEMENT_DONE",
        /// A content item is created: for each customer of the audience.
        ContentAdded = "CONTENT_ADDED",
    }
}

impl PlaybookTrigger {
    /// Returns whether follow-ups are made for each customer of an audience.
    pub const fn has_audience(self) -> bool {
        matches!(self, Self::ImprovementDone | Self::ContentAdded)
    }
}

/// A rule that makes follow-ups: when its trigger happens to a row that meets its filter. It makes exactly one for each row
/// and occurrence, or for each row and customer of its audience, whatever is edited, restarted or tried again, and
/// none whose trigger and due time are more than 7 days past, as of an imported history. Edits apply to what is made from then
/// on. An archived playbook makes none. An organization has at most 100 playbooks, archived ones included; more fail
/// with TOO_LONG.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "playbook")]
#[noun(prefix = "play", read = ResponseRead, write = ResponseWrite, operations = FULL, external_ids, unique(name))]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PlaybookId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Display name. One that another playbook has, archived or not, fails with TAKEN.
    #[noun(required, ordered, searchable, max = 200)]
    pub name: String,
    /// Folded copy of `name` for search.
    pub name_folded: String,
    /// What the playbook is for.
    #[noun(optional, searchable, max = 2000)]
    pub description: Option<String>,
    /// Folded copy of `description` for search.
    pub description_folded: Option<String>,
    /// What makes it act.
    #[noun(required)]
    pub trigger: PlaybookTrigger,
    /// Condition of INTERACTION_SCHEDULED and INTERACTION_COMPLETED: the interaction meets this filter. Filters are kept as
    /// they are given and read with the scopes of whoever saved them; filterMistake says if one is broken. A filter of
    /// rows that the trigger is not about fails with INVALID, and so does one that asks for relations to many rows or for
    /// external ids, or compares personal data with a value.
    #[noun(optional, filter_of = interaction)]
    pub interaction_filter: Option<String>,
    /// Condition of CASE_RESPONDED: the case meets this filter.
    #[noun(optional, filter_of = case)]
    pub case_filter: Option<String>,
    /// Condition of FEEDBACK_RECEIVED: the feedback record meets this filter.
    #[noun(optional, filter_of = feedback_record)]
    pub feedback_record_filter: Option<String>,
    /// Condition of OCCASION: the occasion meets this filter.
    #[noun(optional, filter_of = occasion)]
    pub occasion_filter: Option<String>,
    /// Condition of IMPROVEMENT_DONE: the improvement meets this filter.
    #[noun(optional, filter_of = improvement)]
    pub improvement_filter: Option<String>,
    /// Condition of CONTENT_ADDED: the content item meets this filter.
    #[noun(optional, filter_of = content_item)]
    pub content_item_filter: Option<String>,
    /// The customers for whom IMPROVEMENT_DONE and CONTENT_ADDED make follow-ups, who may be asked for by relations to many
    /// rows; all that are not archived without it. Fails with INVALID for other triggers.
    #[noun(optional, filter_of = customer)]
    pub audience: Option<String>,
    /// Whether the audience of CONTENT_ADDED is limited to customers who are interested in a topic of the content item. Fails
    /// with INVALID for other triggers.
    #[noun(default = "false")]
    pub is_interest_matched: bool,
    /// When the follow-up is due: this many minutes after the trigger, or before it if negative, -525,600 to 525,600. It
    /// is never due before it is made.
    #[noun(default = "0", min = -525_600, max = 525_600)]
    pub offset_minutes: i64,
    /// What the follow-ups are for.
    #[noun(required)]
    pub kind: FollowUpKind,
    /// What is to be done, in a few words: the title of the follow-ups.
    #[noun(required, searchable, max = 200)]
    pub title: String,
    /// Folded copy of `title` for search.
    pub title_folded: String,
    /// Department that does them. Defaults to that of the case, the feedback, the interaction or the improvement, or else
    /// to the one that feedback without a matching rule is routed to.
    #[noun(optional)]
    pub department_id: Option<DepartmentId>,
    /// Member who does them. Defaults to the assignee of the case, and to the member who took part in the interaction.
    #[noun(optional)]
    pub owner_id: Option<MemberId>,
    /// Medium by which to reach the customer. Defaults to that of the interaction.
    #[noun(optional)]
    pub medium_id: Option<MediumId>,
    /// Calendar by whose business time `offsetMinutes` are counted; without it, all time counts.
    #[noun(optional)]
    pub calendar_id: Option<BusinessCalendarId>,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
