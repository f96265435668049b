//! What an undone merge gives back, and what it leaves.

use rapport::store::STEP;
use serde_json::{Value, json};

use super::{customer, merge, steps::busy, told};
use crate::{
    app::{App, Caller, now},
    record::{TOLD, by_id, key, made, wrong},
};

const SHOWN: &str = "query($id: ID!) { customer(by: { id: $id }) { id name segment language tags email phone archivedAt
    externalIds { id } feedbackRecords(first: 1000) { nodes { id } } merges { loserId }
    contactPoints(orderBy: [{ field: ID }]) { nodes { id value isPrimary } } } }";

async fn shown(caller: &Caller<'_>, id: &str) -> Value {
    caller.data(SHOWN, json!({ "id": id })).await["customer"].take()
}

async fn unmerge(caller: &Caller<'_>, loser: &str) -> Value {
    caller.mutate("customerUnmerge", json!({ "loser": by_id(loser) }), "outcome errors { code } node { id }").await
}

#[tokio::test]
async fn an_undone_merge_leaves_both_as_they_were() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let winner = customer(&caller, "Ann", json!({ "tags": ["a"], "email": "ann@example.org" })).await;
    let more = json!({ "tags": ["b"], "segment": "S", "email": "other@example.org", "phone": "+49 1" });
    let loser = customer(&caller, "Anna", more).await;
    for customer in [&winner, &loser, &loser] {
        made(&caller, "feedbackRecordCreate", json!({ "kind": "PRAISE", "customerRef": by_id(customer) })).await;
    }
    let before = [shown(&caller, &winner).await, shown(&caller, &loser).await];
    merge(&caller, "customer", &winner, &loser).await;
    let done = unmerge(&caller, &loser).await;
    assert_eq!(done, json!({ "outcome": "CREATED", "errors": [], "node": { "id": loser } }));
    assert_eq!([shown(&caller, &winner).await, shown(&caller, &loser).await], before);
    let left = "SELECT loser_id FROM row_merge_move UNION ALL SELECT id FROM row_merge".to_owned();
    assert_eq!(app.database.look(left).await.len(), 0, "nothing is kept of it");
    // Again, the other way round.
    merge(&caller, "customer", &loser, &winner).await;
    unmerge(&caller, &winner).await;
    assert_eq!([shown(&caller, &winner).await, shown(&caller, &loser).await], before);
}

#[tokio::test]
async fn what_somebody_changed_since_stays() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let winner = customer(&caller, "Ann", json!({})).await;
    let more = json!({ "segment": "S", "language": "de", "email": "anna@example.org", "externalIds": [key("x")] });
    let loser = customer(&caller, "Anna", more).await;
    let third = customer(&caller, "Third", json!({})).await;
    let work = json!({ "customerRef": by_id(&loser), "kind": "EMAIL", "value": "work@example.org" });
    let work = made(&caller, "contactPointCreate", work).await;
    let mut records = Vec::new();
    for _ in 0..2 {
        records.push(
            made(&caller, "feedbackRecordCreate", json!({ "kind": "PRAISE", "customerRef": by_id(&loser) })).await,
        );
    }
    merge(&caller, "customer", &winner, &loser).await;
    for (field, input) in [
        (
            "customerUpdate",
            json!({ "by": by_id(&winner), "segment": "Changed", "externalIdsRemove": [{ "system": "crm", "id": "x" }] }),
        ),
        ("feedbackRecordUpdate", json!({ "by": by_id(&records[0]), "customerRef": by_id(&third) })),
        ("contactPointUpdate", json!({ "by": by_id(&work), "isPrimary": true })),
    ] {
        assert_eq!(caller.mutate(field, input, TOLD).await["outcome"], "UPDATED", "{field}");
    }
    let new = made(&caller, "feedbackRecordCreate", json!({ "kind": "PRAISE", "customerRef": by_id(&loser) })).await;
    assert_eq!(unmerge(&caller, &loser).await["outcome"], "CREATED");
    let [one, other] = [shown(&caller, &winner).await, shown(&caller, &loser).await];
    assert_eq!((&one["segment"], &one["language"]), (&json!("Changed"), &Value::Null));
    assert_eq!((&other["segment"], &other["language"]), (&json!("S"), &json!("de")));
    assert_eq!((&one["email"], &other["email"]), (&json!("work@example.org"), &json!("anna@example.org")));
    assert_eq!((&one["externalIds"], &other["externalIds"]), (&json!([{ "id": "Ann" }]), &json!([{ "id": "Anna" }])));
    assert_eq!(one["feedbackRecords"]["nodes"], json!([{ "id": new }]), "of the time between");
    assert_eq!(other["feedbackRecords"]["nodes"], json!([{ "id": records[1] }]));
    for id in [&winner, &loser] {
        let shown = shown(&caller, id).await;
        let points = shown["contactPoints"]["nodes"].as_array().unwrap();
        assert_eq!(points.iter().filter(|point| point["isPrimary"] == true).count(), 1, "{shown}");
    }
}

#[tokio::test]
async fn a_merge_of_many_rows_is_undone_in_steps_and_an_erasure_waits_for_them() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let winner = customer(&caller, "Ann", json!({})).await;
    let loser = busy(&caller, "Anna", STEP + 70).await;
    merge(&caller, "customer", &winner, &loser).await;
    app.store.finish_jobs(now()).await.unwrap();
    assert_eq!(unmerge(&caller, &loser).await["outcome"], "CREATED");
    let count = "query($id: ID!) { customer(by: { id: $id }) { id phone feedbackRecords { totalCount } } }";
    let halfway = caller.data(count, json!({ "id": loser })).await;
    assert_eq!((&halfway["customer"]["id"], &halfway["customer"]["phone"]), (&json!(loser), &json!("phone of Anna")));
    assert!(halfway["customer"]["feedbackRecords"]["totalCount"].as_u64().unwrap() < (STEP + 70) as u64);
    for (winner, loser) in [(&winner, &loser), (&loser, &winner)] {
        let input = json!({ "winner": by_id(winner), "loser": by_id(loser) });
        assert_eq!(wrong(&caller, "customerMerge", input).await, [told("CONFLICT", "loser")]);
    }
    assert_eq!(
        wrong(&caller, "customerUnmerge", json!({ "loser": by_id(&loser) })).await,
        [told("NOT_FOUND", "loser")]
    );
    caller.mutate("customerErase", json!({ "by": by_id(&winner) }), TOLD).await;
    for _ in 0..60 {
        for (organization, job) in app.store.jobs(chrono::DateTime::<chrono::Utc>::MAX_UTC).await.unwrap() {
            app.store.step(organization, job, now()).await.unwrap();
        }
    }
    let last = caller.data(count, json!({ "id": loser })).await["customer"].take();
    assert_eq!(last, json!({ "id": loser, "phone": "phone of Anna", "feedbackRecords": { "totalCount": STEP + 70 } }));
    let kept = format!("SELECT CAST(COUNT(*) AS TEXT) FROM feedback_record WHERE body = 'words of {}'", "Anna");
    assert_eq!(app.database.look(kept).await, [[Some((STEP + 70).to_string())]], "the other person was erased");
}

#[tokio::test]
async fn a_chain_is_undone_from_its_end() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let [a, b, c] = [busy(&caller, "a", 1).await, busy(&caller, "b", 2).await, busy(&caller, "c", 3).await];
    let before = [shown(&caller, &a).await, shown(&caller, &b).await, shown(&caller, &c).await];
    merge(&caller, "customer", &b, &a).await;
    merge(&caller, "customer", &c, &b).await;
    assert_eq!(unmerge(&caller, &b).await["outcome"], "CREATED");
    let seen = caller.data("query($id: ID!) { node(id: $id) { id } }", json!({ "id": a })).await;
    assert_eq!(seen["node"]["id"], json!(b), "what the first merge made of it");
    assert_eq!(unmerge(&caller, &a).await["outcome"], "CREATED");
    assert_eq!([shown(&caller, &a).await, shown(&caller, &b).await, shown(&caller, &c).await], before);
    // Two losers of one winner, in the order of the merges.
    merge(&caller, "customer", &c, &a).await;
    merge(&caller, "customer", &c, &b).await;
    unmerge(&caller, &b).await;
    unmerge(&caller, &a).await;
    assert_eq!([shown(&caller, &a).await, shown(&caller, &b).await, shown(&caller, &c).await], before);
}

/// The customers that a search finds.
async fn hits(caller: &Caller<'_>, text: &str) -> Vec<String> {
    let document =
        "query($text: String!) { search(text: $text, types: [CUSTOMER]) { nodes { id row { ... on Node { id } } } } }";
    let found = caller.data(document, json!({ "text": text })).await["search"]["nodes"].take();
    let nodes = found.as_array().unwrap().iter();
    let ids = nodes.map(|node| {
        assert_eq!(node["id"], node["row"]["id"]);
        node["id"].as_str().unwrap().to_owned()
    });
    ids.collect()
}

#[tokio::test]
async fn a_search_and_a_timeline_follow_a_merge_and_its_undoing() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let winner = customer(&caller, "Ann Miller", json!({ "externalIds": [key("w-1")] })).await;
    let loser = customer(&caller, "Anna Miller", json!({ "externalIds": [key("l-1")] })).await;
    made(&caller, "feedbackRecordCreate", json!({ "kind": "PRAISE", "customerRef": by_id(&loser) })).await;
    let entries = async |id: &str| {
        let asked = "query($id: ID!) { customer(by: { id: $id }) { timeline { nodes { __typename } } } }";
        let shown = caller.data(asked, json!({ "id": id })).await["customer"]["timeline"]["nodes"].take();
        shown.as_array().unwrap().len()
    };
    let both = vec![loser.clone(), winner.clone()];
    assert_eq!((hits(&caller, "miller").await, hits(&caller, "\"l-1\"").await), (both.clone(), vec![loser.clone()]));
    assert_eq!((entries(&winner).await, entries(&loser).await), (0, 1));
    merge(&caller, "customer", &winner, &loser).await;
    for (text, found) in
        [("miller", vec![winner.clone()]), ("\"l-1\"", vec![winner.clone()]), ("anna", vec![winner.clone()])]
    {
        assert_eq!(hits(&caller, text).await, found, "{text}");
    }
    assert_eq!((entries(&winner).await, entries(&loser).await), (1, 1));
    unmerge(&caller, &loser).await;
    for (text, found) in [("miller", both), ("\"l-1\"", vec![loser.clone()]), ("\"w-1\"", vec![winner.clone()])] {
        assert_eq!(hits(&caller, text).await, found, "{text}");
    }
    assert_eq!((entries(&winner).await, entries(&loser).await), (0, 1));
}
