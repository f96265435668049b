//! Where feedback goes: the first rule that matches decides.

use sea_orm::entity::prelude::*;

use crate::{
    feedback_record::{FeedbackKind, Priority, Sentiment},
    id::{DepartmentId, InteractionPointId, MediumId, OrganizationId, RoutingRuleId},
    interaction_point::PointKind,
    noun::{FULL, Field, Kind, Link, Noun, Relationship, SYSTEM, StringEnum, Writable},
    permission::Permission,
};

/// Where feedback goes.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "routing_rule")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RoutingRuleId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Name to show.
    pub name: String,
    /// The name folded for search.
    pub name_folded: String,
    /// Lower ones are tried first.
    pub position: i64,
    /// Condition on kind.
    pub kind: Option<FeedbackKind>,
    /// Condition on mood.
    pub sentiment: Option<Sentiment>,
    /// Lowest sentiment score.
    pub score_from: Option<f64>,
    /// Highest sentiment score.
    pub score_to: Option<f64>,
    /// Condition on product.
    pub product: Option<String>,
    /// Condition on tags.
    pub tag: Option<String>,
    /// JSON array; one of them must occur in the body.
    pub words: String,
    /// Condition on the kind of point.
    pub point_kind: Option<PointKind>,
    /// Priority it gives.
    pub priority: Priority,
    /// Response policy it names.
    pub response_policy: Option<String>,
    /// Condition on the point.
    pub point_id: Option<InteractionPointId>,
    /// Condition on the medium.
    pub medium_id: Option<MediumId>,
    /// Where it sends feedback.
    pub department_id: DepartmentId,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of a routing rule.
pub static NOUN: Noun = Noun {
    name: "RoutingRule",
    singular: "routingRule",
    plural: "routingRules",
    table: "routing_rule",
    prefix: "rule",
    doc: "Where feedback goes. Rules are tried by position, then by age; the first whose every condition holds decides. A condition left out holds always.",
    tenant: "organization_id",
    read: Some(Permission::ResponseRead),
    write: Permission::ResponseWrite,
    system: &SYSTEM,
    fields: &[
        Field::new("name", "name", Kind::Text { max: 200 }, "Name to show.").required().ordered().searchable(),
        Field::new("position", "position", Kind::Int { min: 0, max: 1_000_000 }, "Lower positions are tried first.")
            .required()
            .ordered(),
        Field::new("kind", "kind", Kind::Enum(FeedbackKind::TYPE), "Holds for feedback of this kind.").optional(),
        Field::new("sentiment", "sentiment", Kind::Enum(Sentiment::TYPE), "Holds for feedback of this mood.")
            .optional(),
        Field::new(
            "scoreFrom",
            "score_from",
            Kind::Float { min: -1.0, max: 1.0 },
            "Holds for a sentiment score of at least this, -1 to 1.",
        )
        .optional(),
        Field::new(
            "scoreTo",
            "score_to",
            Kind::Float { min: -1.0, max: 1.0 },
            "Holds for a sentiment score of at most this, -1 to 1.",
        )
        .optional(),
        Field::new("product", "product", Kind::Text { max: 200 }, "Holds for feedback about exactly this product.")
            .optional(),
        Field::new("tag", "tag", Kind::Text { max: 64 }, "Holds for feedback that carries this tag.").optional(),
        Field::new(
            "words",
            "words",
            Kind::Tags { most: 50, max: 64 },
            "Holds for feedback whose body contains one of these, letter case ignored.",
        )
        .default_value("[]"),
        Field::new(
            "pointKind",
            "point_kind",
            Kind::Enum(PointKind::TYPE),
            "Holds for feedback at a point of this kind.",
        )
        .optional(),
        Field::new("priority", "priority", Kind::Enum(Priority::TYPE), "Priority it gives to the feedback.")
            .default_value("NORMAL"),
        Field::new(
            "responsePolicy",
            "response_policy",
            Kind::Text { max: 200 },
            "Name of the response policy it asks for.",
        )
        .optional(),
    ],
    relations: &[
        Relationship {
            name: "point",
            target: &crate::interaction_point::NOUN,
            link: Link::One { column: "point_id", is_nullable: true, writable: Writable::Optional },
            doc: "Holds for feedback at this point.",
        },
        Relationship {
            name: "medium",
            target: &crate::medium::NOUN,
            link: Link::One { column: "medium_id", is_nullable: true, writable: Writable::Optional },
            doc: "Holds for feedback over this medium.",
        },
        Relationship {
            name: "department",
            target: &crate::department::NOUN,
            link: Link::One { column: "department_id", is_nullable: false, writable: Writable::Required },
            doc: "Department it routes to.",
        },
    ],
    operations: FULL,
    has_external_ids: true,
};
