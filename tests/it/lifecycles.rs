//! The states of rows: what leads from one to another, what is refused, and what is kept of it.

use std::collections::BTreeSet;

use entity::{NOUNS, Noun, Permission, lifecycle::Lifecycle, noun::Writable};
use futures_util::future::join;
use serde_json::{Value, json};

use crate::{
    app::{App, Caller},
    fixture::{Extent, World},
    journeys::{by_id, made, mistakes, one, point},
    outline::Outline,
};

const TOLD: &str = "outcome isReplayed node { id version status allowedTransitions } errors { code path }";

/// Nouns whose rows have states.
fn with_states() -> impl Iterator<Item = (&'static Noun, &'static Lifecycle)> {
    NOUNS.into_iter().filter_map(|noun| Some((noun, noun.lifecycle()?)))
}

fn field(noun: &Noun, column: &str) -> &'static str {
    noun.fields.iter().find(|field| field.column == column).unwrap().name
}

fn is_set_on_create(noun: &Noun, lifecycle: &Lifecycle) -> bool {
    noun.fields.iter().any(|field| field.column == lifecycle.column && field.writable == Writable::Initial)
}

#[tokio::test]
async fn a_row_follows_the_transitions_of_its_state_and_no_other() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, "Alpha").await;
    for (noun, lifecycle) in with_states() {
        let status = field(noun, lifecycle.column);
        let told = format!("outcome node {{ id version state: {status} allowedTransitions }} errors {{ code path }}");
        for (state, _) in lifecycle.states.values {
            for transition in lifecycle.transitions {
                let upsert = format!("{}Upsert", noun.singular);
                let row = world.caller.mutate(&upsert, world.in_state(noun, state), &told).await["node"].take();
                let allowed: Vec<&str> = lifecycle.allowed(state).map(|transition| transition.name).collect();
                assert_eq!((&row["state"], &row["allowedTransitions"]), (&json!(state), &json!(allowed)));
                let mutation = outline.mutations().iter().find(|field| field.name == transition.field).unwrap();
                let mut input = world.input(mutation, Extent::Full);
                input["by"] = json!({ "id": row["id"] });
                let done = world.caller.mutate(transition.field, input, &told).await;
                if transition.from.contains(state) {
                    assert_eq!((&done["errors"], &done["node"]["state"]), (&json!([]), &json!(transition.to)));
                } else {
                    assert_eq!(mistakes(&done), one("INVALID_TRANSITION", &["by"]), "{} in {state}", transition.field);
                    assert_eq!(done["node"], row);
                }
            }
        }
    }
}

#[tokio::test]
async fn states_are_set_by_transitions_upserts_and_imports_alone() {
    let outline = Outline::read();
    for (noun, lifecycle) in with_states() {
        for verb in ["Create", "Update", "Upsert"] {
            let ty = format!("{}{verb}Input", noun.name);
            let takes = outline.inputs(&ty).iter().any(|member| member.name == field(noun, lifecycle.column));
            let is_given = verb == "Upsert" || verb == "Create" && is_set_on_create(noun, lifecycle);
            assert_eq!(takes, is_given, "{ty}");
        }
    }
}

async fn history(caller: &Caller<'_>, journey: &str) -> Value {
    let document = "query($id: ID!) { journey(by: { id: $id }) {
        history { totalCount nodes { transition from to changedAt subject rowVersion journey { id } } } } }";
    caller.data(document, json!({ "id": journey })).await["journey"]["history"].take()
}

#[tokio::test]
async fn what_was_done_to_a_state_is_kept_as_long_as_the_row() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let upsert = |id: &str, status: &str| {
        let input = json!({ "externalId": { "system": "crm", "id": id }, "title": "Trip", "status": status });
        caller.mutate("journeyUpsert", input, TOLD)
    };
    let done = upsert("1", "DRAFT").await;
    let id = done["node"]["id"].as_str().unwrap().to_owned();
    assert_eq!(history(&caller, &id).await["totalCount"], 0);
    made(&caller.named("mia"), "journeyPublish", json!({ "by": by_id(&id) })).await;
    let changes = history(&caller, &id).await;
    assert_eq!(
        changes["nodes"],
        json!([{ "transition": "PUBLISH", "from": "DRAFT", "to": "PUBLISHED", "changedAt": "2026-11-22T12:00:00Z",
                 "subject": "mia", "rowVersion": 2, "journey": { "id": id } }])
    );
    // The same once more changes nothing.
    let again = caller.mutate("journeyPublish", json!({ "by": by_id(&id) }), TOLD).await;
    assert_eq!((&again["outcome"], history(&caller, &id).await), (&json!("UNCHANGED"), changes));
    let brought = upsert("2", "PUBLISHED").await["node"]["id"].as_str().unwrap().to_owned();
    let changes = history(&caller, &brought).await;
    let first = &changes["nodes"][0];
    let told = (&first["transition"], &first["from"], &first["to"], &first["rowVersion"]);
    assert_eq!(told, (&Value::Null, &Value::Null, &json!("PUBLISHED"), &json!(1)));
    let deleted = caller.mutate("journeyDelete", json!({ "by": by_id(&brought) }), "outcome").await;
    assert_eq!(deleted["outcome"], "DELETED");
    let left = app.database.look("SELECT CAST(count(*) AS TEXT) FROM state_change".to_owned()).await;
    assert_eq!(left, [[Some("1".to_owned())]]);
}

#[tokio::test]
async fn upserts_bring_a_row_to_any_state_that_transitions_lead_to() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let bulk = |states: [&str; 2]| {
        let row = |(id, status): (usize, &&str)| json!({ "externalId": { "system": "crm", "id": id.to_string() }, "title": "Trip", "status": status });
        let rows: Vec<Value> = states.iter().enumerate().map(row).collect();
        let told = "results { outcome node { status version } errors { code path } }";
        caller.mutate("journeysBulkUpsert", json!({ "rows": rows, "policy": "SKIP_INVALID" }), told)
    };
    let outcomes = |done: &Value| done["results"].as_array().unwrap().iter().map(|it| it["outcome"].clone()).collect();
    let done: Vec<Value> = outcomes(&bulk(["DRAFT", "PUBLISHED"]).await);
    assert_eq!(done, ["CREATED", "CREATED"]);
    let done: Vec<Value> = outcomes(&bulk(["DRAFT", "PUBLISHED"]).await);
    assert_eq!(done, ["UNCHANGED", "UNCHANGED"]);
    let done = bulk(["PUBLISHED", "DRAFT"]).await;
    assert_eq!(outcomes(&done), ["UPDATED", "FAILED"].map(|text| json!(text)).to_vec());
    assert_eq!(mistakes(&done["results"][1]), one("INVALID_TRANSITION", &["status"]));
    assert_eq!(done["results"][1]["node"], json!({ "status": "PUBLISHED", "version": 1 }));
    let shown =
        caller.ask("{ journeys(filter: { status: { eq: PUBLISHED } }, orderBy: [{ field: STATUS }]) { totalCount } }");
    assert_eq!(shown.await["journeys"]["totalCount"], 2);
}

#[tokio::test]
async fn callers_are_shown_the_transitions_that_their_scopes_allow() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let id = made(&caller, "journeyCreate", json!({ "title": "Trip" })).await;
    let shown = async |caller: &Caller<'_>| {
        let document = "{ journeys { nodes { allowedTransitions } } }";
        caller.ask(document).await["journeys"]["nodes"][0]["allowedTransitions"].take()
    };
    assert_eq!(shown(&caller).await, json!(["PUBLISH"]));
    assert_eq!(shown(&caller.with([Permission::MapRead])).await, json!([]));
    let document = "mutation($input: JourneyPublishInput!) { journeyPublish(input: $input) { outcome } }";
    for permission in [Permission::MapRead, Permission::MapWrite] {
        let refused = caller.with([permission]).run(document, json!({ "input": { "by": { "id": id } } })).await;
        assert_eq!(refused.body["errors"][0]["extensions"]["code"], "FORBIDDEN");
    }
}

#[tokio::test]
async fn in_the_archive_nothing_is_allowed_and_the_state_stays() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let id = made(&caller, "journeyCreate", json!({ "title": "Trip" })).await;
    made(&caller, "journeyPublish", json!({ "by": by_id(&id) })).await;
    let archived = caller.mutate("journeyArchive", json!({ "by": by_id(&id) }), TOLD).await;
    assert_eq!(archived["node"]["allowedTransitions"], json!([]));
    let refused = caller.mutate("journeyPublish", json!({ "by": by_id(&id) }), TOLD).await;
    assert_eq!(mistakes(&refused), one("INVALID_TRANSITION", &["by"]));
    let back = caller.mutate("journeyUnarchive", json!({ "by": by_id(&id) }), TOLD).await;
    let node = &back["node"];
    assert_eq!((&node["status"], &node["allowedTransitions"]), (&json!("PUBLISHED"), &json!(["PUBLISH"])));
}

#[tokio::test]
async fn a_transition_heeds_versions_keys_and_those_who_come_first() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let id = made(&caller, "journeyCreate", json!({ "title": "Trip" })).await;
    let stale = caller.mutate("journeyPublish", json!({ "by": { "id": id }, "expectedVersion": 7 }), TOLD).await;
    assert_eq!(mistakes(&stale), one("CONFLICT", &["expectedVersion"]));
    let publish = || caller.mutate("journeyPublish", json!({ "by": { "id": id }, "expectedVersion": 1 }), TOLD);
    let (first, other) = join(publish(), publish()).await;
    let outcomes: BTreeSet<&str> = [&first, &other].iter().map(|done| done["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, BTreeSet::from(["FAILED", "UPDATED"]));
    assert_eq!(history(&caller, &id).await["totalCount"], 1);
    let desk = point(&caller, "Desk").await;
    made(&caller, "stepCreate", json!({ "journeyRef": by_id(&id), "pointRef": by_id(&desk) })).await;
    let keyed = || caller.mutate("journeyPublish", json!({ "by": { "id": id }, "idempotencyKey": "k" }), TOLD);
    let (done, again) = (keyed().await, keyed().await);
    assert_eq!((&done["outcome"], &done["isReplayed"]), (&json!("UPDATED"), &json!(false)));
    assert_eq!((&again["outcome"], &again["isReplayed"]), (&json!("UPDATED"), &json!(true)));
    assert_eq!(history(&caller, &id).await["totalCount"], 2);
    let nobody =
        caller.mutate("journeyPublish", json!({ "by": { "id": "journey_01h455vb4pex5vsknk084sn02q" } }), TOLD).await;
    assert_eq!(mistakes(&nobody), one("NOT_FOUND", &["by"]));
}
