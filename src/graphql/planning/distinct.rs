//! Queries that list tags, attribute names and attribute values with counts, for every noun that has tags or
//! attributes.

use entity::{
    Noun,
    noun::{Field, Kind, Operation},
};
use sea_orm::prelude::ChronoUnixTimestampMillis;

use super::{
    filter::list_filter,
    plan::{ObjectField, RowPlan},
};
use crate::{
    Error, Result,
    graphql::{
        mutation::input::Input as Given,
        slice::ComputedObject,
        typed::{
            input::{Argument, Input, InputFields},
            output::{Output, instant},
            reader::Reader,
        },
    },
    store::{
        Scope,
        paging::{
            cursor::Codec,
            page::{Term, trim},
        },
        statement::{
            cell::{Cell, CellKind, Column},
            distinct::{Counted, Distinct, Tally, Total},
        },
    },
};

/// The kind of entries that a query counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// `xTags`
    Tags,
    /// `xAttributeNames`
    Names,
    /// `xAttributeValues`
    Values,
}

/// A query that counts entries of a tags or attributes column of a noun.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    /// The noun.
    pub noun: &'static Noun,
    /// The tags or attributes column.
    pub field: &'static Field,
    /// The kind of entries counted.
    pub what: What,
}

/// Position of a page within its list.
#[derive(Output)]
pub struct PageInfo {
    /// Whether rows follow this page.
    pub has_next_page: bool,
    /// Whether rows precede this page.
    pub has_previous_page: bool,
    /// Cursor of the first row; null for an empty page.
    pub start_cursor: Option<String>,
    /// Cursor of the last row; null for an empty page.
    pub end_cursor: Option<String>,
}

/// A tag and the number of rows that have it.
#[derive(Output)]
struct TagCount {
    /// The tag.
    tag: String,
    /// Number of rows that have it.
    count: i64,
}

/// The name of an attribute and the number of rows that have it.
#[derive(Output)]
struct AttributeNameCount {
    /// The name.
    name: String,
    /// Number of rows that have an attribute with this name.
    count: i64,
    /// Number of distinct values.
    value_count: i64,
    /// Number of rows whose value is not a number; no `number` comparison matches them.
    unparsed_number_count: i64,
    /// Number of rows whose value is neither an instant nor a date; no `date` comparison matches them.
    unparsed_date_count: i64,
}

/// A value of an attribute and the number of rows that have it.
#[derive(Output)]
struct AttributeValueCount {
    /// The value.
    value: String,
    /// Number of rows that have it.
    count: i64,
    /// The value as a number; null if it is not a number.
    value_number: Option<f64>,
    /// The value as an instant; null if it is not an instant.
    value_at: Option<ChronoUnixTimestampMillis>,
}

/// A page of tags, sorted by bytes.
#[derive(Output)]
struct TagCounts {
    /// Number of entries on all pages. Counted only if it is selected.
    distinct_count: Option<i64>,
    /// The tags of the page.
    nodes: Vec<TagCount>,
    /// Position of the page within the list.
    page_info: PageInfo,
}

/// A page of attribute names, sorted by bytes.
#[derive(Output)]
struct AttributeNameCounts {
    /// Number of entries on all pages. Counted only if it is selected.
    distinct_count: Option<i64>,
    /// The names of the page.
    nodes: Vec<AttributeNameCount>,
    /// Position of the page within the list.
    page_info: PageInfo,
}

/// A page of values of an attribute, sorted by bytes.
#[derive(Output)]
struct AttributeValueCounts {
    /// Number of entries on all pages. Counted only if it is selected.
    distinct_count: Option<i64>,
    /// Number of rows whose value is not a number. Counted only if it is selected.
    unparsed_number_count: Option<i64>,
    /// Number of rows whose value is neither an instant nor a date. Counted only if it is selected.
    unparsed_date_count: Option<i64>,
    /// The values of the page.
    nodes: Vec<AttributeValueCount>,
    /// Position of the page within the list.
    page_info: PageInfo,
}

/// The attribute whose values are listed.
#[derive(Input)]
struct Named {
    /// Name of the attribute; case-sensitive.
    name: String,
}

/// The entries to return.
#[derive(Input)]
struct Wanted {
    /// Returns only entries that start with this; case-sensitive.
    starts_with: Option<String>,
    /// Number of entries to return, 1 to 1,000.
    #[input(default = 100, range = 1..=1_000)]
    first: i64,
    /// Returns the entries after this cursor: `endCursor` of the page before.
    after: Option<String>,
}

/// Returns the queries of a noun. The list is empty for nouns that cannot be listed.
pub fn of(noun: &'static Noun) -> Vec<Query> {
    let fields = noun.fields.iter().filter(|_| noun.offers(Operation::List));
    let queries = fields.flat_map(|field| {
        let all: &[What] = match field.kind {
            Kind::Tags { .. } => &[What::Tags],
            Kind::Attributes { .. } => &[What::Names, What::Values],
            _ => &[],
        };
        all.iter().map(move |what| Query { noun, field, what: *what })
    });
    queries.collect()
}

impl Query {
    /// Returns the field name: the noun's singular followed by the name of the column.
    pub fn name(&self) -> String {
        let (first, rest) = self.field.name.split_at(1);
        let column = format!("{}{}{rest}", self.noun.singular, first.to_ascii_uppercase());
        match self.what {
            What::Tags => column,
            What::Names => format!("{}Names", column.trim_end_matches('s')),
            What::Values => format!("{}Values", column.trim_end_matches('s')),
        }
    }

    /// Returns the description of the result object.
    pub fn answer(&self) -> &'static Noun {
        match self.what {
            What::Tags => TagCounts::noun(),
            What::Names => AttributeNameCounts::noun(),
            What::Values => AttributeValueCounts::noun(),
        }
    }

    /// Returns the GraphQL description of the query.
    pub fn doc(&self) -> String {
        let plural = self.noun.plural;
        let open = " Without `customers:read`, only attributes that an admin declared not personal are included; the others are omitted with a FORBIDDEN error.";
        let open = if self.field.is_guarded() { open } else { "" };
        match self.what {
            What::Tags => format!("Lists the tags of {plural} with the number of rows that have each."),
            What::Names => {
                format!("Lists the attribute names of {plural} with the number of rows that have each.{open}")
            }
            What::Values => {
                format!("Lists the values of an attribute of {plural} with the number of rows that have each.{open}")
            }
        }
    }

    /// Returns the arguments, except `filter`.
    pub fn arguments(&self) -> impl Iterator<Item = &'static Argument> + use<> {
        let own = if self.what == What::Values { Named::fields() } else { &[] };
        own.iter().chain(Wanted::fields())
    }

    /// Runs the query. Also returns an error if entries were withheld from the caller.
    pub async fn run(
        &self,
        scope: &Scope,
        plan: &RowPlan,
        input: &Given<'_>,
    ) -> Result<(ComputedObject, Option<Error>)> {
        scope.may_read(self.noun)?;
        let attribute_access = scope.attribute_access();
        let mut asked = self.asked(scope, input)?;
        match &asked.counted {
            Counted::Values(name) => match attribute_access.may_use_attribute(self.noun, self.field, name) {
                Err(error @ Error::Forbidden(_)) => {
                    let withheld = plan.object.selections.iter().any(|out| !matches!(out.what, ObjectField::Typename));
                    let page = self.page(&asked, &[], (None, false), scope);
                    return Ok((page, withheld.then_some(error)));
                }
                allowed => allowed?,
            },
            Counted::Names => asked.among = attribute_access.open_attributes(self.noun, self.field)?,
            Counted::Tags => attribute_access.may_use(self.field)?,
        }
        let limit = asked.limit;
        asked.limit += 1;
        let mut found = scope.distinct(&asked).await?;
        asked.limit = limit;
        let has_more = trim(&mut found, limit, false);
        let counts = plan.object.selections.iter().any(|out| matches!(out.what, ObjectField::Cell(..)));
        let total = if counts { Some(scope.distinct_total(&asked).await?) } else { None };
        Ok((self.page(&asked, &found, (total, has_more), scope), None))
    }

    fn asked(&self, scope: &Scope, input: &Given<'_>) -> Result<Distinct> {
        let counted = match self.what {
            What::Tags => Counted::Tags,
            What::Names => Counted::Names,
            What::Values => Counted::Values(Reader::query::<Named>(input)?.name),
        };
        let Wanted { starts_with, first, after } = Reader::query(input)?;
        let limit = usize::try_from(first).unwrap_or_default();
        let codec = self.codec(scope);
        let after = after.map(|cursor| codec.decode(&cursor)).transpose()?;
        let after = after.and_then(|cells| cells.first().and_then(Cell::text).map(str::to_owned));
        let filter = list_filter(self.noun, input.get("filter"), scope.attribute_access())?;
        let prefix = starts_with.unwrap_or_default();
        Ok(Distinct { noun: self.noun, field: self.field, counted, filter, prefix, among: None, after, limit })
    }

    fn codec(&self, scope: &Scope) -> Codec {
        let name = match self.what {
            What::Tags => "tag",
            What::Names => "attribute name",
            What::Values => "attribute value",
        };
        let column = Column { name, kind: CellKind::Text, is_nullable: false, field: self.field.name };
        Codec::new(self.noun, &[Term::new(column, false)], scope.organization())
    }

    fn page(
        &self,
        asked: &Distinct,
        found: &[Tally],
        (total, has_more): (Option<Total>, bool),
        scope: &Scope,
    ) -> ComputedObject {
        let codec = self.codec(scope);
        let cursor = |tally: Option<&Tally>| tally.map(|tally| codec.encode([&Cell::Text(tally.key.clone())]));
        let page_info = PageInfo {
            has_next_page: has_more,
            has_previous_page: asked.after.is_some(),
            start_cursor: cursor(found.first()),
            end_cursor: cursor(found.last()),
        };
        let distinct_count = total.as_ref().map(|total| total.distinct);
        match self.what {
            What::Tags => {
                let node = |tally: &Tally| TagCount { tag: tally.key.clone(), count: tally.count };
                TagCounts { distinct_count, nodes: found.iter().map(node).collect(), page_info }.object()
            }
            What::Names => {
                let node = |tally: &Tally| AttributeNameCount {
                    name: tally.key.clone(),
                    count: tally.count,
                    value_count: tally.values,
                    unparsed_number_count: tally.no_number,
                    unparsed_date_count: tally.no_instant,
                };
                AttributeNameCounts { distinct_count, nodes: found.iter().map(node).collect(), page_info }.object()
            }
            What::Values => {
                let node = |tally: &Tally| AttributeValueCount {
                    value: tally.key.clone(),
                    count: tally.count,
                    value_number: tally.number,
                    value_at: tally.instant.map(instant),
                };
                AttributeValueCounts {
                    distinct_count,
                    unparsed_number_count: total.as_ref().map(|total| total.no_number),
                    unparsed_date_count: total.as_ref().map(|total| total.no_instant),
                    nodes: found.iter().map(node).collect(),
                    page_info,
                }
                .object()
            }
        }
    }
}
