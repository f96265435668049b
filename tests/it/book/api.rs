//! `schema.graphql`, as the generated pages need it.

use std::collections::BTreeMap;

use async_graphql::Positioned;
use async_graphql::{
    Value,
    parser::{
        parse_schema,
        types::{
            BaseType, ConstDirective, EnumType, FieldDefinition, InputValueDefinition, Type, TypeDefinition, TypeKind,
            TypeSystemDefinition,
        },
    },
};

/// The types of the schema by their names.
pub struct Api(BTreeMap<String, TypeDefinition>);

/// A field of `Query` or `Mutation`.
pub struct Operation<'a> {
    pub name: &'a str,
    pub is_mutation: bool,
    /// The first sentences of its description, without the scopes.
    pub doc: String,
    pub scopes: Vec<String>,
    /// The type it returns, without lists and exclamation marks.
    pub returns: &'a str,
}

impl Api {
    pub fn read() -> Self {
        let document = parse_schema(include_str!("../../../schema.graphql")).expect("the schema is valid");
        let types = document.definitions.into_iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Type(ty) => Some((ty.node.name.node.to_string(), ty.node)),
            _ => None,
        });
        Self(types.collect())
    }

    /// The names of the nouns.
    pub fn nouns(&self) -> impl Iterator<Item = &str> {
        let is_noun = |ty: &TypeDefinition| match &ty.kind {
            TypeKind::Object(object) => object.implements.iter().any(|name| name.node == "Node"),
            _ => false,
        };
        self.0.iter().filter(move |(_, ty)| is_noun(ty)).map(|(name, _)| name.as_str())
    }

    /// The description of a type.
    pub fn doc(&self, name: &str) -> String {
        doc(self.0[name].description.as_ref())
    }

    /// The fields of an object type.
    pub fn fields(&self, name: &str) -> &[Positioned<FieldDefinition>] {
        match &self.0[name].kind {
            TypeKind::Object(object) => &object.fields,
            _ => panic!("{name} is an object type"),
        }
    }

    /// The fields of an input type, none if there is no such type.
    pub fn input(&self, name: &str) -> &[Positioned<InputValueDefinition>] {
        match self.0.get(name).map(|ty| &ty.kind) {
            Some(TypeKind::InputObject(input)) => &input.fields,
            _ => &[],
        }
    }

    /// An enum type.
    pub fn enumeration(&self, name: &str) -> Option<&EnumType> {
        match &self.0.get(name)?.kind {
            TypeKind::Enum(listed) => Some(listed),
            _ => None,
        }
    }

    /// All fields of the roots.
    pub fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        ["Query", "Mutation"].into_iter().flat_map(|root| {
            self.fields(root).iter().map(move |field| {
                let full = doc(field.node.description.as_ref());
                let end = [" Requires `", " Accepts any valid token."].iter().filter_map(|end| full.rfind(end)).max();
                Operation {
                    name: field.node.name.node.as_str(),
                    is_mutation: root == "Mutation",
                    doc: full[..end.unwrap_or(full.len())].to_owned(),
                    scopes: scopes(&field.node.directives),
                    returns: base(&field.node.ty.node),
                }
            })
        })
    }
}

/// A description on one line, fit for a cell of a table.
pub fn doc(description: Option<&Positioned<String>>) -> String {
    let text = description.map_or("", |text| text.node.as_str());
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// The named type inside lists and exclamation marks.
pub fn base(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(inner) => base(inner),
    }
}

fn scopes(directives: &[Positioned<ConstDirective>]) -> Vec<String> {
    let needed = directives.iter().find(|directive| directive.node.name.node == "requiresScopes");
    let Some((_, scopes)) = needed.and_then(|directive| directive.node.arguments.first()) else { return Vec::new() };
    let mut names = Vec::new();
    if let async_graphql_value::ConstValue::List(alternatives) = &scopes.node {
        for alternative in alternatives {
            if let Value::List(all) = alternative {
                names.extend(all.iter().filter_map(|name| match name {
                    Value::String(name) => Some(name.clone()),
                    _ => None,
                }));
            }
        }
    }
    names
}
