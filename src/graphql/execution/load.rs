//! Reads the rows of a plan, with one statement per relation and level, independent of the number of rows.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::Arc,
};

use entity::{Noun, noun::Relationship};
use futures_util::future::{BoxFuture, try_join_all};
use sea_orm::prelude::Uuid;

use crate::{
    Result,
    graphql::{
        mutation::input::Input,
        planning::{
            arguments::Given,
            plan::{ConnectionField, ConnectionPlan, EdgeField, ObjectField, ObjectPlan, RowPlan},
        },
        slice::{Computed, ComputedObject, Resolved},
    },
    store::{
        ExternalId, Scope,
        paging::{
            cursor::Codec,
            page::{Page, PageQuery},
        },
        statement::cell::{Cell, Column, Record},
        writing::draft::WriteResult,
    },
};

/// The rows of one plan with the data of their fields.
#[derive(Debug, Default)]
pub struct Rows {
    /// The rows; cells are in the order of the plan's columns.
    pub rows: Vec<Vec<Cell>>,
    /// The data of each entry of the plan.
    pub children: Vec<Child>,
    /// The ids of merged rows that were asked for, each with the row that it became.
    pub merged: HashMap<Uuid, Uuid>,
}

impl Rows {
    /// Returns the index of the row with an id, or of the row that a merged one became.
    pub fn place(&self, id: Uuid) -> Option<usize> {
        let id = self.merged.get(&id).copied().unwrap_or(id);
        self.rows.iter().position(|row| row[0].id() == Some(id))
    }

    /// Like [`Rows::place`], for all ids.
    pub fn places(&self) -> HashMap<Uuid, usize> {
        let own = self.rows.iter().enumerate().filter_map(|(place, row)| Some((row.first()?.id()?, place)));
        let mut places: HashMap<Uuid, usize> = own.collect();
        let merged = self.merged.iter().filter_map(|(id, winner)| Some((*id, *places.get(winner)?)));
        let merged: Vec<(Uuid, usize)> = merged.collect();
        places.extend(merged);
        places
    }
}

/// The data of one entry of an object's plan, for all rows of the object.
#[derive(Debug)]
pub enum Child {
    /// The entry needs no data.
    None,
    /// Related rows: the index of each row by id, and the rows.
    One(HashMap<Uuid, usize>, Rows),
    /// Lists by parent id.
    Many(Lists),
    /// External ids by row id.
    ExternalIds(HashMap<Uuid, Vec<ExternalId>>),
    /// Nested objects: the range of objects for each row, by index of the row, and the objects.
    Embedded(Vec<Range<usize>>, Rows),
    /// Computed objects: the indexes of the objects by row id, and the objects.
    Shown(HashMap<Uuid, Vec<usize>>, Rows),
    /// Computed values by row id.
    Values(HashMap<Uuid, Cell>),
}

/// The lists of one plan, for all parents.
#[derive(Debug)]
pub struct Lists {
    /// The page that was read of each list.
    pub query: Arc<PageQuery>,
    /// Encodes cursors, if they are selected.
    pub codec: Option<Codec>,
    /// The rows of all lists, concatenated.
    pub rows: Vec<Vec<Cell>>,
    /// The range of each parent's rows, and whether the list has more rows after this page.
    pub pages: HashMap<Uuid, (Range<usize>, bool)>,
    /// The total number of rows by parent; empty if it is not selected.
    pub totals: HashMap<Uuid, i64>,
    /// The data of the entries of each object plan inside the list's plan, in the order of [`ConnectionPlan::objects`].
    pub children: Vec<Vec<Child>>,
}

impl Lists {
    fn of(scope: &Scope, plan: &ConnectionPlan, query: &Arc<PageQuery>) -> Self {
        let codec = || Codec::new(plan.selection.noun, &query.order, scope.organization());
        Self {
            query: Arc::clone(query),
            codec: plan.has_cursors.then(codec),
            rows: Vec::new(),
            pages: HashMap::new(),
            totals: HashMap::new(),
            children: Vec::new(),
        }
    }
}

/// Reads the rows with these ids; for a merged row, the one that it became. Unknown ids and ids of other tenants are
/// omitted alike.
pub async fn rows_by_id(scope: &Scope, given: &Given, plan: &RowPlan, ids: &[Uuid]) -> Result<Rows> {
    let noun = plan.object.noun;
    let mut rows = scope.by_ids(noun, &plan.columns, ids, &plan.templates).await?;
    let mut merged = HashMap::new();
    if rows.len() < ids.len() {
        let mut known: HashSet<Uuid> = rows.iter().filter_map(|row| row[0].id()).collect();
        merged = scope.merged_into(noun, ids.iter().copied().filter(|id| !known.contains(id))).await?;
        let winners: Vec<Uuid> = merged.values().copied().filter(|id| known.insert(*id)).collect();
        if !winners.is_empty() {
            rows.extend(scope.by_ids(noun, &plan.columns, &winners, &plan.templates).await?);
        }
    }
    let children = children(scope, given, &plan.object, &plan.columns, &rows, &[]).await?;
    Ok(Rows { rows, children, merged })
}

/// Returns the rows that a mutation wrote. The rows are read again only if some of their records are not known.
pub async fn written(scope: &Scope, given: &Given, plan: &RowPlan, written: &[WriteResult]) -> Result<Rows> {
    let there = || written.iter().filter_map(|row| Some((row.id?, row.row.as_ref())));
    let cells = |record: &Record| plan.columns.iter().map(|column| record.cell(column.name).clone()).collect();
    // A row that a mutation moved to another department is not the caller's any more.
    let is_whole = !scope.narrows(plan.object.noun);
    let known: Option<Vec<Vec<Cell>>> = there().filter(|_| is_whole).map(|(_, record)| record.map(cells)).collect();
    let Some(rows) = known else {
        let ids: Vec<Uuid> = there().map(|(id, _)| id).collect();
        return rows_by_id(scope, given, plan, &ids).await;
    };
    scope.may_read(plan.object.noun)?;
    let children = children(scope, given, &plan.object, &plan.columns, &rows, &[]).await?;
    Ok(Rows { rows, children, ..Rows::default() })
}

/// Reads the rows that to-one relations of `noun` reference. A stored reference always points to an existing row, and
/// a union stands for a row that was just read, so no statement runs if only the id is selected. The rows of other unions
/// are looked for under their own ids, unless nothing of them is selected.
async fn named_rows(scope: &Scope, given: &Given, noun: &'static Noun, plan: &RowPlan, ids: &[Uuid]) -> Result<Rows> {
    if noun.may_be_gone() && !plan.object.selections.is_empty() {
        let rows = scope.by_ids(plan.object.noun, &plan.columns, ids, &plan.templates).await?;
        let children = children(scope, given, &plan.object, &plan.columns, &rows, &[]).await?;
        return Ok(Rows { rows, children, ..Rows::default() });
    }
    let is_seen = noun.is_union() || !scope.narrows(plan.object.noun);
    if plan.columns.len() > 1 || !(noun.is_stored() || noun.is_union()) || !is_seen {
        return rows_by_id(scope, given, plan, ids).await;
    }
    scope.may_read(plan.object.noun)?;
    let rows: Vec<Vec<Cell>> = ids.iter().map(|id| vec![Cell::Id(*id)]).collect();
    let children = children(scope, given, &plan.object, &plan.columns, &rows, &[]).await?;
    Ok(Rows { rows, children, ..Rows::default() })
}

/// Reads a list of all rows of a noun. The nil id stands for its parent.
pub async fn list(scope: &Scope, given: &Given, plan: &ConnectionPlan) -> Result<Lists> {
    let query = given.list(&plan.list)?;
    let mut lists = Lists::of(scope, plan, query);
    let pages = async {
        if !plan.has_rows {
            return Ok(Page::default());
        }
        scope.page(&plan.selection, query).await
    };
    let total = async {
        if !plan.has_total() {
            return Ok(0);
        }
        scope.count(plan.selection.noun, &query.filter, &plan.selection.counts).await
    };
    let (page, total) = futures_util::future::try_join(pages, total).await?;
    lists.pages.insert(Uuid::nil(), (0..page.rows.len(), page.has_more));
    lists.rows = page.rows;
    lists.totals.insert(Uuid::nil(), total);
    lists.children = list_children(scope, given, plan, &lists.rows).await?;
    Ok(lists)
}

async fn lists(
    scope: &Scope,
    given: &Given,
    plan: &ConnectionPlan,
    relation: &'static Relationship,
    parents: &[Uuid],
) -> Result<Lists> {
    let query = given.list(&plan.list)?;
    let mut lists = Lists::of(scope, plan, query);
    if parents.is_empty() {
        return Ok(lists);
    }
    if plan.has_rows {
        let found = scope.children(&plan.selection, query, relation, parents).await?;
        for (parent, page) in found {
            let start = lists.rows.len();
            lists.rows.extend(page.rows);
            lists.pages.insert(parent, (start..lists.rows.len(), page.has_more));
        }
    }
    if plan.has_total() {
        lists.totals = scope.count_children(&query.filter, relation, parents, &plan.selection.counts).await?;
    }
    lists.children = list_children(scope, given, plan, &lists.rows).await?;
    Ok(lists)
}

async fn list_children(
    scope: &Scope,
    given: &Given,
    plan: &ConnectionPlan,
    rows: &[Vec<Cell>],
) -> Result<Vec<Vec<Child>>> {
    try_join_all(plan.objects().map(|object| children(scope, given, object, &plan.selection.columns, rows, &[]))).await
}

impl ConnectionPlan {
    /// Returns whether the total number of rows is selected.
    pub fn has_total(&self) -> bool {
        self.selections.iter().any(|out| matches!(out.what, ConnectionField::TotalCount))
    }

    /// Returns the plans of the rows in the connection, in a fixed order.
    pub fn objects(&self) -> impl Iterator<Item = &ObjectPlan> {
        self.selections.iter().flat_map(|out| -> Vec<&ObjectPlan> {
            match &out.what {
                ConnectionField::Nodes(object) => vec![object],
                ConnectionField::Edges(edges) => edges
                    .iter()
                    .filter_map(|edge| if let EdgeField::Node(object) = &edge.what { Some(object) } else { None })
                    .collect(),
                _ => Vec::new(),
            }
        })
    }
}

/// Returns the rows of objects that were built by a query or field, and reads the rows that they reference.
pub async fn made(scope: &Scope, given: &Given, plan: &RowPlan, objects: &[&ComputedObject]) -> Result<Rows> {
    let cell = |object: &ComputedObject, column: &Column| {
        object.cells.iter().find(|(name, _)| *name == column.name).map_or(Cell::Null, |(_, cell)| cell.clone())
    };
    let rows: Vec<Vec<Cell>> =
        objects.iter().map(|object| plan.columns.iter().map(|column| cell(object, column)).collect()).collect();
    let children = children(scope, given, &plan.object, &plan.columns, &rows, objects).await?;
    Ok(Rows { rows, children, ..Rows::default() })
}

fn children<'a>(
    scope: &'a Scope,
    given: &'a Given,
    plan: &'a ObjectPlan,
    columns: &'a [Column],
    rows: &'a [Vec<Cell>],
    objects: &'a [&'a ComputedObject],
) -> BoxFuture<'a, Result<Vec<Child>>> {
    Box::pin(try_join_all(
        plan.selections.iter().map(move |out| child(scope, given, plan.noun, &out.what, columns, rows, objects)),
    ))
}

async fn child(
    scope: &Scope,
    given: &Given,
    noun: &'static Noun,
    what: &ObjectField,
    columns: &[Column],
    rows: &[Vec<Cell>],
    objects: &[&ComputedObject],
) -> Result<Child> {
    match what {
        ObjectField::One(place, plan) => {
            let ids = distinct(rows.iter().filter_map(|row| row[*place].id()));
            let found = named_rows(scope, given, noun, plan, &ids).await?;
            Ok(Child::One(found.places(), found))
        }
        ObjectField::Many(relation, plan) => {
            Ok(Child::Many(lists(scope, given, plan, relation, &ids(columns, rows)).await?))
        }
        ObjectField::ExternalIds(_) => Ok(Child::ExternalIds(scope.external_ids(noun, &ids(columns, rows)).await?)),
        ObjectField::Computed(known, input, plan) => {
            computed((scope, given), known, given.input(input)?, plan.as_ref(), &ids(columns, rows)).await
        }
        ObjectField::Embedded(relation, plan) => {
            let (mut flat, mut ranges) = (Vec::new(), Vec::new());
            for object in objects {
                let start = flat.len();
                let found = object.inside.iter().find(|(name, _)| *name == relation.name);
                flat.extend(found.map_or(&[][..], |(_, inside)| inside));
                ranges.push(start..flat.len());
            }
            Ok(Child::Embedded(ranges, made(scope, given, plan, &flat).await?))
        }
        ObjectField::Typename
        | ObjectField::Cell(..)
        | ObjectField::RowId(..)
        | ObjectField::Money(..)
        | ObjectField::Transitions(..)
        | ObjectField::Attributes(..)
        | ObjectField::Refused(_) => Ok(Child::None),
    }
}

async fn computed(
    (scope, given): (&Scope, &Given),
    known: &Computed,
    input: &Input<'_>,
    plan: Option<&RowPlan>,
    ids: &[Uuid],
) -> Result<Child> {
    let answers = if ids.is_empty() { HashMap::new() } else { known.run.run(scope, input, ids).await? };
    let Some(plan) = plan else {
        let value = |(id, answers): (Uuid, Vec<Resolved>)| match answers.into_iter().next() {
            Some(Resolved::Value(cell)) => Some((id, cell)),
            _ => None,
        };
        return Ok(Child::Values(answers.into_iter().filter_map(value).collect()));
    };
    let (mut flat, mut named) = (Vec::new(), Vec::new());
    for answer in answers.values().flatten() {
        match answer {
            Resolved::Row(id) => named.push(*id),
            Resolved::Object(object) => flat.push(object),
            Resolved::Value(_) | Resolved::Nothing => {}
        }
    }
    let rows = if plan.object.noun.is_stored() {
        rows_by_id(scope, given, plan, &distinct(named.into_iter())).await?
    } else {
        made(scope, given, plan, &flat).await?
    };
    let places = rows.places();
    let mut shown: HashMap<Uuid, Vec<usize>> = HashMap::new();
    let mut next = 0..;
    // This iteration has the same order as the one above, because the map is not modified in between.
    for (id, answers) in &answers {
        let place = |answer: &Resolved| match answer {
            Resolved::Row(id) => places.get(id).copied(),
            Resolved::Object(_) => next.next(),
            Resolved::Value(_) | Resolved::Nothing => None,
        };
        shown.insert(*id, answers.iter().filter_map(place).collect());
    }
    Ok(Child::Shown(shown, rows))
}

fn ids(columns: &[Column], rows: &[Vec<Cell>]) -> Vec<Uuid> {
    let place = columns.iter().position(|column| column.name == "id");
    place.map_or(Vec::new(), |place| distinct(rows.iter().filter_map(|row| row[place].id())))
}

fn distinct(ids: impl Iterator<Item = Uuid>) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
