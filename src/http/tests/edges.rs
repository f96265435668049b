//! Tests of behavior common to all routes, and of the routes beside the API.

use actix_web::{HttpResponse, middleware::from_fn, test::TestRequest, web};
use entity::{Permission, id::OrganizationId};
use serde_json::json;

use super::{Answer, Json, LISTED, TOKENS, app, ask, routes, send, send_all, send_to, settings, token, with_token};
use crate::http::{
    admin,
    app::{State, mount},
    health::Health,
    middleware,
};

#[actix_web::test]
async fn every_refusal_has_one_shape_an_id_and_no_cache() {
    for request in [
        TestRequest::get().uri("/nowhere"),
        TestRequest::get().uri("/graphql/more"),
        TestRequest::get().uri("/explorer/unheard.js"),
        TestRequest::get().uri("/metrics"),
        TestRequest::post().uri("/healthz"),
        TestRequest::put().uri("/graphql"),
        TestRequest::get().uri("/healthz").insert_header(("accept-encoding", "identity;q=0")),
        ask("{ organization }"),
        preflight("https://other.example"),
    ] {
        let answer = send(request).await;
        assert!(answer.status.is_client_error());
        assert!(!answer.code().is_empty());
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-request-id").len(), 36);
    }
}

#[actix_web::test]
async fn an_id_from_outside_is_not_taken_over() {
    let id = "01900000-0000-7000-8000-000000000000";
    let answer = send(ask("{ __typename }").insert_header(("x-request-id", id))).await;
    assert!(answer.header("x-request-id").len() == 36 && answer.header("x-request-id") != id);
}

#[actix_web::test]
async fn a_panic_is_answered_with_an_id_and_not_a_word_more() {
    async fn panics() -> HttpResponse {
        panic!("customer mia")
    }
    let routes = |config: &mut web::ServiceConfig| {
        let resource = web::resource("/panics").route(web::get().to(panics)).wrap(from_fn(middleware::catch_panic));
        config.service(web::scope("").service(resource).wrap(from_fn(middleware::request_middleware)));
    };
    let answer = send_to(routes, TestRequest::get().uri("/panics")).await;
    assert_eq!(answer.refused(), (500, "INTERNAL_SERVER_ERROR".into()));
    assert_eq!(answer.json()["errors"][0]["extensions"]["requestId"], answer.header("x-request-id"));
    assert!(!answer.text().contains("mia"));
}

#[actix_web::test]
async fn the_published_documents_are_open_to_all() {
    let schema = send(TestRequest::get().uri("/schema.graphql")).await;
    assert_eq!(schema.header("content-type"), "text/plain; charset=utf-8");
    assert!(schema.text().contains("type Query"));
    let published = send(TestRequest::get().uri("/.well-known/jwks.json")).await;
    let keys: Json = serde_json::from_str(TOKENS.jwks()).unwrap();
    assert_eq!(published.json(), keys);
}

#[actix_web::test]
async fn a_healthy_process_is_alive_and_ready_until_it_drains() {
    let app = app().await;
    let (health, store) = (Health::new(app.store.clone()), app.store.clone());
    let state = web::Data::new(State::new(app, &settings()));
    let ask = async |path: &str| -> Answer {
        let routes = mount(state.clone(), store.clone(), web::Data::new(health.clone()), Vec::new());
        send_to(routes, TestRequest::get().uri(path)).await
    };
    assert_eq!(ask("/healthz").await.json(), json!({ "status": "ok" }));
    assert_eq!(ask("/readyz").await.status, 200);
    health.drain();
    assert_eq!(ask("/readyz").await.refused(), (503, "UNAVAILABLE".into()));
    assert_eq!(ask("/healthz").await.status, 200);
}

#[actix_web::test]
async fn what_was_served_is_counted_on_the_admin_address_only() {
    crate::http::metrics::recorder();
    send(with_token(ask("{ __typename }"))).await;
    send(ask("{ organization }")).await;
    let health = web::Data::new(Health::new(app().await.store));
    let answer = send_to(admin::mount(health.clone()), TestRequest::get().uri("/metrics")).await;
    for line in [
        r#"rapport_http_requests_total{route="/graphql",status="200",code="OK"}"#,
        r#"rapport_http_requests_total{route="/graphql",status="401",code="UNAUTHENTICATED"}"#,
        r#"rapport_http_request_duration_seconds_bucket{route="/graphql",le="0.5"}"#,
        "rapport_http_requests_in_flight ",
        r#"rapport_build_info{version=""#,
    ] {
        assert!(answer.text().contains(line), "{line} is missing");
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(send_to(admin::mount(health.clone()), TestRequest::get().uri(path)).await.status, 200);
    }
    let elsewhere = send_to(admin::mount(health), TestRequest::get().uri("/graphql")).await;
    assert_eq!(elsewhere.refused(), (404, "NOT_FOUND".into()));
}

#[actix_web::test]
async fn a_plan_is_compiled_once_and_both_uses_are_counted() {
    let token = token(OrganizationId(entity::id::new()), [Permission::MapRead].into_iter().collect());
    let query = || ask("{ departments { totalCount } }").insert_header(("authorization", format!("Bearer {token}")));
    let count = async |result: &str| -> u64 {
        let health = web::Data::new(Health::new(app().await.store));
        let answer = send_to(admin::mount(health), TestRequest::get().uri("/metrics")).await;
        let start = format!("rapport_plan_cache_total{{result=\"{result}\"}} ");
        answer.text().lines().find_map(|line| line.strip_prefix(&start)?.parse().ok()).unwrap_or(0)
    };
    crate::http::metrics::recorder();
    let before = [count("hit").await, count("miss").await];
    send_all(routes(app().await, &settings()), [query(), query(), query()]).await;
    // Other tests of the same process may count, too.
    assert!(count("hit").await >= before[0] + 2 && count("miss").await > before[1]);
}

fn preflight(origin: &str) -> TestRequest {
    TestRequest::default()
        .method("OPTIONS".parse().unwrap())
        .uri("/graphql")
        .insert_header(("origin", origin))
        .insert_header(("access-control-request-method", "POST"))
        .insert_header(("access-control-request-headers", "authorization, content-type"))
}

#[actix_web::test]
async fn only_listed_origins_may_read_answers_in_a_browser() {
    let allowed = send(preflight(LISTED)).await;
    assert_eq!((allowed.status.as_u16(), allowed.header("access-control-allow-origin")), (200, LISTED));
    assert_eq!(allowed.header("access-control-allow-credentials"), "");
    for origin in ["https://front.example.evil", "http://front.example", "https://front.example:444", "null"] {
        let preflight = send(preflight(origin)).await;
        assert_eq!(preflight.header("access-control-allow-origin"), "", "{origin}");
        let plain = send(ask("{ __typename }").insert_header(("origin", origin))).await;
        assert_eq!(plain.header("access-control-allow-origin"), "", "{origin}");
    }
    let refused = send(ask("{ organization }").insert_header(("origin", LISTED))).await;
    assert_eq!((refused.status.as_u16(), refused.header("access-control-allow-origin")), (401, LISTED));
}

#[actix_web::test]
async fn no_origin_is_listed_by_default() {
    let mut settings = settings();
    settings.cors_origins.clear();
    let routes = crate::http::routes(app().await, &settings);
    let answer = send_to(routes, preflight(LISTED)).await;
    assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (405, ""));
}

#[actix_web::test]
async fn an_answer_is_compressed_when_that_is_asked_for() {
    let asked = send(TestRequest::get().uri("/schema.graphql").insert_header(("accept-encoding", "gzip"))).await;
    assert_eq!(asked.header("content-encoding"), "gzip");
    let plain = send(TestRequest::get().uri("/schema.graphql")).await;
    assert_eq!(plain.header("content-encoding"), "");
}
