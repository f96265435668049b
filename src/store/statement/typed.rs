//! Typed access to columns: a misspelt column or a value of the wrong type does not compile.

use std::collections::{HashMap, HashSet};

use entity::{Col, Noun, col::ColumnType};
use sea_orm::{Statement, Value, prelude::Uuid, sea_query::ValueType};

use super::{
    cell::{Cell, CellKind, Column, Record, column_named},
    filter::Predicate,
    template::Templates,
};
use crate::{
    Result,
    store::{Connection, Scope, writing::draft::Draft},
};

impl Cell {
    /// Returns the value as the type of a column; `None` if the cell is null.
    pub fn value<T: ColumnType>(&self) -> Option<T::Value> {
        if self.is_null() {
            return None;
        }
        // The kind matters only for null cells.
        <T::Value as ValueType>::try_from(self.bound(CellKind::Text)).ok()
    }

    /// Converts a value into a cell.
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

/// Returns a column paired with its new value.
pub fn assign<T: ColumnType>(column: Col<T>, value: impl Into<T>) -> (Column, Cell) {
    (column.into(), Cell::of(value.into().into()))
}

impl Record {
    /// Returns the value of a column; `None` if it is null.
    pub fn get<T: ColumnType>(&self, column: Col<T>) -> Option<T::Value> {
        self.cell(column.name()).value::<T>()
    }
}

impl Draft {
    /// Returns the value that a column will have; `None` if it will be null.
    pub fn get<T: ColumnType>(&self, column: Col<T>) -> Option<T::Value> {
        debug_assert_eq!(self.noun.table, column.noun().table, "{column:?} is a column of another noun");
        self.cell(column.name()).value::<T>()
    }

    /// Sets the value of a column, overriding the caller's value.
    pub fn set<T: ColumnType>(&mut self, column: Col<T>, value: impl Into<T>) {
        debug_assert_eq!(self.noun.table, column.noun().table, "{column:?} is a column of another noun");
        let (column, cell) = assign(column, value);
        self.set_cell(column.name, cell);
    }

    /// Returns whether the caller or a rule set a value for the column.
    pub fn gives<T>(&self, column: Col<T>) -> bool {
        self.gives_cell(column.name())
    }
}

/// A tuple of columns of one noun that are read together.
pub trait Columns: Copy {
    /// Values of the columns in one row.
    type Row;
    /// Returns the noun.
    fn noun(&self) -> &'static Noun;
    /// Returns the columns.
    fn columns(&self) -> Vec<Column>;
    /// Converts the cells of a row; `None` if a cell has an unexpected type.
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

/// A tuple of the values of a row of a hand-written statement; elements that may be null are `Option`s.
pub trait Tuple: Sized {
    /// Returns the kinds of the columns.
    fn kinds() -> Vec<CellKind>;
    /// Converts the cells of a row; `None` if a cell has an unexpected type.
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
    /// Runs a read-only statement that takes no locks. Its first column is the tenant; the others form the tuple.
    pub(crate) async fn read_tuples<T: Tuple>(&self, statement: Statement) -> Result<Vec<T>> {
        let rows = self.read_rows(statement, &T::kinds()).await?;
        Ok(rows.iter().filter_map(|row| T::of(row)).collect())
    }

    // Reads few columns of many rows, without the long texts that complete models would include.

    /// Returns columns of every row of a noun, archived rows included, ordered by id. Returns at most `most + 1` rows.
    pub async fn select_all<S: Columns>(&self, columns: S, most: usize) -> Result<Vec<S::Row>> {
        let rows = self.read_every(columns.noun(), &columns.columns(), None, most).await?;
        Ok(rows.iter().filter_map(|row| columns.row(row)).collect())
    }

    /// Returns columns of the rows of a noun whose `column` is one of `ids`, ordered by id. Returns at most `most + 1`
    /// rows.
    pub async fn select<S: Columns, T>(
        &self,
        columns: S,
        column: Col<T>,
        ids: &[Uuid],
        most: usize,
    ) -> Result<Vec<S::Row>> {
        self.may_read(columns.noun())?;
        self.select_unchecked(columns, column, ids, most).await
    }

    /// Like [`Scope::select`], without a permission check; for rules that the server applies to every caller.
    pub async fn select_unchecked<S: Columns, T>(
        &self,
        columns: S,
        column: Col<T>,
        ids: &[Uuid],
        most: usize,
    ) -> Result<Vec<S::Row>> {
        let rows = self.read_unchecked(columns.noun(), &columns.columns(), column.name(), ids, most).await?;
        Ok(rows.iter().filter_map(|row| columns.row(row)).collect())
    }

    /// Returns columns of the rows of a noun that fulfil a condition, ordered by id. Returns at most `most + 1` rows.
    /// Without a permission check; for rules that the server applies to every caller.
    pub async fn select_where_unchecked<S: Columns>(
        &self,
        columns: S,
        filter: &Predicate,
        most: usize,
    ) -> Result<Vec<S::Row>> {
        let rows = self.read_where_unchecked(columns.noun(), &columns.columns(), filter, most).await?;
        Ok(rows.iter().filter_map(|row| columns.row(row)).collect())
    }

    /// Returns columns of the rows with these ids, by id: for a choice of columns that is made at run time. Without a
    /// permission check; for rules that the server applies to every caller.
    pub async fn records_unchecked(
        &self,
        noun: &'static Noun,
        columns: &[Column],
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Record>> {
        let columns: Vec<Column> = std::iter::once(column_named(noun, "id")).chain(columns.iter().copied()).collect();
        let rows = self.by_ids_unchecked(noun, &columns, ids, &Templates::default()).await?;
        let records = rows
            .into_iter()
            .map(|row| Record { cells: columns.iter().copied().zip(row).collect(), before: Vec::new() });
        Ok(records.map(|record| (record.id(), record)).collect())
    }

    /// Returns the subset of `ids` that are ids of rows of the noun.
    pub async fn known_ids(&self, noun: &'static Noun, ids: &[Uuid]) -> Result<HashSet<Uuid>> {
        let rows = self.by_ids(noun, &[column_named(noun, "id")], ids, &Templates::default()).await?;
        Ok(rows.iter().flatten().filter_map(Cell::id).collect())
    }

    /// Returns columns of the rows with these ids in unspecified order. Unknown ids and ids of other tenants are
    /// omitted.
    pub async fn select_by_ids<S: Columns>(&self, columns: S, ids: &[Uuid]) -> Result<Vec<S::Row>> {
        self.may_read(columns.noun())?;
        self.select_by_ids_unchecked(columns, ids).await
    }

    /// Like [`Scope::select_by_ids`], without a permission check; for rules that the server applies to every caller.
    pub async fn select_by_ids_unchecked<S: Columns>(&self, columns: S, ids: &[Uuid]) -> Result<Vec<S::Row>> {
        let rows = self.by_ids_unchecked(columns.noun(), &columns.columns(), ids, &Templates::default()).await?;
        Ok(rows.iter().filter_map(|row| columns.row(row)).collect())
    }
}
