//! Groups records in the database by columns, attributes, tags and time buckets.

use entity::{Permission, feedback_record, noun::Kind};

use super::{
    group_types::{GroupKey, GroupOrder, ScoreMean},
    groups::{Ask, NOUN, SCORES},
};
use crate::{
    Result,
    store::{
        Scope,
        paging::{page::Term, range::follows},
        rollup,
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind, Column, column_named},
            filter::between,
        },
        writing::attribute_items::{after, bounds, parts},
    },
};

/// A group as read from the database.
#[derive(Default)]
pub(super) struct GroupRow {
    /// The values of the keys.
    pub keys: Vec<Cell>,
    /// The start of the bucket, in epoch milliseconds.
    pub start: Option<i64>,
    /// Number of records in the group; `None` in a row that contains only the totals.
    pub count: Option<i64>,
    /// Total number of groups.
    pub groups: i64,
    /// Total number of records in all groups.
    pub records: i64,
    /// Means of [`SCORES`].
    pub scores: [ScoreMean; SCORES.len()],
}

/// Alias of the subquery that computes the groups.
const GROUPS: Alias = Alias::nested('g', 0);
/// Names of the key columns in a statement. Their number is the maximum number of keys.
pub(super) const NAMES: [&str; 10] = ["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8", "k9"];

/// A key to group records by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A column of the record, or each of its tags.
    Of(GroupKey),
    /// The attribute with this name.
    Attribute(String),
    /// Each tag with this prefix.
    TagPrefix(String),
}

impl Key {
    /// Returns the column of the record and its kind; `None` for keys that are in an index table.
    const fn column(&self) -> Option<(&'static str, CellKind)> {
        match self {
            Self::Of(GroupKey::Point) => Some((feedback_record::POINT_ID.name(), CellKind::Id)),
            Self::Of(GroupKey::Medium) => Some((feedback_record::MEDIUM_ID.name(), CellKind::Id)),
            Self::Of(GroupKey::Department) => Some((feedback_record::DEPARTMENT_ID.name(), CellKind::Id)),
            Self::Of(GroupKey::Kind) => Some((feedback_record::KIND.name(), CellKind::Text)),
            Self::Of(GroupKey::Product) => Some((feedback_record::PRODUCT.name(), CellKind::Text)),
            Self::Of(GroupKey::Tag) | Self::Attribute(_) | Self::TagPrefix(_) => None,
        }
    }

    pub(super) fn kind(&self) -> CellKind {
        self.column().map_or(CellKind::Text, |(_, kind)| kind)
    }

    /// Returns whether a record can be in several groups.
    pub(super) const fn repeats(&self) -> bool {
        matches!(self, Self::Of(GroupKey::Tag) | Self::TagPrefix(_))
    }

    pub(super) const fn permission(&self) -> Option<Permission> {
        match self {
            Self::Of(GroupKey::Point | GroupKey::Medium | GroupKey::Department) => Some(Permission::MapRead),
            _ => None,
        }
    }

    /// Returns the name that distinguishes cursors of this key from those of other keys.
    const fn name(&self) -> &'static str {
        match self {
            Self::Of(GroupKey::Tag) => "tag",
            Self::Attribute(_) => "attribute",
            Self::TagPrefix(_) => "tag prefix",
            Self::Of(_) => match self.column() {
                Some((name, _)) => name,
                None => "",
            },
        }
    }

    /// Appends a join with the index table of the key, if the key needs one.
    fn join(&self, sql: &mut Sql, scope: &Scope, place: usize) {
        let items = alias(place);
        let (is_attribute, (from, to)) = match self {
            Self::Attribute(name) => {
                let (from, to) = bounds(name);
                (true, (from, Some(to)))
            }
            Self::TagPrefix(prefix) => (false, (prefix.clone(), after(prefix))),
            Self::Of(GroupKey::Tag) => (false, (String::new(), None)),
            Self::Of(_) => return,
        };
        let sets = NOUN.fields.iter().filter(|field| field.kind.is_set());
        let mut sets = sets.filter(|field| matches!(field.kind, Kind::Attributes { .. }) == is_attribute);
        let Some(field) = sets.next() else { return };
        sql.push(" LEFT JOIN ").name(&[NOUN.table, "_", field.column]).push(" AS ").alias(items).push(" ON ");
        sql.filter_tenant_again(
            "the items have the organization of their records",
            items,
            "organization_id",
            scope.organization(),
        )
        .push(" AND ");
        sql.same_tenant_again("the items are filtered", (items, "organization_id"), (Alias::ROW, NOUN.tenant));
        sql.push(" AND ").alias(items).push(".").name(&[NOUN.table, "_id"]).push(" = t.id");
        sql.unmasked(NOUN, field.column, Alias::ROW, scope.organization());
        between(sql, items, &from, to.as_deref());
    }
}

const fn alias(place: usize) -> Alias {
    Alias::nested('l', place + 1)
}

impl Ask {
    /// Returns the sort terms of the groups. `bucket` and `name` are the names of the columns in a statement over
    /// groups.
    pub(super) fn terms(&self, bucket: &'static str, name: impl Fn(usize) -> &'static str) -> Vec<Term> {
        let column = |name, kind, is_nullable, field| Column { name, kind, is_nullable, field };
        let mut columns = Vec::new();
        if self.order == GroupOrder::Count {
            columns.push((column("n", CellKind::Int, false, "count"), true));
        }
        if self.bucket.is_some() {
            columns.push((column(bucket, CellKind::Int, false, "bucket"), false));
        }
        let keys = self.keys.iter().enumerate();
        columns.extend(keys.map(|(place, key)| (column(name(place), key.kind(), true, key.name()), false)));
        columns.into_iter().map(|(column, is_descending)| Term::new(column, is_descending)).collect()
    }

    /// Groups the records in the database, without the rollup.
    pub(super) async fn read(&mut self, scope: &Scope) -> Result<Vec<GroupRow>> {
        if let Some(bucket) = self.bucket {
            self.buckets = Some(bucket.find(scope, &self.filter).await?);
        }
        // Text: which keys there are, and the noun's own filter, are known only now, and pages follow a cursor over groups.
        let mut sql = scope.sql();
        self.write(&mut sql, scope)?;
        let mut kinds: Vec<CellKind> = self.keys.iter().map(Key::kind).collect();
        kinds.extend(self.bucket.iter().map(|_| CellKind::Int));
        kinds.extend([CellKind::Int; 3]);
        kinds.extend(SCORES.iter().flat_map(|_| [CellKind::Int, CellKind::Int]));
        let mut rows = self.rows_of(scope.read_rows(sql.finish(), &kinds).await?);
        for row in &mut rows {
            for (key, cell) in self.keys.iter().zip(&mut row.keys) {
                if let Key::Attribute(_) = key {
                    *cell = cell.text().map_or(Cell::Null, |item| Cell::Text(parts(item).1.to_owned()));
                }
            }
        }
        if let Some(buckets) = &self.buckets {
            for row in &mut rows {
                row.start = row.start.and_then(|place| buckets.start(place));
            }
            rows.retain(|row| row.start.is_some());
        }
        Ok(rows)
    }

    /// Converts rows of the rollup or of a grouping statement. Their cells are: keys, bucket, records in the group,
    /// groups, records in all groups, then sum and number of each score.
    pub(super) fn rows_of(&self, rows: Vec<Vec<Cell>>) -> Vec<GroupRow> {
        let row = |cells: Vec<Cell>| {
            let mut cells = cells.into_iter();
            let keys = cells.by_ref().take(self.keys.len()).collect();
            let mut int = || cells.next().and_then(|cell| cell.int());
            GroupRow {
                keys,
                start: self.bucket.as_ref().and_then(|_| int()),
                count: int(),
                groups: int().unwrap_or(0),
                records: int().unwrap_or(0),
                scores: SCORES.each_ref().map(|number| mean(number.column, int(), int())),
            }
        };
        rows.into_iter().map(row).collect()
    }

    fn write(&self, sql: &mut Sql, scope: &Scope) -> Result<()> {
        scope.may_filter(&self.filter)?;
        let order = self.terms("bucket", |place| NAMES[place]);
        let after = self.after.as_ref().filter(|_| !self.fills());
        sql.push("SELECT g.tenant");
        self.columns(sql);
        sql.push(if after.is_some() { ", g.n, g.groups, g.records" } else { "" });
        if after.is_none() {
            totals(sql);
        }
        scores(sql);
        sql.push(" FROM (");
        if after.is_some() {
            // Compute the totals in a subquery, over all groups instead of those after the cursor.
            sql.push("SELECT g.tenant");
            self.columns(sql);
            totals(sql);
            scores(sql);
            sql.push(" FROM (");
        }
        self.groups(sql, scope)?;
        sql.push(") AS g");
        if let Some(after) = after {
            sql.push(") AS g WHERE TRUE");
            let after = self.located(&order, after);
            follows(sql, GROUPS, &order, &after);
        }
        sql.push(" ORDER BY ");
        let nulls_first = if sql.is_postgres() { " NULLS FIRST, " } else { ", " };
        for term in order {
            sql.column(GROUPS, term.column.name).push(match (term.is_descending, term.column.is_nullable) {
                (true, _) => " DESC, ",
                (false, true) => nulls_first,
                (false, false) => ", ",
            });
        }
        sql.push("g.tenant LIMIT ").number(self.limit());
        Ok(())
    }

    /// Returns the values of a cursor as the statement has them: the index of the bucket instead of its start, and
    /// items instead of values of attributes.
    fn located(&self, order: &[Term], after: &[Cell]) -> Vec<Cell> {
        let keys = after.len() - self.keys.len();
        let locate = |(place, (term, cell)): (usize, (&Term, &Cell))| match (cell, self.buckets.as_ref()) {
            (Cell::Int(at), Some(buckets)) if term.column.name == "bucket" => Cell::Int(buckets.place(*at)),
            (Cell::Text(value), _) if place >= keys => match &self.keys[place - keys] {
                Key::Attribute(name) => Cell::Text(crate::store::writing::attribute_items::attribute_item(name, value)),
                _ => cell.clone(),
            },
            _ => cell.clone(),
        };
        order.iter().zip(after).enumerate().map(locate).collect()
    }

    fn columns(&self, sql: &mut Sql) {
        for name in &NAMES[..self.keys.len()] {
            sql.push(", g.").name(&[name]);
        }
        if self.bucket.is_some() {
            sql.push(", g.bucket");
        }
    }

    fn groups(&self, sql: &mut Sql, scope: &Scope) -> Result<()> {
        sql.push("SELECT t.organization_id AS tenant");
        for (place, key) in self.keys.iter().enumerate() {
            match key.column() {
                Some((column, _)) => sql.push(", ").column(Alias::ROW, column),
                None => sql.push(", ").column(alias(place), "item"),
            };
            sql.push(" AS ").name(&[NAMES[place]]);
        }
        if let Some(buckets) = &self.buckets {
            sql.push(", ");
            buckets.write(sql);
            sql.push(" AS bucket");
        }
        sql.push(", COUNT(*) AS n");
        for number in &SCORES {
            rollup::sums(sql, NOUN, number);
        }
        sql.push(" FROM feedback_record AS t");
        for (place, key) in self.keys.iter().enumerate() {
            key.join(sql, scope, place);
        }
        sql.push(" WHERE ").filter_tenant(Alias::ROW, NOUN, scope.organization()).push(" AND ");
        self.filter.write(sql, NOUN, scope.organization(), Alias::ROW)?;
        // Records that were inserted after the edges were computed may be outside of all buckets.
        if let Some((from, to)) = self.buckets.as_ref().and_then(super::buckets::Buckets::range) {
            sql.push(" AND t.received_at >= ").bind(from).push(" AND t.received_at < ").bind(to);
        }
        sql.push(" GROUP BY 1");
        for place in 0..self.keys.len() + usize::from(self.bucket.is_some()) {
            sql.push(", ").number(place + 2);
        }
        Ok(())
    }
}

fn totals(sql: &mut Sql) {
    sql.push(", g.n, COUNT(*) OVER (PARTITION BY g.tenant) AS groups, ");
    sql.push("CAST(SUM(g.n) OVER (PARTITION BY g.tenant) AS BIGINT) AS records");
}

fn scores(sql: &mut Sql) {
    for number in &SCORES {
        sql.push(", g.").name(&[number.name, "_sum"]).push(", g.").name(&[number.name, "_n"]);
    }
}

/// Returns the mean of a score from its sum and number. Sums of float columns are in billionths.
fn mean(column: &str, sum: Option<i64>, n: Option<i64>) -> ScoreMean {
    let n = n.unwrap_or(0);
    let unit = if column_named(NOUN, column).kind == CellKind::Float { rollup::BILLIONTHS } else { 1.0 };
    #[expect(clippy::cast_precision_loss, reason = "sums and numbers are below 2^52 for four million records")]
    let mean = sum.filter(|_| n > 0).map(|sum| sum as f64 / unit / n as f64);
    ScoreMean { mean, n }
}
