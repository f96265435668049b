//! Scalars of `entity::kind`, where each file defines the accepted values of one scalar.

use std::borrow::Cow;

use async_graphql::Value;
use async_graphql_value::Number;
use entity::{
    kind::{Mistake, Scalar},
    noun::Field,
};

use super::Accepted;
use crate::{
    UserError,
    error::Code,
    graphql::{mutation::input::text, types::scalars::EXACT},
    store::statement::cell::Cell,
    text::is_blank,
};

/// Maximum length of a text that is read as a scalar, in bytes.
const MAX: usize = 8_000;

/// Returns the cell that stores a value of a scalar, or the code and message of the error.
pub(super) fn stored(scalar: &Scalar, value: &Value) -> std::result::Result<Cell, (Code, String)> {
    let given = match value {
        Value::Number(number) if scalar.accepts_numbers => digits(number).map(Cow::Owned),
        value => text(value).map(Cow::Borrowed),
    };
    let form = || (Code::Invalid, format!("this must be {}", scalar.wanted));
    let given = given.filter(|given| given.len() <= MAX && !given.contains('\0')).ok_or_else(form)?;
    (scalar.parse)(&given).map(Cell::from).map_err(|mistake| match mistake {
        Mistake::Form => form(),
        Mistake::Refused(why) => (Code::Invalid, why.to_owned()),
        Mistake::OutOfRange(range) => (Code::OutOfRange, range.to_owned()),
        Mistake::TooLong(most) => (Code::TooLong, format!("the text is longer than {most} characters")),
    })
}

/// Returns a number as decimal digits without an exponent, or `None` if double precision has lost digits.
fn digits(number: &Number) -> Option<String> {
    match number.as_f64() {
        Some(float) if number.is_f64() => (float.abs() < EXACT).then(|| float.to_string()),
        _ => Some(number.to_string()),
    }
}
/// Reads a value for a column. A text without visible characters counts as absent.
pub(super) fn accept(field: &Field, value: &Value, known: &Scalar) -> Accepted {
    let refuse = |code, message: String| Ok(Err(UserError::new(code, field.name, message)));
    if text(value).is_some_and(is_blank) {
        let message = "the text has no visible character".into();
        return if field.is_nullable { Ok(Ok(Cell::Null)) } else { refuse(Code::Required, message) };
    }
    Ok(stored(known, value).map_err(|(code, message)| UserError::new(code, field.name, message)))
}
