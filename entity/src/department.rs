//! Departments, which own interaction points and receive feedback.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{DepartmentId, OrganizationId},
    personal::STAFF,
};

/// A department of the organization. It owns interaction points, and feedback is routed to it.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "department")]
#[noun(prefix = "dept", read = MapRead, write = MapWrite, operations = FULL, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DepartmentId,
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
    /// How colleagues reach the department: an address, a phone number or a name. Visible to every token that can read
    /// departments, so prefer a shared contact to a person's own.
    #[noun(optional, max = 200, personal = Contact, unguarded, retained_because = STAFF)]
    pub contact: Option<String>,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
