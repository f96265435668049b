//! The 3,186 complaints: what the API answers is what was counted in their file without it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    app::Caller,
    example::{Example, counted, paged},
};

type Tally = BTreeMap<String, u64>;

const GROUPS: &str = "query(
    $filter: FeedbackRecordFilter, $by: [FeedbackRecordGroupKey!]!, $bucket: BucketInput, $order: GroupOrder, $first: Int
) {
    groups: feedbackRecordGroups(filter: $filter, groupBy: $by, bucket: $bucket, orderBy: $order, first: $first) {
        recordCount groupCount
        nodes {
            count product tag bucketStart bucketEnd medium { name }
            point { externalIds { system id } } department { externalIds { system id } }
        }
    }
}";

async fn groups(caller: &Caller<'_>, mut variables: Value) -> Value {
    variables["first"] = json!(10_000);
    caller.data(GROUPS, variables).await["groups"].take()
}

fn nodes(groups: &Value) -> &Vec<Value> {
    groups["nodes"].as_array().unwrap()
}

/// Counts by name. No two groups may have one name.
fn tally(groups: &Value, name: impl Fn(&Value) -> String) -> Tally {
    let tally: Tally = nodes(groups).iter().map(|node| (name(node), node["count"].as_u64().unwrap())).collect();
    assert_eq!(tally.len(), nodes(groups).len());
    tally
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// What the file calls a row of the map.
fn in_file(row: &Value) -> String {
    let ids = row["externalIds"].as_array().unwrap();
    text(&ids.iter().find(|id| id["system"] == "cfpb").unwrap()["id"])
}

fn expected(name: &str) -> Tally {
    serde_json::from_value(counted()[name].clone()).unwrap()
}

/// The entries whose names begin so, by the rest of their names.
fn prefixed(tally: &Tally, prefix: &str) -> Tally {
    tally.iter().filter_map(|(name, count)| Some((name.strip_prefix(prefix)?.to_owned(), *count))).collect()
}

/// As many of the largest as there are expected, whichever comes first among equals.
fn assert_largest(all: &Tally, expected: &Tally) {
    let mut counts: Vec<_> = all.values().copied().collect();
    counts.sort_unstable_by(|left, right| right.cmp(left));
    counts.truncate(expected.len());
    let mut wanted: Vec<_> = expected.values().copied().collect();
    wanted.sort_unstable_by(|left, right| right.cmp(left));
    assert_eq!(counts, wanted);
    for (name, count) in expected {
        assert_eq!(all.get(name), Some(count), "{name}");
    }
}

#[tokio::test]
async fn products_mediums_points_and_their_pairs_count_as_in_the_file() {
    let example = Example::own().await;
    let admin = example.admin();
    let by = async |keys: &[&str]| groups(&admin, json!({ "by": keys })).await;

    let products = by(&["PRODUCT"]).await;
    assert_eq!((products["recordCount"].as_u64(), products["groupCount"].as_u64()), (Some(3_186), Some(11)));
    assert_eq!(tally(&products, |node| text(&node["product"])), expected("products"));
    assert_eq!(tally(&by(&["MEDIUM"]).await, |node| text(&node["medium"]["name"])), expected("mediums"));

    let points = tally(&by(&["POINT"]).await, |node| in_file(&node["point"]));
    assert_eq!(points.len() as u64, counted()["points"].as_u64().unwrap());
    assert_largest(&points, &expected("pointTop20"));

    let over = |node: &Value| format!("{} over {}", in_file(&node["point"]), text(&node["medium"]["name"]));
    assert_largest(&tally(&by(&["POINT", "MEDIUM"]).await, over), &expected("pointMediumTop20"));
}

#[tokio::test]
async fn a_record_counts_under_each_of_its_tags() {
    let example = Example::own().await;
    let groups = groups(&example.admin(), json!({ "by": ["TAG"] })).await;
    let tags = tally(&groups, |node| text(&node["tag"]));
    let (states, companies) = (prefixed(&tags, "state:"), prefixed(&tags, "company:"));
    assert_eq!(states.len() + companies.len(), tags.len());
    assert_eq!(states, expected("states"));
    assert_eq!(companies.len() as u64, counted()["companies"].as_u64().unwrap());
    assert_largest(&companies, &expected("companyTop20"));
    // Every record has a company, most have a state: so the counts sum to more than there are records.
    let without_state = counted()["withoutState"].as_u64().unwrap();
    assert_eq!(companies.values().sum::<u64>(), 3_186);
    assert_eq!(states.values().sum::<u64>(), 3_186 - without_state);
    assert_eq!(groups["recordCount"], 3_186);
}

#[tokio::test]
async fn months_are_those_of_new_york_without_a_gap_and_empty_ones_are_told() {
    let example = Example::own().await;
    let admin = example.admin();
    let month = json!({ "by": [], "bucket": { "unit": "MONTH", "timeZone": "America/New_York" }, "order": "KEY" });
    let found = groups(&admin, month).await;
    assert_eq!((found["recordCount"].as_u64(), found["groupCount"].as_u64()), (Some(3_186), Some(45)));
    assert!(nodes(&found).windows(2).all(|pair| pair[0]["bucketEnd"] == pair[1]["bucketStart"]));
    let mut months = tally(&found, |node| text(&node["bucketStart"]));
    assert_eq!(months.len(), 45);
    months.retain(|_, count| *count > 0);
    assert_eq!(months, expected("months"));

    let of_the_organization = groups(&admin, json!({ "by": [], "bucket": { "unit": "MONTH" }, "order": "KEY" })).await;
    assert_eq!(of_the_organization, found);
    let largest = groups(&admin, json!({ "by": [], "bucket": { "unit": "MONTH" }, "order": "COUNT" })).await;
    let order = |groups: &Value| nodes(groups).iter().map(|node| node["count"].as_u64().unwrap()).collect::<Vec<_>>();
    let mut descending = order(&found);
    descending.sort_unstable_by(|left, right| right.cmp(left));
    assert_eq!(order(&largest), descending);

    let years = groups(&admin, json!({ "by": [], "bucket": { "unit": "YEAR" }, "order": "KEY" })).await;
    let by_year = expected("months").into_iter().fold(Tally::new(), |mut years, (month, count)| {
        *years.entry(month[..4].to_owned()).or_default() += count;
        years
    });
    let found = tally(&years, |node| text(&node["bucketStart"])[..4].to_owned());
    assert_eq!(found.keys().collect::<Vec<_>>(), ["2013", "2014", "2015", "2016", "2017"]);
    assert!(found.iter().all(|(year, count)| *count == by_year.get(year).copied().unwrap_or(0)));
}

/// Filters with the number of records each must find.
fn filters() -> Vec<(Value, u64)> {
    let mut filters = vec![(json!({}), 3_186)];
    let mut add = |name: &str, filter: &dyn Fn(&str) -> Value| {
        filters.extend(expected(name).iter().map(|(value, count)| (filter(value), *count)));
    };
    let attribute = |name: &str, value: &str| json!({ "attributes": { "hasAny": [{ "name": name, "value": value }] } });
    add("products", &|product| json!({ "product": { "eq": product } }));
    add("mediums", &|medium| json!({ "medium": { "name": { "eq": medium } } }));
    add("responses", &|response| attribute("response", response));
    add("timely", &|timely| attribute("timely", timely));
    add("disputed", &|disputed| attribute("disputed", disputed));
    add("states", &|state| json!({ "tags": { "hasAll": [format!("state:{state}")] } }));
    let months: Vec<_> = expected("months").into_iter().collect();
    // Where a month without records follows, the range is longer and holds the same.
    for pair in months.windows(2) {
        let range = json!({ "receivedAt": { "gte": pair[0].0, "lt": pair[1].0 } });
        filters.push((range, pair[0].1));
    }
    filters
}

#[tokio::test]
async fn filters_groups_and_pages_agree() {
    let example = Example::own().await;
    let admin = example.admin();
    for (filter, expected) in filters() {
        let list = "query($filter: FeedbackRecordFilter, $after: String) {
            rows: feedbackRecords(filter: $filter, first: 999, after: $after) {
                totalCount nodes { id } pageInfo { hasNextPage endCursor }
            }
        }";
        let variables = json!({ "filter": filter });
        let total = &admin.data(list, variables.clone()).await["rows"]["totalCount"];
        assert_eq!(total.as_u64(), Some(expected), "{filter}");
        let rows = paged(&admin, list, variables).await;
        let ids: BTreeSet<String> = rows.iter().map(|row| text(&row["id"])).collect();
        assert_eq!((rows.len() as u64, ids.len() as u64), (expected, expected), "{filter}");
        let grouped = groups(&admin, json!({ "filter": filter, "by": ["POINT", "MEDIUM"] })).await;
        let sum: u64 = nodes(&grouped).iter().map(|node| node["count"].as_u64().unwrap()).sum();
        assert_eq!((grouped["recordCount"].as_u64(), sum), (Some(expected), expected), "{filter}");
        let others = groups(&admin, json!({ "filter": { "not": filter }, "by": ["MEDIUM"] })).await;
        assert_eq!(others["recordCount"].as_u64(), Some(3_186 - expected), "not {filter}");
    }
}

#[tokio::test]
async fn conditions_on_several_fields_find_what_groups_of_them_count() {
    let example = Example::own().await;
    let admin = example.admin();
    let found = groups(&admin, json!({ "by": ["PRODUCT", "MEDIUM"] })).await;
    assert_eq!(found["groupCount"].as_u64(), Some(nodes(&found).len() as u64));
    for group in nodes(&found) {
        let filter = json!({ "and": [
            { "product": { "eq": group["product"] } },
            { "medium": { "name": { "eq": group["medium"]["name"] } } },
        ] });
        let document = "query($filter: FeedbackRecordFilter) { feedbackRecords(filter: $filter) { totalCount } }";
        let data = admin.data(document, json!({ "filter": filter })).await;
        assert_eq!(data["feedbackRecords"]["totalCount"], group["count"], "{filter}");
    }
}

#[tokio::test]
async fn every_record_is_routed_by_the_rule_of_its_product() {
    let example = Example::own().await;
    let admin = example.admin();
    let by_department = groups(&admin, json!({ "by": ["DEPARTMENT"] })).await;
    assert_eq!(tally(&by_department, |node| in_file(&node["department"])), expected("products"));

    let list = "query($after: String) {
        rows: feedbackRecords(first: 250, after: $after) {
            pageInfo { hasNextPage endCursor }
            nodes {
                product department { externalIds { system id } }
                routings(first: 2) {
                    nodes { cause rule { externalIds { system id } } department { externalIds { system id } } }
                }
            }
        }
    }";
    let records = paged(&admin, list, json!({})).await;
    assert_eq!(records.len(), 3_186);
    for record in records {
        let product = text(&record["product"]);
        let routings = record["routings"]["nodes"].as_array().unwrap();
        assert_eq!((routings.len(), &routings[0]["cause"]), (1, &json!("RULE")), "{record:#}");
        for row in [&record["department"], &routings[0]["department"], &routings[0]["rule"]] {
            assert_eq!(in_file(row), product);
        }
    }
}

#[tokio::test]
async fn each_complaint_was_made_in_an_interaction_and_no_answer_has_a_date() {
    // An answer would be an interaction of its own, if the file knew when it was given.
    assert_eq!(counted()["dates"], json!(["Date received", "Date sent to company"]));
    let example = Example::own().await;
    let list = "query($after: String) {
        rows: interactions(first: 500, after: $after) {
            pageInfo { hasNextPage endCursor }
            nodes {
                status direction occurredAt notEligibleBecause point { id } medium { name } externalIds { system id }
                feedbackRecords { nodes { kind receivedAt point { id } medium { name } externalIds { system id } } }
            }
        }
    }";
    let interactions = paged(&example.admin(), list, json!({})).await;
    assert_eq!(Some(interactions.len() as u64), counted()["records"].as_u64());
    for interaction in &interactions {
        assert_eq!((&interaction["status"], &interaction["direction"]), (&json!("COMPLETED"), &json!("INBOUND")));
        assert_eq!(interaction["notEligibleBecause"], "OPEN_CASE");
        let [record] = interaction["feedbackRecords"]["nodes"].as_array().unwrap().as_slice() else {
            panic!("{interaction:#}")
        };
        assert_eq!((&record["kind"], &record["receivedAt"]), (&json!("COMPLAINT"), &interaction["occurredAt"]));
        for same in ["point", "medium", "externalIds"] {
            assert_eq!(record[same], interaction[same], "{same}");
        }
    }
}

/// The file's columns that are attributes, under the names they have there.
const ATTRIBUTES: [(&str, &str); 11] = [
    ("Company", "company"),
    ("Company response to consumer", "response"),
    ("Consumer consent provided?", "consent"),
    ("Consumer disputed?", "disputed"),
    ("Issue", "issue"),
    ("State", "state"),
    ("Sub-issue", "sub-issue"),
    ("Sub-product", "sub-product"),
    ("Submitted via", "submitted-via"),
    ("Timely response?", "timely"),
    ("ZIP code", "zip"),
];

#[tokio::test]
async fn every_column_of_the_file_is_kept_and_dates_are_instants() {
    let example = Example::own().await;
    let list = "query($after: String) {
        rows: feedbackRecords(first: 500, after: $after) {
            pageInfo { hasNextPage endCursor }
            nodes { product receivedAt attributes { name value } externalIds { id } }
        }
    }";
    let records: BTreeMap<usize, Value> = paged(&example.admin(), list, json!({}))
        .await
        .into_iter()
        .map(|record| (text(&record["externalIds"][0]["id"]).parse().unwrap(), record))
        .collect();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/complaints/consumer_complaints.csv");
    let mut reader = csv::Reader::from_path(file).unwrap();
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len(), records.len());
    let midnight = |date: &str| {
        let date = chrono::NaiveDate::parse_from_str(date, "%m/%d/%Y").unwrap();
        date.and_time(chrono::NaiveTime::MIN).and_local_timezone(chrono_tz::America::New_York).unwrap()
    };
    let instant = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap();
    for (place, row) in rows.iter().enumerate() {
        let record = &records[&(place + 1)];
        let mut attributes: BTreeMap<String, String> = record["attributes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| (text(&pair["name"]), text(&pair["value"])))
            .collect();
        assert_eq!(instant(&attributes.remove("sent-at").unwrap()), midnight(&row["Date sent to company"]));
        assert_eq!(instant(record["receivedAt"].as_str().unwrap()), midnight(&row["Date received"]));
        assert_eq!(record["product"], row["Product"]);
        let known = ["Date sent to company", "Date received", "Product"].len() + ATTRIBUTES.len();
        assert_eq!(row.len(), known, "{:?}", row.keys());
        let expected = ATTRIBUTES.iter().filter(|(column, _)| !row[*column].is_empty());
        let expected = expected.map(|(column, name)| ((*name).to_owned(), row[*column].clone())).collect();
        assert_eq!(attributes, expected, "line {}", place + 1);
    }
}

#[tokio::test]
async fn attributes_of_the_file_are_counted_grouped_and_compared_as_numbers_and_dates() {
    let example = Example::own().await;
    let admin = example.admin();
    let values = "query($name: String!) {
        feedbackRecordAttributeValues(name: $name, first: 1000) { distinctCount unparsedNumberCount nodes { value count } }
    }";
    let of =
        async |name: &str| admin.data(values, json!({ "name": name })).await["feedbackRecordAttributeValues"].take();
    for (name, counts) in [
        ("state", "states"),
        ("response", "responses"),
        ("timely", "timely"),
        ("disputed", "disputed"),
        ("consent", "consents"),
    ] {
        assert_eq!(tally(&of(name).await, |node| text(&node["value"])), expected(counts), "{name}");
        let document = "query($name: String!) {
            groups: feedbackRecordGroups(attributes: [$name]) { recordCount nodes { count attributes { value } } }
        }";
        let groups = admin.data(document, json!({ "name": name })).await["groups"].take();
        let mut grouped = tally(&groups, |node| node["attributes"][0]["value"].as_str().unwrap_or("none").to_owned());
        let without = grouped.remove("none").unwrap_or(0);
        assert_eq!(grouped, expected(counts), "{name}");
        assert_eq!((groups["recordCount"].as_u64(), grouped.values().sum::<u64>() + without), (Some(3_186), 3_186));
    }
    let zips = of("zip").await;
    assert_eq!(zips["distinctCount"], counted()["zips"]);
    assert_eq!(zips["unparsedNumberCount"], counted()["maskedZips"]);
    for (condition, count) in [
        (json!({ "name": "zip", "isNull": true }), "withoutZip"),
        (json!({ "name": "zip", "number": { "isNull": true } }), "maskedZips"),
        (json!({ "name": "zip", "number": { "gte": 90_000 } }), "zipsFrom90000"),
        (json!({ "name": "sent-at", "date": { "gte": "2016-01-01T05:00:00Z" } }), "sentFrom2016"),
    ] {
        let found = groups(&admin, json!({ "filter": { "attributes": condition }, "by": [] })).await;
        assert_eq!(found["recordCount"], counted()[count], "{condition}");
    }
    let prefixed = "{ groups: feedbackRecordGroups(tagPrefixes: [\"state:\"]) { nodes { count tags { tag } } } }";
    let mut states = tally(&admin.ask(prefixed).await["groups"], |node| {
        node["tags"][0]["tag"].as_str().map_or_else(String::new, |tag| tag["state:".len()..].to_owned())
    });
    assert_eq!(states.remove(""), counted()["withoutState"].as_u64());
    assert_eq!(states, expected("states"));
}

#[tokio::test]
async fn loading_it_again_changes_nothing() {
    let example = Example::own().await;
    let before = state(&example).await;
    for (is_fresh, outcome) in [(false, "REPLAYED"), (true, "UNCHANGED")] {
        let outcomes = example.load_again(is_fresh).await;
        assert_eq!(outcomes.keys().collect::<Vec<_>>(), [outcome]);
        assert_eq!(state(&example).await, before);
    }
}

/// Rows, versions and times of every table, and how much has happened.
async fn state(example: &Example) -> Vec<Vec<Vec<Option<String>>>> {
    const TABLES: [&str; 10] = [
        "organization",
        "department",
        "medium",
        "influencer",
        "interaction_point",
        "expectation",
        "routing_rule",
        "interaction",
        "feedback_record",
        "routing",
    ];
    let mut state = Vec::new();
    for table in TABLES {
        let sums = ["COUNT(*)", "SUM(version)", "MAX(updated_at)"].map(|sum| format!("CAST({sum} AS TEXT)")).join(", ");
        state.push(example.database().look(format!("SELECT {sums} FROM {table}")).await);
    }
    state.push(example.database().look("SELECT CAST(last AS TEXT) FROM organization_sequence".to_owned()).await);
    state.push(example.database().look("SELECT CAST(COUNT(*) AS TEXT) FROM event".to_owned()).await);
    state
}
