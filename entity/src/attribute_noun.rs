//! The enum of nouns whose rows have attributes with personal data.

use sea_orm::{
    ActiveValue, ColIdx, DbErr, IntoActiveValue, QueryResult, TryGetError, TryGetable, Value,
    sea_query::{ArrayType, ColumnType as SqlType, Nullable, ValueType, ValueTypeErr},
};

use crate::{
    ATTRIBUTE_VALUES, NOUNS, Noun,
    col::{ColumnType, Scalar},
    noun::{EnumType, Kind, StringEnum},
};

/// A noun whose rows have attributes that may contain personal data. Its values follow from the descriptions of the
/// nouns, in the order of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttributeNoun {
    /// Index in [`NOUNS`].
    place: usize,
}

const COUNT: usize = {
    let (mut count, mut place) = (0, 0);
    while place < ATTRIBUTE_VALUES.len() {
        count += ATTRIBUTE_VALUES[place].is_some() as usize;
        place += 1;
    }
    count
};

static VALUES: [(&str, &str); COUNT] = {
    let mut values = [("", ""); COUNT];
    let (mut count, mut place) = (0, 0);
    while place < ATTRIBUTE_VALUES.len() {
        if let Some(value) = ATTRIBUTE_VALUES[place] {
            values[count] = value;
            count += 1;
        }
        place += 1;
    }
    values
};

impl AttributeNoun {
    /// Returns the noun.
    pub fn noun(self) -> &'static Noun {
        NOUNS[self.place]
    }
}

impl StringEnum for AttributeNoun {
    const TYPE: &'static EnumType =
        &EnumType { name: "AttributeNoun", doc: "A type whose rows can have attributes.", values: &VALUES };
    fn name(self) -> &'static str {
        ATTRIBUTE_VALUES[self.place].map_or("", |(name, _)| name)
    }
    fn parse(name: &str) -> Option<Self> {
        let place = ATTRIBUTE_VALUES.iter().position(|value| value.is_some_and(|(known, _)| known == name))?;
        Some(Self { place })
    }
}

impl From<AttributeNoun> for Value {
    fn from(noun: AttributeNoun) -> Self {
        noun.name().into()
    }
}

impl TryGetable for AttributeNoun {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        let name = String::try_get_by(row, index)?;
        Self::parse(&name).ok_or_else(|| DbErr::Type(format!("{name} has no attributes")).into())
    }
}

impl ValueType for AttributeNoun {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        Self::parse(&<String as ValueType>::try_from(value)?).ok_or(ValueTypeErr)
    }
    fn type_name() -> String {
        "AttributeNoun".to_owned()
    }
    fn array_type() -> ArrayType {
        String::array_type()
    }
    fn column_type() -> SqlType {
        String::column_type()
    }
}

impl Nullable for AttributeNoun {
    fn null() -> Value {
        String::null()
    }
}

impl IntoActiveValue<Self> for AttributeNoun {
    fn into_active_value(self) -> ActiveValue<Self> {
        ActiveValue::Set(self)
    }
}

impl ColumnType for AttributeNoun {
    type Value = Self;
    fn from_value(value: Option<Self>) -> Option<Self> {
        value
    }
}

impl Scalar for AttributeNoun {
    const KIND: Kind = Kind::Enum(Self::TYPE);
}
