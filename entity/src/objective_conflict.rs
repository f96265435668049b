//! Conflicts between two objectives.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{InteractionPointId, ObjectiveConflictId, ObjectiveId, OrganizationId},
};

/// A conflict between two objectives of different owners at one interaction point. The filter `{resolution: {isNull:
/// true}}` finds open conflicts; `interactionPoints(filter: {objectiveConflicts: {some: {}}})` finds points with
/// conflicts. Up to 1,000 per point; more fail with TOO_LONG.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "objective_conflict")]
#[noun(prefix = "conflict", read = MapRead, write = MapWrite, operations = PART, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ObjectiveConflictId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// How the objectives conflict.
    #[noun(required, searchable, max = 2000)]
    pub note: String,
    /// Folded copy of `note` for search.
    pub note_folded: String,
    /// How the conflict was resolved; null while it is open.
    #[noun(optional, max = 2000)]
    pub resolution: Option<String>,
    /// The interaction point of both objectives.
    #[noun(
        fixed,
        part,
        inverse(objective_conflicts = "Conflicts between objectives of different owners at this point.")
    )]
    pub point_id: InteractionPointId,
    /// The first objective, at the same point.
    #[noun(fixed)]
    pub first_id: ObjectiveId,
    /// The second objective, at the same point. Fails with INVALID if both have the same owner.
    #[noun(fixed)]
    pub second_id: ObjectiveId,
}
