//! Rows of a bulk call that are not of their type: each fails by itself, as one with a wrong value does.

use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    fixture::{Extent, World},
    outline::{Kind, Member, Outline, codes},
};

const PAYLOAD: &str = "{ isReplayed errors { code path } results { outcome errors { code path } } }";

fn bulk_upserts(outline: &Outline) -> impl Iterator<Item = (&Member, &str)> {
    outline.mutations().iter().filter(|field| field.name.ends_with("BulkUpsert")).map(|field| {
        let rows = outline.input(field.arguments[0].base(), "rows").unwrap();
        (field, rows.base())
    })
}

/// A value that is none of the type, and what more of the path leads to it.
fn wrong(outline: &Outline, ty: &str) -> (Value, Vec<Value>) {
    if ty.starts_with('[') {
        let (item, mut path) = wrong(outline, crate::outline::base(ty));
        path.insert(0, json!("0"));
        return (json!([item]), path);
    }
    let ty = crate::outline::base(ty);
    match outline.types.get(ty) {
        Some(Kind::Input(members)) => match members.iter().find(|member| member.is_required()) {
            Some(required) => (json!({}), vec![json!(required.name)]),
            None => (json!({ "nothing": 1 }), vec![json!("nothing")]),
        },
        Some(Kind::Enum(_)) => (json!("NO_SUCH_VALUE"), vec![]),
        _ if ["String", "TimeZone"].contains(&ty) => (json!(7), vec![]),
        _ => (json!({ "high": true }), vec![]),
    }
}

/// For each field of the noun a row in which it is of another type, with the path that leads there.
fn wrong_rows(outline: &Outline, row: &str) -> Vec<(Value, Vec<Value>)> {
    let named = |place: usize| json!({ "externalId": { "system": "wrong", "id": place.to_string() } });
    let mut rows: Vec<(Value, Vec<Value>)> = Vec::new();
    for member in outline.inputs(row) {
        let mut input = named(rows.len());
        let (value, more) = wrong(outline, &member.ty);
        input[&member.name] = value;
        rows.push((input, std::iter::once(json!(member.name)).chain(more).collect()));
    }
    let mut unknown = named(rows.len());
    unknown["colour"] = json!("red");
    rows.push((unknown, vec![json!("colour")]));
    rows.push((json!({}), vec![json!("externalId")]));
    rows.push((json!({ "externalId": null }), vec![json!("externalId")]));
    rows.push((json!({ "externalId": "7" }), vec![json!("externalId")]));
    rows.push((
        json!({ "externalId": { "system": "crm", "id": "7", "mia@example.com": 1 } }),
        vec![json!("externalId")],
    ));
    rows.push((Value::Null, vec![]));
    rows.push((json!("high"), vec![]));
    rows
}

async fn run(caller: &Caller<'_>, field: &Member, input: &Value) -> Value {
    let mut reply = caller.run(&Outline::document("mutation", field, PAYLOAD), json!({ "input": input })).await.body;
    assert_eq!(reply.get("errors"), None, "{} {reply:#}", field.name);
    reply["data"][&field.name].take()
}

#[tokio::test]
async fn a_row_of_another_type_fails_alone_in_every_noun() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "Alpha").await;
    let mut cases = 0;
    for (field, row) in bulk_upserts(&outline) {
        let wrong = wrong_rows(&outline, row);
        let mut input = world.input(field, Extent::Full);
        let sound = input["rows"][0].clone();
        input["rows"] = wrong.iter().map(|(row, _)| row.clone()).collect();
        input["rows"].as_array_mut().unwrap().push(sound);
        let before = app.dump(world.caller.organization()).await;

        let all = run(&world.caller, field, &input).await;
        assert_eq!(all["errors"], json!([{ "code": "INVALID", "path": ["rows", "0"] }]), "{}", field.name);
        assert!(all["results"].as_array().unwrap().iter().all(|result| result["outcome"] == "FAILED"));
        assert_eq!(app.dump(world.caller.organization()).await, before, "{}", field.name);

        input["policy"] = json!("SKIP_INVALID");
        input["idempotencyKey"] = json!(field.name);
        let mut some = run(&world.caller, field, &input).await;
        for (result, (given, path)) in some["results"].as_array().unwrap().iter().zip(&wrong) {
            let errors = result["errors"].as_array().unwrap();
            assert_eq!((&result["outcome"], errors.len()), (&json!("FAILED"), 1), "{} {given} {result:#}", field.name);
            assert_eq!(errors[0]["path"], json!(path), "{} {given} {result:#}", field.name);
            assert!(["INVALID", "REQUIRED"].map(|code| json!(code)).contains(&errors[0]["code"]), "{given} {result:#}");
            cases += 1;
        }
        let last = some["results"].as_array().unwrap().last().unwrap();
        assert_ne!(last["outcome"], "FAILED", "{} {last:#}", field.name);
        let again = run(&world.caller, field, &input).await;
        assert_eq!(some["isReplayed"].take(), json!(false));
        some["isReplayed"] = json!(true);
        assert_eq!(again, some, "{}", field.name);
    }
    assert!(cases > 100, "only {cases} cases were found");
}

fn row(id: usize, mut more: Value) -> Value {
    let mut row = json!({ "externalId": { "system": "crm", "id": id.to_string() }, "name": format!("Point {id}") });
    row.as_object_mut().unwrap().append(more.as_object_mut().unwrap());
    row
}

#[tokio::test]
async fn several_of_a_thousand_fail_and_all_others_are_stored() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let mut rows: Vec<Value> = (0..1_000).map(|id| row(id, json!({ "kind": "OTHER" }))).collect();
    let wrong = [
        (3, json!({ "kind": "NO_SUCH" }), json!([["INVALID", ["kind"]]])),
        (500, json!({ "name": 7, "promise": [] }), json!([["INVALID", ["name"]], ["INVALID", ["promise"]]])),
        (501, json!({ "ownerRef": { "id": "x", "externalId": null } }), json!([["INVALID", ["ownerRef"]]])),
        (999, json!({ "externalIds": [{ "system": "erp" }] }), json!([["REQUIRED", ["externalIds", "0", "id"]]])),
    ];
    for (place, more, _) in &wrong {
        rows[*place] = row(*place, more.clone());
    }
    let input = json!({ "rows": rows, "policy": "SKIP_INVALID" });
    let done = caller.mutate("interactionPointsBulkUpsert", input, "results { outcome errors { code path } }").await;
    for (place, result) in done["results"].as_array().unwrap().iter().enumerate() {
        let expected = wrong.iter().find(|(wrong, ..)| *wrong == place).map(|(.., errors)| errors.clone());
        let told = |error: &Value| json!([error["code"], error["path"]]);
        let errors: Vec<Value> = result["errors"].as_array().unwrap().iter().map(told).collect();
        assert_eq!(json!(errors), expected.unwrap_or(json!([])), "{place}");
    }
    assert_eq!(caller.ask("{ interactionPoints { totalCount } }").await["interactionPoints"]["totalCount"], 996);
}

#[tokio::test]
async fn rows_are_judged_alike_however_they_are_given() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let field = "feedbackRecordsBulkUpsert";
    let record =
        |id: &str, nps: Value| json!({ "externalId": { "system": "s", "id": id }, "kind": "PRAISE", "nps": nps });
    let (sound, wrong) = (|id| record(id, json!(5.0)), |id| record(id, json!("high")));
    let answer = "{ results { outcome errors { code path } } }";
    let ways = [
        (
            format!("($rows: [FeedbackRecordUpsertRow!]!) {{ {field}(input: {{ rows: $rows, policy: SKIP_INVALID }})"),
            ["a", "b"],
        ),
        (
            format!(
                "($a: FeedbackRecordUpsertRow!, $b: FeedbackRecordUpsertRow!) {{
                {field}(input: {{ rows: [$a, $b], policy: SKIP_INVALID }})"
            ),
            ["c", "d"],
        ),
        (
            format!(
                "($rows: [FeedbackRecordUpsertRow!]!, $yes: Boolean = true) {{
                {field}(input: {{ rows: $rows, policy: SKIP_INVALID }}) @include(if: $yes)"
            ),
            ["e", "f"],
        ),
    ];
    for (way, ids) in ways {
        // The second time nothing has to be validated.
        for outcome in ["CREATED", "UNCHANGED"] {
            let (a, b) = (sound(ids[0]), wrong(ids[1]));
            let variables = json!({ "rows": [a, b], "a": a, "b": b });
            let data = caller.data(&format!("mutation{way} {answer} }}"), variables).await;
            let results = json!([
                { "outcome": outcome, "errors": [] },
                { "outcome": "FAILED", "errors": [{ "code": "INVALID", "path": ["nps"] }] },
            ]);
            assert_eq!(data[field]["results"], results, "{way}");
        }
    }
    let literal = format!(
        "mutation {{ {field}(input: {{ rows: [{{ externalId: {{ system: \"s\", id: \"z\" }}, nps: \"high\" }}] }}) {answer} }}"
    );
    assert_eq!(codes(&caller.run(&literal, json!({})).await.body), ["GRAPHQL_VALIDATION_FAILED"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_row_is_told_in_bounds_and_names_nobody() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let mut many = row(1, json!({}));
    for place in 0..1_000 {
        many[format!("unknown{place}")] = json!(1);
    }
    let rows = [many, row(2, json!({ "mia@example.com": 1 })), row(3, json!({ "x".repeat(65): 1 }))];
    let input = json!({ "rows": rows, "policy": "SKIP_INVALID" });
    let done = caller.mutate("departmentsBulkUpsert", input, "results { errors { code path message } }").await;
    let results = done["results"].as_array().unwrap();
    assert_eq!(results[0]["errors"].as_array().unwrap().len(), 10);
    for result in &results[1..] {
        assert_eq!((&result["errors"][0]["code"], &result["errors"][0]["path"]), (&json!("INVALID"), &json!([])));
        assert!(!result.to_string().contains("mia@") && !result.to_string().contains("xxx"));
    }
}

#[tokio::test]
async fn a_row_that_is_there_is_shown_as_it_is_and_waits_for_nobody() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let field = "interactionPointsBulkUpsert";
    let answer = "results { outcome errors { code path } node { name } }";
    caller.mutate(field, json!({ "rows": [row(1, json!({}))] }), answer).await;
    let rows = [row(1, json!({ "name": "New", "kind": 7 })), row(1, json!({ "name": "Newer" }))];
    let done = caller.mutate(field, json!({ "rows": rows, "policy": "SKIP_INVALID" }), answer).await;
    let expected = json!([
        { "outcome": "FAILED", "errors": [{ "code": "INVALID", "path": ["kind"] }], "node": { "name": "Point 1" } },
        { "outcome": "FAILED", "errors": [{ "code": "TAKEN", "path": ["externalId"] }], "node": { "name": "Point 1" } },
    ]);
    assert_eq!(done["results"], expected);
}
