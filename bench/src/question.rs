//! The eleven questions, in the form that each server needs.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{data, wire};

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Question {
    /// A point by id.
    Q1,
    /// 20 points, each with its top five expectations and its last three feedback records.
    Q2,
    /// A page of feedback records of a kind and a time range, newest first, deep in the list.
    Q3,
    /// Count and mean score by point and week.
    Q4,
    /// One new feedback record.
    Q5,
    /// A thousand new feedback records.
    Q6,
    /// A thousand new interactions, each with two assessments and an offer.
    Q7,
    /// The first page of the timeline of a customer.
    Q8,
    /// Feedback records with two words in their bodies.
    Q9,
    /// The first page of the work of a department.
    Q10,
    /// One new completed interaction, for which three playbooks make follow-ups.
    Q11,
}

/// The implementation of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Rapport,
    Limit,
    PostGraphile,
    Apollo,
}

/// The start of a page.
#[derive(Clone, Debug)]
pub struct Place {
    pub organization: usize,
    pub kind: &'static str,
    /// Rapport's cursor of the row before the page.
    pub cursor: String,
    /// Time of that row, in epoch milliseconds.
    pub at: i64,
    pub id: Uuid,
}

/// A question with its organization and arguments.
#[derive(Clone, Debug)]
pub enum Asked {
    Point { organization: usize, id: Uuid },
    Points { organization: usize },
    Page { place: Place, first: u32 },
    Groups { organization: usize },
    Create { organization: usize, record: Value },
    Upsert { organization: usize, rows: Vec<Value> },
    Interactions { organization: usize, rows: Vec<Value> },
    Timeline { organization: usize, id: Uuid, first: u32 },
    Search { text: String, first: u32 },
    Work { organization: usize, id: Uuid, first: u32 },
    Complete { organization: usize, interaction: Value },
}

/// The start of the time range of pages.
pub const FROM: &str = "2025-02-01T00:00:00Z";
/// The end of the time range of pages.
pub const TO: &str = "2025-12-01T00:00:00Z";

const RAPPORT: [&str; 11] = [
    "query Q1($id: ID!) { interactionPoint(by: {id: $id}) { id name kind description createdAt } }",
    "query Q2($first: Int!) { interactionPoints(first: $first) { nodes { id name kind \
     expectations(first: 5, filter: {rank: {isNull: false}}, orderBy: [{field: RANK}]) { nodes { id statement kind \
     importance rank } } feedbackRecords(first: 3, orderBy: [{field: RECEIVED_AT, direction: DESC}]) { nodes { id kind \
     sentimentScore body receivedAt } } } } }",
    "query Q3($first: Int!, $after: String, $kind: FeedbackKind!, $from: DateTime!, $to: DateTime!) { \
     feedbackRecords(first: $first, after: $after, filter: {kind: {eq: $kind}, receivedAt: {gte: $from, lt: $to}}, \
     orderBy: [{field: RECEIVED_AT, direction: DESC}]) { nodes { id kind sentimentScore body receivedAt } pageInfo { \
     hasNextPage endCursor } } }",
    "query Q4 { feedbackRecordGroups(groupBy: [POINT], bucket: {unit: WEEK}, orderBy: KEY, first: 3000) { groupCount \
     nodes { count bucketStart point { id } meanSentimentScore { mean n } } } }",
    "mutation Q5($input: FeedbackRecordCreateInput!) { feedbackRecordCreate(input: $input) { outcome isReplayed errors { \
     code } node { id receivedAt priority department { id } } } }",
    "mutation Q6($input: FeedbackRecordsBulkUpsertInput!) { feedbackRecordsBulkUpsert(input: $input) { errors { code } \
     results { index outcome node { id } } } }",
    "mutation Q7($input: InteractionsBulkUpsertInput!) { interactionsBulkUpsert(input: $input) { errors { code } \
     results { index outcome node { id } } } }",
    "query Q8($id: ID!, $first: Int!) { customer(by: {id: $id}) { id name timeline(first: $first) { edges { kind placedAt \
     node { ... on Interaction { id status purpose summary occurredAt } ... on Purchase { id product itemCount boughtAt } \
     ... on FeedbackRecord { id kind sentimentScore body receivedAt } } } pageInfo { hasNextPage endCursor } } } }",
    "query Q9($text: String!, $first: Int!) { search(text: $text, types: [FEEDBACK_RECORD], first: $first) { nodes { type \
     id field score snippet { text isMatch } } pageInfo { hasNextPage endCursor } } }",
    "query Q10($id: ID!, $first: Int!) { myWork(department: {id: $id}, first: $first) { edges { kind dueAt isOverdue node { \
     ... on Case { id title stage priority } ... on FollowUp { id title kind } } } pageInfo { hasNextPage endCursor } } }",
    "mutation Q11($input: InteractionCreateInput!) { interactionCreate(input: $input) { outcome errors { code } node { id } } }",
];

const POSTGRAPHILE: [&str; 5] = [
    "query Q1($organization: UUID!, $id: UUID!) { interactionPoint: interactionPointByOrganizationIdAndRowId(\
     organizationId: $organization, rowId: $id) { id: rowId name kind description createdAt } }",
    "query Q2($organization: UUID!, $first: Int!) { interactionPoints: allInteractionPoints(condition: {organizationId: \
     $organization}, first: $first, orderBy: [ROW_ID_ASC]) { nodes { id: rowId name kind \
     expectations: expectationsByOrganizationIdAndPointId(first: 5, orderBy: [RANK_ASC]) { nodes { id: rowId statement \
     kind importance rank } } feedbackRecords: feedbackRecordsByOrganizationIdAndPointId(first: 3, orderBy: \
     [RECEIVED_AT_DESC, ROW_ID_DESC]) { nodes { id: rowId kind sentimentScore body receivedAt } } } } }",
    "query Q3($organization: UUID!, $first: Int!, $kind: String!, $from: BigInt!, $to: BigInt!, $before: BigInt!, \
     $beforeId: UUID!) { feedbackRecords: benchPage(organization: $organization, wanted: $kind, since: $from, until: $to, \
     before: $before, beforeId: $beforeId, first: $first) { nodes { id: rowId kind sentimentScore body receivedAt } \
     pageInfo { hasNextPage endCursor } } }",
    "query Q4($organization: UUID!) { feedbackRecordGroups: benchGroups(organization: $organization) { nodes { count \
     bucketStart pointId mean n } } }",
    "mutation Q5($input: BenchCreateInput!) { feedbackRecordCreate: benchCreate(input: $input) { node: result { id: rowId \
     receivedAt priority departmentId } } }",
];

const APOLLO: [&str; 5] = [
    "query Q1($id: ID!) { interactionPoint(id: $id) { id name kind description createdAt } }",
    "query Q2($first: Int!) { interactionPoints(first: $first) { nodes { id name kind expectations(first: 5) { nodes { id \
     statement kind importance rank } } feedbackRecords(last: 3) { nodes { id kind sentimentScore body receivedAt } } } } }",
    "query Q3($first: Int!, $kind: String!, $from: DateTime!, $to: DateTime!, $before: DateTime!, $beforeId: ID!) { \
     feedbackRecords(first: $first, kind: $kind, from: $from, to: $to, before: $before, beforeId: $beforeId) { nodes { id \
     kind sentimentScore body receivedAt } pageInfo { hasNextPage endCursor } } }",
    "query Q4 { feedbackRecordGroups { nodes { count bucketStart point { id } meanSentimentScore { mean n } } } }",
    "mutation Q5($input: FeedbackRecordInput!) { feedbackRecordCreate(input: $input) { node { id receivedAt priority \
     department { id } } } }",
];

impl Asked {
    pub const fn question(&self) -> Question {
        match self {
            Self::Point { .. } => Question::Q1,
            Self::Points { .. } => Question::Q2,
            Self::Page { .. } => Question::Q3,
            Self::Groups { .. } => Question::Q4,
            Self::Create { .. } => Question::Q5,
            Self::Upsert { .. } => Question::Q6,
            Self::Interactions { .. } => Question::Q7,
            Self::Timeline { .. } => Question::Q8,
            Self::Search { .. } => Question::Q9,
            Self::Work { .. } => Question::Q10,
            Self::Complete { .. } => Question::Q11,
        }
    }

    pub const fn organization(&self) -> usize {
        match self {
            Self::Page { place, .. } => place.organization,
            Self::Point { organization, .. }
            | Self::Points { organization }
            | Self::Groups { organization }
            | Self::Create { organization, .. }
            | Self::Upsert { organization, .. }
            | Self::Interactions { organization, .. }
            | Self::Timeline { organization, .. }
            | Self::Work { organization, .. }
            | Self::Complete { organization, .. } => *organization,
            // The large one.
            Self::Search { .. } => 0,
        }
    }

    /// Returns the body of the request to a server.
    pub fn body(&self, kind: Kind, organization: Uuid) -> String {
        let number = self.question() as usize;
        let variables = self.variables(kind, organization);
        match kind {
            Kind::Limit => json!({ "variables": variables }),
            Kind::Rapport => json!({ "query": RAPPORT[number], "variables": variables }),
            Kind::PostGraphile => json!({ "query": POSTGRAPHILE[number], "variables": variables }),
            Kind::Apollo => json!({ "query": APOLLO[number], "variables": variables }),
        }
        .to_string()
    }

    fn variables(&self, kind: Kind, organization: Uuid) -> Value {
        let is_peer = matches!(kind, Kind::PostGraphile | Kind::Apollo);
        let mut variables = match self {
            Self::Point { id, .. } if is_peer => json!({ "id": id }),
            Self::Point { id, .. } => json!({ "id": wire::id("point", *id) }),
            Self::Points { .. } => json!({ "first": 20 }),
            Self::Page { place, first } => {
                let Place { kind: wanted, cursor, at, id, .. } = place;
                match kind {
                    Kind::Rapport => {
                        json!({ "first": first, "after": cursor, "kind": wanted, "from": FROM, "to": TO })
                    }
                    Kind::Limit => json!({ "first": first, "kind": wanted, "from": FROM, "to": TO, "before": at,
                        "beforeId": id }),
                    Kind::PostGraphile => {
                        let millis = |text| wire::millis(text).unwrap_or_default().to_string();
                        json!({ "first": first, "kind": wanted, "from": millis(FROM), "to": millis(TO),
                            "before": at.to_string(), "beforeId": id })
                    }
                    Kind::Apollo => json!({ "first": first, "kind": wanted, "from": FROM, "to": TO,
                        "before": wire::instant(*at), "beforeId": id }),
                }
            }
            Self::Groups { .. } => json!({}),
            Self::Create { record, .. } if is_peer => json!({ "input": peer_input(kind, record, organization) }),
            Self::Create { record, .. } => json!({ "input": record }),
            Self::Complete { interaction, .. } => json!({ "input": interaction }),
            Self::Timeline { id, first, .. } => json!({ "id": wire::id("cust", *id), "first": first }),
            Self::Work { id, first, .. } => json!({ "id": wire::id("dept", *id), "first": first }),
            Self::Search { text, first } => json!({ "text": text, "first": first }),
            Self::Upsert { rows, .. } | Self::Interactions { rows, .. } => json!({ "input": { "rows": rows } }),
        };
        let is_named = kind == Kind::PostGraphile && !matches!(self, Self::Create { .. });
        if let (true, Value::Object(fields)) = (is_named, &mut variables) {
            fields.insert("organization".to_owned(), json!(organization));
        }
        variables
    }

    /// Returns the part of a response that must be the same for every server.
    pub fn comparable(&self, answer: &Value) -> Value {
        let data = &answer["data"];
        match self {
            Self::Create { .. } => {
                let node = &data["feedbackRecordCreate"]["node"];
                let department = [&node["department"]["id"], &node["departmentId"]];
                let department = department.into_iter().find(|id| !id.is_null()).unwrap_or(&Value::Null);
                canonical(&json!([node["id"].is_string(), node["receivedAt"], node["priority"], department]))
            }
            Self::Upsert { .. } | Self::Interactions { .. } => {
                let upserted = [&data["feedbackRecordsBulkUpsert"], &data["interactionsBulkUpsert"]];
                let results = upserted.into_iter().find_map(|payload| payload["results"].as_array());
                let row = |row: &Value| json!([row["index"], row["outcome"], row["node"]["id"].is_string()]);
                json!(results.map(|results| results.iter().map(row).collect::<Vec<_>>()))
            }
            Self::Complete { .. } => {
                let made = &data["interactionCreate"];
                json!({ "outcome": made["outcome"], "errors": made["errors"], "hasNode": made["node"]["id"].is_string() })
            }
            Self::Groups { .. } => {
                let nodes = data["feedbackRecordGroups"]["nodes"].as_array();
                let first = |both: [&Value; 2]| both.into_iter().find(|it| !it.is_null()).cloned();
                let row = |row: &Value| {
                    let score = &row["meanSentimentScore"];
                    let (point, mean, n) = (&row["point"]["id"], &score["mean"], &score["n"]);
                    let own = (first([point, &row["pointId"]]), first([mean, &row["mean"]]), first([n, &row["n"]]));
                    canonical(&json!([row["count"], row["bucketStart"], own.0, own.1, own.2]))
                };
                json!(nodes.map(|nodes| nodes.iter().map(row).collect::<Vec<_>>()))
            }
            _ => canonical(data),
        }
    }
}

fn peer_input(kind: Kind, record: &Value, organization: Uuid) -> Value {
    let id = |reference: &Value| reference["id"].as_str().and_then(wire::uuid);
    let mut input = json!({
        "kind": record["kind"],
        "sentiment": record["sentiment"],
        "sentimentScore": record["sentimentScore"],
        "body": record["body"],
        "receivedAt": record["receivedAt"],
        "pointId": id(&record["pointRef"]),
        "mediumId": id(&record["mediumRef"]),
        "idempotencyKey": record["idempotencyKey"],
    });
    if let (Kind::PostGraphile, Value::Object(fields)) = (kind, &mut input) {
        let at = record["receivedAt"].as_str().and_then(wire::millis).unwrap_or_default();
        fields.insert("receivedAt".to_owned(), json!(at.to_string()));
        fields.insert("organizationId".to_owned(), json!(organization));
        fields.insert("fingerprint".to_owned(), json!(format!("{:016x}", data::mix(at as u64))));
    }
    input
}

/// Returns a canonical form of a value: ids without prefix, times and integers as numbers, no cursors.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| *name != "endCursor");
            Value::Object(kept.map(|(name, value)| (name.clone(), canonical(value))).collect())
        }
        Value::Array(items) => items.iter().map(canonical).collect(),
        Value::Number(number) => json!(number.as_f64()),
        Value::String(text) => {
            if let Some(id) = wire::uuid(text) {
                json!(id)
            } else if let Some(at) = wire::millis(text) {
                json!(at as f64)
            } else if let Ok(number) = text.parse::<i64>() {
                json!(number as f64)
            } else {
                value.clone()
            }
        }
        other => other.clone(),
    }
}
