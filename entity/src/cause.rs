//! Causes of problems: the library that cases name their cause from.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{CauseId, OrganizationId},
};

/// A cause of problems, kept in a library so that cases with the same cause name the same row and repeats are counted.
/// What was wrong in one case only is the root cause of its attempt.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "cause")]
#[noun(prefix = "cause", read = ResponseRead, write = ResponseWrite, operations = FULL, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CauseId,
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
    /// What it is, and how to recognize it. About the cause, never about a customer.
    #[noun(optional, max = 2000)]
    pub description: Option<String>,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
