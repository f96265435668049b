//! What was published of a journey, as it was then.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{JourneyEditionId, JourneyId, OrganizationId},
};

/// A journey as it was when journeyPublish froze it. An edition never changes; journeyDiff compares two.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "journey_edition")]
#[noun(prefix = "edition", read = MapRead, write = MapWrite, operations = [List])]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JourneyEditionId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Counts the editions of the journey, from 1.
    #[noun(ordered, min = 1, max = i64::MAX)]
    pub number: i64,
    /// The journey, its stages, steps and links, the points with their mediums, influencers and expectations: lists of
    /// objects by the name of their list, each object as the API showed it, relations as ids.
    #[noun(json)]
    pub document: String,
    /// When it was published, UTC.
    #[noun(ordered)]
    pub published_at: ChronoUnixTimestampMillis,
    /// Subject of the token that published it.
    #[noun(max = 255)]
    pub published_by: String,
    /// The journey.
    #[noun(inverse(editions = "What was published of it."))]
    pub journey_id: JourneyId,
}
