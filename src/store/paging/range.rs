//! The rows after a cursor, as ranges.
//!
//! They are a union of ranges, each of which fixes some leading columns and bounds the next one, so each is one walk
//! along the order's index. Without nulls and with one direction, they are a single row comparison. Where null is the
//! largest value of the first column, which it is in no index, the rows that are null there are a range of their own.

use super::page::Term;
use crate::store::statement::{
    builder::{Alias, Sql},
    cell::Cell,
};

/// A bound on the rows that a range fixes or limits.
#[derive(Clone, Debug)]
pub enum Bound {
    /// Equal to the value, null included.
    Equals(Term, Cell),
    /// Strictly on the far side of the value.
    Past(Term, Cell, Side),
    /// Not null.
    Present(Term),
    /// Null.
    Absent(Term),
    /// Several columns of one direction, none null, compared as a row.
    RowPast(Vec<Term>, Vec<Cell>, Side),
}

/// Which side of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Greater.
    Greater,
    /// Less.
    Less,
}

/// The rows strictly after `values` in `order`, or strictly before, as disjoint ranges.
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

/// On which side of all values null is.
const fn null_side(term: &Term) -> Side {
    if term.is_null_largest { Side::Greater } else { Side::Less }
}

/// All rows in `order`, as ranges that its index serves.
pub fn whole(order: &[Term]) -> Vec<Vec<Bound>> {
    match order.first() {
        Some(first) if first.is_null_largest => vec![vec![Bound::Present(*first)], vec![Bound::Absent(*first)]],
        _ => vec![Vec::new()],
    }
}

/// Appends that a row called `alias` comes after `values` in `order`.
pub fn follows(sql: &mut Sql, alias: Alias, order: &[Term], values: &[Cell]) {
    sql.push(" AND (FALSE");
    // Of rows in no order there is one.
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
    /// Whether of the rows within it either all are null in the column of the term or none is.
    pub fn parts_nulls(&self, term: &Term) -> bool {
        match self {
            Self::Equals(known, _) | Self::Past(known, ..) | Self::Present(known) | Self::Absent(known) => {
                known.column.name == term.column.name
            }
            Self::RowPast(..) => false,
        }
    }

    /// Appends it as a test of the row called `alias`.
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
