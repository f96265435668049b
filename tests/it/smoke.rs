use serde_json::json;

use crate::app::App;

#[tokio::test]
async fn smoke() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let sdl = rapport::schema::build().sdl();
    std::fs::write("/tmp/schema.graphql", sdl).unwrap();
    let doc = r#"mutation($n: String!) { departmentCreate(input: {name: $n, externalIds: [{system: "crm", id: "7"}], idempotencyKey: "a"}) { node { id name version createdAt externalIds { system id } } outcome isReplayed errors { code path message } } }"#;
    println!("{:#}", caller.run(doc, json!({"n": "Häus%"})).await.body);
    println!("{:#}", caller.run(doc, json!({"n": "Häus%"})).await.body);
    println!("{:#}", caller.run(doc, json!({"n": "Other"})).await.body);
    println!("{:#}", caller.run(r#"{ departments(first: 1, filter: {name: {contains: "HÄUS%"}}, orderBy: [{field: NAME, direction: DESC}]) { totalCount nodes { id name } edges { cursor node { __typename createdAt } } pageInfo { hasNextPage endCursor } } }"#, json!({})).await.body);
    let point = caller.run(r#"mutation { interactionPointCreate(input: {name: "Desk", ownerRef: {externalId: {system: "crm", id: "7"}}}) { node { id kind owner { name } expectations(first: 2) { totalCount nodes { id } } } errors { code path message } } }"#, json!({})).await.body;
    println!("{point:#}");
    println!("{:#}", caller.run(r#"mutation { departmentsBulkUpsert(input: {rows: [{externalId: {system: "crm", id: "7"}, name: "Häus%"}, {externalId: {system: "crm", id: "8"}, name: "B"}, {externalId: {system: "crm", id: "8"}, name: "C"}], policy: SKIP_INVALID}) { results { index outcome node { name version } errors { code path } } errors { code } } }"#, json!({})).await.body);
    let id = &point["data"]["interactionPointCreate"]["node"]["id"];
    println!("{:#}", caller.run(r#"query($id: ID!) { node(id: $id) { id ... on InteractionPoint { name version owner { name interactionPoints(first: 3, orderBy: [{field: KIND}]) { nodes { name } totalCount } } mediums { nodes { name } } influencers { edges { strength node { name } } } } } departments(orderBy: [{field: NAME}], filter: {interactionPoints: {some: {name: {eq: "Desk"}}}}) { nodes { name } } }"#, json!({"id": id})).await.body);
    println!("{:#}", caller.run(r#"mutation($id: ID!) { interactionPointDelete(input: {id: $id}) { deletedId outcome errors { code } } }"#, json!({"id": id})).await.body);
}
