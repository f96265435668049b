//! Requests that scanners and attackers send, and the responses to them. The checks of graphql-cop come first, with the
//! same requests; a caller with a token learns no more than one without.

use std::fmt::Write as _;

use actix_web::{test::TestRequest, web::Bytes};
use serde_json::json;

use super::{Answer, GRAPHQL, JSON, app, ask, get, post, send, send_all, send_to, settings, with_token};
use crate::{config::HttpSettings, graphql::documents::limits::Limits, http::routes};

async fn large(request: TestRequest) -> Answer {
    let mut settings = settings();
    settings.body_limit = 1 << 22;
    send_to(routes(app().await, &settings), request).await
}

/// Asserts that a document is refused with 400 and the code, with and without a token; a long one without a token is
/// refused with 401.
async fn assert_refused(query: &str, code: &str) {
    let is_long = json!({ "query": query }).to_string().len() > 64 * 1_024;
    for (request, is_known) in [(ask(query), false), (with_token(ask(query)), true)] {
        let answer = large(request).await;
        let expected = if is_long && !is_known { (401, "UNAUTHENTICATED") } else { (400, code) };
        assert_eq!(
            answer.refused(),
            (expected.0, expected.1.to_owned()),
            "{}",
            query.chars().take(200).collect::<String>()
        );
        assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 1);
        assert!(answer.body.len() < 500, "{}", answer.text());
    }
}

fn numbered(count: usize, write: impl Fn(usize) -> String) -> String {
    (0..count).map(write).collect::<Vec<_>>().join(" ")
}

#[actix_web::test]
async fn cop_alias_overloading() {
    assert_refused(
        &format!("query cop {{ {} }}", numbered(101, |at| format!("alias{at}:__typename"))),
        "TOO_MANY_ALIASES",
    )
    .await;
}

#[actix_web::test]
async fn cop_array_based_query_batching() {
    for count in [1, 2, 10, 10_000] {
        let batch = vec![json!({ "query": "query cop { __typename }" }); count];
        assert_eq!(large(with_token(post(json!(batch).to_string()))).await.refused(), (400, "BAD_REQUEST".into()));
    }
}

#[actix_web::test]
async fn cop_circular_query_using_introspection() {
    let circle = "query cop { __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }";
    assert_refused(circle, "QUERY_TOO_COMPLEX").await;
}

#[actix_web::test]
async fn cop_directive_overloading() {
    for count in [6, 10] {
        assert_refused(&format!("query cop {{ __typename {} }}", "@aa".repeat(count)), "TOO_MANY_DIRECTIVES").await;
    }
    assert_refused(&format!("query cop {{ __typename {} }}", "@aa".repeat(100_000)), "DOCUMENT_TOO_LARGE").await;
    assert_refused(&format!("query cop {{ __typename {} }}", "@a".repeat(1_500)), "TOO_MANY_TOKENS").await;
}

#[actix_web::test]
async fn cop_field_duplication() {
    assert_refused(&format!("query cop {{ {} }}", "__typename \n ".repeat(500)), "TOO_MANY_ROOT_FIELDS").await;
}

#[actix_web::test]
async fn cop_field_suggestions() {
    for misspelt in ["query cop { __schema { directive } }", "query cop { __schema { queryTipe { name } } }"] {
        for request in [ask(misspelt), with_token(ask(misspelt))] {
            let answer = send(request).await;
            assert_eq!(answer.refused(), (400, "GRAPHQL_VALIDATION_FAILED".into()));
            assert!(!answer.text().contains("Did you mean"), "{}", answer.text());
        }
    }
}

/// Queries over GET are allowed by design: they use no cookies and have no side effects.
#[actix_web::test]
async fn cop_get_method_query_support() {
    assert_eq!(send(get(&[("query", "query cop {__typename}")])).await.status, 200);
    assert_eq!(send(get(&[("query", "query cop { organization { id } }")])).await.refused().0, 401);
}

#[actix_web::test]
async fn cop_mutation_over_get() {
    let answer = send(with_token(get(&[("query", "mutation cop {__typename}")]))).await;
    assert_eq!((answer.refused(), answer.header("allow")), ((405, "METHOD_NOT_ALLOWED".into()), "POST"));
}

#[actix_web::test]
async fn cop_post_urlencoded() {
    let form = TestRequest::post().uri("/graphql").set_payload("query=query%20cop%20%7B__typename%7D");
    let answer = send(form.insert_header(("content-type", "application/x-www-form-urlencoded"))).await;
    assert_eq!(answer.refused(), (415, "UNSUPPORTED_MEDIA_TYPE".into()));
}

/// The explorer is a page at `/`; the endpoint itself serves none.
#[actix_web::test]
async fn cop_graphql_ide_at_the_endpoint() {
    for path in ["/graphql", "/graphiql", "/playground", "/console", "/v1/graphql"] {
        let answer = send(TestRequest::get().uri(path).insert_header(("accept", "text/html"))).await;
        assert!([404, 406].contains(&answer.status.as_u16()) && !answer.code().is_empty(), "{path}");
    }
}

/// Introspection is enabled by design: tools need it, and the schema is the same for everybody.
#[actix_web::test]
async fn cop_introspection_is_on_and_bounded() {
    assert_eq!(send(ask("query cop { __schema { types { name fields { name } } } }")).await.status, 200);
    let twenty =
        numbered(20, |at| format!("a{at}: __schema {{ types {{ fields {{ type {{ fields {{ name }} }} }} }} }}"));
    assert_refused(&format!("{{ {twenty} }}"), "QUERY_TOO_COMPLEX").await;
}

#[actix_web::test]
async fn cop_trace_mode() {
    let answer = send(with_token(ask("query cop { __typename }"))).await;
    let extensions = answer.json()["extensions"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(extensions, ["cost"]);
    assert!(send(ask("query cop { __typename }")).await.json().get("extensions").is_none());
}

#[actix_web::test]
async fn cop_unhandled_errors() {
    for query in ["qwerty cop { abc }", "query cop { abc }", "{ __type }", "{ __type(name: 1) { name } }"] {
        let answer = send(with_token(ask(query))).await;
        assert_eq!(answer.status, 400, "{query}");
        let text = answer.text().to_lowercase();
        assert!(!["exception", "panicked", ".rs", "stack", "qwerty"].iter().any(|word| text.contains(word)), "{text}");
    }
}

#[actix_web::test]
async fn bodies_that_are_no_request() {
    let deep = |depth: usize| {
        [r#"{"query":"{__typename}","variables":{"a":"#, &"[".repeat(depth), &"]".repeat(depth), "}}"].concat()
    };
    for body in [
        deep(10_000),
        deep(1_000_000),
        "[".repeat(1_000_000),
        "{\"a\":".repeat(100_000),
        format!(r#"{{"query":"{{__typename}}","extensions":{}1{}}}"#, "{\"a\":".repeat(10_000), "}".repeat(10_000)),
        format!(r#"{{"query":"{{__typename}}","unheard":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_001)),
        r#"{"query":"{__typename}","query":"{__typename}"}"#.to_owned(),
        r#"{"query":"{__typename}","variables":{},"variables":{}}"#.to_owned(),
    ] {
        assert_eq!(large(with_token(post(body))).await.refused(), (400, "BAD_REQUEST".into()));
    }
}

#[actix_web::test]
async fn bodies_that_are_too_long_or_compressed() {
    let long = || post(Bytes::from(vec![b' '; (1 << 22) + 1]));
    assert_eq!(large(with_token(long())).await.refused(), (413, "PAYLOAD_TOO_LARGE".into()));
    assert_eq!(large(long()).await.refused(), (401, "UNAUTHENTICATED".into()));
    for encoding in ["gzip", "br", "deflate", "x-bomb"] {
        let answer = send(ask("{ __typename }").insert_header(("content-encoding", encoding))).await;
        assert_eq!(answer.refused(), (415, "UNSUPPORTED_MEDIA_TYPE".into()));
    }
}

#[actix_web::test]
async fn documents_that_are_too_much() {
    let bomb = |length: usize, spreads: usize| {
        let mut text = String::from("{ __type(name: \"Query\") { ...F0 } }");
        for at in 0..length {
            write!(text, " fragment F{at} on __Type {{ {} }}", format!("...F{} ", at + 1).repeat(spreads)).unwrap();
        }
        text + &format!(" fragment F{length} on __Type {{ name }}")
    };
    for (query, code) in [
        ("#".repeat(33 * 1_024), "DOCUMENT_TOO_LARGE"),
        (format!("{}{{ __typename }}", "#\n".repeat(500_000)), "DOCUMENT_TOO_LARGE"),
        (format!("{{ {} }}", "a ".repeat(1_999)), "TOO_MANY_TOKENS"),
        (format!("{{a(x:{}{})}}", "[".repeat(5_000), "]".repeat(5_000)), "TOO_NESTED"),
        (format!("{{a(x:{}1{})}}", "{a:".repeat(3_000), "}".repeat(3_000)), "TOO_NESTED"),
        (format!("{{a(x:{}", "[".repeat(5_000)), "TOO_NESTED"),
        (format!("{{a(x:\"\"\"{})}}", "[".repeat(5_000)), "GRAPHQL_PARSE_FAILED"),
        ("{".repeat(1_000), "TOO_NESTED"),
        ("{".repeat(100_000), "DOCUMENT_TOO_LARGE"),
        (bomb(12, 4), "TOO_MANY_SELECTIONS"),
        (bomb(29, 8), "TOO_MANY_SELECTIONS"),
        (bomb(6, 30), "TOO_MANY_SELECTIONS"),
        (bomb(40, 1), "TOO_NESTED"),
        ("{ ...F } fragment F on Query { ...G } fragment G on Query { ...F }".to_owned(), "GRAPHQL_VALIDATION_FAILED"),
        (format!("{{ __schema {{ types {} name {} }} }}", "{ ofType ".repeat(15), "}".repeat(15)), "TOO_DEEP"),
        (format!("{{ {} }}", numbered(31, |at| format!("a{at}: __typename"))), "TOO_MANY_ALIASES"),
        (format!("{{ __schema {{ {} }} }}", numbered(31, |at| format!("a{at}: __typename"))), "TOO_MANY_ALIASES"),
        (format!("{{ {} }}", "__typename ".repeat(21)), "TOO_MANY_ROOT_FIELDS"),
    ] {
        assert_refused(&query, code).await;
    }
    let unused = numbered(5_000, |at| format!("fragment F{at} on Query {{ a }}"));
    assert_refused(&format!("{{ __typename }} {unused}"), "DOCUMENT_TOO_LARGE").await;
    let legal = format!("{{ __type(name: \"\"\"{}\"\"\") {{ name }} }}", "[{(".repeat(5_000));
    assert_eq!(large(ask(&legal)).await.json(), json!({ "data": { "__type": null } }));
}

#[actix_web::test]
async fn errors_are_few_and_short_and_say_nothing_of_the_document() {
    let wrong = format!("{{ __schema {{ {} }} }}", numbered(600, |at| format!("secret{at} @secret{at}")));
    let answer = large(ask(&wrong)).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 10);
    assert!(answer.body.len() < 3_000);
    let long = format!("{{ __schema {{ {} }} }}", "x".repeat(30_000));
    assert!(large(ask(&long)).await.body.len() < 1_000);
    let unread = format!("{{ __typename({} }}", "secret ".repeat(100));
    assert!(!large(ask(&unread)).await.text().contains("secret"));
}

#[actix_web::test]
async fn paging_that_no_page_has() {
    let query = "query ($f: Int, $l: Int) { departments(first: $f, last: $l) { nodes { id } } }";
    for (variables, code) in [
        (json!({ "f": i32::MAX }), "QUERY_TOO_COMPLEX"),
        (json!({ "f": "1" }), "BAD_USER_INPUT"),
        (json!({ "f": 1e300 }), "BAD_USER_INPUT"),
        (json!({ "f": 2_147_483_648_u64 }), "BAD_USER_INPUT"),
    ] {
        let answer = send(with_token(post(json!({ "query": query, "variables": variables }).to_string()))).await;
        assert_eq!(answer.refused(), (400, code.into()), "{variables}");
    }
}

#[actix_web::test]
async fn pages_of_pages_of_pages_are_refused_with_what_they_would_cost() {
    let query = "{ departments(first: 100) { nodes { interactionPoints(first: 100) { nodes { expectations(first: 100) {
        nodes { id } } } } } } }";
    let answer = send(with_token(ask(query))).await;
    assert_eq!(answer.refused(), (400, "QUERY_TOO_COMPLEX".into()));
    let extensions = &answer.json()["errors"][0]["extensions"];
    assert_eq!((&extensions["cost"], &extensions["limit"]), (&json!(1_020_201), &json!(20_000)));
}

#[actix_web::test]
async fn an_answer_too_long_to_send_is_refused() {
    let mut settings = settings();
    (settings.limits.answer_bytes, settings.limits.introspection_bytes) = (512, 4_096);
    let routes = || async { routes(app().await, &settings) };
    let all = "__schema { types { name } }";
    let answer = send_to(routes().await, ask(&format!("{{ {all} }}"))).await;
    assert_eq!(answer.refused(), (400, "ANSWER_TOO_LARGE".into()));
    // Introspection has a limit of its own, which a request for data does not get.
    let few = "__schema { directives { name description } }";
    let answer = send_to(routes().await, ask(&format!("{{ {few} }}"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.body.len() > 512, "{}", answer.text());
    let mixed = with_token(ask(&format!("{{ organization {{ id }} {few} }}")));
    assert_eq!(send_to(routes().await, mixed).await.refused(), (400, "ANSWER_TOO_LARGE".into()));
}

#[actix_web::test]
async fn upgrades_and_odd_headers_get_no_further() {
    let upgrade = get(&[("query", "{ organization { id } }")])
        .insert_header(("connection", "upgrade"))
        .insert_header(("upgrade", "websocket"));
    assert_eq!(send(upgrade).await.refused(), (400, "BAD_REQUEST".into()));
    for kind in ["text/plain", "multipart/form-data; boundary=x", "application/graphql"] {
        let plain = TestRequest::post().uri("/graphql").insert_header(GRAPHQL).insert_header(("content-type", kind));
        let answer = send(with_token(plain.set_payload(r#"{"query":"mutation { __typename }"}"#))).await;
        assert_eq!(answer.refused(), (415, "UNSUPPORTED_MEDIA_TYPE".into()), "{kind}");
    }
    let pretty = TestRequest::post().uri("/graphql").insert_header(JSON).insert_header(("accept", "text/html"));
    assert_eq!(send(pretty.set_payload(r#"{"query":"{__typename}"}"#)).await.refused().0, 406);
}

#[actix_web::test]
async fn who_has_no_token_spends_the_points_of_an_address() {
    let limits = Limits { introspection_points: 6_000, introspection_points_per_second: 1, ..Limits::DEFAULT };
    let settings = HttpSettings { limits, ..settings() };
    // The header must have no effect on the address.
    let ask = |peer: &str, said: usize| {
        let from = format!("{peer}:4000").parse().unwrap();
        let request = ask(include_str!("../../../tests/corpus/documents/introspection.graphql")).peer_addr(from);
        let request = request.insert_header(("forwarded", format!("for=198.51.100.{said}")));
        request.insert_header(("x-forwarded-for", format!("198.51.100.{said}")))
    };
    let asks = (0..4).map(|said| ask("192.0.2.1", said)).chain([ask("192.0.2.2", 0)]);
    let answers = send_all(routes(app().await, &settings), asks).await;
    assert_eq!([0, 3, 4].map(|at: usize| answers[at].status.as_u16()), [200, 429, 200]);
    assert_eq!(answers[3].refused(), (429, "RATE_LIMITED".to_owned()));
    assert!(answers[3].header("retry-after").parse::<u32>().unwrap() > 100, "{}", answers[3].header("retry-after"));
}
