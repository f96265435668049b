//! What we say to customers, whatever the medium.

use sea_orm::entity::prelude::*;

use crate::{
    id::{MessageId, OrganizationId},
    noun::{FULL, Field, Kind, Link, Noun, Relationship, SYSTEM},
    permission::Permission,
};

/// What we say to customers.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "message")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MessageId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Name to show.
    pub name: String,
    /// The name folded for search.
    pub name_folded: String,
    /// What is said.
    pub statement: String,
    /// The statement folded for search.
    pub statement_folded: String,
    /// What the customer should do or know afterwards.
    pub purpose: Option<String>,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of a message.
pub static NOUN: Noun = Noun {
    name: "Message",
    singular: "message",
    plural: "messages",
    table: "message",
    prefix: "message",
    doc: "What we say to customers, whatever the medium. Its variants put it into the words of a medium, and copyTest compares them.",
    tenant: "organization_id",
    read: Some(Permission::MapRead),
    write: Permission::MapWrite,
    system: &SYSTEM,
    fields: &[
        Field::new("name", "name", Kind::Text { max: 200 }, "Name to show.").required().ordered().searchable(),
        Field::new(
            "statement",
            "statement",
            Kind::Text { max: 2000 },
            "What is said, in the plainest words and without a thought of the medium.",
        )
        .required()
        .searchable(),
        Field::new(
            "purpose",
            "purpose",
            Kind::Text { max: 2000 },
            "What the customer should know or do once the message has arrived.",
        )
        .optional(),
    ],
    relations: &[
        Relationship {
            name: "variants",
            target: &crate::message_variant::NOUN,
            link: Link::Many { column: "message_id" },
            doc: "The message in the words of mediums, up to 50.",
        },
        Relationship {
            name: "points",
            target: &crate::interaction_point::NOUN,
            link: Link::Through {
                table: "message_interaction_point",
                from: "message_id",
                to: "interaction_point_id",
                edge: &[],
            },
            doc: "Interaction points at which it is said. Set whole by messageSetPoints.",
        },
        crate::evidence::behind("message_evidence", "message_id"),
    ],
    operations: FULL,
    has_external_ids: true,
};
