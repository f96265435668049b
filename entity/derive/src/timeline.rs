//! Reads how the rows of a noun stand on timelines.

use syn::{Error, Ident, Result, meta::ParseNestedMeta};

use crate::{column::Column, kind};

/// The columns in `at(…)` and the relation in `via(…)`.
pub type Words = (Vec<Ident>, Option<Ident>);

/// Reads `timeline(at(…), via(…))`.
pub fn read(meta: &ParseNestedMeta<'_>) -> Result<Words> {
    let (mut at, mut via) = (Vec::new(), Vec::new());
    meta.parse_nested_meta(|inner| {
        let words = match inner.path.get_ident().map(ToString::to_string).as_deref() {
            Some("at") => &mut at,
            Some("via") => &mut via,
            _ => return Err(inner.error("a timeline has `at(…)` and may have `via(…)`")),
        };
        inner.parse_nested_meta(|word| {
            words.push(word.path.require_ident()?.clone());
            Ok(())
        })
    })?;
    if at.is_empty() || via.len() > 1 {
        return Err(meta.error("a timeline has at least one column in `at(…)`, and at most one relation in `via(…)`"));
    }
    Ok((at, via.pop()))
}

/// Returns the columns that place rows on timelines, and the API name of the relation to a row on whose timelines they
/// stand, too.
pub fn check((at, via): Words, columns: &[Column]) -> Result<(Vec<String>, Option<String>)> {
    for (place, ident) in at.iter().enumerate() {
        let is_last = place + 1 == at.len();
        let is_instant = |column: &&Column| {
            column.ident == *ident
                && kind::last_segment(&column.ty) == "ChronoUnixTimestampMillis"
                && (column.is_nullable != is_last)
        };
        if !columns.iter().any(|column| is_instant(&column)) {
            let message = "`at` names columns with instants; the last one, and no other, is never null";
            return Err(Error::new(ident.span(), message));
        }
    }
    let via = via.map(|via| {
        let column = columns.iter().find(|column| column.ident == format!("{via}_id"));
        column.map(|column| column.name.clone()).ok_or_else(|| Error::new(via.span(), "`via` names a relation"))
    });
    Ok((at.iter().map(ToString::to_string).collect(), via.transpose()?))
}
