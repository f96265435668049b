//! What happened to a row: the outbox that feeds change feed, webhooks, subscriptions and audit.

use sea_orm::entity::prelude::*;

use crate::id::OrganizationId;

crate::named! {
    /// What happened to a row.
    EventOperation as "EventOperation" {
        /// It was made.
        Created = "CREATED",
        /// It was changed.
        Updated = "UPDATED",
        /// It was deleted.
        Deleted = "DELETED",
        /// It was archived.
        Archived = "ARCHIVED",
        /// It was taken out of the archive.
        Unarchived = "UNARCHIVED",
    }
}

/// What happened to a row. Carries names of fields, never their values.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Place in the organization's order of commits, from 1, without gaps.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    /// GraphQL type name of the row.
    pub noun: String,
    /// The row.
    pub row_id: Uuid,
    /// What happened.
    pub operation: EventOperation,
    /// Version of the row afterwards.
    pub version: i64,
    /// Who did it.
    pub subject: String,
    /// Through which API client.
    pub client_id: Option<String>,
    /// When.
    pub occurred_at: ChronoUnixTimestampMillis,
    /// JSON array of the changed fields' names.
    pub fields: String,
}

impl ActiveModelBehavior for ActiveModel {}
