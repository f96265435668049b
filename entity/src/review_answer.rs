//! An answer that a review gave to a question at an interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{InteractionPointId, OrganizationId, ReviewAnswerId, ReviewQuestionId},
    personal::STAFF,
};

/// An answer to a question at an interaction point. The newest one is the point's answer, those before it are its
/// history: a new answer is a new row, an update corrects the one it names.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "review_answer")]
#[noun(prefix = "answer", read = MapRead, write = MapWrite, operations = PART, external_ids)]
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
    #[noun(required, searchable, max = 20_000)]
    pub text: String,
    /// The answer folded for search.
    pub text_folded: String,
    /// When its text was given or last corrected, UTC.
    #[noun(ordered)]
    pub answered_at: ChronoUnixTimestampMillis,
    /// Subject of the token that gave or last corrected its text.
    #[noun(max = 255, personal = Identifier, unguarded, retained_because = STAFF)]
    pub author: String,
    /// The question it answers.
    #[noun(fixed, inverse(answers = "All answers to it, at any point, earlier ones too."))]
    pub question_id: ReviewQuestionId,
    /// The interaction point it is about.
    #[noun(
        fixed,
        inverse(
            review_answers = "All answers that reviews gave about it, earlier ones too; reviewItems shows those that hold."
        )
    )]
    pub point_id: InteractionPointId,
}
