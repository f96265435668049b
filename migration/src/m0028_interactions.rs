//! Accounts, interactions, and what they met, offered and taught.

use sea_orm_migration::prelude::*;

use crate::dialect::{self, NounTable};

#[derive(DeriveMigrationName)]
pub struct Migration;

const ACCOUNT: NounTable<'_> = NounTable {
    name: "account",
    columns: "name {text} NOT NULL, name_folded {text} NOT NULL, domain {text}, domain_folded {text}, segment {text},
        tags {text} NOT NULL, attributes {text} NOT NULL, archived_at BIGINT,",
    references: &[("parent", "", "account"), ("owner", "", "department")],
};

const INTERACTION: NounTable<'_> = NounTable {
    name: "interaction",
    columns: "status {text} NOT NULL, direction {text}, purpose {text}, stage {text}, is_automated BOOLEAN NOT NULL,
        scheduled_at BIGINT, confirmed_at BIGINT, occurred_at BIGINT, duration BIGINT, our_objective {text},
        is_our_objective_reached BOOLEAN, their_objective {text}, is_their_objective_reached BOOLEAN,
        relevance BIGINT, timing BIGINT, learned {text}, taught {text}, summary {text}, summary_folded {text},
        next_step {text}, staff_subject {text}, not_eligible_because {text}, tags {text} NOT NULL,
        attributes {text} NOT NULL,",
    references: &[
        ("point", "", "interaction_point"),
        ("medium", "", "medium"),
        ("customer", "", "customer"),
        ("account", "", "account"),
        ("influencer", "", "influencer"),
        ("department", "", "department"),
        ("reply_to", "", "interaction"),
    ],
};

const ASSESSMENT: NounTable<'_> = NounTable {
    name: "assessment",
    columns: "outcome {text} NOT NULL, expected BIGINT, perceived BIGINT, measured_value BIGINT, verified_by {text},
        assessed_at BIGINT NOT NULL, tags {text} NOT NULL, attributes {text} NOT NULL,",
    references: &[
        ("interaction", "NOT NULL", "interaction"),
        ("expectation", "", "expectation"),
        ("objective", "", "objective"),
        ("desired_result", "", "desired_result"),
    ],
};

const OFFER_MADE: NounTable<'_> = NounTable {
    name: "offer_made",
    columns: "status {text} NOT NULL, answered_at BIGINT, reason {text}, value BIGINT, value_currency {text},
        education_purpose {text}, tags {text} NOT NULL, attributes {text} NOT NULL,",
    references: &[
        ("interaction", "NOT NULL", "interaction"),
        ("offer", "NOT NULL", "offer"),
        ("message_variant", "", "message_variant"),
    ],
};

const KANO_ANSWER: NounTable<'_> = NounTable {
    name: "kano_answer",
    columns: "functional {text} NOT NULL, dysfunctional {text} NOT NULL, answered_at BIGINT NOT NULL,
        tags {text} NOT NULL, attributes {text} NOT NULL,",
    references: &[
        ("expectation", "NOT NULL", "expectation"),
        ("customer", "", "customer"),
        ("interaction", "", "interaction"),
    ],
};

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [ACCOUNT, INTERACTION, ASSESSMENT, OFFER_MADE, KANO_ANSWER] {
            dialect::noun_table(manager, &table).await?;
            dialect::external_ids(manager, table.name).await?;
            dialect::items(manager, table.name, "tags").await?;
            dialect::attributes(manager, table.name).await?;
        }
        dialect::orders(manager, "account", &[("name", false), ("domain", true), ("segment", true)]).await?;
        let interaction = [("status", false), ("purpose", true), ("scheduled_at", true), ("occurred_at", true)];
        dialect::orders(manager, "interaction", &interaction).await?;
        dialect::orders(manager, "assessment", &[("outcome", false), ("assessed_at", false)]).await?;
        dialect::orders(manager, "offer_made", &[("status", false)]).await?;
        dialect::orders(manager, "kano_answer", &[("answered_at", false)]).await?;
        dialect::add_reference(manager, "customer", "account", "account").await?;
        dialect::add_reference(manager, "feedback_record", "interaction", "interaction").await
    }
}
