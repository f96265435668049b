//! What is done about it: routing rules and the history of routings.

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
            "CREATE TABLE routing_rule (
                {noun},
                name {text} NOT NULL,
                name_folded {text} NOT NULL,
                position BIGINT NOT NULL,
                kind {text},
                sentiment {text},
                score_from DOUBLE PRECISION,
                score_to DOUBLE PRECISION,
                product {text},
                tag {text},
                words {text} NOT NULL,
                point_kind {text},
                priority {text} NOT NULL,
                response_policy {text},
                point_id {uuid},
                medium_id {uuid},
                department_id {uuid} NOT NULL,
                archived_at BIGINT,
                {key},
                FOREIGN KEY (organization_id, point_id) REFERENCES interaction_point (organization_id, id),
                FOREIGN KEY (organization_id, medium_id) REFERENCES medium (organization_id, id),
                FOREIGN KEY (organization_id, department_id) REFERENCES department (organization_id, id)
            );
            CREATE TABLE routing (
                {noun},
                feedback_record_id {uuid} NOT NULL,
                cause {text} NOT NULL,
                rule_id {uuid},
                rule_version BIGINT,
                department_id {uuid} NOT NULL,
                priority {text} NOT NULL,
                response_policy {text},
                reason {text} NOT NULL,
                subject {text} NOT NULL,
                {key},
                FOREIGN KEY (organization_id, feedback_record_id)
                    REFERENCES feedback_record (organization_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organization_id, rule_id) REFERENCES routing_rule (organization_id, id),
                FOREIGN KEY (organization_id, department_id) REFERENCES department (organization_id, id)
            );
            CREATE INDEX ix_routing_feedback_record ON routing (organization_id, feedback_record_id, id);
            CREATE INDEX ix_routing_rule_point ON routing_rule (organization_id, point_id);
            CREATE INDEX ix_routing_rule_medium ON routing_rule (organization_id, medium_id);
            CREATE INDEX ix_routing_rule_department ON routing_rule (organization_id, department_id);
            CREATE INDEX ix_routing_rule_id ON routing (organization_id, rule_id);
            CREATE INDEX ix_routing_department ON routing (organization_id, department_id)",
        )
        .await?;
        let orders = [("created_at", false), ("updated_at", false), ("name", false), ("position", false)];
        dialect::orders(manager, "routing_rule", &orders).await?;
        dialect::single_external_ids(manager, "routing_rule").await?;
        dialect::items(manager, "routing_rule", "words").await
    }
}
