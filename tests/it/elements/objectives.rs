//! Objectives and the conflicts between those of different owners.

use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};

use super::{TOLD, by_id, listed, made, mistakes, one, outcome, point, refused};
use crate::app::{App, Caller};

const OWNERS: [&str; 3] = ["PERSON", "THEIR_COMPANY", "OURS"];

/// An objective with its statement as external id.
async fn objective(caller: &Caller<'_>, point: &str, owner: &str, statement: &str) -> String {
    let keys = json!([{ "system": "crm", "id": statement }]);
    let input = json!({ "owner": owner, "statement": statement, "pointRef": by_id(point), "externalIds": keys });
    made(caller, "objectiveCreate", input).await
}

fn conflict(point: &str, first: &str, second: &str) -> Value {
    json!({ "pointRef": by_id(point), "firstRef": by_id(first), "secondRef": by_id(second), "note": "Price" })
}

/// Gives objectives to owners in one call. Answers what came of each.
async fn give(caller: &Caller<'_>, owners: &[(&str, &str)]) -> Vec<Value> {
    let row = |(key, owner): &(&str, &str)| json!({ "externalId": { "system": "crm", "id": key }, "owner": owner });
    let rows: Vec<Value> = owners.iter().map(row).collect();
    let input = json!({ "rows": rows, "mode": "UPDATE_ONLY", "policy": "SKIP_INVALID" });
    let told = format!("results {{ {TOLD} }}");
    let mut payload = caller.mutate("objectivesBulkUpsert", input, &told).await;
    payload["results"].take().as_array().unwrap().clone()
}

/// The owners of both sides of each conflict.
async fn sides(caller: &Caller<'_>) -> Vec<[String; 2]> {
    let data = caller.ask("{ objectiveConflicts { nodes { first { owner } second { owner } } } }").await;
    let nodes = data["objectiveConflicts"]["nodes"].as_array().unwrap().iter();
    nodes.map(|node| ["first", "second"].map(|side| node[side]["owner"].as_str().unwrap().to_owned())).collect()
}

#[tokio::test]
async fn a_conflict_between_owners_is_reported_at_its_point_and_at_both_objectives() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (desk, shop) = (point(&caller, "Desk").await, point(&caller, "Shop").await);
    let cheap = objective(&caller, &desk, "PERSON", "Cheap").await;
    let margin = objective(&caller, &desk, "OURS", "Margin").await;
    objective(&caller, &shop, "OURS", "Many visits").await;
    let id = made(&caller, "objectiveConflictCreate", conflict(&desk, &cheap, &margin)).await;
    let asked = "query($id: ID!) { interactionPoint(by: { id: $id }) {
        objectiveConflicts { totalCount nodes { id note resolution first { statement owner } second { statement owner } } }
        objectives { nodes { statement owner conflicts { id } } } } }";
    let shown = caller.data(asked, json!({ "id": desk })).await;
    let expected = json!({
        "objectiveConflicts": { "totalCount": 1, "nodes": [{
            "id": id, "note": "Price", "resolution": null,
            "first": { "statement": "Cheap", "owner": "PERSON" }, "second": { "statement": "Margin", "owner": "OURS" },
        }] },
        "objectives": { "nodes": [
            { "statement": "Cheap", "owner": "PERSON", "conflicts": [{ "id": id }] },
            { "statement": "Margin", "owner": "OURS", "conflicts": [{ "id": id }] },
        ] },
    });
    assert_eq!(shown["interactionPoint"], expected);
    let conflicted = json!({ "objectiveConflicts": { "some": {} } });
    let open = json!({ "objectiveConflicts": { "some": { "resolution": { "isNull": true } } } });
    let points =
        async |filter: &Value| listed(&caller, "InteractionPoint", "interactionPoints", "name", filter.clone()).await;
    assert_eq!((points(&conflicted).await, points(&open).await), (vec!["Desk".to_owned()], vec!["Desk".to_owned()]));
    made(&caller, "objectiveConflictUpdate", json!({ "by": { "id": id }, "resolution": "A loyal price" })).await;
    assert_eq!((points(&conflicted).await, points(&open).await), (vec!["Desk".to_owned()], vec![]));
}

#[tokio::test]
async fn a_conflict_is_between_two_owners_at_one_point() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (desk, shop) = (point(&caller, "Desk").await, point(&caller, "Shop").await);
    let cheap = objective(&caller, &desk, "PERSON", "Cheap").await;
    let quick = objective(&caller, &desk, "PERSON", "Quick").await;
    let margin = objective(&caller, &desk, "OURS", "Margin").await;
    let away = objective(&caller, &shop, "THEIR_COMPANY", "Away").await;
    let mut silent = conflict(&desk, &cheap, &margin);
    silent["note"] = json!(" ");
    let cases = vec![
        ("objectiveConflictCreate", conflict(&desk, &cheap, &quick), "INVALID", "secondRef"),
        ("objectiveConflictCreate", conflict(&desk, &margin, &margin), "INVALID", "secondRef"),
        ("objectiveConflictCreate", conflict(&desk, &margin, &away), "INVALID", "secondRef"),
        ("objectiveConflictCreate", conflict(&desk, &away, &margin), "INVALID", "firstRef"),
        ("objectiveConflictCreate", silent, "REQUIRED", "note"),
    ];
    refused(&app, &caller, cases).await;
    let both = caller.mutate("objectiveConflictCreate", conflict(&shop, &cheap, &margin), TOLD).await;
    assert_eq!(mistakes(&both), [one("INVALID", &["firstRef"]), one("INVALID", &["secondRef"])].concat());
    let id = made(&caller, "objectiveConflictCreate", conflict(&desk, &cheap, &margin)).await;
    let cases = vec![
        ("objectiveConflictUpdate", json!({ "by": { "id": id }, "secondRef": by_id(&quick) }), "INVALID", "secondRef"),
        ("objectiveDelete", json!({ "by": { "id": margin } }), "IN_USE", "by"),
        ("interactionPointDelete", json!({ "by": { "id": desk } }), "IN_USE", "by"),
    ];
    refused(&app, &caller, cases).await;
    for (field, id) in [("objectiveConflictDelete", id), ("objectiveDelete", margin)] {
        assert_eq!(caller.mutate(field, json!({ "by": { "id": id } }), TOLD).await["outcome"], "DELETED");
    }
}

#[tokio::test]
async fn objectives_in_conflict_never_get_one_owner() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let desk = point(&caller, "Desk").await;
    let cheap = objective(&caller, &desk, "PERSON", "Cheap").await;
    let margin = objective(&caller, &desk, "OURS", "Margin").await;
    made(&caller, "objectiveConflictCreate", conflict(&desk, &cheap, &margin)).await;
    let cases = vec![("objectiveUpdate", json!({ "by": { "id": cheap }, "owner": "OURS" }), "INVALID", "owner")];
    refused(&app, &caller, cases).await;
    let updated = || ("UPDATED".to_owned(), vec![]);
    let refused = || ("FAILED".to_owned(), one("INVALID", &["owner"]));
    let done = give(&caller, &[("Cheap", "OURS"), ("Margin", "PERSON")]).await;
    assert_eq!(done.iter().map(outcome).collect::<Vec<_>>(), [updated(), updated()]);
    // One cannot move, and so the other cannot either.
    let aside = objective(&caller, &desk, "THEIR_COMPANY", "Aside").await;
    made(&caller, "objectiveConflictCreate", conflict(&desk, &aside, &cheap)).await;
    let done = give(&caller, &[("Margin", "OURS"), ("Cheap", "THEIR_COMPANY")]).await;
    assert_eq!(done.iter().map(outcome).collect::<Vec<_>>(), [refused(), refused()]);
    assert_eq!(sides(&caller).await, [["OURS", "PERSON"], ["THEIR_COMPANY", "OURS"]]);
}

#[tokio::test]
async fn two_who_change_both_sides_at_once_do_not_give_them_one_owner() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let desk = point(&caller, "Desk").await;
    let cheap = objective(&caller, &desk, "PERSON", "Cheap").await;
    let margin = objective(&caller, &desk, "OURS", "Margin").await;
    made(&caller, "objectiveConflictCreate", conflict(&desk, &cheap, &margin)).await;
    for _ in 0..6 {
        give(&caller, &[("Cheap", "PERSON"), ("Margin", "OURS")]).await;
        let (one, other) = ([("Cheap", "THEIR_COMPANY")], [("Margin", "THEIR_COMPANY")]);
        let (one, other) = tokio::join!(give(&caller, &one), give(&caller, &other));
        let outcomes = [one, other].concat().iter().map(|result| result["outcome"].clone()).collect::<Vec<_>>();
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == "UPDATED").count(), 1, "{outcomes:?}");
        let sides = sides(&caller).await.remove(0);
        assert_ne!(sides[0], sides[1]);
        give(&caller, &[("Cheap", "PERSON")]).await;
        give(&caller, &[("Margin", "OURS")]).await;
    }
}

#[test]
fn whatever_owners_are_given_the_sides_of_a_conflict_differ() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(App::start());
    let config = ProptestConfig { cases: 12, max_shrink_iters: 40, failure_persistence: None, ..Default::default() };
    let count = std::cell::Cell::new(0);
    let calls = vec(vec((0..5_usize, 0..3_usize), 1..4), 1..8);
    let result = TestRunner::new(config).run(&(calls, vec((0..5_usize, 0..5_usize), 1..6)), |(calls, pairs)| {
        count.set(count.get() + 1);
        let sides = runtime.block_on(async {
            let caller = app.admin(&format!("case-{}", count.get())).await;
            let desk = point(&caller, "Desk").await;
            let names = ["a", "b", "c", "d", "e"];
            let mut ids = Vec::new();
            for (place, name) in names.iter().enumerate() {
                ids.push(objective(&caller, &desk, OWNERS[place % 3], name).await);
            }
            for (first, second) in pairs {
                let input = conflict(&desk, &ids[first], &ids[second]);
                let done = caller.mutate("objectiveConflictCreate", input, TOLD).await;
                assert_eq!(done["outcome"] == "CREATED", first % 3 != second % 3);
            }
            for call in calls {
                let owners: Vec<_> = call.iter().map(|(place, owner)| (names[*place], OWNERS[*owner])).collect();
                give(&caller, &owners).await;
            }
            sides(&caller).await
        });
        prop_assert!(sides.iter().all(|[first, second]| first != second), "{sides:?}");
        Ok(())
    });
    runtime.block_on(async { drop(app) });
    result.unwrap();
}
