//! Values of enums, stored by name.

use async_graphql::Value;
use entity::noun::EnumType;

use crate::{graphql::mutation::input::text, store::statement::cell::Cell};

/// Reads a value of an enum, or returns `None` if the enum has no such value.
pub(super) fn read(known: &EnumType, value: &Value) -> Option<Cell> {
    let name = text(value).filter(|text| known.values.iter().any(|(name, _)| name == text))?;
    Some(Cell::Text(name.to_owned()))
}
