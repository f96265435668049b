//! Variants of a message for one medium, with the counts of their copy tests.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{MediumId, MessageId, MessageVariantId, OrganizationId},
};

crate::string_enum! {
    /// Sense that words or things appeal to.
    Sense as "Sense" {
        /// Seen, or pictured in the mind.
        Sight = "SIGHT",
        /// Heard, or sounding in the mind.
        Sound = "SOUND",
        /// Touched, handled, or felt in the body.
        Touch = "TOUCH",
        /// Smelled.
        Smell = "SMELL",
        /// Tasted.
        Taste = "TASTE",
    }
}

/// Maximum of the counts: the largest value of GraphQL's `Int`.
const MAX: i64 = 2_147_483_647;

/// A variant of a message for one medium, with the counts of its copy test. The counts belong to this text: create
/// another variant for another text.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "message_variant")]
#[noun(prefix = "variant", read = MapRead, write = MapWrite, operations = FULL, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MessageVariantId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// What distinguishes it from the other variants, for example B or short.
    #[noun(optional, ordered, searchable, max = 200)]
    pub label: Option<String>,
    /// Folded copy of `label` for search.
    pub label_folded: Option<String>,
    /// Text that is sent, spoken or shown.
    #[noun(required, searchable, max = 20_000)]
    pub text: String,
    /// Folded copy of `text` for search.
    pub text_folded: String,
    /// Sense that the text appeals to most.
    #[noun(optional)]
    pub sense: Option<Sense>,
    /// Number of customers it was sent to, in total.
    #[noun(default = "0", ordered, min = 0, max = MAX)]
    pub sent_count: i64,
    /// Number of those customers who responded as the message intends. Fails with OUT_OF_RANGE above sentCount.
    #[noun(default = "0", ordered, min = 0, max = MAX)]
    pub responded_count: i64,
    /// The message that it is a variant of.
    #[noun(fixed, part, inverse(variants = "Variants of the message, up to 50."))]
    pub message_id: MessageId,
    /// The medium that it is written for.
    #[noun(fixed, inverse(message_variants = "Message variants for this medium."))]
    pub medium_id: MediumId,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
