//! Description of a column of a noun.

use crate::{kind::Kind, lifecycle::Lifecycle};

/// Kind of personal data in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Personal {
    /// No personal data.
    None,
    /// Identifies a person.
    Identifier,
    /// Contact data of a person.
    Contact,
    /// Free text, which may contain anything about anybody.
    FreeText,
}

/// When a caller may set a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writable {
    /// Only the server sets it.
    Never,
    /// Optional on create, can be changed, and cleared if nullable.
    Optional,
    /// Required on create, can be changed but not cleared.
    Required,
    /// Required on create, cannot be changed.
    Fixed,
    /// Set by transitions. Upserts and imports may set it too, because their rows have a history in another system.
    Imported,
    /// May be set on create, then changed by transitions. Upserts and imports may set it too.
    Initial,
    /// Has a default on create, as a GraphQL literal or `now` for an instant; never null.
    Default(&'static str),
}

/// A column of a noun and its GraphQL field.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent properties of a column")]
pub struct Field {
    /// GraphQL name.
    pub name: &'static str,
    /// Column name.
    pub column: &'static str,
    /// Kind of its values.
    pub kind: Kind,
    /// Whether it is nullable.
    pub is_nullable: bool,
    /// When a caller may set it.
    pub writable: Writable,
    /// Kind of personal data in it.
    pub personal: Personal,
    /// Whether reading it requires only the scope of the row, although it may contain personal data.
    pub is_open: bool,
    /// Reason why erasing a person keeps it; `None` if it is erased or not personal.
    pub kept: Option<&'static str>,
    /// Whether lists can be sorted by it.
    pub is_orderable: bool,
    /// Whether there is a folded copy `<column>_folded` for `contains` and `startsWith`.
    pub is_searchable: bool,
    /// Whether it is the instant from which the rows of the noun expire, by the organization's retention rules.
    pub expires: bool,
    /// Column of the currency, if it is an amount of money. The API has one field for both.
    pub currency: Option<&'static str>,
    /// GraphQL name of the amount, if it is the currency of one. The API has one field for both.
    pub currency_of: Option<&'static str>,
    /// The lifecycle, if the column is the state of the row.
    pub lifecycle: Option<&'static Lifecycle>,
    /// Description in the API: meaning, unit, range, errors.
    pub doc: &'static str,
}

impl Field {
    /// Describes a non-null column that only the server sets. The methods below refine it.
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
            expires: false,
            currency: None,
            currency_of: None,
            lifecycle: None,
            doc,
        }
    }

    /// Makes it nullable and optional in inputs.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.writable = Writable::Optional;
        self.is_nullable = true;
        self
    }

    /// Makes it optional in inputs; the server sets it if it is omitted, so it is never null.
    #[must_use]
    pub const fn input_optional(mut self) -> Self {
        self.writable = Writable::Optional;
        self
    }

    /// Makes it required on create.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.writable = Writable::Required;
        self
    }

    /// Makes it optional in inputs with this default, a GraphQL literal or `now` for an instant.
    #[must_use]
    pub const fn default_value(mut self, literal: &'static str) -> Self {
        self.writable = Writable::Default(literal);
        self
    }

    /// Makes it nullable; only the server sets it.
    #[must_use]
    pub const fn nullable(mut self) -> Self {
        self.is_nullable = true;
        self
    }

    /// Makes lists sortable by it. A migration must create an index that begins with the organization.
    #[must_use]
    pub const fn ordered(mut self) -> Self {
        self.is_orderable = true;
        self
    }

    /// Makes it searchable through its folded copy.
    #[must_use]
    pub const fn searchable(mut self) -> Self {
        self.is_searchable = true;
        self
    }

    /// Marks it as personal data: reading it requires `customers:read`, and erasing the person clears it.
    #[must_use]
    pub const fn personal(mut self, personal: Personal) -> Self {
        self.personal = personal;
        self
    }

    /// Makes it readable with the scope of the row, for texts that are not about a person but may mention one.
    #[must_use]
    pub const fn unguarded(mut self) -> Self {
        self.is_open = true;
        self
    }

    /// Keeps it when a customer is erased, for this reason.
    #[must_use]
    pub const fn retained_because(mut self, reason: &'static str) -> Self {
        self.kept = Some(reason);
        self
    }

    /// Returns whether it is the currency of an amount of money.
    pub const fn is_currency(&self) -> bool {
        self.currency_of.is_some()
    }

    /// Returns whether reading it requires `customers:read`.
    pub fn is_guarded(&self) -> bool {
        self.personal != Personal::None && !self.is_open
    }

    /// Returns whether erasing a person clears it.
    pub fn is_erasable(&self) -> bool {
        self.personal != Personal::None && self.kept.is_none()
    }
}
