//! What is in the archive is not chosen for new work.

use serde_json::json;

use crate::{app::App, writes::codes};

#[tokio::test]
async fn no_door_leads_feedback_to_an_archived_department() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let d = caller.mutate("departmentCreate", json!({ "name": "D" }), "node { id }").await["node"]["id"].take();
    let rule = json!({ "name": "R", "position": 1, "departmentRef": { "id": d } });
    let r = caller.mutate("routingRuleCreate", rule.clone(), "node { id }").await["node"]["id"].take();
    for (field, id) in [("routingRuleArchive", &r), ("departmentArchive", &d)] {
        assert_eq!(codes(&caller.mutate(field, json!({ "id": id }), "errors { code }").await), [""; 0]);
    }
    let key = json!({ "system": "x", "id": "1" });
    let upsert = json!({ "externalId": key, "name": "R", "position": 1, "departmentRef": { "id": d } });
    let feedback = caller.mutate("feedbackRecordCreate", json!({ "kind": "PRAISE" }), "node { id }").await;
    let f = &feedback["node"]["id"];
    for (field, input) in [
        ("routingRuleUnarchive", json!({ "id": r })),
        ("routingRuleCreate", rule),
        ("routingRuleUpsert", upsert.clone()),
        ("organizationUpdate", json!({ "fallbackDepartmentRef": { "id": d } })),
        ("interactionPointCreate", json!({ "name": "P", "ownerRef": { "id": d } })),
        ("feedbackRecordReroute", json!({ "id": f, "departmentRef": { "id": d }, "reason": "so" })),
    ] {
        let refused = caller.mutate(field, input, "errors { code path }").await;
        assert_eq!(codes(&refused), ["ARCHIVED"], "{field} {refused:#}");
    }
    let rows = json!({ "rows": [upsert], "policy": "SKIP_INVALID" });
    let bulk = caller.mutate("routingRulesBulkUpsert", rows, "results { errors { code path } }").await;
    assert_eq!(bulk["results"][0]["errors"], json!([{ "code": "ARCHIVED", "path": ["departmentRef"] }]));
}

#[tokio::test]
async fn what_names_an_archived_row_already_may_be_changed_otherwise() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let d = caller.mutate("departmentCreate", json!({ "name": "D" }), "node { id }").await["node"]["id"].take();
    let point = json!({ "name": "P", "ownerRef": { "id": d } });
    let p = caller.mutate("interactionPointCreate", point, "node { id }").await["node"]["id"].take();
    let m = caller.mutate("mediumCreate", json!({ "name": "M" }), "node { id }").await["node"]["id"].take();
    let set = json!({ "id": p, "mediums": [{ "id": m }] });
    caller.mutate("interactionPointSetMediums", set.clone(), "outcome").await;
    for (field, id) in [("mediumArchive", &m), ("departmentArchive", &d)] {
        assert_eq!(codes(&caller.mutate(field, json!({ "id": id }), "errors { code }").await), [""; 0]);
    }
    let same = json!({ "id": p, "name": "Q", "ownerRef": { "id": d } });
    for (field, input) in [("interactionPointUpdate", same), ("interactionPointSetMediums", set)] {
        assert_eq!(codes(&caller.mutate(field, input, "errors { code }").await), [""; 0], "{field}");
    }
    let q = caller.mutate("interactionPointCreate", json!({ "name": "Q" }), "node { id }").await["node"]["id"].take();
    let new = json!({ "id": q, "mediums": [{ "id": m }] });
    let refused = caller.mutate("interactionPointSetMediums", new, "errors { code path }").await;
    assert_eq!(refused["errors"], json!([{ "code": "ARCHIVED", "path": ["mediums", "0"] }]));
}
