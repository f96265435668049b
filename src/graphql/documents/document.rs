//! Prepares a request's document for execution with every check that needs no data.

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
    planning::cache::{DocumentPlans, PlanCache},
    syntax::{parse::parse, scan::scan},
    types::schema_index::SchemaIndex,
};

/// A parsed document and its selected operation. Does not depend on the caller.
pub struct Document {
    parsed: ExecutableDocument,
    operation_name: Option<String>,
    tokens: usize,
    is_public: bool,
    /// Errors in the document that do not depend on the caller or the variables.
    mistakes: OnceLock<Vec<ServerError>>,
    /// The normalized operation, if it does not depend on variables.
    normalized: OnceLock<Arc<NormalizedOperation>>,
    validated: RwLock<Vec<Arc<ValidatedOperation>>>,
    /// The plans of the operation, if the document is cached.
    plans: OnceLock<DocumentPlans>,
}

/// Maximum number of validated operations kept per document. They differ in which variables a client gives.
const MAX_PROOFS: usize = 4;

/// A checked request and its cost.
pub struct PreparedOperation {
    pub(in crate::graphql) document: Arc<Document>,
    pub(in crate::graphql) schema_index: SchemaIndex,
    pub(in crate::graphql) normalized: Arc<NormalizedOperation>,
    pub(in crate::graphql) variables: Arc<Variables>,
    /// The result of an earlier successful validation, if there is one.
    pub(in crate::graphql) validated_operation: Option<Arc<ValidatedOperation>>,
    /// Cost in points, without introspection.
    pub cost: u64,
    /// Cost of introspection, in points.
    pub introspection: u64,
}

impl PreparedOperation {
    /// Returns whether the request selects introspection fields only.
    pub fn is_public(&self) -> bool {
        self.document.is_public
    }

    /// Returns the request for the schema to execute.
    pub fn request(&self) -> Request {
        let mut parsed = self.document.parsed.clone();
        let name = self.document.operation_name.as_deref();
        if let Some(selections) = &self.normalized.selections
            && let Some(operation) = chosen_mut(&mut parsed, name)
        {
            replace(&mut operation.node, selections.clone());
        }
        let validated = variables::without_rows(self.document.operation(), &self.variables, &self.schema_index);
        let mut request = Request::new(String::new()).variables(validated);
        request.operation_name = name.map(str::to_owned);
        request.set_parsed_query(parsed);
        request
    }
}

impl Document {
    /// Parses a text and selects the named operation, or the only one. Time and stack are bounded for any text. Err if
    /// the text exceeds a limit, is not a document or does not have the operation.
    pub fn read(text: &str, operation_name: Option<String>, limits: &Limits) -> Result<Arc<Self>, ServerError> {
        let tokens = scan(text, limits)?;
        let (count, parsed) = (tokens.len(), parse(tokens)?);
        size::check_size(&parsed, limits)?;
        let operation = &chosen(&parsed, operation_name.as_deref())?.node;
        let is_public = only_meta_fields(&operation.selection_set.node, &parsed, &mut HashSet::new());
        let (mistakes, normalized, validated) = (OnceLock::new(), OnceLock::new(), RwLock::default());
        let plans = OnceLock::new();
        Ok(Arc::new(Self { parsed, operation_name, tokens: count, is_public, mistakes, normalized, validated, plans }))
    }

    /// Caches the plans of the operation from now on.
    pub(super) fn keep_plans(&self, all: &Arc<PlanCache>) {
        self.plans.get_or_init(|| DocumentPlans::new(all));
    }

    /// Returns the cached plans of the operation, if the document is cached.
    pub(in crate::graphql) fn plans(&self) -> Option<&DocumentPlans> {
        self.plans.get()
    }

    /// Returns the number of tokens of the text.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// Returns the variables that the pairs of a query string give, by their declared types.
    pub fn variables_from_texts(
        &self,
        texts: &[(String, String)],
        schema_index: &SchemaIndex,
    ) -> Result<Variables, ServerError> {
        variables::from_texts(self.operation(), texts, schema_index)
    }

    /// Returns whether the operation has a variable of this name.
    pub fn has_variable(&self, name: &str) -> bool {
        self.operation().variable_definitions.iter().any(|definition| definition.node.name.node == name)
    }

    /// Returns the name of the operation, if it has one.
    pub fn name(&self) -> Option<&str> {
        match (&self.parsed.operations, &self.operation_name) {
            (_, Some(name)) => Some(name),
            (DocumentOperations::Multiple(operations), None) => operations.keys().next().map(Name::as_str),
            (DocumentOperations::Single(_), None) => None,
        }
    }

    /// Returns whether the operation is a query, a mutation or a subscription.
    pub fn kind(&self) -> OperationType {
        self.operation().ty
    }

    /// Returns whether the operation selects introspection fields only, which a caller without a token may do.
    pub fn is_public(&self) -> bool {
        self.is_public
    }

    /// Checks the variables, merges selections and computes the cost: all steps between parsing and the validation by
    /// async-graphql. Err if a variable is invalid or a cost exceeds its limit.
    pub fn prepare(
        self: &Arc<Self>,
        mut variables: Variables,
        schema_index: &SchemaIndex,
        limits: &Limits,
    ) -> Result<PreparedOperation, ServerError> {
        let operation = self.operation();
        // A variable of an unknown type is an error of the document, not of the variable's value.
        if self.mistakes(schema_index).is_empty() {
            variables::read(operation, &mut variables, schema_index)?;
        }
        let validated_operation = self.validated_operation(&variables);
        let normalized = self.normalized(&variables, schema_index)?;
        let most_bytes = limits.response_bytes(self.is_public);
        let cost = normalized.price.cost(operation, &variables, limits, most_bytes)?;
        let introspection = normalized.price.introspection();
        let (document, schema_index, variables) = (Arc::clone(self), schema_index.clone(), Arc::new(variables));
        Ok(PreparedOperation {
            document,
            schema_index,
            normalized,
            variables,
            validated_operation,
            cost,
            introspection,
        })
    }

    /// Returns the errors in the document that do not depend on the caller or the variables.
    pub fn mistakes(&self, schema_index: &SchemaIndex) -> &[ServerError] {
        self.mistakes.get_or_init(|| hints::of(&self.parsed, schema_index))
    }

    fn normalized(
        &self,
        variables: &Variables,
        schema_index: &SchemaIndex,
    ) -> Result<Arc<NormalizedOperation>, ServerError> {
        if let Some(known) = self.normalized.get() {
            return Ok(Arc::clone(known));
        }
        let normalized = Arc::new(NormalizedOperation::of(self.operation(), &self.parsed, variables, schema_index)?);
        if !normalized.is_conditional {
            // If another thread was faster, it has set an equal value.
            let _ = self.normalized.set(Arc::clone(&normalized));
        }
        Ok(normalized)
    }

    fn validated_operation(&self, variables: &Variables) -> Option<Arc<ValidatedOperation>> {
        let validated = self.validated.read().unwrap_or_else(PoisonError::into_inner);
        validated.iter().find(|validated_operation| validated_operation.matches(variables)).cloned()
    }

    /// Stores the result of a validation with these variables, evicting the oldest one above [`MAX_PROOFS`].
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

/// Returns the operation of that name, or the only one if `name` is `None`.
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

/// Mutable form of [`chosen`].
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

/// Returns whether all fields are introspection fields. Visits each fragment once, so the time is linear.
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
