//! Values of rows, and rows laid out as the description of their noun says.

use entity::{
    kind::{Kind, Storage, Stored},
    noun::{Field, Link, Noun},
};
use sea_orm::{ColumnTrait, ColumnType, Value, prelude::Uuid};

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Null.
    Null,
    /// An id.
    Id(Uuid),
    /// A text, the name of an enum value, or JSON.
    Text(String),
    /// An integer, or an instant in epoch milliseconds.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A boolean.
    Bool(bool),
}

/// Type of a database column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// A UUID.
    Id,
    /// Text.
    Text,
    /// A 64-bit integer.
    Int,
    /// A double-precision number.
    Float,
    /// A boolean.
    Bool,
}

impl CellKind {
    /// Returns the column type for the kind of a field.
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
            | Kind::Json
            | Kind::Filter(_) => Self::Text,
        }
    }

    /// Returns the type of a column as declared by its entity.
    pub fn of_column(column: impl ColumnTrait) -> Self {
        Self::of_type(column.def().get_column_type())
    }

    /// Returns the cell kind of a column type of `SeaORM`.
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
    /// Returns the value to bind; it has a type even if it is null.
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

    /// Returns whether the cell is null.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns the id; `None` if the cell is of another kind.
    pub const fn id(&self) -> Option<Uuid> {
        if let Self::Id(id) = self { Some(*id) } else { None }
    }

    /// Returns the text; `None` if the cell is of another kind.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Returns the integer; `None` if the cell is of another kind.
    pub const fn int(&self) -> Option<i64> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    /// Returns the floating-point number; `None` if the cell is of another kind.
    pub const fn float(&self) -> Option<f64> {
        if let Self::Float(number) = self { Some(*number) } else { None }
    }
}

/// A column of a noun's table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Name of the column.
    pub name: &'static str,
    /// Type of the column.
    pub kind: CellKind,
    /// Whether the column may be null.
    pub is_nullable: bool,
    /// GraphQL name of the field, which events contain.
    pub field: &'static str,
}

impl Column {
    /// Returns the column of a field.
    pub const fn of(field: &'static Field) -> Self {
        let shown = if let Some(amount) = field.currency_of { amount } else { field.name };
        Self { name: field.column, kind: CellKind::of(field.kind), is_nullable: field.is_nullable, field: shown }
    }
}

/// Returns every column in the description of a noun, in a fixed order.
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

/// Returns the column named `name`. Panics if the noun has no such column.
pub fn column_named(noun: &'static Noun, name: &str) -> Column {
    each_column(noun).find(|column| column.name == name).expect("a column is one of its noun's")
}

/// A complete row of a noun.
#[derive(Clone, Debug)]
pub struct Record {
    /// All columns with their values.
    pub cells: Vec<(Column, Cell)>,
    /// Previous values of the changed columns.
    pub before: Vec<(Column, Cell)>,
}

impl Record {
    /// Returns the value of a column; null if the noun has no such column.
    pub fn cell(&self, column: &str) -> &Cell {
        self.cells.iter().find(|(known, _)| known.name == column).map_or(&Cell::Null, |(_, cell)| cell)
    }

    /// Returns the previous value of a column that was changed.
    pub fn was(&self, column: &str) -> Option<&Cell> {
        self.before.iter().find(|(known, _)| known.name == column).map(|(_, cell)| cell)
    }

    /// Returns the row as it was before the changes.
    #[must_use]
    pub fn unchanged(&self) -> Self {
        let was = |(column, cell): &(Column, Cell)| (*column, self.was(column.name).unwrap_or(cell).clone());
        Self { cells: self.cells.iter().map(was).collect(), before: Vec::new() }
    }

    /// Returns the id of the row.
    pub fn id(&self) -> Uuid {
        self.cell("id").id().expect("every stored row has an id")
    }

    /// Returns the version of the row.
    pub fn version(&self) -> i64 {
        self.cell("version").int().expect("every stored row has a version")
    }
}

/// Folds the case of a text for search, identically on both databases: `lower` of `SQLite` supports only ASCII.
pub fn fold(text: &str) -> String {
    // Lowercase sigma has another form at the end of a word, but a search term may end within a word.
    text.to_lowercase().replace('ς', "σ")
}
