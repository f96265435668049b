//! What the text of the statement for a page depends on.

use super::page::{PageQuery, Term};
use crate::store::statement::{cell::Cell, template::Shape};

type Cursor = Option<Vec<Cell>>;

fn is_same_term(one: &Term, other: &Term) -> bool {
    one.column.name == other.column.name
        && one.is_descending == other.is_descending
        && one.is_null_largest == other.is_null_largest
}

/// Returns whether both cursors are given or neither is, and whether they have nulls in the same places.
fn is_same_cursor(one: &Cursor, other: &Cursor) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.is_null() == other.is_null())
        }
        (None, None) => true,
        _ => false,
    }
}

impl Shape for PageQuery {
    fn has_shape_of(&self, other: &Self) -> bool {
        self.limit == other.limit
            && self.looks_ahead == other.looks_ahead
            && self.is_backward == other.is_backward
            && self.order.len() == other.order.len()
            && self.order.iter().zip(&other.order).all(|(one, other)| is_same_term(one, other))
            && is_same_cursor(&self.after, &other.after)
            && is_same_cursor(&self.before, &other.before)
            && self.filter.has_shape_of(&other.filter)
    }

    fn without_values(&self) -> Self {
        let cursor = |cursor: &Cursor| cursor.as_ref().map(|cells| cells.iter().map(Cell::without_value).collect());
        Self {
            filter: self.filter.without_values(),
            order: self.order.clone(),
            after: cursor(&self.after),
            before: cursor(&self.before),
            limit: self.limit,
            looks_ahead: self.looks_ahead,
            is_backward: self.is_backward,
        }
    }
}
