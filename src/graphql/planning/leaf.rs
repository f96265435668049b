//! The objects that have no fields but leaves.

use std::{collections::BTreeSet, sync::Arc};

use async_graphql::parser::types::SelectionSet;

use super::plan::{Group, Planner, SelectedField};
use crate::Error;

/// An object that has none but leaves.
#[derive(Debug)]
pub struct Leaf {
    /// Its type name.
    pub name: &'static str,
    /// Its fields.
    pub fields: &'static [&'static str],
}

/// The attributes that are shown to a caller who may not see personal data.
#[derive(Debug)]
pub struct Shown {
    /// Their names.
    pub open: Arc<BTreeSet<String>>,
    /// What is told where others are left out.
    pub error: Error,
}

/// An external id.
pub static EXTERNAL_ID: Leaf = Leaf { name: "ExternalId", fields: &["system", "id"] };
/// A named value.
pub static ATTRIBUTE: Leaf = Leaf { name: "Attribute", fields: &["name", "value"] };
/// Where a page stands in its list.
pub static PAGE_INFO: Leaf =
    Leaf { name: "PageInfo", fields: &["hasNextPage", "hasPreviousPage", "startCursor", "endCursor"] };
/// What is wrong with a mutation's input.
pub static USER_ERROR: Leaf = Leaf { name: "UserError", fields: &["code", "message", "path"] };

impl<'a> Planner<'a> {
    /// The fields of an object that has none but leaves.
    pub fn leaves(self, sets: &[&'a SelectionSet], leaf: &Leaf) -> Vec<SelectedField<&'static str>> {
        let named = |(key, selected, _): Group<'a>| {
            let name = selected.name.node.as_str();
            let what = leaf.fields.iter().copied().find(|known| *known == name).unwrap_or("__typename");
            SelectedField { key, what }
        };
        self.collect(sets, leaf.name).into_iter().map(named).collect()
    }
}
