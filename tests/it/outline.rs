//! The schema as the tests walk it: read from the SDL that the server prints.

use std::collections::BTreeMap;

use async_graphql::parser::{
    parse_schema,
    types::{BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind, TypeSystemDefinition},
};
use entity::Permission;
use serde_json::{Value, json};

/// Every type of the schema by name.
pub struct Outline {
    pub types: BTreeMap<String, Kind>,
}

/// What a type is.
pub enum Kind {
    Object(Vec<Member>),
    Interface,
    Union,
    Input(Vec<Member>),
    Enum(Vec<String>),
    Scalar,
}

/// A field, an argument or an input field.
#[derive(Clone, Debug)]
pub struct Member {
    pub name: String,
    pub ty: String,
    pub has_default: bool,
    pub arguments: Vec<Member>,
    /// Alternatives of scopes, if the field carries `@requiresScopes`.
    pub scopes: Option<Vec<Vec<Permission>>>,
}

impl Member {
    /// The name inside lists and non-null marks.
    pub fn base(&self) -> &str {
        base(&self.ty)
    }

    pub fn is_list(&self) -> bool {
        self.ty.starts_with('[')
    }

    pub fn is_required(&self) -> bool {
        self.ty.ends_with('!') && !self.has_default
    }

    /// The scopes of the only alternative.
    pub fn needed(&self) -> Vec<Permission> {
        match self.scopes.as_deref() {
            Some([only]) => only.clone(),
            other => panic!("{} has scopes {other:?}", self.name),
        }
    }
}

pub fn base(ty: &str) -> &str {
    ty.trim_matches(['[', ']', '!'])
}

impl Outline {
    pub fn read() -> Self {
        let document = parse_schema(rapport::schema::build().sdl()).unwrap();
        let mut types = BTreeMap::new();
        for definition in document.definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let definition = definition.node;
            let kind = match definition.kind {
                TypeKind::Object(object) => {
                    Kind::Object(object.fields.iter().map(|field| member(&field.node)).collect())
                }
                TypeKind::InputObject(input) => {
                    Kind::Input(input.fields.iter().map(|field| argument(&field.node)).collect())
                }
                TypeKind::Enum(listed) => {
                    Kind::Enum(listed.values.iter().map(|value| value.node.value.node.to_string()).collect())
                }
                TypeKind::Interface(_) => Kind::Interface,
                TypeKind::Union(_) => Kind::Union,
                TypeKind::Scalar => Kind::Scalar,
            };
            types.insert(definition.name.node.to_string(), kind);
        }
        Self { types }
    }

    pub fn fields(&self, name: &str) -> &[Member] {
        match self.types.get(name) {
            Some(Kind::Object(fields)) => fields,
            _ => panic!("{name} is no object"),
        }
    }

    pub fn inputs(&self, name: &str) -> &[Member] {
        match self.types.get(name) {
            Some(Kind::Input(members)) => members,
            _ => panic!("{name} is no input"),
        }
    }

    pub fn input(&self, name: &str, field: &str) -> Option<&Member> {
        self.inputs(name).iter().find(|member| member.name == field)
    }

    pub fn is_input(&self, name: &str) -> bool {
        matches!(self.types.get(name), Some(Kind::Input(_)))
    }

    pub fn is_union(&self, name: &str) -> bool {
        matches!(self.types.get(name), Some(Kind::Union))
    }

    pub fn queries(&self) -> &[Member] {
        self.fields("Query")
    }

    pub fn mutations(&self) -> &[Member] {
        self.fields("Mutation")
    }

    /// Every root field with its operation.
    pub fn roots(&self) -> impl Iterator<Item = (&'static str, &Member)> {
        let queries = self.queries().iter().map(|field| ("query", field));
        queries.chain(self.mutations().iter().map(|field| ("mutation", field)))
    }

    /// The nouns that can be listed, each with its list.
    pub fn lists(&self) -> impl Iterator<Item = (&str, &Member)> {
        let lists = self.queries().iter().filter_map(|field| Some((field.base().strip_suffix("Connection")?, field)));
        // Work is of several nouns.
        lists.filter(|(noun, _)| self.types.contains_key(*noun))
    }

    /// Whether a type is the reference to a noun, and to which.
    pub fn referenced<'a>(&self, ty: &'a str) -> Option<&'a str> {
        let noun = base(ty).strip_suffix("Ref")?;
        self.is_input(base(ty)).then_some(noun)
    }

    /// Whether a type is the changes of the parts of a row, and the type of the parts in it.
    pub fn part_item(&self, ty: &str) -> Option<&str> {
        let Some(Kind::Input(fields)) = self.types.get(base(ty)) else { return None };
        fields.iter().find(|field| field.name == "replace").map(Member::base)
    }

    /// A selection of everything, objects inside objects to `depth`. Of the rows of a union, only the ids.
    pub fn select(&self, ty: &str, depth: usize) -> String {
        let fields = match self.types.get(base(ty)) {
            Some(Kind::Object(fields)) => fields,
            Some(Kind::Union) => return "{ __typename ... on Node { id } }".to_owned(),
            _ => return String::new(),
        };
        let mut text = String::from("{ __typename");
        // A signed address is another one each time.
        let is_signed =
            |field: &Member| field.name == "diagramUrl" || (base(ty), field.name.as_str()) == ("CalendarFeed", "url");
        for field in fields.iter().filter(|field| !is_signed(field)) {
            match self.types.get(field.base()) {
                Some(Kind::Object(_) | Kind::Union) if depth == 0 => {}
                Some(Kind::Object(_) | Kind::Union) => {
                    text.push(' ');
                    text.push_str(&field.name);
                    text.push_str(&self.select(&field.ty, depth - 1));
                }
                _ => {
                    text.push(' ');
                    text.push_str(&field.name);
                }
            }
        }
        text.push_str(" }");
        text
    }

    /// A document that runs one root field with its arguments in variables of their names.
    pub fn document(operation: &str, field: &Member, selection: &str) -> String {
        let declared: Vec<String> =
            field.arguments.iter().map(|argument| format!("${}: {}", argument.name, argument.ty)).collect();
        let given: Vec<String> = field.arguments.iter().map(|argument| format!("{0}: ${0}", argument.name)).collect();
        let wrap = |list: &[String]| if list.is_empty() { String::new() } else { format!("({})", list.join(", ")) };
        format!("{operation}{} {{ {}{} {selection} }}", wrap(&declared), field.name, wrap(&given))
    }
}

fn member(field: &FieldDefinition) -> Member {
    let scopes = field.directives.iter().find(|known| known.node.name.node == "requiresScopes").map(|known| {
        let argument = known.node.get_argument("scopes").expect("it has scopes");
        let alternatives: Vec<Vec<String>> =
            serde_json::from_value(argument.node.clone().into_json().unwrap()).unwrap();
        let parse = |name: String| Permission::parse(&name).expect("a scope that exists");
        alternatives.into_iter().map(|all| all.into_iter().map(parse).collect()).collect()
    });
    Member {
        name: field.name.node.to_string(),
        ty: written(&field.ty.node),
        has_default: false,
        arguments: field.arguments.iter().map(|known| argument(&known.node)).collect(),
        scopes,
    }
}

fn argument(known: &InputValueDefinition) -> Member {
    Member {
        name: known.name.node.to_string(),
        ty: written(&known.ty.node),
        has_default: known.default_value.is_some(),
        arguments: Vec::new(),
        scopes: None,
    }
}

fn written(ty: &Type) -> String {
    let bang = if ty.nullable { "" } else { "!" };
    match &ty.base {
        BaseType::Named(name) => format!("{name}{bang}"),
        BaseType::List(inner) => format!("[{}]{bang}", written(inner)),
    }
}

/// The codes of the request's errors, in their order.
pub fn codes(body: &Value) -> Vec<&str> {
    let errors = body["errors"].as_array().map_or(&[][..], Vec::as_slice);
    errors.iter().map(|error| error["extensions"]["code"].as_str().unwrap_or("none")).collect()
}

/// Input of the mutations that take the text of a file.
pub const FILES: [&str; 2] = ["document", MANIFEST];
const MANIFEST: &str = "manifest";

/// The text of a document that a mutation of the noun takes, with one name in it.
pub fn document(noun: &str, field: &str, name: &str) -> String {
    if field == MANIFEST {
        json!({ name.replace(' ', "-"): "{ organization { name } }" }).to_string()
    } else if noun == "Organization" {
        json!({ "format": "rapport-map/1", "mediums": [{ "key": name, "name": name }] }).to_string()
    } else if noun == "BusinessCalendar" {
        let event = format!("BEGIN:VEVENT\nUID:{name}\nDTSTART:20260101\nSUMMARY:{name}\nEND:VEVENT\n");
        format!("BEGIN:VCALENDAR\n{event}END:VCALENDAR\n")
    } else {
        format!(
            "<CJML version=\"2.0\"><plannedJourney><journeyID>{name}</journeyID><touchpoints><plannedAction>\
             <touchpointID>1</touchpointID><initiator><initiatorLabel>{name}</initiatorLabel></initiator>\
             </plannedAction></touchpoints></plannedJourney></CJML>"
        )
    }
}
