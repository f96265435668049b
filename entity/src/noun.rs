//! Descriptions of nouns: their columns and relations as data.
//!
//! The types of the API, filters, sort orders, cursors, column selection, input rules, scopes for personal data and field
//! names of events are derived from them.

use std::{collections::HashMap, sync::LazyLock};

use crate::{ChangeNoun, NOUNS, lifecycle::Lifecycle, permission::Permission};
pub use crate::{
    field::{Field, Personal, Writable},
    kind::Kind,
    relationship::{Cardinality, Link, Relationship},
    string_enum::{EnumType, StringEnum},
};

/// A noun of the domain: a table and its GraphQL type.
#[derive(Debug)]
pub struct Noun {
    /// GraphQL type name, for example `InteractionPoint`.
    pub name: &'static str,
    /// Query field that looks up a row, for example `interactionPoint`; also the prefix of its mutations.
    pub singular: &'static str,
    /// Query field that lists rows, for example `interactionPoints`.
    pub plural: &'static str,
    /// Table name; empty for a computed object.
    pub table: &'static str,
    /// Prefix of its ids in the API.
    pub prefix: &'static str,
    /// Description in the API.
    pub doc: &'static str,
    /// Column of the tenant: `organization_id`, in `organization` itself `id`.
    pub tenant: &'static str,
    /// Scope required to read it; `None` accepts any valid token.
    pub read: Option<Permission>,
    /// Scope required to write it.
    pub write: Permission,
    /// Kernel columns before its own: [`SYSTEM`], [`APPENDED`] for append-only rows, none for computed objects.
    pub system: &'static [Field],
    /// Its own columns.
    pub fields: &'static [Field],
    /// Its relations.
    pub relations: &'static [Relationship],
    /// Generic operations that the API offers.
    pub operations: &'static [Operation],
    /// Whether its rows have external ids.
    pub has_external_ids: bool,
    /// Names of the relations of which a row has exactly one.
    pub exactly_one: &'static [&'static str],
    /// Columns whose values together only one row has; none if there are none. Nulls differ from each other.
    pub unique: &'static [&'static str],
    /// How its rows stand on timelines; `None` if they do not.
    pub timeline: Option<Timeline>,
    /// How its rows belong to departments: a caller whose token names departments sees only rows for which all of these
    /// hold. None if every caller who may read the noun sees all of its rows.
    pub narrowed: &'static [Narrowing],
}

/// How a row belongs to a department.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Narrowing {
    /// By this column, which references the department. A row without one belongs to none.
    By(&'static str),
    /// Through the row that this relation to one row leads to.
    Through(&'static str),
}

/// How the rows of a noun stand on timelines.
#[derive(Clone, Copy, Debug)]
pub struct Timeline {
    /// Columns with instants, the last of which is never null. The first one that is not null places a row.
    pub at: &'static [&'static str],
    /// Relation to one row. The rows stand on the timelines of what this row belongs to, too.
    pub via: Option<&'static str>,
}

/// A generic operation of the kernel on a noun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Look-up by id or external id, and the list.
    List,
    /// `xCreate`
    Create,
    /// `xUpdate`
    Update,
    /// `xUpsert`
    Upsert,
    /// `xsBulkUpsert`
    BulkUpsert,
    /// `xDelete`
    Delete,
    /// `xArchive` and `xUnarchive`
    Archive,
}

/// All operations.
pub const FULL: &[Operation] = &[
    Operation::List,
    Operation::Create,
    Operation::Update,
    Operation::Upsert,
    Operation::BulkUpsert,
    Operation::Delete,
    Operation::Archive,
];

/// All operations except archiving, for rows that are archived with their parent.
pub const PART: &[Operation] = &[
    Operation::List,
    Operation::Create,
    Operation::Update,
    Operation::Upsert,
    Operation::BulkUpsert,
    Operation::Delete,
];

const ID: Field = Field::new(
    "id",
    "id",
    Kind::Id,
    "Opaque, globally unique id that starts with the prefix of the type. Ids sort by time of creation.",
)
.ordered();

/// Kernel columns of append-only rows, which have no version and no times of creation and change.
pub static APPENDED: [Field; 1] = [ID];

/// Kernel columns of rows that can change.
pub static SYSTEM: [Field; 4] = [
    ID,
    Field::new(
        "version",
        "version",
        Kind::Int { min: 1, max: i64::MAX },
        "Version of the row, starting at 1. Pass it as `expectedVersion` to detect concurrent changes.",
    ),
    Field::new("createdAt", "created_at", Kind::Instant, "When the row was created, UTC.").ordered(),
    Field::new("updatedAt", "updated_at", Kind::Instant, "When the row last changed, UTC.").ordered(),
];

/// Kernel column of nouns that can be archived.
pub static ARCHIVED_AT: Field = Field::new(
    "archivedAt",
    "archived_at",
    Kind::Instant,
    "When the row was archived, UTC; null if it is active. Lists omit archived rows unless the filter contains this field.",
)
.nullable();

impl Noun {
    /// Describes a computed object that requires this scope.
    pub const fn computed(
        name: &'static str,
        doc: &'static str,
        permission: Permission,
        fields: &'static [Field],
        relations: &'static [Relationship],
    ) -> Self {
        Self {
            name,
            singular: "",
            plural: "",
            table: "",
            prefix: "",
            doc,
            tenant: "",
            read: Some(permission),
            write: permission,
            system: &[],
            fields,
            relations,
            operations: &[],
            has_external_ids: false,
            exactly_one: &[],
            unique: &[],
            timeline: None,
            narrowed: &[],
        }
    }

    /// Describes a union of the targets of `members`, relations of the kind [`Link::Member`].
    pub const fn union(
        name: &'static str,
        doc: &'static str,
        read: Option<Permission>,
        members: &'static [Relationship],
    ) -> Self {
        let write = if let Some(read) = read { read } else { Permission::Admin };
        Self { read, ..Self::computed(name, doc, write, &[], members) }
    }

    /// Returns whether it is a union of nouns.
    pub const fn is_union(&self) -> bool {
        matches!(self.relations, [Relationship { link: Link::Member { .. }, .. }, ..])
    }

    /// Returns whether it is a union whose rows may not exist any more.
    pub const fn may_be_gone(&self) -> bool {
        matches!(self.relations, [Relationship { link: Link::Member { may_be_gone: true }, .. }, ..])
    }

    /// Returns whether an event is written for each change of a row.
    pub fn has_events(&self) -> bool {
        ChangeNoun::all().any(|known| known.noun().table == self.table)
    }

    /// Returns whether the API offers the operation.
    pub fn offers(&self, operation: Operation) -> bool {
        self.operations.contains(&operation)
    }

    /// Returns whether its rows can be archived.
    pub fn is_archivable(&self) -> bool {
        self.offers(Operation::Archive)
    }

    /// Returns whether it has a table.
    pub const fn is_stored(&self) -> bool {
        !self.table.is_empty()
    }

    /// Returns all columns, starting with the kernel columns.
    pub fn all_fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        let archived = self.is_archivable().then_some(&ARCHIVED_AT);
        self.system.iter().chain(self.fields).chain(archived)
    }

    /// Returns the fields of the API: all columns except currencies, which are part of their amounts.
    pub fn shown_fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.all_fields().filter(|field| !field.is_currency())
    }

    /// Returns the column with this name in the API.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.shown_fields().find(|field| field.name == name)
    }

    /// The currency of an amount of money.
    pub fn currency_of(&self, amount: &Field) -> Option<&'static Field> {
        let column = amount.currency?;
        self.fields.iter().find(|field| field.column == column)
    }

    /// Returns whether its rows belong to departments, so that a caller whose token names departments sees only some: its
    /// own description says so, or the row is about rows of nouns of which this is true.
    pub fn is_narrowed(&self) -> bool {
        !self.narrowed.is_empty() || self.row_column().is_some()
    }

    /// Returns the column with the id of the row that a row is about, and the column with the noun of that row.
    pub fn row_column(&self) -> Option<(&'static str, &'static str)> {
        self.fields.iter().find_map(|field| match field.kind {
            Kind::RowId { noun } => Some((field.column, noun)),
            _ => None,
        })
    }

    /// Returns the instant from which its rows expire, if they can.
    pub fn expiry(&self) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.expires)
    }

    /// Returns its relations through a join table of its own without further columns: mutations set their rows whole.
    pub fn sets(&'static self) -> impl Iterator<Item = &'static Relationship> {
        let is_own = |table: &str| table.strip_prefix(self.table).is_some_and(|rest| rest.starts_with('_'));
        self.relations
            .iter()
            .filter(move |relation| matches!(relation.link, Link::Through { table, edge: [], .. } if is_own(table)))
    }

    /// Returns the relations to parts of its rows. A relation follows the relations to rows that its own rows may
    /// reference.
    pub fn parts(&self) -> &'static [&'static Relationship] {
        // Each row of a mutation asks for them.
        static PARTS: LazyLock<HashMap<&str, Vec<&Relationship>>> =
            LazyLock::new(|| NOUNS.into_iter().map(|noun| (noun.table, noun.ordered_parts())).collect());
        PARTS.get(self.table).map_or(&[], Vec::as_slice)
    }

    fn ordered_parts(&'static self) -> Vec<&'static Relationship> {
        let is_part = |relation: &&Relationship| matches!(relation.link, Link::Many { is_part: true, .. });
        let mut waiting: Vec<&Relationship> = self.relations.iter().filter(is_part).collect();
        let mut parts: Vec<&Relationship> = Vec::with_capacity(waiting.len());
        while !waiting.is_empty() {
            let refers = |one: &Relationship, other: &Relationship| {
                let is_to = |relation: &Relationship| relation.target.table == other.target.table;
                one.target.table != other.target.table
                    && one.target.relations.iter().any(|known| matches!(known.link, Link::One { .. }) && is_to(known))
            };
            let is_next = |one: &&Relationship| !waiting.iter().any(|other| refers(one, other));
            let next = waiting.iter().position(is_next).unwrap_or_default();
            parts.push(waiting.remove(next));
        }
        parts
    }

    /// Returns the lifecycle of its rows, if they have one.
    pub fn lifecycle(&self) -> Option<&'static Lifecycle> {
        self.fields.iter().find_map(|field| field.lifecycle)
    }

    /// Returns the relation with this name in the API, including the state history.
    pub fn relation(&self, name: &str) -> Option<&'static Relationship> {
        let history = self.lifecycle().map(|lifecycle| &lifecycle.history);
        self.relations.iter().chain(history).find(|relation| relation.name == name)
    }
}
