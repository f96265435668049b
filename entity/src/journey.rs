//! A named flow of interaction points for one kind of customer.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{JourneyId, OrganizationId},
};

crate::string_enum! {
    /// How far a journey has come.
    JourneyStatus as "JourneyStatus" {
        /// Being worked on; never published.
        Draft = "DRAFT",
        /// Published: its latest edition says what should happen.
        Published = "PUBLISHED",
    }
}

/// A named flow of interaction points for one kind of customer: stages in order, steps in order, and links that say
/// what follows what. Long journeys are nested.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "journey")]
#[noun(prefix = "journey", read = MapRead, write = MapWrite, operations = FULL, external_ids)]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JourneyId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Title to show.
    #[noun(required, ordered, searchable, max = 200)]
    pub title: String,
    /// The title folded for search.
    pub title_folded: String,
    /// What it is, in a few sentences.
    #[noun(optional, max = 2000)]
    pub summary: Option<String>,
    /// The kind of customer whose journey it is.
    #[noun(optional, ordered, max = 200)]
    pub customer_segment: Option<String>,
    /// What we want to reach with it.
    #[noun(optional, max = 2000)]
    pub objective: Option<String>,
    /// How far it has come. journeyPublish sets it, and upserts and imports may bring it: a new
    /// journey in any status, a known one to any that transitions lead to. The archive leaves it as it is.
    #[noun(ordered, lifecycle(
        initial = Draft,
        publish(from(Draft, Published), to = Published, needs(MapRead),
            doc = "Publishes a journey as its next edition, a snapshot of its stages, steps, links, and points with their \
                   mediums, influencers and expectations. The outcome is UNCHANGED if the latest edition is equal. Fails \
                   with TOO_LONG above 10,000 rows or 4 MiB."
        ),
    ))]
    pub status: JourneyStatus,
    /// The longer journey it is a part of. A cycle is refused with CYCLE.
    #[noun(optional, inverse(children = "Journeys nested in it."))]
    pub parent_id: Option<JourneyId>,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
