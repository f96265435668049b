//! Merges while others change the rows that move: nothing is lost, and an undone merge gives everything back.

use entity::{Permission, customer::NOUN, referral};
use futures_util::future::join;
use rapport::{
    auth::Actor,
    store::{
        STEP, Tx,
        merging::merge::Merging,
        statement::typed::assign,
        writing::{
            draft::{Draft, Mode, Target},
            write::Hooks,
        },
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{customer, merge, steps::busy};
use crate::{
    app::{App, Caller, now},
    record::{by_id, key, made},
};

/// A transaction that stays open.
async fn begin(app: &App, caller: &Caller<'_>) -> Tx {
    let actor = Actor {
        organization: caller.organization(),
        subject: "tester".to_owned(),
        client: None,
        permissions: Permission::ALL.into_iter().collect(),
        expires: None,
        departments: None,
    };
    app.store.scope(actor, now()).begin().await.unwrap()
}

/// Merges in a transaction that stays open.
async fn merge_within(tx: &Tx, [winner, loser]: [Uuid; 2]) {
    tx.lock_organization().await.unwrap();
    let mut rows = tx.lock(&NOUN, &[winner, loser]).await.unwrap();
    let (winner, loser) = (rows.remove(&winner).unwrap(), rows.remove(&loser).unwrap());
    let merging = Merging { winner, loser, changes: Vec::new(), first: None, kept: Vec::new() };
    tx.merge(&NOUN, merging).await.unwrap();
}

fn uuid(id: &str) -> Uuid {
    entity::id::decode(id).unwrap().1
}

/// Returns when a transaction waits for another one. On SQLite, whoever writes waits anyway.
async fn until_somebody_waits(app: &App) {
    if app.database.is_sqlite() {
        return;
    }
    let waiting =
        "SELECT 'waits' FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let mut asked = 0;
    while app.database.look(waiting.to_owned()).await.is_empty() {
        asked += 1;
        assert!(asked < 2_000, "nobody waits");
    }
}

/// External ids of the records of a customer, and of those that show the customer.
async fn records(caller: &Caller<'_>, id: &str) -> [Vec<String>; 2] {
    let document = "query($id: ID!) { customer(by: { id: $id }) { id feedbackRecords(first: 1000) { nodes { externalIds { id } } } }
        feedbackRecords(first: 1000) { nodes { externalIds { id } customer { id } } } }";
    let seen = caller.data(document, json!({ "id": id })).await;
    let name = |node: &Value| node["externalIds"][0]["id"].as_str().unwrap().to_owned();
    let nodes = |list: &Value| list["nodes"].as_array().unwrap().clone();
    let mut lists = [
        nodes(&seen["customer"]["feedbackRecords"]).iter().map(name).collect::<Vec<_>>(),
        nodes(&seen["feedbackRecords"])
            .iter()
            .filter(|node| node["customer"]["id"] == seen["customer"]["id"])
            .map(name)
            .collect(),
    ];
    for list in &mut lists {
        list.sort();
    }
    lists
}

async fn unmerge(app: &App, caller: &Caller<'_>, loser: &str) {
    let done = caller.mutate("customerUnmerge", json!({ "loser": by_id(loser) }), "outcome errors { code }").await;
    assert_eq!(done["outcome"], "CREATED", "{done}");
    app.store.finish_jobs(now()).await.unwrap();
}

#[tokio::test]
async fn rows_that_change_before_they_move_come_back_and_those_that_came_meanwhile_stay() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let winner = customer(&caller, "Ann", json!({})).await;
    let third = customer(&caller, "Third", json!({})).await;
    let count = STEP + 60;
    let loser = busy(&caller, "Anna", count).await;
    merge(&caller, "customer", &winner, &loser).await;
    let id = |number: usize| json!({ "system": "Anna", "id": number.to_string() });
    // Those with the last numbers have not moved yet: one changes alone, others beside one that goes to a third person.
    let last = |back: usize| count - back;
    let input = json!({ "by": { "externalId": id(last(1)) }, "body": "Changed", "tags": ["new"] });
    let done = caller.mutate("feedbackRecordUpdate", input, "outcome node { customer { id } }").await;
    assert_eq!(done, json!({ "outcome": "UPDATED", "node": { "customer": { "id": winner } } }));
    let row = |number: usize, more: Value| {
        let mut row = json!({ "externalId": id(number), "kind": "PRAISE", "body": "Changed" });
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    };
    let rows = [
        row(last(2), json!({})),
        row(last(3), json!({ "customerRef": by_id(&third) })),
        row(last(4), json!({ "customerRef": by_id(&loser) })),
        row(last(5), json!({ "customerRef": by_id(&winner) })),
    ];
    let done = caller
        .mutate("feedbackRecordsBulkUpsert", json!({ "rows": rows }), "results { outcome } errors { code }")
        .await;
    assert_eq!(done, json!({ "results": vec![json!({ "outcome": "UPDATED" }); 4], "errors": [] }));
    for (name, reference) in [("late", by_id(&loser)), ("later", json!({ "externalId": key("Anna") }))] {
        let input = json!({ "kind": "PRAISE", "customerRef": reference, "externalIds": [key(name)] });
        made(&caller, "feedbackRecordCreate", input).await;
    }
    app.store.finish_jobs(now()).await.unwrap();
    let [listed, shown] = records(&caller, &winner).await;
    assert_eq!((listed.len(), &listed), (count + 1, &shown));
    unmerge(&app, &caller, &loser).await;
    let [listed, shown] = records(&caller, &winner).await;
    assert_eq!((&listed, &shown), (&vec!["late".to_owned(), "later".to_owned()], &listed));
    let mut wanted: Vec<String> = (0..count).filter(|number| *number != last(3)).map(|it| it.to_string()).collect();
    wanted.sort();
    assert_eq!(records(&caller, &loser).await, [wanted.clone(), wanted]);
    assert_eq!(records(&caller, &third).await[0], [last(3).to_string()]);
}

#[tokio::test]
async fn a_change_that_waits_for_a_merge_is_one_of_the_winner() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for records in [1, STEP + 20] {
        let name = format!("Anna {records}");
        let winner = customer(&caller, &format!("Ann {records}"), json!({})).await;
        let loser = busy(&caller, &name, records).await;
        let tx = begin(&app, &caller).await;
        merge_within(&tx, [uuid(&winner), uuid(&loser)]).await;
        let told = "outcome errors { code } node { id segment }";
        let (first, second) = (
            caller.mutate("customerUpdate", json!({ "by": by_id(&loser), "segment": "New" }), told),
            caller.mutate("customerUpsert", json!({ "externalId": key(&name), "language": "de" }), told),
        );
        let commit = async {
            until_somebody_waits(&app).await;
            tx.commit().await.unwrap();
        };
        let (done, ()) = join(join(first, second), commit).await;
        for done in [done.0, done.1] {
            assert_eq!((&done["outcome"], &done["node"]["id"]), (&json!("UPDATED"), &json!(winner)), "{done}");
        }
        app.store.finish_jobs(now()).await.unwrap();
        let document = "query($id: ID!) { customer(by: { id: $id }) { id segment language } }";
        let seen = caller.data(document, json!({ "id": loser })).await;
        assert_eq!(seen["customer"], json!({ "id": winner, "segment": "New", "language": "de" }));
    }
}

#[tokio::test]
async fn a_row_that_names_the_loser_while_the_merge_commits_comes_to_the_winner() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    for count in [1, STEP + 20] {
        for reference in ["id", "externalId"] {
            let name = format!("Anna {count} {reference}");
            let winner = customer(&caller, &format!("Ann {count} {reference}"), json!({})).await;
            let loser = busy(&caller, &name, count).await;
            let tx = begin(&app, &caller).await;
            merge_within(&tx, [uuid(&winner), uuid(&loser)]).await;
            let named = if reference == "id" { by_id(&loser) } else { json!({ "externalId": key(&name) }) };
            let record =
                json!({ "kind": "PRAISE", "customerRef": named, "externalIds": [key(&format!("new {name}"))] });
            let made = caller.mutate("feedbackRecordCreate", record, "outcome errors { code }");
            let commit = async {
                until_somebody_waits(&app).await;
                tx.commit().await.unwrap();
            };
            let (done, ()) = join(made, commit).await;
            assert_eq!(done["outcome"], "CREATED", "{done}");
            app.store.finish_jobs(now()).await.unwrap();
            let [listed, shown] = records(&caller, &winner).await;
            assert_eq!((listed.len(), &listed), (count + 1, &shown), "{reference}");
            unmerge(&app, &caller, &loser).await;
            let (one, other) = (records(&caller, &winner).await, records(&caller, &loser).await);
            assert_eq!(one[0].len() + other[0].len(), count + 1);
            assert_eq!((&one[0], &other[0]), (&one[1], &other[1]));
        }
    }
}

#[tokio::test]
async fn a_merge_waits_for_whoever_is_about_to_name_the_loser_or_changes_what_moves() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let [winner, other] = [customer(&caller, "Ann", json!({})).await, customer(&caller, "Bob", json!({})).await];
    let loser = busy(&caller, "Anna", 2).await;
    let known = made(&caller, "referralCreate", json!({ "referrerRef": by_id(&loser) })).await;
    let tx = begin(&app, &caller).await;
    let mut draft = Draft::new(&referral::NOUN, Target::New, Mode::CreateOnly);
    draft.set(referral::REFERRER_ID, entity::id::CustomerId(uuid(&loser)));
    draft.set(referral::REFERRED_ID, entity::id::CustomerId(uuid(&other)));
    let written = tx.write(&referral::NOUN, &Hooks::NONE, &mut [draft], true).await.unwrap();
    assert!(written[0].errors.is_empty(), "{:?}", written[0].errors);
    let rows = tx.lock(&referral::NOUN, &[uuid(&known)]).await.unwrap();
    let changes = rows.into_values().map(|row| (row, vec![assign(referral::REASON, "Why".to_owned())])).collect();
    tx.change(&referral::NOUN, changes).await.unwrap();
    let commit = async {
        until_somebody_waits(&app).await;
        tx.commit().await.unwrap();
    };
    let (done, ()) = join(merge(&caller, "customer", &winner, &loser), commit).await;
    assert_eq!(done["outcome"], "UPDATED", "{done}");
    let asked = "{ referrals(orderBy: [{ field: ID }]) { nodes { reason referrer { id } referred { id } } } }";
    let of = |referrer: &str| {
        let new = json!({ "reason": null, "referrer": { "id": referrer }, "referred": { "id": other } });
        json!([{ "reason": "Why", "referrer": { "id": referrer }, "referred": null }, new])
    };
    assert_eq!(caller.ask(asked).await["referrals"]["nodes"], of(&winner));
    unmerge(&app, &caller, &loser).await;
    assert_eq!(caller.ask(asked).await["referrals"]["nodes"], of(&loser), "both were moved");
}
