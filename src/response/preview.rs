//! What routing would decide, without writing anything.

use entity::{
    Permission, department,
    feedback_record::{FeedbackKind, Priority, Sentiment},
    interaction_point, medium,
    noun::{Field, Kind, Link, Noun, Relationship, StringEnum, Writable},
    routing::RoutingCause,
    routing_rule,
};
use futures_util::future::BoxFuture;
use sea_orm::prelude::Uuid;

use super::{routing::Router, rules::Candidate};
use crate::{
    Error, Result,
    graphql::{
        mutation::input::{Input, text},
        slice::{Argument, ComputedObject, InputObject, Query, Resolved},
    },
    store::{
        Scope,
        statement::cell::{Cell, fold},
    },
};

/// The answer of a preview.
pub static PREVIEW: Noun = Noun {
    name: "RoutingPreview",
    singular: "routingPreview",
    plural: "routingPreviews",
    table: "",
    prefix: "",
    doc: "The department feedback would be routed to, and the reason.",
    tenant: "",
    read: Some(Permission::ResponseRead),
    write: Permission::ResponseWrite,
    system: &[],
    fields: &[
        Field::new("cause", "cause", Kind::Enum(RoutingCause::TYPE), "Cause of the routing decision."),
        Field::new("ruleVersion", "rule_version", Kind::Int { min: 1, max: i64::MAX }, "Version of the rule.")
            .nullable(),
        Field::new("priority", "priority", Kind::Enum(Priority::TYPE), "Priority the feedback would get."),
        Field::new("responsePolicy", "response_policy", Kind::Text { max: 200 }, "Response policy of the rule.")
            .nullable(),
        Field::new("reason", "reason", Kind::Text { max: 2_000 }, "Why, in a sentence."),
    ],
    relations: &[
        Relationship {
            name: "department",
            target: &department::NOUN,
            link: Link::One { column: "department_id", is_nullable: false, writable: Writable::Never },
            doc: "Department the feedback would be routed to.",
        },
        Relationship {
            name: "rule",
            target: &routing_rule::NOUN,
            link: Link::One { column: "rule_id", is_nullable: true, writable: Writable::Never },
            doc: "The matching rule; null for the fallback department.",
        },
    ],
    operations: &[],
    has_external_ids: false,
};

/// What a preview takes.
pub const INPUT: InputObject = InputObject {
    name: "RoutingPreviewInput",
    doc: "Feedback to preview the routing of.",
    fields: &[
        Argument { name: "kind", ty: "FeedbackKind", default: None, doc: "What sort of thing." },
        Argument { name: "sentiment", ty: "Sentiment", default: None, doc: "Its mood." },
        Argument { name: "sentimentScore", ty: "Float", default: None, doc: "Sentiment score, -1 to 1." },
        Argument { name: "body", ty: "String", default: None, doc: "The customer's words. Not stored." },
        Argument { name: "product", ty: "String", default: None, doc: "Product it is about." },
        Argument { name: "tags", ty: "[String!]", default: None, doc: "Its tags." },
        Argument { name: "pointRef", ty: "InteractionPointRef", default: None, doc: "Interaction point it is about." },
        Argument { name: "mediumRef", ty: "MediumRef", default: None, doc: "Medium it arrives through." },
    ],
};

/// The query.
pub const QUERY: Query = Query {
    name: "routingPreview",
    doc: "Evaluates the current routing rules for the given feedback, without writing anything.",
    arguments: &[Argument { name: "input", ty: "RoutingPreviewInput!", default: None, doc: "The feedback." }],
    answer: &PREVIEW,
    permissions: &[Permission::ResponseRead],
    run: preview,
};

fn preview<'a>(scope: &'a Scope, input: &'a Input) -> BoxFuture<'a, Result<Resolved>> {
    Box::pin(async move {
        let input = input.object("input")?.unwrap_or_default();
        let mood = match input.present("sentimentScore") {
            Some(async_graphql::Value::Number(number)) => number.as_f64(),
            _ => None,
        };
        let candidate = Candidate {
            kind: input.text("kind")?.and_then(FeedbackKind::parse),
            sentiment: input.text("sentiment")?.and_then(Sentiment::parse),
            score: mood,
            product: input.text("product")?.map(str::to_owned),
            tags: input.list("tags").into_iter().filter_map(|tag| text(tag).map(str::to_owned)).collect(),
            body: input.text("body")?.map(fold).unwrap_or_default(),
            point: referred(scope, &input, "pointRef", &interaction_point::NOUN).await?,
            point_kind: None,
            medium: referred(scope, &input, "mediumRef", &medium::NOUN).await?,
        };
        let points: Vec<Uuid> = candidate.point.into_iter().collect();
        let decision = Router::open(scope, &points).await?.decide(scope, candidate).await?;
        let (rule, version) = decision.rule.unzip();
        Ok(Resolved::Object(ComputedObject {
            cells: vec![
                ("cause", Cell::Text(decision.cause.name().to_owned())),
                ("rule_version", version.map_or(Cell::Null, Cell::Int)),
                ("priority", Cell::Text(decision.priority.name().to_owned())),
                ("response_policy", decision.policy.map_or(Cell::Null, Cell::Text)),
                ("reason", Cell::Text(decision.reason)),
                ("department_id", Cell::Id(decision.department)),
                ("rule_id", rule.map_or(Cell::Null, Cell::Id)),
            ],
            inside: Vec::new(),
        }))
    })
}

async fn referred(scope: &Scope, input: &Input<'_>, field: &str, noun: &'static Noun) -> Result<Option<Uuid>> {
    let Some(value) = input.present(field) else { return Ok(None) };
    let reference = Input::reference(field, value, noun)?;
    let found = scope.references(noun, std::iter::once(&reference)).await?;
    let id = found.get(&reference).copied();
    id.map(Some).ok_or_else(|| Error::BadInput(format!("{field}: no such {}", noun.name)))
}
