//! Amounts of money: one field with two columns.

use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    writes::codes,
};

const TOLD: &str = "outcome errors { code path } node { id version value { amount currency } }";

fn key(id: &str) -> Value {
    json!({ "system": "crm", "id": id })
}

fn money(amount: impl Into<Value>, currency: &str) -> Value {
    json!({ "amount": amount.into(), "currency": currency })
}

async fn upsert(caller: &Caller<'_>, id: &str, mut input: Value) -> Value {
    input["externalId"] = key(id);
    caller.mutate("offerUpsert", input, TOLD).await
}

fn offer(value: &Value) -> Value {
    json!({ "kind": "SALE", "name": "O", "customerBenefit": "C", "organizationBenefit": "B", "value": value })
}

#[tokio::test]
async fn an_amount_is_exact_and_written_shown_and_cleared_with_its_currency() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for (id, given, shown) in [
        ("a", money("12.5", "EUR"), money("12.50", "EUR")),
        ("b", money(1200, "jpy"), money("1200", "JPY")),
        ("c", money("-0.005", "KWD"), money("-0.005", "KWD")),
        ("d", money("900000000000000.01", "USD"), money("900000000000000.01", "USD")),
    ] {
        let made = upsert(&caller, id, offer(&given)).await;
        assert_eq!((&made["errors"], &made["node"]["value"]), (&json!([]), &shown), "{id}");
        let again = upsert(&caller, id, offer(&shown)).await;
        assert_eq!(again["outcome"], "UNCHANGED", "{id}");
    }
    let none = upsert(&caller, "e", offer(&Value::Null)).await;
    assert_eq!((&none["outcome"], &none["node"]["value"]), (&json!("CREATED"), &Value::Null));
    // The currency alone changes the amount of money.
    let changed = upsert(&caller, "a", json!({ "value": money("12.50", "USD") })).await;
    assert_eq!((&changed["outcome"], &changed["node"]["value"]), (&json!("UPDATED"), &money("12.50", "USD")));
    let kept = upsert(&caller, "a", json!({ "value": null })).await;
    assert_eq!((&kept["outcome"], &kept["node"]["value"]), (&json!("UNCHANGED"), &money("12.50", "USD")));
    let cleared = upsert(&caller, "a", json!({ "value": null, "onNull": "CLEAR" })).await;
    assert_eq!((&cleared["outcome"], &cleared["node"]["value"]), (&json!("UPDATED"), &Value::Null));
}

#[tokio::test]
async fn an_amount_that_its_currency_cannot_hold_is_refused_by_path() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for (given, code, path) in [
        (money("1.5", "JPY"), "INVALID", json!(["value"])),
        (money("1.005", "EUR"), "INVALID", json!(["value"])),
        (money("1.00001", "EUR"), "INVALID", json!(["value", "amount"])),
        (money("1000000000000000", "EUR"), "OUT_OF_RANGE", json!(["value", "amount"])),
        (money("1", "XXX"), "INVALID", json!(["value", "currency"])),
        (money("1", " "), "INVALID", json!(["value"])),
    ] {
        let refused = upsert(&caller, "a", offer(&given)).await;
        let error = json!({ "code": code, "path": path });
        assert_eq!(refused["errors"], json!([error]), "{given}");
        let mut row = offer(&given);
        row["externalId"] = key("a");
        let input = json!({ "rows": [row], "policy": "SKIP_INVALID" });
        let bulk = caller.mutate("offersBulkUpsert", input, "results { errors { code path } }").await;
        assert_eq!(bulk["results"], json!([{ "errors": [error] }]), "{given}");
    }
    let half = json!({ "rows": [{ "externalId": key("a"), "value": { "amount": "1" } }], "policy": "SKIP_INVALID" });
    let half = caller.mutate("offersBulkUpsert", half, "results { errors { code path } }").await;
    assert_eq!(codes(&half["results"][0]), ["REQUIRED"]);
    assert_eq!(caller.ask("{ offers { totalCount } }").await["offers"]["totalCount"], 0);
}

#[tokio::test]
async fn lists_are_filtered_and_ordered_by_amount_and_currency() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for (id, value) in
        [("a", money("9.99", "EUR")), ("b", money("1000", "JPY")), ("c", money("10", "EUR")), ("d", Value::Null)]
    {
        upsert(&caller, id, offer(&value)).await;
    }
    let found = async |filter: &str| -> Vec<String> {
        let query = format!(
            "{{ offers(filter: {filter}, orderBy: [{{ field: VALUE, nulls: LAST }}]) {{ nodes {{ externalIds {{ id }} }} }} }}"
        );
        let reply = caller.ask(&query).await;
        let nodes = reply["offers"]["nodes"].as_array().unwrap();
        nodes.iter().map(|node| node["externalIds"][0]["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(found("{}").await, ["a", "c", "b", "d"]);
    assert_eq!(found("{ value: { amount: { gte: \"9.990\", lt: 1000 } } }").await, ["a", "c"]);
    assert_eq!(found("{ value: { currency: { eq: \"EUR\" }, amount: { gt: \"9.99\" } } }").await, ["c"]);
    assert_eq!(found("{ value: { currency: { in: [\"JPY\"] } } }").await, ["b"]);
    assert_eq!(found("{ value: { isNull: true } }").await, ["d"]);
    assert_eq!(found("{ not: { value: { isNull: true } } }").await, ["a", "c", "b"]);
}

#[tokio::test]
async fn a_document_of_the_map_carries_amounts() {
    let app = App::start().await;
    let (caller, other) = (app.admin("one").await, app.admin("two").await);
    upsert(&caller, "a", offer(&money("12.5", "EUR"))).await;
    let exported = caller.ask("{ mapExport { document } }").await["mapExport"]["document"].take();
    let told = "outcome errors { code path message }";
    let imported = other.mutate("mapImport", json!({ "document": exported.to_string() }), told).await;
    assert_eq!(imported["errors"], json!([]));
    let value = other.ask("{ offers { nodes { value { amount currency __typename } } } }").await["offers"]["nodes"][0]
        ["value"]
        .take();
    assert_eq!(value, json!({ "amount": "12.50", "currency": "EUR", "__typename": "Money" }));
    let history = caller.ask("{ auditLog { nodes { operation fields } } }").await;
    let created = history["auditLog"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["fields"].to_string().contains("value"));
    assert!(!created.unwrap()["fields"].to_string().contains("urrency"), "{history:#}");
}
