//! Research that supports an element of the map. A table for each element links it to its evidence.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{EvidenceId, OrganizationId},
    kind::{Date, Url},
};

crate::string_enum! {
    /// How evidence was found.
    EvidenceKind as "EvidenceKind" {
        /// By listening and watching: interviews, visits, letters.
        Qualitative = "QUALITATIVE",
        /// By counting and measuring: surveys, experiments, records.
        Quantitative = "QUANTITATIVE",
    }
}

/// Research that supports elements of the map. One piece may support any number of them; each element shows by
/// evidenceLevel what stands behind it.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "evidence")]
#[noun(prefix = "evid", read = MapRead, write = MapWrite, operations = FULL, external_ids)]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EvidenceId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// How it was found. QUANTITATIVE needs a sample size.
    #[noun(required, ordered)]
    pub kind: EvidenceKind,
    /// Title to show.
    #[noun(required, ordered, searchable, max = 200)]
    pub title: String,
    /// The title folded for search.
    pub title_folded: String,
    /// What it shows, in a few sentences.
    #[noun(optional, max = 2000)]
    pub finding: Option<String>,
    /// How it was gathered, for example interviews, survey, records of calls.
    #[noun(optional, max = 200)]
    pub method: Option<String>,
    /// Where it comes from: a study, a team, a publication.
    #[noun(optional, max = 200)]
    pub source_name: Option<String>,
    /// Address of the source.
    #[noun(optional)]
    pub source_url: Option<Url>,
    /// Day on which it was gathered. Refused with OUT_OF_RANGE if it has begun nowhere yet.
    #[noun(optional, ordered)]
    pub gathered_on: Option<Date>,
    /// How many people or cases were asked or counted, at least 1. Required of QUANTITATIVE evidence.
    #[noun(optional, ordered, min = 1, max = 2_000_000_000)]
    pub sample_size: Option<i64>,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}

/// What evidence is to whatever it supports.
pub const BEHIND: &str = "Evidence behind it. Set whole by the mutation of its noun that ends in SetEvidence.";
