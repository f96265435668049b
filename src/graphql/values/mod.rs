//! Values of columns, with one file per kind: conversion from documents and JSON, and to the JSON of responses.

mod enum_value;
pub(in crate::graphql) mod filter;
pub(in crate::graphql) mod instant;
pub mod json;
mod number;
mod scalar;
mod set;
mod text;
mod time_zone;

use async_graphql::Value;
use entity::noun::{Field, Kind};

pub use self::text::text_mistake;
use super::mutation::input::{bad, int, text, wire_id};
use crate::{Error, Result, UserError, error::Code, store::statement::cell::Cell};

/// The cell for a value of a column, or the user error if the value is invalid. `Err` for a value of the wrong type.
pub type Accepted = Result<std::result::Result<Cell, UserError>>;

/// Reads a scalar of a kind as a cell, for filters. A malformed value fails the request.
pub fn read(name: &str, value: &Value, kind: Kind, prefix: &str) -> Result<Cell> {
    let cell = match kind {
        // A malformed id matches no row, like an unknown id.
        Kind::Id => Some(Cell::Id(text(value).and_then(|text| wire_id(prefix, text)).unwrap_or_default())),
        Kind::RowId { .. } => Some(Cell::Id(text(value).and_then(entity::row_id).unwrap_or_default())),
        Kind::Int { .. } => int(value).map(Cell::Int),
        Kind::Float { .. } => number::float(value).map(Cell::Float),
        Kind::Bool => {
            if let Value::Boolean(value) = value {
                Some(Cell::Bool(*value))
            } else {
                None
            }
        }
        Kind::Instant => Some(instant::read(name, value)?),
        Kind::Scalar(scalar) => {
            Some(scalar::stored(scalar, value).map_err(|(_, message)| Error::BadInput(format!("{name}: {message}")))?)
        }
        Kind::Enum(known) => enum_value::read(known, value),
        _ => text(value)
            .filter(|text| !text.contains('\0') && text.len() <= 8_000)
            .map(|text| Cell::Text(text.to_owned())),
    };
    cell.ok_or_else(|| bad(name, "a value of its type"))
}

/// Reads a value for a column of a row that a caller writes.
pub fn accept(field: &Field, value: &Value) -> Accepted {
    if *value == Value::Null {
        return Ok(if field.is_nullable {
            Ok(Cell::Null)
        } else {
            Err(UserError::new(Code::Required, field.name, "this field cannot be null"))
        });
    }
    match field.kind {
        Kind::Text { max } => text::accept(field, value, max),
        Kind::TimeZone => time_zone::accept(field, value),
        Kind::Int { min, max } => number::accept_int(field, value, (min, max)),
        Kind::Float { min, max } => number::accept_float(field, value, (min, max)),
        Kind::Tags { most, max } => set::accept_tags(field, value, (most, max)),
        Kind::Attributes { most, max } => set::accept_attributes(field, value, (most, max)),
        Kind::Scalar(known) => scalar::accept(field, value, known),
        Kind::Filter(_) => Ok(filter::accept(field, value)),
        kind => read(field.name, value, kind, "").map(Ok),
    }
}
