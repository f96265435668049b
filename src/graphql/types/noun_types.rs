//! The types of one noun: its object, its lists, filters, orders and payloads.

use async_graphql::registry::{MetaField, Registry};
use entity::{
    Noun,
    noun::{Field, Kind, Link, Operation, Relationship},
};

use super::{
    attribute_filter_types,
    roots::{add_enum, add_enum_values, add_input, add_object, arguments, field, listed, or, output_type, value},
};
use crate::graphql::{
    planning::{
        filter::enum_value_name,
        plan::{list_name, may_be_null},
    },
    slice::{Computed, Module, ReturnType},
};

/// An object and everything a list, a filter and an order of it need.
pub(in crate::graphql) fn register_noun(registry: &mut Registry, slice: &Module) {
    let noun = slice.noun;
    register_object(registry, noun, slice.all_computed());
    registry.add_implements(noun.name, "Node");
    connection(registry, noun.name, noun, &[]);
    for relation in noun.relations.iter().filter(|relation| !relation.link.edge().is_empty()) {
        connection(registry, &list_name(noun, relation), relation.target, relation.link.edge());
    }
    let reference =
        vec![value("id", "ID", "By id."), value("externalId", "ExternalIdInput", "By the id another system gave it.")];
    let (reference, by) = if noun.has_external_ids {
        (reference, "by its id or an external id")
    } else {
        (reference.into_iter().take(1).collect(), "by its id; it has no external ids")
    };
    add_input(registry, &format!("{}Ref", noun.name), &format!("Names one {}, {by}.", noun.name), true, reference);
    filter(registry, noun);
    let orderable = noun.all_fields().filter(|known| known.is_orderable);
    let name = format!("{}OrderField", noun.name);
    add_enum_values(
        registry,
        &name,
        &format!("Fields that a list of {} rows can be ordered by.", noun.name),
        orderable.map(|known| (enum_value_name(known.name), known.doc)),
    );
    add_input(
        registry,
        &format!("{}Order", noun.name),
        &format!("One term of the order of a list of {} rows. Null is the smallest value.", noun.name),
        false,
        vec![
            value("field", &format!("{name}!"), "By what."),
            or("direction", "OrderDirection", "ASC", "In which direction."),
        ],
    );
}

pub(in crate::graphql) fn register_object(
    registry: &mut Registry,
    noun: &'static Noun,
    computed: impl IntoIterator<Item = &'static Computed>,
) {
    let mut fields = Vec::new();
    for known in noun.all_fields() {
        let bang = if known.is_nullable || known.is_guarded() { "" } else { "!" };
        let mut doc = known.doc.to_owned();
        if known.is_guarded() {
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
        let doc = "Its ids in other systems, sorted by system.";
        fields.push(if entity::personal::guards_external_ids(noun) {
            let guard = "Personal data: needs `customers:read`, else null with FORBIDDEN.";
            field("externalIds", "[ExternalId!]", &format!("{doc} {guard}"))
        } else {
            field("externalIds", "[ExternalId!]!", doc)
        });
    }
    for known in computed {
        let ty = match known.shows {
            ReturnType::Value(kind) => format!("{}!", output_type(kind)),
            ReturnType::One(shown) => format!("{}!", shown.name),
            ReturnType::Maybe(shown) => shown.name.to_owned(),
            ReturnType::List(shown) => format!("[{}!]!", shown.name),
        };
        let mut shown = field(known.name, &ty, known.doc);
        shown.args = arguments(known.arguments).into_iter().map(|value| (value.name.clone(), value)).collect();
        fields.push(shown);
    }
    add_object(registry, noun.name, noun.doc, fields);
}

fn related(noun: &Noun, relation: &Relationship) -> MetaField {
    let target = relation.target.name;
    let bang = if may_be_null(noun, relation) { "" } else { "!" };
    match relation.link {
        Link::Embedded { is_list: true } => field(relation.name, &format!("[{target}!]{bang}"), relation.doc),
        Link::One { .. } | Link::Embedded { is_list: false } => {
            field(relation.name, &format!("{target}{bang}"), relation.doc)
        }
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
        &format!("A page of a list of {} rows.", noun.name),
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
    add_object(registry, &format!("{name}Edge"), &format!("One {} of a page, with its cursor.", noun.name), fields);
}

fn filter(registry: &mut Registry, noun: &'static Noun) {
    let name = format!("{}Filter", noun.name);
    let mut values = vec![
        value("and", &format!("[{name}!]"), "All of these hold."),
        value("or", &format!("[{name}!]"), "One of these holds; none for an empty list."),
        value("not", &name, "This does not hold."),
    ];
    for known in noun.all_fields().filter(|known| known.kind.is_filterable()) {
        let doc = format!("Rows whose `{}` meets this comparison. {}", known.name, known.doc);
        values.push(value(known.name, &comparisons(registry, known), &doc));
    }
    for relation in noun.relations {
        let target = format!("{}Filter", relation.target.name);
        let (ty, what) = match relation.link {
            Link::One { .. } => (target, "whose `NAME` is there and meets this condition"),
            Link::Embedded { .. } => continue,
            Link::Many { .. } | Link::Through { .. } => {
                let list = format!("{}ListFilter", relation.target.name);
                add_input(
                    registry,
                    &list,
                    &format!("A condition on related {} rows; all of its fields must hold.", relation.target.name),
                    false,
                    vec![
                        value("some", &target, "One of them meets this."),
                        value("none", &target, "None of them meets this."),
                    ],
                );
                (list, "of whose `NAME` some, or none, meet a condition")
            }
        };
        let doc = format!("Rows {}. {}", what.replace("NAME", relation.name), relation.doc);
        values.push(value(relation.name, &ty, &doc));
    }
    let doc = format!("A condition on {} rows; all of its fields must hold.", noun.name);
    add_input(registry, &name, &doc, false, values);
}

/// The comparisons a kind of column allows; named after what they compare, and whether it may be absent.
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
    let may_be_absent = known.is_nullable && !known.kind.is_set();
    let name = if may_be_absent { format!("Nullable{name}") } else { name };
    let list = format!("[{scalar}!]");
    let mut values = Vec::new();
    if known.kind.is_set() {
        values.push(value("hasAny", &list, "At least one of these is among them."));
        values.push(value("hasAll", &list, "All of these are among them."));
        values.push(value("hasNone", &list, "None of these is among them."));
        match known.kind {
            Kind::Attributes { .. } => values.extend(attribute_filter_types::attribute(registry)),
            _ => values.push(value("hasPrefix", "String", "One of them begins with this, letter for letter.")),
        }
    } else {
        values.push(value("eq", &scalar, "Equal."));
        values.push(value("neq", &scalar, if may_be_absent { "Not equal, or absent." } else { "Not equal." }));
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
        if may_be_absent {
            values.push(value("isNull", "Boolean", "Whether it is absent."));
        }
    }
    if !registry.types.contains_key(&name) {
        let of = if may_be_absent { ", which may be absent" } else { "" };
        let doc = format!("Comparisons of a field of type {scalar}{of}; all that are given must hold.");
        add_input(registry, &name, &doc, false, values);
    }
    name
}

pub(in crate::graphql) fn payloads(registry: &mut Registry, slice: &Module) {
    let noun = slice.noun;
    let errors = || field("errors", "[UserError!]!", "What was wrong with the input; empty when all went well.");
    let node = || field("node", noun.name, "The row as it is now; with CONFLICT, as somebody else left it.");
    let outcome = || field("outcome", "MutationOutcome!", "What happened to the row.");
    let replayed =
        || field("isReplayed", "Boolean!", "Whether the idempotency key had been used: nothing happened again.");
    let deleted = field("deletedId", "ID", "The id of a row that was deleted.");
    let mut fields = vec![node(), outcome(), deleted, replayed(), errors()];
    fields.extend(slice.one_time_fields.iter().map(|known| field(known.name, known.ty, known.doc)));
    let list = |known: &Relationship| field(known.name, &format!("[{}!]!", known.target.name), known.doc);
    fields.extend(slice.reports.iter().map(list));
    let doc = format!("What came of a change to a {}.", noun.name);
    add_object(registry, &format!("{}Payload", noun.name), &doc, fields);
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
