//! Strings and numbers, in documents and in variables, are read as GraphQL and JSON mean them.

use serde_json::{Value, json};

use crate::{app::App, outline::codes};

/// Names that a department may have, as literals and as what they mean.
#[tokio::test]
async fn strings_in_documents_are_those_of_the_specification() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for (literal, name) in [
        (r#""caf\u00e9 \uD83D\uDE00 \u{1F600}""#, "café 😀 😀"),
        (r#""\u{41}\u0042C \"\\\/""#, "ABC \"\\/"),
        ("\"\"\"\r\n    a \\\"\"\" b \\u0041\r\n \r\n  \"\"\"", "a \"\"\" b \\u0041"),
    ] {
        let create = format!("mutation {{ departmentCreate(input: {{name: {literal}}}) {{ node {{ name }} }} }}");
        assert_eq!(caller.ask(&create).await["departmentCreate"]["node"]["name"], name);
        let filter = format!("{{ departments(filter: {{name: {{eq: {literal}}}}}) {{ nodes {{ name }} }} }}");
        assert_eq!(caller.ask(&filter).await["departments"]["nodes"], json!([{ "name": name }]));
        let query = "query ($n: String = NAME) { departments(filter: {name: {eq: $n}}) { totalCount } }";
        assert_eq!(caller.ask(&query.replace("NAME", literal)).await["departments"]["totalCount"], 1);
    }
    let body = "\"\"\"\r\n    a\r      b \\\"\"\"\r\n\r\n   \r\n    c\r\n  \"\"\"";
    let create =
        format!("mutation {{ feedbackRecordCreate(input: {{kind: SURVEY, body: {body}}}) {{ node {{ body }} }} }}");
    assert_eq!(caller.ask(&create).await["feedbackRecordCreate"]["node"]["body"], "a\n  b \"\"\"\n\n\nc");
}

#[tokio::test]
async fn what_is_no_string_is_refused_where_it_stands() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let before = app.dump(caller.organization()).await;
    for literal in
        [r#""a \uD83D""#, r#""a \uDE00\uD83D""#, r#""a \u{110000}""#, r#""a \u{}""#, r#""a \x41""#, "\"\"\"a"]
    {
        let create = format!("mutation {{\n  departmentCreate(input: {{name: {literal}}}) {{ outcome }} }}");
        let reply = caller.run(&create, json!({})).await.body;
        let column = if literal.starts_with("\"\"\"") { 34 } else { 37 };
        assert_eq!(codes(&reply), ["GRAPHQL_PARSE_FAILED"], "{literal}");
        assert_eq!(reply["errors"][0]["locations"], json!([{ "line": 2, "column": column }]), "{literal}");
    }
    for input in ["name: \"a\", name: \"b\"", "name: \"a\", externalIds: [{system: \"a\", id: \"b\", id: \"c\"}]"] {
        let create = format!("mutation {{ departmentCreate(input: {{{input}}}) {{ outcome }} }}");
        let reply = caller.run(&create, json!({})).await.body;
        assert_eq!(codes(&reply), ["GRAPHQL_VALIDATION_FAILED"], "{input}");
    }
    assert_eq!(app.dump(caller.organization()).await, before);
}

/// As Python and JavaScript write whole numbers: `5.0` is one in JSON, and none in a document.
#[tokio::test]
async fn whole_numbers_of_variables_may_have_a_point() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let create = "mutation ($input: FeedbackRecordCreateInput!) { feedbackRecordCreate(input: $input) { node { id nps sentimentScore version } } }";
    let made = caller
        .data(create, json!({ "input": { "kind": "COMPLAINT", "nps": 5.0, "csat": 1e0, "sentimentScore": 1 } }))
        .await["feedbackRecordCreate"]["node"]
        .take();
    assert_eq!((&made["nps"], &made["sentimentScore"]), (&json!(5), &json!(1.0)));
    let update = "mutation ($input: FeedbackRecordUpdateInput!) { feedbackRecordUpdate(input: $input) { node { nps sentimentScore } errors { code } } }";
    let input = json!({ "by": { "id": made["id"] }, "nps": -0.0, "sentimentScore": -0.0, "expectedVersion": 1.0 });
    let updated = caller.data(update, json!({ "input": input })).await["feedbackRecordUpdate"].take();
    assert_eq!(updated, json!({ "node": { "nps": 0, "sentimentScore": 0.0 }, "errors": [] }));
    assert!(updated["node"]["sentimentScore"].as_f64().unwrap().is_sign_positive());
    let bulk = "mutation ($rows: [FeedbackRecordUpsertRow!]!) { feedbackRecordsBulkUpsert(input: {rows: $rows}) { results { node { nps } } errors { code } } }";
    let rows: Vec<Value> = (0..3)
        .map(|at| json!({ "externalId": { "system": "csv", "id": at.to_string() }, "kind": "SURVEY", "nps": f64::from(at) }))
        .collect();
    let nps = caller.data(bulk, json!({ "rows": rows })).await["feedbackRecordsBulkUpsert"]["results"].take();
    assert_eq!(nps, json!([{"node": {"nps": 0}}, {"node": {"nps": 1}}, {"node": {"nps": 2}}]));
    let list = "query ($first: Int, $nps: [Int!], $filter: FeedbackRecordFilter, $after: String) {
        a: feedbackRecords(first: $first, filter: {nps: {in: $nps}}, after: $after) { totalCount nodes { nps } pageInfo { endCursor } }
        b: feedbackRecords(filter: $filter) { totalCount } }";
    let given = json!({ "first": 2.0, "nps": [1.0, 2e0], "filter": { "nps": { "gte": 1.0, "in": 2.0 }, "and": [{ "nps": { "lt": 3e0 } }] } });
    let shown = caller.data(list, given).await;
    assert_eq!(shown["a"]["nodes"], json!([{ "nps": 1 }, { "nps": 2 }]));
    assert_eq!((&shown["a"]["totalCount"], &shown["b"]["totalCount"]), (&json!(2), &json!(1)));
}

#[tokio::test]
async fn other_numbers_are_no_whole_ones() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let before = app.dump(caller.organization()).await;
    let first = "query ($n: Int) { departments(first: $n) { totalCount } }";
    for n in
        [json!(5.5), json!(5e-1), json!(2_147_483_648.0), json!(1e300), json!(9_007_199_254_740_993_i64), json!("5")]
    {
        assert_eq!(codes(&caller.run(first, json!({ "n": n })).await.body), ["BAD_USER_INPUT"], "{n}");
    }
    for literal in ["5.0", "5e0", "5.5", "2147483648", "-2147483649", "\"5\""] {
        let document = format!("{{ departments(first: {literal}) {{ totalCount }} }}");
        assert_eq!(codes(&caller.run(&document, json!({})).await.body), ["GRAPHQL_VALIDATION_FAILED"], "{literal}");
        let document = format!(
            "mutation {{ departmentUpdate(input: {{by: {{id: \"x\"}}, expectedVersion: {literal}}}) {{ outcome }} }}"
        );
        assert_eq!(codes(&caller.run(&document, json!({})).await.body), ["GRAPHQL_VALIDATION_FAILED"], "{literal}");
    }
    let score = "mutation ($s: Float!) { feedbackRecordCreate(input: {kind: SURVEY, sentimentScore: $s}) { errors { code path } } }";
    for far in [json!(1e300), json!(9_007_199_254_740_993_i64), json!(-2)] {
        let errors = caller.data(score, json!({ "s": far })).await["feedbackRecordCreate"]["errors"].take();
        assert_eq!(errors, json!([{ "code": "OUT_OF_RANGE", "path": ["sentimentScore"] }]), "{far}");
    }
    assert_eq!(app.dump(caller.organization()).await, before);
}

#[tokio::test]
async fn a_number_is_an_id_that_finds_nothing() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let ask = "query ($id: ID!, $ids: [ID!]!, $by: DepartmentRef!, $default: ID = 7) {
        node(id: $id) { id } nodes(ids: $ids) { id } department(by: $by) { id } other: node(id: $default) { id }
        departments(filter: {id: {in: $ids}}) { totalCount } }";
    let given = json!({ "id": 7, "ids": [7.0, 8, "9", u64::MAX], "by": { "id": 7 } });
    let nothing = json!({
        "node": null, "nodes": [null, null, null, null], "department": null, "other": null, "departments": { "totalCount": 0 }
    });
    assert_eq!(caller.data(ask, given).await, nothing);
    let literals = "{ node(id: 7) { id } nodes(ids: [7, 8, \"9\", 10]) { id } department(by: {id: 7}) { id }
        other: node(id: -1) { id } departments(filter: {id: {in: 7}}) { totalCount } }";
    assert_eq!(caller.ask(literals).await, nothing);
    let update = "mutation { departmentUpdate(input: {by: {id: 7}, name: \"a\"}) { errors { code path } } }";
    let errors = caller.ask(update).await["departmentUpdate"]["errors"].take();
    assert_eq!(errors, json!([{ "code": "NOT_FOUND", "path": ["by"] }]));
    for id in [json!(7.5), json!(1e16), json!(true), json!(["a"])] {
        assert_eq!(
            codes(&caller.run("query ($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await.body),
            ["BAD_USER_INPUT"]
        );
    }
}

/// Milliseconds are kept of an instant; what is finer stands between two of them.
#[tokio::test]
async fn instants_finer_than_those_kept_compare_rightly() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let at = |fraction: &str| format!("2026-05-01T12:00:00.{fraction}Z");
    for fraction in ["122", "123", "124"] {
        caller
            .mutate("feedbackRecordCreate", json!({ "kind": "SURVEY", "receivedAt": at(fraction) }), "node { id }")
            .await;
    }
    let ask = "query ($filter: FeedbackRecordFilter) { feedbackRecords(filter: $filter, orderBy: {field: RECEIVED_AT}) { nodes { receivedAt } } }";
    let all = ["122", "123", "124"];
    for (operator, given, found) in [
        ("eq", json!(at("1234")), &all[..0]),
        ("eq", json!(at("123000")), &all[1..2]),
        ("neq", json!(at("1234")), &all[..]),
        ("in", json!([at("1234"), at("124"), at("1230000001")]), &all[2..]),
        ("in", json!(at("1234")), &all[..0]),
        ("gt", json!(at("1234")), &all[2..]),
        ("gte", json!(at("1234")), &all[2..]),
        ("gte", json!(at("123")), &all[1..]),
        ("lt", json!(at("1234")), &all[..2]),
        ("lt", json!(at("123")), &all[..1]),
        ("lte", json!(at("1234")), &all[..2]),
        ("gte", json!(at("1239999999999")), &all[2..]),
        ("lt", json!(at("1220000000001")), &all[..1]),
    ] {
        let filter = json!({ "receivedAt": { operator: given } });
        let shown = caller.data(ask, json!({ "filter": filter })).await["feedbackRecords"]["nodes"].take();
        let expected: Vec<Value> = found.iter().map(|fraction| json!({ "receivedAt": at(fraction) })).collect();
        assert_eq!(shown, json!(expected), "{operator} {given}");
    }
}

#[tokio::test]
async fn a_date_alone_is_its_midnight_where_that_is_unambiguous() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for at in ["2026-04-30T23:59:59.999Z", "2026-05-01T00:00:00Z", "2026-05-01T23:59:59.999Z", "2026-05-02T00:00:00Z"] {
        caller.mutate("feedbackRecordCreate", json!({ "kind": "SURVEY", "receivedAt": at }), "node { id }").await;
    }
    let day = "{ feedbackRecords(filter: {receivedAt: {gte: \"2026-05-01\", lt: \"2026-05-02\"}}) { totalCount } }";
    assert_eq!(caller.ask(day).await["feedbackRecords"]["totalCount"], 2);
    let ask = "query ($at: DateTime!) { feedbackRecords(filter: {receivedAt: {OPERATOR: $at}}) { totalCount } }";
    for (operator, count) in [("gte", 3), ("lt", 1)] {
        let shown = caller.data(&ask.replace("OPERATOR", operator), json!({ "at": "2026-05-01" })).await;
        assert_eq!(shown["feedbackRecords"]["totalCount"], count, "{operator}");
    }
    let refused = |reply: &Value| {
        assert_eq!(codes(reply), ["BAD_USER_INPUT"], "{reply:#}");
        let message = reply["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("2026-01-31T09:30:00Z") && message.contains("gte and lt"), "{message}");
    };
    for operator in ["gt", "lte", "eq", "neq", "in"] {
        refused(&caller.run(&ask.replace("OPERATOR", operator), json!({ "at": "2026-05-01" })).await.body);
    }
    let before = app.dump(caller.organization()).await;
    let create = "mutation { feedbackRecordCreate(input: {kind: SURVEY, receivedAt: \"2026-05-01\"}) { outcome } }";
    refused(&caller.run(create, json!({})).await.body);
    assert_eq!(app.dump(caller.organization()).await, before);
}

#[tokio::test]
async fn a_mistake_names_its_place_and_what_was_meant() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let filter = "query ($filter: FeedbackRecordFilter) { feedbackRecords(filter: $filter) { totalCount } }";
    for (document, variables, parts) in [
        (
            "{ feedbackRecords(filter: {kind: COMPLAINT}) { totalCount } }",
            json!({}),
            ["filter.kind", "Did you mean {eq: COMPLAINT}?"],
        ),
        (filter, json!({ "filter": { "kind": "COMPLAINT" } }), ["$filter.kind", "Did you mean {eq: COMPLAINT}?"]),
        (
            filter,
            json!({ "filter": { "kind": { "in": ["PRAISE", "COMPLAINTS"] } } }),
            ["$filter.kind.in.1", "Did you mean COMPLAINT?"],
        ),
        (filter, json!({ "filter": { "recievedAt": null } }), ["$filter.recievedAt", "Did you mean \"receivedAt\"?"]),
        (
            "{ feedbackRecords(filter: {or: [{nps: {eq: 1}}, {nps: {eq: \"1\"}}]}) { totalCount } }",
            json!({}),
            ["filter.or.1.nps.eq", "whole number"],
        ),
        ("{ feedbackRecords(frist: 1) { totalCount } }", json!({}), ["feedbackRecords", "Did you mean \"first\"?"]),
        (
            "{ feedbackRecord { totalCount } departmnets { totalCount } }",
            json!({}),
            ["departmnets", "Did you mean \"departments\"?"],
        ),
        (
            "query ($f: FeedbackRecordFliter) { feedbackRecords(filter: $f) { totalCount } }",
            json!({}),
            ["FeedbackRecordFliter", "Did you mean \"FeedbackRecordFilter\"?"],
        ),
        ("{ department(by: \"dept_x\") { id } }", json!({}), ["by", "Did you mean {id: …}?"]),
    ] {
        let reply = caller.run(document, variables).await.body;
        let text = reply["errors"].to_string();
        let text = text.replace("\\\"", "\"");
        assert!(parts.iter().all(|part| text.contains(part)), "{parts:?}: {text}");
        assert_eq!(reply["data"], Value::Null);
    }
    let many = vec!["x".repeat(300); 40].join(" ");
    let reply = caller.run(&format!("{{ {many} }}"), json!({})).await.body;
    assert!(reply["errors"].as_array().unwrap().len() <= 10 && reply.to_string().len() < 6_000);
}
