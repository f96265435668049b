//! Feedback from customers.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{
        CustomerId, DepartmentId, ExpectationId, FeedbackRecordId, InteractionId, InteractionPointId, MediumId,
        OrganizationId, UnitId, UnitPartId,
    },
    kind::LanguageTag,
};

crate::string_enum! {
    /// Kind of feedback.
    FeedbackKind as "FeedbackKind" {
        /// Something went wrong.
        Complaint = "COMPLAINT",
        /// Something could be better.
        Suggestion = "SUGGESTION",
        /// Something went well.
        Praise = "PRAISE",
        /// Something is unclear.
        Question = "QUESTION",
        /// Words that the organization may quote.
        Testimonial = "TESTIMONIAL",
        /// A product is used for something that it was not made for.
        UnexpectedUse = "UNEXPECTED_USE",
        /// Something about a competitor.
        Competitor = "COMPETITOR",
        /// An answer to a survey.
        Survey = "SURVEY",
    }
}

crate::string_enum! {
    /// Sentiment of feedback.
    Sentiment as "Sentiment" {
        /// Negative.
        Negative = "NEGATIVE",
        /// Neither negative nor positive.
        Neutral = "NEUTRAL",
        /// Positive.
        Positive = "POSITIVE",
    }
}

crate::string_enum! {
    /// Priority of feedback and cases.
    Priority as "Priority" {
        /// To be handled when there is time.
        Low = "LOW",
        /// To be handled in turn.
        Normal = "NORMAL",
        /// To be handled before what has normal priority.
        High = "HIGH",
        /// To be handled immediately.
        Urgent = "URGENT",
    }
}

crate::string_enum! {
    /// Scale of an answer to the customer effort (CES) question, and its direction.
    CesScale as "CesScale" {
        /// 1 to 7; 7 is the least effort.
        Ease7 = "EASE_7",
        /// 1 to 5; 5 is the least effort.
        Ease5 = "EASE_5",
        /// 1 to 7; 7 is the most effort.
        Effort7 = "EFFORT_7",
        /// 1 to 5; 5 is the most effort.
        Effort5 = "EFFORT_5",
    }
}

impl CesScale {
    /// Returns the highest answer on the scale; the lowest is 1.
    pub const fn highest(self) -> i64 {
        match self {
            Self::Ease7 | Self::Effort7 => 7,
            Self::Ease5 | Self::Effort5 => 5,
        }
    }
}

/// Feedback from a customer, in their words. It is routed to a department when it is created; updates do not route it
/// again.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "feedback_record")]
#[noun(prefix = "fb", read = RecordRead, write = RecordWrite, operations = PART, external_ids,
    timeline(at(received_at)), narrowed_by(department_id))]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FeedbackRecordId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Kind of feedback.
    #[noun(required)]
    pub kind: FeedbackKind,
    /// Sentiment of the feedback.
    #[noun(optional)]
    pub sentiment: Option<Sentiment>,
    /// Sentiment score, from -1 (negative) to 1 (positive).
    #[noun(optional, min = -1.0, max = 1.0)]
    pub sentiment_score: Option<f64>,
    /// The customer's words.
    #[noun(optional, searchable, max = 20000, personal = FreeText)]
    pub body: Option<String>,
    /// Folded copy of `body` for search.
    pub body_folded: Option<String>,
    /// Language of the body.
    #[noun(optional)]
    pub language: Option<LanguageTag>,
    /// When the organization received the feedback, UTC. Defaults to the current time.
    #[noun(default = "now", ordered, expires)]
    pub received_at: ChronoUnixTimestampMillis,
    /// Answer to the net promoter (NPS) question, 0 to 10.
    #[noun(optional, min = 0, max = 10)]
    pub nps: Option<i64>,
    /// Answer to the customer satisfaction (CSAT) question, 1 to 5.
    #[noun(optional, min = 1, max = 5)]
    pub csat: Option<i64>,
    /// Answer to the customer effort (CES) question, 1 to 7; at most 5 on a scale of five.
    #[noun(optional, min = 1, max = 7)]
    pub ces: Option<i64>,
    /// Scale of `ces`. Answers on different scales are never averaged together.
    #[noun(default = "EASE_7")]
    pub ces_scale: CesScale,
    /// Product that the feedback is about.
    #[noun(optional, ordered, max = 200)]
    pub product: Option<String>,
    /// Up to 50 tags of up to 64 characters, without duplicates, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub tags: String,
    /// Up to 20 named values with unique names; names and values have up to 200 characters.
    #[noun(default = "[]", attributes(most = 20, max = 200), personal = FreeText)]
    pub attributes: String,
    /// Priority, set by routing.
    pub priority: Priority,
    /// Interaction point that the feedback is about. Defaults to that of the interaction.
    #[noun(optional, inverse(feedback_records = "Feedback about this point."))]
    pub point_id: Option<InteractionPointId>,
    /// Medium through which the feedback arrived. Defaults to that of the interaction.
    #[noun(optional, inverse(feedback_records = "Feedback that arrived through this medium."))]
    pub medium_id: Option<MediumId>,
    /// Customer who gave the feedback; null if unknown. Defaults to that of the interaction.
    #[noun(optional, inverse(feedback_records = "Feedback from this customer."))]
    pub customer_id: Option<CustomerId>,
    /// Interaction in which the customer gave it.
    #[noun(optional, part, inverse(feedback_records = "Feedback given in the interaction."))]
    pub interaction_id: Option<InteractionId>,
    /// Expectation that the feedback is about.
    #[noun(optional, inverse(feedback_records = "Feedback about the expectation."))]
    pub expectation_id: Option<ExpectationId>,
    /// Unit that the feedback is about. Defaults to that of the part.
    #[noun(optional, inverse(feedback_records = "Feedback about the unit."))]
    pub unit_id: Option<UnitId>,
    /// Part of the unit that the feedback is about. Fails with INVALID unless it is a part of the unit.
    #[noun(optional, inverse(feedback_records = "Feedback about the part."))]
    pub unit_part_id: Option<UnitPartId>,
    /// Department that the feedback is routed to. Changed by feedbackRecordReroute.
    #[noun(inverse(feedback_records = "Feedback routed to this department."))]
    pub department_id: DepartmentId,
}
