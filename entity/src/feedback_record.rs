//! What a customer told us, in their words.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{CustomerId, DepartmentId, FeedbackRecordId, InteractionPointId, MediumId, OrganizationId},
    kind::LanguageTag,
};

crate::string_enum! {
    /// What sort of thing the customer told us.
    FeedbackKind as "FeedbackKind" {
        /// Something went wrong.
        Complaint = "COMPLAINT",
        /// Something could be better.
        Suggestion = "SUGGESTION",
        /// Something went well.
        Praise = "PRAISE",
        /// Something is unclear.
        Question = "QUESTION",
        /// Words we may quote.
        Testimonial = "TESTIMONIAL",
        /// An answer we asked for.
        Survey = "SURVEY",
    }
}

crate::string_enum! {
    /// The mood of what was said.
    Sentiment as "Sentiment" {
        /// Negative.
        Negative = "NEGATIVE",
        /// Neither.
        Neutral = "NEUTRAL",
        /// Positive.
        Positive = "POSITIVE",
    }
}

crate::string_enum! {
    /// How soon somebody should look at it.
    Priority as "Priority" {
        /// When there is time.
        Low = "LOW",
        /// In turn.
        Normal = "NORMAL",
        /// Before others.
        High = "HIGH",
        /// At once.
        Urgent = "URGENT",
    }
}

/// What a customer told us, in their words. Routed to a department when created; updating it does not re-route it.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "feedback_record")]
#[noun(prefix = "fb", read = RecordRead, write = RecordWrite, operations = PART, external_ids)]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FeedbackRecordId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// What sort of thing the customer told us.
    #[noun(required)]
    pub kind: FeedbackKind,
    /// Mood of what was said.
    #[noun(optional)]
    pub sentiment: Option<Sentiment>,
    /// Mood as a number, -1 (negative) to 1 (positive).
    #[noun(optional, min = -1.0, max = 1.0)]
    pub sentiment_score: Option<f64>,
    /// The customer's words.
    #[noun(optional, searchable, max = 20000, personal = FreeText)]
    pub body: Option<String>,
    /// The words folded for search.
    pub body_folded: Option<String>,
    /// Language of the body.
    #[noun(optional)]
    pub language: Option<LanguageTag>,
    /// When it reached us, UTC. Left out, it is now.
    #[noun(default = "now", ordered)]
    pub received_at: ChronoUnixTimestampMillis,
    /// Net promoter score answer, 0 to 10.
    #[noun(optional, min = 0, max = 10)]
    pub nps: Option<i64>,
    /// Satisfaction answer, 1 to 5.
    #[noun(optional, min = 1, max = 5)]
    pub csat: Option<i64>,
    /// Effort answer, 1 to 7.
    #[noun(optional, min = 1, max = 7)]
    pub ces: Option<i64>,
    /// Product it is about.
    #[noun(optional, ordered, max = 200)]
    pub product: Option<String>,
    /// Up to 50 tags of up to 64 characters, each once, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub tags: String,
    /// Up to 20 named values, each name once.
    #[noun(default = "[]", attributes(most = 20, max = 200), personal = FreeText)]
    pub attributes: String,
    /// How soon somebody should look at it; set by routing.
    pub priority: Priority,
    /// Interaction point it is about.
    #[noun(optional, inverse(feedback_records = "What customers told us about it."))]
    pub point_id: Option<InteractionPointId>,
    /// Medium it came in over.
    #[noun(optional, inverse(feedback_records = "Feedback that came in over it."))]
    pub medium_id: Option<MediumId>,
    /// Who said it, where known.
    #[noun(optional, inverse(feedback_records = "What the customer told us."))]
    pub customer_id: Option<CustomerId>,
    /// Department it is routed to. Changed by feedbackRecordReroute.
    #[noun(inverse(feedback_records = "Feedback routed to it."))]
    pub department_id: DepartmentId,
}
