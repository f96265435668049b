//! A column with the type of what it holds.

use std::{fmt, marker::PhantomData};

use sea_orm::{
    prelude::{ChronoUnixTimestampMillis, Uuid},
    sea_query::{Nullable, Value, ValueType},
};

use crate::{
    Noun,
    noun::{Kind, Link, Relationship},
};

/// What a column may hold: the type of its field in the model.
pub trait ColumnType: Into<Value> {
    /// The type without `Option`.
    type Value: ValueType;
    /// What a column that holds this value holds; `None` if it may not be absent and is.
    fn from_value(value: Option<Self::Value>) -> Option<Self>;
}

impl<T: ColumnType<Value = T> + ValueType + Nullable> ColumnType for Option<T> {
    type Value = T;
    fn from_value(value: Option<T>) -> Option<Self> {
        Some(value)
    }
}

/// A type whose values the API shows and takes as they are: no id, and nothing made of parts.
pub trait Scalar: ColumnType<Value = Self> + Clone {
    /// What a value is to the API.
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

/// A column of a noun that holds a `T`, an `Option` if it may be absent: `assumption::TRUTH` is a
/// `Col<AssumptionTruth>`. Rules read and set rows by it, so neither a misspelt column nor a value of another type compiles:
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

    /// The relation to the row that it names, if it names one.
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
