//! Answers to review questions at an interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{InteractionPointId, OrganizationId, ReviewAnswerId, ReviewQuestionId},
    personal::STAFF,
};

/// An answer to a review question at an interaction point. The newest answer is the current one, earlier answers are
/// its history: create a row for a new answer, update a row to correct it.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "review_answer")]
#[noun(prefix = "answer", read = MapRead, write = MapWrite, operations = PART, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReviewAnswerId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Text of the answer.
    #[noun(required, searchable, max = 20_000)]
    pub text: String,
    /// Folded copy of `text` for search.
    pub text_folded: String,
    /// When the text was given or last corrected, UTC.
    #[noun(ordered)]
    pub answered_at: ChronoUnixTimestampMillis,
    /// Who gave or last corrected the text: the subject of the access token.
    #[noun(max = 255, personal = Identifier, unguarded, retained_because = STAFF)]
    pub author: String,
    /// The question that it answers.
    #[noun(fixed, inverse(answers = "All answers to the question, at all points, including earlier ones."))]
    pub question_id: ReviewQuestionId,
    /// The interaction point that it is about.
    #[noun(
        fixed,
        inverse(
            review_answers = "All review answers about the point, including earlier ones; reviewItems has the current ones."
        )
    )]
    pub point_id: InteractionPointId,
}
