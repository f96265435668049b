//! Units in the field, their parts and their repairs.

use sea_orm_migration::prelude::*;

use crate::noun_table::NounTable;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        NounTable {
            name: "unit",
            columns: "product {text} NOT NULL, product_folded {text} NOT NULL, serial {text}, serial_folded {text},
                in_service_at BIGINT, retired_at BIGINT, tags {text} NOT NULL, attributes {text} NOT NULL,
                customer_id {uuid}, archived_at BIGINT",
            keys: &[("customer_id", "customer", "id")],
            orders: &[("product", false), ("in_service_at", true), ("retired_at", true)],
            tags: &["tags"],
            has_attributes: true,
            ..NounTable::NONE
        }
        .create(manager)
        .await?;
        NounTable {
            name: "unit_part",
            columns: "name {text} NOT NULL, name_folded {text} NOT NULL, serial {text}, serial_folded {text},
                in_service_at BIGINT, retired_at BIGINT, tags {text} NOT NULL, attributes {text} NOT NULL,
                unit_id {uuid} NOT NULL",
            keys: &[("unit_id", "unit", "id")],
            unique: &["unit_id, id"],
            orders: &[("name", false), ("in_service_at", true), ("retired_at", true)],
            tags: &["tags"],
            has_attributes: true,
        }
        .create(manager)
        .await?;
        // The second key of the part contains the unit: a repair cannot name a part of another one.
        NounTable {
            name: "repair",
            columns: "failed_at BIGINT NOT NULL, operating_time BIGINT, cause {text}, cause_folded {text},
                action {text}, tags {text} NOT NULL, attributes {text} NOT NULL,
                unit_id {uuid} NOT NULL, part_id {uuid}",
            keys: &[
                ("unit_id", "unit", "id"),
                ("part_id", "unit_part", "id"),
                ("unit_id, part_id", "unit_part", "unit_id, id"),
            ],
            orders: &[("failed_at", false), ("operating_time", true)],
            tags: &["tags"],
            has_attributes: true,
            ..NounTable::NONE
        }
        .create(manager)
        .await
    }
}
