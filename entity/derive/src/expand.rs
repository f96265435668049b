//! Generates the items of a noun.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;

use crate::{
    column::{Column, Writable},
    lifecycle, names,
    noun::{NounInput, Operations},
    relations,
};

/// Generates all items of the noun.
pub fn expand(noun: &NounInput) -> TokenStream {
    let made = noun.fields().map(field).collect::<syn::Result<Vec<_>>>();
    match made {
        Ok(fields) => {
            let description = description(noun, &fields);
            let entity = entity(noun);
            let relations = relations::declared(noun);
            let orm = relations::orm(noun);
            let columns = noun.columns.iter().map(constant);
            let lifecycle = lifecycle::expand(noun);
            quote!(#entity #description #relations #orm #lifecycle #(#columns)*)
        }
        Err(error) => error.into_compile_error(),
    }
}

/// Generates the implementations of the traits that `SeaORM` and the store require of an entity.
fn entity(noun: &NounInput) -> TokenStream {
    let NounInput { id, table, .. } = noun;
    let tenanted = noun.is_tenanted().then(|| {
        quote! {
            impl crate::Tenanted for Entity {
                const NOUN: &'static crate::Noun = &NOUN;
                const TENANT: Column = Column::OrganizationId;
                const ID: Column = Column::Id;
                fn tenant(row: &Model) -> crate::id::OrganizationId {
                    row.organization_id
                }
            }
        }
    });
    quote! {
        impl sea_orm::ActiveModelBehavior for ActiveModel {}
        impl crate::id::NounId for #id {
            type Entity = Entity;
            const NOUN: &'static crate::Noun = &NOUN;
            const TABLE: &'static str = #table;
        }
        #tenanted
    }
}

fn description(noun: &NounInput, fields: &[TokenStream]) -> TokenStream {
    let NounInput { name, plural, table, prefix, doc, write, has_external_ids, exactly_one, unique, .. } = noun;
    let singular = names::uncapitalized(name);
    let tenant = if noun.is_tenanted() { "organization_id" } else { "id" };
    let read = read(noun);
    let system = if noun.changes { quote!(SYSTEM) } else { quote!(APPENDED) };
    let operations = match &noun.operations {
        Operations::Named(name) => quote!(crate::noun::#name),
        Operations::Listed(listed) => quote!(&[#(crate::noun::Operation::#listed),*]),
    };
    let about = format!("The description of `{name}`.");
    let has_attributes = noun.fields().any(|column| column.constraints.is_attributes() && column.personal.is_some());
    let value_if = |is_one: bool| {
        let (value, meaning) = (names::snake(name).to_uppercase(), format!("{name}."));
        if is_one { quote!(Some((#value, #meaning))) } else { quote!(None) }
    };
    let (attribute_value, expiry_value) =
        (value_if(has_attributes), value_if(noun.fields().any(|column| column.expires)));
    let timeline_value = value_if(noun.timeline.is_some());
    let timeline = noun.timeline.as_ref().map_or_else(
        || quote!(None),
        |(at, via)| {
            let via = via.as_ref().map_or_else(|| quote!(None), |via| quote!(Some(#via)));
            quote!(Some(crate::noun::Timeline { at: &[#(#at),*], via: #via }))
        },
    );
    let change_value = value_if(noun.has_events);
    let import_value = value_if(noun.operations.has("BulkUpsert"));
    let narrowed = narrowed(noun);
    let search_value = value_if(*has_external_ids || noun.fields().any(|column| column.is_searchable));
    quote! {
        /// Its value and description in the enum of nouns whose attributes may be personal.
        pub(crate) const ATTRIBUTE_VALUE: Option<(&str, &str)> = #attribute_value;
        /// Its value and description in the enum of nouns whose rows can expire.
        pub(crate) const EXPIRY_VALUE: Option<(&str, &str)> = #expiry_value;
        /// Its value and description in the enum of nouns whose rows stand on timelines.
        pub(crate) const TIMELINE_VALUE: Option<(&str, &str)> = #timeline_value;
        /// Its value and description in the enum of nouns that a search can find.
        pub(crate) const SEARCH_VALUE: Option<(&str, &str)> = #search_value;
        /// Its value and description in the enum of nouns that the change feed tells of.
        pub(crate) const CHANGE_VALUE: Option<(&str, &str)> = #change_value;
        /// Its value and description in the enum of nouns that a file can be imported into.
        pub(crate) const IMPORT_VALUE: Option<(&str, &str)> = #import_value;
        #[doc = #about]
        pub static NOUN: crate::Noun = crate::Noun {
            name: #name,
            singular: #singular,
            plural: #plural,
            table: #table,
            prefix: #prefix,
            doc: #doc,
            tenant: #tenant,
            read: #read,
            write: crate::Permission::#write,
            system: &crate::noun::#system,
            fields: &[#(#fields),*],
            relations: &RELATIONS,
            operations: #operations,
            has_external_ids: #has_external_ids,
            exactly_one: &[#(#exactly_one),*],
            unique: &[#(#unique),*],
            timeline: #timeline,
            narrowed: &[#(#narrowed),*],
        };
    }
}

/// Generates how rows belong to departments.
fn narrowed(noun: &NounInput) -> Vec<TokenStream> {
    let by = noun.narrowed_by.iter().map(|column| quote!(crate::noun::Narrowing::By(#column)));
    let through = noun.narrowed_through.iter().map(|relation| quote!(crate::noun::Narrowing::Through(#relation)));
    by.chain(through).collect()
}

/// Generates the scope required to read the noun.
pub fn read(noun: &NounInput) -> TokenStream {
    noun.read.as_ref().map_or_else(|| quote!(None), |permission| quote!(Some(crate::Permission::#permission)))
}

fn field(column: &Column) -> syn::Result<TokenStream> {
    let Column { name, doc, is_nullable, is_ordered, is_searchable, expires, is_open, .. } = column;
    let stored = column.ident.to_string();
    let kind = column.constraints.kind(&column.ty)?;
    let writable = writable(&column.writable);
    let personal = column.personal.as_ref().map_or_else(|| quote!(None), |personal| quote!(#personal));
    let kept = column.kept.as_ref().map_or_else(|| quote!(None), |reason| quote!(Some(#reason)));
    let currency = if column.is_money {
        let twin = format!("{stored}_currency");
        quote!(Some(#twin))
    } else {
        quote!(None)
    };
    let currency_of = column.currency_of.as_ref().map_or_else(|| quote!(None), |amount| quote!(Some(#amount)));
    let lifecycle = if column.lifecycle.is_some() { quote!(Some(&LIFECYCLE)) } else { quote!(None) };
    let refusal = format!("only a text is searchable: {stored} is none");
    let check = is_searchable.then(|| quote!(const { assert!(#kind.is_text(), #refusal) };));
    Ok(quote! {{
        #check
        crate::noun::Field {
            name: #name,
            column: #stored,
            kind: #kind,
            is_nullable: #is_nullable,
            writable: #writable,
            personal: crate::noun::Personal::#personal,
            is_open: #is_open,
            kept: #kept,
            is_orderable: #is_ordered,
            expires: #expires,
            is_searchable: #is_searchable,
            currency: #currency,
            currency_of: #currency_of,
            lifecycle: #lifecycle,
            doc: #doc,
        }
    }})
}

/// Generates the value of `Writable` in the description of a column.
pub fn writable(writable: &Writable) -> TokenStream {
    match writable {
        Writable::Never => quote!(crate::noun::Writable::Never),
        Writable::Optional => quote!(crate::noun::Writable::Optional),
        Writable::Required => quote!(crate::noun::Writable::Required),
        Writable::Fixed => quote!(crate::noun::Writable::Fixed),
        Writable::Imported => quote!(crate::noun::Writable::Imported),
        Writable::Initial => quote!(crate::noun::Writable::Initial),
        Writable::Default(literal) => quote!(crate::noun::Writable::Default(#literal)),
    }
}

/// Generates the typed constant of a column.
fn constant(column: &Column) -> TokenStream {
    let ident = constant_name(&column.ident);
    let name = column.ident.to_string();
    let ty = &column.ty;
    let ty = if column.is_nullable { quote!(Option<#ty>) } else { quote!(#ty) };
    let about = format!("The column `{name}`.");
    quote! {
        #[doc = #about]
        pub const #ident: crate::Col<#ty> = crate::Col::new(&NOUN, #name);
    }
}

/// Returns the name of a column's constant; it gets a suffix if it would collide with another generated item.
fn constant_name(column: &Ident) -> Ident {
    let name = column.to_string().to_uppercase();
    if [
        "NOUN",
        "ATTRIBUTE_VALUE",
        "EXPIRY_VALUE",
        "SEARCH_VALUE",
        "CHANGE_VALUE",
        "IMPORT_VALUE",
        "TIMELINE_VALUE",
        "TABLE",
        "DECLARED",
        "LIFECYCLE",
        "STATE_CHANGE",
    ]
    .contains(&name.as_str())
    {
        return format_ident!("{name}_COLUMN");
    }
    format_ident!("{name}")
}
