//! Arguments and input objects as values: coerced once, at the edge.

use std::sync::Arc;

use async_graphql::{Name, Value, Variables, indexmap::IndexMap};
use entity::{
    Noun, id,
    noun::{Field as Described, Kind},
};
use sea_orm::prelude::Uuid;

pub use crate::graphql::mutation::draft::{draft, on_null, transition};
use crate::{
    Error, Result, UserError,
    error::Code,
    graphql::types::scalars::INSTANT,
    instant::{date, instant},
    store::{ExternalId, statement::cell::Cell, writing::draft::Reference},
    suggest,
    text::{is_blank, refusal, refused_in_name, refused_in_text},
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

/// A scalar of a described kind as a cell, for filters: malformed ones fail the request.
pub fn scalar(name: &str, value: &Value, kind: Kind, prefix: &str) -> Result<Cell> {
    let cell = match kind {
        // An id that is none finds nothing, as an unknown one does.
        Kind::Id => Some(Cell::Id(text(value).and_then(|text| wire_id(prefix, text)).unwrap_or_default())),
        Kind::RowId { .. } => Some(Cell::Id(text(value).and_then(entity::row_id).unwrap_or_default())),
        Kind::Int { .. } => int(value).map(Cell::Int),
        Kind::Float { .. } => float(value).map(Cell::Float),
        Kind::Bool => {
            if let Value::Boolean(value) = value {
                Some(Cell::Bool(*value))
            } else {
                None
            }
        }
        Kind::Instant => {
            let at = text(value).and_then(instant).ok_or_else(|| not_an_instant(name, value))?;
            Some(Cell::Int(at))
        }
        Kind::Enum(known) => {
            let found = text(value).filter(|text| known.values.iter().any(|(name, _)| name == text));
            found.map(|text| Cell::Text(text.to_owned()))
        }
        _ => text(value)
            .filter(|text| !text.contains('\0') && text.len() <= 8_000)
            .map(|text| Cell::Text(text.to_owned())),
    };
    cell.ok_or_else(|| bad(name, "a value of its type"))
}

/// The refusal of a value that is no instant.
pub(in crate::graphql) fn not_an_instant(name: &str, value: &Value) -> Error {
    let is_date = text(value).and_then(date).is_some();
    let more = if is_date { "; a date alone may stand in the comparisons gte and lt only" } else { "" };
    bad(name, &format!("{INSTANT}{more}"))
}

/// Zero has no sign.
fn float(value: &Value) -> Option<f64> {
    let Value::Number(number) = value else { return None };
    number.as_f64().filter(|number| number.is_finite()).map(|number| number + 0.0)
}

/// The name of a time zone, or what is wrong with it.
fn time_zone(given: &str) -> Result<String, String> {
    given.parse::<chrono_tz::Tz>().map(|zone| zone.name().to_owned()).map_err(|_| {
        let meant = suggest::time_zone(given).map(|zone| format!("; a similar one is {zone}"));
        format!("this is not an IANA time zone{}", meant.unwrap_or_default())
    })
}

/// A value for a column, or what is wrong with it.
pub fn accept(field: &Described, value: &Value) -> Result<std::result::Result<Cell, UserError>> {
    let refuse = |code, message: String| Ok(Err(UserError::new(code, field.name, message)));
    let refuse_item = |at: usize, code, message: String| {
        let path = vec![field.name.to_owned(), at.to_string()];
        Ok(Err(UserError { path, ..UserError::new(code, field.name, message) }))
    };
    if *value == Value::Null {
        return if field.is_nullable {
            Ok(Ok(Cell::Null))
        } else {
            refuse(Code::Required, "this field cannot be null".into())
        };
    }
    match field.kind {
        Kind::Text { max } => {
            let given = text(value).ok_or_else(|| bad(field.name, "a text"))?;
            let given = if field.kind.is_name() { crate::text::trim(given) } else { given };
            if let Some((code, message)) = text_mistake(given, max) {
                return refuse(code, message);
            }
            if is_blank(given) {
                let message = "the text has no visible character".into();
                return if field.is_nullable { Ok(Ok(Cell::Null)) } else { refuse(Code::Required, message) };
            }
            let refused = if field.kind.is_name() {
                refused_in_name(given)
            } else if field.is_guarded() {
                // What customers wrote is kept as it came.
                None
            } else {
                refused_in_text(given)
            };
            refused.map_or_else(|| Ok(Ok(Cell::Text(given.to_owned()))), |sign| refuse(Code::Invalid, refusal(sign)))
        }
        Kind::TimeZone => {
            let given = text(value).ok_or_else(|| bad(field.name, "a text"))?;
            time_zone(given).map_or_else(|message| refuse(Code::Invalid, message), |zone| Ok(Ok(Cell::Text(zone))))
        }
        Kind::Int { min, max } => {
            let given = int(value).ok_or_else(|| bad(field.name, "a whole number"))?;
            if (min..=max).contains(&given) {
                return Ok(Ok(Cell::Int(given)));
            }
            refuse(Code::OutOfRange, format!("the number must be from {min} to {max}"))
        }
        Kind::Float { min, max } => {
            let given = float(value).ok_or_else(|| bad(field.name, "a number"))?;
            if (min..=max).contains(&given) {
                return Ok(Ok(Cell::Float(given)));
            }
            refuse(Code::OutOfRange, format!("the number must be from {min} to {max}"))
        }
        Kind::Tags { most, max } => {
            let mut tags = Vec::new();
            for (at, item) in list(value).into_iter().enumerate() {
                let tag = text(item).map(crate::text::trim).ok_or_else(|| bad(field.name, "a list of texts"))?;
                if let Some((code, message)) = item_mistake(tag, max) {
                    return refuse_item(at, code, message);
                }
                if let Some(sign) = refused_in_name(tag) {
                    return refuse_item(at, Code::Invalid, refusal(sign));
                }
                tags.push(tag);
            }
            tags.sort_unstable();
            tags.dedup();
            if tags.len() > most {
                return refuse(Code::TooLong, format!("there are more than {most} items"));
            }
            Ok(Ok(Cell::Text(serde_json::json!(tags).to_string())))
        }
        Kind::Attributes { most, max } => {
            let mut pairs = Vec::new();
            for (at, item) in list(value).into_iter().enumerate() {
                let pair = Input::of(field.name, item)?;
                let part =
                    |name| pair.text(name)?.map(str::to_owned).ok_or_else(|| bad(field.name, "names and values"));
                let (name, value) = (crate::text::trim(&part("name")?).to_owned(), part("value")?);
                if let Some((code, message)) = item_mistake(&name, max).or_else(|| item_mistake(&value, max)) {
                    return refuse_item(at, code, message);
                }
                if let Some(sign) = refused_in_name(&name) {
                    return refuse_item(at, Code::Invalid, refusal(sign));
                }
                pairs.push((name, value));
            }
            pairs.sort();
            if pairs.len() > most {
                return refuse(Code::TooLong, format!("there are more than {most} items"));
            }
            if pairs.windows(2).any(|two| two[0].0 == two[1].0) {
                return refuse(Code::Invalid, "a name can be given once".into());
            }
            let pairs: Vec<_> =
                pairs.iter().map(|(name, value)| serde_json::json!({"name": name, "value": value})).collect();
            Ok(Ok(Cell::Text(serde_json::json!(pairs).to_string())))
        }
        kind => Ok(Ok(scalar(field.name, value, kind, "")?)),
    }
}

/// What is wrong with a text.
pub fn text_mistake(text: &str, max: usize) -> Option<(Code, String)> {
    if text.contains('\0') {
        Some((Code::Invalid, "the text contains a NUL byte".to_owned()))
    } else if text.chars().count() > max {
        Some((Code::TooLong, format!("the text is longer than {max} characters")))
    } else {
        None
    }
}

fn item_mistake(text: &str, max: usize) -> Option<(Code, String)> {
    if is_blank(text) {
        return Some((Code::Required, "an item has no visible character".to_owned()));
    }
    if text.chars().any(char::is_control) {
        return Some((Code::Invalid, "an item contains a control character".to_owned()));
    }
    text_mistake(text, max)
}
