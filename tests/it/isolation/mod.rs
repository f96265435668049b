//! Another organization's rows do not exist: nothing leaks, nothing changes, and every answer is the one for an id
//! that nobody has. The cases are walked from the schema.

mod departments;
mod inputs;
pub mod model_based;
#[cfg(debug_assertions)]
pub mod places;
mod queries;
mod search;
#[cfg(debug_assertions)]
mod tenant_checks;

use std::collections::HashSet;

use rapport::graphql::documents::cache::DocumentCache;
use serde_json::Value;

use crate::{app::App, dump::Dump, fixture::World, outline::Outline};

/// What every text of the first organization contains.
const SECRET: &str = "Alpha";

/// The length of an id without its prefix.
const DIGITS: usize = 26;

/// The organization whose rows must stay hidden, and the one that looks for them.
struct Neighbours<'a> {
    app: &'a App,
    hidden: World<'a>,
    curious: World<'a>,
    before: Dump,
    /// The ids of the hidden organization, without the prefixes of their nouns.
    secrets: HashSet<String>,
}

impl<'a> Neighbours<'a> {
    async fn settle(app: &'a App, outline: &'a Outline) -> Self {
        let hidden = World::filled(outline, app.admin("hidden").await.named(SECRET), SECRET).await;
        let curious = World::filled(outline, app.admin("curious").await, "Beta").await;
        let before = app.dump(hidden.caller.organization()).await;
        for table in ["event", "department", "department_external_id", "feedback_record_tags", "routing"] {
            assert!(!before[table].is_empty(), "{table} is empty, so nothing could change");
        }
        let secrets = hidden.ids().iter().filter_map(|id| Some(id.rsplit_once('_')?.1.to_owned())).collect();
        Self { app, hidden, curious, before, secrets }
    }

    /// Runs a document as the curious caller and counts its statements. Whatever it is, no id and no text of the
    /// hidden organization is in the answer.
    async fn probe(&self, document: &str, variables: Value) -> (Value, u64) {
        let before = self.app.store.statements();
        let reply = self.curious.caller.run(document, variables.clone()).await.body;
        let statements = self.app.store.statements() - before;
        self.assert_hidden(document, &variables, &reply);
        (reply, statements)
    }

    /// The same on a server that has neither the document nor its plans.
    async fn probe_anew(&self, document: &str, variables: Value) -> Value {
        let documents = DocumentCache::default();
        let reply = self.curious.caller.run_remembering(&documents, document, variables.clone()).await.body;
        self.assert_hidden(document, &variables, &reply);
        reply
    }

    fn assert_hidden(&self, document: &str, variables: &Value, reply: &Value) {
        let text = reply.to_string();
        assert!(!text.contains(SECRET), "{document} {variables} leaks {text}");
        let after_each_prefix = text.split('_').skip(1).filter_map(|rest| rest.get(..DIGITS));
        for id in after_each_prefix {
            assert!(!self.secrets.contains(id), "{document} {variables} leaks {text}");
        }
    }

    /// Asserts that a hidden thing and one that nobody has are answered alike, and gives that answer.
    async fn alike(&self, document: &str, hidden: Value, unknown: Value) -> Value {
        let name = format!("{document} {hidden}");
        let (answer, mut statements) = self.probe(document, hidden.clone()).await;
        let (expected, expected_statements) = self.probe(document, unknown).await;
        assert_eq!(answer, expected, "{name}");
        if statements != expected_statements {
            // The first one may have read what the server remembered for the second one.
            statements = self.probe(document, hidden).await.1;
        }
        assert_eq!(statements, expected_statements, "{name} takes another number of statements");
        answer
    }

    async fn assert_unchanged(&self) {
        let after = self.app.dump(self.hidden.caller.organization()).await;
        for (table, rows) in &self.before {
            assert_eq!(rows, &after[table], "{table} has changed");
        }
    }
}
