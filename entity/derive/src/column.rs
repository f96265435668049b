//! Reads one column from its field and attributes.

use syn::{
    Attribute, Error, Expr, ExprLit, Field, GenericArgument, Ident, Lit, LitStr, PathArguments, Result, Type,
    spanned::Spanned as _,
};

use crate::{
    kind::{self, Constraints},
    lifecycle::Lifecycle,
    names,
};

/// The error message for an unknown attribute in `#[noun(…)]` on a column.
const ALLOWED: &str = "a column may be `required`, `optional`, `fixed`, `imported`, `default = \"…\"`, `lifecycle(…)`, `ordered`, `searchable`, `expires`, \
                       `min = …`, `max = …`, `tags(…)`, `attributes(…)`, `names`, `json`, `time_zone`, `row_of = \"…\"`, \
                       `personal = …`, `unguarded`, `retained_because = …`, `name = \"…\"`, `inverse(… = \"…\")`, `part`, `money`";

/// When a caller may set a column.
#[derive(Clone, Debug)]
pub enum Writable {
    Never,
    Optional,
    Required,
    Fixed,
    Imported,
    Initial,
    Default(LitStr),
}

/// The list of this noun's rows on the target of a relation.
#[derive(Clone, Debug)]
pub struct Inverse {
    pub name: String,
    pub doc: Expr,
}

/// A column as declared in the model.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says something of the column that the others do not")]
pub struct Column {
    pub ident: Ident,
    /// The type, without `Option`.
    pub ty: Type,
    pub is_nullable: bool,
    pub doc: String,
    /// Whether the column has attributes. Such a column belongs to the noun, even if it has the name of a kernel
    /// column.
    pub has_attributes: bool,
    pub name: String,
    pub writable: Writable,
    pub is_ordered: bool,
    pub is_searchable: bool,
    /// Whether the rows expire some days after the instant in the column.
    pub expires: bool,
    pub constraints: Constraints,
    pub personal: Option<Ident>,
    pub is_open: bool,
    pub kept: Option<Expr>,
    pub inverse: Option<Inverse>,
    /// Whether the column is an amount of money. Its currency is in `<column>_currency`.
    pub is_money: bool,
    /// Name of the amount whose currency the column is.
    pub currency_of: Option<String>,
    /// Whether the rows of the noun are parts of the referenced row.
    pub is_part: bool,
    pub lifecycle: Option<Lifecycle>,
}

impl Column {
    /// Reads a field of the model.
    pub fn read(field: &Field) -> Result<Self> {
        let ident = field.ident.clone().ok_or_else(|| Error::new(field.span(), "columns have names"))?;
        let (ty, is_nullable) = unwrapped(&field.ty);
        let mut column = Self {
            name: names::lower_camel(&ident.to_string()),
            ident,
            ty,
            is_nullable,
            doc: doc(&field.attrs),
            has_attributes: false,
            writable: Writable::Never,
            is_ordered: false,
            is_searchable: false,
            expires: false,
            constraints: Constraints::default(),
            personal: None,
            is_open: false,
            kept: None,
            inverse: None,
            is_money: false,
            currency_of: None,
            is_part: false,
            lifecycle: None,
        };
        if column.is_reference() {
            column.name = names::lower_camel(column.ident.to_string().trim_end_matches("_id"));
        }
        for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("noun")) {
            column.has_attributes = true;
            column.read_attribute(attribute)?;
        }
        column.check()?;
        Ok(column)
    }

    fn read_attribute(&mut self, attribute: &Attribute) -> Result<()> {
        attribute.parse_nested_meta(|meta| {
            let word = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            match word.as_str() {
                "required" => self.set_writable(Writable::Required, &meta)?,
                "optional" => self.set_writable(Writable::Optional, &meta)?,
                "fixed" => self.set_writable(Writable::Fixed, &meta)?,
                "default" => {
                    let literal = meta.value()?.parse()?;
                    self.set_writable(Writable::Default(literal), &meta)?;
                }
                "ordered" => self.is_ordered = true,
                "searchable" => self.is_searchable = true,
                "expires" => self.expires = true,
                "unguarded" => self.is_open = true,
                "retained_because" => self.kept = Some(meta.value()?.parse()?),
                "name" => self.name = names::lower_camel(&meta.value()?.parse::<LitStr>()?.value()),
                "personal" => {
                    let personal: Ident = meta.value()?.parse()?;
                    if !["Identifier", "Contact", "FreeText"].iter().any(|known| personal == known) {
                        return Err(Error::new(personal.span(), "`personal` is `Identifier`, `Contact` or `FreeText`"));
                    }
                    self.personal = Some(personal);
                }
                "imported" => self.set_writable(Writable::Imported, &meta)?,
                "inverse" => self.inverse = Some(inverse(&meta)?),
                "part" => self.is_part = true,
                "money" => self.is_money = true,
                "lifecycle" => {
                    let lifecycle = Lifecycle::read(&meta)?;
                    self.set_writable(lifecycle.writable(), &meta)?;
                    self.lifecycle = Some(lifecycle);
                }
                _ if self.constraints.read(&word, &meta)? => {}
                _ => return Err(meta.error(ALLOWED)),
            }
            Ok(())
        })
    }

    fn set_writable(&mut self, writable: Writable, meta: &syn::meta::ParseNestedMeta) -> Result<()> {
        if !matches!(self.writable, Writable::Never) {
            return Err(meta.error(
                "a column is one of `required`, `optional`, `fixed`, `imported`, `lifecycle(…)` and `default = \"…\"`",
            ));
        }
        self.writable = writable;
        Ok(())
    }

    fn check(&self) -> Result<()> {
        let refuse = |message: &str| Err(Error::new(self.ident.span(), message));
        if self.inverse.is_some() && !self.is_reference() {
            return refuse("only a relation has an `inverse`: a column of the id type of another noun");
        }
        if self.is_part && self.inverse.is_none() {
            return refuse("only a relation with an `inverse` is a `part`");
        }
        if matches!(self.writable, Writable::Default(_)) && self.is_nullable {
            return refuse("a column with a `default` is never null: take the `Option` away");
        }
        if self.personal.is_none() && (self.is_open || self.kept.is_some()) {
            return refuse("only a `personal` column is `unguarded` or `retained_because`");
        }
        if self.lifecycle.is_some() && self.is_nullable {
            return refuse("a row is always in a state: take the `Option` away");
        }
        if self.expires && !(self.is_ordered && self.ident.to_string().ends_with("_at")) {
            return refuse("only an `ordered` instant is where rows `expires` from");
        }
        if self.is_searchable && kind::is_no_text(&self.ty) {
            return refuse("only a text is `searchable`");
        }
        Ok(())
    }

    /// Returns whether the column is an id: of a row of another noun, or of the row itself.
    pub fn is_reference(&self) -> bool {
        kind::is_id(&self.ty)
    }
}

/// Reads `inverse(name = "description")`.
pub fn inverse(meta: &syn::meta::ParseNestedMeta) -> Result<Inverse> {
    let mut inverse = None;
    meta.parse_nested_meta(|inner| {
        let name = inner.path.require_ident()?.to_string();
        inverse = Some(Inverse { name: names::lower_camel(&name), doc: inner.value()?.parse()? });
        Ok(())
    })?;
    inverse.ok_or_else(|| meta.error("an inverse has a name and a description: `inverse(steps = \"…\")`"))
}

/// Returns the lines of a doc comment as one text; an empty line starts a new paragraph.
pub fn doc(attributes: &[Attribute]) -> String {
    let mut text = String::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        let syn::Meta::NameValue(pair) = &attribute.meta else { continue };
        let Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) = &pair.value else { continue };
        let line = line.value();
        let line = line.trim();
        if line.is_empty() {
            text.push_str("\n\n");
        } else {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push(' ');
            }
            text.push_str(line);
        }
    }
    text
}

/// Returns the type without `Option`, and whether it was in an `Option`.
pub fn unwrapped(ty: &Type) -> (Type, bool) {
    if let Type::Path(path) = ty
        && let Some(last) = path.path.segments.last()
        && last.ident == "Option"
        && let PathArguments::AngleBracketed(arguments) = &last.arguments
        && let Some(GenericArgument::Type(inner)) = arguments.args.first()
    {
        return (inner.clone(), true);
    }
    (ty.clone(), false)
}
