//! Reads the counts, if they are valid and have the requested week boundaries.

use chrono_tz::Tz;
use entity::{noun::StringEnum, organization::Weekday, rollup::Rollup};
use sea_orm::prelude::Uuid;

use super::{FOREVER, Weeks};
use crate::{
    Result,
    store::{
        Connection, Scope,
        paging::{page::Term, range::follows},
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind},
        },
    },
};

/// Alias of the organization whose counts are read.
const OWNER: Alias = Alias::nested('o', 0);

/// A query for counts.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The counts to read.
    pub rollup: &'static Rollup,
    /// Whether to group by the relation.
    pub by_key: bool,
    /// Whether to group by week.
    pub by_week: bool,
    /// Required time zone of the weeks, if any.
    pub zone: Option<&'a str>,
    /// Required first day of the weeks, if any.
    pub week_start: Option<Weekday>,
    /// Whether to order by the number of rows, descending; otherwise by week and relation.
    pub largest_first: bool,
    /// Returns only groups after the one with these values of these columns, in this order.
    pub after: Option<(Vec<Term>, Vec<Cell>)>,
    /// Maximum number of groups.
    pub limit: usize,
}

/// The result of a query for counts.
#[derive(Debug)]
pub struct Rolled {
    /// The time zone of the weeks.
    pub zone: Tz,
    /// The first day of the weeks.
    pub week_start: Weekday,
    /// The first and the last week that has rows.
    pub span: Option<(i64, i64)>,
    /// For each group: the relation and the week, if requested; the numbers of its rows, of all groups and of all rows;
    /// then sum and number of values of each column.
    pub groups: Vec<Vec<Cell>>,
}

impl<C: Connection> Scope<C> {
    /// Returns the counts of all rows; `None` if the counts cannot answer the query, or the caller does not see all rows.
    pub async fn rolled(&self, asked: &Asked<'_>) -> Result<Option<Rolled>> {
        self.may_read(asked.rollup.noun)?;
        if self.narrows(asked.rollup.noun) {
            // They count the rows of all departments.
            return Ok(None);
        }
        let mut sql = self.sql();
        asked.write(&mut sql, self);
        let mut kinds = vec![CellKind::Text, CellKind::Text, CellKind::Int, CellKind::Int];
        kinds.extend(asked.by_key.then_some(CellKind::Id));
        kinds.extend(asked.by_week.then_some(CellKind::Int));
        kinds.extend(vec![CellKind::Int; 3 + 2 * asked.rollup.numbers.len()]);
        let rows = self.read_rows(sql.finish(), &kinds).await?;
        let Some([Cell::Text(zone), Cell::Text(week_start), first, last, ..]) = rows.first().map(Vec::as_slice) else {
            return Ok(None);
        };
        let (zone, week_start) = Weeks::parse(zone, week_start)?;
        let span = first.int().zip(last.int());
        let mut groups: Vec<Vec<Cell>> = rows.into_iter().map(|mut row| row.split_off(4)).collect();
        if span.is_none() {
            groups.clear();
        }
        if asked.by_key {
            for group in &mut groups {
                group[0] = group[0].id().filter(|key| !key.is_nil()).map_or(Cell::Null, Cell::Id);
            }
        }
        Ok(Some(Rolled { zone, week_start, span, groups }))
    }
}

impl Asked<'_> {
    fn write<C: Connection>(&self, sql: &mut Sql, scope: &Scope<C>) {
        let numbers = self.rollup.numbers;
        let is_whole = self.by_key && self.by_week;
        let add = |sql: &mut Sql, name: &[&'static str]| {
            if is_whole {
                sql.push(", t.").name(name);
            } else {
                sql.push(", CAST(SUM(t.").name(name).push(") AS BIGINT) AS ").name(name);
            }
        };
        sql.push("WITH g AS (SELECT t.organization_id");
        self.keys(sql, "t");
        sql.push(if is_whole {
            ", t.week AS first, t.week AS last"
        } else {
            ", MIN(t.week) AS first, MAX(t.week) AS last"
        });
        add(sql, &["n"]);
        for number in numbers {
            add(sql, &[number.name, "_sum"]);
            add(sql, &[number.name, "_n"]);
        }
        sql.push(" FROM ").name(&[self.rollup.table]).push(" AS t WHERE ");
        sql.filter_tenant_again(
            "the counts have the organization of their owner",
            Alias::ROW,
            "organization_id",
            scope.organization(),
        )
        .push(" AND t.n > 0");
        if !is_whole {
            sql.push(" GROUP BY t.organization_id");
            self.keys(sql, "t");
        }
        // The totals that accompany each group have their own CTE: a window function over all groups would copy them.
        sql.push("), a AS (SELECT g.organization_id, COUNT(*) AS groups, CAST(SUM(g.n) AS BIGINT) AS records, ");
        sql.push("MIN(g.first) AS first_week, MAX(g.last) AS last_week FROM g GROUP BY g.organization_id) ");
        sql.push("SELECT o.organization_id, o.rolled_zone, o.rolled_week_start, a.first_week, a.last_week");
        self.keys(sql, "g");
        sql.push(", g.n, a.groups, a.records");
        for number in numbers {
            sql.push(", g.").name(&[number.name, "_sum"]).push(", g.").name(&[number.name, "_n"]);
        }
        sql.push(" FROM organization_sequence AS o LEFT JOIN g ON ");
        sql.same_tenant_again(
            "the counts are filtered",
            (Alias::nested('g', 0), "organization_id"),
            (OWNER, "organization_id"),
        );
        if let Some((order, values)) = &self.after {
            // Rows without a relation are counted under the nil id.
            let value = |(term, cell): (&Term, &Cell)| match (term.column.kind, cell) {
                (CellKind::Id, Cell::Null) => Cell::Id(Uuid::nil()),
                _ => cell.clone(),
            };
            let values: Vec<Cell> = order.iter().zip(values).map(value).collect();
            follows(sql, Alias::nested('g', 0), order, &values);
        }
        sql.push(" LEFT JOIN a ON ");
        sql.same_tenant_again(
            "the counts are filtered",
            (Alias::nested('a', 0), "organization_id"),
            (OWNER, "organization_id"),
        );
        sql.push(" WHERE ").filter_tenant(OWNER, "organization_id", scope.organization());
        sql.push(" AND o.rolled_to = o.last AND o.rolled_until = ").bind(FOREVER);
        if let Some(zone) = self.zone {
            sql.push(" AND o.rolled_zone = ").bind(zone);
        }
        if let Some(day) = self.week_start {
            sql.push(" AND o.rolled_week_start = ").bind(day.name());
        }
        sql.push(" ORDER BY ");
        if self.largest_first {
            sql.push("g.n DESC, ");
        }
        if self.by_week {
            sql.push("g.week, ");
        }
        if self.by_key {
            sql.push("g.").name(&[self.rollup.key]).push(", ");
        }
        sql.push("o.organization_id LIMIT ").number(self.limit);
    }

    fn keys(&self, sql: &mut Sql, table: &'static str) {
        if self.by_key {
            sql.push(", ").push(table).push(".").name(&[self.rollup.key]);
        }
        if self.by_week {
            sql.push(", ").push(table).push(".week");
        }
    }
}
