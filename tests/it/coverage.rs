//! Coverage: what is missing on the map, counted, listed, and with what would mend it.

use entity::Permission;
use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    outline::codes,
};

const COVERAGE: &str = "query($journey: JourneyRef, $days: Int, $first: Int) {
    coverage(journeyRef: $journey, days: $days, first: $first) { pointCount days journey { title }
        findings { key definition count of share mutation inputField
            items { type elementId point { name } expectation { statement } offer { name } } } } }";

async fn coverage(caller: &Caller<'_>, variables: Value) -> Value {
    caller.data(COVERAGE, variables).await["coverage"].take()
}

/// What was found of a kind: how many, of how many, and the names of the points.
fn found(coverage: &Value, key: &str) -> (u64, u64, Vec<String>) {
    let findings = coverage["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["key"] == key).unwrap_or_else(|| panic!("no {key}"));
    let names = finding["items"].as_array().unwrap().iter();
    let name = |item: &Value| item["point"]["name"].as_str().or(item["offer"]["name"].as_str()).unwrap().to_owned();
    let names = names.map(name).collect();
    let (count, of) = (finding["count"].as_u64().unwrap(), finding["of"].as_u64().unwrap());
    #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
    let share = if of == 0 { Value::Null } else { json!(count as f64 / of as f64) };
    assert_eq!(finding["share"], share, "{key}");
    (count, of, names)
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

/// Three points: all there is, something of everything, and nothing.
async fn filled(caller: &Caller<'_>) -> Value {
    let document = json!({
        "format": "rapport-map/1",
        "mediums": [{ "key": "web", "name": "Web" }],
        "influencers": [{ "key": "friend", "name": "Friend" }],
        "evidences": [{ "key": "study", "kind": "QUALITATIVE", "title": "Study" }],
        "offers": [
            { "key": "advice", "kind": "EDUCATION", "name": "Advice", "customerBenefit": "C", "organizationBenefit": "O" },
            { "key": "unused", "kind": "EXTRA", "name": "Unused", "customerBenefit": "C", "organizationBenefit": "O" },
        ],
        "interactionPoints": [
            { "key": "a", "name": "All", "owner": "Sales", "mediums": [{ "key": "web" }],
              "offers": [{ "key": "advice" }], "evidence": [{ "key": "study" }],
              "influencers": [{ "key": "friend", "strength": 1 }] },
            { "key": "b", "name": "Some" },
            { "key": "c", "name": "Nothing" },
            { "key": "d", "name": "Gone", "isArchived": true },
        ],
        "expectations": [
            { "key": "1", "statement": "Fast", "source": "RESEARCH", "point": "a", "rank": 1, "targetMetric": "Time" },
            { "key": "2", "statement": "Kind", "source": "RESEARCH", "point": "b", "rank": null },
            { "key": "3", "statement": "Old", "source": "RESEARCH", "point": "a", "isArchived": true },
        ],
        "journeys": [{ "key": "j", "title": "Trip" }],
        "steps": [{ "key": "1", "journey": "j", "point": "a" }, { "key": "2", "journey": "j", "point": "b" },
            { "key": "3", "journey": "j", "point": "b" }],
    });
    let input = json!({ "document": document.to_string() });
    let payload = caller.mutate("mapImport", input, "errors { code path }").await;
    assert_eq!(payload["errors"], json!([]));
    for (name, at) in [("All", "2026-11-01T00:00:00Z"), ("Some", "2026-01-01T00:00:00Z")] {
        let filter = format!("{{ interactionPoints(filter: {{ name: {{ eq: \"{name}\" }} }}) {{ nodes {{ id }} }} }}");
        let point = caller.ask(&filter).await["interactionPoints"]["nodes"][0].take();
        let record = json!({ "kind": "COMPLAINT", "receivedAt": at, "pointRef": point });
        caller.mutate("feedbackRecordCreate", record, "outcome").await;
    }
    caller.ask("{ journeys { nodes { id } } }").await["journeys"]["nodes"][0]["id"].take()
}

#[tokio::test]
async fn every_gap_of_an_organization_is_counted_and_listed() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    filled(&caller).await;
    let shown = coverage(&caller, json!({})).await;
    assert_eq!((&shown["pointCount"], &shown["days"], &shown["journey"]), (&json!(3), &json!(90), &Value::Null));
    for (key, expected) in [
        ("NO_EXPECTATIONS", (1, 3, names(&["Nothing"]))),
        ("TOP_FIVE_NOT_CHOSEN", (1, 2, names(&["Some"]))),
        ("NO_INFLUENCERS", (2, 3, names(&["Some", "Nothing"]))),
        ("NO_MEDIUMS", (2, 3, names(&["Some", "Nothing"]))),
        ("NO_OFFERS", (2, 3, names(&["Some", "Nothing"]))),
        ("NO_EVIDENCE", (2, 3, names(&["Some", "Nothing"]))),
        ("NO_OWNER", (2, 3, names(&["Some", "Nothing"]))),
        ("NO_RECENT_FEEDBACK", (2, 3, names(&["Some", "Nothing"]))),
        ("IN_NO_JOURNEY", (1, 3, names(&["Nothing"]))),
        ("EXPECTATION_NOT_MEASURED", (1, 2, names(&["Some"]))),
        ("OFFER_AT_NO_POINT", (1, 2, names(&["Unused"]))),
    ] {
        assert_eq!(found(&shown, key), expected, "{key}");
    }
    let keys: Vec<&str> =
        shown["findings"].as_array().unwrap().iter().map(|finding| finding["key"].as_str().unwrap()).collect();
    let all: Vec<&str> =
        caller.ask("{ __type(name: \"CoverageKey\") { enumValues { name } } }").await["__type"]["enumValues"]
            .as_array()
            .unwrap()
            .iter()
            .map(|value| keys.iter().copied().find(|key| value["name"] == *key).unwrap())
            .collect();
    assert_eq!(keys, all);
    let longer = coverage(&caller, json!({ "days": 365 })).await;
    assert_eq!(found(&longer, "NO_RECENT_FEEDBACK"), (1, 3, names(&["Nothing"])));
    let fewer = coverage(&caller, json!({ "first": 1 })).await;
    assert_eq!(found(&fewer, "NO_OWNER"), (2, 3, names(&["Some"])));
}

#[tokio::test]
async fn a_journey_is_judged_by_its_own_points() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let journey = filled(&caller).await;
    let shown = coverage(&caller, json!({ "journey": { "id": journey } })).await;
    assert_eq!((&shown["pointCount"], &shown["journey"]), (&json!(2), &json!({ "title": "Trip" })));
    assert_eq!(found(&shown, "NO_EXPECTATIONS"), (0, 2, names(&[])));
    assert_eq!(found(&shown, "NO_MEDIUMS"), (1, 2, names(&["Some"])));
    assert!(shown["findings"].as_array().unwrap().iter().all(|finding| finding["key"] != "IN_NO_JOURNEY"));
    let unknown = json!({ "journey": { "id": "journey_01h455vb4pex5vsknk084sn02q" } });
    assert_eq!(coverage(&caller, unknown).await, Value::Null);
}

#[tokio::test]
async fn with_nothing_to_count_there_is_no_share() {
    let app = App::start().await;
    let shown = coverage(&app.admin("one").await, json!({})).await;
    assert_eq!(shown["pointCount"], 0);
    for finding in shown["findings"].as_array().unwrap() {
        let told = (&finding["count"], &finding["of"], &finding["share"], &finding["items"]);
        assert_eq!(told, (&json!(0), &json!(0), &Value::Null, &json!([])));
    }
}

#[tokio::test]
async fn what_a_finding_names_would_mend_it() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let journey = filled(&caller).await;
    let medium = caller.ask("{ mediums { nodes { id } } }").await["mediums"]["nodes"][0].take();
    let influencer = caller.ask("{ influencers { nodes { id } } }").await["influencers"]["nodes"][0].take();
    let department = caller.ask("{ departments { nodes { id } } }").await["departments"]["nodes"][0].take();
    let offer = caller.ask("{ offers { nodes { id } } }").await["offers"]["nodes"][0].take();
    let evidence = caller.ask("{ evidences { nodes { id } } }").await["evidences"]["nodes"][0].take();
    let point = caller.ask("{ interactionPoints { nodes { id } } }").await["interactionPoints"]["nodes"][0].take();
    let shown = coverage(&caller, json!({})).await;
    for finding in shown["findings"].as_array().unwrap() {
        let key = finding["key"].as_str().unwrap();
        for item in finding["items"].as_array().unwrap() {
            let mut input = match key {
                "NO_EXPECTATIONS" => json!({ "statement": "S", "source": "RESEARCH" }),
                "TOP_FIVE_NOT_CHOSEN" => {
                    let document =
                        "query($id: ID!) { interactionPoint(by: { id: $id }) { expectations { nodes { id } } } }";
                    let point = caller.data(document, json!({ "id": item["elementId"] })).await;
                    json!({ "expectations": [{ "id": point["interactionPoint"]["expectations"]["nodes"][0]["id"] }] })
                }
                "NO_INFLUENCERS" => json!({ "influencers": [{ "influencer": influencer, "strength": 2 }] }),
                "NO_MEDIUMS" => json!({ "mediums": [medium] }),
                "NO_OFFERS" => json!({ "offers": [offer] }),
                "NO_EVIDENCE" => json!({ "evidence": [evidence] }),
                // The point keeps the offer it has.
                "OFFER_AT_NO_POINT" => json!({ "by": { "id": point["id"] }, "offers": [offer] }),
                "NO_OWNER" => json!({ "ownerRef": department }),
                "NO_RECENT_FEEDBACK" => json!({ "kind": "PRAISE", "receivedAt": "2026-11-20T00:00:00Z" }),
                "IN_NO_JOURNEY" => json!({ "journeyRef": { "id": journey } }),
                "EXPECTATION_NOT_MEASURED" => json!({ "targetMetric": "Time" }),
                other => panic!("there is no case for {other}"),
            };
            let field = finding["inputField"].as_str().unwrap();
            let id = &item["elementId"];
            match input.get_mut(field) {
                Some(Value::Array(listed)) => listed.push(json!({ "id": id })),
                _ => input[field] = json!({ "id": id }),
            }
            let payload = caller.mutate(finding["mutation"].as_str().unwrap(), input, "errors { code path }").await;
            assert_eq!(payload["errors"], json!([]), "{key}");
        }
    }
    let after = coverage(&caller, json!({})).await;
    for finding in after["findings"].as_array().unwrap() {
        // What was made to mend the first is not yet ranked and measured.
        let is_new = ["TOP_FIVE_NOT_CHOSEN", "EXPECTATION_NOT_MEASURED"].contains(&finding["key"].as_str().unwrap());
        assert_eq!(finding["count"], u64::from(is_new), "{finding:#}");
    }
}

#[tokio::test]
async fn coverage_costs_a_fixed_number_of_statements() {
    let app = App::start().await;
    let mut costs = Vec::new();
    for (slug, count) in [("small", 2), ("large", 40)] {
        let caller = app.admin(slug).await;
        let points: Vec<Value> =
            (0..count).map(|place| json!({ "name": format!("P{place}"), "expectations": ["E"] })).collect();
        let input = json!({ "title": "Trip", "points": points });
        let id = caller.mutate("quickJourney", input, "node { id }").await["node"]["id"].take();
        for variables in [json!({}), json!({ "journey": { "id": id } })] {
            let before = app.store.statements();
            coverage(&caller, variables).await;
            costs.push(app.store.statements() - before);
        }
    }
    // Points, expectations, six numbers, offers, and the rows that items name; of a journey, its name, steps and row
    // instead of one number and the offers.
    assert_eq!(costs, [11, 12, 11, 12]);
}

#[tokio::test]
async fn coverage_needs_the_scopes_of_the_map_and_of_the_record_and_sound_arguments() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for permission in [Permission::MapRead, Permission::RecordRead] {
        let reply = caller.with([permission]).run("{ coverage { pointCount } }", json!({})).await;
        assert_eq!(codes(&reply.body), ["FORBIDDEN"]);
    }
    for arguments in ["days: 0", "days: 3651", "first: -1", "first: 101"] {
        let reply = caller.run(&format!("{{ coverage({arguments}) {{ pointCount }} }}"), json!({})).await;
        assert_eq!(codes(&reply.body), ["BAD_USER_INPUT"], "{arguments}");
    }
}
