//! `#[derive(Noun)]` generates the description of a noun from its `SeaORM` model. [`Input`] and [`Output`] generate
//! objects of the API from structs.
//!
//! `Noun` works in the crate `entity` only, because the generated code refers to items of that crate as `crate::…`. It
//! is used together with `DeriveEntityModel`. Kinds and nullability come from types, descriptions of the API from doc
//! comments, and the rest from attributes.
//!
//! # The noun
//!
//! | `#[noun(…)]` on the struct | |
//! |---|---|
//! | `prefix = "assum"` | prefix of the ids in the API |
//! | `read = MapRead` | scope required to read it; `any_token` for none |
//! | `write = MapWrite` | scope required to write it |
//! | `operations = FULL` | or `PART` (no archive), or a list: `[List, Update]` |
//! | `external_ids` | rows have external ids |
//! | `exactly_one(customer, account)` | a row has exactly one of these relations |
//! | `unique(noun, name)` | only one row has these values of these columns together; a write of another one fails with TAKEN. A migration must create the unique index |
//! | `timeline(at(occurred_at, created_at), via(unit))` | rows stand on the timelines of the rows they refer to, at the first of these instants that is not null; with `via`, also on those that this related row refers to |
//! | `narrowed_by(department_id)` | rows belong to departments by this column: a caller whose token names departments sees theirs only |
//! | `narrowed_through(case)` | rows belong to departments through the row that this relation leads to |
//! | `name = "AuditEntry"` | type name, if it differs from the table's |
//! | `plural = "auditLog"` | name of the list, if it differs from the plural of the name |
//! | `through(mediums: MediumId, doc = "…", inverse(points = "…"))` | a relation through the table `<table>_<medium>`; `edge = FIELDS` are its further columns |
//! | `order(mediums, steps)` | the lists that the API shows first, in this order; the others follow in the order of `nouns!` |
//! | `without_events` | changes of its rows are not written to the audit log: they belong to changes of other rows |
//!
//! # A column
//!
//! | `#[noun(…)]` on a field | |
//! |---|---|
//! | `required` | must be given on create and cannot be cleared |
//! | `optional` | may be given; if it is not nullable, the server provides the value otherwise |
//! | `fixed` | must be given on create and cannot be changed |
//! | `imported` | set by transitions; upserts and imports may set it too |
//! | `lifecycle(…)` | the state of the row: see below |
//! | `default = "WANT"` | default as a GraphQL literal, or `now` for an instant |
//! | none of these | only the server sets it |
//! | `ordered` | lists can be ordered by it; a migration must create the index |
//! | `expires` | an `ordered` instant: retention rules remove rows a number of days after it |
//! | `searchable` | makes it findable by the search and by `contains` and `startsWith`; the model must also have `<column>_folded` |
//! | `max = 200` | maximum length of a text; `min` and `max` are the limits of a number |
//! | `tags(most = 50, max = 64)`, `attributes(most = 20, max = 200)`, `names`, `json`, `time_zone` | the content of a `String` other than plain text |
//! | `filter_of = feedback_record` | a stored filter of the noun in this module, in a `String` |
//! | none, with a type of `entity::kind` such as `Date` or `Decimal<4>` | a scalar; its file defines the accepted values |
//! | `row_of = "noun"` | a `Uuid` that is the id of a row; the column given here contains the name of the row's noun |
//! | `personal = Contact` | the kind of personal data: `Identifier`, `Contact` or `FreeText` |
//! | `unguarded` | personal, but visible to every caller who may read the row |
//! | `retained_because = STAFF` | the reason why it is kept when a person is erased |
//! | `name = "row_type"` | name in the API, if it differs from the column's |
//! | `inverse(assumptions = "…")` | for a relation: the list of this noun's rows on the target, with its description |
//! | `money` | an amount of money: an `Amount`, with its currency in `<column>_currency`; the API shows both as one field of type `Money` |
//! | `part` | for a relation with an `inverse`: this noun's rows are parts of the target's row, and mutations can write them with it |
//!
//! A column of an id type other than the row's own is a relation; its name in the API omits `_id`. The columns
//! `organization_id`, `id`, `version`, `created_at`, `updated_at`, `archived_at` and `…_folded` are managed by the
//! kernel and have no attributes; a column with such a name that has attributes belongs to the noun.
//!
//! # A lifecycle
//!
//! The column of the state, a non-null enum, declares the transitions between states:
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
//! `on_erasure = decline` names the transition of a row about a person who is erased. `on_create` lets a creation set the state; otherwise only upserts and imports can, because their rows have a history in
//! another system. `from` lists the states in which the transition is allowed; `to` is the state that it leads to. `requires` and
//! `accepts` list columns that its input takes, `stamps` names the column that is set to the current time, and
//! `needs(MapRead)` lists scopes required in addition to the noun's write scope. Columns of a transition must be
//! nullable; without other attributes they are `imported`. Every state must be initial or the target of a transition. A
//! lifecycle generates the enum `Transition`, the description `LIFECYCLE`, a mutation for each transition
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
//!     /// Display name.
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
//! pub(crate) const ATTRIBUTE_VALUE: Option<(&str, &str)> = None; // its value in `AttributeNoun`, if it has attributes
//! pub(crate) const EXPIRY_VALUE: Option<(&str, &str)> = None; // its value in `RetentionNoun`, if its rows can expire
//! pub(crate) const SEARCH_VALUE: Option<(&str, &str)> = Some(("THING", "Thing.")); // its value in `SearchNoun`, if a search can find it
//! pub(crate) const CHANGE_VALUE: Option<(&str, &str)> = Some(("THING", "Thing.")); // its value in `ChangeNoun`, if its changes have events
//! pub(crate) const IMPORT_VALUE: Option<(&str, &str)> = Some(("THING", "Thing.")); // its value in `ImportNoun`, if it can be imported
//! pub static NOUN: Noun = Noun {
//!     name: "Thing", singular: "thing", plural: "things", table: "thing", prefix: "thing",
//!     doc: "A thing that customers own.", tenant: "organization_id",
//!     read: Some(Permission::MapRead), write: Permission::MapWrite, system: &SYSTEM,
//!     fields: &[Field { name: "name", column: "name", kind: Kind::Text { max: 200 }, writable: Writable::Required, … }],
//!     relations: &RELATIONS, operations: PART, has_external_ids: false, exactly_one: &[], unique: &[],
//!     timeline: None,
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
mod narrowed;
mod noun;
mod object;
mod relations;
#[cfg(test)]
mod tests;
mod timeline;

use proc_macro::TokenStream;

/// Generates the description of a noun from its model. The crate documentation describes the attributes.
#[proc_macro_derive(Noun, attributes(noun))]
pub fn derive_noun(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    match noun::NounInput::read(&input) {
        Ok(noun) => expand::expand(&noun).into(),
        Err(error) => error.into_compile_error().into(),
    }
}

/// Generates an object that a query, a computed field or a report returns from a struct. For the crate `rapport`: types
/// of the API come from field types (`graphql::typed::output`), descriptions from doc comments.
///
/// | `#[output(…)]` | |
/// |---|---|
/// | `read = MapRead` on the struct | scope required to read it, in addition to those of the field that returns it |
/// | `name = "…"` | type name, if it differs from the struct's; on a field, the field's name |
/// | `doc = CONSTANT` on a field | its description, instead of a doc comment |
/// | `row_of = "type"` on a `Uuid` or an `Option` of one | the id of a row; the field given here contains the name of the row's noun |
///
/// A field of an id type, `point_id: InteractionPointId`, returns the row as `point`.
#[proc_macro_derive(Output, attributes(output))]
pub fn derive_output(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    object::output(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Generates the arguments of a query or a computed field, the input of a mutation, or an input object from a struct.
/// For the crate `rapport`: types of the API come from field types (`graphql::typed::input`), descriptions from doc
/// comments.
///
/// | `#[input(…)]` | |
/// |---|---|
/// | `default = 100` | the value if none is given; `default` alone uses the type's default |
/// | `range = 1..=1_000` | limits of a number, both inclusive |
/// | `max = 2_000` | maximum length of a text, in characters |
/// | `most = 3` | maximum number of items of a list |
/// | `name = "…"` | type name, if it differs from the struct's; on a field, the field's name |
/// | `doc = CONSTANT` on a field | its description, instead of a doc comment |
///
/// A value out of range is a user error in the input of a mutation, and fails the request elsewhere.
#[proc_macro_derive(Input, attributes(input))]
pub fn derive_input(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    object::input(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
