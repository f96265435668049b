//! API types of reviews.

use entity::{
    id::{InteractionPointId, ReviewAnswerId, ReviewQuestionId},
    review_question::ReviewComponent,
};
use sea_orm::prelude::ChronoUnixTimestampMillis;

use crate::graphql::typed::{input::Input, output::Output};

/// Progress of the review of an interaction point, and whether it is stale.
#[derive(Output)]
#[output(read = MapRead)]
pub(super) struct PointReview {
    /// Number of questions that are not archived: the denominator.
    pub question_count: i64,
    /// Number of these questions that have an answer at the point: the numerator.
    pub answered_count: i64,
    /// answeredCount divided by questionCount; null if there are no active questions.
    pub completeness: Option<f64>,
    /// Time of the newest answer to any question, UTC; null if the point was never reviewed.
    pub last_answered_at: Option<ChronoUnixTimestampMillis>,
    /// Number of days after which the review is stale: the point's setting, otherwise the organization's; null means never.
    pub cadence_days: Option<i64>,
    /// When the review is or was due, UTC: lastAnsweredAt plus cadenceDays; null if either is null.
    pub due_at: Option<ChronoUnixTimestampMillis>,
    /// Whether the point was never reviewed, or dueAt has passed.
    pub is_stale: bool,
    /// The interaction point.
    pub point_id: InteractionPointId,
}

/// Progress of the reviews of the interaction points of a journey's steps. Each point counts once; nested journeys are not
/// included.
#[derive(Output)]
#[output(read = MapRead)]
pub(super) struct JourneyReview {
    /// Number of interaction points of its steps.
    pub point_count: i64,
    /// Number of those points whose review is stale.
    pub stale_count: i64,
    /// Number of active questions, counted once per point: the denominator.
    pub question_count: i64,
    /// Number of those questions that have an answer at the point: the numerator.
    pub answered_count: i64,
    /// answeredCount divided by questionCount; null if there are no active questions or no steps.
    pub completeness: Option<f64>,
}

/// An active question and its current answer at an interaction point.
#[derive(Output)]
#[output(read = MapRead)]
pub(super) struct ReviewItem {
    /// The question.
    pub question_id: ReviewQuestionId,
    /// The newest answer at the point; null if there is none.
    pub answer_id: Option<ReviewAnswerId>,
}

/// Interaction points whose review is stale.
#[derive(Output)]
#[output(read = MapRead)]
pub(super) struct ReviewsDue {
    /// Total number of points, regardless of `first`.
    pub point_count: i64,
    /// Points that were never reviewed, oldest first, followed by the others, most overdue first.
    pub nodes: Vec<PointReview>,
}

/// Arguments of `reviewsDue`.
#[derive(Input)]
pub(super) struct DueArguments {
    /// Maximum number of points, 1 to 1,000.
    #[input(default = 100, range = 1..=1_000)]
    pub first: i64,
}

/// Arguments of `reviewItems`.
#[derive(Input)]
pub(super) struct ItemsArguments {
    /// Restricts the form to questions of this component. Defaults to all components.
    pub component: Option<ReviewComponent>,
    /// Maximum number of questions, 1 to 1,000.
    #[input(default = 100, range = 1..=1_000)]
    pub first: i64,
}
