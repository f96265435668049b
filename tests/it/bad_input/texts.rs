//! Texts of every noun, by the limits its description states.

use entity::noun::{Kind, Writable};
use serde_json::{Value, json};

use super::{TOLD, assert_refused, only};
use crate::{
    app::App,
    fixture::{Extent, World},
    outline::Outline,
};

/// Every text that a caller can give when making a row: field, input so far, name, limit, whether it is required.
fn texts(world: &World<'_>) -> Vec<(String, Value, &'static str, usize, bool)> {
    let mut found = Vec::new();
    for field in world.outline.mutations().iter().filter(|field| field.name.ends_with("Create")) {
        let noun = entity::NOUNS.iter().find(|noun| field.base() == format!("{}Payload", noun.name)).unwrap();
        for text in noun.fields.iter().filter(|text| text.writable != Writable::Never) {
            if let Kind::Text { max } = text.kind {
                let is_required = text.writable == Writable::Required;
                found.push((field.name.clone(), input(world, &field.name, text.name), text.name, max, is_required));
            }
        }
    }
    assert!(found.len() > 20, "only {} texts were found", found.len());
    found
}

/// An input that makes a row, to which a text is added. Each call makes another one: some texts belong to one row only.
fn input(world: &World<'_>, field: &str, text: &str) -> Value {
    let field = world.outline.mutations().iter().find(|known| known.name == field).unwrap();
    let mut input = world.input(field, Extent::Least);
    if text == "correction" {
        // Only what is wrong has one.
        input["truth"] = json!("WRONG");
    }
    input
}

/// Texts of which nothing can be seen.
const INVISIBLE: [&str; 8] =
    ["\u{200b}", "\u{feff}", "\u{2060}", "\u{2800}", "\u{3164}", "\u{202e}", "\u{7}", "\u{200d}\u{fe0f}\u{ad}"];

fn with(input: &Value, name: &str, text: &str) -> Value {
    let mut input = input.clone();
    input[name] = json!(text);
    input
}

#[tokio::test]
async fn a_text_may_be_as_long_as_its_limit_counted_in_characters() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    for (field, input, name, max, _) in texts(&world) {
        let text = "é".repeat(max);
        let payload = world
            .caller
            .mutate(&field, with(&input, name, &text), &format!("node {{ {name} }} errors {{ code }}"))
            .await;
        assert_eq!(payload, json!({"node": {name: text}, "errors": []}), "{field} {name}");
    }
}

#[tokio::test]
async fn a_text_that_is_too_long_or_has_a_nul_byte_is_refused() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    let all = texts(&world);
    let mut cases = Vec::new();
    for (field, input, name, max, is_required) in &all {
        let long = with(input, name, &"a".repeat(max + 1));
        cases.push((*name, field.as_str(), long, only("TOO_LONG", name)));
        cases.push((*name, field.as_str(), with(input, name, "a\0b"), only("INVALID", name)));
        if *is_required {
            for blank in ["", " \t\n", "\u{a0}\u{2003}"].into_iter().chain(INVISIBLE) {
                cases.push((*name, field.as_str(), with(input, name, blank), only("REQUIRED", name)));
            }
        }
    }
    assert_refused(&app, &world.caller, cases).await;
}

#[tokio::test]
async fn a_blank_optional_text_is_stored_as_absent() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    for (field, _, name, ..) in texts(&world).into_iter().filter(|(.., is_required)| !is_required) {
        for blank in ["  ", INVISIBLE[0]] {
            let told = format!("node {{ {name} }} errors {{ code }}");
            let payload = world.caller.mutate(&field, with(&input(&world, &field, name), name, blank), &told).await;
            assert_eq!(payload, json!({"node": {name: null}, "errors": []}), "{field} {name}");
        }
    }
}

#[tokio::test]
async fn a_name_holds_no_character_that_hides_and_other_texts_none_that_xml_cannot_hold() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    let mut cases = Vec::new();
    let all = texts(&world);
    for (field, input, name, max, _) in &all {
        let noun = entity::NOUNS.iter().find(|noun| field == &format!("{}Create", noun.singular)).unwrap();
        let refused: &[&str] = if (Kind::Text { max: *max }).is_name() {
            &INVISIBLE[..7]
        } else if noun.field(name).unwrap().is_guarded() {
            &[]
        } else {
            &["\u{7}", "\u{1b}", "\u{ffff}"]
        };
        for sign in refused {
            cases.push((*name, field.as_str(), with(input, name, &format!("a{sign}b")), only("INVALID", name)));
        }
    }
    assert_refused(&app, &world.caller, cases).await;
}

#[tokio::test]
async fn a_name_is_kept_without_the_white_space_around_it_and_every_other_text_as_it_is() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "One").await;
    for (field, _, name, max, _) in texts(&world) {
        let is_name = (Kind::Text { max }).is_name();
        let cases = if is_name {
            // Joined emoji, Persian with its zero width non-joiner, Braille with its blank.
            ["👩\u{200d}🔧", "می\u{200c}خواهم", "\u{2813}\u{2800}\u{2813}", "a  b"]
                .map(|kept| (format!("\u{feff}\u{a0}\t{kept}\u{3000}\r\n"), kept.to_owned()))
        } else {
            ["👩\u{200d}🔧\u{200b}", "First.\n\nSecond", "One\r\nTwo\t", "  a  b \u{2028}\n"]
                .map(|kept| (kept.to_owned(), kept.to_owned()))
        };
        for (given, kept) in cases {
            let told = format!("node {{ {name} }} errors {{ code }}");
            let payload = world.caller.mutate(&field, with(&input(&world, &field, name), name, &given), &told).await;
            assert_eq!(payload, json!({"node": {name: kept}, "errors": []}), "{field} {name}");
        }
    }
}

#[tokio::test]
async fn updates_and_upserts_check_texts_as_creation_does() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let made = caller.mutate("departmentCreate", json!({"name": "a"}), "node { id }").await;
    let id = &made["node"]["id"];
    let key = json!({"system": "crm", "id": "1"});
    let row = |name: &str| json!({"rows": [{"externalId": key, "name": name}]});
    let long = "a".repeat(201);
    let cases = vec![
        ("too long", "departmentUpdate", json!({"by": { "id": id }, "name": long}), only("TOO_LONG", "name")),
        ("a NUL byte", "departmentUpdate", json!({"by": { "id": id }, "name": "\0"}), only("INVALID", "name")),
        ("blank", "departmentUpdate", json!({"by": { "id": id }, "name": " "}), only("REQUIRED", "name")),
        ("cleared", "departmentUpdate", json!({"by": { "id": id }, "name": null}), only("REQUIRED", "name")),
        ("too long", "departmentUpsert", json!({"externalId": key, "name": long}), only("TOO_LONG", "name")),
        ("a NUL byte", "departmentUpsert", json!({"externalId": key, "name": "\0"}), only("INVALID", "name")),
        ("missing", "departmentUpsert", json!({"externalId": key}), only("REQUIRED", "name")),
        ("null", "departmentUpsert", json!({"externalId": key, "name": null}), only("REQUIRED", "name")),
        ("an organization's blank name", "organizationUpdate", json!({"name": ""}), only("REQUIRED", "name")),
        ("an organization's long name", "organizationUpdate", json!({"name": long}), only("TOO_LONG", "name")),
        (
            "an organization's locale",
            "organizationUpdate",
            json!({"locale": "a".repeat(36)}),
            only("TOO_LONG", "locale"),
        ),
        (
            "an unknown time zone",
            "organizationUpdate",
            json!({"timeZone": "Mars/Olympus"}),
            only("INVALID", "timeZone"),
        ),
        ("an empty time zone", "organizationUpdate", json!({"timeZone": ""}), only("INVALID", "timeZone")),
        ("a cleared time zone", "organizationUpdate", json!({"timeZone": null}), only("REQUIRED", "timeZone")),
        (
            "a cleared fallback",
            "organizationUpdate",
            json!({"fallbackDepartmentRef": null}),
            only("REQUIRED", "fallbackDepartmentRef"),
        ),
    ];
    assert_refused(&app, &caller, cases).await;
    for (name, code) in [(long.as_str(), "TOO_LONG"), ("\0", "INVALID"), (" ", "REQUIRED")] {
        let told = "results { outcome errors { code path } } errors { code path }";
        let payload = caller.mutate("departmentsBulkUpsert", row(name), told).await;
        let expected = json!({"outcome": "FAILED", "errors": [{"code": code, "path": ["name"]}]});
        assert_eq!(payload["results"], json!([expected]), "{name}");
        assert_eq!(payload["errors"], json!([{"code": "INVALID", "path": ["rows", "0"]}]));
    }
}

#[tokio::test]
async fn a_reason_is_given_and_fits() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let made = caller.mutate("feedbackRecordCreate", json!({"kind": "COMPLAINT"}), "node { id }").await;
    let reason = |text: &str| json!({"by": { "id": made["node"]["id"] }, "reason": text});
    let cases = vec![
        ("blank", "feedbackRecordReroute", reason(" "), only("REQUIRED", "reason")),
        ("too long", "feedbackRecordReroute", reason(&"a".repeat(2001)), only("TOO_LONG", "reason")),
        ("a NUL byte", "feedbackRecordReroute", reason("a\0"), only("INVALID", "reason")),
    ];
    assert_refused(&app, &caller, cases).await;
    let sound = caller.mutate("feedbackRecordReroute", reason(&"é".repeat(2000)), TOLD).await;
    assert_eq!(sound["errors"], json!([]));
}
