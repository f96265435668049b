//! Compiles a selection set into a plan.

use async_graphql::{
    Name,
    parser::types::{Field as Selected, Selection, SelectionSet},
};
use entity::{
    Noun, Permission,
    noun::{Field, Kind, Link, Relationship},
};

use super::{
    arguments::Notes,
    connection::connection,
    context::ExecutionContext,
    leaf::{ATTRIBUTE, EXTERNAL_ID, MONEY, PAGE_INFO, Shown},
    plan::{
        ConnectionField, ConnectionPlan, EdgeField, ID, ObjectField, ObjectPlan, RowPlan, SelectedField, list_name,
        may_be_null, place,
    },
    transitions::{ALLOWED_TRANSITIONS, AllowedTransitions},
};
use crate::{
    Error, Result,
    graphql::slice::{Api, ReturnType},
    store::{
        erasure::open_attributes::AttributeAccess,
        paging::page::Selection as Columns,
        statement::{
            cell::{CellKind, Column},
            template::Templates,
        },
    },
};

/// Approximate memory of a selected field in a plan, in bytes.
const FIELD: usize = 200;

/// Compiles selections for one caller.
#[derive(Clone, Copy)]
pub struct Planner<'a> {
    /// The document and its variables.
    pub source: ExecutionContext<'a>,
    /// The caller's access to fields and attributes.
    pub attribute_access: AttributeAccess<'a>,
    /// The API, with the modules of all nouns.
    pub api: &'static Api,
    /// Notes about the plan.
    pub notes: &'a Notes,
}

pub(in crate::graphql) type Group<'a> = (String, &'a Selected, Vec<&'a SelectionSet>);

impl<'a> Planner<'a> {
    /// Collects the fields of several selection sets on an object of type `name`, merging equal response keys.
    ///
    /// Validation rejects fragments that can never apply. A fragment that does not apply to `name` occurs only in a
    /// selection on `Node` or on a union, next to fragments on other nouns, and is skipped.
    pub fn collect(self, sets: &[&'a SelectionSet], name: &str) -> Vec<Group<'a>> {
        let mut groups = Vec::new();
        for set in sets {
            self.collect_into(set, name, &mut groups);
        }
        self.notes.size().add(groups.len() * FIELD);
        groups
    }

    fn collect_into(self, set: &'a SelectionSet, name: &str, groups: &mut Vec<Group<'a>>) {
        let applies = |condition: &Name| self.source.schema_index.always(name, condition);
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
        Ok(RowPlan { columns, object, templates: Templates::new(self.notes.size()) })
    }

    fn object(self, noun: &'static Noun, sets: &[&'a SelectionSet], columns: &mut Vec<Column>) -> Result<ObjectPlan> {
        if noun.is_union() {
            return self.union(noun, sets, columns);
        }
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
                        Err(error @ Error::Forbidden(_)) if may_be_null(noun, relation) => {
                            // It may depend on the values of arguments.
                            self.notes.is_for_this_request();
                            ObjectField::Refused(error)
                        }
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

    /// Compiles the selections on a union: for each noun, those that apply to it.
    fn union(self, noun: &'static Noun, sets: &[&'a SelectionSet], columns: &mut Vec<Column>) -> Result<ObjectPlan> {
        let mut selections = Vec::with_capacity(noun.relations.len());
        for Relationship { target, .. } in noun.relations {
            let may_read = target.read.map_or(Ok(()), |read| self.attribute_access.actor.require(read));
            let what = if let Err(error) = may_read {
                ObjectField::Refused(error)
            } else {
                let kind = CellKind::Id;
                let column = Column { name: target.table, kind, is_nullable: true, field: target.singular };
                ObjectField::One(place(columns, column), self.row(target, sets)?)
            };
            selections.push(SelectedField { key: target.name.to_owned(), what });
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

    fn external_ids(self, noun: &'static Noun, sets: &[&'a SelectionSet]) -> ObjectField {
        match self.attribute_access.actor.require(Permission::CustomersRead) {
            Err(error) if entity::personal::guards_external_ids(noun) => ObjectField::Refused(error),
            _ => ObjectField::ExternalIds(self.leaves(sets, &EXTERNAL_ID)),
        }
    }

    fn computed(self, noun: &'static Noun, selected: &'a Selected, sets: &[&'a SelectionSet]) -> Result<ObjectField> {
        let name = selected.name.node.as_str();
        let known = self.api.module(noun)?.computed.iter().find(|known| known.name == name);
        let known = known.ok_or_else(|| Error::internal(format!("{} has no {name}", noun.name)))?;
        let plan = match known.run.shows() {
            ReturnType::Value(_) | ReturnType::MaybeValue(_) => None,
            ReturnType::One(shown) | ReturnType::Maybe(shown) | ReturnType::List(shown) => {
                shown.read.map_or(Ok(()), |permission| self.attribute_access.actor.require(permission))?;
                Some(self.row(shown, sets)?)
            }
        };
        let arguments = self.source.arguments(noun.name, selected)?;
        Ok(ObjectField::Computed(known, self.notes.input(noun.name, selected, arguments), plan))
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
            Link::Embedded(_) => ObjectField::Embedded(relation, self.row(target, sets)?),
            Link::Member { .. } => return Err(Error::internal("a union has no fields")),
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
        list.looks_ahead = selections.iter().any(
            |out: &SelectedField<ConnectionField>| matches!(&out.what, ConnectionField::PageInfo(leaves) if leaves.iter().any(asks_for_more)),
        );
        let has_cursors = selections.iter().any(has_cursors);
        let has_rows =
            selections.iter().any(|out| !matches!(out.what, ConnectionField::Typename | ConnectionField::TotalCount));
        let edge = edge.into_iter().map(|(column, _)| column).collect();
        let selection = Columns::new(noun, columns, edge, self.notes.size());
        let list = self.notes.list((noun, parent), selected, list);
        Ok(ConnectionPlan { list, selection, name: name.to_owned(), selections, has_rows, has_cursors })
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

/// Returns whether an entry of a connection shows cursors.
fn has_cursors(out: &SelectedField<ConnectionField>) -> bool {
    match &out.what {
        ConnectionField::PageInfo(leaves) => leaves.iter().any(|leaf| matches!(leaf.what, "startCursor" | "endCursor")),
        ConnectionField::Edges(edges) => edges.iter().any(|edge| matches!(edge.what, EdgeField::Cursor)),
        ConnectionField::Typename | ConnectionField::Nodes(_) | ConnectionField::TotalCount => false,
    }
}
