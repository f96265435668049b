//! What the outbox says: every change once, in the order of commits, without gaps, and never a value.

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::app::{App, Caller};

/// One row of the outbox.
#[derive(Debug, PartialEq)]
struct Event {
    sequence: i64,
    noun: String,
    row: String,
    operation: String,
    version: i64,
    subject: String,
    fields: Vec<String>,
}

async fn events(app: &App, caller: &Caller<'_>) -> Vec<Event> {
    let columns = format!("CAST(sequence AS TEXT), noun, {}, operation", app.database.id("row_id"));
    let tenant = format!("{} = '{}'", app.database.id("organization_id"), caller.organization().0.simple());
    let sql = format!(
        "SELECT {columns}, CAST(version AS TEXT), subject, fields FROM event WHERE {tenant} ORDER BY event.sequence"
    );
    let event = |row: Vec<Option<String>>| {
        let mut cells = row.into_iter().map(Option::unwrap);
        let mut next = || cells.next().unwrap();
        Event {
            sequence: next().parse().unwrap(),
            noun: next(),
            row: next(),
            operation: next(),
            version: next().parse().unwrap(),
            subject: next(),
            fields: serde_json::from_str(&next()).unwrap(),
        }
    };
    app.database.look(sql).await.into_iter().map(event).collect()
}

/// The id of a node as the table has it.
fn stored(id: &Value) -> String {
    entity::id::decode(id.as_str().unwrap()).unwrap().1.simple().to_string()
}

/// Operation, version and fields of each event of a row.
fn of_row(events: &[Event], id: &Value) -> Vec<String> {
    let told = |event: &Event| format!("{} {} {}", event.operation, event.version, event.fields.join(" "));
    events.iter().filter(|event| event.row == stored(id)).map(|event| told(event).trim_end().to_owned()).collect()
}

fn sequences(events: &[Event]) -> Vec<i64> {
    events.iter().map(|event| event.sequence).collect()
}

#[tokio::test]
async fn every_change_leaves_one_event_with_version_fields_and_actor() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let key = json!({ "system": "crm", "id": "1" });
    let made = json!({ "name": "secret name", "externalIds": [key] });
    let id = caller.mutate("departmentCreate", made, "node { id }").await["node"]["id"].take();
    let colleague = caller.named("colleague");
    colleague.mutate("departmentUpdate", json!({ "by": { "id": id }, "contact": "secret contact" }), "outcome").await;
    let both = json!({ "externalId": key, "name": "B", "contact": null, "onNull": "CLEAR", "externalIds": [{ "system": "erp", "id": "2" }] });
    caller.mutate("departmentUpsert", both, "outcome").await;
    for field in ["departmentArchive", "departmentUnarchive", "departmentDelete"] {
        caller.mutate(field, json!({ "by": { "id": id } }), "outcome").await;
    }
    let events = events(&app, &caller).await;
    assert_eq!(sequences(&events), [1, 2, 3, 4, 5, 6]);
    assert_eq!(
        of_row(&events, &id),
        [
            "CREATED 1 name assignment externalIds",
            "UPDATED 2 contact",
            "UPDATED 3 name contact externalIds",
            "ARCHIVED 4 archivedAt",
            "UNARCHIVED 5 archivedAt",
            "DELETED 6",
        ]
    );
    let subjects: Vec<&str> = events.iter().map(|event| event.subject.as_str()).collect();
    assert_eq!(subjects, ["tester", "colleague", "tester", "tester", "tester", "tester"]);
    assert!(events.iter().all(|event| event.noun == "Department"));
    let text = app.database.look("SELECT fields || subject || noun FROM event".to_owned()).await;
    assert!(text.iter().flatten().flatten().all(|text| !text.contains("secret")));
}

#[tokio::test]
async fn what_writes_nothing_leaves_no_event() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let create = json!({ "name": "A", "idempotencyKey": "k" });
    let id = caller.mutate("departmentCreate", create.clone(), "node { id }").await["node"]["id"].take();
    caller.mutate("departmentCreate", create, "outcome").await;
    for (field, input) in [
        ("departmentUpdate", json!({ "by": { "id": id }, "name": "A" })),
        ("departmentUpdate", json!({ "by": { "id": id }, "name": "B", "expectedVersion": 9 })),
        ("departmentUpdate", json!({ "by": { "id": id }, "name": "" })),
        ("departmentUnarchive", json!({ "by": { "id": id } })),
        ("departmentDelete", json!({ "by": { "id": "dept_01h455vb4pex5vsknk084sn02q" } })),
    ] {
        caller.mutate(field, input, "outcome").await;
    }
    assert_eq!(sequences(&events(&app, &caller).await), [1]);
}

#[tokio::test]
async fn a_bulk_call_takes_a_range_for_the_rows_it_writes() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let row = |id: &str, name: &str| json!({ "externalId": { "system": "crm", "id": id }, "name": name });
    let bulk = async |rows: &[Value]| {
        let input = json!({ "rows": rows, "policy": "SKIP_INVALID" });
        caller.mutate("departmentsBulkUpsert", input, "results { node { id } }").await["results"].take()
    };
    let first = bulk(&[row("1", "A"), row("2", "B"), row("3", "")]).await;
    let second = bulk(&[row("2", "Bb"), row("1", "A"), row("3", "C")]).await;
    let events = events(&app, &caller).await;
    assert_eq!(sequences(&events), [1, 2, 3, 4]);
    let id = |results: &Value, place: usize| results[place]["node"]["id"].clone();
    assert_eq!(of_row(&events, &id(&first, 0)), ["CREATED 1 name assignment externalIds"]);
    assert_eq!(of_row(&events, &id(&first, 1)), ["CREATED 1 name assignment externalIds", "UPDATED 2 name"]);
    assert_eq!(of_row(&events, &id(&second, 2)), ["CREATED 1 name assignment externalIds"]);
    assert!(events[2..].iter().all(|event| event.sequence > 2));
}

#[tokio::test]
async fn setting_a_set_is_a_change_of_its_owner() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let make = async |field: &str, input: Value| caller.mutate(field, input, "node { id }").await["node"]["id"].take();
    let point = make("interactionPointCreate", json!({ "name": "Desk" })).await;
    let medium = make("mediumCreate", json!({ "name": "Phone" })).await;
    let expectation = json!({ "statement": "Fast", "source": "RESEARCH", "pointRef": { "id": point } });
    let expectation = make("expectationCreate", expectation).await;
    let set = json!({ "by": { "id": point }, "mediums": [{ "id": medium }] });
    for (outcome, version) in [("UPDATED", 2), ("UNCHANGED", 2)] {
        let done = caller.mutate("interactionPointSetMediums", set.clone(), "outcome node { version }").await;
        assert_eq!(done, json!({ "outcome": outcome, "node": { "version": version } }));
    }
    let rank = json!({ "by": { "id": point }, "expectations": [{ "id": expectation }] });
    caller.mutate("interactionPointRankExpectations", rank, "outcome").await;
    let events = events(&app, &caller).await;
    assert_eq!(of_row(&events, &point)[1..], ["UPDATED 2 mediums", "UPDATED 3 expectations rankings"]);
    assert_eq!(of_row(&events, &expectation)[1..], ["UPDATED 2 rank"]);
    assert_eq!(of_row(&events, &medium).len(), 1);
}

#[tokio::test]
async fn every_organization_has_a_sequence_of_its_own() {
    let app = App::start().await;
    let callers = [app.admin("one").await, app.admin("two").await];
    for caller in callers.iter().chain(&callers) {
        caller.mutate("departmentCreate", json!({ "name": "A" }), "outcome").await;
    }
    for caller in &callers {
        assert_eq!(sequences(&events(&app, caller).await), [1, 2]);
    }
}

/// Whoever reads up to the highest sequence has seen everything below it: nothing commits behind a reader's back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_writers_leave_no_gap_at_any_moment() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let input = json!({ "name": "Shared" });
    let shared = caller.mutate("departmentCreate", input, "node { id }").await["node"]["id"].take();
    let (finished, mut is_finished) = watch::channel(false);
    let writers = async {
        join_all((0..8).map(|writer| {
            let (caller, shared) = (caller.named(&format!("writer {writer}")), shared.clone());
            async move {
                for turn in 0..6 {
                    let name = format!("{writer} {turn}");
                    let row = |id: usize| json!({ "externalId": { "system": "crm", "id": format!("{name} {id}") }, "name": name });
                    let rows: Vec<Value> = (0..3).map(row).collect();
                    caller.mutate("departmentsBulkUpsert", json!({ "rows": rows }), "errors { code }").await;
                    caller.mutate("departmentUpdate", json!({ "by": { "id": shared }, "name": name }), "outcome").await;
                }
            }
        }))
        .await;
        finished.send(true).unwrap();
    };
    let reader = async {
        let mut seen = 0;
        while !*is_finished.borrow_and_update() {
            let found = sequences(&events(&app, &caller).await);
            assert!(found.iter().copied().eq(1..=i64::try_from(found.len()).unwrap()), "{found:?}");
            assert!(found.len() >= seen);
            seen = found.len();
        }
    };
    join(writers, reader).await;
    let events = events(&app, &caller).await;
    assert!(sequences(&events).into_iter().eq(1..=1 + 8 * 6 * 4));
    let versions: Vec<i64> =
        events.iter().filter(|event| event.row == stored(&shared)).map(|event| event.version).collect();
    assert!(versions.into_iter().eq(1..=1 + 8 * 6));
}
