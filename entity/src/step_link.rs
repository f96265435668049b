//! A line from step to step that shows what follows what.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{JourneyId, OrganizationId, StepId, StepLinkId},
};

crate::string_enum! {
    /// What a line between two steps means.
    StepLinkKind as "StepLinkKind" {
        /// The one step comes after the other.
        Sequence = "SEQUENCE",
        /// The one step may come after the other.
        Optional = "OPTIONAL",
        /// The way back to an earlier step. Only such links may close a circle.
        Loop = "LOOP",
        /// The one step comes at the same time as others that follow.
        Parallel = "PARALLEL",
    }
}

/// A line from step to step of one journey that shows what follows what. Without its LOOP links a journey has no
/// circle: one is refused with CYCLE.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "step_link")]
#[noun(prefix = "link", read = MapRead, write = MapWrite, operations = PART, external_ids)]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StepLinkId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// What it means.
    #[noun(default = "SEQUENCE")]
    pub kind: StepLinkKind,
    /// What stands at the line, for example a condition.
    #[noun(optional, max = 200)]
    pub label: Option<String>,
    /// The journey of both steps.
    #[noun(fixed, part, inverse(links = "The lines between its steps."))]
    pub journey_id: JourneyId,
    /// The step it starts at, of the same journey.
    #[noun(required, inverse(outgoing = "Links that start at it."))]
    pub from_id: StepId,
    /// The step it ends at, of the same journey.
    #[noun(required, inverse(incoming = "Links that end at it."))]
    pub to_id: StepId,
}
