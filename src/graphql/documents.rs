//! Remembers documents that were read, by their text, so that a client's few queries are parsed and weighed once.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use async_graphql::ServerError;

use super::{document::Document, limits::Limits};

/// Most bytes of text remembered. What is parsed takes up to some hundred times as much as a text of short names.
const MOST: usize = 256 * 1024;

/// Documents as they were read under one set of limits. What they hold depends on nobody who asks: variables, scopes and
/// costs are looked at anew each time.
#[derive(Default)]
pub struct Documents {
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    /// By text; one for each name of an operation that it was asked for with.
    documents: HashMap<String, Vec<Arc<Document>>>,
    bytes: usize,
}

impl Documents {
    /// Reads a document, or remembers it. It is remembered only for a caller who is known.
    pub fn read(
        &self,
        text: &str,
        operation_name: Option<String>,
        limits: &Limits,
        is_known_caller: bool,
    ) -> Result<Arc<Document>, ServerError> {
        if let Some(known) = self.get(text, operation_name.as_deref()) {
            return Ok(known);
        }
        let document = Arc::new(Document::read(text, operation_name, limits)?);
        if is_known_caller {
            self.put(text, &document);
        }
        Ok(document)
    }

    fn get(&self, text: &str, operation_name: Option<&str>) -> Option<Arc<Document>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.documents.get(text)?.iter().find(|known| known.operation_name() == operation_name).cloned()
    }

    fn put(&self, text: &str, document: &Arc<Document>) {
        // Each name is a parsed document of its own.
        let bytes = text.len().max(64);
        if bytes > MOST / 8 {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.bytes + bytes > MOST {
            // More than there is room for: begin anew, at the cost of reading each once more.
            *known = Known::default();
        }
        known.bytes += bytes;
        known.documents.entry(text.to_owned()).or_default().push(Arc::clone(document));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_graphql::{Variables, parser::types::OperationType};
    use serde_json::{Value, json};

    use super::{Documents, Limits, MOST};
    use crate::graphql::{document::Document, shape::Shape};

    const TEXT: &str = "
        query A($with: Boolean!, $first: Int) {
            things(first: $first) { nodes { name ...More @include(if: $with) name @skip(if: $with) } }
        }
        mutation B { make }
        fragment More on Thing { other: name }";

    fn shape() -> Shape {
        Shape::read(
            "type Query { things(first: Int): ThingConnection! } type Mutation { make: Boolean }
             type ThingConnection { nodes: [Thing!]! } type Thing { name: String }
             schema { query: Query mutation: Mutation }",
        )
        .unwrap()
    }

    /// What comes of a document: the cost, and what runs.
    fn prepared(document: &Document, variables: Value) -> Result<(u64, String), String> {
        let prepared = document.prepare(Variables::from_json(variables), &shape(), &Limits::DEFAULT);
        let mut prepared = prepared.map_err(|error| format!("{error:?}"))?;
        let parsed = prepared.request.parsed_query().unwrap();
        let operation = parsed.operations.iter().find(|(name, _)| name.is_some_and(|name| name == "A"));
        Ok((prepared.cost, format!("{operation:?} {:?}", parsed.fragments)))
    }

    #[test]
    fn a_remembered_document_runs_as_one_that_was_just_read() {
        let documents = Documents::default();
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
    fn what_a_stranger_asks_is_not_remembered() {
        let documents = Documents::default();
        let read = |is_known| documents.read("{ __typename }", None, &Limits::DEFAULT, is_known).unwrap();
        assert!(!Arc::ptr_eq(&read(false), &read(false)));
        let known = read(true);
        assert!(Arc::ptr_eq(&known, &read(false)));
    }

    #[test]
    fn no_more_is_remembered_than_there_is_room_for() {
        let documents = Documents::default();
        for number in 0..MOST / 32 {
            documents.read(&format!("{{ a{number} }}"), None, &Limits::DEFAULT, true).unwrap();
            let known = documents.known.read().unwrap();
            assert!(known.bytes <= MOST && known.documents.len() <= MOST / 64);
        }
    }
}
