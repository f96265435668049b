//! Numbers within limits.

use async_graphql::Value;
use entity::noun::Field;

use super::Accepted;
use crate::{
    UserError,
    error::Code,
    graphql::mutation::input::{bad, int},
    store::statement::cell::Cell,
};

/// Returns a finite number. Negative zero becomes zero.
pub(super) fn float(value: &Value) -> Option<f64> {
    let Value::Number(number) = value else { return None };
    number.as_f64().filter(|number| number.is_finite()).map(|number| number + 0.0)
}

/// Reads an integer for a column; both limits are inclusive.
pub(super) fn accept_int(field: &Field, value: &Value, (min, max): (i64, i64)) -> Accepted {
    let refuse = |code, message: String| Ok(Err(UserError::new(code, field.name, message)));
    let given = int(value).ok_or_else(|| bad(field.name, "a whole number"))?;
    if (min..=max).contains(&given) {
        return Ok(Ok(Cell::Int(given)));
    }
    refuse(Code::OutOfRange, format!("the number must be from {min} to {max}"))
}

/// Reads a number for a column; both limits are inclusive.
pub(super) fn accept_float(field: &Field, value: &Value, (min, max): (f64, f64)) -> Accepted {
    let refuse = |code, message: String| Ok(Err(UserError::new(code, field.name, message)));
    let given = float(value).ok_or_else(|| bad(field.name, "a number"))?;
    if (min..=max).contains(&given) {
        return Ok(Ok(Cell::Float(given)));
    }
    refuse(Code::OutOfRange, format!("the number must be from {min} to {max}"))
}
