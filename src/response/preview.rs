//! The query `routingPreview`, which returns the routing decision for given feedback without writing anything.

use entity::{
    Permission,
    feedback_record::{FeedbackKind, Priority, Sentiment},
    id::{DepartmentId, InteractionPointId, MediumId, NounId, RoutingRuleId},
    routing::RoutingCause,
};
use sea_orm::prelude::Uuid;

use super::{routing::Router, rules::Candidate};
use crate::{
    Error, Result,
    graphql::{
        slice::Query,
        typed::{
            fields::QueryFn,
            input::{Input, RefTo},
            output::Output,
        },
    },
    store::{Scope, statement::cell::fold},
};

/// The department feedback would be routed to, and the reason.
#[derive(Output)]
#[output(read = ResponseRead)]
struct RoutingPreview {
    /// Cause of the routing decision.
    cause: RoutingCause,
    /// Version of the matching rule; null for the fallback department.
    rule_version: Option<i64>,
    /// Priority the feedback would get.
    priority: Priority,
    /// Response policy named by the rule; null if there is none.
    response_policy: Option<String>,
    /// Reason, in a sentence.
    reason: String,
    /// Department the feedback would be routed to.
    department_id: DepartmentId,
    /// The matching rule; null for the fallback department.
    rule_id: Option<RoutingRuleId>,
}

/// Feedback to preview the routing of.
#[derive(Input)]
struct RoutingPreviewInput {
    /// Kind of the feedback.
    kind: Option<FeedbackKind>,
    /// Sentiment of the feedback.
    sentiment: Option<Sentiment>,
    /// Sentiment score, -1 to 1.
    sentiment_score: Option<f64>,
    /// The customer's words. Not stored.
    body: Option<String>,
    /// Product that the feedback is about.
    product: Option<String>,
    /// Tags of the feedback.
    tags: Option<Vec<String>>,
    /// Interaction point that the feedback is about.
    point_ref: Option<RefTo<InteractionPointId>>,
    /// Medium through which the feedback arrives.
    medium_ref: Option<RefTo<MediumId>>,
}

/// What to preview.
#[derive(Input)]
struct PreviewArguments {
    /// The feedback.
    input: RoutingPreviewInput,
}

/// The query `routingPreview`.
pub const PREVIEW: Query = Query {
    name: "routingPreview",
    doc: "Evaluates the current routing rules for the given feedback, without writing anything.",
    permissions: &[Permission::ResponseRead],
    run: &QueryFn::new(|scope, PreviewArguments { input }| Box::pin(preview(scope, input))),
};

async fn preview(scope: &Scope, input: RoutingPreviewInput) -> Result<RoutingPreview> {
    let candidate = Candidate {
        kind: input.kind,
        sentiment: input.sentiment,
        score: input.sentiment_score,
        product: input.product,
        tags: input.tags.unwrap_or_default(),
        body: input.body.map(|body| fold(&body)).unwrap_or_default(),
        point: named(scope, "pointRef", input.point_ref).await?,
        point_kind: None,
        medium: named(scope, "mediumRef", input.medium_ref).await?,
    };
    let points: Vec<Uuid> = candidate.point.into_iter().collect();
    let decision = Router::open(scope, &points).await?.decide(scope, candidate).await?;
    let (rule, rule_version) = decision.rule.unzip();
    Ok(RoutingPreview {
        cause: decision.cause,
        rule_version,
        priority: decision.priority,
        response_policy: decision.policy,
        reason: decision.reason,
        department_id: decision.department.into(),
        rule_id: rule.map(RoutingRuleId),
    })
}

/// Resolves an optional reference. [`Error::BadInput`] if there is no such row.
async fn named<T: NounId>(scope: &Scope, field: &str, given: Option<RefTo<T>>) -> Result<Option<Uuid>> {
    let Some(given) = given else { return Ok(None) };
    let found = given.find(scope).await?.map(T::uuid);
    found.map(Some).ok_or_else(|| Error::BadInput(format!("{field}: no such {}", T::NOUN.name)))
}
