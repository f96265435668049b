//! The address of a picture: who gets it, what an unknown journey looks like, and what a cache may do.

use entity::Permission;
use reqwest::header::HeaderMap;
use serde_json::json;

use super::api::filled;
use crate::server::Door;

async fn get(door: &Door, path: &str, token: Option<&str>, known: Option<&str>) -> (u16, HeaderMap, String) {
    let mut asked = door.get(path);
    if let Some(token) = token {
        asked = asked.bearer_auth(token);
    }
    if let Some(known) = known {
        asked = asked.header("if-none-match", known);
    }
    let answer = asked.send().await.unwrap();
    let (status, mut headers) = (answer.status().as_u16(), answer.headers().clone());
    // They differ in each answer, and say nothing of it.
    for name in ["x-request-id", "date", "ratelimit"] {
        headers.remove(name);
    }
    (status, headers, answer.text().await.unwrap())
}

#[actix_web::test]
async fn a_picture_has_an_address() {
    let door = Door::open(Vec::new()).await;
    let caller = door.app.caller(door.acme, Permission::ALL);
    let id = filled(&caller, 2).await;
    let (path, token) = (format!("/journeys/{id}.svg"), door.token([Permission::MapRead]));
    let (status, headers, svg) = get(&door, &path, Some(&token), None).await;
    assert_eq!((status, headers["content-type"].to_str().unwrap()), (200, "image/svg+xml"));
    let document = "query($id: ID!) { journey(by: { id: $id }) { diagram } }";
    assert_eq!(svg, caller.data(document, json!({ "id": id })).await["journey"]["diagram"]);
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(
        (header("cache-control"), header("x-content-type-options")),
        ("private, no-cache".into(), "nosniff".into())
    );
    assert!(headers.get_all("vary").iter().any(|value| value == "authorization"));
    assert!(header("content-security-policy").starts_with("default-src 'none'"));

    let tag = header("etag");
    let (status, again, body) = get(&door, &path, Some(&token), Some(&tag)).await;
    assert_eq!((status, body.as_str(), again["etag"].to_str().unwrap()), (304, "", tag.as_str()));
    let (status, headers, dark) = get(&door, &format!("{path}?theme=dark"), Some(&token), Some(&tag)).await;
    assert!(status == 200 && dark != svg && headers["etag"] != tag.as_str());
    caller.mutate("journeyUpdate", json!({ "by": { "id": id }, "title": "Another" }), "errors { code }").await;
    let (status, _, body) = get(&door, &path, Some(&token), Some(&tag)).await;
    assert!(status == 200 && body.contains(">Another</text>"));
    assert_eq!(get(&door, &format!("{path}?theme=pink"), Some(&token), None).await.0, 400);
}

#[actix_web::test]
async fn a_foreign_journey_an_unknown_one_and_no_id_at_all_have_one_answer() {
    let door = Door::open(Vec::new()).await;
    let other = door.app.organization("other").await;
    let foreign = filled(&door.app.caller(other, Permission::ALL), 1).await;
    let token = door.token([Permission::MapRead]);
    let mut answers = Vec::new();
    for id in
        [foreign.as_str(), "journey_01h455vb4pex5vsknk084sn02q", "step_01h455vb4pex5vsknk084sn02q", "nothing", "%00"]
    {
        answers.push(get(&door, &format!("/journeys/{id}.svg"), Some(&token), None).await);
    }
    assert_eq!(answers[0].0, 404);
    assert!(answers[0].2.contains("NOT_FOUND"));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
}

#[actix_web::test]
async fn a_picture_needs_a_token_with_map_read() {
    let door = Door::open(Vec::new()).await;
    let id = filled(&door.app.caller(door.acme, Permission::ALL), 1).await;
    for id in [id.as_str(), "journey_01h455vb4pex5vsknk084sn02q"] {
        let path = format!("/journeys/{id}.svg");
        let (status, headers, body) = get(&door, &path, None, None).await;
        assert!(status == 401 && headers.contains_key("www-authenticate") && body.contains("UNAUTHENTICATED"));
        assert_eq!(get(&door, &path, Some("none"), None).await.0, 401);
        let (status, _, body) = get(&door, &path, Some(&door.token([Permission::RecordRead])), None).await;
        assert!(status == 403 && body.contains("FORBIDDEN"));
        assert_eq!(door.post(&path).send().await.unwrap().status(), 405);
    }
}
