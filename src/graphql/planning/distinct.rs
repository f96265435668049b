//! Which names and values attributes have, and which tags there are, each with its count: for every noun that has any.

use entity::{
    Noun,
    noun::{Field, Kind, Operation, Relationship},
};

use super::{
    filter::list_filter,
    plan::{ObjectField, RowPlan},
};
use crate::{
    Error, Result,
    graphql::{
        mutation::input::Input,
        slice::{Argument, ComputedObject},
    },
    store::{
        Scope,
        paging::{cursor::Codec, page::Term},
        statement::{
            cell::{Cell, CellKind, Column},
            distinct::{Counted, Distinct, Tally, Total},
        },
    },
};

/// Of a page when the caller does not say.
const DEFAULT: i64 = 100;
/// Most of a page.
const MAX: i64 = 1_000;

/// What such a query counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// `xTags`
    Tags,
    /// `xAttributeNames`
    Names,
    /// `xAttributeValues`
    Values,
}

/// A query of a noun that has a column of that kind.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    /// The noun.
    pub noun: &'static Noun,
    /// Its column.
    pub field: &'static Field,
    /// What is counted.
    pub what: What,
}

const COUNT: Kind = Kind::Int { min: 0, max: i64::MAX };
const TEXT: Kind = Kind::Text { max: 200 };

const fn shown(
    name: &'static str,
    doc: &'static str,
    fields: &'static [Field],
    relations: &'static [Relationship],
) -> Noun {
    Noun { read: None, ..Noun::computed(name, doc, entity::Permission::Admin, fields, relations) }
}

/// Where a page stands; `common_types` has the type.
pub static PAGE_INFO: Noun = shown(
    "PageInfo",
    "",
    &[
        Field::new("hasNextPage", "has_next", Kind::Bool, ""),
        Field::new("hasPreviousPage", "has_previous", Kind::Bool, ""),
        Field::new("startCursor", "start_cursor", TEXT, ""),
        Field::new("endCursor", "end_cursor", TEXT, ""),
    ],
    &[],
);

static TAG: Noun = shown(
    "TagCount",
    "A tag and the number of rows that have it.",
    &[Field::new("tag", "key", TEXT, "The tag."), Field::new("count", "count", COUNT, "Number of rows that have it.")],
    &[],
);

static NAME: Noun = shown(
    "AttributeNameCount",
    "The name of an attribute and the number of rows that have it.",
    &[
        Field::new("name", "key", TEXT, "The name."),
        Field::new("count", "count", COUNT, "Number of rows that have an attribute with this name."),
        Field::new("valueCount", "values", COUNT, "Number of distinct values."),
        Field::new(
            "unparsedNumberCount",
            "no_number",
            COUNT,
            "Number of rows whose value is not a number; no `number` comparison matches them.",
        ),
        Field::new(
            "unparsedDateCount",
            "no_instant",
            COUNT,
            "Number of rows whose value is neither an instant nor a date; no `date` comparison matches them.",
        ),
    ],
    &[],
);

static VALUE: Noun = shown(
    "AttributeValueCount",
    "A value of an attribute and the number of rows that have it.",
    &[
        Field::new("value", "key", TEXT, "The value."),
        Field::new("count", "count", COUNT, "Number of rows that have it."),
        Field::new(
            "valueNumber",
            "number",
            Kind::Float { min: f64::MIN, max: f64::MAX },
            "The value as a number; null if it is not a number.",
        )
        .nullable(),
        Field::new("valueAt", "instant", Kind::Instant, "The value as an instant; null if it is not an instant.")
            .nullable(),
    ],
    &[],
);

const DISTINCT: Field =
    Field::new("distinctCount", "distinct", COUNT, "Number of entries on all pages. Counted only if it is selected.")
        .nullable();
const NO_NUMBER: Field = Field::new(
    "unparsedNumberCount",
    "no_number",
    COUNT,
    "Number of rows whose value is not a number. Counted only if it is selected.",
)
.nullable();
const NO_INSTANT: Field = Field::new(
    "unparsedDateCount",
    "no_instant",
    COUNT,
    "Number of rows whose value is neither an instant nor a date. Counted only if it is selected.",
)
.nullable();
const PAGE: Relationship =
    Relationship::embedded("pageInfo", &PAGE_INFO, false, "Position of the page within the list.");

static TAGS: Noun = shown(
    "TagCounts",
    "A page of tags, sorted by bytes.",
    &[DISTINCT],
    &[Relationship::embedded("nodes", &TAG, true, "The tags of the page."), PAGE],
);

static NAMES: Noun = shown(
    "AttributeNameCounts",
    "A page of attribute names, sorted by bytes.",
    &[DISTINCT],
    &[Relationship::embedded("nodes", &NAME, true, "The names of the page."), PAGE],
);

static VALUES: Noun = shown(
    "AttributeValueCounts",
    "A page of values of an attribute, sorted by bytes.",
    &[DISTINCT, NO_NUMBER, NO_INSTANT],
    &[Relationship::embedded("nodes", &VALUE, true, "The values of the page."), PAGE],
);

/// The objects such queries answer with, but for `PageInfo`.
pub static OBJECTS: [&Noun; 6] = [&TAGS, &TAG, &NAMES, &NAME, &VALUES, &VALUE];

const NAMED: Argument =
    Argument { name: "name", ty: "String!", default: None, doc: "Name of the attribute; case-sensitive." };
const COMMON: [Argument; 3] = [
    Argument {
        name: "startsWith",
        ty: "String",
        default: None,
        doc: "Returns only entries that start with this; case-sensitive.",
    },
    Argument { name: "first", ty: "Int", default: Some("100"), doc: "Number of entries to return, 1 to 1,000." },
    Argument {
        name: "after",
        ty: "String",
        default: None,
        doc: "Returns the entries after this cursor: `endCursor` of the previous page of the same query.",
    },
];

/// The queries of a noun.
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
    /// Its name: that of the noun, then of the column.
    pub fn name(&self) -> String {
        let (first, rest) = self.field.name.split_at(1);
        let column = format!("{}{}{rest}", self.noun.singular, first.to_ascii_uppercase());
        match self.what {
            What::Tags => column,
            What::Names => format!("{}Names", column.trim_end_matches('s')),
            What::Values => format!("{}Values", column.trim_end_matches('s')),
        }
    }

    /// What it answers with.
    pub fn answer(&self) -> &'static Noun {
        match self.what {
            What::Tags => &TAGS,
            What::Names => &NAMES,
            What::Values => &VALUES,
        }
    }

    /// What it says.
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

    /// Its arguments, besides `filter`.
    pub fn arguments(&self) -> Vec<&'static Argument> {
        let own = (self.what == What::Values).then_some(&NAMED);
        own.into_iter().chain(&COMMON).collect()
    }

    /// Answers it, and says what was withheld from the caller.
    pub async fn run(
        &self,
        scope: &Scope,
        plan: &RowPlan,
        input: &Input<'_>,
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
        let has_more = found.len() > limit;
        found.truncate(limit);
        let counts = plan.object.selections.iter().any(|out| matches!(out.what, ObjectField::Cell(..)));
        let total = if counts { Some(scope.distinct_total(&asked).await?) } else { None };
        Ok((self.page(&asked, &found, (total, has_more), scope), None))
    }

    fn asked(&self, scope: &Scope, input: &Input<'_>) -> Result<Distinct> {
        let text = |name: &str| {
            let text = input.text(name)?.unwrap_or_default();
            // PostgreSQL refuses to look for a text with a NUL byte; no row has one.
            if text.contains('\0') {
                Err(Error::BadInput(format!("{name} contains a NUL byte")))
            } else {
                Ok(text.to_owned())
            }
        };
        let counted = match self.what {
            What::Tags => Counted::Tags,
            What::Names => Counted::Names,
            What::Values => Counted::Values(text("name")?),
        };
        let limit = match input.int("first")?.unwrap_or(DEFAULT) {
            first if (1..=MAX).contains(&first) => usize::try_from(first).unwrap_or(usize::MAX),
            _ => return Err(Error::BadInput(format!("first must be from 1 to {MAX}"))),
        };
        let codec = self.codec(scope);
        let after = input.text("after")?.map(|cursor| codec.decode(cursor)).transpose()?;
        let after = after.and_then(|cells| cells.first().and_then(Cell::text).map(str::to_owned));
        let filter = list_filter(self.noun, input.get("filter"), scope.attribute_access())?;
        let prefix = text("startsWith")?;
        Ok(Distinct { noun: self.noun, field: self.field, counted, filter, prefix, among: None, after, limit })
    }

    fn codec(&self, scope: &Scope) -> Codec {
        let name = match self.what {
            What::Tags => "tag",
            What::Names => "attribute name",
            What::Values => "attribute value",
        };
        let column = Column { name, kind: CellKind::Text, is_nullable: false, field: self.field.name };
        Codec::new(self.noun, &[Term { column, is_descending: false }], scope.organization())
    }

    fn page(
        &self,
        asked: &Distinct,
        found: &[Tally],
        (total, has_more): (Option<Total>, bool),
        scope: &Scope,
    ) -> ComputedObject {
        let codec = self.codec(scope);
        let cursor = |tally: Option<&Tally>| {
            tally.map_or(Cell::Null, |tally| Cell::Text(codec.encode([&Cell::Text(tally.key.clone())])))
        };
        let info = ComputedObject {
            cells: vec![
                ("has_next", Cell::Bool(has_more)),
                ("has_previous", Cell::Bool(asked.after.is_some())),
                ("start_cursor", cursor(found.first())),
                ("end_cursor", cursor(found.last())),
            ],
            inside: Vec::new(),
        };
        let cells = total.map_or(Vec::new(), |total| {
            vec![
                ("distinct", Cell::Int(total.distinct)),
                ("no_number", Cell::Int(total.no_number)),
                ("no_instant", Cell::Int(total.no_instant)),
            ]
        });
        let node = |tally: &Tally| ComputedObject {
            cells: vec![
                ("key", Cell::Text(tally.key.clone())),
                ("count", Cell::Int(tally.count)),
                ("values", Cell::Int(tally.values)),
                ("no_number", Cell::Int(tally.no_number)),
                ("no_instant", Cell::Int(tally.no_instant)),
                ("number", tally.number.map_or(Cell::Null, Cell::Float)),
                ("instant", tally.instant.map_or(Cell::Null, Cell::Int)),
            ],
            inside: Vec::new(),
        };
        ComputedObject { cells, inside: vec![("nodes", found.iter().map(node).collect()), ("pageInfo", vec![info])] }
    }
}
