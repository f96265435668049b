//! Units in the field, with their parts.

use entity::Permission;
use serde_json::{Value, json};

use super::{TOLD, by_id, key, listed, made, mistakes, one, refused, soon};
use crate::{app::App, outline::codes};

#[tokio::test]
async fn a_unit_is_written_with_its_parts_and_read_below_its_customer() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let ann = made(&caller, "customerCreate", json!({ "name": "Ann" })).await;
    let input = json!({
        "externalId": key("w-1"), "product": "Washer 7", "serial": "S-17", "inServiceAt": "2024-03-01T00:00:00Z",
        "customerRef": by_id(&ann), "tags": ["leased"], "attributes": [{ "name": "colour", "value": "white" }],
        "parts": { "upsert": [
            { "by": { "externalId": key("pump") }, "name": "Pump", "inServiceAt": "2024-03-01T00:00:00Z" },
            { "name": "Belt", "serial": "B-2" },
        ] },
    });
    assert_eq!(caller.mutate("unitUpsert", input.clone(), TOLD).await["outcome"], "CREATED");
    let replaced = json!({ "externalId": key("w-1"), "parts": { "upsert": [
        { "by": { "externalId": key("pump") }, "retiredAt": "2025-03-01T00:00:00Z" }, { "name": "Pump" } ] } });
    assert_eq!(caller.mutate("unitUpsert", replaced, TOLD).await["outcome"], "UPDATED");
    let asked = "query($id: ID!) { customer(by: { id: $id }) { units { nodes {
        product serial inServiceAt retiredAt tags attributes { name value } customer { id }
        parts(orderBy: [{ field: ID }]) { nodes { name serial inServiceAt retiredAt unit { product } } } } } } }";
    let shown = caller.data(asked, json!({ "id": ann })).await["customer"]["units"]["nodes"].take();
    let part = |name: &str, serial: Value, from: Value, to: Value| json!({ "name": name, "serial": serial, "inServiceAt": from, "retiredAt": to, "unit": { "product": "Washer 7" } });
    let expected = json!([{
        "product": "Washer 7", "serial": "S-17", "inServiceAt": "2024-03-01T00:00:00Z", "retiredAt": null,
        "tags": ["leased"], "attributes": [{ "name": "colour", "value": "white" }], "customer": { "id": ann },
        "parts": { "nodes": [
            part("Pump", Value::Null, json!("2024-03-01T00:00:00Z"), json!("2025-03-01T00:00:00Z")),
            part("Belt", json!("B-2"), Value::Null, Value::Null),
            part("Pump", Value::Null, Value::Null, Value::Null),
        ] },
    }]);
    assert_eq!(shown, expected);
    let old = json!({ "parts": { "some": { "name": { "contains": "PUMP" }, "retiredAt": { "isNull": false } } } });
    assert_eq!(listed(&caller, "Unit", "units", "product", old).await, ["Washer 7"]);
}

#[tokio::test]
async fn neither_a_unit_nor_a_part_is_retired_before_it_goes_into_service_or_in_the_future() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let unit = made(&caller, "unitCreate", json!({ "product": "Washer" })).await;
    for (noun, id, mut new) in [
        ("unit", unit.clone(), json!({ "product": "Dryer" })),
        (
            "unitPart",
            made(&caller, "unitPartCreate", json!({ "name": "Pump", "unitRef": by_id(&unit) })).await,
            json!({ "name": "Belt", "unitRef": by_id(&unit) }),
        ),
    ] {
        let (create, update) = (format!("{noun}Create"), format!("{noun}Update"));
        let times =
            json!({ "by": by_id(&id), "inServiceAt": "2024-03-01T12:00:00Z", "retiredAt": "2024-03-01T12:00:00Z" });
        made(&caller, &update, times).await;
        new["inServiceAt"] = json!("2024-03-01T12:00:00Z");
        new["retiredAt"] = json!("2024-03-01T11:59:59.999Z");
        let change = |field: &str, at: &str| json!({ "by": by_id(&id), field: at });
        let cases = vec![
            (create.as_str(), new, "OUT_OF_RANGE", "retiredAt"),
            (&update, change("retiredAt", "2024-03-01T11:59:59.999Z"), "OUT_OF_RANGE", "retiredAt"),
            (&update, change("inServiceAt", "2024-03-01T12:00:00.001Z"), "OUT_OF_RANGE", "inServiceAt"),
            (&update, change("retiredAt", &soon()), "OUT_OF_RANGE", "retiredAt"),
        ];
        refused(&app, &caller, cases).await;
        made(&caller, &update, json!({ "by": by_id(&id), "inServiceAt": soon(), "retiredAt": null })).await;
    }
}

#[tokio::test]
async fn a_customer_who_is_archived_or_erased_keeps_units_and_loses_what_identifies_them() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let ann = made(&caller, "customerCreate", json!({ "name": "Ann" })).await;
    made(&caller, "customerArchive", json!({ "by": by_id(&ann) })).await;
    let input = json!({
        "externalId": key("w"), "product": "Washer", "serial": "S-17", "customerRef": by_id(&ann),
        "attributes": [{ "name": "colour", "value": "white" }], "parts": { "upsert": [{ "name": "Pump", "serial": "P-1" }] },
    });
    // The record describes the past, in which the customer was active.
    assert_eq!(caller.mutate("unitUpsert", input, TOLD).await["outcome"], "CREATED");
    let document =
        "{ units { nodes { product serial attributes { name } externalIds { id } parts { nodes { name serial } } } } }";
    let clerk = caller.with([Permission::RecordRead]);
    let reply = clerk.run(document, json!({})).await.body;
    let all = ["FORBIDDEN"; 4];
    assert_eq!(codes(&reply), all, "{reply:#}");
    assert_eq!(reply["data"]["units"]["nodes"][0]["product"], "Washer");
    made(&caller, "customerErase", json!({ "by": by_id(&ann) })).await;
    let part = json!({ "name": "Pump", "serial": null });
    let unit = json!({ "product": "Washer", "serial": null, "attributes": [], "externalIds": [], "parts": { "nodes": [part] } });
    assert_eq!(caller.ask(document).await["units"]["nodes"], json!([unit]));
    let again = json!({ "externalId": key("w"), "product": "Washer", "serial": "S-17" });
    assert_eq!(mistakes(&caller.mutate("unitUpsert", again, TOLD).await), one("ERASED", &["externalId"]));
}
