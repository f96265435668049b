//! Finds names that are not in the schema and literals that do not fit their types, with suggestions.
//!
//! async-graphql's validation finds all other errors in a document. It reports these less well: its suggestions cannot
//! be enabled for some callers only, and it accepts any value for an input object.

use std::collections::HashSet;

use async_graphql::{
    Name, Pos, Positioned, ServerError,
    parser::types::{
        BaseType, Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
        Type,
    },
};
use async_graphql_value::Value as Literal;

use super::value_check::literal;
use crate::{
    graphql::{
        failure::{MAX_ERRORS, VALIDATION_FAILED, refuse},
        types::{
            scalars::Scalar,
            schema_index::{OutputField, SchemaIndex},
        },
    },
    suggest,
};

/// Returns the first errors of a document by position, at most [`MAX_ERRORS`]. They do not depend on variables. Visits
/// each fragment once.
pub fn of(document: &ExecutableDocument, schema_index: &SchemaIndex) -> Vec<ServerError> {
    let mut search = Search { schema_index, found: Vec::new() };
    for (_, operation) in document.operations.iter() {
        search.operation(&operation.node);
        if operation.node.ty == OperationType::Subscription {
            search.single_root(document, operation);
        }
    }
    for fragment in document.fragments.values() {
        let condition = &fragment.node.type_condition.node.on;
        search.condition(condition);
        search.set(&condition.node, &fragment.node.selection_set.node);
    }
    // The map of fragments is not ordered by position.
    search.found.sort_by_key(|mistake| mistake.locations.first().copied());
    search.found.truncate(MAX_ERRORS);
    search.found
}

struct Search<'a> {
    schema_index: &'a SchemaIndex,
    found: Vec<ServerError>,
}

/// The root fields of a subscription.
#[derive(Default)]
struct Roots<'a> {
    /// The response keys.
    keys: HashSet<&'a str>,
    is_introspective: bool,
    is_conditional: bool,
    seen: HashSet<&'a Name>,
}

impl<'a> Roots<'a> {
    fn collect(&mut self, document: &'a ExecutableDocument, set: &'a SelectionSet) {
        for item in &set.items {
            let directives = match &item.node {
                Selection::Field(field) => {
                    self.keys.insert(&field.node.response_key().node);
                    self.is_introspective |= field.node.name.node.starts_with("__");
                    &field.node.directives
                }
                Selection::InlineFragment(inline) => {
                    self.collect(document, &inline.node.selection_set.node);
                    &inline.node.directives
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = document.fragments.get(name).filter(|_| self.seen.insert(name)) {
                        self.collect(document, &fragment.node.selection_set.node);
                    }
                    &spread.node.directives
                }
            };
            self.is_conditional |= directives.iter().any(|directive| is_condition(&directive.node));
        }
    }
}

fn is_condition(directive: &Directive) -> bool {
    ["skip", "include"].contains(&directive.name.node.as_str())
}

impl Search<'_> {
    fn is_done(&self) -> bool {
        self.found.len() >= MAX_ERRORS
    }

    fn add(&mut self, message: String, at: Pos) {
        self.found.push(refuse(VALIDATION_FAILED, message, Some(at)));
    }

    fn operation(&mut self, operation: &OperationDefinition) {
        for definition in &operation.variable_definitions {
            let (name, ty) = (&definition.node.name.node, &definition.node.var_type);
            self.input_type(&ty.node, ty.pos);
            if let Some(default) = &definition.node.default_value
                && let Err(mismatch) = literal(&default.node, &ty.node, self.schema_index)
            {
                let place = mismatch.place();
                self.add(format!("The default of variable ${name}{place} {}", mismatch.what()), default.pos);
            }
        }
        // Validation refuses an operation type that the schema does not have.
        if let Some(root) = self.schema_index.root(operation.ty) {
            self.set(root, &operation.selection_set.node);
        }
    }

    /// Checks that a subscription has one root field, whatever the variables, and that it is not one of introspection.
    /// async-graphql would run several, and would not look into fragments.
    fn single_root(&mut self, document: &ExecutableDocument, operation: &Positioned<OperationDefinition>) {
        let mut roots = Roots::default();
        roots.collect(document, &operation.node.selection_set.node);
        let message = if roots.is_conditional {
            "The root field of a subscription cannot have @skip or @include."
        } else if roots.keys.len() != 1 || roots.is_introspective {
            "A subscription has exactly one root field, which is not one of introspection."
        } else {
            return;
        };
        self.add(message.to_owned(), operation.pos);
    }

    fn input_type(&mut self, ty: &Type, at: Pos) {
        match &ty.base {
            BaseType::List(inner) => self.input_type(inner, at),
            BaseType::Named(name) => {
                let is_output = self.schema_index.field_names(name).is_some();
                if !is_output && Scalar::of(name).is_none() && self.schema_index.input(name).is_none() {
                    let meant = suggest::name(name, self.schema_index.input_names());
                    self.add(format!("Unknown type \"{name}\".{meant}"), at);
                }
            }
        }
    }

    fn condition(&mut self, condition: &Positioned<Name>) {
        let name = condition.node.as_str();
        let is_known = self.schema_index.field_names(name).is_some() || self.schema_index.input(name).is_some();
        // Introspection types are not in the SDL.
        if !is_known && Scalar::of(name).is_none() && !name.starts_with("__") {
            let meant = suggest::name(name, self.schema_index.composite_names());
            self.add(format!("Unknown type \"{name}\".{meant}"), condition.pos);
        }
    }

    fn set(&mut self, parent: &str, set: &SelectionSet) {
        for item in &set.items {
            if self.is_done() {
                return;
            }
            match &item.node {
                Selection::Field(field) => self.field(parent, field),
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref().map(|condition| &condition.node.on);
                    if let Some(condition) = condition {
                        self.condition(condition);
                    }
                    let within = condition.map_or(parent, |condition| &condition.node);
                    self.set(within, &inline.node.selection_set.node);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn field(&mut self, parent: &str, field: &Positioned<Field>) {
        let (name, set) = (&field.node.name, &field.node.selection_set.node);
        let schema_index = self.schema_index;
        match schema_index.output(parent, &name.node) {
            Some(known) => {
                self.arguments(parent, &field.node, known);
                self.set(&known.ty, set);
            }
            None if name.node.starts_with("__") => {}
            None => {
                let Some(names) = schema_index.field_names(parent) else { return };
                let meant = suggest::name(&name.node, names);
                self.add(format!("Unknown field \"{}\" on type \"{parent}\".{meant}", name.node), name.pos);
            }
        }
    }

    fn arguments(&mut self, parent: &str, field: &Field, known: &OutputField) {
        let of = &field.name.node;
        for (name, value) in &field.arguments {
            let Some(ty) = known.arguments.fields.get(name.node.as_str()) else {
                let meant = suggest::name(&name.node, known.arguments.fields.keys().map(String::as_str));
                let message =
                    format!("Unknown argument \"{}\" on field \"{of}\" of type \"{parent}\".{meant}", name.node);
                self.add(message, name.pos);
                continue;
            };
            if let Err(mismatch) = literal::<Literal>(&value.node, ty, self.schema_index) {
                let place = mismatch.place();
                self.add(format!("Argument {}{place} of {of} {}", name.node, mismatch.what()), value.pos);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::graphql::{
        documents::limits::Limits,
        syntax::{parse::parse, scan::scan},
        types::schema_index::SchemaIndex,
    };

    const SDL: &str = "
        type Query { things(first: Int, filter: ThingFilter, ids: [ID!], by: Ref): [Thing!] node: Node }
        interface Node { id: ID! }
        type Thing implements Node { id: ID! name: String kind: Kind }
        enum Kind { COMPLAINT PRAISE }
        input KindFilter { eq: Kind in: [Kind!] }
        input ThingFilter { kind: KindFilter name: String at: DateTime and: [ThingFilter!] size: Float }
        input Ref @oneOf { id: ID name: String }
        scalar DateTime
        schema { query: Query }
    ";

    fn mistakes(text: &str) -> Vec<String> {
        let parsed = parse(scan(text, &Limits::DEFAULT).unwrap()).unwrap();
        of(&parsed, &SchemaIndex::read(SDL).unwrap()).into_iter().map(|mistake| mistake.message).collect()
    }

    #[test]
    fn names_that_are_close_are_told() {
        for (text, expected) in [
            ("{ thigns { id } }", "Unknown field \"thigns\" on type \"Query\". Did you mean \"things\"?"),
            ("{ things { zzzz } }", "Unknown field \"zzzz\" on type \"Thing\"."),
            (
                "{ things(frist: 1) { id } }",
                "Unknown argument \"frist\" on field \"things\" of type \"Query\". Did you mean \"first\"?",
            ),
            ("{ node { ... on Thingy { id } } }", "Unknown type \"Thingy\". Did you mean \"Thing\"?"),
            ("{ node { ...F } } fragment F on Noed { id }", "Unknown type \"Noed\". Did you mean \"Node\"?"),
            (
                "query Q($f: ThingsFilter) { things(filter: $f) { id } }",
                "Unknown type \"ThingsFilter\". Did you mean \"ThingFilter\"?",
            ),
            (
                "{ things(filter: {knid: 1}) { id } }",
                "Argument filter.knid of things is not a field of ThingFilter. Did you mean \"kind\"?",
            ),
            (
                "{ things(filter: {kind: COMPLAINT}) { id } }",
                "Argument filter.kind of things must be an input object of type KindFilter. Did you mean {eq: COMPLAINT}?",
            ),
            (
                "{ things(filter: {kind: \"mia\"}) { id } }",
                "Argument filter.kind of things must be an input object of type KindFilter. Did you mean {eq: …}?",
            ),
            (
                "{ things(filter: {kind: {in: [PRAISE, PRIASE]}}) { id } }",
                "Argument filter.kind.in.1 of things is not a value of Kind. Did you mean PRAISE?",
            ),
            (
                "{ things(filter: {kind: {eq: \"PRAISE\"}}) { id } }",
                "Argument filter.kind.eq of things is a value of Kind: write it without quotes. Did you mean PRAISE?",
            ),
            (
                "{ things(filter: {and: [{name: \"a\"}, {name: 1}]}) { id } }",
                "Argument filter.and.1.name of things must be a string",
            ),
            (
                "{ things(first: 5.0) { id } }",
                "Argument first of things must be a whole number from -2147483648 to 2147483647",
            ),
            (
                "{ things(by: \"x\") { id } }",
                "Argument by of things must be an input object of type Ref. Did you mean {id: …}?",
            ),
            (
                "{ things(by: {}) { id } }",
                "Argument by of things must have exactly one field that is not null: id or name",
            ),
            (
                "query Q($n: Int = 5.0) { things(first: $n) { id } }",
                "The default of variable $n must be a whole number from -2147483648 to 2147483647",
            ),
        ] {
            assert_eq!(mistakes(text), [expected], "{text}");
        }
        assert!(mistakes("{ things(filter: {at: \"soon\"}) { id } }")[0].contains("2026-01-31T09:30:00Z"));
    }

    #[test]
    fn sound_documents_have_none() {
        for text in [
            "query Q($f: ThingFilter, $k: Kind, $i: ID = 7) { things(first: 1, filter: {kind: {eq: $k}, and: {name: null}}, ids: [7, \"a\", $i]) { id __typename } node { ... on Thing { name } ... { id } } }",
            "{ __schema { anything } __type(name: 1) { more } ...F } fragment F on Query { things(filter: {at: \"2026-01-31\", size: 1}) { id } }",
        ] {
            assert_eq!(mistakes(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn at_most_ten_are_told_in_the_order_of_the_text() {
        let fields: Vec<String> = (0..50).map(|number| format!("a{number}")).collect();
        let found = mistakes(&format!("{{ {} }}", fields.join(" ")));
        assert_eq!(found.len(), 10);
        assert!(found[9].contains("\"a9\""), "{found:?}");
    }
}
