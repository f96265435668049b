//! Arguments and input objects as values: coerced once, at the edge.

use std::sync::Arc;

use async_graphql::{Name, Value, Variables, indexmap::IndexMap};
use entity::{Noun, id};
use sea_orm::prelude::Uuid;

pub use crate::graphql::mutation::draft::{draft, on_null, transition};
use crate::{
    Error, Result, UserError,
    error::Code,
    store::{ExternalId, writing::draft::Reference},
};

/// The field of look-ups, and of inputs of mutations, that names the row they are about.
pub const BY: &str = "by";
/// Longest external id.
const EXTERNAL_ID: usize = 255;
/// Longest name of an external system.
const SYSTEM: usize = 64;

/// The arguments of a field, or an input object.
#[derive(Clone, Debug, Default)]
pub struct Input<'a>(Fields<'a>);

/// Where the fields are. An input may have a thousand rows, so none is copied that can be looked at where it stands.
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
    /// The input object that is the value of a variable; none if that is no object.
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

    /// The same, on its own.
    pub fn to_owned(&self) -> Input<'static> {
        Input(Fields::Own(self.all().clone()))
    }

    /// The value given, null included.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.all().get(name)
    }

    /// The value given, unless null.
    pub fn present(&self, name: &str) -> Option<&Value> {
        self.get(name).filter(|value| **value != Value::Null)
    }

    /// Every field given.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.all().iter().map(|(name, value)| (name.as_str(), value))
    }

    /// A text.
    pub fn text(&self, name: &str) -> Result<Option<&str>> {
        self.present(name).map(|value| text(value).ok_or_else(|| bad(name, "a text"))).transpose()
    }

    /// A whole number.
    pub fn int(&self, name: &str) -> Result<Option<i64>> {
        self.present(name).map(|value| int(value).ok_or_else(|| bad(name, "a whole number"))).transpose()
    }

    /// An input object.
    pub fn object(&self, name: &str) -> Result<Option<Input<'_>>> {
        self.present(name).map(|value| Input::of(name, value)).transpose()
    }

    /// A list; one value stands for a list of it.
    pub fn list(&self, name: &str) -> Vec<&Value> {
        self.present(name).map_or(Vec::new(), list)
    }

    /// Fields as an input object.
    pub const fn within(fields: &'a IndexMap<Name, Value>) -> Self {
        Self(Fields::Within(fields))
    }

    /// A value as an input object.
    pub fn of(name: &str, value: &'a Value) -> Result<Self> {
        match value {
            Value::Object(fields) => Ok(Self::within(fields)),
            _ => Err(bad(name, "an input object")),
        }
    }

    /// The one field of a `@oneOf` object.
    pub fn only(&self, name: &str) -> Result<(&str, &Value)> {
        match self.all().iter().next() {
            Some((field, value)) if self.all().len() == 1 && *value != Value::Null => Ok((field.as_str(), value)),
            _ => Err(bad(name, "an object with exactly one field")),
        }
    }

    /// A reference to a row of `noun`.
    pub fn reference(name: &str, value: &Value, noun: &Noun) -> Result<Reference> {
        let object = Input::of(name, value)?;
        match object.only(name)? {
            ("id", value) => Ok(Reference::Id(text(value).and_then(|text| wire_id(noun.prefix, text)))),
            (_, value) => Ok(Reference::External(external_id(name, value)?)),
        }
    }

    /// The row of `noun` that the input of a mutation is about: its field `by`.
    pub fn row(&self, noun: &Noun) -> Result<Reference> {
        let by = self.present(BY).ok_or_else(|| bad(BY, "given"))?;
        Self::reference(BY, by, noun)
    }

    /// A list of references to rows of `noun`.
    pub fn references(&self, name: &str, noun: &Noun) -> Result<Vec<Reference>> {
        self.list(name).into_iter().map(|value| Self::reference(name, value, noun)).collect()
    }
}

/// The value as the items of a list.
pub fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::List(items) => items.iter().collect(),
        single => vec![single],
    }
}

/// The value as a text: a string, or the name of an enum.
pub fn text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Enum(name) => Some(name),
        _ => None,
    }
}

/// The value as a whole number.
pub fn int(value: &Value) -> Option<i64> {
    if let Value::Number(number) = value { number.as_i64() } else { None }
}

/// The id behind a wire text, if it has that prefix.
pub fn wire_id(prefix: &str, text: &str) -> Option<Uuid> {
    id::decode(text).filter(|(known, _)| *known == prefix).map(|(_, id)| id)
}

/// An external id; wrong lengths are told when they are checked.
pub fn external_id(name: &str, value: &Value) -> Result<ExternalId> {
    let object = Input::of(name, value)?;
    let part = |field| object.text(field)?.map(str::to_owned).ok_or_else(|| bad(name, "given with system and id"));
    Ok(ExternalId { system: part("system")?, id: part("id")? })
}

/// What is wrong with an external id.
pub fn check_external_id(key: &ExternalId, field: &str) -> Option<UserError> {
    check_system(&key.system, field).or_else(|| check_part(&key.id, EXTERNAL_ID, "the id", field))
}

/// What is wrong with the name of an external system.
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
