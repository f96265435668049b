//! How many statements a request costs: the same for one row and for a thousand.

use serde_json::{Value, json};

use crate::app::{App, Caller};

/// An organization with 20 points of 6 expectations and 4 feedback records each.
async fn filled(app: &App) -> Caller<'_> {
    let caller = app.admin("one").await;
    let key = |id: String| json!({ "system": "test", "id": id });
    let below = |point: usize, count: usize, row: &dyn Fn(usize) -> Value| -> Vec<Value> {
        (0..count)
            .map(|index| {
                let mut row = row(index);
                row["externalId"] = key(format!("{point}-{index}"));
                row["pointRef"] = json!({ "externalId": key(point.to_string()) });
                row
            })
            .collect()
    };
    let mediums = vec![json!({ "externalId": key("m".into()), "name": "Phone" })];
    let points = (0..20).map(|place| json!({ "externalId": key(place.to_string()), "name": place.to_string() }));
    let expectation = |_| json!({ "statement": "Fast", "source": "RESEARCH" });
    let feedback = |day| {
        let at = format!("2026-01-0{}T00:00:00Z", day + 1);
        json!({ "kind": "COMPLAINT", "receivedAt": at, "mediumRef": { "externalId": key("m".into()) } })
    };
    for (field, rows) in [
        ("mediumsBulkUpsert", mediums),
        ("interactionPointsBulkUpsert", points.collect()),
        ("expectationsBulkUpsert", (0..20).flat_map(|point| below(point, 6, &expectation)).collect()),
        ("feedbackRecordsBulkUpsert", (0..20).flat_map(|point| below(point, 4, &feedback)).collect()),
    ] {
        let done = caller.mutate(field, json!({ "rows": rows }), "errors { code }").await;
        assert_eq!(done["errors"], json!([]), "{field}");
    }
    caller
}

/// The answer, and what it cost.
async fn counted(app: &App, caller: &Caller<'_>, document: &str, variables: Value) -> (Value, u64) {
    let before = app.store.statements();
    let data = caller.data(document, variables).await;
    (data, app.store.statements() - before)
}

#[tokio::test]
async fn a_point_by_id_costs_one_statement_whether_it_is_there_or_not() {
    let app = App::start().await;
    let caller = filled(&app).await;
    let id =
        caller.ask("{ interactionPoints(first: 1) { nodes { id } } }").await["interactionPoints"]["nodes"][0]["id"]
            .take();
    let document = "query($id: ID!) { interactionPoint(by: { id: $id }) { id name kind version } }";
    let (data, cost) = counted(&app, &caller, document, json!({ "id": id })).await;
    assert_eq!((&data["interactionPoint"]["id"], cost), (&id, 1));
    for unknown in ["point_01h455vb4pex5vsknk084sn02q", "dept_01h455vb4pex5vsknk084sn02q", "none"] {
        let (data, cost) = counted(&app, &caller, document, json!({ "id": unknown })).await;
        assert_eq!((&data["interactionPoint"], cost), (&Value::Null, 1), "{unknown}");
    }
}

#[tokio::test]
async fn twenty_points_with_their_expectations_and_last_feedback_cost_three_statements() {
    let app = App::start().await;
    let caller = filled(&app).await;
    let document = "{ interactionPoints(first: 20) { nodes { name
        expectations(first: 5, orderBy: [{ field: RANK }]) { nodes { statement } }
        feedbackRecords(first: 3, orderBy: [{ field: RECEIVED_AT, direction: DESC }]) { nodes { receivedAt } }
    } } }";
    let (data, cost) = counted(&app, &caller, document, json!({})).await;
    let nodes = data["interactionPoints"]["nodes"].as_array().unwrap();
    assert_eq!((nodes.len(), cost), (20, 3));
    for node in nodes {
        assert_eq!(node["expectations"]["nodes"].as_array().unwrap().len(), 5);
        assert_eq!(node["feedbackRecords"]["nodes"][2]["receivedAt"], "2026-01-02T00:00:00Z");
    }
}

#[tokio::test]
async fn a_page_of_feedback_with_point_and_medium_costs_three_statements() {
    let app = App::start().await;
    let caller = filled(&app).await;
    let document = r#"{ feedbackRecords(first: 50, orderBy: [{ field: RECEIVED_AT, direction: DESC }], filter: {
        kind: { eq: COMPLAINT }, receivedAt: { gte: "2026-01-02T00:00:00Z", lt: "2026-01-04T00:00:00Z" }
    }) { nodes { receivedAt point { name } medium { name } } pageInfo { hasNextPage endCursor } } }"#;
    let (data, cost) = counted(&app, &caller, document, json!({})).await;
    let nodes = data["feedbackRecords"]["nodes"].as_array().unwrap();
    assert_eq!((nodes.len(), cost), (40, 3));
    assert!(nodes.iter().all(|node| node["medium"]["name"] == "Phone" && node["point"]["name"].is_string()));
}

#[tokio::test]
async fn counting_alone_costs_one_statement() {
    let app = App::start().await;
    let caller = filled(&app).await;
    let (data, cost) = counted(&app, &caller, "{ feedbackRecords { totalCount } }", json!({})).await;
    assert_eq!((&data["feedbackRecords"]["totalCount"], cost), (&json!(80), 1));
    let (_, cost) = counted(&app, &caller, "{ feedbackRecords { totalCount nodes { id } } }", json!({})).await;
    assert_eq!(cost, 2);
    let nested = "{ interactionPoints { nodes { expectations { totalCount } } } }";
    assert_eq!(counted(&app, &caller, nested, json!({})).await.1, 2);
}

#[tokio::test]
async fn the_same_relation_asked_for_in_several_places_is_read_once() {
    let app = App::start().await;
    let caller = filled(&app).await;
    let document = "{ interactionPoints { nodes {
            expectations { nodes { id } } ...More ... on InteractionPoint { expectations { edges { cursor } } }
        } } }
        fragment More on InteractionPoint { expectations { nodes { statement } pageInfo { hasNextPage } } }";
    let (data, cost) = counted(&app, &caller, document, json!({})).await;
    assert_eq!(cost, 2);
    let list = &data["interactionPoints"]["nodes"][0]["expectations"];
    assert!(list["nodes"][0]["id"].is_string() && list["nodes"][0]["statement"].is_string());
    assert!(list["edges"][0]["cursor"].is_string() && list["pageInfo"]["hasNextPage"].is_boolean());
}

#[tokio::test]
async fn a_list_asked_for_twice_under_one_name_is_read_once_and_under_two_names_twice() {
    let app = App::start().await;
    let caller = filled(&app).await;
    let document = "{ points: interactionPoints { nodes { id } } ...More }
        fragment More on Query { points: interactionPoints { nodes { owner { id } } totalCount } }";
    let (data, cost) = counted(&app, &caller, document, json!({})).await;
    assert_eq!((&data["points"]["totalCount"], cost), (&json!(20), 2));
    assert!(data["points"]["nodes"][0]["id"].is_string());
    let document = "{ a: interactionPoints { nodes { id } } b: interactionPoints { nodes { id } } }";
    assert_eq!(counted(&app, &caller, document, json!({})).await.1, 2);
}

#[tokio::test]
async fn a_list_asked_for_as_nodes_and_as_edges_is_read_once() {
    let app = App::start().await;
    let caller = filled(&app).await;
    let document = "{ interactionPoints { nodes { id name } edges { cursor node { kind } } pageInfo { endCursor } } }";
    assert_eq!(counted(&app, &caller, document, json!({})).await.1, 1);
}

#[tokio::test]
async fn a_relation_nobody_has_costs_nothing() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let document =
        "{ interactionPoints { nodes { owner { name } expectations { nodes { id } } externalIds { id } } } }";
    assert_eq!(counted(&app, &caller, document, json!({})).await.1, 1);
}

#[tokio::test]
async fn a_create_with_an_idempotency_key_costs_a_fixed_number_of_statements() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let document = "mutation($input: DepartmentCreateInput!) { departmentCreate(input: $input) { node { id } } }";
    let input = json!({ "input": { "name": "A", "idempotencyKey": "k" } });
    // The key, the row, the entry and the document of the search, the key's result, the event's sequence and the event;
    // on PostgreSQL all in one.
    let is_sqlite = app.database.is_sqlite();
    let (first, cost) = counted(&app, &caller, document, input.clone()).await;
    assert_eq!(cost, if is_sqlite { 7 } else { 1 });
    // The key, its result, and the node; on PostgreSQL after the key was used in vain.
    let (second, cost) = counted(&app, &caller, document, input).await;
    assert_eq!((second, cost), (first, if is_sqlite { 3 } else { 4 }));
}

#[tokio::test]
async fn a_bulk_upsert_of_a_thousand_costs_what_one_of_ten_does() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let mut costs = Vec::new();
    for count in [10, 1_000] {
        let rows: Vec<Value> = (0..count)
            .map(|index| json!({ "externalId": { "system": "test", "id": format!("{count}-{index}") }, "name": "A" }))
            .collect();
        let document = "mutation($input: DepartmentsBulkUpsertInput!) {
            departmentsBulkUpsert(input: $input) { results { outcome node { id externalIds { id } } } } }";
        for name in ["made", "unchanged"] {
            let input = json!({ "input": { "rows": rows, "idempotencyKey": format!("{name} {count}") } });
            costs.push(counted(&app, &caller, document, input).await.1);
        }
    }
    assert_eq!(costs[..2], costs[2..]);
}

#[tokio::test]
async fn a_journey_of_forty_steps_with_everything_costs_twelve_statements() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let points: Vec<Value> = (0..40)
        .map(|place| {
            json!({ "name": format!("P{place}"), "stage": format!("S{}", place / 8), "mediums": ["Web", "Phone"],
                "influencers": ["Friend"], "expectations": ["a", "b", "c", "d", "e"] })
        })
        .collect();
    let input = json!({ "title": "Trip", "points": points });
    let made = caller.mutate("quickJourney", input, "node { id } errors { code }").await;
    assert_eq!(made["errors"], json!([]));
    let id = made["node"]["id"].clone();
    caller.mutate("journeyPublish", json!({ "by": { "id": id } }), "outcome").await;
    let department = caller.ask("{ departments { nodes { id } } }").await["departments"]["nodes"][0].take();
    let points =
        caller.ask("{ interactionPoints(first: 40) { nodes { id } } }").await["interactionPoints"]["nodes"].take();
    let owned = json!({ "by": { "id": points[0]["id"] }, "ownerRef": department });
    caller.mutate("interactionPointUpdate", owned, "outcome").await;
    let document = "query($id: ID!) { journey(by: { id: $id }) { title status editions { nodes { number } }
        stages(orderBy: [{ field: POSITION }]) { nodes { name } }
        steps(first: 40, orderBy: [{ field: POSITION }]) { nodes { label position stage { name } point { name kind
            owner { name } mediums { nodes { name } } influencers { edges { strength node { name } } }
            expectations(first: 5, orderBy: [{ field: RANK }]) { nodes { statement rank } }
            feedbackRecords(first: 3) { nodes { receivedAt } } } } }
        links(first: 100) { nodes { kind label from { id } to { id } } } } }";
    let (data, cost) = counted(&app, &caller, document, json!({ "id": id })).await;
    assert_eq!(cost, 12);
    let journey = &data["journey"];
    let steps = journey["steps"]["nodes"].as_array().unwrap();
    assert_eq!((steps.len(), journey["links"]["nodes"].as_array().unwrap().len()), (40, 39));
    assert!(steps.iter().all(|step| step["point"]["expectations"]["nodes"].as_array().unwrap().len() == 5));
    assert_eq!(journey["stages"]["nodes"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_journey_of_forty_steps_with_every_element_of_its_points_costs_twelve_statements() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let rows = |start: &str, more: &dyn Fn(usize) -> Value| -> Value {
        (0..40)
            .map(|place| {
                let mut row = more(place);
                row["key"] = json!(format!("{start}{place}"));
                row
            })
            .collect()
    };
    let at = |place: usize| format!("p{place}");
    let document = json!({
        "format": "rapport-map/1",
        "mediums": [{ "key": "web", "name": "Web" }],
        "influencers": [{ "key": "friend", "name": "Friend" }],
        "offers": [{ "key": "o", "kind": "EXTRA", "name": "O", "customerBenefit": "C", "organizationBenefit": "O" }],
        "interactionPoints": rows("p", &|place| json!({ "name": format!("P{place}"), "offers": [{ "key": "o" }],
            "mediums": [{ "key": "web" }], "influencers": [{ "key": "friend", "strength": 2 }] })),
        "expectations": rows("e", &|place| json!({ "statement": "E", "source": "RESEARCH", "point": at(place), "rank": 1 })),
        "assumptions": rows("a", &|place| json!({ "about": "SERVICE", "statement": "A", "point": at(place) })),
        "objectives": rows("o", &|place| json!({ "owner": "OURS", "statement": "O", "point": at(place) })),
        "desiredResults": rows("d", &|place| json!({ "statement": "D", "point": at(place) })),
        "journeys": [{ "key": "j", "title": "Trip" }],
        "stages": [{ "key": "s", "name": "All", "journey": "j" }],
        "steps": rows("s", &|place| json!({ "journey": "j", "stage": "s", "point": at(place) })),
        "stepLinks": (1..40).map(|to| json!({ "key": to.to_string(), "journey": "j",
            "from": format!("s{}", to - 1), "to": format!("s{to}") })).collect::<Vec<_>>(),
    });
    let imported =
        caller.mutate("mapImport", json!({ "document": document.to_string() }), "errors { code path }").await;
    assert_eq!(imported["errors"], json!([]));
    let id = caller.ask("{ journeys { nodes { id } } }").await["journeys"]["nodes"][0]["id"].take();
    let document = "query($id: ID!) { journey(by: { id: $id }) { title status stages { nodes { id name } }
        steps(first: 40) { nodes { label position stage { id } point { name promise standards
            mediums { nodes { name } } influencers { edges { strength node { name } } }
            expectations(first: 5) { nodes { statement rank } } assumptions(first: 5) { nodes { statement truth } }
            objectives(first: 5) { nodes { owner statement } } desiredResults(first: 5) { nodes { statement } }
            offers(first: 5) { nodes { name customerBenefit organizationBenefit } } } } }
        links(first: 100) { nodes { kind from { id } to { id } } } } }";
    let (data, cost) = counted(&app, &caller, document, json!({ "id": id })).await;
    assert_eq!(cost, 12);
    let steps = data["journey"]["steps"]["nodes"].as_array().unwrap();
    let lists = ["mediums", "expectations", "assumptions", "objectives", "desiredResults", "offers"];
    assert_eq!(steps.len(), 40);
    assert!(
        steps.iter().all(|step| lists.iter().all(|list| step["point"][list]["nodes"].as_array().unwrap().len() == 1))
    );
}
