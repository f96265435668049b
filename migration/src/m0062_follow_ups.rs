//! Playbooks, the follow-ups that they and people make, and the keys of effects that happen once.

use sea_orm_migration::prelude::*;

use crate::{
    dialect,
    noun_table::{self, NounTable},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const PLAYBOOK: NounTable<'_> = NounTable {
    name: "playbook",
    columns: "name {text} NOT NULL, name_folded {text} NOT NULL, description {text}, description_folded {text},
        trigger {text} NOT NULL, interaction_filter {text}, case_filter {text}, feedback_record_filter {text},
        occasion_filter {text}, improvement_filter {text}, content_item_filter {text}, audience {text},
        is_interest_matched BOOLEAN NOT NULL, offset_minutes BIGINT NOT NULL, kind {text} NOT NULL, title {text} NOT NULL,
        title_folded {text} NOT NULL, department_id {uuid}, owner_id {uuid}, medium_id {uuid}, calendar_id {uuid}, archived_at BIGINT",
    keys: &[
        ("department_id", "department", "id"),
        ("owner_id", "member", "id"),
        ("medium_id", "medium", "id"),
        ("calendar_id", "business_calendar", "id"),
    ],
    unique: &["name"],
    orders: &[("name", false)],
    ..NounTable::NONE
};

const FOLLOW_UP: NounTable<'_> = NounTable {
    name: "follow_up",
    columns: "title {text} NOT NULL, title_folded {text} NOT NULL, kind {text} NOT NULL, status {text} NOT NULL,
        due_at BIGINT NOT NULL, first_due_at BIGINT, snoozed_until_at BIGINT, done_at BIGINT, skipped_at BIGINT,
        skipped_because {text}, note {text}, note_folded {text}, tags {text} NOT NULL, occurrence {text},
        playbook_version BIGINT,
        customer_id {uuid}, account_id {uuid}, department_id {uuid} NOT NULL, owner_id {uuid}, medium_id {uuid},
        interaction_id {uuid}, case_id {uuid}, feedback_record_id {uuid}, occasion_id {uuid}, improvement_id {uuid},
        content_item_id {uuid}, done_by_id {uuid}, playbook_id {uuid}",
    keys: &[
        ("customer_id", "customer", "id"),
        ("account_id", "account", "id"),
        ("department_id", "department", "id"),
        ("owner_id", "member", "id"),
        ("medium_id", "medium", "id"),
        ("interaction_id", "interaction", "id"),
        ("case_id", "customer_case", "id"),
        ("feedback_record_id", "feedback_record", "id"),
        ("occasion_id", "occasion", "id"),
        ("improvement_id", "improvement", "id"),
        ("content_item_id", "content_item", "id"),
        ("done_by_id", "interaction", "id"),
        ("playbook_id", "playbook", "id"),
    ],
    orders: &[("status", false), ("due_at", false), ("done_at", true)],
    tags: &["tags"],
    ..NounTable::NONE
};

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let keys = "CREATE TABLE effect_key (
            organization_id {uuid} NOT NULL,
            effect {text} NOT NULL,
            PRIMARY KEY (organization_id, effect)";
        let own = "FOREIGN KEY (organization_id) REFERENCES organization (id)".to_owned();
        noun_table::create(manager, "effect_key", keys.to_owned(), &[own]).await?;
        PLAYBOOK.create(manager).await?;
        FOLLOW_UP.create(manager).await?;
        for column in ["customer_id", "account_id"] {
            let index = format!(
                "CREATE INDEX ix_follow_up_{column}_time
                    ON follow_up (organization_id, {column}, due_at, id) WHERE {column} IS NOT NULL"
            );
            dialect::run(manager, &index).await?;
        }
        Ok(())
    }
}
