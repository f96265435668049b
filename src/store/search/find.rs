//! Finds the rows that have the words of a search.

use entity::{Noun, SearchNoun};
use sea_orm::{Statement, prelude::Uuid};

use super::source::Source;
use crate::{
    Result,
    store::{
        Connection, Scope,
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind},
        },
    },
    words::Terms,
};

/// Where a search goes on.
pub type Position = (i64, Uuid);

/// A row that has the words of a search in one of its texts.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Noun of the row.
    pub noun: &'static Noun,
    /// Id of the row.
    pub row: Uuid,
    /// 0 if the words stand in a name or an external id, 1 if they stand only in other texts.
    pub rank: i64,
}

impl<C: Connection> Scope<C> {
    /// Returns what the caller may search. Err if the caller may not read one of the types that are named.
    pub fn searchable(&self, types: Option<&[SearchNoun]>) -> Result<Vec<&'static Source>> {
        if let Some(types) = types {
            types.iter().try_for_each(|known| self.may_read(known.noun()))?;
        }
        let is_wanted =
            |noun: &Noun| types.is_none_or(|types| types.iter().any(|known| known.noun().table == noun.table));
        let is_open = |source: &&Source| {
            is_wanted(source.noun) && self.may_read(source.noun).is_ok() && source.is_open_to(self.actor())
        };
        Ok(Source::all().iter().filter(is_open).collect())
    }

    /// Returns the first rows after a position that have all terms in one text of these sources: first those with the
    /// words in a name or an external id, then the others, each newest first.
    pub async fn search(
        &self,
        terms: &Terms,
        sources: &[&'static Source],
        after: Option<Position>,
        most: usize,
    ) -> Result<Vec<Found>> {
        if sources.is_empty() {
            return Ok(Vec::new());
        }
        let find = |masks| self.search_statement(terms, sources, after, most, masks);
        let rows = self.read_masked(find, &[CellKind::Id, CellKind::Text, CellKind::Int]).await?;
        let found = |row: &Vec<Cell>| {
            let source = Source::named(row[1].text()?)?;
            Some(Found { noun: source.noun, row: row[0].id()?, rank: row[2].int()? })
        };
        Ok(rows.iter().filter_map(found).collect())
    }

    /// Writes the statement of a search for [`Scope::read_masked`].
    fn search_statement(
        &self,
        terms: &Terms,
        sources: &[&'static Source],
        after: Option<Position>,
        most: usize,
        masks: bool,
    ) -> Statement {
        let names = |is_one: &dyn Fn(&Source) -> bool| -> Vec<Cell> {
            sources.iter().filter(|source| is_one(source)).map(|source| Cell::Text(source.name.clone())).collect()
        };
        let mut sql = self.sql();
        sql.push("SELECT c.organization_id, c.row_id, c.source, c.place, ");
        sql.anybody_is_erased(Alias::OUTER, self.organization()).push(" FROM (");
        sql.push("SELECT t.organization_id, t.row_id, MIN(t.source) AS source, MIN(CASE WHEN ");
        sql.is_one_of_cells(Alias::ROW, "source", CellKind::Text, &names(&Source::is_name));
        sql.push(" THEN 0 ELSE 1 END) AS place FROM ").entries_with(Alias::ROW, terms, self.organization());
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" AND ");
        sql.is_one_of_cells(Alias::ROW, "source", CellKind::Text, &names(&|_| true));
        if masks {
            self.leave_masked(&mut sql, sources);
        }
        self.leave_unseen(&mut sql, sources);
        sql.push(" GROUP BY t.organization_id, t.row_id) AS c");
        if let Some((rank, row)) = after {
            sql.push(" WHERE (c.place > ").bind(rank).push(" OR c.place = ").bind(rank);
            sql.push(" AND c.row_id < ").bind(row).push(")");
        }
        sql.push(" ORDER BY c.place, c.row_id DESC LIMIT ").bind(i64::try_from(most).unwrap_or(i64::MAX));
        sql.finish()
    }

    /// Appends the condition that an entry is of a row that the caller's departments see.
    fn leave_unseen(&self, sql: &mut Sql, sources: &[&'static Source]) {
        let narrowed: Vec<&Source> = sources.iter().copied().filter(|source| self.narrows(source.noun)).collect();
        let mut nouns: Vec<&'static Noun> = narrowed.iter().map(|source| source.noun).collect();
        nouns.dedup_by_key(|noun| noun.table);
        for noun in nouns {
            let own = narrowed.iter().filter(|source| source.noun.table == noun.table);
            let own: Vec<Cell> = own.map(|source| Cell::Text(source.name.clone())).collect();
            sql.push(" AND NOT (").is_one_of_cells(Alias::ROW, "source", CellKind::Text, &own).push(" AND NOT ");
            sql.names_seen(noun, Alias::ROW, &["row_id"], self.organization()).push(")");
        }
    }

    /// Appends the condition that an entry is not about a person who is being erased.
    fn leave_masked(&self, sql: &mut Sql, sources: &[&'static Source]) {
        let masked: Vec<&Source> = sources.iter().copied().filter(|source| source.is_masked()).collect();
        let mut nouns: Vec<&'static Noun> = masked.iter().map(|source| source.noun).collect();
        nouns.dedup_by_key(|noun| noun.table);
        if nouns.is_empty() {
            return;
        }
        sql.push(" AND NOT ").during_erasure(Alias::ROW, self.organization()).push("(");
        for (place, noun) in nouns.into_iter().enumerate() {
            let own = masked.iter().filter(|source| source.noun.table == noun.table);
            let own: Vec<Cell> = own.map(|source| Cell::Text(source.name.clone())).collect();
            sql.push(if place > 0 { " OR " } else { "" });
            sql.is_one_of_cells(Alias::ROW, "source", CellKind::Text, &own).push(" AND ");
            sql.names_masked(noun, Alias::ROW, &["row_id"], self.organization());
        }
        sql.push("))");
    }
}
