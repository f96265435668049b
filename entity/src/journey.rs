//! Journeys: flows of interaction points.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{JourneyId, OrganizationId},
};

crate::string_enum! {
    /// Status of a journey.
    JourneyStatus as "JourneyStatus" {
        /// In preparation; never published.
        Draft = "DRAFT",
        /// Published: the latest edition defines what should happen.
        Published = "PUBLISHED",
    }
}

/// A named flow of interaction points for one kind of customer: ordered stages and steps, and links that tell which
/// step follows which. Long journeys are divided into nested journeys.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "journey")]
#[noun(prefix = "journey", read = MapRead, write = MapWrite, operations = FULL, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JourneyId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Display title.
    #[noun(required, ordered, searchable, max = 200)]
    pub title: String,
    /// Folded copy of `title` for search.
    pub title_folded: String,
    /// Summary in a few sentences.
    #[noun(optional, searchable, max = 2000)]
    pub summary: Option<String>,
    /// Folded copy of `summary` for search.
    pub summary_folded: Option<String>,
    /// Kind of customer that the journey is for.
    #[noun(optional, ordered, max = 200)]
    pub customer_segment: Option<String>,
    /// The organization's objective for the journey.
    #[noun(optional, max = 2000)]
    pub objective: Option<String>,
    /// Status, set by journeyPublish. Upserts and imports may set it too: a new journey to any status, an existing one
    /// to a status that its transitions can reach. Archiving does not change it.
    #[noun(ordered, lifecycle(
        initial = Draft,
        publish(from(Draft, Published), to = Published, needs(MapRead),
            doc = "Publishes a journey as its next edition, a snapshot of its stages, steps, links, and points with their \
                   mediums, influencers and expectations. The outcome is UNCHANGED if the latest edition is equal. Fails \
                   with TOO_LONG above 10,000 rows or 4 MiB."
        ),
    ))]
    pub status: JourneyStatus,
    /// The longer journey that contains this one. Fails with CYCLE if the journey would contain itself.
    #[noun(optional, inverse(children = "Journeys nested in this one."))]
    pub parent_id: Option<JourneyId>,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
