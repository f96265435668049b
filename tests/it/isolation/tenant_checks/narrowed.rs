//! Questions of a caller whose token names departments.

use serde_json::json;

use super::{
    super::{Neighbours, places::Place},
    Seen,
};
use crate::app::App;

/// What only the statements of callers with departments have.
const NARROWED: &str = "store::statement::departments::names_seen";

/// Asks as a caller whose token names all departments, without the narrowing that only its statements have.
pub async fn ask(app: &App, both: &Neighbours<'_>, places: &[Place], seen: &mut Seen) {
    let curious = &both.curious.caller;
    let departments = curious.ask("{ departments(first: 1000) { nodes { id } } }").await;
    let departments = departments["departments"]["nodes"].as_array().unwrap();
    let caller = curious.of_departments(departments.iter().map(|node| node["id"].as_str().unwrap()));
    let document =
        "{ attempts(first: 50) { nodes { id } } deadlines(first: 50) { nodes { id } } auditLog { totalCount }
        search(text: \"Beta\") { nodes { id } } }";
    let expected = caller.run(document, json!({})).await.body;
    assert_eq!(expected.get("errors"), None, "{expected:#}");
    for place in places.iter().filter(|place| place.is_in(NARROWED)) {
        app.store.disable_for_test(Some(place.check));
        app.store.reached();
        let answer = caller.run(document, json!({})).await.body;
        seen.subject_paths(app, place);
        app.store.disable_for_test(None);
        both.assert_hidden(document, &json!({}), &answer);
        assert_eq!(answer, expected, "without {place}");
    }
}
