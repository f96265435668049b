//! Routes feedback to the department of the first rule whose conditions hold, otherwise to the fallback department.

use anyhow::Result;
use uuid::Uuid;

use super::ask::Record;
use crate::data;

/// A routing rule. The data set has no rules on products, tags, words or kinds of points.
pub struct Rule {
    pub id: Uuid,
    pub version: i64,
    pub name: String,
    pub kind: Option<String>,
    pub sentiment: Option<String>,
    pub score_from: Option<f64>,
    pub score_to: Option<f64>,
    pub point: Option<Uuid>,
    pub medium: Option<Uuid>,
    pub department: Uuid,
    pub priority: String,
    pub policy: Option<Uuid>,
}

/// The columns of a rule, in order.
pub const COLUMNS: &str = "id, version, name, kind, sentiment, score_from, score_to, point_id, medium_id, \
                           department_id, priority, response_policy_id";

/// A record with everything that is stored with it.
pub struct Routed {
    pub id: Uuid,
    pub routing: Uuid,
    pub event: Uuid,
    pub received: i64,
    pub folded: String,
    pub point: Uuid,
    pub medium: Uuid,
    pub department: Uuid,
    pub priority: String,
    pub cause: &'static str,
    pub rule: Option<Uuid>,
    pub version: Option<i64>,
    pub policy: Option<Uuid>,
    pub reason: String,
}

/// Routes a record and computes the other stored values.
pub fn route(record: &Record, id: Uuid, rules: &[Rule], fallback: Uuid) -> Result<Routed> {
    let (point, medium) = record.references()?;
    let is = |wanted: &Option<String>, given: Option<&str>| wanted.is_none() || wanted.as_deref() == given;
    let matched = rules.iter().find(|rule| {
        is(&rule.kind, Some(&record.kind))
            && is(&rule.sentiment, record.sentiment.as_deref())
            && rule.score_from.is_none_or(|from| record.sentiment_score.is_some_and(|score| score >= from))
            && rule.score_to.is_none_or(|to| record.sentiment_score.is_some_and(|score| score <= to))
            && rule.point.is_none_or(|wanted| wanted == point)
            && rule.medium.is_none_or(|wanted| wanted == medium)
    });
    Ok(Routed {
        id,
        routing: Uuid::now_v7(),
        event: Uuid::now_v7(),
        received: record.received()?,
        folded: record.body.to_lowercase(),
        point,
        medium,
        department: matched.map_or(fallback, |rule| rule.department),
        priority: matched.map_or_else(|| "NORMAL".to_owned(), |rule| rule.priority.clone()),
        cause: if matched.is_some() { "RULE" } else { "FALLBACK" },
        rule: matched.map(|rule| rule.id),
        version: matched.map(|rule| rule.version),
        policy: matched.and_then(|rule| rule.policy),
        reason: matched.map_or_else(
            || "No rule matched.".to_owned(),
            |rule| data::reason(&rule.name, rule.kind.as_deref().unwrap_or_default()),
        ),
    })
}

/// Returns the result that is stored with an idempotency key.
pub fn memory(id: Uuid) -> String {
    format!(r#"[{{"id":"{id}","outcome":"CREATED","errors":[]}}]"#)
}

/// Returns the fingerprint of the request that is stored with an idempotency key.
pub fn fingerprint(body: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
