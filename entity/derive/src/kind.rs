//! The kind of a column, from its type and the attributes that constrain it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Expr, LitStr, Path, Result, Type, meta::ParseNestedMeta, spanned::Spanned as _};

/// The attributes that constrain a column's values.
#[derive(Clone, Debug, Default)]
pub struct Constraints {
    min: Option<Expr>,
    max: Option<Expr>,
    special: Option<Special>,
}

/// The content of a `String` column other than plain text.
#[derive(Clone, Debug)]
enum Special {
    Tags { most: Expr, max: Expr },
    Attributes { most: Expr, max: Expr },
    Names,
    Json,
    TimeZone,
    RowOf(LitStr),
    FilterOf(Path),
}

impl Constraints {
    /// Reads an attribute if it is a constraint. Returns whether it is one.
    pub fn read(&mut self, word: &str, meta: &ParseNestedMeta) -> Result<bool> {
        match word {
            "min" => self.min = Some(meta.value()?.parse()?),
            "max" => self.max = Some(meta.value()?.parse()?),
            "tags" => {
                let (most, max) = bounds(meta)?;
                self.special = Some(Special::Tags { most, max });
            }
            "attributes" => {
                let (most, max) = bounds(meta)?;
                self.special = Some(Special::Attributes { most, max });
            }
            "names" => self.special = Some(Special::Names),
            "json" => self.special = Some(Special::Json),
            "time_zone" => self.special = Some(Special::TimeZone),
            "row_of" => self.special = Some(Special::RowOf(meta.value()?.parse()?)),
            "filter_of" => self.special = Some(Special::FilterOf(meta.value()?.parse()?)),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Returns whether the column contains attributes.
    pub const fn is_attributes(&self) -> bool {
        matches!(self.special, Some(Special::Attributes { .. }))
    }

    /// Generates the kind of a column of this type.
    pub fn kind(&self, ty: &Type) -> Result<TokenStream> {
        let name = last_segment(ty);
        let refuse = |message: &str| Err(Error::new(ty.span(), message));
        match (name.as_str(), &self.special, &self.min, &self.max) {
            ("String", None, None, Some(max)) => Ok(quote!(crate::noun::Kind::Text { max: #max })),
            ("String", Some(special), None, None) => match special {
                Special::Tags { most, max } => Ok(quote!(crate::noun::Kind::Tags { most: #most, max: #max })),
                Special::Attributes { most, max } => {
                    Ok(quote!(crate::noun::Kind::Attributes { most: #most, max: #max }))
                }
                Special::Names => Ok(quote!(crate::noun::Kind::Names)),
                Special::Json => Ok(quote!(crate::noun::Kind::Json)),
                Special::TimeZone => Ok(quote!(crate::noun::Kind::TimeZone)),
                Special::FilterOf(noun) => Ok(quote!(crate::noun::Kind::Filter(|| &#noun::NOUN))),
                Special::RowOf(_) => refuse("`row_of` is for a `Uuid`"),
            },
            ("String", ..) => refuse(
                "a text needs its longest length, `#[noun(max = 200)]`, or what else it holds: `tags(most = …, max = …)`, \
                 `attributes(most = …, max = …)`, `names`, `json`, `time_zone` or `filter_of = …`",
            ),
            ("i64", None, Some(min), Some(max)) => Ok(quote!(crate::noun::Kind::Int { min: #min, max: #max })),
            ("f64", None, Some(min), Some(max)) => Ok(quote!(crate::noun::Kind::Float { min: #min, max: #max })),
            ("i64" | "f64", ..) => refuse("a number needs its bounds: `#[noun(min = 1, max = 5)]`"),
            ("Uuid", Some(Special::RowOf(noun)), None, None) => Ok(quote!(crate::noun::Kind::RowId { noun: #noun })),
            ("Uuid", ..) => refuse(
                "a relation has the id type of its noun; for a row of any noun, `#[noun(row_of = \"…\")]` names the column \
                 that says which",
            ),
            (_, Some(_), ..) | (_, _, Some(_), _) | (_, _, _, Some(_)) => refuse("only a text or a number has bounds"),
            ("bool", ..) => Ok(quote!(crate::noun::Kind::Bool)),
            ("ChronoUnixTimestampMillis", ..) => Ok(quote!(crate::noun::Kind::Instant)),
            _ => Ok(quote!(<#ty as crate::col::Scalar>::KIND)),
        }
    }
}

fn bounds(meta: &ParseNestedMeta) -> Result<(Expr, Expr)> {
    let (mut most, mut max) = (None, None);
    meta.parse_nested_meta(|inner| {
        if inner.path.is_ident("most") {
            most = Some(inner.value()?.parse()?);
        } else if inner.path.is_ident("max") {
            max = Some(inner.value()?.parse()?);
        } else {
            return Err(inner.error("a set has `most` items of at most `max` characters"));
        }
        Ok(())
    })?;
    match (most, max) {
        (Some(most), Some(max)) => Ok((most, max)),
        _ => Err(meta.error("a set has `most` items of at most `max` characters")),
    }
}

/// Returns whether the type is known not to store text. For a scalar, its file in `entity::kind` decides.
pub fn is_no_text(ty: &Type) -> bool {
    is_id(ty) || ["i64", "f64", "bool", "Uuid", "ChronoUnixTimestampMillis"].contains(&last_segment(ty).as_str())
}

/// Returns whether the type is `String`.
pub fn is_string(ty: &Type) -> bool {
    last_segment(ty) == "String"
}

/// Returns whether the type is the id of a noun's rows.
pub fn is_id(ty: &Type) -> bool {
    last_segment(ty).strip_suffix("Id").is_some_and(|noun| !noun.is_empty())
}

/// Returns the last segment of a type's path.
pub fn last_segment(ty: &Type) -> String {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default(),
        _ => String::new(),
    }
}
