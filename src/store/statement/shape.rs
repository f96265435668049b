//! What the text of a condition depends on.

use sea_orm::prelude::Uuid;

use super::{
    cell::{Cell, CellKind, Column},
    filter::{Comparison, Predicate},
    template::Shape,
};

impl Cell {
    /// Returns a value of the same kind without content.
    pub(in crate::store) fn without_value(&self) -> Self {
        match self {
            Self::Null => Self::Null,
            Self::Id(_) => Self::Id(Uuid::nil()),
            Self::Text(_) => Self::Text(String::new()),
            Self::Int(_) => Self::Int(0),
            Self::Float(_) => Self::Float(0.0),
            Self::Bool(_) => Self::Bool(false),
        }
    }
}

/// Returns the number of listed values as far as the text depends on it: see `Sql::is_one_of_cells`.
fn listed(kind: CellKind, cells: &[Cell]) -> usize {
    match kind {
        CellKind::Text | CellKind::Int => cells.len().min(1),
        CellKind::Id => cells.len().min(2),
        // Bound one by one on SQLite.
        CellKind::Float | CellKind::Bool => cells.len(),
    }
}

fn is_same_column(one: &Column, other: &Column) -> bool {
    one.name == other.name && one.kind == other.kind && one.is_nullable == other.is_nullable
}

fn are_same(some: &[Predicate], others: &[Predicate]) -> bool {
    some.len() == others.len() && some.iter().zip(others).all(|(one, other)| one.has_shape_of(other))
}

impl Shape for Predicate {
    fn has_shape_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All(some), Self::All(others)) | (Self::Any(some), Self::Any(others)) => are_same(some, others),
            (Self::Not(one), Self::Not(other)) => one.has_shape_of(other),
            (Self::Column(one, test), Self::Column(other, other_test)) => {
                is_same_column(one, other) && test.has_shape_of(other_test, one.kind)
            }
            (Self::HasAny { column: one, .. }, Self::HasAny { column: other, .. })
            | (Self::HasAll { column: one, .. }, Self::HasAll { column: other, .. }) => one == other,
            (Self::HasItem { column: one, inside }, Self::HasItem { column: other, inside: other_inside }) => {
                one == other && inside.has_shape_of(other_inside)
            }
            (Self::Matches(one, terms), Self::Matches(other, others)) => {
                is_same_column(one, other) && terms.phrases() == others.phrases()
            }
            (Self::Some(one, inside), Self::Some(other, other_inside)) => {
                one.name == other.name && inside.has_shape_of(other_inside)
            }
            _ => false,
        }
    }

    fn without_values(&self) -> Self {
        let all = |parts: &[Self]| parts.iter().map(Self::without_values).collect();
        match self {
            Self::All(parts) => Self::All(all(parts)),
            Self::Any(parts) => Self::Any(all(parts)),
            Self::Not(part) => Self::Not(Box::new(part.without_values())),
            Self::Column(column, test) => Self::Column(*column, test.without_values(column.kind)),
            Self::HasAny { column, .. } => Self::HasAny { column, items: Vec::new() },
            Self::HasAll { column, .. } => Self::HasAll { column, items: std::collections::BTreeSet::new() },
            Self::HasItem { column, inside } => Self::HasItem { column, inside: Box::new(inside.without_values()) },
            Self::Matches(column, terms) => Self::Matches(*column, terms.without_words()),
            Self::Some(relation, inside) => Self::Some(relation, Box::new(inside.without_values())),
        }
    }
}

impl Comparison {
    fn has_shape_of(&self, other: &Self, kind: CellKind) -> bool {
        match (self, other) {
            (Self::In(some), Self::In(others)) => listed(kind, some) == listed(kind, others),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }

    fn without_values(&self, kind: CellKind) -> Self {
        match self {
            Self::Eq(cell) => Self::Eq(cell.without_value()),
            Self::In(cells) => Self::In(cells.iter().take(listed(kind, cells)).map(Cell::without_value).collect()),
            Self::Gt(cell) => Self::Gt(cell.without_value()),
            Self::Gte(cell) => Self::Gte(cell.without_value()),
            Self::Lt(cell) => Self::Lt(cell.without_value()),
            Self::Lte(cell) => Self::Lte(cell.without_value()),
            Self::Contains(_) => Self::Contains(String::new()),
            Self::StartsWith(_) => Self::StartsWith(String::new()),
            Self::IsNull => Self::IsNull,
        }
    }
}
