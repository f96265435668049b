//! API clients: programs with their own credentials.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{ApiClientId, OrganizationId},
    permission::Permission,
};

/// A program, such as a CRM or a script, with its own credentials. It exchanges them for access tokens at `POST
/// /oauth/token`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "api_client")]
#[noun(prefix = "client", read = Admin, write = Admin, operations = [List, Update])]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ApiClientId,
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
    /// Maximum scopes of its tokens, for example `map:read`; at least one.
    #[noun(required, tags(most = Permission::ALL.len(), max = 64))]
    pub scopes: String,
    /// Whether it may send no other documents than trusted ones: any other fails with FORBIDDEN. A change takes effect within
    /// 10 seconds.
    #[noun(default = "false")]
    pub is_trusted_documents_only: bool,
    /// When the client was revoked, UTC; null if it is active. A revoked client gets no more tokens, and its current
    /// tokens are refused within 10 seconds.
    pub revoked_at: Option<ChronoUnixTimestampMillis>,
    /// When the client last obtained a token, UTC, to the minute; null if it never did. Does not change `version`.
    pub last_used_at: Option<ChronoUnixTimestampMillis>,
    /// Capacity of its rate-limit bucket in points, 1 to 100,000,000, capped at its organization's capacity; null means
    /// the server's default. A change takes effect within 10 seconds.
    #[noun(optional, min = 1, max = 100_000_000)]
    pub points: Option<i64>,
    /// Refill rate of its rate-limit bucket in points per second, 1 to 100,000,000, capped at its organization's rate;
    /// null means the server's default. A change takes effect within 10 seconds.
    #[noun(optional, min = 1, max = 100_000_000)]
    pub points_per_second: Option<i64>,
}
