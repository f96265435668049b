//! Messages to customers, independent of the medium.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    evidence::BEHIND,
    id::{EvidenceId, InteractionPointId, MessageId, OrganizationId},
};

/// A message to customers, independent of the medium. Its variants adapt the text to mediums; copyTest compares them.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "message")]
#[noun(
    prefix = "message", read = MapRead, write = MapWrite, operations = FULL, external_ids,
    through(
        points: InteractionPointId,
        doc = "Interaction points at which the message is given. messageSetPoints replaces the list.",
        inverse(messages = "Messages given at this point. messageSetPoints of the message changes the list.")
    ),
    through(evidence: EvidenceId, doc = BEHIND, inverse(messages = "Messages that this evidence supports.")),
    order(variants)
)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MessageId,
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
    /// What the message says, in plain words and independent of the medium.
    #[noun(required, searchable, max = 2000)]
    pub statement: String,
    /// Folded copy of `statement` for search.
    pub statement_folded: String,
    /// What the customer should know or do after receiving the message.
    #[noun(optional, max = 2000)]
    pub purpose: Option<String>,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
