//! A question that a review asks of every interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    id::{OrganizationId, ReviewQuestionId},
    noun::{FULL, Field, Kind, Link, Noun, Relationship, SYSTEM, StringEnum},
    permission::Permission,
};

crate::string_enum! {
    /// What a question of a review is about.
    ReviewComponent as "ReviewComponent" {
        /// What the customer takes for granted when they come.
        Assumptions = "ASSUMPTIONS",
        /// What the customer goes through while they are there.
        Experiences = "EXPERIENCES",
        /// What the customer wants to have when they leave.
        DesiredResults = "DESIRED_RESULTS",
    }
}

/// A question that a review asks.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "review_question")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReviewQuestionId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// What it is about.
    pub component: ReviewComponent,
    /// Place among the questions of its component.
    pub position: i64,
    /// The question.
    pub text: String,
    /// The question folded for search.
    pub text_folded: String,
    /// Which question of the bank it was made from.
    pub bank_key: Option<String>,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of a question.
pub static NOUN: Noun = Noun {
    name: "ReviewQuestion",
    singular: "reviewQuestion",
    plural: "reviewQuestions",
    table: "review_question",
    prefix: "question",
    doc: "A question that a review asks of every interaction point. organizationSeedReviewQuestions gives a first set of them, to be changed, archived and added to.",
    tenant: "organization_id",
    read: Some(Permission::MapRead),
    write: Permission::MapWrite,
    system: &SYSTEM,
    fields: &[
        Field::new("component", "component", Kind::Enum(ReviewComponent::TYPE), "What it is about.")
            .required()
            .ordered(),
        Field::new(
            "position",
            "position",
            Kind::Int { min: 1, max: 1_000_000 },
            "Place among the questions of its component; of two at one place, the older comes first. A new one without stands last.",
        )
        .input_optional()
        .ordered(),
        Field::new("text", "text", Kind::Text { max: 2000 }, "The question, as it is put to whoever knows the point.")
            .required()
            .searchable(),
        Field::new(
            "bankKey",
            "bank_key",
            Kind::Text { max: 64 },
            "Which question of Rapport's own bank it was made from; null for one of the organization's own.",
        )
        .nullable(),
    ],
    relations: &[Relationship {
        name: "answers",
        target: &crate::review_answer::NOUN,
        link: Link::Many { column: "question_id" },
        doc: "All answers to it, at any point, earlier ones too.",
    }],
    operations: FULL,
    has_external_ids: true,
};
