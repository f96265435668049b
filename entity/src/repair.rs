//! Repairs: failures of units and of their parts.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{OrganizationId, RepairId, UnitId, UnitPartId},
    kind::Duration,
};

/// A failure of a unit or of one of its parts, and what was done about it.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "repair")]
#[noun(prefix = "repair", read = RecordRead, write = RecordWrite, operations = PART, external_ids,
    timeline(at(failed_at), via(unit)))]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RepairId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// When it failed, UTC. Fails with OUT_OF_RANGE in the future.
    #[noun(required, ordered)]
    pub failed_at: ChronoUnixTimestampMillis,
    /// How long the unit, or the part if there is one, had operated since it went into service or last failed.
    #[noun(optional, ordered)]
    pub operating_time: Option<Duration>,
    /// Why it failed.
    #[noun(optional, searchable, max = 2000, personal = FreeText)]
    pub cause: Option<String>,
    /// Folded copy of `cause` for search.
    pub cause_folded: Option<String>,
    /// What was done about it.
    #[noun(optional, max = 2000, personal = FreeText)]
    pub action: Option<String>,
    /// Up to 50 tags of up to 64 characters, without duplicates, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub tags: String,
    /// Up to 20 named values with unique names; names and values have up to 200 characters.
    #[noun(default = "[]", attributes(most = 20, max = 200), personal = FreeText)]
    pub attributes: String,
    /// The unit that failed.
    #[noun(fixed, inverse(repairs = "Failures of the unit and of its parts."))]
    pub unit_id: UnitId,
    /// The part that failed; null if none is known. Fails with INVALID if it is a part of another unit.
    #[noun(optional, inverse(repairs = "Failures of the part."))]
    pub part_id: Option<UnitPartId>,
}
