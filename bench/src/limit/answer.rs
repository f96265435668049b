//! Responses of the limit: the same JSON as Rapport returns for the same question.

use serde::Serialize;

/// Returns the response body with one root field.
pub fn write<T: Serialize>(field: &str, value: &T) -> Vec<u8> {
    let mut json = Vec::with_capacity(4_096);
    json.extend_from_slice(b"{\"data\":{\"");
    json.extend_from_slice(field.as_bytes());
    json.extend_from_slice(b"\":");
    serde_json::to_writer(&mut json, value).expect("these values can be written");
    json.extend_from_slice(b"}}");
    json
}

#[derive(Serialize)]
pub struct Nodes<T> {
    pub nodes: Vec<T>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Point<'a> {
    pub id: String,
    pub name: &'a str,
    pub kind: &'a str,
    pub description: Option<&'a str>,
    pub created_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FullPoint<'a> {
    pub id: String,
    pub name: &'a str,
    pub kind: &'a str,
    pub expectations: Nodes<Expectation<'a>>,
    pub feedback_records: Nodes<Record<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Expectation<'a> {
    pub id: String,
    pub statement: &'a str,
    pub kind: &'a str,
    pub importance: Option<i64>,
    pub rank: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record<'a> {
    pub id: String,
    pub kind: &'a str,
    pub sentiment_score: Option<f64>,
    pub body: Option<&'a str>,
    pub received_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<'a> {
    pub nodes: Vec<Record<'a>>,
    pub page_info: PageInfo,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PageInfo {
    pub has_next_page: bool,
    pub end_cursor: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Groups {
    pub group_count: usize,
    pub nodes: Vec<Group>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    pub count: i64,
    pub bucket_start: String,
    pub point: StringEnum,
    pub mean_sentiment_score: Mean,
}

#[derive(Serialize)]
pub struct StringEnum {
    pub id: String,
}

#[derive(Serialize)]
pub struct Mean {
    pub mean: Option<f64>,
    pub n: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Created<'a> {
    pub outcome: &'a str,
    pub is_replayed: bool,
    pub errors: [(); 0],
    pub node: CreatedNode,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedNode {
    pub id: String,
    pub received_at: String,
    pub priority: String,
    pub department: StringEnum,
}

#[derive(Serialize)]
pub struct Upserted<'a> {
    pub errors: [(); 0],
    pub results: Vec<UpsertedRow<'a>>,
}

#[derive(Serialize)]
pub struct UpsertedRow<'a> {
    pub index: usize,
    pub outcome: &'a str,
    pub node: StringEnum,
}
