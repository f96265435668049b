//! A subscription has exactly one root field, whatever its variables.

use entity::Permission;
use serde_json::json;

use super::{Events, refused};
use crate::server::Door;

const STREAM: &str = "text/event-stream";

#[actix_web::test]
async fn a_subscription_has_exactly_one_root_field() {
    let door = Door::open(Vec::new()).await;
    let token = door.token(Permission::ALL);
    for query in [
        "subscription { a: changes { epoch } b: changes { epoch } }",
        "subscription { changes { epoch } ...B } fragment B on Subscription { b: changes { epoch } }",
        "subscription { changes { epoch } ... { b: changes { epoch } } }",
        "subscription { changes { epoch } __typename }",
        "subscription { __typename }",
        "subscription { ... @skip(if: true) { changes { epoch } } }",
        "subscription { changes @skip(if: true) { epoch } }",
        "subscription { changes @include(if: true) { epoch } }",
        "subscription { ...B @include(if: true) } fragment B on Subscription { changes { epoch } }",
        "subscription($a: Boolean = true) { changes @include(if: $a) { epoch } b: changes @skip(if: $a) { epoch } }",
        "subscription { a: changes { epoch } ...A } fragment A on Subscription { ...B } fragment B on Subscription { __schema { types { name } } }",
        // Whichever operation is chosen.
        "query Q { organization { id } } subscription S { a: changes { epoch } b: changes { epoch } }",
    ] {
        let request = json!({ "query": query, "operationName": if query.starts_with("query Q") { json!("Q") } else { json!(null) } });
        let answer = refused(&door, &token, &request, "text/event-stream, application/graphql-response+json").await;
        assert_eq!(answer.refused(), (400, "GRAPHQL_VALIDATION_FAILED"), "{query} {:#}", answer.body);
    }
    for query in [
        "subscription { changes { epoch } }",
        "subscription { changes { epoch } changes { headSequence } }",
        "subscription { ...B } fragment B on Subscription { a: changes { epoch } }",
        "subscription { ... on Subscription { ... { changes { epoch } } } }",
        "subscription($a: Boolean = false) { changes { epoch @skip(if: $a) } }",
    ] {
        let mut events = Events::open(&door, &token, &json!({ "query": query })).await;
        let (name, data) = events.next().await.unwrap().unwrap();
        assert_eq!(name, "next");
        assert!(data.contains("\"epoch\""), "{query} {data}");
    }
    assert_eq!(refused(&door, &token, &json!({ "query": "subscription { x }" }), STREAM).await.refused().0, 400);
}
