//! The variables of each question.

use anyhow::{Context, Result};
use serde::{Deserialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::wire;

/// The body of a request.
#[derive(Deserialize)]
struct Body<T> {
    variables: T,
}

/// Parses the variables from a request body.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    Ok(serde_json::from_slice::<Body<T>>(body)?.variables)
}

#[derive(Deserialize)]
pub struct Point {
    pub id: String,
}

#[derive(Deserialize)]
pub struct Points {
    pub first: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    pub kind: String,
    pub from: String,
    pub to: String,
    pub before: i64,
    pub before_id: Uuid,
    pub first: i64,
}

impl Page {
    /// Returns the time range in epoch milliseconds.
    pub fn range(&self) -> Result<(i64, i64)> {
        wire::millis(&self.from).zip(wire::millis(&self.to)).context("no range")
    }
}

#[derive(Deserialize)]
pub struct Reference {
    pub id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExternalId {
    pub system: String,
    pub id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    pub external_id: Option<ExternalId>,
    pub kind: String,
    pub sentiment: Option<String>,
    pub sentiment_score: Option<f64>,
    pub body: String,
    pub received_at: String,
    pub point_ref: Reference,
    pub medium_ref: Reference,
    pub idempotency_key: Option<String>,
}

impl Record {
    /// Returns the ids of the point and the medium.
    pub fn references(&self) -> Result<(Uuid, Uuid)> {
        wire::uuid(&self.point_ref.id).zip(wire::uuid(&self.medium_ref.id)).context("no reference")
    }

    /// Returns the time of receipt in epoch milliseconds.
    pub fn received(&self) -> Result<i64> {
        wire::millis(&self.received_at).context("no instant")
    }
}

#[derive(Deserialize)]
pub struct Create {
    pub input: Record,
}

#[derive(Deserialize)]
pub struct Rows {
    pub rows: Vec<Record>,
}

#[derive(Deserialize)]
pub struct Bulk {
    pub input: Rows,
}

#[derive(Deserialize)]
pub struct Timeline {
    pub id: String,
    pub first: i64,
}

#[derive(Deserialize)]
pub struct Search {
    pub text: String,
    pub first: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Completed {
    pub status: String,
    pub direction: String,
    pub purpose: String,
    pub summary: String,
    pub point_ref: Reference,
    pub medium_ref: Reference,
    pub customer_ref: Reference,
}

#[derive(Deserialize)]
pub struct Complete {
    pub input: Completed,
}

#[derive(Deserialize)]
pub struct Parts<T> {
    pub upsert: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assessment {
    pub outcome: String,
    pub expected: i64,
    pub perceived: i64,
    pub verified_by: String,
    pub assessed_at: String,
    pub expectation_ref: Reference,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OfferMade {
    pub status: String,
    pub offer_ref: Reference,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Interaction {
    pub external_id: ExternalId,
    pub status: String,
    pub direction: String,
    pub purpose: String,
    pub occurred_at: String,
    pub summary: String,
    pub point_ref: Reference,
    pub medium_ref: Reference,
    pub customer_ref: Reference,
    pub assessments: Parts<Assessment>,
    pub offers_made: Parts<OfferMade>,
}

#[derive(Deserialize)]
pub struct InteractionRows {
    pub rows: Vec<Interaction>,
}

#[derive(Deserialize)]
pub struct Interactions {
    pub input: InteractionRows,
}
