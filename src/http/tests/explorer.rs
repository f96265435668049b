//! Tests of the explorer.

use actix_web::test::TestRequest;
use serde_json::Value as Json;

use super::{Answer, send};
use crate::http::explorer::{BEGINNINGS, EXAMPLES, GENERAL};

fn page(peer: &str, host: &str) -> TestRequest {
    TestRequest::get().uri("/").peer_addr(peer.parse().unwrap()).insert_header(("host", host))
}

fn settings_of(page: &Answer) -> Json {
    let (_, rest) = page.text().split_once(r#"type="application/json">"#).unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[actix_web::test]
async fn the_page_may_load_and_call_nothing_but_this_server() {
    let page = send(page("192.0.2.1:1", "rapport.example")).await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("connect-src 'self'"), "{policy}");
    assert!(
        !policy.contains("http") && !policy.contains("unsafe-eval") && policy.contains("script-src 'self';"),
        "{policy}"
    );
    assert!(!page.text().contains("://"), "an address of another host");
}

#[actix_web::test]
async fn every_file_of_the_page_is_there_to_be_kept() {
    let page = send(page("192.0.2.1:1", "rapport.example")).await;
    let files: Vec<&str> = page.text().split('"').filter(|part| part.starts_with("/explorer/")).collect();
    assert_eq!(files.len(), 6);
    for file in files {
        let answer = send(TestRequest::get().uri(file)).await;
        assert_eq!(answer.status, 200, "{file}");
        assert!(answer.header("cache-control").contains("immutable"));
        assert_eq!(answer.body.starts_with(&[0x1f, 0x8b]), answer.header("content-encoding") == "gzip", "{file}");
    }
}

#[actix_web::test]
async fn the_demo_token_is_shown_to_this_machine_by_its_own_name_only() {
    for host in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080"] {
        for peer in ["127.0.0.1:5000", "[::1]:5000", "[::ffff:127.0.0.1]:5000"] {
            assert_eq!(settings_of(&send(page(peer, host)).await)["token"], "demo-token", "{peer} {host}");
        }
    }
    for (peer, host) in [
        ("192.0.2.1:5000", "localhost:8080"),
        ("127.0.0.1:5000", "rebound.example:8080"),
        ("127.0.0.1:5000", "localhost:9090"),
        ("127.0.0.1:5000", "localhost"),
        ("127.0.0.1:5000", "localhost.example:8080"),
    ] {
        assert_eq!(settings_of(&send(page(peer, host)).await)["token"], Json::Null, "{peer} {host}");
    }
    let forwarded = page("127.0.0.1:5000", "localhost:8080").insert_header(("x-forwarded-for", "192.0.2.1"));
    assert_eq!(settings_of(&send(forwarded).await)["token"], Json::Null);
}

#[actix_web::test]
async fn each_example_says_what_it_is_for_and_has_a_name_of_its_own() {
    let page = send(page("192.0.2.1:1", "rapport.example")).await;
    // In the demo, both sets of examples are the same: the demo organization always has data.
    let given = serde_json::json!({ "filled": EXAMPLES, "empty": EXAMPLES });
    assert_eq!(settings_of(&page)["examples"], given);
    let (mut names, mut seen) = (std::collections::HashSet::new(), std::collections::HashSet::new());
    let all = EXAMPLES.iter().chain(&GENERAL).chain(&BEGINNINGS).copied();
    // Some examples are in more than one list.
    for example in all.filter(|example| seen.insert(*example)) {
        assert!(example.starts_with("# "), "{example}");
        let document = async_graphql::parser::parse_query(example).unwrap();
        let (name, _) = document.operations.iter().next().unwrap();
        assert!(names.insert(name.expect("it has a name").clone()));
    }
}
