//! The query `customerExport`, which returns all data stored about a customer page by page. The export uses the
//! descriptions of the nouns, so that it includes every field.

mod merges;

use std::collections::HashMap;

use entity::{Noun, Permission, id::CustomerId, kind::Sequence, noun::Kind};
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
    store::{
        ExternalId, Place, Scope,
        merging::kept::KeptPlace,
        statement::cell::{Cell, Column, Record},
        transaction::history::HistoryEntry,
    },
};

/// Maximum number of rows on a page.
pub const MAX: i64 = 1_000;
/// Number of rows read at a time: even with texts of maximum length, one batch fits into a response.
const AT_A_TIME: usize = 25;
/// Size in bytes, as escaped in a response, after which a page ends.
const BYTES: usize = 1_500_000;

/// A page of the data stored about a customer. `rapport customer export` writes all of it on the command line.
#[derive(Output)]
pub struct CustomerExport {
    /// When the page was created, UTC.
    pub exported_at: ChronoUnixTimestampMillis,
    /// Number of rows on the page.
    pub row_count: i64,
    /// The data as JSON: each row about the customer by type name, with all values, external ids, and the history of the
    /// row; then, as `RowMerge` and `RowMergeMove`, what customerUnmerge needs of those merged into the customer.
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

/// The query `customerExport`.
pub const EXPORT: Query = Query {
    name: "customerExport",
    doc: "Exports all data stored about a customer, page by page, for handing it to the customer; null if there is no \
          such customer.",
    permissions: &[Permission::RecordRead, Permission::CustomersRead, Permission::ResponseRead],
    run: &QueryFn::new(|scope, input| Box::pin(export(scope, input))),
};

/// An exported row: the name of its type and its values as JSON.
pub type ExportedRow = (&'static str, Value);

async fn export(scope: &Scope, ExportInput { by, first, after }: ExportInput) -> Result<Option<CustomerExport>> {
    let place = match after {
        None => Place::default(),
        Some(cursor) => {
            let wrong = || Error::BadInput("after is not an endCursor of an export".to_owned());
            Place::parse(&cursor).ok_or_else(wrong)?
        }
    };
    // What is handed to the customer has the rows of all departments.
    scope.require_whole_organization()?;
    let Some(customer) = by.find(scope).await? else { return Ok(None) };
    let (rows, next) = page(scope, customer.0, place, usize::try_from(first).unwrap_or_default()).await?;
    let row_count = count(rows.len());
    let mut types: Map<String, Value> = Map::new();
    for (name, row) in rows {
        let rows = types.entry(name).or_insert_with(|| Value::Array(Vec::new()));
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

/// Returns up to `most` rows about a person, starting at `from`, and the start of the next page; `None` after the
/// last page.
pub async fn page(scope: &Scope, person: Uuid, from: Place, most: usize) -> Result<(Vec<ExportedRow>, Option<Place>)> {
    let (mut rows, mut bytes, mut place) = (Vec::new(), 0, from);
    let place = loop {
        if let Some(kept) = place.of_merges() {
            break kept;
        }
        let about = scope.about(person, &place, AT_A_TIME.min(most - rows.len())).await?;
        let known = scope.reached_before(person, &about).await?;
        let new: Vec<Uuid> = about.ids.iter().copied().filter(|id| !known.contains(id)).collect();
        let mut values: HashMap<Uuid, Value> = rows_as_json(scope, about.noun, &new).await?.into_iter().collect();
        for (index, id) in about.ids.iter().enumerate() {
            // Skip rows that an earlier path had, and those that were deleted meanwhile.
            let Some(row) = values.remove(id) else { continue };
            bytes += weight(&row);
            rows.push((about.noun.name, row));
            if bytes >= BYTES && index + 1 < about.ids.len() {
                return Ok((rows, about.after(index)));
            }
        }
        match about.next {
            Some(next) if rows.len() >= most || bytes >= BYTES => return Ok((rows, Some(next))),
            Some(next) => place = next,
            None => break KeptPlace::default(),
        }
    };
    add_kept(scope, person, place, (rows, bytes), most).await
}

/// Adds to a page what is kept of the person's merges after a position.
async fn add_kept(
    scope: &Scope,
    person: Uuid,
    mut place: KeptPlace,
    (mut rows, mut bytes): (Vec<ExportedRow>, usize),
    most: usize,
) -> Result<(Vec<ExportedRow>, Option<Place>)> {
    loop {
        // One more than there is room for tells whether a page follows.
        let wanted = AT_A_TIME.min(most + 1 - rows.len());
        let kept = scope.kept_of_merges(person, &place, wanted).await?;
        let is_last = kept.len() < wanted;
        let (kept, places): (Vec<_>, Vec<_>) = kept.into_iter().unzip();
        for (row, at) in merges::rows(scope, person, &kept).await?.into_iter().zip(places) {
            if rows.len() >= most || bytes >= BYTES {
                return Ok((rows, Some(Place::kept(&place))));
            }
            bytes += weight(&row.1);
            rows.push(row);
            place = at;
        }
        if is_last {
            return Ok((rows, None));
        }
    }
}

/// Returns the size in bytes of a row in a response, where the document is an escaped string.
fn weight(row: &Value) -> usize {
    let text = row.to_string();
    text.len() + text.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count()
}

/// Returns rows as JSON by id, with all columns of the noun, external ids and the history of events.
async fn rows_as_json(scope: &Scope, noun: &'static Noun, ids: &[Uuid]) -> Result<Vec<(Uuid, Value)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = scope.records_by_ids(noun, ids).await?;
    let mut events = scope.history(noun, ids).await?;
    let mut exported = Vec::new();
    for (id, mut values) in values_as_json(scope, noun, &rows).await? {
        values.insert("events".to_owned(), happened(events.remove(&id).unwrap_or_default()));
        exported.push((id, values.into()));
    }
    Ok(exported)
}

/// Returns the history of a row as JSON.
fn happened(events: Vec<HistoryEntry>) -> Value {
    let event = |event: HistoryEntry| {
        json!({
            "sequence": shown(&Cell::Int(event.sequence), Kind::Scalar(Sequence::SCALAR), ""),
            "operation": event.operation,
            "at": instant(event.occurred_at),
            "fields": serde_json::from_str::<Value>(&event.fields).unwrap_or_default(),
        })
    };
    events.into_iter().map(event).collect()
}

/// Returns rows as JSON in their order, each with its id, all columns of the noun, and external ids.
pub async fn values_as_json(
    scope: &Scope,
    noun: &'static Noun,
    rows: &[Record],
) -> Result<Vec<(Uuid, Map<String, Value>)>> {
    let ids: Vec<Uuid> = rows.iter().map(Record::id).collect();
    let keys = if noun.has_external_ids { scope.external_ids(noun, &ids).await? } else { HashMap::default() };
    let mut exported = Vec::new();
    for row in rows {
        let mut values: Map<String, Value> = row
            .cells
            .iter()
            .map(|(column, cell)| (column.field.to_owned(), cell_as_json(noun, *column, cell)))
            .collect();
        let id = row.id();
        if let Some(keys) = keys.get(&id) {
            values.insert("externalIds".to_owned(), keys_as_json(keys));
        }
        exported.push((id, values));
    }
    Ok(exported)
}

/// Returns the value of a column as the API shows it.
fn cell_as_json(noun: &'static Noun, column: Column, cell: &Cell) -> Value {
    let linked = noun.relations.iter().find(|relation| relation.is_by(column.name)).map(|relation| relation.target);
    let kind = noun.all_fields().find(|field| field.column == column.name).map_or(Kind::Id, |field| field.kind);
    shown(cell, kind, linked.unwrap_or(noun).prefix)
}

/// Returns external ids as JSON.
fn keys_as_json(keys: &[ExternalId]) -> Value {
    keys.iter().map(|key| json!({ "system": key.system, "id": key.id })).collect()
}

/// Returns an instant, in milliseconds since the Unix epoch, in the format of the API.
pub fn instant(millis: i64) -> Value {
    shown(&Cell::Int(millis), Kind::Instant, "")
}
