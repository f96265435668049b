//! Requests that are wrong in themselves: types, names, pages, instants.

use serde_json::{Value, json};

use super::{assert_alive, assert_request_fails};
use crate::app::App;

const INVALID: &str = "GRAPHQL_VALIDATION_FAILED";
const BAD: &str = "BAD_USER_INPUT";
const PARSE: &str = "GRAPHQL_PARSE_FAILED";

#[tokio::test]
async fn a_literal_of_the_wrong_type_or_name_fails_the_request() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let before = app.dump(caller.organization()).await;
    let cases = [
        ("a number for a text", "mutation { departmentCreate(input: {name: 1}) { outcome } }", INVALID),
        ("an object for a text", "mutation { departmentCreate(input: {name: {a: 1}}) { outcome } }", INVALID),
        ("a list for a text", "mutation { departmentCreate(input: {name: [\"a\"]}) { outcome } }", INVALID),
        ("null for what is required", "mutation { departmentCreate(input: {name: null}) { outcome } }", INVALID),
        ("nothing for what is required", "mutation { departmentCreate(input: {}) { outcome } }", INVALID),
        ("a text for an input", "mutation { departmentCreate(input: \"a\") { outcome } }", INVALID),
        ("a list for an input", "mutation { departmentCreate(input: [{name: \"a\"}, 1]) { outcome } }", INVALID),
        ("no input", "mutation { departmentCreate { outcome } }", INVALID),
        (
            "an unknown input field",
            "mutation { departmentCreate(input: {name: \"a\", nmae: \"b\"}) { outcome } }",
            INVALID,
        ),
        (
            "an organization in an input",
            "mutation { departmentCreate(input: {name: \"a\", organizationId: \"x\"}) { outcome } }",
            INVALID,
        ),
        (
            "a text for a number",
            "mutation { feedbackRecordCreate(input: {kind: COMPLAINT, nps: \"9\"}) { outcome } }",
            INVALID,
        ),
        (
            "a fraction for a whole number",
            "mutation { feedbackRecordCreate(input: {kind: COMPLAINT, nps: 9.5}) { outcome } }",
            INVALID,
        ),
        (
            "a number of 33 bits",
            "mutation { feedbackRecordCreate(input: {kind: COMPLAINT, nps: 2147483648}) { outcome } }",
            INVALID,
        ),
        (
            "a number past 2^53",
            "mutation { feedbackRecordCreate(input: {kind: COMPLAINT, nps: 9007199254740993}) { outcome } }",
            INVALID,
        ),
        (
            "a number past 64 bits",
            "mutation { feedbackRecordCreate(input: {kind: COMPLAINT, nps: 99999999999999999999}) { outcome } }",
            INVALID,
        ),
        (
            "no number",
            "mutation { feedbackRecordCreate(input: {kind: COMPLAINT, sentimentScore: NaN}) { outcome } }",
            INVALID,
        ),
        (
            "infinity",
            "mutation { feedbackRecordCreate(input: {kind: COMPLAINT, sentimentScore: 1e400}) { outcome } }",
            PARSE,
        ),
        ("an unknown enum value", "mutation { feedbackRecordCreate(input: {kind: NONSENSE}) { outcome } }", INVALID),
        ("an enum value in lower case", "mutation { feedbackRecordCreate(input: {kind: idea}) { outcome } }", INVALID),
        ("a number for an enum", "mutation { feedbackRecordCreate(input: {kind: 1}) { outcome } }", INVALID),
        (
            "a number for a tag",
            "mutation { feedbackRecordCreate(input: {kind: COMPLAINT, tags: [1]}) { outcome } }",
            INVALID,
        ),
        (
            "null for a tag",
            "mutation { feedbackRecordCreate(input: {kind: COMPLAINT, tags: [null]}) { outcome } }",
            INVALID,
        ),
        ("a fraction for an id", "{ node(id: 1.0) { id } }", INVALID),
        (
            "an enum value in quotes",
            "mutation { feedbackRecordCreate(input: {kind: \"COMPLAINT\"}) { outcome } }",
            INVALID,
        ),
        ("no id", "{ node { id } }", INVALID),
        ("a reference by nothing", "{ department(by: {}) { id } }", INVALID),
        ("a reference by null", "{ department(by: {id: null}) { id } }", INVALID),
        (
            "a reference by two keys",
            "{ department(by: {id: \"a\", externalId: {system: \"a\", id: \"b\"}}) { id } }",
            INVALID,
        ),
        ("a reference by half a key", "{ department(by: {externalId: {system: \"a\"}}) { id } }", INVALID),
        ("an unknown field", "{ departments { nodes { nmae } } }", INVALID),
        ("an unknown argument", "{ departments(frist: 1) { totalCount } }", INVALID),
        ("an unknown root field", "{ departmnets { totalCount } }", INVALID),
        ("an object without a selection", "{ departments { nodes } }", INVALID),
        ("a selection on a text", "{ departments { nodes { name { a } } } }", INVALID),
        ("an unknown fragment", "{ departments { ...Nothing } }", INVALID),
        ("two things under one key", "{ a: departments { totalCount } a: mediums { totalCount } }", INVALID),
        ("an unknown variable", "{ departments(first: $n) { totalCount } }", INVALID),
        ("an unclosed brace", "{ departments { totalCount }", PARSE),
    ];
    for (name, document, code) in cases {
        assert_request_fails(&caller, name, document, json!({}), code).await;
    }
    assert_eq!(app.dump(caller.organization()).await, before);
    assert_alive(&caller).await;
}

#[tokio::test]
async fn a_variable_of_the_wrong_type_fails_the_request() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let before = app.dump(caller.organization()).await;
    let create = "mutation($v: FeedbackRecordCreateInput!) { feedbackRecordCreate(input: $v) { outcome } }";
    let first = "query($v: Int!) { departments(first: $v) { totalCount } }";
    let ids = "query($v: [ID!]!) { nodes(ids: $v) { id } }";
    let at = "query($v: DateTime) { feedbackRecords(filter: {receivedAt: {gt: $v}}) { totalCount } }";
    let cases = [
        ("a missing variable", first, json!({}), BAD),
        ("null for what is required", first, json!({"v": null}), BAD),
        ("a text for a number", first, json!({"v": "1"}), BAD),
        ("a fraction for a whole number", first, json!({"v": 1.5}), BAD),
        ("a number of 33 bits", first, json!({"v": 2_147_483_648_i64}), BAD),
        ("a text for an input", create, json!({"v": "a"}), BAD),
        ("an unknown enum value", create, json!({"v": {"kind": "NONSENSE"}}), BAD),
        ("a number for an enum", create, json!({"v": {"kind": 1}}), BAD),
        ("an unknown input field", create, json!({"v": {"kind": "COMPLAINT", "nmae": 1}}), BAD),
        ("a missing input field", create, json!({"v": {}}), BAD),
        ("null among ids", ids, json!({"v": ["dept_x", null]}), BAD),
        ("a fraction among ids", ids, json!({"v": [1.5]}), BAD),
        ("a number for an instant", at, json!({"v": 5}), BAD),
        ("an object for an instant", at, json!({"v": {"a": 1}}), BAD),
    ];
    for (name, document, variables, code) in cases {
        assert_request_fails(&caller, name, document, variables, code).await;
    }
    assert_eq!(app.dump(caller.organization()).await, before);
}

#[tokio::test]
async fn an_absent_variable_does_not_hide_mistakes_beside_it() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let before = app.dump(caller.organization()).await;
    let mutation = |input: &str| {
        format!(
            "mutation($v: String) {{ departmentUpsert(input: {{externalId: {{system: \"a\", id: \"b\"}}, name: \"a\", contact: $v, {input}}}) {{ outcome }} }}"
        )
    };
    let list =
        |arguments: &str| format!("query($v: String) {{ departments(after: $v, {arguments}) {{ totalCount }} }}");
    let cases = [
        ("an unknown input field", mutation("nmae: 1")),
        ("an unknown enum value", mutation("mode: NONSENSE")),
        ("a text for a number", mutation("expectedVersion: \"1\"")),
        ("a number for a key", mutation("idempotencyKey: 1")),
        ("an unknown comparison", list("filter: {name: {name: \"a\", eq: $v}}")),
        ("an unknown quantifier", list("filter: {interactionPoints: {every: {name: {eq: $v}}}}")),
        ("an unknown direction", list("orderBy: [{field: NAME, direction: SIDEWAYS}], before: $v")),
        ("a missing order field", list("orderBy: [{direction: ASC}], before: $v")),
    ];
    for (name, document) in cases {
        let reply = caller.run(&document, json!({})).await.body;
        let code = &reply["errors"][0]["extensions"]["code"];
        assert!([json!(BAD), json!(INVALID)].contains(code), "{name}: {reply:#}");
        assert!(reply["data"].as_object().is_none_or(|data| data.values().all(Value::is_null)), "{name}: {reply:#}");
    }
    assert_request_fails(
        &caller,
        "a required argument left to an absent variable",
        "query($v: DepartmentRef) { department(by: $v) { id } }",
        json!({}),
        BAD,
    )
    .await;
    assert_eq!(app.dump(caller.organization()).await, before);
    let sound = caller.run(&list("first: 1"), json!({})).await.body;
    assert_eq!(sound, json!({"data": {"departments": {"totalCount": 1}}}));
}

#[tokio::test]
async fn a_malformed_instant_fails_the_request() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let documents = [
        "query($v: DateTime!) { feedbackRecords(filter: {receivedAt: {lt: $v}}) { totalCount } }",
        "mutation($v: DateTime!) { feedbackRecordCreate(input: {kind: COMPLAINT, receivedAt: $v}) { outcome } }",
    ];
    let malformed = [
        ("no zone", "2026-01-01T00:00:00"),
        ("no time of day", "2026-01-01T"),
        ("year 0", "0000-01-01T00:00:00Z"),
        ("before year 1 in UTC", "0001-01-01T00:00:00+01:00"),
        ("year 10000", "10000-01-01T00:00:00Z"),
        ("after year 9999 in UTC", "9999-12-31T23:59:59-01:00"),
        ("a leap second", "2016-12-31T23:59:60Z"),
        ("a leap second that never was", "2026-06-15T12:00:60Z"),
        ("month 13", "2026-13-01T00:00:00Z"),
        ("30 February", "2026-02-30T00:00:00Z"),
        ("hour 24", "2026-01-01T24:00:00Z"),
        ("an offset of 25 hours", "2026-01-01T00:00:00+25:00"),
        ("epoch seconds", "-62135596801"),
        ("words", "yesterday"),
        ("nothing", ""),
        ("a NUL byte", "2026-01-01T00:00:00Z\0"),
    ];
    for (name, at) in malformed {
        for document in documents {
            assert_request_fails(&caller, name, document, json!({"v": at}), BAD).await;
        }
    }
    let document = "mutation { feedbackRecordCreate(input: {kind: COMPLAINT, receivedAt: \"tomorrow\"}) { outcome } }";
    assert_request_fails(&caller, "a literal", document, json!({}), INVALID).await;
    for (at, shown) in [
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ("2026-01-01T01:30:00+01:30", "2026-01-01T00:00:00Z"),
    ] {
        let made = caller
            .mutate("feedbackRecordCreate", json!({"kind": "COMPLAINT", "receivedAt": at}), "node { receivedAt }")
            .await;
        assert_eq!(made["node"]["receivedAt"], shown);
    }
}

#[tokio::test]
async fn a_page_is_from_1_to_1000_rows_from_one_end() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let wrong = [
        "first: 0",
        "first: -1",
        "first: 1001",
        "first: 2147483647",
        "last: 0",
        "last: -1",
        "last: 1001",
        "first: 1, last: 1",
    ];
    for arguments in wrong {
        let documents = [
            format!("{{ departments({arguments}) {{ totalCount }} }}"),
            format!("{{ departments {{ nodes {{ interactionPoints({arguments}) {{ totalCount }} }} }} }}"),
            format!(
                "mutation {{ departmentCreate(input: {{name: \"a\"}}) {{ node {{ interactionPoints({arguments}) {{ totalCount }} }} }} }}"
            ),
        ];
        for document in documents {
            assert_request_fails(&caller, arguments, &document, json!({}), BAD).await;
        }
        let variable = "query($f: Int, $l: Int) { departments(first: $f, last: $l) { totalCount } }";
        let given: Value = arguments
            .split(", ")
            .map(|part| part.split_once(": ").unwrap())
            .map(|(name, number)| (name[..1].to_owned(), json!(number.parse::<i64>().unwrap())))
            .collect();
        assert_request_fails(&caller, arguments, variable, given, BAD).await;
    }
    for arguments in ["first: 1", "first: 1000", "last: 1000", "first: null", "first: 1, last: null"] {
        let reply = caller.ask(&format!("{{ departments({arguments}) {{ totalCount }} }}")).await;
        assert_eq!(reply["departments"]["totalCount"], 1, "{arguments}");
    }
    for first in [0, -1, 10_001] {
        let document = format!("{{ feedbackRecordGroups(first: {first}) {{ recordCount }} }}");
        assert_request_fails(&caller, "groups", &document, json!({}), BAD).await;
    }
}

#[tokio::test]
async fn an_order_names_known_columns_once() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let cases = [
        ("an unknown column", "[{field: CONTACT}]", INVALID),
        ("a column of another noun", "[{field: POSITION}]", INVALID),
        ("an unknown direction", "[{field: NAME, direction: UP}]", INVALID),
        ("no column", "[{direction: ASC}]", INVALID),
        ("null", "[null]", INVALID),
        ("a column twice", "[{field: NAME}, {field: NAME, direction: DESC}]", BAD),
        ("the id twice", "[{field: ID}, {field: ID}]", BAD),
    ];
    for (name, order, code) in cases {
        let document = format!("{{ departments(orderBy: {order}) {{ totalCount }} }}");
        assert_request_fails(&caller, name, &document, json!({}), code).await;
    }
    let groups = "{ feedbackRecordGroups(groupBy: [KIND, KIND]) { recordCount } }";
    assert_request_fails(&caller, "a group key twice", groups, json!({}), BAD).await;
    let zone = "{ feedbackRecordGroups(bucket: {unit: DAY, timeZone: \"Mars/Olympus\"}) { recordCount } }";
    assert_request_fails(&caller, "an unknown time zone", zone, json!({}), BAD).await;
}

#[tokio::test]
async fn nodes_takes_up_to_1000_ids() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let document = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    assert_request_fails(&caller, "1,001 ids", document, json!({"ids": vec!["x"; 1001]}), BAD).await;
    let most = caller.data(document, json!({"ids": vec!["x"; 1000]})).await;
    assert_eq!(most["nodes"], json!(vec![Value::Null; 1000]));
    assert_eq!(caller.data(document, json!({"ids": []})).await["nodes"], json!([]));
}

#[tokio::test]
async fn what_is_no_id_of_the_noun_finds_no_row() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let own = caller.ask("{ organization { id fallbackDepartment { id } } }").await;
    let department = own["organization"]["fallbackDepartment"]["id"].as_str().unwrap();
    let digits = department.strip_prefix("dept_").unwrap();
    let before = app.dump(caller.organization()).await;
    let long = "x".repeat(100_000);
    let cases = [
        ("nothing", String::new()),
        ("a word", "x".to_owned()),
        ("a prefix", "dept_".to_owned()),
        ("a prefix without its line", format!("dept{digits}")),
        ("no prefix", digits.to_owned()),
        ("an empty prefix", format!("_{digits}")),
        ("another type's prefix", format!("med_{digits}")),
        ("an unknown prefix", format!("dep_{digits}")),
        ("a digit too few", format!("dept_{}", &digits[1..])),
        ("a digit too many", format!("dept_0{digits}")),
        ("129 bits", format!("dept_8{}", &digits[1..])),
        ("a letter that is no digit", format!("dept_{}u", &digits[..25])),
        ("upper case", department.to_uppercase()),
        ("a UUID", "01890000-0000-7000-8000-000000000000".to_owned()),
        ("a sign of two bytes", format!("dept_{}é", &digits[..24])),
        ("a NUL byte", format!("dept_{}\0", &digits[..25])),
        ("a space", format!(" {department}")),
        ("the organization's own id", own["organization"]["id"].as_str().unwrap().to_owned()),
        ("100,000 signs", long),
    ];
    let query = "query($id: ID!) { department(by: {id: $id}) { id } departments(filter: {id: {eq: $id}}) { totalCount }
        interactionPoints(filter: {owner: {id: {in: [$id]}}}) { totalCount } }";
    for (name, id) in &cases {
        let found = caller.data(query, json!({"id": id})).await;
        let nothing =
            json!({"department": null, "departments": {"totalCount": 0}, "interactionPoints": {"totalCount": 0}});
        assert_eq!(found, nothing, "{name}");
        if !name.starts_with("the organization") {
            let node = caller.data("query($id: ID!) { node(id: $id) { id } }", json!({"id": id})).await;
            assert_eq!(node["node"], Value::Null, "{name}");
        }
        for field in ["departmentUpdate", "departmentDelete", "departmentArchive", "departmentUnarchive"] {
            let payload = caller.mutate(field, json!({"by": { "id": id }}), super::TOLD).await;
            let expected =
                json!({"outcome": "FAILED", "node": null, "errors": [{"code": "NOT_FOUND", "path": ["by"]}]});
            assert_eq!(payload, expected, "{field} {name}");
        }
        let link = json!({"name": "a", "ownerRef": {"id": id}});
        let payload = caller.mutate("interactionPointCreate", link, super::TOLD).await;
        let expected =
            json!({"outcome": "FAILED", "node": null, "errors": [{"code": "NOT_FOUND", "path": ["ownerRef"]}]});
        assert_eq!(payload, expected, "{name}");
    }
    assert_eq!(app.dump(caller.organization()).await, before);
}
