//! Desired results, standards and the promise; and what a copy of a point takes along.

use serde_json::{Value, json};

use super::{TOLD, by_id, element, listed, made, point};
use crate::app::{App, Caller};

#[tokio::test]
async fn a_desired_result_tells_how_ready_what_first_what_next_and_how_one_knows() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let desk = point(&caller, "Desk").await;
    let keys = json!({
        "statement": "Keys in hand", "readiness": "Loan approved", "prerequisites": "Survey", "nextStep": "Sign",
        "measure": "Keys handed over by the agreed day",
    });
    let mut input = keys.clone();
    input["pointRef"] = by_id(&desk);
    let id = made(&caller, "desiredResultCreate", input).await;
    element(&caller, "desiredResult", &desk, "Peace of mind").await;
    let asked = "query($id: ID!) { desiredResult(by: { id: $id }) {
        statement readiness prerequisites nextStep measure } }";
    assert_eq!(caller.data(asked, json!({ "id": id })).await["desiredResult"], keys);
    let unmeasured = json!({ "measure": { "isNull": true } });
    let found = listed(&caller, "DesiredResult", "desiredResults", "statement", unmeasured).await;
    assert_eq!(found, ["Peace of mind"]);
}

#[tokio::test]
async fn a_point_carries_its_promise_and_the_standards_behind_it() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let told = json!({ "name": "Phone", "promise": "We call back the same day", "standards": "Before 17:00" });
    let phone = made(&caller, "interactionPointCreate", told).await;
    let wish = json!({ "statement": "Call me back", "source": "MARKETING", "pointRef": by_id(&phone),
        "standard": "The same day", "targetMetric": "Time to call", "targetUnit": "hours", "targetValue": 8 });
    made(&caller, "expectationCreate", wish).await;
    let asked = "query($id: ID!) { interactionPoint(by: { id: $id }) { promise standards
        expectations(filter: { standard: { isNull: false } }) { nodes { standard targetValue } } } }";
    let shown = caller.data(asked, json!({ "id": phone })).await;
    let expected = json!({
        "promise": "We call back the same day", "standards": "Before 17:00",
        "expectations": { "nodes": [{ "standard": "The same day", "targetValue": "8" }] },
    });
    assert_eq!(shown["interactionPoint"], expected);
}

/// What is said of a point, without ids.
async fn said(caller: &Caller<'_>, id: &str) -> Value {
    let asked = "query($id: ID!) { interactionPoint(by: { id: $id }) { standards evidenceLevel
        offers { nodes { name } } evidence { nodes { title } }
        assumptions { nodes { statement truth evidence { nodes { title } } } }
        objectives { nodes { statement owner evidenceLevel } }
        objectiveConflicts { nodes { note first { statement point { id } } second { statement point { id } } } }
        desiredResults { nodes { statement } } } }";
    let mut shown = caller.data(asked, json!({ "id": id })).await["interactionPoint"].take();
    for conflict in shown["objectiveConflicts"]["nodes"].as_array_mut().unwrap() {
        for side in ["first", "second"] {
            assert_eq!(conflict[side]["point"]["id"].take(), id);
        }
    }
    shown
}

#[tokio::test]
async fn a_copied_point_has_its_own_elements_but_no_conflict_with_what_is_archived() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let desk = made(&caller, "interactionPointCreate", json!({ "name": "Desk", "standards": "Smile" })).await;
    let (tea, talks) =
        (element(&caller, "offer", &desk, "Tea").await, element(&caller, "evidence", &desk, "Talks").await);
    made(&caller, "interactionPointSetOffers", json!({ "by": { "id": desk }, "offers": [by_id(&tea)] })).await;
    made(&caller, "interactionPointSetEvidence", json!({ "by": { "id": desk }, "evidence": [by_id(&talks)] })).await;
    let fees = element(&caller, "assumption", &desk, "No fees").await;
    made(&caller, "assumptionSetEvidence", json!({ "by": { "id": fees }, "evidence": [by_id(&talks)] })).await;
    element(&caller, "desiredResult", &desk, "Keys").await;
    let cheap = element(&caller, "objective", &desk, "Cheap").await;
    let mut others = Vec::new();
    for statement in ["Margin", "Old"] {
        let other = json!({ "owner": "OURS", "statement": statement, "pointRef": by_id(&desk) });
        others.push(made(&caller, "objectiveCreate", other).await);
        let conflict = json!({ "pointRef": by_id(&desk), "firstRef": by_id(&cheap),
            "secondRef": by_id(&others[others.len() - 1]), "note": statement });
        made(&caller, "objectiveConflictCreate", conflict).await;
    }
    made(&caller, "objectiveArchive", json!({ "by": { "id": others[1] } })).await;
    let before = said(&caller, &desk).await;
    assert_eq!(before["objectiveConflicts"]["nodes"].as_array().unwrap().len(), 2);
    let copy = made(&caller, "interactionPointCopy", json!({ "by": { "id": desk } })).await;
    let mut expected = before.clone();
    expected["objectiveConflicts"]["nodes"].as_array_mut().unwrap().pop();
    assert_eq!(said(&caller, &copy).await, expected);
    assert_eq!(said(&caller, &desk).await, before);
    let deleted = caller.mutate("objectiveDelete", json!({ "by": { "id": cheap } }), TOLD).await;
    assert_eq!(deleted["outcome"], "FAILED");
}
