//! Event streams.

use entity::Permission;
use rapport::auth::revoked::Revocation;
use serde_json::{Value, json};

use super::{CHANGES, Events, admin, asked, make, refused, request, sequences};
use crate::server::{Answer, Door};

const STREAM: &str = "text/event-stream";

#[actix_web::test]
async fn changes_are_told_as_they_are_committed_and_from_a_position_on() {
    let door = Door::open(Vec::new()).await;
    let token = door.token(Permission::ALL);
    make(&door, "One").await;
    let mut live = Events::open(&door, &token, &request(&json!({}))).await;
    let begun = live.page().await;
    assert_eq!((sequences(&begun), &begun["headSequence"]), (vec![], &json!(1)), "the first page comes at once");
    let two = make(&door, "Two").await;
    let told = live.page().await;
    assert_eq!(
        told["nodes"],
        json!([{ "sequence": 2, "operation": "CREATED", "rowType": "Department", "rowId": two, "isMatching": null,
                 "row": { "name": "Two" } }])
    );
    make(&door, "Three").await;
    let told = live.page().await;
    assert_eq!(sequences(&told), [3]);
    // Where a full read begins, and where any page ended.
    for (after, expected) in [(&begun["headCursor"], vec![2, 3]), (&told["headCursor"], vec![])] {
        let mut resumed = Events::open(&door, &token, &request(&json!({ "after": after }))).await;
        assert_eq!(sequences(&resumed.page().await), expected);
    }
    let mut whole = Events::open(&door, &token, &request(&json!({ "afterSequence": 0, "first": 2 }))).await;
    assert_eq!(sequences(&whole.page().await), [1, 2]);
    assert_eq!(sequences(&whole.page().await), [3]);
    make(&door, "Four").await;
    assert_eq!(sequences(&whole.page().await), [4]);
    assert_eq!(sequences(&live.page().await), [4]);
    assert_eq!(door.app.store.tenant_violations(), 0);
}

#[actix_web::test]
async fn types_operations_and_a_filter_choose_what_is_told() {
    let door = Door::open(Vec::new()).await;
    let token = door.token(Permission::ALL);
    let open = async |variables: Value| {
        let mut events = Events::open(&door, &token, &request(&variables)).await;
        assert_eq!(sequences(&events.page().await), [] as [i64; 0]);
        events
    };
    let filter = json!({ "department": { "name": { "startsWith": "A" } } });
    let mut mediums = open(json!({ "types": ["MEDIUM"] })).await;
    let mut updates = open(json!({ "operations": ["UPDATED"] })).await;
    let mut filtered = open(json!({ "filter": filter })).await;
    let id = make(&door, "Accounts").await;
    let caller = admin(&door);
    let change = async |field: &str, input: Value| {
        let done = caller.mutate(field, input, "errors { code path message }").await;
        assert_eq!(done["errors"], json!([]));
    };
    change("mediumCreate", json!({ "name": "Phone" })).await;
    change("departmentUpdate", json!({ "by": { "id": id }, "name": "Billing" })).await;
    assert_eq!(sequences(&mediums.page().await), [2]);
    assert_eq!(sequences(&updates.page().await), [3]);
    // Pages may join changes; each shows whether the row meets the filter now.
    let mut seen = Vec::new();
    while seen.last() != Some(&(3, false)) {
        let page = filtered.page().await;
        let nodes = page["nodes"].as_array().unwrap();
        seen.extend(
            nodes.iter().map(|node| (node["sequence"].as_i64().unwrap(), node["isMatching"].as_bool().unwrap())),
        );
    }
    assert_eq!(seen.iter().map(|(sequence, _)| *sequence).collect::<Vec<_>>(), [1, 3]);
    change("departmentUpdate", json!({ "by": { "id": id }, "name": "Again" })).await;
    assert_eq!(filtered.page().await["nodes"][0]["isMatching"], true);
    change("departmentArchive", json!({ "by": { "id": id } })).await;
    assert_eq!(filtered.page().await["nodes"][0]["isMatching"], false);
    change("departmentDelete", json!({ "by": { "id": id } })).await;
    let gone = filtered.page().await;
    assert_eq!((&gone["nodes"][0]["isMatching"], &gone["nodes"][0]["row"]), (&json!(false), &Value::Null));
    // The types of a filter and of `types` must agree.
    for (types, is_good) in [(json!(["DEPARTMENT"]), true), (json!(["DEPARTMENT", "MEDIUM"]), false)] {
        let asked = request(&json!({ "filter": filter, "types": types, "afterSequence": 0 }));
        let mut events = Events::open(&door, &token, &asked).await;
        if is_good {
            assert_eq!(sequences(&events.page().await), [1, 3, 4, 5, 6]);
        } else {
            assert_eq!(events.last().await, "BAD_USER_INPUT");
        }
    }
}

#[actix_web::test]
async fn who_may_not_read_a_position_or_a_field_is_told_so_and_the_stream_is_complete() {
    let door = Door::open(Vec::new()).await;
    make(&door, "One").await;
    let all = door.token(Permission::ALL);
    let open = async |token: &str, variables: Value| Events::open(&door, token, &request(&variables)).await;
    for position in [json!({ "afterSequence": 2 }), json!({ "epoch": "another" })] {
        assert_eq!(open(&all, position).await.last().await, "CURSOR_EXPIRED");
    }
    assert_eq!(open(&all, json!({ "after": "x" })).await.last().await, "BAD_USER_INPUT");
    assert_eq!(open(&all, json!({ "first": 0 })).await.last().await, "BAD_USER_INPUT");
    let blind = door.token(Permission::ALL.into_iter().filter(|scope| *scope != Permission::ExchangeRead));
    assert_eq!(open(&blind, json!({})).await.last().await, "FORBIDDEN");
    let of_map = door.token([Permission::ExchangeRead, Permission::MapRead]);
    assert_eq!(open(&of_map, json!({ "types": ["CUSTOMER"] })).await.last().await, "FORBIDDEN");
    let by_name = json!({ "filter": { "customer": { "name": { "eq": "Ann" } } } });
    assert_eq!(open(&of_map, by_name.clone()).await.last().await, "FORBIDDEN");
    let of_record = door.token([Permission::ExchangeRead, Permission::RecordRead]);
    let narrow = "subscription($filter: ChangeFilter) { changes(filter: $filter) { headSequence } }";
    let by_name = json!({ "query": narrow, "variables": by_name });
    let mut by_name = Events::open(&door, &of_record, &by_name).await;
    assert_eq!(by_name.last().await, "FORBIDDEN", "personal data is not guessed by filters");
}

#[actix_web::test]
async fn a_revoked_token_ends_its_stream_before_anything_else_is_sent() {
    let door = Door::open(Vec::new()).await;
    let token = door.token(Permission::ALL);
    let mut events = Events::open(&door, &token, &request(&json!({}))).await;
    events.page().await;
    let tx = door.app.store.scope(door.actor(Permission::ALL), rapport::clock::now()).begin().await.unwrap();
    tx.revoke_tokens(Revocation::Subject, "ada").await.unwrap();
    tx.commit().await.unwrap();
    door.gate.poll(rapport::clock::now()).await.unwrap();
    make(&door, "Secret").await;
    assert!(events.next().await.is_err(), "it breaks off, so that the client comes back with another token");
    assert_eq!(refused(&door, &token, &request(&json!({})), STREAM).await.refused(), (401, "UNAUTHENTICATED"));
}

#[actix_web::test]
async fn what_cannot_begin_is_answered_as_any_request() {
    let door = Door::open(Vec::new()).await;
    let token = door.token(Permission::ALL);
    let subscription = request(&json!({}));
    for accept in ["application/json", "application/graphql-response+json", "*/*", "text/event-stream;q=0"] {
        let answer = refused(&door, &token, &subscription, accept).await;
        assert_eq!(answer.refused(), (406, "NOT_ACCEPTABLE"), "{accept}");
    }
    for (query, code) in [
        ("subscription { changes { x } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { changes { ", "GRAPHQL_PARSE_FAILED"),
        ("{ x }", "GRAPHQL_VALIDATION_FAILED"),
    ] {
        let answer = refused(&door, &token, &json!({ "query": query }), STREAM).await;
        assert_eq!(answer.refused(), (400, code), "{query}");
    }
    let anonymous = door.post("/graphql").header("accept", STREAM).json(&subscription).send().await.unwrap();
    assert_eq!(Answer::of(anonymous).await.refused(), (401, "UNAUTHENTICATED"));
    // The other formats stay for what is not a subscription.
    let slug = json!({ "query": "{ organization { slug } }" });
    let both = asked(&door, &token, &slug, "application/json, text/event-stream").await;
    assert_eq!(both.headers()["content-type"], "application/json; charset=utf-8");
    let mut events = Events::open(&door, &token, &slug).await;
    let (name, data) = events.next().await.unwrap().unwrap();
    assert_eq!(
        (name.as_str(), serde_json::from_str::<Value>(&data).unwrap()["data"]["organization"]["slug"].as_str()),
        ("next", Some("acme"))
    );
    assert_eq!(events.next().await, Ok(Some(("complete".to_owned(), String::new()))));
    assert_eq!(events.next().await, Ok(None));
}

#[actix_web::test]
async fn a_subscription_may_be_asked_for_by_get_and_a_mutation_may_not() {
    let door = Door::open(Vec::new()).await;
    let token = door.token(Permission::ALL);
    let get = async |query: &str| {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("query", query).finish();
        let asked = door.get(&format!("/graphql?{query}")).header("accept", STREAM).bearer_auth(&token);
        asked.send().await.unwrap()
    };
    let answer = get(CHANGES).await;
    assert_eq!((answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()), (200, STREAM));
    assert_eq!(get("mutation { __typename }").await.status(), 405);
}

#[actix_web::test]
async fn a_stream_shows_that_it_is_alive_also_while_only_other_rows_change() {
    let door = Door::open(Vec::new()).await;
    let token = door.token(Permission::ALL);
    let mut events = Events::open(&door, &token, &request(&json!({ "types": ["MEDIUM"] }))).await;
    events.page().await;
    let mut changes = 0;
    let begun = std::time::Instant::now();
    while !events.has_beaten().await {
        assert!(begun.elapsed().as_secs() < 20, "after {changes} changes");
        make(&door, &format!("D{changes}")).await;
        changes += 1;
    }
    assert!(changes > 0);
}

#[actix_web::test]
async fn a_caller_has_a_hundred_streams_and_room_again_when_one_ends() {
    let door = Door::open(Vec::new()).await;
    let token = door.token(Permission::ALL);
    let small = json!({ "query": "subscription { changes { headSequence } }" });
    let mut streams = Vec::new();
    for _ in 0..100 {
        streams.push(Events::open(&door, &token, &small).await);
    }
    let answer = refused(&door, &token, &small, STREAM).await;
    assert_eq!((answer.refused(), answer.retry_after.as_deref()), ((429, "RATE_LIMITED"), Some("1")));
    drop(streams.pop());
    // The server notices a client that is gone when it sends or reads the next time.
    loop {
        let answer = asked(&door, &token, &small, STREAM).await;
        if answer.status() == 200 {
            break;
        }
        tokio::task::yield_now().await;
    }
}
