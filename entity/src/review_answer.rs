//! An answer that a review gave to a question at an interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    id::{InteractionPointId, OrganizationId, ReviewAnswerId, ReviewQuestionId},
    noun::{Field, Kind, Link, Noun, PART, Personal, Relationship, SYSTEM, Writable},
    permission::Permission,
    personal::STAFF,
};

/// An answer to a question at a point.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "review_answer")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReviewAnswerId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// The answer.
    pub text: String,
    /// The answer folded for search.
    pub text_folded: String,
    /// When it was given.
    pub answered_at: ChronoUnixTimestampMillis,
    /// Who gave it.
    pub author: String,
    /// The question.
    pub question_id: ReviewQuestionId,
    /// The point.
    pub point_id: InteractionPointId,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of an answer.
pub static NOUN: Noun = Noun {
    name: "ReviewAnswer",
    singular: "reviewAnswer",
    plural: "reviewAnswers",
    table: "review_answer",
    prefix: "answer",
    doc: "An answer to a question at an interaction point. The newest one is the point's answer, those before it are its history: a new answer is a new row, an update corrects the one it names.",
    tenant: "organization_id",
    read: Some(Permission::MapRead),
    write: Permission::MapWrite,
    system: &SYSTEM,
    fields: &[
        Field::new("text", "text", Kind::Text { max: 20_000 }, "The answer.").required().searchable(),
        Field::new("answeredAt", "answered_at", Kind::Instant, "When its text was given or last corrected, UTC.")
            .ordered(),
        Field::new(
            "author",
            "author",
            Kind::Text { max: 255 },
            "Subject of the token that gave or last corrected its text.",
        )
        .personal(Personal::Identifier)
        .unguarded()
        .retained_because(STAFF),
    ],
    relations: &[
        Relationship {
            name: "question",
            target: &crate::review_question::NOUN,
            link: Link::One { column: "question_id", is_nullable: false, writable: Writable::Fixed },
            doc: "The question it answers.",
        },
        Relationship {
            name: "point",
            target: &crate::interaction_point::NOUN,
            link: Link::One { column: "point_id", is_nullable: false, writable: Writable::Fixed },
            doc: "The interaction point it is about.",
        },
    ],
    operations: PART,
    has_external_ids: true,
};
