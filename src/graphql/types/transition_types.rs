//! The inputs and descriptions of the mutations for transitions.

use async_graphql::registry::MetaInputValue;
use entity::{Noun, lifecycle::Transition};

use super::roots::{input_type, limits, value};
use crate::graphql::slice::reference_field;

/// Returns the input fields for the columns that a transition takes.
pub(super) fn given(noun: &Noun, transition: &Transition) -> impl Iterator<Item = MetaInputValue> {
    transition.given().map(|(column, is_required)| {
        let bang = if is_required { "!" } else { "" };
        if let Some(field) = noun.fields.iter().find(|field| field.column == column) {
            return value(field.name, &format!("{}{bang}", input_type(field)), &limits(field));
        }
        let relation = noun.relations.iter().find(|relation| relation.is_by(column));
        let relation = relation.expect("a transition takes columns of its noun");
        value(&reference_field(relation), &format!("{}Ref{bang}", relation.target.name), relation.doc)
    })
}

/// Returns the description of a transition: its effect, the states that it is allowed in, and the state that it leads
/// to.
pub(super) fn doc(transition: &Transition) -> String {
    let Transition { doc, from, to, .. } = transition;
    let from = from.join(" or ");
    format!(
        "{doc} Allowed in the state {from}; leads to {to}. Fails with INVALID_TRANSITION otherwise, and if it is archived."
    )
}
