//! What happened to a row: the outbox that feeds change feed, webhooks and subscriptions, and is the audit log.

use sea_orm::entity::prelude::*;

use crate::{
    id::{AuditEntryId, OrganizationId},
    noun::{APPENDED, Field, Kind, Noun, Operation, Personal, StringEnum},
    permission::Permission,
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

/// What happened to a row. Carries names of fields, never their values.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuditEntryId,
    /// Place in the organization's order of commits, from 1, without gaps.
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

crate::tenanted!(NOUN);

/// The description of an event, as the audit log shows it.
pub static NOUN: Noun = Noun {
    name: "AuditEntry",
    singular: "auditEntry",
    plural: "auditLog",
    table: "event",
    prefix: "audit",
    doc: "Who changed which row, when, and which of its fields: names of fields, never what stood or stands in them. \
          Entries are only ever added, in the transaction of the change they tell of.",
    tenant: "organization_id",
    read: Some(Permission::Admin),
    write: Permission::Admin,
    system: &APPENDED,
    fields: &[
        Field::new(
            "sequence",
            "sequence",
            Kind::Int { min: 1, max: i64::MAX },
            "Place in the organization's order of commits, from 1, without gaps.",
        )
        .ordered(),
        Field::new("occurredAt", "occurred_at", Kind::Instant, "When, UTC.").ordered(),
        Field::new("operation", "operation", Kind::Enum(EventOperation::TYPE), "What happened to the row."),
        Field::new("rowType", "noun", Kind::Text { max: 64 }, "GraphQL type of the row, such as `InteractionPoint`."),
        Field::new(
            "rowId",
            "row_id",
            Kind::RowId { noun: "noun" },
            "Id of the row. `node` answers null for one that was deleted since.",
        ),
        Field::new(
            "rowVersion",
            "version",
            Kind::Int { min: 1, max: i64::MAX },
            "Version of the row afterwards; of a deleted row, the one it would have had.",
        ),
        Field::new(
            "fields",
            "fields",
            Kind::Names,
            "Names of the fields that changed: all that were given on create, none on delete.",
        ),
        Field::new("subject", "subject", Kind::Text { max: 255 }, "Who: the subject of the token.")
            .personal(Personal::Identifier)
            .unguarded()
            .retained_because(STAFF),
        Field::new("clientId", "client_id", Kind::Text { max: 255 }, "API client that spoke for them, by its id.")
            .nullable(),
    ],
    relations: &[],
    operations: &[Operation::List],
    has_external_ids: false,
};
