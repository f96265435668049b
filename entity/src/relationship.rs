//! Descriptions of relations: the nouns at both ends, and how the rows are joined.

use crate::{
    field::{Field, Writable},
    noun::Noun,
    permission::Permission,
};

/// A relation from one noun to another.
#[derive(Clone, Copy, Debug)]
pub struct Relationship {
    /// GraphQL name.
    pub name: &'static str,
    /// Noun at the other end.
    pub target: &'static Noun,
    /// How the rows are joined.
    pub link: Link,
    /// Description in the API.
    pub doc: &'static str,
}

/// How the rows of a relation are joined. Every join also compares the organization.
#[derive(Clone, Copy, Debug)]
pub enum Link {
    /// A column of this noun references a row of the target.
    One {
        /// The column.
        column: &'static str,
        /// Whether it may be absent.
        is_nullable: bool,
        /// When a caller may set it, through the input field `<name>Ref`.
        writable: Writable,
    },
    /// A column of the target references this row.
    Many {
        /// Column of the target.
        column: &'static str,
        /// Whether the rows are parts of this row, which its mutations can write with it.
        is_part: bool,
    },
    /// A join table.
    Through {
        /// Name of the join table.
        table: &'static str,
        /// Its column that references this row.
        from: &'static str,
        /// Its column that references the target.
        to: &'static str,
        /// Its other columns, which are fields of the connection's edges.
        edge: &'static [Field],
    },
    /// An object that is computed together with this one.
    Embedded(Cardinality),
    /// A type that an object of this union may have.
    Member {
        /// Whether the row may not exist any more, so that it must be looked for.
        may_be_gone: bool,
    },
}

/// How many objects a field shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cardinality {
    /// Exactly one.
    One,
    /// One or none.
    Maybe,
    /// A list.
    List,
}

impl Link {
    /// Returns the column of this noun that references the row; `None` if the other side has it.
    pub const fn column(&self) -> Option<&'static str> {
        match self {
            Self::One { column, .. } => Some(column),
            _ => None,
        }
    }

    /// Returns the other columns of the join table.
    pub const fn edge(&self) -> &'static [Field] {
        if let Self::Through { edge, .. } = self { edge } else { &[] }
    }
}

impl Relationship {
    /// A relation to one row, whose column only the server sets.
    pub const fn one(
        name: &'static str,
        target: &'static Noun,
        (column, is_nullable): (&'static str, bool),
        doc: &'static str,
    ) -> Self {
        Self { name, target, link: Link::One { column, is_nullable, writable: Writable::Never }, doc }
    }

    /// A relation to objects that are computed together with this one.
    pub const fn embedded(
        name: &'static str,
        target: &'static Noun,
        cardinality: Cardinality,
        doc: &'static str,
    ) -> Self {
        Self { name, target, link: Link::Embedded(cardinality), doc }
    }

    /// A type that an object of a union may have.
    pub const fn member(target: &'static Noun, may_be_gone: bool) -> Self {
        Self { name: target.singular, target, link: Link::Member { may_be_gone }, doc: target.doc }
    }

    /// Returns whether this column is the foreign key of the relation.
    pub fn is_by(&self, name: &str) -> bool {
        matches!(self.link, Link::One { column, .. } if column == name)
    }

    /// Returns whether only a row of the target that is not archived can be set. This is not required of the parent of a
    /// part, nor of references of the record, which describe the past.
    pub fn wants_active(&self, noun: &Noun) -> bool {
        let is_chosen = matches!(self.link, Link::One { writable: Writable::Optional | Writable::Required, .. });
        is_chosen && self.target.is_archivable() && !matches!(noun.read, Some(Permission::RecordRead))
    }
}
