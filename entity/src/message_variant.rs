//! A message in the words of one medium, and how often it was sent and answered.

use sea_orm::entity::prelude::*;

use crate::{
    id::{MediumId, MessageId, MessageVariantId, OrganizationId},
    noun::{FULL, Field, Kind, Link, Noun, Relationship, SYSTEM, StringEnum, Writable},
    permission::Permission,
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

/// A message in the words of one medium.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "message_variant")]
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
    /// What tells it from the others.
    pub label: Option<String>,
    /// The label folded for search.
    pub label_folded: Option<String>,
    /// What is sent.
    pub text: String,
    /// The text folded for search.
    pub text_folded: String,
    /// The sense it appeals to.
    pub sense: Option<Sense>,
    /// How many customers it was sent to.
    pub sent_count: i64,
    /// How many of them responded.
    pub responded_count: i64,
    /// The message.
    pub message_id: MessageId,
    /// The medium.
    pub medium_id: MediumId,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of a variant.
pub static NOUN: Noun = Noun {
    name: "MessageVariant",
    singular: "messageVariant",
    plural: "messageVariants",
    table: "message_variant",
    prefix: "variant",
    doc: "A message in the words of one medium, with what a copy test counts. The counts tell of the text: for other words, make another variant.",
    tenant: "organization_id",
    read: Some(Permission::MapRead),
    write: Permission::MapWrite,
    system: &SYSTEM,
    fields: &[
        Field::new(
            "label",
            "label",
            Kind::Text { max: 200 },
            "What tells it from the other variants, for example B or the short one.",
        )
        .optional()
        .ordered()
        .searchable(),
        Field::new("text", "text", Kind::Text { max: 20_000 }, "What is sent, said or shown.").required().searchable(),
        Field::new("sense", "sense", Kind::Enum(Sense::TYPE), "The sense it appeals to most.").optional(),
        Field::new(
            "sentCount",
            "sent_count",
            Kind::Int { min: 0, max: MAX },
            "How many customers it was sent to, all in all.",
        )
        .default_value("0")
        .ordered(),
        Field::new(
            "respondedCount",
            "responded_count",
            Kind::Int { min: 0, max: MAX },
            "How many of them did what the message is for. More than sentCount is refused with OUT_OF_RANGE.",
        )
        .default_value("0")
        .ordered(),
    ],
    relations: &[
        Relationship {
            name: "message",
            target: &crate::message::NOUN,
            link: Link::One { column: "message_id", is_nullable: false, writable: Writable::Fixed },
            doc: "The message it puts into words.",
        },
        Relationship {
            name: "medium",
            target: &crate::medium::NOUN,
            link: Link::One { column: "medium_id", is_nullable: false, writable: Writable::Fixed },
            doc: "The medium it is made for.",
        },
    ],
    operations: FULL,
    has_external_ids: true,
};
