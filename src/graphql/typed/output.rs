//! The structs that queries and computed fields return.

use entity::{
    Noun, Permission,
    col::Scalar,
    id::NounId,
    noun::{Cardinality, Field, Kind, Link, Relationship, Writable},
};
pub use entity_derive::Output;
use sea_orm::prelude::{ChronoUnixTimestampMillis, DateTimeUtc};

use super::kinds::{IsList, IsObject, IsOption, IsRow, IsScalar, IsSpecial};
use crate::{graphql::slice::ComputedObject, store::statement::cell::Cell};

/// An object that is computed and not stored: a struct with `#[derive(Output)]`.
pub trait Output: Sized + Send + 'static {
    /// Returns the description of the object type.
    fn noun() -> &'static Noun;
    /// Converts the struct to column values and nested objects.
    fn object(self) -> ComputedObject;
}

/// A JSON document as text, returned as JSON.
#[derive(Clone, Debug)]
pub struct Json(pub String);

/// The type of an object's field in the API.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A value, and whether it is nullable.
    Value(Kind, bool),
    /// The row with this id, and whether it is nullable.
    Row(&'static Noun, bool),
    /// An object, or several.
    Object(&'static Noun, Cardinality),
}

impl Shape {
    /// Returns the shape of the id of a row whose noun is named by the field `noun`.
    pub const fn row_of(noun: &'static str, is_nullable: bool) -> Self {
        Self::Value(Kind::RowId { noun }, is_nullable)
    }

    const fn or_absent(self) -> Self {
        match self {
            Self::Value(kind, _) => Self::Value(kind, true),
            Self::Row(noun, _) => Self::Row(noun, true),
            Self::Object(noun, Cardinality::One) => Self::Object(noun, Cardinality::Maybe),
            several @ Self::Object(..) => several,
        }
    }
}

/// A type that a field of an object may have.
pub trait OutputValue<K> {
    /// Returns the type of the field in the API.
    fn shape() -> Shape;
    /// Adds the value to an object, under the name of the field or of the column.
    fn put(self, names: (&'static str, &'static str), object: &mut ComputedObject);
    /// Adds null in its place.
    fn put_null((_, column): (&'static str, &'static str), object: &mut ComputedObject) {
        object.cells.push((column, Cell::Null));
    }
}

impl<T: Scalar> OutputValue<IsScalar> for T {
    fn shape() -> Shape {
        Shape::Value(T::KIND, false)
    }

    fn put(self, (_, column): (&'static str, &'static str), object: &mut ComputedObject) {
        object.cells.push((column, Cell::of(self.into())));
    }
}

impl<T: NounId> OutputValue<IsRow> for T {
    fn shape() -> Shape {
        Shape::Row(T::NOUN, false)
    }

    fn put(self, (_, column): (&'static str, &'static str), object: &mut ComputedObject) {
        object.cells.push((column, Cell::Id(self.uuid())));
    }
}

/// A nullable value, row or object.
impl<K, T: OutputValue<K>> OutputValue<IsOption<K>> for Option<T>
where
    K: MayBeAbsent,
{
    fn shape() -> Shape {
        T::shape().or_absent()
    }

    fn put(self, names: (&'static str, &'static str), object: &mut ComputedObject) {
        match self {
            Some(value) => value.put(names, object),
            None => T::put_null(names, object),
        }
    }
}

/// A marker of types that may be nullable.
pub trait MayBeAbsent {}
impl MayBeAbsent for IsScalar {}
impl MayBeAbsent for IsRow {}
impl MayBeAbsent for IsObject {}

impl<T: Output> OutputValue<IsObject> for T {
    fn shape() -> Shape {
        Shape::Object(T::noun(), Cardinality::One)
    }

    fn put(self, (name, _): (&'static str, &'static str), object: &mut ComputedObject) {
        object.inside.push((name, vec![self.object()]));
    }

    fn put_null((name, _): (&'static str, &'static str), object: &mut ComputedObject) {
        object.inside.push((name, Vec::new()));
    }
}

impl<T: Output> OutputValue<IsList<IsObject>> for Vec<T> {
    fn shape() -> Shape {
        Shape::Object(T::noun(), Cardinality::List)
    }

    fn put(self, (name, _): (&'static str, &'static str), object: &mut ComputedObject) {
        object.inside.push((name, self.into_iter().map(Output::object).collect()));
    }
}

impl OutputValue<IsSpecial> for Vec<String> {
    fn shape() -> Shape {
        Shape::Value(Kind::Names, false)
    }

    fn put(self, (_, column): (&'static str, &'static str), object: &mut ComputedObject) {
        object.cells.push((column, Cell::Text(serde_json::json!(self).to_string())));
    }
}

impl OutputValue<IsSpecial> for Json {
    fn shape() -> Shape {
        Shape::Value(Kind::Json, false)
    }

    fn put(self, (_, column): (&'static str, &'static str), object: &mut ComputedObject) {
        object.cells.push((column, Cell::Text(self.0)));
    }
}

/// Returns the type of a field of type `T` in the API.
pub fn shape_of<T: OutputValue<K>, K>() -> Shape {
    T::shape()
}

/// Adds a value to an object.
pub fn put<T: OutputValue<K>, K>(value: T, names: (&'static str, &'static str), object: &mut ComputedObject) {
    value.put(names, object);
}

/// A field of an object type.
#[derive(Debug)]
pub struct OutputField {
    /// The field name.
    pub name: &'static str,
    /// The field name to use if the field returns a row.
    pub row: &'static str,
    /// The column name.
    pub column: &'static str,
    /// The GraphQL description.
    pub doc: &'static str,
    /// The type of the field in the API.
    pub shape: Shape,
}

/// Builds the description of an object type with this name and GraphQL description. Leaks memory: call this once per
/// type.
pub fn describe((name, doc): (&'static str, &'static str), read: Option<Permission>, all: Vec<OutputField>) -> Noun {
    let (mut fields, mut relations) = (Vec::new(), Vec::new());
    for OutputField { name, row, column, doc, shape } in all {
        match shape {
            Shape::Value(kind, is_nullable) => {
                fields.push(Field { is_nullable, ..Field::new(name, column, kind, doc) });
            }
            Shape::Row(target, is_nullable) => {
                let link = Link::One { column, is_nullable, writable: Writable::Never };
                relations.push(Relationship { name: row, target, link, doc });
            }
            Shape::Object(target, cardinality) => {
                relations.push(Relationship { name, target, link: Link::Embedded(cardinality), doc });
            }
        }
    }
    let permission = read.unwrap_or(Permission::Admin);
    Noun { read, ..Noun::computed(name, doc, permission, fields.leak(), relations.leak()) }
}

/// Converts a count, saturating at `i64::MAX`.
pub fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Returns the instant at a number of milliseconds since the Unix epoch.
pub fn instant(millis: i64) -> ChronoUnixTimestampMillis {
    ChronoUnixTimestampMillis(DateTimeUtc::from_timestamp_millis(millis).unwrap_or_default())
}
