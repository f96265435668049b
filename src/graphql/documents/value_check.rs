//! Whether values fit the types of the schema: literals of a document, variables, and arguments once variables are put in.

use std::{cell::Cell, fmt};

use async_graphql::{
    Name, Value,
    indexmap::IndexMap,
    parser::types::{BaseType, Type},
};
use async_graphql_value::Value as Literal;

use super::suggest;
use crate::graphql::types::{
    scalars::{Leaf, Scalar, whole},
    schema_index::{Input, InputObject, SchemaIndex},
};

/// Where values come from: each has its own form of enum values and numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The text of a document. Variables in it are passed over.
    Document,
    /// JSON.
    Variable,
    /// A document whose variables were put in, after both were checked.
    Both,
}

/// A value as the check sees it.
pub enum View<'a, V> {
    /// Null.
    Null,
    /// A variable.
    Variable,
    /// A list.
    List(&'a [V]),
    /// An object.
    Object(&'a IndexMap<Name, V>),
    /// Anything else that a document or JSON can hold.
    Leaf(Leaf<'a>),
    /// What neither can.
    Other,
}

/// Values that can be checked.
pub trait Look: Sized {
    /// One look at it.
    fn view(&self) -> View<'_, Self>;
}

impl Look for Value {
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

impl Look for Literal {
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

/// Where inside a value it is wrong, innermost first, and how. Never the value: it may be personal data.
#[derive(Debug)]
pub struct ValueMismatch {
    path: Vec<String>,
    what: String,
}

impl ValueMismatch {
    /// A value that is wrong as a whole, and how: what follows its name in a sentence.
    pub fn new(what: impl Into<String>) -> Self {
        Self { path: Vec::new(), what: what.into() }
    }

    fn within(mut self, step: &impl ToString) -> Self {
        self.path.push(step.to_string());
        self
    }

    /// The place: names of fields and indexes of lists, each after a dot.
    pub fn place(&self) -> String {
        self.path.iter().rev().flat_map(|step| [".", step]).collect()
    }

    /// How it is wrong.
    pub fn what(&self) -> &str {
        &self.what
    }
}

impl fmt::Display for ValueMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.place(), self.what)
    }
}

/// Makes a value one of its type: `5.0` from JSON becomes the Int 5, and the number 7 the ID "7".
pub fn coerce(value: &mut Value, ty: &Type, shape: &SchemaIndex, origin: Origin) -> Result<(), ValueMismatch> {
    let check = Check { shape, origin, is_rewritten: Cell::new(false) };
    check.value(value, ty)?;
    if check.is_rewritten.get() {
        rewrite(value, ty, shape);
    }
    Ok(())
}

/// Refuses a literal that is none of its type, whatever its variables are.
pub fn literal<V: Look>(value: &V, ty: &Type, shape: &SchemaIndex) -> Result<(), ValueMismatch> {
    Check { shape, origin: Origin::Document, is_rewritten: Cell::new(false) }.value(value, ty)
}

struct Check<'a> {
    shape: &'a SchemaIndex,
    origin: Origin,
    /// Whether a number stands in a form that is not that of its type.
    is_rewritten: Cell<bool>,
}

impl Check<'_> {
    fn value<V: Look>(&self, value: &V, ty: &Type) -> Result<(), ValueMismatch> {
        match (&ty.base, value.view()) {
            (_, View::Variable) => Ok(()),
            (_, View::Null) if ty.nullable => Ok(()),
            (_, View::Null) => Err(ValueMismatch::new("must not be null")),
            (BaseType::List(inner), View::List(items)) => {
                items.iter().enumerate().try_for_each(|(at, item)| self.value(item, inner).map_err(|m| m.within(&at)))
            }
            // A single value stands for a list of one.
            (BaseType::List(inner), _) => self.value(value, inner),
            (BaseType::Named(name), view) => self.named(&view, name),
        }
    }

    fn named<V: Look>(&self, view: &View<'_, V>, name: &str) -> Result<(), ValueMismatch> {
        // Most values are scalars, which need no look-up among all types.
        if let Some(scalar) = Scalar::of(name) {
            return match view {
                View::Leaf(leaf) if self.scalar(scalar, *leaf) => Ok(()),
                View::List(_) => Err(ValueMismatch::new(format!("must be {}, and no list", scalar.wanted()))),
                _ => Err(ValueMismatch::new(format!("must be {}", scalar.wanted()))),
            };
        }
        match (self.shape.input(name), view) {
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

    fn object<V: Look>(
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
        // An input object has many fields that few give: those are looked up, and not the others.
        for (field_name, value) in given {
            let Some(field) = object.fields.get(field_name.as_str()) else {
                let meant = suggest::name(field_name, object.fields.keys().map(String::as_str));
                return Err(ValueMismatch::new(format!("is not a field of {name}.{meant}")).within(field_name));
            };
            self.value(value, field).map_err(|misfit| misfit.within(field_name))?;
        }
        let missing = object.required.iter().find(|name| !given.contains_key(name.as_str()));
        missing.map_or(Ok(()), |name| Err(ValueMismatch::new("is required").within(name)))
    }

    /// The input object that a single value was probably meant as.
    fn meant<V: Look>(&self, object: &InputObject, view: &View<'_, V>) -> Option<String> {
        let known = |text: &str, field: &str| {
            let BaseType::Named(name) = &object.fields.get(field)?.base else { return None };
            match self.shape.input(name)? {
                Input::Enum(values) => values.get(text).cloned(),
                Input::Object(_) => None,
            }
        };
        // What the schema knows can be shown; any other value may be personal data.
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

/// Writes numbers in the form of their types.
fn rewrite(value: &mut Value, ty: &Type, shape: &SchemaIndex) {
    match (&ty.base, value) {
        (BaseType::List(inner), Value::List(items)) => items.iter_mut().for_each(|item| rewrite(item, inner, shape)),
        (BaseType::List(inner), single) => rewrite(single, inner, shape),
        (BaseType::Named(name), Value::Object(fields)) => {
            let Some(Input::Object(object)) = shape.input(name) else { return };
            for (name, value) in fields {
                if let Some(field) = object.fields.get(name.as_str()) {
                    rewrite(value, field, shape);
                }
            }
        }
        (BaseType::Named(name), value) => {
            let Value::Number(number) = &*value else { return };
            match (name.as_str(), whole(number)) {
                ("ID", Some(whole)) => *value = Value::String(whole.to_string()),
                ("ID", None) => *value = Value::String(number.to_string()),
                ("Int", Some(whole)) => *value = Value::Number(whole.into()),
                _ => {}
            }
        }
    }
}
