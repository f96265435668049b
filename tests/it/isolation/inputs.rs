//! Mutations that name another organization's row, or use its keys.

use serde_json::{Value, json};

use super::{Neighbours, SECRET};
use crate::{
    app::App,
    fixture::{Extent, World, noun_of},
    outline::{Member, Outline},
    pointer::{Pointer, of_input, unknown_id},
};

/// What a mutation answers, without what names the row.
const PAYLOAD: &str = "{ outcome deletedId isReplayed node { id } errors { code message path } }";
const BULK: &str =
    "{ isReplayed errors { code message path } results { index outcome node { id } errors { code message path } } }";

fn selection(field: &Member) -> &'static str {
    if field.base().ends_with("BulkPayload") { BULK } else { PAYLOAD }
}

/// The errors of a payload: of its rows, if it has any.
fn errors(payload: &Value) -> Vec<Value> {
    let own = payload["errors"].as_array().unwrap();
    let rows = payload["results"].as_array().into_iter().flatten();
    let inner: Vec<Value> = rows.flat_map(|row| row["errors"].as_array().unwrap().clone()).collect();
    if inner.is_empty() { own.clone() } else { inner }
}

#[tokio::test]
async fn naming_a_row_of_another_organization_is_naming_no_row() {
    let (app, outline) = (App::start().await, Outline::read());
    let both = Neighbours::settle(&app, &outline).await;
    // About rows in states that allow the change.
    let mut sound = Vec::new();
    for field in outline.mutations() {
        sound.push(json!({"input": both.curious.ready_input(field).await}));
    }
    let own = app.dump(both.curious.caller.organization()).await;
    let mut cases = 0;
    for (field, sound) in outline.mutations().iter().zip(sound) {
        let document = Outline::document("mutation", field, selection(field));
        for pointer in of_input(&outline, field) {
            for (hidden, unknown) in pointer.names(&both.hidden) {
                let answer = both.alike(&document, pointer.put(&sound, &hidden), pointer.put(&sound, &unknown)).await;
                let payload = &answer["data"][&field.name];
                assert_eq!(payload.get("deletedId").unwrap_or(&Value::Null), &Value::Null);
                let errors = errors(payload);
                cases += 1;
                if pointer.part_depth() > 0 {
                    // By an external id it may be a new part, and other fields of the part may be missing.
                    assert_ne!(errors, Vec::<Value>::new(), "{} {pointer:?} {answer:#}", field.name);
                    continue;
                }
                assert_eq!(errors.len(), 1, "{} {pointer:?} {answer:#}", field.name);
                assert_eq!(errors[0]["code"], "NOT_FOUND", "{} {pointer:?} {answer:#}", field.name);
                assert!(
                    errors[0]["path"].as_array().unwrap().iter().any(|part| part == pointer_field(&pointer)),
                    "{} {pointer:?} {answer:#}",
                    field.name
                );
            }
        }
    }
    assert!(cases > 80, "only {cases} cases were found");
    both.assert_unchanged().await;
    assert_eq!(app.dump(both.curious.caller.organization()).await, own, "a refused mutation has left something");
}

/// Sets name their items by place.
fn pointer_field(pointer: &Pointer) -> &str {
    if pointer.field() == "influencer" { "influencers" } else { pointer.field() }
}

#[tokio::test]
async fn an_empty_change_of_a_row_of_another_organization_finds_no_row() {
    let (app, outline) = (App::start().await, Outline::read());
    let both = Neighbours::settle(&app, &outline).await;
    let updates = outline.mutations().iter().filter(|field| field.name.ends_with("Update"));
    for field in updates.filter(|field| outline.input(field.arguments[0].base(), "by").is_some()) {
        let document = Outline::document("mutation", field, PAYLOAD);
        let hidden = &both.hidden.newest(noun_of(field)).id;
        let input = |id: &str| json!({"input": {"by": {"id": id}}});
        let answer = both.alike(&document, input(hidden), input(&unknown_id(noun_of(field)))).await;
        assert_eq!(answer["data"][&field.name]["errors"][0]["code"], "NOT_FOUND", "{answer:#}");
        assert_eq!(answer["data"][&field.name]["node"], Value::Null);
    }
    both.assert_unchanged().await;
}

#[tokio::test]
async fn an_update_of_the_organization_changes_the_callers_own() {
    let (app, outline) = (App::start().await, Outline::read());
    let both = Neighbours::settle(&app, &outline).await;
    let document = r#"mutation { organizationUpdate(input: {name: "Mine"}) { node { id name } outcome } }"#;
    let (answer, _) = both.probe(document, json!({})).await;
    let expected = json!({"id": both.curious.newest("Organization").id, "name": "Mine"});
    assert_eq!(answer["data"]["organizationUpdate"], json!({"node": expected, "outcome": "UPDATED"}));
    both.assert_unchanged().await;
}

#[tokio::test]
async fn an_upsert_by_the_external_id_of_another_organization_makes_an_own_row() {
    let (app, outline) = (App::start().await, Outline::read());
    let both = Neighbours::settle(&app, &outline).await;
    for field in outline.mutations().iter().filter(|field| field.name.ends_with("Upsert")) {
        let document = Outline::document("mutation", field, selection(field));
        let is_bulk = field.base().ends_with("BulkPayload");
        let same = both.hidden.rows[noun_of(field)][usize::from(is_bulk)].external.clone().unwrap();
        let mut input = both.curious.input(field, Extent::Full);
        if is_bulk {
            input["rows"][0]["externalId"] = same;
        } else {
            input["externalId"] = same;
        }
        input.as_object_mut().unwrap().remove("externalIds");
        if let Some(rows) = input.get_mut("rows") {
            rows[0].as_object_mut().unwrap().remove("externalIds");
        }
        let reply = both.curious.caller.run(&document, json!({"input": input})).await.body;
        let payload = &reply["data"][&field.name];
        let row = if is_bulk { &payload["results"][0] } else { payload };
        assert_eq!(row["outcome"], "CREATED", "{} {reply:#}", field.name);
        let made = row["node"]["id"].as_str().unwrap();
        assert!(!both.hidden.ids().contains(made), "{} {reply:#}", field.name);
        let again = both.curious.caller.run(&document, json!({"input": input})).await.body;
        let payload = &again["data"][&field.name];
        let row = if is_bulk { &payload["results"][0] } else { payload };
        assert_eq!((&row["outcome"], &row["node"]["id"]), (&json!("UNCHANGED"), &json!(made)), "{again:#}");
    }
    both.assert_unchanged().await;
}

#[tokio::test]
async fn external_ids_of_another_organization_are_not_taken() {
    let (app, outline) = (App::start().await, Outline::read());
    let both = Neighbours::settle(&app, &outline).await;
    for field in outline.mutations() {
        if outline.input(field.arguments[0].base(), "externalIds").is_none() {
            continue;
        }
        let document = Outline::document("mutation", field, PAYLOAD);
        let row = &both.hidden.rows[noun_of(field)][0];
        let mut input = both.curious.input(field, Extent::Full);
        let system = format!("crm of {}", field.name);
        let mut theirs = row.external.clone().unwrap();
        theirs["system"] = json!(system);
        let give = json!({"input": {"by": { "id": row.id }, "externalIds": [theirs]}});
        let update =
            outline.mutations().iter().find(|known| noun_of(known) == noun_of(field) && known.name.ends_with("Update"));
        // What is only added gets no further external ids.
        let Some(update) = update else { continue };
        let given = Outline::document("mutation", update, PAYLOAD);
        let reply = both.hidden.caller.run(&given, give).await.body;
        assert_eq!(reply["data"][&update.name]["outcome"], "UPDATED", "{reply:#}");
        input["externalIds"] = json!([theirs]);
        let reply = both.curious.caller.run(&document, json!({"input": input})).await.body;
        assert_eq!(reply["data"][&field.name]["errors"], json!([]), "{} {reply:#}", field.name);
    }
}

#[tokio::test]
async fn idempotency_keys_of_two_organizations_are_independent() {
    let (app, outline) = (App::start().await, Outline::read());
    let hidden = World::filled(&outline, app.admin("hidden").await, SECRET).await;
    let curious = World::filled(&outline, app.admin("curious").await, "Beta").await;
    // Deletions and erasures last: the others need the rows.
    let (last, first): (Vec<_>, Vec<_>) =
        outline.mutations().iter().partition(|field| field.name.ends_with("Delete") || field.name.ends_with("Erase"));
    for field in first.into_iter().chain(last) {
        let document = Outline::document("mutation", field, selection(field));
        for world in [&hidden, &curious] {
            let mut input = world.ready_input(field).await;
            input["idempotencyKey"] = json!(field.name);
            let reply = world.caller.run(&document, json!({"input": input})).await.body;
            let payload = &reply["data"][&field.name];
            assert_eq!(payload["isReplayed"], json!(false), "{} {reply:#}", field.name);
            // What is deleted once is not found by the other mutation that deletes it.
            let is_gone = field.name.ends_with("BulkDelete");
            let is_reported = |error: &Value| error["code"] == "IN_USE" || (is_gone && error["code"] == "NOT_FOUND");
            let told =
                if is_gone { payload["results"][0]["errors"].as_array().unwrap().clone() } else { errors(payload) };
            assert!(told.iter().all(is_reported), "{} {reply:#}", field.name);
        }
    }
}
