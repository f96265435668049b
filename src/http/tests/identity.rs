//! The caller is authenticated before the request is read, and the size of what is read is limited.

use actix_web::test::TestRequest;
use serde_json::json;

use super::{app, ask, get, good, post, send, send_all, send_to, settings, with_token};
use crate::{config::HttpSettings, graphql::documents::limits::Limits, http::routes};

const TOO_LARGE: usize = 64 * 1_024 + 1;

fn large() -> HttpSettings {
    HttpSettings { body_limit: 1 << 22, ..settings() }
}

/// Variables that are refused with any document: invalid JSON, a duplicate key, too many values.
fn broken() -> [String; 3] {
    ["[1,]".to_owned(), r#"{"a":1,"a":2}"#.to_owned(), json!({ "a": vec![0; 1_000] }).to_string()]
}

#[actix_web::test]
async fn without_a_token_nothing_but_the_document_is_read() {
    let limits = Limits { body_values: 500, ..Limits::DEFAULT };
    let settings = HttpSettings { limits, ..settings() };
    for variables in broken() {
        let body = |query: &str| format!(r#"{{"query":"{query}","variables":{variables}}}"#);
        let (private, public) = (body("{ organization { id } }"), body("{ __typename }"));
        // A body that is not valid JSON is refused as such, since its document cannot be read.
        if variables != "[1,]" {
            let answer = send_to(routes(app().await, &settings), post(private.clone())).await;
            assert_eq!(answer.refused(), (401, "UNAUTHENTICATED".into()), "{variables}");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
        for request in [post(public), with_token(post(private))] {
            assert_eq!(send_to(routes(app().await, &settings), request).await.status, 400, "{variables}");
        }
    }
    let by_get = get(&[("query", "{ organization { id } }"), ("variables", r#"{"a":1,"a":2}"#)]);
    assert_eq!(send(by_get).await.refused(), (401, "UNAUTHENTICATED".into()));
}

#[actix_web::test]
async fn without_a_token_nothing_long_is_read() {
    for body in [
        "[".repeat(TOO_LARGE),
        "{\"a\":".repeat(TOO_LARGE / 5 + 1),
        json!({ "query": "{ __typename }", "variables": { "a": vec![json!({ "": 0 }); TOO_LARGE / 7] } }).to_string(),
        " ".repeat(TOO_LARGE),
    ] {
        for token in [None, Some("Bearer bad"), Some("Bearer"), Some("Basic x")] {
            let request = post(body.clone());
            let request =
                token.into_iter().fold(request, |request, token| request.insert_header(("authorization", token)));
            let answer = send_to(routes(app().await, &large()), request).await;
            assert_eq!(answer.refused(), (401, "UNAUTHENTICATED".into()), "{token:?}");
        }
        let known = send_to(routes(app().await, &large()), with_token(post(body))).await;
        assert_ne!(known.status, 401);
    }
    let query = json!({ "query": "{ __typename }" }).to_string();
    let longest = format!("{query}{}", " ".repeat(TOO_LARGE - 1 - query.len()));
    assert_eq!(send_to(routes(app().await, &large()), post(longest)).await.status, 200);
}

#[actix_web::test]
async fn a_key_given_twice_at_any_depth_is_refused_with_its_place() {
    let query = r#""query":"query ($a: String) { __typename }""#;
    for (body, place) in [
        (format!(r#"{{{query},"variables":{{"a":"x","a":"y"}}}}"#), "variables.a"),
        (
            format!(r#"{{{query},"variables":{{"input":{{"rows":[{{"x":1}},{{"y":1,"y":1}}]}}}}}}"#),
            "variables.input.rows.1.y",
        ),
        (format!(r#"{{{query},"extensions":{{"p":{{"q":1,"q":1}}}}}}"#), "extensions.p.q"),
        (format!(r#"{{{query},"more":[{{"q":1,"q":1}}]}}"#), "the body.0.q"),
    ] {
        for accept in ["application/json", "application/graphql-response+json"] {
            let answer = send(with_token(post(body.clone())).insert_header(("accept", accept))).await;
            assert_eq!(answer.refused(), (400, "BAD_USER_INPUT".into()), "{body}");
            assert_eq!(answer.json()["errors"][0]["message"], format!("duplicate key {place}"));
        }
    }
    let by_get = get(&[("query", "{ __typename }"), ("variables", r#"{"a":{"b":1,"b":2}}"#)]);
    assert_eq!(send(with_token(by_get)).await.refused(), (400, "BAD_USER_INPUT".into()));
}

#[actix_web::test]
async fn values_are_counted_to_the_last() {
    let limits = Limits { body_values: 1_003, ..Limits::DEFAULT };
    let settings = HttpSettings { limits, body_limit: 1 << 20, ..settings() };
    // The variables object, the list and its items count; the longer body is parsed on the compute pool.
    for text in ["x", &"x".repeat(100)] {
        for (items, status) in [(1_001, 200), (1_002, 400)] {
            let body = json!({ "query": "{ __typename }", "variables": { "a": vec![text; items] } }).to_string();
            let answer = send_to(routes(app().await, &settings), with_token(post(body))).await;
            assert_eq!(answer.status, status, "{}", answer.text());
            assert!(status == 200 || answer.code() == "TOO_MANY_VALUES");
        }
    }
}

#[actix_web::test]
async fn bodies_take_no_more_memory_together_than_there_is_and_give_it_back() {
    let limits = Limits { body_memory: 1 << 20, ..Limits::DEFAULT };
    let settings = HttpSettings { limits, ..large() };
    let many = json!({ "query": "{ __typename }", "variables": { "a": vec![0; 4_000] } }).to_string();
    let token = good();
    let by = |body: String| post(body).insert_header(("authorization", format!("Bearer {token}")));
    let asks = [by(many.clone()), by(" ".repeat(1 << 20)), by(many), ask("{ __typename }")];
    let answers = send_all(routes(app().await, &settings), asks).await;
    // Four thousand values take a megabyte of the budget; after those requests the memory is available again.
    for answer in &answers[..3] {
        assert_eq!((answer.refused(), answer.header("retry-after")), ((503, "OVERLOADED".into()), "1"));
    }
    assert_eq!(answers[3].status, 200);
    let few = json!({ "query": "{ __typename }", "variables": { "a": vec![0; 2_000] } }).to_string();
    let again = send_all(routes(app().await, &settings), (0..5).map(|_| by(few.clone()))).await;
    assert!(again.iter().all(|answer| answer.status == 200));
}

#[actix_web::test]
async fn a_trusted_proxy_says_whom_a_request_is_from() {
    let limits = Limits { introspection_points: 3, introspection_points_per_second: 1, ..Limits::DEFAULT };
    let trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    let settings = HttpSettings { trusted_proxies, limits, ..settings() };
    let from = |peer: &str, said: &str| {
        let request = ask("{ __typename }").peer_addr(format!("{peer}:4000").parse().unwrap());
        request.insert_header(("x-forwarded-for", said.to_owned()))
    };
    let statuses = async |asks: Vec<TestRequest>| {
        let answers = send_all(routes(app().await, &settings), asks).await;
        answers.iter().map(|answer| answer.status.as_u16()).collect::<Vec<_>>()
    };
    let spent = |from: &dyn Fn(usize) -> TestRequest| (0..4).map(from).collect::<Vec<_>>();
    // Two clients behind one proxy, one of which extends the header; an IPv6 /64 network counts as one caller.
    let two = spent(&|_| from("10.0.0.1", "192.0.2.1")).into_iter().chain([from("10.0.0.1", "192.0.2.2")]).collect();
    assert_eq!(statuses(two).await, [200, 200, 200, 429, 200]);
    let forged = spent(&|at| from("10.0.0.1", &format!("198.51.100.{at}, 192.0.2.1")));
    assert_eq!(statuses(forged).await, [200, 200, 200, 429]);
    assert_eq!(statuses(spent(&|at| from("10.0.0.1", &format!("2001:db8::{at}")))).await, [200, 200, 200, 429]);
    assert_eq!(statuses(spent(&|at| from("10.0.0.1", &format!("2001:db8:0:{at}::1")))).await, [200, 200, 200, 200]);
    // For an untrusted peer, its own address counts.
    assert_eq!(statuses(spent(&|at| from("192.0.2.9", &format!("198.51.100.{at}")))).await, [200, 200, 200, 429]);
}
