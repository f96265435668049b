//! Groups page by page, and groups at both ends of the calendar.

use chrono::DateTime;
use serde_json::{Value, json};

use crate::{
    app::{App, Caller, now},
    outline::codes,
};

const GROUPS: &str = "query(
    $by: [FeedbackRecordGroupKey!], $bucket: BucketInput, $filter: FeedbackRecordFilter, $order: GroupOrder, $first: Int,
    $after: String
) {
    groups: feedbackRecordGroups(
        groupBy: $by, bucket: $bucket, filter: $filter, orderBy: $order, first: $first, after: $after
    ) {
        recordCount groupCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        nodes { count kind product tag bucketStart bucketEnd point { name } meanNps { mean n } }
    }
}";

async fn groups(caller: &Caller<'_>, variables: &Value) -> Value {
    caller.data(GROUPS, variables.clone()).await["groups"].take()
}

async fn record(caller: &Caller<'_>, input: Value) {
    let done = caller.mutate("feedbackRecordCreate", input, "outcome errors { code path }").await;
    assert_eq!(done["outcome"], "CREATED", "{done}");
}

/// Records of three points and none, over 40 weeks, some of which have none.
async fn settle(caller: &Caller<'_>) {
    let mut points = vec![Value::Null];
    for name in ["one", "two", "three"] {
        let made = caller.mutate("interactionPointCreate", json!({ "name": name }), "node { id }").await;
        points.push(json!({ "id": made["node"]["id"] }));
    }
    let rows = (0..120_i64).map(|day| {
        let place = usize::try_from(day).unwrap();
        let day = DateTime::from_timestamp(1_767_225_600 + (day * day % 279) * 86_400, 0).unwrap();
        let tags: &[&str] = [&["a", "b"][..], &["b"], &[]][place % 3];
        json!({ "externalId": { "system": "t", "id": place.to_string() }, "kind": "SURVEY", "nps": place % 11,
                "product": (["A", "B", "C", "D", "E"][place % 5]), "tags": tags, "receivedAt": day.to_rfc3339(),
                "pointRef": (points[place % 4]) })
    });
    let rows: Vec<Value> = rows.collect();
    let done = caller.mutate("feedbackRecordsBulkUpsert", json!({ "rows": rows }), "errors { code }").await;
    assert_eq!(done["errors"], json!([]));
}

#[tokio::test]
async fn pages_of_groups_are_all_groups_once_each_with_the_totals_of_all() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    settle(&caller).await;
    // Once as the records say, and once as they were counted.
    for is_counted in [false, true] {
        if is_counted {
            app.run_jobs(now()).await;
        }
        for (by, bucket) in [
            (json!(["POINT"]), Value::Null),
            (json!(["PRODUCT", "TAG"]), Value::Null),
            (json!(["POINT"]), json!({ "unit": "WEEK" })),
            (json!(["POINT", "KIND"]), json!({ "unit": "MONTH" })),
            (json!([]), json!({ "unit": "WEEK" })),
            (json!([]), json!({ "unit": "DAY" })),
            (json!([]), Value::Null),
        ] {
            for order in ["COUNT", "KEY"] {
                let mut asked = json!({ "by": by, "bucket": bucket, "order": order, "first": 10_000 });
                let all = groups(&caller, &asked).await;
                assert_eq!(all["pageInfo"]["hasNextPage"], false);
                assert_eq!(all["groupCount"], all["nodes"].as_array().unwrap().len(), "{asked}");
                for first in [1, 7] {
                    // Days are many: one at a time takes long.
                    asked["first"] = json!(if bucket["unit"] == "DAY" { first * 20 } else { first });
                    asked["after"] = Value::Null;
                    let mut nodes = Vec::new();
                    loop {
                        let page = groups(&caller, &asked).await;
                        assert_eq!(
                            (&page["recordCount"], &page["groupCount"]),
                            (&all["recordCount"], &all["groupCount"])
                        );
                        assert_eq!(page["pageInfo"]["hasPreviousPage"], asked["after"].is_string());
                        nodes.extend(page["nodes"].as_array().unwrap().iter().cloned());
                        asked["after"] = page["pageInfo"]["endCursor"].clone();
                        if page["pageInfo"]["hasNextPage"] == false {
                            break;
                        }
                    }
                    assert_eq!(json!(nodes), all["nodes"], "{asked}");
                }
                // Past the last: nothing more, and the same totals.
                let end = groups(&caller, &asked).await;
                assert_eq!((&end["nodes"], &end["pageInfo"]["hasNextPage"]), (&json!([]), &json!(false)));
                assert_eq!(
                    (&end["recordCount"], &end["groupCount"]),
                    (&all["recordCount"], &all["groupCount"]),
                    "{asked}"
                );
            }
        }
    }
    let cursor = groups(&caller, &json!({ "by": ["POINT"], "first": 1 })).await["pageInfo"]["endCursor"].take();
    for other in
        [json!({ "by": ["PRODUCT"], "after": cursor }), json!({ "by": ["POINT"], "order": "KEY", "after": cursor })]
    {
        assert_eq!(codes(&caller.run(GROUPS, other).await.body), ["BAD_USER_INPUT"]);
    }
}

#[tokio::test]
async fn a_group_made_between_two_pages_takes_nothing_from_them() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for product in ["b", "d", "f"] {
        record(&caller, json!({ "kind": "SURVEY", "product": product })).await;
    }
    let mut asked = json!({ "by": ["PRODUCT"], "order": "KEY", "first": 2 });
    let page = groups(&caller, &asked).await;
    asked["after"] = page["pageInfo"]["endCursor"].clone();
    record(&caller, json!({ "kind": "SURVEY", "product": "a" })).await;
    let next = groups(&caller, &asked).await;
    let products: Vec<&Value> = next["nodes"].as_array().unwrap().iter().map(|node| &node["product"]).collect();
    assert_eq!(products, ["f"]);
}

const FIRST: &str = "0001-01-01T00:00:00Z";
const LAST: &str = "9999-12-31T23:59:59.999Z";
const UNITS: [&str; 6] = ["HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"];
const ZONES: [&str; 7] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Pacific/Kiritimati",
    "Pacific/Niue",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
];

#[tokio::test]
async fn records_at_both_ends_of_the_calendar_are_grouped_in_every_unit_and_zone() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let at = ["0001-01-01T00:00:00Z", "2026-11-22T12:00:00Z", "2026-11-22T12:05:00Z", LAST];
    for (place, at) in at.iter().enumerate() {
        record(&caller, json!({ "kind": "SURVEY", "receivedAt": at, "nps": place })).await;
    }
    let accepted = "query($from: DateTime, $to: DateTime) {
        feedbackRecords(filter: { receivedAt: { gte: $from, lte: $to } }) { totalCount }
    }";
    for is_counted in [false, true] {
        if is_counted {
            app.run_jobs(now()).await;
        }
        for (unit, zone) in UNITS.iter().flat_map(|unit| ZONES.iter().map(move |zone| (unit, zone))) {
            for (by, count) in [(json!(["POINT"]), 3), (json!([]), 3)] {
                let bucket = json!({ "unit": unit, "timeZone": zone });
                let found =
                    groups(&caller, &json!({ "by": by, "bucket": bucket, "order": "KEY", "first": 10_000 })).await;
                let nodes: Vec<&Value> =
                    found["nodes"].as_array().unwrap().iter().filter(|node| node["count"] != 0).collect();
                assert_eq!((nodes.len(), &found["recordCount"]), (count, &json!(4)), "{unit} {zone} {found:#}");
                assert_eq!(nodes[1]["count"], 2, "{unit} {zone}");
                for (node, at) in nodes.iter().zip([at[0], at[1], at[3]]) {
                    let parsed = |text: &str| text.parse::<DateTime<chrono::Utc>>().unwrap();
                    let instant = |name: &str| parsed(node[name].as_str().unwrap());
                    let (start, end, at) = (instant("bucketStart"), instant("bucketEnd"), parsed(at));
                    assert!(start <= at && at < end, "{unit} {zone} {node}");
                    let range = json!({ "from": node["bucketStart"], "to": node["bucketEnd"] });
                    let rows = caller.data(accepted, range).await["feedbackRecords"]["totalCount"].take();
                    assert_eq!(rows, node["count"], "{unit} {zone} {node}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_record_of_the_last_week_and_one_of_today_are_two_groups_by_week_and_point() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for at in [LAST, "2026-11-22T12:00:00Z"] {
        record(&caller, json!({ "kind": "SURVEY", "receivedAt": at })).await;
    }
    let asked = json!({ "by": ["POINT"], "bucket": { "unit": "WEEK" } });
    assert_eq!(groups(&caller, &asked).await["groupCount"], 2);
    app.run_jobs(now()).await;
    assert_eq!(groups(&caller, &asked).await["groupCount"], 2);
    record(&caller, json!({ "kind": "SURVEY", "receivedAt": FIRST })).await;
    assert_eq!(groups(&caller, &asked).await["groupCount"], 3);
    // In a range that is asked for, empty buckets are told again.
    let year = json!({ "receivedAt": { "gte": "2026-01-01T00:00:00Z", "lt": "2027-01-01T00:00:00Z" } });
    let asked = json!({ "by": [], "bucket": { "unit": "WEEK" }, "filter": year });
    assert_eq!(groups(&caller, &asked).await["groupCount"], 1);
}
