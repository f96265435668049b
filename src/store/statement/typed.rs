//! Rows read and set by typed columns: neither a misspelt column nor a value of another type compiles.

use std::collections::HashSet;

use entity::{Col, Noun, col::ColumnType};
use sea_orm::{Statement, Value, prelude::Uuid, sea_query::ValueType};

use super::cell::{Cell, CellKind, Column, Record, column_named};
use crate::{
    Result,
    store::{Connection, Scope, writing::draft::Draft},
};

impl Cell {
    /// The value of a column of that type; `None` if it is absent.
    pub fn value<T: ColumnType>(&self) -> Option<T::Value> {
        if self.is_null() {
            return None;
        }
        // Only of an absent value does the kind say anything.
        <T::Value as ValueType>::try_from(self.bound(CellKind::Text)).ok()
    }

    /// A value as a cell.
    pub fn of(value: Value) -> Self {
        match value {
            Value::Uuid(Some(id)) => Self::Id(id),
            Value::String(Some(text)) => Self::Text(text),
            Value::BigInt(Some(number)) => Self::Int(number),
            Value::Double(Some(number)) => Self::Float(number),
            Value::Bool(Some(value)) => Self::Bool(value),
            _ => Self::Null,
        }
    }
}

impl<T> From<Col<T>> for Column {
    fn from(typed: Col<T>) -> Self {
        column_named(typed.noun(), typed.name())
    }
}

/// A column with the value it gets.
pub fn assign<T: ColumnType>(column: Col<T>, value: impl Into<T>) -> (Column, Cell) {
    (column.into(), Cell::of(value.into().into()))
}

impl Record {
    /// What a column holds; `None` if it is absent.
    pub fn get<T: ColumnType>(&self, column: Col<T>) -> Option<T::Value> {
        self.cell(column.name()).value::<T>()
    }
}

impl Draft {
    /// What a column will hold; `None` if it will be absent.
    pub fn get<T: ColumnType>(&self, column: Col<T>) -> Option<T::Value> {
        debug_assert_eq!(self.noun.table, column.noun().table, "{column:?} is a column of another noun");
        self.cell(column.name()).value::<T>()
    }

    /// Gives a column a value, whatever the caller said.
    pub fn set<T: ColumnType>(&mut self, column: Col<T>, value: impl Into<T>) {
        debug_assert_eq!(self.noun.table, column.noun().table, "{column:?} is a column of another noun");
        let (column, cell) = assign(column, value);
        self.set_cell(column.name, cell);
    }

    /// Whether the caller or a rule gave a value for the column.
    pub fn gives<T>(&self, column: Col<T>) -> bool {
        self.gives_cell(column.name())
    }
}

/// Columns of one noun that are read together.
pub trait Columns: Copy {
    /// What they hold in one row.
    type Row;
    /// The noun.
    fn noun(&self) -> &'static Noun;
    /// The columns.
    fn columns(&self) -> Vec<Column>;
    /// Reads a row of them.
    fn row(&self, cells: &[Cell]) -> Option<Self::Row>;
}

macro_rules! columns {
    ($first:ident $($more:ident)*) => {
        impl<$first: ColumnType, $($more: ColumnType),*> Columns for (Col<$first>, $(Col<$more>,)*) {
            type Row = ($first, $($more,)*);
            fn noun(&self) -> &'static Noun {
                self.0.noun()
            }
            #[expect(non_snake_case, reason = "a name for each type parameter")]
            fn columns(&self) -> Vec<Column> {
                let ($first, $($more,)*) = *self;
                vec![$first.into(), $($more.into(),)*]
            }
            fn row(&self, cells: &[Cell]) -> Option<Self::Row> {
                let mut cells = cells.iter();
                Some(($first::from_value(cells.next()?.value::<$first>())?, $($more::from_value(cells.next()?.value::<$more>())?,)*))
            }
        }
    };
}

columns!(A);
columns!(A B);
columns!(A B C);
columns!(A B C D);
columns!(A B C D E);
columns!(A B C D E F);

/// The values of a row of a statement that is written by hand: a tuple, an `Option` where a value may be absent.
pub trait Tuple: Sized {
    /// What the columns hold.
    fn kinds() -> Vec<CellKind>;
    /// Reads a row.
    fn of(cells: &[Cell]) -> Option<Self>;
}

macro_rules! tuples {
    ($($value:ident)*) => {
        impl<$($value: ColumnType),*> Tuple for ($($value,)*) {
            fn kinds() -> Vec<CellKind> {
                vec![$(CellKind::of_type(&<$value::Value as ValueType>::column_type()),)*]
            }
            fn of(cells: &[Cell]) -> Option<Self> {
                let mut cells = cells.iter();
                Some(($($value::from_value(cells.next()?.value::<$value>())?,)*))
            }
        }
    };
}

tuples!(A B);
tuples!(A B C D E);

impl<C: Connection> Scope<C> {
    /// Reads rows whose first column is the tenant, the others a tuple, with a statement that changes and locks nothing.
    pub(crate) async fn read_tuples<T: Tuple>(&self, statement: Statement) -> Result<Vec<T>> {
        let rows = self.read_rows(statement, &T::kinds()).await?;
        Ok(rows.iter().filter_map(|row| T::of(row)).collect())
    }

    // Few columns of many rows, which models would read with all their texts: the statement is the store's.

    /// Columns of every row of a noun, archived ones too, by id. At most one more than `most`.
    pub async fn select_all<S: Columns>(&self, columns: S, most: usize) -> Result<Vec<S::Row>> {
        let rows = self.read_every(columns.noun(), &columns.columns(), most).await?;
        Ok(rows.iter().filter_map(|row| columns.row(row)).collect())
    }

    /// Columns of the rows of a noun whose `column` is one of `ids`, by id. At most one more than `most`.
    pub async fn select<S: Columns, T>(
        &self,
        columns: S,
        column: Col<T>,
        ids: &[Uuid],
        most: usize,
    ) -> Result<Vec<S::Row>> {
        let rows = self.read(columns.noun(), &columns.columns(), column.name(), ids, most).await?;
        Ok(rows.iter().filter_map(|row| columns.row(row)).collect())
    }

    /// Those of these ids that are ids of rows of the noun.
    pub async fn known_ids(&self, noun: &'static Noun, ids: &[Uuid]) -> Result<HashSet<Uuid>> {
        let rows = self.by_ids(noun, &[column_named(noun, "id")], ids).await?;
        Ok(rows.iter().flatten().filter_map(Cell::id).collect())
    }

    /// Columns of the rows of these ids, in no order; unknown and foreign ids are left out alike.
    pub async fn select_by_ids<S: Columns>(&self, columns: S, ids: &[Uuid]) -> Result<Vec<S::Row>> {
        self.may_read(columns.noun())?;
        self.select_by_ids_unchecked(columns, ids).await
    }

    /// Like [`Scope::select_by_ids`], for rules the server applies whoever calls.
    pub async fn select_by_ids_unchecked<S: Columns>(&self, columns: S, ids: &[Uuid]) -> Result<Vec<S::Row>> {
        let rows = self.by_ids_unchecked(columns.noun(), &columns.columns(), ids).await?;
        Ok(rows.iter().filter_map(|row| columns.row(row)).collect())
    }
}
