//! What a slice tells the kernel about its noun: rules, and fields of its own.

use entity::{
    Noun, Permission,
    noun::{EnumType, Relationship},
};
use futures_util::future::BoxFuture;
use sea_orm::prelude::Uuid;

use super::input::Input;
use crate::{
    Result, UserError,
    store::{Scope, Tx, cell::Cell, draft::Outcome, write::Rules},
};

/// One noun's share of the API beyond what its description gives it.
#[derive(Debug)]
pub struct Slice {
    /// The noun.
    pub noun: &'static Noun,
    /// Rules that the description cannot say.
    pub rules: Rules,
    /// Queries of its own.
    pub queries: &'static [Query],
    /// Mutations of its own.
    pub mutations: &'static [Mutation],
    /// Input objects its fields take.
    pub inputs: &'static [InputObject],
    /// Objects its queries answer with that have no table.
    pub objects: &'static [&'static Noun],
    /// Enums its arguments take.
    pub enums: &'static [&'static EnumType],
    /// Fields of its payload that show what is told once: set by [`Tx::tell`], null in a replay.
    pub told_once: &'static [Argument],
}

impl Slice {
    /// A slice with nothing of its own.
    pub const fn new(noun: &'static Noun) -> Self {
        Self {
            noun,
            rules: Rules::NONE,
            queries: &[],
            mutations: &[],
            inputs: &[],
            objects: &[],
            enums: &[],
            told_once: &[],
        }
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
    pub run: for<'a> fn(&'a Scope, &'a Input) -> BoxFuture<'a, Result<Answer>>,
}

/// What a query of a slice found.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A stored row, to be read as asked.
    Row(Uuid),
    /// An object made on the spot.
    Object(Made),
}

/// An object made on the spot: its columns, and the objects inside it.
#[derive(Clone, Debug, Default)]
pub struct Made {
    /// Values by column name.
    pub cells: Vec<(&'static str, Cell)>,
    /// Objects by relation name.
    pub inside: Vec<(&'static str, Vec<Made>)>,
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
    pub run: for<'a> fn(&'a Tx, &'a Input) -> BoxFuture<'a, Result<Done>>,
}

/// What a mutation of a slice did to its one row.
pub type Done = std::result::Result<(Uuid, Outcome), Vec<UserError>>;

/// The GraphQL name of what a relation's input field is called.
pub fn reference_field(relation: &Relationship) -> String {
    format!("{}Ref", relation.name)
}
