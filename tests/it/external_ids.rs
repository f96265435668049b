//! Ids that other systems gave a row: any number of each, added, taken away, renamed, moved, looked up, never shared.

use serde_json::{Value, json};

use crate::{app::App, writes::codes};

const PAYLOAD: &str = "outcome errors { code path } node { id version externalIds { system id } }";

fn key(system: &str, id: &str) -> Value {
    json!({ "system": system, "id": id })
}

#[tokio::test]
async fn external_ids_are_added_and_taken_away_by_name_alone() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let input = json!({ "name": "A", "externalIds": [key("erp", "9"), key("crm", "1")] });
    let made = caller.mutate("departmentCreate", input, PAYLOAD).await;
    assert_eq!(made["node"]["externalIds"], json!([key("crm", "1"), key("erp", "9")]));
    let id = &made["node"]["id"];
    let update = async |given: Value| {
        let input = json!({ "by": { "id": id }, "externalIds": given });
        let mut done = caller.mutate("departmentUpdate", input, PAYLOAD).await;
        (done["node"]["version"].as_i64().unwrap(), done["node"]["externalIds"].take())
    };
    let two = json!([key("crm", "1"), key("crm", "2"), key("erp", "9")]);
    assert_eq!(update(json!([key("crm", "2"), key("crm", "2")])).await, (2, two.clone()));
    assert_eq!(update(json!([key("crm", "2"), key("crm", "1")])).await, (2, two));
    assert_eq!(update(json!([key("web", "3")])).await.0, 3);
    let all = json!([key("crm", "1"), key("crm", "2"), key("erp", "9"), key("web", "3")]);
    assert_eq!(update(json!([])).await, (3, all.clone()));
    assert_eq!(update(json!(null)).await, (3, all.clone()));
    let remove = async |given: Value| {
        let input = json!({ "by": { "id": id }, "externalIdsRemove": given });
        let mut done = caller.mutate("departmentUpdate", input, PAYLOAD).await;
        assert_eq!(codes(&done), [""; 0], "{done:#}");
        (done["node"]["version"].as_i64().unwrap(), done["node"]["externalIds"].take())
    };
    for nothing in [json!(null), json!([]), json!([key("crm", "other")]), json!([{ "system": "none" }])] {
        assert_eq!(remove(nothing).await, (3, all.clone()));
    }
    assert_eq!(remove(json!([key("erp", "9")])).await, (4, json!([key("crm", "1"), key("crm", "2"), key("web", "3")])));
    let both = json!([{ "system": "crm" }, { "system": "web", "id": null }]);
    assert_eq!(remove(both).await, (5, json!([])));
    let unnamed = json!({ "by": { "id": id }, "externalIdsRemove": [{ "system": " " }] });
    let refused = caller.mutate("departmentUpdate", unnamed, PAYLOAD).await;
    assert_eq!((codes(&refused), &refused["errors"][0]["path"]), (vec!["REQUIRED"], &json!(["externalIdsRemove"])));
    let document = r#"{ a: department(by: { externalId: { system: "crm", id: "2" } }) { id } }"#;
    assert_eq!(caller.ask(document).await["a"], Value::Null);
}

#[tokio::test]
async fn a_row_is_found_by_its_external_id_in_lookups_and_references() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let input = json!({ "name": "A", "externalIds": [key("crm", "1")] });
    let id = caller.mutate("departmentCreate", input, PAYLOAD).await["node"]["id"].take();
    let document = r#"{ department(by: { externalId: { system: "crm", id: "1" } }) { id } }"#;
    assert_eq!(caller.ask(document).await["department"]["id"], id);
    let point = json!({ "name": "Desk", "ownerRef": { "externalId": key("crm", "1") } });
    let made = caller.mutate("interactionPointCreate", point, "node { owner { id } }").await;
    assert_eq!(made["node"]["owner"]["id"], id);
    let point = json!({ "name": "Desk", "ownerRef": { "externalId": key("crm", "2") } });
    let refused = caller.mutate("interactionPointCreate", point, "outcome errors { code path }").await;
    assert_eq!((codes(&refused), &refused["errors"][0]["path"]), (vec!["NOT_FOUND"], &json!(["ownerRef"])));
}

#[tokio::test]
async fn an_external_id_belongs_to_one_row_of_a_type() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let input = json!({ "name": "A", "externalIds": [key("crm", "1")] });
    caller.mutate("departmentCreate", input.clone(), PAYLOAD).await;
    let taken = caller.mutate("departmentCreate", input.clone(), PAYLOAD).await;
    assert_eq!((codes(&taken), &taken["node"]), (vec!["TAKEN"], &Value::Null));
    let other = caller.mutate("departmentCreate", json!({ "name": "B" }), PAYLOAD).await;
    let update = json!({ "by": { "id": other["node"]["id"] }, "externalIds": [key("crm", "1")] });
    let taken = caller.mutate("departmentUpdate", update, PAYLOAD).await;
    assert_eq!((codes(&taken), &taken["node"]["version"]), (vec!["TAKEN"], &json!(1)));
    let made = caller.mutate("influencerCreate", input, "outcome").await;
    assert_eq!(made["outcome"], "CREATED");
}

#[tokio::test]
async fn an_upsert_keeps_the_external_id_that_it_names() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let upsert = async |given: Value| {
        let input = json!({ "externalId": key("crm", "1"), "name": "A", "externalIds": given });
        caller.mutate("departmentUpsert", input, PAYLOAD).await
    };
    let made = upsert(json!([key("crm", "1"), key("erp", "9")])).await;
    assert_eq!(made["outcome"], "CREATED");
    assert_eq!(made["node"]["externalIds"], json!([key("crm", "1"), key("erp", "9")]));
    assert_eq!(upsert(json!(null)).await["outcome"], "UNCHANGED");
    for named in [key("crm", "1"), json!({ "system": "crm" })] {
        let input = json!({ "externalId": key("crm", "1"), "externalIdsRemove": [named, key("erp", "9")] });
        let refused = caller.mutate("departmentUpsert", input, PAYLOAD).await;
        assert_eq!((codes(&refused), &refused["errors"][0]["path"]), (vec!["INVALID"], &json!(["externalIdsRemove"])));
        assert_eq!(refused["node"]["externalIds"], json!([key("crm", "1"), key("erp", "9")]));
    }
}

/// Two systems, or one that merged two contacts, know a row by several ids.
#[tokio::test]
async fn an_upsert_adds_another_id_of_a_system_and_any_of_them_names_the_row() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let upsert = async |target: &str, name: &str, given: Value| {
        let input = json!({ "externalId": key("crm", target), "name": name, "externalIds": given });
        caller.mutate("departmentUpsert", input, PAYLOAD).await
    };
    let made = upsert("1", "A", json!([key("crm", "2")])).await;
    let both = json!([key("crm", "1"), key("crm", "2")]);
    assert_eq!((&made["outcome"], &made["node"]["externalIds"]), (&json!("CREATED"), &both));
    for (target, given) in [("1", json!([key("crm", "2")])), ("2", json!([key("crm", "1")])), ("2", json!(null))] {
        let again = upsert(target, "A", given).await;
        assert_eq!((&again["outcome"], &again["node"]["id"]), (&json!("UNCHANGED"), &made["node"]["id"]));
    }
    let more = upsert("2", "A", json!([key("crm", "3")])).await;
    let three = json!([key("crm", "1"), key("crm", "2"), key("crm", "3")]);
    assert_eq!((&more["outcome"], &more["node"]["externalIds"]), (&json!("UPDATED"), &three));
    // An unknown id that is to be added to a row is another row's name.
    let taken = upsert("4", "B", json!([key("crm", "3")])).await;
    assert_eq!((codes(&taken), &taken["errors"][0]["path"]), (vec!["TAKEN"], &json!(["externalIds"])));
}

#[tokio::test]
async fn only_the_named_id_of_a_system_is_taken_away_and_all_of_it_by_the_system_alone() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let row = |name: &str, keys: Value| json!({ "externalId": key("crm", name), "name": name, "externalIds": keys });
    // Each is told to give up an id of the other as well, which stays.
    let rows =
        [row("a", json!([key("web", "1"), key("web", "2")])), row("b", json!([key("erp", "1"), key("web", "3")]))];
    caller.mutate("departmentsBulkUpsert", json!({ "rows": rows }), "errors { code }").await;
    let taken = |name: &str, keys: Value| json!({ "externalId": key("crm", name), "externalIdsRemove": keys });
    let (of_a, of_b) = (json!([key("web", "1"), key("erp", "1")]), json!([key("web", "2"), key("web", "1")]));
    let rows = [taken("a", of_a), taken("b", of_b)];
    let done = caller.mutate("departmentsBulkUpsert", json!({ "rows": rows }), BULK).await;
    let outcomes: Vec<&Value> = done["results"].as_array().unwrap().iter().map(|result| &result["outcome"]).collect();
    assert_eq!(outcomes, ["UPDATED", "UNCHANGED"], "{done:#}");
    let keys = |row: usize| done["results"][row]["node"]["externalIds"].clone();
    assert_eq!(keys(0), json!([key("crm", "a"), key("web", "2")]));
    assert_eq!(keys(1), json!([key("crm", "b"), key("erp", "1"), key("web", "3")]));
    // All of a system but those given: a list that replaces what was there.
    let input = json!({ "externalId": key("crm", "a"), "externalIds": [key("web", "2"), key("web", "4")],
        "externalIdsRemove": [{ "system": "web" }] });
    let done = caller.mutate("departmentUpsert", input.clone(), PAYLOAD).await;
    assert_eq!(done["node"]["externalIds"], json!([key("crm", "a"), key("web", "2"), key("web", "4")]));
    assert_eq!(caller.mutate("departmentUpsert", input, PAYLOAD).await["outcome"], "UNCHANGED");
}

#[tokio::test]
async fn a_row_keeps_a_hundred_external_ids() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let keys = |from: usize, to: usize| (from..to).map(|id| key("crm", &format!("{id:03}"))).collect::<Vec<_>>();
    let made = caller.mutate("departmentCreate", json!({ "name": "A", "externalIds": keys(0, 100) }), PAYLOAD).await;
    assert_eq!(made["node"]["externalIds"].as_array().unwrap(), &keys(0, 100));
    let update = async |given: Vec<Value>, removed: Vec<Value>| {
        let by = json!({ "id": made["node"]["id"] });
        let input = json!({ "by": by, "externalIds": given, "externalIdsRemove": removed });
        let done = caller.mutate("departmentUpdate", input, PAYLOAD).await;
        (done["outcome"].clone(), done["errors"].clone())
    };
    let refused = |field: &str| (json!("FAILED"), json!([{ "code": "TOO_LONG", "path": [field] }]));
    assert_eq!(update(keys(99, 101), vec![]).await, refused("externalIds"));
    assert_eq!(update(keys(0, 101), vec![]).await, refused("externalIds"));
    assert_eq!(update(vec![], keys(0, 101)).await, refused("externalIdsRemove"));
    assert_eq!(update(keys(99, 101), keys(0, 1)).await, (json!("UPDATED"), json!([])));
    assert_eq!(update(keys(1, 101), vec![]).await, (json!("UNCHANGED"), json!([])));
    // The id that names a new row counts.
    let upsert = json!({ "externalId": key("erp", "1"), "name": "B", "externalIds": keys(200, 300) });
    let refused = caller.mutate("departmentUpsert", upsert, PAYLOAD).await;
    assert_eq!((codes(&refused), &refused["node"]), (vec!["TOO_LONG"], &Value::Null));
}

/// A CRM moved to ids of another form.
#[tokio::test]
async fn an_upsert_renames_the_external_id_that_names_the_row() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let rename = async |name: &str, target: &str, new: &str| {
        let input = json!({ "externalId": key("crm", target), "name": name, "externalIds": [key("crm", new)],
            "externalIdsRemove": [key("crm", target)] });
        caller.mutate("departmentUpsert", input, PAYLOAD).await
    };
    let input = json!({ "externalId": key("crm", "1"), "name": "A", "externalIds": [key("erp", "9")] });
    let made = caller.mutate("departmentUpsert", input, PAYLOAD).await;
    let renamed = rename("B", "1", "2").await;
    assert_eq!((&renamed["outcome"], &renamed["node"]["id"]), (&json!("UPDATED"), &made["node"]["id"]));
    assert_eq!(renamed["node"]["externalIds"], json!([key("crm", "2"), key("erp", "9")]));
    // The same again, as after a lost answer, finds the row by the new one.
    let again = rename("B", "1", "2").await;
    assert_eq!((&again["outcome"], &again["node"]["id"]), (&json!("UNCHANGED"), &made["node"]["id"]));
    // To one that another row has, and of a row that is not there yet.
    caller.mutate("departmentUpsert", json!({ "externalId": key("crm", "3"), "name": "C" }), PAYLOAD).await;
    let taken = rename("B", "2", "3").await;
    assert_eq!((codes(&taken), &taken["errors"][0]["path"]), (vec!["TAKEN"], &json!(["externalIds"])));
    let new = rename("D", "4", "5").await;
    assert_eq!((&new["outcome"], &new["node"]["externalIds"]), (&json!("CREATED"), &json!([key("crm", "5")])));
    // An id of another system does not stand in for it.
    let input = json!({ "externalId": key("crm", "2"), "externalIds": [key("web", "1")], "externalIdsRemove": [key("crm", "2")] });
    let refused = caller.mutate("departmentUpsert", input, PAYLOAD).await;
    assert_eq!((codes(&refused), &refused["errors"][0]["path"]), (vec!["INVALID"], &json!(["externalIdsRemove"])));
}

const BULK: &str =
    "results { outcome errors { code path } node { name externalIds { system id } } } errors { code path }";

/// typegraph#411: one statement that writes row after row meets a unique key that is about to be free.
#[tokio::test]
async fn external_ids_move_between_the_rows_of_one_call_in_any_order() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let row = |id: &str, more: Value, removed: Value| json!({ "externalId": key("crm", id), "name": id, "externalIds": more, "externalIdsRemove": removed });
    let call = async |rows: Vec<Value>| {
        let done = caller.mutate("departmentsBulkUpsert", json!({ "rows": rows }), BULK).await;
        assert_eq!(codes(&done), [""; 0], "{done:#}");
        let keys = |result: &Value| result["node"]["externalIds"].clone();
        done["results"].as_array().unwrap().iter().map(keys).collect::<Vec<_>>()
    };
    let none = || json!([]);
    call(vec![row("a", json!([key("web", "1")]), none()), row("b", none(), none())]).await;
    // A gives up what B takes, and B what A takes; whoever comes first in the call.
    let moved = vec![row("a", none(), json!([key("web", "1")])), row("b", json!([key("web", "1")]), none())];
    let expected = vec![json!([key("crm", "a")]), json!([key("crm", "b"), key("web", "1")])];
    assert_eq!(call(moved).await, expected);
    let back = vec![row("a", json!([key("web", "1")]), none()), row("b", none(), json!([{ "system": "web" }]))];
    let expected = vec![json!([key("crm", "a"), key("web", "1")]), json!([key("crm", "b")])];
    assert_eq!(call(back).await, expected);
    call(vec![row("b", json!([key("web", "2")]), none()), row("c", json!([key("web", "3")]), none())]).await;
    // A circle of three, each giving up its own.
    let circle = ["a", "b", "c"].into_iter().zip(["2", "3", "1"]);
    let system = json!([{ "system": "web" }]);
    let rows = circle.clone().map(|(id, web)| row(id, json!([key("web", web)]), system.clone())).collect();
    let expected: Vec<Value> = circle.map(|(id, web)| json!([key("crm", id), key("web", web)])).collect();
    assert_eq!(call(rows).await, expected);
    // The ids that name the rows change places, and a new row takes what an old one gives up.
    let own = |id: &str| json!([key("crm", id)]);
    let swapped = vec![row("a", own("b"), own("a")), row("b", own("a"), own("b"))];
    let expected = vec![json!([key("crm", "b"), key("web", "2")]), json!([key("crm", "a"), key("web", "3")])];
    assert_eq!(call(swapped).await, expected);
    let taken = vec![row("d", json!([key("web", "1")]), none()), row("c", none(), json!([key("web", "1")]))];
    assert_eq!(call(taken).await, vec![json!([key("crm", "d"), key("web", "1")]), json!([key("crm", "c")])]);
}

#[tokio::test]
async fn who_waits_for_an_external_id_of_a_row_that_fails_fails_too() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let row = |id: &str, name: &str, web: &str| {
        json!({ "externalId": key("crm", id), "name": name, "externalIds": [key("web", web)],
            "externalIdsRemove": [{ "system": "web" }] })
    };
    let rows = [row("a", "A", "1"), row("b", "B", "2"), row("c", "C", "3")];
    caller.mutate("departmentsBulkUpsert", json!({ "rows": rows }), BULK).await;
    // B waits for A, whose name is wrong, and C for B.
    let rows = [row("c", "Cc", "2"), row("b", "Bb", "1"), row("a", "", "4"), row("d", "D", "9")];
    let done = caller.mutate("departmentsBulkUpsert", json!({ "rows": rows, "policy": "SKIP_INVALID" }), BULK).await;
    let results = done["results"].as_array().unwrap();
    let told: Vec<_> = results.iter().map(codes).collect();
    assert_eq!(told, [vec!["TAKEN"], vec!["TAKEN"], vec!["REQUIRED"], vec![]], "{done:#}");
    assert_eq!(results[1]["errors"][0]["path"], json!(["externalIds"]));
    for (result, (name, web)) in results.iter().zip([("C", "3"), ("B", "2"), ("A", "1"), ("D", "9")]) {
        assert_eq!((&result["node"]["name"], &result["node"]["externalIds"][1]), (&json!(name), &key("web", web)));
    }
}

/// A call whose rows get in each other's way; each is told apart and the first one wins.
#[tokio::test]
async fn rows_of_one_call_cannot_be_the_same_row_or_share_an_external_id() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let both = json!({ "name": "Both", "externalIds": [key("crm", "1"), key("erp", "1")] });
    caller.mutate("departmentCreate", both, PAYLOAD).await;
    let row =
        |target: Value, name: &str, more: Value| json!({ "externalId": target, "name": name, "externalIds": more });
    let none = || json!([]);
    for (first, second, outcomes) in [
        // The same key, of a new row and of a known one.
        (row(key("crm", "2"), "A", none()), row(key("crm", "2"), "B", none()), ["CREATED", "TAKEN"]),
        (row(key("crm", "2"), "C", none()), row(key("crm", "2"), "D", none()), ["UPDATED", "TAKEN"]),
        // Two keys of one row.
        (row(key("crm", "1"), "E", none()), row(key("erp", "1"), "F", none()), ["UPDATED", "TAKEN"]),
        // One more key for each of two new rows, the same.
        (
            row(key("crm", "3"), "G", json!([key("web", "1")])),
            row(key("crm", "4"), "H", json!([key("web", "1")])),
            ["CREATED", "TAKEN"],
        ),
        // The key that names the second is given to the first.
        (row(key("crm", "5"), "I", json!([key("web", "2")])), row(key("web", "2"), "J", none()), ["CREATED", "TAKEN"]),
    ] {
        let input = json!({ "rows": [first, second], "policy": "SKIP_INVALID" });
        let selection = "results { outcome errors { code } node { name } } errors { code }";
        let done = caller.mutate("departmentsBulkUpsert", input, selection).await;
        let results = done["results"].as_array().unwrap();
        assert_eq!(results[0]["outcome"], outcomes[0], "{done:#}");
        assert_eq!((&results[1]["outcome"], codes(&results[1])), (&json!("FAILED"), vec![outcomes[1]]), "{done:#}");
    }
}

#[tokio::test]
async fn many_rows_are_looked_up_at_once_in_the_order_of_their_references() {
    let app = App::start().await;
    let (caller, other) = (app.admin("one").await, app.admin("other").await);
    let make = async |caller: &crate::app::Caller<'_>, name: &str| {
        let input = json!({ "name": name, "externalIds": [key("crm", name)] });
        caller.mutate("departmentCreate", input, PAYLOAD).await["node"]["id"].take()
    };
    let (a, b) = (make(&caller, "A").await, make(&caller, "B").await);
    let foreign = make(&other, "C").await;
    let external = |id: &str| json!({ "externalId": key("crm", id) });
    let document = "query($refs: [DepartmentRef!]!) { departmentsBy(refs: $refs) { id name externalIds { id } } }";
    let refs = json!([external("B"), { "id": a }, external("C"), { "id": foreign }, { "id": "dep_no" }, external("B")]);
    let before = app.store.statements();
    let found = caller.data(document, json!({ "refs": refs })).await["departmentsBy"].take();
    assert_eq!(app.store.statements() - before, 3);
    let row = |id: &Value, name: &str| json!({ "id": id, "name": name, "externalIds": [{ "id": name }] });
    assert_eq!(found, json!([row(&b, "B"), row(&a, "A"), null, null, null, row(&b, "B")]));
    assert_eq!(caller.data(document, json!({ "refs": [] })).await["departmentsBy"], json!([]));
    let many: Vec<Value> = (0..=1_000).map(|_| external("A")).collect();
    let most = caller.data(document, json!({ "refs": many[1..] })).await["departmentsBy"].take();
    assert_eq!(most.as_array().unwrap().len(), 1_000);
    let refused = caller.run(document, json!({ "refs": many })).await.body;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}
