//! An index of the schema for the passes over a document, read once from the schema's SDL.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_graphql::parser::{
    parse_schema,
    types::{
        BaseType, FieldDefinition, InputObjectType, InputValueDefinition, OperationType, Type, TypeDefinition,
        TypeKind, TypeSystemDefinition,
    },
};
use async_graphql::{Name, Positioned, Value};

use crate::{
    Error, Result,
    graphql::{documents::introspection::Extent, planning::connection::DEFAULT_PAGE},
};

/// The suffix of the type names of rows of bulk calls.
pub const ROW: &str = "UpsertRow";

/// The types of the schema by name.
#[derive(Clone, Debug)]
pub struct SchemaIndex(Arc<Types>);

#[derive(Debug, Default)]
struct Types {
    roots: Vec<(OperationType, String)>,
    composites: HashMap<String, Composite>,
    inputs: HashMap<String, Input>,
    /// The number of elements of each kind in the schema.
    extent: Extent,
}

/// An object, interface or union.
#[derive(Debug, Default)]
struct Composite {
    fields: HashMap<String, OutputField>,
    /// The interfaces and unions that every value of this type belongs to.
    within: HashSet<String>,
}

/// A field of an object or interface.
#[derive(Debug)]
pub struct OutputField {
    /// The named type, without list and non-null wrappers.
    pub ty: String,
    /// Whether the field returns a list.
    pub is_list: bool,
    /// The default page size, if the field takes `first`.
    pub page: Option<i64>,
    /// The arguments of the field.
    pub arguments: InputObject,
}

/// A type that input values must match.
#[derive(Debug)]
pub enum Input {
    /// The values of an enum.
    Enum(HashSet<String>),
    /// An input object.
    Object(InputObject),
}

/// The fields of an input object, or the arguments of a field.
#[derive(Debug)]
pub struct InputObject {
    /// The fields by name.
    pub fields: HashMap<String, Type>,
    /// The names of the required fields: non-null fields without a default.
    pub required: Vec<String>,
    /// Whether exactly one field must be given.
    pub is_one_of: bool,
    /// Whether this is a row of a bulk call. An invalid row does not fail the request.
    pub is_row: bool,
}

impl SchemaIndex {
    /// Reads the SDL of a schema. `Err` if it cannot be parsed.
    pub fn read(sdl: &str) -> Result<Self> {
        let document = parse_schema(sdl).map_err(|error| Error::Internal(std::sync::Arc::new(error)))?;
        let mut types = Types { extent: Extent::of_nothing(), ..Types::default() };
        let mut members = Vec::new();
        for definition in document.definitions {
            match definition {
                TypeSystemDefinition::Schema(schema) => {
                    let roots = [
                        (OperationType::Query, schema.node.query),
                        (OperationType::Mutation, schema.node.mutation),
                        (OperationType::Subscription, schema.node.subscription),
                    ];
                    types.roots.extend(roots.into_iter().filter_map(|(ty, name)| Some((ty, name?.node.to_string()))));
                }
                TypeSystemDefinition::Type(definition) => {
                    let is_root = ["Query", "Mutation", "Subscription"].contains(&definition.node.name.node.as_str());
                    types.extent.add(&definition.node, is_root);
                    types.add(definition.node, &mut members);
                }
                TypeSystemDefinition::Directive(definition) => types.extent.add_directive(&definition.node),
            }
        }
        for (union, member) in members {
            types.composites.entry(member).or_default().within.insert(union);
        }
        Ok(Self(Arc::new(types)))
    }

    /// Returns the number of elements of each kind in the schema.
    pub fn extent(&self) -> &Extent {
        &self.0.extent
    }

    /// Returns the root type of an operation.
    pub fn root(&self, ty: OperationType) -> Option<&str> {
        self.0.roots.iter().find(|(kind, _)| *kind == ty).map(|(_, name)| name.as_str())
    }

    /// Returns the named type of a field.
    pub fn field(&self, parent: &str, field: &str) -> Option<&str> {
        self.output(parent, field).map(|field| field.ty.as_str())
    }

    /// Returns a field of an object or interface.
    pub fn output(&self, parent: &str, field: &str) -> Option<&OutputField> {
        self.0.composites.get(parent)?.fields.get(field)
    }

    /// Returns the names of the fields of an object or interface, or `None` if there is no such type.
    pub fn field_names(&self, parent: &str) -> Option<impl Iterator<Item = &str>> {
        self.0.composites.get(parent).map(|known| known.fields.keys().map(String::as_str))
    }

    /// Returns the names of all objects, interfaces and unions.
    pub fn composite_names(&self) -> impl Iterator<Item = &str> {
        self.0.composites.keys().map(String::as_str)
    }

    /// Returns the names of all enums and input objects.
    pub fn input_names(&self) -> impl Iterator<Item = &str> {
        self.0.inputs.keys().map(String::as_str)
    }

    /// Returns whether every value of type `parent` also satisfies the type condition.
    pub fn always(&self, parent: &str, condition: &str) -> bool {
        parent == condition || self.0.composites.get(parent).is_some_and(|known| known.within.contains(condition))
    }

    /// Returns whether values of this type are rows of a bulk call.
    pub fn is_row(&self, ty: &Type) -> bool {
        let BaseType::Named(name) = &ty.base else { return false };
        matches!(self.input(name), Some(Input::Object(object)) if object.is_row)
    }

    /// Returns the enum or input object with this name.
    pub fn input(&self, name: &str) -> Option<&Input> {
        self.0.inputs.get(name)
    }
}

impl Types {
    fn add(&mut self, definition: TypeDefinition, members: &mut Vec<(String, String)>) {
        let name = definition.name.node.to_string();
        match definition.kind {
            TypeKind::Scalar => {}
            TypeKind::Enum(kind) => {
                let values = kind.values.into_iter().map(|value| value.node.value.node.to_string()).collect();
                self.inputs.insert(name, Input::Enum(values));
            }
            TypeKind::InputObject(InputObjectType { fields }) => {
                let is_one_of = definition.directives.iter().any(|directive| directive.node.name.node == "oneOf");
                let object = InputObject { is_row: name.ends_with(ROW), ..input_object(&fields, is_one_of) };
                self.inputs.insert(name, Input::Object(object));
            }
            TypeKind::Object(kind) => self.add_composite(name, kind.fields, kind.implements),
            TypeKind::Interface(kind) => self.add_composite(name, kind.fields, kind.implements),
            TypeKind::Union(kind) => {
                members.extend(kind.members.into_iter().map(|member| (name.clone(), member.node.to_string())));
                self.add_composite(name, Vec::new(), Vec::new());
            }
        }
    }

    fn add_composite(
        &mut self,
        name: String,
        fields: Vec<Positioned<FieldDefinition>>,
        implements: Vec<Positioned<Name>>,
    ) {
        let composite = self.composites.entry(name).or_default();
        composite.within.extend(implements.into_iter().map(|interface| interface.node.to_string()));
        composite.fields.extend(fields.into_iter().map(output_field));
    }
}

fn output_field(field: Positioned<FieldDefinition>) -> (String, OutputField) {
    let FieldDefinition { name, arguments, ty, .. } = field.node;
    let argument = |name: &str| arguments.iter().find(|argument| argument.node.name.node == name);
    let page = argument("first").map(|first| match first.node.default_value.as_ref().map(|value| &value.node) {
        Some(Value::Number(rows)) => rows.as_i64().unwrap_or(DEFAULT_PAGE),
        _ => DEFAULT_PAGE,
    });
    let is_list = matches!(ty.node.base, BaseType::List(_));
    let output = OutputField { ty: named(&ty.node.base), is_list, page, arguments: input_object(&arguments, false) };
    (name.node.to_string(), output)
}

fn input_object(fields: &[Positioned<InputValueDefinition>], is_one_of: bool) -> InputObject {
    let name = |field: &Positioned<InputValueDefinition>| field.node.name.node.to_string();
    let must_be_given =
        |field: &&Positioned<InputValueDefinition>| !field.node.ty.node.nullable && field.node.default_value.is_none();
    let required = fields.iter().filter(must_be_given).map(name).collect();
    let fields = fields.iter().map(|field| (name(field), field.node.ty.node.clone())).collect();
    InputObject { fields, required, is_one_of, is_row: false }
}

fn named(base: &BaseType) -> String {
    match base {
        BaseType::Named(name) => name.to_string(),
        BaseType::List(inner) => named(&inner.base),
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::types::OperationType;

    use super::{Input, SchemaIndex};

    const SDL: &str = r#"
        """ A row. """
        interface Node { id: ID! }
        type Point implements Node @requiresScopes(scopes: [["map:read"]]) { id: ID! mediums(first: Int = 5): [Medium!]! }
        type Medium implements Node { id: ID! }
        type Query { node(by: By!): Node any: Anything }
        union Anything = Point | Medium
        input By @oneOf { id: ID name: String }
        input Page { first: Int! = 25 order: [Order!] }
        enum Order { ASC DESC }
        scalar DateTime
        directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION | OBJECT
        schema { query: Query }
    "#;

    #[test]
    fn types_fields_and_conditions_are_known() {
        let schema_index = SchemaIndex::read(SDL).unwrap();
        assert_eq!(schema_index.root(OperationType::Query), Some("Query"));
        assert_eq!(schema_index.root(OperationType::Mutation), None);
        assert_eq!(schema_index.field("Point", "mediums"), Some("Medium"));
        let mediums = schema_index.output("Point", "mediums").unwrap();
        assert!(mediums.is_list && mediums.page == Some(5) && mediums.arguments.fields.contains_key("first"));
        assert!(schema_index.output("Point", "id").is_some_and(|id| id.page.is_none() && !id.is_list));
        assert!(
            schema_index.always("Point", "Node")
                && schema_index.always("Point", "Anything")
                && schema_index.always("Point", "Point")
        );
        assert!(!schema_index.always("Node", "Point") && !schema_index.always("Point", "Medium"));
    }

    #[test]
    fn inputs_know_what_may_be_left_out() {
        let schema_index = SchemaIndex::read(SDL).unwrap();
        let Some(Input::Object(by)) = schema_index.input("By") else { panic!("By is an input object") };
        assert!(by.is_one_of);
        let Some(Input::Object(page)) = schema_index.input("Page") else { panic!("Page is an input object") };
        assert!(page.required.is_empty() && page.fields.len() == 2 && !page.is_one_of);
        assert!(schema_index.input("DateTime").is_none() && schema_index.input("Order").is_some());
        assert_eq!(schema_index.output("Query", "node").unwrap().arguments.required, ["by"]);
    }

    #[test]
    fn the_served_schema_can_be_read() {
        let schema_index = SchemaIndex::read(&crate::schema::build().sdl()).unwrap();
        assert!(schema_index.root(OperationType::Query).is_some());
    }
}
