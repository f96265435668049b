//! A column with the type of what it holds.

use std::{fmt, marker::PhantomData};

use sea_orm::{
    prelude::{ChronoUnixTimestampMillis, Uuid},
    sea_query::{Value, ValueType},
};

use crate::Noun;

/// What a column may hold: the type of its field in the model.
pub trait ColumnType: Into<Value> {
    /// The type without `Option`.
    type Value: ValueType + Into<Value>;
}

impl<T: ColumnType<Value = T> + ValueType> ColumnType for Option<T>
where
    Self: Into<Value>,
{
    type Value = T;
}

macro_rules! column_types {
    ($($ty:ty),*) => {$(
        impl ColumnType for $ty {
            type Value = Self;
        }
    )*};
}

column_types!(String, i64, f64, bool, Uuid, ChronoUnixTimestampMillis);

/// A column of a noun that holds a `T`, an `Option` if it may be absent: `assumption::TRUTH` is a
/// `Col<AssumptionTruth>`. Rules read and set rows by it, so neither a misspelt column nor a value of another type compiles.
pub struct Col<T> {
    noun: &'static Noun,
    name: &'static str,
    holds: PhantomData<fn() -> T>,
}

impl<T> Col<T> {
    /// The column of that name; `#[derive(Noun)]` makes it of the field.
    pub(crate) const fn new(noun: &'static Noun, name: &'static str) -> Self {
        Self { noun, name, holds: PhantomData }
    }

    /// Its name in the table.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The noun whose column it is.
    pub const fn noun(self) -> &'static Noun {
        self.noun
    }
}

impl<T> Clone for Col<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Col<T> {}

impl<T> fmt::Debug for Col<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.noun.table, self.name)
    }
}
