//! An interaction point placed in a journey.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{InteractionPointId, JourneyId, OrganizationId, StageId, StepId},
};

/// An interaction point placed in a journey, in one of its stages or in none. One point may stand in many journeys, and
/// more than once in one.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "step")]
#[noun(prefix = "step", read = MapRead, write = MapWrite, operations = PART, external_ids)]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StepId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// What the step is called here; without one, it goes by its point's name.
    #[noun(optional, ordered, searchable, max = 200)]
    pub label: Option<String>,
    /// The label folded for search.
    pub label_folded: Option<String>,
    /// What is special about the point in this journey.
    #[noun(optional, max = 2000)]
    pub notes: Option<String>,
    /// Place among the steps of its journey, from 1 without gaps. Given on a write, the others make room; past the end
    /// is the end, and so is a new one without.
    #[noun(optional, ordered, min = 1, max = 1_000)]
    pub position: i64,
    /// The journey it belongs to.
    #[noun(fixed, part, inverse(steps = "Its steps."))]
    pub journey_id: JourneyId,
    /// The stage it stands in, of the same journey.
    #[noun(optional, part, inverse(steps = "The steps in it."))]
    pub stage_id: Option<StageId>,
    /// The interaction point.
    #[noun(required, inverse(steps = "Where it stands in journeys."))]
    pub point_id: InteractionPointId,
}
