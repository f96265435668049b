//! Enums of nouns that have something in common. Their values follow from the descriptions of the nouns.

use sea_orm::{
    ActiveValue, ColIdx, DbErr, IntoActiveValue, QueryResult, TryGetError, TryGetable, Value,
    sea_query::{ArrayType, ColumnType as SqlType, Nullable, ValueType, ValueTypeErr},
};

use crate::{
    ATTRIBUTE_VALUES, CHANGE_VALUES, EXPIRY_VALUES, IMPORT_VALUES, NOUNS, Noun, SEARCH_VALUES, TABLES, TIMELINE_VALUES,
    col::{ColumnType, Scalar},
    noun::{EnumType, Kind, StringEnum},
};

type Values = [Option<(&'static str, &'static str)>; TABLES.len()];

const fn count(all: &Values) -> usize {
    let (mut count, mut place) = (0, 0);
    while place < all.len() {
        count += all[place].is_some() as usize;
        place += 1;
    }
    count
}

const fn some<const N: usize>(all: &Values) -> [(&'static str, &'static str); N] {
    let mut values = [("", ""); N];
    let (mut count, mut place) = (0, 0);
    while place < all.len() {
        if let Some(value) = all[place] {
            values[count] = value;
            count += 1;
        }
        place += 1;
    }
    values
}

/// Declares an enum of the nouns that have a value in a list, in the order of the API.
macro_rules! noun_enum {
    ($(#[$doc:meta])* $name:ident, $about:literal, $values:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name {
            /// Index in [`NOUNS`].
            place: usize,
        }

        impl $name {
            /// Returns all values.
            pub fn all() -> impl Iterator<Item = Self> {
                let some = $values.iter().enumerate().filter(|(_, value)| value.is_some());
                some.map(|(place, _)| Self { place })
            }

            /// Returns the noun.
            pub fn noun(self) -> &'static Noun {
                NOUNS[self.place]
            }
        }

        impl StringEnum for $name {
            const TYPE: &'static EnumType = &EnumType {
                name: stringify!($name),
                doc: $about,
                values: {
                    static SOME: [(&str, &str); count(&$values)] = some(&$values);
                    &SOME
                },
            };
            fn name(self) -> &'static str {
                $values[self.place].map_or("", |(name, _)| name)
            }
            fn parse(name: &str) -> Option<Self> {
                let place = $values.iter().position(|value| value.is_some_and(|(known, _)| known == name))?;
                Some(Self { place })
            }
        }

        impl From<$name> for Value {
            fn from(noun: $name) -> Self {
                noun.name().into()
            }
        }

        impl TryGetable for $name {
            fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
                let name = String::try_get_by(row, index)?;
                Self::parse(&name).ok_or_else(|| DbErr::Type(format!("{name} is no {}", stringify!($name))).into())
            }
        }

        impl ValueType for $name {
            fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
                Self::parse(&<String as ValueType>::try_from(value)?).ok_or(ValueTypeErr)
            }
            fn type_name() -> String {
                stringify!($name).to_owned()
            }
            fn array_type() -> ArrayType {
                String::array_type()
            }
            fn column_type() -> SqlType {
                String::column_type()
            }
        }

        impl Nullable for $name {
            fn null() -> Value {
                String::null()
            }
        }

        impl IntoActiveValue<Self> for $name {
            fn into_active_value(self) -> ActiveValue<Self> {
                ActiveValue::Set(self)
            }
        }

        impl ColumnType for $name {
            type Value = Self;
            fn from_value(value: Option<Self>) -> Option<Self> {
                value
            }
        }

        impl Scalar for $name {
            const KIND: Kind = Kind::Enum(Self::TYPE);
        }
    };
}

noun_enum! {
    /// A noun whose rows have attributes that may contain personal data.
    AttributeNoun, "A type whose rows can have attributes.", ATTRIBUTE_VALUES
}

noun_enum! {
    /// A noun whose rows can be removed after a time: one of its columns is marked `expires`.
    RetentionNoun, "A type whose rows can be removed after a number of days.", EXPIRY_VALUES
}

noun_enum! {
    /// A noun whose rows stand on timelines.
    TimelineKind, "A type whose rows stand on timelines.", TIMELINE_VALUES
}

noun_enum! {
    /// A noun whose rows a search can find: one of its columns is `searchable`, or its rows have external ids.
    SearchNoun, "A type whose rows a search can find.", SEARCH_VALUES
}

noun_enum! {
    /// A noun whose rows the change feed tells of: an event is written for each change of a row.
    ChangeNoun, "A type whose changes the change feed tells of.", CHANGE_VALUES
}

noun_enum! {
    /// A noun whose rows can be imported from a file: they can be upserted in bulk.
    ImportNoun, "A type whose rows can be imported from a file.", IMPORT_VALUES
}
