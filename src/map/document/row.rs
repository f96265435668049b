//! Rows of a document after parsing: checked values, and references to other rows of the document.

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

/// Maximum number of errors reported for one document.
const MAX_MISTAKES: usize = 100;

/// How to find the existing row of the organization that a row of a document stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The row with this external id; or, if the system is that of documents, the row with this id.
    Key(ExternalId),
    /// The row with the same name. An existing one is not changed.
    Name,
    /// No existing row: the row is new.
    New,
}

/// A link: the index of the target row among the rows of its noun, and the values of the link.
pub type PlacedLine = (usize, Vec<i64>);

/// A row of a document.
#[derive(Clone, Debug)]
pub struct Row {
    /// Identity of the row.
    pub identity: Identity,
    /// Path of the row in the input.
    pub path: Vec<String>,
    /// Whether the input has only a text for this row; errors of its fields then have the path of the row.
    pub is_text: bool,
    /// Values of the fields.
    pub values: Vec<(Column, Cell)>,
    /// References to other rows, by index among the rows of the target noun; `None` for null.
    pub named: Vec<(&'static Relationship, Option<usize>)>,
    /// Complete lists of links to other rows, by relation.
    pub lines: Vec<(&'static Relationship, Vec<PlacedLine>)>,
    /// External ids to set.
    pub external_ids: Vec<ExternalId>,
    /// Rank among the top five, null for none; `None` if the document does not give it.
    pub rank: Option<Cell>,
    /// Whether the row is archived; `None` if the document does not give it.
    pub is_archived: Option<bool>,
}

impl Row {
    /// Returns a row without values.
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

    /// Returns the path of a field of the row.
    pub fn at(&self, field: &str) -> Vec<String> {
        let mut path = self.path.clone();
        if !self.is_text {
            path.push(field.to_owned());
        }
        path
    }

    /// Sets a field to a value after the same checks as for any other write; adds an error to `mistakes` if one fails.
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

    /// Sets a field of the noun to a text, with the checks of [`Self::give`].
    pub fn say(&mut self, noun: &'static Noun, field: &str, text: &str, mistakes: &mut Mistakes) {
        if let Some(field) = noun.field(field) {
            self.give(field, &Value::String(text.to_owned()), mistakes);
        }
    }

    /// Sets a reference to another row.
    pub fn name(&mut self, noun: &'static Noun, relation: &str, place: Option<usize>) {
        self.named.extend(noun.relation(relation).map(|relation| (relation, place)));
    }

    /// Returns the value of a column, null if it has none.
    pub fn get(&self, column: &str) -> &Cell {
        self.values.iter().find(|(known, _)| known.name == column).map_or(&Cell::Null, |(_, cell)| cell)
    }
}

/// Errors found in a document.
#[derive(Debug, Default)]
pub struct Mistakes(Vec<UserError>);

impl Mistakes {
    /// Adds an error, unless the maximum number is reached.
    pub fn add(&mut self, code: Code, path: Vec<String>, message: impl Into<String>) {
        if self.0.len() < MAX_MISTAKES {
            self.0.push(UserError { code, message: message.into(), path });
        }
    }

    /// Returns `value`, or `Err` with the errors if there are any.
    pub fn or<T>(self, value: T) -> Result<T, Vec<UserError>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }

    /// Returns whether there are no errors.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Rows of all nouns, in the order of [`EXPORTED`].
#[derive(Debug)]
pub struct Document {
    /// Rows of each noun.
    pub rows: Vec<Vec<Row>>,
    /// Indexes of the rows identified by name, by table and folded name.
    named: HashMap<(&'static str, Option<String>), usize>,
}

impl Default for Document {
    fn default() -> Self {
        Self { rows: EXPORTED.iter().map(|_| Vec::new()).collect(), named: HashMap::new() }
    }
}

impl Document {
    /// Adds a row of a noun. Returns its index.
    pub fn add(&mut self, noun: &Noun, row: Row) -> usize {
        let rows = self.of(noun);
        rows.push(row);
        rows.len() - 1
    }

    /// Returns the index of the row with this name; adds the row if it is missing.
    pub fn named(&mut self, noun: &'static Noun, name: &str, path: Vec<String>, mistakes: &mut Mistakes) -> usize {
        let mut row = Row { is_text: true, ..Row::new(Identity::Name, path) };
        row.say(noun, "name", name, mistakes);
        let key = (noun.table, row.get("name").text().map(fold));
        if let Some(place) = self.named.get(&key) {
            return *place;
        }
        let place = self.add(noun, row);
        self.named.insert(key, place);
        place
    }

    /// Returns the rows of a noun.
    pub fn of(&mut self, noun: &Noun) -> &mut Vec<Row> {
        let place = index_of(noun).expect("rows are of nouns of the map");
        &mut self.rows[place]
    }

    /// Returns the number of rows and links.
    pub fn count(&self) -> usize {
        let lines = |row: &Row| row.lines.iter().map(|(_, lines)| lines.len()).sum::<usize>();
        self.rows.iter().flatten().map(|row| 1 + lines(row)).sum()
    }
}
