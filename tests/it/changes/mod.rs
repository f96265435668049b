//! The change feed: every change once, in the order of commits, with the row as it is now.

mod access;
mod expired;
mod hand_over;

use serde_json::{Value, json};

use crate::app::{App, Caller, now};

const QUERY: &str =
    "query($afterSequence: Sequence, $epoch: String, $after: String, $first: Int, $types: [ChangeNoun!],
        $operations: [EventOperation!]) {
    changes(afterSequence: $afterSequence, epoch: $epoch, after: $after, first: $first, types: $types,
            operations: $operations) {
        nodes { sequence operation rowType rowId rowVersion occurredAt fields mergedIntoId row {
            __typename ... on Department { id name version } ... on Customer { id name version }
            ... on FeedbackRecord { id version } } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        headSequence headCursor oldestSequence epoch
    }
}";

/// A page of the feed.
async fn page(caller: &Caller<'_>, variables: Value) -> Value {
    caller.data(QUERY, variables).await["changes"].take()
}

/// The code with which the feed fails, and the oldest position that the error names.
async fn refusal(caller: &Caller<'_>, variables: Value) -> (Value, Value) {
    let reply = caller.run(QUERY, variables).await.body;
    assert_eq!(reply["data"]["changes"], Value::Null, "{reply:#}");
    let of = |name: &str| reply["errors"][0]["extensions"][name].clone();
    (of("code"), of("oldestSequence"))
}

/// The changes of a page, in short.
fn told(page: &Value) -> Vec<String> {
    let short = |change: &Value| {
        let text = |name: &str| change[name].as_str().unwrap().to_owned();
        let row = if change["row"].is_null() { "gone" } else { "there" };
        let (sequence, version) = (change["sequence"].as_i64().unwrap(), &change["rowVersion"]);
        format!("{sequence} {} {} {version} {row}", text("operation"), text("rowType"))
    };
    page["nodes"].as_array().unwrap().iter().map(short).collect()
}

fn sequences(page: &Value) -> Vec<i64> {
    page["nodes"].as_array().unwrap().iter().map(|change| change["sequence"].as_i64().unwrap()).collect()
}

/// Makes a row, and returns its id.
async fn make(caller: &Caller<'_>, field: &str, input: Value) -> String {
    let made = caller.mutate(field, input, "node { id } errors { code path message }").await;
    assert_eq!(made["errors"], json!([]), "{field}");
    made["node"]["id"].as_str().unwrap().to_owned()
}

async fn change(caller: &Caller<'_>, field: &str, input: Value) {
    assert_eq!(caller.mutate(field, input, "errors { code path message }").await["errors"], json!([]), "{field}");
}

fn by(id: &str) -> Value {
    json!({ "by": { "id": id } })
}

/// Five changes of a department that is gone in the end, and one of another.
async fn changed<'a>(app: &'a App, slug: &str) -> (Caller<'a>, String, String) {
    let caller = app.admin(slug).await;
    let gone = make(&caller, "departmentCreate", json!({ "name": "A" })).await;
    change(&caller, "departmentUpdate", json!({ "by": { "id": gone }, "contact": "x" })).await;
    change(&caller, "departmentArchive", by(&gone)).await;
    change(&caller, "departmentUnarchive", by(&gone)).await;
    change(&caller, "departmentDelete", by(&gone)).await;
    let there = make(&caller, "departmentCreate", json!({ "name": "B" })).await;
    (caller, gone, there)
}

#[tokio::test]
async fn changes_are_told_in_order_with_the_row_of_now_and_tombstones() {
    let app = App::start().await;
    let (caller, gone, there) = changed(&app, "one").await;
    let all = page(&caller, json!({})).await;
    let expected = [
        "1 CREATED Department 1 gone",
        "2 UPDATED Department 2 gone",
        "3 ARCHIVED Department 3 gone",
        "4 UNARCHIVED Department 4 gone",
        "5 DELETED Department 5 gone",
        "6 CREATED Department 1 there",
    ];
    assert_eq!(told(&all), expected);
    assert_eq!(
        all["nodes"][5],
        json!({ "sequence": 6, "operation": "CREATED", "rowType": "Department", "rowId": there, "rowVersion": 1,
            "occurredAt": "2026-11-22T12:00:00Z", "fields": ["name", "assignment"], "mergedIntoId": null,
            "row": { "__typename": "Department", "id": there, "name": "B", "version": 1 } })
    );
    let nodes = all["nodes"].as_array().unwrap();
    assert!(nodes[..5].iter().all(|change| change["rowId"] == json!(gone)));
    assert_eq!((&nodes[1]["fields"], &nodes[4]["fields"]), (&json!(["contact"]), &json!([])));
    assert_eq!((&all["headSequence"], &all["oldestSequence"]), (&json!(6), &json!(1)));
    assert_eq!(all["pageInfo"]["endCursor"], all["headCursor"]);

    let after = page(&caller, json!({ "afterSequence": 4, "epoch": all["epoch"] })).await;
    assert_eq!(told(&after), expected[4..]);
    assert_eq!(after["pageInfo"]["hasPreviousPage"], true);
    let after = page(&caller, json!({ "after": after["pageInfo"]["startCursor"] })).await;
    assert_eq!(told(&after), expected[5..]);
}

#[tokio::test]
async fn pages_to_the_end_are_all_changes_once_and_the_end_is_an_empty_page() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let row = |number: usize| json!({ "externalId": { "system": "x", "id": number.to_string() }, "name": "A" });
    let rows: Vec<Value> = (0..23).map(row).collect();
    change(&caller, "departmentsBulkUpsert", json!({ "rows": rows })).await;
    let (mut after, mut seen, mut sizes) = (Value::Null, Vec::new(), Vec::new());
    loop {
        let page = page(&caller, json!({ "first": 10, "after": after })).await;
        let found = sequences(&page);
        sizes.push((found.len(), page["pageInfo"]["hasNextPage"].as_bool().unwrap()));
        seen.extend(found);
        after = page["pageInfo"]["endCursor"].clone();
        if after.is_null() {
            assert_eq!(page["headSequence"], 23);
            let position = json!({ "after": page["headCursor"], "first": 1 });
            assert_eq!(sequences(&self::page(&caller, position).await), [] as [i64; 0]);
            break;
        }
    }
    assert_eq!(sizes, [(10, true), (10, true), (3, false), (0, false)]);
    assert!(seen.into_iter().eq(1..=23));
    for first in [0, 1_001] {
        assert_eq!(refusal(&caller, json!({ "first": first })).await.0, "BAD_USER_INPUT");
    }
    assert_eq!(sequences(&page(&caller, json!({ "first": 1_000 })).await).len(), 23);
}

#[tokio::test]
async fn types_and_operations_are_filters_and_cursors_go_with_any() {
    let app = App::start().await;
    let (caller, ..) = changed(&app, "one").await;
    change(&caller, "mediumCreate", json!({ "name": "Phone" })).await;
    let only = async |variables: Value| sequences(&page(&caller, variables).await);
    assert_eq!(only(json!({ "types": ["MEDIUM"] })).await, [7]);
    assert_eq!(only(json!({ "types": ["MEDIUM", "DEPARTMENT"] })).await, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(only(json!({ "operations": ["DELETED"] })).await, [5]);
    assert_eq!(only(json!({ "operations": ["CREATED", "DELETED"], "types": ["DEPARTMENT"] })).await, [1, 5, 6]);
    assert_eq!(only(json!({ "types": [] })).await, [] as [i64; 0]);
    let first = page(&caller, json!({ "operations": ["CREATED"], "types": ["DEPARTMENT"], "first": 1 })).await;
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let after = &first["pageInfo"]["endCursor"];
    assert_eq!(only(json!({ "operations": ["CREATED"], "after": after })).await, [6, 7]);
    let none = page(&caller, json!({ "types": ["CUSTOMER"] })).await;
    assert_eq!(none["pageInfo"]["endCursor"], Value::Null);
    assert_eq!((&none["pageInfo"]["hasNextPage"], &none["headSequence"]), (&json!(false), &json!(7)));
}

#[tokio::test]
async fn a_merge_says_into_which_row_and_an_undone_one_brings_the_row_back() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let mut people = Vec::new();
    for name in ["Ann", "Anna", "Anne"] {
        people.push(make(&caller, "customerCreate", json!({ "name": name })).await);
    }
    let merge = async |winner: usize, loser: usize| {
        let input = json!({ "winner": { "id": people[winner] }, "loser": { "id": people[loser] } });
        change(&caller, "customerMerge", input).await;
    };
    merge(1, 2).await;
    merge(0, 1).await;
    let all = page(&caller, json!({})).await;
    let target = |sequence: usize| all["nodes"][sequence - 1]["mergedIntoId"].clone();
    let operations: Vec<(&str, usize, &Value)> = all["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            let place = people.iter().position(|id| change["rowId"] == json!(id)).unwrap();
            (change["operation"].as_str().unwrap(), place, &change["row"]["id"])
        })
        .collect();
    let ann = json!(people[0]);
    let (row, gone) = (&ann, &Value::Null);
    let merges: Vec<usize> = (0..operations.len()).filter(|place| operations[*place].0 == "MERGED").collect();
    assert_eq!(operations[merges[0]], ("MERGED", 2, gone));
    assert_eq!(operations[merges[1]], ("MERGED", 1, gone));
    assert!(operations.iter().all(|(_, place, found)| *found == if *place == 0 { row } else { gone }), "{all:#}");
    assert_eq!((target(merges[0] + 1), target(merges[1] + 1)), (ann.clone(), ann.clone()), "where both are in the end");
    assert_eq!(target(1), Value::Null);
    let undo = json!({ "loser": { "id": people[1] } });
    change(&caller, "customerUnmerge", undo).await;
    let all = page(&caller, json!({})).await;
    assert_eq!(all["nodes"][merges[1]]["mergedIntoId"], Value::Null);
    let back = json!({ "after": all["pageInfo"]["startCursor"], "operations": ["CREATED"] });
    let back = page(&caller, back).await;
    let last = back["nodes"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["rowId"], &last["row"]["id"]), (&json!(people[1]), &json!(people[1])));
}

#[tokio::test]
async fn an_erased_row_is_null_in_its_changes_up_to_the_erasure_and_shown_in_later_ones() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let person = make(&caller, "customerCreate", json!({ "name": "CanaryOfTheFeed" })).await;
    let words = json!({ "kind": "PRAISE", "body": "CanaryOfTheFeed", "customerRef": { "id": person } });
    let record = make(&caller, "feedbackRecordCreate", words).await;
    change(&caller, "customerErase", by(&person)).await;
    let before = page(&caller, json!({ "types": ["CUSTOMER", "FEEDBACK_RECORD"] })).await;
    assert!(before["nodes"].as_array().unwrap().iter().all(|change| change["row"].is_null()), "{before:#}");
    let erased = page(&caller, json!({ "operations": ["ERASED"] })).await;
    let rows: Vec<&Value> = erased["nodes"].as_array().unwrap().iter().map(|change| &change["rowId"]).collect();
    assert!(rows.contains(&&json!(person)) && rows.contains(&&json!(record)), "{erased:#}");
    assert!(!before.to_string().contains("Canary"));
    change(&caller, "feedbackRecordUpdate", json!({ "by": { "id": record }, "tags": ["late"] })).await;
    let after = page(&caller, json!({ "types": ["FEEDBACK_RECORD"] })).await;
    let shown: Vec<bool> = after["nodes"].as_array().unwrap().iter().map(|change| change["row"].is_object()).collect();
    assert_eq!(shown, [false, false, true]);
}

#[tokio::test]
async fn a_page_costs_one_statement_and_one_for_each_selected_type_on_it() {
    let app = App::start().await;
    let (caller, _, there) = changed(&app, "one").await;
    for number in 0..30 {
        change(&caller, "departmentUpdate", json!({ "by": { "id": there }, "contact": number.to_string() })).await;
    }
    change(&caller, "mediumCreate", json!({ "name": "Phone" })).await;
    let cost = async |row: &str| {
        let before = app.store.statements();
        let data = caller.ask(&format!("{{ changes {{ nodes {{ sequence {row} }} headSequence }} }}")).await;
        assert_eq!(data["changes"]["nodes"].as_array().unwrap().len(), 37);
        (app.store.statements() - before, data["changes"]["nodes"].clone())
    };
    assert_eq!(cost("").await.0, 1);
    let (statements, nodes) = cost("row { ... on Department { name } ... on Customer { name } }").await;
    assert_eq!(statements, 2);
    assert_eq!(
        (&nodes[0]["row"], &nodes[5]["row"], &nodes[36]["row"]),
        (&Value::Null, &json!({"name": "B"}), &json!({}))
    );
    assert_eq!(cost("row { ... on Department { name } ... on Medium { name parent { name } } }").await.0, 3);
    assert_eq!(cost("row { __typename }").await.0, 3);
}

#[tokio::test]
async fn a_page_walks_the_index_of_the_sequence_wherever_it_begins() {
    let app = App::start().await;
    let (caller, ..) = changed(&app, "one").await;
    app.store.texts();
    page(&caller, json!({ "afterSequence": 3, "operations": ["CREATED"] })).await;
    let texts = app.store.texts();
    let text = texts.iter().find(|text| text.contains("AS part")).unwrap();
    let plan = app.database.plan(text).await.join("\n");
    let (bound, erased, none) = if app.database.is_sqlite() {
        ("(organization_id=? AND sequence>?)", "ix_event_erased", "SCAN t")
    } else {
        ("(sequence > $", "ix_event_erased", "Seq Scan")
    };
    assert!(plan.contains(bound) && plan.contains(erased) && !plan.contains(none), "{plan}");
    // Only the parts of the page themselves are ordered.
    let sorts = plan.matches(if app.database.is_sqlite() { "TEMP B-TREE FOR ORDER BY" } else { "Sort Key" }).count();
    assert!(sorts <= 1, "{plan}");
}

#[tokio::test]
async fn retention_moves_the_oldest_position_and_leaves_the_log_alone() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for day in [0, 10, 20] {
        let caller = caller.after(day * 24 * 60);
        change(&caller, "departmentCreate", json!({ "name": day.to_string() })).await;
    }
    let late = caller.after(21 * 24 * 60);
    assert_eq!(page(&late, json!({})).await["oldestSequence"], 1, "by default, everything is kept");
    change(&late, "organizationUpdate", json!({ "changeRetentionDays": 15 })).await;
    let kept = page(&late, json!({ "afterSequence": 1 })).await;
    assert_eq!((sequences(&kept), &kept["oldestSequence"]), (vec![2, 3, 4], &json!(2)));
    for position in [json!({}), json!({ "afterSequence": 0 })] {
        assert_eq!(refusal(&late, position).await, (json!("CURSOR_EXPIRED"), json!(2)));
    }
    let much_later = caller.after(400 * 24 * 60);
    let none = page(&much_later, json!({ "after": kept["headCursor"] })).await;
    assert_eq!((sequences(&none), &none["oldestSequence"]), (vec![], &json!(5)));
    assert_eq!(refusal(&much_later, json!({ "afterSequence": 3 })).await, (json!("CURSOR_EXPIRED"), json!(5)));
    let log = caller.ask("{ auditLog { totalCount } }").await;
    assert_eq!(log["auditLog"]["totalCount"], 4);
    app.store.seal(caller.organization(), now()).await.unwrap();
    app.store.verify(caller.organization(), Vec::new(), 1).await.unwrap().unwrap();
    change(&late, "organizationUpdate", json!({ "changeRetentionDays": null })).await;
    assert_eq!(sequences(&page(&late, json!({})).await), [1, 2, 3, 4, 5]);
}
