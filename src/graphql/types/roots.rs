//! The types of the API, made from the descriptions of the nouns.

use async_graphql::{
    Value,
    indexmap::IndexMap,
    registry::{
        EnumBuilder, InputObjectBuilder, MetaDirectiveInvocation, MetaEnumValue, MetaField, MetaInputValue, MetaType,
        ObjectBuilder, Registry,
    },
};
use entity::{
    Noun, Permission,
    noun::{EnumType, Field, Kind, Link, Operation, StringEnum, Writable},
};

use super::{
    common_types,
    lookups::lookups,
    noun_types::{payloads, register_noun, register_object},
    scalars,
    schema_index::ROW,
};
use crate::{
    graphql::{
        mutation::mutate::{MutationField, Policy, mutation_fields},
        planning::distinct,
        slice::{Argument, Module, reference_field},
    },
    store::writing::draft::{Mode, OnNull},
};

const PAGING: [(&str, &str, &str); 4] = [
    ("first", "Int", "The first so many rows, 1 to 1,000; 25 when neither first nor last is given."),
    ("after", "String", "Rows after this cursor."),
    ("last", "Int", "The last so many rows, 1 to 1,000. Not together with first."),
    ("before", "String", "Rows before this cursor."),
];

/// An input value.
pub fn value(name: &str, ty: &str, doc: &str) -> MetaInputValue {
    MetaInputValue { description: Some(told(doc)), ..MetaInputValue::new(name, ty) }
}

pub(in crate::graphql) fn or(name: &str, ty: &str, default: &str, doc: &str) -> MetaInputValue {
    MetaInputValue { default_value: Some(default.to_owned()), ..value(name, ty, doc) }
}

pub(in crate::graphql) fn told(doc: &str) -> String {
    doc.trim().to_owned()
}

/// An output field.
pub fn field(name: &str, ty: &str, doc: &str) -> MetaField {
    MetaField { description: Some(told(doc)), ..MetaField::new(name, ty) }
}

/// A field that only tokens with all these scopes may ask for; an empty list is any valid token.
fn scoped(mut meta: MetaField, permissions: &[Permission]) -> MetaField {
    let names: Vec<Value> = permissions.iter().map(|permission| permission.name().into()).collect();
    let needed = match permissions {
        [] => "Any valid token.".to_owned(),
        _ => format!(
            "Needs {}.",
            permissions.iter().map(|permission| format!("`{}`", permission.name())).collect::<Vec<_>>().join(" and ")
        ),
    };
    let doc = meta.description.take().unwrap_or_default();
    meta.description = Some(format!("{doc} {needed}"));
    meta.directive_invocations.push(MetaDirectiveInvocation {
        name: "requiresScopes".to_owned(),
        args: [("scopes".to_owned(), Value::List(vec![Value::List(names)]))].into_iter().collect(),
    });
    meta
}

fn add(registry: &mut Registry, name: &str, ty: MetaType) {
    registry.types.insert(name.to_owned(), ty);
}

pub(in crate::graphql) fn add_object(registry: &mut Registry, name: &str, doc: &str, fields: Vec<MetaField>) {
    let fields = fields.into_iter().map(|field| (field.name.clone(), field)).collect();
    add(registry, name, ObjectBuilder::new(name, fields).description(Some(told(doc))).build());
}

pub(in crate::graphql) fn add_input(
    registry: &mut Registry,
    name: &str,
    doc: &str,
    is_one_of: bool,
    values: Vec<MetaInputValue>,
) {
    let values: IndexMap<_, _> = values.into_iter().map(|value| (value.name.clone(), value)).collect();
    add(registry, name, InputObjectBuilder::new(name, values).description(Some(told(doc))).oneof(is_one_of).build());
}

pub(in crate::graphql) fn add_enum(registry: &mut Registry, known: &EnumType) {
    add_enum_values(registry, known.name, known.doc, known.values.iter().map(|(name, doc)| ((*name).to_owned(), *doc)));
}

pub(in crate::graphql) fn add_enum_values(
    registry: &mut Registry,
    name: &str,
    doc: &str,
    values: impl Iterator<Item = (String, &'static str)>,
) {
    let values = values
        .map(|(name, doc)| (name.clone(), MetaEnumValue { description: Some(told(doc)), ..MetaEnumValue::new(name) }));
    add(registry, name, EnumBuilder::new(name, values.collect()).description(Some(told(doc))).build());
}

/// Registers the root of queries and all that can be reached from it.
pub fn register_queries(registry: &mut Registry, slices: &[&'static Module]) {
    scalars::register(registry);
    common_types::register(registry);
    let mut fields = Vec::new();
    let possible = slices.iter().map(|slice| slice.noun.name.to_owned()).collect();
    add(
        registry,
        "Node",
        MetaType::Interface {
            name: "Node".to_owned(),
            description: Some(told("Anything with an id that can be looked up again.")),
            fields: [("id".to_owned(), field("id", "ID!", "Opaque id with the type's prefix."))].into_iter().collect(),
            possible_types: possible,
            extends: false,
            keys: None,
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            rust_typename: None,
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        },
    );
    let mut node = field("node", "Node", "The object of an id; null if there is none or the token may not read it.");
    node.args.insert("id".to_owned(), value("id", "ID!", "The id."));
    fields.push(scoped(node, &[]));
    let mut nodes =
        field("nodes", "[Node]", "The objects of up to 1,000 ids, in their order, null where there is none.");
    nodes.args.insert("ids".to_owned(), value("ids", "[ID!]!", "The ids."));
    fields.push(scoped(nodes, &[]));
    for slice in slices {
        let noun = slice.noun;
        register_noun(registry, slice);
        slice.objects.iter().for_each(|object| register_object(registry, object, &[]));
        slice.enums.iter().for_each(|known| add_enum(registry, known));
        for input in slice.inputs {
            add_input(registry, input.name, input.doc, false, arguments(input.fields));
        }
        if noun.offers(Operation::List) {
            let permissions: Vec<Permission> = noun.read.into_iter().collect();
            fields.extend(lookups(noun).map(|lookup| scoped(lookup, &permissions)));
            let all = format!("A page of a list of {} rows. {}", noun.name, noun.doc);
            let many = field(noun.plural, &format!("{}Connection", noun.name), &all);
            fields.push(scoped(listed(many, noun), &permissions));
        }
        for query in distinct::of(noun) {
            let mut own = field(&query.name(), query.answer().name, &query.doc());
            let filter = value("filter", &format!("{}Filter", noun.name), "Of which rows; all conditions must hold.");
            let others = query.arguments().into_iter().map(argument);
            own.args = [filter].into_iter().chain(others).map(|value| (value.name.clone(), value)).collect();
            fields.push(scoped(own, &noun.read.into_iter().collect::<Vec<_>>()));
            for object in distinct::OBJECTS {
                register_object(registry, object, &[]);
            }
        }
        for query in slice.queries {
            let mut own = field(query.name, query.answer.name, query.doc);
            own.args = arguments(query.arguments).into_iter().map(|value| (value.name.clone(), value)).collect();
            fields.push(scoped(own, query.permissions));
        }
    }
    add_object(registry, "Query", "What can be asked.", fields);
}

/// Registers the root of mutations.
pub fn register_mutations(registry: &mut Registry, slices: &[&'static Module]) {
    let mut fields = Vec::new();
    for slice in slices {
        let noun = slice.noun;
        for (name, mutation_field) in mutation_fields(slice) {
            let (input, payload, doc) = mutation(registry, slice, &name, mutation_field);
            let mut meta = field(&name, &payload, &doc);
            meta.args.insert("input".to_owned(), value("input", &format!("{input}!"), "What to do."));
            fields.push(scoped(meta, &mutation_field.permissions(noun)));
        }
        payloads(registry, slice);
    }
    add_object(registry, "Mutation", "What can be changed. Each field is one transaction.", fields);
}

fn mutation(
    registry: &mut Registry,
    slice: &Module,
    name: &str,
    mutation_field: MutationField,
) -> (String, String, String) {
    let noun = slice.noun;
    let (first, rest) = name.split_at(1);
    let input = format!("{}{rest}Input", first.to_ascii_uppercase());
    let payload = format!("{}Payload", noun.name);
    let id = || value("id", "ID!", "Which one.");
    let (values, doc) = match mutation_field {
        MutationField::Generic(Operation::Create) => {
            let mut values = writable(noun, true);
            values.push(on_null("KEEP"));
            (values, format!("Makes one {}.", noun.name))
        }
        MutationField::Generic(Operation::Update) => {
            let mut values = if noun.tenant == "id" { Vec::new() } else { vec![id()] };
            values.extend(writable(noun, false));
            values.push(expected());
            values.push(on_null("CLEAR"));
            (values, format!("Changes one {}: what is left out stays; null clears, unless onNull is KEEP.", noun.name))
        }
        MutationField::Generic(Operation::Upsert) => {
            let mut values = upsert_row(noun);
            values.push(mode());
            values.push(on_null("KEEP"));
            (values, format!("Makes or changes the {} with an external id: what is left out or null stays.", noun.name))
        }
        MutationField::Generic(Operation::BulkUpsert) => {
            let row = format!("{}{ROW}", noun.name);
            add_input(registry, &row, &format!("One {} of a bulk upsert.", noun.name), false, upsert_row(noun));
            let values = vec![
                value(
                    "rows",
                    &format!("[{row}!]!"),
                    "1 to 1,000 rows. Mistakes are told at their row, values of another type in variables too.",
                ),
                mode(),
                on_null("KEEP"),
                or("policy", Policy::TYPE.name, "ALL_OR_NOTHING", "What one wrong row does to the others."),
            ];
            let bulk = format!("{}BulkPayload", noun.name);
            let doc = format!("Makes or changes up to 1,000 {} by external id, with an outcome for each.", noun.plural);
            return finish(registry, &input, values, bulk, doc);
        }
        MutationField::Generic(Operation::Delete) => (
            vec![id(), expected()],
            format!("Deletes one {} for good. Refused with IN_USE while other rows refer to it.", noun.name),
        ),
        MutationField::Generic(Operation::Archive | Operation::List) | MutationField::Archive(true) => (
            vec![id(), expected()],
            format!("Puts one {} into the archive: left out of lists, still resolved by id.", noun.name),
        ),
        MutationField::Archive(false) => {
            (vec![id(), expected()], format!("Takes one {} out of the archive.", noun.name))
        }
        MutationField::Set(relation) => {
            let named = format!("[{}Ref!]!", relation.target.name);
            let all = format!("All its {}, each once; at most 1,000.", relation.name);
            let doc = format!("Makes the {} of one {} exactly these.", relation.name, noun.name);
            (vec![id(), value(relation.name, &named, &all), expected()], doc)
        }
        MutationField::Own(own) => (arguments(own.input), own.doc.to_owned()),
    };
    finish(registry, &input, values, payload, doc)
}

fn finish(
    registry: &mut Registry,
    input: &str,
    mut values: Vec<MetaInputValue>,
    payload: String,
    doc: String,
) -> (String, String, String) {
    values.push(value(
        "idempotencyKey",
        "String",
        "1 to 255 printable ASCII characters. The same key with the same input has one effect within 24 hours; a repeat answers with what came of the first.",
    ));
    add_input(registry, input, &doc, false, values);
    (input.to_owned(), payload, doc)
}

fn expected() -> MetaInputValue {
    value("expectedVersion", "Int", "The version you saw; another one now is refused with CONFLICT.")
}

fn mode() -> MetaInputValue {
    or("mode", Mode::TYPE.name, "UPSERT", "Whether to make, to change, or either.")
}

fn on_null(default: &str) -> MetaInputValue {
    let doc = "What null means in this call. Typed clients send null for what they do not set: with KEEP that changes \
               nothing, with CLEAR it empties the field. External ids are taken away by externalIdsRemove alone.";
    or("onNull", OnNull::TYPE.name, default, doc)
}

pub(in crate::graphql) fn arguments(arguments: &[Argument]) -> Vec<MetaInputValue> {
    arguments.iter().map(argument).collect()
}

fn argument(known: &Argument) -> MetaInputValue {
    MetaInputValue { default_value: known.default.map(str::to_owned), ..value(known.name, known.ty, known.doc) }
}

fn upsert_row(noun: &Noun) -> Vec<MetaInputValue> {
    let mut values =
        vec![value("externalId", "ExternalIdInput!", "The external id that says which one; a new row gets it.")];
    values.extend(writable(noun, false));
    values.push(expected());
    values
}

/// The fields a caller may set.
fn writable(noun: &Noun, is_create: bool) -> Vec<MetaInputValue> {
    let mut values = Vec::new();
    for known in noun.fields {
        let ty = input_type(known.kind);
        let doc = limits(known);
        values.push(match known.writable {
            Writable::Never => continue,
            Writable::Required | Writable::Fixed if is_create => value(known.name, &format!("{ty}!"), &doc),
            Writable::Default(literal) if is_create && literal != "now" => or(known.name, &ty, literal, &doc),
            _ => value(known.name, &ty, &doc),
        });
    }
    for relation in noun.relations {
        let Link::One { writable, .. } = relation.link else { continue };
        let ty = format!("{}Ref", relation.target.name);
        let name = reference_field(relation);
        values.push(match writable {
            Writable::Never => continue,
            Writable::Required | Writable::Fixed if is_create => value(&name, &format!("{ty}!"), relation.doc),
            _ => value(&name, &ty, relation.doc),
        });
    }
    if noun.has_external_ids {
        let doc = "External ids to add; one of the same system is replaced. In an upsert that renames the row it names. \
                   Null and an empty list change nothing.";
        values.push(value("externalIds", "[ExternalIdInput!]", doc));
        if !is_create {
            let doc = "External ids to take away; one that the row does not carry is passed over. The one that names the \
                       row of an upsert stays, unless externalIds has another of its system.";
            values.push(value("externalIdsRemove", "[ExternalIdRemoval!]", doc));
        }
    }
    values
}

fn limits(known: &Field) -> String {
    match known.kind {
        Kind::Text { max } => format!("{} Up to {max} characters.", known.doc),
        _ => known.doc.to_owned(),
    }
}

fn input_type(kind: Kind) -> String {
    match kind {
        Kind::Attributes { .. } => "[AttributeInput!]".to_owned(),
        other => output_type(other),
    }
}

pub(in crate::graphql) fn output_type(kind: Kind) -> String {
    match kind {
        Kind::Id | Kind::RowId { .. } => "ID".to_owned(),
        Kind::Text { .. } => "String".to_owned(),
        Kind::Int { .. } => "Int".to_owned(),
        Kind::Float { .. } => "Float".to_owned(),
        Kind::Bool => "Boolean".to_owned(),
        Kind::Instant => "DateTime".to_owned(),
        Kind::TimeZone => "TimeZone".to_owned(),
        Kind::Enum(known) => known.name.to_owned(),
        Kind::Tags { .. } | Kind::Names => "[String!]".to_owned(),
        Kind::Attributes { .. } => "[Attribute!]".to_owned(),
        Kind::Json => "JSON".to_owned(),
    }
}

/// The arguments of a list of `noun`.
pub(in crate::graphql) fn listed(mut meta: MetaField, noun: &Noun) -> MetaField {
    for (name, ty, doc) in PAGING {
        meta.args.insert(name.to_owned(), value(name, ty, doc));
    }
    let filter = value(
        "filter",
        &format!("{}Filter", noun.name),
        "Which rows; all conditions must hold. Up to 500 conditions, 30 of them on tags, attributes and relations, nested up to 16 deep.",
    );
    meta.args.insert("filter".to_owned(), filter);
    let order = value(
        "orderBy",
        &format!("[{}Order!]", noun.name),
        "By what, up to five terms; then by id. By age when left out.",
    );
    meta.args.insert("orderBy".to_owned(), order);
    meta
}
