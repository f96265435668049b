//! The description of a noun: its columns and relations as data, declared once.
//!
//! Types of the API, filters, orders, cursors, column selection, input rules, personal-data scopes
//! and event field names are all read from here.

pub use crate::{
    field::{Field, Personal, Writable},
    kind::Kind,
    string_enum::{EnumType, StringEnum},
};
use crate::{lifecycle::Lifecycle, permission::Permission};

/// One noun of the language: a table and the GraphQL object that shows it.
#[derive(Debug)]
pub struct Noun {
    /// GraphQL type name, for example `InteractionPoint`.
    pub name: &'static str,
    /// Field that looks one up, for example `interactionPoint`; mutations start with it.
    pub singular: &'static str,
    /// Field that lists them, for example `interactionPoints`.
    pub plural: &'static str,
    /// Table name. Empty for an object that is computed and stored nowhere.
    pub table: &'static str,
    /// Prefix of its ids on the wire.
    pub prefix: &'static str,
    /// What the noun is, for the API's manual.
    pub doc: &'static str,
    /// Column that holds the tenant: `organization_id` everywhere but in `organization` itself.
    pub tenant: &'static str,
    /// Scope to read it; `None` is any valid token.
    pub read: Option<Permission>,
    /// Scope to write it.
    pub write: Permission,
    /// Columns in front of its own: [`SYSTEM`]; [`APPENDED`] of rows that never change; none of what has no table.
    pub system: &'static [Field],
    /// Its own columns.
    pub fields: &'static [Field],
    /// Its relations.
    pub relations: &'static [Relationship],
    /// Operations the API offers on it.
    pub operations: &'static [Operation],
    /// Whether it carries external ids.
    pub has_external_ids: bool,
}

/// A generic operation that the kernel offers on a noun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Look up one by id or external id, and list them.
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

/// All operations but the archive: parts stay or go with the row they belong to.
pub const PART: &[Operation] = &[
    Operation::List,
    Operation::Create,
    Operation::Update,
    Operation::Upsert,
    Operation::BulkUpsert,
    Operation::Delete,
];

/// A relation from one noun to another.
#[derive(Clone, Copy, Debug)]
pub struct Relationship {
    /// GraphQL name.
    pub name: &'static str,
    /// The other noun.
    pub target: &'static Noun,
    /// How the rows are joined.
    pub link: Link,
    /// What it relates.
    pub doc: &'static str,
}

/// How the rows of a relation are joined; the organization is always part of the join.
#[derive(Clone, Copy, Debug)]
pub enum Link {
    /// A column of this row names one row of the target.
    One {
        /// The column.
        column: &'static str,
        /// Whether it may be absent.
        is_nullable: bool,
        /// When a caller may set it, through an input field `<name>Ref`.
        writable: Writable,
    },
    /// A column of the target names this row.
    Many {
        /// The target's column.
        column: &'static str,
        /// Whether the rows are parts of this row, which its mutations can write with it.
        is_part: bool,
    },
    /// A table between the two.
    Through {
        /// The table.
        table: &'static str,
        /// Its column that names this row.
        from: &'static str,
        /// Its column that names the target.
        to: &'static str,
        /// Its further columns, shown on the connection's edges.
        edge: &'static [Field],
    },
    /// An object computed together with this one.
    Embedded {
        /// Whether there is a list of them.
        is_list: bool,
    },
}

impl Relationship {
    /// One row that a column names; only the server sets it.
    pub const fn one(
        name: &'static str,
        target: &'static Noun,
        (column, is_nullable): (&'static str, bool),
        doc: &'static str,
    ) -> Self {
        Self { name, target, link: Link::One { column, is_nullable, writable: Writable::Never }, doc }
    }

    /// Objects computed together with this one.
    pub const fn embedded(name: &'static str, target: &'static Noun, is_list: bool, doc: &'static str) -> Self {
        Self { name, target, link: Link::Embedded { is_list }, doc }
    }
}

impl Relationship {
    /// Whether that column names the row.
    pub fn is_by(&self, name: &str) -> bool {
        matches!(self.link, Link::One { column, .. } if column == name)
    }

    /// Whether a row may be set to name only a row of the target that is not archived: whatever a caller chooses for new
    /// work. Parts of a whole are no choice, and what feedback tells of was so, archived since or not.
    pub fn wants_active(&self, noun: &Noun) -> bool {
        let is_chosen = matches!(self.link, Link::One { writable: Writable::Optional | Writable::Required, .. });
        is_chosen && self.target.is_archivable() && noun.table != "feedback_record"
    }
}

impl Link {
    /// What the table between the nouns says besides.
    pub const fn edge(&self) -> &'static [Field] {
        if let Self::Through { edge, .. } = self { edge } else { &[] }
    }
}

const ID: Field =
    Field::new("id", "id", Kind::Id, "Opaque id with the type's prefix. Ids made later sort later.").ordered();

/// Columns of rows that are only ever added: they have no version and no times but those of what they tell.
pub static APPENDED: [Field; 1] = [ID];

/// Columns of rows that can change.
pub static SYSTEM: [Field; 4] = [
    ID,
    Field::new(
        "version",
        "version",
        Kind::Int { min: 1, max: i64::MAX },
        "Counts changes, from 1. Give it back as `expectedVersion` to be told when somebody else was faster.",
    ),
    Field::new("createdAt", "created_at", Kind::Instant, "When the row was made, UTC.").ordered(),
    Field::new("updatedAt", "updated_at", Kind::Instant, "When the row last changed, UTC.").ordered(),
];

/// The column of nouns that can be archived.
pub static ARCHIVED_AT: Field = Field::new(
    "archivedAt",
    "archived_at",
    Kind::Instant,
    "When it was archived, UTC. Archived rows are left out of lists unless the filter speaks of this field.",
)
.nullable();

impl Noun {
    /// An object that is computed and stored nowhere, for whoever has the scope.
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
        }
    }

    /// Whether the API offers the operation.
    pub fn offers(&self, operation: Operation) -> bool {
        self.operations.contains(&operation)
    }

    /// Whether its rows can be archived.
    pub fn is_archivable(&self) -> bool {
        self.offers(Operation::Archive)
    }

    /// Whether it has a table.
    pub const fn is_stored(&self) -> bool {
        !self.table.is_empty()
    }

    /// Every column, those it shares with other nouns first.
    pub fn all_fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        let archived = self.is_archivable().then_some(&ARCHIVED_AT);
        self.system.iter().chain(self.fields).chain(archived)
    }

    /// Every field of the API: a currency is shown with its amount.
    pub fn shown_fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.all_fields().filter(|field| !field.is_currency())
    }

    /// The column shown as `name`.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.shown_fields().find(|field| field.name == name)
    }

    /// The currency of an amount of money.
    pub fn currency_of(&self, amount: &Field) -> Option<&'static Field> {
        let column = amount.currency?;
        self.fields.iter().find(|field| field.column == column)
    }

    /// The relations to rows that are parts of its rows. A relation comes after those whose rows its own rows may
    /// reference.
    pub fn parts(&'static self) -> Vec<&'static Relationship> {
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

    /// The states of its rows, if they have any.
    pub fn lifecycle(&self) -> Option<&'static Lifecycle> {
        self.fields.iter().find_map(|field| field.lifecycle)
    }

    /// The relation shown as `name`, its history included.
    pub fn relation(&self, name: &str) -> Option<&'static Relationship> {
        let history = self.lifecycle().map(|lifecycle| &lifecycle.history);
        self.relations.iter().chain(history).find(|relation| relation.name == name)
    }
}
