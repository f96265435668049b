//! The scalars of the API: the values that they accept, and their descriptions in the schema.

use async_graphql::{
    Value,
    registry::{MetaDirectiveInvocation, MetaType, Registry},
};
use async_graphql_value::Number;
use entity::kind;

use crate::instant::{date, instant};

/// A scalar of the API.
#[derive(Clone, Copy, Debug)]
pub enum Scalar {
    /// `ID`
    Id,
    /// `String`
    String,
    /// `Boolean`
    Boolean,
    /// `Int`
    Int,
    /// `Float`
    Float,
    /// `DateTime`
    DateTime,
    /// `JSON`
    Json,
    /// `TimeZone`
    TimeZone,
    /// A scalar of `entity::kind`, which columns store.
    Column(&'static kind::Scalar),
}

/// A value that is not null, a list or an object.
#[derive(Clone, Copy, Debug)]
pub enum Leaf<'a> {
    /// A string.
    Text(&'a str),
    /// A name without quotes, such as an enum value.
    Name(&'a str),
    /// A number.
    Number(&'a Number),
    /// A boolean.
    Boolean,
}

impl Scalar {
    /// Returns the scalar with this name.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "ID" => Self::Id,
            "String" => Self::String,
            "Boolean" => Self::Boolean,
            "Int" => Self::Int,
            "Float" => Self::Float,
            "DateTime" => Self::DateTime,
            "JSON" => Self::Json,
            "TimeZone" => Self::TimeZone,
            _ => return kind::SCALARS.iter().find(|scalar| scalar.name == name).map(|scalar| Self::Column(scalar)),
        })
    }

    /// Returns whether a value in a document is valid for this scalar. A date is valid for an instant; the reader of
    /// the value rejects it where only an instant is allowed.
    pub fn takes(self, leaf: Leaf<'_>) -> bool {
        match (self, leaf) {
            (Self::Id | Self::String | Self::TimeZone | Self::Column(_), Leaf::Text(_))
            | (Self::Boolean, Leaf::Boolean) => true,
            (Self::Id, Leaf::Number(number)) => !number.is_f64(),
            (Self::Int, Leaf::Number(number)) => number.as_i64().is_some_and(|whole| i32::try_from(whole).is_ok()),
            (Self::Float, Leaf::Number(number)) => number.as_f64().is_some_and(f64::is_finite),
            // The reader of the value checks its text, because an invalid text is a user error in mutations.
            (Self::Column(scalar), Leaf::Number(_)) => scalar.accepts_numbers,
            (Self::DateTime, Leaf::Text(text)) => instant(text).is_some() || date(text).is_some(),
            _ => false,
        }
    }

    /// Returns the description of the accepted values, to follow "must be".
    pub const fn wanted(self) -> &'static str {
        match self {
            Self::Id => "an id: a string, or a whole number of up to 64 bits",
            Self::String => "a string",
            Self::Boolean => "true or false",
            Self::Int => "a whole number from -2147483648 to 2147483647",
            Self::Float => "a number",
            Self::DateTime => INSTANT,
            Self::Json => "left out: JSON stands in answers only",
            Self::Column(scalar) => scalar.wanted,
            Self::TimeZone => "a string with the name of a time zone, such as \"Europe/Berlin\"",
        }
    }
}

/// The description of an instant's format, to follow "must be".
pub const INSTANT: &str =
    "an instant of the years 1 to 9999 in RFC 3339, such as \"2026-01-31T09:30:00Z\" or \"2026-01-31T10:30:00+01:00\"";

/// 2^53. From this number on, double precision loses digits.
pub const EXACT: f64 = 9_007_199_254_740_992.0;

/// Returns the integer that a JSON number represents: `5.0` and `1e3` are integers, as Python and JavaScript write
/// them. Beyond 2^53, only numbers without fraction and exponent count, because double precision loses the last digits
/// of the others.
pub fn whole(number: &Number) -> Option<i64> {
    if let Some(whole) = number.as_i64() {
        return Some(whole);
    }
    let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < EXACT)?;
    #[expect(clippy::cast_possible_truncation, reason = "it has no fraction and fewer than 53 bits")]
    Some(float as i64)
}

/// Registers all scalars with their checks.
pub fn register(registry: &mut Registry) {
    add(registry, "ID", "An opaque identifier.", None);
    add(registry, "String", "UTF-8 text.", None);
    add(registry, "Boolean", "True or false.", None);
    add(registry, "Int", "A 32-bit integer. Variables may also write it as `5.0` or `5e0`.", None);
    add(registry, "Float", "A finite double-precision number.", None);
    add(
        registry,
        "DateTime",
        "An instant in RFC 3339 with any offset, years 1 to 9999, for example `2026-01-31T09:30:00Z`. Responses use UTC with millisecond precision. The comparisons `gte` and `lt` also accept a date, for example `2026-01-31`, which means midnight UTC.",
        Some("https://www.rfc-editor.org/rfc/rfc3339"),
    );
    add(registry, "JSON", "Any JSON value. Output only.", Some("https://www.rfc-editor.org/rfc/rfc8259"));
    add(
        registry,
        "TimeZone",
        "The name of a time zone in the IANA database, for example `Europe/Berlin`.",
        Some("https://www.iana.org/time-zones"),
    );
    for scalar in kind::SCALARS {
        add(registry, scalar.name, scalar.doc, scalar.specified_by);
    }
}

fn add(registry: &mut Registry, name: &str, doc: &str, specified_by_url: Option<&str>) {
    let scalar = Scalar::of(name).expect("every scalar is listed");
    let is_valid = move |value: &Value| match value {
        Value::String(text) => scalar.takes(Leaf::Text(text)),
        Value::Enum(name) => scalar.takes(Leaf::Name(name)),
        Value::Number(number) => scalar.takes(Leaf::Number(number)),
        Value::Boolean(_) => scalar.takes(Leaf::Boolean),
        _ => false,
    };
    let scalar = MetaType::Scalar {
        name: name.to_owned(),
        description: Some(doc.to_owned()),
        is_valid: Some(std::sync::Arc::new(is_valid)),
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        specified_by_url: specified_by_url.map(str::to_owned),
        // Introspection shows the URL, and the SDL shows the directive.
        directive_invocations: specified_by_url.map(specified_by).into_iter().collect(),
        requires_scopes: Vec::new(),
    };
    registry.types.insert(name.to_owned(), scalar);
}

fn specified_by(url: &str) -> MetaDirectiveInvocation {
    let args = [("url".to_owned(), Value::from(url))].into_iter().collect();
    MetaDirectiveInvocation { name: "specifiedBy".to_owned(), args }
}
