//! Departments, which own interaction points and receive feedback.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{DepartmentId, OrganizationId},
    personal::STAFF,
};

crate::string_enum! {
    /// How cases of a department get an assignee when they are opened or moved to it without one. Members who are away,
    /// archived, or have as many open cases as their capacity get none; if nobody is left, the case stays without one.
    Assignment as "CaseAssignment" {
        /// Somebody assigns them.
        Manual = "MANUAL",
        /// The member of the department whose newest case is the oldest.
        RoundRobin = "ROUND_ROBIN",
        /// The member with the fewest open cases.
        LeastOpen = "LEAST_OPEN",
        /// The member with the most skills among the tags of the case, and of those the one with the fewest open cases.
        Skills = "SKILLS",
    }
}

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
    /// How cases of the department get an assignee.
    #[noun(default = "MANUAL")]
    pub assignment: Assignment,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
