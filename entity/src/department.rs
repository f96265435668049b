//! The party that feedback is routed to and that owns interaction points.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{DepartmentId, OrganizationId},
    personal::STAFF,
};

/// The party that feedback is routed to and that owns interaction points.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "department")]
#[noun(prefix = "dept", read = MapRead, write = MapWrite, operations = FULL, external_ids)]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DepartmentId,
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
    /// How colleagues reach it: an address, a number, a name. A contact of the company, open to whoever reads
    /// departments: name a desk rather than somebody's own number.
    #[noun(optional, max = 200, personal = Contact, unguarded, retained_because = STAFF)]
    pub contact: Option<String>,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
