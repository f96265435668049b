//! A channel of communication, in a tree: category, then medium.

use sea_orm::entity::prelude::*;

use crate::{
    id::{MediumId, OrganizationId},
    noun::{FULL, Field, Kind, Link, Noun, Relationship, SYSTEM, Writable},
    permission::Permission,
};

/// A channel of communication.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "medium")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MediumId,
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
    /// What it is.
    pub description: Option<String>,
    /// The category it belongs to.
    pub parent_id: Option<MediumId>,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of a medium.
pub static NOUN: Noun = Noun {
    name: "Medium",
    singular: "medium",
    plural: "mediums",
    table: "medium",
    prefix: "med",
    doc: "A channel of communication (phone, letter, shop, the product itself), in a tree: category, then medium.",
    tenant: "organization_id",
    read: Some(Permission::MapRead),
    write: Permission::MapWrite,
    system: &SYSTEM,
    fields: &[
        Field::new("name", "name", Kind::Text { max: 200 }, "Name to show.").required().ordered().searchable(),
        Field::new("description", "description", Kind::Text { max: 2000 }, "What it is, in a few sentences.")
            .optional(),
    ],
    relations: &[
        Relationship {
            name: "parent",
            target: &crate::medium::NOUN,
            link: Link::One { column: "parent_id", is_nullable: true, writable: Writable::Optional },
            doc: "Category it belongs to. A cycle is refused with CYCLE.",
        },
        Relationship {
            name: "children",
            target: &crate::medium::NOUN,
            link: Link::Many { column: "parent_id" },
            doc: "Mediums below it.",
        },
        Relationship {
            name: "interactionPoints",
            target: &crate::interaction_point::NOUN,
            link: Link::Through {
                table: "interaction_point_medium",
                from: "medium_id",
                to: "interaction_point_id",
                edge: &[],
            },
            doc: "Interaction points that run over it.",
        },
        Relationship {
            name: "messageVariants",
            target: &crate::message_variant::NOUN,
            link: Link::Many { column: "medium_id" },
            doc: "Messages in its words.",
        },
        Relationship {
            name: "feedbackRecords",
            target: &crate::feedback_record::NOUN,
            link: Link::Many { column: "medium_id" },
            doc: "Feedback that came in over it.",
        },
    ],
    operations: FULL,
    has_external_ids: true,
};
