//! Kinds of column values, and scalars.
//!
//! A scalar is a Rust type for fields of models. Its file defines the accepted values, the type in the database, the JSON
//! form and the comparisons of filters. A new scalar needs a file and a line in `scalars!` below.

pub mod money;

use crate::noun::{EnumType, Noun};

/// Kind of the values of a column.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// The id of the row itself.
    Id,
    /// The id of a row of any noun; another column has the name of the noun.
    RowId {
        /// The column with the name of the noun.
        noun: &'static str,
    },
    /// Text.
    Text {
        /// Maximum length in characters.
        max: usize,
    },
    /// An integer.
    Int {
        /// Minimum, inclusive.
        min: i64,
        /// Maximum, inclusive.
        max: i64,
    },
    /// A floating-point number.
    Float {
        /// Minimum, inclusive.
        min: f64,
        /// Maximum, inclusive.
        max: f64,
    },
    /// True or false.
    Bool,
    /// An instant, stored as epoch milliseconds.
    Instant,
    /// An enum value, stored by name.
    Enum(&'static EnumType),
    /// An IANA time zone name.
    TimeZone,
    /// A value of a scalar.
    Scalar(&'static Scalar),
    /// A set of texts, stored as JSON in the row and as rows of an index table `<table>_<column>`.
    Tags {
        /// Maximum number of items.
        most: usize,
        /// Maximum length of an item in characters.
        max: usize,
    },
    /// A list of names, stored as JSON in the row; cannot be filtered.
    Names,
    /// Named values, stored like tags.
    Attributes {
        /// Maximum number of items.
        most: usize,
        /// Maximum length of a name or value in characters.
        max: usize,
    },
    /// A JSON document written by the server; cannot be filtered or sorted by.
    Json,
    /// A stored filter of the rows of this noun; cannot itself be filtered or sorted by.
    Filter(fn() -> &'static Noun),
}

/// Maximum length of single-line texts such as names and labels, in characters.
const MAX_NAME: usize = 320;

impl Kind {
    /// Returns whether the text is a name or a label: a single line without control characters.
    pub const fn is_name(self) -> bool {
        matches!(self, Self::Text { max } if max <= MAX_NAME)
    }

    /// Returns whether the values are sets with an index table.
    pub const fn is_set(self) -> bool {
        matches!(self, Self::Tags { .. } | Self::Attributes { .. })
    }

    /// Returns whether filters can compare it.
    pub const fn is_filterable(self) -> bool {
        !matches!(self, Self::Names | Self::Json | Self::Filter(_))
    }

    /// Returns whether its values have a meaningful order, so that filters have range comparisons.
    pub const fn has_range(self) -> bool {
        match self {
            Self::Int { .. } | Self::Float { .. } | Self::Instant => true,
            Self::Scalar(scalar) => scalar.has_range,
            _ => false,
        }
    }

    /// Returns whether its values are texts, whose folded copy can serve `contains` and `startsWith`.
    pub const fn is_text(self) -> bool {
        match self {
            Self::Text { .. } => true,
            Self::Scalar(scalar) => matches!(scalar.storage, Storage::Text),
            _ => false,
        }
    }
}

/// A scalar of the API and of the database.
#[derive(Debug)]
pub struct Scalar {
    /// Name of its type in the API.
    pub name: &'static str,
    /// Description in the API.
    pub doc: &'static str,
    /// URL of its specification.
    pub specified_by: Option<&'static str>,
    /// Expected value, as the object of "must be" in error messages.
    pub wanted: &'static str,
    /// Storage type.
    pub storage: Storage,
    /// Whether inputs may write it as a JSON number.
    pub accepts_numbers: bool,
    /// Whether filters have range comparisons. The stored values must sort like the scalar.
    pub has_range: bool,
    /// Parses a value. Equal values have the same stored form.
    pub parse: fn(&str) -> Result<Stored, Mistake>,
}

/// Storage type of a scalar.
#[derive(Clone, Copy, Debug)]
pub enum Storage {
    /// Text, unchanged in JSON.
    Text,
    /// As a 64-bit integer.
    Int {
        /// Converts a stored value to JSON.
        json: fn(i64) -> String,
    },
}

/// Stored value of a scalar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// Text.
    Text(String),
    /// An integer.
    Int(i64),
}

/// Reason why a text is not a value of a scalar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// The format is wrong; [`Scalar::wanted`] describes the expected one.
    Form,
    /// The format is right, but the value is not accepted for this reason.
    Refused(&'static str),
    /// It is outside of this range.
    OutOfRange(&'static str),
    /// It is longer than this number of characters.
    TooLong(usize),
}

/// Implements the traits of column types for a struct with one field; the column stores the field.
macro_rules! column {
    ($type:ident $(<const $scale:ident>)?, $held:ty) => {
        impl $(<const $scale: u32>)? From<$type $(<$scale>)?> for sea_orm::Value {
            fn from(value: $type $(<$scale>)?) -> Self {
                value.0.into()
            }
        }
        impl $(<const $scale: u32>)? sea_orm::TryGetable for $type $(<$scale>)? {
            fn try_get_by<I: sea_orm::ColIdx>(
                row: &sea_orm::QueryResult,
                index: I,
            ) -> Result<Self, sea_orm::TryGetError> {
                <$held as sea_orm::TryGetable>::try_get_by(row, index).map(Self)
            }
        }
        impl $(<const $scale: u32>)? sea_orm::sea_query::ValueType for $type $(<$scale>)? {
            fn try_from(value: sea_orm::Value) -> Result<Self, sea_orm::sea_query::ValueTypeErr> {
                <$held as sea_orm::sea_query::ValueType>::try_from(value).map(Self)
            }
            fn type_name() -> String {
                stringify!($type).to_owned()
            }
            fn array_type() -> sea_orm::sea_query::ArrayType {
                <$held as sea_orm::sea_query::ValueType>::array_type()
            }
            fn column_type() -> sea_orm::sea_query::ColumnType {
                <$held as sea_orm::sea_query::ValueType>::column_type()
            }
        }
        impl $(<const $scale: u32>)? sea_orm::sea_query::Nullable for $type $(<$scale>)? {
            fn null() -> sea_orm::Value {
                <$held as sea_orm::sea_query::Nullable>::null()
            }
        }
        impl $(<const $scale: u32>)? sea_orm::IntoActiveValue<Self> for $type $(<$scale>)? {
            fn into_active_value(self) -> sea_orm::ActiveValue<Self> {
                sea_orm::ActiveValue::Set(self)
            }
        }
        impl $(<const $scale: u32>)? crate::col::ColumnType for $type $(<$scale>)? {
            type Value = Self;
            fn from_value(value: Option<Self>) -> Option<Self> {
                value
            }
        }
        impl $(<const $scale: u32>)? crate::col::Scalar for $type $(<$scale>)? {
            const KIND: crate::kind::Kind = crate::kind::Kind::Scalar(Self::SCALAR);
        }
    };
}

/// Declares the scalars: the file and type of each.
macro_rules! scalars {
    ($($file:ident: $type:ident $(<$scale:literal>)?,)*) => {
        $(mod $file; pub use $file::$type;)*

        /// All scalars.
        pub static SCALARS: &[&Scalar] = &[$($type $(::<$scale>)?::SCALAR,)*];
    };
}

// New scalars are registered here: the file and the type.
scalars! {
    currency_code: CurrencyCode,
    date: Date,
    decimal: Decimal<0>,
    duration: Duration,
    email_address: EmailAddress,
    language_tag: LanguageTag,
    local_time: LocalTime,
    sequence: Sequence,
    url: Url,
}
