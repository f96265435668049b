//! Editions: immutable snapshots of a journey.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{JourneyEditionId, JourneyId, OrganizationId},
};

/// An immutable snapshot of a journey, created by journeyPublish. journeyDiff compares two editions.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "journey_edition")]
#[noun(prefix = "edition", read = MapRead, write = MapWrite, operations = [List])]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JourneyEditionId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Number of the edition within the journey, starting at 1.
    #[noun(ordered, min = 1, max = i64::MAX)]
    pub number: i64,
    /// The snapshot: the journey, its stages, steps and links, and the points with their mediums, influencers and
    /// expectations, as lists of objects by list name. Objects have the form in which the API returned them, with
    /// relations as ids.
    #[noun(json)]
    pub document: String,
    /// When the edition was published, UTC.
    #[noun(ordered)]
    pub published_at: ChronoUnixTimestampMillis,
    /// Who published the edition: the subject of the access token.
    #[noun(max = 255)]
    pub published_by: String,
    /// The journey that was published.
    #[noun(inverse(editions = "Published editions of the journey."))]
    pub journey_id: JourneyId,
}
