//! Unions: fields that return a row of one of several nouns.

use entity::{
    Noun, Permission,
    noun::{Link, Relationship},
};
use sea_orm::prelude::Uuid;

use crate::{graphql::slice::ComputedObject, store::statement::cell::Cell};

/// Describes a union of nouns with this name and GraphQL description. Its rows may have been deleted if `may_be_gone`.
/// Leaks memory: call this once per union.
pub fn describe(
    (name, doc): (&'static str, &'static str),
    read: Option<Permission>,
    members: impl Iterator<Item = &'static Noun>,
    may_be_gone: bool,
) -> Noun {
    let members = members.map(|noun| Relationship::member(noun, may_be_gone));
    Noun::union(name, doc, read, members.collect::<Vec<_>>().leak())
}

/// Returns the object that stands for a row in a field of the type of a union.
pub fn object(union: &Noun, noun: &Noun, id: Uuid) -> ComputedObject {
    let is_member =
        |known: &Relationship| matches!(known.link, Link::Member { .. }) && known.target.table == noun.table;
    let cells = union.relations.iter().filter(|known| is_member(known));
    ComputedObject { cells: cells.map(|known| (known.target.table, Cell::Id(id))).collect(), inside: Vec::new() }
}

/// Declares the type of a row of one of several nouns: its name, the scope to read it besides those of the nouns (an
/// option), and its nouns. Rows of a union that ends in `may_be_gone` are looked for, and null if they do not exist; of a
/// type for which nothing is selected they are not.
macro_rules! row_union {
    ($(#[doc = $doc:literal])* $vis:vis $name:ident, $read:expr, $members:expr) => {
        $crate::graphql::typed::union::row_union!($(#[doc = $doc])* $vis $name, $read, $members; false);
    };
    ($(#[doc = $doc:literal])* $vis:vis $name:ident, $read:expr, $members:expr, may_be_gone) => {
        $crate::graphql::typed::union::row_union!($(#[doc = $doc])* $vis $name, $read, $members; true);
    };
    ($(#[doc = $doc:literal])* $vis:vis $name:ident, $read:expr, $members:expr; $may_be_gone:literal) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug)]
        $vis struct $name {
            /// The noun of the row.
            pub noun: &'static entity::Noun,
            /// The id of the row.
            pub id: sea_orm::prelude::Uuid,
        }

        impl $crate::graphql::typed::output::Output for $name {
            fn noun() -> &'static entity::Noun {
                static NOUN: std::sync::LazyLock<entity::Noun> = std::sync::LazyLock::new(|| {
                    let words = (stringify!($name), concat!($($doc),*).trim_ascii());
                    $crate::graphql::typed::union::describe(words, $read, $members, $may_be_gone)
                });
                &NOUN
            }

            fn object(self) -> $crate::graphql::slice::ComputedObject {
                $crate::graphql::typed::union::object(Self::noun(), self.noun, self.id)
            }
        }
    };
}

pub(crate) use row_union;
