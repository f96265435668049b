//! What happened to a row: the outbox that feeds change feed, webhooks and subscriptions, and is the audit log.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{AuditEntryId, OrganizationId},
    kind::Sequence,
    personal::STAFF,
};

crate::string_enum! {
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
        /// What it told about a person was taken away for good.
        Erased = "ERASED",
    }
}

/// Who changed which row, when, and which of its fields: names of fields, never what stood or stands in them. Entries
/// are only ever added, in the transaction of the change they tell of.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "event")]
#[noun(prefix = "audit", name = "AuditEntry", plural = "auditLog", read = Admin, write = Admin, operations = [List])]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuditEntryId,
    /// Place in the organization's order of commits, from 1, without gaps.
    #[noun(ordered)]
    pub sequence: Sequence,
    /// When, UTC.
    #[noun(ordered)]
    pub occurred_at: ChronoUnixTimestampMillis,
    /// What happened to the row.
    pub operation: EventOperation,
    /// GraphQL type of the row, such as `InteractionPoint`.
    #[noun(name = "row_type", max = 64)]
    pub noun: String,
    /// Id of the row. `node` answers null for one that was deleted since.
    #[noun(row_of = "noun")]
    pub row_id: Uuid,
    /// Version of the row afterwards; of a deleted row, the one it would have had.
    #[noun(name = "row_version", min = 1, max = i64::MAX)]
    pub version: i64,
    /// Names of the fields that changed: all that were given on create, none on delete.
    #[noun(names)]
    pub fields: String,
    /// Who: the subject of the token.
    #[noun(max = 255, personal = Identifier, unguarded, retained_because = STAFF)]
    pub subject: String,
    /// API client that spoke for them, by its id.
    #[noun(max = 255)]
    pub client_id: Option<String>,
}
