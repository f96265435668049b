//! Purchases, referrals, content that was shared, and words that may be quoted.

use serde_json::{Value, json};

use super::{TOLD, by_id, made, soon, wrong};
use crate::app::{App, Caller};

fn told(code: &str, path: &str) -> [(String, String); 1] {
    [(code.to_owned(), path.to_owned())]
}

fn money(amount: &str, currency: &str) -> Value {
    json!({ "amount": amount, "currency": currency })
}

#[tokio::test]
async fn no_more_is_paid_back_than_was_paid() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let ann = made(&caller, "customerCreate", json!({ "name": "Ann" })).await;
    let firm = made(&caller, "accountCreate", json!({ "name": "Firm" })).await;
    let input = json!({ "customerRef": by_id(&ann), "accountRef": by_id(&firm), "amount": money("29.97", "USD"),
        "itemCount": 2, "product": "Two records", "boughtAt": "2026-01-12T00:00:00Z" });
    let purchase = made(&caller, "purchaseCreate", input).await;
    let refund = async |refunded: Value| {
        wrong(&caller, "purchaseUpdate", json!({ "by": by_id(&purchase), "refunded": refunded })).await
    };
    assert_eq!(refund(money("29.98", "USD")).await, told("OUT_OF_RANGE", "refunded"));
    assert_eq!(refund(money("-0.01", "USD")).await, told("OUT_OF_RANGE", "refunded"));
    assert_eq!(refund(money("1.00", "EUR")).await, told("INVALID", "refunded"));
    assert_eq!(refund(money("29.97", "USD")).await, []);
    let less = json!({ "by": by_id(&purchase), "amount": money("10", "USD") });
    assert_eq!(wrong(&caller, "purchaseUpdate", less).await, told("OUT_OF_RANGE", "refunded"));
    let negative = json!({ "amount": money("-1", "USD") });
    assert_eq!(wrong(&caller, "purchaseCreate", negative).await, told("OUT_OF_RANGE", "amount"));
    let later = json!({ "amount": money("1", "USD"), "boughtAt": soon() });
    assert_eq!(wrong(&caller, "purchaseCreate", later).await, told("OUT_OF_RANGE", "boughtAt"));
    let asked = "query($id: ID!) { account(by: { id: $id }) { purchases { nodes {
        amount { amount currency } refunded { amount } itemCount product customer { name } point { id } } } } }";
    let shown = caller.data(asked, json!({ "id": firm })).await["account"]["purchases"]["nodes"].take();
    let expected = json!([{ "amount": money("29.97", "USD"), "refunded": { "amount": "29.97" }, "itemCount": 2,
        "product": "Two records", "customer": { "name": "Ann" }, "point": null }]);
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn a_referral_is_open_until_it_is_won_or_lost_and_nobody_refers_themselves() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let [ann, bob] = [
        made(&caller, "customerCreate", json!({ "name": "Ann" })).await,
        made(&caller, "customerCreate", json!({ "name": "Bob" })).await,
    ];
    let own = json!({ "referrerRef": by_id(&ann), "referredRef": by_id(&ann) });
    assert_eq!(wrong(&caller, "referralCreate", own).await, told("INVALID", "referredRef"));
    let referral = made(&caller, "referralCreate", json!({ "referrerRef": by_id(&ann) })).await;
    let own = json!({ "by": by_id(&referral), "referredRef": by_id(&ann) });
    assert_eq!(wrong(&caller, "referralUpdate", own).await, told("INVALID", "referredRef"));
    let named = json!({ "by": by_id(&referral), "referredRef": by_id(&bob) });
    assert_eq!(wrong(&caller, "referralUpdate", named).await, []);
    for (transition, more, status) in [("Lose", json!({ "reason": "too dear" }), "LOST"), ("Win", json!({}), "WON")] {
        let mut input = json!({ "by": by_id(&referral) });
        input.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
        let done =
            caller.mutate(&format!("referral{transition}"), input, "errors { code } node { status decidedAt }").await;
        assert_eq!(done["node"], json!({ "status": status, "decidedAt": "2026-11-22T12:00:00Z" }), "{done}");
    }
    assert_eq!(wrong(&caller, "referralLose", json!({ "by": by_id(&referral) })).await[0].0, "INVALID_TRANSITION");
    let asked =
        "query($id: ID!) { customer(by: { id: $id }) { referralsReceived { nodes { status referrer { name } } } } }";
    let shown = caller.data(asked, json!({ "id": bob })).await["customer"]["referralsReceived"]["nodes"].take();
    assert_eq!(shown, json!([{ "status": "WON", "referrer": { "name": "Ann" } }]));
}

#[tokio::test]
async fn content_is_shared_in_an_interaction_with_its_customer_and_found_by_interests() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let ann = made(&caller, "customerCreate", json!({ "name": "Ann", "interests": ["jazz", "vinyl"] })).await;
    let item = json!({ "kind": "PROGRAMME", "title": "Jazz tonight", "topics": ["jazz"], "airsAt": "2026-12-01T20:00:00Z",
        "address": "https://example.org/jazz", "language": "en" });
    let item = made(&caller, "contentItemCreate", item).await;
    let call = json!({ "customerRef": by_id(&ann), "status": "COMPLETED", "contentShares": { "upsert": [
        { "contentItemRef": by_id(&item), "usefulness": 6 } ] } });
    made(&caller, "interactionCreate", call).await;
    let everybody = json!({ "contentItemRef": by_id(&item) });
    made(&caller, "contentShareCreate", everybody).await;
    let asked = "{ contentItems(filter: { topics: { hasAny: [\"jazz\"] } }) { nodes { title
        shares(orderBy: [{ field: ID }]) { nodes { usefulness customer { name } } } } }
        customers(filter: { interests: { hasAll: [\"jazz\", \"vinyl\"] } }) { nodes { name } } }";
    let shown = caller.ask(asked).await;
    assert_eq!(shown["customers"]["nodes"], json!([{ "name": "Ann" }]));
    let shares = json!([{ "usefulness": 6, "customer": { "name": "Ann" } }, { "usefulness": null, "customer": null }]);
    assert_eq!(shown["contentItems"]["nodes"], json!([{ "title": "Jazz tonight", "shares": { "nodes": shares } }]));
    let used = caller.mutate("contentItemDelete", json!({ "by": by_id(&item) }), "errors { code }").await;
    assert_eq!(used["errors"][0]["code"], "IN_USE");
}

/// The quotes that may be quoted in a place, page by page.
async fn quotes(caller: &Caller<'_>, place: &str) -> Vec<String> {
    let asked = "query($place: TestimonialScope, $after: String) { quotableTestimonials(scope: $place, first: 2, after: $after) {
        nodes { testimonial { quote } } hasNextPage endCursor } }";
    let (mut found, mut after) = (Vec::new(), Value::Null);
    loop {
        let data = caller.data(asked, json!({ "place": place, "after": after })).await;
        let page = &data["quotableTestimonials"];
        let nodes = page["nodes"].as_array().unwrap();
        found.extend(nodes.iter().map(|node| node["testimonial"]["quote"].as_str().unwrap().to_owned()));
        if page["hasNextPage"] == false {
            return found;
        }
        after = page["endCursor"].clone();
    }
}

#[tokio::test]
async fn only_words_with_a_consent_that_holds_are_quotable() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let mut records = Vec::new();
    for name in ["Ann", "Bob"] {
        let customer = made(&caller, "customerCreate", json!({ "name": name })).await;
        let input = json!({ "kind": "TESTIMONIAL", "customerRef": by_id(&customer), "body": "fine" });
        records.push((made(&caller, "feedbackRecordCreate", input).await, customer));
    }
    let quote = async |record: usize, words: &str, more: Value| {
        let mut input = json!({ "feedbackRecordRef": by_id(&records[record].0), "quote": words, "scope": "PUBLIC" });
        input.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
        made(&caller, "testimonialCreate", input).await
    };
    let day = |day: u32| format!("2026-01-{day:02}T00:00:00Z");
    quote(0, "first", json!({ "consentedAt": day(1) })).await;
    let second = quote(1, "second", json!({ "consentedAt": day(2), "expiresAt": "2027-01-01T00:00:00Z" })).await;
    quote(0, "third", json!({ "consentedAt": day(3) })).await;
    quote(0, "expires now", json!({ "consentedAt": day(4), "expiresAt": "2026-11-22T12:00:00Z" })).await;
    quote(0, "withdrawn", json!({ "consentedAt": day(4), "withdrawnAt": day(5) })).await;
    quote(1, "inside", json!({ "consentedAt": day(6), "scope": "INTERNAL" })).await;
    quote(1, "spoken", json!({ "consentedAt": day(7), "scope": "CONVERSATION" })).await;
    assert_eq!(quotes(&caller, "PUBLIC").await, ["third", "second", "first"]);
    assert_eq!(quotes(&caller, "CONVERSATION").await, ["spoken", "third", "second", "first"]);
    assert_eq!(quotes(&caller, "INTERNAL").await, ["spoken", "inside", "third", "second", "first"]);

    let input = json!({ "by": by_id(&second), "expiresAt": "2026-01-01T00:00:00Z" });
    assert_eq!(wrong(&caller, "testimonialUpdate", input).await, told("OUT_OF_RANGE", "expiresAt"));
    let input = json!({ "by": by_id(&second), "withdrawnAt": soon() });
    assert_eq!(wrong(&caller, "testimonialUpdate", input).await, told("OUT_OF_RANGE", "withdrawnAt"));

    // Who withdraws the consent withdraws what was consented to before, and nothing else.
    let decide = async |customer: usize, purpose: &str, at: String| {
        let input = json!({ "customerRef": by_id(&records[customer].1), "purpose": purpose, "decision": "WITHDRAWN",
            "decidedAt": at });
        caller.mutate("consentCreate", input, TOLD).await
    };
    assert_eq!(decide(0, "MARKETING", day(9)).await["outcome"], "CREATED");
    assert_eq!(quotes(&caller, "PUBLIC").await, ["third", "second", "first"]);
    assert_eq!(decide(0, "TESTIMONIAL", day(2)).await["outcome"], "CREATED");
    assert_eq!(quotes(&caller, "PUBLIC").await, ["third", "second"]);
    // Also what is written down only afterwards; a later consent stands.
    quote(0, "written later", json!({ "consentedAt": day(1) })).await;
    assert_eq!(quotes(&caller, "PUBLIC").await, ["third", "second"]);
    let again = quote(0, "consented later", json!({ "consentedAt": day(20) })).await;
    assert_eq!(quotes(&caller, "PUBLIC").await, ["consented later", "third", "second"]);
    caller.mutate("testimonialDelete", json!({ "by": by_id(&again) }), "outcome").await;
    caller.mutate("customerErase", json!({ "by": by_id(&records[1].1) }), "outcome").await;
    assert_eq!(quotes(&caller, "INTERNAL").await, ["third"]);
}

#[tokio::test]
async fn feedback_about_a_part_is_about_its_unit() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let [washer, dryer] = [
        made(&caller, "unitCreate", json!({ "product": "Washer" })).await,
        made(&caller, "unitCreate", json!({ "product": "Dryer" })).await,
    ];
    let pump = made(&caller, "unitPartCreate", json!({ "name": "Pump", "unitRef": by_id(&washer) })).await;
    let input = json!({ "kind": "UNEXPECTED_USE", "unitPartRef": by_id(&pump) });
    let done = caller
        .mutate("feedbackRecordCreate", input, "errors { code } node { unit { product } unitPart { name } }")
        .await;
    assert_eq!(done["node"], json!({ "unit": { "product": "Washer" }, "unitPart": { "name": "Pump" } }));
    let input = json!({ "kind": "COMPETITOR", "unitPartRef": by_id(&pump), "unitRef": by_id(&dryer) });
    assert_eq!(wrong(&caller, "feedbackRecordCreate", input).await, told("INVALID", "unitPartRef"));
}

#[tokio::test]
async fn the_top_expectations_are_a_plain_list_by_rank() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let point = made(&caller, "interactionPointCreate", json!({ "kind": "BILLING", "name": "Bill" })).await;
    let mut ids = Vec::new();
    for statement in ["third", "first", "none", "second"] {
        let input = json!({ "pointRef": by_id(&point), "kind": "WANT", "source": "RESEARCH", "statement": statement });
        ids.push(made(&caller, "expectationCreate", input).await);
    }
    let ranked = json!({ "by": by_id(&point), "expectations": [by_id(&ids[1]), by_id(&ids[3]), by_id(&ids[0])] });
    caller.mutate("interactionPointRankExpectations", ranked, TOLD).await;
    let asked = "{ interactionPoints { nodes { topExpectations { rank expectation { statement } } } } }";
    let shown = caller.ask(asked).await["interactionPoints"]["nodes"][0]["topExpectations"].take();
    let row = |rank: i64, statement: &str| json!({ "rank": rank, "expectation": { "statement": statement } });
    assert_eq!(shown, json!([row(1, "first"), row(2, "second"), row(3, "third")]));
    caller.mutate("expectationArchive", json!({ "by": by_id(&ids[3]) }), "outcome").await;
    let shown = caller.ask(asked).await["interactionPoints"]["nodes"][0]["topExpectations"].take();
    assert_eq!(shown, json!([row(1, "first"), row(3, "third")]));
}
