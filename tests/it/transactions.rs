//! Transactions of the kernel, which no API shows from inside.

use entity::{Permission, noun::Noun, routing};
use rapport::{
    auth::Actor,
    store::{
        cell::Cell,
        draft::{Draft, Mode, Target},
        write::Rules,
    },
};
use serde_json::json;

use crate::app::{App, now};

#[tokio::test]
async fn a_transaction_with_a_failed_statement_cannot_be_committed() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let actor = Actor {
        organization: caller.organization(),
        subject: "tester".to_owned(),
        client: None,
        permissions: Permission::ALL.into_iter().collect(),
    };
    let before = app.dump(caller.organization()).await;
    let tx = app.store.scope(actor, now()).begin().await.unwrap();
    let noun: &'static Noun = &entity::influencer::NOUN;
    let mut draft = Draft::new(noun, Target::New, Mode::CreateOnly);
    draft.set("name", Cell::Text("Radio".to_owned()));
    let written = tx.write(noun, &Rules::NONE, &mut [draft], true).await.unwrap();
    assert!(written[0].errors.is_empty());
    // A routing of nothing to nowhere: its columns may not be null. PostgreSQL would answer the commit with success.
    assert!(tx.make(&routing::NOUN, &[Vec::new()]).await.is_err());
    assert!(tx.commit().await.is_err());
    assert_eq!(app.dump(caller.organization()).await, before);
    caller.data("{ influencers { totalCount } }", json!({})).await;
}

#[tokio::test]
async fn what_has_ended_well_leaves_nothing_for_the_database_to_undo() {
    let app = App::start().await;
    if !app.store.is_postgres() {
        return;
    }
    let caller = app.admin("one").await;
    let input = json!({ "name": "Radio" });
    for _ in 0..3 {
        caller.mutate("influencerCreate", input.clone(), "outcome").await;
        caller.ask("{ influencers { totalCount } }").await;
    }
    // What each connection was asked last: never whether it lives, and nothing was rolled back.
    let last = "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'rapport'
        AND pid <> pg_backend_pid()";
    let asked = app.database.look(last.to_owned()).await;
    assert!(
        !asked.is_empty() && asked.iter().flatten().flatten().all(|query| !query.contains("ROLLBACK")),
        "{asked:?}"
    );
}
