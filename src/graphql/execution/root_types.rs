//! The root types with which async-graphql validates operations. Their fields only record that they were reached.

use std::{borrow::Cow, marker::PhantomData, pin::Pin};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, Response, ServerResult,
    SubscriptionType, Value,
    parser::types::{Field as Selected, OperationType},
    registry::Registry,
    resolver_utils,
};
use futures_util::{
    Stream,
    stream::{self, StreamExt as _},
};

use super::run::ValidationRun;
use crate::{
    Error,
    error::reason::Reason,
    graphql::{
        failure::server_error,
        slice::Api,
        types::{roots, slice_roots},
    },
};

/// Provides the API that the roots serve.
pub trait Modules: Send + Sync + 'static {
    /// Returns the API.
    fn api() -> &'static Api;
}

/// The query root.
#[derive(Debug)]
pub struct QueryRoot<S>(PhantomData<S>);

/// The mutation root.
#[derive(Debug)]
pub struct MutationRoot<S>(PhantomData<S>);

impl<S> Default for QueryRoot<S> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<S> Default for MutationRoot<S> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

/// The subscription root.
#[derive(Debug)]
pub struct SubscriptionRoot<S>(PhantomData<S>);

impl<S> Default for SubscriptionRoot<S> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

/// Called when async-graphql executes a root field. Only records that the field was reached; [`super::run`] executes
/// it.
fn record(ctx: &Context<'_>, api: &'static Api, operation: OperationType) -> Option<Value> {
    api.root_fields.get(operation, ctx.item.node.name.node.as_str())?;
    match ctx.data_opt::<ValidationRun>() {
        Some(run) => run.reached(api),
        None => ctx.add_error(server_error(Error::Unauthenticated(Reason::Missing))),
    }
    Some(Value::Null)
}

impl<S: Modules> ContainerType for QueryRoot<S> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        Ok(record(ctx, S::api(), OperationType::Query))
    }
}

impl<S: Modules> ContainerType for MutationRoot<S> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        Ok(record(ctx, S::api(), OperationType::Mutation))
    }
}

impl<S: Modules> OutputType for QueryRoot<S> {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed("Query")
    }

    fn create_type_info(registry: &mut Registry) -> String {
        roots::register_queries(registry, S::api());
        Self::qualified_type_name()
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Selected>) -> ServerResult<Value> {
        resolver_utils::resolve_container(ctx, self).await
    }
}

impl<S: Modules> OutputType for MutationRoot<S> {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed("Mutation")
    }

    fn create_type_info(registry: &mut Registry) -> String {
        roots::register_mutations(registry, &S::api().modules);
        Self::qualified_type_name()
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Selected>) -> ServerResult<Value> {
        resolver_utils::resolve_container_serial(ctx, self).await
    }
}

impl<S: Modules> ObjectType for QueryRoot<S> {}
impl<S: Modules> ObjectType for MutationRoot<S> {}

impl<S: Modules> SubscriptionType for SubscriptionRoot<S> {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed("Subscription")
    }

    fn create_type_info(registry: &mut Registry) -> String {
        slice_roots::register_subscriptions(registry, &S::api().subscriptions);
        Self::qualified_type_name()
    }

    fn create_field_stream<'a>(
        &'a self,
        ctx: &'a Context<'_>,
    ) -> Option<Pin<Box<dyn Stream<Item = Response> + Send + 'a>>> {
        let value = record(ctx, S::api(), OperationType::Subscription)?;
        Some(stream::iter([Response::new(value)]).boxed())
    }
}
