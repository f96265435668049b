//! Finds personal data in conditions. A condition that is kept would keep it longer than the person's own rows.

use entity::{
    Noun,
    noun::{Field, Kind, Personal},
    personal::guards_external_ids,
};

use super::filter::{Comparison, Predicate};
use crate::store::{
    erasure::open_attributes::AttributeAccess,
    statement::cell::Cell,
    writing::{
        attribute_items::{ITEM, parts},
        external_ids::EXTERNAL_ID,
    },
};

impl Predicate {
    /// Returns the first field of personal data that the condition on rows of `noun` compares with a value. Words that a
    /// free text contains are no personal data: a rule must be able to look for some.
    pub fn personal_literal(&self, noun: &'static Noun, access: AttributeAccess<'_>) -> Option<&'static str> {
        let field_of = |column: &str| noun.all_fields().find(|field| field.column == column);
        let erasable = |column: &str| field_of(column).filter(|field| field.is_erasable());
        let attribute = |column: &str, name: &str| {
            let field = erasable(column).filter(|field| matches!(field.kind, Kind::Attributes { .. }))?;
            (!access.is_open_attribute(noun, name)).then_some(field.name)
        };
        match self {
            Self::All(inside) | Self::Any(inside) => inside.iter().find_map(|part| part.personal_literal(noun, access)),
            Self::Not(inside) => inside.personal_literal(noun, access),
            Self::Column(_, Comparison::IsNull) => None,
            Self::Column(column, comparison) => {
                let is_word = |field: &Field| matches!(comparison, Comparison::Contains(_)) && is_free_text(field);
                erasable(column.name).filter(|field| !is_word(field)).map(|field| field.name)
            }
            Self::Matches(column, _) => {
                erasable(column.name).filter(|field| !is_free_text(field)).map(|field| field.name)
            }
            Self::HasAny { column, items } => items.iter().find_map(|item| attribute(column, parts(item).0)),
            Self::HasAll { column, items } => items.iter().find_map(|item| attribute(column, parts(item).0)),
            Self::HasItem { column, .. } if *column == EXTERNAL_ID.name => {
                guards_external_ids(noun).then_some("externalIds")
            }
            Self::HasItem { column, inside } => attribute(column, inside.attribute_name().unwrap_or_default()),
            Self::Some(relation, inside) => inside.personal_literal(relation.target, access),
        }
    }

    /// Returns the name of the attribute that a condition on its items begins with.
    fn attribute_name(&self) -> Option<&str> {
        match self {
            Self::All(inside) => inside.first()?.attribute_name(),
            Self::Column(column, Comparison::Gte(Cell::Text(from))) if column.name == ITEM.name => Some(parts(from).0),
            _ => None,
        }
    }
}

fn is_free_text(field: &Field) -> bool {
    field.personal == Personal::FreeText
}
