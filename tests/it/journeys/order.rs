//! The order of stages and steps: set whole or by inserting, without gaps, whoever writes at the same moment.

use futures_util::future::{join, join_all};
use proptest::{collection::vec, prelude::*, test_runner};
use serde_json::{Value, json};

use super::{TOLD, by_id, journey, labels, made, mistakes, one, point, steps};
use crate::app::{App, refs};

#[tokio::test]
async fn a_step_is_inserted_moved_and_deleted_and_the_others_make_room() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let trip = journey(&caller, "Trip").await;
    let known = steps(&caller, &trip, &["a", "b", "c"]).await;
    let desk = point(&caller, "Desk").await;
    let new = |label: &str, position: Value| json!({ "label": label, "position": position, "journeyRef": by_id(&trip), "pointRef": by_id(&desk) });
    made(&caller, "stepCreate", new("d", json!(2))).await;
    assert_eq!(labels(&caller, &trip).await, ["a", "d", "b", "c"]);
    made(&caller, "stepCreate", new("e", json!(1000))).await;
    assert_eq!(labels(&caller, &trip).await, ["a", "d", "b", "c", "e"]);
    made(&caller, "stepUpdate", json!({ "by": { "id": known[0] }, "position": 4 })).await;
    assert_eq!(labels(&caller, &trip).await, ["d", "b", "c", "a", "e"]);
    made(&caller, "stepUpdate", json!({ "by": { "id": known[2] }, "position": 1 })).await;
    assert_eq!(labels(&caller, &trip).await, ["c", "d", "b", "a", "e"]);
    assert_eq!(caller.mutate("stepDelete", json!({ "by": { "id": known[1] } }), TOLD).await["outcome"], "DELETED");
    assert_eq!(labels(&caller, &trip).await, ["c", "d", "a", "e"]);
    for position in [json!(0), json!(1001)] {
        let refused = caller.mutate("stepCreate", new("x", position), TOLD).await;
        assert_eq!(mistakes(&refused), one("OUT_OF_RANGE", &["position"]));
    }
    let cleared = caller.mutate("stepUpdate", json!({ "by": { "id": known[0] }, "position": null }), TOLD).await;
    assert_eq!(mistakes(&cleared), one("REQUIRED", &["position"]));
}

#[tokio::test]
async fn rows_of_a_bulk_call_stand_where_they_ask_to_in_whatever_order_they_come() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let trip = journey(&caller, "Trip").await;
    let row = |name: &str, position: i64| {
        let key = json!({ "system": "crm", "id": name });
        json!({ "externalId": key, "name": name, "position": position, "journeyRef": by_id(&trip) })
    };
    let rows = json!({ "rows": [row("c", 3), row("a", 1), row("b", 2)] });
    let told = "results { outcome node { position } }";
    let outcomes = |payload: &Value| -> Vec<Value> {
        let results = payload["results"].as_array().unwrap().iter();
        results.map(|row| json!([row["outcome"], row["node"]["position"]])).collect()
    };
    let first = caller.mutate("stagesBulkUpsert", rows.clone(), told).await;
    assert_eq!(outcomes(&first), [json!(["CREATED", 3]), json!(["CREATED", 1]), json!(["CREATED", 2])]);
    let again = caller.mutate("stagesBulkUpsert", rows, told).await;
    assert_eq!(outcomes(&again), [json!(["UNCHANGED", 3]), json!(["UNCHANGED", 1]), json!(["UNCHANGED", 2])]);
    let turned = json!({ "rows": [row("a", 3), row("c", 1), row("b", 2)] });
    let turned = caller.mutate("stagesBulkUpsert", turned, told).await;
    assert_eq!(outcomes(&turned), [json!(["UPDATED", 3]), json!(["UPDATED", 1]), json!(["UNCHANGED", 2])]);
}

#[tokio::test]
async fn an_order_names_each_part_once() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (trip, other) = (journey(&caller, "Trip").await, journey(&caller, "Other").await);
    let own = steps(&caller, &trip, &["a", "b", "c"]).await;
    let foreign = steps(&caller, &other, &["x"]).await;
    let order = |ids: &[&String]| json!({ "by": { "id": trip }, "steps": refs(ids) });
    let before = app.dump(caller.organization()).await;
    for (ids, expected) in [
        (vec![&own[0], &own[1]], one("REQUIRED", &["steps"])),
        (vec![], one("REQUIRED", &["steps"])),
        (vec![&own[0], &own[1], &own[1]], one("INVALID", &["steps", "2"])),
        (vec![&own[0], &own[1], &foreign[0]], one("NOT_FOUND", &["steps", "2"])),
        (vec![&trip, &own[1], &own[2]], one("NOT_FOUND", &["steps", "0"])),
    ] {
        assert_eq!(mistakes(&caller.mutate("journeyOrderSteps", order(&ids), TOLD).await), expected);
    }
    let stale = json!({ "by": { "id": trip }, "steps": refs([&own[2], &own[1], &own[0]]), "expectedVersion": 7 });
    let stale = caller.mutate("journeyOrderSteps", stale, TOLD).await;
    assert_eq!(mistakes(&stale), one("CONFLICT", &["expectedVersion"]));
    assert_eq!(app.dump(caller.organization()).await, before);
    let told = "outcome node { version }";
    let done = caller.mutate("journeyOrderSteps", order(&[&own[2], &own[0], &own[1]]), told).await;
    assert_eq!(done, json!({ "outcome": "UPDATED", "node": { "version": 2 } }));
    assert_eq!(labels(&caller, &trip).await, ["c", "a", "b"]);
    let done = caller.mutate("journeyOrderSteps", order(&[&own[2], &own[0], &own[1]]), told).await;
    assert_eq!(done, json!({ "outcome": "UNCHANGED", "node": { "version": 2 } }));
}

#[tokio::test]
async fn the_stages_of_a_journey_are_ordered_whole() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let trip = journey(&caller, "Trip").await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(made(&caller, "stageCreate", json!({ "name": name, "journeyRef": by_id(&trip) })).await);
    }
    ids.rotate_left(1);
    made(&caller, "journeyOrderStages", json!({ "by": { "id": trip }, "stages": refs(&ids) })).await;
    let shown = caller.ask("{ stages(orderBy: [{ field: POSITION }]) { nodes { name position } } }").await;
    let expected = json!([{"name": "b", "position": 1}, {"name": "c", "position": 2}, {"name": "a", "position": 3}]);
    assert_eq!(shown["stages"]["nodes"], expected);
    let refused =
        caller.mutate("journeyOrderStages", json!({ "by": { "id": trip }, "stages": refs(&ids[1..]) }), TOLD).await;
    assert_eq!(mistakes(&refused), one("REQUIRED", &["stages"]));
}

#[tokio::test]
async fn writers_at_the_same_moment_leave_one_order_without_gaps() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let names = ["a", "b", "c", "d", "e", "f"];
    for round in 0..4 {
        let trip = journey(&caller, &round.to_string()).await;
        let mut ids = steps(&caller, &trip, &names).await;
        let desk = point(&caller, "Desk").await;
        let forward = ids.clone();
        ids.reverse();
        let (one, other) = join(
            caller.mutate("journeyOrderSteps", json!({ "by": { "id": trip }, "steps": refs(&ids) }), TOLD),
            caller.mutate("journeyOrderSteps", json!({ "by": { "id": trip }, "steps": refs(&forward) }), TOLD),
        )
        .await;
        assert!([&one, &other].iter().all(|done| done["outcome"] != "FAILED"), "{one} {other}");
        let shown = labels(&caller, &trip).await.concat();
        assert!(["abcdef", "fedcba"].contains(&shown.as_str()), "{shown}");
        let new = json!({ "label": "n", "position": 3, "journeyRef": by_id(&trip), "pointRef": by_id(&desk) });
        let (inserted, (deleted, (moved, ordered))) = join(
            join_all((0..3).map(|_| caller.mutate("stepCreate", new.clone(), TOLD))),
            join(
                caller.mutate("stepDelete", json!({ "by": { "id": ids[0] } }), TOLD),
                join(
                    caller.mutate("stepUpdate", json!({ "by": { "id": ids[2] }, "position": 1 }), TOLD),
                    caller.mutate("journeyOrderSteps", json!({ "by": { "id": trip }, "steps": refs(&ids) }), TOLD),
                ),
            ),
        )
        .await;
        assert!(inserted.iter().chain([&deleted, &moved]).all(|done| done["errors"] == json!([])), "{inserted:?}");
        // Between the others' changes, the list may no longer be the whole.
        let codes: Vec<String> = mistakes(&ordered).into_iter().map(|(code, _)| code).collect();
        assert!(codes.iter().all(|code| ["REQUIRED", "NOT_FOUND"].contains(&code.as_str())), "{ordered}");
        assert_eq!(labels(&caller, &trip).await.len(), names.len() + 2);
    }
}

#[tokio::test]
async fn parts_keep_their_whole_and_what_they_hold_from_being_deleted() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let trip = journey(&caller, "Trip").await;
    let stage = made(&caller, "stageCreate", json!({ "name": "First", "journeyRef": by_id(&trip) })).await;
    let steps = steps(&caller, &trip, &["a", "b"]).await;
    made(&caller, "stepUpdate", json!({ "by": { "id": steps[0] }, "stageRef": by_id(&stage) })).await;
    let link = super::linked(&caller, &trip, &steps[0], &steps[1], "SEQUENCE").await;
    let delete = async |field: &str, id: &str| {
        let done = caller.mutate(field, json!({ "by": { "id": id } }), "outcome errors { code path }").await;
        mistakes(&done)
    };
    for (field, id) in [("journeyDelete", &trip), ("stageDelete", &stage), ("stepDelete", &steps[0])] {
        assert_eq!(delete(field, id).await, one("IN_USE", &["by"]), "{field}");
    }
    for (field, id) in [
        ("stepLinkDelete", &link),
        ("stepDelete", &steps[0]),
        ("stepDelete", &steps[1]),
        ("stageDelete", &stage),
        ("journeyDelete", &trip),
    ] {
        assert_eq!(delete(field, id).await, [], "{field}");
    }
}

#[derive(Clone, Debug)]
enum Change {
    Insert(Option<usize>),
    Move(usize, usize),
    Delete(usize),
    Order(Vec<usize>),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => proptest::option::of(1..9_usize).prop_map(Change::Insert),
        3 => (any::<usize>(), 1..9_usize).prop_map(|(step, place)| Change::Move(step, place)),
        1 => any::<usize>().prop_map(Change::Delete),
        1 => vec(any::<usize>(), 12).prop_map(Change::Order),
    ]
}

#[test]
fn any_sequence_of_changes_leaves_the_order_of_a_list() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(App::start());
    let config = ProptestConfig { cases: 20, max_shrink_iters: 60, failure_persistence: None, ..Default::default() };
    let caller = runtime.block_on(app.admin("one"));
    let result = test_runner::TestRunner::new(config).run(&vec(change(), 1..14), |changes| {
        runtime.block_on(async {
            let trip = journey(&caller, "Trip").await;
            let desk = point(&caller, "Desk").await;
            let mut model: Vec<(String, String)> = Vec::new();
            for (index, change) in changes.into_iter().enumerate() {
                match change {
                    Change::Insert(place) => {
                        let label = index.to_string();
                        let mut new = json!({ "label": label, "journeyRef": by_id(&trip), "pointRef": by_id(&desk) });
                        if let Some(place) = place {
                            new["position"] = json!(place);
                        }
                        let id = made(&caller, "stepCreate", new).await;
                        let place = place.map_or(model.len(), |place| (place - 1).min(model.len()));
                        model.insert(place, (id, label));
                    }
                    Change::Move(step, place) if !model.is_empty() => {
                        let moved = model.remove(step % (model.len()));
                        made(&caller, "stepUpdate", json!({ "by": { "id": moved.0 }, "position": place })).await;
                        model.insert((place - 1).min(model.len()), moved);
                    }
                    Change::Delete(step) if !model.is_empty() => {
                        let gone = model.remove(step % model.len());
                        caller.mutate("stepDelete", json!({ "by": { "id": gone.0 } }), "outcome").await;
                    }
                    Change::Order(keys) => {
                        let mut keyed: Vec<_> = model.drain(..).zip(keys.iter().cycle()).collect();
                        keyed.sort_by_key(|(_, key)| **key);
                        model = keyed.into_iter().map(|(step, _)| step).collect();
                        let ids: Vec<&String> = model.iter().map(|(id, _)| id).collect();
                        made(&caller, "journeyOrderSteps", json!({ "by": { "id": trip }, "steps": refs(ids) })).await;
                    }
                    _ => {}
                }
                let expected: Vec<&String> = model.iter().map(|(_, label)| label).collect();
                assert_eq!(labels(&caller, &trip).await.iter().collect::<Vec<_>>(), expected);
            }
        });
        Ok(())
    });
    runtime.block_on(async { drop(app) });
    result.unwrap();
}
