//! Events carry no personal data, whatever was written: erasure has nothing to scrub from them.

use entity::noun::{Field, Personal, Writable};
use serde_json::json;

use crate::{
    app::App,
    fixture::{Extent, World},
    outline::Outline,
};

/// What every text of the organization contains.
const CANARY: &str = "Canary";

#[tokio::test]
async fn no_event_holds_a_byte_of_what_any_mutation_was_given() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("one").await, CANARY).await;
    let organization = world.caller.organization();
    let written = app.dump(organization).await;
    let is_personal = |field: &Field| field.personal != Personal::None && field.writable != Writable::Never;
    for noun in entity::NOUNS.iter().filter(|noun| noun.all_fields().any(is_personal)) {
        assert!(written[noun.table].iter().any(|row| row.contains(CANARY)), "{} holds no canary", noun.table);
    }
    // Deletions last: the others need the rows.
    let (last, first): (Vec<_>, Vec<_>) = outline.mutations().iter().partition(|field| field.name.ends_with("Delete"));
    for field in first.into_iter().chain(last) {
        let document = Outline::document("mutation", field, "{ __typename }");
        let input = json!({ "input": world.input(field, Extent::Full) });
        assert!(input.to_string().contains(CANARY) || !input.to_string().contains(r#""name":"#), "{input}");
        world.caller.data(&document, input).await;
    }
    let events = app.dump(organization).await["event"].clone();
    assert!(events.len() > written["event"].len() + 10, "only {} events were written", events.len());
    for event in events {
        assert!(!event.to_lowercase().contains(&CANARY.to_lowercase()), "{event}");
    }
}
