//! Reads inputs into structs and collects the errors in their values.

use async_graphql::Value;

use super::input::{InputFields, InputValue};
use crate::{
    Error, Result, UserError,
    error::Code,
    graphql::mutation::input::{Input as Given, list, text},
    store::usage::compute::Computation,
};

/// The limits of a value.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bounds {
    /// The minimum and maximum of a number, both inclusive.
    pub range: Option<(i64, i64)>,
    /// The maximum length of a text, in characters.
    pub max: Option<usize>,
    /// The maximum number of items of a list.
    pub most: Option<usize>,
}

/// A step of the path to a value.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// To a field.
    Field(&'static str),
    /// To an item of a list.
    Item(usize),
}

/// Reads an input and collects the errors in its values.
#[derive(Debug, Default)]
pub struct Reader<'a> {
    path: Vec<Step>,
    mistakes: Vec<UserError>,
    computation: Option<&'a Computation>,
}

impl<'a> Reader<'a> {
    /// Reads the input of a mutation: invalid values are returned as user errors.
    pub fn mutation<T: InputFields>(
        input: &Given<'_>,
        computation: &'a Computation,
    ) -> Result<Result<T, Vec<UserError>>> {
        let mut reader = Self { computation: Some(computation), ..Self::default() };
        let read = T::read(input, &mut reader)?;
        Ok(if reader.mistakes.is_empty() { Ok(read) } else { Err(reader.mistakes) })
    }

    /// Reads the input of a query or computed field: an invalid value fails the request.
    pub fn query<T: InputFields>(input: &Given<'_>) -> Result<T> {
        let mut reader = Reader::default();
        let read = T::read(input, &mut reader)?;
        match reader.mistakes.into_iter().next() {
            None => Ok(read),
            Some(mistake) => Err(Error::BadInput(format!("{} {}", mistake.path.join("."), mistake.message))),
        }
    }

    /// Reads a field. A missing or null value is replaced by `default`, or else by the value for absence of its type.
    pub fn field<T: InputValue<K>, K>(
        &mut self,
        input: &Given<'_>,
        name: &'static str,
        default: Option<T>,
        bounds: Bounds,
    ) -> Result<T> {
        self.within(Step::Field(name), |reader| match input.present(name) {
            Some(value) => {
                reader.check(value, bounds);
                T::read(value, reader)
            }
            None => default.or_else(T::absent).ok_or_else(|| reader.bad("given")),
        })
    }

    /// Reads a value one step below the current path.
    pub fn within<T>(&mut self, step: Step, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.computation.map_or(Ok(()), Computation::check)?;
        self.path.push(step);
        let read = read(self);
        self.path.pop();
        read
    }

    fn check(&mut self, value: &Value, Bounds { range, max, most }: Bounds) {
        if let (Some((from, to)), Value::Number(number)) = (range, value)
            && !number.as_i64().is_some_and(|number| (from..=to).contains(&number))
        {
            self.refuse(Code::OutOfRange, format!("must be from {from} to {to}"));
        }
        if let (Some(max), Some(text)) = (max, text(value))
            && text.chars().count() > max
        {
            self.refuse(Code::TooLong, format!("is longer than {max} characters"));
        }
        if most.is_some_and(|most| list(value).len() > most) {
            self.refuse(Code::TooLong, format!("takes at most {}", most.unwrap_or_default()));
        }
    }

    /// Records that the current value is invalid.
    pub fn refuse(&mut self, code: Code, message: impl Into<String>) {
        self.mistakes.push(UserError { code, message: message.into(), path: self.steps() });
    }

    fn steps(&self) -> Vec<String> {
        let steps = self.path.iter().map(|step| match step {
            Step::Field(name) => (*name).to_owned(),
            Step::Item(index) => index.to_string(),
        });
        steps.collect()
    }

    /// Returns the path of the current value, joined with dots.
    pub fn place(&self) -> String {
        self.steps().join(".")
    }

    /// Returns the request error for a current value of the wrong type.
    pub fn bad(&self, wanted: &str) -> Error {
        Error::BadInput(format!("{} must be {wanted}", self.place()))
    }
}
