//! What else is said of an interaction point: assumptions, objectives, desired results, offers, evidence, standards.

use sea_orm_migration::prelude::*;

use crate::dialect;

/// The tables. Keys with the point in them: a conflict cannot join objectives of two points.
const TABLES: &str = "ALTER TABLE interaction_point ADD COLUMN standards {text};
    ALTER TABLE expectation ADD COLUMN standard {text};
    CREATE TABLE assumption (
        {noun},
        about {text} NOT NULL,
        statement {text} NOT NULL,
        statement_folded {text} NOT NULL,
        truth {text} NOT NULL,
        correction {text},
        corrected_at BIGINT,
        point_id {uuid} NOT NULL,
        corrected_through_id {uuid},
        archived_at BIGINT,
        {key},
        FOREIGN KEY (organization_id, point_id) REFERENCES interaction_point (organization_id, id),
        FOREIGN KEY (organization_id, corrected_through_id) REFERENCES medium (organization_id, id)
    );
    CREATE INDEX ix_assumption_point ON assumption (organization_id, point_id, id);
    CREATE INDEX ix_assumption_corrected_through ON assumption (organization_id, corrected_through_id, id);
    CREATE TABLE objective (
        {noun},
        owner {text} NOT NULL,
        statement {text} NOT NULL,
        statement_folded {text} NOT NULL,
        point_id {uuid} NOT NULL,
        archived_at BIGINT,
        {key},
        UNIQUE (organization_id, point_id, id),
        FOREIGN KEY (organization_id, point_id) REFERENCES interaction_point (organization_id, id)
    );
    CREATE TABLE objective_conflict (
        {noun},
        note {text} NOT NULL,
        note_folded {text} NOT NULL,
        resolution {text},
        point_id {uuid} NOT NULL,
        first_id {uuid} NOT NULL,
        second_id {uuid} NOT NULL,
        {key},
        FOREIGN KEY (organization_id, point_id) REFERENCES interaction_point (organization_id, id),
        FOREIGN KEY (organization_id, first_id) REFERENCES objective (organization_id, id),
        FOREIGN KEY (organization_id, second_id) REFERENCES objective (organization_id, id),
        FOREIGN KEY (organization_id, point_id, first_id) REFERENCES objective (organization_id, point_id, id),
        FOREIGN KEY (organization_id, point_id, second_id) REFERENCES objective (organization_id, point_id, id)
    );
    CREATE INDEX ix_objective_conflict_point ON objective_conflict (organization_id, point_id, id);
    CREATE INDEX ix_objective_conflict_first ON objective_conflict (organization_id, first_id, id);
    CREATE INDEX ix_objective_conflict_second ON objective_conflict (organization_id, second_id, id);
    CREATE TABLE desired_result (
        {noun},
        statement {text} NOT NULL,
        statement_folded {text} NOT NULL,
        readiness {text},
        prerequisites {text},
        next_step {text},
        measure {text},
        point_id {uuid} NOT NULL,
        archived_at BIGINT,
        {key},
        FOREIGN KEY (organization_id, point_id) REFERENCES interaction_point (organization_id, id)
    );
    CREATE INDEX ix_desired_result_point ON desired_result (organization_id, point_id, id);
    CREATE TABLE offer (
        {noun},
        kind {text} NOT NULL,
        name {text} NOT NULL,
        name_folded {text} NOT NULL,
        description {text},
        customer_benefit {text} NOT NULL,
        organization_benefit {text} NOT NULL,
        archived_at BIGINT,
        {key}
    );
    CREATE TABLE interaction_point_offer (
        organization_id {uuid} NOT NULL,
        interaction_point_id {uuid} NOT NULL,
        offer_id {uuid} NOT NULL,
        PRIMARY KEY (organization_id, interaction_point_id, offer_id),
        FOREIGN KEY (organization_id, interaction_point_id)
            REFERENCES interaction_point (organization_id, id) ON DELETE CASCADE,
        FOREIGN KEY (organization_id, offer_id) REFERENCES offer (organization_id, id)
    );
    CREATE INDEX ix_interaction_point_offer ON interaction_point_offer
        (organization_id, offer_id, interaction_point_id);
    CREATE TABLE evidence (
        {noun},
        kind {text} NOT NULL,
        title {text} NOT NULL,
        title_folded {text} NOT NULL,
        finding {text},
        method {text},
        source_name {text},
        source_url {text},
        gathered_at BIGINT,
        sample_size BIGINT,
        archived_at BIGINT,
        {key}
    )";

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, TABLES).await?;
        let times = [("created_at", false), ("updated_at", false)];
        for table in ["assumption", "objective", "objective_conflict", "desired_result", "offer", "evidence"] {
            dialect::orders(manager, table, &times).await?;
            dialect::single_external_ids(manager, table).await?;
        }
        let assumption = [("about", false), ("truth", false), ("corrected_at", true)];
        dialect::orders(manager, "assumption", &assumption).await?;
        dialect::orders(manager, "objective", &[("owner", false)]).await?;
        dialect::orders(manager, "offer", &[("kind", false), ("name", false)]).await?;
        let evidence = [("kind", false), ("title", false), ("gathered_at", true), ("sample_size", true)];
        dialect::orders(manager, "evidence", &evidence).await?;
        for table in
            ["interaction_point", "influencer", "expectation", "assumption", "objective", "desired_result", "offer"]
        {
            dialect::evidence(manager, table).await?;
        }
        Ok(())
    }
}
