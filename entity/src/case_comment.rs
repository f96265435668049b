//! Comments: what the people of the organization tell one another about a case.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{CaseCommentId, CaseId, OrganizationId},
    personal::STAFF,
};

/// What somebody of the organization says to the others about a case. It is internal: what the customer is told is
/// `toldWhat` of the case. A case may have up to 10,000.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "case_comment")]
#[noun(prefix = "comment", read = ResponseRead, write = ResponseWrite, operations = PART, external_ids,
    narrowed_through(case))]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CaseCommentId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// The comment.
    #[noun(required, searchable, max = 20000, personal = FreeText)]
    pub body: String,
    /// Folded copy of `body` for search.
    pub body_folded: String,
    /// When it was written, UTC. Defaults to the current time. Fails with OUT_OF_RANGE in the future.
    #[noun(default = "now", ordered)]
    pub written_at: ChronoUnixTimestampMillis,
    /// Who wrote it: the subject of the token with which it was created.
    #[noun(max = 255, personal = Identifier, unguarded, retained_because = STAFF)]
    pub subject: String,
    /// The case.
    #[noun(fixed, part, inverse(comments = "What the people of the organization tell one another about the case."))]
    pub case_id: CaseId,
}
