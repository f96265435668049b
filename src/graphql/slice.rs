//! The types with which a slice declares the rules and additional API fields of its noun.

use std::collections::HashMap;

use entity::{
    NOUNS, Noun, Permission,
    noun::{Kind, Relationship},
};
use sea_orm::prelude::Uuid;

use super::{
    execution::root::RootFields,
    typed::{
        fields::{RunComputed, RunMutation, RunQuery},
        output::Output,
        subscription::RunSubscription,
    },
};
use crate::{
    Error, Result, UserError,
    store::{
        operation::jobs,
        statement::cell::Cell,
        writing::{draft::Outcome, write::Hooks},
    },
};

/// The part of the API of one noun that is not derived from the noun's description.
#[derive(Debug)]
pub struct Module {
    /// The noun.
    pub noun: &'static Noun,
    /// Rules that the description cannot express.
    pub rules: Hooks,
    /// Additional mutations.
    pub mutations: &'static [Mutation],
    /// Computed fields of the noun's object type.
    pub computed: &'static [Computed],
    /// Payload fields with values that are returned only once: set by [`Tx::add_secret`](crate::store::Tx::add_secret),
    /// null in a replay.
    pub one_time_fields: &'static [OneTimeField],
    /// Payload lists with results of a mutation: set by [`Tx::add_report`](crate::store::Tx::add_report), empty in a
    /// replay.
    pub reports: &'static [Report],
}

impl Module {
    /// Returns a module without rules or additional fields.
    pub const fn new(noun: &'static Noun) -> Self {
        Self { noun, rules: Hooks::NONE, mutations: &[], computed: &[], one_time_fields: &[], reports: &[] }
    }
}

/// An element of a chapter. Each chapter exports one list of parts.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// The module of a noun; at most one per noun.
    Noun(&'static Module),
    /// A query.
    Query(&'static Query),
    /// A subscription.
    Subscription(&'static Subscription),
    /// A computed field of a noun, which may belong to another chapter.
    Computed(&'static Noun, &'static Computed),
    /// A mutation that returns the payload of a noun, which may belong to another chapter.
    Mutation(&'static Noun, &'static Mutation),
    /// A list in the payload of a noun, which may belong to another chapter.
    Report(&'static Noun, &'static Report),
    /// Rules of a noun of an earlier chapter: what is checked before its rows are written, and the effects afterwards.
    Rules(&'static Noun, &'static Hooks),
    /// A kind of job.
    Job(&'static jobs::Kind),
}

/// A complete API.
#[derive(Debug)]
pub struct Api {
    /// The modules, one per noun, in the order of [`NOUNS`].
    pub modules: Vec<&'static Module>,
    /// The queries.
    pub queries: Vec<&'static Query>,
    /// The subscriptions.
    pub subscriptions: Vec<&'static Subscription>,
    /// The kinds of jobs.
    pub jobs: Vec<&'static jobs::Kind>,
    /// The root fields.
    pub root_fields: RootFields,
}

impl Api {
    /// Returns the module of a noun.
    pub fn module(&self, noun: &Noun) -> Result<&'static Module> {
        let module = self.modules.iter().find(|module| module.noun.table == noun.table);
        module.copied().ok_or_else(|| Error::internal(format!("{} has no module", noun.name)))
    }

    /// Combines the parts of all chapters. Call this once: the combined modules are leaked and stay in memory until the
    /// program exits.
    ///
    /// # Panics
    ///
    /// If two parts are the module of the same noun.
    pub fn of(chapters: &[&'static [Part]]) -> Self {
        let parts = || chapters.iter().copied().flatten();
        let modules = NOUNS.into_iter().map(|noun| {
            let is_own = |known: &Noun| known.table == noun.table;
            let mut own = parts().filter_map(|part| match part {
                Part::Noun(module) if is_own(module.noun) => Some(*module),
                _ => None,
            });
            let (first, second) = (own.next(), own.next());
            assert!(second.is_none(), "{} has its rules in two places", noun.name);
            let plain = Module::new(noun);
            let Module { rules, mutations, computed, one_time_fields, reports, .. } = first.unwrap_or(&plain);
            let (mut mutations, mut computed, mut reports) = (mutations.to_vec(), computed.to_vec(), reports.to_vec());
            let mut later = Vec::new();
            for part in parts() {
                match part {
                    Part::Computed(of, more) if is_own(of) => computed.push(**more),
                    Part::Mutation(of, more) if is_own(of) => mutations.push(**more),
                    Part::Report(of, more) if is_own(of) => reports.push(**more),
                    Part::Rules(of, more) if is_own(of) => later.push(**more),
                    _ => {}
                }
            }
            let (mutations, computed, reports) = (mutations.leak(), computed.leak(), reports.leak());
            let rules = Hooks { later: later.leak(), ..*rules };
            let module = Module { noun, rules, mutations, computed, one_time_fields, reports };
            let module: &'static Module = Box::leak(Box::new(module));
            module
        });
        let queries = parts().filter_map(|part| if let Part::Query(query) = part { Some(*query) } else { None });
        let jobs = parts().filter_map(|part| if let Part::Job(kind) = part { Some(*kind) } else { None });
        let subscriptions =
            parts().filter_map(|part| if let Part::Subscription(known) = part { Some(*known) } else { None });
        let (modules, queries): (Vec<&Module>, Vec<&Query>) = (modules.collect(), queries.collect());
        let subscriptions: Vec<&Subscription> = subscriptions.collect();
        let root_fields = RootFields::of(&modules, &queries, &subscriptions);
        Self { root_fields, modules, queries, subscriptions, jobs: jobs.collect() }
    }
}

/// A text field of a payload that is returned only once.
#[derive(Clone, Copy, Debug)]
pub struct OneTimeField {
    /// The field name.
    pub name: &'static str,
    /// The GraphQL description.
    pub doc: &'static str,
}

/// A list in a payload with results of a mutation.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// The field name.
    pub name: &'static str,
    /// The GraphQL description.
    pub doc: &'static str,
    /// Returns the description of the listed objects.
    pub noun: fn() -> &'static Noun,
}

impl Report {
    /// Returns a report that lists objects of type `T`.
    pub const fn of<T: Output>(name: &'static str, doc: &'static str) -> Self {
        Self { name, doc, noun: T::noun }
    }
}

/// A query of a slice.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    /// The field name.
    pub name: &'static str,
    /// The GraphQL description.
    pub doc: &'static str,
    /// The required scopes; the caller needs all of them.
    pub permissions: &'static [Permission],
    /// The implementation: a [`QueryFn`](super::typed::fields::QueryFn).
    pub run: &'static dyn RunQuery,
}

/// A subscription of a slice.
#[derive(Clone, Copy, Debug)]
pub struct Subscription {
    /// The field name.
    pub name: &'static str,
    /// The GraphQL description.
    pub doc: &'static str,
    /// The required scopes; the caller needs all of them.
    pub permissions: &'static [Permission],
    /// The implementation: a [`SubscriptionFn`](super::typed::subscription::SubscriptionFn).
    pub run: &'static dyn RunSubscription,
}

/// A computed field of a noun's object type. It is evaluated once for all rows of a level of the query.
#[derive(Clone, Copy, Debug)]
pub struct Computed {
    /// The field name.
    pub name: &'static str,
    /// The GraphQL description.
    pub doc: &'static str,
    /// The implementation: a [`ComputedFn`](super::typed::fields::ComputedFn).
    pub run: &'static dyn RunComputed,
}

/// The results of a computed field by row id.
pub type ResolvedByRow = HashMap<Uuid, Vec<Resolved>>;

/// The return type of a computed field.
#[derive(Clone, Copy, Debug)]
pub enum ReturnType {
    /// A non-null value.
    Value(Kind),
    /// A nullable value.
    MaybeValue(Kind),
    /// A non-null object.
    One(&'static Noun),
    /// A nullable object.
    Maybe(&'static Noun),
    /// A list of objects without pagination.
    List(&'static Noun),
}

/// A result of a slice's query or of a computed field.
#[derive(Clone, Debug)]
pub enum Resolved {
    /// A value.
    Value(Cell),
    /// The id of a stored row; its selected fields are read afterwards.
    Row(Uuid),
    /// An object that is built by the query or field itself.
    Object(ComputedObject),
    /// No result: the requested row or value does not exist.
    Nothing,
}

/// An object built by a query or computed field: its column values and the objects nested in it.
#[derive(Clone, Debug, Default)]
pub struct ComputedObject {
    /// Values by column name.
    pub cells: Vec<(&'static str, Cell)>,
    /// Nested objects by relation name.
    pub inside: Vec<(&'static str, Vec<ComputedObject>)>,
}

/// A mutation of a slice. It runs in one transaction of its own; its input also accepts `idempotencyKey`.
#[derive(Clone, Copy, Debug)]
pub struct Mutation {
    /// The field name.
    pub name: &'static str,
    /// The GraphQL description.
    pub doc: &'static str,
    /// The required scopes; the caller needs all of them.
    pub permissions: &'static [Permission],
    /// The implementation: a [`MutationFn`](super::typed::fields::MutationFn) or a
    /// [`PlannedMutationFn`](super::typed::fields::PlannedMutationFn).
    pub run: &'static dyn RunMutation,
}

/// The result of a slice's mutation: the id and outcome of its row, or the user errors.
pub type Done = std::result::Result<(Uuid, Outcome), Vec<UserError>>;

/// The suffix of the name of a relation's input field.
pub const REFERENCE: &str = "Ref";

/// Returns the GraphQL name of a relation's input field.
pub fn reference_field(relation: &Relationship) -> String {
    format!("{}{REFERENCE}", relation.name)
}
