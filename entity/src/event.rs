//! Events: changes to rows, in the order of commits. They are the audit log and the outbox.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{AuditEntryId, OrganizationId},
    kind::Sequence,
    personal::STAFF,
};

crate::string_enum! {
    /// Kind of change to a row.
    EventOperation as "EventOperation" {
        /// The row was created.
        Created = "CREATED",
        /// The row was updated.
        Updated = "UPDATED",
        /// The row was deleted.
        Deleted = "DELETED",
        /// The row was archived.
        Archived = "ARCHIVED",
        /// The row was restored from the archive.
        Unarchived = "UNARCHIVED",
        /// The personal data in the row was erased permanently.
        Erased = "ERASED",
        /// The row was merged into another, which its id stands for from now on.
        Merged = "MERGED",
    }
}

/// An entry of the audit log: who changed which row and which of its fields, and when. It contains names of fields,
/// never their values. The log is append-only; an entry is written in the transaction of its change.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "event")]
#[noun(prefix = "audit", name = "AuditEntry", plural = "auditLog", read = Admin, write = Admin, operations = [List],
    without_events)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuditEntryId,
    /// Position in the order of commits of the organization, starting at 1, without gaps.
    #[noun(ordered)]
    pub sequence: Sequence,
    /// When the change happened, UTC.
    #[noun(ordered)]
    pub occurred_at: ChronoUnixTimestampMillis,
    /// Kind of change.
    pub operation: EventOperation,
    /// GraphQL type of the row, for example `InteractionPoint`.
    #[noun(name = "row_type", max = 64)]
    pub noun: String,
    /// Id of the row. `node` returns null for it once the row is deleted.
    #[noun(row_of = "noun")]
    pub row_id: Uuid,
    /// Version of the row after the change; for a deletion, the version that would have followed.
    #[noun(name = "row_version", min = 1, max = i64::MAX)]
    pub version: i64,
    /// Names of the changed fields: all given fields on create, none on delete.
    #[noun(names)]
    pub fields: String,
    /// Who made the change: the subject of the access token.
    #[noun(max = 255, personal = Identifier, unguarded, retained_because = STAFF)]
    pub subject: String,
    /// Id of the API client that made the change on behalf of the subject; null if there was none.
    #[noun(max = 255)]
    pub client_id: Option<String>,
}
