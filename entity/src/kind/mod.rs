//! What columns hold: the kinds of values, and the scalars, each of which has a file.
//!
//! A scalar is a Rust type that a field of a model may have. Its file says everything: what is accepted, how a table holds
//! it, how JSON shows it, which comparisons filters have. A new one is a file and a line of `scalars!` below.

pub mod money;

use crate::noun::EnumType;

/// What a column holds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// The row's own id.
    Id,
    /// The id of a row of any noun, whose name another column holds.
    RowId {
        /// That column.
        noun: &'static str,
    },
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
    /// A value of a scalar.
    Scalar(&'static Scalar),
    /// A set of texts, kept as JSON in the row and as rows of an index table `<table>_<column>`.
    Tags {
        /// Most items.
        most: usize,
        /// Longest item in characters.
        max: usize,
    },
    /// A list of names, kept as JSON in the row. Shown; no filter asks for it.
    Names,
    /// Named values, kept as tags are.
    Attributes {
        /// Most items.
        most: usize,
        /// Longest name or value in characters.
        max: usize,
    },
    /// A document that the server made, shown as it is: no filter and no order looks into it.
    Json,
}

/// The longest text that is a name or a label, in characters: it stands on one line.
const MAX_NAME: usize = 320;

impl Kind {
    /// Whether the column holds a name or a label: one line, without characters that nobody sees.
    pub const fn is_name(self) -> bool {
        matches!(self, Self::Text { max } if max <= MAX_NAME)
    }

    /// Whether the column holds a set that an index table serves.
    pub const fn is_set(self) -> bool {
        matches!(self, Self::Tags { .. } | Self::Attributes { .. })
    }

    /// Whether filters may ask for it.
    pub const fn is_filterable(self) -> bool {
        !matches!(self, Self::Names | Self::Json)
    }

    /// Whether its values have an order that means something, so that filters ask for less and for more.
    pub const fn has_range(self) -> bool {
        match self {
            Self::Int { .. } | Self::Float { .. } | Self::Instant => true,
            Self::Scalar(scalar) => scalar.has_range,
            _ => false,
        }
    }

    /// Whether its values are texts, of which a folded twin serves `contains` and `startsWith`.
    pub const fn is_text(self) -> bool {
        match self {
            Self::Text { .. } => true,
            Self::Scalar(scalar) => matches!(scalar.storage, Storage::Text),
            _ => false,
        }
    }
}

/// A scalar of the API and of tables.
#[derive(Debug)]
pub struct Scalar {
    /// Name of its type in the API.
    pub name: &'static str,
    /// What it holds and accepts.
    pub doc: &'static str,
    /// Address of its public definition.
    pub specified_by: Option<&'static str>,
    /// What a value must be, after "must be".
    pub wanted: &'static str,
    /// How a table holds it.
    pub storage: Storage,
    /// Whether a JSON number stands for its text.
    pub accepts_numbers: bool,
    /// Whether filters ask for less and for more: the order of what is stored is that of the values.
    pub has_range: bool,
    /// Reads a value. Equal values are stored alike.
    pub parse: fn(&str) -> Result<Stored, Mistake>,
}

/// How a table holds a scalar.
#[derive(Clone, Copy, Debug)]
pub enum Storage {
    /// As text, which JSON shows as it is.
    Text,
    /// As a 64-bit integer.
    Int {
        /// Its JSON.
        json: fn(i64) -> String,
    },
}

/// A value of a scalar as a table holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// A text.
    Text(String),
    /// A whole number.
    Int(i64),
}

/// Why a text is no value of a scalar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// It does not have the form; what to write instead stands in [`Scalar::wanted`].
    Form,
    /// It has the form, but something in it is not accepted: what.
    Refused(&'static str),
    /// It is too small or too large: the range.
    OutOfRange(&'static str),
    /// It has more characters than this.
    TooLong(usize),
}

/// Lets a type with one field be that of a column: the column holds the field.
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

/// Lists the scalars: the file of each, and its type.
macro_rules! scalars {
    ($($file:ident: $type:ident $(<$scale:literal>)?,)*) => {
        $(mod $file; pub use $file::$type;)*

        /// Every scalar.
        pub static SCALARS: &[&Scalar] = &[$($type $(::<$scale>)?::SCALAR,)*];
    };
}

// A new scalar is registered here: its file and its type.
scalars! {
    currency_code: CurrencyCode,
    date: Date,
    decimal: Decimal<0>,
    duration: Duration,
    email_address: EmailAddress,
    language_tag: LanguageTag,
    sequence: Sequence,
    url: Url,
}
