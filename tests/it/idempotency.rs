//! One key, one effect: whoever repeats a call gets the answer of the first.

use chrono::Duration;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    app::{App, Caller, now},
    writes::codes,
};

const PAYLOAD: &str = "outcome isReplayed deletedId errors { code path } node { id name version }";

async fn create(caller: &Caller<'_>, name: &str, key: &str) -> Value {
    caller.mutate("departmentCreate", json!({ "name": name, "idempotencyKey": key }), PAYLOAD).await
}

async fn count(caller: &Caller<'_>) -> i64 {
    // Without the one that every organization begins with.
    caller.ask("{ departments { totalCount } }").await["departments"]["totalCount"].as_i64().unwrap() - 1
}

#[tokio::test]
async fn a_repeated_call_answers_as_the_first_and_has_no_effect() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let first = create(&caller, "A", "k").await;
    let mut second = create(&caller, "A", "k").await;
    assert_eq!((&first["isReplayed"], &second["isReplayed"]), (&json!(false), &json!(true)));
    second["isReplayed"] = json!(false);
    assert_eq!((first, count(&caller).await), (second, 1));
    assert_eq!(create(&caller, "A", "l").await["isReplayed"], false);
    assert_eq!(count(&caller).await, 2);
}

#[tokio::test]
async fn a_replay_shows_the_row_as_it_is_now_and_what_the_caller_asks_now() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let id = create(&caller, "A", "k").await["node"]["id"].take();
    caller.mutate("departmentUpdate", json!({ "by": { "id": id }, "name": "B", "contact": "x" }), "outcome").await;
    let input = json!({ "name": "A", "idempotencyKey": "k" });
    let replay = caller.mutate("departmentCreate", input.clone(), "outcome node { name contact }").await;
    assert_eq!(replay, json!({ "outcome": "CREATED", "node": { "name": "B", "contact": "x" } }));
    let removal = json!({ "by": { "id": id }, "idempotencyKey": "removal" });
    for is_replayed in [false, true] {
        let deleted = caller.mutate("departmentDelete", removal.clone(), PAYLOAD).await;
        assert_eq!((&deleted["deletedId"], &deleted["isReplayed"]), (&id, &json!(is_replayed)));
        assert_eq!((&deleted["outcome"], codes(&deleted)), (&json!("DELETED"), vec![]));
    }
    let replay = caller.mutate("departmentCreate", input, PAYLOAD).await;
    assert_eq!((&replay["outcome"], &replay["node"]), (&json!("CREATED"), &Value::Null));
}

#[tokio::test]
async fn the_same_input_written_otherwise_is_the_same_input() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let input =
        json!({ "name": "A", "contact": null, "externalIds": [{ "system": "crm", "id": "1" }], "idempotencyKey": "k" });
    caller.mutate("departmentCreate", input, PAYLOAD).await;
    let document = r#"mutation($key: String!, $name: String!) { departmentCreate(input: {
        idempotencyKey: $key, externalIds: [{ id: "1", system: "crm" }], contact: null, name: $name
    }) { isReplayed } }"#;
    let data = caller.data(document, json!({ "key": "k", "name": "A" })).await;
    assert_eq!(data["departmentCreate"]["isReplayed"], true);
}

#[tokio::test]
async fn a_key_of_another_input_or_another_field_is_refused() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    create(&caller, "A", "k").await;
    let other = create(&caller, "B", "k").await;
    assert_eq!((codes(&other), &other["outcome"]), (vec!["IDEMPOTENCY_CONFLICT"], &json!("FAILED")));
    assert_eq!((&other["node"], &other["isReplayed"]), (&Value::Null, &json!(false)));
    // One value more, even null, is another input.
    let more = json!({ "name": "A", "contact": null, "idempotencyKey": "k" });
    assert_eq!(codes(&caller.mutate("departmentCreate", more, PAYLOAD).await), ["IDEMPOTENCY_CONFLICT"]);
    let same = json!({ "name": "A", "idempotencyKey": "k" });
    let elsewhere = caller.mutate("influencerCreate", same, "errors { code }").await;
    assert_eq!(codes(&elsewhere), ["IDEMPOTENCY_CONFLICT"]);
    assert_eq!(count(&caller).await, 1);
}

#[tokio::test]
async fn a_failed_call_is_not_remembered() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    assert_eq!(codes(&create(&caller, "", "k").await), ["REQUIRED"]);
    let mended = create(&caller, "A", "k").await;
    assert_eq!((&mended["outcome"], &mended["isReplayed"]), (&json!("CREATED"), &json!(false)));
    let rows = |name: &str| json!({ "rows": [{ "externalId": { "system": "crm", "id": "1" }, "name": name }], "idempotencyKey": "b" });
    let failed = caller.mutate("departmentsBulkUpsert", rows(""), "errors { code }").await;
    assert_eq!(codes(&failed), ["INVALID"]);
    let mended = caller.mutate("departmentsBulkUpsert", rows("B"), "isReplayed results { outcome }").await;
    assert_eq!(mended, json!({ "isReplayed": false, "results": [{ "outcome": "CREATED" }] }));
}

#[tokio::test]
async fn a_bulk_call_is_replayed_with_the_outcome_of_every_row() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let row = |id: &str, name: &str| json!({ "externalId": { "system": "crm", "id": id }, "name": name });
    let input = json!({ "rows": [row("1", "A"), row("2", ""), row("1", "B")], "policy": "SKIP_INVALID", "idempotencyKey": "k" });
    let selection =
        "isReplayed errors { code } results { index outcome errors { code path message } node { id name } }";
    let first = caller.mutate("departmentsBulkUpsert", input.clone(), selection).await;
    let second = caller.mutate("departmentsBulkUpsert", input, selection).await;
    assert_eq!((&first["isReplayed"], &second["isReplayed"]), (&json!(false), &json!(true)));
    assert_eq!((&first["results"], &first["errors"]), (&second["results"], &second["errors"]));
    assert_eq!(first["results"][0]["outcome"], "CREATED");
    assert_eq!(codes(&first["results"][2]), ["TAKEN"]);
}

#[tokio::test]
async fn a_key_belongs_to_one_subject_of_one_organization() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    create(&caller, "A", "k").await;
    let colleague = create(&caller.named("colleague"), "A", "k").await;
    let stranger = create(&app.admin("two").await, "A", "k").await;
    for made in [colleague, stranger] {
        assert_eq!((&made["outcome"], &made["isReplayed"]), (&json!("CREATED"), &json!(false)));
    }
    assert_eq!(count(&caller).await, 2);
}

#[tokio::test]
async fn a_forgotten_key_is_free() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    create(&caller, "A", "k").await;
    for (hours, kept) in [(23, "1"), (25, "0")] {
        app.run_jobs(now() + Duration::hours(hours)).await;
        let keys = app.database.look("SELECT CAST(COUNT(*) AS TEXT) FROM idempotency".to_owned()).await;
        assert_eq!(keys, [[Some(kept.to_owned())]], "after {hours} hours");
    }
    assert_eq!(create(&caller, "A", "k").await["isReplayed"], false);
    assert_eq!(count(&caller).await, 2);
}

#[tokio::test]
async fn a_key_is_1_to_255_printable_ascii_characters() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for key in ["", "ä", "a\n", &"k".repeat(256)] {
        let refused = create(&caller, "A", key).await;
        assert_eq!((codes(&refused), &refused["errors"][0]["path"]), (vec!["INVALID"], &json!(["idempotencyKey"])));
    }
    assert_eq!(create(&caller, "A", &"~ ".repeat(127)).await["outcome"], "CREATED");
    assert_eq!(count(&caller).await, 1);
}

/// A call that is made again while the service says that it is busy.
async fn create_patiently(caller: &Caller<'_>, name: &str, key: &str) -> Value {
    let document =
        format!("mutation($input: DepartmentCreateInput!) {{ departmentCreate(input: $input) {{ {PAYLOAD} }} }}");
    loop {
        let mut reply = caller.run(&document, json!({ "input": { "name": name, "idempotencyKey": key } })).await.body;
        let Some(errors) = reply.get("errors") else { return reply["data"]["departmentCreate"].take() };
        assert_eq!(errors[0]["extensions"]["code"], "UNAVAILABLE", "{errors}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_calls_at_once_with_one_key_have_one_effect_and_one_event() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for round in 1..=50 {
        let (name, key) = (format!("D{round}"), format!("k{round}"));
        let replies = join_all((0..64).map(|_| create_patiently(&caller, &name, &key))).await;
        let fresh = replies.iter().filter(|reply| reply["isReplayed"] == false).count();
        // The first call's own answer gets lost where the service is busy just after its commit.
        assert!(fresh <= 1, "{fresh} calls of round {round} came first");
        let same = |reply: &Value| reply["node"] == replies[0]["node"] && reply["outcome"] == "CREATED";
        assert!(replies.iter().all(same), "{replies:?}");
        let events = app.database.look("SELECT CAST(COUNT(*) AS TEXT) FROM event".to_owned()).await;
        assert_eq!((count(&caller).await, events), (round, vec![vec![Some(round.to_string())]]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_first_upserts_at_once_of_one_external_id_one_makes_the_row() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let input = json!({ "externalId": { "system": "crm", "id": "1" }, "name": "A" });
    let replies = join_all((0..16).map(|_| caller.mutate("departmentUpsert", input.clone(), PAYLOAD))).await;
    let made = replies.iter().filter(|reply| reply["outcome"] == "CREATED").count();
    let same = replies.iter().filter(|reply| reply["outcome"] == "UNCHANGED").count();
    assert_eq!((made, same, count(&caller).await), (1, 15, 1));
}
