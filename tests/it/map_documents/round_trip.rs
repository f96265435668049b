//! What comes out goes in: everywhere, again and again, and as a trial.

use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};

use super::{TOLD, exported, imported, totals};
use crate::{
    app::{App, Caller},
    fixture::World,
    outline::Outline,
};

/// A map with rows of every noun, in and out of the archive.
async fn filled<'a>(outline: &'a Outline, caller: Caller<'a>) -> Caller<'a> {
    let world = World::filled(outline, caller, "Alpha").await;
    let caller = world.caller.clone();
    for (field, noun) in
        [("mediumArchive", "Medium"), ("journeyArchive", "Journey"), ("expectationArchive", "Expectation")]
    {
        let payload = caller.mutate(field, json!({ "by": { "id": world.newest(noun).id } }), "errors { code }").await;
        assert_eq!(payload["errors"], json!([]));
    }
    caller
}

#[tokio::test]
async fn a_map_imported_elsewhere_is_exported_as_the_same_document() {
    let (app, outline) = (App::start().await, Outline::read());
    let caller = filled(&outline, app.admin("one").await).await;
    let document = exported(&caller).await;
    for noun in entity::NOUNS.iter().filter(|noun| noun.write == entity::Permission::MapWrite) {
        if !["Department", "JourneyEdition", "ExpectationRanking"].contains(&noun.name) {
            assert_ne!(document[noun.plural], json!([]), "{}", noun.name);
            assert!(document[noun.plural].is_array(), "{}", noun.name);
        }
    }
    let other = app.admin("two").await;
    let first = imported(&other, &document).await;
    assert_eq!((&first["errors"], &first["outcome"]), (&json!([]), &json!("UPDATED")));
    let (created, updated, unchanged) = totals(&first);
    let rows: usize = document.as_object().unwrap().values().filter_map(Value::as_array).map(Vec::len).sum();
    // The departments that own points were made beside the rows of the document.
    assert!(created >= u64::try_from(rows).unwrap() && updated == 0 && unchanged == 0, "{first:#}");
    assert_eq!(exported(&other).await, document);
}

#[tokio::test]
async fn texts_go_out_and_come_in_byte_for_byte_also_from_a_file_with_a_byte_order_mark() {
    let app = App::start().await;
    let (one, two) = (app.admin("one").await, app.admin("two").await);
    let wild = "  First.\n\nSecond\r\nThird\t\u{2028}\u{85}\u{200b}👩\u{200d}🔧\n";
    let input = json!({ "name": "می\u{200c}خواهم  now", "description": wild, "customerObjective": "One\nTwo" });
    let made = one.mutate("interactionPointCreate", input, "errors { code path }").await;
    assert_eq!(made["errors"], json!([]));
    let document = exported(&one).await;
    let input = json!({ "document": format!("\u{feff}{document}\r\n") });
    let payload = two.mutate("mapImport", input, TOLD).await;
    assert_eq!(payload["errors"], json!([]));
    let asked = "{ interactionPoints { nodes { name description customerObjective } } }";
    let shown = two.ask(asked).await;
    assert_eq!(shown, one.ask(asked).await);
    assert_eq!(shown["interactionPoints"]["nodes"][0]["description"], wild);
}

#[tokio::test]
async fn a_document_imported_again_changes_nothing() {
    let (app, outline) = (App::start().await, Outline::read());
    let caller = filled(&outline, app.admin("one").await).await;
    let document = exported(&caller).await;
    let other = app.admin("two").await;
    imported(&other, &document).await;
    for reader in [&caller, &other] {
        let before = app.dump(reader.organization()).await;
        let again = imported(reader, &document).await;
        assert_eq!((&again["errors"], &again["outcome"]), (&json!([]), &json!("UNCHANGED")));
        let (created, updated, unchanged) = totals(&again);
        assert!(created == 0 && updated == 0 && unchanged > 0, "{again:#}");
        assert_eq!(app.dump(reader.organization()).await, before);
    }
}

#[tokio::test]
async fn a_dry_run_tells_what_would_come_of_it_and_keeps_nothing() {
    let (app, outline) = (App::start().await, Outline::read());
    let caller = filled(&outline, app.admin("one").await).await;
    let document = exported(&caller).await;
    let other = app.admin("two").await;
    let before = app.dump(other.organization()).await;
    let input = json!({ "document": document.to_string(), "dryRun": true, "idempotencyKey": "trial" });
    let trial = other.mutate("mapImport", input, TOLD).await;
    assert_eq!((&trial["errors"], &trial["isReplayed"]), (&json!([]), &json!(false)));
    assert_eq!(app.dump(other.organization()).await, before);
    // The key is free: a trial has no effect that a repeat could have twice.
    let input = json!({ "document": document.to_string(), "idempotencyKey": "trial" });
    let real = other.mutate("mapImport", input.clone(), TOLD).await;
    assert_eq!((&real["importCounts"], &real["outcome"]), (&trial["importCounts"], &trial["outcome"]));
    let replayed = other.mutate("mapImport", input, TOLD).await;
    assert_eq!((&replayed["isReplayed"], &replayed["importCounts"]), (&json!(true), &json!([])));
}

#[tokio::test]
async fn what_a_row_leaves_out_stays_and_what_it_says_is_taken_over() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let document = json!({
        "format": "rapport-map/1",
        "mediums": [{ "key": "web", "name": "Web" }, { "key": "chat", "name": "Chat", "parent": "web" }],
        "influencers": [{ "key": "friend", "name": "Friend" }],
        "interactionPoints": [{ "key": "desk", "name": "Desk", "owner": "Sales", "description": "Where we meet",
            "mediums": [{ "key": "web" }], "influencers": [{ "key": "friend", "strength": 4 }] }],
        "expectations": [
            { "key": "fast", "statement": "Fast", "source": "RESEARCH", "point": "desk", "rank": 1 },
            { "key": "kind", "statement": "Kind", "source": "RESEARCH", "point": "desk", "rank": 2 },
        ],
    });
    assert_eq!(imported(&caller, &document).await["errors"], json!([]));
    let change = json!({
        "format": "rapport-map/1",
        "mediums": [{ "key": "chat", "parent": null }],
        "interactionPoints": [{ "key": "desk", "mediums": [], "isArchived": true }],
        "expectations": [
            { "key": "fast", "point": "desk", "rank": 2 },
            { "key": "kind", "point": "desk", "rank": 1 },
        ],
    });
    let changed = imported(&caller, &change).await;
    assert_eq!((&changed["errors"], totals(&changed)), (&json!([]), (0, 4, 0)));
    let shown = caller
        .ask(
            "{ mediums(orderBy: [{ field: NAME }]) { nodes { name parent { name } } } departments { nodes { name } }
            interactionPoints(filter: { archivedAt: { isNull: false } }) { nodes { name description owner { name }
                mediums { totalCount } influencers { edges { strength node { name } } }
                expectations(orderBy: [{ field: RANK }]) { nodes { statement rank } } } } }",
        )
        .await;
    let expected = json!({
        "mediums": { "nodes": [{ "name": "Chat", "parent": null }, { "name": "Web", "parent": null }] },
        "departments": { "nodes": [{ "name": "Unassigned" }, { "name": "Sales" }] },
        "interactionPoints": { "nodes": [{
            "name": "Desk", "description": "Where we meet", "owner": { "name": "Sales" },
            "mediums": { "totalCount": 0 },
            "influencers": { "edges": [{ "strength": 4, "node": { "name": "Friend" } }] },
            "expectations": { "nodes": [{ "statement": "Kind", "rank": 1 }, { "statement": "Fast", "rank": 2 }] },
        }] },
    });
    assert_eq!(shown, expected);
}

/// Any map of a few rows: a tree of mediums, points over some of them, expectations of which some are ranked.
fn any_map() -> impl Strategy<Value = Value> {
    let mediums = prop::collection::vec(
        ("([a-zé\u{1f600}\"\\\\][a-zé\u{1f600}\"\\\\ ]{0,7})?x", any::<Option<prop::sample::Index>>()),
        1..6,
    );
    let points = prop::collection::vec(
        (
            "[A-Z]{1,5}",
            prop::collection::vec(any::<bool>(), 6),
            prop::collection::vec(any::<bool>(), 0..4),
            any::<bool>(),
        ),
        0..5,
    );
    (mediums, points).prop_map(|(mediums, points)| {
        let medium = |(place, (name, above)): (usize, &(String, Option<prop::sample::Index>))| {
            let parent = above.filter(|_| place > 0).map(|above| format!("m{}", above.index(place)));
            json!({ "key": format!("m{place}"), "name": name, "parent": parent })
        };
        let (mut rows, mut expectations) = (Vec::new(), Vec::new());
        for (place, (name, over, wishes, is_archived)) in points.iter().enumerate() {
            let over = over.iter().take(mediums.len()).enumerate().filter(|(_, is_over)| **is_over);
            let over: Vec<Value> = over.map(|(medium, _)| json!({ "key": format!("m{medium}") })).collect();
            rows.push(json!({ "key": format!("p{place}"), "name": name, "mediums": over, "isArchived": is_archived }));
            for (number, is_ranked) in wishes.iter().enumerate() {
                let rank = is_ranked.then_some(number + 1);
                expectations.push(json!({ "key": format!("e{place}-{number}"), "statement": name, "source": "RESEARCH",
                    "point": format!("p{place}"), "rank": rank }));
            }
        }
        let mediums: Vec<Value> = mediums.iter().enumerate().map(medium).collect();
        json!({ "format": "rapport-map/1", "mediums": mediums, "interactionPoints": rows, "expectations": expectations })
    })
}

#[test]
fn any_map_that_was_taken_in_comes_out_and_goes_in_elsewhere_as_it_is() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(App::start());
    let count = std::cell::Cell::new(0);
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() });
    let result = runner.run(&any_map(), |given| {
        count.set(count.get() + 1);
        runtime.block_on(async {
            let first = app.admin(&format!("first{}", count.get())).await;
            let second = app.admin(&format!("second{}", count.get())).await;
            prop_assert_eq!(&imported(&first, &given).await["errors"], &json!([]));
            let document = exported(&first).await;
            for (list, rows) in given.as_object().unwrap() {
                for (row, shown) in
                    rows.as_array().into_iter().flatten().zip(document[list].as_array().into_iter().flatten())
                {
                    for (name, value) in row.as_object().unwrap() {
                        prop_assert_eq!(value, &shown[name], "{} {}", list, name);
                    }
                }
            }
            prop_assert_eq!(&imported(&second, &document).await["errors"], &json!([]));
            prop_assert_eq!(&exported(&second).await, &document);
            let again = imported(&second, &document).await;
            prop_assert_eq!(&again["outcome"], &json!("UNCHANGED"));
            Ok(())
        })
    });
    runtime.block_on(async { drop(app) });
    result.unwrap();
}

#[tokio::test]
async fn a_large_map_is_exported_and_imported_in_a_fixed_number_of_statements() {
    let app = App::start().await;
    let mut costs = Vec::new();
    for (slug, count) in [("small", 2), ("large", 40)] {
        let caller = app.admin(slug).await;
        let rows = |start: &str, more: &dyn Fn(usize) -> Value| -> Vec<Value> {
            let row = |place: usize| {
                let mut row = more(place);
                row["key"] = json!(format!("{start}{place}"));
                row
            };
            (0..count).map(row).collect()
        };
        let document = json!({
            "format": "rapport-map/1",
            "mediums": rows("m", &|place| json!({ "name": format!("Medium {place}") })),
            "influencers": rows("i", &|place| json!({ "name": format!("Influencer {place}") })),
            "interactionPoints": rows("p", &|place| json!({ "name": format!("Point {place}"),
                "mediums": [{ "key": format!("m{place}") }],
                "influencers": [{ "key": format!("i{place}"), "strength": 2 }] })),
            "expectations": rows("e", &|place| json!({ "statement": "Fast", "source": "RESEARCH",
                "point": format!("p{place}"), "rank": 1 })),
            "journeys": [{ "key": "j", "title": "Trip" }],
            "stages": [{ "key": "s", "name": "All", "journey": "j" }],
            "steps": rows("s", &|place| json!({ "journey": "j", "stage": "s", "point": format!("p{place}") })),
            "stepLinks": (1..count).map(|to| json!({ "key": to.to_string(), "journey": "j",
                "from": format!("s{}", to - 1), "to": format!("s{to}") })).collect::<Vec<_>>(),
        });
        let before = app.store.statements();
        assert_eq!(imported(&caller, &document).await["errors"], json!([]));
        let between = app.store.statements();
        let written = exported(&caller).await;
        assert_eq!(written["steps"].as_array().unwrap().len(), count);
        costs.push((between - before, app.store.statements() - between));
    }
    assert_eq!(costs[0], costs[1]);
    assert!(costs[0].0 < 100 && costs[0].1 < 50, "{costs:?}");
}

#[tokio::test]
async fn several_external_ids_of_a_system_are_exported_and_added_by_an_import() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let key = |system: &str, id: &str| json!({ "system": system, "id": id });
    let keys = json!([key("crm", "1"), key("crm", "2"), key("erp", "1")]);
    let medium = |keys: &Value| {
        let medium = json!({ "key": "web", "name": "Web", "externalIds": keys });
        json!({ "format": "rapport-map/1", "mediums": [medium] })
    };
    assert_eq!(totals(&imported(&caller, &medium(&keys)).await), (1, 0, 0));
    assert_eq!(exported(&caller).await["mediums"][0]["externalIds"], keys);
    assert_eq!(totals(&imported(&caller, &medium(&json!([key("crm", "2")]))).await), (0, 0, 1));
    assert_eq!(totals(&imported(&caller, &medium(&json!([key("crm", "3")]))).await), (0, 1, 0));
    let all = json!([key("crm", "1"), key("crm", "2"), key("crm", "3"), key("erp", "1")]);
    assert_eq!(exported(&caller).await["mediums"][0]["externalIds"], all);
    // A second key of documents is no external id of the document, which could not be imported.
    let by = json!({ "externalId": key("rapport-map", "web") });
    let given = json!({ "by": by, "externalIds": [key("rapport-map", "zzz")] });
    caller.mutate("mediumUpdate", given, "errors { code }").await;
    let document = exported(&caller).await;
    assert_eq!((&document["mediums"][0]["key"], &document["mediums"][0]["externalIds"]), (&json!("web"), &all));
    assert_eq!(totals(&imported(&caller, &document).await), (0, 0, 1));
}
