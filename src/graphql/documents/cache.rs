//! Caches parsed documents by their text, so that repeated queries are parsed and checked once.

use std::sync::Arc;

use async_graphql::ServerError;
use quick_cache::{
    DefaultHashBuilder, Equivalent, OptionsBuilder, Weighter,
    sync::{Cache, DefaultLifecycle},
};

use super::{document::Document, limits::Limits};
use crate::graphql::planning::cache::PlanCache;

/// Maximum memory for cached documents, in bytes.
const MAX: u64 = 32 << 20;
/// Maximum memory of a token after parsing and normalization, in bytes: a field with a one-letter name. Most tokens
/// need a fifth of this.
const TOKEN: usize = 1_024;
/// Number of shards of the cache. Each shard has capacity for several documents of maximum size.
const SHARDS: usize = 4;

/// Cache of documents parsed under one set of limits, with their plans. A cached document does not depend on the
/// caller; its plans do, and each is for one set of permissions. Texts with
/// string literals are not cached, because these may contain personal data.
///
/// Documents requested only once are evicted first; only a document that is requested again can displace one in use.
pub struct DocumentCache {
    known: Cache<Key, Arc<Document>, Size>,
    plans: Arc<PlanCache>,
}

#[derive(Clone, Hash, PartialEq, Eq)]
struct Key {
    text: Box<str>,
    operation_name: Option<Box<str>>,
}

/// Borrowed form of [`Key`] for look-ups. Both have the same hash.
#[derive(Clone, Copy, Hash)]
struct KeyRef<'a> {
    text: &'a str,
    operation_name: Option<&'a str>,
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        *self.text == *key.text && self.operation_name == key.operation_name.as_deref()
    }
}

#[derive(Clone, Copy)]
struct Size;

impl Weighter<Key, Arc<Document>> for Size {
    fn weight(&self, key: &Key, document: &Arc<Document>) -> u64 {
        (key.text.len() + document.tokens() * TOKEN) as u64
    }
}

impl Default for DocumentCache {
    fn default() -> Self {
        let mut options = OptionsBuilder::new();
        options.shards(SHARDS).weight_capacity(MAX).estimated_items_capacity(1_024);
        let options = options.build().expect("both capacities are given");
        let known = Cache::with_options(options, Size, DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self { known, plans: Arc::default() }
    }
}

impl DocumentCache {
    /// Returns the cached document or parses the text. A parsed document is cached only for an authenticated caller.
    /// Err if [`Document::read`] fails.
    pub fn read(
        &self,
        text: &str,
        operation_name: Option<String>,
        limits: &Limits,
        is_known_caller: bool,
    ) -> Result<Arc<Document>, ServerError> {
        let sought = KeyRef { text, operation_name: operation_name.as_deref() };
        if let Some(known) = self.known.get(&sought) {
            return Ok(known);
        }
        let key = Key { text: text.into(), operation_name: operation_name.as_deref().map(Into::into) };
        let document = Document::read(text, operation_name, limits)?;
        if is_known_caller && !text.contains('"') {
            document.keep_plans(&self.plans);
            self.known.insert(key, Arc::clone(&document));
        }
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_graphql::{Variables, parser::types::OperationType};
    use serde_json::{Value, json};

    use super::{DocumentCache, Limits, MAX};
    use crate::graphql::{documents::document::Document, types::schema_index::SchemaIndex};

    const TEXT: &str = "
        query A($with: Boolean!, $first: Int) {
            things(first: $first) { nodes { name ...More @include(if: $with) name @skip(if: $with) } }
        }
        mutation B { make }
        fragment More on Thing { other: name }";

    fn schema_index() -> SchemaIndex {
        SchemaIndex::read(
            "type Query { things(first: Int): ThingConnection! } type Mutation { make: Boolean }
             type ThingConnection { nodes: [Thing!]! } type Thing { name: String }
             schema { query: Query mutation: Mutation }",
        )
        .unwrap()
    }

    /// Returns the cost of a document and the operation that executes.
    fn prepared(document: &Arc<Document>, variables: Value) -> Result<(u64, String), String> {
        let prepared = document.prepare(Variables::from_json(variables), &schema_index(), &Limits::DEFAULT);
        let prepared = prepared.map_err(|error| format!("{error:?}"))?;
        let mut request = prepared.request();
        let parsed = request.parsed_query().unwrap();
        let operation = parsed.operations.iter().find(|(name, _)| name.is_some_and(|name| name == "A"));
        Ok((prepared.cost, format!("{operation:?} {:?}", parsed.fragments)))
    }

    #[test]
    fn a_remembered_document_runs_as_one_that_was_just_read() {
        let documents = DocumentCache::default();
        let read = |name: &str| documents.read(TEXT, Some(name.to_owned()), &Limits::DEFAULT, true);
        for variables in [
            json!({ "with": true, "first": 3 }),
            json!({ "with": false, "first": 30 }),
            json!({ "with": true }),
            json!({ "first": 3 }),
            json!({ "with": "no" }),
            json!({ "with": false }),
        ] {
            let fresh = Document::read(TEXT, Some("A".to_owned()), &Limits::DEFAULT).unwrap();
            assert_eq!(prepared(&read("A").unwrap(), variables.clone()), prepared(&fresh, variables));
        }
        assert!(Arc::ptr_eq(&read("A").unwrap(), &read("A").unwrap()));
        assert_eq!(read("B").unwrap().kind(), OperationType::Mutation);
        assert!(read("C").is_err() && documents.read(TEXT, None, &Limits::DEFAULT, true).is_err());
    }

    #[test]
    fn what_a_stranger_asks_and_what_holds_a_string_is_not_remembered() {
        let documents = DocumentCache::default();
        let read = |text: &str, is_known| documents.read(text, None, &Limits::DEFAULT, is_known).unwrap();
        assert!(!Arc::ptr_eq(&read("{ __typename }", false), &read("{ __typename }", false)));
        let known = read("{ __typename }", true);
        assert!(Arc::ptr_eq(&known, &read("{ __typename }", false)));
        let text = "{ customer(by: {externalId: {system: \"crm\", id: \"mia\"}}) { id } }";
        assert!(!Arc::ptr_eq(&read(text, true), &read(text, true)));
    }

    #[test]
    fn texts_that_are_asked_once_fill_no_more_than_the_room_and_leave_those_in_use() {
        let documents = DocumentCache::default();
        let read = |text: &str| documents.read(text, None, &Limits::DEFAULT, true).unwrap();
        let used = read("{ used }");
        read("{ used }");
        for number in 0..20_000 {
            read(&format!("{{ a{number} }}"));
            assert!(documents.known.weight() <= MAX);
            if number % 1_000 == 0 {
                assert!(Arc::ptr_eq(&used, &read("{ used }")), "forgotten after {number}");
            }
        }
        assert!(documents.known.len() > 1_000);
    }
}
