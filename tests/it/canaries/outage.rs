//! Canaries under way when the database fails: statements refused with their values, tables gone, locks held, nobody there.

use std::time::Duration;

use serde_json::json;
use tokio::time::interval;

use super::{Canaries, Reply, Served, hold, inputs::document, plant::OUTLINE, refused};
use crate::fixture::{Extent, World};

/// Has it fail in every way; answers how many requests there were.
pub async fn fail(served: &Served, world: &World<'_>, canaries: &Canaries) -> usize {
    let database = &served.app.database;
    let run = |sql: &str| database.look(sql.to_owned());
    let mut sent = 0;

    // Words of the database that quote what was to be stored.
    let canary = canaries.plant("a row that the database refuses");
    if database.is_sqlite() {
        run("CREATE TRIGGER refuse BEFORE INSERT ON department BEGIN SELECT RAISE(ABORT, 'refused'); END").await;
    } else {
        run("CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'refused %', NEW.name; END $$ LANGUAGE \
             plpgsql")
        .await;
        run("CREATE TRIGGER refuse BEFORE INSERT ON department FOR EACH ROW EXECUTE FUNCTION refuse()").await;
    }
    let create = "mutation($input: DepartmentCreateInput!) { departmentCreate(input: $input) { errors { message } } }";
    let reply = refused("refused", served.ask(create, &json!({ "input": { "name": canary } }))).await;
    hold(reply.codes() == ["INTERNAL_SERVER_ERROR"], || format!("refused by the database: {reply:?}"));
    sent += 1;

    // A lock that somebody holds.
    let canary = canaries.plant("a row that waits");
    let update = "mutation($input: MediumUpdateInput!) { mediumUpdate(input: $input) { errors { message } } }";
    let input = json!({ "by": { "id": world.newest("Medium").id }, "name": canary });
    let held = database.hold("medium").await;
    let reply = refused("locked", served.ask(update, &json!({ "input": input }))).await;
    let is_late = reply.codes().iter().all(|code| code == "TIMEOUT" || code == "UNAVAILABLE");
    hold(is_late && [503, 504].contains(&reply.status), || format!("locked: {reply:?}"));
    drop(held);
    sent += 1;

    // Tables that are gone: what the code and the database think differs.
    for noun in rapport_nouns() {
        run(&format!("ALTER TABLE {noun} RENAME TO {noun}_gone")).await;
    }
    sent += all(
        served,
        world,
        canaries,
        &["INTERNAL_SERVER_ERROR", "FORBIDDEN", "UNAVAILABLE", "NOT_FOUND", "IN_USE", "REQUIRED", "INVALID_TRANSITION"],
    )
    .await;

    // Nobody there. A file cannot go away.
    if !database.is_sqlite() {
        database.close_door().await;
        sent += all(served, world, canaries, &["UNAVAILABLE"]).await;
        // A database that is away for a few seconds does not make a server unready.
        let mut ticks = interval(Duration::from_millis(200));
        let mut reply = Reply::default();
        for _ in 0..100 {
            ticks.tick().await;
            reply = refused("health", served.get("/readyz")).await;
            sent += 1;
            if reply.status == 503 {
                break;
            }
        }
        hold(reply.status == 503, || format!("health: {reply:?}"));
    }
    sent
}

fn rapport_nouns() -> impl Iterator<Item = &'static str> {
    ["customer", "department", "expectation", "feedback_record", "influencer", "interaction_point", "medium"]
        .into_iter()
}

/// Every mutation and every list once more.
async fn all(served: &Served, world: &World<'_>, canaries: &Canaries, codes: &[&str]) -> usize {
    let mut sent = 0;
    let mut failed = 0;
    let mut check = |what: &str, reply: &Reply| {
        let found = reply.codes();
        hold(found.iter().all(|code| codes.contains(&code.as_str())), || format!("{what}: {reply:?}"));
        hold(reply.status != 503 || reply.retry_after.is_some(), || format!("{what}: {reply:?}"));
        failed += usize::from(!found.is_empty());
        sent += 1;
    };
    for field in OUTLINE.mutations() {
        let mut input = world.input(field, Extent::Full);
        if let Some(name) = input.get_mut("name") {
            *name = canaries.plant("a row in an outage").into();
        }
        if input.get("winner").is_some() {
            // There is one row of each noun, and none is merged into itself.
            input["loser"] = json!({ "id": "none" });
        }
        if field.name == "organizationRetryJob" {
            // The database is asked only about what can be the id of a job.
            input["id"] = json!(entity::id::encode("job", entity::id::new()));
        }
        check(&field.name, &refused(&field.name, served.ask(&document(field), &json!({ "input": input }))).await);
    }
    for (noun, field) in OUTLINE.lists() {
        let text = format!("{{ {} {{ totalCount nodes {{ __typename id }} }} }}", field.name);
        if noun != "ApiClient" {
            check(&text, &refused(&text, served.ask(&text, &json!({}))).await);
        }
    }
    assert!(failed > 10, "{failed} of {sent} failed");
    sent
}
