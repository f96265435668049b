//! The runner of a slice's subscriptions. It wraps a function with typed input and output in a type-erased trait.

use std::{fmt, marker::PhantomData};

use entity::Noun;
use futures_util::future::BoxFuture;

use super::{
    fields::QueryOutput,
    input::{Argument, InputFields},
    reader::Reader,
};
use crate::{
    Result,
    graphql::{mutation::input::Input as Given, slice::Resolved},
    store::Scope,
};

/// What a subscription finds after its position.
#[derive(Debug)]
pub struct Step<T> {
    /// What the subscriber is sent.
    pub event: Option<T>,
    /// The position after it, from which the next step goes on.
    pub position: String,
    /// Whether the next step need not wait for a change.
    pub has_more: bool,
}

/// A subscription with erased input and output types. It fails before it runs if the caller may not read a selected field.
pub trait RunSubscription: Send + Sync {
    /// Returns the arguments.
    fn arguments(&self) -> &'static [Argument];
    /// Returns the description of the object that is sent.
    fn answer(&self) -> &'static Noun;
    /// Looks for what follows `position`; the arguments say where the first step begins.
    fn run<'a>(
        &self,
        scope: &'a Scope,
        input: &Given<'_>,
        position: Option<String>,
    ) -> BoxFuture<'a, Result<Step<Resolved>>>;
}

impl fmt::Debug for dyn RunSubscription {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("RunSubscription")
    }
}

type SubscriptionRun<In, Out> = for<'a> fn(&'a Scope, In, Option<String>) -> BoxFuture<'a, Result<Step<Out>>>;

/// A subscription that runs a function from an input and a position to an event.
pub struct SubscriptionFn<In, Out, K> {
    run: SubscriptionRun<In, Out>,
    kind: PhantomData<fn() -> K>,
}

impl<In, Out, K> SubscriptionFn<In, Out, K> {
    /// Creates a subscription from a function.
    pub const fn new(run: SubscriptionRun<In, Out>) -> Self {
        Self { run, kind: PhantomData }
    }
}

impl<In: InputFields, Out: QueryOutput<K> + 'static, K> RunSubscription for SubscriptionFn<In, Out, K> {
    fn arguments(&self) -> &'static [Argument] {
        In::fields()
    }

    fn answer(&self) -> &'static Noun {
        Out::noun()
    }

    fn run<'a>(
        &self,
        scope: &'a Scope,
        input: &Given<'_>,
        position: Option<String>,
    ) -> BoxFuture<'a, Result<Step<Resolved>>> {
        let (run, read) = (self.run, Reader::query::<In>(input));
        Box::pin(async move {
            let Step { event, position, has_more } = run(scope, read?, position).await?;
            Ok(Step { event: event.map(QueryOutput::resolved), position, has_more })
        })
    }
}
