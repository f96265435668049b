//! Addresses of calendar feeds: they open without a token, do not expire, and fall with the feed and with their subject.

use chrono::TimeDelta;
use entity::Permission;
use rapport::{
    auth::{
        Actor, Departments, departments,
        revoked::Revocation,
        signed_url::{Grant, UrlSigner},
    },
    clock,
    response::calendar_feed::resource,
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::{
    journeys::{by_id, made},
    server::{Answer, Door},
};

/// A token of somebody of the organization.
fn token(door: &Door, subject: &str) -> String {
    let actor = Actor { subject: subject.to_owned(), ..door.actor([Permission::ResponseRead]) };
    door.tokens.issue(&actor, TimeDelta::minutes(10), clock::now()).unwrap().expose_secret().to_owned()
}

async fn address(door: &Door, token: &str, feed: &str) -> String {
    let body =
        json!({ "query": "query($id: ID!) { calendarFeed(by: { id: $id }) { url } }", "variables": { "id": feed } });
    let answer = Answer::of(door.post("/graphql").bearer_auth(token).json(&body).send().await.unwrap()).await.body;
    answer["data"]["calendarFeed"]["url"].as_str().unwrap_or_else(|| panic!("{answer:#}")).to_owned()
}

async fn status(door: &Door, path: &str) -> u16 {
    door.get(path).send().await.unwrap().status().as_u16()
}

#[actix_web::test]
async fn a_feed_opens_at_its_address_alone_until_it_is_revoked() {
    let door = Door::open(Vec::new()).await;
    let caller = door.app.caller(door.acme, Permission::ALL);
    let eve = made(&caller, "memberCreate", json!({ "subject": "eve", "name": "Eve" })).await;
    let due = json!({ "title": "Call", "kind": "THANK", "dueAt": "2099-01-01T09:00:00Z", "ownerRef": by_id(&eve) });
    made(&caller, "followUpCreate", due).await;
    let feed = made(&caller, "calendarFeedCreate", json!({ "name": "Work", "memberRef": by_id(&eve) })).await;
    let other = made(&caller, "calendarFeedCreate", json!({ "name": "Other", "memberRef": by_id(&eve) })).await;
    let address = address(&door, &token(&door, "eve"), &feed).await;
    let opened = door.get(&address).send().await.unwrap();
    let header = |name: &str| opened.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((opened.status().as_u16(), header("content-type")), (200, "text/calendar; charset=utf-8".to_owned()));
    assert_eq!((header("referrer-policy"), header("cache-control")), ("no-referrer".to_owned(), "no-store".to_owned()));
    let text = opened.text().await.unwrap();
    assert!(text.starts_with("BEGIN:VCALENDAR") && text.contains("DTSTART:20990101T090000Z"), "{text}");
    assert!(!text.contains("Call"), "its scopes do not show titles");
    let (path, signature) = address.split_once("&signature=").unwrap();
    for wrong in [address.replace(&feed, &other), path.to_owned(), format!("{path}&signature={signature}A")] {
        assert_eq!(status(&door, &wrong).await, 401, "{wrong}");
    }
    assert_eq!(door.get(path).bearer_auth(token(&door, "eve")).send().await.unwrap().status(), 400);
    caller.mutate("calendarFeedRevoke", json!({ "by": by_id(&feed) }), "errors { code }").await;
    assert_eq!(status(&door, &address).await, 404);
}

#[actix_web::test]
async fn an_address_falls_with_its_subject_however_long_ago_that_was_revoked() {
    let door = Door::open(Vec::new()).await;
    let caller = door.app.caller(door.acme, Permission::ALL);
    let desk = made(&caller, "departmentCreate", json!({ "name": "Desk" })).await;
    let feed = made(&caller, "calendarFeedCreate", json!({ "name": "Work", "departmentRef": by_id(&desk) })).await;
    let id = entity::id::decode(&feed).unwrap().1;
    let signer = UrlSigner::new(door.tokens.clone(), None);
    let signed = |subject: &str| {
        let actor = Actor { subject: subject.to_owned(), ..door.actor([Permission::ResponseRead]) };
        let scopes = [Permission::ResponseRead].into_iter().collect();
        let grant = Grant { resource: &resource(id), scopes, life: None };
        signer.sign(&actor, grant, clock::now() - TimeDelta::days(500)).unwrap()
    };
    let (eves, adas) = (signed("eve"), signed("ada"));
    // So long ago that the server does not remember it.
    let then = clock::now() - TimeDelta::days(400);
    let tx = door.app.store.scope(door.actor(Permission::ALL), then).begin().await.unwrap();
    tx.revoke_tokens(Revocation::Subject, "eve").await.unwrap();
    tx.commit().await.unwrap();
    door.gate.poll(clock::now()).await.unwrap();
    assert_eq!(status(&door, &eves).await, 401);
    assert_eq!(status(&door, &adas).await, 200);
    let shown: Value =
        caller.data("query($id: ID!) { calendarFeed(by: { id: $id }) { status } }", json!({ "id": feed })).await;
    assert_eq!(shown["calendarFeed"]["status"], "ACTIVE");
}

#[actix_web::test]
async fn a_token_of_departments_and_an_address_that_it_signs_reach_those_departments_only() {
    let door = Door::open(Vec::new()).await;
    let caller = door.app.caller(door.acme, Permission::ALL);
    let desks = [
        made(&caller, "departmentCreate", json!({ "name": "Own" })).await,
        made(&caller, "departmentCreate", json!({ "name": "Other" })).await,
    ];
    let eve = made(&caller, "memberCreate", json!({ "subject": "eve", "name": "Eve" })).await;
    let mut duties = Vec::new();
    for desk in &desks {
        let duty = json!({ "title": "Call", "kind": "THANK", "dueAt": "2099-01-01T09:00:00Z", "ownerRef": by_id(&eve),
            "departmentRef": by_id(desk) });
        duties.push(made(&caller, "followUpCreate", duty).await);
    }
    let feed = made(&caller, "calendarFeedCreate", json!({ "name": "Work", "memberRef": by_id(&eve) })).await;
    let departments = Departments::new(departments::parse(&desks[0]));
    let actor = Actor { subject: "eve".to_owned(), departments, ..door.actor(Permission::ALL) };
    let token = door.tokens.issue(&actor, TimeDelta::minutes(10), clock::now()).unwrap().expose_secret().to_owned();
    let text = door.get(&address(&door, &token, &feed).await).send().await.unwrap().text().await.unwrap();
    assert!(text.contains(&duties[0]) && !text.contains(&duties[1]), "{text}");
    let body = json!({ "query": "{ followUps(first: 10) { nodes { id } } }" });
    let answer = Answer::of(door.post("/graphql").bearer_auth(&token).json(&body).send().await.unwrap()).await.body;
    assert_eq!(answer["data"]["followUps"]["nodes"], json!([{ "id": duties[0] }]), "{answer:#}");
    let export = door.get("/organization/export").bearer_auth(&token).send().await.unwrap();
    assert_eq!(export.status(), 403);
}
