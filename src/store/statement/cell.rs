//! One value of a row, and rows of values as a noun's description lays them out.

use entity::{
    kind::{Kind, Storage, Stored},
    noun::{Field, Link, Noun},
};
use sea_orm::{ColumnTrait, ColumnType, Value, prelude::Uuid};

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Absent.
    Null,
    /// An id.
    Id(Uuid),
    /// A text, a name of an enum, or JSON.
    Text(String),
    /// A whole number or an instant in epoch milliseconds.
    Int(i64),
    /// A number.
    Float(f64),
    /// True or false.
    Bool(bool),
}

/// What a column of the database holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// A UUID.
    Id,
    /// Text.
    Text,
    /// A 64-bit integer.
    Int,
    /// A double.
    Float,
    /// A boolean.
    Bool,
}

impl CellKind {
    /// The database's side of a described kind.
    pub const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Id | Kind::RowId { .. } => Self::Id,
            Kind::Int { .. } | Kind::Instant => Self::Int,
            Kind::Float { .. } => Self::Float,
            Kind::Bool => Self::Bool,
            Kind::Scalar(scalar) => match scalar.storage {
                Storage::Text => Self::Text,
                Storage::Int { .. } => Self::Int,
            },
            Kind::Text { .. }
            | Kind::Enum(_)
            | Kind::TimeZone
            | Kind::Tags { .. }
            | Kind::Names
            | Kind::Attributes { .. }
            | Kind::Json => Self::Text,
        }
    }

    /// What a column of a table holds, as an entity declares it.
    pub fn of_column(column: impl ColumnTrait) -> Self {
        Self::of_type(column.def().get_column_type())
    }

    /// What a column of that type holds.
    pub const fn of_type(known: &ColumnType) -> Self {
        match known {
            ColumnType::Uuid => Self::Id,
            ColumnType::Boolean => Self::Bool,
            ColumnType::Float | ColumnType::Double => Self::Float,
            ColumnType::Integer | ColumnType::BigInteger => Self::Int,
            _ => Self::Text,
        }
    }
}

impl From<Stored> for Cell {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::Text(text) => Self::Text(text),
            Stored::Int(number) => Self::Int(number),
        }
    }
}

impl Cell {
    /// The value to bind, its type known even when it is null.
    pub fn bound(&self, kind: CellKind) -> Value {
        match (self, kind) {
            (Self::Null, CellKind::Id) => Value::Uuid(None),
            (Self::Null, CellKind::Text) => Value::String(None),
            (Self::Null, CellKind::Int) => Value::BigInt(None),
            (Self::Null, CellKind::Float) => Value::Double(None),
            (Self::Null, CellKind::Bool) => Value::Bool(None),
            (Self::Id(id), _) => (*id).into(),
            (Self::Text(text), _) => text.clone().into(),
            (Self::Int(number), _) => (*number).into(),
            (Self::Float(number), _) => (*number).into(),
            (Self::Bool(value), _) => (*value).into(),
        }
    }

    /// Whether it is absent.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The id, if it is one.
    pub const fn id(&self) -> Option<Uuid> {
        if let Self::Id(id) = self { Some(*id) } else { None }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The whole number, if it is one.
    pub const fn int(&self) -> Option<i64> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    /// The number, if it is one.
    pub const fn float(&self) -> Option<f64> {
        if let Self::Float(number) = self { Some(*number) } else { None }
    }
}

/// A column of a noun's table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: CellKind,
    /// Whether it may be null.
    pub is_nullable: bool,
    /// Its GraphQL name, which events use.
    pub field: &'static str,
}

impl Column {
    /// The column behind a described field.
    pub const fn of(field: &'static Field) -> Self {
        Self { name: field.column, kind: CellKind::of(field.kind), is_nullable: field.is_nullable, field: field.name }
    }
}

/// Every column of a noun that its description names, in a fixed order.
pub fn columns(noun: &'static Noun) -> Vec<Column> {
    each_column(noun).collect()
}

fn each_column(noun: &'static Noun) -> impl Iterator<Item = Column> {
    let references = noun.relations.iter().filter_map(|relation| match relation.link {
        Link::One { column, is_nullable, .. } => {
            Some(Column { name: column, kind: CellKind::Id, is_nullable, field: relation.name })
        }
        _ => None,
    });
    noun.all_fields().map(Column::of).chain(references)
}

/// The column of that name.
pub fn column_named(noun: &'static Noun, name: &str) -> Column {
    each_column(noun).find(|column| column.name == name).expect("a column is one of its noun's")
}

/// A whole row of a noun.
#[derive(Clone, Debug)]
pub struct Record {
    /// Each column with its value.
    pub cells: Vec<(Column, Cell)>,
    /// What the columns held that a change has changed.
    pub before: Vec<(Column, Cell)>,
}

impl Record {
    /// The value of a column. Asking for a column the noun does not have answers null.
    pub fn cell(&self, column: &str) -> &Cell {
        self.cells.iter().find(|(known, _)| known.name == column).map_or(&Cell::Null, |(_, cell)| cell)
    }

    /// What a column held before a change changed it.
    pub fn was(&self, column: &str) -> Option<&Cell> {
        self.before.iter().find(|(known, _)| known.name == column).map(|(_, cell)| cell)
    }

    /// The row as it was before a change.
    #[must_use]
    pub fn unchanged(&self) -> Self {
        let was = |(column, cell): &(Column, Cell)| (*column, self.was(column.name).unwrap_or(cell).clone());
        Self { cells: self.cells.iter().map(was).collect(), before: Vec::new() }
    }

    /// The row's id.
    pub fn id(&self) -> Uuid {
        self.cell("id").id().expect("every stored row has an id")
    }

    /// The row's version.
    pub fn version(&self) -> i64 {
        self.cell("version").int().expect("every stored row has a version")
    }
}

/// Folds a text for search, alike on both databases: `SQLite`'s own `lower` knows ASCII only.
pub fn fold(text: &str) -> String {
    // A sigma is written otherwise at the end of a word, and what is searched for ends elsewhere.
    text.to_lowercase().replace('ς', "σ")
}
