//! What a slice tells the kernel about its noun: rules, and fields of its own.

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
    },
};
use crate::{
    UserError,
    store::{
        statement::cell::Cell,
        writing::{draft::Outcome, write::Hooks},
    },
};

/// One noun's share of the API beyond what its description gives it.
#[derive(Debug)]
pub struct Module {
    /// The noun.
    pub noun: &'static Noun,
    /// Rules that the description cannot say.
    pub rules: Hooks,
    /// Relations through a table that say nothing besides: `<noun>Set<Relation>` sets the rows of one whole.
    pub sets: &'static [&'static str],
    /// Mutations of its own.
    pub mutations: &'static [Mutation],
    /// Fields of its object that are computed.
    pub computed: &'static [Computed],
    /// Fields of its payload that show what is told once: set by [`Tx::add_secret`](crate::store::Tx::add_secret), null in
    /// a replay.
    pub one_time_fields: &'static [OneTimeField],
    /// Lists of its payload that show what a mutation found: set by [`Tx::add_report`](crate::store::Tx::add_report),
    /// empty in a replay.
    pub reports: &'static [Report],
}

impl Module {
    /// A slice with nothing of its own.
    pub const fn new(noun: &'static Noun) -> Self {
        Self { noun, rules: Hooks::NONE, sets: &[], mutations: &[], computed: &[], one_time_fields: &[], reports: &[] }
    }
}

/// A part of a chapter: each chapter exports one list of them.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// What a noun has besides its description; each noun has one of these at most.
    Noun(&'static Module),
    /// A query.
    Query(&'static Query),
    /// A computed field of a noun, also of another chapter's.
    Computed(&'static Noun, &'static Computed),
    /// A mutation whose payload is that of a noun, also of another chapter's.
    Mutation(&'static Noun, &'static Mutation),
    /// A list of a noun's payload, also of another chapter's.
    Report(&'static Noun, &'static Report),
}

/// All of an API.
#[derive(Debug)]
pub struct Api {
    /// The slices, one for each noun, in the order of the nouns.
    pub modules: Vec<&'static Module>,
    /// The queries.
    pub queries: Vec<&'static Query>,
    /// The root fields.
    pub root_fields: RootFields,
}

impl Api {
    /// Puts chapters together. Made once: what is put together is kept for as long as the program runs.
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
            let Module { rules, sets, mutations, computed, one_time_fields, reports, .. } = first.unwrap_or(&plain);
            let (mut mutations, mut computed, mut reports) = (mutations.to_vec(), computed.to_vec(), reports.to_vec());
            for part in parts() {
                match part {
                    Part::Computed(of, more) if is_own(of) => computed.push(**more),
                    Part::Mutation(of, more) if is_own(of) => mutations.push(**more),
                    Part::Report(of, more) if is_own(of) => reports.push(**more),
                    _ => {}
                }
            }
            let (mutations, computed, reports) = (mutations.leak(), computed.leak(), reports.leak());
            let module = Module { noun, rules: *rules, sets, mutations, computed, one_time_fields, reports };
            let module: &'static Module = Box::leak(Box::new(module));
            module
        });
        let queries = parts().filter_map(|part| if let Part::Query(query) = part { Some(*query) } else { None });
        let (modules, queries): (Vec<&Module>, Vec<&Query>) = (modules.collect(), queries.collect());
        Self { root_fields: RootFields::of(&modules, &queries), modules, queries }
    }
}

/// A text of a payload that is told once.
#[derive(Clone, Copy, Debug)]
pub struct OneTimeField {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub doc: &'static str,
}

/// A list of a payload that shows what a mutation found.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// Its name.
    pub name: &'static str,
    /// What it shows.
    pub doc: &'static str,
    /// The description of its rows.
    pub noun: fn() -> &'static Noun,
}

impl Report {
    /// A list of these objects.
    pub const fn of<T: Output>(name: &'static str, doc: &'static str) -> Self {
        Self { name, doc, noun: T::noun }
    }
}

/// A query.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    /// Its field name.
    pub name: &'static str,
    /// What it answers.
    pub doc: &'static str,
    /// Scopes it needs, all of them.
    pub permissions: &'static [Permission],
    /// Answers it: a [`QueryFn`](super::typed::fields::QueryFn).
    pub run: &'static dyn RunQuery,
}

/// A field of a noun's object that is computed: asked once for all rows of a level, however many there are.
#[derive(Clone, Copy, Debug)]
pub struct Computed {
    /// Its name.
    pub name: &'static str,
    /// What it shows.
    pub doc: &'static str,
    /// Answers it: a [`ComputedFn`](super::typed::fields::ComputedFn).
    pub run: &'static dyn RunComputed,
}

/// What a computed field shows for each row.
pub type ResolvedByRow = HashMap<Uuid, Vec<Resolved>>;

/// What a computed field answers with.
#[derive(Clone, Copy, Debug)]
pub enum ReturnType {
    /// A value, never absent.
    Value(Kind),
    /// An object, never absent.
    One(&'static Noun),
    /// An object, or null.
    Maybe(&'static Noun),
    /// A list of objects, short enough to need no pages.
    List(&'static Noun),
}

/// What a query of a slice, or a computed field, found.
#[derive(Clone, Debug)]
pub enum Resolved {
    /// A value.
    Value(Cell),
    /// A stored row, to be read as asked.
    Row(Uuid),
    /// An object made on the spot.
    Object(ComputedObject),
    /// Nothing: what was asked about is not there.
    Nothing,
}

/// An object made on the spot: its columns, and the objects inside it.
#[derive(Clone, Debug, Default)]
pub struct ComputedObject {
    /// Values by column name.
    pub cells: Vec<(&'static str, Cell)>,
    /// Objects by relation name.
    pub inside: Vec<(&'static str, Vec<ComputedObject>)>,
}

/// A mutation of a slice. It runs in its own transaction; its input also takes `idempotencyKey`.
#[derive(Clone, Copy, Debug)]
pub struct Mutation {
    /// Its field name.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// Scopes it needs, all of them.
    pub permissions: &'static [Permission],
    /// Does it: a [`MutationFn`](super::typed::fields::MutationFn), or a
    /// [`PlannedMutationFn`](super::typed::fields::PlannedMutationFn).
    pub run: &'static dyn RunMutation,
}

/// What a mutation of a slice did to its one row.
pub type Done = std::result::Result<(Uuid, Outcome), Vec<UserError>>;

/// What the name of a relation's input field ends in.
pub const REFERENCE: &str = "Ref";

/// The GraphQL name of what a relation's input field is called.
pub fn reference_field(relation: &Relationship) -> String {
    format!("{}{REFERENCE}", relation.name)
}
