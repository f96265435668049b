//! Object types that have only leaf fields.

use std::{collections::BTreeSet, sync::Arc};

use async_graphql::parser::types::SelectionSet;

use super::{
    plan::SelectedField,
    planner::{Group, Planner},
};
use crate::{
    Error,
    graphql::types::money_types::{self, AMOUNT, CURRENCY},
};

/// An object type that has only leaf fields.
#[derive(Debug)]
pub struct Leaf {
    /// The type name.
    pub name: &'static str,
    /// The field names.
    pub fields: &'static [&'static str],
}

/// The attributes that are shown to a caller who may not read personal data.
#[derive(Debug)]
pub struct Shown {
    /// The names of these attributes.
    pub open: Arc<BTreeSet<String>>,
    /// The error that is reported if other attributes are omitted.
    pub error: Error,
}

/// An external id of a row.
pub static EXTERNAL_ID: Leaf = Leaf { name: "ExternalId", fields: &["system", "id"] };
/// An attribute: a name and a value.
pub static ATTRIBUTE: Leaf = Leaf { name: "Attribute", fields: &["name", "value"] };
/// An amount of money.
pub static MONEY: Leaf = Leaf { name: money_types::MONEY, fields: &[AMOUNT.name, CURRENCY.name] };
/// The position of a page in its list.
pub static PAGE_INFO: Leaf =
    Leaf { name: "PageInfo", fields: &["hasNextPage", "hasPreviousPage", "startCursor", "endCursor"] };
/// A user error in a mutation's payload.
pub static USER_ERROR: Leaf = Leaf { name: "UserError", fields: &["code", "message", "path"] };

impl<'a> Planner<'a> {
    /// Returns the selected fields of an object of type `leaf`.
    pub fn leaves(self, sets: &[&'a SelectionSet], leaf: &Leaf) -> Vec<SelectedField<&'static str>> {
        let named = |(key, selected, _): Group<'a>| {
            let name = selected.name.node.as_str();
            let what = leaf.fields.iter().copied().find(|known| *known == name).unwrap_or("__typename");
            SelectedField { key, what }
        };
        self.collect(sets, leaf.name).into_iter().map(named).collect()
    }
}
