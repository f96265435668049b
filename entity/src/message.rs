//! What we say to customers, whatever the medium.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    evidence::BEHIND,
    id::{EvidenceId, InteractionPointId, MessageId, OrganizationId},
};

/// What we say to customers, whatever the medium. Its variants put it into the words of a medium, and copyTest compares
/// them.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "message")]
#[noun(
    prefix = "message", read = MapRead, write = MapWrite, operations = FULL, external_ids,
    through(
        points: InteractionPointId,
        doc = "Interaction points at which it is said. Set whole by messageSetPoints.",
        inverse(messages = "What we say there. Set from the message, by messageSetPoints.")
    ),
    through(evidence: EvidenceId, doc = BEHIND, inverse(messages = "Messages it supports.")),
    order(variants)
)]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MessageId,
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
    /// What is said, in the plainest words and without a thought of the medium.
    #[noun(required, searchable, max = 2000)]
    pub statement: String,
    /// The statement folded for search.
    pub statement_folded: String,
    /// What the customer should know or do once the message has arrived.
    #[noun(optional, max = 2000)]
    pub purpose: Option<String>,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
