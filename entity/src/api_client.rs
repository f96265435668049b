//! A program with credentials of its own.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{ApiClientId, OrganizationId},
    permission::Permission,
};

/// A CRM or a script with credentials of its own, which it exchanges for access tokens at `POST /oauth/token`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "api_client")]
#[noun(prefix = "client", read = Admin, write = Admin, operations = [List, Update])]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ApiClientId,
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
    /// What its tokens may do at most, such as `map:read`.
    #[noun(required, tags(most = Permission::ALL.len(), max = 64))]
    pub scopes: String,
    /// When it was revoked, UTC. It gets no tokens since, and within 10 seconds those it holds are refused.
    pub revoked_at: Option<ChronoUnixTimestampMillis>,
    /// When it last got a token, UTC, to the minute. Not counted as a change.
    pub last_used_at: Option<ChronoUnixTimestampMillis>,
    /// Points it can save up, at most as many as its organization; null for the server's usual number. A change holds
    /// within 10 seconds.
    #[noun(optional, min = 1, max = 100_000_000)]
    pub points: Option<i64>,
    /// Points it gains each second, at most as many as its organization; null for the server's usual number. A change
    /// holds within 10 seconds.
    #[noun(optional, min = 1, max = 100_000_000)]
    pub points_per_second: Option<i64>,
}
