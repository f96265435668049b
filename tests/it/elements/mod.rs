//! What is said of an interaction point, through the API: assumptions, objectives, desired results, offers, evidence.

mod assumptions;
mod evidence;
mod objectives;
mod offers;
mod results;

use serde_json::{Value, json};

use crate::app::{App, Caller};
pub use crate::journeys::{TOLD, by_id, made, mistakes, one, point};

/// What came of one row of a mutation or of a bulk call: outcome, and codes with paths.
pub type Outcome = (String, Vec<(String, Vec<String>)>);

pub fn outcome(payload: &Value) -> Outcome {
    (payload["outcome"].as_str().unwrap().to_owned(), mistakes(payload))
}

/// Runs mutations that must be refused, each with the one code and path told, and sees that nothing was written.
pub async fn refused(app: &App, caller: &Caller<'_>, cases: Vec<(&str, Value, &str, &str)>) {
    let before = app.dump(caller.organization()).await;
    for (field, input, code, path) in cases {
        let payload = caller.mutate(field, input.clone(), TOLD).await;
        assert_eq!(mistakes(&payload), one(code, &[path]), "{field} {input}");
        assert_eq!(payload["outcome"], "FAILED", "{field} {input}");
    }
    assert_eq!(app.dump(caller.organization()).await, before);
}

/// What a list of a noun shows in one field, in the order of creation.
pub async fn listed(caller: &Caller<'_>, noun: &str, list: &str, field: &str, filter: Value) -> Vec<String> {
    let document = format!("query($filter: {noun}Filter) {{ {list}(filter: $filter) {{ nodes {{ {field} }} }} }}");
    let data = caller.data(&document, json!({ "filter": filter })).await;
    let nodes = data[list]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node[field].as_str().unwrap().to_owned()).collect()
}

/// A new row of the noun whose mutations begin with `noun`, at `point` if it belongs to one, called `name`.
async fn element(caller: &Caller<'_>, noun: &str, point: &str, name: &str) -> String {
    let at = by_id(point);
    let input = match noun {
        "interactionPoint" | "influencer" => json!({ "name": name }),
        "expectation" => json!({ "statement": name, "source": "RESEARCH", "pointRef": at }),
        "assumption" => json!({ "statement": name, "about": "PRODUCT", "pointRef": at }),
        "objective" => json!({ "statement": name, "owner": "PERSON", "pointRef": at }),
        "desiredResult" => json!({ "statement": name, "pointRef": at }),
        "offer" => json!({ "name": name, "kind": "EXTRA", "customerBenefit": "Joy", "organizationBenefit": "Trust" }),
        "evidence" => json!({ "title": name, "kind": "QUALITATIVE" }),
        other => panic!("there is no {other}"),
    };
    made(caller, &format!("{noun}Create"), input).await
}
