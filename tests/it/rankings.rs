//! The history of top fives through the API: who ranked what, when, and what it was before.

use futures_util::future::join_all;
use proptest::{collection::vec, prelude::*, test_runner};
use serde_json::{Value, json};

use crate::app::{App, Caller, refs};

const TOLD: &str = "outcome node { id } errors { code path }";

async fn made(caller: &Caller<'_>, field: &str, input: Value) -> String {
    let payload = caller.mutate(field, input, TOLD).await;
    assert_eq!(payload["errors"], json!([]), "{field}");
    payload["node"]["id"].as_str().unwrap().to_owned()
}

/// A point with expectations that say a, b, c and so on.
async fn point(caller: &Caller<'_>, count: usize) -> (String, Vec<String>) {
    let point = made(caller, "interactionPointCreate", json!({ "name": "Desk" })).await;
    let mut expectations = Vec::new();
    for statement in ["a", "b", "c", "d", "e", "f"].iter().take(count) {
        let input = json!({ "statement": statement, "source": "RESEARCH", "pointRef": { "id": point } });
        expectations.push(made(caller, "expectationCreate", input).await);
    }
    (point, expectations)
}

async fn rank(caller: &Caller<'_>, point: &str, ids: &[&String]) -> Value {
    caller
        .mutate("interactionPointRankExpectations", json!({ "by": { "id": point }, "expectations": refs(ids) }), TOLD)
        .await
}

/// The history of a point, the oldest change first.
async fn history(caller: &Caller<'_>, point: &str) -> Vec<Value> {
    let document = "query($id: ID!) { interactionPoint(by: { id: $id }) {
        rankings(first: 1000) { nodes { rankedAt subject before after point { id } } } } }";
    let data = caller.data(document, json!({ "id": point })).await;
    let nodes = data["interactionPoint"]["rankings"]["nodes"].as_array().unwrap().clone();
    assert!(nodes.iter().all(|node| node["point"]["id"] == json!(point)));
    nodes
}

fn ranks(ranked: &[(i64, &String, &str)]) -> Value {
    ranked.iter().map(|(rank, id, words)| json!({ "rank": rank, "id": id, "statement": words })).collect()
}

#[tokio::test]
async fn every_ranking_tells_who_changed_what_and_when() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (desk, own) = point(&caller, 3).await;
    rank(&caller.named("ada"), &desk, &[&own[1], &own[0]]).await;
    made(&caller, "expectationUpdate", json!({ "by": { "id": own[1] }, "statement": "b, in other words" })).await;
    rank(&caller.named("bob"), &desk, &[&own[2], &own[1]]).await;
    let told = history(&caller, &desk).await;
    let first = ranks(&[(1, &own[1], "b"), (2, &own[0], "a")]);
    let second = [
        ranks(&[(1, &own[1], "b, in other words"), (2, &own[0], "a")]),
        ranks(&[(1, &own[2], "c"), (2, &own[1], "b, in other words")]),
    ];
    assert_eq!((&told[0]["before"], &told[0]["after"]), (&json!([]), &first));
    assert_eq!((&told[1]["before"], &told[1]["after"]), (&second[0], &second[1]));
    assert_eq!((&told[0]["subject"], &told[1]["subject"]), (&json!("ada"), &json!("bob")));
    assert_eq!(told[0]["rankedAt"], "2026-11-22T12:00:00Z");
}

#[tokio::test]
async fn what_changes_no_rank_leaves_no_history() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (desk, own) = point(&caller, 3).await;
    assert_eq!(rank(&caller, &desk, &[]).await["outcome"], "UNCHANGED");
    rank(&caller, &desk, &[&own[0], &own[1]]).await;
    assert_eq!(rank(&caller, &desk, &[&own[0], &own[1]]).await["outcome"], "UNCHANGED");
    assert_eq!(rank(&caller, &desk, &[&own[2], &own[2]]).await["outcome"], "FAILED");
    made(&caller, "expectationUpdate", json!({ "by": { "id": own[0] }, "importance": 7 })).await;
    caller.mutate("expectationDelete", json!({ "by": { "id": own[2] } }), TOLD).await;
    assert_eq!(history(&caller, &desk).await.len(), 1);
}

#[tokio::test]
async fn deleting_a_ranked_expectation_is_told_in_the_words_it_had() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (desk, own) = point(&caller, 3).await;
    rank(&caller, &desk, &[&own[0], &own[1], &own[2]]).await;
    caller.named("ada").mutate("expectationDelete", json!({ "by": { "id": own[1] } }), TOLD).await;
    let told = history(&caller, &desk).await;
    assert_eq!(told.len(), 2);
    assert_eq!(told[1]["before"], ranks(&[(1, &own[0], "a"), (2, &own[1], "b"), (3, &own[2], "c")]));
    assert_eq!(told[1]["after"], ranks(&[(1, &own[0], "a"), (3, &own[2], "c")]));
    assert_eq!(told[1]["subject"], "ada");
}

#[tokio::test]
async fn the_history_of_a_copy_begins_with_the_copy() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (desk, own) = point(&caller, 2).await;
    let bare = made(&caller, "interactionPointCopy", json!({ "by": { "id": desk } })).await;
    rank(&caller, &desk, &[&own[1]]).await;
    rank(&caller, &desk, &[&own[0]]).await;
    let copy = made(&caller, "interactionPointCopy", json!({ "by": { "id": desk } })).await;
    let told = history(&caller, &copy).await;
    assert_eq!((told.len(), &told[0]["before"]), (1, &json!([])));
    assert_eq!((&told[0]["after"][0]["rank"], &told[0]["after"][0]["statement"]), (&json!(1), &json!("a")));
    assert_ne!(told[0]["after"][0]["id"], json!(own[0]));
    assert_eq!(history(&caller, &bare).await, Vec::<Value>::new());
    assert_eq!(history(&caller, &desk).await.len(), 2);
}

#[tokio::test]
async fn the_history_goes_with_the_point() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (desk, own) = point(&caller, 1).await;
    rank(&caller, &desk, &[&own[0]]).await;
    rank(&caller, &desk, &[]).await;
    caller.mutate("expectationDelete", json!({ "by": { "id": own[0] } }), TOLD).await;
    assert_eq!(
        caller.mutate("interactionPointDelete", json!({ "by": { "id": desk } }), TOLD).await["outcome"],
        "DELETED"
    );
    assert!(app.dump(caller.organization()).await["expectation_ranking"].is_empty());
}

#[tokio::test]
async fn rankings_and_deletions_at_once_leave_a_history_without_a_break() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (desk, own) = point(&caller, 6).await;
    rank(&caller, &desk, &[&own[0], &own[1], &own[2], &own[3], &own[4]]).await;
    let orders = [[0, 1, 2], [2, 1, 0], [1, 5, 2], [0, 2, 5], [5, 2, 1], [2, 0, 1]];
    let rankings = orders.iter().map(|order| {
        let ids: Vec<&String> = order.iter().map(|place| &own[*place]).collect();
        let (caller, desk) = (&caller, &desk);
        async move { rank(caller, desk, &ids).await["outcome"].clone() }
    });
    let deletions =
        [&own[3], &own[4], &own[5]].map(|id| caller.mutate("expectationDelete", json!({ "by": { "id": id } }), TOLD));
    let (ranked, _) = futures_util::future::join(join_all(rankings), join_all(deletions)).await;
    assert!(ranked.iter().all(|outcome| ["UPDATED", "UNCHANGED", "FAILED"].iter().any(|known| outcome == known)));
    let told = history(&caller, &desk).await;
    for pair in told.windows(2) {
        assert_eq!(pair[0]["after"], pair[1]["before"], "{told:#?}");
    }
    assert_eq!(told.last().unwrap()["after"], top(&caller, &desk).await);
}

/// The ranked expectations of a point as they are, by rank.
async fn top(caller: &Caller<'_>, point: &str) -> Value {
    let document = "query($id: ID!) { interactionPoint(by: { id: $id }) {
        expectations(filter: { rank: { isNull: false } }, orderBy: [{ field: RANK }]) { nodes { rank id statement } } } }";
    caller.data(document, json!({ "id": point })).await["interactionPoint"]["expectations"]["nodes"].take()
}

#[test]
fn any_sequence_of_rankings_leaves_the_last_that_held_and_a_history_of_each() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(App::start());
    let config = ProptestConfig { cases: 20, max_shrink_iters: 60, failure_persistence: None, ..Default::default() };
    let caller = runtime.block_on(app.admin("one"));
    let result = test_runner::TestRunner::new(config).run(&vec(vec(0..6_usize, 0..8), 1..6), |orders| {
        runtime.block_on(async {
            let (desk, own) = point(&caller, 6).await;
            let (mut held, mut changes): (Vec<usize>, usize) = (Vec::new(), 0);
            for order in orders {
                let ids: Vec<&String> = order.iter().map(|place| &own[*place]).collect();
                let is_sound = order.len() <= 5 && order.iter().enumerate().all(|(at, id)| !order[..at].contains(id));
                let outcome = match (is_sound, order == held) {
                    (false, _) => "FAILED",
                    (true, true) => "UNCHANGED",
                    (true, false) => "UPDATED",
                };
                assert_eq!(rank(&caller, &desk, &ids).await["outcome"], outcome, "{order:?} after {held:?}");
                if outcome == "UPDATED" {
                    (held, changes) = (order, changes + 1);
                }
            }
            let words = ["a", "b", "c", "d", "e", "f"];
            let expected: Vec<_> =
                held.iter().zip(1..).map(|(place, rank)| (rank, &own[*place], words[*place])).collect();
            assert_eq!(top(&caller, &desk).await, ranks(&expected));
            let told = history(&caller, &desk).await;
            assert_eq!(told.len(), changes);
            assert!(told.windows(2).all(|pair| pair[0]["after"] == pair[1]["before"]), "{told:#?}");
        });
        Ok(())
    });
    result.unwrap();
}
