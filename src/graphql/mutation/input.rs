//! Arguments and input objects as values that were coerced once, when the request was read.

use std::sync::Arc;

use async_graphql::{Name, Value, Variables, indexmap::IndexMap};
use entity::{Noun, id};
use sea_orm::prelude::Uuid;

pub use crate::graphql::mutation::draft::{draft, fill, named, on_null, transition};
use crate::{
    Error, Result, UserError,
    error::Code,
    store::{ExternalId, writing::draft::Reference},
};

/// The argument of lookups, and field of mutation inputs, that references a row.
pub const BY: &str = "by";
/// Maximum length of an external id, in characters.
const EXTERNAL_ID: usize = 255;
/// Maximum length of the name of an external system, in characters.
const SYSTEM: usize = 64;

/// The arguments of a field, or an input object.
#[derive(Clone, Debug, Default)]
pub struct Input<'a>(Fields<'a>);

/// The storage of the fields. An input may have a thousand rows, so fields are borrowed or shared instead of copied
/// where possible.
#[derive(Clone, Debug)]
enum Fields<'a> {
    Own(IndexMap<Name, Value>),
    Within(&'a IndexMap<Name, Value>),
    Variable(Arc<Variables>, Name),
}

impl Default for Fields<'_> {
    fn default() -> Self {
        Self::Own(IndexMap::default())
    }
}

impl FromIterator<(Name, Value)> for Input<'_> {
    fn from_iter<T: IntoIterator<Item = (Name, Value)>>(fields: T) -> Self {
        Self(Fields::Own(fields.into_iter().collect()))
    }
}

pub(in crate::graphql) fn bad(name: &str, wanted: &str) -> Error {
    Error::BadInput(format!("{name} must be {wanted}"))
}

impl<'a> Input<'a> {
    /// Returns the input object that a variable holds, or `None` if its value is not an object.
    pub fn variable(variables: &Arc<Variables>, name: &Name) -> Option<Self> {
        let is_object = matches!(variables.get(name), Some(Value::Object(_)));
        is_object.then(|| Self(Fields::Variable(Arc::clone(variables), name.clone())))
    }

    fn all(&self) -> &IndexMap<Name, Value> {
        match &self.0 {
            Fields::Own(fields) => fields,
            Fields::Within(fields) => fields,
            Fields::Variable(variables, name) => match variables.get(name) {
                Some(Value::Object(fields)) => fields,
                _ => unreachable!("it is only made of an object"),
            },
        }
    }

    /// Returns a copy that owns its fields.
    pub fn to_owned(&self) -> Input<'static> {
        Input(Fields::Own(self.all().clone()))
    }

    /// Returns the given value, which may be null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.all().get(name)
    }

    /// Returns the given value unless it is null.
    pub fn present(&self, name: &str) -> Option<&Value> {
        self.get(name).filter(|value| **value != Value::Null)
    }

    /// Returns all given fields.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.all().iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Returns a text field. `Err` if the value is not a text.
    pub fn text(&self, name: &str) -> Result<Option<&str>> {
        self.present(name).map(|value| text(value).ok_or_else(|| bad(name, "a text"))).transpose()
    }

    /// Returns an integer field. `Err` if the value is not an integer.
    pub fn int(&self, name: &str) -> Result<Option<i64>> {
        self.present(name).map(|value| int(value).ok_or_else(|| bad(name, "a whole number"))).transpose()
    }

    /// Returns a field that is an input object. `Err` if the value is not an object.
    pub fn object(&self, name: &str) -> Result<Option<Input<'_>>> {
        self.present(name).map(|value| Input::of(name, value)).transpose()
    }

    /// Returns the items of a list field; a single value counts as a list with one item.
    pub fn list(&self, name: &str) -> Vec<&Value> {
        self.present(name).map_or(Vec::new(), list)
    }

    /// Creates an input object that borrows its fields.
    pub const fn within(fields: &'a IndexMap<Name, Value>) -> Self {
        Self(Fields::Within(fields))
    }

    /// Returns a value as an input object. `Err` if the value is not an object.
    pub fn of(name: &str, value: &'a Value) -> Result<Self> {
        match value {
            Value::Object(fields) => Ok(Self::within(fields)),
            _ => Err(bad(name, "an input object")),
        }
    }

    /// Returns the only field of a `@oneOf` object. `Err` if it has none, several, or one that is null.
    pub fn only(&self, name: &str) -> Result<(&str, &Value)> {
        match self.all().iter().next() {
            Some((field, value)) if self.all().len() == 1 && *value != Value::Null => Ok((field.as_str(), value)),
            _ => Err(bad(name, "an object with exactly one field")),
        }
    }

    /// Reads a reference to a row of `noun`.
    pub fn reference(name: &str, value: &Value, noun: &Noun) -> Result<Reference> {
        let object = Input::of(name, value)?;
        match object.only(name)? {
            ("id", value) => Ok(Reference::Id(text(value).and_then(|text| wire_id(noun.prefix, text)))),
            (_, value) => Ok(Reference::External(external_id(name, value)?)),
        }
    }

    /// Returns the reference to the row of `noun` that a mutation changes: the field `by` of its input.
    pub fn row(&self, noun: &Noun) -> Result<Reference> {
        let by = self.present(BY).ok_or_else(|| bad(BY, "given"))?;
        Self::reference(BY, by, noun)
    }

    /// Reads a list of references to rows of `noun`.
    pub fn references(&self, name: &str, noun: &Noun) -> Result<Vec<Reference>> {
        self.list(name).into_iter().map(|value| Self::reference(name, value, noun)).collect()
    }
}

/// Returns the items of a list; a single value counts as a list with one item.
pub fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::List(items) => items.iter().collect(),
        single => vec![single],
    }
}

/// Returns the value as text if it is a string or the name of an enum value.
pub fn text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Enum(name) => Some(name),
        _ => None,
    }
}

/// Returns the value as an integer if it is one.
pub fn int(value: &Value) -> Option<i64> {
    if let Value::Number(number) = value { number.as_i64() } else { None }
}

/// Returns the decoded id if the text has this prefix.
pub fn wire_id(prefix: &str, text: &str) -> Option<Uuid> {
    id::decode(text).filter(|(known, _)| *known == prefix).map(|(_, id)| id)
}

/// Reads an external id. Its lengths are checked by [`check_external_id`].
pub fn external_id(name: &str, value: &Value) -> Result<ExternalId> {
    let object = Input::of(name, value)?;
    let part = |field| object.text(field)?.map(str::to_owned).ok_or_else(|| bad(name, "given with system and id"));
    Ok(ExternalId { system: part("system")?, id: part("id")? })
}

/// Returns the user error if an external id is invalid.
pub fn check_external_id(key: &ExternalId, field: &str) -> Option<UserError> {
    check_system(&key.system, field).or_else(|| check_part(&key.id, EXTERNAL_ID, "the id", field))
}

/// Returns the user error if the name of an external system is invalid.
pub fn check_system(system: &str, field: &str) -> Option<UserError> {
    check_part(system, SYSTEM, "the system", field)
}

fn check_part(text: &str, most: usize, what: &str, field: &str) -> Option<UserError> {
    if text.trim().is_empty() {
        Some(UserError::new(Code::Required, field, format!("{what} is empty")))
    } else if text.contains('\0') {
        Some(UserError::new(Code::Invalid, field, format!("{what} contains a NUL byte")))
    } else if text.chars().count() > most {
        Some(UserError::new(Code::TooLong, field, format!("{what} is longer than {most} characters")))
    } else {
        None
    }
}
