//! The data of `rapport demo`: the same calls as those of `examples/complaints/import.py`, from the same mapping file, and
//! what is to be done today.

mod mapping;
mod seed;
mod today;

use std::collections::{BTreeMap, HashMap};

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use self::mapping::{Mapping, Step};
pub use self::seed::{SLUG, actor, seed};
use crate::{Error, Result};

/// The ids of the rows that the steps created, by step and external id.
type Ids = HashMap<(String, String), Value>;

/// Number of rows per outcome; `REPLAYED` counts the rows of replayed calls.
pub type Outcomes = BTreeMap<String, usize>;

/// Sends all calls in order. `execute` runs a document with its variables and returns the response, `data` and
/// `errors`.
pub async fn load(execute: impl AsyncFn(String, Value) -> Result<Value>) -> Result<Outcomes> {
    let mapping = Mapping::read()?;
    let (mut ids, mut outcomes) = (Ids::new(), Outcomes::new());
    for step in &mapping.steps {
        let groups = mapping.groups(step);
        let items = groups.iter().map(|group| mapping.item(&step.item, group, &ids)).collect::<Result<Vec<_>>>()?;
        for input in calls(step, items) {
            let answer = execute(step.document.clone(), json!({ "input": input })).await?;
            take(&step.name, &input, &answer, &mut ids, &mut outcomes)?;
            tracing::debug!(step = step.name, "sent");
        }
    }
    Ok(outcomes)
}

/// Returns the inputs of a step's calls. Each has an idempotency key derived from its content, so a repetition is
/// replayed.
fn calls(step: &Step, items: Vec<Value>) -> Vec<Value> {
    let contents = match step.batch {
        Some(size) => items.chunks(size).map(|rows| json!({ "rows": rows })).collect(),
        None => items,
    };
    let keyed = contents.into_iter().map(|mut content| {
        content["idempotencyKey"] = format!("{}-{}", step.name, fingerprint(&content.to_string())).into();
        content
    });
    keyed.collect()
}

/// Checks a response, counts its outcomes and stores the ids in it.
fn take(step: &str, input: &Value, answer: &Value, ids: &mut Ids, outcomes: &mut Outcomes) -> Result<()> {
    let payload = &answer["data"]["payload"];
    let (rows, results) = match (&input["rows"], &payload["results"]) {
        (Value::Array(rows), Value::Array(results)) => (&rows[..], &results[..]),
        _ => (std::slice::from_ref(input), std::slice::from_ref(payload)),
    };
    let failed = [answer, payload]
        .into_iter()
        .chain(results)
        .map(|part| &part["errors"])
        .find(|errors| errors[0] != Value::Null);
    if failed.is_some() || payload.is_null() || rows.len() != results.len() {
        return Err(Error::internal(format!("the demo's {step} were refused: {}", failed.unwrap_or(answer))));
    }
    for (row, result) in rows.iter().zip(results) {
        let outcome =
            if payload["isReplayed"] == true { "REPLAYED" } else { result["outcome"].as_str().unwrap_or_default() };
        *outcomes.entry(outcome.to_owned()).or_default() += 1;
        if let Value::String(id) = &result["node"]["id"] {
            ids.insert((step.to_owned(), plain(&row["externalId"]["id"])), id.as_str().into());
        }
    }
    Ok(())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// Returns the first half of the SHA-256 digest, in hexadecimal.
fn fingerprint(text: &str) -> String {
    let mut half = [0; 16];
    half.copy_from_slice(&digest(&SHA256, text.as_bytes()).as_ref()[..16]);
    format!("{:032x}", u128::from_be_bytes(half))
}

fn broken(reason: impl std::fmt::Display) -> Error {
    Error::internal(format!("the demo's data: {reason}"))
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, process::Command};

    use super::*;

    /// Returns the response that `import.py --print` assumes.
    fn answer(input: &Value) -> Value {
        let payload = match &input["rows"] {
            Value::Array(rows) => {
                let made = |row: &Value| {
                    let id = format!("id of {}", plain(&row["externalId"]["id"]));
                    json!({ "outcome": "CREATED", "node": { "id": id }, "errors": [] })
                };
                json!({ "isReplayed": false, "results": rows.iter().map(made).collect::<Value>(), "errors": [] })
            }
            _ => json!({ "isReplayed": false, "outcome": "UPDATED", "errors": [] }),
        };
        json!({ "data": { "payload": payload } })
    }

    #[tokio::test]
    async fn the_demo_sends_what_the_import_script_sends() {
        let sent = RefCell::new(Vec::new());
        let outcomes = load(async |query, variables| {
            let answer = answer(&variables["input"]);
            sent.borrow_mut().push(json!({ "query": query, "variables": variables }));
            Ok(answer)
        });
        let outcomes = outcomes.await.unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/complaints/import.py");
        let output = Command::new("python3").args([script, "--print"]).output().expect("python3 runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).unwrap();
        let expected: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let sent = sent.into_inner();
        assert_eq!(sent.len(), expected.len());
        for (sent, expected) in sent.iter().zip(&expected) {
            assert_eq!(sent, expected);
        }
        assert_eq!(outcomes, Outcomes::from([("CREATED".to_owned(), 9811), ("UPDATED".to_owned(), 124)]));
    }

    #[tokio::test]
    async fn a_refused_row_stops_the_demo() {
        let refusal = json!({ "data": { "payload": { "isReplayed": false, "errors": [], "results": [
            { "outcome": "FAILED", "errors": [{ "code": "TAKEN" }] },
        ] } } });
        assert!(load(async |_, _| Ok(refusal.clone())).await.is_err());
        assert!(load(async |_, _| Ok(json!({ "data": null, "errors": [{ "message": "no" }] }))).await.is_err());
    }
}
