//! One change of the top five of an interaction point, kept as long as the point.

use sea_orm::entity::prelude::*;

use crate::{
    id::{ExpectationRankingId, InteractionPointId, OrganizationId},
    noun::{APPENDED, Field, Kind, Link, Noun, Personal, Relationship, Writable},
    permission::Permission,
    personal::STAFF,
};

/// One change of a top five.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "expectation_ranking")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ExpectationRankingId,
    /// When the ranks changed.
    pub ranked_at: ChronoUnixTimestampMillis,
    /// Who changed them.
    pub subject: String,
    /// The ranks before, JSON.
    pub before: String,
    /// The ranks afterwards, JSON.
    pub after: String,
    /// The point.
    pub point_id: InteractionPointId,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of a ranking.
pub static NOUN: Noun = Noun {
    name: "ExpectationRanking",
    singular: "expectationRanking",
    plural: "expectationRankings",
    table: "expectation_ranking",
    prefix: "ranking",
    doc: "One change of the top five of an interaction point: who ranked the expectations anew, when, and how they stood before and afterwards. Only ever added, by whatever changes ranks: a ranking, the deletion of a ranked expectation, the copy of a point.",
    tenant: "organization_id",
    read: Some(Permission::MapRead),
    write: Permission::MapWrite,
    system: &APPENDED,
    fields: &[
        Field::new("rankedAt", "ranked_at", Kind::Instant, "When, UTC.").ordered(),
        Field::new("subject", "subject", Kind::Text { max: 255 }, "Who: the subject of the token.")
            .personal(Personal::Identifier)
            .unguarded()
            .retained_because(STAFF),
        Field::new(
            "before",
            "before",
            Kind::Json,
            "The ranked expectations before, by rank: a list of objects with `rank` (1 to 5), `id` and `statement`, which says it in the words of that time.",
        ),
        Field::new("after", "after", Kind::Json, "The ranked expectations afterwards, in the same form."),
    ],
    relations: &[Relationship {
        name: "point",
        target: &crate::interaction_point::NOUN,
        link: Link::One { column: "point_id", is_nullable: false, writable: Writable::Never },
        doc: "The interaction point.",
    }],
    operations: &[],
    has_external_ids: false,
};
