//! Testimonials: words of customers that may be quoted.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{FeedbackRecordId, OrganizationId, TestimonialId},
};

crate::string_enum! {
    /// Where a testimonial may be quoted.
    TestimonialScope as "TestimonialScope" {
        /// Inside the organization.
        Internal = "INTERNAL",
        /// In conversations with other customers.
        Conversation = "CONVERSATION",
        /// Anywhere, for example on a web page.
        Public = "PUBLIC",
    }
}

/// Words of a feedback record that may be quoted, with the customer's consent. `quotableTestimonials` lists those that
/// may be quoted now.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "testimonial")]
#[noun(prefix = "quote", read = RecordRead, write = RecordWrite, operations = PART, external_ids,
    narrowed_through(feedback_record))]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TestimonialId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// The words, as they may be quoted.
    #[noun(required, searchable, max = 20000, personal = FreeText)]
    pub quote: String,
    /// Folded copy of `quote` for search.
    pub quote_folded: String,
    /// How the customer is named beside the quote; null if the quote is anonymous.
    #[noun(optional, max = 200, personal = Identifier)]
    pub attribution: Option<String>,
    /// Where it may be quoted.
    #[noun(required, ordered)]
    pub scope: TestimonialScope,
    /// When the customer consented, UTC. Defaults to the current time; fails with OUT_OF_RANGE in the future.
    #[noun(default = "now", ordered)]
    pub consented_at: ChronoUnixTimestampMillis,
    /// From when on it may no longer be quoted, UTC; null if the consent does not expire. Fails with OUT_OF_RANGE before
    /// consentedAt.
    #[noun(optional, ordered)]
    pub expires_at: Option<ChronoUnixTimestampMillis>,
    /// When the customer withdrew the consent, UTC; null if they did not. Fails with OUT_OF_RANGE before consentedAt and
    /// in the future.
    #[noun(optional, ordered)]
    pub withdrawn_at: Option<ChronoUnixTimestampMillis>,
    /// Up to 50 tags of up to 64 characters, without duplicates, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub tags: String,
    /// Up to 20 named values with unique names; names and values have up to 200 characters.
    #[noun(default = "[]", attributes(most = 20, max = 200), personal = FreeText)]
    pub attributes: String,
    /// Feedback record that contains the words.
    #[noun(fixed, part, inverse(testimonials = "Words of the record that may be quoted."))]
    pub feedback_record_id: FeedbackRecordId,
}
