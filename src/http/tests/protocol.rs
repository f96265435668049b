//! Tests of GraphQL over HTTP.

use std::fmt::Write as _;

use actix_web::test::TestRequest;
use serde_json::json;

use super::{BODY_LIMIT, GRAPHQL, JSON, ask, get, good, post, send, with_token};

#[actix_web::test]
async fn an_answer_is_written_in_the_media_type_that_is_wanted() {
    for (accept, expected) in [
        (None, "application/json; charset=utf-8"),
        (Some("*/*"), "application/json; charset=utf-8"),
        (Some("application/graphql-response+json"), "application/graphql-response+json; charset=utf-8"),
    ] {
        let mut request =
            TestRequest::post().uri("/graphql").insert_header(JSON).set_payload(r#"{"query":"{__typename}"}"#);
        if let Some(accept) = accept {
            request = request.insert_header(("accept", accept));
        }
        let answer = send(request).await;
        assert_eq!(answer.json(), json!({ "data": { "__typename": "Query" } }));
        assert_eq!(answer.header("content-type"), expected);
        assert!(answer.header("vary").to_ascii_lowercase().contains("accept"));
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let answer = send(ask("{ __typename }").insert_header(("accept", "text/html"))).await;
    assert_eq!(answer.refused(), (406, "NOT_ACCEPTABLE".into()));
}

#[actix_web::test]
async fn a_request_error_has_no_data_and_the_status_of_its_media_type() {
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{ __schema @unheard { __typename } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($n: String!) { __type(name: $n) { name } }", "BAD_USER_INPUT"),
        ("query A { __typename } query B { __typename }", "BAD_USER_INPUT"),
    ] {
        assert_eq!(send(ask(query)).await.refused(), (400, code.into()), "{query}");
        let older = ask(query).insert_header(("accept", "application/json"));
        assert_eq!(send(older).await.refused(), (200, code.into()), "{query}");
    }
}

#[actix_web::test]
async fn a_parse_error_quotes_nothing_of_the_document() {
    let answer = send(ask("{ mia_at_example ( ")).await;
    assert!(!answer.text().contains("mia"), "{}", answer.text());
    assert!(answer.json()["errors"][0]["locations"][0]["line"].is_number());
}

#[actix_web::test]
async fn ill_typed_variables_are_refused_before_anything_executes() {
    let query = "query ($n: String!) { __type(name: $n) { name } }";
    for variables in [json!({}), json!({"n": null}), json!({"n": 1}), json!({"n": ["a"]})] {
        let answer = send(post(json!({ "query": query, "variables": variables }).to_string())).await;
        assert_eq!(answer.refused(), (400, "BAD_USER_INPUT".into()));
    }
    let answer = send(post(json!({ "query": query, "variables": {"n": "Query", "more": 1} }).to_string())).await;
    assert_eq!(answer.json()["data"]["__type"]["name"], "Query");
}

#[actix_web::test]
async fn a_body_that_is_no_request_is_refused() {
    let q = r#""query":"{__typename}""#;
    for body in [
        String::new(),
        "null".into(),
        "42".into(),
        "[]".into(),
        format!("[{{{q}}}]"),
        "[\"{__typename}\"]".into(),
        "{".into(),
        format!("{{{q},{q}}}"),
        format!("{{{q}}} trailing"),
        "{}".into(),
        r#"{"query":null}"#.into(),
        r#"{"query":1}"#.into(),
        format!(r#"{{{q},"operationName":1}}"#),
        format!(r#"{{{q},"variables":"x"}}"#),
        format!(r#"{{{q},"variables":[]}}"#),
        format!(r#"{{{q},"extensions":[1]}}"#),
        format!(r#"{{{q},"variables":{{"a":{}1{}}}}}"#, "[".repeat(1_000), "]".repeat(1_000)),
    ] {
        assert_eq!(send(post(body.clone())).await.refused(), (400, "BAD_REQUEST".into()), "{body}");
    }
    let answer = send(post(&b"{\"query\":\"\xff\"}"[..])).await;
    assert_eq!(answer.refused(), (400, "BAD_REQUEST".into()));
    // An editor may have left a byte order mark in the file.
    assert_eq!(send(post(format!("\u{feff}{{{q}}}"))).await.status, 200);
    let nulls = format!(r#"{{{q},"operationName":null,"variables":null,"extensions":null}}"#);
    assert_eq!(send(post(nulls)).await.status, 200);
}

#[actix_web::test]
async fn only_uncompressed_json_in_utf_8_is_read() {
    let body = r#"{"query":"{__typename}"}"#;
    let bare = || TestRequest::post().uri("/graphql").set_payload(body);
    for kind in [
        "text/plain",
        "application/graphql",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/jsonx",
    ] {
        let answer = send(bare().insert_header(("content-type", kind))).await;
        assert_eq!(answer.refused(), (415, "UNSUPPORTED_MEDIA_TYPE".into()), "{kind}");
    }
    assert_eq!(send(bare()).await.refused().0, 415);
    assert_eq!(send(bare().append_header(JSON).append_header(JSON)).await.refused().0, 415);
    assert_eq!(send(bare().append_header(JSON).append_header(("content-encoding", "gzip"))).await.refused().0, 415);
    for kind in ["application/json; charset=UTF-8", "Application/JSON;charset=\"utf-8\""] {
        assert_eq!(send(bare().insert_header(("content-type", kind))).await.status, 200, "{kind}");
    }
}

#[actix_web::test]
async fn a_body_up_to_the_limit_is_read_and_no_more() {
    let sized = |size: usize| {
        let body = r#"{"query":"{__typename}"}"#;
        post(format!("{body}{}", " ".repeat(size - body.len())))
    };
    assert_eq!(send(sized(BODY_LIMIT)).await.status, 200);
    assert_eq!(send(sized(BODY_LIMIT + 1)).await.refused(), (413, "PAYLOAD_TOO_LARGE".into()));
    let announced = sized(100).insert_header(("content-length", "99999999999999999999"));
    assert_ne!(send(announced).await.status, 500);
}

#[actix_web::test]
async fn queries_may_come_by_get_and_mutations_may_not() {
    let answer = send(get(&[("query", "{ __typename }")])).await;
    assert_eq!(answer.json(), json!({ "data": { "__typename": "Query" } }));
    let variables =
        [("query", "query T($n: String!) { __type(name: $n) { name } }"), ("variables", r#"{"n":"Query"}"#)];
    assert_eq!(send(get(&variables)).await.json()["data"]["__type"]["name"], "Query");
    let named = [("query", "query A { a: __typename } query B { b: __typename }"), ("operationName", "B")];
    assert_eq!(send(get(&named)).await.json(), json!({ "data": { "b": "Query" } }));

    for parameters in [
        &[("query", "mutation { __typename }")][..],
        &[("query", "mutation M { __typename }")],
        &[("query", "query Q { __typename } mutation M { __typename }"), ("operationName", "M")],
    ] {
        let answer = send(with_token(get(parameters))).await;
        assert_eq!(answer.refused(), (405, "METHOD_NOT_ALLOWED".into()), "{parameters:?}");
        assert_eq!(answer.header("allow"), "POST");
    }
    let subscription = get(&[("query", "subscription { changes { epoch } }")]);
    assert_eq!(send(with_token(subscription)).await.refused(), (406, "NOT_ACCEPTABLE".into()));
    for parameters in [&[][..], &[("query", "{a}"), ("query", "{b}")], &[("query", "{a}"), ("variables", "x")]] {
        assert_eq!(send(get(parameters)).await.refused(), (400, "BAD_REQUEST".into()), "{parameters:?}");
    }
}

#[actix_web::test]
async fn without_a_token_only_the_schema_can_be_read() {
    for query in
        ["{ __typename }", "{ __schema { queryType { name } } }", "{ ...F } fragment F on Query { __typename }"]
    {
        assert_eq!(send(ask(query)).await.status, 200, "{query}");
    }
    for query in [
        "{ organization }",
        "{ unheardOf }",
        "{ __typename ...F } fragment F on Query { ... { organization } }",
        "mutation { unheardOf }",
    ] {
        let answer = send(ask(query)).await;
        assert_eq!(answer.refused(), (401, "UNAUTHENTICATED".into()), "{query}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    assert_eq!(send(with_token(ask("{ unheardOf }"))).await.refused(), (400, "GRAPHQL_VALIDATION_FAILED".into()));
}

#[actix_web::test]
async fn a_token_that_is_no_good_never_makes_a_caller_anonymous() {
    for value in ["Bearer bad", "Bearer", "Bearer ", "Basic Z29vZDo=", "good", ""] {
        let answer = send(ask("{ __typename }").insert_header(("authorization", value))).await;
        assert_eq!(answer.refused(), (401, "UNAUTHENTICATED".into()), "{value}");
        let challenge = answer.header("www-authenticate").to_owned();
        assert!(challenge.starts_with("Bearer error=\"invalid_token\", error_description=\""), "{value}: {challenge}");
    }
    let twice = with_token(ask("{ __typename }")).append_header(("authorization", format!("Bearer {}", good())));
    assert_eq!(send(twice).await.refused().0, 401);
    let in_address = TestRequest::get().uri("/graphql?query=%7Borganization%7D&access_token=good");
    assert_eq!(send(in_address).await.refused().0, 401);
    let lower = ask("{ __typename }").insert_header(("authorization", format!("bearer {}", good())));
    assert_eq!(send(lower).await.status, 200);
}

#[actix_web::test]
async fn anonymous_callers_get_no_suggestions() {
    let misspelt = "{ __schema { queryTipe { name } } }";
    assert!(!send(ask(misspelt)).await.text().contains("Did you mean"));
    let misspelt = "query ($f: FeedbackRecordFliter) { __typename }";
    let stranger = send(ask(misspelt)).await;
    assert_eq!(stranger.refused(), (400, "GRAPHQL_VALIDATION_FAILED".into()));
    assert!(!stranger.text().contains("Did you mean") && !stranger.text().contains("FeedbackRecordFilter"));
    assert!(send(with_token(ask(misspelt))).await.text().contains("FeedbackRecordFilter"));
}

#[actix_web::test]
async fn a_bomb_of_fragments_is_answered_at_once() {
    let mut query = String::from("{ ...F0 }");
    for at in 0..30 {
        write!(query, " fragment F{at} on Query {{ {} }}", format!("...F{} ", at + 1).repeat(8)).unwrap();
    }
    query += " fragment F30 on Query { __typename }";
    assert_eq!(send(ask(&query)).await.refused(), (400, "TOO_MANY_ROOT_FIELDS".into()));
}

#[actix_web::test]
async fn other_methods_are_refused_with_those_that_are_known() {
    for request in [
        TestRequest::put(),
        TestRequest::delete(),
        TestRequest::patch(),
        TestRequest::default().method("HEAD".parse().unwrap()),
    ] {
        let answer = send(request.uri("/graphql").insert_header(GRAPHQL)).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET, POST"));
    }
}
