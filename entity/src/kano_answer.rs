//! Kano answers: what a customer says of an expectation that is met and that is not met.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{CustomerId, ExpectationId, InteractionId, KanoAnswerId, OrganizationId},
};

crate::string_enum! {
    /// Answer to one question of a Kano pair.
    KanoResponse as "KanoResponse" {
        /// The customer likes it that way.
        Like = "LIKE",
        /// It must be that way.
        MustBe = "MUST_BE",
        /// The customer is neutral.
        Neutral = "NEUTRAL",
        /// The customer can live with it that way.
        LiveWith = "LIVE_WITH",
        /// The customer dislikes it that way.
        Dislike = "DISLIKE",
    }
}

/// What a customer says of an expectation: how they feel if it is met (functional) and if it is not (dysfunctional).
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "kano_answer")]
#[noun(prefix = "kano", read = RecordRead, write = RecordWrite, operations = PART, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: KanoAnswerId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// How the customer feels if the expectation is met.
    #[noun(required)]
    pub functional: KanoResponse,
    /// How the customer feels if the expectation is not met.
    #[noun(required)]
    pub dysfunctional: KanoResponse,
    /// When the customer answered, UTC. Defaults to the current time.
    #[noun(default = "now", ordered)]
    pub answered_at: ChronoUnixTimestampMillis,
    /// Up to 50 tags of up to 64 characters, without duplicates, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub tags: String,
    /// Up to 20 named values with unique names; names and values have up to 200 characters.
    #[noun(default = "[]", attributes(most = 20, max = 200), personal = FreeText)]
    pub attributes: String,
    /// The expectation that the questions were about.
    #[noun(fixed, inverse(kano_answers = "What customers say of the expectation met and not met."))]
    pub expectation_id: ExpectationId,
    /// Customer who answered; null if unknown.
    #[noun(optional, inverse(kano_answers = "Kano answers of this customer."))]
    pub customer_id: Option<CustomerId>,
    /// Interaction in which the customer answered.
    #[noun(optional, inverse(kano_answers = "Kano answers given in the interaction."))]
    pub interaction_id: Option<InteractionId>,
}
