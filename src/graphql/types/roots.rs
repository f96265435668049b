//! Builds the root types of the API from the descriptions of the nouns.

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
    abstract_types, bulk_types, common_types,
    lookups::lookups,
    money_types::{MONEY, MONEY_INPUT},
    noun_types::{listed, payloads, register_noun, with_article},
    part_types::part_lists,
    reached::{answer, arguments},
    scalars,
    slice_roots::own_root,
    transition_types,
};
use crate::{
    graphql::{
        mutation::{
            input::BY,
            mutate::{MutationField, mutation_fields},
        },
        planning::distinct,
        slice::{Api, Module, reference_field},
    },
    store::writing::draft::{Mode, OnNull},
    text::grouped,
};

/// Returns an input value.
pub fn value(name: &str, ty: &str, doc: &str) -> MetaInputValue {
    MetaInputValue { description: Some(description(doc)), ..MetaInputValue::new(name, ty) }
}

pub(in crate::graphql) fn or(name: &str, ty: &str, default: &str, doc: &str) -> MetaInputValue {
    MetaInputValue { default_value: Some(default.to_owned()), ..value(name, ty, doc) }
}

pub(in crate::graphql) fn description(doc: &str) -> String {
    doc.trim().to_owned()
}

/// Returns an output field.
pub fn field(name: &str, ty: &str, doc: &str) -> MetaField {
    MetaField { description: Some(description(doc)), ..MetaField::new(name, ty) }
}

/// Restricts a field to tokens with all these scopes; with an empty list, any valid token is accepted.
pub(super) fn scoped(mut meta: MetaField, permissions: &[Permission]) -> MetaField {
    let names: Vec<Value> = permissions.iter().map(|permission| permission.name().into()).collect();
    let needed = match permissions {
        [] => "Accepts any valid token.".to_owned(),
        _ => format!(
            "Requires {}.",
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

pub(super) fn add(registry: &mut Registry, name: &str, ty: MetaType) {
    registry.types.insert(name.to_owned(), ty);
}

pub(in crate::graphql) fn add_object(registry: &mut Registry, name: &str, doc: &str, fields: Vec<MetaField>) {
    let fields = fields.into_iter().map(|field| (field.name.clone(), field)).collect();
    add(registry, name, ObjectBuilder::new(name, fields).description(Some(description(doc))).build());
}

pub(in crate::graphql) fn add_input(
    registry: &mut Registry,
    name: &str,
    doc: &str,
    is_one_of: bool,
    values: Vec<MetaInputValue>,
) {
    let values: IndexMap<_, _> = values.into_iter().map(|value| (value.name.clone(), value)).collect();
    add(
        registry,
        name,
        InputObjectBuilder::new(name, values).description(Some(description(doc))).oneof(is_one_of).build(),
    );
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
    let values = values.map(|(name, doc)| {
        (name.clone(), MetaEnumValue { description: Some(description(doc)), ..MetaEnumValue::new(name) })
    });
    add(registry, name, EnumBuilder::new(name, values.collect()).description(Some(description(doc))).build());
}

/// Registers the query root and all types that can be reached from it.
pub fn register_queries(registry: &mut Registry, Api { modules, queries, .. }: &Api) {
    scalars::register(registry);
    common_types::register(registry);
    let mut fields = Vec::new();
    abstract_types::register_node(registry, modules.iter().map(|slice| slice.noun.name.to_owned()).collect());
    let mut node =
        field("node", "Node", "The object with this id; null if there is none or the token may not read it.");
    node.args.insert("id".to_owned(), value("id", "ID!", "Id of the object to look up."));
    fields.push(scoped(node, &[]));
    let mut nodes = field(
        "nodes",
        "[Node]",
        "The objects with these ids, up to 1,000, in the order of the ids; null where there is none.",
    );
    nodes.args.insert("ids".to_owned(), value("ids", "[ID!]!", "Ids of the objects to look up."));
    fields.push(scoped(nodes, &[]));
    for slice in modules {
        let noun = slice.noun;
        register_noun(registry, slice);
        if noun.offers(Operation::List) {
            let permissions: Vec<Permission> = noun.read.into_iter().collect();
            fields.extend(lookups(noun).map(|lookup| scoped(lookup, &permissions)));
            let all = format!("Lists {} rows, page by page. {}", noun.name, noun.doc);
            let many = field(noun.plural, &format!("{}Connection", noun.name), &all);
            fields.push(scoped(listed(many, noun), &permissions));
        }
        for query in distinct::of(noun) {
            let mut own = field(&query.name(), answer(registry, query.answer()), &query.doc());
            let filter = value(
                "filter",
                &format!("{}Filter", noun.name),
                "Conditions on the rows that are counted; all of them must hold.",
            );
            let others = arguments(registry, query.arguments());
            own.args = [filter].into_iter().chain(others).map(|value| (value.name.clone(), value)).collect();
            fields.push(scoped(own, &noun.read.into_iter().collect::<Vec<_>>()));
        }
    }
    for query in queries {
        fields.push(own_root(
            registry,
            (query.name, query.doc, query.permissions),
            query.run.answer(),
            query.run.arguments(),
        ));
    }
    add_object(registry, "Query", "The queries of the API.", fields);
}

/// Registers the mutation root.
pub fn register_mutations(registry: &mut Registry, slices: &[&'static Module]) {
    let mut fields = Vec::new();
    for slice in slices {
        let noun = slice.noun;
        for (name, mutation_field) in mutation_fields(slice) {
            let (input, payload, doc) = mutation(registry, slice, &name, mutation_field);
            let mut meta = field(&name, &payload, &doc);
            meta.args.insert("input".to_owned(), value("input", &format!("{input}!"), "Input of the mutation."));
            fields.push(scoped(meta, &mutation_field.permissions(noun)));
        }
        payloads(registry, slice);
    }
    add_object(registry, "Mutation", "The mutations of the API. Each field runs in a transaction of its own.", fields);
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
    let by = || value(BY, &format!("{}Ref!", noun.name), &format!("The {} that the mutation applies to.", noun.name));
    let (values, doc) = match mutation_field {
        MutationField::Generic(Operation::Create) => {
            let mut values = writable(noun, Operation::Create);
            values.extend(part_lists(registry, noun));
            values.push(on_null("KEEP"));
            (values, format!("Creates {}.", with_article(noun)))
        }
        MutationField::Generic(Operation::Update) => {
            let mut values = if noun.tenant == "id" { Vec::new() } else { vec![by()] };
            values.extend(writable(noun, Operation::Update));
            values.extend(part_lists(registry, noun));
            values.push(expected());
            values.push(on_null("CLEAR"));
            let doc = "Omitted fields keep their values; null clears a field unless onNull is KEEP.";
            (values, format!("Updates {}. {doc}", with_article(noun)))
        }
        MutationField::Generic(Operation::Upsert) => {
            let mut values = upsert_row(registry, noun);
            values.push(mode());
            values.push(on_null("KEEP"));
            let doc =
                "or creates it if there is none. Omitted and null fields keep their values unless onNull is CLEAR.";
            (values, format!("Updates the {} with this external id, {doc}", noun.name))
        }
        MutationField::Generic(Operation::BulkUpsert) => {
            let fields = upsert_row(registry, noun);
            let (mut values, doc) = bulk_types::upsert(registry, noun, fields);
            values.splice(1..1, [mode(), on_null("KEEP")]);
            return finish(registry, &input, values, bulk_types::payload(noun), doc);
        }
        MutationField::BulkDelete | MutationField::BulkArchive(_) => {
            let (values, doc) = bulk_types::named(registry, noun, mutation_field, vec![by(), expected()]);
            return finish(registry, &input, values, bulk_types::payload(noun), doc);
        }
        MutationField::Generic(Operation::Delete) => (
            vec![by(), expected()],
            format!("Deletes {} permanently. Fails with IN_USE while other rows refer to it.", with_article(noun)),
        ),
        MutationField::Generic(Operation::Archive | Operation::List) | MutationField::Archive(true) => (
            vec![by(), expected()],
            format!("Archives {}: lists omit it by default, ids and relations still resolve it.", with_article(noun)),
        ),
        MutationField::Archive(false) => {
            (vec![by(), expected()], format!("Restores {} from the archive.", with_article(noun)))
        }
        MutationField::Transition(known) => {
            let mut values = vec![by()];
            values.extend(transition_types::given(noun, known));
            values.push(expected());
            (values, transition_types::doc(known))
        }
        MutationField::Set(relation) => {
            let named = format!("[{}Ref!]!", relation.target.name);
            let all = format!("The complete list of its {}, without duplicates; at most 1,000.", relation.name);
            let doc = format!("Replaces the {} of {}.", relation.name, with_article(noun));
            (vec![by(), value(relation.name, &named, &all), expected()], doc)
        }
        MutationField::Own(own) => (arguments(registry, own.run.input()), own.doc.to_owned()),
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
        "Makes retries safe: for 24 hours, the same key and input return the first result. 1 to 255 printable ASCII characters.",
    ));
    add_input(registry, input, &doc, false, values);
    (input.to_owned(), payload, doc)
}

pub(super) fn expected() -> MetaInputValue {
    value(
        "expectedVersion",
        "Int",
        "The version you read: CONFLICT if the row has changed since. Not checked if omitted.",
    )
}

fn mode() -> MetaInputValue {
    or("mode", Mode::TYPE.name, "UPSERT", "Whether rows may be created, updated, or both.")
}

fn on_null(default: &str) -> MetaInputValue {
    let doc =
        "What null means: KEEP treats it like an omitted field, CLEAR clears the field. External ids stay either way.";
    or("onNull", OnNull::TYPE.name, default, doc)
}

fn upsert_row(registry: &mut Registry, noun: &'static Noun) -> Vec<MetaInputValue> {
    let mut values =
        vec![value("externalId", "ExternalIdInput!", "External id that identifies the row; a new row gets it.")];
    values.extend(writable(noun, Operation::Upsert));
    values.extend(part_lists(registry, noun));
    values.push(expected());
    values
}

/// Returns the fields that a caller may set.
pub(super) fn writable(noun: &'static Noun, operation: Operation) -> Vec<MetaInputValue> {
    let (is_create, is_upsert) = (operation == Operation::Create, operation == Operation::Upsert);
    let mut values = Vec::new();
    for known in noun.fields.iter().filter(|field| !field.is_currency()) {
        let ty = input_type(known);
        let doc = limits(known);
        values.push(match known.writable {
            Writable::Never => continue,
            Writable::Imported if !is_upsert => continue,
            Writable::Initial if !is_upsert && !is_create => continue,
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
            Writable::Imported if !is_upsert => continue,
            Writable::Initial if !is_upsert && !is_create => continue,
            Writable::Required | Writable::Fixed if is_create => value(&name, &format!("{ty}!"), relation.doc),
            _ => value(&name, &ty, relation.doc),
        });
    }
    for relation in noun.sets() {
        let ty = format!("[{}Ref!]", relation.target.name);
        let doc = "The complete list, without duplicates, up to 1,000; if omitted or null, it does not change.";
        values.push(value(relation.name, &ty, &format!("{} {doc}", relation.doc)));
    }
    if noun.has_external_ids {
        let doc = "External ids to add; a row has at most 100. Null and an empty list change nothing.";
        values.push(value("externalIds", "[ExternalIdInput!]", doc));
        if !is_create {
            let doc = "External ids to remove, except those in externalIds. An upsert can remove the id that identifies the row only \
                       if externalIds has another one of the same system.";
            values.push(value("externalIdsRemove", "[ExternalIdRemoval!]", doc));
        }
    }
    values
}

pub(super) fn limits(known: &Field) -> String {
    match known.kind {
        Kind::Text { max } => format!("{} Up to {} characters.", known.doc, grouped(max)),
        _ => known.doc.to_owned(),
    }
}

/// Returns the type of a field in inputs.
pub(super) fn input_type(known: &Field) -> String {
    match known.kind {
        _ if known.currency.is_some() => MONEY_INPUT.to_owned(),
        Kind::Attributes { .. } => "[AttributeInput!]".to_owned(),
        Kind::Filter(noun) => format!("{}Filter", noun().name),
        other => output_type(other),
    }
}

/// Returns the type of a field in responses.
pub(super) fn shown_type(known: &Field) -> String {
    if known.currency.is_some() { MONEY.to_owned() } else { output_type(known.kind) }
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
        Kind::Scalar(scalar) => scalar.name.to_owned(),
        Kind::Enum(known) => known.name.to_owned(),
        Kind::Tags { .. } | Kind::Names => "[String!]".to_owned(),
        Kind::Attributes { .. } => "[Attribute!]".to_owned(),
        Kind::Json | Kind::Filter(_) => "JSON".to_owned(),
    }
}
