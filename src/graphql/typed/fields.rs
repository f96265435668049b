//! What runs a slice's queries, computed fields and mutations: functions from structs to structs, behind one face each.

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
    },
    store::{Scope, Tx, statement::cell::Cell, usage::meter::Meter},
};

/// Runs a query.
pub trait RunQuery: Send + Sync {
    /// Its arguments.
    fn arguments(&self) -> &'static [Argument];
    /// What it answers with.
    fn answer(&self) -> &'static Noun;
    /// Answers it.
    fn run<'a>(&self, scope: &'a Scope, input: &Given<'_>) -> BoxFuture<'a, Result<Resolved>>;
}

/// Runs a computed field.
pub trait RunComputed: Send + Sync {
    /// Its arguments.
    fn arguments(&self) -> &'static [Argument];
    /// What it answers with.
    fn shows(&self) -> ReturnType;
    /// Answers it for the rows of these ids.
    fn run<'a>(&self, scope: &'a Scope, input: &Given<'_>, ids: &'a [Uuid]) -> BoxFuture<'a, Result<ResolvedByRow>>;
}

/// What a mutation is to do, as a type of its own, or what is wrong with its input.
pub type ErasedPlan = std::result::Result<Box<dyn Any + Send + Sync>, Vec<UserError>>;

/// Runs a mutation.
pub trait RunMutation: Send + Sync {
    /// The fields of its input.
    fn input(&self) -> &'static [Argument];
    /// Reads and checks the input, before the transaction begins.
    fn plan(&self, input: &Given<'_>, meter: &Meter) -> Result<ErasedPlan>;
    /// Does what was planned.
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

/// What a query may answer with: an object, one that may be absent, or a stored row.
pub trait QueryOutput<K> {
    /// Its description.
    fn noun() -> &'static Noun;
    /// The answer.
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

/// A query: a function from an input to an output.
pub struct QueryFn<In, Out, K> {
    run: for<'a> fn(&'a Scope, In) -> BoxFuture<'a, Result<Out>>,
    kind: PhantomData<fn() -> K>,
}

impl<In, Out, K> QueryFn<In, Out, K> {
    /// By a function.
    pub const fn new(run: for<'a> fn(&'a Scope, In) -> BoxFuture<'a, Result<Out>>) -> Self {
        Self { run, kind: PhantomData }
    }
}

impl<In: InputFields, Out: QueryOutput<K> + 'static, K> RunQuery for QueryFn<In, Out, K> {
    fn arguments(&self) -> &'static [Argument] {
        In::fields()
    }

    fn answer(&self) -> &'static Noun {
        Out::noun()
    }

    fn run<'a>(&self, scope: &'a Scope, input: &Given<'_>) -> BoxFuture<'a, Result<Resolved>> {
        let (run, read) = (self.run, Reader::query::<In>(input));
        Box::pin(async move { Ok(run(scope, read?).await?.resolved()) })
    }
}

/// What a computed field may show for a row.
pub trait ComputedOutput<K> {
    /// What it is.
    fn shows() -> ReturnType;
    /// What it shows.
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

/// What a computed field shows by the id of the row. A row that is left out shows null, or an empty list.
pub type ByRow<Out> = HashMap<Uuid, Out>;

type ComputedRun<In, Out> = for<'a> fn(&'a Scope, In, &'a [Uuid]) -> BoxFuture<'a, Result<ByRow<Out>>>;

/// A computed field: a function from an input and the ids of rows to an output for each.
pub struct ComputedFn<In, Out, K> {
    run: ComputedRun<In, Out>,
    kind: PhantomData<fn() -> K>,
}

impl<In, Out, K> ComputedFn<In, Out, K> {
    /// By a function.
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

/// What was planned, as the type that it was planned as.
fn planned<T: 'static>(plan: &(dyn Any + Send + Sync)) -> Result<&T> {
    plan.downcast_ref().ok_or_else(|| Error::internal("a plan is of another type"))
}

type MutationRun<Plan> = for<'a> fn(&'a Tx, &'a Plan) -> BoxFuture<'a, Result<Done>>;

/// A mutation: a function from an input to what was done.
pub struct MutationFn<In> {
    run: MutationRun<In>,
}

impl<In> MutationFn<In> {
    /// By a function.
    pub const fn new(run: MutationRun<In>) -> Self {
        Self { run }
    }
}

impl<In: InputFields> RunMutation for MutationFn<In> {
    fn input(&self) -> &'static [Argument] {
        In::fields()
    }

    fn plan(&self, input: &Given<'_>, meter: &Meter) -> Result<ErasedPlan> {
        Ok(Reader::mutation::<In>(input, meter)?.map(|input| Box::new(input) as _))
    }

    fn run<'a>(&self, tx: &'a Tx, plan: &'a (dyn Any + Send + Sync)) -> BoxFuture<'a, Result<Done>> {
        match planned(plan) {
            Ok(input) => (self.run)(tx, input),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }
}

/// What a mutation is to do, or what is wrong with its input.
pub type Planned<Plan> = std::result::Result<Plan, Vec<UserError>>;

/// A mutation in two steps. What costs the more the longer the input is, is done in the first one, before the transaction
/// begins and where nobody waits for it; loops call [`Meter::check`].
pub struct PlannedMutationFn<In, Plan> {
    plan: fn(In, &Meter) -> Result<Planned<Plan>>,
    run: MutationRun<Plan>,
}

impl<In, Plan> PlannedMutationFn<In, Plan> {
    /// By a function from an input to a plan, and one from the plan to what was done.
    pub const fn new(plan: fn(In, &Meter) -> Result<Planned<Plan>>, run: MutationRun<Plan>) -> Self {
        Self { plan, run }
    }
}

impl<In: InputFields, Plan: Send + Sync + 'static> RunMutation for PlannedMutationFn<In, Plan> {
    fn input(&self) -> &'static [Argument] {
        In::fields()
    }

    fn plan(&self, input: &Given<'_>, meter: &Meter) -> Result<ErasedPlan> {
        Ok(match Reader::mutation::<In>(input, meter)? {
            Ok(input) => (self.plan)(input, meter)?.map(|plan| Box::new(plan) as _),
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
