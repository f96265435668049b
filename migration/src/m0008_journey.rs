//! What should happen in which order: journeys, their stages, steps, links and editions.

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
        // Keys with the journey in them: a step cannot stand in another journey's stage, nor a link join two journeys.
        dialect::run(
            manager,
            "CREATE TABLE journey (
                {noun},
                title {text} NOT NULL,
                title_folded {text} NOT NULL,
                summary {text},
                customer_segment {text},
                objective {text},
                status {text} NOT NULL,
                parent_id {uuid},
                archived_at BIGINT,
                {key},
                FOREIGN KEY (organization_id, parent_id) REFERENCES journey (organization_id, id)
            );
            CREATE INDEX ix_journey_parent ON journey (organization_id, parent_id, id);
            CREATE TABLE stage (
                {noun},
                name {text} NOT NULL,
                name_folded {text} NOT NULL,
                description {text},
                position BIGINT NOT NULL,
                journey_id {uuid} NOT NULL,
                {key},
                UNIQUE (organization_id, journey_id, position),
                UNIQUE (organization_id, journey_id, id),
                FOREIGN KEY (organization_id, journey_id) REFERENCES journey (organization_id, id)
            );
            CREATE TABLE step (
                {noun},
                label {text},
                label_folded {text},
                notes {text},
                position BIGINT NOT NULL,
                journey_id {uuid} NOT NULL,
                stage_id {uuid},
                point_id {uuid} NOT NULL,
                {key},
                UNIQUE (organization_id, journey_id, position),
                UNIQUE (organization_id, journey_id, id),
                FOREIGN KEY (organization_id, journey_id) REFERENCES journey (organization_id, id),
                FOREIGN KEY (organization_id, stage_id) REFERENCES stage (organization_id, id),
                FOREIGN KEY (organization_id, journey_id, stage_id) REFERENCES stage (organization_id, journey_id, id),
                FOREIGN KEY (organization_id, point_id) REFERENCES interaction_point (organization_id, id)
            );
            CREATE INDEX ix_step_stage ON step (organization_id, stage_id, position);
            CREATE INDEX ix_step_point ON step (organization_id, point_id, id);
            CREATE TABLE step_link (
                {noun},
                kind {text} NOT NULL,
                label {text},
                journey_id {uuid} NOT NULL,
                from_id {uuid} NOT NULL,
                to_id {uuid} NOT NULL,
                {key},
                FOREIGN KEY (organization_id, journey_id) REFERENCES journey (organization_id, id),
                FOREIGN KEY (organization_id, from_id) REFERENCES step (organization_id, id),
                FOREIGN KEY (organization_id, to_id) REFERENCES step (organization_id, id),
                FOREIGN KEY (organization_id, journey_id, from_id) REFERENCES step (organization_id, journey_id, id),
                FOREIGN KEY (organization_id, journey_id, to_id) REFERENCES step (organization_id, journey_id, id)
            );
            CREATE INDEX ix_step_link_journey ON step_link (organization_id, journey_id, id);
            CREATE INDEX ix_step_link_from ON step_link (organization_id, from_id, id);
            CREATE INDEX ix_step_link_to ON step_link (organization_id, to_id, id);
            CREATE TABLE journey_edition (
                {noun},
                number BIGINT NOT NULL,
                document {text} NOT NULL,
                published_at BIGINT NOT NULL,
                published_by {text} NOT NULL,
                journey_id {uuid} NOT NULL,
                {key},
                UNIQUE (organization_id, journey_id, number),
                FOREIGN KEY (organization_id, journey_id) REFERENCES journey (organization_id, id)
            )",
        )
        .await?;
        let times = [("created_at", false), ("updated_at", false)];
        for table in ["journey", "stage", "step", "step_link", "journey_edition"] {
            dialect::orders(manager, table, &times).await?;
        }
        for table in ["journey", "stage", "step", "step_link"] {
            dialect::single_external_ids(manager, table).await?;
        }
        let journey = [("title", false), ("customer_segment", true), ("status", false)];
        dialect::orders(manager, "journey", &journey).await?;
        dialect::orders(manager, "stage", &[("name", false), ("position", false)]).await?;
        dialect::orders(manager, "step", &[("label", true), ("position", false)]).await?;
        dialect::orders(manager, "journey_edition", &[("number", false), ("published_at", false)]).await
    }
}
