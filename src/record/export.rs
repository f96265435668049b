//! What is held about one person, as pages of a document to hand to them: made from the descriptions, so that nothing is
//! left out.

use std::collections::HashMap;

use entity::{
    Noun, Permission, customer,
    noun::{Field, Kind, Link},
};
use futures_util::future::BoxFuture;
use sea_orm::prelude::Uuid;
use serde_json::{Map, Value, json};

use crate::{
    Error, Result,
    graphql::{
        execution::render,
        mutation::input::Input,
        slice::{Argument, ComputedObject, Query, Resolved},
    },
    store::{
        Place, Scope,
        statement::cell::{Cell, columns},
    },
};

/// Most rows of a page.
pub const MAX: i64 = 1_000;
/// How many rows are read at a time: of the longest words, what is read fits into an answer.
const AT_A_TIME: usize = 25;
/// Bytes after which a page ends, as they are escaped in an answer.
const BYTES: usize = 1_500_000;

/// The answer.
pub static EXPORT: Noun = Noun {
    name: "CustomerExport",
    singular: "customerExport",
    plural: "customerExports",
    table: "",
    prefix: "",
    doc: "A page of the data stored about a customer. `rapport customer export` writes all of it on the command line.",
    tenant: "organization_id",
    read: None,
    write: Permission::Admin,
    system: &[],
    fields: &[
        Field::new("exportedAt", "exported_at", Kind::Instant, "When the page was created, UTC."),
        Field::new("rowCount", "row_count", Kind::Int { min: 0, max: i64::MAX }, "Number of rows on the page."),
        Field::new(
            "document",
            "document",
            Kind::Text { max: usize::MAX },
            "The data as JSON: each row about the customer by type name, with all values, external ids, and the \
             history of the row.",
        ),
        Field::new(
            "hasNextPage",
            "has_next_page",
            Kind::Bool,
            "Whether more data exists: request the page after `endCursor` until this is false. A page may be shorter \
             than `first` to fit into a response.",
        ),
        Field::new(
            "endCursor",
            "end_cursor",
            Kind::Text { max: usize::MAX },
            "Cursor of the end of the page; null on \
            the last page.",
        )
        .nullable(),
    ],
    relations: &[],
    operations: &[],
    has_external_ids: false,
};

/// The query.
pub const QUERY: Query = Query {
    name: "customerExport",
    doc: "Exports all data stored about a customer, page by page, for handing it to the customer; null if there is no \
          such customer.",
    arguments: &[
        Argument { name: "by", ty: "CustomerRef!", default: None, doc: "The customer to export." },
        Argument {
            name: "first",
            ty: "Int",
            default: Some("1000"),
            doc: "Maximum number of rows on the page, 1 to \
            1,000.",
        },
        Argument { name: "after", ty: "String", default: None, doc: "`endCursor` of the previous page." },
    ],
    answer: &EXPORT,
    permissions: &[Permission::RecordRead, Permission::CustomersRead, Permission::ResponseRead],
    run: export,
};

/// A row that is told: its noun, and its values.
pub type Told = (&'static Noun, Value);

fn export<'a>(scope: &'a Scope, input: &'a Input) -> BoxFuture<'a, Result<Resolved>> {
    Box::pin(async move {
        let named = Input::reference("by", input.get("by").unwrap_or(&async_graphql::Value::Null), &customer::NOUN)?;
        let first = input.int("first")?.unwrap_or(MAX);
        let most = usize::try_from(first).ok().filter(|_| (1..=MAX).contains(&first));
        let most = most.ok_or_else(|| Error::BadInput(format!("first must be from 1 to {MAX}")))?;
        let place = match input.text("after")? {
            None => Place::default(),
            Some(cursor) => {
                let wrong = || Error::BadInput("after is not an endCursor of an export".to_owned());
                Place::parse(cursor).ok_or_else(wrong)?
            }
        };
        let found = scope.references(&customer::NOUN, std::iter::once(&named)).await?;
        let Some(id) = found.get(&named).copied() else { return Ok(Resolved::Nothing) };
        let (rows, next) = page(scope, id, place, most).await?;
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let mut types: Map<String, Value> = Map::new();
        for (noun, row) in rows {
            let rows = types.entry(noun.name).or_insert_with(|| Value::Array(Vec::new()));
            rows.as_array_mut().expect("only lists are inserted").push(row);
        }
        let document = json!({ "exportedAt": instant(scope.now().timestamp_millis()), "held": types });
        let document = serde_json::to_string_pretty(&document).map_err(|_| Error::internal("an export is no JSON"))?;
        Ok(Resolved::Object(ComputedObject {
            cells: vec![
                ("exported_at", Cell::Int(scope.now().timestamp_millis())),
                ("row_count", Cell::Int(count)),
                ("document", Cell::Text(document)),
                ("has_next_page", Cell::Bool(next.is_some())),
                ("end_cursor", next.map_or(Cell::Null, |next| Cell::Text(next.cursor()))),
            ],
            inside: Vec::new(),
        }))
    })
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
    let columns = columns(noun);
    let rows = scope.by_ids(noun, &columns, ids).await?;
    let keys = if noun.has_external_ids { scope.external_ids(noun, ids).await? } else { HashMap::default() };
    let mut events = scope.history(noun, ids).await?;
    let mut told = Vec::new();
    for row in rows {
        let mut values = Map::new();
        for (column, cell) in columns.iter().zip(&row) {
            let linked = noun.relations.iter().find_map(|relation| match relation.link {
                Link::One { column: known, .. } if known == column.name => Some(relation.target),
                _ => None,
            });
            let kind = noun.all_fields().find(|field| field.column == column.name).map_or(Kind::Id, |field| field.kind);
            values.insert(column.field.to_owned(), render::value(cell, kind, linked.unwrap_or(noun).prefix));
        }
        let id = row[0].id().unwrap_or_default();
        if let Some(keys) = keys.get(&id) {
            let keys: Vec<Value> = keys.iter().map(|key| json!({ "system": key.system, "id": key.id })).collect();
            values.insert("externalIds".to_owned(), keys.into());
        }
        let happened = events.remove(&id).unwrap_or_default().into_iter().map(|event| {
            json!({
                "sequence": event.sequence,
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
    render::value(&Cell::Int(millis), Kind::Instant, "")
}
