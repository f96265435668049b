//! Trusted documents: GraphQL documents that requests name by an id.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{OrganizationId, TrustedDocumentId},
};

crate::string_enum! {
    /// Type of the operation of a document.
    OperationKind as "OperationKind" {
        /// It reads.
        Query = "QUERY",
        /// It writes.
        Mutation = "MUTATION",
        /// It streams.
        Subscription = "SUBSCRIPTION",
    }
}

/// A GraphQL document that was pushed before it is used, by `trustedDocumentsPush` or `rapport documents push`. Requests
/// name it by `documentId` instead of sending its text, and `GET /documents/{name}.csv` reads what a saved query answers.
/// A document never changes; a deleted one is refused within 10 seconds.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "trusted_document")]
#[noun(prefix = "tdoc", read = Admin, write = Admin, operations = [List, Delete])]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TrustedDocumentId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Name of its operation; its `documentId` if the operation has none.
    #[noun(ordered, searchable, max = 200)]
    pub name: String,
    /// Folded copy of `name` for search.
    pub name_folded: String,
    /// Id by which requests name it: `sha256:` and the SHA-256 of its text in hexadecimal digits, or an id that the client's
    /// tool has made.
    #[noun(max = 200)]
    pub document_id: String,
    /// Type of its operation.
    #[noun(ordered)]
    pub operation_kind: OperationKind,
    /// The text, byte for byte as it was pushed.
    #[noun(max = 32_768)]
    pub body: String,
}
