//! Runs the operation of a document.
//!
//! async-graphql does validation and introspection. It cannot validate without executing, so a document is validated by
//! executing it once with root fields that only record that they were reached. This module then runs the root fields,
//! by name, for that request and for every later request for which validation cannot have another result.

use std::sync::{Arc, OnceLock};

use async_graphql::{
    Executor, Name, Positioned, Response, Value, Variables,
    indexmap::IndexMap,
    parser::types::{Field, OperationDefinition, OperationType},
};
use futures_util::{StreamExt as _, future::join_all};

use super::subscription::Place;
use crate::{
    graphql::{
        documents::{
            document::{Document, PreparedOperation},
            limits::Limits,
            normalized::is_introspective,
        },
        planning::context::ExecutionContext,
        slice::Api,
        types::schema_index::SchemaIndex,
    },
    store::Scope,
};

/// An operation that passed validation, and the API that it is for.
pub struct ValidatedOperation {
    api: &'static Api,
    variables: Vec<Declared>,
}

/// A declared variable, and whether it was given. If a value was coerced to the declared type, validation depends on
/// that type only, not on the value.
struct Declared {
    name: Name,
    given: Given,
}

#[derive(PartialEq, Eq)]
enum Given {
    Nothing,
    Null,
    Value,
}

impl Given {
    fn of(value: Option<&Value>) -> Self {
        match value {
            None => Self::Nothing,
            Some(Value::Null) => Self::Null,
            Some(_) => Self::Value,
        }
    }
}

impl ValidatedOperation {
    /// Returns whether a request gives the same variables, and null for the same ones. Validation then finds no errors
    /// in it either, provided that [`crate::graphql::documents::variables::read`] accepts its values.
    pub fn matches(&self, variables: &Variables) -> bool {
        self.variables.iter().all(|declared| declared.given == Given::of(variables.get(&declared.name)))
    }
}

/// Marks a request as a validation run: root fields record in it that they were reached, and return null.
#[derive(Clone, Default)]
pub struct ValidationRun(Arc<OnceLock<&'static Api>>);

impl ValidationRun {
    /// Records that a root field was reached.
    pub(in crate::graphql) fn reached(&self, api: &'static Api) {
        self.0.get_or_init(|| api);
    }

    fn validated_operation(
        &self,
        operation: &OperationDefinition,
        variables: &Variables,
    ) -> Option<ValidatedOperation> {
        let api = *self.0.get()?;
        let declared = operation.variable_definitions.iter().map(|definition| {
            let name = definition.node.name.node.clone();
            Declared { given: Given::of(variables.get(&name)), name }
        });
        Some(ValidatedOperation { api, variables: declared.collect() })
    }
}

/// Runs a document that is part of the program, with the variables given.
pub async fn execute(
    schema: &impl Executor,
    schema_index: &SchemaIndex,
    (text, variables): (&str, Variables),
    scope: Scope,
) -> Response {
    let prepared = Document::read(text, None, &Limits::DEFAULT)
        .and_then(|document| document.prepare(variables, schema_index, &Limits::DEFAULT));
    match prepared {
        Ok(prepared) => prepared.run(schema, Some(scope)).await,
        Err(error) => Response::from_errors(vec![error]),
    }
}

impl PreparedOperation {
    /// Runs the operation. Without a scope, only introspection is possible.
    pub async fn run(self, schema: &impl Executor, scope: Option<Scope>) -> Response {
        let mistakes = self.document.mistakes(&self.schema_index);
        if !mistakes.is_empty() {
            return Response::from_errors(mistakes.to_vec());
        }
        let Some(scope) = scope else { return schema.execute(self.request()).await };
        match self.validated(schema).await {
            // Boxed, because the future is large and would be moved through every layer above.
            Ok((validated, introspected)) => Box::pin(self.execute_roots(&validated, introspected, &scope, None)).await,
            Err(response) => response,
        }
    }

    /// Validates the operation unless that was done before, and executes its introspection fields.
    ///
    /// `Err` is the complete response if the operation is invalid or has no root field to run.
    pub(super) async fn validated(&self, schema: &impl Executor) -> Result<(Arc<ValidatedOperation>, Value), Response> {
        match self.validated_operation.clone().filter(|_| !self.normalized.is_introspective()) {
            Some(known) => Ok((known, Value::Null)),
            None => self.validate(schema).await,
        }
    }

    async fn validate(&self, schema: &impl Executor) -> Result<(Arc<ValidatedOperation>, Value), Response> {
        let run = ValidationRun::default();
        let request = self.request().data(run.clone());
        let response = if self.document.kind() == OperationType::Subscription {
            schema.execute_stream(request, None).next().await.unwrap_or_default()
        } else {
            schema.execute(request).await
        };
        let validated = run.validated_operation(self.document.operation(), &self.variables);
        let Some(validated) = validated.filter(|_| response.errors.is_empty()) else { return Err(response) };
        // With other values for its `@skip` and `@include` conditions, the operation may have other root fields.
        if self.normalized.is_conditional {
            return Ok((Arc::new(validated), response.data));
        }
        Ok((self.document.remember(validated, &self.variables), response.data))
    }

    /// Runs the root fields; `place` is where the operation is, if it is a subscription.
    pub(super) async fn execute_roots(
        &self,
        validated: &ValidatedOperation,
        introspected: Value,
        scope: &Scope,
        place: Option<&Place>,
    ) -> Response {
        let operation = self.document.operation();
        let source = ExecutionContext {
            fragments: self.document.fragments(),
            declared: &operation.variable_definitions,
            variables: &self.variables,
            schema_index: &self.schema_index,
            // With other values for its conditions, the operation may have other fields.
            plans: self.document.plans().filter(|_| !self.normalized.is_conditional),
            place,
        };
        let one = async |(index, field): (usize, &Positioned<Field>)| {
            let key = field.node.response_key().node.clone();
            if field.node.name.node == "__typename" {
                return (key, self.normalized.root.as_deref().map_or(Value::Null, Value::from), Vec::new());
            }
            if let Value::Object(introspected) = &introspected
                && is_introspective(&field.node)
            {
                return (key.clone(), introspected.get(&key).cloned().unwrap_or_default(), Vec::new());
            }
            let root = validated.api.root_fields.get(operation.ty, &field.node.name.node);
            let root = root.expect("validation knows each root field");
            let (value, errors) = root.answer(source, validated.api, scope, (index, field)).await;
            (key, value, errors)
        };
        let answered = if operation.ty == OperationType::Mutation {
            let mut answered = Vec::new();
            for field in self.normalized.fields().enumerate() {
                answered.push(one(field).await);
            }
            answered
        } else {
            join_all(self.normalized.fields().enumerate().map(one)).await
        };
        let (mut data, mut errors) = (IndexMap::new(), Vec::new());
        for (key, value, failed) in answered {
            data.insert(key, value);
            errors.extend(failed);
        }
        let mut response = Response::new(Value::Object(data));
        response.errors = errors;
        response
    }
}
