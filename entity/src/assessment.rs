//! Assessments: whether an interaction met what was expected of it.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{AssessmentId, DesiredResultId, ExpectationId, InteractionId, ObjectiveId, OrganizationId},
    kind::Decimal,
};

crate::string_enum! {
    /// Outcome of an assessment.
    AssessmentOutcome as "AssessmentOutcome" {
        /// What was expected did not come.
        NotMet = "NOT_MET",
        /// What was expected came.
        Met = "MET",
        /// More came than was expected.
        Exceeded = "EXCEEDED",
        /// Not verified: counts neither as met nor as not met.
        Unverified = "UNVERIFIED",
    }
}

crate::string_enum! {
    /// How it was found out whether something holds.
    VerificationMethod as "VerificationMethod" {
        /// The customer was asked.
        Asked = "ASKED",
        /// Somebody observed it.
        Observed = "OBSERVED",
        /// It was measured.
        Measured = "MEASURED",
        /// Inferred from something else.
        Inferred = "INFERRED",
    }
}

/// Whether an interaction met an expectation, an objective or a desired result of its point: exactly one of the three.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "assessment")]
#[noun(prefix = "assess", read = RecordRead, write = RecordWrite, operations = PART, external_ids,
    exactly_one(expectation, objective, desired_result))]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AssessmentId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Outcome.
    #[noun(default = "UNVERIFIED", ordered)]
    pub outcome: AssessmentOutcome,
    /// What the customer expected, from 1 (little) to 7 (much).
    #[noun(optional, min = 1, max = 7)]
    pub expected: Option<i64>,
    /// What the customer perceived, from 1 (little) to 7 (much).
    #[noun(optional, min = 1, max = 7)]
    pub perceived: Option<i64>,
    /// Measured value, in the unit of the expectation's target; up to 4 digits after the decimal point.
    #[noun(optional)]
    pub measured_value: Option<Decimal<4>>,
    /// How the outcome was verified. Fails with REQUIRED if it is missing, unless the outcome is UNVERIFIED.
    #[noun(optional)]
    pub verified_by: Option<VerificationMethod>,
    /// When it was assessed, UTC. Defaults to the current time.
    #[noun(default = "now", ordered)]
    pub assessed_at: ChronoUnixTimestampMillis,
    /// Up to 50 tags of up to 64 characters, without duplicates, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub tags: String,
    /// Up to 20 named values with unique names; names and values have up to 200 characters.
    #[noun(default = "[]", attributes(most = 20, max = 200), personal = FreeText)]
    pub attributes: String,
    /// The interaction that is assessed. It must have a point.
    #[noun(fixed, part, inverse(assessments = "What the interaction met, and what it did not."))]
    pub interaction_id: InteractionId,
    /// The expectation that is assessed. Fails with INVALID if it is of another point than the interaction.
    #[noun(optional, inverse(assessments = "Interactions that were held against the expectation."))]
    pub expectation_id: Option<ExpectationId>,
    /// The objective that is assessed. Fails with INVALID if it is of another point than the interaction.
    #[noun(optional, inverse(assessments = "Interactions that were held against the objective."))]
    pub objective_id: Option<ObjectiveId>,
    /// The desired result that is assessed. Fails with INVALID if it is of another point than the interaction.
    #[noun(optional, inverse(assessments = "Interactions that were held against the desired result."))]
    pub desired_result_id: Option<DesiredResultId>,
}
