//! Checks values against the types of the schema: literals, variables, and arguments after substitution of variables.

use std::{borrow::Cow, cell::Cell, fmt};

use async_graphql::{
    Name, Value,
    indexmap::IndexMap,
    parser::types::{BaseType, Type},
};
use async_graphql_value::Value as Literal;

use crate::{
    UserError,
    error::Code,
    graphql::{
        failure::MAX_ERRORS,
        types::{
            scalars::{Leaf, Scalar, whole},
            schema_index::{Input, InputObject, SchemaIndex},
        },
    },
    suggest,
};

/// Maximum length of the name of an unknown field in a message, in bytes.
const MAX_NAME_LENGTH: usize = 64;

/// Source of a value, which determines the accepted forms of enum values and numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The text of a document. The check skips variables in it.
    Document,
    /// JSON variables.
    Variable,
    /// A document after substitution of its variables; both have been checked.
    Both,
}

/// A value in the form the check needs.
pub enum View<'a, V> {
    /// Null.
    Null,
    /// A variable.
    Variable,
    /// A list.
    List(&'a [V]),
    /// An object.
    Object(&'a IndexMap<Name, V>),
    /// Any other value of a document or of JSON.
    Leaf(Leaf<'a>),
    /// A value that neither a document nor JSON can hold.
    Other,
}

/// A type of values that can be checked.
pub trait CheckedValue: Sized {
    /// Returns a view of this value.
    fn view(&self) -> View<'_, Self>;
}

impl CheckedValue for Value {
    fn view(&self) -> View<'_, Self> {
        match self {
            Self::Null => View::Null,
            Self::List(items) => View::List(items),
            Self::Object(fields) => View::Object(fields),
            Self::String(text) => View::Leaf(Leaf::Text(text)),
            Self::Enum(name) => View::Leaf(Leaf::Name(name)),
            Self::Number(number) => View::Leaf(Leaf::Number(number)),
            Self::Boolean(_) => View::Leaf(Leaf::Boolean),
            Self::Binary(_) => View::Other,
        }
    }
}

impl CheckedValue for Literal {
    fn view(&self) -> View<'_, Self> {
        match self {
            Self::Variable(_) => View::Variable,
            Self::Null => View::Null,
            Self::List(items) => View::List(items),
            Self::Object(fields) => View::Object(fields),
            Self::String(text) => View::Leaf(Leaf::Text(text)),
            Self::Enum(name) => View::Leaf(Leaf::Name(name)),
            Self::Number(number) => View::Leaf(Leaf::Number(number)),
            Self::Boolean(_) => View::Leaf(Leaf::Boolean),
            Self::Binary(_) => View::Other,
        }
    }
}

/// The path inside a value to the part that does not fit, innermost step first, and a description. Does not contain the
/// value itself, which may be personal data.
#[derive(Debug)]
pub struct ValueMismatch {
    code: Code,
    path: Vec<String>,
    what: String,
}

impl ValueMismatch {
    /// Creates a mismatch of the whole value. `what` continues a sentence that begins with the name of the value.
    pub fn new(what: impl Into<String>) -> Self {
        Self { code: Code::Invalid, path: Vec::new(), what: what.into() }
    }

    /// Creates a mismatch of a missing value.
    fn missing(what: &str) -> Self {
        Self { code: Code::Required, ..Self::new(what) }
    }

    fn within(mut self, step: &impl ToString) -> Self {
        self.path.push(step.to_string());
        self
    }

    /// Returns the path, outermost step first: names of fields and indexes of lists, each after a dot.
    pub fn place(&self) -> String {
        self.path.iter().rev().flat_map(|step| [".", step]).collect()
    }

    /// Returns the description.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Converts the mismatch to an error in the input of a mutation.
    pub fn into_user_error(self) -> UserError {
        UserError {
            code: self.code,
            message: format!("this {}", self.what),
            path: self.path.into_iter().rev().collect(),
        }
    }
}

impl fmt::Display for ValueMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.place(), self.what)
    }
}

/// Checks a value and converts its numbers to its type: `5.0` from JSON becomes the Int 5, and the number 7 the ID "7".
/// Err if the value does not fit. Does not check rows of bulk calls: see [`split_valid`].
pub fn coerce(value: &mut Value, ty: &Type, schema_index: &SchemaIndex, origin: Origin) -> Result<(), ValueMismatch> {
    let check = Check { schema_index, origin, is_rewritten: Cell::new(false) };
    check.value(value, ty)?;
    if check.is_rewritten.get() {
        rewrite(value, ty, schema_index);
    }
    Ok(())
}

/// Err if a literal does not fit its type, regardless of the variables in it.
pub fn literal<V: CheckedValue>(value: &V, ty: &Type, schema_index: &SchemaIndex) -> Result<(), ValueMismatch> {
    Check { schema_index, origin: Origin::Document, is_rewritten: Cell::new(false) }.value(value, ty)
}

/// Returns the fields of a row of a bulk call that fit its type, and the mismatches of the others. Stops after
/// [`MAX_ERRORS`] mismatches.
pub fn split_valid<'a>(
    row: &'a Value,
    name: &str,
    schema_index: &SchemaIndex,
) -> (Cow<'a, IndexMap<Name, Value>>, Vec<ValueMismatch>) {
    let check = Check { schema_index, origin: Origin::Both, is_rewritten: Cell::new(false) };
    let whole = match (schema_index.input(name), row) {
        (Some(Input::Object(object)), Value::Object(given)) => {
            if check.object(given, object, name).is_ok() {
                return (Cow::Borrowed(given), Vec::new());
            }
            let (mut sound, mut mismatches) = (IndexMap::new(), Vec::new());
            for (field, value) in given {
                match check.field(field, value, object, name) {
                    Ok(()) => drop(sound.insert(field.clone(), value.clone())),
                    Err(mismatch) => mismatches.push(mismatch),
                }
                if mismatches.len() == MAX_ERRORS {
                    return (Cow::Owned(sound), mismatches);
                }
            }
            mismatches.extend(object.missing(given));
            return (Cow::Owned(sound), mismatches);
        }
        (_, Value::Null) => ValueMismatch::missing("must not be null"),
        _ => ValueMismatch::new(format!("must be an input object of type {name}")),
    };
    (Cow::Owned(IndexMap::new()), vec![whole])
}

impl InputObject {
    fn missing<V>(&self, given: &IndexMap<Name, V>) -> Option<ValueMismatch> {
        let missing = self.required.iter().find(|name| !given.contains_key(name.as_str()));
        missing.map(|name| ValueMismatch::missing("is required").within(name))
    }
}

struct Check<'a> {
    schema_index: &'a SchemaIndex,
    origin: Origin,
    /// Whether a number must be converted to the form of its type.
    is_rewritten: Cell<bool>,
}

impl Check<'_> {
    fn value<V: CheckedValue>(&self, value: &V, ty: &Type) -> Result<(), ValueMismatch> {
        match (&ty.base, value.view()) {
            (_, View::Variable) => Ok(()),
            (_, View::Null) if ty.nullable => Ok(()),
            (BaseType::List(inner), View::List(items)) if self.is_split(inner) => {
                for item in items {
                    self.row(item, inner);
                }
                Ok(())
            }
            (_, View::Null) => Err(ValueMismatch::missing("must not be null")),
            (BaseType::List(inner), View::List(items)) => {
                items.iter().enumerate().try_for_each(|(at, item)| self.value(item, inner).map_err(|m| m.within(&at)))
            }
            // GraphQL coerces a single value to a list with one item.
            (BaseType::List(inner), _) => self.value(value, inner),
            (BaseType::Named(_), _) if self.is_split(ty) => {
                self.row(value, ty);
                Ok(())
            }
            (BaseType::Named(name), view) => self.named(&view, name),
        }
    }

    /// Returns whether `ty` is a row of a bulk call, which [`split_valid`] checks when the row is read.
    fn is_split(&self, ty: &Type) -> bool {
        self.origin != Origin::Document && self.schema_index.is_row(ty)
    }

    /// Checks a row only for numbers to convert. The check stops at the first mismatch, and numbers may follow it, so a
    /// row that does not fit is always rewritten.
    fn row<V: CheckedValue>(&self, row: &V, ty: &Type) {
        if let BaseType::Named(name) = &ty.base
            && self.named(&row.view(), name).is_err()
        {
            self.is_rewritten.set(true);
        }
    }

    fn named<V: CheckedValue>(&self, view: &View<'_, V>, name: &str) -> Result<(), ValueMismatch> {
        // Fast path: most values are scalars, which need no look-up among all types.
        if let Some(scalar) = Scalar::of(name) {
            return match view {
                View::Leaf(leaf) if self.scalar(scalar, *leaf) => Ok(()),
                View::List(_) => Err(ValueMismatch::new(format!("must be {}, and no list", scalar.wanted()))),
                _ => Err(ValueMismatch::new(format!("must be {}", scalar.wanted()))),
            };
        }
        match (self.schema_index.input(name), view) {
            (Some(Input::Object(object)), View::Object(given)) => self.object(given, object, name),
            (Some(Input::Object(object)), view) => {
                let meant = self.meant(object, view).map(|form| suggest::form(&form)).unwrap_or_default();
                Err(ValueMismatch::new(format!("must be an input object of type {name}.{meant}")))
            }
            (Some(Input::Enum(values)), View::Leaf(Leaf::Text(text) | Leaf::Name(text))) => {
                let is_in_form = match view {
                    View::Leaf(Leaf::Text(_)) => self.origin != Origin::Document,
                    _ => self.origin != Origin::Variable,
                };
                match values.contains(*text) {
                    true if is_in_form => Ok(()),
                    true => Err(ValueMismatch::new(format!(
                        "is a value of {name}: write it without quotes.{}",
                        suggest::form(text)
                    ))),
                    false => {
                        let meant = suggest::value(text, values.iter().map(String::as_str));
                        Err(ValueMismatch::new(format!("is not a value of {name}.{meant}")))
                    }
                }
            }
            (Some(Input::Enum(_)), _) => Err(ValueMismatch::new(format!("must be one value of {name}"))),
            (None, _) => Err(ValueMismatch::new(format!("cannot be given: there is no input type {name}"))),
        }
    }

    fn scalar(&self, scalar: Scalar, leaf: Leaf<'_>) -> bool {
        let is_loose = match (scalar, leaf) {
            (Scalar::Int, Leaf::Number(number)) if number.is_f64() && self.origin == Origin::Variable => {
                whole(number).is_some_and(|whole| i32::try_from(whole).is_ok())
            }
            (Scalar::Id, Leaf::Number(number)) => {
                !number.is_f64() || (self.origin == Origin::Variable && whole(number).is_some())
            }
            _ => return scalar.takes(leaf),
        };
        if is_loose {
            self.is_rewritten.set(true);
        }
        is_loose
    }

    fn object<V: CheckedValue>(
        &self,
        given: &IndexMap<Name, V>,
        object: &InputObject,
        name: &str,
    ) -> Result<(), ValueMismatch> {
        if object.is_one_of {
            let is_one = given.len() == 1 && !given.values().any(|value| matches!(value.view(), View::Null));
            if !is_one {
                let mut names: Vec<&str> = object.fields.keys().map(String::as_str).collect();
                names.sort_unstable();
                let names = names.join(" or ");
                return Err(ValueMismatch::new(format!("must have exactly one field that is not null: {names}")));
            }
        }
        // Input objects have many fields and callers give few, so look up the given fields only.
        for (field_name, value) in given {
            self.field(field_name, value, object, name)?;
        }
        object.missing(given).map_or(Ok(()), Err)
    }

    fn field<V: CheckedValue>(
        &self,
        field: &Name,
        value: &V,
        object: &InputObject,
        name: &str,
    ) -> Result<(), ValueMismatch> {
        if let Some(ty) = object.fields.get(field.as_str()) {
            return self.value(value, ty).map_err(|mismatch| mismatch.within(field));
        }
        // A key that is not a valid name may contain personal data, so the message does not quote it.
        let is_name = |sign: char| sign == '_' || sign.is_ascii_alphanumeric();
        if field.len() > MAX_NAME_LENGTH || field.is_empty() || !field.chars().all(is_name) {
            return Err(ValueMismatch::new(format!("has a field that {name} does not have")));
        }
        let meant = suggest::name(field, object.fields.keys().map(String::as_str));
        Err(ValueMismatch::new(format!("is not a field of {name}.{meant}")).within(field))
    }

    /// Returns the form of the input object that a scalar or list was probably meant as.
    fn meant<V: CheckedValue>(&self, object: &InputObject, view: &View<'_, V>) -> Option<String> {
        let known = |text: &str, field: &str| {
            let BaseType::Named(name) = &object.fields.get(field)?.base else { return None };
            match self.schema_index.input(name)? {
                Input::Enum(values) => values.get(text).cloned(),
                Input::Object(_) => None,
            }
        };
        // Show values of enums only; any other value may be personal data.
        let shown = |field| match view {
            View::Leaf(Leaf::Text(text) | Leaf::Name(text)) => known(text, field),
            _ => None,
        };
        let shown = |field| shown(field).unwrap_or_else(|| "…".to_owned());
        let has = |field: &str| object.fields.contains_key(field);
        match view {
            View::List(_) if has("in") => Some("{in: […]}".to_owned()),
            View::Leaf(_) if has("eq") => Some(format!("{{eq: {}}}", shown("eq"))),
            View::Leaf(_) | View::List(_) if has("hasAny") => Some("{hasAny: […]}".to_owned()),
            View::Leaf(_) if object.is_one_of && has("id") => Some("{id: …}".to_owned()),
            _ => None,
        }
    }
}

/// Converts numbers to the form of their types.
fn rewrite(value: &mut Value, ty: &Type, schema_index: &SchemaIndex) {
    match (&ty.base, value) {
        (BaseType::List(inner), Value::List(items)) => {
            items.iter_mut().for_each(|item| rewrite(item, inner, schema_index));
        }
        (BaseType::List(inner), single) => rewrite(single, inner, schema_index),
        (BaseType::Named(name), Value::Object(fields)) => {
            let Some(Input::Object(object)) = schema_index.input(name) else { return };
            for (name, value) in fields {
                if let Some(field) = object.fields.get(name.as_str()) {
                    rewrite(value, field, schema_index);
                }
            }
        }
        (BaseType::Named(name), value) => {
            let Value::Number(number) = &*value else { return };
            match (name.as_str(), whole(number)) {
                ("ID", Some(whole)) => *value = Value::String(whole.to_string()),
                ("ID", None) if number.is_u64() => *value = Value::String(number.to_string()),
                ("Int", Some(whole)) => *value = Value::Number(whole.into()),
                _ => {}
            }
        }
    }
}
