//! Rows of a document, as they are wanted: values that were checked, and what they name among the others.

use std::collections::HashMap;

use async_graphql::Value;
use entity::noun::{Field, Noun, Relationship};

use super::{EXPORTED, index_of};
use crate::{
    Error, Result, UserError,
    error::Code,
    graphql::values::accept,
    store::{
        ExternalId,
        statement::cell::{Cell, Column, fold},
    },
};

/// Most mistakes that are told of one document.
const MAX_MISTAKES: usize = 100;

/// What says which row of the organization a row of a document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The one that carries this external id; or, of the system of documents, the one whose id it is.
    Key(ExternalId),
    /// The one of the same name. It stays as it is.
    Name,
    /// None: it is new.
    New,
}

/// A line to a row by its place among those of its noun, and its values.
pub type PlacedLine = (usize, Vec<i64>);

/// A row of a document.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which row it is.
    pub identity: Identity,
    /// Where it stands in the input.
    pub path: Vec<String>,
    /// Whether all there is of it in the input is a text: mistakes are told at the row.
    pub is_text: bool,
    /// Values of its fields.
    pub values: Vec<(Column, Cell)>,
    /// Rows it names, by their place among those of their noun.
    pub named: Vec<(&'static Relationship, Option<usize>)>,
    /// Lines to other rows, each with its values; all there are.
    pub lines: Vec<(&'static Relationship, Vec<PlacedLine>)>,
    /// External ids to carry.
    pub external_ids: Vec<ExternalId>,
    /// The place among the top five, null outside, if something is said of it.
    pub rank: Option<Cell>,
    /// Whether it is in the archive, if something is said of it.
    pub is_archived: Option<bool>,
}

impl Row {
    /// A row of which nothing is known yet.
    pub const fn new(identity: Identity, path: Vec<String>) -> Self {
        Self {
            identity,
            path,
            is_text: false,
            values: Vec::new(),
            named: Vec::new(),
            lines: Vec::new(),
            external_ids: Vec::new(),
            rank: None,
            is_archived: None,
        }
    }

    /// The path of a field of it.
    pub fn at(&self, field: &str) -> Vec<String> {
        let mut path = self.path.clone();
        if !self.is_text {
            path.push(field.to_owned());
        }
        path
    }

    /// Gives a field a value, by the same checks as any other write.
    pub fn give(&mut self, field: &'static Field, value: &Value, mistakes: &mut Mistakes) {
        let cell = match accept(field, value) {
            Ok(Ok(cell)) => cell,
            Ok(Err(error)) => return mistakes.add(error.code, self.at(field.name), error.message),
            Err(Error::BadInput(message)) => return mistakes.add(Code::Invalid, self.at(field.name), message),
            Err(_) => {
                return mistakes.add(Code::Invalid, self.at(field.name), "the value does not fit the field");
            }
        };
        self.values.push((Column::of(field), cell));
    }

    /// Gives a field of the noun a text.
    pub fn say(&mut self, noun: &'static Noun, field: &str, text: &str, mistakes: &mut Mistakes) {
        if let Some(field) = noun.field(field) {
            self.give(field, &Value::String(text.to_owned()), mistakes);
        }
    }

    /// Names a row.
    pub fn name(&mut self, noun: &'static Noun, relation: &str, place: Option<usize>) {
        self.named.extend(noun.relation(relation).map(|relation| (relation, place)));
    }

    /// The value of a column.
    pub fn get(&self, column: &str) -> &Cell {
        self.values.iter().find(|(known, _)| known.name == column).map_or(&Cell::Null, |(_, cell)| cell)
    }
}

/// What is wrong with a document.
#[derive(Debug, Default)]
pub struct Mistakes(Vec<UserError>);

impl Mistakes {
    /// Notes one; those past the most are left out.
    pub fn add(&mut self, code: Code, path: Vec<String>, message: impl Into<String>) {
        if self.0.len() < MAX_MISTAKES {
            self.0.push(UserError { code, message: message.into(), path });
        }
    }

    /// The value, if there are none.
    pub fn or<T>(self, value: T) -> Result<T, Vec<UserError>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Rows of every noun, in the order of the pieces.
#[derive(Debug)]
pub struct Document {
    /// The rows of each noun.
    pub rows: Vec<Vec<Row>>,
    /// Places of those that are told by their names, by the table and the folded name.
    named: HashMap<(&'static str, Option<String>), usize>,
}

impl Default for Document {
    fn default() -> Self {
        Self { rows: EXPORTED.iter().map(|_| Vec::new()).collect(), named: HashMap::new() }
    }
}

impl Document {
    /// Adds a row of a noun, and answers its place.
    pub fn add(&mut self, noun: &Noun, row: Row) -> usize {
        let rows = self.of(noun);
        rows.push(row);
        rows.len() - 1
    }

    /// The place of the row of that name, which is added if it is not there.
    pub fn named(&mut self, noun: &'static Noun, name: &str, path: Vec<String>, mistakes: &mut Mistakes) -> usize {
        let mut row = Row { is_text: true, ..Row::new(Identity::Name, path) };
        row.say(noun, "name", name, mistakes);
        let told = (noun.table, row.get("name").text().map(fold));
        if let Some(place) = self.named.get(&told) {
            return *place;
        }
        let place = self.add(noun, row);
        self.named.insert(told, place);
        place
    }

    /// The rows of a noun.
    pub fn of(&mut self, noun: &Noun) -> &mut Vec<Row> {
        let place = index_of(noun).expect("rows are of nouns of the map");
        &mut self.rows[place]
    }

    /// How many rows and lines there are.
    pub fn count(&self) -> usize {
        let lines = |row: &Row| row.lines.iter().map(|(_, lines)| lines.len()).sum::<usize>();
        self.rows.iter().flatten().map(|row| 1 + lines(row)).sum()
    }
}
