//! Plans: which columns and relations to read, and which fields to return.

use std::sync::Arc;

use entity::{
    Noun,
    noun::{Cardinality, Field, Link, Relationship},
};

use super::{arguments::Arguments, leaf::Shown, transitions::AllowedTransitions};
use crate::{
    Error,
    graphql::{mutation::input::Input, slice::Computed},
    store::{
        paging::page::{PageQuery, Selection},
        statement::{
            cell::{CellKind, Column},
            template::Templates,
        },
    },
};

/// The selected fields of an object.
#[derive(Debug)]
pub struct ObjectPlan {
    /// The noun of the object.
    pub noun: &'static Noun,
    /// The selected fields, in the order of the query.
    pub selections: Vec<SelectedField<ObjectField>>,
}

/// One entry of the response.
#[derive(Debug)]
pub struct SelectedField<T> {
    /// The response key.
    pub key: String,
    /// What the entry contains.
    pub what: T,
}

/// The content of an entry of an object.
#[derive(Debug)]
pub enum ObjectField {
    /// The object's type name.
    Typename,
    /// The value of the column at this index of the columns read.
    Cell(usize, &'static Field),
    /// The id of a row of any noun: the index of the id column, and the index of the column with the noun's name.
    RowId(usize, usize),
    /// Attributes: the index of the column, the selected fields of each attribute, and the visible attributes if not
    /// all are visible.
    Attributes(usize, Vec<SelectedField<&'static str>>, Option<Shown>),
    /// An amount of money: the indexes of the columns with the amount and the currency, and the selected fields.
    Money(usize, usize, Vec<SelectedField<&'static str>>),
    /// The allowed transitions.
    Transitions(AllowedTransitions),
    /// Null, because the caller lacks a scope.
    Refused(Error),
    /// The row that a column references: the index of the column, and the plan of the referenced row.
    One(usize, RowPlan),
    /// A list of related rows.
    Many(&'static Relationship, Box<ConnectionPlan>),
    /// External ids: the selected fields of each.
    ExternalIds(Vec<SelectedField<&'static str>>),
    /// Nested objects that are built together with this one.
    Embedded(&'static Relationship, RowPlan),
    /// A computed field: its arguments, and the plan of the objects that it returns.
    Computed(&'static Computed, Arguments<Input<'static>>, Option<RowPlan>),
}

/// An object with the columns to read for it.
#[derive(Debug)]
pub struct RowPlan {
    /// Columns to read.
    pub columns: Vec<Column>,
    /// The fields to return.
    pub object: ObjectPlan,
    /// The statements that read rows by id.
    pub templates: Templates<()>,
}

impl ObjectPlan {
    /// Returns the first error of a selected field that the caller may not read. Types of a union that the caller may not
    /// read are none: no such row is shown.
    pub fn refusal(&self) -> Option<&Error> {
        self.selections.iter().find_map(|out| match &out.what {
            ObjectField::Refused(error) => (!self.noun.is_union()).then_some(error),
            ObjectField::Attributes(_, _, Some(shown)) => Some(&shown.error),
            ObjectField::One(_, row) | ObjectField::Embedded(_, row) | ObjectField::Computed(_, _, Some(row)) => {
                row.object.refusal()
            }
            ObjectField::Many(_, list) => list.objects().find_map(Self::refusal),
            _ => None,
        })
    }
}

/// The selected fields of a list.
#[derive(Debug)]
pub struct ConnectionPlan {
    /// The page to read.
    pub list: Arguments<Arc<PageQuery>>,
    /// The columns to read of each row, and the statements that read them.
    pub selection: Selection,
    /// The prefix of the names of its connection and edge types.
    pub name: String,
    /// The fields to return.
    pub selections: Vec<SelectedField<ConnectionField>>,
    /// Whether rows are selected; false if only the type name or the total count is.
    pub has_rows: bool,
    /// Whether cursors are selected.
    pub has_cursors: bool,
}

/// The content of an entry of a connection.
#[derive(Debug)]
pub enum ConnectionField {
    /// The connection's type name.
    Typename,
    /// The rows.
    Nodes(ObjectPlan),
    /// The rows with their cursors.
    Edges(Vec<SelectedField<EdgeField>>),
    /// The position of the page.
    PageInfo(Vec<SelectedField<&'static str>>),
    /// The number of rows of the whole list.
    TotalCount,
}

/// The content of an entry of an edge.
#[derive(Debug)]
pub enum EdgeField {
    /// The edge's type name.
    Typename,
    /// The row's cursor.
    Cursor,
    /// The row.
    Node(ObjectPlan),
    /// A value of the join table, by index of its column.
    Cell(usize, &'static Field),
}

/// Returns the prefix of the names of a relation's list types: the target noun, or the owning noun and the relation if
/// its edges have fields.
pub fn list_name(noun: &Noun, relation: &Relationship) -> String {
    if relation.link.edge().is_empty() {
        return relation.target.name.to_owned();
    }
    let (first, rest) = relation.name.split_at(1);
    format!("{}{}{rest}", noun.name, first.to_ascii_uppercase())
}

/// Returns whether a relation is nullable: the related row may be absent, or reading it requires a scope other than the
/// noun's.
pub fn may_be_null(noun: &Noun, relation: &Relationship) -> bool {
    let is_same_scope = relation.target.read.is_none() || relation.target.read == noun.read;
    match relation.link {
        Link::One { is_nullable, .. } => is_nullable || !is_same_scope,
        Link::Many { .. } | Link::Through { .. } => !is_same_scope,
        Link::Embedded(cardinality) => cardinality == Cardinality::Maybe,
        Link::Member { .. } => false,
    }
}

/// The id column, which is read for every row.
pub const ID: Column = Column { name: "id", kind: CellKind::Id, is_nullable: false, field: "id" };

pub(super) fn place(columns: &mut Vec<Column>, column: Column) -> usize {
    columns.iter().position(|known| known.name == column.name).unwrap_or_else(|| {
        columns.push(column);
        columns.len() - 1
    })
}
