//! Random merges and undone merges: no row is lost, none is there twice, every external id resolves,
//! and nobody refers themselves.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{customer, merge};
use crate::{
    app::{App, Caller},
    record::{by_id, key, made},
};

/// A small generator of numbers, so that a failure can be repeated.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// Records a referral, which is refused between the two names of one person. Answers its id.
async fn refer(caller: &Caller<'_>, [from, to]: [&str; 2], are_two: bool) -> Option<String> {
    let row = json!({ "referrerRef": by_id(from), "referredRef": by_id(to) });
    let done = caller.mutate("referralCreate", row, "outcome node { id }").await;
    assert_eq!(done["outcome"] == "CREATED", are_two, "{done}");
    done["node"]["id"].as_str().map(str::to_owned)
}

/// The person that a person is now.
fn root(parent: &[Option<usize>], mut at: usize) -> usize {
    while let Some(above) = parent[at] {
        at = above;
    }
    at
}

#[tokio::test]
async fn no_row_is_lost_or_doubled_and_every_external_id_resolves() {
    const PEOPLE: usize = 6;
    for seed in 0..4 {
        let mut dice = Dice(seed);
        let app = App::start().await;
        let caller = app.admin("one").await;
        let mut ids = Vec::new();
        for person in 0..PEOPLE {
            ids.push(customer(&caller, &person.to_string(), json!({ "email": format!("{person}@example.org") })).await);
        }
        // The person that each person and each row is about now.
        let mut parent: Vec<Option<usize>> = vec![None; PEOPLE];
        let mut rows: BTreeMap<String, usize> = BTreeMap::new();
        let mut referrals: BTreeMap<String, [usize; 2]> = BTreeMap::new();
        for round in 0..30 {
            let (one, other) = (dice.below(PEOPLE), dice.below(PEOPLE));
            match dice.below(5) {
                4 => {
                    let pair = [root(&parent, one), root(&parent, other)];
                    if let Some(id) = refer(&caller, [&ids[one], &ids[other]], pair[0] != pair[1]).await {
                        referrals.insert(id, pair);
                    }
                }
                0 | 1 => {
                    let row = json!({ "kind": "PRAISE", "customerRef": by_id(&ids[one]) });
                    rows.insert(made(&caller, "feedbackRecordCreate", row).await, one);
                }
                2 => {
                    let done = merge(&caller, "customer", &ids[one], &ids[other]).await;
                    let (winner, loser) = (root(&parent, one), root(&parent, other));
                    let is_done = winner != loser && loser == other;
                    assert_eq!(done["outcome"] == "UPDATED", is_done, "seed {seed}, round {round}: {done}");
                    if is_done {
                        // Rows of persons merged before are now about the winner in the eyes of a later merge.
                        parent[loser] = Some(winner);
                    }
                }
                _ => {
                    let input = json!({ "loser": by_id(&ids[one]) });
                    let done = caller.mutate("customerUnmerge", input, "outcome").await;
                    let is_last = parent[one].is_some_and(|winner| parent[winner].is_none());
                    assert_eq!(done["outcome"] == "CREATED", is_last, "seed {seed}, round {round}: {done}");
                    if is_last {
                        parent[one] = None;
                    }
                }
            }
            let document = "query($ids: [ID!]!) { nodes(ids: $ids) { id }
                customers { totalCount nodes { id externalIds { id } feedbackRecords { nodes { id } }
                    contactPoints { nodes { isPrimary } } } } feedbackRecords { totalCount }
                referrals(first: 100) { nodes { id referrer { id } referred { id } } } }";
            let seen = caller.data(document, json!({ "ids": ids })).await;
            let roots: Vec<Value> = (0..PEOPLE).map(|at| json!({ "id": ids[root(&parent, at)] })).collect();
            assert_eq!(seen["nodes"], json!(roots), "seed {seed}, round {round}");
            let all = seen["customers"]["nodes"].as_array().unwrap();
            assert_eq!(all.len(), parent.iter().filter(|above| above.is_none()).count());
            let list = |customer: &Value, field: &str| {
                let items = if customer[field].is_array() { &customer[field] } else { &customer[field]["nodes"] };
                items.as_array().unwrap().clone()
            };
            let in_lists: Vec<Value> = all.iter().flat_map(|customer| list(customer, "feedbackRecords")).collect();
            let mut distinct: Vec<String> = in_lists.iter().map(Value::to_string).collect();
            distinct.sort();
            distinct.dedup();
            assert_eq!((in_lists.len(), distinct.len()), (rows.len(), rows.len()), "seed {seed}, round {round}");
            assert_eq!(seen["feedbackRecords"]["totalCount"], rows.len());
            assert_eq!(all.iter().flat_map(|customer| list(customer, "externalIds")).count(), PEOPLE);
            assert_eq!(all.iter().flat_map(|customer| list(customer, "contactPoints")).count(), PEOPLE);
            let named: BTreeMap<String, Value> = referrals
                .iter()
                .map(|(id, pair)| {
                    let [from, to] = pair.map(|person| root(&parent, person));
                    let named = if from == to { Value::Null } else { json!({ "id": ids[to] }) };
                    (id.clone(), json!({ "id": id, "referrer": { "id": ids[from] }, "referred": named }))
                })
                .collect();
            let referrals_seen = seen["referrals"]["nodes"].as_array().unwrap().iter();
            let referrals_seen: BTreeMap<String, Value> =
                referrals_seen.map(|node| (node["id"].as_str().unwrap().to_owned(), node.clone())).collect();
            assert_eq!(referrals_seen, named, "seed {seed}, round {round}");
            for customer in all {
                let points = list(customer, "contactPoints");
                assert_eq!(points.iter().filter(|point| point["isPrimary"] == true).count(), 1, "{customer}");
            }
            for person in 0..PEOPLE {
                let document = "query($key: ExternalIdInput!) { customer(by: { externalId: $key }) { id } }";
                let found = caller.data(document, json!({ "key": key(&person.to_string()) })).await;
                assert_eq!(found["customer"]["id"], json!(ids[root(&parent, person)]), "seed {seed}, round {round}");
            }
        }
        // Undone one after the other, every row is about the person again whom it was first about, or about one into
        // whom that one was merged when it came.
        while let Some(last) = (0..PEOPLE).find(|at| parent[*at].is_some_and(|winner| parent[winner].is_none())) {
            let done = caller.mutate("customerUnmerge", json!({ "loser": by_id(&ids[last]) }), "outcome").await;
            assert_eq!(done["outcome"], "CREATED");
            parent[last] = None;
        }
        let seen = caller.ask("{ customers { totalCount nodes { email externalIds { id } } } }").await;
        assert_eq!(seen["customers"]["totalCount"], PEOPLE);
        for customer in seen["customers"]["nodes"].as_array().unwrap() {
            let own = customer["externalIds"][0]["id"].as_str().unwrap();
            assert_eq!(customer["email"], format!("{own}@example.org"));
        }
    }
}
