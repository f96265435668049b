//! A request's document on its way from text to execution: every check that needs no data happens here.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use async_graphql::{
    Name, Positioned, Request, ServerError, Variables,
    parser::types::{
        DocumentOperations, ExecutableDocument, FragmentDefinition, OperationDefinition, OperationType, Selection,
        SelectionSet,
    },
};

use super::{hints, limits::Limits, merge::replace, normalized::NormalizedOperation, size, variables};
use crate::graphql::{
    execution::run::ValidatedOperation,
    failure::{BAD_USER_INPUT, refuse},
    syntax::{parse::parse, scan::scan},
    types::schema_index::SchemaIndex,
};

/// A parsed document and the operation it is asked for. Nothing in it depends on who asks.
pub struct Document {
    parsed: ExecutableDocument,
    operation_name: Option<String>,
    tokens: usize,
    is_public: bool,
    /// What is wrong with it whoever asks, and whatever is given.
    mistakes: OnceLock<Vec<ServerError>>,
    /// How it runs, if that hangs on no variable.
    outline: OnceLock<Arc<NormalizedOperation>>,
    validated: RwLock<Vec<Arc<ValidatedOperation>>>,
}

/// Proofs that are kept of a document: for clients who leave out one variable or another.
const MAX_PROOFS: usize = 4;

/// A request that may run, and what it costs.
pub struct PreparedOperation {
    pub(in crate::graphql) document: Arc<Document>,
    pub(in crate::graphql) shape: SchemaIndex,
    pub(in crate::graphql) outline: Arc<NormalizedOperation>,
    pub(in crate::graphql) variables: Arc<Variables>,
    /// That validation would find nothing wrong, if that is known.
    pub(in crate::graphql) validated_operation: Option<Arc<ValidatedOperation>>,
    /// Its cost in points, without what it asks of the schema itself.
    pub cost: u64,
    /// What that costs.
    pub introspection: u64,
}

impl PreparedOperation {
    /// Whether it asks for nothing but the schema.
    pub fn is_public(&self) -> bool {
        self.document.is_public
    }

    /// What the schema executes.
    pub fn request(&self) -> Request {
        let mut parsed = self.document.parsed.clone();
        let name = self.document.operation_name.as_deref();
        if let Some(selections) = &self.outline.selections
            && let Some(operation) = chosen_mut(&mut parsed, name)
        {
            replace(&mut operation.node, selections.clone());
        }
        let validated = variables::without_rows(self.document.operation(), &self.variables, &self.shape);
        let mut request = Request::new(String::new()).variables(validated);
        request.operation_name = name.map(str::to_owned);
        request.set_parsed_query(parsed);
        request
    }
}

impl Document {
    /// Parses a text that names its operation, or has only one. Whatever the text, this takes little time and stack.
    pub fn read(text: &str, operation_name: Option<String>, limits: &Limits) -> Result<Arc<Self>, ServerError> {
        let tokens = scan(text, limits)?;
        let (count, parsed) = (tokens.len(), parse(tokens)?);
        size::check_size(&parsed, limits)?;
        let operation = &chosen(&parsed, operation_name.as_deref())?.node;
        let is_public = only_meta_fields(&operation.selection_set.node, &parsed, &mut HashSet::new());
        let (mistakes, outline, validated) = (OnceLock::new(), OnceLock::new(), RwLock::default());
        Ok(Arc::new(Self { parsed, operation_name, tokens: count, is_public, mistakes, outline, validated }))
    }

    /// How many tokens its text has.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// Whether it reads, writes or subscribes.
    pub fn kind(&self) -> OperationType {
        self.operation().ty
    }

    /// Whether it asks for nothing but the schema: what a caller without a token may do.
    pub fn is_public(&self) -> bool {
        self.is_public
    }

    /// Checks the variables, merges and prices: everything between the parser and the schema's own validation.
    pub fn prepare(
        self: &Arc<Self>,
        mut variables: Variables,
        shape: &SchemaIndex,
        limits: &Limits,
    ) -> Result<PreparedOperation, ServerError> {
        let operation = self.operation();
        // A variable of a type that does not exist is a mistake of the document.
        if self.mistakes(shape).is_empty() {
            variables::read(operation, &mut variables, shape)?;
        }
        let validated_operation = self.validated_operation(&variables);
        let outline = self.outline(&variables, shape)?;
        let cost = outline.price.cost(operation, &variables, limits)?;
        let introspection = outline.price.introspection();
        let (document, shape, variables) = (Arc::clone(self), shape.clone(), Arc::new(variables));
        Ok(PreparedOperation { document, shape, outline, variables, validated_operation, cost, introspection })
    }

    /// What is wrong with it whoever asks, and whatever is given.
    pub(in crate::graphql) fn mistakes(&self, shape: &SchemaIndex) -> &[ServerError] {
        self.mistakes.get_or_init(|| hints::of(&self.parsed, shape))
    }

    fn outline(&self, variables: &Variables, shape: &SchemaIndex) -> Result<Arc<NormalizedOperation>, ServerError> {
        if let Some(known) = self.outline.get() {
            return Ok(Arc::clone(known));
        }
        let outline = Arc::new(NormalizedOperation::of(self.operation(), &self.parsed, variables, shape)?);
        if !outline.is_conditional {
            // Whoever was faster has the same.
            let _ = self.outline.set(Arc::clone(&outline));
        }
        Ok(outline)
    }

    fn validated_operation(&self, variables: &Variables) -> Option<Arc<ValidatedOperation>> {
        let validated = self.validated.read().unwrap_or_else(PoisonError::into_inner);
        validated.iter().find(|validated_operation| validated_operation.matches(variables)).cloned()
    }

    /// Keeps a proof made with these variables.
    pub(in crate::graphql) fn remember(
        &self,
        validated_operation: ValidatedOperation,
        variables: &Variables,
    ) -> Arc<ValidatedOperation> {
        let validated_operation = Arc::new(validated_operation);
        let mut validated = self.validated.write().unwrap_or_else(PoisonError::into_inner);
        validated.retain(|known| !known.matches(variables));
        if validated.len() >= MAX_PROOFS {
            validated.remove(0);
        }
        validated.push(Arc::clone(&validated_operation));
        validated_operation
    }

    pub(in crate::graphql) fn fragments(&self) -> &HashMap<Name, Positioned<FragmentDefinition>> {
        &self.parsed.fragments
    }

    pub(in crate::graphql) fn operation(&self) -> &OperationDefinition {
        let operation = chosen(&self.parsed, self.operation_name.as_deref());
        &operation.expect("a document is only made with its operation").node
    }
}

/// The operation of that name, or the only one.
fn chosen<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a Positioned<OperationDefinition>, ServerError> {
    let found = match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Some(operation),
        (DocumentOperations::Single(_), Some(_)) => None,
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name),
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => operations.values().next(),
        (DocumentOperations::Multiple(_), None) => {
            return Err(refuse(BAD_USER_INPUT, "the document has several operations: name one in operationName", None));
        }
    };
    found.ok_or_else(|| refuse(BAD_USER_INPUT, "the document has no operation of the name in operationName", None))
}

/// The same, to change it.
fn chosen_mut<'a>(
    document: &'a mut ExecutableDocument,
    name: Option<&str>,
) -> Option<&'a mut Positioned<OperationDefinition>> {
    match (&mut document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(operation),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get_mut(name),
        (DocumentOperations::Multiple(operations), None) => operations.values_mut().next(),
    }
}

/// Each fragment is looked at once, so that fragments of fragments cost nothing.
fn only_meta_fields<'a>(set: &'a SelectionSet, document: &'a ExecutableDocument, seen: &mut HashSet<&'a Name>) -> bool {
    set.items.iter().all(|item| match &item.node {
        Selection::Field(field) => ["__schema", "__type", "__typename"].contains(&field.node.name.node.as_str()),
        Selection::InlineFragment(inline) => only_meta_fields(&inline.node.selection_set.node, document, seen),
        Selection::FragmentSpread(spread) => {
            let name = &spread.node.fragment_name.node;
            let fragment: Option<&Positioned<FragmentDefinition>> = document.fragments.get(name);
            !seen.insert(name)
                || fragment.is_none_or(|known| only_meta_fields(&known.node.selection_set.node, document, seen))
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_graphql::parser::types::OperationType;

    use super::{Document, Limits};
    use crate::graphql::failure::code;

    fn read(text: &str, name: Option<&str>) -> Result<Arc<Document>, async_graphql::ServerError> {
        Document::read(text, name.map(str::to_owned), &Limits::DEFAULT)
    }

    #[test]
    fn the_operation_is_the_named_one_or_the_only_one() {
        assert_eq!(read("{ a }", None).unwrap().kind(), OperationType::Query);
        assert_eq!(read("mutation M { a }", None).unwrap().kind(), OperationType::Mutation);
        assert_eq!(read("query Q { a } mutation M { a }", Some("M")).unwrap().kind(), OperationType::Mutation);
        for (text, name) in [("query Q { a } query R { a }", None), ("query Q { a }", Some("R")), ("{ a }", Some("Q"))]
        {
            let refused = read(text, name).err().unwrap();
            assert_eq!(code(&refused), Some("BAD_USER_INPUT"), "{text}");
        }
    }

    #[test]
    fn a_syntax_error_has_a_place_and_quotes_nothing() {
        let refused = read("{ secret(", None).err().unwrap();
        assert_eq!(code(&refused), Some("GRAPHQL_PARSE_FAILED"));
        assert!(!refused.message.contains("secret") && refused.locations.len() == 1);
    }

    #[test]
    fn only_the_schema_is_public() {
        let public = |text: &str| read(text, None).unwrap().is_public();
        assert!(public("{ __typename a: __schema { types { name } } }"));
        assert!(public("{ ...F ... { __typename } } fragment F on Query { __type(name: \"A\") { name } }"));
        assert!(public("mutation { __typename }"));
        assert!(!public("{ __typename points { id } }"));
        assert!(!public("{ ...F } fragment F on Query { ... on Query { points { id } } }"));
        assert!(!public("{ __typename: points { id } }"));
        assert!(!public("{ points @skip(if: true) { id } }"));
    }
}
