//! The effect of improvements: what is counted before and after, against figures by hand.

use serde_json::{Value, json};

use super::improvements::shown;
use crate::{
    app::{App, Caller},
    journeys::{by_id, made, point},
};

const EFFECT: &str = "effect { measure confidence isSmall difference lower upper
    before { startsAt endsAt own { n metCount metRate lower upper complaintCount feedbackCount }
        others { n metCount complaintCount feedbackCount } }
    after { startsAt endsAt own { n metCount metRate lower upper complaintCount feedbackCount }
        others { n metCount complaintCount feedbackCount } } }";

/// A point and an expectation there.
async fn expected(caller: &Caller<'_>, name: &str) -> (String, String) {
    let point = point(caller, name).await;
    let input = json!({ "pointRef": by_id(&point), "kind": "NEED", "source": "RESEARCH", "statement": name });
    let expectation = made(caller, "expectationCreate", input).await;
    (point, expectation)
}

/// An interaction at the point, and what it met.
async fn assess(caller: &Caller<'_>, (point, expectation): &(String, String), at: &str, outcome: &str) {
    let interaction = json!({ "status": "COMPLETED", "occurredAt": at, "pointRef": by_id(point) });
    let interaction = made(caller, "interactionCreate", interaction).await;
    let input = json!({ "interactionRef": by_id(&interaction), "expectationRef": by_id(expectation),
        "outcome": outcome, "verifiedBy": "ASKED" });
    made(caller, "assessmentCreate", input).await;
}

async fn complain(caller: &Caller<'_>, (point, _): &(String, String), at: &str, kind: &str) {
    made(caller, "feedbackRecordCreate", json!({ "kind": kind, "receivedAt": at, "pointRef": by_id(point) })).await;
}

fn rounded(number: &Value) -> Value {
    number.as_f64().map_or(Value::Null, |number| json!(format!("{number:.4}")))
}

#[tokio::test]
async fn an_effect_is_counted_in_equal_windows_at_its_points_and_at_others() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (desk, shop, other) =
        (expected(&caller, "Desk").await, expected(&caller, "Shop").await, expected(&caller, "Other").await);
    // Done ten days before now, so that ten days are compared: those from 23 October, and those from 12 November, 12:00.
    for (place, at, outcome) in [
        (&desk, "2026-10-22T23:59:59Z", "MET"),
        (&desk, "2026-10-23T00:00:00Z", "NOT_MET"),
        (&shop, "2026-10-25T00:00:00Z", "NOT_MET"),
        (&desk, "2026-10-26T00:00:00Z", "EXCEEDED"),
        (&desk, "2026-11-01T23:59:59Z", "NOT_MET"),
        (&desk, "2026-10-26T00:00:00Z", "UNVERIFIED"),
        (&other, "2026-10-26T00:00:00Z", "MET"),
        // While it was made.
        (&desk, "2026-11-02T00:00:00Z", "MET"),
        (&desk, "2026-11-12T11:59:59Z", "MET"),
        (&desk, "2026-11-12T12:00:00Z", "MET"),
        (&shop, "2026-11-15T00:00:00Z", "NOT_MET"),
        (&desk, "2026-11-22T11:59:59Z", "EXCEEDED"),
        (&other, "2026-11-15T00:00:00Z", "NOT_MET"),
        (&other, "2026-11-16T00:00:00Z", "MET"),
    ] {
        assess(&caller, place, at, outcome).await;
    }
    for (place, at, kind) in [
        (&desk, "2026-10-24T00:00:00Z", "COMPLAINT"),
        (&shop, "2026-10-24T00:00:00Z", "COMPLAINT"),
        (&desk, "2026-10-24T00:00:00Z", "PRAISE"),
        (&desk, "2026-11-05T00:00:00Z", "COMPLAINT"),
        (&desk, "2026-11-13T00:00:00Z", "PRAISE"),
        (&other, "2026-11-13T00:00:00Z", "COMPLAINT"),
    ] {
        complain(&caller, place, at, kind).await;
    }
    // No appointment took place, and what is of no point is nobody's.
    let missed = json!({ "scheduledAt": "2026-11-15T00:00:00Z", "pointRef": by_id(&desk.0) });
    let missed = made(&caller, "interactionCreate", missed).await;
    let input = json!({ "interactionRef": by_id(&missed), "expectationRef": by_id(&desk.1), "outcome": "NOT_MET",
        "verifiedBy": "ASKED" });
    made(&caller, "assessmentCreate", input).await;
    made(&caller, "feedbackRecordCreate", json!({ "kind": "COMPLAINT", "receivedAt": "2026-11-14T00:00:00Z" })).await;

    let input = json!({ "title": "A second desk", "target": "PROCESS", "status": "DONE", "points": [by_id(&desk.0)],
        "expectations": [by_id(&shop.1)], "startedAt": "2026-11-02T00:00:00Z", "doneAt": "2026-11-12T12:00:00Z" });
    let id = made(&caller, "improvementCreate", input).await;
    let effect = shown(&caller, &id, EFFECT).await["effect"].take();
    assert_eq!((&effect["measure"], &effect["isSmall"]), (&json!("improvement_effect"), &json!(true)));
    let windows = json!([
        effect["before"]["startsAt"],
        effect["before"]["endsAt"],
        effect["after"]["startsAt"],
        effect["after"]["endsAt"]
    ]);
    let expected = ["2026-10-23T00:00:00Z", "2026-11-02T00:00:00Z", "2026-11-12T12:00:00Z", "2026-11-22T12:00:00Z"];
    assert_eq!(windows, json!(expected));
    let counts = |at: &Value| json!([at["n"], at["metCount"], at["complaintCount"], at["feedbackCount"]]);
    let (before, after) = (&effect["before"], &effect["after"]);
    assert_eq!((counts(&before["own"]), counts(&after["own"])), (json!([4, 1, 2, 3]), json!([3, 2, 0, 1])));
    assert_eq!((counts(&before["others"]), counts(&after["others"])), (json!([1, 1, 0, 0]), json!([2, 1, 1, 1])));
    // Wilson's intervals of 1/4 and 2/3, and Newcombe's of the difference.
    let estimate = |at: &Value, value: &str| [rounded(&at[value]), rounded(&at["lower"]), rounded(&at["upper"])];
    assert_eq!(estimate(&before["own"], "metRate"), ["0.2500", "0.0456", "0.6994"].map(|text| json!(text)));
    assert_eq!(estimate(&after["own"], "metRate"), ["0.6667", "0.2077", "0.9385"].map(|text| json!(text)));
    assert_eq!(estimate(&effect, "difference"), ["0.4167", "-0.2257", "0.7568"].map(|text| json!(text)));

    let short = shown(&caller, &id, &EFFECT.replacen("effect", "effect(days: 1)", 1)).await["effect"].take();
    let windows = json!([short["before"]["startsAt"], short["after"]["endsAt"]]);
    assert_eq!(windows, json!(["2026-11-01T00:00:00Z", "2026-11-13T12:00:00Z"]));
    let counted = (counts(&short["before"]["own"]), counts(&short["after"]["own"]));
    assert_eq!(counted, (json!([1, 0, 0, 0]), json!([1, 1, 0, 1])));
    let later = shown(&caller.after(24 * 60), &id, EFFECT).await["effect"].take();
    assert_eq!(later["before"]["startsAt"], "2026-10-22T00:00:00Z", "both windows grow");
    assert_eq!(later["before"]["own"]["n"], 5);
}

#[tokio::test]
async fn an_effect_is_known_of_what_is_done_alone_and_small_below_thirty() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let desk = expected(&caller, "Desk").await;
    let row = |title: &str, status: &str| {
        json!({ "title": title, "target": "PROCESS", "status": status, "points": [by_id(&desk.0)],
            "doneAt": "2026-11-12T12:00:00Z" })
    };
    let planned = made(&caller, "improvementCreate", row("Planned", "PLANNED")).await;
    assert_eq!(shown(&caller, &planned, EFFECT).await["effect"], Value::Null);
    let id = made(&caller, "improvementCreate", row("Done", "DONE")).await;
    let empty = shown(&caller, &id, EFFECT).await["effect"].take();
    let own = &empty["before"]["own"];
    assert_eq!((&own["n"], &own["metRate"], &own["lower"]), (&json!(0), &Value::Null, &Value::Null));
    assert_eq!((&empty["difference"], &empty["isSmall"]), (&Value::Null, &json!(true)));
    for (day, count) in [("2026-11-11T00:00:00Z", 30), ("2026-11-13T00:00:00Z", 29)] {
        let visit = json!({ "status": "COMPLETED", "occurredAt": day, "pointRef": by_id(&desk.0) });
        let visit = made(&caller, "interactionCreate", visit).await;
        let row = |place: i64| {
            json!({ "externalId": { "system": day, "id": place.to_string() }, "interactionRef": by_id(&visit),
                "expectationRef": by_id(&desk.1), "outcome": "MET", "verifiedBy": "ASKED" })
        };
        let rows: Vec<Value> = (0..count).map(row).collect();
        let done = caller.mutate("assessmentsBulkUpsert", json!({ "rows": rows }), "errors { code }").await;
        assert_eq!(done["errors"], json!([]));
    }
    let is_small = async || shown(&caller, &id, "effect { isSmall }").await["effect"]["isSmall"].clone();
    assert_eq!(is_small().await, true, "30 before, 29 after");
    assess(&caller, &desk, "2026-11-14T00:00:00Z", "MET").await;
    assert_eq!(is_small().await, false, "30 before and after");

    let document = "{ improvements { nodes { effect { isSmall before { own { n } } } } } }";
    let before = app.store.statements();
    caller.ask(document).await;
    let few = app.store.statements() - before;
    for _ in 0..3 {
        made(&caller, "improvementCreate", row("Again", "DONE")).await;
    }
    let before = app.store.statements();
    caller.ask(document).await;
    assert_eq!(app.store.statements() - before, few, "as many statements however many improvements");
    for _ in 0..97 {
        made(&caller, "improvementCreate", row("Many", "DONE")).await;
    }
    let reply = caller.run("{ improvements(first: 200) { nodes { effect { isSmall } } } }", json!({})).await;
    assert_eq!(reply.body["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}
