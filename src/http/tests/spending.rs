//! Tests of what requests cost, and of the cost extension of responses.

use actix_web::test::TestRequest;
use entity::Permission;
use serde_json::{Value as Json, json};

use super::{Answer, app, ask, good, post, send_all, settings, token};
use crate::{
    clock, config::HttpSettings, graphql::documents::limits::Limits, http::routes,
    store::operation::unscoped::NewOrganization,
};

/// Settings with buckets that hardly refill during a test.
fn limited(points: u32) -> HttpSettings {
    let limits = Limits { points, points_per_second: 1, cost_limit: points.min(20_000), ..Limits::DEFAULT };
    HttpSettings { limits, ..settings() }
}

fn by(token: &str, request: TestRequest) -> TestRequest {
    request.insert_header(("authorization", format!("Bearer {token}")))
}

async fn answers(settings: &HttpSettings, requests: impl IntoIterator<Item = TestRequest>) -> Vec<Answer> {
    send_all(routes(app().await, settings), requests).await
}

/// Returns the points left in the caller's bucket according to the response headers.
fn left(answer: &Answer) -> u32 {
    let level = answer.header("ratelimit");
    let caller = level.strip_prefix("\"caller\";r=").unwrap_or_else(|| panic!("no level: {level}"));
    caller.split(';').next().unwrap().parse().unwrap()
}

#[actix_web::test]
async fn what_is_refused_is_not_charged() {
    let token = good();
    let long = json!({ "query": "query ($a: Int) { __typename }", "variables": { "a": vec![0; 3_000] } }).to_string();
    let refused = [
        (ask("{ departments(first: 1000) { nodes { unheard } } }"), 400),
        (ask("{ departments(first: 10) { nodes { id } "), 400),
        (ask("query ($n: Int!) { departments(first: $n) { nodes { id } } }"), 400),
        (ask("{ a: departments(first: 1000) { nodes { interactionPoints(first: 1000) { nodes { id } } } } }"), 400),
        (post("{"), 400),
        (post(long), 400),
        (ask("{ __typename }").insert_header(("content-encoding", "gzip")), 415),
        (ask("{ __typename }").insert_header(("accept", "text/html")), 406),
    ];
    let statuses: Vec<u16> = refused.iter().map(|(_, status)| *status).collect();
    let requests = refused.into_iter().map(|(request, _)| request).chain([ask("{ __typename }")]);
    let requests: Vec<_> = requests.map(|request| by(&token, request)).collect();
    let answers = answers(&limited(30_000), requests).await;
    for (answer, status) in answers.iter().zip(statuses) {
        assert_eq!((answer.status.as_u16(), left(answer)), (status, 30_000), "{}", answer.text());
    }
    assert_eq!(left(&answers[8]), 29_999);
}

#[actix_web::test]
async fn what_a_request_costs_is_settled_after_the_answer() {
    let token = good();
    let asks = [
        ("{ __typename }", 0, 99_999),
        // The caller may not read this field: one point is charged instead of the estimate.
        ("{ departments(first: 10) { nodes { id } totalCount } }", 21, 99_998),
        ("{ __typename unheard }", 0, 99_998),
    ];
    let answers = answers(&limited(100_000), asks.map(|(query, ..)| by(&token, ask(query)))).await;
    for (answer, (query, cost, remaining)) in answers.iter().zip(asks) {
        let body: Json = answer.json();
        let reported = &body["extensions"]["cost"];
        if reported.is_null() {
            assert_eq!(query, asks[2].0);
        } else {
            assert_eq!(
                (&reported["requested"], &reported["limit"], &reported["restoreRate"]),
                (&json!(cost), &json!(100_000), &json!(1))
            );
            assert_eq!(reported["charged"], u32::from(query != asks[2].0));
            // A point may have been refilled meanwhile.
            assert!(
                (remaining..=remaining + 1).contains(&u32::try_from(reported["remaining"].as_u64().unwrap()).unwrap())
            );
        }
        assert!((remaining..=remaining + 1).contains(&left(answer)), "{query}");
    }
}

#[actix_web::test]
async fn who_has_spent_all_points_waits() {
    let (token, other) = (good(), good());
    let asks = (0..4).map(|_| by(&token, ask("{ __typename }"))).chain([by(&other, ask("{ __typename }"))]);
    let answers = answers(&limited(3), asks).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, [200, 200, 200, 429, 200]);
    assert_eq!((answers[3].code().as_str(), answers[3].header("retry-after")), ("RATE_LIMITED", "1"));
    assert_eq!(answers[3].json()["errors"][0]["extensions"]["retryAfter"], 1);
    assert_eq!(answers[3].json()["extensions"]["cost"]["remaining"], 0);
    assert_eq!(left(&answers[3]), 0);
}

#[actix_web::test]
async fn every_answer_to_a_token_names_the_policy_and_no_other_does() {
    let token = good();
    let policy = "\"caller\";q=500000;qu=\"points\";w=250, \"organization\";q=2500000;qu=\"points\";w=250";
    let picture = || TestRequest::get().uri("/journeys/none.svg");
    let with =
        [ask("{ __typename }"), post("{"), ask("{ __typename }").insert_header(("accept", "text/html")), picture()];
    for answer in answers(&settings(), with.into_iter().map(|request| by(&token, request))).await {
        assert_eq!(answer.header("ratelimit-policy"), policy, "{}", answer.text());
        assert!(left(&answer) >= 499_998 && answer.header("ratelimit").contains(", \"organization\";r="));
    }
    for answer in
        answers(&settings(), [ask("{ __typename }"), ask("{ organization { id } }"), by("bad", ask("{a}"))]).await
    {
        assert_eq!((answer.header("ratelimit-policy"), answer.header("ratelimit")), ("", ""));
    }
}

#[actix_web::test]
async fn questions_about_the_schema_spend_points_of_their_own() {
    let token = good();
    let limits = Limits { introspection_points: 200, introspection_points_per_second: 1, ..Limits::DEFAULT };
    let settings = HttpSettings { limits, ..settings() };
    let twenty = (0..20).map(|at| format!("a{at}: __type(name: \"Query\") {{ name }}")).collect::<Vec<_>>().join(" ");
    let names = "{ __schema { types { name } } }";
    let asks = std::iter::repeat_n(names, 8).chain(["{ organization { id } }"]).map(|query| by(&token, ask(query)));
    let answered = answers(&settings, asks).await;
    let served = answered.iter().filter(|answer| answer.status == 200).count();
    assert!((3..8).contains(&served), "{served}");
    assert_eq!(answered[7].refused(), (429, "RATE_LIMITED".to_owned()));
    // Other requests do not pay for introspection.
    assert_eq!(answered[8].status, 200);
    assert!(left(&answered[7]) >= 99_990, "{}", left(&answered[7]));
    let aliases =
        answers(&settings, [ask(&format!("{{ {twenty} }}")), ask("{ __schema { types { fields { description } } } }")])
            .await;
    assert_eq!(aliases[0].status, 200);
    assert_eq!(aliases[1].refused(), (400, "QUERY_TOO_COMPLEX".to_owned()));
}

#[actix_web::test]
async fn a_long_import_costs_more_for_each_row_and_leaves_no_points_for_another() {
    let app = app().await;
    let new = NewOrganization { slug: "one", name: "One", time_zone: "UTC", is_noted: false };
    let organization = app.store.create_organization(&new, clock::now()).await.unwrap().unwrap();
    let token = token(organization, Permission::ALL.into_iter().collect());
    let import = |rows: usize| {
        let points: Vec<Json> = (0..rows).map(|at| json!({ "key": format!("p{at}"), "name": "Point" })).collect();
        let document = json!({ "format": "rapport-map/1", "interactionPoints": points }).to_string();
        let query = "mutation ($input: MapImportInput!) { mapImport(input: $input) { errors { code } } }";
        let variables = json!({ "input": { "document": document, "dryRun": true } });
        by(&token, post(json!({ "query": query, "variables": variables }).to_string()))
    };
    let settings = HttpSettings { body_limit: 1 << 20, ..limited(40_000) };
    let answers = send_all(routes(app, &settings), [import(1_000), import(2_000), import(10)]).await;
    assert_eq!((answers[0].status.as_u16(), answers[1].status.as_u16()), (200, 200));
    assert!(left(&answers[0]) > 0, "{}", answers[0].text());
    assert!(answers[1].json()["extensions"]["cost"]["charged"].as_u64() >= Some(40_000));
    assert_eq!((answers[2].status.as_u16(), answers[2].code().as_str()), (429, "RATE_LIMITED"));
}
