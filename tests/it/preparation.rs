//! What is done before a transaction begins, and who may begin one when several want to.

use std::sync::Arc;

use entity::{Permission, noun::Noun};
use futures_util::FutureExt;
use rapport::{
    auth::Actor,
    store::{
        Scope,
        statement::template::Templates,
        usage::compute::Computation,
        writing::{
            draft::{Draft, Mode, Target},
            write::Hooks,
        },
    },
};
use serde_json::{Value, json};

use crate::app::{App, Caller, now};

fn scope(app: &App, caller: &Caller<'_>) -> Scope {
    let permissions = Permission::ALL.into_iter().collect();
    let actor = Actor {
        organization: caller.organization(),
        subject: "tester".to_owned(),
        client: None,
        permissions,
        expires: None,
        departments: None,
    };
    app.store.scope(actor, now())
}

/// Inputs with a mistake that no row of the database can mend: field, input, code and path.
fn mistaken() -> Vec<(&'static str, Value, &'static str, Value)> {
    let attributes = |count: usize| (0..count).map(|place| format!(" a{place}=''")).collect::<Vec<_>>().concat();
    let spaces = (0..65).map(|place| format!("<b xmlns:a{place}='x'/>")).collect::<Vec<_>>().concat();
    let cjml = |document: String| json!({ "document": document });
    let outline = |outline: &str| json!({ "title": "t", "outline": outline });
    let rows = |count: usize| {
        let row = |place: usize| json!({ "externalId": { "system": "s", "id": place.to_string() }, "name": "n" });
        json!({ "rows": (0..count).map(row).collect::<Vec<_>>() })
    };
    let points = |count: usize| json!({ "title": "t", "points": vec![json!({ "name": "p" }); count] });
    let map = json!({ "format": "rapport-map/1", "offers": vec![json!({ "name": "without a key" }); 1_000] });
    vec![
        ("journeyImport", cjml(format!("<a{}/>", attributes(120_000))), "INVALID", json!(["document"])),
        ("journeyImport", cjml(format!("<CJML{}/>", attributes(65))), "INVALID", json!(["document"])),
        ("journeyImport", cjml(format!("<CJML>{spaces}</CJML>")), "INVALID", json!(["document"])),
        ("journeyImport", cjml("<a>".repeat(33)), "INVALID", json!(["document"])),
        ("journeyImport", cjml(format!("<a>{}</a>", "<b/>".repeat(50_001))), "INVALID", json!(["document"])),
        ("journeyImport", cjml(" ".repeat(1_048_577)), "INVALID", json!(["document"])),
        ("journeyFromOutline", outline("A\n  ~ LOOP B"), "NOT_FOUND", json!(["outline", "2"])),
        ("journeyFromOutline", outline(&"A\n".repeat(10_001)), "TOO_LONG", json!(["outline"])),
        (
            "journeyFromOutline",
            outline(&format!("A\n~ LOOP {}", "x:".repeat(9_000))),
            "NOT_FOUND",
            json!(["outline", "2"]),
        ),
        ("quickJourney", points(1_001), "TOO_LONG", json!(["points"])),
        ("templateApply", json!({ "key": "BASICS", "outline": "~ LOOP B" }), "INVALID", json!(["outline", "1"])),
        ("mapImport", json!({ "document": "[" }), "INVALID", json!(["document"])),
        ("mapImport", json!({ "document": map.to_string() }), "REQUIRED", json!(["document", "offers", "0", "key"])),
        ("offersBulkUpsert", rows(0), "REQUIRED", json!(["rows"])),
        ("offersBulkUpsert", rows(1_001), "TOO_LONG", json!(["rows"])),
        ("departmentCreate", json!({ "name": "n", "idempotencyKey": "" }), "INVALID", json!(["idempotencyKey"])),
    ]
}

#[tokio::test]
async fn what_is_wrong_with_an_input_by_itself_is_told_without_a_transaction() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    // Whoever else writes meanwhile is not waited for. On SQLite nobody can begin until this one ends.
    let held = scope(&app, &caller).begin().await.unwrap();
    let before = app.store.statements();
    for (field, input, code, path) in mistaken() {
        let done = caller.mutate(field, input, "errors { code path }").await;
        assert_eq!(done["errors"][0], json!({ "code": code, "path": path }), "{field}");
    }
    assert_eq!(app.store.statements(), before);
    held.roll_back().await.unwrap();
}

#[tokio::test]
async fn as_much_as_is_allowed_is_taken() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let attributes = (0..64).map(|place| format!(" a{place}='>'")).collect::<Vec<_>>().concat();
    let document = format!(
        "<CJML{attributes}><!-- <a{}> --><plannedJourney><journeyID>j</journeyID><touchpoints/></plannedJourney></CJML>",
        " b=''".repeat(100)
    );
    let done = caller.mutate("journeyImport", json!({ "document": document }), "errors { code path message }").await;
    assert_eq!(done["errors"], json!([]));
}

#[tokio::test]
async fn a_computation_learns_that_nobody_waits_for_it() {
    let app = App::start().await;
    let scope = scope(&app, &app.admin("one").await);
    let (begun, has_begun) = std::sync::mpsc::channel();
    let (ended, has_ended) = std::sync::mpsc::channel();
    let mut computed = Box::pin(scope.compute(true, move |computation| {
        begun.send(()).unwrap();
        while computation.check().is_ok() {
            std::thread::yield_now();
        }
        ended.send(()).unwrap();
        Ok(())
    }));
    assert!((&mut computed).now_or_never().is_none());
    has_begun.recv().unwrap();
    drop(computed);
    has_ended.recv().unwrap();
    // Others of the same request go on.
    assert_eq!(scope.compute(true, |computation| computation.check().map(|()| 7)).await.unwrap(), 7);
}

#[tokio::test]
async fn a_meter_counts_what_is_read_and_written_for_a_request() {
    let app = App::start().await;
    let scope = scope(&app, &app.admin("one").await);
    let noun: &'static Noun = &entity::influencer::NOUN;
    let mut drafts = ["Radio", "Friend"].map(|name| {
        let mut draft = Draft::new(noun, Target::New, Mode::CreateOnly);
        draft.set(entity::influencer::NAME, name.to_owned());
        draft
    });
    let tx = scope.begin().await.unwrap();
    tx.write(noun, &Hooks::NONE, &mut drafts, true).await.unwrap();
    tx.commit().await.unwrap();
    let written = scope.meter().spent();
    assert!(written.rows_written >= 2 && !written.writer.is_zero(), "{written:?}");

    let ids: Vec<_> = drafts.iter().map(|draft| draft.id).collect();
    let rows = scope.by_ids(noun, &[], &ids, &Templates::default()).await.unwrap();
    let read = scope.meter().spent();
    assert_eq!((rows.len(), read.rows_read - written.rows_read, read.writer), (2, 2, written.writer));

    let charged = |computation: &Computation| {
        computation.meter().charge(7);
        Ok(())
    };
    scope.compute(false, charged).await.unwrap();
    assert_eq!(scope.meter().spent().points, 7);
    let other = Arc::clone(scope.meter());
    assert_eq!(scope.clone().metered(other).meter().spent(), scope.meter().spent());
}

#[tokio::test]
async fn an_organization_that_has_not_written_comes_before_all_that_wait_of_another() {
    let app = App::start().await;
    let (greedy, modest) = (app.admin("one").await, app.admin("two").await);
    let (greedy, modest) = (scope(&app, &greedy), scope(&app, &modest));
    let held = greedy.begin().await.unwrap();
    let (mut again, mut first) = (Box::pin(greedy.begin()), Box::pin(modest.begin()));
    if app.store.is_postgres() {
        // Nobody waits there for anybody else's transactions.
        drop((held, again.await.unwrap(), first.await.unwrap()));
        return;
    }
    assert!((&mut again).now_or_never().is_none() && (&mut first).now_or_never().is_none());
    drop(held);
    assert!((&mut again).now_or_never().is_none());
    drop((&mut first).now_or_never().expect("it is the other organization's turn").unwrap());
    drop((&mut again).now_or_never().expect("nobody else waits").unwrap());
}

#[tokio::test]
async fn keys_are_forgotten_in_steps() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    caller.mutate("influencerCreate", json!({ "name": "Radio", "idempotencyKey": "0" }), "outcome").await;
    let more = "INSERT INTO idempotency (organization_id, subject, idempotency_key, fingerprint, created_at)
        SELECT i.organization_id, i.subject, k.key, i.fingerprint, i.created_at FROM idempotency AS i CROSS JOIN (
        WITH RECURSIVE n(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM n WHERE number < 449)
        SELECT 'key' || CAST(number AS TEXT) AS key FROM n) AS k";
    app.database.change(more).await;
    app.run_jobs(now() + chrono::Duration::hours(25)).await;
    let keys = app.database.look("SELECT CAST(COUNT(*) AS TEXT) FROM idempotency".to_owned()).await;
    assert_eq!(keys, [[Some("0".to_owned())]]);
    // At most 200 of the 450 at a time.
    let jobs = caller.ask("{ jobs(kind: \"IDEMPOTENCY_KEYS\") { nodes { steps } } }").await;
    assert_eq!(jobs["jobs"]["nodes"], json!([{ "steps": 3 }]));
}
