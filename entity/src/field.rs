//! One column of a noun as data.

use crate::{kind::Kind, lifecycle::Lifecycle};

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
    /// Optional on create, may be changed; cleared, if it may be absent.
    Optional,
    /// Must be given on create, may be changed, never cleared.
    Required,
    /// Must be given on create and stays.
    Fixed,
    /// Transitions set it. Upserts and imports may, too: what they bring had its past elsewhere.
    Imported,
    /// Has a default on create (a GraphQL literal, `now` for an instant), never null.
    Default(&'static str),
}

/// One column of a noun and the GraphQL field that shows it.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says something of the column that the others do not")]
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
    /// Whether whoever may read the row may read it, though it may tell about a person.
    pub is_open: bool,
    /// Why it outlives the erasure of a person, if it tells about one and does.
    pub kept: Option<&'static str>,
    /// Whether lists can be ordered by it.
    pub is_orderable: bool,
    /// Whether a folded twin column `<column>_folded` serves `contains` and `startsWith`.
    pub is_searchable: bool,
    /// Column with the currency, if it is an amount of money. The API shows both as one field.
    pub currency: Option<&'static str>,
    /// GraphQL name of the amount whose currency it is. The API shows it with the amount.
    pub currency_of: Option<&'static str>,
    /// The states that it holds, if it is the state of its row.
    pub lifecycle: Option<&'static Lifecycle>,
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
            is_open: false,
            kept: None,
            is_orderable: false,
            is_searchable: false,
            currency: None,
            currency_of: None,
            lifecycle: None,
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

    /// The caller may set it; left out, the server does, and it is never absent.
    #[must_use]
    pub const fn input_optional(mut self) -> Self {
        self.writable = Writable::Optional;
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
    pub const fn default_value(mut self, literal: &'static str) -> Self {
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

    /// It tells something about a person: reading it needs `customers:read`, and erasing the person empties it.
    #[must_use]
    pub const fn personal(mut self, personal: Personal) -> Self {
        self.personal = personal;
        self
    }

    /// Whoever may read the row may read it: it describes something else, but words about a person can get into it.
    #[must_use]
    pub const fn unguarded(mut self) -> Self {
        self.is_open = true;
        self
    }

    /// It outlives the erasure of a customer, for this reason.
    #[must_use]
    pub const fn retained_because(mut self, reason: &'static str) -> Self {
        self.kept = Some(reason);
        self
    }

    /// Whether it is the currency of an amount of money.
    pub const fn is_currency(&self) -> bool {
        self.currency_of.is_some()
    }

    /// Whether reading it needs `customers:read`.
    pub fn is_guarded(&self) -> bool {
        self.personal != Personal::None && !self.is_open
    }

    /// Whether erasing a person empties it.
    pub fn is_erasable(&self) -> bool {
        self.personal != Personal::None && self.kept.is_none()
    }
}
