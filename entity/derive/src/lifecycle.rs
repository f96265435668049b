//! The lifecycle of a noun's rows: reads `#[noun(lifecycle(…))]` and generates its items.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Ident, LitStr, Result, meta::ParseNestedMeta};

use crate::{
    column::{Column, Writable},
    expand::read,
    names,
    noun::NounInput,
};

/// The error message for an invalid `lifecycle(…)`.
const ALLOWED: &str = "a lifecycle has `initial = …`, may have `on_create` and `on_erasure = …`, and has transitions: \
                       `decline(from(Presented), to = Declined, doc = \"…\")`";

/// The error message for an invalid transition.
const OF_TRANSITION: &str = "a transition has `from(…)`, `to = …`, `doc = …`, and may have `requires(…)`, `accepts(…)`, \
                             `stamps = …`, `needs(…)`";

/// Names that a transition cannot have: the other words of a lifecycle, and the verbs of the kernel's mutations.
const TAKEN: [&str; 10] = [
    "initial",
    "on_create",
    "on_erasure",
    "create",
    "update",
    "upsert",
    "bulk_upsert",
    "delete",
    "archive",
    "unarchive",
];

/// The lifecycle of a noun's rows as declared on the state column.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    initial: Ident,
    is_set_on_create: bool,
    /// The transition of a row about a person who is erased.
    on_erasure: Option<Ident>,
    transitions: Vec<Transition>,
}

#[derive(Clone, Debug)]
struct Transition {
    verb: Ident,
    from: Vec<Ident>,
    to: Ident,
    doc: LitStr,
    required: Vec<Ident>,
    accepted: Vec<Ident>,
    stamps: Option<Ident>,
    needs: Vec<Ident>,
}

impl Lifecycle {
    /// Reads `lifecycle(initial = …, …)`.
    pub fn read(meta: &ParseNestedMeta) -> Result<Self> {
        let (mut initial, mut is_set_on_create, mut on_erasure) = (None, false, None::<Ident>);
        let mut transitions = Vec::<Transition>::new();
        meta.parse_nested_meta(|inner| {
            let verb = inner.path.require_ident()?.clone();
            if verb == "initial" {
                initial = Some(inner.value()?.parse::<Ident>()?);
                return Ok(());
            }
            if verb == "on_create" {
                is_set_on_create = true;
                return Ok(());
            }
            if verb == "on_erasure" {
                on_erasure = Some(inner.value()?.parse()?);
                return Ok(());
            }
            if TAKEN.iter().any(|taken| verb == taken) {
                return Err(inner.error("the kernel has a mutation of this name: call the transition otherwise"));
            }
            if transitions.iter().any(|known| known.verb == verb) {
                return Err(inner.error("an earlier transition has this name"));
            }
            transitions.push(Transition::read(verb, &inner)?);
            Ok(())
        })?;
        let initial: Ident = initial.ok_or_else(|| meta.error(ALLOWED))?;
        if transitions.is_empty() {
            return Err(meta.error(ALLOWED));
        }
        for from in transitions.iter().flat_map(|transition| &transition.from) {
            if *from != initial && transitions.iter().all(|other| other.to != *from) {
                return Err(Error::new(
                    from.span(),
                    "no transition leads to this state, and it is not the initial one",
                ));
            }
        }
        let is_known = |verb: &Ident| transitions.iter().any(|known| known.verb == *verb);
        if let Some(unknown) = on_erasure.as_ref().filter(|verb| !is_known(verb)) {
            return Err(Error::new(unknown.span(), "the lifecycle has no such transition"));
        }
        Ok(Self { initial, is_set_on_create, on_erasure, transitions })
    }

    /// Returns when a caller may set the state.
    pub const fn writable(&self) -> Writable {
        if self.is_set_on_create { Writable::Initial } else { Writable::Imported }
    }

    fn columns(&self) -> impl Iterator<Item = &Ident> {
        self.transitions
            .iter()
            .flat_map(|transition| transition.required.iter().chain(&transition.accepted).chain(&transition.stamps))
    }
}

impl Transition {
    fn read(verb: Ident, meta: &ParseNestedMeta) -> Result<Self> {
        let (mut from, mut to, mut doc, mut stamps) = (Vec::new(), None, None, None);
        let (mut required, mut accepted, mut needs) = (Vec::new(), Vec::new(), Vec::new());
        meta.parse_nested_meta(|inner| {
            let word = inner.path.require_ident()?.to_string();
            match word.as_str() {
                "from" => from = idents(&inner)?,
                "to" => to = Some(inner.value()?.parse()?),
                "doc" => doc = Some(inner.value()?.parse()?),
                "requires" => required = idents(&inner)?,
                "accepts" => accepted = idents(&inner)?,
                "stamps" => stamps = Some(inner.value()?.parse()?),
                "needs" => needs = idents(&inner)?,
                _ => return Err(inner.error(OF_TRANSITION)),
            }
            Ok(())
        })?;
        match (from.is_empty(), to, doc) {
            (false, Some(to), Some(doc)) => Ok(Self { verb, from, to, doc, required, accepted, stamps, needs }),
            _ => Err(Error::new(verb.span(), OF_TRANSITION)),
        }
    }
}

fn idents(meta: &ParseNestedMeta) -> Result<Vec<Ident>> {
    let mut found = Vec::new();
    meta.parse_nested_meta(|inner| {
        found.push(inner.path.require_ident()?.clone());
        Ok(())
    })?;
    Ok(found)
}

/// Checks the columns that transitions name, and marks those that are not writable otherwise as imported.
pub fn mark(columns: &mut [Column]) -> Result<()> {
    let mut declared = columns.iter().filter_map(|column| column.lifecycle.clone());
    let Some(lifecycle) = declared.next() else { return Ok(()) };
    if let Some(other) = declared.next() {
        return Err(Error::new(other.initial.span(), "a row has one state: another column has a lifecycle already"));
    }
    for stamp in lifecycle.transitions.iter().filter_map(|transition| transition.stamps.as_ref()) {
        let is_instant = |column: &Column| crate::kind::last_segment(&column.ty) == "ChronoUnixTimestampMillis";
        if !columns.iter().any(|column| column.ident == *stamp && is_instant(column)) {
            let message = format!("a transition stamps an instant: `pub {stamp}: Option<ChronoUnixTimestampMillis>`");
            return Err(Error::new(stamp.span(), message));
        }
    }
    for name in lifecycle.columns() {
        let Some(column) = columns.iter_mut().find(|column| column.ident == *name) else {
            return Err(Error::new(name.span(), "the model has no such column"));
        };
        if !column.is_nullable {
            return Err(Error::new(name.span(), "a column of a transition is null before it: make it an `Option`"));
        }
        if matches!(column.writable, Writable::Never) {
            column.writable = Writable::Imported;
        }
    }
    Ok(())
}

/// Generates the description of the lifecycle, the enum of transitions, and the noun of the state history.
pub fn expand(noun: &NounInput) -> Option<TokenStream> {
    let column = noun.fields().find(|column| column.lifecycle.is_some())?;
    let lifecycle = column.lifecycle.as_ref()?;
    let (ty, stored) = (&column.ty, column.ident.to_string());
    let NounInput { name, write, .. } = noun;
    let singular = names::uncapitalized(name);
    let read = read(noun);
    let initial = &lifecycle.initial;
    let on_erasure = lifecycle.on_erasure.as_ref().map(|verb| verb.to_string().to_uppercase());
    let on_erasure = on_erasure.map_or_else(|| quote!(None), |name| quote!(Some(#name)));
    let transitions = lifecycle.transitions.iter().map(|transition| {
        let Transition { verb, from, to, doc, needs, .. } = transition;
        let screaming = verb.to_string().to_uppercase();
        let field = format!("{singular}{}", names::upper_camel(&verb.to_string()));
        let (required, accepted) = (strings(&transition.required), strings(&transition.accepted));
        let stamps = transition.stamps.as_ref().map(ToString::to_string);
        let stamps = stamps.map_or_else(|| quote!(None), |column| quote!(Some(#column)));
        quote! {
            crate::lifecycle::Transition {
                name: #screaming,
                field: #field,
                doc: #doc,
                from: &[#(#ty::#from.text()),*],
                to: #ty::#to.text(),
                required: &[#(#required),*],
                accepted: &[#(#accepted),*],
                stamps: #stamps,
                permissions: &[#(crate::Permission::#needs),*],
            }
        }
    });
    let variants = lifecycle.transitions.iter().map(|transition| {
        let verb = transition.verb.to_string();
        let (variant, name) = (Ident::new(&names::upper_camel(&verb), transition.verb.span()), verb.to_uppercase());
        let doc = &transition.doc;
        quote!(#[doc = #doc] #variant = #name,)
    });
    let (verbs, change) = (format!("{name}Transition"), format!("{name}StateChange"));
    let about = format!("A state transition of {} {name}.", names::article(name));
    let (one, many) = (format!("{singular}StateChange"), format!("{singular}StateChanges"));
    let doc = format!(
        "A change of the state of {} {name}. State changes are kept as long as their row.",
        names::article(name)
    );
    let owner = format!("The {name}.");
    let is_narrowed = noun.narrowed_by.is_some() || !noun.narrowed_through.is_empty();
    let narrowed = is_narrowed.then(|| quote!(crate::noun::Narrowing::Through(#singular)));
    Some(quote! {
        crate::string_enum! {
            #[doc = #about]
            Transition as #verbs { #(#variants)* }
        }
        /// The lifecycle of the noun's rows.
        pub static LIFECYCLE: crate::lifecycle::Lifecycle = crate::lifecycle::Lifecycle {
            column: #stored,
            states: <#ty as crate::string_enum::StringEnum>::TYPE,
            initial: #ty::#initial.text(),
            verbs: <Transition as crate::string_enum::StringEnum>::TYPE,
            transitions: &[#(#transitions),*],
            on_erasure: #on_erasure,
            history: crate::noun::Relationship {
                name: "history",
                target: &STATE_CHANGE,
                link: crate::noun::Link::Many { column: crate::lifecycle::ROW_ID, is_part: false },
                doc: "History of its state.",
            },
        }.checked();
        static STATE_CHANGE_FIELDS: [crate::noun::Field; 6] = crate::lifecycle::change_fields(
            <#ty as crate::string_enum::StringEnum>::TYPE,
            <Transition as crate::string_enum::StringEnum>::TYPE,
        );
        static STATE_CHANGE_RELATIONS: [crate::noun::Relationship; 1] =
            [crate::noun::Relationship::one(#singular, &NOUN, (crate::lifecycle::ROW_ID, false), #owner)];
        /// The noun of the state history.
        pub static STATE_CHANGE: crate::Noun = crate::Noun {
            name: #change,
            singular: #one,
            plural: #many,
            table: crate::lifecycle::TABLE,
            prefix: crate::lifecycle::PREFIX,
            doc: #doc,
            tenant: "organization_id",
            read: #read,
            write: crate::Permission::#write,
            system: &crate::noun::APPENDED,
            fields: &STATE_CHANGE_FIELDS,
            relations: &STATE_CHANGE_RELATIONS,
            operations: &[],
            has_external_ids: false,
            exactly_one: &[],
            unique: &[],
            timeline: None,
            narrowed: &[#narrowed],
        };
    })
}

fn strings(columns: &[Ident]) -> Vec<String> {
    columns.iter().map(ToString::to_string).collect()
}
