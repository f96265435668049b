//! Reads pages of timelines: rows of several nouns that refer to one row, in the order of time, with one statement.

use std::collections::HashMap;

use entity::{
    Noun,
    id::OrganizationId,
    noun::{Link, Timeline},
};
use sea_orm::{Statement, prelude::Uuid};

use super::page::trim;
use crate::{
    Error, Result,
    store::{
        Connection, Scope,
        driver::{PerParent, RowLayout},
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind},
            template,
        },
    },
};

/// The rows of a noun that refer to the row whose timeline is read.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    noun: &'static Noun,
    at: Time,
    /// Column that refers to the row whose timeline is read: of the noun, or of the table in `via`.
    column: &'static str,
    /// Table of a row in between, and the column of the noun that refers to it.
    via: Option<(&'static Noun, &'static str)>,
}

/// The time of a row on a timeline.
#[derive(Clone, Copy, Debug)]
enum Time {
    /// The first of these columns that is not null.
    First(&'static [&'static str]),
    /// When an open row is due. Other rows are not on the timeline.
    Open(&'static Open),
}

/// Which rows of a noun are open, and when they are due.
#[derive(Clone, Copy, Debug)]
pub struct Open {
    /// Column of the state.
    pub state: &'static str,
    /// The states in which a row is not open.
    pub ended: &'static [&'static str],
    /// Column of when a row is due; [`NEVER`] stands for null.
    pub due: &'static str,
}

/// Stands for the time of an open row that is not due at any, in epoch milliseconds: the last millisecond of the year 9999.
pub const NEVER: i64 = 253_402_300_799_999;

/// How the row whose timeline is read is named in a statement.
#[derive(Clone, Copy, Debug)]
enum Owner {
    /// By its id: a statement for one row costs less than one for a list of them.
    One(Uuid),
    /// As a row of the list `p`.
    Joined,
    /// As the row for which a statement for each row runs.
    Each,
}

/// A position on a timeline: time in epoch milliseconds, and id of the row.
pub type Position = (i64, Uuid);

/// Selects a page of timelines. Timelines begin with the newest row, ascending ones with the oldest.
#[derive(Clone, Debug)]
pub struct TimelineQuery {
    /// The rows to return.
    pub sources: Vec<Source>,
    /// Return only rows from this time on, in epoch milliseconds.
    pub from: Option<i64>,
    /// Return only rows before this time, in epoch milliseconds.
    pub to: Option<i64>,
    /// Return only rows after this position.
    pub after: Option<Position>,
    /// Return only rows before this position.
    pub before: Option<Position>,
    /// Maximum number of rows.
    pub limit: usize,
    /// Whether to return the last rows instead of the first.
    pub is_backward: bool,
    /// Whether the oldest row comes first.
    pub is_ascending: bool,
}

/// A row on a timeline.
#[derive(Clone, Copy, Debug)]
pub struct TimelineRow {
    /// The noun of the row.
    pub noun: &'static Noun,
    /// Its place on the timeline.
    pub position: Position,
}

/// A page of a timeline.
#[derive(Clone, Debug, Default)]
pub struct TimelinePage {
    /// The rows, newest first.
    pub rows: Vec<TimelineRow>,
    /// Whether more rows follow in the direction of reading.
    pub has_more: bool,
}

impl TimelineQuery {
    /// Selects the whole timelines of rows of `owner`, with rows of these nouns.
    pub fn new(owner: &'static Noun, nouns: impl IntoIterator<Item = &'static Noun>) -> Self {
        Self::of(nouns.into_iter().flat_map(|noun| sources(owner, noun)).collect())
    }

    /// Selects whole timelines of these rows.
    pub const fn of(sources: Vec<Source>) -> Self {
        Self {
            sources,
            from: None,
            to: None,
            after: None,
            before: None,
            limit: 0,
            is_backward: false,
            is_ascending: false,
        }
    }

    /// Returns whether the rows are read in the order of time.
    const fn reads_ascending(&self) -> bool {
        self.is_backward != self.is_ascending
    }

    fn write(&self, sql: &mut Sql, organization: OrganizationId, owner: Owner) {
        sql.push("SELECT u.* FROM (");
        for (place, source) in self.sources.iter().enumerate() {
            sql.push(if place > 0 { " UNION ALL SELECT * FROM (" } else { "SELECT * FROM (" });
            self.write_source(sql, (place, source), organization, owner);
            self.write_order_limit(sql);
            sql.push(") AS b").number(place);
        }
        sql.push(") AS u");
        self.write_order_limit(sql);
    }

    fn write_source(
        &self,
        sql: &mut Sql,
        (place, source): (usize, &Source),
        organization: OrganizationId,
        owner: Owner,
    ) {
        let noun = source.noun;
        sql.push("SELECT ").column(Alias::ROW, noun.tenant).push(" AS tenant, CAST(").number(place);
        sql.push(" AS BIGINT) AS source, ");
        source.write_time(sql);
        sql.push(" AS at, ").column(Alias::ROW, "id").push(" AS id FROM ");
        let table = if let Some((between, column)) = source.via {
            // SQLite joins the tables of a cross join in the written order, beginning with the few rows in between.
            sql.name(&[between.table]).push(" AS ").alias(Alias::LINK);
            sql.push(if sql.is_postgres() { " JOIN " } else { " CROSS JOIN " });
            sql.name(&[noun.table]).push(" AS ").alias(Alias::ROW).push(" ON ");
            let tenants = ((Alias::LINK, between.tenant), (Alias::ROW, noun.tenant));
            sql.same_tenant_again("both tables are filtered", tenants.0, tenants.1);
            sql.push(" AND ").column(Alias::LINK, "id").push(" = ").column(Alias::ROW, column).push(" WHERE ");
            sql.filter_tenant_again("the rows are filtered", Alias::LINK, between, organization).push(" AND ");
            Alias::LINK
        } else {
            sql.name(&[noun.table]).push(" AS ").alias(Alias::ROW).push(" WHERE ");
            Alias::ROW
        };
        sql.filter_tenant(Alias::ROW, noun, organization).push(" AND ").column(table, source.column);
        match owner {
            Owner::One(id) => sql.push(" = ").bind(id),
            Owner::Joined => sql.push(" = p.id"),
            Owner::Each => sql.push(" = ").parent(),
        };
        if noun.is_archivable() {
            sql.push(" AND ").column(Alias::ROW, "archived_at").push(" IS NULL");
        }
        if let Some(from) = self.from {
            source.write_time(sql.push(" AND "));
            sql.push(" >= ").bind(from);
        }
        if let Some(to) = self.to {
            source.write_time(sql.push(" AND "));
            sql.push(" < ").bind(to);
        }
        let (earlier, later) = ((" <= ", " < "), (" >= ", " > "));
        source.write_past(sql, self.after, if self.is_ascending { later } else { earlier });
        source.write_past(sql, self.before, if self.is_ascending { earlier } else { later });
    }

    fn write_order_limit(&self, sql: &mut Sql) {
        sql.push(if self.reads_ascending() {
            " ORDER BY 3 ASC, 4 ASC LIMIT "
        } else {
            " ORDER BY 3 DESC, 4 DESC LIMIT "
        });
        sql.number(self.limit + 1);
    }

    /// Returns the rows of one timeline as a page.
    fn page(&self, mut rows: Vec<TimelineRow>) -> TimelinePage {
        let has_more = trim(&mut rows, self.limit, self.is_backward);
        TimelinePage { rows, has_more }
    }

    fn row(&self, cells: &[Cell]) -> Option<TimelineRow> {
        let [source, at, id] = cells else { return None };
        let source = self.sources.get(usize::try_from(source.int()?).ok()?)?;
        Some(TimelineRow { noun: source.noun, position: (at.int()?, id.id()?) })
    }
}

/// Returns the ways in which rows of `noun` refer to a row of `owner`.
fn sources(owner: &'static Noun, noun: &'static Noun) -> impl Iterator<Item = Source> {
    let references = |from: &'static Noun| {
        let to_owner = from.relations.iter().filter(|relation| relation.target.table == owner.table);
        to_owner.filter_map(|relation| if let Link::One { column, .. } = relation.link { Some(column) } else { None })
    };
    let Timeline { at, via } = noun.timeline.unwrap_or(Timeline { at: &[], via: None });
    let has_time = !at.is_empty();
    let at = Time::First(at);
    let direct = references(noun).map(move |column| Source { noun, at, column, via: None });
    let between = via.and_then(|name| noun.relation(name)).and_then(|via| Some((via.target, via.link.column()?)));
    let indirect = between
        .into_iter()
        .flat_map(move |via| references(via.0).map(move |column| Source { noun, at, column, via: Some(via) }));
    direct.chain(indirect).filter(move |_| has_time)
}

impl Source {
    /// The open rows of a noun that refer to the row by a column.
    pub const fn open(noun: &'static Noun, column: &'static str, open: &'static Open) -> Self {
        Self { noun, at: Time::Open(open), column, via: None }
    }

    /// Writes the time of a row, as in the indexes.
    fn write_time(&self, sql: &mut Sql) {
        match self.at {
            Time::First([only]) => _ = sql.column(Alias::ROW, only),
            Time::First(several) => {
                let column = |sql: &mut Sql, column: &&'static str| _ = sql.column(Alias::ROW, column);
                sql.push("COALESCE(").list(several, column).push(")");
            }
            Time::Open(Open { state, ended, due }) => {
                sql.push("CASE WHEN ").column(Alias::ROW, state).push(" NOT IN (").list(*ended, |sql, ended| {
                    sql.push("'").push(ended).push("'");
                });
                sql.push(") THEN COALESCE(")
                    .column(Alias::ROW, due)
                    .push(", ")
                    .number(usize::try_from(NEVER).unwrap_or_default())
                    .push(") END");
            }
        }
    }

    /// Writes the condition that a row is past a position. The first comparison alone bounds the scan of the index.
    fn write_past(&self, sql: &mut Sql, position: Option<Position>, (reaches, exceeds): (&'static str, &'static str)) {
        let Some((at, id)) = position else { return };
        self.write_time(sql.push(" AND "));
        sql.push(reaches).bind(at).push(" AND (");
        self.write_time(sql);
        sql.push(exceeds).bind(at).push(" OR ").column(Alias::ROW, "id").push(exceeds).bind(id).push(")");
    }
}

impl<C: Connection> Scope<C> {
    /// Returns a page of the timeline of each of these rows. Rows without entries are omitted.
    pub async fn timelines(&self, query: &TimelineQuery, owners: &[Uuid]) -> Result<HashMap<Uuid, TimelinePage>> {
        query.sources.iter().try_for_each(|source| self.may_read(source.noun))?;
        if owners.is_empty() || query.sources.is_empty() {
            return Ok(HashMap::new());
        }
        let kinds = &[CellKind::Int, CellKind::Int, CellKind::Id];
        let mut sql = self.sql();
        let found = if let ([owner], true) = (owners, sql.is_postgres()) {
            query.write(&mut sql, self.organization(), Owner::One(*owner));
            let mut found = self.answer(sql.finish(), RowLayout { has_parent: false, kinds }).await?;
            for row in &mut found {
                row.parent = Some(*owner);
            }
            found
        } else if sql.is_postgres() {
            sql.push("SELECT p.id AS parent, c.* FROM unnest(").rows(owners);
            sql.push(") AS p(id) CROSS JOIN LATERAL (");
            query.write(&mut sql, self.organization(), Owner::Joined);
            sql.push(") AS c ORDER BY p.id, c.at").push(if query.reads_ascending() {
                ", c.id"
            } else {
                " DESC, c.id DESC"
            });
            self.answer(sql.finish(), RowLayout { has_parent: true, kinds }).await?
        } else {
            query.write(&mut sql, self.organization(), Owner::Each);
            let (text, values, sources) = sql.parts();
            let places = template::parents(&sources);
            let statement = Statement::from_sql_and_values(self.store.backend(), text, values);
            let per_parent = PerParent { parents: owners, places: &places };
            self.query_per_parent(statement, per_parent, RowLayout { has_parent: false, kinds }).await?
        };
        let mut by_owner: HashMap<Uuid, Vec<TimelineRow>> = HashMap::new();
        for row in found {
            let owner = row.parent.ok_or_else(|| Error::internal("an entry of a timeline has no owner"))?;
            let entry = query.row(&row.cells).ok_or_else(|| Error::internal("an entry of a timeline has no row"))?;
            by_owner.entry(owner).or_default().push(entry);
        }
        Ok(by_owner.into_iter().map(|(owner, rows)| (owner, query.page(rows))).collect())
    }
}
