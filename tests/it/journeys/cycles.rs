//! Without its LOOP links a journey has no circle, and a journey is not nested in itself.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join;
use proptest::{collection::vec, prelude::*, test_runner};
use serde_json::{Value, json};

use super::{TOLD, by_id, journey, link, linked, made, mistakes, one, steps};
use crate::app::{App, Caller};

#[tokio::test]
async fn a_link_that_closes_a_circle_is_refused_with_the_steps_of_the_circle() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let trip = journey(&caller, "Trip").await;
    let steps = steps(&caller, &trip, &["a", "b", "c"]).await;
    let [a, b, c] = [&steps[0], &steps[1], &steps[2]];
    linked(&caller, &trip, a, b, "SEQUENCE").await;
    linked(&caller, &trip, b, c, "PARALLEL").await;
    let before = app.dump(caller.organization()).await;
    let refused = caller.mutate("stepLinkCreate", link(&trip, c, a, "OPTIONAL"), TOLD).await;
    assert_eq!(mistakes(&refused), one("CYCLE", &["toRef"]));
    let message = refused["errors"][0]["message"].as_str().unwrap();
    let circle = [c, a, b, c].map(String::as_str).join(" → ");
    assert!(message.contains(&circle), "{message} does not tell {circle}");
    let own = caller.mutate("stepLinkCreate", link(&trip, a, a, "SEQUENCE"), TOLD).await;
    assert_eq!(mistakes(&own), one("CYCLE", &["toRef"]));
    assert_eq!(app.dump(caller.organization()).await, before);
    let back = linked(&caller, &trip, c, a, "LOOP").await;
    linked(&caller, &trip, a, a, "LOOP").await;
    let kind = json!({ "by": { "id": back }, "kind": "SEQUENCE" });
    assert_eq!(mistakes(&caller.mutate("stepLinkUpdate", kind, TOLD).await), one("CYCLE", &["kind"]));
    let label = json!({ "by": { "id": back }, "label": "again" });
    assert_eq!(caller.mutate("stepLinkUpdate", label, TOLD).await["outcome"], "UPDATED");
}

#[tokio::test]
async fn moving_an_end_of_a_link_cannot_close_a_circle() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let trip = journey(&caller, "Trip").await;
    let steps = steps(&caller, &trip, &["a", "b", "c"]).await;
    linked(&caller, &trip, &steps[0], &steps[1], "SEQUENCE").await;
    let other = linked(&caller, &trip, &steps[1], &steps[2], "SEQUENCE").await;
    let moved = json!({ "by": { "id": other }, "toRef": by_id(&steps[0]) });
    assert_eq!(mistakes(&caller.mutate("stepLinkUpdate", moved, TOLD).await), one("CYCLE", &["toRef"]));
    let turned = json!({ "by": { "id": other }, "fromRef": by_id(&steps[2]), "toRef": by_id(&steps[1]) });
    assert_eq!(caller.mutate("stepLinkUpdate", turned, TOLD).await["outcome"], "UPDATED");
}

#[tokio::test]
async fn links_and_stages_stay_in_one_journey() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (trip, other) = (journey(&caller, "Trip").await, journey(&caller, "Other").await);
    let (own, foreign) = (steps(&caller, &trip, &["a", "b"]).await, steps(&caller, &other, &["x"]).await);
    let stage = made(&caller, "stageCreate", json!({ "name": "Theirs", "journeyRef": by_id(&other) })).await;
    for (input, field) in
        [(link(&trip, &own[0], &foreign[0], "LOOP"), "toRef"), (link(&trip, &foreign[0], &own[0], "LOOP"), "fromRef")]
    {
        assert_eq!(mistakes(&caller.mutate("stepLinkCreate", input, TOLD).await), one("INVALID", &[field]));
    }
    let staged = json!({ "by": { "id": own[0] }, "stageRef": by_id(&stage) });
    assert_eq!(mistakes(&caller.mutate("stepUpdate", staged, TOLD).await), one("INVALID", &["stageRef"]));
    let between = linked(&caller, &trip, &own[0], &own[1], "SEQUENCE").await;
    for (input, field) in [
        (json!({ "by": { "id": between }, "toRef": by_id(&foreign[0]) }), "toRef"),
        (json!({ "by": { "id": between }, "journeyRef": by_id(&other) }), "journeyRef"),
    ] {
        assert_eq!(mistakes(&caller.mutate("stepLinkUpdate", input, TOLD).await), one("INVALID", &[field]));
    }
}

#[tokio::test]
async fn rows_of_one_call_are_judged_together() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let trip = journey(&caller, "Trip").await;
    let steps = steps(&caller, &trip, &["a", "b", "c"]).await;
    let row = |id: &str, from: usize, to: usize| {
        let mut row = link(&trip, &steps[from], &steps[to], "SEQUENCE");
        row["externalId"] = json!({ "system": "crm", "id": id });
        row
    };
    let told = "results { outcome errors { code message path } }";
    let upsert = |rows: Vec<Value>, policy: &str| json!({ "rows": rows, "policy": policy });
    let circle = vec![row("1", 0, 1), row("2", 1, 2), row("3", 2, 0)];
    let before = app.dump(caller.organization()).await;
    let payload = caller.mutate("stepLinksBulkUpsert", upsert(circle.clone(), "ALL_OR_NOTHING"), told).await;
    assert_eq!(mistakes(&payload["results"][2]), one("CYCLE", &["toRef"]));
    assert_eq!(app.dump(caller.organization()).await, before);
    let payload = caller.mutate("stepLinksBulkUpsert", upsert(circle, "SKIP_INVALID"), told).await;
    let outcomes: Vec<&Value> = payload["results"].as_array().unwrap().iter().map(|row| &row["outcome"]).collect();
    assert_eq!(outcomes, ["CREATED", "CREATED", "FAILED"]);
    // One after the other, the first of these would close a circle; together they do not.
    let turned = vec![row("1", 2, 0), row("2", 2, 1)];
    let payload = caller.mutate("stepLinksBulkUpsert", upsert(turned, "ALL_OR_NOTHING"), told).await;
    let outcomes: Vec<&Value> = payload["results"].as_array().unwrap().iter().map(|row| &row["outcome"]).collect();
    assert_eq!(outcomes, ["UPDATED", "UPDATED"], "{payload:#}");
}

#[tokio::test]
async fn two_writers_cannot_close_a_circle_of_steps_together() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for round in 0..6 {
        let trip = journey(&caller, &round.to_string()).await;
        let steps = steps(&caller, &trip, &["a", "b", "c"]).await;
        linked(&caller, &trip, &steps[1], &steps[2], "SEQUENCE").await;
        let back = linked(&caller, &trip, &steps[2], &steps[0], "LOOP").await;
        let (one, other) = if round % 2 == 0 {
            let kind = json!({ "by": { "id": back }, "kind": "SEQUENCE" });
            let new = link(&trip, &steps[0], &steps[1], "SEQUENCE");
            join(caller.mutate("stepLinkCreate", new, TOLD), caller.mutate("stepLinkUpdate", kind, TOLD)).await
        } else {
            let new = |from: usize, to: usize| link(&trip, &steps[from], &steps[to], "SEQUENCE");
            join(caller.mutate("stepLinkCreate", new(0, 1), TOLD), caller.mutate("stepLinkCreate", new(2, 0), TOLD))
                .await
        };
        let failed: Vec<&Value> = [&one, &other].into_iter().filter(|done| done["outcome"] == "FAILED").collect();
        assert_eq!(failed.len(), 1, "{one} {other}");
        assert_eq!(failed[0]["errors"][0]["code"], "CYCLE");
    }
}

#[tokio::test]
async fn a_journey_is_not_nested_in_itself() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let mut chain = vec![journey(&caller, "0").await];
    for level in 1..4 {
        let input = json!({ "title": level.to_string(), "parentRef": by_id(&chain[level - 1]) });
        chain.push(made(&caller, "journeyCreate", input).await);
    }
    let below = |child: &str, parent: &str| json!({ "by": { "id": child }, "parentRef": by_id(parent) });
    for parent in &chain {
        let refused = caller.mutate("journeyUpdate", below(&chain[0], parent), TOLD).await;
        assert_eq!(mistakes(&refused), one("CYCLE", &["parentRef"]));
        let message = refused["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(parent.as_str()) && message.contains(&chain[0]), "{message}");
    }
    for round in 0..4 {
        let (a, b) = (journey(&caller, &format!("a{round}")).await, journey(&caller, &format!("b{round}")).await);
        let (one, other) = join(
            caller.mutate("journeyUpdate", below(&a, &b), TOLD),
            caller.mutate("journeyUpdate", below(&b, &a), TOLD),
        )
        .await;
        let mut outcomes = [one["outcome"].as_str().unwrap(), other["outcome"].as_str().unwrap()];
        outcomes.sort_unstable();
        assert_eq!(outcomes, ["FAILED", "UPDATED"], "{one} {other}");
    }
}

const STEPS: usize = 5;
const KINDS: [&str; 3] = ["SEQUENCE", "OPTIONAL", "LOOP"];
const LABELS: [&str; STEPS] = ["a", "b", "c", "d", "e"];

/// Links by key: from, to, kind.
type Model = BTreeMap<usize, (usize, usize, usize)>;

fn rows() -> impl Strategy<Value = Vec<(usize, (usize, usize, usize))>> {
    vec((0..8_usize, (0..STEPS, 0..STEPS, 0..KINDS.len())), 1..6)
}

/// Whether steps can be taken away, one without a way in after the other, until none is left.
fn is_acyclic(model: &Model) -> bool {
    let mut edges: BTreeSet<(usize, usize)> =
        model.values().filter(|(.., kind)| KINDS[*kind] != "LOOP").map(|(from, to, _)| (*from, *to)).collect();
    loop {
        let entered: BTreeSet<usize> = edges.iter().map(|(_, to)| *to).collect();
        let before = edges.len();
        edges.retain(|(from, _)| entered.contains(from));
        if edges.len() == before {
            return edges.is_empty();
        }
    }
}

async fn shown(caller: &Caller<'_>, trip: &str) -> Model {
    let document = "query($id: ID!) { journey(by: { id: $id }) { links(first: 100) { nodes {
        kind externalIds { id } from { label } to { label } } } } }";
    let data = caller.data(document, json!({ "id": trip })).await;
    let nodes = data["journey"]["links"]["nodes"].as_array().unwrap().iter();
    let place = |label: &Value| LABELS.iter().position(|known| label == known).unwrap();
    nodes
        .map(|node| {
            let key = node["externalIds"][0]["id"].as_str().unwrap().parse().unwrap();
            let kind = KINDS.iter().position(|kind| node["kind"] == *kind).unwrap();
            (key, (place(&node["from"]["label"]), place(&node["to"]["label"]), kind))
        })
        .collect()
}

#[test]
fn any_sequence_of_links_leaves_no_circle_and_refuses_nothing_else() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(App::start());
    let config = ProptestConfig { cases: 24, max_shrink_iters: 60, failure_persistence: None, ..Default::default() };
    let caller = runtime.block_on(app.admin("one"));
    let result = test_runner::TestRunner::new(config).run(&vec((rows(), any::<bool>()), 1..8), |calls| {
        runtime.block_on(async {
            let trip = journey(&caller, "Trip").await;
            let steps = steps(&caller, &trip, &LABELS).await;
            let mut model = Model::new();
            for (rows, skips) in calls {
                let mut seen = BTreeSet::new();
                let rows: Vec<_> = rows.into_iter().filter(|(key, _)| seen.insert(*key)).collect();
                let wired = rows.iter().map(|(key, (from, to, kind))| {
                    let mut row = link(&trip, &steps[*from], &steps[*to], KINDS[*kind]);
                    row["externalId"] = json!({ "system": trip, "id": key.to_string() });
                    row
                });
                let policy = if skips { "SKIP_INVALID" } else { "ALL_OR_NOTHING" };
                let input = json!({ "rows": wired.collect::<Vec<_>>(), "policy": policy });
                let done = caller.mutate("stepLinksBulkUpsert", input, "results { outcome errors { code } }").await;
                let results = done["results"].as_array().unwrap();
                let mut wanted = model.clone();
                wanted.extend(rows.iter().copied());
                if is_acyclic(&wanted) {
                    assert!(results.iter().all(|row| row["outcome"] != "FAILED"), "{done:#}");
                    model = wanted;
                } else {
                    assert!(results.iter().any(|row| row["errors"][0]["code"] == "CYCLE"), "{done:#}");
                    if skips {
                        let kept = rows.iter().zip(results).filter(|(_, row)| row["outcome"] != "FAILED");
                        model.extend(kept.map(|(row, _)| *row));
                    }
                }
                assert!(is_acyclic(&model), "{model:?}");
                assert_eq!(shown(&caller, &trip).await, model);
            }
        });
        Ok(())
    });
    runtime.block_on(async { drop(app) });
    result.unwrap();
}
