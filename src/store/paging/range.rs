//! Expresses the rows after a cursor as ranges of an index.
//!
//! The rows are a union of ranges. Each range fixes some leading columns and bounds the next one, so it is one scan of
//! the index of the order. If no column is nullable and all have the same direction, one row comparison is sufficient.
//! Indexes store null as the smallest value; if null is the largest value of the first column, the rows with null in
//! this column form a separate range.

use super::page::Term;
use crate::store::statement::{
    builder::{Alias, Sql},
    cell::Cell,
};

/// A condition that a range puts on its rows.
#[derive(Clone, Debug)]
pub enum Bound {
    /// Equal to the value, which may be null.
    Equals(Term, Cell),
    /// Strictly greater or strictly less than the value.
    Past(Term, Cell, Side),
    /// Not null.
    Present(Term),
    /// Null.
    Absent(Term),
    /// A row comparison of several non-nullable columns of one direction.
    RowPast(Vec<Term>, Vec<Cell>, Side),
}

/// Direction of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Greater.
    Greater,
    /// Less.
    Less,
}

/// Returns the rows strictly after `values` in `order`, or strictly before if `is_before`, as disjoint ranges.
pub fn ranges(order: &[Term], values: &[Cell], is_before: bool) -> Vec<Vec<Bound>> {
    let side = |term: &Term| if term.is_descending == is_before { Side::Greater } else { Side::Less };
    let uniform = order.iter().all(|term| !term.column.is_nullable && side(term) == side(&order[0]));
    if uniform {
        return vec![vec![Bound::RowPast(order.to_vec(), values.to_vec(), side(&order[0]))]];
    }
    let mut found = Vec::new();
    for (place, (term, value)) in order.iter().zip(values).enumerate() {
        let prefix = || -> Vec<Bound> {
            order[..place].iter().zip(values).map(|(term, value)| Bound::Equals(*term, value.clone())).collect()
        };
        let mut add = |bound| {
            let mut range = prefix();
            range.push(bound);
            found.push(range);
        };
        match (side(term), value) {
            (side, Cell::Null) if side == null_side(term) => {}
            (_, Cell::Null) => add(Bound::Present(*term)),
            (side, value) => {
                add(Bound::Past(*term, value.clone(), side));
                if term.column.is_nullable && side == null_side(term) {
                    add(Bound::Absent(*term));
                }
            }
        }
    }
    found
}

/// Returns the side of all other values on which null sorts.
const fn null_side(term: &Term) -> Side {
    if term.is_null_largest { Side::Greater } else { Side::Less }
}

/// Returns all rows in `order` as ranges that its index can serve.
pub fn whole(order: &[Term]) -> Vec<Vec<Bound>> {
    match order.first() {
        Some(first) if first.is_null_largest => vec![vec![Bound::Present(*first)], vec![Bound::Absent(*first)]],
        _ => vec![Vec::new()],
    }
}

/// Appends the condition that a row of the table `alias` comes after `values` in `order`.
pub fn follows(sql: &mut Sql, alias: Alias, order: &[Term], values: &[Cell]) {
    sql.push(" AND (FALSE");
    // Rows without an order have no next row: there is at most one.
    let all = if order.is_empty() { Vec::new() } else { ranges(order, values, false) };
    for range in all {
        sql.push(" OR (TRUE");
        for bound in range {
            bound.write(sql.push(" AND "), alias);
        }
        sql.push(")");
    }
    sql.push(")");
}

impl Bound {
    /// Returns whether, within the bound, either all rows or no rows are null in the column of the term.
    pub fn parts_nulls(&self, term: &Term) -> bool {
        match self {
            Self::Equals(known, _) | Self::Past(known, ..) | Self::Present(known) | Self::Absent(known) => {
                known.column.name == term.column.name
            }
            Self::RowPast(..) => false,
        }
    }

    /// Appends the bound as a condition on the table `alias`.
    pub fn write(&self, sql: &mut Sql, alias: Alias) {
        match self {
            Self::Equals(term, Cell::Null) | Self::Absent(term) => {
                sql.column(alias, term.column.name).push(" IS NULL");
            }
            Self::Equals(term, value) => {
                sql.column(alias, term.column.name).push(" = ").cell(value, term.column.kind);
            }
            Self::Past(term, value, side) => {
                sql.column(alias, term.column.name).push(side.sign()).cell(value, term.column.kind);
            }
            Self::Present(term) => {
                sql.column(alias, term.column.name).push(" IS NOT NULL");
            }
            Self::RowPast(terms, values, side) => {
                sql.push("(").list(terms, |sql, term| {
                    sql.column(alias, term.column.name);
                });
                sql.push(")").push(side.sign()).push("(");
                sql.list(terms.iter().zip(values), |sql, (term, value)| {
                    sql.cell(value, term.column.kind);
                });
                sql.push(")");
            }
        }
    }
}

impl Side {
    const fn sign(self) -> &'static str {
        match self {
            Self::Greater => " > ",
            Self::Less => " < ",
        }
    }
}
