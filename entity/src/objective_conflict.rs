//! Two objectives that get in each other's way.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{InteractionPointId, ObjectiveConflictId, ObjectiveId, OrganizationId},
};

/// Two objectives of one interaction point and of different owners that get in each other's way. Open ones: filter
/// {resolution: {isNull: true}}. Points with any: interactionPoints(filter: {objectiveConflicts: {some: {}}}). At most
/// 1,000 a point.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "objective_conflict")]
#[noun(prefix = "conflict", read = MapRead, write = MapWrite, operations = PART, external_ids)]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ObjectiveConflictId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// How they get in each other's way.
    #[noun(required, searchable, max = 2000)]
    pub note: String,
    /// The note folded for search.
    pub note_folded: String,
    /// How it was settled; null while it is open.
    #[noun(optional, max = 2000)]
    pub resolution: Option<String>,
    /// The interaction point of both objectives.
    #[noun(
        fixed,
        part,
        inverse(objective_conflicts = "Objectives of different owners that get in each other's way there.")
    )]
    pub point_id: InteractionPointId,
    /// One of the objectives, of the same point.
    #[noun(fixed)]
    pub first_id: ObjectiveId,
    /// The other one, of the same point and of another owner.
    #[noun(fixed)]
    pub second_id: ObjectiveId,
}
