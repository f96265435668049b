//! Contact policies: which plans each of their rules refuses, from when it allows them, and that the answer beforehand is
//! the same.

use entity::Permission;
use serde_json::{Value, json};

use super::cases::step;
use crate::{
    app::{App, Caller},
    elements::refused,
    journeys::{TOLD, by_id, made, mistakes, one},
};

/// The object with the fields of another one.
pub fn with(mut object: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("{more} is no object") };
    object.as_object_mut().unwrap().extend(more);
    object
}

pub async fn policy(caller: &Caller<'_>, name: &str, more: Value) -> String {
    made(caller, "contactPolicyCreate", with(json!({ "name": name }), more)).await
}

pub async fn customer(caller: &Caller<'_>, more: Value) -> String {
    made(caller, "customerCreate", with(json!({ "name": "Ann" }), more)).await
}

/// An outbound interaction with a customer to plan.
pub fn plan(customer: &str, at: &str, more: Value) -> Value {
    with(json!({ "customerRef": by_id(customer), "direction": "OUTBOUND", "scheduledAt": at }), more)
}

/// Plans a contact: the codes and paths of what refuses it.
pub async fn planned(caller: &Caller<'_>, customer: &str, at: &str, more: Value) -> Vec<(String, Vec<String>)> {
    mistakes(&caller.mutate("interactionCreate", plan(customer, at, more), TOLD).await)
}

/// What refuses a plan, at the field.
pub fn not_at(field: &str) -> Vec<(String, Vec<String>)> {
    one("CONTACT_NOT_ALLOWED", &[field])
}

/// What `contactAllowed` answers.
pub async fn allowed(caller: &Caller<'_>, customer: &str, at: &str, more: Value) -> Value {
    let document = "query($customer: CustomerRef!, $medium: MediumRef, $purpose: InteractionPurpose, $at: DateTime,
        $insteadOf: InteractionRef) { contactAllowed(customer: $customer, medium: $medium, purpose: $purpose, at: $at,
        insteadOf: $insteadOf) { isAllowed allowedAt reasons { rule allowedAt policy { name } } } }";
    let asked = with(json!({ "customer": by_id(customer), "at": at }), more);
    caller.data(document, asked).await["contactAllowed"].take()
}

/// Whether a contact without a medium is allowed, by which rules not, and from when on it is.
async fn verdict(caller: &Caller<'_>, customer: &str, at: &str, more: Value) -> (Vec<String>, Value) {
    let answer = allowed(caller, customer, at, more).await;
    let reasons = answer["reasons"].as_array().unwrap().iter();
    let rules: Vec<String> = reasons.map(|reason| reason["rule"].as_str().unwrap().to_owned()).collect();
    assert_eq!(answer["isAllowed"], rules.is_empty());
    (rules, answer["allowedAt"].clone())
}

/// Sees that a contact is refused by a rule, by the answer and when it is planned, that it is refused until a millisecond
/// before the instant from which it is allowed, and planned then.
async fn refused_until(caller: &Caller<'_>, customer: &str, at: &str, rule: &str, before: &str, until: &str) {
    assert_eq!(verdict(caller, customer, at, json!({})).await, (vec![rule.to_owned()], json!(until)));
    for at in [at, before] {
        assert_eq!(planned(caller, customer, at, json!({})).await, not_at("scheduledAt"), "{at}");
    }
    assert_eq!(verdict(caller, customer, until, json!({})).await, (Vec::new(), json!(until)));
    assert_eq!(planned(caller, customer, until, json!({})).await, [], "{until}");
}

#[tokio::test]
async fn at_most_two_emails_a_month() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let electronic = made(&caller, "mediumCreate", json!({ "name": "Electronic" })).await;
    let email = json!({ "name": "E-mail", "parentRef": by_id(&electronic) });
    let email = made(&caller, "mediumCreate", email).await;
    let letter = made(&caller, "mediumCreate", json!({ "name": "Letter" })).await;
    let by = |medium: &str| json!({ "mediumRef": by_id(medium) });
    let two = json!({ "mediumRef": by_id(&electronic), "mostContacts": 2, "periodDays": 30 });
    policy(&caller, "Two e-mails a month", two).await;
    let (ann, bob) = (customer(&caller, json!({})).await, customer(&caller, json!({})).await);
    for at in ["2026-12-01T12:00:00Z", "2026-12-20T12:00:00Z"] {
        assert_eq!(planned(&caller, &ann, at, by(&email)).await, []);
    }
    // Of any thirty days that hold the new one: before, between and after those that are planned.
    for at in ["2026-11-22T12:00:00Z", "2026-12-10T12:00:00Z", "2026-12-31T11:59:59.999Z"] {
        assert_eq!(planned(&caller, &ann, at, by(&email)).await, not_at("scheduledAt"), "{at}");
        assert_eq!(planned(&caller, &ann, at, by(&electronic)).await, not_at("scheduledAt"), "{at}");
        let answer = allowed(&caller, &ann, at, json!({ "medium": by_id(&email) })).await;
        let reason = json!({ "rule": "CAP", "allowedAt": "2026-12-31T12:00:00Z",
            "policy": { "name": "Two e-mails a month" } });
        let expected = json!({ "isAllowed": false, "allowedAt": "2026-12-31T12:00:00Z", "reasons": [reason] });
        assert_eq!(answer, expected, "{at}");
    }
    // Letters, letters to others, and what the customer says are no e-mails to the customer.
    let at = "2026-12-10T12:00:00Z";
    for more in [by(&letter), json!({}), with(by(&email), json!({ "direction": "INBOUND" }))] {
        assert_eq!(planned(&caller, &ann, at, more).await, []);
    }
    assert_eq!(planned(&caller, &bob, at, by(&email)).await, []);
    assert_eq!(planned(&caller, &ann, "2026-12-31T12:00:00Z", by(&email)).await, []);
}

#[tokio::test]
async fn what_took_place_counts_and_what_was_called_off_does_not() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    policy(&caller, "One a week", json!({ "mostContacts": 1, "periodDays": 7 })).await;
    let ann = customer(&caller, json!({})).await;
    let past = json!({ "customerRef": by_id(&ann), "direction": "OUTBOUND", "status": "COMPLETED",
        "occurredAt": "2026-11-20T12:00:00Z", "scheduledAt": "2026-11-01T12:00:00Z" });
    made(&caller, "interactionCreate", past).await;
    let (before, until) = ("2026-11-27T11:59:59.999Z", "2026-11-27T12:00:00Z");
    refused_until(&caller, &ann, "2026-11-23T12:00:00Z", "CAP", before, until).await;
    let found = caller.ask("{ interactions(filter: { status: { eq: SCHEDULED } }) { nodes { id } } }").await;
    let id = found["interactions"]["nodes"][0]["id"].as_str().unwrap();
    let at = "2026-11-29T12:00:00Z";
    assert_eq!(planned(&caller, &ann, at, json!({})).await, not_at("scheduledAt"));
    // The plan that is to be moved does not count.
    let instead = json!({ "insteadOf": by_id(id) });
    assert_eq!(verdict(&caller, &ann, at, instead).await, (Vec::new(), json!(at)));
    made(&caller, "interactionCancel", json!({ "by": by_id(id) })).await;
    assert_eq!(planned(&caller, &ann, at, json!({})).await, []);
    let back = json!({ "by": by_id(id), "scheduledAt": "2026-11-28T12:00:00Z" });
    let done = caller.mutate("interactionReschedule", back, TOLD).await;
    assert_eq!(mistakes(&done), not_at("scheduledAt"));
}

#[tokio::test]
async fn quiet_hours_are_those_of_the_customers_clock() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    policy(&caller, "Night", json!({ "quietFrom": "20:00", "quietUntil": "08:00" })).await;
    let berlin = customer(&caller, json!({ "timeZone": "Europe/Berlin" })).await;
    let at_home = customer(&caller, json!({})).await;
    // Germany changed its clocks in the nights to 29 March and 25 October 2026; the organization is in New York.
    for (customer, at, before, until) in [
        (&berlin, "2026-12-01T19:00:00Z", "2026-12-02T06:59:59.999Z", "2026-12-02T07:00:00Z"),
        (&berlin, "2026-03-28T19:00:00Z", "2026-03-29T05:59:59.999Z", "2026-03-29T06:00:00Z"),
        (&berlin, "2026-10-24T18:00:00Z", "2026-10-25T06:59:59.999Z", "2026-10-25T07:00:00Z"),
        (&at_home, "2026-12-02T01:00:00Z", "2026-12-02T12:59:59.999Z", "2026-12-02T13:00:00Z"),
    ] {
        refused_until(&caller, customer, at, "QUIET_HOURS", before, until).await;
    }
    for at in ["2026-12-01T18:59:59.999Z", "2026-03-28T18:59:59.999Z", "2026-10-24T17:59:59.999Z"] {
        assert_eq!(planned(&caller, &berlin, at, json!({})).await, [], "{at}");
    }
    // At 2:30, which the clocks skip, nothing is quiet.
    let gap = policy(&caller, "Gap", json!({ "quietFrom": "02:00", "quietUntil": "03:00", "segment": "gap" })).await;
    let skipping = customer(&caller, json!({ "timeZone": "Europe/Berlin", "segment": "gap" })).await;
    let night = caller.ask("{ contactPolicies(filter: { name: { eq: \"Night\" } }) { nodes { id } } }").await;
    let night = night["contactPolicies"]["nodes"][0]["id"].as_str().unwrap().to_owned();
    made(&caller, "contactPolicyArchive", json!({ "by": by_id(&night) })).await;
    assert_eq!(planned(&caller, &skipping, "2026-03-29T01:30:00Z", json!({})).await, []);
    // From midnight on, and until midnight.
    for (hours, at, until) in [
        (json!({ "quietFrom": null, "quietUntil": "08:00" }), "2026-12-01T23:00:00Z", "2026-12-02T07:00:00Z"),
        (json!({ "quietFrom": "24:00", "quietUntil": "08:00" }), "2026-12-02T23:00:00Z", "2026-12-03T07:00:00Z"),
        (json!({ "quietFrom": "20:00", "quietUntil": null }), "2026-12-03T19:00:00Z", "2026-12-03T23:00:00Z"),
        (json!({ "quietFrom": "20:00", "quietUntil": "00:00" }), "2026-12-04T19:00:00Z", "2026-12-04T23:00:00Z"),
    ] {
        made(&caller, "contactPolicyUpdate", with(json!({ "by": by_id(&gap) }), hours)).await;
        let answer = verdict(&caller, &skipping, at, json!({})).await;
        assert_eq!(answer, (vec!["QUIET_HOURS".to_owned()], json!(until)));
    }
}

#[tokio::test]
async fn the_newest_decision_of_the_customer_holds() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    policy(&caller, "Consent", json!({ "isConsentRequired": true, "purpose": "MARKETING" })).await;
    let phone = made(&caller, "mediumCreate", json!({ "name": "Phone" })).await;
    let mobile = made(&caller, "mediumCreate", json!({ "name": "Mobile", "parentRef": by_id(&phone) })).await;
    let ann = customer(&caller, json!({})).await;
    let decide = async |medium: Option<&str>, purpose: &str, decision: &str, day: u32| {
        let input = json!({ "customerRef": by_id(&ann), "purpose": purpose, "decision": decision,
            "decidedAt": format!("2026-11-{day:02}T12:00:00Z"), "mediumRef": medium.map(by_id) });
        made(&caller, "consentCreate", input).await;
    };
    let at = "2026-12-01T12:00:00Z";
    let asked = async |medium: &str, purpose: Value| {
        let more = json!({ "medium": by_id(medium), "purpose": purpose });
        let (rules, allowed_at) = verdict(&caller, &ann, at, more).await;
        let more = json!({ "mediumRef": by_id(medium), "purpose": purpose, "status": "CANCELLED" });
        let planned = caller.mutate("interactionCreate", plan(&ann, at, more), TOLD).await;
        let id = planned["node"]["id"].as_str().unwrap();
        let again = json!({ "by": by_id(id), "scheduledAt": at });
        let done = caller.mutate("interactionReschedule", again, TOLD).await;
        if rules.is_empty() {
            assert_eq!((mistakes(&done), allowed_at), (Vec::new(), json!(at)));
        } else {
            assert_eq!((rules, allowed_at), (vec!["CONSENT".to_owned()], Value::Null));
            assert_eq!(mistakes(&done), not_at("scheduledAt"));
            return false;
        }
        true
    };
    for (purpose, is_allowed) in [
        (json!("SELL"), false),
        (json!("SHARE"), false),
        (Value::Null, false),
        (json!("LEARN"), true),
        (json!("SERVE"), true),
        (json!("OTHER"), true),
    ] {
        assert_eq!(asked(&mobile, purpose.clone()).await, is_allowed, "{purpose}");
    }
    // Of one for the category, for the medium, and for every medium, the newest holds; those for other purposes do not.
    for (medium, purpose, decision, day, is_allowed) in [
        (None, "SERVICE", "GRANTED", 1, false),
        (Some(&phone), "MARKETING", "GRANTED", 2, true),
        (Some(&mobile), "MARKETING", "WITHDRAWN", 3, false),
        (None, "MARKETING", "GRANTED", 4, true),
        (Some(&phone), "MARKETING", "WITHDRAWN", 5, false),
        (Some(&mobile), "MARKETING", "GRANTED", 6, true),
        (None, "MARKETING", "WITHDRAWN", 5, true),
    ] {
        decide(medium.map(String::as_str), purpose, decision, day).await;
        assert_eq!(asked(&mobile, json!("SELL")).await, is_allowed, "{medium:?} {decision} {day}");
    }
    assert!(!asked(&phone, json!("SELL")).await);
}

#[tokio::test]
async fn nothing_is_sold_to_a_customer_with_an_open_case() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    policy(&caller, "Case first", json!({ "isRefusedDuringCase": true, "purpose": "MARKETING" })).await;
    let ann = customer(&caller, json!({})).await;
    let case = made(&caller, "caseCreate", json!({ "title": "Leak", "customerRef": by_id(&ann) })).await;
    let sale = || json!({ "purpose": "SELL" });
    let at = "2026-12-01T12:00:00Z";
    assert_eq!(planned(&caller, &ann, at, sale()).await, not_at("scheduledAt"));
    assert_eq!(verdict(&caller, &ann, at, sale()).await, (vec!["OPEN_CASE".to_owned()], Value::Null));
    assert_eq!(planned(&caller, &ann, at, json!({ "purpose": "SERVE" })).await, []);
    let closed = json!({ "resolution": "NOT_SOLVED", "notToldBecause": "No address" });
    let done = step(&caller.after(1), "Close", &case, closed).await;
    assert_eq!(done["errors"], json!([]));
    assert_eq!(planned(&caller.after(2), &ann, at, sale()).await, []);
    let done = step(&caller.after(3), "Reopen", &case, json!({})).await;
    assert_eq!(done["errors"], json!([]));
    assert_eq!(planned(&caller.after(4), &ann, at, sale()).await, not_at("scheduledAt"));
}

/// An interaction in which so many offers were made.
async fn offered(caller: &Caller<'_>, customer: &str, at: &str, status: &str, count: usize) -> String {
    let offer = json!({ "name": format!("{status} {at}"), "kind": "EXTRA", "customerBenefit": "Joy",
        "organizationBenefit": "Trust" });
    let offer = made(caller, "offerCreate", offer).await;
    let offers: Vec<Value> =
        (0..count).map(|_| json!({ "offerRef": by_id(&offer), "status": status, "reason": "No" })).collect();
    let input = json!({ "customerRef": by_id(customer), "status": "COMPLETED", "direction": "INBOUND",
        "occurredAt": at, "offersMade": { "upsert": offers } });
    made(caller, "interactionCreate", input).await
}

#[tokio::test]
async fn thirty_days_of_silence_follow_two_refusals_within_fifteen() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let rule = json!({ "suppressAfterDeclined": 2, "declinedWithinDays": 15, "declinedSuppressDays": 30 });
    policy(&caller, "Two refusals", rule).await;
    let [near, far, patient] =
        [customer(&caller, json!({})).await, customer(&caller, json!({})).await, customer(&caller, json!({})).await];
    for (customer, first) in [(&near, "2026-11-05T12:00:00.001Z"), (&far, "2026-11-05T12:00:00Z")] {
        for at in [first, "2026-11-20T12:00:00Z"] {
            offered(&caller, customer, at, "DECLINED", 1).await;
        }
    }
    offered(&caller, &patient, "2026-11-20T12:00:00Z", "PRESENTED", 5).await;
    let (before, until) = ("2026-12-20T11:59:59.999Z", "2026-12-20T12:00:00Z");
    refused_until(&caller, &near, "2026-11-23T12:00:00Z", "DECLINED_OFFERS", before, until).await;
    for customer in [&far, &patient] {
        assert_eq!(planned(&caller, customer, "2026-11-23T12:00:00Z", json!({})).await, []);
    }
    // One that is declined later than it was made was declined then.
    let call = offered(&caller, &far, "2026-11-21T12:00:00Z", "PRESENTED", 1).await;
    let document = "query($id: ID!) { interaction(by: { id: $id }) { offersMade { nodes { id } } } }";
    let offers = caller.data(document, json!({ "id": call })).await;
    let offer = offers["interaction"]["offersMade"]["nodes"][0]["id"].as_str().unwrap();
    made(&caller.after(60), "offerMadeDecline", json!({ "by": by_id(offer), "reason": "No" })).await;
    let (before, until) = ("2026-12-22T12:59:59.999Z", "2026-12-22T13:00:00Z");
    refused_until(&caller, &far, "2026-11-24T12:00:00Z", "DECLINED_OFFERS", before, until).await;
}

#[tokio::test]
async fn seven_days_of_silence_follow_five_views() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    policy(&caller, "Five views", json!({ "suppressAfterPresented": 5, "presentedSuppressDays": 7 })).await;
    let ann = customer(&caller, json!({})).await;
    offered(&caller, &ann, "2026-11-20T11:00:00Z", "PRESENTED", 3).await;
    offered(&caller, &ann, "2026-11-20T12:00:00Z", "ACCEPTED", 1).await;
    assert_eq!(verdict(&caller, &ann, "2026-11-23T12:00:00Z", json!({})).await.0, Vec::<String>::new());
    offered(&caller, &ann, "2026-11-21T12:00:00Z", "DECLINED", 1).await;
    let (before, until) = ("2026-11-28T11:59:59.999Z", "2026-11-28T12:00:00Z");
    refused_until(&caller, &ann, "2026-11-23T12:00:00Z", "PRESENTED_OFFERS", before, until).await;
}

#[tokio::test]
async fn a_contact_is_allowed_when_every_policy_allows_it() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    policy(&caller, "One a day", json!({ "mostContacts": 1, "periodDays": 1 })).await;
    policy(&caller, "Night", json!({ "quietFrom": "11:00", "quietUntil": "08:00" })).await;
    let only = policy(&caller, "Gold", json!({ "mostContacts": 1, "periodDays": 90, "segment": "gold" })).await;
    let ann = customer(&caller, json!({ "timeZone": "UTC" })).await;
    let gold = customer(&caller, json!({ "timeZone": "UTC", "segment": "gold" })).await;
    for customer in [&ann, &gold] {
        assert_eq!(planned(&caller, customer, "2026-12-01T10:00:00Z", json!({})).await, []);
        assert_eq!(
            planned(&caller, customer, "2026-12-03T09:30:00Z", json!({})).await.len(),
            usize::from(customer == &gold)
        );
    }
    // Less than a day after the first one, then less than a day before and after the next one.
    let answer = allowed(&caller, &ann, "2026-12-01T12:00:00Z", json!({})).await;
    let reason =
        |rule: &str, name: &str, at: &str| json!({ "rule": rule, "policy": { "name": name }, "allowedAt": at });
    let expected =
        [reason("CAP", "One a day", "2026-12-04T09:30:00Z"), reason("QUIET_HOURS", "Night", "2026-12-02T08:00:00Z")];
    assert_eq!(answer["reasons"], json!(expected));
    assert_eq!(answer["allowedAt"], "2026-12-04T09:30:00Z");
    assert_eq!(verdict(&caller, &gold, "2026-12-02T10:30:00Z", json!({})).await.1, "2027-03-01T10:00:00Z");
    made(&caller, "contactPolicyArchive", json!({ "by": by_id(&only) })).await;
    assert_eq!(verdict(&caller, &gold, "2026-12-02T10:30:00Z", json!({})).await.0, Vec::<String>::new());
    made(&caller, "contactPolicyUnarchive", json!({ "by": by_id(&only) })).await;
    assert_eq!(planned(&caller, &gold, "2026-12-02T10:30:00Z", json!({})).await, not_at("scheduledAt"));
}

#[tokio::test]
async fn what_is_no_policy_is_refused() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let known = policy(&caller, "Night", json!({ "quietFrom": "20:00", "quietUntil": "08:00" })).await;
    let quiet = |from: &str, until: &str| json!({ "name": "Bad", "quietFrom": from, "quietUntil": until });
    let cases = vec![
        ("contactPolicyCreate", quiet("08:00", "08:00"), "INVALID", "quietUntil"),
        ("contactPolicyCreate", quiet("00:00", "24:00"), "INVALID", "quietUntil"),
        ("contactPolicyCreate", quiet("24:00", "00:00"), "INVALID", "quietUntil"),
        ("contactPolicyCreate", json!({ "name": "Bad", "quietFrom": "00:00" }), "INVALID", "quietFrom"),
        ("contactPolicyUpdate", json!({ "by": by_id(&known), "quietFrom": "08:00" }), "INVALID", "quietFrom"),
        ("contactPolicyCreate", json!({ "name": "Night" }), "TAKEN", "name"),
        ("contactPolicyCreate", json!({ "name": "Bad", "mostContacts": 0 }), "OUT_OF_RANGE", "mostContacts"),
        ("contactPolicyCreate", json!({ "name": "Bad", "periodDays": 367 }), "OUT_OF_RANGE", "periodDays"),
    ];
    refused(&app, &caller, cases).await;
    let key = |number: usize| json!({ "system": "desk", "id": number.to_string() });
    let rows: Vec<Value> =
        (1..100).map(|number| json!({ "externalId": key(number), "name": format!("Policy {number}") })).collect();
    let done = caller.mutate("contactPoliciesBulkUpsert", json!({ "rows": rows }), "errors { code }").await;
    assert_eq!(done["errors"], json!([]));
    made(&caller, "contactPolicyArchive", json!({ "by": by_id(&known) })).await;
    let more = json!({ "name": "One too many" });
    refused(&app, &caller, vec![("contactPolicyCreate", more, "TOO_LONG", "name")]).await;
    made(&caller, "contactPolicyUpsert", json!({ "externalId": key(1), "mostContacts": 2 })).await;
    let deleted = caller.mutate("contactPolicyDelete", json!({ "by": by_id(&known) }), TOLD).await;
    assert_eq!(deleted["outcome"], "DELETED");
    policy(&caller, "The last one", json!({})).await;
}

#[tokio::test]
async fn who_may_read_the_record_may_ask_and_who_may_write_it_is_held_to_policies() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    policy(&caller, "One", json!({ "mostContacts": 1 })).await;
    let ann = customer(&caller, json!({})).await;
    let at = "2026-12-01T12:00:00Z";
    let writer = caller.with([Permission::RecordRead, Permission::RecordWrite]);
    assert_eq!(planned(&writer, &ann, at, json!({})).await, []);
    assert_eq!(planned(&writer, &ann, at, json!({})).await, not_at("scheduledAt"));
    let reader = caller.with([Permission::RecordRead]);
    assert_eq!(verdict(&reader, &ann, at, json!({})).await.0, ["CAP"]);
    let document = "query($id: ID!) { contactAllowed(customer: { id: $id }) { isAllowed } }";
    let asked = caller.with([Permission::MapRead]).run(document, json!({ "id": ann })).await.body;
    assert_eq!(asked["errors"][0]["extensions"]["code"], "FORBIDDEN");
    // Nobody of another organization is known.
    let other = app.admin("two").await;
    let asked = other.run(document, json!({ "id": ann })).await.body;
    assert_eq!(asked["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    let bob = customer(&other, json!({})).await;
    for _ in 0..2 {
        assert_eq!(planned(&other, &bob, at, json!({})).await, []);
    }
}
