//! Event logs of a journey: their events are the interactions that the API lists, and what opens them.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use entity::Permission;
use rapport::{auth::revoked::Revocation, clock};
use roxmltree::{Document, Node};
use serde_json::{Value, json};

use crate::{
    app::Caller,
    deviation::{known, minute, named, plan, upsert},
    outline::codes,
    server::{Answer, Door},
};

const LOG: &str = "query($journey: JourneyRef!, $between: TimeRange, $format: EventLogFormat!) {
    journeyEventLog(journeyRef: $journey, between: $between, format: $format) { url expiresAt } }";
const SCOPES: [Permission; 2] = [Permission::MapRead, Permission::RecordRead];
const HOSTILE: &str = "a<&\"'>]]> &amp; 𝄞\u{e9} <!-- {\\\"}";

async fn asked(door: &Door, token: &str, variables: Value) -> Answer {
    let body = json!({ "query": LOG, "variables": variables });
    Answer::of(door.post("/graphql").bearer_auth(token).json(&body).send().await.unwrap()).await
}

async fn url(door: &Door, format: &str, between: Value) -> String {
    let variables = json!({ "journey": known("trip"), "format": format, "between": between });
    let answer = asked(door, &door.token(SCOPES), variables).await;
    answer.body["data"]["journeyEventLog"]["url"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

async fn downloaded(door: &Door, url: &str) -> String {
    let response = door.get(url).send().await.unwrap();
    assert_eq!(response.status(), 200, "{url}");
    for (header, value) in [("cache-control", "no-store"), ("referrer-policy", "no-referrer")] {
        assert_eq!(response.headers()[header], value);
    }
    response.text().await.unwrap()
}

/// Revokes all that was signed for the subject of the URLs.
async fn revoke(door: &Door) {
    let now = clock::now();
    let tx = door.app.store.scope(door.actor(Permission::ALL), now).begin().await.unwrap();
    tx.revoke_tokens(Revocation::Subject, "ada").await.unwrap();
    tx.commit().await.unwrap();
    door.gate.poll(now).await.unwrap();
}

fn value<'a>(node: Node<'a, '_>, key: &str) -> Option<&'a str> {
    node.children().find(|child| child.attribute("key") == Some(key)).and_then(|child| child.attribute("value"))
}

/// The traces of an XES log by customer: the id, time and name of each event.
fn traces(xes: &str) -> Vec<(String, Vec<[String; 3]>)> {
    let document = Document::parse(xes).unwrap();
    let children = |node: Node<'_, '_>, name: &'static str| -> Vec<roxmltree::NodeId> {
        node.children().filter(|child| child.tag_name().name() == name).map(|child| child.id()).collect()
    };
    let node = |id| document.get_node(id).unwrap();
    let event = |id| {
        let of = |key| value(node(id), key).unwrap().to_owned();
        assert_eq!(of("lifecycle:transition"), "complete");
        [of("concept:instance"), of("time:timestamp"), of("concept:name")]
    };
    let trace = |id| {
        let customer = value(node(id), "concept:name").unwrap().to_owned();
        (customer, children(node(id), "event").into_iter().map(event).collect())
    };
    children(document.root_element(), "trace").into_iter().map(trace).collect()
}

/// The completed interactions at points of the journey, as the API lists them: id, time, name of the point, customer.
async fn listed(caller: &Caller<'_>, between: (&str, &str)) -> Vec<[String; 4]> {
    let query = "query($after: String) { interactions(first: 100, after: $after, filter: { status: { eq: COMPLETED } }) {
        nodes { id occurredAt point { id name steps(first: 1) { nodes { id } } } customer { id } } pageInfo { hasNextPage endCursor } } }";
    let (mut rows, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = caller.data(query, json!({ "after": after })).await["interactions"].take();
        for row in page["nodes"].as_array().unwrap() {
            let (Some(at), Some(step)) = (row["occurredAt"].as_str(), row["point"]["steps"]["nodes"].get(0)) else {
                continue;
            };
            assert!(step["id"].is_string());
            if at >= between.0 && at < between.1 {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                rows.push([text(&row["id"]), at.to_owned(), text(&row["point"]["name"]), text(&row["customer"]["id"])]);
            }
        }
        if page["pageInfo"]["hasNextPage"] == false {
            rows.sort();
            return rows;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

fn millis(at: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(at).unwrap().timestamp_millis()
}

/// Three points, of which the journey has two, and interactions spread over customers and nobody.
async fn filled(caller: &Caller<'_>) {
    let points = [("a", HOSTILE), ("b", "b"), ("x", "x")];
    upsert(caller, "interactionPoints", points.map(|(key, name)| named(key, json!({ "name": name }))).into()).await;
    let journey = vec![named("trip", json!({ "title": HOSTILE }))];
    upsert(caller, "journeys", journey).await;
    let steps = ["a", "b"].map(|point| named(point, json!({ "journeyRef": known("trip"), "pointRef": known(point) })));
    upsert(caller, "steps", steps.into()).await;
    upsert(caller, "accounts", vec![named("firm", json!({ "name": "Secret firm" }))]).await;
    upsert(caller, "mediums", vec![named("phone", json!({ "name": HOSTILE }))]).await;
    let customers = (0..60).map(|at| named(&at.to_string(), json!({ "name": format!("Secret {at}") })));
    upsert(caller, "customers", customers.collect()).await;
    let mut random = 7_u64;
    let mut below = |count: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % count
    };
    let rows = (0..700).map(|row| {
        let customer = [below(60), 7, 7][usize::try_from(below(3)).unwrap()];
        let mut values = json!({
            "pointRef": known(["a", "b", "x"][usize::try_from(below(3)).unwrap()]), "staffSubject": HOSTILE,
            "customerRef": if below(9) == 0 { Value::Null } else { known(&customer.to_string()) },
            "mediumRef": known("phone"), "accountRef": known("firm"), "direction": "INBOUND",
        });
        if below(8) == 0 {
            values["status"] = "SCHEDULED".into();
        } else {
            values["status"] = "COMPLETED".into();
            values["occurredAt"] = minute(i64::try_from(below(59)).unwrap()).into();
        }
        named(&row.to_string(), values)
    });
    let rows: Vec<Value> = rows.collect();
    for rows in rows.chunks(200) {
        upsert(caller, "interactions", rows.to_vec()).await;
    }
}

#[actix_web::test]
async fn the_events_of_both_formats_are_the_interactions_that_the_api_lists() {
    let door = Door::for_imports().await;
    let caller = door.app.caller(door.acme, Permission::ALL);
    filled(&caller).await;
    let (from, to) = (minute(10), minute(20));
    for (between, limits) in [
        (Value::Null, ("0", "9")),
        (json!({ "from": from, "to": to }), ("2026-01-01T00:10", "2026-01-01T00:20")),
        (json!({ "to": minute(0) }), ("0", "1")),
    ] {
        let all = listed(&caller, limits).await;
        let xes = downloaded(&door, &url(&door, "XES", between.clone()).await).await;
        let ocel = downloaded(&door, &url(&door, "OCEL", between.clone()).await).await;
        assert!(!xes.contains("Secret") && !ocel.contains("Secret"), "ids only");

        let traces = traces(&xes);
        let customers: Vec<&String> = traces.iter().map(|(customer, _)| customer).collect();
        assert!(customers.is_sorted_by(|one, other| one < other), "a trace for each customer");
        let mut events: Vec<[String; 4]> = Vec::new();
        for (customer, trace) in &traces {
            assert!(trace.is_sorted_by_key(|[id, at, _]| (millis(at), id.clone())) && !trace.is_empty());
            events.extend(trace.iter().map(|[id, at, name]| [id.clone(), at.clone(), name.clone(), customer.clone()]));
        }
        events.sort();
        let same = |rows: &[[String; 4]]| -> Vec<(String, i64, String, String)> {
            rows.iter()
                .map(|[id, at, name, customer]| (id.clone(), millis(at), name.clone(), customer.clone()))
                .collect()
        };
        let with_customer: Vec<[String; 4]> = all.iter().filter(|row| !row[3].is_empty()).cloned().collect();
        assert_eq!(same(&events), same(&with_customer), "{between}");

        let ocel: Value = serde_json::from_str(&ocel).unwrap();
        let listed: Vec<&Value> = ocel["events"].as_array().unwrap().iter().collect();
        assert!(listed.is_sorted_by_key(|event| (millis(event["time"].as_str().unwrap()), event["id"].to_string())));
        let types: BTreeSet<&str> =
            ocel["eventTypes"].as_array().unwrap().iter().map(|known| known["name"].as_str().unwrap()).collect();
        let objects: BTreeMap<&str, &str> = ocel["objects"]
            .as_array()
            .unwrap()
            .iter()
            .map(|object| (object["id"].as_str().unwrap(), object["type"].as_str().unwrap()))
            .collect();
        assert_eq!(objects.len(), ocel["objects"].as_array().unwrap().len(), "each object once");
        let mut related: BTreeSet<&str> = BTreeSet::new();
        let mut found: Vec<[String; 4]> = Vec::new();
        for event in listed {
            let mut customer = String::new();
            for relation in event["relationships"].as_array().unwrap() {
                let id = relation["objectId"].as_str().unwrap();
                related.insert(id);
                if relation["qualifier"] == "customer" {
                    id.clone_into(&mut customer);
                }
            }
            let text = |name: &str| event[name].as_str().unwrap().to_owned();
            assert!(types.contains(&*text("type")));
            found.push([text("id"), text("time"), text("type"), customer]);
        }
        found.sort();
        assert_eq!(same(&found), same(&all), "{between}");
        assert_eq!(related, objects.keys().copied().collect(), "the objects are those of the events");
    }
    // More than a piece holds, of one customer and of all.
    let longest = traces(&downloaded(&door, &url(&door, "XES", Value::Null).await).await);
    assert!(longest.len() > 50 && longest.iter().any(|(_, events)| events.len() > 100));
}

#[actix_web::test]
async fn an_empty_journey_has_an_empty_log_and_a_label_names_the_activity() {
    let door = Door::open(Vec::new()).await;
    let caller = door.app.caller(door.acme, Permission::ALL);
    upsert(&caller, "journeys", vec![named("trip", json!({ "title": "Trip" }))]).await;
    assert!(traces(&downloaded(&door, &url(&door, "XES", Value::Null).await).await).is_empty());
    let ocel: Value = serde_json::from_str(&downloaded(&door, &url(&door, "OCEL", Value::Null).await).await).unwrap();
    assert_eq!((&ocel["events"], &ocel["objects"], &ocel["eventTypes"]), (&json!([]), &json!([]), &json!([])));
    upsert(&caller, "interactionPoints", vec![named("a", json!({ "name": "a" }))]).await;
    plan(&caller, "trip", &[("Call", "a"), ("Call again", "a")], &[]).await;
    upsert(&caller, "customers", vec![named("1", json!({ "name": "1" }))]).await;
    let row = json!({ "status": "COMPLETED", "pointRef": known("a"), "customerRef": known("1") });
    upsert(&caller, "interactions", vec![named("1", row)]).await;
    let traces = traces(&downloaded(&door, &url(&door, "XES", Value::Null).await).await);
    assert_eq!(traces[0].1[0][2], "Call");
}

#[actix_web::test]
async fn only_an_unchanged_url_opens_a_log_until_it_ends_or_is_revoked() {
    let door = Door::open(Vec::new()).await;
    let caller = door.app.caller(door.acme, Permission::ALL);
    let journeys = ["trip", "other"].map(|name| named(name, json!({ "title": name })));
    upsert(&caller, "journeys", journeys.into()).await;
    let url = url(&door, "XES", json!({ "from": minute(1) })).await;
    let (path, signature) = url.split_once("&signature=").unwrap();
    let [header, claims, _] = signature.split('.').collect::<Vec<_>>()[..] else { panic!("{signature}") };
    let known: Value = serde_json::from_slice(&BASE64.decode(claims).unwrap()).unwrap();
    assert_eq!(known["scope"], "map:read record:read");
    let header = String::from_utf8(BASE64.decode(header).unwrap()).unwrap();
    let mut ended = known.clone();
    (ended["iat"], ended["exp"]) = ((clock::now().timestamp() - 900).into(), (clock::now().timestamp() - 60).into());
    for changed in [
        url.replace(".xes", ".ocel"),
        url.replace("from=", "from=1"),
        url.replace("to=", "to=1"),
        path.to_owned(),
        format!("{path}&signature={}", door.token(SCOPES)),
        format!("{path}&signature={signature}A"),
        format!("{path}&signature={}", door.signer.forge(&header, &ended.to_string())),
    ] {
        let answer = Answer::of(door.get(&changed).send().await.unwrap()).await;
        assert_eq!(answer.refused(), (401, "UNAUTHENTICATED"), "{changed}");
    }
    assert_eq!(door.get(&url).bearer_auth(door.token(SCOPES)).send().await.unwrap().status(), 400);
    assert_eq!(door.get(&url).send().await.unwrap().status(), 200);
    // The scopes of the URL are all that a download has, and one that fails does not end as if it were complete.
    let mut narrow = known.clone();
    narrow["scope"] = "map:read".into();
    let narrow = format!("{path}&signature={}", door.signer.forge(&header, &narrow.to_string()));
    let ended = match door.get(&narrow).send().await {
        Ok(response) => response.text().await,
        Err(failed) => Err(failed),
    };
    assert!(ended.is_err(), "{ended:?}");
    caller.mutate("journeyDelete", json!({ "by": crate::deviation::known("trip") }), "outcome").await;
    assert_eq!(door.get(&url).send().await.unwrap().status(), 404);
    revoke(&door).await;
    assert_eq!(door.get(&url).send().await.unwrap().status(), 401);
}

#[actix_web::test]
async fn a_download_that_waits_for_points_ends_when_its_url_is_revoked() {
    let door = Door::with_points(30, 10).await;
    filled(&door.app.caller(door.acme, Permission::ALL)).await;
    let response = door.get(&url(&door, "XES", Value::Null).await).send().await.unwrap();
    assert_eq!(response.status(), 200);
    revoke(&door).await;
    assert!(response.text().await.is_err(), "the points did not suffice for the whole log before");
    // Without a revocation, it waits as often as it must.
    let door = Door::with_points(30, 10).await;
    filled(&door.app.caller(door.acme, Permission::ALL)).await;
    assert!(traces(&downloaded(&door, &url(&door, "XES", Value::Null).await).await).len() > 50);
}

#[actix_web::test]
async fn a_url_needs_its_scopes_a_journey_of_the_organization_and_one_statement() {
    let door = Door::open(Vec::new()).await;
    let caller = door.app.caller(door.acme, Permission::ALL);
    upsert(&caller, "journeys", vec![named("trip", json!({ "title": "Trip" }))]).await;
    let theirs = door.app.admin("other").await;
    let other = theirs.mutate("journeyCreate", json!({ "title": "Theirs" }), "node { id }").await;
    let variables = |journey: Value| json!({ "journey": journey, "format": "XES" });
    let token = door.token(SCOPES);
    // The first request also reads what the server then remembers of the token.
    asked(&door, &token, variables(known("trip"))).await;
    let before = door.app.store.statements();
    let answer = asked(&door, &token, variables(known("trip"))).await;
    assert_eq!(door.app.store.statements() - before, 1, "{answer:?}");
    for unknown in [json!({ "id": other["node"]["id"] }), known("?")] {
        let answer = asked(&door, &token, variables(unknown)).await;
        assert_eq!(answer.body["data"]["journeyEventLog"], Value::Null, "{answer:?}");
        assert_eq!(answer.body.get("errors"), None);
    }
    for scope in SCOPES {
        let answer = asked(&door, &door.token([scope]), variables(known("trip"))).await;
        assert_eq!(codes(&answer.body), ["FORBIDDEN"]);
    }
}
