//! Contact points, consents and occasions of customers; what else is known of a customer.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::{
    dialect,
    noun_table::{NounTable, attributes, items},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const CONTACT_POINT: NounTable<'_> = NounTable {
    name: "contact_point",
    columns: "kind {text} NOT NULL, value {text} NOT NULL, value_folded {text} NOT NULL, is_primary BOOLEAN NOT NULL,
        verified_at BIGINT, tags {text} NOT NULL, attributes {text} NOT NULL, customer_id {uuid} NOT NULL",
    keys: &[("customer_id", "customer", "id")],
    orders: &[("kind", false), ("verified_at", true)],
    tags: &["tags"],
    has_attributes: true,
    ..NounTable::NONE
};

const CONSENT: NounTable<'_> = NounTable {
    name: "consent",
    columns: "purpose {text} NOT NULL, decision {text} NOT NULL, decided_at BIGINT NOT NULL, source {text},
        tags {text} NOT NULL, attributes {text} NOT NULL, customer_id {uuid} NOT NULL, medium_id {uuid}",
    keys: &[("customer_id", "customer", "id"), ("medium_id", "medium", "id")],
    orders: &[("purpose", false), ("decided_at", false)],
    tags: &["tags"],
    has_attributes: true,
    ..NounTable::NONE
};

const OCCASION: NounTable<'_> = NounTable {
    name: "occasion",
    columns: "kind {text} NOT NULL, date BIGINT, recurrence {text} NOT NULL, name {text},
        tags {text} NOT NULL, attributes {text} NOT NULL, customer_id {uuid}, account_id {uuid}",
    keys: &[("customer_id", "customer", "id"), ("account_id", "account", "id")],
    orders: &[("kind", false)],
    tags: &["tags"],
    has_attributes: true,
    ..NounTable::NONE
};

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["language {text}", "time_zone {text}"] {
            dialect::run(manager, &format!("ALTER TABLE customer ADD COLUMN {column}")).await?;
        }
        for column in ["interests", "tags", "attributes"] {
            let add = format!("ALTER TABLE customer ADD COLUMN {column} {{text}} NOT NULL DEFAULT '[]'");
            dialect::run(manager, &add).await?;
        }
        for column in ["interests", "tags"] {
            items(manager, "customer", column, "").await?;
        }
        attributes(manager, "customer").await?;
        for table in [CONTACT_POINT, CONSENT, OCCASION] {
            table.create(manager).await?;
        }
        // The addresses that customers have are the primary ones.
        let is_postgres = manager.get_connection().get_database_backend() == DbBackend::Postgres;
        let id = if is_postgres { "gen_random_uuid()" } else { "randomblob(16)" };
        for (kind, column, folded) in [("EMAIL", "email", "email_folded"), ("PHONE", "phone", "lower(phone)")] {
            dialect::run(
                manager,
                &format!(
                    "INSERT INTO contact_point (organization_id, id, version, created_at, updated_at, kind, value,
                        value_folded, is_primary, verified_at, tags, attributes, customer_id)
                    SELECT organization_id, {id}, 1, updated_at, updated_at, '{kind}', {column}, {folded}, TRUE,
                        NULL, '[]', '[]', id
                    FROM customer WHERE {column} IS NOT NULL AND {column} <> ''"
                ),
            )
            .await?;
        }
        Ok(())
    }
}
