//! Accounts, interactions, and what they met, offered and taught.

use sea_orm_migration::prelude::*;

use crate::{dialect, noun_table::NounTable};

#[derive(DeriveMigrationName)]
pub struct Migration;

const ACCOUNT: NounTable<'_> = NounTable {
    name: "account",
    columns: "name {text} NOT NULL, name_folded {text} NOT NULL, domain {text}, domain_folded {text}, segment {text},
        tags {text} NOT NULL, attributes {text} NOT NULL,
        parent_id {uuid}, owner_id {uuid}, archived_at BIGINT",
    keys: &[("parent_id", "account", "id"), ("owner_id", "department", "id")],
    orders: &[("name", false), ("domain", true), ("segment", true)],
    tags: &["tags"],
    has_attributes: true,
    ..NounTable::NONE
};

const INTERACTION: NounTable<'_> = NounTable {
    name: "interaction",
    columns: "status {text} NOT NULL, direction {text}, purpose {text}, stage {text}, is_automated BOOLEAN NOT NULL,
        scheduled_at BIGINT, confirmed_at BIGINT, occurred_at BIGINT, duration BIGINT, our_objective {text},
        is_our_objective_reached BOOLEAN, their_objective {text}, is_their_objective_reached BOOLEAN,
        relevance BIGINT, timing BIGINT, learned {text}, taught {text}, summary {text}, summary_folded {text},
        next_step {text}, staff_subject {text}, not_eligible_because {text}, tags {text} NOT NULL,
        attributes {text} NOT NULL,
        point_id {uuid}, medium_id {uuid}, customer_id {uuid}, account_id {uuid}, influencer_id {uuid}, department_id {uuid}, reply_to_id {uuid}",
    keys: &[("point_id", "interaction_point", "id"), ("medium_id", "medium", "id"), ("customer_id", "customer", "id"), ("account_id", "account", "id"), ("influencer_id", "influencer", "id"), ("department_id", "department", "id"), ("reply_to_id", "interaction", "id")],
    orders: &[("status", false), ("purpose", true), ("scheduled_at", true), ("occurred_at", true)],
    tags: &["tags"],
    has_attributes: true,
    ..NounTable::NONE
};

const ASSESSMENT: NounTable<'_> = NounTable {
    name: "assessment",
    columns: "outcome {text} NOT NULL, expected BIGINT, perceived BIGINT, measured_value BIGINT, verified_by {text},
        assessed_at BIGINT NOT NULL, tags {text} NOT NULL, attributes {text} NOT NULL,
        interaction_id {uuid} NOT NULL, expectation_id {uuid}, objective_id {uuid}, desired_result_id {uuid}",
    keys: &[
        ("interaction_id", "interaction", "id"),
        ("expectation_id", "expectation", "id"),
        ("objective_id", "objective", "id"),
        ("desired_result_id", "desired_result", "id"),
    ],
    orders: &[("outcome", false), ("assessed_at", false)],
    tags: &["tags"],
    has_attributes: true,
    ..NounTable::NONE
};

const OFFER_MADE: NounTable<'_> = NounTable {
    name: "offer_made",
    columns: "status {text} NOT NULL, answered_at BIGINT, reason {text}, value BIGINT, value_currency {text},
        education_purpose {text}, tags {text} NOT NULL, attributes {text} NOT NULL,
        interaction_id {uuid} NOT NULL, offer_id {uuid} NOT NULL, message_variant_id {uuid}",
    keys: &[
        ("interaction_id", "interaction", "id"),
        ("offer_id", "offer", "id"),
        ("message_variant_id", "message_variant", "id"),
    ],
    orders: &[("status", false)],
    tags: &["tags"],
    has_attributes: true,
    ..NounTable::NONE
};

const KANO_ANSWER: NounTable<'_> = NounTable {
    name: "kano_answer",
    columns: "functional {text} NOT NULL, dysfunctional {text} NOT NULL, answered_at BIGINT NOT NULL,
        tags {text} NOT NULL, attributes {text} NOT NULL,
        expectation_id {uuid} NOT NULL, customer_id {uuid}, interaction_id {uuid}",
    keys: &[
        ("expectation_id", "expectation", "id"),
        ("customer_id", "customer", "id"),
        ("interaction_id", "interaction", "id"),
    ],
    orders: &[("answered_at", false)],
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
        for table in [ACCOUNT, INTERACTION, ASSESSMENT, OFFER_MADE, KANO_ANSWER] {
            table.create(manager).await?;
        }
        dialect::add_reference(manager, "customer", "account", "account").await?;
        dialect::add_reference(manager, "feedback_record", "interaction", "interaction").await
    }
}
