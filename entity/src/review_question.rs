//! A question that a review asks of every interaction point.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{OrganizationId, ReviewQuestionId},
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

/// A question that a review asks of every interaction point. organizationSeedReviewQuestions gives a first set of them,
/// to be changed, archived and added to.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "review_question")]
#[noun(prefix = "question", read = MapRead, write = MapWrite, operations = FULL, external_ids)]
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
    #[noun(required, ordered)]
    pub component: ReviewComponent,
    /// Place among the questions of its component; of two at one place, the older comes first. A new one without stands
    /// last.
    #[noun(optional, ordered, min = 1, max = 1_000_000)]
    pub position: i64,
    /// The question, as it is put to whoever knows the point.
    #[noun(required, searchable, max = 2000)]
    pub text: String,
    /// The question folded for search.
    pub text_folded: String,
    /// Which question of Rapport's own bank it was made from; null for one of the organization's own.
    #[noun(max = 64)]
    pub bank_key: Option<String>,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
