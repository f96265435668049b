//! `#[derive(Noun)]`: the description of a noun, made of its `SeaORM` model. [`Input`] and [`Output`] make objects of the
//! API of structs.
//!
//! `Noun` is for the crate `entity` alone: what it makes names items of that crate as `crate::…`. It stands beside
//! `DeriveEntityModel`. Types give kinds and nullability, doc comments the descriptions of the API, attributes the rest.
//!
//! # The noun
//!
//! | `#[noun(…)]` on the struct | |
//! |---|---|
//! | `prefix = "assum"` | prefix of ids on the wire |
//! | `read = MapRead` | scope to read it; `any_token` for none |
//! | `write = MapWrite` | scope to write it |
//! | `operations = FULL` | or `PART` (no archive), or a list: `[List, Update]` |
//! | `external_ids` | rows carry external ids |
//! | `name = "AuditEntry"` | type name, if it is not the table's |
//! | `plural = "auditLog"` | name of the list, if it is not the plural of the name |
//! | `through(mediums: MediumId, doc = "…", inverse(points = "…"))` | a relation through the table `<table>_<medium>`; `edge = FIELDS` are its further columns |
//! | `order(mediums, steps)` | lists that the API shows first, in this order; the others follow in the order of `nouns!` |
//!
//! # A column
//!
//! | `#[noun(…)]` on a field | |
//! |---|---|
//! | `required` | must be given on create, never cleared |
//! | `optional` | may be given; if it cannot be null, the server completes it |
//! | `fixed` | must be given on create and stays |
//! | `imported` | transitions set it, and upserts and imports may bring it |
//! | `lifecycle(…)` | the state of the row: see below |
//! | `default = "WANT"` | a GraphQL literal, or `now` for an instant |
//! | none of these | only the server sets it |
//! | `ordered` | lists can be ordered by it: its index stands in a migration |
//! | `searchable` | `contains` and `startsWith`: the model has `<column>_folded`, too |
//! | `max = 200` | longest text; `min` and `max` are bounds of a number |
//! | `tags(most = 50, max = 64)`, `attributes(most = 20, max = 200)`, `names`, `json`, `time_zone` | what a `String` holds that is no text |
//! | nothing, beside a type of `entity::kind` such as `Date` or `Decimal<4>` | a scalar, whose file says what it accepts |
//! | `row_of = "noun"` | a `Uuid` that names a row of the noun that the other column names |
//! | `personal = Contact` | what it tells about a person: `Identifier`, `Contact` or `FreeText` |
//! | `unguarded` | whoever may read the row may read it, though it is personal |
//! | `retained_because = STAFF` | why it outlives the erasure of a person |
//! | `name = "row_type"` | name in the API, if it is not the column's |
//! | `inverse(assumptions = "…")` | of a relation: the list of its rows on the target, with its description |
//!
//! A column of an id type other than the row's own is a relation, and shown without its `_id`. The columns
//! `organization_id`, `id`, `version`, `created_at`, `updated_at`, `archived_at` and `…_folded` are the kernel's and have no
//! attributes; a column of such a name with attributes is the noun's own.
//!
//! # A lifecycle
//!
//! The column of the state, an enum that is not null, declares what leads from state to state:
//!
//! ```text
//! /// How far it has come.
//! #[noun(ordered, lifecycle(
//!     initial = Presented,
//!     accept(from(Presented), to = Accepted, accepts(value), stamps = answered_at, doc = "Accepts an offer."),
//!     decline(from(Presented), to = Declined, requires(reason), stamps = answered_at, doc = "Declines an offer."),
//! ))]
//! pub status: OfferMadeStatus,
//! ```
//!
//! `from` lists the states that the transition is allowed in, `to` is the one that it leads to. `requires` and `accepts` list
//! columns that its input takes, `stamps` names the column that gets the time, `needs(MapRead)` lists scopes besides the one
//! to write the noun. Columns of a transition may be null; without other attributes they are `imported`. Every state must be
//! initial or be led to. From it come the enum `Transition`, the description `LIFECYCLE`, a mutation for each transition
//! (`offerMadeDecline`), `allowedTransitions`, and the list `history` of rows of `STATE_CHANGE`.
//!
//! # An example
//!
//! ```text
//! /// A thing that customers own.
//! #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
//! #[sea_orm(table_name = "thing")]
//! #[noun(prefix = "thing", read = MapRead, write = MapWrite, operations = PART)]
//! pub struct Model {
//!     // organization_id, id, version, created_at, updated_at
//!     /// Name to show.
//!     #[noun(required, ordered, max = 200)]
//!     pub name: String,
//!     /// Who owns it.
//!     #[noun(fixed, inverse(things = "What they own."))]
//!     pub owner_id: Option<CustomerId>,
//! }
//! ```
//!
//! becomes, with paths shortened:
//!
//! ```text
//! impl ActiveModelBehavior for ActiveModel {}
//! impl NounId for ThingId { type Entity = Entity; const NOUN: &Noun = &NOUN; const TABLE: &'static str = "thing"; }
//! impl Tenanted for Entity { /* NOUN, TENANT, ID, tenant() */ }
//!
//! pub enum Relation { Owner }
//! impl RelationTrait for Relation { /* organization_id and owner_id to the customer's organization_id and id */ }
//! impl Related<customer::Entity> for Entity { /* by Relation::Owner; not where two relations have one target */ }
//!
//! pub const TABLE: &str = "thing";
//! pub static NOUN: Noun = Noun {
//!     name: "Thing", singular: "thing", plural: "things", table: "thing", prefix: "thing",
//!     doc: "A thing that customers own.", tenant: "organization_id",
//!     read: Some(Permission::MapRead), write: Permission::MapWrite, system: &SYSTEM,
//!     fields: &[Field { name: "name", column: "name", kind: Kind::Text { max: 200 }, writable: Writable::Required, … }],
//!     relations: &RELATIONS, operations: PART, has_external_ids: false,
//! };
//! pub const DECLARED: &[Declared] = &[Declared {
//!     name: "owner", link: Link::One { column: "owner_id", is_nullable: true, writable: Writable::Fixed },
//!     doc: "Who owns it.", target: "customer", inverse: Some(("things", "What they own.")),
//! }];
//! static RELATIONS: [Relationship; …] = /* its own, and those that other nouns have an inverse for */;
//!
//! pub const NAME: Col<String> = Col::new(&NOUN, "name");
//! pub const OWNER_ID: Col<Option<CustomerId>> = Col::new(&NOUN, "owner_id");
//! ```

mod column;
mod expand;
mod kind;
mod lifecycle;
mod names;
mod noun;
mod object;
mod relations;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Makes the description of a noun of its model. The page of the crate says how.
#[proc_macro_derive(Noun, attributes(noun))]
pub fn derive_noun(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    match noun::NounInput::read(&input) {
        Ok(noun) => expand::expand(&noun).into(),
        Err(error) => error.into_compile_error().into(),
    }
}

/// Makes an object that a query, a computed field or a report answers with of a struct. For the crate `rapport`: field
/// types give the types of the API (`graphql::typed::output`), doc comments the descriptions.
///
/// | `#[output(…)]` | |
/// |---|---|
/// | `read = MapRead` on the struct | scope to read it, if it needs one besides those of what answers it |
/// | `name = "…"` | type name, if it is not the struct's; of a field, its name |
/// | `doc = CONSTANT` on a field | its description, instead of a doc comment |
/// | `row_of = "type"` on a `Uuid` | the id of a row of the noun that the other field names |
///
/// A field of an id type, `point_id: InteractionPointId`, shows the row `point`.
#[proc_macro_derive(Output, attributes(output))]
pub fn derive_output(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    object::output(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes the arguments of a query or a computed field, the input of a mutation, or an input object of a struct. For the
/// crate `rapport`: field types give the types of the API (`graphql::typed::input`), doc comments the descriptions.
///
/// | `#[input(…)]` | |
/// |---|---|
/// | `default = 100` | what is taken where nothing is given; `default` alone takes the type's |
/// | `range = 1..=1_000` | bounds of a number, both included |
/// | `max = 2_000` | longest text, in characters |
/// | `most = 3` | longest list |
/// | `name = "…"` | type name, if it is not the struct's; of a field, its name |
/// | `doc = CONSTANT` on a field | its description, instead of a doc comment |
///
/// What is out of bounds is an error in the input of a mutation, and an error of the request elsewhere.
#[proc_macro_derive(Input, attributes(input))]
pub fn derive_input(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    object::input(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
