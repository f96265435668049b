//! Attempts to solve the problem of a case.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    assessment::VerificationMethod,
    id::{AttemptId, CaseId, MemberId, OrganizationId},
};

/// An attempt to solve the problem of a case: what was found out, what was tried, and whether it worked. An attempt
/// precedes a solution, and a case may have up to 1,000.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "attempt")]
#[noun(prefix = "attempt", read = ResponseRead, write = ResponseWrite, operations = PART, external_ids,
    narrowed_through(case))]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AttemptId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// What was found out before anything was tried, and how.
    #[noun(optional, max = 20000, personal = FreeText)]
    pub research: Option<String>,
    /// What was wrong in this case. A cause that several cases share is the `cause` of the case.
    #[noun(optional, max = 2000, personal = FreeText)]
    pub root_cause: Option<String>,
    /// What was tried, or is being tried.
    #[noun(required, max = 2000, personal = FreeText)]
    pub tried: String,
    /// Whether it worked; null if unknown. While the case is closed as SOLVED, an attempt that worked can neither be changed to one that did not, nor be deleted: that fails with
    /// IN_USE.
    #[noun(optional)]
    pub has_worked: Option<bool>,
    /// How it was found out whether it worked. Fails with INVALID unless hasWorked is given.
    #[noun(optional)]
    pub verified_by: Option<VerificationMethod>,
    /// When it was found out whether it worked, UTC. Once hasWorked is given, it defaults to triedAt in a new attempt,
    /// and to the current time otherwise. Fails with INVALID without hasWorked, and with OUT_OF_RANGE in the future or
    /// before triedAt.
    #[noun(optional)]
    pub verified_at: Option<ChronoUnixTimestampMillis>,
    /// When it was made, UTC. Defaults to the current time. Fails with OUT_OF_RANGE in the future.
    #[noun(default = "now", ordered)]
    pub tried_at: ChronoUnixTimestampMillis,
    /// The case.
    #[noun(fixed, part, inverse(attempts = "Attempts to solve the problem."))]
    pub case_id: CaseId,
    /// Member who made it; null if unknown.
    #[noun(optional, inverse(attempts = "Attempts that the member made."))]
    pub member_id: Option<MemberId>,
}
