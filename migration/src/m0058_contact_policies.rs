//! Contact policies, and which of them an interaction broke.

use sea_orm_migration::prelude::*;

use crate::{dialect, noun_table::NounTable};

#[derive(DeriveMigrationName)]
pub struct Migration;

const POLICY: NounTable<'_> = NounTable {
    name: "contact_policy",
    columns: "name {text} NOT NULL, name_folded {text} NOT NULL, purpose {text}, segment {text}, most_contacts BIGINT,
        period_days BIGINT NOT NULL, quiet_from BIGINT, quiet_until BIGINT, is_consent_required BOOLEAN NOT NULL,
        is_refused_during_case BOOLEAN NOT NULL, suppress_after_declined BIGINT, declined_within_days BIGINT NOT NULL,
        declined_suppress_days BIGINT NOT NULL, suppress_after_presented BIGINT, presented_within_days BIGINT NOT NULL,
        presented_suppress_days BIGINT NOT NULL, medium_id {uuid}, archived_at BIGINT",
    keys: &[("medium_id", "medium", "id")],
    unique: &["name"],
    orders: &[("name", false)],
    ..NounTable::NONE
};

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        POLICY.create(manager).await?;
        dialect::run(manager, "ALTER TABLE interaction ADD COLUMN broken_contact_rule {text}").await?;
        dialect::add_reference(manager, "interaction", "broken_contact_policy", "contact_policy").await
    }
}
