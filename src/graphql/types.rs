//! The types of the API, made from the descriptions of the nouns.

use async_graphql::{
    Value,
    indexmap::IndexMap,
    registry::{
        __DirectiveLocation, Deprecation, EnumBuilder, InputObjectBuilder, MetaDirective, MetaDirectiveInvocation,
        MetaEnumValue, MetaField, MetaInputValue, MetaType, ObjectBuilder, Registry,
    },
};
use entity::{
    Noun, Permission,
    noun::{EnumType, Field, Kind, Link, Named, Operation, Personal, Relationship, Writable},
};

use super::{
    filter::screaming,
    mutate::{Policy, Verb, verbs},
    plan::{list_name, may_be_null},
    scalars,
    slice::{Argument, Slice, reference_field},
};
use crate::{
    error::Code,
    store::draft::{Mode, Outcome},
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

fn or(name: &str, ty: &str, default: &str, doc: &str) -> MetaInputValue {
    MetaInputValue { default_value: Some(default.to_owned()), ..value(name, ty, doc) }
}

fn told(doc: &str) -> String {
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

fn add_object(registry: &mut Registry, name: &str, doc: &str, fields: Vec<MetaField>) {
    let fields = fields.into_iter().map(|field| (field.name.clone(), field)).collect();
    add(registry, name, ObjectBuilder::new(name, fields).description(Some(told(doc))).build());
}

fn add_input(registry: &mut Registry, name: &str, doc: &str, is_one_of: bool, values: Vec<MetaInputValue>) {
    let values: IndexMap<_, _> = values.into_iter().map(|value| (value.name.clone(), value)).collect();
    add(registry, name, InputObjectBuilder::new(name, values).description(Some(told(doc))).oneof(is_one_of).build());
}

fn add_enum(registry: &mut Registry, known: &EnumType) {
    add_enum_values(registry, known.name, known.doc, known.values.iter().map(|(name, doc)| ((*name).to_owned(), *doc)));
}

fn add_enum_values(
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
pub fn register_queries(registry: &mut Registry, slices: &[&'static Slice]) {
    scalars::register(registry);
    common(registry);
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
        register_noun(registry, noun);
        slice.objects.iter().for_each(|object| register_object(registry, object));
        slice.enums.iter().for_each(|known| add_enum(registry, known));
        for input in slice.inputs {
            add_input(registry, input.name, input.doc, false, arguments(input.fields));
        }
        if noun.offers(Operation::List) {
            let permissions: Vec<Permission> = noun.read.into_iter().collect();
            let mut one = field(
                noun.singular,
                noun.name,
                &format!("One {} by id or external id; null if there is none.", noun.name),
            );
            one.args.insert("by".to_owned(), value("by", &format!("{}Ref!", noun.name), "Which one."));
            fields.push(scoped(one, &permissions));
            let all = format!("A page of {}. {}", noun.plural, noun.doc);
            let many = field(noun.plural, &format!("{}Connection", noun.name), &all);
            fields.push(scoped(listed(many, noun), &permissions));
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
pub fn register_mutations(registry: &mut Registry, slices: &[&'static Slice]) {
    let mut fields = Vec::new();
    for slice in slices {
        let noun = slice.noun;
        for (name, verb) in verbs(slice) {
            let (input, payload, doc) = mutation(registry, slice, &name, verb);
            let mut meta = field(&name, &payload, &doc);
            meta.args.insert("input".to_owned(), value("input", &format!("{input}!"), "What to do."));
            fields.push(scoped(meta, &verb.permissions(noun)));
        }
        payloads(registry, noun);
    }
    add_object(registry, "Mutation", "What can be changed. Each field is one transaction.", fields);
}

fn mutation(registry: &mut Registry, slice: &Slice, name: &str, verb: Verb) -> (String, String, String) {
    let noun = slice.noun;
    let (first, rest) = name.split_at(1);
    let input = format!("{}{rest}Input", first.to_ascii_uppercase());
    let payload = format!("{}Payload", noun.name);
    let id = || value("id", "ID!", "Which one.");
    let (values, doc) = match verb {
        Verb::Generic(Operation::Create) => (writable(noun, true), format!("Makes one {}.", noun.name)),
        Verb::Generic(Operation::Update) => {
            let mut values = if noun.tenant == "id" { Vec::new() } else { vec![id()] };
            values.extend(writable(noun, false));
            values.push(expected());
            (values, format!("Changes one {}: what is left out stays, null clears.", noun.name))
        }
        Verb::Generic(Operation::Upsert) => {
            let mut values = upsert_row(noun);
            values.push(mode());
            (values, format!("Makes or changes the {} with an external id.", noun.name))
        }
        Verb::Generic(Operation::BulkUpsert) => {
            let row = format!("{}UpsertRow", noun.name);
            add_input(registry, &row, &format!("One {} of a bulk upsert.", noun.name), false, upsert_row(noun));
            let values = vec![
                value("rows", &format!("[{row}!]!"), "1 to 1,000 rows."),
                mode(),
                or("policy", Policy::TYPE.name, "ALL_OR_NOTHING", "What one wrong row does to the others."),
            ];
            let bulk = format!("{}BulkPayload", noun.name);
            let doc = format!("Makes or changes up to 1,000 {} by external id, with an outcome for each.", noun.plural);
            return finish(registry, &input, values, bulk, doc);
        }
        Verb::Generic(Operation::Delete) => (
            vec![id(), expected()],
            format!("Deletes one {} for good. Refused with IN_USE while other rows refer to it.", noun.name),
        ),
        Verb::Generic(Operation::Archive | Operation::List) | Verb::Archive(true) => (
            vec![id(), expected()],
            format!("Puts one {} into the archive: left out of lists, still resolved by id.", noun.name),
        ),
        Verb::Archive(false) => (vec![id(), expected()], format!("Takes one {} out of the archive.", noun.name)),
        Verb::Own(own) => (arguments(own.input), own.doc.to_owned()),
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

fn arguments(arguments: &[Argument]) -> Vec<MetaInputValue> {
    arguments
        .iter()
        .map(|known| MetaInputValue {
            default_value: known.default.map(str::to_owned),
            ..value(known.name, known.ty, known.doc)
        })
        .collect()
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
        let doc = "External ids to add; one of the same system is replaced. Null takes all away, but never the one that names the row of an upsert.";
        values.push(value("externalIds", "[ExternalIdInput!]", doc));
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

fn output_type(kind: Kind) -> String {
    match kind {
        Kind::Id => "ID".to_owned(),
        Kind::Text { .. } => "String".to_owned(),
        Kind::Int { .. } => "Int".to_owned(),
        Kind::Float { .. } => "Float".to_owned(),
        Kind::Bool => "Boolean".to_owned(),
        Kind::Instant => "DateTime".to_owned(),
        Kind::TimeZone => "TimeZone".to_owned(),
        Kind::Enum(known) => known.name.to_owned(),
        Kind::Tags { .. } => "[String!]".to_owned(),
        Kind::Attributes { .. } => "[Attribute!]".to_owned(),
    }
}

/// The arguments of a list of `noun`.
fn listed(mut meta: MetaField, noun: &Noun) -> MetaField {
    for (name, ty, doc) in PAGING {
        meta.args.insert(name.to_owned(), value(name, ty, doc));
    }
    let filter = value(
        "filter",
        &format!("{}Filter", noun.name),
        "Which rows; all conditions must hold. Up to 500 conditions, nested up to 16 deep.",
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

/// An object and everything a list, a filter and an order of it need.
fn register_noun(registry: &mut Registry, noun: &'static Noun) {
    register_object(registry, noun);
    registry.add_implements(noun.name, "Node");
    connection(registry, noun.name, noun, &[]);
    for relation in noun.relations.iter().filter(|relation| !relation.link.edge().is_empty()) {
        connection(registry, &list_name(noun, relation), relation.target, relation.link.edge());
    }
    let reference =
        vec![value("id", "ID", "By id."), value("externalId", "ExternalIdInput", "By the id another system gave it.")];
    let reference = if noun.has_external_ids { reference } else { reference.into_iter().take(1).collect() };
    add_input(registry, &format!("{}Ref", noun.name), &format!("Names one {}.", noun.name), true, reference);
    filter(registry, noun);
    let orderable = noun.all_fields().filter(|known| known.is_orderable);
    let name = format!("{}OrderField", noun.name);
    add_enum_values(
        registry,
        &name,
        &format!("What {} can be ordered by.", noun.plural),
        orderable.map(|known| (screaming(known.name), known.doc)),
    );
    add_input(
        registry,
        &format!("{}Order", noun.name),
        &format!("One term of an order of {}. Null is the smallest value.", noun.plural),
        false,
        vec![
            value("field", &format!("{name}!"), "By what."),
            or("direction", "OrderDirection", "ASC", "In which direction."),
        ],
    );
}

fn register_object(registry: &mut Registry, noun: &'static Noun) {
    let mut fields = Vec::new();
    for known in noun.all_fields() {
        let bang = if known.is_nullable || known.personal != Personal::None { "" } else { "!" };
        let mut doc = known.doc.to_owned();
        if known.personal != Personal::None {
            doc.push_str(" Personal data: needs `customers:read`, else null with FORBIDDEN.");
        }
        fields.push(field(known.name, &format!("{}{bang}", output_type(known.kind)), &doc));
        if let Kind::Enum(listed) = known.kind {
            add_enum(registry, listed);
        }
    }
    for relation in noun.relations {
        fields.push(related(noun, relation));
    }
    if noun.has_external_ids {
        fields.push(field("externalIds", "[ExternalId!]!", "Its ids in other systems, sorted by system."));
    }
    add_object(registry, noun.name, noun.doc, fields);
}

fn related(noun: &Noun, relation: &Relationship) -> MetaField {
    let target = relation.target.name;
    let bang = if may_be_null(noun, relation) { "" } else { "!" };
    match relation.link {
        Link::One { .. } => field(relation.name, &format!("{target}{bang}"), relation.doc),
        Link::Inside { is_list: true } => field(relation.name, &format!("[{target}!]{bang}"), relation.doc),
        Link::Inside { is_list: false } => field(relation.name, &format!("{target}{bang}"), relation.doc),
        Link::Many { .. } | Link::Through { .. } => {
            let ty = format!("{}Connection{bang}", list_name(noun, relation));
            listed(field(relation.name, &ty, relation.doc), relation.target)
        }
    }
}

fn connection(registry: &mut Registry, name: &str, noun: &Noun, edge: &[Field]) {
    let connection = format!("{name}Connection");
    add_object(
        registry,
        &connection,
        &format!("A page of {}.", noun.plural),
        vec![
            field("nodes", &format!("[{}!]!", noun.name), "The rows of the page."),
            field("edges", &format!("[{name}Edge!]!"), "The rows with their cursors."),
            field("pageInfo", "PageInfo!", "Where the page stands in the list."),
            field("totalCount", "Int!", "Rows of the whole list, whatever the page. Counted only when asked for."),
        ],
    );
    let mut fields = vec![
        field("node", &format!("{}!", noun.name), "The row."),
        field("cursor", "String!", "Opaque place of the row in this list and order."),
    ];
    fields.extend(edge.iter().map(|known| field(known.name, &format!("{}!", output_type(known.kind)), known.doc)));
    add_object(registry, &format!("{name}Edge"), &format!("A row of a page of {}.", noun.plural), fields);
}

fn filter(registry: &mut Registry, noun: &'static Noun) {
    let name = format!("{}Filter", noun.name);
    let mut values = vec![
        value("and", &format!("[{name}!]"), "All of these hold."),
        value("or", &format!("[{name}!]"), "One of these holds; none for an empty list."),
        value("not", &name, "This does not hold."),
    ];
    for known in noun.all_fields() {
        values.push(value(known.name, &comparisons(registry, known), known.doc));
    }
    for relation in noun.relations {
        let target = format!("{}Filter", relation.target.name);
        let ty = match relation.link {
            Link::One { .. } => target,
            Link::Inside { .. } => continue,
            Link::Many { .. } | Link::Through { .. } => {
                let list = format!("{}ListFilter", relation.target.name);
                add_input(
                    registry,
                    &list,
                    &format!("A condition on the related {}.", relation.target.plural),
                    false,
                    vec![
                        value("some", &target, "One of them meets this."),
                        value("none", &target, "None of them meets this."),
                    ],
                );
                list
            }
        };
        values.push(value(relation.name, &ty, relation.doc));
    }
    let doc = format!("A condition on {}: all of its fields must hold.", noun.plural);
    add_input(registry, &name, &doc, false, values);
}

/// The comparisons a kind of column allows; named after what they compare.
fn comparisons(registry: &mut Registry, known: &Field) -> String {
    let (scalar, name) = match known.kind {
        Kind::Tags { .. } => ("String".to_owned(), "TagsFilter".to_owned()),
        Kind::Attributes { .. } => ("AttributeInput".to_owned(), "AttributesFilter".to_owned()),
        Kind::Text { .. } if known.is_searchable => ("String".to_owned(), "TextFilter".to_owned()),
        kind => {
            let scalar = output_type(kind);
            let name = format!("{scalar}Filter");
            (scalar, name)
        }
    };
    let list = format!("[{scalar}!]");
    let mut values = Vec::new();
    if known.kind.is_set() {
        values.push(value("hasAny", &list, "At least one of these is among them."));
        values.push(value("hasAll", &list, "All of these are among them."));
        values.push(value("hasNone", &list, "None of these is among them."));
    } else {
        values.push(value("eq", &scalar, "Equal."));
        values.push(value("neq", &scalar, "Not equal, or absent."));
        values.push(value("in", &list, "Equal to one of up to 1,000."));
        if matches!(known.kind, Kind::Int { .. } | Kind::Float { .. } | Kind::Instant) {
            values.push(value("gt", &scalar, "Greater, later."));
            values.push(value("gte", &scalar, "Greater or equal: the start of a half-open range."));
            values.push(value("lt", &scalar, "Less, earlier: the end of a half-open range."));
            values.push(value("lte", &scalar, "Less or equal."));
        }
        if known.is_searchable {
            values.push(value("contains", &scalar, "Contains, letter case ignored; no wildcards."));
            values.push(value("startsWith", &scalar, "Starts with, letter case ignored; no wildcards."));
        }
        values.push(value("isNull", "Boolean", "Whether it is absent."));
    }
    if !registry.types.contains_key(&name) {
        add_input(registry, &name, "Comparisons; all given ones must hold.", false, values);
    }
    name
}

fn payloads(registry: &mut Registry, noun: &Noun) {
    let errors = || field("errors", "[UserError!]!", "What was wrong with the input; empty when all went well.");
    let node = || field("node", noun.name, "The row as it is now; with CONFLICT, as somebody else left it.");
    let outcome = || field("outcome", "MutationOutcome!", "What happened to the row.");
    let replayed =
        || field("isReplayed", "Boolean!", "Whether the idempotency key had been used: nothing happened again.");
    add_object(
        registry,
        &format!("{}Payload", noun.name),
        &format!("What came of a change to a {}.", noun.name),
        vec![node(), outcome(), field("deletedId", "ID", "The id of a row that was deleted."), replayed(), errors()],
    );
    if noun.offers(Operation::BulkUpsert) {
        let result = format!("{}BulkResult", noun.name);
        add_object(
            registry,
            &result,
            "What came of one row of a bulk call.",
            vec![field("index", "Int!", "Place of the row in the call, from 0."), outcome(), node(), errors()],
        );
        add_object(
            registry,
            &format!("{}BulkPayload", noun.name),
            "What came of a bulk call.",
            vec![
                field("results", &format!("[{result}!]!"), "A result for each row, in their order."),
                replayed(),
                errors(),
            ],
        );
    }
}

/// Types that belong to no noun.
fn common(registry: &mut Registry) {
    for known in [Mode::TYPE, Outcome::TYPE, Policy::TYPE, Code::TYPE] {
        add_enum(registry, known);
    }
    let directions =
        [("ASC", "Smallest first; absent values come first."), ("DESC", "Largest first; absent values come last.")];
    add_enum_values(
        registry,
        "OrderDirection",
        "A direction of an order.",
        directions.into_iter().map(|(name, doc)| (name.to_owned(), doc)),
    );
    add_object(
        registry,
        "PageInfo",
        "Where a page stands in its list.",
        vec![
            field("hasNextPage", "Boolean!", "Whether rows follow."),
            field("hasPreviousPage", "Boolean!", "Whether rows precede."),
            field("startCursor", "String", "Cursor of the first row; null for an empty page."),
            field("endCursor", "String", "Cursor of the last row; null for an empty page."),
        ],
    );
    add_object(
        registry,
        "ExternalId",
        "The id that another system gave a row.",
        vec![field("system", "String!", "The system."), field("id", "String!", "The id there.")],
    );
    add_input(
        registry,
        "ExternalIdInput",
        "The id that another system gave a row; unique for each system and type.",
        false,
        vec![
            value("system", "String!", "The system, up to 64 characters."),
            value("id", "String!", "The id there, up to 255 characters."),
        ],
    );
    add_object(
        registry,
        "Attribute",
        "A named value.",
        vec![field("name", "String!", "The name."), field("value", "String!", "The value.")],
    );
    add_input(
        registry,
        "AttributeInput",
        "A named value.",
        false,
        vec![value("name", "String!", "The name."), value("value", "String!", "The value.")],
    );
    add_object(
        registry,
        "UserError",
        "What is wrong with a mutation's input.",
        vec![
            field("code", "UserErrorCode!", "What kind of mistake."),
            field("message", "String!", "A sentence to show."),
            field("path", "[String!]!", "The input field it is about."),
        ],
    );
    let mut scopes = value(
        "scopes",
        "[[String!]!]!",
        "Alternatives; all scopes of one of them are needed. An empty one is any valid token.",
    );
    scopes.deprecation = Deprecation::NoDeprecated;
    registry.add_directive(MetaDirective {
        name: "requiresScopes".to_owned(),
        description: Some(told("The scopes a token needs for a field.")),
        locations: vec![__DirectiveLocation::FIELD_DEFINITION],
        args: [("scopes".to_owned(), scopes)].into_iter().collect(),
        is_repeatable: false,
        visible: None,
        composable: None,
    });
}
