//! An ordered phase of a journey.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{JourneyId, OrganizationId, StageId},
};

/// An ordered phase of a journey, or a step of the supply chain.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "stage")]
#[noun(prefix = "stage", read = MapRead, write = MapWrite, operations = PART, external_ids)]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StageId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Name to show.
    #[noun(required, ordered, searchable, max = 200)]
    pub name: String,
    /// The name folded for search.
    pub name_folded: String,
    /// What it is, in a few sentences.
    #[noun(optional, max = 2000)]
    pub description: Option<String>,
    /// Place among the stages of its journey, from 1 without gaps. Given on a write, the others make room; past the end
    /// is the end, and so is a new one without.
    #[noun(optional, ordered, min = 1, max = 1_000)]
    pub position: i64,
    /// The journey it belongs to.
    #[noun(fixed, part, inverse(stages = "Its phases."))]
    pub journey_id: JourneyId,
}
