//! Repairs: failures of units and their parts.

use serde_json::json;

use super::{TOLD, by_id, key, made, mistakes, one, refused, soon};
use crate::app::App;

#[tokio::test]
async fn a_repair_is_of_a_part_of_its_own_unit() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (washer, dryer) = (
        made(&caller, "unitCreate", json!({ "product": "Washer" })).await,
        made(&caller, "unitCreate", json!({ "product": "Dryer" })).await,
    );
    let pump = made(&caller, "unitPartCreate", json!({ "name": "Pump", "unitRef": by_id(&washer) })).await;
    let belt = made(&caller, "unitPartCreate", json!({ "name": "Belt", "unitRef": by_id(&dryer) })).await;
    let row = |unit: &str, part: &str| json!({ "unitRef": by_id(unit), "partRef": by_id(part), "failedAt": "2026-05-01T08:00:00Z" });
    let mut repair = row(&washer, &pump);
    repair["operatingTime"] = json!("P400DT2H");
    repair["cause"] = json!("Worn seal");
    repair["action"] = json!("Seal replaced");
    let repair = made(&caller, "repairCreate", repair).await;
    let mut future = row(&washer, &pump);
    future["failedAt"] = json!(soon());
    let cases = vec![
        ("repairCreate", row(&washer, &belt), "INVALID", "partRef"),
        ("repairCreate", future, "OUT_OF_RANGE", "failedAt"),
        ("repairUpdate", json!({ "by": by_id(&repair), "partRef": by_id(&belt) }), "INVALID", "partRef"),
        ("unitPartDelete", json!({ "by": by_id(&pump) }), "IN_USE", "by"),
        ("unitDelete", json!({ "by": by_id(&washer) }), "IN_USE", "by"),
    ];
    refused(&app, &caller, cases).await;
    let asked = "query($id: ID!) { unit(by: { id: $id }) { parts { nodes { name repairs { nodes { operatingTime } } } }
        repairs { nodes { failedAt operatingTime cause action part { name } unit { product } } } } }";
    let shown = caller.data(asked, json!({ "id": washer })).await["unit"].take();
    let known = json!({
        "failedAt": "2026-05-01T08:00:00Z", "operatingTime": "P400DT2H", "cause": "Worn seal", "action": "Seal replaced",
        "part": { "name": "Pump" }, "unit": { "product": "Washer" },
    });
    let parts = json!({ "nodes": [{ "name": "Pump", "repairs": { "nodes": [{ "operatingTime": "P400DT2H" }] } }] });
    assert_eq!(shown, json!({ "parts": parts, "repairs": { "nodes": [known] } }));
    made(&caller, "repairUpdate", json!({ "by": by_id(&repair), "partRef": null })).await;
    let gone = caller.mutate("unitPartDelete", json!({ "by": by_id(&pump) }), TOLD).await;
    assert_eq!(gone["outcome"], "DELETED");
}

#[tokio::test]
async fn the_rows_of_a_bulk_call_each_name_a_part_of_their_unit() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let unit = |id: &str| {
        json!({ "externalId": key(id), "product": id, "parts": { "upsert": [
        { "by": { "externalId": key(&format!("{id}-pump")) }, "name": "Pump" }] } })
    };
    let units = json!({ "rows": [unit("a"), unit("b")] });
    assert_eq!(caller.mutate("unitsBulkUpsert", units, "errors { code }").await["errors"], json!([]));
    let row = |id: &str, unit: &str, part: &str| {
        json!({ "externalId": key(id), "failedAt": "2026-05-01T08:00:00Z", "unitRef": { "externalId": key(unit) },
            "partRef": { "externalId": key(&format!("{part}-pump")) } })
    };
    let rows =
        json!({ "rows": [row("1", "a", "a"), row("2", "a", "b"), row("3", "b", "b")], "policy": "SKIP_INVALID" });
    let before = app.store.statements();
    let done = caller.mutate("repairsBulkUpsert", rows, &format!("results {{ {TOLD} }}")).await;
    let few = app.store.statements() - before;
    let results = done["results"].as_array().unwrap();
    let expected = [vec![], one("INVALID", &["partRef"]), vec![]];
    assert_eq!(results.iter().map(mistakes).collect::<Vec<_>>(), expected);
    let rows: Vec<_> = (0..100).map(|n| row(&format!("n{n}"), "a", "a")).collect();
    let before = app.store.statements();
    let done = caller.mutate("repairsBulkUpsert", json!({ "rows": rows }), "errors { code }").await;
    assert_eq!((&done["errors"], app.store.statements() - before), (&json!([]), few));
}
