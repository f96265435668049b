//! Reads how the rows of a noun belong to departments.

use syn::{Error, Ident, Result};

use crate::{column::Column, kind};

/// Returns the column by which rows belong to departments.
pub fn by(named: &[Ident], columns: &[Column]) -> Result<Option<String>> {
    let [column] = named else {
        let message = "`narrowed_by` names one column";
        return named.get(1).map_or(Ok(None), |second| Err(Error::new(second.span(), message)));
    };
    let is_one = |known: &&Column| known.ident == *column && kind::last_segment(&known.ty) == "DepartmentId";
    let message = "`narrowed_by` names a column with the id of a department: `pub <name>_id: DepartmentId`";
    columns
        .iter()
        .find(is_one)
        .map(|known| Some(known.ident.to_string()))
        .ok_or_else(|| Error::new(column.span(), message))
}

/// Returns the API names of relations to one row.
pub fn through(named: &[Ident], columns: &[Column]) -> Result<Vec<String>> {
    let name = |relation: &Ident| {
        let stored = format!("{relation}_id");
        let column = columns.iter().find(|column| column.ident == stored && column.is_reference());
        let message = "`narrowed_through` names relations to one row: `pub <name>_id: …Id`";
        column.map(|column| column.name.clone()).ok_or_else(|| Error::new(relation.span(), message))
    };
    named.iter().map(name).collect()
}
