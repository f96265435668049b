//! The types of one noun: its object, its lists, filters, orders and payloads.

use async_graphql::registry::{MetaField, Registry};
use entity::{
    Noun,
    noun::{Cardinality, Field, Kind, Link, Relationship},
};

use super::{
    abstract_types::add_union,
    attribute_filter_types, bulk_types,
    money_types::{AMOUNT, CURRENCY},
    reached::{answer, arguments},
    roots::{add_enum, add_enum_values, add_input, add_object, field, or, output_type, shown_type, value},
};
use crate::graphql::{
    mutation::mutate::mutation_fields,
    planning::{
        external_id_filter::EXTERNAL_IDS,
        filter::enum_value_name,
        plan::{list_name, may_be_null},
        transitions::ALLOWED_TRANSITIONS,
    },
    slice::{Computed, Module, ReturnType},
};

const PAGING: [(&str, &str, &str); 4] = [
    ("first", "Int", "Number of rows from the start, 1 to 1,000. Defaults to 25 without `last`."),
    ("after", "String", "Returns the rows after this cursor."),
    ("last", "Int", "Number of rows from the end, 1 to 1,000. Not with `first`."),
    ("before", "String", "Returns the rows before this cursor."),
];

/// Registers the object type of a noun and all types that its lists, filters and orders need.
pub(in crate::graphql) fn register_noun(registry: &mut Registry, slice: &Module) {
    let noun = slice.noun;
    register_listed(registry, noun, slice.computed);
    registry.add_implements(noun.name, "Node");
    if let Some(lifecycle) = noun.lifecycle() {
        register_listed(registry, lifecycle.history.target, []);
    }
    let reference =
        vec![value("id", "ID", "Id of the row."), value("externalId", "ExternalIdInput", "External id of the row.")];
    let (reference, by) = if noun.has_external_ids {
        (reference, "by its id or by an external id")
    } else {
        (reference.into_iter().take(1).collect(), "by its id")
    };
    add_input(
        registry,
        &format!("{}Ref", noun.name),
        &format!("Identifies {} {by}.", with_article(noun)),
        true,
        reference,
    );
}

/// Registers an object type with its list, filter and order types.
fn register_listed(
    registry: &mut Registry,
    noun: &'static Noun,
    computed: impl IntoIterator<Item = &'static Computed>,
) {
    register_object(registry, noun, computed);
    connection(registry, noun.name, noun, &[]);
    for relation in noun.relations.iter().filter(|relation| !relation.link.edge().is_empty()) {
        connection(registry, &list_name(noun, relation), relation.target, relation.link.edge());
    }
    filter(registry, noun);
    let orderable = noun.all_fields().filter(|known| known.is_orderable);
    let name = format!("{}OrderField", noun.name);
    add_enum_values(
        registry,
        &name,
        &format!("Fields by which a list of {} rows can be sorted.", noun.name),
        orderable.map(|known| (enum_value_name(known.name), known.doc)),
    );
    add_input(
        registry,
        &format!("{}Order", noun.name),
        &format!("A term of the sort order of a list of {} rows.", noun.name),
        false,
        vec![
            value("field", &format!("{name}!"), "Field to sort by."),
            or("direction", "OrderDirection", "ASC", "Sort direction."),
            value(
                "nulls",
                "NullOrder",
                "Position of nulls. By default null is the smallest value: first in ascending, last in descending order.",
            ),
        ],
    );
}

/// Returns a noun's name with its indefinite article: `an Assumption`.
pub(super) fn with_article(noun: &Noun) -> String {
    let article = if noun.name.starts_with(['A', 'E', 'I', 'O']) { "an" } else { "a" };
    format!("{article} {}", noun.name)
}

/// Adds the arguments of a list of `noun` to a field.
pub(in crate::graphql) fn listed(mut meta: MetaField, noun: &Noun) -> MetaField {
    for (name, ty, doc) in PAGING {
        meta.args.insert(name.to_owned(), value(name, ty, doc));
    }
    let filter = value(
        "filter",
        &format!("{}Filter", noun.name),
        "Conditions on the rows; all must hold. At most 500, of which 30 on tags, attributes, external ids and relations, \
         nested at most 16 deep.",
    );
    meta.args.insert("filter".to_owned(), filter);
    let order = value(
        "orderBy",
        &format!("[{}Order!]", noun.name),
        "Up to five terms, then by id. Defaults to the order of creation.",
    );
    meta.args.insert("orderBy".to_owned(), order);
    meta
}

pub(in crate::graphql) fn register_object(
    registry: &mut Registry,
    noun: &'static Noun,
    computed: impl IntoIterator<Item = &'static Computed>,
) {
    if noun.is_union() {
        let members = noun.relations.iter().map(|member| member.target.name.to_owned());
        return add_union(registry, noun.name, noun.doc, members.collect());
    }
    let mut fields = Vec::new();
    for known in noun.shown_fields() {
        let bang = if known.is_nullable || known.is_guarded() { "" } else { "!" };
        let mut doc = known.doc.to_owned();
        if known.is_guarded() {
            doc.push_str(" Personal data: without `customers:read` it is null, with a FORBIDDEN error.");
        }
        fields.push(field(known.name, &format!("{}{bang}", shown_type(known)), &doc));
        if let Kind::Enum(listed) = known.kind {
            add_enum(registry, listed);
        }
    }
    for relation in noun.relations {
        fields.push(related(noun, relation));
    }
    if let Some(lifecycle) = noun.lifecycle() {
        let doc = "Transitions allowed in the current state of the row, without those that require a scope that the token \
                   lacks. Empty if the row is archived.";
        add_enum(registry, lifecycle.verbs);
        fields.push(field(ALLOWED_TRANSITIONS, &format!("[{}!]!", lifecycle.verbs.name), doc));
        fields.push(related(noun, &lifecycle.history));
    }
    if noun.has_external_ids {
        let doc = "Ids of the row in other systems, sorted by system and id.";
        fields.push(if entity::personal::guards_external_ids(noun) {
            let guard = "Personal data: without `customers:read` it is null, with a FORBIDDEN error.";
            field("externalIds", "[ExternalId!]", &format!("{doc} {guard}"))
        } else {
            field("externalIds", "[ExternalId!]!", doc)
        });
    }
    for known in computed {
        let ty = match known.run.shows() {
            ReturnType::Value(kind) | ReturnType::MaybeValue(kind) => {
                if let Kind::Enum(listed) = kind {
                    add_enum(registry, listed);
                }
                let bang = if matches!(known.run.shows(), ReturnType::Value(_)) { "!" } else { "" };
                format!("{}{bang}", output_type(kind))
            }
            ReturnType::One(shown) => format!("{}!", answer(registry, shown)),
            ReturnType::Maybe(shown) => answer(registry, shown).to_owned(),
            ReturnType::List(shown) => format!("[{}!]!", answer(registry, shown)),
        };
        let mut shown = field(known.name, &ty, known.doc);
        shown.args =
            arguments(registry, known.run.arguments()).into_iter().map(|value| (value.name.clone(), value)).collect();
        fields.push(shown);
    }
    add_object(registry, noun.name, noun.doc, fields);
}

fn related(noun: &Noun, relation: &Relationship) -> MetaField {
    let target = relation.target.name;
    let bang = if may_be_null(noun, relation) { "" } else { "!" };
    match relation.link {
        Link::Embedded(Cardinality::List) => field(relation.name, &format!("[{target}!]{bang}"), relation.doc),
        Link::One { .. } | Link::Embedded(_) | Link::Member { .. } => {
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
        &format!("A page of {} rows.", noun.name),
        vec![
            field("nodes", &format!("[{}!]!", noun.name), "The rows of the page."),
            field("edges", &format!("[{name}Edge!]!"), "The rows of the page with their cursors."),
            field("pageInfo", "PageInfo!", "Position of the page within the list."),
            field("totalCount", "Int!", "Number of rows in the whole list. Counted only if it is selected."),
        ],
    );
    let mut fields = vec![
        field("node", &format!("{}!", noun.name), "The row itself."),
        field("cursor", "String!", "Opaque position of the row in the list, valid for this sort order."),
    ];
    fields.extend(edge.iter().map(|known| field(known.name, &format!("{}!", output_type(known.kind)), known.doc)));
    add_object(
        registry,
        &format!("{name}Edge"),
        &format!("A row of a page of {} rows and its cursor.", noun.name),
        fields,
    );
}

fn filter(registry: &mut Registry, noun: &'static Noun) {
    let name = format!("{}Filter", noun.name);
    let mut values = vec![
        value("and", &format!("[{name}!]"), "All of these conditions must hold."),
        value(
            "or",
            &format!("[{name}!]"),
            "At least one of these conditions must hold; an empty list matches nothing.",
        ),
        value("not", &name, "This condition must not hold."),
    ];
    for known in noun.shown_fields().filter(|known| known.kind.is_filterable()) {
        // The field of the type has the rest: filters are a large part of the schema.
        let what = known.doc.split_inclusive(". ").next().unwrap_or_default();
        let doc = format!("Matches rows by `{}`. {}", known.name, what.trim_end());
        values.push(value(known.name, &comparisons(registry, known), &doc));
    }
    if noun.has_external_ids {
        let doc = "Matches rows by whether some or none of their `externalIds` match a condition.";
        values.push(value(EXTERNAL_IDS, "ExternalIdListFilter", doc));
    }
    for relation in noun.relations {
        let target = format!("{}Filter", relation.target.name);
        let (ty, what) = match relation.link {
            Link::One { .. } => (target, "whose `NAME` exists and matches this condition"),
            Link::Embedded(_) | Link::Member { .. } => continue,
            Link::Many { .. } | Link::Through { .. } => {
                let list = format!("{}ListFilter", relation.target.name);
                add_input(
                    registry,
                    &list,
                    &format!(
                        "A condition on related {} rows. All fields that are set must hold.",
                        relation.target.name
                    ),
                    false,
                    vec![
                        value("some", &target, "At least one of them matches."),
                        value("none", &target, "None of them matches."),
                    ],
                );
                (list, "by whether some or none of their `NAME` match a condition")
            }
        };
        let doc = format!("Matches rows {}. {}", what.replace("NAME", relation.name), relation.doc);
        values.push(value(relation.name, &ty, &doc));
    }
    let doc = format!("A condition on {} rows. All fields that are set must hold.", noun.name);
    add_input(registry, &name, &doc, false, values);
}

/// Registers the filter type of a column and returns its name, which depends on the compared type and on nullability.
fn comparisons(registry: &mut Registry, known: &Field) -> String {
    if known.currency.is_some() {
        return money_comparisons(registry, known.is_nullable);
    }
    let (scalar, name) = match known.kind {
        Kind::Tags { .. } => ("String".to_owned(), "TagsFilter".to_owned()),
        Kind::Attributes { .. } => ("AttributeInput".to_owned(), "AttributesFilter".to_owned()),
        Kind::Text { .. } if known.is_searchable => ("String".to_owned(), "TextFilter".to_owned()),
        kind => {
            let scalar = output_type(kind);
            let name = format!("{scalar}{}Filter", if known.is_searchable { "Text" } else { "" });
            (scalar, name)
        }
    };
    let may_be_absent = known.is_nullable && !known.kind.is_set();
    let name = if may_be_absent { format!("Nullable{name}") } else { name };
    let list = format!("[{scalar}!]");
    let mut values = Vec::new();
    if known.kind.is_set() {
        values.push(value("hasAny", &list, "Contains at least one of these."));
        values.push(value("hasAll", &list, "Contains all of these."));
        values.push(value("hasNone", &list, "Contains none of these."));
        match known.kind {
            Kind::Attributes { .. } => values.extend(attribute_filter_types::attribute(registry)),
            _ => values.push(value("hasPrefix", "String", "Contains a value that starts with this; case-sensitive.")),
        }
    } else {
        values.push(value("eq", &scalar, "Equal to this value."));
        values.push(value(
            "neq",
            &scalar,
            if may_be_absent { "Not equal to this value, or null." } else { "Not equal to this value." },
        ));
        values.push(value("in", &list, "Equal to one of these values, at most 1,000."));
        if known.kind.has_range() {
            values.push(value("gt", &scalar, "Greater or later than this value."));
            values.push(value("gte", &scalar, "Greater or later than this value, or equal to it."));
            values.push(value("lt", &scalar, "Less or earlier than this value."));
            values.push(value("lte", &scalar, "Less or earlier than this value, or equal to it."));
        }
        if known.is_searchable {
            values.push(value("contains", "String", "Contains this text; case-insensitive, without wildcards."));
            values.push(value("startsWith", "String", "Starts with this text; case-insensitive, without wildcards."));
            values.push(value(
                "matches",
                "String",
                "Has all words, `beginnings*` and \"phrases\" of this text, as in `search`.",
            ));
        }
        if may_be_absent {
            values.push(value("isNull", "Boolean", "Whether the field is null."));
        }
    }
    if !registry.types.contains_key(&name) {
        let kind = if may_be_absent { "nullable field" } else { "field" };
        let doc = format!("Comparisons for a {kind} of type {scalar}. All comparisons that are set must hold.");
        add_input(registry, &name, &doc, false, values);
    }
    name
}

/// Registers the filter type of an amount of money and returns its name.
fn money_comparisons(registry: &mut Registry, may_be_absent: bool) -> String {
    let name = if may_be_absent { "NullableMoneyFilter" } else { "MoneyFilter" };
    let mut values = vec![
        value(AMOUNT.name, &comparisons(registry, &AMOUNT), "Matches the amount, in any currency."),
        value(CURRENCY.name, &comparisons(registry, &CURRENCY), "Matches the currency."),
    ];
    let mut kind = "field";
    if may_be_absent {
        values.push(value("isNull", "Boolean", "Whether the field is null."));
        kind = "nullable field";
    }
    let doc = format!("Comparisons for a {kind} of type Money. All comparisons that are set must hold.");
    add_input(registry, name, &doc, false, values);
    name.to_owned()
}

pub(in crate::graphql) fn payloads(registry: &mut Registry, slice: &'static Module) {
    let noun = slice.noun;
    let errors = || field("errors", "[UserError!]!", "Errors in the input; empty on success.");
    let node = || field("node", noun.name, "The current row; after CONFLICT, the version that won.");
    let outcome = || field("outcome", "MutationOutcome!", "Effect of the mutation on the row.");
    let replayed =
        || field("isReplayed", "Boolean!", "Whether an earlier call with the same idempotency key gave this result.");
    let deleted_id = || field("deletedId", "ID", "Id of the deleted row; null unless the outcome is DELETED.");
    let mut fields = vec![node(), outcome(), deleted_id(), replayed(), errors()];
    fields.extend(slice.one_time_fields.iter().map(|known| field(known.name, "String", known.doc)));
    for known in slice.reports {
        fields.push(field(known.name, &format!("[{}!]!", answer(registry, (known.noun)())), known.doc));
    }
    let doc = format!("The result of a mutation of {}.", with_article(noun));
    add_object(registry, &format!("{}Payload", noun.name), &doc, fields);
    if mutation_fields(slice).iter().any(|(_, field)| field.is_bulk()) {
        let fields = vec![outcome(), node(), deleted_id(), errors()];
        bulk_types::register(registry, noun, fields, vec![replayed(), errors()]);
    }
}
