//! A message in the words of one medium, and how often it was sent and answered.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{MediumId, MessageId, MessageVariantId, OrganizationId},
};

crate::string_enum! {
    /// The sense that words or things appeal to.
    Sense as "Sense" {
        /// What is seen, or pictured in the mind.
        Sight = "SIGHT",
        /// What is heard, or sounds in the mind.
        Sound = "SOUND",
        /// What is touched, done by hand, or felt in the body.
        Touch = "TOUCH",
        /// What is smelled.
        Smell = "SMELL",
        /// What is tasted.
        Taste = "TASTE",
    }
}

/// Most sent or responded: what GraphQL's `Int` can say.
const MAX: i64 = 2_147_483_647;

/// A message in the words of one medium, with what a copy test counts. The counts tell of the text: for other words,
/// make another variant.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "message_variant")]
#[noun(prefix = "variant", read = MapRead, write = MapWrite, operations = FULL, external_ids)]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MessageVariantId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// What tells it from the other variants, for example B or the short one.
    #[noun(optional, ordered, searchable, max = 200)]
    pub label: Option<String>,
    /// The label folded for search.
    pub label_folded: Option<String>,
    /// What is sent, said or shown.
    #[noun(required, searchable, max = 20_000)]
    pub text: String,
    /// The text folded for search.
    pub text_folded: String,
    /// The sense it appeals to most.
    #[noun(optional)]
    pub sense: Option<Sense>,
    /// How many customers it was sent to, all in all.
    #[noun(default = "0", ordered, min = 0, max = MAX)]
    pub sent_count: i64,
    /// How many of them did what the message is for. More than sentCount is refused with OUT_OF_RANGE.
    #[noun(default = "0", ordered, min = 0, max = MAX)]
    pub responded_count: i64,
    /// The message it puts into words.
    #[noun(fixed, part, inverse(variants = "The message in the words of mediums, up to 50."))]
    pub message_id: MessageId,
    /// The medium it is made for.
    #[noun(fixed, inverse(message_variants = "Messages in its words."))]
    pub medium_id: MediumId,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
