//! Filters that follow relations, that are long, and that speak of the archive.

use serde_json::{Value, json};

use crate::app::{App, Caller};

/// Names of the points a filter finds.
async fn points(caller: &Caller<'_>, filter: &Value) -> String {
    let document = "query($filter: InteractionPointFilter) {
        interactionPoints(filter: $filter, orderBy: [{ field: NAME }]) { totalCount nodes { name } } }";
    let data = caller.data(document, json!({ "filter": filter })).await;
    let nodes = data["interactionPoints"]["nodes"].as_array().unwrap();
    assert_eq!(data["interactionPoints"]["totalCount"], nodes.len(), "{filter}");
    nodes.iter().map(|node| node["name"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

async fn make(caller: &Caller<'_>, field: &str, input: Value) -> String {
    let made = caller.mutate(field, input, "node { id } errors { code path }").await;
    made["node"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}

/// Point A: owner Desk, phone, two expectations, an influencer; B: owner Back, mail, one expectation; C: nothing.
async fn map(caller: &Caller<'_>) {
    let key = |id: &str| json!({ "externalId": { "system": "test", "id": id } });
    let named = |name: &str| json!({ "name": name, "externalIds": [{ "system": "test", "id": name }] });
    for (field, name) in [
        ("departmentCreate", "Desk"),
        ("departmentCreate", "Back"),
        ("mediumCreate", "Phone"),
        ("mediumCreate", "Mail"),
        ("influencerCreate", "Friend"),
    ] {
        make(caller, field, named(name)).await;
    }
    for (name, owner) in [("A", key("Desk")), ("B", key("Back")), ("C", Value::Null)] {
        let mut input = named(name);
        input["ownerRef"] = owner;
        let id = make(caller, "interactionPointCreate", input).await;
        let mediums = match name {
            "A" => json!([key("Phone")]),
            "B" => json!([key("Mail")]),
            _ => json!([]),
        };
        caller.mutate("interactionPointSetMediums", json!({ "by": { "id": id }, "mediums": mediums }), "outcome").await;
        if name == "A" {
            let links = json!([{ "influencer": key("Friend"), "strength": 2 }]);
            caller
                .mutate(
                    "interactionPointSetInfluencers",
                    json!({ "by": { "id": id }, "influencers": links }),
                    "outcome",
                )
                .await;
        }
    }
    for (point, statement, importance) in [("A", "Fast", json!(7)), ("A", "Kind", json!(null)), ("B", "Fast", json!(1))]
    {
        let input =
            json!({ "statement": statement, "source": "RESEARCH", "importance": importance, "pointRef": key(point) });
        make(caller, "expectationCreate", input).await;
    }
}

#[tokio::test]
async fn a_relation_is_filtered_by_one_some_or_none_of_its_rows() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    map(&caller).await;
    let desk = caller.ask(r#"{ department(by: { externalId: { system: "test", id: "Desk" } }) { id } }"#).await;
    let desk = &desk["department"]["id"];
    for (filter, names) in [
        (json!({ "owner": { "name": { "eq": "Desk" } } }), "A"),
        (json!({ "owner": { "name": { "neq": "Desk" } } }), "B"),
        (json!({ "not": { "owner": { "name": { "eq": "Desk" } } } }), "B C"),
        (json!({ "owner": { "id": { "eq": desk } } }), "A"),
        (json!({ "not": { "owner": { "id": { "in": [desk, "none"] } } } }), "B C"),
        (json!({ "owner": {} }), "A B"),
        (json!({ "not": { "owner": {} } }), "C"),
        (json!({ "expectations": { "some": { "statement": { "eq": "Fast" } } } }), "A B"),
        (json!({ "expectations": { "some": { "statement": { "eq": "Kind" }, "importance": { "eq": 7 } } } }), ""),
        (json!({ "expectations": { "none": { "statement": { "eq": "Kind" } } } }), "B C"),
        (json!({ "expectations": { "some": {}, "none": { "importance": { "isNull": true } } } }), "B"),
        (json!({ "expectations": { "none": {} } }), "C"),
        (json!({ "mediums": { "some": { "name": { "contains": "PHO" } } } }), "A"),
        (json!({ "mediums": { "none": { "name": { "eq": "Phone" } } } }), "B C"),
        (json!({ "influencers": { "some": { "interactionPoints": { "some": { "name": { "eq": "A" } } } } } }), "A"),
        (json!({ "or": [{ "owner": { "name": { "eq": "Back" } } }, { "influencers": { "some": {} } }] }), "A B"),
        (
            json!({ "owner": { "interactionPoints": { "some": { "expectations": { "some": { "importance": { "gt": 5 } } } } } } }),
            "A",
        ),
    ] {
        assert_eq!(points(&caller, &filter).await, names, "{filter}");
    }
}

#[tokio::test]
async fn a_filter_that_speaks_of_the_archive_decides_about_it() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    map(&caller).await;
    let id = caller.ask(r#"{ interactionPoint(by: { externalId: { system: "test", id: "A" } }) { id } }"#).await;
    caller.mutate("interactionPointArchive", json!({ "by": { "id": id["interactionPoint"]["id"] } }), "outcome").await;
    for (filter, names) in [
        (json!({}), "B C"),
        (json!({ "name": { "in": ["A", "B"] } }), "B"),
        (json!({ "archivedAt": { "isNull": false } }), "A"),
        (json!({ "not": { "archivedAt": { "isNull": true } } }), "A"),
        (json!({ "or": [{ "archivedAt": { "isNull": false } }, { "name": { "eq": "B" } }] }), "A B"),
        (json!({ "archivedAt": {} }), "A B C"),
        // Speaking of the archive of another noun says nothing about this one's.
        (json!({ "owner": { "archivedAt": { "isNull": true } } }), "B"),
    ] {
        assert_eq!(points(&caller, &filter).await, names, "{filter}");
    }
    // A related row counts whether archived or not.
    let document = r#"{ departments(filter: { interactionPoints: { some: { name: { eq: "A" } } } }) { totalCount } }"#;
    assert_eq!(caller.ask(document).await["departments"]["totalCount"], 1);
}

#[tokio::test]
async fn a_list_of_a_thousand_values_works_in_every_order_and_between_cursors() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let row = |index: usize| {
        let name = (!index.is_multiple_of(3)).then(|| format!("n{}", index % 7));
        json!({ "externalId": { "system": "test", "id": index.to_string() }, "name": name, "segment": format!("s{index}") })
    };
    let rows: Vec<Value> = (0..60).map(row).collect();
    let done = caller.mutate("customersBulkUpsert", json!({ "rows": rows }), "results { node { id } }").await;
    let mut ids: Vec<&str> =
        done["results"].as_array().unwrap().iter().map(|result| result["node"]["id"].as_str().unwrap()).collect();
    ids.truncate(50);
    ids.resize(1_000, "cust_01h455vb4pex5vsknk084sn02q");
    let segments: Vec<String> = (0..1_000).map(|index| format!("s{index}")).collect();
    let document = "query($filter: CustomerFilter, $after: String, $before: String) { customers(first: 1000, filter: $filter,
        after: $after, before: $before, orderBy: [{ field: NAME, direction: DESC }, { field: SEGMENT, direction: DESC }]) {
        totalCount edges { cursor node { id } } } }";
    let parts: Vec<Value> = (0..2).map(|_| json!({ "id": { "in": ids }, "segment": { "in": segments } })).collect();
    let mut variables = json!({ "filter": { "and": parts } });
    let list = caller.data(document, variables.clone()).await["customers"].take();
    let edges = list["edges"].as_array().unwrap();
    assert_eq!((&list["totalCount"], edges.len()), (&json!(50), 50));
    variables["after"] = edges[3]["cursor"].clone();
    variables["before"] = edges[45]["cursor"].clone();
    let between = caller.data(document, variables).await["customers"]["edges"].take();
    assert_eq!(between.as_array().unwrap(), &edges[4..45]);
}

async fn refused(caller: &Caller<'_>, filter: Value) -> Value {
    let document = "query($filter: InteractionPointFilter) { interactionPoints(filter: $filter) { nodes { id } } }";
    let reply = caller.run(document, json!({ "filter": filter })).await;
    reply.body.pointer("/errors/0/extensions/code").cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_filter_that_is_too_long_or_too_deep_is_refused() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let many =
        |count: usize| -> Value { (0..count).map(|index| json!({ "name": { "eq": index.to_string() } })).collect() };
    let deep = |count: usize| (0..count).fold(json!({ "name": { "eq": "A" } }), |inside, _| json!({ "not": inside }));
    let related = |count: usize| {
        let follow = |inside, _| json!({ "owner": { "interactionPoints": { "some": inside } } });
        (0..count).fold(json!({ "name": { "eq": "A" } }), follow)
    };
    for fine in [json!({ "or": many(150) }), json!({ "and": many(150) }), deep(15), related(4)] {
        assert_eq!(refused(&caller, fine).await, Value::Null);
    }
    let values: Vec<String> = (0..1_001).map(|index| index.to_string()).collect();
    for excessive in [
        json!({ "or": many(5_000) }),
        json!({ "and": many(501) }),
        deep(17),
        related(6),
        json!({ "name": { "in": values } }),
    ] {
        let told: String = excessive.to_string().chars().take(60).collect();
        assert_eq!(refused(&caller, excessive).await, "BAD_USER_INPUT", "{told}");
    }
    let tags = json!({ "feedbackRecords": { "some": { "tags": { "hasAll": values[..1_000] } } } });
    assert_eq!(refused(&caller, tags).await, Value::Null, "a set is looked into once, however many items");
}
