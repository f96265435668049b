//! Merges of accounts, which form a tree.

use serde_json::{Value, json};

use super::{merge, told};
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
