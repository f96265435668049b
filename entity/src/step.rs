//! Steps: interaction points placed in a journey.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{InteractionPointId, JourneyId, OrganizationId, StageId, StepId},
};

/// An interaction point placed in a journey, in one of its stages or in none. A point can be in many journeys, and
/// several times in one.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "step")]
#[noun(prefix = "step", read = MapRead, write = MapWrite, operations = PART, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StepId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Name of the step in this journey; null means the name of its point.
    #[noun(optional, ordered, searchable, max = 200)]
    pub label: Option<String>,
    /// Folded copy of `label` for search.
    pub label_folded: Option<String>,
    /// What is special about the point in this journey.
    #[noun(optional, max = 2000)]
    pub notes: Option<String>,
    /// Position among the steps of its journey, starting at 1, without gaps. Setting it shifts the other steps. A
    /// position past the end, or none on create, appends the step.
    #[noun(optional, ordered, min = 1, max = 1_000)]
    pub position: i64,
    /// The journey that contains the step.
    #[noun(fixed, part, inverse(steps = "Steps of the journey."))]
    pub journey_id: JourneyId,
    /// The stage that contains the step. Fails with INVALID if it is of another journey.
    #[noun(optional, part, inverse(steps = "Steps in the stage."))]
    pub stage_id: Option<StageId>,
    /// The interaction point placed by the step.
    #[noun(required, inverse(steps = "Steps that place the point in journeys."))]
    pub point_id: InteractionPointId,
}
