//! What did happen: customers and feedback records.

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
            "CREATE TABLE customer (
                {noun},
                name {text},
                name_folded {text},
                email {text},
                email_folded {text},
                phone {text},
                segment {text},
                archived_at BIGINT,
                {key}
            );
            CREATE TABLE feedback_record (
                {noun},
                kind {text} NOT NULL,
                sentiment {text},
                sentiment_score DOUBLE PRECISION,
                body {text},
                body_folded {text},
                language {text},
                received_at BIGINT NOT NULL,
                nps BIGINT,
                csat BIGINT,
                ces BIGINT,
                product {text},
                tags {text} NOT NULL,
                attributes {text} NOT NULL,
                priority {text} NOT NULL,
                point_id {uuid},
                medium_id {uuid},
                customer_id {uuid},
                department_id {uuid} NOT NULL,
                {key},
                FOREIGN KEY (organization_id, point_id) REFERENCES interaction_point (organization_id, id),
                FOREIGN KEY (organization_id, medium_id) REFERENCES medium (organization_id, id),
                FOREIGN KEY (organization_id, customer_id) REFERENCES customer (organization_id, id),
                FOREIGN KEY (organization_id, department_id) REFERENCES department (organization_id, id)
            );
            CREATE INDEX ix_feedback_record_point ON feedback_record (organization_id, point_id, received_at, id);
            CREATE INDEX ix_feedback_record_medium ON feedback_record (organization_id, medium_id, received_at, id);
            CREATE INDEX ix_feedback_record_customer ON feedback_record (organization_id, customer_id, received_at, id);
            CREATE INDEX ix_feedback_record_department ON feedback_record
                (organization_id, department_id, received_at, id);
            CREATE INDEX ix_feedback_record_kind ON feedback_record (organization_id, kind, received_at, id)",
        )
        .await?;
        let times = [("created_at", false), ("updated_at", false)];
        for table in ["customer", "feedback_record"] {
            dialect::orders(manager, table, &times).await?;
            dialect::single_external_ids(manager, table).await?;
        }
        dialect::orders(manager, "customer", &[("name", true), ("segment", true)]).await?;
        dialect::orders(manager, "feedback_record", &[("received_at", false), ("product", true)]).await?;
        dialect::items(manager, "feedback_record", "tags").await?;
        dialect::items(manager, "feedback_record", "attributes").await
    }
}
