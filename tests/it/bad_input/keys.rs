//! External ids, idempotency keys, versions and the size of bulk calls.

use serde_json::{Value, json};

use super::{TOLD, assert_refused, only};
use crate::app::{App, Caller};

fn key(system: &str, id: &str) -> Value {
    json!({"system": system, "id": id})
}

/// Malformed external ids, each with the code it is refused with.
fn malformed() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("an empty id", key("crm", ""), "REQUIRED"),
        ("a blank id", key("crm", " "), "REQUIRED"),
        ("an id of 256", key("crm", &"a".repeat(256)), "TOO_LONG"),
        ("a NUL byte in an id", key("crm", "a\0"), "INVALID"),
        ("an empty system", key("", "1"), "REQUIRED"),
        ("a system of 65", key(&"a".repeat(65), "1"), "TOO_LONG"),
        ("a NUL byte in a system", key("a\0", "1"), "INVALID"),
    ]
}

#[tokio::test]
async fn a_malformed_external_id_is_refused_wherever_it_stands() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let made = caller.mutate("departmentCreate", json!({"name": "a"}), "node { id }").await;
    let id = &made["node"]["id"];
    let mut cases = Vec::new();
    for (name, key, code) in malformed() {
        cases.extend([
            (name, "departmentCreate", json!({"name": "a", "externalIds": [key]}), only(code, "externalIds")),
            (name, "departmentUpdate", json!({"by": { "id": id }, "externalIds": [key]}), only(code, "externalIds")),
            (name, "departmentUpsert", json!({"externalId": key, "name": "a"}), only(code, "externalId")),
            (
                name,
                "departmentUpsert",
                json!({"externalId": key, "mode": "UPDATE_ONLY", "name": "a"}),
                only(code, "externalId"),
            ),
            (
                name,
                "interactionPointCreate",
                json!({"name": "a", "ownerRef": {"externalId": key}}),
                only(code, "ownerRef"),
            ),
        ]);
    }
    let many: Vec<Value> = (0..101).map(|id| key("crm", &id.to_string())).collect();
    let many = json!({"name": "a", "externalIds": many});
    cases.push(("too many", "departmentCreate", many, only("TOO_LONG", "externalIds")));
    assert_refused(&app, &caller, cases).await;
    let longest = json!({"name": "a", "externalIds": [key(&"é".repeat(64), &"é".repeat(255))]});
    assert_eq!(caller.mutate("departmentCreate", longest, TOLD).await["errors"], json!([]));
}

#[tokio::test]
async fn looking_for_a_malformed_external_id_finds_no_row() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let document = "query($key: ExternalIdInput!) { department(by: {externalId: $key}) { id } }";
    for (name, key, _) in malformed() {
        assert_eq!(caller.data(document, json!({"key": key})).await, json!({"department": null}), "{name}");
    }
    let preview = "query($key: ExternalIdInput!) { routingPreview(input: {mediumRef: {externalId: $key}}) { reason } }";
    for (name, key, _) in malformed() {
        super::assert_request_fails(&caller, name, preview, json!({"key": key}), "BAD_USER_INPUT").await;
    }
}

#[tokio::test]
async fn a_malformed_idempotency_key_is_refused() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let create = |key: &str| json!({"name": "a", "idempotencyKey": key});
    let long = "k".repeat(256);
    let cases = [
        ("empty", ""),
        ("256 signs", long.as_str()),
        ("a sign beyond ASCII", "é"),
        ("a NUL byte", "a\0"),
        ("a line break", "a\n"),
        ("a delete sign", "\u{7f}"),
    ];
    let cases =
        cases.into_iter().map(|(name, key)| (name, "departmentCreate", create(key), only("INVALID", "idempotencyKey")));
    assert_refused(&app, &caller, cases.collect()).await;
    for key in [" ", "~", &"k".repeat(255)] {
        assert_eq!(caller.mutate("departmentCreate", create(key), TOLD).await["outcome"], "CREATED", "{key}");
    }
}

#[tokio::test]
async fn a_key_used_with_another_input_or_field_is_refused() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let first = json!({"name": "a", "contact": "b", "idempotencyKey": "k"});
    assert_eq!(caller.mutate("departmentCreate", first.clone(), TOLD).await["outcome"], "CREATED");
    let conflict = || only("IDEMPOTENCY_CONFLICT", "idempotencyKey");
    let cases = vec![
        ("another value", "departmentCreate", json!({"name": "x", "contact": "b", "idempotencyKey": "k"}), conflict()),
        ("a field less", "departmentCreate", json!({"name": "a", "idempotencyKey": "k"}), conflict()),
        (
            "null for a value",
            "departmentCreate",
            json!({"name": "a", "contact": null, "idempotencyKey": "k"}),
            conflict(),
        ),
        ("another mutation", "mediumCreate", json!({"name": "a", "idempotencyKey": "k"}), conflict()),
    ];
    assert_refused(&app, &caller, cases).await;
    let replay = caller.mutate("departmentCreate", first, "outcome isReplayed").await;
    assert_eq!(replay, json!({"outcome": "CREATED", "isReplayed": true}));
}

#[tokio::test]
async fn a_refused_mutation_leaves_its_key_free() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let cases =
        vec![("blank", "departmentCreate", json!({"name": " ", "idempotencyKey": "k"}), only("REQUIRED", "name"))];
    assert_refused(&app, &caller, cases).await;
    let mended =
        caller.mutate("departmentCreate", json!({"name": "a", "idempotencyKey": "k"}), "outcome isReplayed").await;
    assert_eq!(mended, json!({"outcome": "CREATED", "isReplayed": false}));
}

/// A row of every noun whose version a mutation can expect, for those mutations.
async fn versioned(caller: &Caller<'_>) -> Vec<(&'static str, Value)> {
    let point = caller.mutate("interactionPointCreate", json!({"name": "a"}), "node { id }").await["node"].take();
    let record =
        caller.mutate("feedbackRecordCreate", json!({"kind": "COMPLAINT"}), "node { id }").await["node"].take();
    let id = &point["id"];
    vec![
        ("interactionPointUpdate", json!({"by": { "id": id }, "name": "b"})),
        ("interactionPointDelete", json!({"by": { "id": id }})),
        ("interactionPointArchive", json!({"by": { "id": id }})),
        ("interactionPointUnarchive", json!({"by": { "id": id }})),
        ("interactionPointSetMediums", json!({"by": { "id": id }, "mediums": []})),
        ("interactionPointSetInfluencers", json!({"by": { "id": id }, "influencers": []})),
        ("interactionPointRankExpectations", json!({"by": { "id": id }, "expectations": []})),
        ("feedbackRecordReroute", json!({"by": { "id": record["id"] }, "reason": "a"})),
        ("organizationUpdate", json!({"name": "b"})),
    ]
}

#[tokio::test]
async fn a_stale_version_is_a_conflict_and_shows_the_row_as_it_is() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let all = versioned(&caller).await;
    let before = app.dump(caller.organization()).await;
    for (field, input) in all {
        for version in [0, 2, -1, i32::MAX] {
            let mut stale = input.clone();
            stale["expectedVersion"] = json!(version);
            let payload = caller.mutate(field, stale, "outcome node { version } errors { code path }").await;
            let expected = json!({"outcome": "FAILED", "node": {"version": 1}, "errors": [{"code": "CONFLICT", "path": ["expectedVersion"]}]});
            assert_eq!(payload, expected, "{field} {version}");
        }
    }
    assert_eq!(app.dump(caller.organization()).await, before);
}

#[tokio::test]
async fn a_bulk_call_has_1_to_1000_rows() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let before = app.dump(caller.organization()).await;
    let rows = |most: usize| {
        let row = |place| json!({"externalId": key("crm", &format!("{place}")), "name": "a"});
        (0..most).map(row).collect::<Vec<_>>()
    };
    let told = "results { index } errors { code path }";
    for policy in ["ALL_OR_NOTHING", "SKIP_INVALID"] {
        for (count, code) in [(0, "REQUIRED"), (1001, "TOO_LONG")] {
            let input = json!({"rows": rows(count), "policy": policy});
            let payload = caller.mutate("departmentsBulkUpsert", input, told).await;
            assert_eq!(payload, json!({"results": [], "errors": [{"code": code, "path": ["rows"]}]}));
        }
    }
    assert_eq!(app.dump(caller.organization()).await, before);
    let payload = caller.mutate("departmentsBulkUpsert", json!({"rows": rows(1000)}), told).await;
    assert_eq!((payload["results"].as_array().unwrap().len(), &payload["errors"]), (1000, &json!([])));
}
