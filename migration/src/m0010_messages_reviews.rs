//! Messages and their variants, reviews of points, and the history of top fives.

use sea_orm_migration::prelude::*;

use crate::dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(
            manager,
            "ALTER TABLE organization ADD COLUMN review_cadence_days BIGINT;
            ALTER TABLE interaction_point ADD COLUMN review_cadence_days BIGINT;
            CREATE TABLE message (
                {noun},
                name {text} NOT NULL,
                name_folded {text} NOT NULL,
                statement {text} NOT NULL,
                statement_folded {text} NOT NULL,
                purpose {text},
                archived_at BIGINT,
                {key}
            );
            CREATE TABLE message_interaction_point (
                organization_id {uuid} NOT NULL,
                message_id {uuid} NOT NULL,
                interaction_point_id {uuid} NOT NULL,
                PRIMARY KEY (organization_id, message_id, interaction_point_id),
                FOREIGN KEY (organization_id, message_id) REFERENCES message (organization_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organization_id, interaction_point_id) REFERENCES interaction_point (organization_id, id)
            );
            CREATE INDEX ix_message_interaction_point ON message_interaction_point
                (organization_id, interaction_point_id, message_id);
            CREATE TABLE message_variant (
                {noun},
                label {text},
                label_folded {text},
                text {text} NOT NULL,
                text_folded {text} NOT NULL,
                sense {text},
                sent_count BIGINT NOT NULL,
                responded_count BIGINT NOT NULL,
                message_id {uuid} NOT NULL,
                medium_id {uuid} NOT NULL,
                archived_at BIGINT,
                {key},
                FOREIGN KEY (organization_id, message_id) REFERENCES message (organization_id, id),
                FOREIGN KEY (organization_id, medium_id) REFERENCES medium (organization_id, id)
            );
            CREATE INDEX ix_message_variant_message ON message_variant (organization_id, message_id, id);
            CREATE INDEX ix_message_variant_medium ON message_variant (organization_id, medium_id, id);
            CREATE TABLE review_question (
                {noun},
                component {text} NOT NULL,
                position BIGINT NOT NULL,
                text {text} NOT NULL,
                text_folded {text} NOT NULL,
                bank_key {text},
                archived_at BIGINT,
                {key},
                UNIQUE (organization_id, bank_key)
            );
            CREATE TABLE review_answer (
                {noun},
                text {text} NOT NULL,
                text_folded {text} NOT NULL,
                answered_at BIGINT NOT NULL,
                author {text} NOT NULL,
                question_id {uuid} NOT NULL,
                point_id {uuid} NOT NULL,
                {key},
                FOREIGN KEY (organization_id, question_id) REFERENCES review_question (organization_id, id),
                FOREIGN KEY (organization_id, point_id) REFERENCES interaction_point (organization_id, id)
            );
            CREATE INDEX ix_review_answer_question ON review_answer (organization_id, question_id, id);
            CREATE INDEX ix_review_answer_point ON review_answer (organization_id, point_id, answered_at, question_id);
            CREATE TABLE expectation_ranking (
                organization_id {uuid} NOT NULL REFERENCES organization (id),
                id {uuid} NOT NULL,
                ranked_at BIGINT NOT NULL,
                subject {text} NOT NULL,
                before {text} NOT NULL,
                after {text} NOT NULL,
                point_id {uuid} NOT NULL,
                {key},
                FOREIGN KEY (organization_id, point_id)
                    REFERENCES interaction_point (organization_id, id) ON DELETE CASCADE
            );
            CREATE INDEX ix_expectation_ranking_point ON expectation_ranking (organization_id, point_id, id)",
        )
        .await?;
        let times = [("created_at", false), ("updated_at", false)];
        for table in ["message", "message_variant", "review_question", "review_answer"] {
            dialect::orders(manager, table, &times).await?;
            dialect::single_external_ids(manager, table).await?;
        }
        dialect::evidence(manager, "message").await?;
        dialect::orders(manager, "message", &[("name", false)]).await?;
        let variant = [("label", true), ("sent_count", false), ("responded_count", false)];
        dialect::orders(manager, "message_variant", &variant).await?;
        dialect::orders(manager, "review_question", &[("component", false), ("position", false)]).await?;
        dialect::orders(manager, "review_answer", &[("answered_at", false)]).await
    }
}
