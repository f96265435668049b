//! Canaries as mistakes: at every place of every mutation's input, in arguments, filters and cursors.

use serde_json::{Value, json};

use super::{Canaries, Served, hold, plant::OUTLINE, refused};
use crate::{
    fixture::{Extent, World},
    outline::{Kind, Outline},
};

/// What a mutation is asked for: nothing that was stored.
pub const TOLD: &str = "{ errors { code message path } }";
const TOLD_ROWS: &str = "{ results { index errors { code message path } } }";

/// The document of a mutation that answers with mistakes only.
pub fn document(field: &crate::outline::Member) -> String {
    let told = if field.base().ends_with("BulkPayload") { TOLD_ROWS } else { TOLD };
    Outline::document("mutation", field, told)
}

/// Sends all of it; answers how many requests there were.
pub async fn mistake(served: &Served, world: &World<'_>, canaries: &Canaries) -> usize {
    let mut sent = 0;
    for field in OUTLINE.mutations() {
        let input = world.input(field, Extent::Full);
        let document = document(field);
        let mut leaves = Vec::new();
        places(&input, String::new(), &mut leaves);
        let mut wrong = Vec::new();
        let put = |texts: &[(&String, String)]| {
            let mut input = input.clone();
            for (place, text) in texts {
                *input.pointer_mut(place).unwrap() = text.as_str().into();
            }
            input
        };
        for place in &leaves {
            wrong.push(put(&[(place, canaries.plant(&format!("{} {place}", field.name)))]));
        }
        // What is too long, and what no database takes, everywhere at once.
        let everywhere = canaries.plant(&field.name);
        for text in [format!("{everywhere}\0\u{1b}[2J\r\n"), everywhere.repeat(2_300)] {
            wrong.push(put(&leaves.iter().map(|place| (place, text.clone())).collect::<Vec<_>>()));
        }
        for input in wrong {
            let reply = refused(&field.name, served.ask(&document, &json!({ "input": input }))).await;
            let is_ours = reply.codes().iter().all(|code| code != "INTERNAL_SERVER_ERROR");
            hold(is_ours && [200, 400].contains(&reply.status), || format!("{}: {reply:?}", field.name));
            sent += 1;
        }
        let canary = canaries.plant("a literal");
        for literal in [format!("\"{canary}\""), format!("{{x: \"{canary}\"}}")] {
            let text = format!("mutation {{ {}(input: {literal}) {{ __typename }} }}", field.name);
            refused(&text, served.ask(&text, &json!({}))).await;
            sent += 1;
        }
    }
    for field in OUTLINE.queries() {
        for argument in &field.arguments {
            let mut values = vec![json!(canaries.plant(&argument.name)), json!([canaries.plant(&argument.name)])];
            if let Some(Kind::Input(members)) = OUTLINE.types.get(argument.base()) {
                for member in members {
                    for operator in ["eq", "some"] {
                        values.push(json!({ &member.name: { operator: canaries.plant(&member.name) } }));
                    }
                }
            }
            for value in values {
                let selection = OUTLINE.select(&field.ty, 0);
                // Only what is asked about: the rest of the arguments would hide the mistake.
                let text =
                    format!("query($v: {}) {{ {}({}: $v) {selection} }}", argument.ty, field.name, argument.name);
                refused(&text, served.ask(&text, &json!({ "v": value }))).await;
                sent += 1;
            }
        }
    }
    sent
}

/// The pointers of all values that are no objects or lists.
fn places(value: &Value, path: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| places(value, format!("{path}/{name}"), found)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| places(value, format!("{path}/{at}"), found));
        }
        _ => found.push(path),
    }
}
