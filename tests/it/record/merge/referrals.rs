//! Referrals of customers who become one: nobody refers themselves.

use rapport::store::STEP;
use serde_json::{Value, json};

use super::{customer, merge, steps::busy};
use crate::{
    app::{App, Caller, now},
    record::{by_id, made},
};

async fn referral(caller: &Caller<'_>, from: &str, to: &str) -> String {
    made(caller, "referralCreate", json!({ "referrerRef": by_id(from), "referredRef": by_id(to) })).await
}

/// Referrer and referred of each referral, oldest first.
async fn pairs(caller: &Caller<'_>) -> Vec<[Option<String>; 2]> {
    let asked = "{ referrals(first: 500, orderBy: [{ field: ID }]) { nodes { referrer { id } referred { id } } } }";
    let seen = caller.ask(asked).await;
    let id = |row: &Value| row["id"].as_str().map(str::to_owned);
    let nodes = seen["referrals"]["nodes"].as_array().unwrap().iter();
    nodes.map(|node| [id(&node["referrer"]), id(&node["referred"])]).collect()
}

fn pair(from: &str, to: &str) -> [Option<String>; 2] {
    [Some(from.to_owned()), (!to.is_empty()).then(|| to.to_owned())]
}

async fn unmerge(caller: &Caller<'_>, loser: &str) {
    let done = caller.mutate("customerUnmerge", json!({ "loser": by_id(loser) }), "outcome").await;
    assert_eq!(done["outcome"], "CREATED");
}

#[tokio::test]
async fn a_referral_of_one_by_the_other_keeps_its_referrer_only_and_is_whole_again_after_an_undone_merge() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    // Few rows move at once, many in steps.
    for records in [1, STEP + 50] {
        let winner = customer(&caller, &format!("Ann {records}"), json!({})).await;
        let loser = busy(&caller, &format!("Anna {records}"), records).await;
        let other = customer(&caller, &format!("Bob {records}"), json!({})).await;
        let names = [(&winner, &loser), (&loser, &winner), (&loser, &other), (&other, &loser), (&winner, &other)];
        for (referrer, referred) in names {
            referral(&caller, referrer, referred).await;
        }
        let before = pairs(&caller).await;
        let mut input = json!({ "winner": by_id(&winner), "loser": by_id(&loser), "dryRun": true });
        let moves = "mergeMoves { type relation rowCount emptiedCount } errors { code }";
        let told = caller.mutate("customerMerge", input.clone(), moves).await["mergeMoves"].take();
        let of_referrals: Vec<&Value> =
            told.as_array().unwrap().iter().filter(|row| row["type"] == "Referral").collect();
        let count = |relation: &str, rows: i64, emptied: i64| json!({ "type": "Referral", "relation": relation, "rowCount": rows, "emptiedCount": emptied });
        assert_eq!(of_referrals, [&count("referrer", 2, 0), &count("referred", 3, 2)]);
        assert_eq!(pairs(&caller).await, before, "nothing changes in a dry run");

        input["dryRun"] = json!(false);
        let done = caller.mutate("customerMerge", input, "outcome").await;
        assert_eq!(done["outcome"], "UPDATED");
        let after = [(&winner, ""), (&winner, ""), (&winner, other.as_str()), (&other, &winner), (&winner, &other)];
        let after: Vec<_> = after.into_iter().map(|(referrer, referred)| pair(referrer, referred)).collect();
        assert_eq!(pairs(&caller).await[before.len() - 5..], after, "while rows move");
        let told = "SELECT DISTINCT fields FROM event WHERE noun = 'Referral' AND operation = 'UPDATED'
            AND fields LIKE '%referrer%' AND fields LIKE '%referred%'";
        assert_eq!(app.database.look(told.to_owned()).await, [[Some("[\"referrer\",\"referred\"]".to_owned())]]);
        app.store.finish_jobs(now()).await.unwrap();
        assert_eq!(pairs(&caller).await[before.len() - 5..], after);
        unmerge(&caller, &loser).await;
        app.store.finish_jobs(now()).await.unwrap();
        assert_eq!(pairs(&caller).await, before);
        let left = "SELECT reference FROM row_merge_emptied UNION ALL SELECT reference FROM row_merge_move";
        assert_eq!(app.database.look(left.to_owned()).await.len(), 0, "nothing is kept of it");
    }
}

#[tokio::test]
async fn a_referral_of_two_who_became_the_same_is_whole_again_whichever_is_taken_out_first() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for (round, (first, second)) in [(0, 1), (1, 0)].into_iter().flat_map(|order| [order, order]).enumerate() {
        let name = |name: &str| format!("{name} {round}");
        let into = customer(&caller, &name("Into"), json!({})).await;
        let both = [customer(&caller, &name("A"), json!({})).await, customer(&caller, &name("B"), json!({})).await];
        referral(&caller, &both[0], &both[1]).await;
        for one in if round % 2 == 0 { [&both[0], &both[1]] } else { [&both[1], &both[0]] } {
            assert_eq!(merge(&caller, "customer", &into, one).await["outcome"], "UPDATED");
        }
        let last = async || pairs(&caller).await.pop().unwrap();
        assert_eq!(last().await, pair(&into, ""));
        unmerge(&caller, &both[first]).await;
        let halfway = if first == 0 { pair(&both[0], &into) } else { pair(&into, &both[1]) };
        assert_eq!(last().await, halfway, "{round}");
        unmerge(&caller, &both[second]).await;
        assert_eq!(last().await, pair(&both[0], &both[1]), "{round}");
    }
}

#[tokio::test]
async fn who_was_referred_since_stays() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let [a, b, c] = [
        customer(&caller, "A", json!({})).await,
        customer(&caller, "B", json!({})).await,
        customer(&caller, "C", json!({})).await,
    ];
    let id = referral(&caller, &a, &b).await;
    merge(&caller, "customer", &a, &b).await;
    let input = json!({ "by": by_id(&id), "referredRef": by_id(&c) });
    assert_eq!(caller.mutate("referralUpdate", input, "outcome").await["outcome"], "UPDATED");
    unmerge(&caller, &b).await;
    assert_eq!(pairs(&caller).await, [pair(&a, &c)]);
}
