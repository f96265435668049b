//! Many rows deleted, archived or restored in one call, each with an outcome.

use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    outline::codes as refusals,
    writes::codes,
};

const TOLD: &str = "isReplayed errors { code path }
    results { index outcome deletedId errors { code path } node { id version } }";

fn key(id: &str) -> Value {
    json!({ "system": "crm", "id": id })
}

fn named(id: &str) -> Value {
    json!({ "by": { "externalId": key(id) } })
}

fn by_id(id: &Value) -> Value {
    json!({ "by": { "id": id } })
}

/// Makes rows of a noun, each with its name as external id, and answers with their ids.
async fn make(caller: &Caller<'_>, field: &str, rows: Vec<Value>) -> Vec<Value> {
    let done =
        caller.mutate(field, json!({ "rows": rows }), "errors { code } results { node { id } errors { code } }").await;
    assert_eq!(done["errors"], json!([]), "{done:#}");
    done["results"].as_array().unwrap().iter().map(|result| result["node"]["id"].clone()).collect()
}

async fn departments(caller: &Caller<'_>, names: &[&str]) -> Vec<Value> {
    let rows = names.iter().map(|name| json!({ "externalId": key(name), "name": name })).collect();
    make(caller, "departmentsBulkUpsert", rows).await
}

async fn mediums(caller: &Caller<'_>, rows: &[(&str, Option<&str>)]) -> Vec<Value> {
    let mut ids = Vec::new();
    for (name, parent) in rows {
        let parent = parent.map(|parent| json!({ "externalId": key(parent) }));
        let row = json!({ "externalId": key(name), "name": name, "parentRef": parent });
        ids.extend(make(caller, "mediumsBulkUpsert", vec![row]).await);
    }
    ids
}

async fn call(caller: &Caller<'_>, field: &str, rows: &[Value], policy: &str) -> Value {
    caller.mutate(field, json!({ "rows": rows, "policy": policy }), TOLD).await
}

/// Outcomes with the codes and paths of errors.
fn told(payload: &Value) -> Vec<String> {
    let error = |error: &Value| {
        let path: Vec<&str> = error["path"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        format!(" {} {}", error["code"].as_str().unwrap(), path.join("."))
    };
    let one = |result: &Value| {
        let errors: String = result["errors"].as_array().unwrap().iter().map(error).collect();
        format!("{}{errors}", result["outcome"].as_str().unwrap())
    };
    payload["results"].as_array().unwrap().iter().map(one).collect()
}

async fn names(caller: &Caller<'_>, list: &str) -> String {
    let field = if list == "stages" { "POSITION" } else { "NAME" };
    let data = caller.ask(&format!("{{ {list}(orderBy: [{{ field: {field} }}]) {{ nodes {{ name }} }} }}")).await;
    let nodes = data[list].as_object().unwrap()["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["name"].as_str().unwrap()).filter(|name| *name != "Unassigned").collect()
}

#[tokio::test]
async fn every_row_to_delete_has_its_own_outcome() {
    let app = App::start().await;
    let (caller, other) = (app.admin("one").await, app.admin("other").await);
    let ids = departments(&caller, &["a", "b", "c", "d"]).await;
    let foreign = departments(&other, &["f"]).await;
    let point = json!({ "name": "P", "ownerRef": { "externalId": key("b") } });
    caller.mutate("interactionPointCreate", point, "errors { code }").await;
    let mut stale = named("c");
    stale["expectedVersion"] = json!(7);
    let mut current = named("d");
    current["expectedVersion"] = json!(1);
    let rows = [
        named("a"),
        by_id(&ids[1]),
        named("none"),
        by_id(&ids[0]),
        stale,
        by_id(&foreign[0]),
        by_id(&json!("no id")),
        json!({ "by": { "id": { "high": 1 } } }),
        json!({}),
        json!({ "by": { "id": "x" }, "colour": "red" }),
        Value::Null,
        current,
    ];
    let all = call(&caller, "departmentsBulkDelete", &rows, "ALL_OR_NOTHING").await;
    assert_eq!(
        (&all["errors"], &all["results"][0]["outcome"]),
        (&json!([{ "code": "INVALID", "path": ["rows", "1"] }]), &json!("FAILED"))
    );
    assert_eq!(names(&caller, "departments").await, "abcd");
    let done = call(&caller, "departmentsBulkDelete", &rows, "SKIP_INVALID").await;
    let expected = [
        "DELETED",
        "FAILED IN_USE by",
        "FAILED NOT_FOUND by",
        "FAILED TAKEN by",
        "FAILED CONFLICT expectedVersion",
        "FAILED NOT_FOUND by",
        "FAILED NOT_FOUND by",
        "FAILED INVALID by.id",
        "FAILED REQUIRED by",
        "FAILED INVALID colour",
        "FAILED REQUIRED ",
        "DELETED",
    ];
    assert_eq!((told(&done), &done["errors"]), (expected.map(str::to_owned).to_vec(), &json!([])));
    let result = |at: usize| (&done["results"][at]["deletedId"], &done["results"][at]["node"]);
    assert_eq!(result(0), (&ids[0], &Value::Null));
    assert_eq!(result(1), (&Value::Null, &json!({ "id": ids[1], "version": 1 })));
    assert_eq!((result(4).1["id"].clone(), result(5).1), (ids[2].clone(), &Value::Null));
    assert_eq!((names(&caller, "departments").await, names(&other, "departments").await), ("bc".into(), "f".into()));
    let log = caller.ask("{ auditLog(last: 2) { nodes { operation } } }").await;
    assert_eq!(log["auditLog"]["nodes"], json!(vec![json!({ "operation": "DELETED" }); 2]));
}

#[tokio::test]
async fn a_call_takes_1_to_1_000_rows_and_is_remembered_by_its_key() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let none = call(&caller, "departmentsBulkDelete", &[], "SKIP_INVALID").await;
    assert_eq!((codes(&none), &none["results"]), (vec!["REQUIRED"], &json!([])));
    for field in ["departmentsBulkDelete", "departmentsBulkArchive", "departmentsBulkUnarchive"] {
        assert_eq!(codes(&call(&caller, field, &vec![named("a"); 1_001], "SKIP_INVALID").await), ["TOO_LONG"]);
    }
    let ids = departments(&caller, &["a", "b"]).await;
    let input = json!({ "rows": [by_id(&ids[0]), named("b")], "idempotencyKey": "k" });
    for is_replayed in [false, true] {
        let done = caller.mutate("departmentsBulkDelete", input.clone(), TOLD).await;
        assert_eq!((told(&done), &done["isReplayed"]), (vec!["DELETED".to_owned(); 2], &json!(is_replayed)));
        assert_eq!(done["results"][1]["deletedId"], ids[1]);
    }
    let document = "mutation($input: DepartmentsBulkDeleteInput!) { departmentsBulkDelete(input: $input) { results { outcome } } }";
    let reader = caller.with([entity::Permission::MapRead]);
    let refused = reader.run(document, json!({ "input": { "rows": [named("a")] } })).await.body;
    assert_eq!(refusals(&refused), ["FORBIDDEN"]);
    let priced = caller.run(document, json!({ "input": { "rows": vec![named("a"); 100] } })).await.body;
    assert!(priced["extensions"]["cost"]["requested"].as_u64().is_none_or(|cost| cost >= 200), "{priced:#}");
}

/// Mediums are a tree: what goes in the same call does not keep others.
#[tokio::test]
async fn rows_that_refer_to_one_another_go_together_or_stay_together() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let tree = [("a", None), ("b", Some("a")), ("c", Some("b")), ("d", Some("a"))];
    mediums(&caller, &tree).await;
    let some = call(&caller, "mediumsBulkDelete", &[named("a"), named("b"), named("c")], "SKIP_INVALID").await;
    // A is referred to by D, which stays.
    assert_eq!(told(&some), ["FAILED IN_USE by", "DELETED", "DELETED"]);
    mediums(&caller, &tree).await;
    let point = json!({ "externalId": key("p"), "name": "P" });
    make(&caller, "interactionPointsBulkUpsert", vec![point]).await;
    let set = json!({ "by": { "externalId": key("p") }, "mediums": [{ "externalId": key("c") }] });
    caller.mutate("interactionPointSetMediums", set.clone(), "errors { code }").await;
    let rows = [named("d"), named("a"), named("b"), named("c")];
    let kept = call(&caller, "mediumsBulkDelete", &rows, "SKIP_INVALID").await;
    assert_eq!(told(&kept), ["DELETED", "FAILED IN_USE by", "FAILED IN_USE by", "FAILED IN_USE by"]);
    assert_eq!(names(&caller, "mediums").await, "abc");
    caller.mutate("interactionPointsBulkDelete", json!({ "rows": [named("p")] }), "errors { code }").await;
    let gone = call(&caller, "mediumsBulkDelete", &rows[1..], "ALL_OR_NOTHING").await;
    assert_eq!((told(&gone), names(&caller, "mediums").await), (vec!["DELETED".to_owned(); 3], String::new()));
}

#[tokio::test]
async fn what_a_deletion_does_besides_is_done_for_each_row() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let journey = |id: &str| json!({ "externalId": key(id), "title": id, "status": "PUBLISHED" });
    make(&caller, "journeysBulkUpsert", vec![journey("j"), journey("k"), journey("l")]).await;
    // Positions close up in each journey.
    let stage = |journey: &str, name: &str| json!({ "externalId": key(name), "name": name, "journeyRef": { "externalId": key(journey) } });
    let stages =
        ["1", "2", "3", "4"].map(|name| stage("j", name)).into_iter().chain(["5", "6"].map(|name| stage("k", name)));
    make(&caller, "stagesBulkUpsert", stages.collect()).await;
    let done = call(&caller, "stagesBulkDelete", &[named("1"), named("3"), named("5")], "ALL_OR_NOTHING").await;
    assert_eq!(told(&done), ["DELETED"; 3]);
    let shown =
        caller.ask("{ stages(orderBy: [{ field: NAME }]) { nodes { name position } } }").await["stages"]["nodes"]
            .take();
    let at = |name: &str, position: i64| json!({ "name": name, "position": position });
    assert_eq!(shown, json!([at("2", 1), at("4", 2), at("6", 1)]));
    // The history of states goes.
    let changes = async || {
        let count = app.database.look("SELECT CAST(count(*) AS TEXT) FROM state_change".to_owned()).await;
        count[0][0].clone().unwrap()
    };
    assert_eq!(changes().await, "3");
    let rows = [named("j"), named("l"), named("k")];
    let done = call(&caller, "journeysBulkDelete", &rows, "SKIP_INVALID").await;
    assert_eq!(told(&done), ["FAILED IN_USE by", "DELETED", "FAILED IN_USE by"]);
    assert_eq!(changes().await, "2");
    // Top fives remember what left them.
    let points = ["p", "q"].map(|id| json!({ "externalId": key(id), "name": id }));
    make(&caller, "interactionPointsBulkUpsert", points.to_vec()).await;
    let wish = |point: &str, id: &str| json!({ "externalId": key(id), "statement": id, "source": "RESEARCH", "pointRef": { "externalId": key(point) } });
    let wishes = [wish("p", "w1"), wish("p", "w2"), wish("p", "w3"), wish("q", "w4"), wish("q", "w5")];
    make(&caller, "expectationsBulkUpsert", wishes.to_vec()).await;
    for (point, ranked) in [("p", &["w1", "w2", "w3"][..]), ("q", &["w4"])] {
        let ranked: Vec<Value> = ranked.iter().map(|id| json!({ "externalId": key(id) })).collect();
        let input = json!({ "by": { "externalId": key(point) }, "expectations": ranked });
        caller.mutate("interactionPointRankExpectations", input, "errors { code }").await;
    }
    let rows = ["w1", "w3", "w4", "w5"].map(named);
    assert_eq!(told(&call(&caller, "expectationsBulkDelete", &rows, "ALL_OR_NOTHING").await), ["DELETED"; 4]);
    let last = "{ interactionPoints(orderBy: [{ field: NAME }]) { nodes { rankings(last: 1) { totalCount nodes { before after } } } } }";
    let points = caller.ask(last).await["interactionPoints"]["nodes"].take();
    let statements = |list: &Value| -> String {
        list.as_array().unwrap().iter().map(|one| one["statement"].as_str().unwrap()).collect()
    };
    for (place, before, after) in [(0, "w1w2w3", "w2"), (1, "w4", "")] {
        let rankings = &points[place]["rankings"];
        let ranking = &rankings["nodes"][0];
        assert_eq!(rankings["totalCount"], 2, "{rankings:#}");
        assert_eq!(
            (statements(&ranking["before"]), statements(&ranking["after"])),
            (before.to_owned(), after.to_owned())
        );
    }
}

#[tokio::test]
async fn rows_are_archived_and_restored_each_with_an_outcome() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let ids = departments(&caller, &["a", "b", "c"]).await;
    let rule = json!({ "name": "R", "position": 1, "departmentRef": { "externalId": key("b") } });
    caller.mutate("routingRuleCreate", rule, "errors { code }").await;
    caller.mutate("departmentArchive", by_id(&ids[2]), "outcome").await;
    let rows = [named("a"), named("b"), named("c"), named("none"), by_id(&ids[0])];
    let all = call(&caller, "departmentsBulkArchive", &rows, "ALL_OR_NOTHING").await;
    let expected = ["FAILED", "FAILED IN_USE by", "FAILED", "FAILED NOT_FOUND by", "FAILED TAKEN by"];
    assert_eq!((told(&all), names(&caller, "departments").await), (expected.map(str::to_owned).to_vec(), "ab".into()));
    let done = call(&caller, "departmentsBulkArchive", &rows, "SKIP_INVALID").await;
    let expected = ["UPDATED", "FAILED IN_USE by", "UNCHANGED", "FAILED NOT_FOUND by", "FAILED TAKEN by"];
    assert_eq!((told(&done), names(&caller, "departments").await), (expected.map(str::to_owned).to_vec(), "b".into()));
    for at in [0, 2] {
        assert_eq!(done["results"][at]["node"], json!({ "id": ids[at], "version": 2 }));
    }
    let log = caller.ask("{ auditLog(last: 1) { nodes { operation fields } } }").await;
    assert_eq!(log["auditLog"]["nodes"], json!([{ "operation": "ARCHIVED", "fields": ["archivedAt"] }]));
    let back = call(&caller, "departmentsBulkUnarchive", &[named("a"), named("b"), named("c")], "ALL_OR_NOTHING").await;
    assert_eq!(told(&back), ["UPDATED", "UNCHANGED", "UPDATED"]);
    assert_eq!(names(&caller, "departments").await, "abc");
}

#[tokio::test]
async fn a_row_is_restored_with_what_it_refers_to_and_not_without() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    mediums(&caller, &[("a", None), ("b", Some("a")), ("c", Some("b"))]).await;
    let rows = ["c", "b", "a"].map(named);
    assert_eq!(told(&call(&caller, "mediumsBulkArchive", &rows, "ALL_OR_NOTHING").await), ["UPDATED"; 3]);
    let mut stale = named("a");
    stale["expectedVersion"] = json!(1);
    let [c, b, a] = rows;
    let kept = call(&caller, "mediumsBulkUnarchive", &[c.clone(), b.clone(), stale], "SKIP_INVALID").await;
    assert_eq!(told(&kept), ["FAILED ARCHIVED by", "FAILED ARCHIVED by", "FAILED CONFLICT expectedVersion"]);
    assert_eq!(
        told(&call(&caller, "mediumsBulkUnarchive", std::slice::from_ref(&c), "SKIP_INVALID").await),
        ["FAILED ARCHIVED by"]
    );
    assert_eq!(told(&call(&caller, "mediumsBulkUnarchive", &[c, b, a], "SKIP_INVALID").await), ["UPDATED"; 3]);
}

#[tokio::test]
async fn a_thousand_rows_cost_as_many_statements_as_ten() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let mut costs = Vec::new();
    // What the rules read of the organization is remembered from then on.
    make(&caller, "departmentsBulkUpsert", vec![json!({ "externalId": key("first"), "name": "A" })]).await;
    assert_eq!(told(&call(&caller, "departmentsBulkArchive", &[named("first")], "SKIP_INVALID").await), ["UPDATED"]);
    for count in [10, 1_000] {
        let id = |at: usize| format!("{count}-{at}");
        let department = |at: usize| json!({ "externalId": key(&id(at)), "name": "A" });
        make(&caller, "departmentsBulkUpsert", (0..count).map(department).collect()).await;
        let of = format!("j{count}");
        make(&caller, "journeysBulkUpsert", vec![json!({ "externalId": key(&of), "title": "J" })]).await;
        let stages = if count == 10 { 10 } else { 400 };
        for from in (0..stages).step_by(200) {
            let stage = |at: usize| json!({ "externalId": key(&id(at)), "name": "S", "journeyRef": { "externalId": key(&of) } });
            make(&caller, "stagesBulkUpsert", (from..stages.min(from + 200)).map(stage).collect()).await;
        }
        let rows = |count: usize| (0..count).map(|at| named(&id(at))).collect::<Vec<_>>();
        for (field, rows) in [
            ("departmentsBulkArchive", rows(count)),
            ("departmentsBulkUnarchive", rows(count)),
            ("departmentsBulkDelete", rows(count)),
            // All but the last one, which moves up.
            ("stagesBulkDelete", rows(stages - 1)),
        ] {
            let (first, rest) = field.split_at(1);
            let ty = format!("{}{rest}Input!", first.to_ascii_uppercase());
            let document = format!(
                "mutation($input: {ty}) {{ {field}(input: $input) {{ results {{ outcome errors {{ code }} }} }} }}"
            );
            let before = app.store.statements();
            let data = caller.data(&document, json!({ "input": { "rows": rows } })).await;
            costs.push((field, app.store.statements() - before));
            let results = data[field]["results"].as_array().unwrap();
            assert!(results.iter().all(|result| result["outcome"] != "FAILED"), "{field} {:#}", results[0]);
        }
    }
    assert_eq!(costs[..4], costs[4..]);
    let most = costs.iter().map(|(_, cost)| *cost).max().unwrap();
    // Two of them take deleted rows out of the search.
    assert!(most <= 14, "{costs:?}");
}
