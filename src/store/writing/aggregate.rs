//! Reads rows together with the rows that belong to them, based only on the descriptions of nouns.

use std::collections::HashMap;

use entity::noun::{Field, Link, Noun, Relationship};
use sea_orm::prelude::Uuid;

use crate::{
    Error, Result,
    store::{
        Connection, Scope,
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind, Column, Record, columns},
            filter::Predicate,
            template::Templates,
        },
    },
};

/// A noun and the relations whose rows belong to its rows.
#[derive(Debug)]
pub struct Aggregate {
    /// The noun.
    pub noun: &'static Noun,
    /// Relations by name, each with the aggregate of its target; `None` for link tables whose target rows are not read.
    pub parts: &'static [(&'static str, Option<&'static Aggregate>)],
}

/// A row of a link table.
#[derive(Clone, Debug)]
pub struct JoinedRow {
    /// Id of the row that owns the link.
    pub from: Uuid,
    /// Id of the linked row.
    pub to: Uuid,
    /// Values of the additional columns.
    pub values: Vec<(&'static Field, Cell)>,
}

/// Loaded rows with all rows that belong to them, without duplicates.
#[derive(Clone, Debug, Default)]
pub struct LoadedAggregate {
    /// The rows of each noun, ordered by id; nouns in the order in which they were found.
    pub rows: Vec<(&'static Noun, Vec<Record>)>,
    /// The link rows of each relation through a link table.
    pub lines: Vec<(&'static Noun, &'static Relationship, Vec<JoinedRow>)>,
}

impl LoadedAggregate {
    /// Returns the number of rows and link rows.
    pub fn count(&self) -> usize {
        let rows = self.rows.iter().map(|(_, rows)| rows.len()).sum::<usize>();
        rows + self.lines.iter().map(|(.., lines)| lines.len()).sum::<usize>()
    }

    /// Returns the rows of a noun.
    pub fn of(&self, noun: &Noun) -> &[Record] {
        self.rows.iter().find(|(known, _)| known.table == noun.table).map_or(&[], |(_, rows)| rows)
    }

    /// Adds the rows that are not present yet and returns their ids.
    fn add(&mut self, noun: &'static Noun, records: Vec<Record>) -> Vec<Uuid> {
        let place = self.rows.iter().position(|(known, _)| known.table == noun.table).unwrap_or_else(|| {
            self.rows.push((noun, Vec::new()));
            self.rows.len() - 1
        });
        let known = &mut self.rows[place].1;
        let mut added = Vec::new();
        for record in records {
            if let Err(at) = known.binary_search_by_key(&record.id(), Record::id) {
                added.push(record.id());
                known.insert(at, record);
            }
        }
        added
    }
}

impl<C: Connection> Scope<C> {
    /// Reads these rows and the rows that belong to them, with one statement for each relation of each level. Archived
    /// rows in lists below them are omitted. Stops early with more than `most` rows and link rows: the caller must then
    /// return an error.
    pub async fn load_aggregate(
        &self,
        whole: &'static Aggregate,
        ids: &[Uuid],
        most: usize,
    ) -> Result<LoadedAggregate> {
        let mut loaded = LoadedAggregate::default();
        let roots = self.records(whole.noun, "id", ids, most).await?;
        let mut waiting = vec![(whole, loaded.add(whole.noun, roots))];
        while let Some((whole, ids)) = waiting.pop() {
            for (name, part) in whole.parts {
                if ids.is_empty() || loaded.count() > most {
                    continue;
                }
                let relation = whole.noun.relation(name).expect("a part is a relation of its noun");
                let (column, named) = match relation.link {
                    Link::Many { column, .. } => (column, ids.clone()),
                    Link::One { column, .. } => {
                        let rows = loaded.of(whole.noun).iter();
                        ("id", distinct(rows.filter_map(|row| row.cell(column).id())))
                    }
                    Link::Through { .. } => {
                        let lines = self.lines(relation, &ids).await?;
                        let named = distinct(lines.iter().map(|line| line.to));
                        loaded.lines.push((whole.noun, relation, lines));
                        ("id", named)
                    }
                    Link::Embedded(_) | Link::Member { .. } => {
                        return Err(Error::internal("what is computed has no rows"));
                    }
                };
                let Some(part) = part else { continue };
                let mut found = self.records(part.noun, column, &named, most).await?;
                // Referenced rows are kept even if they are archived; rows of lists are dropped if they are archived.
                found.retain(|row| column == "id" || row.cell("archived_at").is_null());
                let added = loaded.add(part.noun, found);
                waiting.push((part, added));
            }
        }
        Ok(loaded)
    }

    /// Returns complete rows of a noun whose `column` is one of `ids`, ordered by id. Returns at most `most + 1` rows.
    pub async fn records(
        &self,
        noun: &'static Noun,
        column: &'static str,
        ids: &[Uuid],
        most: usize,
    ) -> Result<Vec<Record>> {
        let columns = columns(noun);
        let rows = self.read(noun, &columns, column, ids, most).await?;
        Ok(rows
            .into_iter()
            .map(|cells| Record { cells: columns.iter().copied().zip(cells).collect(), before: Vec::new() })
            .collect())
    }

    /// Returns every row of a noun, archived rows included, ordered by id. Returns at most `most + 1` rows.
    pub async fn every(&self, noun: &'static Noun, most: usize) -> Result<Vec<Record>> {
        self.records_after(noun, None, most).await
    }

    /// Returns the rows of a noun with ids above `after`, archived rows included, ordered by id. Returns at most
    /// `most + 1` rows.
    pub async fn records_after(&self, noun: &'static Noun, after: Option<Uuid>, most: usize) -> Result<Vec<Record>> {
        let columns = columns(noun);
        let rows = self.read_every(noun, &columns, after, most).await?.into_iter();
        let record = |cells| Record { cells: columns.iter().copied().zip(cells).collect(), before: Vec::new() };
        Ok(rows.map(record).collect())
    }

    /// Returns the rows with these ids in unspecified order. Unknown ids and ids of other tenants are omitted.
    pub async fn records_by_ids(&self, noun: &'static Noun, ids: &[Uuid]) -> Result<Vec<Record>> {
        let columns = columns(noun);
        let rows = self.by_ids(noun, &columns, ids, &Templates::default()).await?;
        Ok(rows
            .into_iter()
            .map(|cells| Record { cells: columns.iter().copied().zip(cells).collect(), before: Vec::new() })
            .collect())
    }

    /// Returns columns of every row of a noun, or of those with ids above `after`, archived rows included, ordered by id.
    /// Returns at most `most + 1` rows.
    pub(in crate::store) async fn read_every(
        &self,
        noun: &'static Noun,
        columns: &[Column],
        after: Option<Uuid>,
        most: usize,
    ) -> Result<Vec<Vec<Cell>>> {
        self.may_read(noun)?;
        let mut sql = self.sql();
        self.write_select(&mut sql, noun, columns);
        if let Some(after) = after {
            sql.push(" AND ").column(Alias::ROW, "id").push(" > ").bind(after);
        }
        sql.push(" ORDER BY ").column(Alias::ROW, "id").push(" LIMIT ").number(most + 1);
        let kinds: Vec<CellKind> = columns.iter().map(|column| column.kind).collect();
        self.read_rows(sql.finish(), &kinds).await
    }

    /// Returns columns of the rows of a noun whose `column` is one of `ids`, ordered by id. Returns at most `most + 1`
    /// rows.
    pub(in crate::store) async fn read(
        &self,
        noun: &'static Noun,
        columns: &[Column],
        column: &'static str,
        ids: &[Uuid],
        most: usize,
    ) -> Result<Vec<Vec<Cell>>> {
        self.may_read(noun)?;
        self.read_unchecked(noun, columns, column, ids, most).await
    }

    /// Like [`Scope::read`], without a permission check.
    pub(in crate::store) async fn read_unchecked(
        &self,
        noun: &'static Noun,
        columns: &[Column],
        column: &'static str,
        ids: &[Uuid],
        most: usize,
    ) -> Result<Vec<Vec<Cell>>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut sql = self.sql();
        self.write_select(&mut sql, noun, columns);
        sql.push(" AND ").is_one_of(Alias::ROW, column, ids).push(" ORDER BY ").column(Alias::ROW, "id");
        sql.push(" LIMIT ").number(most + 1);
        let kinds: Vec<CellKind> = columns.iter().map(|column| column.kind).collect();
        self.read_rows(sql.finish(), &kinds).await
    }

    /// Returns columns of the rows of a noun that fulfil a condition, ordered by id. Returns at most `most + 1` rows.
    /// Without a permission check; for rules that the server applies to every caller.
    pub(in crate::store) async fn read_where_unchecked(
        &self,
        noun: &'static Noun,
        columns: &[Column],
        filter: &Predicate,
        most: usize,
    ) -> Result<Vec<Vec<Cell>>> {
        let mut sql = self.sql();
        self.write_select(&mut sql, noun, columns);
        sql.push(" AND ");
        filter.write(&mut sql, noun, self.organization(), Alias::ROW)?;
        sql.push(" ORDER BY ").column(Alias::ROW, "id").push(" LIMIT ").number(most + 1);
        let kinds: Vec<CellKind> = columns.iter().map(|column| column.kind).collect();
        self.read_rows(sql.finish(), &kinds).await
    }

    /// Returns what these rows of a noun name in a column that references their own noun, and what the named ones name in
    /// turn, by id. Without a permission check; for rules that the server applies to every caller.
    pub async fn chains_of(
        &self,
        noun: &'static Noun,
        column: &'static str,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Option<Uuid>>> {
        let (row, above) = (Alias::ROW, Alias::nested('c', 1));
        let mut sql = self.sql();
        let select = |sql: &mut Sql| {
            sql.push("SELECT ").column(row, noun.tenant).push(", ").column(row, "id").push(", ");
            sql.column(row, column).push(" FROM ").name(&[noun.table]).push(" AS ").alias(row);
        };
        sql.push("SELECT tenant, id, next FROM (WITH RECURSIVE chain(tenant, id, next) AS (");
        select(&mut sql);
        sql.push(" WHERE ").filter_tenant(row, noun, self.organization()).push(" AND ");
        sql.is_one_of(row, "id", ids);
        // UNION leaves out rows that are there already, so that a circle ends.
        sql.push(" UNION ");
        select(&mut sql);
        sql.push(" JOIN chain AS ").alias(above).push(" ON ").column(row, "id").push(" = ").column(above, "next");
        sql.push(" WHERE ");
        sql.filter_tenant_again("references stay in the organization", row, noun, self.organization());
        sql.push(") SELECT tenant, id, next FROM chain) AS chains");
        let rows = self.read_rows(sql.finish(), &[CellKind::Id, CellKind::Id]).await?;
        Ok(rows.iter().filter_map(|row| Some((row[0].id()?, row[1].id()))).collect())
    }

    /// Writes `SELECT … FROM … WHERE` with the tenant condition.
    fn write_select(&self, sql: &mut Sql, noun: &'static Noun, columns: &[Column]) {
        sql.push("SELECT ").column(Alias::ROW, noun.tenant);
        for column in columns {
            sql.push(", ").shown(noun, Alias::ROW, *column, self.organization());
        }
        sql.push(" FROM ").name(&[noun.table]).push(" AS ").alias(Alias::ROW).push(" WHERE ");
        sql.filter_tenant(Alias::ROW, noun, self.organization());
    }

    /// Returns the link rows of a relation through a link table for these owners, to rows that the caller sees.
    pub async fn lines(&self, relation: &'static Relationship, ids: &[Uuid]) -> Result<Vec<JoinedRow>> {
        let Link::Through { table, from, to, edge } = relation.link else {
            return Err(Error::internal("only relations through a table have lines"));
        };
        let mut sql = self.sql();
        sql.push("SELECT ").column(Alias::LINK, "organization_id").push(", ").column(Alias::LINK, from).push(", ");
        sql.column(Alias::LINK, to);
        for field in edge {
            sql.push(", ").column(Alias::LINK, field.column);
        }
        sql.push(" FROM ").name(&[table]).push(" AS ").alias(Alias::LINK).push(" WHERE ");
        sql.filter_tenant(Alias::LINK, "organization_id", self.organization()).push(" AND ");
        sql.is_one_of(Alias::LINK, from, ids);
        if self.narrows(relation.target) {
            sql.push(" AND ").names_seen(relation.target, Alias::LINK, &[to], self.organization());
        }
        sql.push(" ORDER BY ").column(Alias::LINK, from).push(", ");
        sql.column(Alias::LINK, to);
        let mut kinds = vec![CellKind::Id, CellKind::Id];
        kinds.extend(edge.iter().map(|field| CellKind::of(field.kind)));
        let line = |row: Vec<Cell>| {
            let (from, to) = row[0].id().zip(row[1].id())?;
            Some(JoinedRow { from, to, values: edge.iter().zip(row.into_iter().skip(2)).collect() })
        };
        Ok(self.read_rows(sql.finish(), &kinds).await?.into_iter().filter_map(line).collect())
    }
}

fn distinct(ids: impl Iterator<Item = Uuid>) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
