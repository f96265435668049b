//! Types whose objects have one of several types: the interface of all rows, and unions.

use async_graphql::{
    indexmap::IndexSet,
    registry::{MetaType, Registry},
};

use super::roots::{add, description, field};

/// Registers the interface of all objects with an id.
pub(super) fn register_node(registry: &mut Registry, possible_types: IndexSet<String>) {
    let id = field("id", "ID!", "Opaque id that starts with the prefix of the type.");
    let interface = MetaType::Interface {
        name: "Node".to_owned(),
        description: Some(description("An object with a globally unique id, which `node` looks up.")),
        fields: [("id".to_owned(), id)].into_iter().collect(),
        possible_types,
        extends: false,
        keys: None,
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        rust_typename: None,
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    };
    add(registry, "Node", interface);
}

/// Registers a union.
pub(super) fn add_union(registry: &mut Registry, name: &str, doc: &str, possible_types: IndexSet<String>) {
    let union = MetaType::Union {
        name: name.to_owned(),
        description: Some(description(doc)),
        possible_types,
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        rust_typename: None,
        directive_invocations: Vec::new(),
    };
    add(registry, name, union);
}
