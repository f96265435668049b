//! Estimates the length of an introspection response from the selected fields and the size of the schema.
//!
//! Selections on all types are counted exactly. Selections on one type, or on the types of fields, are counted as if
//! each type were the largest.

use async_graphql::{
    Positioned,
    parser::types::{BaseType, DirectiveDefinition, FieldDefinition, Type, TypeDefinition, TypeKind},
};

use super::merge::Entry;

/// Bytes of an introspection response per point.
pub const BYTES: u64 = 1_000;
/// Bytes of punctuation per value: quotes, colon, comma, brackets.
const AROUND: u64 = 4;

/// Maximum number of wrappers (lists and non-nulls) around a type: `[[X!]!]!`.
const WRAPPERS: usize = 5;

/// Number of elements of each kind in a schema.
#[derive(Debug, Default)]
pub struct Extent {
    types: u64,
    fields: u64,
    args: u64,
    inputs: u64,
    values: u64,
    members: u64,
    directives: u64,
    directive_args: u64,
    /// Maximum number of fields of a type, with and without root types.
    most_root_fields: u64,
    most_fields: u64,
    most_args: u64,
    most_inputs: u64,
    most_values: u64,
    most_members: u64,
    /// Number of types of fields and arguments, and how many of them have at least 1, 2, … wrappers.
    references: u64,
    wrapped: [u64; WRAPPERS],
    /// Mean length of a description in bytes, then the number of elements and the total bytes of their descriptions.
    description: u64,
    described: (u64, u64),
}

impl Extent {
    /// The extent of an empty schema: built-in scalars, directives and the introspection types.
    pub fn of_nothing() -> Self {
        Self { types: 13, fields: 40, args: 5, directives: 5, directive_args: 5, values: 30, ..Self::default() }
    }

    /// Adds a type.
    pub fn add(&mut self, definition: &TypeDefinition, is_root: bool) {
        self.types += 1;
        self.describe(definition.description.as_ref().map(|text| text.node.as_str()));
        match &definition.kind {
            TypeKind::Scalar => {}
            TypeKind::Object(kind) => {
                self.add_fields(&kind.fields, is_root);
                self.members += kind.implements.len() as u64 * 2;
            }
            TypeKind::Interface(kind) => self.add_fields(&kind.fields, is_root),
            TypeKind::Union(kind) => self.members += kind.members.len() as u64,
            TypeKind::Enum(kind) => {
                let count = kind.values.len() as u64;
                (self.values, self.most_values) = (self.values + count, self.most_values.max(count));
                kind.values.iter().for_each(|value| {
                    self.describe(value.node.description.as_ref().map(|text| text.node.as_str()));
                });
            }
            TypeKind::InputObject(kind) => {
                let count = kind.fields.len() as u64;
                (self.inputs, self.most_inputs) = (self.inputs + count, self.most_inputs.max(count));
                for field in &kind.fields {
                    self.refer(&field.node.ty.node);
                    self.describe(field.node.description.as_ref().map(|text| text.node.as_str()));
                }
            }
        }
        self.most_members = self.members;
    }

    fn add_fields(&mut self, fields: &[Positioned<FieldDefinition>], is_root: bool) {
        let count = fields.len() as u64;
        self.fields += count;
        self.most_root_fields = self.most_root_fields.max(count);
        if !is_root {
            self.most_fields = self.most_fields.max(count);
        }
        for field in fields {
            self.refer(&field.node.ty.node);
            self.describe(field.node.description.as_ref().map(|text| text.node.as_str()));
            let count = field.node.arguments.len() as u64;
            (self.args, self.most_args) = (self.args + count, self.most_args.max(count));
            for argument in &field.node.arguments {
                self.refer(&argument.node.ty.node);
                self.describe(argument.node.description.as_ref().map(|text| text.node.as_str()));
            }
        }
    }

    /// Adds a directive.
    pub fn add_directive(&mut self, definition: &DirectiveDefinition) {
        self.directives += 1;
        self.directive_args += definition.arguments.len() as u64;
    }

    fn describe(&mut self, text: Option<&str>) {
        let (number, bytes) = &mut self.described;
        (*number, *bytes) = (*number + 1, *bytes + text.map_or(0, str::len) as u64);
        self.description = bytes.div_ceil(*number);
    }

    fn refer(&mut self, ty: &Type) {
        self.references += 1;
        let (mut ty, mut depth) = (ty, 0);
        loop {
            depth += usize::from(!ty.nullable);
            let BaseType::List(inner) = &ty.base else { break };
            (ty, depth) = (inner, depth + 1);
        }
        self.wrapped[..depth.min(WRAPPERS)].iter_mut().for_each(|number| *number += 1);
    }

    /// Estimates how many of `number` types with at least `wrapped` wrappers have one more.
    fn unwrapped(&self, number: u64, wrapped: usize) -> u64 {
        let of = wrapped.checked_sub(1).map_or(self.references, |at| self.wrapped.get(at).copied().unwrap_or(0));
        let more = self.wrapped.get(wrapped).copied().unwrap_or(0);
        number.saturating_mul(more).div_ceil(of.max(1))
    }
}

/// Returns the cost of the introspection fields among an operation's root fields, in points; 0 if there are none.
pub fn points(roots: &[Entry<'_>], extent: &Extent) -> u64 {
    each(roots, |name, key, children| match name {
        "__schema" => key + schema(children, extent),
        "__type" => key + of_types(children, extent, Types { number: 1, are: Are::RootField }),
        _ => 0,
    })
    .div_ceil(BYTES)
}

/// Types that a selection applies to.
#[derive(Clone, Copy)]
struct Types {
    number: u64,
    are: Are,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Are {
    /// Every type of the schema, once.
    All,
    /// A single type, which may be a root type.
    RootField,
    /// Types of fields and arguments after `wrapped` selections of `ofType`. `exact` if each in the schema counts once.
    Named { wrapped: usize, exact: bool },
}

/// Fields, arguments, input fields or enum values that a selection applies to. `exact` if each in the schema counts
/// once.
#[derive(Clone, Copy)]
struct Values {
    number: u64,
    exact: bool,
}

/// Sums `size` over the selected fields. Its parameters are the field's name, the length of its response key in bytes
/// with punctuation, and its selections.
fn each(entries: &[Entry<'_>], mut size: impl FnMut(&str, u64, &[Entry<'_>]) -> u64 + Copy) -> u64 {
    let sizes = entries.iter().map(|entry| match entry {
        Entry::Fragment { children, .. } => each(children, size),
        Entry::Field { first, children } => {
            let key = first.node.response_key().node.len() as u64 + AROUND;
            size(first.node.name.node.as_str(), key, children)
        }
    });
    sizes.fold(0, u64::saturating_add)
}

fn schema(entries: &[Entry<'_>], extent: &Extent) -> u64 {
    each(entries, |name, key, children| match name {
        "types" => key + of_types(children, extent, Types { number: extent.types, are: Are::All }),
        "queryType" | "mutationType" | "subscriptionType" => {
            key + of_types(children, extent, Types { number: 1, are: Are::RootField })
        }
        "directives" => {
            key + each(children, |name, key, children| match name {
                "args" => {
                    let args = Values { number: extent.directive_args, exact: false };
                    extent.directives * key + of_values(children, extent, args)
                }
                scalar => extent.directives * (key + value(scalar, extent, false)),
            })
        }
        scalar => key + value(scalar, extent, false),
    })
}

fn of_types(entries: &[Entry<'_>], extent: &Extent, types: Types) -> u64 {
    let Types { number, are } = types;
    let braces = number.saturating_mul(AROUND);
    let all = are == Are::All;
    let many = |all_there_are: u64, most: u64| if all { all_there_are } else { number.saturating_mul(most) };
    let fields = if are == Are::RootField { extent.most_root_fields } else { extent.most_fields };
    let sum = each(entries, |name, key, children| {
        let keys = number.saturating_mul(key);
        let inside = match name {
            "fields" => of_values(children, extent, Values { number: many(extent.fields, fields), exact: all }),
            "inputFields" => {
                of_values(children, extent, Values { number: many(extent.inputs, extent.most_inputs), exact: all })
            }
            "enumValues" => {
                let number = many(extent.values, extent.most_values);
                of_values(children, extent, Values { number, exact: all })
            }
            "interfaces" | "possibleTypes" => {
                let number = many(extent.members, extent.most_members);
                of_types(children, extent, Types { number, are: Are::Named { wrapped: 0, exact: all } })
            }
            "ofType" => {
                let (inside, exact) = match are {
                    Are::Named { wrapped, exact } => (wrapped, exact),
                    Are::All | Are::RootField => (WRAPPERS, false),
                };
                let number = if exact { extent.unwrapped(number, inside) } else { number };
                let number = if inside < WRAPPERS { number } else { 0 };
                of_types(children, extent, Types { number, are: Are::Named { wrapped: inside + 1, exact } })
            }
            scalar => number.saturating_mul(value(scalar, extent, all)),
        };
        keys.saturating_add(inside)
    });
    sum.saturating_add(braces)
}

fn of_values(entries: &[Entry<'_>], extent: &Extent, values: Values) -> u64 {
    let Values { number, exact } = values;
    let braces = number.saturating_mul(AROUND);
    let sum = each(entries, |name, key, children| {
        let keys = number.saturating_mul(key);
        let inside = match name {
            "args" => {
                let number = if exact { extent.args } else { number.saturating_mul(extent.most_args) };
                of_values(children, extent, Values { number, exact })
            }
            "type" => of_types(children, extent, Types { number, are: Are::Named { wrapped: 0, exact } }),
            scalar => number.saturating_mul(value(scalar, extent, exact)),
        };
        keys.saturating_add(inside)
    });
    sum.saturating_add(braces)
}

/// Returns the estimated length of a scalar field's value, in bytes.
fn value(name: &str, extent: &Extent, exact: bool) -> u64 {
    match name {
        // If only some elements are selected, their descriptions may all be longer than the mean.
        "description" => extent.description.saturating_mul(if exact { 1 } else { 3 }),
        "name" | "__typename" => 20,
        "kind" => 12,
        "locations" | "specifiedByURL" | "deprecationReason" => 30,
        _ => 6,
    }
}
