//! Business calendars with their intervals and holidays, and response policies.

use sea_orm_migration::prelude::*;

use crate::noun_table::NounTable;

#[derive(DeriveMigrationName)]
pub struct Migration;

const CALENDAR: NounTable<'_> = NounTable {
    name: "business_calendar",
    columns: "name {text} NOT NULL, name_folded {text} NOT NULL, time_zone {text} NOT NULL",
    orders: &[("name", false)],
    ..NounTable::NONE
};

const INTERVAL: NounTable<'_> = NounTable {
    name: "business_interval",
    columns: "weekday {text} NOT NULL, opens BIGINT NOT NULL, closes BIGINT NOT NULL, note {text}, note_folded {text},
        calendar_id {uuid} NOT NULL",
    keys: &[("calendar_id", "business_calendar", "id")],
    ..NounTable::NONE
};

const HOLIDAY: NounTable<'_> = NounTable {
    name: "holiday",
    columns: "date BIGINT NOT NULL, name {text} NOT NULL, name_folded {text} NOT NULL, calendar_id {uuid} NOT NULL",
    keys: &[("calendar_id", "business_calendar", "id")],
    orders: &[("date", false), ("name", false)],
    ..NounTable::NONE
};

const POLICY: NounTable<'_> = NounTable {
    name: "response_policy",
    columns: "name {text} NOT NULL, name_folded {text} NOT NULL, position BIGINT NOT NULL, priority {text},
        severity {text}, segment {text}, acknowledge_minutes BIGINT, first_response_minutes BIGINT,
        next_response_minutes BIGINT, resolution_minutes BIGINT, is_paused_for_customer BOOLEAN NOT NULL,
        is_paused_for_third_party BOOLEAN NOT NULL, calendar_id {uuid} NOT NULL, archived_at BIGINT",
    keys: &[("calendar_id", "business_calendar", "id")],
    unique: &["name"],
    orders: &[("name", false), ("position", false)],
    ..NounTable::NONE
};

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [CALENDAR, INTERVAL, HOLIDAY, POLICY] {
            table.create(manager).await?;
        }
        Ok(())
    }
}
