//! What the example organization has to do today: members, promises, and cases of the last days, in `today.json`. It is
//! not in the file of complaints, so the import script does not send it. Times are relative to the first start.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::broken;
use crate::{Error, Result};

const TODAY: &str = include_str!("today.json");

/// A bulk upsert. `{ "hoursAgo": 2.5 }` in its rows is a time.
#[derive(Deserialize)]
struct Call {
    field: String,
    input: String,
    rows: Value,
}

/// Sends all calls in order. A repetition changes the times only, because every row has an external id.
pub(super) async fn load(now: DateTime<Utc>, execute: &impl AsyncFn(String, Value) -> Result<Value>) -> Result<()> {
    let calls: Vec<Call> = serde_json::from_str(TODAY).map_err(broken)?;
    for Call { field, input, mut rows } in calls {
        tell_times(&mut rows, now);
        let document = format!(
            "mutation Today($input: {input}!) {{ payload: {field}(input: $input) {{ errors {{ message path }} results {{ \
             errors {{ message path }} }} }} }}"
        );
        let answer = execute(document, json!({ "input": { "rows": rows } })).await?;
        let payload = &answer["data"]["payload"];
        let Some(results) = payload["results"].as_array() else {
            return Err(Error::internal(format!("the demo's {field} was refused: {answer}")));
        };
        if let Some(failed) = results.iter().chain([payload]).find(|part| part["errors"][0] != Value::Null) {
            return Err(Error::internal(format!("the demo's {field} was refused: {failed}")));
        }
    }
    Ok(())
}

/// Replaces the times.
fn tell_times(value: &mut Value, now: DateTime<Utc>) {
    match value {
        Value::Object(members) => match members.get("hoursAgo").and_then(Value::as_f64) {
            #[expect(clippy::cast_possible_truncation, reason = "a few thousand minutes")]
            Some(hours) => {
                let at = now - TimeDelta::minutes((hours * 60.0) as i64);
                *value = at.to_rfc3339_opts(SecondsFormat::Secs, true).into();
            }
            None => members.values_mut().for_each(|part| tell_times(part, now)),
        },
        Value::Array(parts) => parts.iter_mut().for_each(|part| tell_times(part, now)),
        _ => {}
    }
}
