//! What moves the customer to an interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    id::{InfluencerId, OrganizationId},
    noun::{FULL, Field, Kind, Link, Noun, Relationship, SYSTEM},
    permission::Permission,
};

/// What moves the customer to a point.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "influencer")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InfluencerId,
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
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of an influencer.
pub static NOUN: Noun = Noun {
    name: "Influencer",
    singular: "influencer",
    plural: "influencers",
    table: "influencer",
    prefix: "infl",
    doc: "What moves the customer to an interaction point: an advertisement, a friend, a broken part. Kept in a library per organization.",
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
            name: "interactionPoints",
            target: &crate::interaction_point::NOUN,
            link: Link::Through {
                table: "interaction_point_influencer",
                from: "influencer_id",
                to: "interaction_point_id",
                edge: crate::interaction_point::INFLUENCE,
            },
            doc: "Interaction points it moves customers to.",
        },
        crate::evidence::behind("influencer_evidence", "influencer_id"),
    ],
    operations: FULL,
    has_external_ids: true,
};
