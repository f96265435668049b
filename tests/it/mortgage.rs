//! The example's journey: a mortgage, around the points that consumers complain about.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::example::Example;

#[tokio::test]
async fn the_first_journey_of_the_example_is_a_mortgage_with_everything() {
    let example = Example::own().await;
    let data = example
        .admin()
        .ask(
            "{ journeys(first: 1) { nodes { id title customerSegment
                stages(orderBy: [{ field: POSITION }]) { nodes { name } }
                steps(orderBy: [{ field: POSITION }]) { nodes { label stage { name } point { owner { name }
                    mediums { totalCount } influencers { totalCount } feedbackRecords { totalCount }
                    expectations(filter: { rank: { isNull: false } }) { totalCount } } } }
                links(first: 100) { nodes { kind } } } } }",
        )
        .await;
    let journey = &data["journeys"]["nodes"][0];
    assert_eq!(journey["title"], "A mortgage, from the first thought to the last payment");
    let steps = journey["steps"]["nodes"].as_array().unwrap();
    assert_eq!((steps.len(), journey["stages"]["nodes"].as_array().unwrap().len()), (8, 6));
    let mut complaints = 0;
    for step in steps {
        let point = &step["point"];
        assert_eq!((&point["owner"]["name"], &point["expectations"]["totalCount"]), (&json!("Mortgages"), &json!(5)));
        assert!(
            point["mediums"]["totalCount"].as_u64() > Some(0) && point["influencers"]["totalCount"].as_u64() > Some(0)
        );
        assert!(step["stage"]["name"].is_string());
        complaints += point["feedbackRecords"]["totalCount"].as_u64().unwrap();
    }
    // All that were made about mortgages, but those about nothing that the form names.
    assert_eq!(complaints, 890);
    let kinds: Vec<&Value> = journey["links"]["nodes"].as_array().unwrap().iter().map(|link| &link["kind"]).collect();
    assert!(["SEQUENCE", "LOOP", "OPTIONAL"].iter().all(|kind| kinds.contains(&&json!(kind))));
    let document = "query($id: ID!) { coverage(journeyRef: { id: $id }) { findings { key count } } }";
    let coverage = example.admin().data(document, json!({ "id": journey["id"] })).await;
    for finding in coverage["coverage"]["findings"].as_array().unwrap() {
        let may_lack = ["NO_RECENT_FEEDBACK", "EXPECTATION_NOT_MEASURED"].contains(&finding["key"].as_str().unwrap());
        assert!(may_lack || finding["count"] == 0, "{finding:#}");
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a setting of the tests themselves")]
async fn the_picture_of_the_mortgage_is_the_one_in_the_readme() {
    let example = Example::own().await;
    let data = example.admin().ask("{ journeys(first: 1) { nodes { diagram(format: SVG) } } }").await;
    let drawn = data["journeys"]["nodes"][0]["diagram"].as_str().unwrap();
    let name = "examples/complaints/journey.svg";
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if std::env::var("RAPPORT_TEST_REWRITE").is_ok() {
        fs::write(root.join(name), drawn).unwrap();
    }
    assert!(fs::read_to_string(root.join(name)).unwrap() == drawn, "{name} differs");
    assert!(fs::read_to_string(root.join("README.md")).unwrap().contains(&format!("({name})")));
}
