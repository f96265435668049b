//! Questions that reviews ask about every interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{OrganizationId, ReviewQuestionId},
};

crate::string_enum! {
    /// Subject of a review question.
    ReviewComponent as "ReviewComponent" {
        /// What the customer takes for granted on arrival.
        Assumptions = "ASSUMPTIONS",
        /// What the customer experiences at the point.
        Experiences = "EXPERIENCES",
        /// What the customer wants to have on leaving.
        DesiredResults = "DESIRED_RESULTS",
    }
}

/// A question that reviews ask about every interaction point. organizationSeedReviewQuestions creates an initial set of
/// questions, which can be changed, archived and extended.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "review_question")]
#[noun(prefix = "question", read = MapRead, write = MapWrite, operations = FULL, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReviewQuestionId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Subject of the question.
    #[noun(required, ordered)]
    pub component: ReviewComponent,
    /// Position among the questions of its component, 1 to 1,000,000; questions with equal positions are ordered by
    /// age, oldest first. Defaults to the position after the last question.
    #[noun(optional, ordered, min = 1, max = 1_000_000)]
    pub position: i64,
    /// Text of the question, addressed to people who know the point.
    #[noun(required, searchable, max = 2000)]
    pub text: String,
    /// Folded copy of `text` for search.
    pub text_folded: String,
    /// Key of the built-in question that it was created from; null for a question of the organization.
    #[noun(max = 64)]
    pub bank_key: Option<String>,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
