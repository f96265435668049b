//! Counts the distinct items of a column that holds a set: names and values of attributes, and tags.

use std::collections::BTreeSet;

use entity::{Noun, noun::Field};

use super::{
    builder::{Alias, Sql},
    cell::{Cell, CellKind},
    filter::{Predicate, between},
};
use crate::{
    Result,
    store::{
        Connection, Scope,
        writing::attribute_items::{after, bounds, parts},
    },
};

/// Alias of the index table of the items.
const ITEMS: Alias = Alias::LINK;
/// Alias of the subquery that groups the items.
const GROUPS: Alias = Alias::nested('g', 0);

/// The kind of item to count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Tags.
    Tags,
    /// Names of attributes.
    Names,
    /// Values of the attribute with this name.
    Values(String),
}

/// Selects the items to count.
#[derive(Clone, Debug)]
pub struct Distinct {
    /// Noun of the rows that have the items.
    pub noun: &'static Noun,
    /// Field of the set.
    pub field: &'static Field,
    /// The kind of item to count.
    pub counted: Counted,
    /// Count only items of rows that match this filter.
    pub filter: Predicate,
    /// Return only items that start with this text.
    pub prefix: String,
    /// Return only these items; `None` for all.
    pub among: Option<std::sync::Arc<BTreeSet<String>>>,
    /// Return only items after this one.
    pub after: Option<String>,
    /// Maximum number of items.
    pub limit: usize,
}

/// An item with its counts.
#[derive(Clone, Debug)]
pub struct Tally {
    /// The tag, or the name or value of the attribute.
    pub key: String,
    /// Number of rows with this tag, name or value.
    pub count: i64,
    /// Number of distinct values.
    pub values: i64,
    /// Number of rows whose value is not a number.
    pub no_number: i64,
    /// Number of rows whose value is not an instant.
    pub no_instant: i64,
    /// The value as a number; for a name, the smallest value.
    pub number: Option<f64>,
    /// The value as an instant in epoch milliseconds; for a name, the earliest value.
    pub instant: Option<i64>,
}

/// Totals over all items.
#[derive(Clone, Copy, Debug, Default)]
pub struct Total {
    /// Number of distinct items.
    pub distinct: i64,
    /// Number of rows with each item, summed over the items.
    pub count: i64,
    /// Number of these values that are not numbers.
    pub no_number: i64,
    /// Number of these values that are not instants.
    pub no_instant: i64,
}

impl<C: Connection> Scope<C> {
    /// Returns a page of items, in byte order.
    pub async fn distinct(&self, asked: &Distinct) -> Result<Vec<Tally>> {
        self.may_read(asked.noun)?;
        self.may_filter(&asked.filter)?;
        let mut sql = self.sql();
        let is_attribute = asked.counted != Counted::Tags;
        sql.push("SELECT g.tenant, g.item, g.n");
        sql.push(if is_attribute { ", g.held, g.no_number, g.no_instant, g.number, g.instant" } else { "" });
        sql.push(" FROM (");
        asked.groups(&mut sql, self, asked.after.as_deref())?;
        sql.push(") AS g WHERE TRUE");
        asked.is_among(&mut sql);
        sql.push(" ORDER BY g.item LIMIT ").number(asked.limit);
        let mut kinds = vec![CellKind::Text, CellKind::Int];
        if is_attribute {
            kinds.extend([CellKind::Int, CellKind::Int, CellKind::Int, CellKind::Float, CellKind::Int]);
        }
        let rows = self.read_rows(sql.finish(), &kinds).await?;
        Ok(rows.iter().map(|row| asked.tally(row)).collect())
    }

    /// Returns the totals over all pages.
    pub async fn distinct_total(&self, asked: &Distinct) -> Result<Total> {
        self.may_read(asked.noun)?;
        self.may_filter(&asked.filter)?;
        let mut sql = self.sql();
        sql.push("SELECT g.tenant, COUNT(*), CAST(SUM(g.n) AS BIGINT)");
        if asked.counted == Counted::Tags {
            sql.push(", 0, 0");
        } else {
            sql.push(", CAST(SUM(g.no_number) AS BIGINT), CAST(SUM(g.no_instant) AS BIGINT)");
        }
        sql.push(" FROM (");
        asked.groups(&mut sql, self, None)?;
        sql.push(") AS g WHERE TRUE");
        asked.is_among(&mut sql);
        sql.push(" GROUP BY g.tenant");
        let rows = self.read_rows(sql.finish(), &[CellKind::Int; 4]).await?;
        let Some(row) = rows.first() else { return Ok(Total::default()) };
        let number = |place: usize| row[place].int().unwrap_or(0);
        Ok(Total { distinct: number(0), count: number(1), no_number: number(2), no_instant: number(3) })
    }
}

impl Distinct {
    fn groups<C: Connection>(&self, sql: &mut Sql, scope: &Scope<C>, after_: Option<&str>) -> Result<()> {
        let noun = self.noun;
        sql.push("SELECT l.organization_id AS tenant, ");
        match self.counted {
            Counted::Names if sql.is_postgres() => sql.push("SPLIT_PART(l.item, CHR(31), 1)"),
            Counted::Names => sql.push("SUBSTR(l.item, 1, INSTR(l.item, CHAR(31)) - 1)"),
            _ => sql.push("l.item"),
        };
        sql.push(" AS item, COUNT(*) AS n");
        if self.counted != Counted::Tags {
            sql.push(", COUNT(DISTINCT l.item) AS held, COUNT(*) - COUNT(l.number) AS no_number");
            sql.push(", COUNT(*) - COUNT(l.instant) AS no_instant, MIN(l.number) AS number, MIN(l.instant) AS instant");
        }
        sql.push(" FROM ").name(&[noun.table, "_", self.field.column]).push(" AS l");
        let is_filtered = scope.narrows(noun) || !matches!(&self.filter, Predicate::All(parts) if parts.is_empty());
        if is_filtered {
            sql.push(" JOIN ").name(&[noun.table]).push(" AS t ON ");
            sql.same_tenant_again("items and rows are filtered", (ITEMS, "organization_id"), (Alias::ROW, noun.tenant));
            sql.push(" AND l.").name(&[noun.table, "_id"]).push(" = t.id");
        }
        sql.push(" WHERE ").filter_tenant(ITEMS, "organization_id", scope.organization());
        sql.unmasked_items(noun, self.field.column, ITEMS, scope.organization());
        let (open, close) = match &self.counted {
            Counted::Values(name) => {
                let (open, close) = bounds(name);
                let close = if self.prefix.is_empty() { Some(close) } else { after(&format!("{open}{}", self.prefix)) };
                (format!("{open}{}", self.prefix), close)
            }
            _ => (self.prefix.clone(), after(&self.prefix)),
        };
        between(sql, ITEMS, &open, close.as_deref());
        match (&self.counted, after_) {
            (_, None) => {}
            (Counted::Names, Some(name)) => between(sql, ITEMS, &bounds(name).1, None),
            (Counted::Values(name), Some(value)) => {
                sql.push(" AND l.item > ").bind(format!("{}{value}", bounds(name).0));
            }
            (Counted::Tags, Some(tag)) => {
                sql.push(" AND l.item > ").bind(tag);
            }
        }
        if is_filtered {
            sql.push(" AND ")
                .filter_tenant_again(
                    "the rows have the organization of their items",
                    Alias::ROW,
                    noun,
                    scope.organization(),
                )
                .push(" AND ");
            self.filter.write(sql, noun, scope.organization(), Alias::ROW)?;
        }
        sql.push(" GROUP BY 1, 2");
        Ok(())
    }

    fn is_among(&self, sql: &mut Sql) {
        if let Some(among) = &self.among {
            let among: Vec<Cell> = among.iter().cloned().map(Cell::Text).collect();
            sql.push(" AND ").is_one_of_cells(GROUPS, "item", CellKind::Text, &among);
        }
    }

    fn tally(&self, row: &[Cell]) -> Tally {
        let item = row[0].text().unwrap_or_default();
        let number = |place: usize| row.get(place).and_then(Cell::int).unwrap_or(0);
        Tally {
            key: if let Counted::Values(_) = self.counted { parts(item).1 } else { item }.to_owned(),
            count: number(1),
            values: number(2),
            no_number: number(3),
            no_instant: number(4),
            number: row.get(5).and_then(Cell::float),
            instant: row.get(6).and_then(Cell::int),
        }
    }
}
