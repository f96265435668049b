//! Reads inputs into structs, and notes what is wrong with their values.

use async_graphql::Value;

use super::input::{InputFields, InputValue};
use crate::{
    Error, Result, UserError,
    error::Code,
    graphql::mutation::input::{Input as Given, list, text},
    store::usage::meter::Meter,
};

/// What a value must not go beyond.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bounds {
    /// Bounds of a number, both included.
    pub range: Option<(i64, i64)>,
    /// Longest text in characters.
    pub max: Option<usize>,
    /// Longest list.
    pub most: Option<usize>,
}

/// A step of the way to a value.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Into a field.
    Field(&'static str),
    /// Into an item of a list.
    Item(usize),
}

/// Reads an input, and notes what is wrong with its values.
#[derive(Debug, Default)]
pub struct Reader<'a> {
    path: Vec<Step>,
    mistakes: Vec<UserError>,
    meter: Option<&'a Meter>,
}

impl<'a> Reader<'a> {
    /// Reads for a mutation: what is wrong with values is data.
    pub fn mutation<T: InputFields>(input: &Given<'_>, meter: &'a Meter) -> Result<Result<T, Vec<UserError>>> {
        let mut reader = Self { meter: Some(meter), ..Self::default() };
        let read = T::read(input, &mut reader)?;
        Ok(if reader.mistakes.is_empty() { Ok(read) } else { Err(reader.mistakes) })
    }

    /// Reads for a query: what is wrong with values is wrong with the request.
    pub fn query<T: InputFields>(input: &Given<'_>) -> Result<T> {
        let mut reader = Reader::default();
        let read = T::read(input, &mut reader)?;
        match reader.mistakes.into_iter().next() {
            None => Ok(read),
            Some(mistake) => Err(Error::BadInput(format!("{} {}", mistake.path.join("."), mistake.message))),
        }
    }

    /// Reads a field.
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

    /// Goes a step further and comes back.
    pub fn within<T>(&mut self, step: Step, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.meter.map_or(Ok(()), Meter::check)?;
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

    /// Notes that the value read now is wrong.
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

    /// Where the value stands that is read now.
    pub fn place(&self) -> String {
        self.steps().join(".")
    }

    /// The refusal of a request whose value is not of its type.
    pub fn bad(&self, wanted: &str) -> Error {
        Error::BadInput(format!("{} must be {wanted}", self.place()))
    }
}
