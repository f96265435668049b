//! Transactions of the kernel, which no API shows from inside.

use entity::{Permission, noun::Noun, routing};
use futures_util::FutureExt;
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
async fn a_mutation_that_nobody_waits_for_any_more_is_done_to_its_end() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let input = json!({ "input": { "name": "Sales" } });
    let document = "mutation($input: DepartmentCreateInput!) { departmentCreate(input: $input) { outcome } }";
    // Begun, and given up before it has an answer.
    assert!(caller.run(document, input).now_or_never().is_none());
    let count = async || caller.ask("{ departments { totalCount } }").await["departments"]["totalCount"].as_i64();
    let mut asked = 0;
    while count().await != Some(2) {
        asked += 1;
        assert!(asked < 2_000, "it was cut short");
    }
    assert_eq!(
        app.database.look("SELECT CAST(COUNT(*) AS TEXT) FROM event".to_owned()).await[0][0].as_deref(),
        Some("1")
    );
}
