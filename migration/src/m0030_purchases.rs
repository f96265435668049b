//! Purchases, referrals, content that is shared, testimonials; what else feedback is about.

use sea_orm_migration::prelude::*;

use crate::{dialect, noun_table::NounTable};

#[derive(DeriveMigrationName)]
pub struct Migration;

const PURCHASE: NounTable<'_> = NounTable {
    name: "purchase",
    columns: "bought_at BIGINT NOT NULL, amount BIGINT NOT NULL, amount_currency {text} NOT NULL, item_count BIGINT,
        product {text}, product_folded {text}, refunded BIGINT, refunded_currency {text},
        tags {text} NOT NULL, attributes {text} NOT NULL, customer_id {uuid}, account_id {uuid}, point_id {uuid}",
    keys: &[
        ("customer_id", "customer", "id"),
        ("account_id", "account", "id"),
        ("point_id", "interaction_point", "id"),
    ],
    orders: &[("bought_at", false), ("product", true)],
    tags: &["tags"],
    has_attributes: true,
    ..NounTable::NONE
};

const REFERRAL: NounTable<'_> = NounTable {
    name: "referral",
    columns: "status {text} NOT NULL, referred_at BIGINT NOT NULL, decided_at BIGINT, reason {text},
        tags {text} NOT NULL, attributes {text} NOT NULL,
        referrer_id {uuid} NOT NULL, referred_id {uuid}, interaction_id {uuid}",
    keys: &[
        ("referrer_id", "customer", "id"),
        ("referred_id", "customer", "id"),
        ("interaction_id", "interaction", "id"),
    ],
    orders: &[("status", false), ("referred_at", false)],
    tags: &["tags"],
    has_attributes: true,
    ..NounTable::NONE
};

const CONTENT_ITEM: NounTable<'_> = NounTable {
    name: "content_item",
    columns: "kind {text} NOT NULL, title {text} NOT NULL, title_folded {text} NOT NULL, summary {text},
        summary_folded {text}, address {text}, language {text}, airs_at BIGINT, topics {text} NOT NULL,
        tags {text} NOT NULL, attributes {text} NOT NULL, archived_at BIGINT",
    orders: &[("kind", false), ("title", false), ("airs_at", true)],
    tags: &["topics", "tags"],
    has_attributes: true,
    ..NounTable::NONE
};

const CONTENT_SHARE: NounTable<'_> = NounTable {
    name: "content_share",
    columns: "shared_at BIGINT NOT NULL, usefulness BIGINT, tags {text} NOT NULL, attributes {text} NOT NULL,
        content_item_id {uuid} NOT NULL, customer_id {uuid}, interaction_id {uuid}",
    keys: &[
        ("content_item_id", "content_item", "id"),
        ("customer_id", "customer", "id"),
        ("interaction_id", "interaction", "id"),
    ],
    orders: &[("shared_at", false)],
    tags: &["tags"],
    has_attributes: true,
    ..NounTable::NONE
};

const TESTIMONIAL: NounTable<'_> = NounTable {
    name: "testimonial",
    columns: "quote {text} NOT NULL, quote_folded {text} NOT NULL, attribution {text}, scope {text} NOT NULL,
        consented_at BIGINT NOT NULL, expires_at BIGINT, withdrawn_at BIGINT,
        tags {text} NOT NULL, attributes {text} NOT NULL, feedback_record_id {uuid} NOT NULL",
    keys: &[("feedback_record_id", "feedback_record", "id")],
    orders: &[("scope", false), ("consented_at", false), ("expires_at", true), ("withdrawn_at", true)],
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
        for table in [PURCHASE, REFERRAL, CONTENT_ITEM, CONTENT_SHARE, TESTIMONIAL] {
            table.create(manager).await?;
        }
        for (column, target) in [("expectation", "expectation"), ("unit", "unit"), ("unit_part", "unit_part")] {
            dialect::add_reference(manager, "feedback_record", column, target).await?;
        }
        Ok(())
    }
}
