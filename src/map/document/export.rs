//! The query `mapExport`, which writes the whole map of an organization as one document.

use std::collections::HashMap;

use entity::{
    Noun, department,
    noun::{ARCHIVED_AT, Link, Relationship},
};
use sea_orm::prelude::Uuid;
use serde_json::{Map, Value};

use super::{FORMAT, IS_ARCHIVED, MAX_ROWS, SYSTEM, exported_nouns, fields, is_outside, references, sets};
use crate::{
    Error, Result,
    graphql::{
        slice::Query,
        typed::{
            fields::QueryFn,
            output::{Json, Output, count},
        },
        values::json::value as shown,
    },
    map::READ,
    store::{ExternalId, Scope, statement::cell::Record, usage::compute::Computation, writing::aggregate::JoinedRow},
};

/// The query `mapExport`.
pub(in crate::map) const EXPORT: Query = Query {
    name: "mapExport",
    doc: "Exports the whole map as one document, for mapImport into another organization: all rows that `map:write` \
          can change, including archived rows, without editions. Equal maps give equal documents. Fails with \
          BAD_USER_INPUT above 10,000 rows and links.",
    permissions: READ,
    run: &QueryFn::new(|scope, ()| Box::pin(export(scope))),
};

/// The exported map of an organization.
#[derive(Output)]
#[output(read = MapRead)]
struct MapExport {
    /// Name and version of the document format.
    format: String,
    /// The document: lists of objects by list name. An object has a key, its fields, the keys of referenced rows
    /// (departments by name) and linked rows, its external ids, and whether it is archived.
    document: Json,
    /// Number of rows in the document.
    row_count: i64,
}

/// Maximum number of rows serialized on the current thread; above that, on a blocking thread.
const FEW: usize = 100;

/// The rows of a noun, with their join rows by relation and row id.
struct Piece {
    noun: &'static Noun,
    rows: Vec<Record>,
    lines: Vec<(&'static Relationship, HashMap<Uuid, Vec<JoinedRow>>)>,
}

/// Document keys of rows by row id; the names of departments by their id.
type Keys = HashMap<Uuid, String>;

async fn export(scope: &Scope) -> Result<MapExport> {
    let mut lists: Vec<(&'static Noun, Vec<Record>)> = Vec::new();
    let mut left = MAX_ROWS;
    let too_many = || Error::BadInput(format!("the map has more than {MAX_ROWS} rows and links"));
    for (_, noun) in exported_nouns() {
        let rows = scope.every(noun, left).await?;
        left = left.checked_sub(rows.len()).ok_or_else(too_many)?;
        lists.push((noun, rows));
    }
    let mut keys: Keys = HashMap::new();
    let mut others = HashMap::new();
    for (noun, rows) in &lists {
        let ids: Vec<Uuid> = rows.iter().map(Record::id).collect();
        let mut carried = if noun.has_external_ids { scope.external_ids(noun, &ids).await? } else { HashMap::new() };
        for id in ids {
            let mut own = carried.remove(&id).unwrap_or_default();
            let key = own.iter().find(|known| known.system == SYSTEM).map(|known| known.id.clone());
            own.retain(|known| known.system != SYSTEM);
            keys.insert(id, key.unwrap_or_else(|| entity::id::encode(noun.prefix, id)));
            others.insert(id, own);
        }
    }
    keys.extend(departments(scope, &lists).await?);
    let mut pieces = Vec::new();
    for (noun, rows) in lists {
        let ids: Vec<Uuid> = rows.iter().map(Record::id).collect();
        let mut lines: Vec<(&'static Relationship, HashMap<Uuid, Vec<JoinedRow>>)> = Vec::new();
        for relation in sets(noun) {
            let mut by_row: HashMap<Uuid, Vec<JoinedRow>> = HashMap::new();
            for line in scope.lines(relation, &ids).await? {
                left = left.checked_sub(1).ok_or_else(too_many)?;
                by_row.entry(line.from).or_default().push(line);
            }
            lines.push((relation, by_row));
        }
        pieces.push(Piece { noun, rows, lines });
    }
    let is_long = keys.len() > FEW;
    scope.compute(is_long, move |computation| written(&pieces, &keys, others, computation)).await
}

/// Returns the export as a document of `pieces`. `keys` are the document keys of all rows, `others` their external
/// ids in systems other than [`SYSTEM`].
fn written(
    pieces: &[Piece],
    keys: &Keys,
    mut others: HashMap<Uuid, Vec<ExternalId>>,
    computation: &Computation,
) -> Result<MapExport> {
    let mut document = Map::new();
    document.insert("format".to_owned(), FORMAT.into());
    let mut total = 0_i64;
    for Piece { noun, rows, lines } in pieces {
        let mut objects: Vec<(&str, Value)> = Vec::new();
        for record in rows {
            computation.check()?;
            let mut object = object(noun, record, keys);
            for (relation, by_row) in lines {
                let own = by_row.get(&record.id()).map_or(&[][..], Vec::as_slice);
                object.insert(relation.name.to_owned(), linked(own, keys));
            }
            if noun.has_external_ids {
                let others = others.remove(&record.id()).unwrap_or_default().into_iter();
                let others = others.map(|key| serde_json::json!({ "system": key.system, "id": key.id }));
                object.insert("externalIds".to_owned(), others.collect());
            }
            objects.push((&keys[&record.id()], Value::Object(object)));
        }
        objects.sort_by_key(|(key, _)| *key);
        total += count(objects.len());
        document.insert(noun.plural.to_owned(), objects.into_iter().map(|(_, object)| object).collect());
    }
    let document = Json(Value::Object(document).to_string());
    Ok(MapExport { format: FORMAT.to_owned(), document, row_count: total })
}

/// Returns the names of the departments that the rows reference.
async fn departments(scope: &Scope, lists: &[(&'static Noun, Vec<Record>)]) -> Result<Keys> {
    let mut ids: Vec<Uuid> = Vec::new();
    for (noun, rows) in lists {
        for relation in references(noun).filter(|relation| is_outside(relation.target)) {
            if let Link::One { column, .. } = relation.link {
                ids.extend(rows.iter().filter_map(|row| row.cell(column).id()));
            }
        }
    }
    ids.sort_unstable();
    ids.dedup();
    let rows = scope.select((department::ID, department::NAME), department::ID, &ids, ids.len()).await?;
    Ok(rows.into_iter().map(|(id, name)| (id.0, name)).collect())
}

fn object(noun: &'static Noun, record: &Record, keys: &Keys) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("key".to_owned(), keys[&record.id()].as_str().into());
    for field in fields(noun) {
        object.insert(field.name.to_owned(), shown(record.cell(field.column), field.kind, ""));
    }
    for relation in references(noun) {
        let Link::One { column, .. } = relation.link else { continue };
        let named = record.cell(column).id().and_then(|id| keys.get(&id));
        object.insert(relation.name.to_owned(), named.map_or(Value::Null, |key| key.as_str().into()));
    }
    if noun.is_archivable() {
        object.insert(IS_ARCHIVED.to_owned(), (!record.cell(ARCHIVED_AT.column).is_null()).into());
    }
    object
}

/// Returns the linked rows of a row as JSON objects, sorted by key.
fn linked(lines: &[JoinedRow], keys: &Keys) -> Value {
    let mut linked: Vec<(&str, Value)> = Vec::new();
    for line in lines {
        let Some(key) = keys.get(&line.to) else { continue };
        let mut object = Map::new();
        object.insert("key".to_owned(), key.as_str().into());
        for (field, cell) in &line.values {
            object.insert(field.name.to_owned(), shown(cell, field.kind, ""));
        }
        linked.push((key, Value::Object(object)));
    }
    linked.sort_by_key(|(key, _)| *key);
    linked.into_iter().map(|(_, object)| object).collect()
}
