//! What follows what: neighbours, starts, ends and paths, and what reading a whole journey costs.

use std::collections::HashSet;

use proptest::{collection::vec, prelude::*, test_runner};
use rapport::map::graph::Graph;
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};

use super::{by_id, journey, linked, made, steps};
use crate::{
    app::{App, Caller},
    outline::codes,
};

fn labels_of(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|step| step["label"].as_str().unwrap()).collect()
}

/// a → b → d, a → c → d, and a way back from d to a.
async fn diamond(caller: &Caller<'_>) -> (String, Vec<String>) {
    let trip = journey(caller, "Trip").await;
    let steps = steps(caller, &trip, &["a", "b", "c", "d"]).await;
    for (from, to, kind) in
        [(0, 1, "SEQUENCE"), (0, 2, "PARALLEL"), (1, 3, "OPTIONAL"), (2, 3, "SEQUENCE"), (3, 0, "LOOP")]
    {
        linked(caller, &trip, &steps[from], &steps[to], kind).await;
    }
    (trip, steps)
}

#[tokio::test]
async fn a_step_knows_its_neighbours_and_a_journey_where_it_starts_and_ends() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (trip, _) = diamond(&caller).await;
    let document = "query($id: ID!) { journey(by: { id: $id }) { starts { label } ends { label }
        steps(orderBy: [{ field: POSITION }]) { nodes { label isStart isEnd
            successors { label } predecessors { label } back: successors(kinds: [LOOP]) { label } } } } }";
    let data = caller.data(document, json!({ "id": trip })).await["journey"].take();
    assert_eq!((labels_of(&data["starts"]), labels_of(&data["ends"])), (vec!["a"], vec!["d"]));
    let shown: Vec<_> = data["steps"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| {
            let lists = ["predecessors", "successors", "back"].map(|list| labels_of(&step[list]).concat());
            (step["isStart"].as_bool().unwrap(), step["isEnd"].as_bool().unwrap(), lists.join("|"))
        })
        .collect();
    let expected = [(true, false, "|bc|"), (false, false, "a|d|"), (false, false, "a|d|"), (false, true, "bc||a")];
    assert_eq!(shown, expected.map(|(start, end, lists)| (start, end, lists.to_owned())));
}

#[tokio::test]
async fn paths_are_simple_bounded_and_in_one_order() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (trip, steps) = diamond(&caller).await;
    let paths = async |arguments: &str| -> (Vec<String>, bool) {
        let shown = "{ hasMore nodes { length steps { step { label } link { kind } } } }";
        let document = format!("query($id: ID!) {{ journey(by: {{ id: $id }}) {{ paths{arguments} {shown} }} }}");
        let data = caller.data(&document, json!({ "id": trip })).await["journey"]["paths"].take();
        let path = |path: &Value| {
            let steps = path["steps"].as_array().unwrap();
            assert_eq!(path["length"], steps.len());
            assert_eq!(steps[0]["link"], Value::Null);
            assert!(steps[1..].iter().all(|step| step["link"]["kind"].is_string()));
            steps.iter().map(|step| step["step"]["label"].as_str().unwrap()).collect()
        };
        (data["nodes"].as_array().unwrap().iter().map(path).collect(), data["hasMore"].as_bool().unwrap())
    };
    let all = |paths: &[&str]| (paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>(), false);
    assert_eq!(paths("").await, all(&["abd", "acd"]));
    assert_eq!(paths("(first: 1)").await, (vec!["abd".to_owned()], true));
    let between =
        |from: usize, to: usize| format!("from: {{ id: \"{}\" }}, to: {{ id: \"{}\" }}", steps[from], steps[to]);
    assert_eq!(paths(&format!("({})", between(0, 2))).await, all(&["ac"]));
    assert_eq!(paths(&format!("({})", between(3, 1))).await, all(&[]));
    let every = "kinds: [SEQUENCE, OPTIONAL, LOOP, PARALLEL]";
    assert_eq!(paths(&format!("({}, {every})", between(3, 1))).await, all(&["dab"]));
    assert_eq!(paths(&format!("({})", between(1, 1))).await, all(&["b"]));
    assert_eq!(paths("(from: { id: \"step_01h455vb4pex5vsknk084sn02q\" })").await, all(&[]));
    for first in [0, 101] {
        let document = format!("{{ journeys {{ nodes {{ paths(first: {first}) {{ hasMore }} }} }} }}");
        assert_eq!(codes(&caller.run(&document, json!({})).await.body), ["BAD_USER_INPUT"]);
    }
}

/// Every way without a step twice, step by step.
fn ways(edges: &[(u8, u8)], path: &mut Vec<u8>, end: u8, found: &mut Vec<Vec<u8>>) {
    let step = path[path.len() - 1];
    if step == end {
        found.push(path.clone());
        return;
    }
    for (_, to) in edges.iter().filter(|(from, _)| *from == step) {
        if !path.contains(to) {
            path.push(*to);
            ways(edges, path, end, found);
            path.pop();
        }
    }
}

#[test]
fn paths_and_circles_are_those_that_a_plain_search_finds() {
    let id = |step: u8| Uuid::from_u128(u128::from(step) + 1);
    let strategy = (vec((0..6_u8, 0..6_u8), 0..14), 0..6_u8, 0..6_u8, 1..20_usize);
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() };
    let result = test_runner::TestRunner::new(config).run(&strategy, |(edges, from, to, most)| {
        let mut graph = Graph::default();
        for (line, (from, to)) in edges.iter().enumerate() {
            graph.add(id(*from), id(*to), Uuid::from_u128(1_000 + line as u128));
        }
        let mut expected = Vec::new();
        ways(&edges, &mut vec![from], to, &mut expected);
        let (found, has_more) = graph.paths(&[id(from)], &HashSet::from([id(to)]), most, &mut 100_000);
        let found: Vec<Vec<Uuid>> = found.iter().map(|path| path.iter().map(|(step, _)| *step).collect()).collect();
        let wanted: Vec<Vec<Uuid>> =
            expected.iter().take(most).map(|path| path.iter().map(|step| id(*step)).collect()).collect();
        assert_eq!((found, has_more), (wanted, expected.len() > most));
        // A line from one step to another closes a cycle where there is a way back.
        let mut back = Vec::new();
        ways(&edges, &mut vec![to], from, &mut back);
        let cycle = graph.cycle(id(from), id(to));
        assert_eq!(cycle.is_some(), !back.is_empty());
        if let Some(cycle) = cycle {
            assert_eq!((cycle[0], cycle[cycle.len() - 1]), (id(from), id(from)));
            let shortest = back.iter().map(Vec::len).min().unwrap();
            assert_eq!(cycle.len(), shortest + 1);
        }
        Ok(())
    });
    result.unwrap();
}

#[tokio::test]
async fn a_journey_of_forty_steps_with_everything_costs_at_most_twelve_statements() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let trip = journey(&caller, "Trip").await;
    let names: Vec<String> = (0..40).map(|step| step.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let steps = steps(&caller, &trip, &names).await;
    let stage = made(&caller, "stageCreate", json!({ "name": "First", "journeyRef": by_id(&trip) })).await;
    made(&caller, "stepUpdate", json!({ "by": { "id": steps[0] }, "stageRef": by_id(&stage) })).await;
    for pair in steps.windows(2) {
        linked(&caller, &trip, &pair[0], &pair[1], "SEQUENCE").await;
    }
    let desk = caller.ask("{ interactionPoints { nodes { id } } }").await["interactionPoints"]["nodes"][0]["id"].take();
    let phone = made(&caller, "mediumCreate", json!({ "name": "Phone" })).await;
    made(&caller, "interactionPointSetMediums", json!({ "by": { "id": desk }, "mediums": [by_id(&phone)] })).await;
    let friend = made(&caller, "influencerCreate", json!({ "name": "Friend" })).await;
    let influencers = json!([{ "influencer": by_id(&friend), "strength": 4 }]);
    made(&caller, "interactionPointSetInfluencers", json!({ "by": { "id": desk }, "influencers": influencers })).await;
    let wish = json!({ "statement": "Fast", "source": "RESEARCH", "pointRef": { "id": desk } });
    made(&caller, "expectationCreate", wish).await;
    made(&caller, "journeyPublish", json!({ "by": { "id": trip } })).await;
    let document = "query($id: ID!) { journey(by: { id: $id }) { title summary customerSegment objective status
        stages(first: 100, orderBy: [{ field: POSITION }]) { nodes { name description position } }
        steps(first: 100, orderBy: [{ field: POSITION }]) { nodes { label notes position stage { name }
            successors { id }
            point { name kind promise objective customerObjective
                mediums { nodes { name } } influencers { edges { strength node { name } } }
                expectations(first: 5, orderBy: [{ field: RANK }]) { nodes { statement rank } } } } }
        links(first: 100) { nodes { kind label from { id } to { id } } }
        editions(first: 1) { nodes { number publishedAt } } } }";
    let before = app.store.statements();
    let data = caller.data(document, json!({ "id": trip })).await;
    let cost = app.store.statements() - before;
    let nodes = data["journey"]["steps"]["nodes"].as_array().unwrap();
    assert_eq!((nodes.len(), nodes[0]["successors"][0]["id"].as_str()), (40, Some(steps[1].as_str())));
    assert_eq!(nodes[39]["point"]["expectations"]["nodes"][0]["statement"], "Fast");
    assert_eq!(data["journey"]["links"]["nodes"].as_array().unwrap().len(), 39);
    // Journey, stages, steps, their stages and points, links from them and where they lead, mediums, influencers,
    // expectations, links, editions; of the ends of links only the ids are asked for, which the links hold.
    assert_eq!(cost, 12);
}
