//! Writes values of columns as JSON. All such values are written here.

use entity::kind::{Kind, Scalar, Storage};
use sea_orm::prelude::Uuid;
use serde::Serialize;

use super::{filter, instant};
use crate::store::statement::cell::Cell;

/// Writes the value of a column of this kind. Ids get the prefix of their noun.
pub(in crate::graphql) fn write(json: &mut Vec<u8>, cell: &Cell, kind: Kind, prefix: &str) {
    match (cell, kind) {
        (Cell::Null, _) => json.extend_from_slice(b"null"),
        (Cell::Id(id), _) => write_id(json, prefix, *id),
        (Cell::Int(at), Kind::Instant) => instant::write(json, *at),
        (Cell::Int(number), Kind::Scalar(Scalar { storage: Storage::Int { json: shown }, .. })) => {
            json.extend_from_slice(shown(*number).as_bytes());
        }
        (Cell::Int(number), _) => write_int(json, *number),
        (Cell::Float(number), _) => serialize(json, number),
        (Cell::Bool(value), _) => json.extend_from_slice(if *value { b"true" } else { b"false" }),
        // The stored text is already the JSON to return.
        (Cell::Text(shown), Kind::Tags { .. } | Kind::Attributes { .. } | Kind::Names | Kind::Json) => {
            json.extend_from_slice(shown.as_bytes());
        }
        (Cell::Text(text), Kind::Filter(_)) => json.extend_from_slice(filter::parts(text).1.as_bytes()),
        (Cell::Text(text), _) => write_text(json, text),
    }
}

/// Returns the value of a column of this kind as a JSON value.
pub fn value(cell: &Cell, kind: Kind, prefix: &str) -> serde_json::Value {
    let mut json = Vec::new();
    write(&mut json, cell, kind, prefix);
    serde_json::from_slice(&json).unwrap_or_default()
}

/// Writes an id with its noun's prefix.
pub(in crate::graphql) fn write_id(json: &mut Vec<u8>, prefix: &str, id: Uuid) {
    // Prefixes and ids contain no characters that JSON escapes.
    json.push(b'"');
    json.extend_from_slice(prefix.as_bytes());
    json.push(b'_');
    json.extend_from_slice(&entity::id::digits(id));
    json.push(b'"');
}

/// Writes a string.
pub(in crate::graphql) fn write_text(json: &mut Vec<u8>, text: &str) {
    serialize(json, text);
}

/// Writes an integer.
pub(in crate::graphql) fn write_int(json: &mut Vec<u8>, number: i64) {
    serialize(json, &number);
}

fn serialize(json: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    serde_json::to_writer(json, value).expect("texts and numbers can be written to memory");
}
