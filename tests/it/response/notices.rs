//! Notices: who gets one, by which medium, and what must hold to tell somebody.

use serde_json::{Value, json};

use super::improvements::{proposed, step};
use crate::{
    app::{App, Caller, now, refs},
    elements::refused,
    journeys::{by_id, made},
};

/// The external id of the medium that customers allow, and over which feedback comes.
const MAIL: &str = "mail";

fn medium(name: &str) -> Value {
    json!({ "externalId": { "system": "test", "id": name } })
}

async fn medium_named(caller: &Caller<'_>, name: &str) {
    let input = json!({ "externalId": { "system": "test", "id": name }, "name": name });
    made(caller, "mediumUpsert", input).await;
}

/// A customer without consents and contact points.
async fn customer(caller: &Caller<'_>) -> String {
    medium_named(caller, MAIL).await;
    made(caller, "customerCreate", json!({ "name": "Ann" })).await
}

/// Records what a customer decided about being served by a medium, or by every medium.
async fn decide(caller: &Caller<'_>, customer: &str, decision: &str, by: Option<&str>, at: &str) {
    let mut input =
        json!({ "purpose": "SERVICE", "decision": decision, "customerRef": by_id(customer), "decidedAt": at });
    if let Some(name) = by {
        input["mediumRef"] = medium(name);
    }
    made(caller, "consentCreate", input).await;
}

async fn reach(caller: &Caller<'_>, customer: &str) {
    let input = json!({ "customerRef": by_id(customer), "kind": "POSTAL", "value": "1 Lane" });
    made(caller, "contactPointCreate", input).await;
}

/// A customer who can be told by mail.
pub async fn contributor(caller: &Caller<'_>) -> String {
    let ann = customer(caller).await;
    decide(caller, &ann, "GRANTED", Some(MAIL), "2026-01-01T00:00:00Z").await;
    reach(caller, &ann).await;
    ann
}

/// Feedback, of a customer if one is given, that came by mail.
pub async fn said(caller: &Caller<'_>, customer: Option<&String>) -> String {
    let mut input = json!({ "kind": "SUGGESTION", "mediumRef": medium(MAIL) });
    if let Some(customer) = customer {
        input["customerRef"] = by_id(customer);
    }
    made(caller, "feedbackRecordCreate", input).await
}

/// Plans, starts and completes an improvement.
pub async fn done(caller: &Caller<'_>, improvement: &str) {
    for (minute, verb) in [(1, "Plan"), (2, "Start"), (3, "Complete")] {
        assert_eq!(step(&caller.after(minute), verb, improvement, json!({})).await["errors"], json!([]), "{verb}");
    }
}

/// The notices of an improvement.
pub async fn statuses(caller: &Caller<'_>, improvement: &str) -> Vec<Value> {
    let document = "query($id: ID!) { improvement(by: { id: $id }) { notices(orderBy: [{ field: ID }]) { nodes {
        id status toldAt abandonedAt obstacle customer { id } medium { name } history { nodes { to } } } } } }";
    let found = caller.data(document, json!({ "id": improvement })).await;
    found["improvement"]["notices"]["nodes"].as_array().unwrap().clone()
}

/// Records that a customer was told.
pub async fn told(caller: &Caller<'_>, notice: &str, mut input: Value) -> Value {
    input["by"] = by_id(notice);
    caller.mutate("noticeTell", input, "errors { code path } node { status toldAt obstacle abandonedAt }").await
}

/// The customers of notices.
fn customers(notices: &[Value]) -> Vec<&str> {
    let mut customers: Vec<&str> = notices.iter().map(|notice| notice["customer"]["id"].as_str().unwrap()).collect();
    customers.sort_unstable();
    customers
}

#[tokio::test]
async fn each_contributor_gets_one_notice_however_often_it_is_done() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let mut people = Vec::new();
    for _ in 0..5 {
        people.push(contributor(&caller).await);
    }
    let (first, again) = (said(&caller, Some(&people[0])).await, said(&caller, Some(&people[0])).await);
    let (second, unknown) = (said(&caller, Some(&people[1])).await, said(&caller, None).await);
    let id = proposed(&caller, &[&first, &again, &second, &unknown]).await;
    step(&caller, "Plan", &id, json!({})).await;
    step(&caller, "Start", &id, json!({})).await;
    assert_eq!(statuses(&caller, &id).await, Vec::<Value>::new());
    step(&caller, "Complete", &id, json!({})).await;
    let notices = statuses(&caller, &id).await;
    assert_eq!(customers(&notices), people[..2]);
    let told = (&notices[0]["status"], &notices[0]["medium"]["name"], &notices[0]["history"]["nodes"]);
    assert_eq!(told, (&json!("PENDING"), &json!(MAIL), &json!([])));
    step(&caller, "Reopen", &id, json!({})).await;
    done(&caller, &id).await;
    assert_eq!(statuses(&caller, &id).await, notices, "nobody is told twice");

    let third = said(&caller, Some(&people[2])).await;
    let list = json!({ "by": by_id(&id), "feedbackRecords": refs([&first, &third, &unknown]) });
    made(&caller, "improvementSetFeedbackRecords", list).await;
    assert_eq!(customers(&statuses(&caller, &id).await), people[..3]);
    let fourth = said(&caller, Some(&people[3])).await;
    let list = json!({ "by": by_id(&id), "feedbackRecords": refs([&first, &fourth, &unknown]) });
    made(&caller, "improvementUpdate", list).await;
    assert_eq!(customers(&statuses(&caller, &id).await), people[..4]);
    let known = json!({ "by": by_id(&unknown), "customerRef": by_id(&people[4]) });
    made(&caller, "feedbackRecordUpdate", known).await;
    assert_eq!(customers(&statuses(&caller, &id).await), people);
    let points = json!({ "by": by_id(&id), "points": [] });
    made(&caller, "improvementUpdate", points).await;
    assert_eq!(customers(&statuses(&caller, &id).await), people);

    let row = |name: &str, records: Value| {
        json!({ "externalId": { "system": "test", "id": name }, "title": name, "target": "PROCESS", "status": "DONE",
            "feedbackRecords": records })
    };
    let rows = json!({ "rows": [row("a", refs([&first, &second])), row("b", refs([&second]))] });
    let made = caller.mutate("improvementsBulkUpsert", rows, "results { errors { code } node { id } }").await;
    for (place, expected) in [(0, &people[..2]), (1, &people[1..2])] {
        let id = made["results"][place]["node"]["id"].as_str().unwrap();
        assert_eq!(customers(&statuses(&caller, id).await), *expected);
    }
}

#[tokio::test]
async fn customers_that_were_merged_get_one_notice() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (ann, eve) = (contributor(&caller).await, contributor(&caller).await);
    let (first, second) = (said(&caller, Some(&ann)).await, said(&caller, Some(&eve)).await);
    let id = proposed(&caller, &[&first, &second]).await;
    made(&caller, "customerMerge", json!({ "winner": by_id(&ann), "loser": by_id(&eve) })).await;
    done(&caller, &id).await;
    assert_eq!(customers(&statuses(&caller, &id).await), [&ann]);
    app.run_jobs(now()).await;
    step(&caller, "Reopen", &id, json!({})).await;
    done(&caller, &id).await;
    assert_eq!(customers(&statuses(&caller, &id).await), [&ann]);
}

/// Consents of a customer, oldest first: what was decided, for which medium if not for all, and when.
type Decisions<'a> = &'a [(&'a str, Option<&'a str>, &'a str)];

#[tokio::test]
async fn the_newest_consents_decide_whether_and_by_what_somebody_is_told() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    medium_named(&caller, "phone").await;
    medium_named(&caller, "gone").await;
    let (old, new) = ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z");
    // What is decided, oldest first; whether there is a contact point; the medium and the obstacle.
    let (yes, no) = ("GRANTED", "WITHDRAWN");
    let cases: [(Decisions<'_>, bool, Value, Value); 11] = [
        (&[], true, Value::Null, json!("NO_CONSENT")),
        (&[(yes, Some(MAIL), old)], true, json!(MAIL), Value::Null),
        (&[(yes, Some(MAIL), old)], false, Value::Null, json!("NO_CONTACT_POINT")),
        (&[(yes, Some(MAIL), old), (no, Some(MAIL), new)], true, Value::Null, json!("NO_CONSENT")),
        (&[(no, Some(MAIL), new), (yes, Some(MAIL), old)], true, Value::Null, json!("NO_CONSENT")),
        (&[(yes, Some(MAIL), old), (no, None, new)], true, Value::Null, json!("NO_CONSENT")),
        (&[(no, Some(MAIL), old), (yes, None, new)], true, json!(MAIL), Value::Null),
        (&[(yes, None, old), (no, Some(MAIL), new)], true, Value::Null, Value::Null),
        (&[(yes, Some("phone"), old)], true, json!("phone"), Value::Null),
        (&[(yes, Some("phone"), old), (yes, Some(MAIL), new)], true, json!(MAIL), Value::Null),
        (&[(yes, Some("gone"), old)], true, Value::Null, json!("NO_CONSENT")),
    ];
    let mut people = Vec::new();
    for (decisions, is_reachable, ..) in &cases {
        let ann = customer(&caller).await;
        for (decision, by, at) in *decisions {
            decide(&caller, &ann, decision, *by, at).await;
        }
        let marketing = json!({ "purpose": "MARKETING", "decision": "GRANTED", "customerRef": by_id(&ann) });
        made(&caller, "consentCreate", marketing).await;
        if *is_reachable {
            reach(&caller, &ann).await;
        }
        people.push(ann);
    }
    made(&caller, "mediumArchive", json!({ "by": medium("gone") })).await;
    let mut records = Vec::new();
    for person in &people {
        records.push(said(&caller, Some(person)).await);
    }
    let id = proposed(&caller, &records.iter().collect::<Vec<_>>()).await;
    done(&caller, &id).await;
    let notices = statuses(&caller, &id).await;
    for (person, (decisions, is_reachable, medium, obstacle)) in people.iter().zip(&cases) {
        let notice = notices.iter().find(|notice| notice["customer"]["id"] == **person).unwrap();
        let is_possible = obstacle.is_null();
        let found = (&notice["medium"]["name"], &notice["obstacle"], &notice["status"]);
        let status = json!(if is_possible { "PENDING" } else { "IMPOSSIBLE" });
        assert_eq!(found, (medium, obstacle, &status), "{decisions:?} {is_reachable}");
        let at = if is_possible { Value::Null } else { json!("2026-11-22T12:03:00Z") };
        assert_eq!(notice["abandonedAt"], at);
        let changes = if is_possible { json!([]) } else { json!([{ "to": "IMPOSSIBLE" }]) };
        assert_eq!(notice["history"]["nodes"], changes);
    }
}

#[tokio::test]
async fn who_was_erased_gets_no_notice_and_who_is_archived_does() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (ann, bob, eve) = (contributor(&caller).await, contributor(&caller).await, contributor(&caller).await);
    let mut records = Vec::new();
    for person in [&ann, &bob, &eve] {
        records.push(said(&caller, Some(person)).await);
    }
    let id = proposed(&caller, &records.iter().collect::<Vec<_>>()).await;
    caller.mutate("customerErase", json!({ "by": by_id(&ann) }), "outcome").await;
    app.run_jobs(now()).await;
    made(&caller, "customerArchive", json!({ "by": by_id(&bob) })).await;
    done(&caller, &id).await;
    assert_eq!(customers(&statuses(&caller, &id).await), [&bob, &eve]);
}

#[tokio::test]
async fn somebody_is_told_by_what_they_allow_and_of_what_is_done() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    medium_named(&caller, "phone").await;
    let (ann, eve) = (contributor(&caller).await, contributor(&caller).await);
    let record = said(&caller, Some(&ann)).await;
    let id = proposed(&caller, &[&record]).await;
    let early = made(
        &caller,
        "noticeCreate",
        json!({ "improvementRef": by_id(&id), "customerRef": by_id(&ann),
        "mediumRef": medium(MAIL) }),
    );
    let early = early.await;
    refused(&app, &caller, vec![("noticeTell", json!({ "by": by_id(&early) }), "INVALID", "by")]).await;
    done(&caller, &id).await;
    let notices = statuses(&caller, &id).await;
    assert_eq!(notices.len(), 1, "who has a notice gets no other");
    let by_hand =
        made(&caller, "noticeCreate", json!({ "improvementRef": by_id(&id), "customerRef": by_id(&ann) })).await;
    let theirs = made(&caller, "interactionCreate", json!({ "customerRef": by_id(&eve) })).await;
    let tell = |input: Value| {
        let mut all = json!({ "by": by_id(&early) });
        all.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
        all
    };
    let cases = vec![
        ("noticeTell", json!({ "by": by_id(&by_hand) }), "REQUIRED", "mediumRef"),
        ("noticeTell", tell(json!({ "mediumRef": medium("phone") })), "INVALID", "mediumRef"),
        ("noticeTell", tell(json!({ "interactionRef": by_id(&theirs) })), "INVALID", "interactionRef"),
        ("noticeTell", tell(json!({ "toldAt": "2027-01-01T00:00:00Z" })), "OUT_OF_RANGE", "toldAt"),
        // The consent is of the first of January.
        ("noticeTell", tell(json!({ "toldAt": "2025-12-31T00:00:00Z" })), "INVALID", "mediumRef"),
        ("noticeAbandon", json!({ "by": by_id(&early), "obstacle": "OTHER" }), "REQUIRED", "note"),
        ("noticeAbandon", json!({ "by": by_id(&early), "obstacle": "OTHER", "note": " " }), "REQUIRED", "note"),
    ];
    refused(&app, &caller, cases).await;
    let why = json!({ "by": by_id(&early), "obstacle": "OTHER", "note": "Moved away" });
    made(&caller.after(4), "noticeAbandon", why).await;
    let own = made(&caller, "interactionCreate", json!({ "customerRef": by_id(&ann) })).await;
    let done = told(&caller.after(5), &early, json!({ "interactionRef": by_id(&own), "note": "By letter" })).await;
    let expected = json!({ "status": "TOLD", "toldAt": "2026-11-22T12:05:00Z", "obstacle": null, "abandonedAt": null });
    assert_eq!((&done["errors"], &done["node"]), (&json!([]), &expected));
    // What was allowed when they were told may be recorded after it was withdrawn.
    decide(&caller, &ann, "WITHDRAWN", None, "2026-11-20T00:00:00Z").await;
    let late = json!({ "by": by_id(&by_hand), "mediumRef": medium(MAIL) });
    refused(&app, &caller, vec![("noticeTell", late, "INVALID", "mediumRef")]).await;
    let before = json!({ "mediumRef": medium(MAIL), "toldAt": "2026-11-19T00:00:00Z" });
    assert_eq!(told(&caller, &by_hand, before).await["node"]["toldAt"], "2026-11-19T00:00:00Z");
    let brought = json!({ "improvementRef": by_id(&id), "customerRef": by_id(&eve), "status": "TOLD" });
    let brought = made(&caller.after(6), "noticeCreate", brought).await;
    let found = statuses(&caller, &id).await;
    let brought = found.iter().find(|notice| notice["id"] == *brought).unwrap();
    assert_eq!(brought["toldAt"], "2026-11-22T12:06:00Z");
}
