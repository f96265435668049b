//! Typed constants for columns.

use std::{fmt, marker::PhantomData};

use sea_orm::{
    prelude::{ChronoUnixTimestampMillis, Uuid},
    sea_query::{Nullable, Value, ValueType},
};

use crate::{
    Noun,
    noun::{Kind, Link, Relationship},
};

/// Type of a value in a column: the type of its field in the model.
pub trait ColumnType: Into<Value> {
    /// The type without `Option`.
    type Value: ValueType;
    /// Converts a value or NULL from the database; `None` if it is NULL and the type is not nullable.
    fn from_value(value: Option<Self::Value>) -> Option<Self>;
}

impl<T: ColumnType<Value = T> + ValueType + Nullable> ColumnType for Option<T> {
    type Value = T;
    fn from_value(value: Option<T>) -> Option<Self> {
        Some(value)
    }
}

/// Type whose values the API uses unchanged in inputs and outputs, unlike ids and composite values.
pub trait Scalar: ColumnType<Value = Self> + Clone {
    /// Kind of the values in the API.
    const KIND: Kind;
}

macro_rules! scalars {
    ($($ty:ty: $kind:expr,)*) => {$(
        impl Scalar for $ty {
            const KIND: Kind = $kind;
        }
    )*};
}

scalars! {
    String: Kind::Text { max: usize::MAX },
    i64: Kind::Int { min: i64::MIN, max: i64::MAX },
    f64: Kind::Float { min: f64::MIN, max: f64::MAX },
    bool: Kind::Bool,
    ChronoUnixTimestampMillis: Kind::Instant,
}

macro_rules! column_types {
    ($($ty:ty),*) => {$(
        impl ColumnType for $ty {
            type Value = Self;
            fn from_value(value: Option<Self>) -> Option<Self> {
                value
            }
        }
    )*};
}

column_types!(String, i64, f64, bool, Uuid, ChronoUnixTimestampMillis);

/// Column of a noun with values of type `T`, an `Option` if it is nullable: `assumption::TRUTH` is a
/// `Col<AssumptionTruth>`. Rules read and set columns through it, so the compiler rejects misspelt columns and values of
/// the wrong type:
///
/// ```
/// let truth: entity::Col<entity::assumption::AssumptionTruth> = entity::assumption::TRUTH;
/// ```
/// ```compile_fail,E0425
/// let truth = entity::assumption::THRUTH;
/// ```
/// ```compile_fail,E0308
/// let truth: entity::Col<String> = entity::assumption::TRUTH;
/// ```
pub struct Col<T> {
    noun: &'static Noun,
    name: &'static str,
    holds: PhantomData<fn() -> T>,
}

impl<T> Col<T> {
    /// Returns the column with this name. `#[derive(Noun)]` generates the calls.
    pub(crate) const fn new(noun: &'static Noun, name: &'static str) -> Self {
        Self { noun, name, holds: PhantomData }
    }

    /// Returns its name in the table.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Returns the noun that it belongs to.
    pub const fn noun(self) -> &'static Noun {
        self.noun
    }

    /// Returns the relation of which it is the foreign key, if any.
    pub fn relation(self) -> Option<&'static Relationship> {
        self.noun
            .relations
            .iter()
            .find(|relation| matches!(relation.link, Link::One { column, .. } if column == self.name))
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
