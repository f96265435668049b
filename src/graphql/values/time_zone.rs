//! Names of time zones in the IANA database.

use async_graphql::Value;
use entity::noun::Field;

use super::Accepted;
use crate::{
    UserError,
    error::Code,
    graphql::mutation::input::{bad, text},
    store::statement::cell::Cell,
    suggest,
};

/// Reads the name of a time zone for a column.
pub(super) fn accept(field: &Field, value: &Value) -> Accepted {
    let given = text(value).ok_or_else(|| bad(field.name, "a text"))?;
    Ok(stored(given).map(Cell::Text).map_err(|message| UserError::new(Code::Invalid, field.name, message)))
}

/// Returns the stored name of a time zone, or the error message.
fn stored(given: &str) -> Result<String, String> {
    given.parse::<chrono_tz::Tz>().map(|zone| zone.name().to_owned()).map_err(|_| {
        let meant = suggest::time_zone(given).map(|zone| format!("; a similar one is {zone}"));
        format!("this is not an IANA time zone{}", meant.unwrap_or_default())
    })
}
