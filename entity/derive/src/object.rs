//! `#[derive(Input)]` and `#[derive(Output)]`: generate objects of the API from structs.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, ExprRange, Field, Fields, Ident, RangeLimits, Result, Type,
    ext::IdentExt as _,
};

use crate::{column, names};

/// A struct with named fields.
struct Object<'a> {
    ident: &'a Ident,
    name: String,
    doc: String,
    read: Option<Ident>,
    members: Vec<Member<'a>>,
}

/// A field of the struct.
struct Member<'a> {
    ident: &'a Ident,
    ty: &'a Type,
    /// The Rust name without `r#`.
    column: String,
    /// The name in the API, if it is not derived from the Rust name.
    name: Option<String>,
    doc: TokenStream,
    row_of: Option<String>,
    /// The value if none is given.
    default: Option<TokenStream>,
    range: Option<(Expr, Expr)>,
    max: Option<Expr>,
    most: Option<Expr>,
}

impl<'a> Object<'a> {
    fn read(input: &'a DeriveInput, attribute: &str) -> Result<Self> {
        let Data::Struct(data) = &input.data else {
            return Err(Error::new_spanned(&input.ident, "an object of the API is a struct"));
        };
        let fields = match &data.fields {
            Fields::Named(fields) => fields.named.iter().collect(),
            Fields::Unit => Vec::new(),
            Fields::Unnamed(_) => {
                return Err(Error::new_spanned(&input.ident, "the fields of an object of the API have names"));
            }
        };
        let (mut name, mut read) = (input.ident.to_string(), None);
        for known in of(&input.attrs, attribute) {
            known.parse_nested_meta(|meta| {
                if meta.path.is_ident("name") {
                    name = meta.value()?.parse::<syn::LitStr>()?.value();
                } else if meta.path.is_ident("read") && attribute == "output" {
                    read = Some(meta.value()?.parse()?);
                } else {
                    return Err(meta.error("a struct has `name = \"…\"`, and an output `read = MapRead`"));
                }
                Ok(())
            })?;
        }
        let doc = column::doc(&input.attrs);
        if doc.is_empty() {
            return Err(Error::new_spanned(&input.ident, "the doc comment of the struct describes it in the API"));
        }
        let members = fields.into_iter().map(|field| Member::read(field, attribute)).collect::<Result<_>>()?;
        Ok(Self { ident: &input.ident, name, doc, read, members })
    }
}

impl<'a> Member<'a> {
    fn read(field: &'a Field, attribute: &str) -> Result<Self> {
        let ident = field.ident.as_ref().ok_or_else(|| Error::new_spanned(field, "a field has a name"))?;
        let written = column::doc(&field.attrs);
        let mut member = Member {
            ident,
            ty: &field.ty,
            column: ident.unraw().to_string(),
            name: None,
            doc: quote!(#written),
            row_of: None,
            default: None,
            range: None,
            max: None,
            most: None,
        };
        let (mut has_doc, is_input) = (!written.is_empty(), attribute == "input");
        for known in of(&field.attrs, attribute) {
            known.parse_nested_meta(|meta| {
                let word = meta.path.require_ident()?.to_string();
                match (word.as_str(), is_input) {
                    ("name", _) => member.name = Some(meta.value()?.parse::<syn::LitStr>()?.value()),
                    ("doc", _) => {
                        let doc: Expr = meta.value()?.parse()?;
                        (member.doc, has_doc) = (quote!(#doc), true);
                    }
                    ("row_of", false) => member.row_of = Some(meta.value()?.parse::<syn::LitStr>()?.value()),
                    ("default", true) => {
                        member.default = Some(if meta.input.peek(syn::Token![=]) {
                            let given: Expr = meta.value()?.parse()?;
                            quote!(#given)
                        } else {
                            quote!(Default::default())
                        });
                    }
                    ("range", true) => member.range = Some(range(&meta.value()?.parse()?)?),
                    ("max", true) => member.max = Some(meta.value()?.parse()?),
                    ("most", true) => member.most = Some(meta.value()?.parse()?),
                    (_, true) => {
                        return Err(
                            meta.error("a field of an input has `name`, `doc`, `default`, `range`, `max` or `most`")
                        );
                    }
                    (_, false) => return Err(meta.error("a field of an output has `name`, `doc` or `row_of`")),
                }
                Ok(())
            })?;
        }
        if has_doc {
            Ok(member)
        } else {
            Err(Error::new_spanned(ident, "the doc comment of a field describes it in the API, or `doc = …` does"))
        }
    }

    fn api_name(&self) -> String {
        self.name.clone().unwrap_or_else(|| names::lower_camel(&self.column))
    }
}

fn of<'a>(attributes: &'a [Attribute], name: &str) -> impl Iterator<Item = &'a Attribute> {
    attributes.iter().filter(move |attribute| attribute.path().is_ident(name))
}

fn range(given: &Expr) -> Result<(Expr, Expr)> {
    match given {
        Expr::Range(ExprRange { start: Some(start), limits: RangeLimits::Closed(_), end: Some(end), .. }) => {
            Ok(((**start).clone(), (**end).clone()))
        }
        _ => Err(Error::new_spanned(given, "both bounds of a range are included: `range = 1..=1_000`")),
    }
}

fn optional(given: Option<&Expr>) -> TokenStream {
    given.map_or_else(|| quote!(None), |given| quote!(Some(#given)))
}

/// Generates the code of `#[derive(Output)]`.
pub fn output(input: &DeriveInput) -> Result<TokenStream> {
    let Object { ident, name, doc, read, members } = Object::read(input, "output")?;
    let read = read.map_or_else(|| quote!(None), |read| quote!(Some(entity::Permission::#read)));
    let fields = members.iter().map(|member| {
        let Member { ty, column, doc, .. } = member;
        let name = member.api_name();
        // The name of a row's field is that of the id's field without `_id`.
        let row = names::lower_camel(column.strip_suffix("_id").unwrap_or(column));
        let row = member.name.clone().unwrap_or(row);
        let shape = if let Some(noun) = &member.row_of {
            let (_, is_nullable) = column::unwrapped(ty);
            quote!(Shape::row_of(#noun, #is_nullable))
        } else {
            quote!(shape_of::<#ty, _>())
        };
        quote!(OutputField { name: #name, row: #row, column: #column, doc: #doc, shape: #shape })
    });
    let values = members.iter().map(|member| {
        let Member { ident, column, .. } = member;
        if member.row_of.is_some() {
            quote!(object.cells.push((#column, crate::store::statement::cell::Cell::of(self.#ident.into())));)
        } else {
            let name = member.api_name();
            quote!(put(self.#ident, (#name, #column), &mut object);)
        }
    });
    let about = format!("The description of `{name}`.");
    Ok(quote! {
        impl crate::graphql::typed::output::Output for #ident {
            #[doc = #about]
            fn noun() -> &'static entity::Noun {
                use crate::graphql::typed::output::{OutputField, Shape, describe, shape_of};
                static NOUN: std::sync::LazyLock<entity::Noun> =
                    std::sync::LazyLock::new(|| describe((#name, #doc), #read, vec![#(#fields),*]));
                &NOUN
            }
            fn object(self) -> crate::graphql::slice::ComputedObject {
                use crate::graphql::typed::output::put;
                let mut object = crate::graphql::slice::ComputedObject::default();
                #(#values)*
                object
            }
        }
    })
}

/// Generates the code of `#[derive(Input)]`.
pub fn input(input: &DeriveInput) -> Result<TokenStream> {
    let Object { ident, name, doc, members, .. } = Object::read(input, "input")?;
    let default =
        |member: &Member| member.default.as_ref().map_or_else(|| quote!(None), |default| quote!(Some(#default)));
    let fields = members.iter().map(|member| {
        let Member { ty, doc, .. } = member;
        let (name, default) = (member.api_name(), default(member));
        quote!(argument::<#ty, _>(#name, #doc, #default))
    });
    let values = members.iter().map(|member| {
        let Member { ident, ty, max, most, .. } = member;
        let (name, default) = (member.api_name(), default(member));
        let range = member.range.as_ref().map_or_else(|| quote!(None), |(from, to)| quote!(Some((#from, #to))));
        let (max, most) = (optional(max.as_ref()), optional(most.as_ref()));
        let bounds = quote!(crate::graphql::typed::reader::Bounds { range: #range, max: #max, most: #most });
        quote!(#ident: reader.field::<#ty, _>(input, #name, #default, #bounds)?)
    });
    Ok(quote! {
        impl crate::graphql::typed::input::InputFields for #ident {
            const NAME: &'static str = #name;
            const DOC: &'static str = #doc;
            fn fields() -> &'static [crate::graphql::typed::input::Argument] {
                use crate::graphql::typed::input::argument;
                static FIELDS: std::sync::LazyLock<Vec<crate::graphql::typed::input::Argument>> =
                    std::sync::LazyLock::new(|| vec![#(#fields),*]);
                &FIELDS
            }
            fn read(
                input: &crate::graphql::mutation::input::Input<'_>,
                reader: &mut crate::graphql::typed::reader::Reader<'_>,
            ) -> crate::Result<Self> {
                Ok(Self { #(#values),* })
            }
        }
    })
}
