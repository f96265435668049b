//! What a slice tells the kernel about its noun: rules, and fields of its own.

use std::{any::Any, collections::HashMap};

use entity::{
    Noun, Permission,
    noun::{EnumType, Kind, Relationship},
};
use futures_util::future::BoxFuture;
use sea_orm::prelude::Uuid;

use super::mutation::input::Input;
use crate::{
    Error, Result, UserError,
    store::{
        Scope, Tx,
        statement::cell::Cell,
        usage::meter::Meter,
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
    /// Queries of its own.
    pub queries: &'static [Query],
    /// Relations through a table that say nothing besides: `<noun>Set<Relation>` sets the rows of one whole.
    pub sets: &'static [&'static str],
    /// Mutations of its own.
    pub mutations: &'static [Mutation],
    /// Fields of its object that are computed.
    pub computed: &'static [Computed],
    /// Such fields that another chapter brings, joined in `schema`.
    pub joined: &'static [Computed],
    /// Input objects its fields take.
    pub inputs: &'static [InputObject],
    /// Objects its queries answer with that have no table.
    pub objects: &'static [&'static Noun],
    /// Enums its arguments take.
    pub enums: &'static [&'static EnumType],
    /// Fields of its payload that show what is told once: set by [`Tx::add_secret`], null in a replay.
    pub one_time_fields: &'static [Argument],
    /// Lists of its payload that show what a mutation found: set by [`Tx::add_report`], empty in a replay.
    pub reports: &'static [Relationship],
}

impl Module {
    /// A slice with nothing of its own.
    pub const fn new(noun: &'static Noun) -> Self {
        Self {
            noun,
            rules: Hooks::NONE,
            queries: &[],
            sets: &[],
            mutations: &[],
            computed: &[],
            joined: &[],
            inputs: &[],
            objects: &[],
            enums: &[],
            one_time_fields: &[],
            reports: &[],
        }
    }

    /// Every field of its object that is computed.
    pub fn all_computed(&self) -> impl Iterator<Item = &'static Computed> + use<> {
        self.computed.iter().chain(self.joined)
    }
}

/// An argument, a field of an input object, or a field of a payload.
#[derive(Debug)]
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// Its GraphQL type.
    pub ty: &'static str,
    /// Its default, a GraphQL literal.
    pub default: Option<&'static str>,
    /// What it means.
    pub doc: &'static str,
}

/// An input object of a slice.
#[derive(Debug)]
pub struct InputObject {
    /// Its type name.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// Its fields.
    pub fields: &'static [Argument],
}

/// A query of a slice.
#[derive(Debug)]
pub struct Query {
    /// Its field name.
    pub name: &'static str,
    /// What it answers.
    pub doc: &'static str,
    /// Its arguments.
    pub arguments: &'static [Argument],
    /// What it answers with.
    pub answer: &'static Noun,
    /// Scopes it needs, all of them.
    pub permissions: &'static [Permission],
    /// Answers it.
    pub run: for<'a> fn(&'a Scope, &'a Input) -> BoxFuture<'a, Result<Resolved>>,
}

/// A field of a noun's object that is computed: asked once for all rows of a level, however many there are.
#[derive(Debug)]
pub struct Computed {
    /// Its name.
    pub name: &'static str,
    /// What it shows.
    pub doc: &'static str,
    /// Its arguments.
    pub arguments: &'static [Argument],
    /// What it answers with.
    pub shows: ReturnType,
    /// Answers it for the rows of these ids. A row left out has none: null, or an empty list.
    pub run: for<'a> fn(&'a Scope, &'a Input, &'a [Uuid]) -> BoxFuture<'a, Result<ResolvedByRow>>,
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
#[derive(Debug)]
pub struct Mutation {
    /// Its field name.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// Scopes it needs, all of them.
    pub permissions: &'static [Permission],
    /// Fields of its input.
    pub input: &'static [Argument],
    /// Does it.
    pub run: Run,
}

/// How a mutation of a slice is done.
#[derive(Clone, Copy, Debug)]
pub enum Run {
    /// By its input, which costs little to read.
    Direct(for<'a> fn(&'a Tx, &'a Input) -> BoxFuture<'a, Result<Done>>),
    /// In two steps. What costs the more the longer the input is, is done in the first one.
    Planned {
        /// Reads and checks the input, before the transaction begins and where nobody waits for it. Loops call
        /// [`Meter::check`].
        plan: fn(&Input, &Meter) -> Result<Planned>,
        /// Does what was planned: see [`planned`].
        run: for<'a> fn(&'a Tx, &'a (dyn Any + Send + Sync)) -> BoxFuture<'a, Result<Done>>,
    },
}

/// What a mutation is to do, or what is wrong with its input.
pub type Planned = std::result::Result<Box<dyn Any + Send + Sync>, Vec<UserError>>;

/// What was planned, as the type that it was planned as.
pub fn planned<T: 'static>(plan: &(dyn Any + Send + Sync)) -> Result<&T> {
    plan.downcast_ref().ok_or_else(|| Error::internal("a plan is of another type"))
}

/// What a mutation of a slice did to its one row.
pub type Done = std::result::Result<(Uuid, Outcome), Vec<UserError>>;

/// What the name of a relation's input field ends in.
pub const REFERENCE: &str = "Ref";

/// The GraphQL name of what a relation's input field is called.
pub fn reference_field(relation: &Relationship) -> String {
    format!("{}{REFERENCE}", relation.name)
}
