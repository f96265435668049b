//! The description of a noun: its columns and relations as data, declared once.
//!
//! Types of the API, filters, orders, cursors, column selection, input rules, personal-data scopes
//! and event field names are all read from here.

pub use crate::named::{EnumType, Named};
use crate::permission::Permission;

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
    /// Its own columns, without those every noun has.
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

/// What a column holds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// The row's own id.
    Id,
    /// Text of at most so many characters.
    Text {
        /// Longest text in characters.
        max: usize,
    },
    /// A whole number, both bounds included.
    Int {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// A number, both bounds included.
    Float {
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
    },
    /// True or false.
    Bool,
    /// An instant, epoch milliseconds in the table.
    Instant,
    /// One of a list of names.
    Enum(&'static EnumType),
    /// An IANA time zone name.
    TimeZone,
    /// A set of texts, kept as JSON in the row and as rows of an index table `<table>_<column>`.
    Tags {
        /// Most items.
        most: usize,
        /// Longest item in characters.
        max: usize,
    },
    /// Named values, kept as tags are.
    Attributes {
        /// Most items.
        most: usize,
        /// Longest name or value in characters.
        max: usize,
    },
}

impl Kind {
    /// Whether the column holds a set that an index table serves.
    pub const fn is_set(self) -> bool {
        matches!(self, Self::Tags { .. } | Self::Attributes { .. })
    }
}

/// Whether and how a column tells about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Personal {
    /// Nothing about a person.
    None,
    /// Says who somebody is.
    Identifier,
    /// A way to reach somebody.
    Contact,
    /// Words that may say anything about anybody.
    FreeText,
}

/// When a caller may set a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writable {
    /// Only the server sets it.
    Never,
    /// Optional on create, may be changed.
    Optional,
    /// Must be given on create, may be changed, never cleared.
    Required,
    /// Must be given on create and stays.
    Fixed,
    /// Has a default on create (a GraphQL literal, `now` for an instant), never null.
    Default(&'static str),
}

/// One column of a noun and the GraphQL field that shows it.
#[derive(Debug)]
pub struct Field {
    /// GraphQL name.
    pub name: &'static str,
    /// Column name.
    pub column: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be absent.
    pub is_nullable: bool,
    /// When a caller may set it.
    pub writable: Writable,
    /// What it tells about a person.
    pub personal: Personal,
    /// Whether lists can be ordered by it.
    pub is_orderable: bool,
    /// Whether a folded twin column `<column>_folded` serves `contains` and `startsWith`.
    pub is_searchable: bool,
    /// What, unit, range.
    pub doc: &'static str,
}

impl Field {
    /// A column that the server alone sets and that is never absent. The methods below refine it.
    pub const fn new(name: &'static str, column: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self {
            name,
            column,
            kind,
            is_nullable: false,
            writable: Writable::Never,
            personal: Personal::None,
            is_orderable: false,
            is_searchable: false,
            doc,
        }
    }

    /// The caller may set it; it may be absent.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.writable = Writable::Optional;
        self.is_nullable = true;
        self
    }

    /// The caller must give it.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.writable = Writable::Required;
        self
    }

    /// The caller may set it; left out, it is `literal` (`now` for an instant).
    #[must_use]
    pub const fn or(mut self, literal: &'static str) -> Self {
        self.writable = Writable::Default(literal);
        self
    }

    /// It may be absent, and only the server sets it.
    #[must_use]
    pub const fn nullable(mut self) -> Self {
        self.is_nullable = true;
        self
    }

    /// Lists can be ordered by it; a migration gives it an index led by the organization.
    #[must_use]
    pub const fn ordered(mut self) -> Self {
        self.is_orderable = true;
        self
    }

    /// It has a folded twin for search.
    #[must_use]
    pub const fn searchable(mut self) -> Self {
        self.is_searchable = true;
        self
    }

    /// It tells something about a person: reading it needs `customers:read`.
    #[must_use]
    pub const fn personal(mut self, personal: Personal) -> Self {
        self.personal = personal;
        self
    }
}

/// A relation from one noun to another.
#[derive(Debug)]
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
#[derive(Debug)]
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
    Inside {
        /// Whether there is a list of them.
        is_list: bool,
    },
}

impl Link {
    /// What the table between the nouns says besides.
    pub const fn edge(&self) -> &'static [Field] {
        if let Self::Through { edge, .. } = self { edge } else { &[] }
    }
}

/// Columns that every stored noun has, in front of its own.
pub static SYSTEM: [Field; 4] = [
    Field::new("id", "id", Kind::Id, "Opaque id with the type's prefix. Ids made later sort later.").ordered(),
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

    /// Every column, those of all nouns first.
    pub fn all_fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        let system: &'static [Field] = if self.is_stored() { &SYSTEM } else { &[] };
        let archived = self.is_archivable().then_some(&ARCHIVED_AT);
        system.iter().chain(self.fields).chain(archived)
    }

    /// The column shown as `name`.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.all_fields().find(|field| field.name == name)
    }

    /// The relation shown as `name`.
    pub fn relation(&self, name: &str) -> Option<&'static Relationship> {
        self.relations.iter().find(|relation| relation.name == name)
    }
}
