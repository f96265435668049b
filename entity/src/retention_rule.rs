//! Retention rules: after how many days rows of a type are removed.

use sea_orm::entity::prelude::*;

pub use crate::noun_enum::RetentionNoun;
use crate::{
    Noun,
    id::{OrganizationId, RetentionRuleId},
};

/// Removes rows of a type some days after they were made: feedback after `receivedAt`, interactions after `occurredAt`.
/// Parts go with their row; a row that other rows refer to stays until they are gone. Of several rules for a type, the
/// shortest decides. The server applies the rules every 10 minutes.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "retention_rule")]
#[noun(prefix = "keep", read = Admin, write = Admin, operations = PART, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RetentionRuleId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Type whose rows are removed.
    #[noun(fixed)]
    pub noun: RetentionNoun,
    /// Number of 24-hour days after which a row is removed, 1 to 36,500.
    #[noun(required, ordered, min = 1, max = 36_500)]
    pub days: i64,
    /// Why rows are removed then, for example the policy or the law. Up to 2,000 characters.
    #[noun(optional, searchable, max = 2000)]
    pub reason: Option<String>,
    /// Folded copy of `reason` for search.
    pub reason_folded: Option<String>,
    /// Number of rows that the rule has removed, without their parts; null if it has not removed any.
    #[noun(min = 0, max = 9_007_199_254_740_991)]
    pub removed_count: Option<i64>,
}
