//! The query `routingPreview`, which returns the routing decision for given feedback without writing anything.

use entity::{
    Permission,
    feedback_record::{self, FeedbackKind, Priority, Sentiment},
    id::{CustomerId, DepartmentId, InteractionPointId, MediumId, NounId, ResponsePolicyId, RoutingRuleId},
    routing::RoutingCause,
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use super::{
    routing::{Router, candidate},
    rule_filters::rule_filters,
};
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
    store::{
        Scope,
        writing::draft::{Draft, Mode, Target},
    },
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
    /// Whether the rule would open a case for the feedback.
    is_case_opened: bool,
    /// Reason, in a sentence.
    reason: String,
    /// Department the feedback would be routed to.
    department_id: DepartmentId,
    /// Response policy that the rule selects; null if it selects none.
    response_policy_id: Option<ResponsePolicyId>,
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
    /// Customer who gives the feedback.
    customer_ref: Option<RefTo<CustomerId>>,
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
    let mut draft = Draft::new(&feedback_record::NOUN, Target::New, Mode::CreateOnly);
    draft.set(feedback_record::RECEIVED_AT, ChronoUnixTimestampMillis(scope.now()));
    if let Some(kind) = input.kind {
        draft.set(feedback_record::KIND, kind);
    }
    draft.set(feedback_record::SENTIMENT, input.sentiment);
    draft.set(feedback_record::SENTIMENT_SCORE, input.sentiment_score);
    draft.set(feedback_record::PRODUCT, input.product);
    draft.set(feedback_record::TAGS, serde_json::json!(input.tags.unwrap_or_default()).to_string());
    draft.set(feedback_record::BODY, input.body);
    let point = named(scope, "pointRef", input.point_ref).await?;
    draft.set(feedback_record::POINT_ID, point);
    draft.set(feedback_record::MEDIUM_ID, named(scope, "mediumRef", input.medium_ref).await?);
    draft.set(feedback_record::CUSTOMER_ID, named(scope, "customerRef", input.customer_ref).await?);
    let points: Vec<Uuid> = point.map(Uuid::from).into_iter().collect();
    let router = Router::open(scope, &points).await?;
    let met = rule_filters(scope, &router.rules).await?.met_by(scope, &[&draft]).await?.pop().unwrap_or_default();
    let decision = router.decide(scope, candidate(met, |column| draft.cell(column))).await?;
    let (rule, rule_version) = decision.rule.unzip();
    Ok(RoutingPreview {
        cause: decision.cause,
        rule_version,
        priority: decision.priority,
        is_case_opened: decision.is_case_opened,
        reason: decision.reason,
        department_id: decision.department.into(),
        response_policy_id: decision.policy,
        rule_id: rule.map(RoutingRuleId),
    })
}

/// Resolves an optional reference. [`Error::BadInput`] if there is no such row.
pub(super) async fn named<T: NounId>(scope: &Scope, field: &str, given: Option<RefTo<T>>) -> Result<Option<T>> {
    let Some(given) = given else { return Ok(None) };
    let found = given.find(scope).await?;
    found.map(Some).ok_or_else(|| Error::BadInput(format!("{field}: no such {}", T::NOUN.name)))
}
