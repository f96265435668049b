//! What should happen: mediums, influencers, interaction points, expectations.

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
            "CREATE TABLE medium (
                {noun},
                name {text} NOT NULL,
                name_folded {text} NOT NULL,
                description {text},
                parent_id {uuid},
                archived_at BIGINT,
                {key},
                FOREIGN KEY (organization_id, parent_id) REFERENCES medium (organization_id, id)
            );
            CREATE INDEX ix_medium_parent ON medium (organization_id, parent_id, id);
            CREATE TABLE influencer (
                {noun},
                name {text} NOT NULL,
                name_folded {text} NOT NULL,
                description {text},
                archived_at BIGINT,
                {key}
            );
            CREATE TABLE interaction_point (
                {noun},
                kind {text} NOT NULL,
                name {text} NOT NULL,
                name_folded {text} NOT NULL,
                description {text},
                objective {text},
                customer_objective {text},
                promise {text},
                usage_state {text},
                owner_id {uuid},
                archived_at BIGINT,
                {key},
                FOREIGN KEY (organization_id, owner_id) REFERENCES department (organization_id, id)
            );
            CREATE INDEX ix_interaction_point_owner ON interaction_point (organization_id, owner_id, id);
            CREATE TABLE interaction_point_medium (
                organization_id {uuid} NOT NULL,
                interaction_point_id {uuid} NOT NULL,
                medium_id {uuid} NOT NULL,
                PRIMARY KEY (organization_id, interaction_point_id, medium_id),
                FOREIGN KEY (organization_id, interaction_point_id)
                    REFERENCES interaction_point (organization_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organization_id, medium_id) REFERENCES medium (organization_id, id)
            );
            CREATE INDEX ix_interaction_point_medium ON interaction_point_medium
                (organization_id, medium_id, interaction_point_id);
            CREATE TABLE interaction_point_influencer (
                organization_id {uuid} NOT NULL,
                interaction_point_id {uuid} NOT NULL,
                influencer_id {uuid} NOT NULL,
                strength BIGINT NOT NULL,
                PRIMARY KEY (organization_id, interaction_point_id, influencer_id),
                FOREIGN KEY (organization_id, interaction_point_id)
                    REFERENCES interaction_point (organization_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organization_id, influencer_id) REFERENCES influencer (organization_id, id)
            );
            CREATE INDEX ix_interaction_point_influencer ON interaction_point_influencer
                (organization_id, influencer_id, interaction_point_id);
            CREATE TABLE expectation (
                {noun},
                point_id {uuid} NOT NULL,
                kind {text} NOT NULL,
                statement {text} NOT NULL,
                statement_folded {text} NOT NULL,
                source {text} NOT NULL,
                target_metric {text},
                target_unit {text},
                target_value DOUBLE PRECISION,
                importance BIGINT,
                rank BIGINT,
                archived_at BIGINT,
                {key},
                UNIQUE (organization_id, point_id, rank),
                FOREIGN KEY (organization_id, point_id) REFERENCES interaction_point (organization_id, id)
            );
            CREATE INDEX ix_expectation_point ON expectation (organization_id, point_id, id)",
        )
        .await?;
        let times = [("created_at", false), ("updated_at", false)];
        for table in ["medium", "influencer", "interaction_point", "expectation"] {
            dialect::orders(manager, table, &times).await?;
            dialect::single_external_ids(manager, table).await?;
        }
        for table in ["medium", "influencer", "interaction_point"] {
            dialect::orders(manager, table, &[("name", false)]).await?;
        }
        dialect::orders(manager, "interaction_point", &[("kind", false)]).await?;
        dialect::orders(manager, "expectation", &[("importance", true), ("rank", true)]).await
    }
}
