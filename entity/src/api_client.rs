//! A program with credentials of its own.

use sea_orm::entity::prelude::*;

use crate::{
    id::{ApiClientId, OrganizationId},
    noun::{Field, Kind, Noun, Operation, SYSTEM},
    permission::Permission,
};

/// A program with credentials of its own. Its secret is kept elsewhere, hashed.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "api_client")]
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
    pub name: String,
    /// The name folded for search.
    pub name_folded: String,
    /// JSON array of scopes.
    pub scopes: String,
    /// When it was revoked.
    pub revoked_at: Option<ChronoUnixTimestampMillis>,
    /// When it last asked for a token.
    pub last_used_at: Option<ChronoUnixTimestampMillis>,
    /// Points it can save up.
    pub points: Option<i64>,
    /// Points it gains each second.
    pub points_per_second: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of an API client.
pub static NOUN: Noun = Noun {
    name: "ApiClient",
    singular: "apiClient",
    plural: "apiClients",
    table: "api_client",
    prefix: "client",
    doc: "A CRM or a script with credentials of its own, which it exchanges for access tokens at `POST /oauth/token`.",
    tenant: "organization_id",
    read: Some(Permission::Admin),
    write: Permission::Admin,
    system: &SYSTEM,
    fields: &[
        Field::new("name", "name", Kind::Text { max: 200 }, "Name to show.").required().ordered().searchable(),
        Field::new(
            "scopes",
            "scopes",
            Kind::Tags { most: Permission::ALL.len(), max: 64 },
            "What its tokens may do at most, such as `map:read`.",
        )
        .required(),
        Field::new(
            "revokedAt",
            "revoked_at",
            Kind::Instant,
            "When it was revoked, UTC. It gets no tokens since, and within 10 seconds those it holds are refused.",
        )
        .nullable(),
        Field::new(
            "lastUsedAt",
            "last_used_at",
            Kind::Instant,
            "When it last got a token, UTC, to the minute. Not counted as a change.",
        )
        .nullable(),
        Field::new(
            "points",
            "points",
            Kind::Int { min: 1, max: 100_000_000 },
            "Points it can save up, at most as many as its organization; null for the server's usual number. A change \
             holds within 10 seconds.",
        )
        .optional(),
        Field::new(
            "pointsPerSecond",
            "points_per_second",
            Kind::Int { min: 1, max: 100_000_000 },
            "Points it gains each second, at most as many as its organization; null for the server's usual number. A \
             change holds within 10 seconds.",
        )
        .optional(),
    ],
    relations: &[],
    operations: &[Operation::List, Operation::Update],
    has_external_ids: false,
};
