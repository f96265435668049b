//! API clients: made, exchanged for tokens, revoked.

use entity::{Permission, id};
use serde_json::{Value, json};

use crate::{
    app::App,
    server::{Answer, Door},
};

const WHOLE: &str =
    "node { id name scopes revokedAt lastUsedAt version } outcome isReplayed secret errors { code path }";

/// A client of `acme` and its secret.
async fn client(door: &Door, scopes: &[&str]) -> (String, String) {
    let token = door.token(Permission::ALL);
    let made = door.mutate(&token, "apiClientCreate", json!({ "name": "CRM", "scopes": scopes }), WHOLE).await;
    assert_eq!(made["errors"], json!([]));
    (made["node"]["id"].as_str().unwrap().to_owned(), made["secret"].as_str().unwrap().to_owned())
}

async fn ask(door: &Door, fields: &[(&str, &str)]) -> Answer {
    Answer::of(door.post("/oauth/token").form(fields).send().await.unwrap()).await
}

async fn exchange(door: &Door, id: &str, secret: &str) -> Answer {
    ask(door, &[("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)]).await
}

#[track_caller]
fn denied(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, answer.body["error"].as_str()), (status, Some(error)), "{answer:?}");
    assert_eq!(answer.cache.as_deref(), Some("no-store"));
    assert!(answer.body.get("access_token").is_none());
}

#[actix_web::test]
async fn a_secret_is_shown_once_and_kept_nowhere() {
    let app = App::start().await;
    let admin = app.admin("acme").await;
    let input = json!({ "name": "CRM sync", "scopes": ["record:read", "map:read", "map:read"], "idempotencyKey": "k" });
    let made = admin.mutate("apiClientCreate", input.clone(), WHOLE).await;
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("rps_") && secret.len() == 47);
    assert_eq!(made["node"]["scopes"], json!(["map:read", "record:read"]));
    assert_eq!((&made["outcome"], &made["isReplayed"]), (&json!("CREATED"), &json!(false)));

    let again = admin.mutate("apiClientCreate", input, WHOLE).await;
    assert_eq!((&again["secret"], &again["isReplayed"]), (&Value::Null, &json!(true)));
    assert_eq!(again["node"], made["node"]);

    let hash = app.database.look("SELECT hash FROM api_client_secret".to_owned()).await;
    assert_eq!(hash.len(), 1);
    for table in ["api_client", "idempotency", "event"] {
        let columns = match table {
            "api_client" => "name, scopes",
            "idempotency" => "idempotency_key, fingerprint, result",
            _ => "noun, subject, fields",
        };
        let rows = app.database.look(format!("SELECT {columns} FROM {table}")).await;
        let text = format!("{rows:?}");
        assert!(rows.len() == 1 && !text.contains(secret) && !text.contains(hash[0][0].as_deref().unwrap()), "{text}");
    }
    assert!(hash[0][0].as_deref().is_some_and(|hash| hash != secret && hash.len() == 43));
}

#[actix_web::test]
async fn a_client_can_do_no_more_than_its_maker() {
    let app = App::start().await;
    let acme = app.organization("acme").await;
    let maker = app.caller(acme, [Permission::Admin, Permission::MapRead]);
    for (scopes, path) in [
        (json!([]), json!(["scopes"])),
        (json!(["map:read", "customers:read"]), json!(["scopes"])),
        (json!(["map:raed"]), json!(["scopes"])),
        (json!(["MAP:READ"]), json!(["scopes"])),
        (json!([""]), json!(["scopes", "0"])),
    ] {
        let refused = maker.mutate("apiClientCreate", json!({ "name": "CRM", "scopes": scopes }), WHOLE).await;
        assert_eq!((&refused["errors"][0]["path"], &refused["secret"]), (&path, &Value::Null), "{refused}");
        assert_eq!(refused["outcome"], "FAILED");
    }
    for name in ["", " ", &"x".repeat(201), "a\0b"] {
        let refused = maker.mutate("apiClientCreate", json!({ "name": name, "scopes": ["map:read"] }), WHOLE).await;
        assert_eq!(refused["errors"][0]["path"], json!(["name"]), "{refused}");
    }
    assert!(app.database.look("SELECT hash FROM api_client_secret".to_owned()).await.is_empty());
    let outsider = app.caller(acme, Permission::ALL.into_iter().filter(|known| *known != Permission::Admin));
    for document in [
        "{ apiClients { nodes { id } } }",
        r#"mutation { apiClientCreate(input: {name: "a", scopes: ["map:read"]}) { secret } }"#,
        r#"mutation { apiClientRevoke(input: {by: {id: "client_x"}}) { outcome } }"#,
    ] {
        let answer = outsider.run(document, json!({})).await.body;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    }
}

#[actix_web::test]
async fn credentials_become_a_token_for_an_hour() {
    let door = Door::open(Vec::new()).await;
    let (id, secret) = client(&door, &["map:read", "map:write"]).await;
    let basic = door.post("/oauth/token").basic_auth(&id, Some(&secret)).form(&[("grant_type", "client_credentials")]);
    for answer in [Answer::of(basic.send().await.unwrap()).await, exchange(&door, &id, &secret).await] {
        assert_eq!((answer.status, answer.cache.as_deref()), (200, Some("no-store")));
        assert_eq!((&answer.body["token_type"], &answer.body["expires_in"]), (&json!("Bearer"), &json!(3_600)));
        assert_eq!(answer.body["scope"], "map:read map:write");
        let token = answer.body["access_token"].as_str().unwrap();
        assert!(door.lets_in(token).await);
        let made = door.mutate(token, "influencerCreate", json!({ "name": "Flyer" }), "outcome").await;
        assert_eq!(made["outcome"], "CREATED");
    }
    let events = "SELECT DISTINCT subject, client_id FROM event WHERE noun = 'Influencer'".to_owned();
    assert_eq!(door.app.database.look(events).await, [[Some(id.clone()), Some(id.clone())]]);
    let admin = door.app.caller(door.acme, [Permission::Admin]);
    let listed = admin.ask("{ apiClients { nodes { id lastUsedAt version } } }").await;
    let client = &listed["apiClients"]["nodes"][0];
    assert!(client["id"] == id.as_str() && client["lastUsedAt"].is_string() && client["version"] == 1, "{client}");
}

#[actix_web::test]
async fn scopes_only_narrow() {
    let door = Door::open(Vec::new()).await;
    let (id, secret) = client(&door, &["map:read", "record:read"]).await;
    let asked = async |scope: &str| {
        let known = [("grant_type", "client_credentials"), ("client_id", &id), ("client_secret", &secret)];
        ask(&door, &[&known[..], &[("scope", scope)]].concat()).await
    };
    for (scope, granted) in
        [("", "map:read record:read"), ("map:read", "map:read"), ("record:read  map:read", "map:read record:read")]
    {
        assert_eq!(asked(scope).await.body["scope"], granted);
    }
    for scope in ["admin", "map:read admin", "map:write", "openid", "MAP:READ", "map:*", "\u{e4}"] {
        denied(&asked(scope).await, 400, "invalid_scope");
    }
    let known = [("grant_type", "client_credentials"), ("client_id", &id), ("client_secret", &secret)];
    for (parameter, target, status) in [
        ("audience", "rapport", 200),
        ("audience", "other", 400),
        ("resource", "https://other.example", 400),
        ("organization", "org_other", 200),
    ] {
        let answer = ask(&door, &[&known[..], &[(parameter, target)]].concat()).await;
        assert_eq!(answer.status, status, "{parameter} {target}");
        if status == 400 {
            denied(&answer, 400, "invalid_target");
        } else {
            assert_eq!(answer.body["scope"], "map:read record:read");
        }
    }
}

#[actix_web::test]
async fn whatever_is_wrong_with_credentials_the_answer_and_the_work_are_the_same() {
    let door = Door::open(Vec::new()).await;
    let (id, secret) = client(&door, &["map:read"]).await;
    let (other, others) = client(&door, &["map:read"]).await;
    let (revoked, its) = client(&door, &["map:read"]).await;
    let admin = door.token([Permission::Admin]);
    let done = door.mutate(&admin, "apiClientRevoke", json!({ "by": { "id": revoked } }), WHOLE).await;
    assert!(done["outcome"] == "UPDATED" && done["node"]["revokedAt"].is_string() && done["secret"].is_null());
    let unknown = id::encode("client", id::new());
    let foreign = id.replace("client_", "org_");
    let mut seen = Vec::new();
    for (id, secret) in [
        (&id, &others),
        (&other, &secret),
        (&id, &format!("{secret}A")),
        (&id, &secret[..46].to_owned()),
        (&id, &"x".to_owned()),
        (&unknown, &secret),
        (&foreign, &secret),
        (&"CRM".to_owned(), &secret),
        (&revoked, &its),
    ] {
        let before = door.app.store.statements();
        let answer = exchange(&door, id, secret).await;
        denied(&answer, 401, "invalid_client");
        seen.push((answer.challenge, answer.body, door.app.store.statements() - before));
    }
    assert!(seen.iter().all(|one| *one == seen[0]) && seen[0].2 == 1, "{seen:?}");
    assert_eq!(seen[0].0.as_deref(), Some("Basic realm=\"rapport\""));
    assert_eq!(exchange(&door, &id, &secret).await.status, 200);

    let scope = door.app.store.scope(door.actor(Permission::ALL), crate::server::now());
    let tx = scope.begin().await.unwrap();
    assert!(tx.suspend(true).await.unwrap());
    tx.commit().await.unwrap();
    denied(&exchange(&door, &id, &secret).await, 401, "invalid_client");
}

#[actix_web::test]
async fn requests_of_another_form_are_refused_as_the_rfc_says() {
    let door = Door::open(Vec::new()).await;
    let (id, secret) = client(&door, &["map:read"]).await;
    let (grant, id_field, secret_field) =
        (("grant_type", "client_credentials"), ("client_id", id.as_str()), ("client_secret", secret.as_str()));
    for (fields, status, error) in [
        (vec![], 401, "invalid_client"),
        (vec![grant], 401, "invalid_client"),
        (vec![grant, id_field], 401, "invalid_client"),
        (vec![id_field, secret_field], 400, "invalid_request"),
        (vec![("grant_type", "password"), id_field, secret_field], 400, "unsupported_grant_type"),
        (vec![("grant_type", ""), id_field, secret_field], 400, "invalid_request"),
        (vec![grant, grant, id_field, secret_field], 400, "invalid_request"),
        (vec![grant, id_field, secret_field, secret_field], 400, "invalid_request"),
        (vec![grant, id_field, secret_field, ("scope", "map:read"), ("scope", "admin")], 400, "invalid_request"),
    ] {
        denied(&ask(&door, &fields).await, status, error);
    }
    let form = [grant, id_field, secret_field];
    let send = async |request: reqwest::RequestBuilder| Answer::of(request.send().await.unwrap()).await;
    let both = door.post("/oauth/token").basic_auth(&id, Some(&secret)).form(&form);
    denied(&send(both).await, 400, "invalid_request");
    let two = door.post("/oauth/token").basic_auth(&id, Some(&secret)).form(&[grant, ("client_id", "client_x")]);
    denied(&send(two).await, 400, "invalid_request");
    let bearer = door.post("/oauth/token").bearer_auth(door.token([])).form(&[grant]);
    denied(&send(bearer).await, 401, "invalid_client");
    let as_json = door.post("/oauth/token").json(&json!({ "grant_type": "client_credentials" }));
    denied(&send(as_json).await, 400, "invalid_request");
    let query = format!("/oauth/token?grant_type=client_credentials&client_id={id}&client_secret={secret}");
    denied(&send(door.post(&query).form(&[grant])).await, 401, "invalid_client");
    let long = door.post("/oauth/token").form(&[("grant_type", "x".repeat(9_000))]);
    assert_eq!(send(long).await.refused(), (413, "PAYLOAD_TOO_LARGE"));
    let got = reqwest::get(format!("{}/oauth/token", door.url)).await.unwrap();
    assert_eq!(Answer::of(got).await.refused(), (405, "METHOD_NOT_ALLOWED"));
}

#[actix_web::test]
async fn guessing_is_slowed_down() {
    let door = Door::open(Vec::new()).await;
    let (id, secret) = client(&door, &["map:read"]).await;
    let (other, others) = client(&door, &["map:read"]).await;
    let before = door.app.store.statements();
    let mut slowed = None;
    for _ in 0..100 {
        let answer = exchange(&door, &id, "rps_guess").await;
        if answer.status == 429 {
            slowed = Some(answer);
            break;
        }
        denied(&answer, 401, "invalid_client");
    }
    let slowed = slowed.expect("a hundred guesses are too many");
    denied(&slowed, 429, "temporarily_unavailable");
    assert_eq!(slowed.retry_after.as_deref(), Some("1"));
    assert!(door.app.store.statements() - before < 100);
    // Nobody is locked out by the guesses of others.
    assert_eq!(exchange(&door, &id, &secret).await.status, 200);
    denied(&exchange(&door, &id, "rps_guess").await, 429, "temporarily_unavailable");
    assert_eq!(exchange(&door, &other, &others).await.status, 200);
}

#[actix_web::test]
async fn a_client_is_revoked_by_its_own_organization_and_once() {
    let app = App::start().await;
    let (acme, other) = (app.admin("acme").await, app.admin("other").await);
    let made = acme.mutate("apiClientCreate", json!({ "name": "CRM", "scopes": ["map:read"] }), WHOLE).await;
    let id = &made["node"]["id"];
    let stranger = other.mutate("apiClientRevoke", json!({ "by": { "id": id } }), WHOLE).await;
    let unknown =
        acme.mutate("apiClientRevoke", json!({ "by": { "id": id::encode("client", id::new()) } }), WHOLE).await;
    assert_eq!(stranger["errors"], json!([{ "code": "NOT_FOUND", "path": ["by"] }]));
    assert_eq!(stranger, unknown);
    assert_eq!(other.ask("{ apiClients { totalCount } }").await["apiClients"]["totalCount"], 0);
    for outcome in ["UPDATED", "UNCHANGED"] {
        let done = acme.mutate("apiClientRevoke", json!({ "by": { "id": id } }), WHOLE).await;
        assert_eq!((done["outcome"].as_str(), done["node"]["version"].as_i64()), (Some(outcome), Some(2)));
    }
    let events = "SELECT operation, fields FROM event WHERE noun = 'ApiClient' ORDER BY sequence".to_owned();
    let events = app.database.look(events).await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[1], [Some("UPDATED".to_owned()), Some("[\"revokedAt\"]".to_owned())]);
}

#[actix_web::test]
async fn made_up_ids_are_limited_by_address_and_lock_nobody_out() {
    let door = Door::open(Vec::new()).await;
    let (id, secret) = client(&door, &["map:read"]).await;
    let mut refused = 0;
    for _ in 0..100 {
        let answer = exchange(&door, &id::encode("client", id::new()), &secret).await;
        refused += usize::from(answer.status == 429);
        denied(&answer, if answer.status == 429 { 429 } else { 401 }, answer.body["error"].as_str().unwrap());
    }
    // Some come back meanwhile.
    assert!((10..=40).contains(&refused), "{refused}");
    assert_eq!(exchange(&door, &id, &secret).await.status, 200);
}

#[actix_web::test]
async fn a_client_spends_what_its_organization_lets_it() {
    let door = Door::open(Vec::new()).await;
    let (id, secret) = client(&door, &["map:read"]).await;
    let (other, others) = client(&door, &["map:read"]).await;
    let admin = door.token(Permission::ALL);
    let whole = "node { points pointsPerSecond version } outcome errors { code path }";
    let limits = json!({ "by": { "id": id }, "points": 2, "pointsPerSecond": 1 });
    let done = door.mutate(&admin, "apiClientUpdate", limits, whole).await;
    assert_eq!(done["node"], json!({ "points": 2, "pointsPerSecond": 1, "version": 2 }), "{done}");
    let wrong = door.mutate(&admin, "apiClientUpdate", json!({ "by": { "id": id }, "points": 0 }), whole).await;
    assert_eq!(wrong["errors"], json!([{ "code": "OUT_OF_RANGE", "path": ["points"] }]));
    let weak = door.token([Permission::Admin]);
    let more =
        door.mutate(&weak, "apiClientUpdate", json!({ "by": { "id": id }, "scopes": ["record:read"] }), whole).await;
    assert_eq!(more["errors"], json!([{ "code": "INVALID", "path": ["scopes"] }]));
    door.gate.poll(crate::server::now()).await.unwrap();

    let token = async |id: &str, secret: &str| {
        let answer = exchange(&door, id, secret).await;
        answer.body["access_token"].as_str().unwrap().to_owned()
    };
    let (limited, usual) = (token(&id, &secret).await, token(&other, &others).await);
    let mut statuses = Vec::new();
    for token in [&limited, &limited, &limited, &limited, &usual, &usual, &usual, &usual] {
        statuses.push(door.ask(token).await.status);
    }
    assert!(statuses[..4].contains(&429) && statuses[0] == 200 && statuses[4..] == [200; 4], "{statuses:?}");
}
