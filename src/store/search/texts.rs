//! Reads the texts of found rows, with one statement however many nouns they belong to.

use std::collections::HashMap;

use entity::{Noun, noun::ARCHIVED_AT};
use sea_orm::prelude::Uuid;

use super::{find::Found, source::Source};
use crate::{
    Result,
    store::{
        Connection, Scope,
        erasure::mask,
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind, Column},
        },
        writing::external_ids::EXTERNAL_ID,
    },
};

/// The texts of a row that the caller may read.
#[derive(Debug, Default)]
pub struct RowTexts {
    /// When the row was archived, in epoch milliseconds; `None` if it is not, or cannot be.
    pub archived_at: Option<i64>,
    /// The texts by source, in the order of the sources: one of a column, any number of external ids.
    pub texts: Vec<(&'static Source, Vec<String>)>,
}

impl<C: Connection> Scope<C> {
    /// Returns the texts of these sources of found rows, by row.
    pub async fn texts_of(&self, found: &[Found], sources: &[&'static Source]) -> Result<HashMap<Uuid, RowTexts>> {
        let mut by_noun: Vec<(&'static Noun, Vec<Uuid>, Vec<Uuid>)> = Vec::new();
        for Found { noun, row, rank } in found {
            let place = by_noun.iter().position(|(known, ..)| known.table == noun.table).unwrap_or_else(|| {
                by_noun.push((noun, Vec::new(), Vec::new()));
                by_noun.len() - 1
            });
            by_noun[place].1.push(*row);
            // Only a name or an external id gives this rank.
            by_noun[place].2.extend((*rank == 0).then_some(*row));
        }
        let own = |noun: &Noun| -> Vec<&'static Source> {
            let table = noun.table;
            sources.iter().copied().filter(|source| source.noun.table == table).collect()
        };
        let fields = |noun: &Noun| own(noun).into_iter().filter(|source| source.field.is_some()).count();
        let width = by_noun.iter().map(|(noun, ..)| fields(noun)).max().unwrap_or(0).max(1);
        let mut sql = self.sql();
        for (place, (noun, rows, named)) in by_noun.iter().enumerate() {
            self.select_texts(
                sql.push(if place > 0 { " UNION ALL " } else { "" }),
                (place, noun, rows),
                &own(noun),
                width,
            );
            if !named.is_empty() && own(noun).iter().any(|source| source.field.is_none()) {
                self.select_external_ids(sql.push(" UNION ALL "), (place, noun, named), width);
            }
        }
        let mut texts: HashMap<Uuid, RowTexts> = HashMap::new();
        if by_noun.is_empty() {
            return Ok(texts);
        }
        let mut kinds = vec![CellKind::Int, CellKind::Bool, CellKind::Id, CellKind::Int];
        kinds.extend(std::iter::repeat_n(CellKind::Text, width));
        for row in self.read_rows(sql.finish(), &kinds).await? {
            let Some((place, id)) = row[0].int().and_then(|place| usize::try_from(place).ok()).zip(row[2].id()) else {
                continue;
            };
            let is_external = row[1] == Cell::Bool(true);
            let sources = own(by_noun[place].0).into_iter().filter(|source| source.field.is_none() == is_external);
            let known = texts.entry(id).or_default();
            known.archived_at = known.archived_at.or(row[3].int());
            for (source, cell) in sources.zip(&row[4..]) {
                let Some(text) = cell.text().map(str::to_owned) else { continue };
                match known.texts.iter_mut().find(|(other, _)| other.name == source.name) {
                    Some((_, texts)) => texts.push(text),
                    None => known.texts.push((source, vec![text])),
                }
            }
        }
        let order = |source: &Source| sources.iter().position(|known| known.name == source.name);
        for known in texts.values_mut() {
            known.texts.sort_by_key(|(source, _)| order(source));
            for (_, texts) in &mut known.texts {
                texts.sort_unstable();
            }
        }
        Ok(texts)
    }

    /// Appends the query of the columns of some rows of a noun.
    fn select_texts(
        &self,
        sql: &mut Sql,
        (place, noun, rows): (usize, &'static Noun, &[Uuid]),
        sources: &[&'static Source],
        width: usize,
    ) {
        let row = alias(place);
        sql.push("SELECT ").column(row, noun.tenant).push(" AS organization_id, ").number(place);
        sql.push(" AS place, FALSE AS is_external, ").column(row, "id").push(" AS id, ");
        if noun.is_archivable() {
            sql.column(row, ARCHIVED_AT.column);
        } else {
            sql.push("CAST(NULL AS BIGINT)");
        }
        let fields: Vec<Column> = sources.iter().filter_map(|source| source.field).map(Column::of).collect();
        for field in &fields {
            sql.push(", ").shown(noun, row, *field, self.organization());
        }
        nothing(sql, width - fields.len());
        sql.push(" FROM ").name(&[noun.table]).push(" AS ").alias(row).push(" WHERE ");
        sql.filter_tenant(row, noun, self.organization()).push(" AND ");
        sql.is_one_of_rows(row, "id", rows);
    }

    /// Appends the query of the external ids of some rows of a noun.
    fn select_external_ids(&self, sql: &mut Sql, (place, noun, rows): (usize, &'static Noun, &[Uuid]), width: usize) {
        let key = alias(place);
        sql.push("SELECT ")
            .column(key, "organization_id")
            .push(", ")
            .number(place)
            .push(", TRUE, ")
            .alias(key)
            .push(".");
        sql.name(&[noun.table, "_id"]).push(", CAST(NULL AS BIGINT), ").column(key, EXTERNAL_ID.name);
        nothing(sql, width - 1);
        sql.push(" FROM ").name(&[noun.table, "_external_id"]).behind_last(&[noun.table, "_external_id"]);
        sql.push(" AS ").alias(key).push(" WHERE ");
        sql.filter_tenant(key, "organization_id", self.organization()).push(" AND ");
        sql.is_one_of_named(key, &[noun.table, "_id"], rows);
        if mask::covers(noun) {
            sql.push(" AND NOT ").names_masked(noun, key, &[noun.table, "_id"], self.organization());
        }
    }
}

/// Returns the alias of the table of a noun: one for each, so that it is known which columns are looked at.
const fn alias(place: usize) -> Alias {
    Alias::nested('h', place)
}

/// Appends columns without values.
fn nothing(sql: &mut Sql, count: usize) {
    for _ in 0..count {
        sql.push(", CAST(NULL AS TEXT)");
    }
}
