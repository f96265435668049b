//! Compiles a selection set into a plan: which columns and relations to read, and which fields to return.

use async_graphql::{
    Name,
    parser::types::{Field as Selected, Selection, SelectionSet},
};
use entity::{
    Noun,
    noun::{Field, Kind, Link, Relationship},
};

use super::{
    connection::{Connection, connection},
    context::ExecutionContext,
    leaf::{ATTRIBUTE, MONEY, PAGE_INFO, Shown},
    transitions::{ALLOWED_TRANSITIONS, AllowedTransitions},
};
use crate::{
    Error, Result,
    graphql::{
        mutation::input::Input,
        slice::{Computed, Module, ReturnType},
    },
    store::{
        erasure::open_attributes::AttributeAccess,
        statement::cell::{CellKind, Column},
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
    Computed(&'static Computed, Input<'static>, Option<RowPlan>),
}

/// An object with the columns to read for it.
#[derive(Debug)]
pub struct RowPlan {
    /// Columns to read.
    pub columns: Vec<Column>,
    /// The fields to return.
    pub object: ObjectPlan,
}

/// The selected fields of a list.
#[derive(Debug)]
pub struct ConnectionPlan {
    /// The noun of the listed rows.
    pub noun: &'static Noun,
    /// The page to read.
    pub list: Connection,
    /// The columns to read of each row.
    pub columns: Vec<Column>,
    /// The columns of the join table to read.
    pub edge: Vec<Column>,
    /// The prefix of the names of its connection and edge types.
    pub name: String,
    /// The fields to return.
    pub selections: Vec<SelectedField<ConnectionField>>,
    /// Whether rows are selected; false if only the type name or the total count is.
    pub has_rows: bool,
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

/// Compiles selections for one caller.
#[derive(Clone, Copy)]
pub struct Planner<'a> {
    /// The document and its variables.
    pub source: ExecutionContext<'a>,
    /// The caller's access to fields and attributes.
    pub attribute_access: AttributeAccess<'a>,
    /// The modules of all nouns.
    pub slices: &'static [&'static Module],
}

pub(in crate::graphql) type Group<'a> = (String, &'a Selected, Vec<&'a SelectionSet>);

impl<'a> Planner<'a> {
    /// Collects the fields of several selection sets on an object of type `name`, merging equal response keys.
    ///
    /// Validation rejects fragments that can never apply. A fragment that does not apply to `name` occurs only in a
    /// selection on `Node`, next to fragments on other nouns, and is skipped.
    pub fn collect(self, sets: &[&'a SelectionSet], name: &str) -> Vec<Group<'a>> {
        let mut groups = Vec::new();
        for set in sets {
            self.collect_into(set, name, &mut groups);
        }
        groups
    }

    fn collect_into(self, set: &'a SelectionSet, name: &str, groups: &mut Vec<Group<'a>>) {
        let applies = |condition: &Name| condition == name || condition == "Node";
        for item in &set.items {
            let inner = match &item.node {
                Selection::Field(field) => {
                    let (key, field) = (field.node.response_key().node.as_str(), &field.node);
                    match groups.iter_mut().find(|(known, ..)| known == key) {
                        Some((.., sets)) => sets.push(&field.selection_set.node),
                        None => groups.push((key.to_owned(), field, vec![&field.selection_set.node])),
                    }
                    continue;
                }
                Selection::FragmentSpread(spread) => self
                    .source
                    .fragments
                    .get(&spread.node.fragment_name.node)
                    .filter(|fragment| applies(&fragment.node.type_condition.node.on.node))
                    .map(|fragment| &fragment.node.selection_set.node),
                Selection::InlineFragment(fragment) => fragment
                    .node
                    .type_condition
                    .as_ref()
                    .is_none_or(|condition| applies(&condition.node.on.node))
                    .then_some(&fragment.node.selection_set.node),
            };
            if let Some(inner) = inner {
                self.collect_into(inner, name, groups);
            }
        }
    }

    /// Compiles an object together with the list of columns to read for it.
    pub fn row(self, noun: &'static Noun, sets: &[&'a SelectionSet]) -> Result<RowPlan> {
        let mut columns = if noun.is_stored() { vec![ID] } else { Vec::new() };
        let object = self.object(noun, sets, &mut columns)?;
        Ok(RowPlan { columns, object })
    }

    fn object(self, noun: &'static Noun, sets: &[&'a SelectionSet], columns: &mut Vec<Column>) -> Result<ObjectPlan> {
        let mut selections = Vec::new();
        for (key, selected, sets) in self.collect(sets, noun.name) {
            let name = selected.name.node.as_str();
            let what = match name {
                "__typename" => ObjectField::Typename,
                "externalIds" if noun.has_external_ids => self.external_ids(noun, &sets),
                _ => match (noun.field(name), noun.relation(name)) {
                    (Some(field), _) => self.field(noun, field, &sets, columns)?,
                    (_, Some(relation)) => match self.relation(noun, relation, selected, &sets, columns) {
                        // A refusal inside a nullable relation makes only that relation null; its siblings are
                        // returned.
                        Err(error @ Error::Forbidden(_)) if may_be_null(noun, relation) => ObjectField::Refused(error),
                        planned => planned?,
                    },
                    _ if name == ALLOWED_TRANSITIONS => {
                        ObjectField::Transitions(AllowedTransitions::plan(noun, self.attribute_access.actor, columns)?)
                    }
                    _ => self.computed(noun, selected, &sets)?,
                },
            };
            selections.push(SelectedField { key, what });
        }
        Ok(ObjectPlan { noun, selections })
    }

    fn field(
        self,
        noun: &'static Noun,
        field: &'static Field,
        sets: &[&'a SelectionSet],
        columns: &mut Vec<Column>,
    ) -> Result<ObjectField> {
        let mut shown = None;
        if let Err(error) = self.attribute_access.may_use(field) {
            if let Kind::Attributes { .. } = field.kind {
                let open = self.attribute_access.open_attributes(noun, field)?.filter(|open| !open.is_empty());
                shown = open.map(|open| Shown { open, error: error.clone() });
            }
            if shown.is_none() {
                return Ok(ObjectField::Refused(error));
            }
        }
        let place = place(columns, Column::of(field));
        if let Some(currency) = noun.currency_of(field) {
            let currency = self::place(columns, Column::of(currency));
            return Ok(ObjectField::Money(place, currency, self.leaves(sets, &MONEY)));
        }
        Ok(match field.kind {
            Kind::Attributes { .. } => ObjectField::Attributes(place, self.leaves(sets, &ATTRIBUTE), shown),
            Kind::RowId { noun } => {
                let noun = Column { name: noun, kind: CellKind::Text, is_nullable: false, field: field.name };
                ObjectField::RowId(place, self::place(columns, noun))
            }
            _ => ObjectField::Cell(place, field),
        })
    }

    fn computed(self, noun: &'static Noun, selected: &'a Selected, sets: &[&'a SelectionSet]) -> Result<ObjectField> {
        let name = selected.name.node.as_str();
        let slice = self.slices.iter().find(|slice| slice.noun.name == noun.name);
        let known = slice.and_then(|slice| slice.computed.iter().find(|known| known.name == name));
        let known = known.ok_or_else(|| Error::internal(format!("{} has no {name}", noun.name)))?;
        let plan = match known.run.shows() {
            ReturnType::Value(_) => None,
            ReturnType::One(shown) | ReturnType::Maybe(shown) | ReturnType::List(shown) => {
                shown.read.map_or(Ok(()), |permission| self.attribute_access.actor.require(permission))?;
                Some(self.row(shown, sets)?)
            }
        };
        Ok(ObjectField::Computed(known, self.source.arguments(noun.name, selected)?, plan))
    }

    fn relation(
        self,
        noun: &'static Noun,
        relation: &'static Relationship,
        selected: &'a Selected,
        sets: &[&'a SelectionSet],
        columns: &mut Vec<Column>,
    ) -> Result<ObjectField> {
        let target = relation.target;
        if let Some(permission) = target.read
            && let Err(error) = self.attribute_access.actor.require(permission)
        {
            return Ok(ObjectField::Refused(error));
        }
        Ok(match relation.link {
            Link::One { column, is_nullable, .. } => {
                let column = Column { name: column, kind: CellKind::Id, is_nullable, field: relation.name };
                ObjectField::One(place(columns, column), self.row(target, sets)?)
            }
            Link::Many { .. } | Link::Through { .. } => ObjectField::Many(
                relation,
                Box::new(self.list(
                    target,
                    &list_name(noun, relation),
                    noun.name,
                    selected,
                    sets,
                    relation.link.edge(),
                )?),
            ),
            Link::Embedded { .. } => ObjectField::Embedded(relation, self.row(target, sets)?),
        })
    }

    /// Compiles a connection field of the type `parent`.
    pub fn list(
        self,
        noun: &'static Noun,
        name: &str,
        parent: &str,
        selected: &'a Selected,
        sets: &[&'a SelectionSet],
        edge: &'static [Field],
    ) -> Result<ConnectionPlan> {
        let mut list = connection(noun, &self.source.arguments(parent, selected)?, self.attribute_access)?;
        let mut columns = vec![ID];
        // Cursors are encoded from the columns of the order.
        for term in &list.query.order {
            place(&mut columns, term.column);
        }
        let edge: Vec<(Column, &'static Field)> = edge.iter().map(|field| (Column::of(field), field)).collect();
        let mut selections = Vec::new();
        for (key, selected, sets) in self.collect(sets, &format!("{name}Connection")) {
            let what = match selected.name.node.as_str() {
                "nodes" => ConnectionField::Nodes(self.object(noun, &sets, &mut columns)?),
                "edges" => ConnectionField::Edges(self.edges(noun, name, &sets, &mut columns, &edge)?),
                "pageInfo" => ConnectionField::PageInfo(self.leaves(&sets, &PAGE_INFO)),
                "totalCount" => ConnectionField::TotalCount,
                _ => ConnectionField::Typename,
            };
            selections.push(SelectedField { key, what });
        }
        let asks_for_more = |out: &SelectedField<&'static str>| matches!(out.what, "hasNextPage" | "hasPreviousPage");
        list.query.looks_ahead = selections.iter().any(
            |out: &SelectedField<ConnectionField>| matches!(&out.what, ConnectionField::PageInfo(leaves) if leaves.iter().any(asks_for_more)),
        );
        let has_rows =
            selections.iter().any(|out| !matches!(out.what, ConnectionField::Typename | ConnectionField::TotalCount));
        let edge = edge.into_iter().map(|(column, _)| column).collect();
        Ok(ConnectionPlan { noun, list, columns, edge, name: name.to_owned(), selections, has_rows })
    }

    fn edges(
        self,
        noun: &'static Noun,
        name: &str,
        sets: &[&'a SelectionSet],
        columns: &mut Vec<Column>,
        edge: &[(Column, &'static Field)],
    ) -> Result<Vec<SelectedField<EdgeField>>> {
        let mut selections = Vec::new();
        for (key, selected, sets) in self.collect(sets, &format!("{name}Edge")) {
            let what = match selected.name.node.as_str() {
                "cursor" => EdgeField::Cursor,
                "node" => EdgeField::Node(self.object(noun, &sets, columns)?),
                "__typename" => EdgeField::Typename,
                name => match edge.iter().position(|(_, field)| field.name == name) {
                    Some(index) => EdgeField::Cell(index, edge[index].1),
                    None => return Err(Error::internal(format!("an edge has no {name}"))),
                },
            };
            selections.push(SelectedField { key, what });
        }
        Ok(selections)
    }
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
        Link::Embedded { .. } => false,
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
