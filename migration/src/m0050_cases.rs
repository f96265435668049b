//! Causes, cases, the feedback that cases are about, and attempts to solve them.

use sea_orm_migration::prelude::*;

use crate::{dialect, noun_table::NounTable};

#[derive(DeriveMigrationName)]
pub struct Migration;

const CAUSE: NounTable<'_> = NounTable {
    name: "cause",
    columns: "name {text} NOT NULL, name_folded {text} NOT NULL, description {text}, archived_at BIGINT",
    orders: &[("name", false)],
    ..NounTable::NONE
};

const CASE: NounTable<'_> = NounTable {
    name: "customer_case",
    columns: "title {text} NOT NULL, title_folded {text} NOT NULL, summary {text}, summary_folded {text},
        stage {text} NOT NULL, received_at BIGINT NOT NULL, acknowledged_at BIGINT, assessed_at BIGINT,
        investigated_at BIGINT, responded_at BIGINT, communicated_at BIGINT, closed_at BIGINT, reopened_at BIGINT,
        reopened_because {text}, priority {text} NOT NULL, severity {text}, is_safety_relevant BOOLEAN NOT NULL,
        escalated_at BIGINT, remedy_sought {text}, disposition {text} NOT NULL, listening_note {text},
        is_solvable_at_first_contact BOOLEAN, is_solved_at_first_contact BOOLEAN, resolution {text},
        told_what {text}, told_at BIGINT, not_told_because {text}, tags {text} NOT NULL, attributes {text} NOT NULL,
        customer_id {uuid}, account_id {uuid}, point_id {uuid}, department_id {uuid} NOT NULL, assignee_id {uuid},
        cause_id {uuid}, told_medium_id {uuid}, duplicate_of_id {uuid}, caused_by_id {uuid}",
    keys: &[
        ("customer_id", "customer", "id"),
        ("account_id", "account", "id"),
        ("point_id", "interaction_point", "id"),
        ("department_id", "department", "id"),
        ("assignee_id", "member", "id"),
        ("cause_id", "cause", "id"),
        ("told_medium_id", "medium", "id"),
        ("duplicate_of_id", "customer_case", "id"),
        ("caused_by_id", "customer_case", "id"),
    ],
    orders: &[
        ("stage", false),
        ("received_at", false),
        ("closed_at", true),
        ("reopened_at", true),
        ("escalated_at", true),
        ("told_at", true),
    ],
    tags: &["tags"],
    has_attributes: true,
    ..NounTable::NONE
};

const ATTEMPT: NounTable<'_> = NounTable {
    name: "attempt",
    columns: "research {text}, root_cause {text}, tried {text} NOT NULL, has_worked BOOLEAN, tried_at BIGINT NOT NULL,
        case_id {uuid} NOT NULL, member_id {uuid}",
    keys: &[("case_id", "customer_case", "id"), ("member_id", "member", "id")],
    orders: &[("tried_at", false)],
    ..NounTable::NONE
};

/// References of cases whose rows have timelines.
const PLACED_BY: [&str; 3] = ["customer_id", "account_id", "point_id"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [CAUSE, CASE, ATTEMPT] {
            table.create(manager).await?;
        }
        dialect::links(manager, "customer_case", "feedback_record").await?;
        for column in PLACED_BY {
            let index = format!(
                "CREATE INDEX ix_customer_case_{column}_time
                    ON customer_case (organization_id, {column}, received_at, id) WHERE {column} IS NOT NULL"
            );
            dialect::run(manager, &index).await?;
        }
        Ok(())
    }
}
