//! Opaque cursors. A cursor contains the sort values and the id of a row and is valid for one list of one organization.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use entity::{Noun, id::OrganizationId};
use sea_orm::prelude::Uuid;
use serde_json::Value;

use super::page::Term;
use crate::{
    Error, Result,
    store::statement::cell::{Cell, CellKind},
};

/// Encodes and decodes the cursors of one list, order and organization, and rejects all others.
#[derive(Clone, Debug)]
pub struct Codec {
    signature: String,
    kinds: Vec<(CellKind, bool)>,
}

impl Codec {
    /// Creates the codec for a list of `noun` in `order`.
    pub fn new(noun: &Noun, order: &[Term], organization: OrganizationId) -> Self {
        let mut text = format!("{}\n{}", organization.0, noun.table);
        for term in order {
            text.push('\n');
            text.push_str(term.column.name);
            text.push(if term.is_descending { '-' } else { '+' });
            if term.is_null_largest {
                text.push('0');
            }
        }
        Self::of(&text, order.iter().map(|term| (term.column.kind, term.column.is_nullable)).collect())
    }

    /// Creates the codec for a query that is no list of a noun. `question` differs between queries of which one does not
    /// continue the other. The values of a row are not null and have these kinds.
    pub fn for_query(question: &str, kinds: &[CellKind], organization: OrganizationId) -> Self {
        Self::of(&format!("{}\n\n{question}", organization.0), kinds.iter().map(|kind| (*kind, false)).collect())
    }

    fn of(identity: &str, kinds: Vec<(CellKind, bool)>) -> Self {
        let digest = digest(&SHA256, identity.as_bytes());
        Self { signature: URL_SAFE_NO_PAD.encode(&digest.as_ref()[..6]), kinds }
    }

    /// Returns the cursor of a row, given its values of the columns of the order.
    pub fn encode<'a>(&self, values: impl IntoIterator<Item = &'a Cell>) -> String {
        // Written piece by piece: a page with the cursor of each row has a thousand.
        let mut text = String::with_capacity(96);
        _ = write!(text, "[\"{}\"", self.signature);
        for value in values {
            _ = match value {
                Cell::Null => write!(text, ",null"),
                Cell::Id(id) => write!(text, ",\"{}\"", id.simple()),
                Cell::Text(part) => write!(text, ",{}", Value::from(part.as_str())),
                Cell::Int(number) => write!(text, ",{number}"),
                // The bit pattern restores the exact value.
                Cell::Float(number) => write!(text, ",{}", number.to_bits()),
                Cell::Bool(value) => write!(text, ",{value}"),
            };
        }
        text.push(']');
        URL_SAFE_NO_PAD.encode(text)
    }

    /// Returns the values in a cursor; Err `BadInput` if the text is not a cursor of this list.
    pub fn decode(&self, cursor: &str) -> Result<Vec<Cell>> {
        self.parse(cursor)
            .ok_or_else(|| Error::BadInput("the cursor does not belong to this list and order".to_owned()))
    }

    fn parse(&self, cursor: &str) -> Option<Vec<Cell>> {
        let text = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let parts: Vec<Value> = serde_json::from_slice(&text).ok()?;
        let (signature, values) = parts.split_first()?;
        if signature.as_str() != Some(&self.signature) || values.len() != self.kinds.len() {
            return None;
        }
        let cell = |(value, (kind, is_nullable)): (&Value, &(CellKind, bool))| match (kind, value) {
            (_, Value::Null) => is_nullable.then_some(Cell::Null),
            (CellKind::Id, Value::String(text)) => Uuid::try_parse(text).ok().map(Cell::Id),
            (CellKind::Text, Value::String(text)) => (!text.contains('\0')).then(|| Cell::Text(text.clone())),
            (CellKind::Int, value) => value.as_i64().map(Cell::Int),
            (CellKind::Float, value) => {
                value.as_u64().map(f64::from_bits).filter(|number| number.is_finite()).map(Cell::Float)
            }
            (CellKind::Bool, value) => value.as_bool().map(Cell::Bool),
            _ => None,
        };
        values.iter().zip(&self.kinds).map(cell).collect()
    }
}
