//! Writes SQLite rows as JSON while they are read.

use anyhow::Result;
use rusqlite::{Row, types::ValueRef};

use super::answer::{Expectation, Record};
use crate::wire;

pub fn text<'a>(row: &'a Row<'_>, index: usize) -> Result<&'a str> {
    Ok(row.get_ref(index)?.as_str()?)
}

pub fn maybe<'a>(row: &'a Row<'_>, index: usize) -> Result<Option<&'a str>> {
    Ok(match row.get_ref(index)? {
        ValueRef::Null => None,
        value => Some(value.as_str()?),
    })
}

/// Appends rows as a JSON list.
pub fn list(
    json: &mut Vec<u8>,
    rows: &mut rusqlite::Rows<'_>,
    each: impl Fn(&mut Vec<u8>, &Row<'_>) -> Result<()>,
) -> Result<()> {
    json.push(b'[');
    let mut is_first = true;
    while let Some(row) = rows.next()? {
        if !std::mem::take(&mut is_first) {
            json.push(b',');
        }
        each(json, row)?;
    }
    json.push(b']');
    Ok(())
}

pub fn write_record(json: &mut Vec<u8>, row: &Row<'_>) -> Result<()> {
    let record = Record {
        id: wire::id("fb", row.get(0)?),
        kind: text(row, 1)?,
        sentiment_score: row.get(2)?,
        body: maybe(row, 3)?,
        received_at: wire::instant(row.get(4)?),
    };
    Ok(serde_json::to_writer(json, &record)?)
}

pub fn write_expectation(json: &mut Vec<u8>, row: &Row<'_>) -> Result<()> {
    let expectation = Expectation {
        id: wire::id("exp", row.get(0)?),
        statement: text(row, 1)?,
        kind: text(row, 2)?,
        importance: row.get(3)?,
        rank: row.get(4)?,
    };
    Ok(serde_json::to_writer(json, &expectation)?)
}
