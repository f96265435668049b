//! Reads a noun from its model and the attributes of the struct.

use syn::{
    Attribute, Data, DeriveInput, Error, Expr, Fields, Ident, LitStr, Result, Token, Type, bracketed,
    meta::ParseNestedMeta, parse::Parser as _, punctuated::Punctuated, spanned::Spanned as _,
};

use crate::{
    column::{self, Column, Inverse, Writable},
    kind, lifecycle, names, narrowed, timeline,
};

/// The error message for an unknown attribute in `#[noun(…)]` on a struct.
const ALLOWED: &str = "a noun has `prefix = \"…\"`, `read = …`, `write = …`, `operations = …`, and may have \
                       `external_ids`, `exactly_one(…)`, `unique(…)`, `name = \"…\"`, `plural = \"…\"`, `through(…)`, `order(…)`, \
                       `timeline(at(…), via(…))`, `narrowed_by(…)`, `narrowed_through(…)`, \
                       `without_events`";

/// The kernel columns of nouns whose rows can change.
const CHANGING: [&str; 3] = ["version", "created_at", "updated_at"];

/// The operations that the API offers for a noun.
#[derive(Clone, Debug)]
pub enum Operations {
    /// A named list: `FULL` or `PART`.
    Named(Ident),
    Listed(Vec<Ident>),
}

impl Operations {
    /// Returns whether an operation is one of them.
    pub fn has(&self, operation: &str) -> bool {
        match self {
            Self::Named(name) => name == "FULL" || operation != "Archive",
            Self::Listed(listed) => listed.iter().any(|known| known == operation),
        }
    }
}

/// A relation through a join table.
#[derive(Clone, Debug)]
pub struct Through {
    pub name: String,
    pub target: Type,
    pub doc: Expr,
    pub edge: Option<Expr>,
    pub inverse: Option<Inverse>,
}

/// A noun as declared by its model.
#[derive(Clone, Debug)]
pub struct NounInput {
    pub doc: String,
    pub table: String,
    pub name: String,
    pub plural: String,
    pub prefix: String,
    pub read: Option<Ident>,
    pub write: Ident,
    pub operations: Operations,
    pub has_external_ids: bool,
    pub through: Vec<Through>,
    pub order: Vec<String>,
    /// Relations of which a row has exactly one.
    pub exactly_one: Vec<String>,
    /// Columns whose values together only one row has.
    pub unique: Vec<String>,
    /// The columns that place its rows on timelines, and the relation to a row on whose timelines they stand, too.
    pub timeline: Option<(Vec<String>, Option<String>)>,
    /// The column by which its rows belong to departments.
    pub narrowed_by: Option<String>,
    /// The relations through which its rows belong to departments.
    pub narrowed_through: Vec<String>,
    /// Whether changes of its rows are written to the audit log.
    pub has_events: bool,
    /// The type of the row ids.
    pub id: Type,
    /// Whether rows can change.
    pub changes: bool,
    /// All columns of the model, in their order.
    pub columns: Vec<Column>,
}

#[derive(Default)]
struct Attributes {
    prefix: Option<String>,
    read: Option<Ident>,
    write: Option<Ident>,
    operations: Option<Operations>,
    has_external_ids: bool,
    name: Option<String>,
    plural: Option<String>,
    through: Vec<Through>,
    order: Vec<String>,
    exactly_one: Vec<Ident>,
    unique: Vec<Ident>,
    timeline: Option<timeline::Words>,
    narrowed_by: Vec<Ident>,
    narrowed_through: Vec<Ident>,
    is_without_events: bool,
}

impl NounInput {
    /// Reads a model.
    pub fn read(input: &DeriveInput) -> Result<Self> {
        let missing = |what: &str| Error::new(input.ident.span(), format!("{what} is missing: {ALLOWED}"));
        let Data::Struct(data) = &input.data else {
            return Err(Error::new(input.ident.span(), "a noun is the struct `Model` of an entity"));
        };
        let Fields::Named(fields) = &data.fields else {
            return Err(Error::new(input.ident.span(), "columns have names"));
        };
        let mut attributes = Attributes::default();
        for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("noun")) {
            attributes.read(attribute)?;
        }
        let mut columns = fields.named.iter().map(Column::read).collect::<Result<Vec<_>>>()?;
        lifecycle::mark(&mut columns)?;
        mark_currencies(&mut columns)?;
        let table = table(&input.attrs)?.ok_or_else(|| missing("`#[sea_orm(table_name = \"…\")]`"))?;
        let name = attributes.name.unwrap_or_else(|| names::upper_camel(&table));
        let read = attributes.read.ok_or_else(|| missing("`read = …`"))?;
        let id =
            columns.iter().find(|column| column.ident == "id").ok_or_else(|| missing("the column `id`"))?.ty.clone();
        let noun = Self {
            doc: column::doc(&input.attrs),
            plural: attributes.plural.unwrap_or_else(|| names::plural(&names::uncapitalized(&name))),
            name,
            table,
            prefix: attributes.prefix.ok_or_else(|| missing("`prefix = \"…\"`"))?,
            read: (read != "any_token").then_some(read),
            write: attributes.write.ok_or_else(|| missing("`write = …`"))?,
            operations: attributes.operations.ok_or_else(|| missing("`operations = …`"))?,
            has_external_ids: attributes.has_external_ids,
            through: attributes.through,
            order: attributes.order,
            exactly_one: alternatives(&attributes.exactly_one, &columns)?,
            unique: stored(&attributes.unique, &columns)?,
            timeline: attributes.timeline.map(|named| timeline::check(named, &columns)).transpose()?,
            narrowed_by: narrowed::by(&attributes.narrowed_by, &columns)?,
            narrowed_through: narrowed::through(&attributes.narrowed_through, &columns)?,
            has_events: !attributes.is_without_events,
            changes: CHANGING
                .iter()
                .all(|name| columns.iter().any(|column| column.ident == name && !column.has_attributes)),
            id,
            columns,
        };
        noun.check(&input.ident)?;
        Ok(noun)
    }

    /// Returns whether each row belongs to an organization; false for organizations themselves.
    pub fn is_tenanted(&self) -> bool {
        self.column("organization_id").is_some()
    }

    /// Returns the noun's own columns, without relations and kernel columns.
    pub fn fields(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !self.is_system(column) && !column.is_reference())
    }

    /// Returns the relations to one row.
    pub fn references(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !self.is_system(column) && column.is_reference())
    }

    fn is_system(&self, column: &Column) -> bool {
        let name = column.ident.to_string();
        let is_known = ["organization_id", "id", "archived_at"].contains(&name.as_str())
            || CHANGING.contains(&name.as_str())
            || self.folds(&name).is_some();
        is_known && !column.has_attributes
    }

    /// Returns the column whose folded copy has the name `twin`.
    fn folds(&self, twin: &str) -> Option<&Column> {
        let name = twin.strip_suffix("_folded")?;
        self.columns.iter().find(|column| column.ident == name)
    }

    fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.ident == name)
    }

    fn check(&self, model: &Ident) -> Result<()> {
        let refuse = |at: &Ident, message: String| Err(Error::new(at.span(), message));
        if self.doc.is_empty() {
            return refuse(model, "the doc comment of the model describes the noun in the API".to_owned());
        }
        let first = if kind::last_segment(&self.id) == "OrganizationId" { "id" } else { "organization_id" };
        if self.columns.first().is_none_or(|column| column.ident != first) {
            return refuse(model, format!("the first column is the tenant: `pub {first}: OrganizationId`"));
        }
        let archived = self.column("archived_at").filter(|column| !column.has_attributes);
        if self.operations.has("Archive") && archived.is_none_or(|column| !column.is_nullable) {
            let message = "the operations have the archive: the model needs \
                           `pub archived_at: Option<ChronoUnixTimestampMillis>`, or `operations = PART`";
            return refuse(model, message.to_owned());
        }
        if let (Some(column), false) = (archived, self.operations.has("Archive")) {
            return refuse(&column.ident, "the operations have no archive: take `archived_at` away".to_owned());
        }
        for name in CHANGING {
            let is_there = self.column(name).is_some_and(|column| !column.has_attributes);
            if is_there != self.changes {
                let message = format!("rows that change have all of {CHANGING:?}, others none: `{name}` is odd");
                return refuse(model, message);
            }
        }
        for column in &self.columns {
            self.check_column(column)?;
        }
        Ok(())
    }

    fn check_column(&self, column: &Column) -> Result<()> {
        let refuse = |message: String| Err(Error::new(column.ident.span(), message));
        let twin = format!("{}_folded", column.ident);
        if column.is_searchable {
            let is_like = |twin: &Column| kind::is_string(&twin.ty) && twin.is_nullable == column.is_nullable;
            if !self.column(&twin).is_some_and(is_like) {
                let ty = if column.is_nullable { "Option<String>" } else { "String" };
                return refuse(format!("a searchable column has a folded twin: `pub {twin}: {ty}`"));
            }
        }
        if let Some(text) = self.folds(&column.ident.to_string())
            && !text.is_searchable
        {
            return refuse(format!("`{}` is not searchable and needs no folded twin", text.ident));
        }
        if !self.is_system(column) {
            if column.doc.is_empty() {
                return refuse("the doc comment of a column describes it in the API".to_owned());
            }
            if column.is_reference() && !column.ident.to_string().ends_with("_id") {
                return refuse("a relation's column ends in `_id`".to_owned());
            }
            if column.is_reference() && matches!(column.writable, Writable::Default(_)) {
                return refuse("a relation has no default".to_owned());
            }
        }
        Ok(())
    }
}

/// Returns the API names of the relations of which a row has exactly one.
fn alternatives(named: &[Ident], columns: &[Column]) -> Result<Vec<String>> {
    let name = |relation: &Ident| {
        let stored = format!("{relation}_id");
        let column = columns.iter().find(|column| column.ident == stored && column.is_nullable);
        let message = "`exactly_one` names relations that may be absent: `pub <name>_id: Option<…Id>`";
        column.map(|column| column.name.clone()).ok_or_else(|| Error::new(relation.span(), message))
    };
    named.iter().map(name).collect()
}

/// Returns the names of columns, as stored.
fn stored(named: &[Ident], columns: &[Column]) -> Result<Vec<String>> {
    let is_known = |name: &&Ident| columns.iter().any(|column| column.ident == **name);
    if let Some(unknown) = named.iter().find(|name| !is_known(name)) {
        return Err(Error::new(unknown.span(), "`unique` names columns of the model"));
    }
    Ok(named.iter().map(ToString::to_string).collect())
}

/// Completes the columns with the currencies of amounts: they are written as the amounts are.
fn mark_currencies(columns: &mut [Column]) -> Result<()> {
    for place in 0..columns.len() {
        if !columns[place].is_money {
            continue;
        }
        let Column { ident, ty, is_nullable, writable, doc, name: amount, .. } = columns[place].clone();
        let refuse = |message: String| Err(Error::new(ident.span(), message));
        if kind::last_segment(&ty) != "Amount" || matches!(writable, Writable::Default(_)) {
            return refuse("`money` is for an `Amount` without a default".to_owned());
        }
        let (name, wanted) =
            (format!("{ident}_currency"), if is_nullable { "Option<CurrencyCode>" } else { "CurrencyCode" });
        let twin = columns.iter_mut().find(|column| {
            column.ident == name
                && kind::last_segment(&column.ty) == "CurrencyCode"
                && column.is_nullable == is_nullable
        });
        let Some(twin) = twin else { return refuse(format!("an amount has its currency in `pub {name}: {wanted}`")) };
        twin.currency_of = Some(amount);
        twin.writable = writable;
        twin.doc = format!("The currency: {doc}");
    }
    Ok(())
}

impl Attributes {
    fn read(&mut self, attribute: &Attribute) -> Result<()> {
        attribute.parse_nested_meta(|meta| {
            let word = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            match word.as_str() {
                "prefix" => self.prefix = Some(text(&meta)?),
                "read" => self.read = Some(meta.value()?.parse()?),
                "write" => self.write = Some(meta.value()?.parse()?),
                "operations" => self.operations = Some(operations(&meta)?),
                "external_ids" => self.has_external_ids = true,
                "exactly_one" => self.exactly_one = names_in(&meta)?,
                "unique" => self.unique = names_in(&meta)?,
                "timeline" => self.timeline = Some(timeline::read(&meta)?),
                "without_events" => self.is_without_events = true,
                "narrowed_by" => self.narrowed_by = names_in(&meta)?,
                "narrowed_through" => self.narrowed_through = names_in(&meta)?,
                "name" => self.name = Some(text(&meta)?),
                "plural" => self.plural = Some(text(&meta)?),
                "through" => self.through.push(through(&meta)?),
                "order" => {
                    self.order = names_in(&meta)?.iter().map(|name| names::lower_camel(&name.to_string())).collect();
                }
                _ => return Err(meta.error(ALLOWED)),
            }
            Ok(())
        })
    }
}

/// Reads the names in `word(name, name)`.
fn names_in(meta: &ParseNestedMeta) -> Result<Vec<Ident>> {
    let mut names = Vec::new();
    meta.parse_nested_meta(|inner| {
        names.push(inner.path.require_ident()?.clone());
        Ok(())
    })?;
    Ok(names)
}

fn text(meta: &ParseNestedMeta) -> Result<String> {
    Ok(meta.value()?.parse::<LitStr>()?.value())
}

fn operations(meta: &ParseNestedMeta) -> Result<Operations> {
    let value = meta.value()?;
    if value.peek(syn::token::Bracket) {
        let listed;
        bracketed!(listed in value);
        return Ok(Operations::Listed(
            Punctuated::<Ident, Token![,]>::parse_terminated(&listed)?.into_iter().collect(),
        ));
    }
    let name: Ident = value.parse()?;
    if name == "FULL" || name == "PART" {
        return Ok(Operations::Named(name));
    }
    Err(Error::new(name.span(), "`operations` is `FULL`, `PART` or a list: `[List, Update]`"))
}

/// Reads `through(name: TargetId, doc = "…", edge = FIELDS, inverse(name = "…"))`.
fn through(meta: &ParseNestedMeta) -> Result<Through> {
    let inside;
    syn::parenthesized!(inside in meta.input);
    let name: Ident = inside.parse()?;
    inside.parse::<Token![:]>()?;
    let target: Type = inside.parse()?;
    if !kind::is_id(&target) {
        return Err(Error::new(
            target.span(),
            "a relation names its target by the type of its ids: `mediums: MediumId`",
        ));
    }
    let (mut doc, mut edge, mut opposite) = (None, None, None);
    inside.parse::<Token![,]>()?;
    syn::meta::parser(|inner| {
        if inner.path.is_ident("doc") {
            doc = Some(inner.value()?.parse()?);
        } else if inner.path.is_ident("edge") {
            edge = Some(inner.value()?.parse()?);
        } else if inner.path.is_ident("inverse") {
            opposite = Some(column::inverse(&inner)?);
        } else {
            return Err(inner.error("a relation through a table has `doc`, and may have `edge` and `inverse`"));
        }
        Ok(())
    })
    .parse2(inside.parse()?)?;
    let doc = doc.ok_or_else(|| Error::new(name.span(), "the relation needs a description: `doc = \"…\"`"))?;
    Ok(Through { name: names::lower_camel(&name.to_string()), target, doc, edge, inverse: opposite })
}

/// Reads the table name from `#[sea_orm(table_name = "…")]`.
fn table(attributes: &[Attribute]) -> Result<Option<String>> {
    let mut table = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("sea_orm")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("table_name") {
                table = Some(text(&meta)?);
            } else if meta.input.peek(Token![=]) {
                meta.value()?.parse::<Expr>()?;
            }
            Ok(())
        })?;
    }
    Ok(table)
}
