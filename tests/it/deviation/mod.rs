//! Deviations of what customers did from a planned journey.

mod property;

use entity::Permission;
use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    outline::codes,
};

const DEVIATION: &str = "query($journey: JourneyRef!, $customer: CustomerRef, $account: AccountRef, $segment: String,
        $between: TimeRange) {
    journeyDeviation(journeyRef: $journey, customerRef: $customer, accountRef: $account, segment: $segment,
        between: $between) { journey { title } interactionCount customerCount
        findings { kind definition count customerCount steps { step { label } count customerCount }
            examples { customer { name } interaction { occurredAt } step { label } } } } }";

pub fn known(name: &str) -> Value {
    json!({ "externalId": { "system": "t", "id": name } })
}

pub fn named(name: &str, mut row: Value) -> Value {
    row["externalId"] = known(name)["externalId"].clone();
    row
}

pub fn minute(minute: i64) -> String {
    format!("2026-01-01T00:{minute:02}:00Z")
}

pub async fn upsert(caller: &Caller<'_>, plural: &str, rows: Vec<Value>) {
    let done = caller.mutate(&format!("{plural}BulkUpsert"), json!({ "rows": rows }), "errors { code path }").await;
    assert_eq!(done["errors"], json!([]), "{plural}");
}

/// Points called by the labels, and a category of mediums with one below it, and another medium.
async fn map(caller: &Caller<'_>, points: &[&str]) {
    let rows = points.iter().map(|name| named(name, json!({ "name": name })));
    upsert(caller, "interactionPoints", rows.collect()).await;
    let mediums = [("voice", Value::Null), ("phone", known("voice")), ("letter", Value::Null)];
    let rows = mediums.into_iter().map(|(name, parent)| named(name, json!({ "name": name, "parentRef": parent })));
    for row in rows {
        upsert(caller, "mediums", vec![row]).await;
    }
}

/// A journey called `trip` with a step at each of the points, called by its label, and links.
pub async fn plan(caller: &Caller<'_>, trip: &str, steps: &[(&str, &str)], links: &[(&str, &str, &str)]) {
    upsert(caller, "journeys", vec![named(trip, json!({ "title": trip }))]).await;
    let key = |label: &str| format!("{trip} {label}");
    let step = |(label, point): &(&str, &str)| {
        named(&key(label), json!({ "label": label, "journeyRef": known(trip), "pointRef": known(point) }))
    };
    upsert(caller, "steps", steps.iter().map(step).collect()).await;
    let link = |(from, kind, to): &(&str, &str, &str)| {
        let row =
            json!({ "journeyRef": known(trip), "kind": kind, "fromRef": known(&key(from)), "toRef": known(&key(to)) });
        named(&format!("{trip} {from} {to} {kind}"), row)
    };
    if !links.is_empty() {
        upsert(caller, "stepLinks", links.iter().map(link).collect()).await;
    }
}

/// Customers with completed interactions at the points, one a minute; `-` is an interaction at no point.
async fn went(caller: &Caller<'_>, customers: &[(&str, &str)]) {
    let rows = customers.iter().map(|(name, _)| named(name, json!({ "name": name })));
    upsert(caller, "customers", rows.collect()).await;
    let interactions = customers.iter().flat_map(|(name, points)| {
        points.split_whitespace().zip(0..).map(move |(point, at)| {
            let point = if point == "-" { Value::Null } else { known(point) };
            let row = json!({ "status": "COMPLETED", "occurredAt": minute(at), "customerRef": known(name), "pointRef": point });
            named(&format!("{name} {at}"), row)
        })
    });
    upsert(caller, "interactions", interactions.collect()).await;
}

async fn deviation(caller: &Caller<'_>, mut variables: Value) -> Value {
    if variables.get("journey").is_none() {
        variables["journey"] = known("trip");
    }
    caller.data(DEVIATION, variables).await["journeyDeviation"].take()
}

/// What was found of a kind: the number of deviations, of customers, both for each step, and each example as the
/// customer, the minute and the step.
fn found(report: &Value, kind: &str) -> Value {
    let findings = report["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["kind"] == kind).unwrap();
    let label = |row: &Value| row["step"]["label"].clone();
    let steps = finding["steps"].as_array().unwrap().iter();
    let steps: Vec<Value> = steps.map(|row| json!([label(row), row["count"], row["customerCount"]])).collect();
    let example = |row: &Value| {
        let at = row["interaction"]["occurredAt"].as_str().unwrap()[14..16].parse::<i64>().unwrap();
        json!([row["customer"]["name"], at, label(row)])
    };
    let examples: Vec<Value> = finding["examples"].as_array().unwrap().iter().map(example).collect();
    json!([finding["count"], finding["customerCount"], steps, examples])
}

fn nothing() -> Value {
    json!([0, 0, [], []])
}

const LINE: [(&str, &str, &str); 2] = [("a", "SEQUENCE", "b"), ("b", "SEQUENCE", "c")];
const ABC: [(&str, &str); 3] = [("a", "a"), ("b", "b"), ("c", "c")];

#[tokio::test]
async fn whoever_follows_the_journey_deviates_in_nothing() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    map(&caller, &["a", "b", "c", "x"]).await;
    plan(&caller, "trip", &ABC, &LINE).await;
    // What comes before the journey and after it is not part of it; d is still on the way, e takes another journey.
    went(&caller, &[("d", "x a b c x -"), ("e", "a b"), ("f", "x x")]).await;
    let report = deviation(&caller, json!({})).await;
    let counts = (&report["journey"]["title"], &report["interactionCount"], &report["customerCount"]);
    assert_eq!(counts, (&json!("trip"), &json!(5), &json!(2)));
    let kinds: Vec<&Value> = report["findings"].as_array().unwrap().iter().map(|finding| &finding["kind"]).collect();
    assert_eq!(json!(kinds), json!(["MISSING", "EXTRA", "OUT_OF_ORDER", "OTHER_MEDIUM", "LATE"]));
    for kind in kinds {
        assert_eq!(found(&report, kind.as_str().unwrap()), nothing(), "{kind}");
    }
    let definitions = report["findings"].as_array().unwrap().iter();
    assert!(definitions.map(|finding| finding["definition"].as_str().unwrap()).all(|text| text.len() > 50));
}

#[tokio::test]
async fn a_required_step_that_was_passed_is_missing() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    map(&caller, &["a", "b", "c", "d"]).await;
    let steps = [("a", "a"), ("b", "b"), ("c", "c"), ("d", "d")];
    // b may follow a; c follows b; d follows both a and c.
    let links = [("a", "SEQUENCE", "d"), ("a", "OPTIONAL", "b"), ("b", "PARALLEL", "c"), ("c", "SEQUENCE", "d")];
    plan(&caller, "trip", &steps, &links).await;
    went(&caller, &[("1", "a d"), ("2", "a b d"), ("3", "d"), ("4", "a b"), ("5", "c d")]).await;
    let missing = found(&deviation(&caller, json!({})).await, "MISSING");
    let examples = json!([["2", 2, "c"], ["3", 0, "a"], ["5", 0, "a"]]);
    assert_eq!(missing, json!([3, 3, [["a", 2, 2], ["c", 1, 1]], examples]));
}

#[tokio::test]
async fn a_step_after_a_later_one_is_out_of_order_and_a_loop_lets_customers_return() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    map(&caller, &["a", "b", "c"]).await;
    plan(&caller, "trip", &ABC, &LINE).await;
    let mut links = LINE.to_vec();
    links.push(("c", "LOOP", "b"));
    plan(&caller, "round", &ABC, &links).await;
    went(&caller, &[("1", "a c b"), ("2", "b c a"), ("3", "a b c b c"), ("4", "a b b")]).await;
    let report = deviation(&caller, json!({})).await;
    let examples = json!([["1", 2, "b"], ["2", 2, "a"]]);
    assert_eq!(found(&report, "OUT_OF_ORDER"), json!([2, 2, [["a", 1, 1], ["b", 1, 1]], examples]));
    let examples = json!([["3", 3, "b"], ["3", 4, "c"], ["4", 2, "b"]]);
    assert_eq!(found(&report, "EXTRA"), json!([3, 2, [["b", 2, 2], ["c", 1, 1]], examples]));
    assert_eq!(found(&report, "MISSING"), nothing());
    let report = deviation(&caller, json!({ "journey": known("round") })).await;
    assert_eq!(found(&report, "OUT_OF_ORDER"), json!([1, 1, [["a", 1, 1]], [["2", 2, "a"]]]));
    // Nobody returns from c without having been there.
    assert_eq!(found(&report, "EXTRA"), json!([1, 1, [["b", 1, 1]], [["4", 2, "b"]]]));
}

#[tokio::test]
async fn what_lies_outside_the_points_of_the_journey_is_extra_while_the_customer_is_in_it() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    map(&caller, &["a", "b", "x"]).await;
    // The point a is the first step and the last.
    let steps = [("in", "a"), ("b", "b"), ("out", "a")];
    plan(&caller, "trip", &steps, &[("in", "SEQUENCE", "b"), ("b", "SEQUENCE", "out")]).await;
    went(&caller, &[("1", "x a x b - a x"), ("2", "a b a a")]).await;
    let report = deviation(&caller, json!({})).await;
    assert_eq!((&report["interactionCount"], &report["customerCount"]), (&json!(9), &json!(2)));
    let examples = json!([["1", 2, null], ["1", 4, null], ["2", 3, "out"]]);
    assert_eq!(found(&report, "EXTRA"), json!([3, 2, [["out", 1, 1], [null, 2, 1]], examples]));
    for kind in ["MISSING", "OUT_OF_ORDER"] {
        assert_eq!(found(&report, kind), nothing(), "{kind}");
    }
}

#[tokio::test]
async fn another_medium_is_none_of_the_points_and_below_none_and_late_is_after_the_time_agreed() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    map(&caller, &["a", "b"]).await;
    plan(&caller, "trip", &[("a", "a"), ("b", "b")], &[]).await;
    let set = json!({ "by": known("a"), "mediums": [known("voice")] });
    caller.mutate("interactionPointSetMediums", set, "outcome").await;
    went(&caller, &[("1", "a a a a b"), ("2", "b")]).await;
    let changed =
        [(0, "voice", 0), (1, "phone", 2), (2, "letter", 1), (4, "letter", 3)].map(|(at, medium, scheduled)| {
            named(&format!("1 {at}"), json!({ "mediumRef": known(medium), "scheduledAt": minute(scheduled) }))
        });
    upsert(&caller, "interactions", changed.into()).await;
    let report = deviation(&caller, json!({})).await;
    assert_eq!(found(&report, "OTHER_MEDIUM"), json!([1, 1, [["a", 1, 1]], [["1", 2, "a"]]]));
    assert_eq!(found(&report, "LATE"), json!([2, 1, [["a", 1, 1], ["b", 1, 1]], [["1", 2, "a"], ["1", 4, "b"]]]));
}

#[tokio::test]
async fn the_customers_and_the_time_can_be_narrowed_and_only_what_took_place_counts() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    map(&caller, &["a", "b", "c"]).await;
    plan(&caller, "trip", &ABC, &LINE).await;
    went(&caller, &[("1", "a c"), ("2", "b c"), ("3", "c")]).await;
    upsert(&caller, "accounts", vec![named("firm", json!({ "name": "Firm" }))]).await;
    let change = |name: &str, row: Value| named(name, row);
    let rows = vec![change("1", json!({ "segment": "new" })), change("2", json!({ "accountRef": known("firm") }))];
    upsert(&caller, "customers", rows).await;
    let planned = json!({ "scheduledAt": minute(9), "customerRef": known("1"), "pointRef": known("b") });
    let nobody = json!({ "status": "COMPLETED", "pointRef": known("a") });
    upsert(&caller, "interactions", vec![named("planned", planned), named("nobody", nobody)]).await;
    for (narrowed, customers, examples) in [
        (json!({}), 3, json!([["1", 1, "b"], ["2", 0, "a"], ["3", 0, "a"], ["3", 0, "b"]])),
        (json!({ "customer": known("1") }), 1, json!([["1", 1, "b"]])),
        (json!({ "account": known("firm") }), 1, json!([["2", 0, "a"]])),
        (json!({ "segment": "new" }), 1, json!([["1", 1, "b"]])),
        (json!({ "segment": "old" }), 0, json!([])),
        (json!({ "between": { "to": minute(1) } }), 3, json!([["2", 0, "a"], ["3", 0, "a"], ["3", 0, "b"]])),
        (
            json!({ "between": { "from": minute(1), "to": minute(2) } }),
            2,
            json!([["1", 1, "a"], ["1", 1, "b"], ["2", 1, "a"], ["2", 1, "b"]]),
        ),
    ] {
        let report = deviation(&caller, narrowed.clone()).await;
        assert_eq!(report["customerCount"], customers, "{narrowed}");
        assert_eq!(found(&report, "MISSING")[3], examples, "{narrowed}");
    }
    let two = json!({ "journey": known("trip"), "customer": known("1"), "segment": "new" });
    assert_eq!(codes(&caller.run(DEVIATION, two).await.body), ["BAD_USER_INPUT"]);
}

#[tokio::test]
async fn a_deviation_needs_its_scopes_and_rows_of_the_organization() {
    let app = App::start().await;
    let (caller, other) = (app.admin("one").await, app.admin("two").await);
    for caller in [&caller, &other] {
        map(caller, &["a", "b", "c"]).await;
        went(caller, &[("1", "a c")]).await;
    }
    plan(&caller, "trip", &ABC, &LINE).await;
    upsert(&caller, "accounts", vec![named("firm", json!({ "name": "Firm" }))]).await;
    let id = caller.ask("{ journeys { nodes { id } } }").await["journeys"]["nodes"][0].take();
    assert_ne!(deviation(&caller, json!({ "journey": id })).await, Value::Null);
    assert_eq!(deviation(&other, json!({ "journey": id })).await, Value::Null);
    for unknown in
        [json!({ "journey": known("?") }), json!({ "customer": known("?") }), json!({ "account": known("?") })]
    {
        assert_eq!(deviation(&caller, unknown).await, Value::Null);
    }
    for permission in [Permission::MapRead, Permission::RecordRead] {
        let reply = caller.with([permission]).run(DEVIATION, json!({ "journey": id })).await;
        assert_eq!(codes(&reply.body), ["FORBIDDEN"]);
    }
}

#[tokio::test]
async fn the_statements_do_not_grow_with_the_customers_and_interactions_are_bounded() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    map(&caller, &["a", "b", "c"]).await;
    plan(&caller, "trip", &ABC, &LINE).await;
    let ask = "query($j: JourneyRef!, $to: DateTime) { journeyDeviation(journeyRef: $j, between: { to: $to }) { interactionCount customerCount } }";
    let mut costs = Vec::new();
    for count in [1, 100] {
        let names: Vec<String> = (0..count).map(|place| format!("customer {place}")).collect();
        went(&caller, &names.iter().map(|name| (name.as_str(), "a c b")).collect::<Vec<_>>()).await;
        let before = app.store.statements();
        let report = caller.data(ask, json!({ "j": known("trip") })).await;
        assert_eq!(report["journeyDeviation"]["customerCount"], count);
        costs.push(app.store.statements() - before);
    }
    // The journey, its steps and links, the mediums of its points and their tree, the interactions.
    assert_eq!(costs, [6, 6]);
    let table = app.database.look("SELECT COUNT(*) || '' FROM interaction".to_owned()).await;
    assert_eq!(table, [[Some("300".to_owned())]]);
    let (id, more) = if app.database.is_sqlite() {
        ("randomblob(16)", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 99701)")
    } else {
        ("gen_random_uuid()", "WITH n AS (SELECT i FROM generate_series(1, 99701) AS i)")
    };
    let copied = "version, created_at, updated_at, status, is_automated, tags, attributes, point_id, customer_id";
    app.database
        .change(&format!(
            "{more} INSERT INTO interaction (organization_id, id, occurred_at, {copied}) SELECT organization_id, {id},
                1790000000000 + n.i, {copied} FROM n, (SELECT * FROM interaction LIMIT 1) AS known"
        ))
        .await;
    let reply = caller.run(ask, json!({ "j": known("trip") })).await;
    assert_eq!(codes(&reply.body), ["BAD_USER_INPUT"]);
    assert!(reply.body["errors"][0]["message"].as_str().unwrap().contains("narrow `between`"), "{:#}", reply.body);
    let to = chrono::DateTime::from_timestamp_millis(1_790_000_000_000 + 99_701).unwrap().to_rfc3339();
    let report = caller.data(ask, json!({ "j": known("trip"), "to": to })).await;
    assert_eq!(report["journeyDeviation"], json!({ "interactionCount": 100_000, "customerCount": 100 }));
}
