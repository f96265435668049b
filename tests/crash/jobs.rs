//! Servers killed while they perform jobs: each effect is stored once.
//!
//! The jobs are those of retention, which servers begin by themselves. After each kill all leases end, also those of the
//! server that lives, so that its steps are now and then too late.

use std::{path::Path, time::Duration};

use reqwest::Client as Http;
use serde_json::{Value, json};

use crate::{
    check::Place,
    client::{Address, is_passing},
    dice::Dice,
    first,
    server::{Server, command, printed},
};

/// Records that each organization gets at a time: enough for several steps of a job.
const RECORDS: usize = 300;

/// An organization with a retention rule and expired records.
struct Organization {
    token: String,
    /// Number of records that it was given.
    given: usize,
}

/// Kills servers, one at a time, while they remove expired records, and checks what was removed.
pub async fn are_performed_once(
    folder: &Path,
    settings: &[String],
    place: &Place,
    servers: &mut [Server],
    mut dice: Dice,
) {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let http = Http::builder().no_proxy().build().unwrap();
    let mut organizations = Vec::new();
    for slug in ["acme", "bolt", "coil"] {
        let run = |arguments: &[&str]| {
            printed(command(folder, arguments.iter().copied().chain(settings.iter().map(String::as_str))))
        };
        run(&["organization", "create", "--slug", slug, "--name", slug]);
        let scopes = "admin record:read record:write customers:read customers:write";
        let token = run(&["token", "--organization", slug, "--scope", scopes, "--ttl", "24h"]);
        let address = servers[0].address();
        let input = json!({ "noun": "FEEDBACK_RECORD", "days": 1 });
        mutate(&http, &address, &token, "retentionRuleCreate", &input).await;
        organizations.push(Organization { token, given: 0 });
    }
    let mut kills = 0;
    while kills < 20 {
        if left(place).await == 0 {
            for organization in &mut organizations {
                fill(&http, &servers[0].address(), organization).await;
            }
        }
        hasten(place).await;
        dice.moment(600).await;
        let server = dice.number(0..servers.len() as u64);
        let server = &mut servers[usize::try_from(server).unwrap()];
        assert!(server.is_running(), "nobody killed it: {:?}", server.errors());
        server.kill();
        kills += 1;
        hasten(place).await;
        server.start().await;
    }
    let done = async {
        while left(place).await > 0 {
            hasten(place).await;
            dice.moment(500).await;
        }
    };
    let is_done = tokio::time::timeout(Duration::from_mins(2), done).await.is_ok();
    assert!(is_done, "{} records are left", left(place).await);

    let mut wrong: Vec<String> = Vec::new();
    let given: usize = organizations.iter().map(|organization| organization.given).sum();
    // One entry in the log for each record, and a count that each step adds to.
    let counts = "SELECT CAST(COUNT(*) AS TEXT), CAST(COUNT(DISTINCT row_id) AS TEXT) FROM event \
                  WHERE subject = 'retention' AND operation = 'DELETED'";
    let [entries, rows] = <[_; 2]>::try_from(place.look(counts).await.remove(0)).unwrap();
    if [&entries, &rows] != [&Some(given.to_string()); 2] {
        wrong.push(format!("of {given} records there are {entries:?} entries about {rows:?}"));
    }
    let removed = place.look("SELECT CAST(SUM(removed_count) AS TEXT) FROM retention_rule").await;
    if removed[0][0] != Some(given.to_string()) {
        wrong.push(format!("of {given} records {:?} were counted", removed[0][0]));
    }
    for server in servers {
        wrong.extend(server.errors());
        server.kill();
    }
    assert!(wrong.is_empty(), "{} things are wrong:\n{}", wrong.len(), first(&wrong));
    println!("{kills} kills, {given} records removed once");
}

/// How many records are left.
async fn left(place: &Place) -> usize {
    place.look("SELECT CAST(COUNT(*) AS TEXT) FROM feedback_record").await[0][0].as_deref().unwrap().parse().unwrap()
}

/// Lets the time of all leases and schedules pass.
async fn hasten(place: &Place) {
    place.look("UPDATE job SET run_at = 0, leased_until = 0 WHERE kind = 'RETENTION' RETURNING kind").await;
}

/// Gives an organization expired records.
async fn fill(http: &Http, address: &Address, organization: &mut Organization) {
    let given = organization.given;
    let row = |number: usize| {
        let key = json!({ "system": "desk", "id": (given + number).to_string() });
        json!({ "externalId": key, "kind": "PRAISE", "receivedAt": "2024-01-01T00:00:00Z" })
    };
    let input = json!({ "rows": (0..RECORDS).map(row).collect::<Vec<Value>>() });
    mutate(http, address, &organization.token, "feedbackRecordsBulkUpsert", &input).await;
    organization.given += RECORDS;
}

/// Calls a mutation until it is answered: a server whose steps hold locks may answer that it is busy.
async fn mutate(http: &Http, address: &Address, token: &str, field: &str, input: &Value) {
    let (start, rest) = field.split_at(1);
    let ty = format!("{}{rest}Input!", start.to_ascii_uppercase());
    let query = format!("mutation($input: {ty}) {{ {field}(input: $input) {{ errors {{ code }} }} }}");
    let mut input = input.clone();
    input["idempotencyKey"] = json!(entity::id::new());
    let body = json!({ "query": query, "variables": { "input": input } });
    let answered = async {
        loop {
            let address = address.borrow().expect("it listens");
            let request = http.post(format!("http://{address}/graphql")).bearer_auth(token).json(&body);
            let answer: Value = request.send().await.unwrap().json().await.unwrap();
            let errors = answer["errors"].as_array().map_or(&[][..], Vec::as_slice);
            if errors.is_empty() || !errors.iter().all(is_passing) {
                return answer;
            }
        }
    };
    let answer = tokio::time::timeout(Duration::from_mins(1), answered).await.expect("an answer within a minute");
    assert_eq!(answer["data"][field]["errors"], json!([]), "{answer}");
}
