//! Evidence that supports elements of the map. A join table per type of element links the two.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{EvidenceId, OrganizationId},
    kind::{Date, Url},
};

crate::string_enum! {
    /// How evidence was obtained.
    EvidenceKind as "EvidenceKind" {
        /// By listening and observing: interviews, visits, letters.
        Qualitative = "QUALITATIVE",
        /// By counting and measuring: surveys, experiments, records.
        Quantitative = "QUANTITATIVE",
    }
}

/// Research that supports elements of the map. One piece of evidence can support any number of elements; the
/// evidenceLevel of an element tells which kinds of evidence it has.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "evidence")]
#[noun(prefix = "evid", read = MapRead, write = MapWrite, operations = FULL, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EvidenceId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// How the evidence was obtained. QUANTITATIVE fails with REQUIRED without a sample size.
    #[noun(required, ordered)]
    pub kind: EvidenceKind,
    /// Display title.
    #[noun(required, ordered, searchable, max = 200)]
    pub title: String,
    /// Folded copy of `title` for search.
    pub title_folded: String,
    /// What the evidence shows, in a few sentences.
    #[noun(optional, max = 2000)]
    pub finding: Option<String>,
    /// How the evidence was gathered, for example interviews, a survey or call records.
    #[noun(optional, max = 200)]
    pub method: Option<String>,
    /// Name of the source: a study, a team or a publication.
    #[noun(optional, max = 200)]
    pub source_name: Option<String>,
    /// URL of the source.
    #[noun(optional)]
    pub source_url: Option<Url>,
    /// Day on which the evidence was gathered. A day that has not begun in any time zone fails with OUT_OF_RANGE.
    #[noun(optional, ordered)]
    pub gathered_on: Option<Date>,
    /// Number of people asked or cases counted, 1 to 2,000,000,000. Required for QUANTITATIVE evidence.
    #[noun(optional, ordered, min = 1, max = 2_000_000_000)]
    pub sample_size: Option<i64>,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}

/// Description of the relation `evidence`, which several nouns have.
pub const BEHIND: &str = "Evidence that supports it. A mutation such as offerSetEvidence replaces the list.";
