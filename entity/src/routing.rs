//! One decision on where a feedback record goes, kept for ever.

use sea_orm::entity::prelude::*;

use crate::{
    feedback_record::Priority,
    id::{DepartmentId, FeedbackRecordId, OrganizationId, RoutingId, RoutingRuleId},
    noun::{Field, Kind, Link, Noun, Personal, Relationship, SYSTEM, StringEnum, Writable},
    permission::Permission,
    personal::STAFF,
};

crate::string_enum! {
    /// What decided where feedback goes.
    RoutingCause as "RoutingCause" {
        /// A rule matched.
        Rule = "RULE",
        /// No rule matched: the fallback department.
        Fallback = "FALLBACK",
        /// Somebody decided.
        Reroute = "REROUTE",
    }
}

/// One decision on where a feedback record goes.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "routing")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RoutingId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// The feedback.
    pub feedback_record_id: FeedbackRecordId,
    /// What decided.
    pub cause: RoutingCause,
    /// The rule.
    pub rule_id: Option<RoutingRuleId>,
    /// The rule's version then.
    pub rule_version: Option<i64>,
    /// Where it went.
    pub department_id: DepartmentId,
    /// Priority given.
    pub priority: Priority,
    /// Response policy named.
    pub response_policy: Option<String>,
    /// Why, in a sentence.
    pub reason: String,
    /// Who caused it.
    pub subject: String,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of a routing.
pub static NOUN: Noun = Noun {
    name: "Routing",
    singular: "routing",
    plural: "routings",
    table: "routing",
    prefix: "route",
    doc: "One decision on where a feedback record goes: the rule, its version and the reason.",
    tenant: "organization_id",
    read: Some(Permission::ResponseRead),
    write: Permission::ResponseWrite,
    system: &SYSTEM,
    fields: &[
        Field::new("cause", "cause", Kind::Enum(RoutingCause::TYPE), "What decided."),
        Field::new("ruleVersion", "rule_version", Kind::Int { min: 1, max: i64::MAX }, "Version the rule had then.")
            .nullable(),
        Field::new("priority", "priority", Kind::Enum(Priority::TYPE), "Priority given."),
        Field::new("responsePolicy", "response_policy", Kind::Text { max: 200 }, "Response policy named by the rule.")
            .nullable(),
        Field::new("reason", "reason", Kind::Text { max: 2000 }, "Why, in a sentence. Made of what the rule says, never of the customer's words; whoever re-routes should not \
             quote them either, as it is open to whoever reads routings. Erasing the customer empties it.")
            .personal(Personal::FreeText)
            .unguarded(),
        Field::new("subject", "subject", Kind::Text { max: 255 }, "Subject of the token that caused it.")
            .personal(Personal::Identifier)
            .unguarded()
            .retained_because(STAFF),
    ],
    relations: &[
        Relationship {
            name: "feedbackRecord",
            target: &crate::feedback_record::NOUN,
            link: Link::One { column: "feedback_record_id", is_nullable: false, writable: Writable::Never },
            doc: "The feedback.",
        },
        Relationship {
            name: "rule",
            target: &crate::routing_rule::NOUN,
            link: Link::One { column: "rule_id", is_nullable: true, writable: Writable::Never },
            doc: "The rule that matched; null for the fallback and for a re-routing.",
        },
        Relationship {
            name: "department",
            target: &crate::department::NOUN,
            link: Link::One { column: "department_id", is_nullable: false, writable: Writable::Never },
            doc: "Where it went.",
        },
    ],
    operations: &[],
    has_external_ids: false,
};
