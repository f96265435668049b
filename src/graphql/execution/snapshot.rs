//! Renders an aggregate as a JSON document, according to the noun definitions of its rows.

use std::collections::HashMap;

use entity::{
    id,
    noun::{Link, Noun, Personal, Relationship},
};
use sea_orm::prelude::Uuid;
use serde_json::{Map, Value};

use crate::{
    graphql::values::json,
    store::{
        statement::cell::Record,
        writing::aggregate::{JoinedRow, LoadedAggregate},
    },
};

/// The join rows of one relation of a noun, grouped by the row that owns the relation.
type Lines<'a> = (&'static Noun, &'static Relationship, HashMap<Uuid, Vec<&'a JoinedRow>>);

/// Returns an object with one list per noun, keyed by the plural of the noun. Each item has the id and the fields of a
/// row as the API shows them, without personal data. A relation to one row is an id; a relation through a join table is
/// a list of objects with an id. Versions and timestamps are omitted, so that equal rows give equal documents.
pub fn freeze(loaded: &LoadedAggregate) -> Value {
    let mut lines: Vec<Lines<'_>> = Vec::new();
    for (noun, relation, all) in &loaded.lines {
        let mut by_row: HashMap<Uuid, Vec<&JoinedRow>> = HashMap::new();
        for line in all {
            by_row.entry(line.from).or_default().push(line);
        }
        lines.push((noun, relation, by_row));
    }
    let mut lists = Map::new();
    for (noun, records) in &loaded.rows {
        let mut records: Vec<&Record> = records.iter().collect();
        records.sort_by_key(|record| (record.cell("position").int(), record.id()));
        let objects = records.into_iter().map(|record| Value::Object(object(noun, record, &lines)));
        lists.insert(noun.plural.to_owned(), objects.collect());
    }
    Value::Object(lists)
}

fn object(noun: &'static Noun, record: &Record, lines: &[Lines<'_>]) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("id".to_owned(), id::encode(noun.prefix, record.id()).into());
    for field in noun.fields.iter().filter(|field| field.personal == Personal::None) {
        object.insert(field.name.to_owned(), json::value(record.cell(field.column), field.kind, noun.prefix));
    }
    for relation in noun.relations {
        let shown = match relation.link {
            Link::One { column, .. } => {
                record.cell(column).id().map_or(Value::Null, |id| id::encode(relation.target.prefix, id).into())
            }
            Link::Through { .. } => {
                let known =
                    lines.iter().find(|(owner, known, _)| owner.table == noun.table && known.name == relation.name);
                let Some((.., by_row)) = known else { continue };
                by_row.get(&record.id()).into_iter().flatten().map(|line| shown(relation.target, line)).collect()
            }
            Link::Many { .. } | Link::Embedded(_) | Link::Member { .. } => continue,
        };
        object.insert(relation.name.to_owned(), shown);
    }
    object
}

fn shown(target: &Noun, line: &JoinedRow) -> Value {
    let mut object = Map::new();
    object.insert("id".to_owned(), id::encode(target.prefix, line.to).into());
    for (field, cell) in &line.values {
        object.insert(field.name.to_owned(), json::value(cell, field.kind, target.prefix));
    }
    Value::Object(object)
}
