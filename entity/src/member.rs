//! Members: the people of the organization.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{DepartmentId, MemberId, OrganizationId},
    personal::STAFF,
};

/// A person of the organization: who is behind the subject of a token. Members grant no access; the scopes of tokens do.
/// Those away are members with `awayFromAt` in the past and `awayUntilAt` in the future or null.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "member")]
#[noun(
    prefix = "member", read = ResponseRead, write = ResponseWrite, operations = FULL, external_ids, unique(subject),
    through(
        departments: DepartmentId,
        doc = "Departments that the member belongs to. memberSetDepartments replaces the list.",
        inverse(members = "Members of the department.")
    )
)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MemberId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Subject of the member's tokens, compared exactly. One that another member has, archived or not, fails with TAKEN.
    #[noun(required, ordered, max = 255, personal = Identifier, unguarded, retained_because = STAFF)]
    pub subject: String,
    /// Name to show.
    #[noun(required, ordered, searchable, max = 200, personal = Identifier, unguarded, retained_because = STAFF)]
    pub name: String,
    /// Folded copy of `name` for search.
    pub name_folded: String,
    /// Up to 50 skills of up to 64 characters, without duplicates, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub skills: String,
    /// How many open cases the member can handle at once, 0 to 10,000; null if there is no limit.
    #[noun(optional, ordered, min = 0, max = 10_000)]
    pub capacity: Option<i64>,
    /// From when on the member is away, UTC; null if no absence is known.
    #[noun(optional, ordered)]
    pub away_from_at: Option<ChronoUnixTimestampMillis>,
    /// When the member is back, UTC; null if unknown. Fails with OUT_OF_RANGE before awayFromAt, and with INVALID
    /// without it.
    #[noun(optional, ordered)]
    pub away_until_at: Option<ChronoUnixTimestampMillis>,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
