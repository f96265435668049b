//! The different items of a column that holds a set, counted: names and values of attributes, and tags.

use std::collections::BTreeSet;

use entity::{Noun, noun::Field};

use super::{
    builder::{Alias, Sql},
    cell::{Cell, CellKind},
    filter::{Predicate, between},
    tenant_check::TenantCheck,
};
use crate::{
    Result,
    store::{
        Connection, Scope,
        writing::attribute_items::{after, bounds, parts},
    },
};

/// The items that are counted.
const ITEMS: Alias = Alias::LINK;
/// Their groups.
const GROUPS: Alias = Alias::nested('g', 0);

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Tags.
    Tags,
    /// Attributes by name.
    Names,
    /// The values of the attribute of this name.
    Values(String),
}

/// Which of them.
#[derive(Clone, Debug)]
pub struct Distinct {
    /// The noun whose rows have them.
    pub noun: &'static Noun,
    /// Its column.
    pub field: &'static Field,
    /// What is counted.
    pub counted: Counted,
    /// Of rows that meet this.
    pub filter: Predicate,
    /// Only those that begin so.
    pub prefix: String,
    /// Only these, if not all.
    pub among: Option<std::sync::Arc<BTreeSet<String>>>,
    /// After this one.
    pub after: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct Tally {
    /// The tag, the name or the value.
    pub key: String,
    /// Rows that have it.
    pub count: i64,
    /// Different values.
    pub values: i64,
    /// Rows whose value is no number.
    pub no_number: i64,
    /// Rows whose value is no instant.
    pub no_instant: i64,
    /// The value as a number.
    pub number: Option<f64>,
    /// The value as an instant.
    pub instant: Option<i64>,
}

/// All of them together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Total {
    /// How many there are.
    pub distinct: i64,
    /// Rows that have them, once for each.
    pub count: i64,
    /// Of these, values that are no number.
    pub no_number: i64,
    /// Of these, values that are no instant.
    pub no_instant: i64,
}

impl<C: Connection> Scope<C> {
    /// A page of them, in the order of their bytes.
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

    /// How many there are, whatever the page.
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
        let is_filtered = !matches!(&self.filter, Predicate::All(parts) if parts.is_empty());
        if is_filtered {
            sql.push(" JOIN ").name(&[noun.table]).push(" AS t ON ");
            sql.same_tenant(TenantCheck::DistinctRow, (ITEMS, "organization_id"), (Alias::ROW, noun.tenant));
            sql.push(" AND l.").name(&[noun.table, "_id"]).push(" = t.id");
        }
        sql.push(" WHERE ").filter_tenant(TenantCheck::Distinct, ITEMS, "organization_id", scope.organization());
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
                .filter_tenant(TenantCheck::DistinctRows, Alias::ROW, noun.tenant, scope.organization())
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
