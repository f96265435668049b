//! What is held about one person, as pages of a document to hand to them: made from the descriptions, so that nothing is
//! left out.

use std::collections::HashMap;

use entity::{
    Noun, Permission,
    id::CustomerId,
    kind::Sequence,
    noun::{Kind, Link},
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};
use serde_json::{Map, Value, json};

use crate::{
    Error, Result,
    graphql::{
        slice::Query,
        typed::{
            fields::QueryFn,
            input::{Input, RefTo},
            output::{Output, count},
        },
        values::json::value as shown,
    },
    store::{Place, Scope, statement::cell::Cell},
};

/// Most rows of a page.
pub const MAX: i64 = 1_000;
/// How many rows are read at a time: of the longest words, what is read fits into an answer.
const AT_A_TIME: usize = 25;
/// Bytes after which a page ends, as they are escaped in an answer.
const BYTES: usize = 1_500_000;

/// A page of the data stored about a customer. `rapport customer export` writes all of it on the command line.
#[derive(Output)]
pub struct CustomerExport {
    /// When the page was created, UTC.
    pub exported_at: ChronoUnixTimestampMillis,
    /// Number of rows on the page.
    pub row_count: i64,
    /// The data as JSON: each row about the customer by type name, with all values, external ids, and the history of the
    /// row.
    pub document: String,
    /// Whether more data exists: request the page after `endCursor` until this is false. A page may be shorter than `first`
    /// to fit into a response.
    pub has_next_page: bool,
    /// Cursor of the end of the page; null on the last page.
    pub end_cursor: Option<String>,
}

/// Which page of which customer's data.
#[derive(Input)]
pub struct ExportInput {
    /// The customer to export.
    by: RefTo<CustomerId>,
    /// Maximum number of rows on the page, 1 to 1,000.
    #[input(default = MAX, range = 1..=MAX)]
    first: i64,
    /// `endCursor` of the previous page.
    after: Option<String>,
}

/// The query.
pub const EXPORT: Query = Query {
    name: "customerExport",
    doc: "Exports all data stored about a customer, page by page, for handing it to the customer; null if there is no \
          such customer.",
    permissions: &[Permission::RecordRead, Permission::CustomersRead, Permission::ResponseRead],
    run: &QueryFn::new(|scope, input| Box::pin(export(scope, input))),
};

/// A row that is told: its noun, and its values.
pub type Told = (&'static Noun, Value);

async fn export(scope: &Scope, ExportInput { by, first, after }: ExportInput) -> Result<Option<CustomerExport>> {
    let place = match after {
        None => Place::default(),
        Some(cursor) => {
            let wrong = || Error::BadInput("after is not an endCursor of an export".to_owned());
            Place::parse(&cursor).ok_or_else(wrong)?
        }
    };
    let Some(customer) = by.find(scope).await? else { return Ok(None) };
    let (rows, next) = page(scope, customer.0, place, usize::try_from(first).unwrap_or_default()).await?;
    let row_count = count(rows.len());
    let mut types: Map<String, Value> = Map::new();
    for (noun, row) in rows {
        let rows = types.entry(noun.name).or_insert_with(|| Value::Array(Vec::new()));
        rows.as_array_mut().expect("only lists are inserted").push(row);
    }
    let document = json!({ "exportedAt": instant(scope.now().timestamp_millis()), "held": types });
    let document = serde_json::to_string_pretty(&document).map_err(|_| Error::internal("an export is no JSON"))?;
    Ok(Some(CustomerExport {
        exported_at: ChronoUnixTimestampMillis(scope.now()),
        row_count,
        document,
        has_next_page: next.is_some(),
        end_cursor: next.map(|next| next.cursor()),
    }))
}

/// The next rows about a person from a place on, and where the page after them begins.
pub async fn page(scope: &Scope, person: Uuid, from: Place, most: usize) -> Result<(Vec<Told>, Option<Place>)> {
    let (mut rows, mut bytes, mut place) = (Vec::new(), 0, from);
    loop {
        let about = scope.about(person, &place, AT_A_TIME.min(most - rows.len())).await?;
        let mut told: HashMap<Uuid, Value> = told(scope, about.noun, &about.ids).await?.into_iter().collect();
        for (index, id) in about.ids.iter().enumerate() {
            // One that was deleted since is passed over.
            let Some(row) = told.remove(id) else { continue };
            bytes += weight(&row);
            rows.push((about.noun, row));
            if bytes >= BYTES && index + 1 < about.ids.len() {
                return Ok((rows, about.after(index)));
            }
        }
        match about.next {
            None => return Ok((rows, None)),
            Some(next) if rows.len() >= most || bytes >= BYTES => return Ok((rows, Some(next))),
            Some(next) => place = next,
        }
    }
}

/// How many bytes a row takes in a document that is a text of an answer.
fn weight(row: &Value) -> usize {
    let text = row.to_string();
    text.len() + text.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count()
}

/// Rows with every value that their noun's description names.
async fn told(scope: &Scope, noun: &'static Noun, ids: &[Uuid]) -> Result<Vec<(Uuid, Value)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = scope.records_by_ids(noun, ids).await?;
    let keys = if noun.has_external_ids { scope.external_ids(noun, ids).await? } else { HashMap::default() };
    let mut events = scope.history(noun, ids).await?;
    let mut told = Vec::new();
    for row in rows {
        let mut values = Map::new();
        for (column, cell) in &row.cells {
            let linked = noun.relations.iter().find_map(|relation| match relation.link {
                Link::One { column: known, .. } if known == column.name => Some(relation.target),
                _ => None,
            });
            let kind = noun.all_fields().find(|field| field.column == column.name).map_or(Kind::Id, |field| field.kind);
            values.insert(column.field.to_owned(), shown(cell, kind, linked.unwrap_or(noun).prefix));
        }
        let id = row.id();
        if let Some(keys) = keys.get(&id) {
            let keys: Vec<Value> = keys.iter().map(|key| json!({ "system": key.system, "id": key.id })).collect();
            values.insert("externalIds".to_owned(), keys.into());
        }
        let happened = events.remove(&id).unwrap_or_default().into_iter().map(|event| {
            json!({
                "sequence": shown(&Cell::Int(event.sequence), Kind::Scalar(Sequence::SCALAR), ""),
                "operation": event.operation,
                "at": instant(event.occurred_at),
                "fields": serde_json::from_str::<Value>(&event.fields).unwrap_or_default(),
            })
        });
        values.insert("events".to_owned(), happened.collect());
        told.push((id, values.into()));
    }
    Ok(told)
}

/// An instant as the API shows it.
pub fn instant(millis: i64) -> Value {
    shown(&Cell::Int(millis), Kind::Instant, "")
}
