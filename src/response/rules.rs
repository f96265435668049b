//! Evaluation of routing rules: pure functions, shared by the preview and actual routing so that both always agree.

use std::collections::HashSet;

use entity::{
    feedback_record::{FeedbackKind, Priority, Sentiment},
    id::ResponsePolicyId,
    interaction_point::PointKind,
    noun::StringEnum,
    routing::RoutingCause,
    routing_rule::Model as Rule,
};
use sea_orm::prelude::Uuid;

use crate::store::statement::cell::fold;

/// Data of a feedback record that rules evaluate.
#[derive(Clone, Debug, Default)]
pub struct Candidate {
    /// Kind of feedback.
    pub kind: Option<FeedbackKind>,
    /// Sentiment.
    pub sentiment: Option<Sentiment>,
    /// Sentiment score, -1 to 1.
    pub score: Option<f64>,
    /// Product the feedback is about.
    pub product: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// Folded text of the feedback.
    pub body: String,
    /// Interaction point the feedback is about.
    pub point: Option<Uuid>,
    /// Kind of the interaction point.
    pub point_kind: Option<PointKind>,
    /// Medium through which the feedback arrived.
    pub medium: Option<Uuid>,
    /// Rules whose filters the feedback meets.
    pub met: HashSet<Uuid>,
}

/// A routing decision and its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Cause of the decision.
    pub cause: RoutingCause,
    /// Id and version of the matching rule.
    pub rule: Option<(Uuid, i64)>,
    /// Department the feedback is routed to.
    pub department: Uuid,
    /// Priority of the feedback.
    pub priority: Priority,
    /// Response policy that the rule selects.
    pub policy: Option<ResponsePolicyId>,
    /// Whether the rule opens a case for the feedback.
    pub is_case_opened: bool,
    /// Reason, as a sentence.
    pub reason: String,
}

impl Decision {
    /// Returns the decision for feedback that no rule matches. `is_instead` means that `department` replaces the
    /// archived fallback department.
    pub fn fallback(department: Uuid, is_instead: bool) -> Self {
        let reason = if is_instead {
            "No rule matched, and the fallback department is archived; this is the oldest department that is not archived."
        } else {
            "No rule matched."
        };
        Self {
            cause: RoutingCause::Fallback,
            rule: None,
            department,
            priority: Priority::Normal,
            policy: None,
            is_case_opened: false,
            reason: reason.to_owned(),
        }
    }
}

/// Returns the decision of the first matching rule, or `None` if no rule matches.
pub fn decide(rules: &[Rule], candidate: &Candidate) -> Option<Decision> {
    let (rule, conditions) = rules.iter().find_map(|rule| Some((rule, conditions(rule, candidate)?)))?;
    let held = if conditions.is_empty() { "it has no conditions".to_owned() } else { conditions.join(", ") };
    Some(Decision {
        cause: RoutingCause::Rule,
        rule: Some((rule.id.0, rule.version)),
        department: rule.department_id.0,
        priority: rule.priority,
        policy: rule.response_policy_id,
        is_case_opened: rule.is_case_opened,
        reason: format!("Rule “{}” matched: {held}.", rule.name),
    })
}

/// Returns descriptions of a rule's conditions, or `None` if one of them does not hold. The descriptions contain only
/// text of the rule, never of the feedback.
fn conditions(rule: &Rule, candidate: &Candidate) -> Option<Vec<String>> {
    let mut held = Vec::new();
    let mut check = |condition: Option<String>, holds: bool| {
        let Some(condition) = condition else { return true };
        held.push(condition);
        holds
    };
    let words: Vec<String> = serde_json::from_str(&rule.words).unwrap_or_default();
    let score = candidate.score;
    let all = check(rule.kind.map(|kind| format!("kind {}", kind.name())), rule.kind == candidate.kind)
        && check(
            rule.sentiment.map(|sentiment| format!("sentiment {}", sentiment.name())),
            rule.sentiment == candidate.sentiment,
        )
        && check(
            rule.score_from.map(|from| format!("score from {from}")),
            score.zip(rule.score_from).is_some_and(|(score, from)| score >= from),
        )
        && check(
            rule.score_to.map(|to| format!("score to {to}")),
            score.zip(rule.score_to).is_some_and(|(score, to)| score <= to),
        )
        && check(rule.product.as_ref().map(|product| format!("product {product}")), rule.product == candidate.product)
        && check(
            rule.tag.as_ref().map(|tag| format!("tag {tag}")),
            rule.tag.as_ref().is_some_and(|tag| candidate.tags.contains(tag)),
        )
        && check(
            (!words.is_empty()).then(|| format!("one of the words {}", words.join(", "))),
            words.iter().any(|word| candidate.body.contains(&fold(word))),
        )
        && check(rule.point_id.map(|_| "this point".to_owned()), rule.point_id.map(|id| id.0) == candidate.point)
        && check(
            rule.point_kind.map(|kind| format!("a point of kind {}", kind.name())),
            rule.point_kind == candidate.point_kind,
        )
        && check(rule.medium_id.map(|_| "this medium".to_owned()), rule.medium_id.map(|id| id.0) == candidate.medium)
        && check(rule.filter.as_ref().map(|_| "its filter".to_owned()), candidate.met.contains(&rule.id.0));
    all.then_some(held)
}
