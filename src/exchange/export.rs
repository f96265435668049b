//! The export of an organization: every row of every noun, in the order of the nouns and of the ids. It uses the
//! descriptions of the nouns, so that it includes every field.

use entity::{
    NOUNS, Noun, Permission, Permissions, id,
    noun::{Link, Relationship},
};
use sea_orm::prelude::Uuid;
use serde_json::{Map, Value};

use crate::{Error, Result, graphql::values::json::value as shown, record::export::values_as_json, store::Scope};

pub use crate::record::export::instant;

/// Number of rows read at a time, which bounds the memory of an export.
const AT_A_TIME: usize = 25;

/// A place in the export: after a row; by default, before the first one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cursor {
    /// Index of the row's noun in [`NOUNS`].
    noun: usize,
    id: Uuid,
}

/// An exported row: its noun and its values.
pub type ExportedRow = (&'static Noun, Map<String, Value>);

/// Returns the scopes that an export requires: of an admin who may read every noun and personal data.
pub fn scopes() -> Permissions {
    let nouns = NOUNS.into_iter().filter_map(|noun| noun.read);
    nouns.chain([Permission::Admin, Permission::CustomersRead]).collect()
}

impl Cursor {
    /// Parses the id of a row. `Err` if it is not an id of any type; the row need not exist any more.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || Error::BadInput("after is not the id of an exported row".to_owned());
        let (prefix, id) = id::decode(text).ok_or_else(wrong)?;
        let noun = NOUNS.iter().position(|noun| noun.prefix == prefix).ok_or_else(wrong)?;
        Ok(Self { noun, id })
    }
}

/// Returns the next rows after `after`, and the place after them; `None` after the last row.
pub async fn page(scope: &Scope, after: Cursor) -> Result<(Vec<ExportedRow>, Option<Cursor>)> {
    scope.require_whole_organization()?;
    for permission in scopes().iter() {
        scope.actor().require(permission)?;
    }
    let (mut at, mut last) = (after.noun, Some(after.id));
    let mut exported: Vec<ExportedRow> = Vec::new();
    while let Some(noun) = NOUNS.get(at).filter(|_| exported.len() < AT_A_TIME) {
        if noun.is_stored() {
            let most = AT_A_TIME - exported.len();
            let mut rows = scope.records_after(noun, last, most).await?;
            let has_more = rows.len() > most;
            rows.truncate(most);
            let mut values = values_as_json(scope, noun, &rows).await?;
            add_links(scope, noun, &mut values).await?;
            last = values.last().map(|(id, _)| *id).or(last);
            exported.extend(values.into_iter().map(|(_, values)| (*noun, values)));
            if has_more {
                break;
            }
        }
        (at, last) = (at + 1, None);
    }
    if at == NOUNS.len() {
        return Ok((exported, None));
    }
    // The next noun begins at its first row.
    Ok((exported, Some(Cursor { noun: at, id: last.unwrap_or_default() })))
}

/// Adds the linked rows of each row: their ids, with the fields of the link.
async fn add_links(scope: &Scope, noun: &'static Noun, rows: &mut [(Uuid, Map<String, Value>)]) -> Result<()> {
    let ids: Vec<Uuid> = rows.iter().map(|(id, _)| *id).collect();
    // Both nouns of a join table have the relation. The table is named after the one whose rows have the links.
    let is_own = |relation: &&Relationship| matches!(relation.link, Link::Through { table, .. } if table.starts_with(noun.table));
    for relation in noun.relations.iter().filter(is_own).filter(|_| !ids.is_empty()) {
        for (_, values) in rows.iter_mut() {
            values.insert(relation.name.to_owned(), Value::Array(Vec::new()));
        }
        for line in scope.lines(relation, &ids).await? {
            let own = rows.iter_mut().find(|(id, _)| *id == line.from);
            let Some(Value::Array(links)) = own.and_then(|(_, values)| values.get_mut(relation.name)) else { continue };
            let mut link = Map::from_iter([("id".to_owned(), id::encode(relation.target.prefix, line.to).into())]);
            link.extend(line.values.iter().map(|(field, cell)| (field.name.to_owned(), shown(cell, field.kind, ""))));
            links.push(link.into());
        }
    }
    Ok(())
}
