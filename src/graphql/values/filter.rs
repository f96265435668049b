//! Stored filters as values: the JSON of a noun's filter, behind the scopes of the caller who saved it.

use async_graphql::Value;
use entity::noun::Field;

use crate::{UserError, error::Code, store::statement::cell::Cell};

/// Maximum length of a stored filter as JSON, in bytes.
const LONGEST: usize = 20_000;
/// Separates the scopes from the JSON, which has no line breaks.
const BREAK: char = '\n';

/// Reads a filter as a value without scopes. Its conditions are checked later, because that depends on the caller.
pub(super) fn accept(field: &Field, value: &Value) -> std::result::Result<Cell, UserError> {
    let json = serde_json::to_string(value).unwrap_or_default();
    if json.len() > LONGEST {
        let message = format!("a stored filter has at most {LONGEST} bytes as JSON");
        return Err(UserError::new(Code::TooLong, field.name, message));
    }
    Ok(Cell::Text(with_scopes("", &json)))
}

/// Returns the stored text of a filter as JSON and the scopes of the caller who saves it.
pub(in crate::graphql) fn with_scopes(scopes: &str, json: &str) -> String {
    format!("{scopes}{BREAK}{json}")
}

/// Returns the scopes and the JSON of a stored filter.
pub(in crate::graphql) fn parts(stored: &str) -> (&str, &str) {
    stored.split_once(BREAK).unwrap_or(("", stored))
}
