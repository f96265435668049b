//! What is found by which text, in many languages, and what a search text may be.

use entity::Permission;
use serde_json::{Value, json};

use super::{count, found, make, page, refusal};
use crate::{app::App, outline::codes};

#[tokio::test]
async fn words_beginnings_and_phrases_are_found_in_many_languages() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for statement in [
        "The Café on Straße 7 is never <b>closed</b>",
        "東京タワーへ行く",
        "ขอบคุณสำหรับความช่วยเหลือ",
        "Доставка в течение дня",
        "한국어 검색 기능",
        "Invoice INV-2024-001 for ann@example.com",
    ] {
        make(&caller, "messageCreate", json!({ "name": "Plain", "statement": statement })).await;
    }
    for (text, expected) in [
        ("cafe strasse", "The [Café] on [Straße] 7 is never <b>closed</b>"),
        ("CLO*", "The Café on Straße 7 is never <b>[closed]</b>"),
        ("\"is never\"", "The Café on Straße 7 [is never] <b>closed</b>"),
        ("東京", "[東京]タワーへ行く"),
        ("タワー", "東京[タワー]へ行く"),
        ("ช่วยเหลือ", "ขอบคุณสำหรับความ[ช่วยเหลือ]"),
        ("достав*", "[Доставка] в течение дня"),
        ("검색", "한국어 [검색] 기능"),
        ("inv-2024", "Invoice [INV-2024]-001 for ann@example.com"),
        ("example.com", "Invoice INV-2024-001 for ann@[example.com]"),
    ] {
        assert_eq!(found(&caller, text).await, [format!("Message.statement: {expected}")], "{text}");
    }
    for text in ["clo", "\"never is\"", "京東", "cafe tower", "2024-inv", "\"cafe strasse\""] {
        assert_eq!(count(&caller, text).await, 0, "{text}");
    }
}

#[tokio::test]
async fn names_come_before_texts_and_newer_rows_before_older_ones() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let mut ids = Vec::new();
    for (name, statement) in
        [("Parcel", "x"), ("x", "A parcel"), ("Parcel two", "parcel"), ("y", "Parcels and a parcel")]
    {
        ids.push(make(&caller, "messageCreate", json!({ "name": name, "statement": statement })).await);
    }
    let key = json!({ "system": "crm", "id": "parcel/9" });
    let department = make(&caller, "departmentCreate", json!({ "name": "Post", "externalIds": [key] })).await;
    let all = page(&caller, json!({ "text": "parcel" })).await;
    let seen: Vec<_> =
        all["nodes"].as_array().unwrap().iter().map(|hit| (&hit["id"], &hit["field"], &hit["score"])).collect();
    let expected = [
        (json!(department), json!("externalIds"), json!(2)),
        (json!(ids[2]), json!("name"), json!(2)),
        (json!(ids[0]), json!("name"), json!(2)),
        (json!(ids[3]), json!("statement"), json!(1)),
        (json!(ids[1]), json!("statement"), json!(1)),
    ];
    assert_eq!(seen, expected.iter().map(|(id, field, score)| (id, field, score)).collect::<Vec<_>>());
    assert_eq!(found(&caller, "post \"parcel 9\"").await, [""; 0], "all words must stand in one text");
    // Page by page, in both scores.
    let (mut paged, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = page(&caller, json!({ "text": "parcel", "first": 2, "after": after })).await;
        assert_eq!(page["pageInfo"]["hasPreviousPage"], !after.is_null());
        paged.extend(page["nodes"].as_array().unwrap().clone());
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(Value::from(paged), all["nodes"]);
}

#[tokio::test]
async fn a_search_text_without_words_or_with_too_many_is_refused() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    make(&caller, "departmentCreate", json!({ "name": "Alpha beta" })).await;
    for text in ["", "  ", "\"-- \"", "*", "🙂 !?", "a\0b", &"x".repeat(10_000), &"a ".repeat(200), &"東".repeat(40)]
    {
        // A word that is said twice is looked for once.
        let is_one = text.starts_with("a a");
        let code = refusal(&caller, json!({ "text": text })).await;
        assert_eq!(code, if is_one { Value::Null } else { json!("BAD_USER_INPUT") }, "{text:?}");
    }
    // A quotation mark without a second one quotes the rest; operators of no database are one here.
    for text in
        ["\"alpha beta", "alpha \"beta", "alp* beta", "alpha AND", "'alpha' & (beta)", "alpha -beta", "name:alpha"]
    {
        let is_found = !["alpha AND", "name:alpha"].contains(&text);
        assert_eq!(count(&caller, text).await, usize::from(is_found), "{text}");
    }
    let filter = "{ departments(filter: { name: { matches: \" - \" } }) { totalCount } }";
    assert_eq!(codes(&caller.run(filter, json!({})).await.body), ["BAD_USER_INPUT"]);
    for first in [0, -1, 1001] {
        assert_eq!(refusal(&caller, json!({ "text": "alpha", "first": first })).await, "BAD_USER_INPUT", "{first}");
    }
}

#[tokio::test]
async fn a_cursor_continues_the_same_search_of_the_same_organization_only() {
    let app = App::start().await;
    let (caller, other) = (app.admin("one").await, app.admin("two").await);
    for of in [&caller, &other] {
        for name in ["Alpha one", "Alpha two"] {
            make(of, "departmentCreate", json!({ "name": name })).await;
        }
    }
    let first = page(&caller, json!({ "text": "alpha", "first": 1 })).await;
    let cursor = &first["pageInfo"]["endCursor"];
    let next = page(&caller, json!({ "text": "alpha", "first": 1, "after": cursor })).await;
    assert_eq!(next["nodes"][0]["snippet"][1]["text"], " one");
    for variables in [
        json!({ "text": "alpha two", "after": cursor }),
        json!({ "text": "alpha", "types": ["DEPARTMENT"], "after": cursor }),
        json!({ "text": "alpha", "after": "x" }),
    ] {
        assert_eq!(refusal(&caller, variables.clone()).await, "BAD_USER_INPUT", "{variables}");
    }
    assert_eq!(refusal(&other, json!({ "text": "alpha", "after": cursor })).await, "BAD_USER_INPUT");
}

#[tokio::test]
async fn only_types_that_the_caller_may_read_are_searched() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    make(&caller, "departmentCreate", json!({ "name": "Alpha" })).await;
    make(&caller, "purchaseCreate", json!({ "product": "Alpha", "boughtAt": "2026-01-01T00:00:00Z", "amount": { "amount": "1.00", "currency": "EUR" } })).await;
    assert_eq!(count(&caller, "alpha").await, 2);
    let types = json!({ "text": "alpha", "types": ["PURCHASE"] });
    assert_eq!(page(&caller, types.clone()).await["nodes"].as_array().unwrap().len(), 1);
    assert_eq!(page(&caller, json!({ "text": "alpha", "types": [] })).await["nodes"], json!([]));
    let reader = caller.with([Permission::MapRead]);
    assert_eq!(found(&reader, "alpha").await, ["Department.name: [Alpha]"]);
    assert_eq!(refusal(&reader, types).await, "FORBIDDEN");
    let nobody = caller.with([]);
    assert!(codes(&nobody.run(super::QUERY, json!({ "text": "alpha" })).await.body).is_empty());
    assert_eq!(count(&nobody, "alpha").await, 0);
}
