//! What is held about one person, as a document to hand to them: made from the descriptions, so that nothing is left out.

use std::collections::HashMap;

use chrono::{DateTime, SecondsFormat};
use entity::{
    Noun, Permission, customer, id,
    noun::{Field, Kind, Link},
};
use futures_util::future::BoxFuture;
use sea_orm::prelude::Uuid;
use serde_json::{Map, Value, json};

use crate::{
    Error, Result,
    graphql::{
        input::Input,
        slice::{Answer, Argument, Made, Query},
    },
    store::{
        Scope,
        cell::{Cell, columns},
    },
};

/// How many rows are read at a time.
const AT_A_TIME: usize = 1_000;

/// The answer.
pub static EXPORT: Noun = Noun {
    name: "CustomerExport",
    singular: "customerExport",
    plural: "customerExports",
    table: "",
    prefix: "",
    doc: "Everything held about one customer.",
    tenant: "organization_id",
    read: None,
    write: Permission::Admin,
    system: &[],
    fields: &[
        Field::new("exportedAt", "exported_at", Kind::Instant, "When it was made, UTC."),
        Field::new("rowCount", "row_count", Kind::Int { min: 1, max: i64::MAX }, "How many rows it holds."),
        Field::new(
            "document",
            "document",
            Kind::Text { max: usize::MAX },
            "JSON to hand to the person: each row about them by the name of its type, with every value, the external \
             ids, and what happened to the row and when.",
        ),
    ],
    relations: &[],
    operations: &[],
    has_external_ids: false,
};

/// The query.
pub const QUERY: Query = Query {
    name: "customerExport",
    doc: "Everything held about one customer, as a document to hand to them; null if there is no such customer.",
    arguments: &[Argument { name: "by", ty: "CustomerRef!", default: None, doc: "Who." }],
    answer: &EXPORT,
    permissions: &[Permission::RecordRead, Permission::CustomersRead, Permission::ResponseRead],
    run: export,
};

fn export<'a>(scope: &'a Scope, input: &'a Input) -> BoxFuture<'a, Result<Answer>> {
    Box::pin(async move {
        let named = Input::reference("by", input.get("by").unwrap_or(&async_graphql::Value::Null), &customer::NOUN)?;
        let found = scope.references(&customer::NOUN, std::iter::once(&named)).await?;
        let Some(id) = found.get(&named).copied() else { return Ok(Answer::Nothing) };
        let (mut types, mut count) = (Map::new(), 0_usize);
        for (noun, ids) in scope.rows_about(id).await? {
            let mut rows = Vec::new();
            for part in ids.chunks(AT_A_TIME) {
                rows.extend(told(scope, noun, part).await?);
            }
            count += rows.len();
            if !rows.is_empty() {
                types.insert(noun.name.to_owned(), rows.into());
            }
        }
        let at = scope.now();
        let document = json!({ "exportedAt": instant(at.timestamp_millis())?, "held": types });
        let document = serde_json::to_string_pretty(&document).map_err(|_| Error::internal("an export is no JSON"))?;
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        Ok(Answer::Object(Made {
            cells: vec![
                ("exported_at", Cell::Int(at.timestamp_millis())),
                ("row_count", Cell::Int(count)),
                ("document", Cell::Text(document)),
            ],
            inside: Vec::new(),
        }))
    })
}

/// Rows with every value that their noun's description names.
async fn told(scope: &Scope, noun: &'static Noun, ids: &[Uuid]) -> Result<Vec<Value>> {
    let columns = columns(noun);
    let mut rows = scope.by_ids(noun, &columns, ids).await?;
    rows.sort_by_key(|row| row[0].id());
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
            let kind = noun.all_fields().find(|field| field.column == column.name).map(|field| field.kind);
            values.insert(column.field.to_owned(), value(cell, kind, linked.unwrap_or(noun))?);
        }
        let id = row[0].id().unwrap_or_default();
        if let Some(keys) = keys.get(&id) {
            let keys: Vec<Value> = keys.iter().map(|key| json!({ "system": key.system, "id": key.id })).collect();
            values.insert("externalIds".to_owned(), keys.into());
        }
        let happened = events.remove(&id).unwrap_or_default().into_iter().map(|event| {
            Ok(json!({
                "sequence": event.sequence,
                "operation": event.operation,
                "at": instant(event.occurred_at)?,
                "fields": serde_json::from_str::<Value>(&event.fields).unwrap_or_default(),
            }))
        });
        values.insert("events".to_owned(), happened.collect::<Result<Vec<_>>>()?.into());
        told.push(values.into());
    }
    Ok(told)
}

fn value(cell: &Cell, kind: Option<Kind>, noun: &Noun) -> Result<Value> {
    Ok(match (cell, kind) {
        (Cell::Null, _) => Value::Null,
        (Cell::Id(id), _) => id::encode(noun.prefix, *id).into(),
        (Cell::Int(at), Some(Kind::Instant)) => instant(*at)?.into(),
        (Cell::Text(text), Some(Kind::Tags { .. } | Kind::Attributes { .. })) => {
            serde_json::from_str(text).map_err(|_| Error::internal("a set is no JSON"))?
        }
        (Cell::Text(text), _) => text.as_str().into(),
        (Cell::Int(number), _) => (*number).into(),
        (Cell::Float(number), _) => (*number).into(),
        (Cell::Bool(value), _) => (*value).into(),
    })
}

fn instant(millis: i64) -> Result<String> {
    let at = DateTime::from_timestamp_millis(millis).ok_or_else(|| Error::internal("an instant is out of range"))?;
    Ok(at.to_rfc3339_opts(SecondsFormat::Millis, true))
}
