//! The input structs of queries, computed fields and mutations.

use async_graphql::Value;
use chrono_tz::Tz;
use entity::{
    Tenanted,
    col::Scalar,
    id::NounId,
    noun::{EnumType, Kind, Operation},
};
pub use entity_derive::Input;

use super::{
    kinds::{IsList, IsObject, IsOption, IsScalar, IsSpecial},
    reader::{Reader, Step},
};
use crate::{
    Result,
    error::Code,
    graphql::{
        mutation::{
            draft::draft,
            input::{Input as Given, list, text},
        },
        planning::filter::list_filter,
        types::roots::output_type,
        values,
    },
    store::{
        Connection, Scope,
        statement::{cell::Cell, filter::Predicate},
        writing::draft::{Draft, OnNull, Reference},
    },
};

/// The fields of an input: a struct with `#[derive(Input)]`, or `()` for an input without fields.
pub trait InputFields: Sized + Send + Sync + 'static {
    /// The type name when used inside another input.
    const NAME: &'static str;
    /// The GraphQL description.
    const DOC: &'static str;
    /// Returns the descriptions of the fields.
    fn fields() -> &'static [Argument];
    /// Reads the input.
    fn read(input: &Given<'_>, reader: &mut Reader<'_>) -> Result<Self>;
}

impl InputFields for () {
    const NAME: &'static str = "";
    const DOC: &'static str = "";

    fn fields() -> &'static [Argument] {
        &[]
    }

    fn read(_: &Given<'_>, _: &mut Reader<'_>) -> Result<Self> {
        Ok(())
    }
}

/// An argument, or a field of an input object, as it is described in the schema.
#[derive(Debug)]
pub struct Argument {
    /// The name.
    pub name: &'static str,
    /// The GraphQL type.
    pub ty: String,
    /// The default value as a GraphQL literal.
    pub default: Option<String>,
    /// The GraphQL description.
    pub doc: &'static str,
    /// The type that the argument refers to.
    pub target: Target,
}

/// A type that an argument refers to and that does not belong to a noun.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// No such type.
    None,
    /// An enum.
    Enum(&'static EnumType),
    /// An input object: its name, description and fields.
    Object(&'static str, &'static str, fn() -> &'static [Argument]),
    /// An input object of which exactly one field is given.
    OneOf(&'static str, &'static str, fn() -> &'static [Argument]),
}

/// Returns an argument of type `T` with an optional default.
pub fn argument<T: InputValue<K>, K>(name: &'static str, doc: &'static str, default: Option<T>) -> Argument {
    let (ty, is_required) = T::ty();
    let bang = if is_required && default.is_none() { "!" } else { "" };
    Argument {
        name,
        ty: format!("{ty}{bang}"),
        default: default.map(|default| default.literal()),
        doc,
        target: T::target(),
    }
}

/// A type that an input field may have.
pub trait InputValue<K>: Sized {
    /// Returns the GraphQL type, and whether a value is required.
    fn ty() -> (String, bool);
    /// Returns the type that the field refers to.
    fn target() -> Target {
        Target::None
    }
    /// Reads a value.
    fn read(value: &Value, reader: &mut Reader<'_>) -> Result<Self>;
    /// Returns the value to use if none or null is given; `None` if a value is required.
    fn absent() -> Option<Self> {
        None
    }
    /// Returns the value as a GraphQL literal, for defaults.
    fn literal(&self) -> String {
        String::new()
    }
}

impl<T: Scalar> InputValue<IsScalar> for T {
    fn ty() -> (String, bool) {
        (output_type(T::KIND), true)
    }

    fn target() -> Target {
        if let Kind::Enum(known) = T::KIND { Target::Enum(known) } else { Target::None }
    }

    fn read(value: &Value, reader: &mut Reader<'_>) -> Result<Self> {
        let cell = if let Kind::Text { .. } = T::KIND {
            let text = text(value).ok_or_else(|| reader.bad("a text"))?;
            // PostgreSQL can neither store nor search for NUL bytes.
            if text.contains('\0') {
                reader.refuse(Code::Invalid, "contains a NUL byte");
            }
            Cell::Text(text.to_owned())
        } else {
            values::read(&reader.place(), value, T::KIND, "")?
        };
        cell.value::<T>().ok_or_else(|| reader.bad("a value of its type"))
    }

    fn literal(&self) -> String {
        match Cell::of((*self).clone().into()) {
            Cell::Text(text) if matches!(T::KIND, Kind::Enum(_)) => text,
            Cell::Text(text) => format!("{text:?}"),
            Cell::Int(number) => number.to_string(),
            Cell::Float(number) => number.to_string(),
            Cell::Bool(value) => value.to_string(),
            Cell::Id(_) | Cell::Null => "null".to_owned(),
        }
    }
}

impl<K, T: InputValue<K>> InputValue<IsOption<K>> for Option<T> {
    fn ty() -> (String, bool) {
        (T::ty().0, false)
    }

    fn target() -> Target {
        T::target()
    }

    fn read(value: &Value, reader: &mut Reader<'_>) -> Result<Self> {
        T::read(value, reader).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

/// A list; a single value counts as a list with one item.
impl<K, T: InputValue<K>> InputValue<IsList<K>> for Vec<T> {
    fn ty() -> (String, bool) {
        (format!("[{}!]", T::ty().0), true)
    }

    fn target() -> Target {
        T::target()
    }

    fn read(value: &Value, reader: &mut Reader<'_>) -> Result<Self> {
        let items = list(value).into_iter().enumerate();
        items.map(|(index, item)| reader.within(Step::Item(index), |reader| T::read(item, reader))).collect()
    }

    fn literal(&self) -> String {
        format!("[{}]", self.iter().map(InputValue::literal).collect::<Vec<_>>().join(", "))
    }
}

impl<T: InputFields> InputValue<IsObject> for T {
    fn ty() -> (String, bool) {
        (T::NAME.to_owned(), true)
    }

    fn target() -> Target {
        Target::Object(T::NAME, T::DOC, T::fields)
    }

    fn read(value: &Value, reader: &mut Reader<'_>) -> Result<Self> {
        <T as InputFields>::read(&Given::of(&reader.place(), value)?, reader)
    }
}

impl InputValue<IsSpecial> for Tz {
    fn ty() -> (String, bool) {
        (output_type(Kind::TimeZone), true)
    }

    fn read(value: &Value, reader: &mut Reader<'_>) -> Result<Self> {
        let zone = text(value).and_then(|text| text.parse().ok());
        Ok(zone.unwrap_or_else(|| {
            reader.refuse(Code::Invalid, "is not an IANA time zone");
            Self::UTC
        }))
    }
}

/// A reference to a row by its id or by an external id.
#[derive(Clone, Debug)]
pub struct RefTo<T> {
    /// The id or external id.
    pub reference: Reference,
    noun: std::marker::PhantomData<fn() -> T>,
}

impl<T: NounId> RefTo<T> {
    /// Returns the id of the referenced row, or `None` if the row does not exist.
    pub async fn find<C: Connection>(&self, scope: &Scope<C>) -> Result<Option<T>> {
        let found = scope.references(T::NOUN, std::iter::once(&self.reference)).await?;
        Ok(found.get(&self.reference).copied().map(T::from))
    }
}

impl<T: NounId> InputValue<IsSpecial> for RefTo<T> {
    fn ty() -> (String, bool) {
        (format!("{}Ref", T::NOUN.name), true)
    }

    fn read(value: &Value, reader: &mut Reader<'_>) -> Result<Self> {
        let reference = Given::reference(&reader.place(), value, T::NOUN)?;
        Ok(Self { reference, noun: std::marker::PhantomData })
    }
}

/// A new row of a noun that is tried and not written, as it is given to be created.
#[derive(Clone, Debug)]
pub struct NewOf<E> {
    /// The row, without what a write would complete.
    pub draft: Draft,
    noun: std::marker::PhantomData<fn() -> E>,
}

impl<E: Tenanted> InputValue<IsSpecial> for NewOf<E> {
    fn ty() -> (String, bool) {
        (format!("{}CreateInput", E::NOUN.name), true)
    }

    fn read(value: &Value, reader: &mut Reader<'_>) -> Result<Self> {
        let input = Given::of(&reader.place(), value)?;
        let draft = draft(E::NOUN, Operation::Create, &input, OnNull::Clear, Vec::new())?;
        Ok(Self { draft, noun: std::marker::PhantomData })
    }
}

/// A filter of a noun's rows. Without a filter, all rows match that are not archived.
#[derive(Clone, Debug)]
pub struct FilterOf<E> {
    given: Option<Value>,
    noun: std::marker::PhantomData<fn() -> E>,
}

impl<E: Tenanted> FilterOf<E> {
    /// Returns the condition. `Err` if the caller may not filter by one of the fields.
    pub fn predicate(&self, scope: &Scope) -> Result<Predicate> {
        list_filter(E::NOUN, self.given.as_ref(), scope.attribute_access())
    }
}

impl<E: Tenanted> InputValue<IsSpecial> for FilterOf<E> {
    fn ty() -> (String, bool) {
        (format!("{}Filter", E::NOUN.name), false)
    }

    fn read(value: &Value, _: &mut Reader<'_>) -> Result<Self> {
        Ok(Self { given: Some(value.clone()), noun: std::marker::PhantomData })
    }

    fn absent() -> Option<Self> {
        Some(Self { given: None, noun: std::marker::PhantomData })
    }
}
