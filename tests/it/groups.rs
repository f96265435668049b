//! Groups of feedback records: means with their n, calendar buckets, and what is refused.

use entity::Permission;
use serde_json::{Value, json};

use crate::app::{App, Caller};

const GROUPS: &str = "query(
    $filter: FeedbackRecordFilter, $by: [FeedbackRecordGroupKey!]!, $bucket: BucketInput, $order: GroupOrder, $first: Int
) {
    groups: feedbackRecordGroups(filter: $filter, groupBy: $by, bucket: $bucket, orderBy: $order, first: $first) {
        recordCount groupCount
        nodes {
            count kind product tag bucketStart bucketEnd point { name } medium { name } department { name }
            meanNps { mean n } meanCsat { mean n } cesMeans { scale mean n } meanSentimentScore { mean n }
        }
    }
}";

async fn record(caller: &Caller<'_>, input: Value) {
    let mut input = input;
    input["kind"] = json!("SURVEY");
    let done = caller.mutate("feedbackRecordCreate", input, "outcome errors { code path }").await;
    assert_eq!(done["outcome"], "CREATED", "{done}");
}

async fn records_at(caller: &Caller<'_>, instants: &[&str]) {
    for at in instants {
        record(caller, json!({ "receivedAt": at })).await;
    }
}

async fn groups(caller: &Caller<'_>, mut variables: Value) -> Value {
    if variables["by"].is_null() {
        variables["by"] = json!([]);
    }
    caller.data(GROUPS, variables).await["groups"].take()
}

/// The buckets in their order: start, end and count.
async fn buckets(caller: &Caller<'_>, bucket: Value) -> Vec<(String, String, u64)> {
    let groups = groups(caller, json!({ "bucket": bucket, "order": "KEY", "first": 10_000 })).await;
    let nodes = groups["nodes"].as_array().unwrap();
    assert_eq!(groups["groupCount"].as_u64(), Some(nodes.len() as u64));
    assert!(nodes.windows(2).all(|pair| pair[0]["bucketEnd"] == pair[1]["bucketStart"]));
    let text = |value: &Value| value.as_str().unwrap().replace(":00:00Z", "Z");
    let bucket = |node: &Value| (text(&node["bucketStart"]), text(&node["bucketEnd"]), node["count"].as_u64().unwrap());
    nodes.iter().map(bucket).collect()
}

fn told(buckets: &[(&str, &str, u64)]) -> Vec<(String, String, u64)> {
    buckets.iter().map(|(start, end, count)| ((*start).to_owned(), (*end).to_owned(), *count)).collect()
}

#[track_caller]
fn code(reply: &crate::app::Reply) -> &str {
    let errors = reply.body["errors"].as_array().unwrap_or_else(|| panic!("{:#}", reply.body));
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0]["extensions"]["code"].as_str().unwrap()
}

#[tokio::test]
async fn a_mean_is_over_the_records_that_have_the_score() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for input in [
        json!({ "product": "A", "nps": 10, "csat": 4 }),
        json!({ "product": "A", "nps": 7, "csat": 5 }),
        json!({ "product": "A", "nps": 0 }),
        json!({ "product": "A" }),
        json!({ "product": "B", "ces": 7, "sentimentScore": -0.5 }),
        json!({ "product": "B", "ces": 2, "sentimentScore": 0.25 }),
        json!({ "product": "B", "ces": 5, "cesScale": "EFFORT_5" }),
        json!({ "product": "B", "ces": 2, "cesScale": "EFFORT_5" }),
        json!({ "product": "B", "ces": 1, "cesScale": "EASE_5" }),
        json!({ "product": "B", "ces": 6, "cesScale": "EFFORT_7" }),
        json!({}),
    ] {
        record(&caller, input).await;
    }
    let found = groups(&caller, json!({ "by": ["PRODUCT"], "order": "KEY" })).await;
    let nodes = found["nodes"].as_array().unwrap();
    let none = json!({ "mean": null, "n": 0 });
    let mean = |mean: f64, n: u64| json!({ "mean": mean, "n": n });
    let effort = |scale: &str, mean: f64, n: u64| json!({ "scale": scale, "mean": mean, "n": n });
    let efforts =
        [effort("EASE_7", 4.5, 2), effort("EASE_5", 1.0, 1), effort("EFFORT_7", 6.0, 1), effort("EFFORT_5", 3.5, 2)];
    let expected = [
        (json!(null), 1, [none.clone(), none.clone(), json!([]), none.clone()]),
        (json!("A"), 4, [mean(17.0 / 3.0, 3), mean(4.5, 2), json!([]), none.clone()]),
        (json!("B"), 6, [none.clone(), none.clone(), json!(efforts), mean(-0.125, 2)]),
    ];
    assert_eq!(nodes.len(), expected.len());
    for (node, (product, count, means)) in nodes.iter().zip(&expected) {
        assert_eq!((&node["product"], node["count"].as_u64()), (product, Some(*count)));
        for (name, mean) in ["meanNps", "meanCsat", "cesMeans", "meanSentimentScore"].iter().zip(means) {
            assert_eq!(&node[name], mean, "{name} of {product}");
        }
    }
    let all = groups(&caller, json!({})).await;
    assert_eq!((&all["recordCount"], &all["groupCount"]), (&json!(11), &json!(1)));
    assert_eq!(all["nodes"][0]["meanNps"], mean(17.0 / 3.0, 3));
}

#[tokio::test]
async fn an_effort_answer_is_within_its_scale() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let asked = "node { id ces cesScale } errors { code path }";
    let create = |input: Value| caller.mutate("feedbackRecordCreate", input, asked);
    let seven = create(json!({ "kind": "SURVEY", "ces": 7 })).await;
    assert_eq!((&seven["node"]["ces"], &seven["node"]["cesScale"]), (&json!(7), &json!("EASE_7")));
    for scale in ["EASE_5", "EFFORT_5"] {
        let refused = create(json!({ "kind": "SURVEY", "ces": 6, "cesScale": scale })).await;
        assert_eq!(refused["errors"], json!([{ "code": "OUT_OF_RANGE", "path": ["ces"] }]), "{scale}");
        let by = json!({ "id": seven["node"]["id"] });
        let refused = caller.mutate("feedbackRecordUpdate", json!({ "by": by, "cesScale": scale }), asked).await;
        assert_eq!(refused["errors"], json!([{ "code": "OUT_OF_RANGE", "path": ["cesScale"] }]), "{scale}");
        let done = create(json!({ "kind": "SURVEY", "ces": 5, "cesScale": scale })).await;
        assert_eq!((&done["errors"], &done["node"]["cesScale"]), (&json!([]), &json!(scale)));
    }
    let highest = create(json!({ "kind": "SURVEY", "ces": 7, "cesScale": "EFFORT_7" })).await;
    assert_eq!(highest["errors"], json!([]));
    let found = groups(&caller, json!({})).await;
    let scales = found["nodes"][0]["cesMeans"].as_array().unwrap().iter().map(|mean| &mean["scale"]);
    assert_eq!(scales.collect::<Vec<_>>(), ["EASE_7", "EASE_5", "EFFORT_7", "EFFORT_5"]);
}

#[tokio::test]
async fn a_record_without_a_tag_counts_under_none_and_one_with_two_counts_twice() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for tags in [json!([]), json!(["a"]), json!(["a", "b"])] {
        record(&caller, json!({ "tags": tags, "nps": 5 })).await;
    }
    let found = groups(&caller, json!({ "by": ["TAG"], "order": "KEY" })).await;
    let tags: Vec<_> = found["nodes"].as_array().unwrap().iter().map(|node| (&node["tag"], &node["count"])).collect();
    assert_eq!(tags, [(&json!(null), &json!(1)), (&json!("a"), &json!(2)), (&json!("b"), &json!(1))]);
    assert_eq!((&found["recordCount"], &found["groupCount"]), (&json!(3), &json!(3)));
}

#[tokio::test]
async fn absent_keys_are_a_group_of_their_own_and_come_first() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let point = caller.mutate("interactionPointCreate", json!({ "name": "Desk" }), "node { id }").await;
    let medium = caller.mutate("mediumCreate", json!({ "name": "Phone" }), "node { id }").await;
    let (point, medium) = (json!({ "id": point["node"]["id"] }), json!({ "id": medium["node"]["id"] }));
    for input in [json!({}), json!({ "pointRef": point }), json!({ "pointRef": point, "mediumRef": medium })] {
        record(&caller, input).await;
    }
    let found = groups(&caller, json!({ "by": ["POINT", "MEDIUM", "DEPARTMENT", "KIND"], "order": "KEY" })).await;
    let names = |node: &Value| {
        ["point", "medium", "department"].map(|key| node[key]["name"].as_str().unwrap_or("-").to_owned()).join(" ")
    };
    let nodes = found["nodes"].as_array().unwrap();
    let found: Vec<_> = nodes.iter().map(names).collect();
    assert_eq!(found, ["- - Unassigned", "Desk - Unassigned", "Desk Phone Unassigned"]);
    assert!(nodes.iter().all(|node| node["kind"] == "SURVEY" && node["product"].is_null()));
}

#[tokio::test]
async fn days_have_the_hours_that_the_zone_gives_them() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    records_at(
        &caller,
        &["2026-03-28T22:59:59.999Z", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59.999Z", "2026-03-29T22:00:00Z"],
    )
    .await;
    let found = buckets(&caller, json!({ "unit": "DAY", "timeZone": "Europe/Berlin" })).await;
    let expected = [
        ("2026-03-27T23Z", "2026-03-28T23Z", 1),
        ("2026-03-28T23Z", "2026-03-29T22Z", 2),
        ("2026-03-29T22Z", "2026-03-30T22Z", 1),
    ];
    assert_eq!(found, told(&expected));
    let at_home = buckets(&caller, json!({ "unit": "DAY" })).await;
    assert_eq!(at_home, told(&[("2026-03-28T04Z", "2026-03-29T04Z", 2), ("2026-03-29T04Z", "2026-03-30T04Z", 2)]));
}

#[tokio::test]
async fn the_hour_that_the_clock_shows_twice_is_two_hours() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    // In Berlin 01:30, twice 02:30, and after an hour without a record 04:30.
    records_at(
        &caller,
        &["2026-10-24T23:30:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T03:30:00Z"],
    )
    .await;
    let found = buckets(&caller, json!({ "unit": "HOUR", "timeZone": "Europe/Berlin" })).await;
    let expected = [
        ("2026-10-24T23Z", "2026-10-25T00Z", 1),
        ("2026-10-25T00Z", "2026-10-25T01Z", 1),
        ("2026-10-25T01Z", "2026-10-25T02Z", 1),
        ("2026-10-25T02Z", "2026-10-25T03Z", 0),
        ("2026-10-25T03Z", "2026-10-25T04Z", 1),
    ];
    assert_eq!(found, told(&expected));
}

#[tokio::test]
async fn weeks_start_on_the_day_of_the_organization_or_of_the_question() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    // A Sunday and the Monday after it, in New York.
    records_at(&caller, &["2026-03-15T12:00:00Z", "2026-03-16T12:00:00Z"]).await;
    let week = json!({ "unit": "WEEK" });
    let mondays = told(&[("2026-03-09T04Z", "2026-03-16T04Z", 1), ("2026-03-16T04Z", "2026-03-23T04Z", 1)]);
    let sundays = told(&[("2026-03-15T04Z", "2026-03-22T04Z", 2)]);
    assert_eq!(buckets(&caller, week.clone()).await, mondays);
    assert_eq!(buckets(&caller, json!({ "unit": "WEEK", "weekStart": "SUNDAY" })).await, sundays);
    let done = caller.mutate("organizationUpdate", json!({ "weekStart": "SUNDAY" }), "errors { code }").await;
    assert_eq!(done["errors"], json!([]));
    assert_eq!(buckets(&caller, week).await, sundays);
}

#[tokio::test]
async fn quarters_and_years_follow_the_calendar_of_the_zone() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    records_at(&caller, &["2025-12-31T22:59:59Z", "2025-12-31T23:00:00Z", "2026-07-01T00:00:00Z"]).await;
    let quarters = buckets(&caller, json!({ "unit": "QUARTER", "timeZone": "Europe/Berlin" })).await;
    let expected = [
        ("2025-09-30T22Z", "2025-12-31T23Z", 1),
        ("2025-12-31T23Z", "2026-03-31T22Z", 1),
        ("2026-03-31T22Z", "2026-06-30T22Z", 0),
        ("2026-06-30T22Z", "2026-09-30T22Z", 1),
    ];
    assert_eq!(quarters, told(&expected));
    let years = buckets(&caller, json!({ "unit": "YEAR", "timeZone": "Europe/Berlin" })).await;
    assert_eq!(years, told(&[("2024-12-31T23Z", "2025-12-31T23Z", 1), ("2025-12-31T23Z", "2026-12-31T23Z", 2)]));
}

#[tokio::test]
async fn a_bucket_with_a_key_is_told_only_where_there_are_records() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for (product, at) in [("A", "2026-01-05T12:00:00Z"), ("B", "2026-01-05T12:00:00Z"), ("A", "2026-03-05T12:00:00Z")] {
        record(&caller, json!({ "product": product, "receivedAt": at })).await;
    }
    let variables = json!({ "by": ["PRODUCT"], "bucket": { "unit": "MONTH" }, "order": "KEY" });
    let found = groups(&caller, variables).await;
    let told =
        |node: &Value| format!("{} {} {}", &node["bucketStart"].as_str().unwrap()[..7], node["product"], node["count"]);
    let nodes: Vec<_> = found["nodes"].as_array().unwrap().iter().map(told).collect();
    assert_eq!(nodes, ["2026-01 \"A\" 1", "2026-01 \"B\" 1", "2026-03 \"A\" 1"]);
    assert_eq!((&found["recordCount"], &found["groupCount"]), (&json!(3), &json!(3)));
}

#[tokio::test]
async fn first_cuts_the_groups_and_not_the_counts() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    records_at(&caller, &["2026-01-05T12:00:00Z", "2026-03-05T12:00:00Z", "2026-03-06T12:00:00Z"]).await;
    for (order, counts) in [("KEY", [1, 0]), ("COUNT", [2, 1])] {
        let variables = json!({ "bucket": { "unit": "MONTH" }, "order": order, "first": 2 });
        let found = groups(&caller, variables).await;
        let nodes: Vec<_> = found["nodes"].as_array().unwrap().iter().map(|node| node["count"].as_u64()).collect();
        assert_eq!(nodes, counts.map(Some), "{order}");
        assert_eq!((&found["recordCount"], &found["groupCount"]), (&json!(3), &json!(3)));
    }
}

#[tokio::test]
async fn nothing_found_is_no_group_and_no_bucket() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for variables in [json!({ "by": ["TAG"] }), json!({ "bucket": { "unit": "DAY" } }), json!({})] {
        let found = groups(&caller, variables).await;
        assert_eq!(found, json!({ "recordCount": 0, "groupCount": 0, "nodes": [] }));
    }
}

#[tokio::test]
async fn ten_thousand_buckets_are_told_and_of_more_those_with_records() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    // 10,000 hours, the first and the last with a record.
    records_at(&caller, &["2025-01-01T00:00:00Z", "2026-02-21T15:59:59Z"]).await;
    let found = buckets(&caller, json!({ "unit": "HOUR", "timeZone": "UTC" })).await;
    assert_eq!((found.len(), found[0].2, found[9_999].2), (10_000, 1, 1));
    records_at(&caller, &["2026-02-21T16:00:00Z"]).await;
    let hours = json!({ "by": [], "bucket": { "unit": "HOUR", "timeZone": "UTC" } });
    let found = groups(&caller, hours.clone()).await;
    assert_eq!((&found["groupCount"], &found["recordCount"]), (&json!(3), &json!(3)));
    let mut narrower = hours;
    narrower["filter"] = json!({ "receivedAt": { "lt": "2026-02-21T16:00:00Z" } });
    assert_eq!(groups(&caller, narrower).await["groupCount"], 10_000);
}

#[tokio::test]
async fn wrong_arguments_are_refused() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for variables in [
        json!({ "by": ["PRODUCT", "KIND", "PRODUCT"] }),
        json!({ "by": [], "first": 0 }),
        json!({ "by": [], "first": -1 }),
        json!({ "by": [], "first": 10_001 }),
        json!({ "by": [], "bucket": { "unit": "DAY", "timeZone": "Mars/Olympus" } }),
    ] {
        assert_eq!(code(&caller.run(GROUPS, variables.clone()).await), "BAD_USER_INPUT", "{variables}");
    }
    for variables in [json!({ "by": ["COLOUR"] }), json!({ "by": [], "bucket": { "unit": "DECADE" } })] {
        let code = code(&caller.run(GROUPS, variables.clone()).await).to_owned();
        assert!(["BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"].contains(&code.as_str()), "{variables}: {code}");
    }
}

#[tokio::test]
async fn groups_of_the_map_need_its_scope() {
    let app = App::start().await;
    let organization = app.organization("one").await;
    record(&app.caller(organization, Permission::ALL), json!({ "product": "A" })).await;
    let reader = app.caller(organization, [Permission::RecordRead]);
    let document = "query($by: [FeedbackRecordGroupKey!]!, $filter: FeedbackRecordFilter) {
        feedbackRecordGroups(groupBy: $by, filter: $filter) { recordCount nodes { count product } }
    }";
    for key in ["POINT", "MEDIUM", "DEPARTMENT"] {
        assert_eq!(code(&reader.run(document, json!({ "by": [key] })).await), "FORBIDDEN", "{key}");
    }
    let filter = json!({ "by": [], "filter": { "point": { "name": { "eq": "Desk" } } } });
    assert_eq!(code(&reader.run(document, filter).await), "FORBIDDEN");
    let data = reader.data(document, json!({ "by": ["KIND", "PRODUCT", "TAG"] })).await;
    assert_eq!(data["feedbackRecordGroups"]["recordCount"], 1);
    let nobody = app.caller(organization, [Permission::MapRead]);
    assert_eq!(code(&nobody.run(document, json!({ "by": [] })).await), "FORBIDDEN");
}
