//! The runners of a slice's queries, computed fields and mutations. They wrap functions with typed inputs and outputs
//! in type-erased traits.

use std::{any::Any, collections::HashMap, fmt, marker::PhantomData};

use entity::{Noun, col::Scalar, id::NounId};
use futures_util::future::BoxFuture;
use sea_orm::prelude::Uuid;

use super::{
    input::{Argument, InputFields},
    kinds::{IsList, IsObject, IsOption, IsRow, IsScalar},
    output::Output,
    reader::Reader,
};
use crate::{
    Error, Result, UserError,
    graphql::{
        mutation::input::Input as Given,
        slice::{Done, Resolved, ResolvedByRow, ReturnType},
        types::schema_index::SchemaIndex,
    },
    store::{Scope, Tx, statement::cell::Cell, usage::compute::Computation},
};

/// A query with erased input and output types.
pub trait RunQuery: Send + Sync {
    /// Returns the arguments.
    fn arguments(&self) -> &'static [Argument];
    /// Returns the description of the returned object.
    fn answer(&self) -> &'static Noun;
    /// Returns whether a field that the caller may not read fails the query, instead of being null.
    fn is_whole(&self) -> bool;
    /// Runs the query.
    fn run<'a>(&self, scope: &'a Scope, input: &Given<'_>) -> BoxFuture<'a, Result<Resolved>>;
}

/// A computed field with erased input and output types.
pub trait RunComputed: Send + Sync {
    /// Returns the arguments.
    fn arguments(&self) -> &'static [Argument];
    /// Returns the return type.
    fn shows(&self) -> ReturnType;
    /// Computes the field for the rows with these ids.
    fn run<'a>(&self, scope: &'a Scope, input: &Given<'_>, ids: &'a [Uuid]) -> BoxFuture<'a, Result<ResolvedByRow>>;
}

/// A mutation's plan with its type erased, or the user errors in its input.
pub type ErasedPlan = std::result::Result<Box<dyn Any + Send + Sync>, Vec<UserError>>;

/// What a mutation plans with.
#[derive(Clone, Copy)]
pub struct Planning<'a> {
    /// The computation, which may be cancelled.
    pub computation: &'a Computation,
    /// The schema of the API.
    pub schema_index: &'a SchemaIndex,
}

/// A mutation with an erased input type.
pub trait RunMutation: Send + Sync {
    /// Returns the fields of the input.
    fn input(&self) -> &'static [Argument];
    /// Reads and checks the input, before the transaction begins.
    fn plan(&self, input: &Given<'_>, planning: Planning<'_>) -> Result<ErasedPlan>;
    /// Runs the plan in the transaction.
    fn run<'a>(&self, tx: &'a Tx, plan: &'a (dyn Any + Send + Sync)) -> BoxFuture<'a, Result<Done>>;
}

macro_rules! debug {
    ($($face:ident)*) => {$(
        impl fmt::Debug for dyn $face {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(stringify!($face))
            }
        }
    )*};
}

debug!(RunQuery RunComputed RunMutation);

/// A type that a query may return: an object, an optional object, or the id of a stored row.
pub trait QueryOutput<K> {
    /// Returns the description of the object.
    fn noun() -> &'static Noun;
    /// Converts the value to a type-erased result.
    fn resolved(self) -> Resolved;
}

impl<T: Output> QueryOutput<IsObject> for T {
    fn noun() -> &'static Noun {
        T::noun()
    }

    fn resolved(self) -> Resolved {
        Resolved::Object(self.object())
    }
}

impl<T: Output> QueryOutput<IsOption<IsObject>> for Option<T> {
    fn noun() -> &'static Noun {
        T::noun()
    }

    fn resolved(self) -> Resolved {
        self.map_or(Resolved::Nothing, QueryOutput::resolved)
    }
}

impl<T: NounId> QueryOutput<IsRow> for T {
    fn noun() -> &'static Noun {
        T::NOUN
    }

    fn resolved(self) -> Resolved {
        Resolved::Row(self.uuid())
    }
}

/// A query that runs a function from an input to an output.
pub struct QueryFn<In, Out, K> {
    run: for<'a> fn(&'a Scope, In) -> BoxFuture<'a, Result<Out>>,
    is_whole: bool,
    kind: PhantomData<fn() -> K>,
}

impl<In, Out, K> QueryFn<In, Out, K> {
    /// Creates a query from a function.
    pub const fn new(run: for<'a> fn(&'a Scope, In) -> BoxFuture<'a, Result<Out>>) -> Self {
        Self { run, is_whole: false, kind: PhantomData }
    }

    /// Returns the query as one that fails before it runs if the caller may not read a selected field.
    #[must_use]
    pub const fn whole(mut self) -> Self {
        self.is_whole = true;
        self
    }
}

impl<In: InputFields, Out: QueryOutput<K> + 'static, K> RunQuery for QueryFn<In, Out, K> {
    fn arguments(&self) -> &'static [Argument] {
        In::fields()
    }

    fn answer(&self) -> &'static Noun {
        Out::noun()
    }

    fn is_whole(&self) -> bool {
        self.is_whole
    }

    fn run<'a>(&self, scope: &'a Scope, input: &Given<'_>) -> BoxFuture<'a, Result<Resolved>> {
        let (run, read) = (self.run, Reader::query::<In>(input));
        Box::pin(async move { Ok(run(scope, read?).await?.resolved()) })
    }
}

/// A type that a computed field may return for a row.
pub trait ComputedOutput<K> {
    /// Returns the return type of the field.
    fn shows() -> ReturnType;
    /// Converts the value to type-erased results.
    fn resolved(self) -> Vec<Resolved>;
}

impl<T: Scalar> ComputedOutput<IsScalar> for T {
    fn shows() -> ReturnType {
        ReturnType::Value(T::KIND)
    }

    fn resolved(self) -> Vec<Resolved> {
        vec![Resolved::Value(Cell::of(self.into()))]
    }
}

impl<T: Scalar> ComputedOutput<IsOption<IsScalar>> for Option<T> {
    fn shows() -> ReturnType {
        ReturnType::MaybeValue(T::KIND)
    }

    fn resolved(self) -> Vec<Resolved> {
        self.into_iter().map(|value| Resolved::Value(Cell::of(value.into()))).collect()
    }
}

impl<T: Output> ComputedOutput<IsObject> for T {
    fn shows() -> ReturnType {
        ReturnType::One(T::noun())
    }

    fn resolved(self) -> Vec<Resolved> {
        vec![Resolved::Object(self.object())]
    }
}

impl<T: Output> ComputedOutput<IsOption<IsObject>> for Option<T> {
    fn shows() -> ReturnType {
        ReturnType::Maybe(T::noun())
    }

    fn resolved(self) -> Vec<Resolved> {
        self.into_iter().map(|object| Resolved::Object(object.object())).collect()
    }
}

impl<T: Output> ComputedOutput<IsList<IsObject>> for Vec<T> {
    fn shows() -> ReturnType {
        ReturnType::List(T::noun())
    }

    fn resolved(self) -> Vec<Resolved> {
        self.into_iter().map(|object| Resolved::Object(object.object())).collect()
    }
}

impl<T: NounId> ComputedOutput<IsList<IsRow>> for Vec<T> {
    fn shows() -> ReturnType {
        ReturnType::List(T::NOUN)
    }

    fn resolved(self) -> Vec<Resolved> {
        self.into_iter().map(|id| Resolved::Row(id.uuid())).collect()
    }
}

/// The results of a computed field by row id. The field is null or an empty list for rows that are not in the map.
pub type ByRow<Out> = HashMap<Uuid, Out>;

type ComputedRun<In, Out> = for<'a> fn(&'a Scope, In, &'a [Uuid]) -> BoxFuture<'a, Result<ByRow<Out>>>;

/// A computed field that runs a function from an input and row ids to an output for each row.
pub struct ComputedFn<In, Out, K> {
    run: ComputedRun<In, Out>,
    kind: PhantomData<fn() -> K>,
}

impl<In, Out, K> ComputedFn<In, Out, K> {
    /// Creates a computed field from a function.
    pub const fn new(run: ComputedRun<In, Out>) -> Self {
        Self { run, kind: PhantomData }
    }
}

impl<In: InputFields, Out: ComputedOutput<K> + 'static, K> RunComputed for ComputedFn<In, Out, K> {
    fn arguments(&self) -> &'static [Argument] {
        In::fields()
    }

    fn shows(&self) -> ReturnType {
        Out::shows()
    }

    fn run<'a>(&self, scope: &'a Scope, input: &Given<'_>, ids: &'a [Uuid]) -> BoxFuture<'a, Result<ResolvedByRow>> {
        let (run, read) = (self.run, Reader::query::<In>(input));
        Box::pin(async move {
            let found = run(scope, read?, ids).await?;
            Ok(found.into_iter().map(|(id, output)| (id, output.resolved())).collect())
        })
    }
}

/// Downcasts a type-erased plan. `Err` if it has another type.
fn planned<T: 'static>(plan: &(dyn Any + Send + Sync)) -> Result<&T> {
    plan.downcast_ref().ok_or_else(|| Error::internal("a plan is of another type"))
}

type MutationRun<Plan> = for<'a> fn(&'a Tx, &'a Plan) -> BoxFuture<'a, Result<Done>>;

/// A mutation that runs a function from an input to an outcome.
pub struct MutationFn<In> {
    run: MutationRun<In>,
}

impl<In> MutationFn<In> {
    /// Creates a mutation from a function.
    pub const fn new(run: MutationRun<In>) -> Self {
        Self { run }
    }
}

impl<In: InputFields> RunMutation for MutationFn<In> {
    fn input(&self) -> &'static [Argument] {
        In::fields()
    }

    fn plan(&self, input: &Given<'_>, planning: Planning<'_>) -> Result<ErasedPlan> {
        Ok(Reader::mutation::<In>(input, planning.computation)?.map(|input| Box::new(input) as _))
    }

    fn run<'a>(&self, tx: &'a Tx, plan: &'a (dyn Any + Send + Sync)) -> BoxFuture<'a, Result<Done>> {
        match planned(plan) {
            Ok(input) => (self.run)(tx, input),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }
}

/// A mutation's plan, or the user errors in its input.
pub type Planned<Plan> = std::result::Result<Plan, Vec<UserError>>;

/// A mutation in two steps. The first step does the work whose cost grows with the size of the input, before the
/// transaction begins, so that no other request waits for it; its loops call [`Computation::check`].
pub struct PlannedMutationFn<In, Plan> {
    plan: fn(In, Planning<'_>) -> Result<Planned<Plan>>,
    run: MutationRun<Plan>,
}

impl<In, Plan> PlannedMutationFn<In, Plan> {
    /// Creates a mutation from a function that makes a plan from the input, and a function that runs the plan.
    pub const fn new(plan: fn(In, Planning<'_>) -> Result<Planned<Plan>>, run: MutationRun<Plan>) -> Self {
        Self { plan, run }
    }
}

impl<In: InputFields, Plan: Send + Sync + 'static> RunMutation for PlannedMutationFn<In, Plan> {
    fn input(&self) -> &'static [Argument] {
        In::fields()
    }

    fn plan(&self, input: &Given<'_>, planning: Planning<'_>) -> Result<ErasedPlan> {
        Ok(match Reader::mutation::<In>(input, planning.computation)? {
            Ok(input) => (self.plan)(input, planning)?.map(|plan| Box::new(plan) as _),
            Err(mistakes) => Err(mistakes),
        })
    }

    fn run<'a>(&self, tx: &'a Tx, plan: &'a (dyn Any + Send + Sync)) -> BoxFuture<'a, Result<Done>> {
        match planned(plan) {
            Ok(plan) => (self.run)(tx, plan),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }
}
