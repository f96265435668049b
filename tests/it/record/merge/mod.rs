//! Merges of customers and of accounts: what moves, what follows, and what an undone merge gives back.

mod accounts;
mod concurrent;
mod export;
mod random;
mod referrals;
mod steps;
mod undone;

use serde_json::{Value, json};

use super::{TOLD, by_id, key, made, wrong};
use crate::app::{App, Caller};

/// A customer with an external id.
async fn customer(caller: &Caller<'_>, name: &str, more: Value) -> String {
    let mut input = json!({ "externalId": key(name), "name": name });
    for (field, value) in more.as_object().unwrap() {
        input[field] = value.clone();
    }
    made(caller, "customerUpsert", input).await
}

async fn merge(caller: &Caller<'_>, noun: &str, winner: &str, loser: &str) -> Value {
    let input = json!({ "winner": by_id(winner), "loser": by_id(loser) });
    caller.mutate(&format!("{noun}Merge"), input, "outcome errors { code path } node { id version }").await
}

#[tokio::test]
async fn a_merged_customer_is_the_winner_in_every_query_and_input() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let winner = customer(&caller, "Ann", json!({ "tags": ["a"], "email": "ann@example.org" })).await;
    let more = json!({ "tags": ["b"], "segment": "S", "email": "other@example.org", "phone": "+49 1" });
    let loser = customer(&caller, "Anna", more).await;
    let record = json!({ "kind": "PRAISE", "customerRef": by_id(&loser) });
    let record = made(&caller, "feedbackRecordCreate", record).await;
    let done = merge(&caller, "customer", &winner, &loser).await;
    assert_eq!((&done["outcome"], &done["node"]["id"]), (&json!("UPDATED"), &json!(winner)), "{done}");

    let document = "query($id: ID!, $key: ExternalIdInput!, $record: ID!) {
        node(id: $id) { id } nodes(ids: [$id]) { id }
        byId: customer(by: { id: $id }) { id name segment tags email phone
            externalIds { id } feedbackRecords { totalCount nodes { id } }
            contactPoints { nodes { kind value isPrimary } }
            merges { loserId movedCount mergedAt doneAt } }
        byKey: customer(by: { externalId: $key }) { id }
        many: customersBy(refs: [{ id: $id }, { externalId: $key }]) { id }
        all: customers { totalCount nodes { id } }
        filtered: customers(filter: { id: { eq: $id } }) { nodes { id } }
        among: customers(filter: { id: { in: [$id] } }) { nodes { id } }
        records: feedbackRecords(filter: { customer: { id: { eq: $id } } }) { nodes { id customer { id } } }
        recordsAmong: feedbackRecords(filter: { customer: { id: { in: [$id, $record] } } }) { totalCount }
        record: feedbackRecord(by: { id: $record }) { customer { id name } } }";
    let variables = json!({ "id": loser, "key": key("Anna"), "record": record });
    let seen = caller.run(document, variables).await.body;
    assert_eq!(seen["errors"], Value::Null, "{seen:#}");
    let seen = &seen["data"];
    let (own, one) = (json!({ "id": winner }), json!([{ "id": winner }]));
    assert_eq!((&seen["node"], &seen["nodes"], &seen["byKey"]), (&own, &one, &own));
    assert_eq!(seen["many"], json!([{ "id": winner }, { "id": winner }]));
    assert_eq!(seen["all"], json!({ "totalCount": 1, "nodes": [{ "id": winner }] }));
    assert_eq!((&seen["filtered"]["nodes"], &seen["among"]["nodes"]), (&one, &one));
    assert_eq!(seen["records"]["nodes"], json!([{ "id": record, "customer": { "id": winner } }]));
    assert_eq!(seen["recordsAmong"]["totalCount"], 1);
    assert_eq!(seen["record"]["customer"], json!({ "id": winner, "name": "Ann" }));
    let by_id_ = &seen["byId"];
    let values = ["name", "segment", "email", "phone"].map(|field| by_id_[field].as_str().unwrap());
    assert_eq!(values, ["Ann", "S", "ann@example.org", "+49 1"], "values of the winner win");
    assert_eq!((&by_id_["id"], &by_id_["tags"]), (&json!(winner), &json!(["a", "b"])));
    assert_eq!(by_id_["externalIds"], json!([{ "id": "Ann" }, { "id": "Anna" }]));
    assert_eq!(by_id_["feedbackRecords"], json!({ "totalCount": 1, "nodes": [{ "id": record }] }));
    let mut points: Vec<String> =
        by_id_["contactPoints"]["nodes"].as_array().unwrap().iter().map(Value::to_string).collect();
    points.sort();
    let point = |kind: &str, value: &str, is_primary: bool| {
        json!({ "kind": kind, "value": value, "isPrimary": is_primary }).to_string()
    };
    let mut wanted = [
        point("EMAIL", "ann@example.org", true),
        point("EMAIL", "other@example.org", false),
        point("PHONE", "+49 1", true),
    ];
    wanted.sort();
    assert_eq!(points, wanted);
    let at = "2026-11-22T12:00:00Z";
    let merged = json!([{ "loserId": loser, "movedCount": 3, "mergedAt": at, "doneAt": at }]);
    assert_eq!(by_id_["merges"], merged);

    // Inputs that name the loser mean the winner.
    let input = json!({ "kind": "PRAISE", "customerRef": by_id(&loser) });
    let made = caller.mutate("feedbackRecordCreate", input, "node { customer { id } }").await;
    assert_eq!(made["node"]["customer"]["id"], json!(winner));
    let input = json!({ "rows": [{ "externalId": key("r"), "kind": "PRAISE", "customerRef": by_id(&loser) }] });
    let bulk = caller.mutate("feedbackRecordsBulkUpsert", input, "results { node { customer { id } } }").await;
    assert_eq!(bulk["results"][0]["node"]["customer"]["id"], json!(winner));
    for (field, input) in [
        ("customerUpdate", json!({ "by": by_id(&loser), "segment": "New" })),
        ("customerUpsert", json!({ "externalId": key("Anna"), "segment": "Newer" })),
        ("customerArchive", json!({ "by": by_id(&loser) })),
        ("customerUnarchive", json!({ "by": by_id(&loser) })),
    ] {
        let done = caller.mutate(field, input, "outcome node { id }").await;
        assert_eq!((&done["outcome"], &done["node"]["id"]), (&json!("UPDATED"), &json!(winner)), "{field}");
    }
    // One event tells of the merge, and one of each row that moved.
    let log =
        "SELECT noun, operation, CAST(COUNT(*) AS TEXT) FROM event WHERE operation = 'MERGED' GROUP BY noun, operation";
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(app.database.look(log.to_owned()).await, [vec![some("Customer"), some("MERGED"), some("1")]]);
    let log = "SELECT fields FROM event WHERE noun = 'FeedbackRecord' AND operation = 'UPDATED'";
    assert_eq!(app.database.look(log.to_owned()).await, [vec![some("[\"customer\"]")]]);
}

#[tokio::test]
async fn a_dry_run_says_what_would_move_and_changes_nothing() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (winner, loser) =
        (customer(&caller, "Ann", json!({})).await, customer(&caller, "Anna", json!({ "phone": "1" })).await);
    for _ in 0..3 {
        made(&caller, "feedbackRecordCreate", json!({ "kind": "PRAISE", "customerRef": by_id(&loser) })).await;
    }
    made(&caller, "referralCreate", json!({ "referrerRef": by_id(&loser), "referredRef": by_id(&winner) })).await;
    let mut input = json!({ "winner": by_id(&winner), "loser": by_id(&loser), "dryRun": true });
    let selection = "outcome mergeMoves { type relation rowCount emptiedCount } errors { code }";
    let events = "SELECT CAST(COUNT(*) AS TEXT) FROM event".to_owned();
    let before = app.database.look(events.clone()).await;
    let done = caller.mutate("customerMerge", input.clone(), selection).await;
    let count = |noun: &str, relation: &str, count: i64, emptied: i64| json!({ "type": noun, "relation": relation, "rowCount": count, "emptiedCount": emptied });
    let counts = [
        count("ContactPoint", "customer", 1, 0),
        count("Referral", "referrer", 1, 0),
        count("Referral", "referred", 1, 1),
        count("FeedbackRecord", "customer", 3, 0),
    ];
    assert_eq!(done, json!({ "outcome": "UPDATED", "mergeMoves": counts, "errors": [] }));
    assert_eq!(app.database.look(events).await, before);
    input["dryRun"] = json!(false);
    input["expectedVersion"] = json!(7);
    assert_eq!(wrong(&caller, "customerMerge", input.clone()).await, [told("CONFLICT", "expectedVersion")]);
    input["expectedVersion"] = json!(1);
    input["idempotencyKey"] = json!("once");
    let selection = "outcome isReplayed node { id merges { movedCount } } mergeMoves { rowCount }";
    let first = caller.mutate("customerMerge", input.clone(), selection).await;
    let node = json!({ "id": winner, "merges": [{ "movedCount": 5 }] });
    assert_eq!(first, json!({ "outcome": "UPDATED", "isReplayed": false, "node": node, "mergeMoves": [] }));
    assert_eq!(caller.mutate("customerMerge", input, selection).await["isReplayed"], true);
}

fn told(code: &str, field: &str) -> (String, String) {
    (code.to_owned(), field.to_owned())
}

#[tokio::test]
async fn merges_that_make_no_sense_are_refused() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let [a, b, c] = [
        customer(&caller, "A", json!({})).await,
        customer(&caller, "B", json!({})).await,
        customer(&caller, "C", json!({})).await,
    ];
    let other = app.admin("two").await;
    let foreign = customer(&other, "F", json!({})).await;
    let account = made(&caller, "accountCreate", json!({ "name": "N" })).await;
    let of = |winner: &str, loser: &str| json!({ "winner": by_id(winner), "loser": by_id(loser) });
    let (nowhere, invalid) = (|| told("NOT_FOUND", "loser"), || told("INVALID", "loser"));
    for (winner, loser, wanted) in [
        (&a, &foreign, nowhere()),
        (&foreign, &a, told("NOT_FOUND", "winner")),
        (&a, &account, nowhere()),
        (&a, &"nothing".to_owned(), nowhere()),
        (&a, &a, invalid()),
    ] {
        assert_eq!(wrong(&caller, "customerMerge", of(winner, loser)).await, [wanted], "{winner} {loser}");
    }
    let same = json!({ "winner": by_id(&a), "loser": { "externalId": key("A") } });
    assert_eq!(wrong(&caller, "customerMerge", same).await, [invalid()]);
    assert_eq!(merge(&caller, "customer", &a, &b).await["outcome"], "UPDATED");
    // Again, in a circle, into a third one, and what was merged as the winner.
    assert_eq!(merge(&caller, "customer", &a, &b).await["outcome"], "UNCHANGED");
    assert_eq!(wrong(&caller, "customerMerge", of(&b, &a)).await, [invalid()], "the winner is the loser");
    assert_eq!(wrong(&caller, "customerMerge", of(&b, &b)).await, [invalid()]);
    assert_eq!(wrong(&caller, "customerMerge", of(&c, &b)).await, [told("CONFLICT", "loser")]);
    assert_eq!(merge(&caller, "customer", &b, &c).await["node"]["id"], json!(a), "into what the winner became");
    for (field, input) in [
        ("customerUnmerge", json!({ "loser": by_id(&a) })),
        ("customerUnmerge", json!({ "loser": { "externalId": key("B") } })),
        ("accountUnmerge", json!({ "loser": by_id(&account) })),
    ] {
        assert_eq!(wrong(&caller, field, input).await, [nowhere()], "{field}");
    }
    assert_eq!(wrong(&other, "customerUnmerge", json!({ "loser": by_id(&b) })).await, [nowhere()]);
}

#[tokio::test]
async fn nobody_who_was_erased_is_merged() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let of = |winner: &str, loser: &str| json!({ "winner": by_id(winner), "loser": by_id(loser) });
    let [d, e] = [customer(&caller, "D", json!({})).await, customer(&caller, "E", json!({})).await];
    caller.mutate("customerErase", json!({ "by": by_id(&d) }), TOLD).await;
    assert_eq!(wrong(&caller, "customerMerge", of(&d, &e)).await, [told("ERASED", "winner")]);
    assert_eq!(wrong(&caller, "customerMerge", of(&e, &d)).await, [told("ERASED", "loser")]);
    let gone = json!({ "winner": by_id(&e), "loser": { "externalId": key("D") } });
    assert_eq!(wrong(&caller, "customerMerge", gone).await, [told("ERASED", "loser")]);
    // Other rows that nobody erased stay as they were.
    assert_eq!(caller.ask("{ customers { totalCount } }").await["customers"]["totalCount"], 2);
}
