//! Generates the relations of a noun for the API and for `SeaORM`.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Ident, Type};

use crate::{column::Inverse, expand::writable, kind, names, noun::NounInput};

/// Generates the relations that the noun declares, and the list of all relations that it has in the API.
pub fn declared(noun: &NounInput) -> TokenStream {
    let table = &noun.table;
    let references = noun.references().map(|column| {
        let (name, doc, ty, is_nullable) = (&column.name, &column.doc, &column.ty, column.is_nullable);
        let (stored, writable) = (column.ident.to_string(), writable(&column.writable));
        let inverse = column.inverse.as_ref().map(|inverse| {
            let is_part = column.is_part;
            let link = quote!(crate::noun::Link::Many { column: #stored, is_part: #is_part });
            opposite(inverse, &link)
        });
        let inverse = some(inverse);
        quote! {
            crate::relations::Declared {
                name: #name,
                doc: #doc,
                link: crate::noun::Link::One { column: #stored, is_nullable: #is_nullable, writable: #writable },
                target: <#ty as crate::id::NounId>::TABLE,
                inverse: #inverse,
            }
        }
    });
    let through = noun.through.iter().map(|relation| {
        let (name, doc, ty) = (&relation.name, &relation.doc, &relation.target);
        let target = table_of(ty);
        let (between, from, to) = (format!("{table}_{target}"), format!("{table}_id"), format!("{target}_id"));
        let edge = relation.edge.as_ref().map_or_else(|| quote!(&[]), |edge| quote!(#edge));
        let link = |from: &str, to: &str| {
            quote!(crate::noun::Link::Through { table: #between, from: #from, to: #to, edge: #edge })
        };
        let back = link(&to, &from);
        let inverse = some(relation.inverse.as_ref().map(|inverse| opposite(inverse, &back)));
        let link = link(&from, &to);
        quote! {
            crate::relations::Declared {
                name: #name,
                doc: #doc,
                link: #link,
                target: <#ty as crate::id::NounId>::TABLE,
                inverse: #inverse,
            }
        }
    });
    let order = &noun.order;
    quote! {
        /// The table of the noun.
        pub const TABLE: &str = #table;
        /// The relations that the model declares.
        pub const DECLARED: &[crate::relations::Declared] = &[#(#references,)* #(#through,)*];
        static RELATIONS: [crate::noun::Relationship; crate::relations::count(TABLE)] =
            crate::relations::of(TABLE, &[#(#order),*]);
    }
}

fn opposite(inverse: &Inverse, link: &TokenStream) -> TokenStream {
    let Inverse { name, doc } = inverse;
    quote!(crate::relations::Inverse { name: #name, doc: #doc, link: #link })
}

fn some(value: Option<TokenStream>) -> TokenStream {
    value.map_or_else(|| quote!(None), |value| quote!(Some(#value)))
}

/// Returns the table of the noun whose rows have ids of this type.
fn table_of(id: &Type) -> String {
    names::snake(kind::last_segment(id).trim_end_matches("Id"))
}

/// Generates `SeaORM`'s description of the relations to one row. Every join also compares the organization.
pub fn orm(noun: &NounInput) -> TokenStream {
    let mut targets: BTreeMap<String, usize> = BTreeMap::new();
    for column in noun.references() {
        *targets.entry(kind::last_segment(&column.ty)).or_default() += 1;
    }
    let own = kind::last_segment(&noun.id);
    let (mut variants, mut arms, mut related) = (Vec::new(), Vec::new(), Vec::new());
    for column in noun.references() {
        let variant = variant(column.ident.to_string().trim_end_matches("_id"));
        let stored = self::variant(&column.ident.to_string());
        let about = format!("By `{}`.", column.ident);
        let target = &column.ty;
        let target_entity = quote!(<#target as crate::id::NounId>::Entity);
        variants.push(quote!(#[doc = #about] #variant));
        let from = if noun.is_tenanted() { quote!(OrganizationId) } else { quote!(Id) };
        arms.push(quote! {
            Self::#variant => <Entity as sea_orm::EntityTrait>::belongs_to(<#target_entity as Default>::default())
                .from((Column::#from, Column::#stored))
                .to((<#target_entity as crate::Tenanted>::TENANT, <#target_entity as crate::Tenanted>::ID))
                .into()
        });
        let ty = kind::last_segment(target);
        if ty != own && targets.get(&ty) == Some(&1) {
            related.push(quote! {
                impl sea_orm::Related<#target_entity> for Entity {
                    fn to() -> sea_orm::RelationDef {
                        sea_orm::RelationTrait::def(&Relation::#variant)
                    }
                }
            });
        }
    }
    quote! {
        /// The relations to one row of another noun.
        #[derive(Clone, Copy, Debug, sea_orm::EnumIter)]
        pub enum Relation { #(#variants),* }
        impl sea_orm::RelationTrait for Relation {
            fn def(&self) -> sea_orm::RelationDef {
                match *self { #(#arms),* }
            }
        }
        #(#related)*
    }
}

fn variant(snake: &str) -> Ident {
    format_ident!("{}", names::upper_camel(snake))
}
