//! Timelines of customers, accounts and points: several types of rows as one list.

use std::collections::HashSet;

use proptest::{collection::vec, option, prelude::*, test_runner};
use serde_json::{Value, json};

use super::{by_id, key, made};
use crate::{
    app::{App, Caller},
    outline::codes,
};

/// A row to record: its type, its customer, account and point, and its time.
type Seed = (usize, Option<usize>, Option<usize>, Option<usize>, usize);

const KINDS: [&str; 8] =
    ["INTERACTION", "FEEDBACK_RECORD", "PURCHASE", "REPAIR", "CONSENT", "OCCASION", "REFERRAL", "CONTENT_SHARE"];

fn seed() -> impl Strategy<Value = Seed> {
    (0..KINDS.len(), option::weighted(0.8, 0..2_usize), option::of(0..2_usize), option::of(0..2_usize), 0..4_usize)
}

fn known(kind: &str, place: usize) -> Value {
    json!({ "externalId": key(&format!("{kind}{place}")) })
}

/// The mutation that records a row, and the row itself; `None` if such a row needs a customer and has none.
fn row(place: usize, (kind, customer, account, point, time): Seed) -> Option<(&'static str, Value)> {
    let at = format!("2026-01-0{}T00:00:00Z", time + 1);
    let [person, firm, spot] = [("c", customer), ("a", account), ("p", point)]
        .map(|(kind, place)| place.map_or(Value::Null, |place| known(kind, place)));
    let (field, mut row) = match KINDS[kind] {
        "INTERACTION" => {
            let (status, field) = [("COMPLETED", "occurredAt"), ("SCHEDULED", "scheduledAt"), ("SCHEDULED", "summary")]
                [(place + time) % 3];
            let row =
                json!({ "status": status, field: at, "customerRef": person, "accountRef": firm, "pointRef": spot });
            ("interactions", row)
        }
        "FEEDBACK_RECORD" => {
            ("feedbackRecords", json!({ "kind": "PRAISE", "receivedAt": at, "customerRef": person, "pointRef": spot }))
        }
        "PURCHASE" => {
            let amount = json!({ "amount": "1", "currency": "EUR" });
            let row = json!({ "amount": amount, "boughtAt": at, "customerRef": person, "accountRef": firm, "pointRef": spot });
            ("purchases", row)
        }
        "REPAIR" => ("repairs", json!({ "failedAt": at, "unitRef": known("u", place % 3) })),
        "CONSENT" => {
            let row = json!({ "purpose": "SERVICE", "decision": "GRANTED", "decidedAt": at, "customerRef": known("c", customer?) });
            ("consents", row)
        }
        "OCCASION" => {
            let (name, owner) =
                customer.map_or(("accountRef", known("a", account?)), |at| ("customerRef", known("c", at)));
            ("occasions", json!({ "kind": "OTHER", "date": "2026-05-05", name: owner }))
        }
        "REFERRAL" => {
            let other = point.filter(|point| Some(*point) != customer).map_or(Value::Null, |at| known("c", at));
            ("referrals", json!({ "referredAt": at, "referrerRef": known("c", customer?), "referredRef": other }))
        }
        _ => ("contentShares", json!({ "sharedAt": at, "contentItemRef": known("item", 0), "customerRef": person })),
    };
    row["externalId"] = key(&format!("row{place}"));
    Some((field, row))
}

async fn upsert(caller: &Caller<'_>, plural: &str, rows: Vec<Value>) {
    let done = caller.mutate(&format!("{plural}BulkUpsert"), json!({ "rows": rows }), "errors { code path }").await;
    assert_eq!(done["errors"], json!([]), "{plural}");
}

/// Two customers, accounts and points; three units, of which the last belongs to nobody.
async fn owners(caller: &Caller<'_>) {
    let named = |kind: &str, place: usize| json!({ "externalId": key(&format!("{kind}{place}")), "name": "N" });
    for (plural, kind) in [("customers", "c"), ("accounts", "a"), ("interactionPoints", "p")] {
        upsert(caller, plural, (0..2).map(|place| named(kind, place)).collect()).await;
    }
    let unit = |place: usize| {
        let owner = if place < 2 { known("c", place) } else { Value::Null };
        json!({ "externalId": key(&format!("u{place}")), "product": "N", "customerRef": owner })
    };
    upsert(caller, "units", (0..3).map(unit).collect()).await;
    upsert(caller, "contentItems", vec![json!({ "externalId": key("item0"), "kind": "ARTICLE", "title": "N" })]).await;
}

/// An entry: its type, its time, and the id of its row.
type Entry = (String, String, String);

/// The entries of the timeline of a row, from the lists of all types.
async fn expected(caller: &Caller<'_>, owner: &str) -> Vec<Entry> {
    let document = "{
        INTERACTION: interactions(first: 1000) { nodes { id occurredAt scheduledAt createdAt customer { id } account { id } point { id } } }
        FEEDBACK_RECORD: feedbackRecords(first: 1000) { nodes { id at: receivedAt customer { id } point { id } } }
        PURCHASE: purchases(first: 1000) { nodes { id at: boughtAt customer { id } account { id } point { id } } }
        REPAIR: repairs(first: 1000) { nodes { id at: failedAt unit { customer { id } } } }
        CONSENT: consents(first: 1000) { nodes { id at: decidedAt customer { id } } }
        OCCASION: occasions(first: 1000) { nodes { id at: createdAt customer { id } account { id } } }
        REFERRAL: referrals(first: 1000) { nodes { id at: referredAt customer: referrer { id } unit: referred { id } } }
        CONTENT_SHARE: contentShares(first: 1000) { nodes { id at: sharedAt customer { id } } } }";
    let data = caller.ask(document).await;
    let mut entries: Vec<(String, String, String, String)> = Vec::new();
    for (kind, list) in data.as_object().unwrap() {
        for node in list["nodes"].as_array().unwrap() {
            let owners =
                [&node["customer"], &node["account"], &node["point"], &node["unit"], &node["unit"]["customer"]];
            let at = ["at", "occurredAt", "scheduledAt", "createdAt"].into_iter().find_map(|name| node[name].as_str());
            if owners.iter().any(|known| known["id"] == owner) {
                let id = node["id"].as_str().unwrap();
                let order = id.rsplit_once('_').unwrap().1.to_owned();
                entries.push((at.unwrap().to_owned(), order, kind.clone(), id.to_owned()));
            }
        }
    }
    entries.sort_unstable();
    entries.into_iter().rev().map(|(at, _, kind, id)| (kind, at, id)).collect()
}

fn entries(timeline: &Value) -> Vec<Entry> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let edges = timeline["edges"].as_array().unwrap().iter();
    edges.map(|edge| (text(&edge["kind"]), text(&edge["at"]), text(&edge["node"]["id"]))).collect()
}

fn document(root: &str) -> String {
    format!(
        "query($id: ID!, $first: Int, $last: Int, $after: String, $before: String, $kinds: [TimelineKind!], $between: TimeRange) {{
            {root}(by: {{ id: $id }}) {{
                timeline(first: $first, last: $last, after: $after, before: $before, kinds: $kinds, between: $between) {{
                    edges {{ kind at: placedAt cursor node {{ ... on Node {{ id }} }} }}
                    pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }} }}"
    )
}

async fn page(caller: &Caller<'_>, root: &str, variables: Value) -> Value {
    caller.data(&document(root), variables).await[root]["timeline"].take()
}

/// Reads a whole timeline page by page, in either direction.
async fn paged(caller: &Caller<'_>, root: &str, id: &str, size: usize, is_backward: bool) -> Vec<Entry> {
    let (count, from, cursor, more) = if is_backward {
        ("last", "before", "startCursor", "hasPreviousPage")
    } else {
        ("first", "after", "endCursor", "hasNextPage")
    };
    let (mut all, mut position) = (Vec::new(), Value::Null);
    loop {
        let read = page(caller, root, json!({ "id": id, count: size, from: position })).await;
        let found = entries(&read);
        assert!(found.len() <= size);
        all = if is_backward { [found, all].concat() } else { [all, found].concat() };
        if read["pageInfo"][more] == false {
            return all;
        }
        position = read["pageInfo"][cursor].clone();
    }
}

#[test]
fn a_timeline_is_the_sorted_union_of_the_lists() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(App::start());
    let config = ProptestConfig { cases: 6, max_shrink_iters: 30, failure_persistence: None, ..Default::default() };
    let count = std::cell::Cell::new(0);
    let result = test_runner::TestRunner::new(config).run(&(vec(seed(), 0..60), 1..7_usize), |(seeds, size)| {
        count.set(count.get() + 1);
        runtime.block_on(async {
            let caller = app.admin(&format!("org{}", count.get())).await;
            owners(&caller).await;
            let rows: Vec<_> = seeds.into_iter().enumerate().filter_map(|(place, seed)| row(place, seed)).collect();
            for plural in rows.iter().map(|(plural, _)| *plural).collect::<HashSet<_>>() {
                let of = rows.iter().filter(|(known, _)| *known == plural).map(|(_, row)| row.clone());
                upsert(&caller, plural, of.collect()).await;
            }
            for (root, plural) in
                [("customer", "customers"), ("account", "accounts"), ("interactionPoint", "interactionPoints")]
            {
                let list = caller.ask(&format!("{{ {plural} {{ nodes {{ id }} }} }}")).await;
                for node in list[plural]["nodes"].as_array().unwrap() {
                    let id = node["id"].as_str().unwrap();
                    let wanted = expected(&caller, id).await;
                    prop_assert_eq!(&entries(&page(&caller, root, json!({ "id": id, "first": 1000 })).await), &wanted);
                    prop_assert_eq!(&paged(&caller, root, id, size, false).await, &wanted);
                    prop_assert_eq!(&paged(&caller, root, id, size, true).await, &wanted);
                    let (from, to) = ("2026-01-02T00:00:00Z", "2026-01-04T00:00:00Z");
                    let kinds = &KINDS[size % 4..size % 4 + 3];
                    let some =
                        json!({ "id": id, "first": 1000, "kinds": kinds, "between": { "from": from, "to": to } });
                    let in_range =
                        |(kind, at, _): &&Entry| kinds.contains(&kind.as_str()) && *from <= **at && **at < *to;
                    let wanted: Vec<Entry> = wanted.iter().filter(in_range).cloned().collect();
                    prop_assert_eq!(entries(&page(&caller, root, some).await), wanted);
                }
            }
            Ok(())
        })
    });
    result.unwrap();
}

/// One customer with rows of four types.
async fn ann(caller: &Caller<'_>) -> String {
    let ann = made(caller, "customerCreate", json!({ "name": "Ann" })).await;
    let of_ann = |mut input: Value| {
        input["customerRef"] = by_id(&ann);
        input
    };
    let at = "2026-01-01T00:00:00Z";
    for (field, input) in [
        ("interactionCreate", json!({ "status": "COMPLETED", "occurredAt": at, "summary": "A call" })),
        ("interactionCreate", json!({ "status": "COMPLETED", "occurredAt": at, "summary": "A visit" })),
        (
            "feedbackRecordCreate",
            json!({ "kind": "PRAISE", "receivedAt": "2026-02-01T00:00:00Z", "body": "Well done" }),
        ),
        (
            "purchaseCreate",
            json!({ "boughtAt": "2026-03-01T00:00:00Z", "amount": { "amount": "5", "currency": "EUR" } }),
        ),
    ] {
        made(caller, field, of_ann(input)).await;
    }
    let unit = made(caller, "unitCreate", of_ann(json!({ "product": "Lamp" }))).await;
    made(caller, "repairCreate", json!({ "unitRef": by_id(&unit), "failedAt": "2026-04-01T00:00:00Z" })).await;
    ann
}

#[tokio::test]
async fn an_entry_is_selected_by_its_type_and_each_type_costs_one_statement() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let ann = ann(&caller).await;
    let document = "query($id: ID!) { customer(by: { id: $id }) { name timeline { nodes {
        __typename
        ... on Interaction { summary }
        ... on FeedbackRecord { body }
        ...bought
        ... on Node { id } } } } }
        fragment bought on Purchase { amount { amount } ... on Node { key: id } }";
    let before = app.store.statements();
    let shown = caller.data(document, json!({ "id": ann })).await["customer"]["timeline"]["nodes"].take();
    let cost = app.store.statements() - before;
    // The customer, its timeline, and a statement for each of three types; of repairs, only the id is selected.
    assert_eq!(cost, 5, "{shown}");
    let mut shown = shown.as_array().unwrap().clone();
    let ids: HashSet<String> = shown.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 5);
    assert_eq!(shown[1]["key"], shown[1]["id"]);
    for node in &mut shown {
        node.as_object_mut().unwrap().retain(|name, _| !["id", "key"].contains(&name.as_str()));
    }
    let expected = json!([
        { "__typename": "Repair" },
        { "__typename": "Purchase", "amount": { "amount": "5.00" } },
        { "__typename": "FeedbackRecord", "body": "Well done" },
        { "__typename": "Interaction", "summary": "A visit" },
        { "__typename": "Interaction", "summary": "A call" },
    ]);
    assert_eq!(Value::from(shown), expected);
    // One statement reads the timelines of many customers.
    let all = "{ customers { nodes { timeline { edges { placedAt } } } } }";
    for name in ["Bob", "Cid"] {
        made(&caller, "customerCreate", json!({ "name": name })).await;
    }
    let before = app.store.statements();
    let shown = caller.ask(all).await;
    assert_eq!(app.store.statements() - before, 2);
    let counts = shown["customers"]["nodes"].as_array().unwrap().iter();
    let counts: Vec<usize> = counts.map(|node| node["timeline"]["edges"].as_array().unwrap().len()).collect();
    assert_eq!(counts, [5, 0, 0]);
}

#[tokio::test]
async fn a_timeline_refuses_bad_pages_and_cursors_of_other_lists() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let ann = ann(&caller).await;
    let other = app.admin("two").await;
    let bob = made(&other, "customerCreate", json!({ "name": "Bob" })).await;
    let cursor = page(&caller, "customer", json!({ "id": ann })).await["edges"][0]["cursor"].take();
    let list = caller.ask("{ customers { edges { cursor } } }").await["customers"]["edges"][0]["cursor"].take();
    for (caller, id, wrong) in [
        (&caller, &ann, json!({ "first": 0 })),
        (&caller, &ann, json!({ "last": 1001 })),
        (&caller, &ann, json!({ "first": 1, "last": 1 })),
        (&caller, &ann, json!({ "after": "x" })),
        (&caller, &ann, json!({ "after": list })),
        (&other, &bob, json!({ "after": cursor })),
    ] {
        let mut variables = wrong.clone();
        variables["id"] = id.as_str().into();
        let reply = caller.run(&document("customer"), variables).await;
        assert_eq!(codes(&reply.body), ["BAD_USER_INPUT"], "{wrong}");
    }
    // Nobody sees the timeline of another organization's customer, and nobody without the scope sees one.
    assert_eq!(page(&other, "customer", json!({ "id": ann })).await, Value::Null);
    let map = caller.with([entity::Permission::MapRead]);
    let point = made(&caller, "interactionPointCreate", json!({ "name": "Desk" })).await;
    let reply = map.run(&document("interactionPoint"), json!({ "id": point })).await;
    assert_eq!(codes(&reply.body), ["FORBIDDEN"]);
}

#[tokio::test]
async fn personal_fields_of_an_entry_need_their_scope() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let ann = ann(&caller).await;
    let document = "query($id: ID!) { customer(by: { id: $id }) { timeline { nodes {
        ... on FeedbackRecord { kind body } ... on Interaction { status summary } } } } }";
    let reader = caller.with([entity::Permission::RecordRead]);
    let reply = reader.run(document, json!({ "id": ann })).await.body;
    // Each field is refused once, however many entries have it.
    assert_eq!(codes(&reply), ["FORBIDDEN", "FORBIDDEN"]);
    let call = json!({ "status": "COMPLETED", "summary": null });
    let expected = json!([{}, {}, { "kind": "PRAISE", "body": null }, call, call]);
    assert_eq!(reply["data"]["customer"]["timeline"]["nodes"], expected);
}
