//! Stages: ordered phases of a journey.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{JourneyId, OrganizationId, StageId},
};

/// An ordered phase of a journey, or of a supply chain.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "stage")]
#[noun(prefix = "stage", read = MapRead, write = MapWrite, operations = PART, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StageId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Display name.
    #[noun(required, ordered, searchable, max = 200)]
    pub name: String,
    /// Folded copy of `name` for search.
    pub name_folded: String,
    /// Description in a few sentences.
    #[noun(optional, max = 2000)]
    pub description: Option<String>,
    /// Position among the stages of its journey, starting at 1, without gaps. Setting it shifts the other stages. A
    /// position past the end, or none on create, appends the stage.
    #[noun(optional, ordered, min = 1, max = 1_000)]
    pub position: i64,
    /// The journey that it is a phase of.
    #[noun(fixed, part, inverse(stages = "Stages of the journey."))]
    pub journey_id: JourneyId,
}
