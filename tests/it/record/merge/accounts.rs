//! Merges of accounts, which form a tree.

use std::{collections::BTreeMap, iter};

use serde_json::{Value, json};

use super::{merge, random::Dice, told};
use crate::{
    app::{App, Caller},
    record::{TOLD, by_id, made, wrong},
};

async fn account(caller: &Caller<'_>, name: &str, parent: Option<&str>) -> String {
    let mut input = json!({ "name": name });
    if let Some(parent) = parent {
        input["parentRef"] = by_id(parent);
    }
    made(caller, "accountCreate", input).await
}

/// The name of each account with that of its parent.
async fn tree(caller: &Caller<'_>) -> Vec<String> {
    let seen =
        caller.ask("{ accounts(first: 50, orderBy: [{ field: NAME }]) { nodes { name parent { name } } } }").await;
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let nodes = seen["accounts"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| format!("{}<{}", text(&node["name"]), text(&node["parent"]["name"]))).collect()
}

#[tokio::test]
async fn the_accounts_stay_a_tree_wherever_the_merged_ones_stand() {
    for (winner, loser, wanted) in [
        // The loser is below the winner, next to it, and above it.
        ("b", "d", vec!["a<", "b<a", "c<b", "e<b", "f<a"]),
        ("f", "b", vec!["a<", "c<f", "d<c", "e<d", "f<a"]),
        ("e", "b", vec!["a<", "c<e", "d<c", "e<a", "f<a"]),
        ("c", "a", vec!["b<c", "c<", "d<c", "e<d", "f<c"]),
        ("a", "e", vec!["a<", "b<a", "c<b", "d<c", "f<a"]),
    ] {
        let app = App::start().await;
        let caller = app.admin("one").await;
        let mut ids: Vec<(&str, String)> = Vec::new();
        for (name, parent) in [("a", ""), ("b", "a"), ("c", "b"), ("d", "c"), ("e", "d"), ("f", "a")] {
            let above = ids.iter().find(|(known, _)| *known == parent).map(|(_, id)| id.clone());
            ids.push((name, account(&caller, name, above.as_deref()).await));
        }
        let before = tree(&caller).await;
        let id = |name: &str| ids.iter().find(|(known, _)| *known == name).map(|(_, id)| id.as_str()).unwrap();
        let person = made(&caller, "customerCreate", json!({ "accountRef": by_id(id(loser)) })).await;
        let done = merge(&caller, "account", id(winner), id(loser)).await;
        assert_eq!(done["outcome"], "UPDATED", "{done}");
        assert_eq!(tree(&caller).await, wanted, "{loser} into {winner}");
        let document = "query($id: ID!) { customer(by: { id: $id }) { account { id name } } }";
        let shown = caller.data(document, json!({ "id": person })).await;
        assert_eq!(shown["customer"]["account"], json!({ "id": id(winner), "name": winner }));
        let root = json!({ "by": by_id(id(loser)), "parentRef": by_id(id("c")) });
        if winner == "a" || winner == "c" {
            let codes = wrong(&caller, "accountUpdate", root).await;
            assert_eq!(codes, [told("CYCLE", "parentRef")]);
        }
        let back = caller.mutate("accountUnmerge", json!({ "loser": by_id(id(loser)) }), TOLD).await;
        assert_eq!(back["outcome"], "CREATED", "{back}");
        assert_eq!(tree(&caller).await, before, "{loser} out of {winner}");
        let shown = caller.data(document, json!({ "id": person })).await;
        assert_eq!(shown["customer"]["account"]["id"], json!(id(loser)));
    }
}

/// The parent of each account that is its own, by id, and the account that each id is now.
async fn parents(caller: &Caller<'_>, ids: &[String]) -> (BTreeMap<String, Option<String>>, Vec<String>) {
    let document = "query($ids: [ID!]!) { nodes(ids: $ids) { id }
        accounts(first: 50) { nodes { id parent { id } } } }";
    let seen = caller.data(document, json!({ "ids": ids })).await;
    let id = |value: &Value| value["id"].as_str().map(str::to_owned);
    let nodes = seen["accounts"]["nodes"].as_array().unwrap();
    let parents = nodes.iter().map(|node| (id(node).unwrap(), id(&node["parent"]))).collect();
    (parents, seen["nodes"].as_array().unwrap().iter().map(|node| id(node).unwrap()).collect())
}

/// Whether `row` is `other` or stands below it.
fn is_below(parents: &BTreeMap<String, Option<String>>, row: &str, other: &str) -> bool {
    let mut path = iter::successors(Some(row), |at| parents[*at].as_deref()).take(parents.len() + 1);
    path.any(|at| at == other)
}

#[tokio::test]
async fn whatever_is_merged_moved_and_undone_the_accounts_are_trees_and_every_customer_has_one() {
    const ACCOUNTS: usize = 7;
    for seed in 0..6 {
        let (mut dice, app) = (Dice(seed), App::start().await);
        let caller = app.admin("one").await;
        let mut ids: Vec<String> = Vec::new();
        for at in 0..ACCOUNTS {
            let parent = (at > 0).then(|| ids[dice.below(at)].clone());
            ids.push(account(&caller, &at.to_string(), parent.as_deref()).await);
            made(&caller, "customerCreate", json!({ "accountRef": by_id(&ids[at]) })).await;
        }
        // Without moves, merges that are undone last first leave each tree as it was.
        let moves = seed % 2 == 1;
        let mut earlier: Vec<(String, BTreeMap<String, Option<String>>)> = Vec::new();
        for round in 0..30 {
            let (before, now) = parents(&caller, &ids).await;
            let (one, other) = (dice.below(ACCOUNTS), dice.below(ACCOUNTS));
            match dice.below(4) {
                0 if moves => {
                    let row = json!({ "by": by_id(&now[one]), "parentRef": by_id(&now[other]) });
                    let codes = wrong(&caller, "accountUpdate", row).await;
                    let is_circle = is_below(&before, &now[other], &now[one]);
                    let wanted = if is_circle { vec![told("CYCLE", "parentRef")] } else { Vec::new() };
                    assert_eq!(codes, wanted, "seed {seed}, round {round}");
                }
                1 if moves => {
                    caller.mutate("accountUnmerge", json!({ "loser": by_id(&ids[one]) }), TOLD).await;
                }
                1 => {
                    if let Some((loser, tree)) = earlier.pop() {
                        let done = caller.mutate("accountUnmerge", json!({ "loser": by_id(&loser) }), TOLD).await;
                        assert_eq!(done["outcome"], "CREATED", "seed {seed}, round {round}: {done}");
                        assert_eq!(parents(&caller, &ids).await.0, tree, "seed {seed}, round {round}");
                    }
                }
                _ => {
                    let done = merge(&caller, "account", &now[one], &ids[other]).await;
                    let is_done = now[other] == ids[other] && one != other && now[one] != ids[other];
                    assert_eq!(done["outcome"] == "UPDATED", is_done, "seed {seed}, round {round}: {done}");
                    if is_done {
                        earlier.push((ids[other].clone(), before));
                    }
                }
            }
            let (after, _) = parents(&caller, &ids).await;
            for row in after.keys() {
                let above: Vec<&str> =
                    iter::successors(Some(row.as_str()), |at| after[*at].as_deref()).take(after.len() + 1).collect();
                assert!(above.len() <= after.len(), "seed {seed}, round {round}: a circle, {above:?}");
            }
            let seen = caller.ask("{ accounts { nodes { customers { totalCount } } } customers { totalCount } }").await;
            let counts = seen["accounts"]["nodes"].as_array().unwrap().iter();
            let owned: i64 = counts.map(|account| account["customers"]["totalCount"].as_i64().unwrap()).sum();
            assert_eq!(owned, i64::try_from(ACCOUNTS).unwrap(), "seed {seed}, round {round}");
        }
    }
}
