//! Writes the rows that were read as the JSON of the response, in the order of the query.

use async_graphql::{PathSegment, ServerError, Value};
use async_graphql_value::RAW_VALUE_TOKEN;
use entity::{
    kind::money,
    noun::{Cardinality, Kind, Link, StringEnum},
};
use sea_orm::prelude::Uuid;

use super::load::{Child, Lists, Rows};
use crate::{
    Error, UserError,
    graphql::{
        documents::result_cost,
        failure::server_error,
        planning::{
            leaf::Shown,
            plan::{ConnectionField, ConnectionPlan, EdgeField, ObjectField, ObjectPlan, RowPlan, SelectedField},
        },
        slice::ReturnType,
        types::money_types::{AMOUNT, CURRENCY, MONEY},
        values::json,
    },
    store::{ExternalId, paging::page::neighbors, statement::cell::Cell},
};

/// Writes the JSON of one root field.
#[derive(Debug, Default)]
pub struct Writer {
    json: Vec<u8>,
    /// The response key of the root field.
    key: String,
    /// Errors of nullable fields, each recorded once for all rows. Until [`Writer::finish`] their paths are in reverse
    /// order: errors are rare, so a path is built while returning from a failed field instead of on entry to every
    /// field.
    errors: Vec<ServerError>,
    /// The addresses of the errors that were already reported.
    refused: Vec<usize>,
    /// The cost of the response, in tenths of points.
    tenths: u64,
}

/// Returns the JSON inside a raw value, or `None` for any other value.
pub fn written(value: &Value) -> Option<&str> {
    match value {
        Value::Object(only) if only.len() == 1 => match only.get(RAW_VALUE_TOKEN)? {
            Value::String(json) => Some(json),
            _ => None,
        },
        _ => None,
    }
}

impl Writer {
    /// Creates a writer for the root field with this response key.
    pub fn at(key: &str) -> Self {
        Self { key: key.to_owned(), ..Self::default() }
    }

    /// Returns the response as a raw JSON value, and the errors of its fields.
    pub fn finish(mut self) -> (Value, Vec<ServerError>) {
        for error in &mut self.errors {
            error.path.push(PathSegment::Field(self.key.clone()));
            error.path.reverse();
        }
        let json = String::from_utf8(self.json).expect("all that is written is text");
        let raw = [(async_graphql::Name::new(RAW_VALUE_TOKEN), Value::String(json))];
        (Value::Object(raw.into_iter().collect()), self.errors)
    }

    /// Returns the cost of the response so far, in tenths of points.
    pub fn tenths(&self) -> u64 {
        self.tenths
    }

    /// Adds `tenths` to the cost of the response, in tenths of points.
    pub fn charge(&mut self, tenths: u64) {
        self.tenths += tenths;
    }

    /// Writes `null`.
    pub fn null(&mut self) {
        self.json.extend_from_slice(b"null");
    }

    /// Writes a string.
    pub fn text(&mut self, text: &str) {
        json::write_text(&mut self.json, text);
    }

    /// Writes a boolean.
    pub fn boolean(&mut self, value: bool) {
        self.json.extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// Writes an integer.
    pub fn int(&mut self, number: i64) {
        json::write_int(&mut self.json, number);
    }

    /// Writes the total number of rows of a list.
    fn total(&mut self, number: i64) {
        self.charge(result_cost::COUNT);
        self.int(number);
    }

    /// Writes an id with its noun's prefix.
    pub fn id(&mut self, prefix: &str, id: Uuid) {
        json::write_id(&mut self.json, prefix, id);
    }

    /// Writes an object with one entry for each of `selections`.
    pub fn entries<T>(&mut self, selections: &[SelectedField<T>], mut each: impl FnMut(&mut Self, usize, &T)) {
        self.json.push(b'{');
        self.tenths += result_cost::OBJECT;
        for (index, out) in selections.iter().enumerate() {
            if index > 0 {
                self.json.push(b',');
            }
            // GraphQL names contain no characters that JSON escapes.
            self.json.push(b'"');
            self.json.extend_from_slice(out.key.as_bytes());
            self.json.extend_from_slice(b"\":");
            let before = self.errors.len();
            each(self, index, &out.what);
            for error in &mut self.errors[before..] {
                error.path.push(PathSegment::Field(out.key.clone()));
            }
        }
        self.json.push(b'}');
    }

    /// Writes a list.
    pub fn items<T>(&mut self, items: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut Self, T)) {
        self.json.push(b'[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.json.push(b',');
            }
            let before = self.errors.len();
            each(self, item);
            for error in &mut self.errors[before..] {
                error.path.push(PathSegment::Index(index));
            }
        }
        self.json.push(b']');
    }

    /// Writes the row with this id, or null if it was not found.
    pub fn row(&mut self, plan: &RowPlan, rows: &Rows, id: Uuid) {
        self.row_at(plan, rows, rows.place(id));
    }

    /// Writes the row at an index, or null if there is none.
    pub fn row_at(&mut self, plan: &RowPlan, rows: &Rows, place: Option<usize>) {
        match place {
            Some(place) => self.object(&plan.object, &rows.rows[place], place, &rows.children),
            None => self.null(),
        }
    }

    /// Writes an object. `place` is the index of `row` among the rows of its plan.
    pub fn object(&mut self, plan: &ObjectPlan, row: &[Cell], place: usize, children: &[Child]) {
        if plan.noun.is_union() {
            return self.member(plan, row, children);
        }
        self.entries(&plan.selections, |writer, index, what| match (what, &children[index]) {
            (ObjectField::Typename, _) => writer.text(plan.noun.name),
            (ObjectField::Cell(column, field), _) => writer.cell(&row[*column], field.kind, plan.noun.prefix),
            (ObjectField::RowId(column, noun), _) => {
                match (&row[*column], row[*noun].text().and_then(entity::noun_named)) {
                    (Cell::Id(id), Some(noun)) => writer.id(noun.prefix, *id),
                    _ => writer.null(),
                }
            }
            (ObjectField::Attributes(column, selections, shown), _) => {
                writer.attributes(&row[*column], selections, shown.as_ref());
            }
            (ObjectField::Money(amount, currency, selections), _) => {
                writer.money(&row[*amount], &row[*currency], selections);
            }
            (ObjectField::Transitions(known), _) => writer.items(known.of(row), Self::text),
            (ObjectField::Refused(error), _) => writer.refuse(error),
            (ObjectField::One(column, plan), Child::One(places, rows)) => {
                match row[*column].id().and_then(|id| places.get(&id)) {
                    Some(place) => writer.object(&plan.object, &rows.rows[*place], *place, &rows.children),
                    None => writer.null(),
                }
            }
            (ObjectField::Many(_, plan), Child::Many(lists)) => {
                writer.connection(plan, lists, row[0].id().unwrap_or_default());
            }
            (ObjectField::ExternalIds(selections), Child::ExternalIds(found)) => {
                let id = row[0].id().unwrap_or_default();
                let keys = found.get(&id).map_or(&[][..], Vec::as_slice);
                writer.items(keys, |writer, key| writer.external_id(key, selections));
            }
            (ObjectField::Embedded(relation, inner), Child::Embedded(ranges, rows)) => {
                let range = ranges[place].clone();
                let object = |writer: &mut Self, place: usize| {
                    writer.object(&inner.object, &rows.rows[place], place, &rows.children);
                };
                if matches!(relation.link, Link::Embedded(Cardinality::List)) {
                    writer.items(range, object);
                } else if range.is_empty() {
                    writer.null();
                } else {
                    object(writer, range.start);
                }
            }
            (ObjectField::Computed(known, ..), Child::Values(values)) => {
                let value = row[0].id().and_then(|id| values.get(&id));
                match (known.run.shows(), value) {
                    (ReturnType::Value(kind) | ReturnType::MaybeValue(kind), Some(cell)) => {
                        writer.cell(cell, kind, plan.noun.prefix);
                    }
                    _ => writer.null(),
                }
            }
            (ObjectField::Computed(known, _, Some(inner)), Child::Shown(shown, rows)) => {
                let places = row[0].id().and_then(|id| shown.get(&id)).map_or(&[][..], Vec::as_slice);
                let object = |writer: &mut Self, place: &usize| {
                    writer.object(&inner.object, &rows.rows[*place], *place, &rows.children);
                };
                match (known.run.shows(), places.first()) {
                    (ReturnType::List(_), _) => writer.items(places, object),
                    (_, Some(place)) => object(writer, place),
                    (_, None) => writer.null(),
                }
            }
            _ => writer.null(),
        });
    }

    /// Writes the connection of one parent.
    pub fn connection(&mut self, plan: &ConnectionPlan, lists: &Lists, parent: Uuid) {
        let (range, has_more) = lists.pages.get(&parent).cloned().unwrap_or((0..0, false));
        let query = &lists.query;
        let order = lists.codec.as_ref().map_or(Vec::new(), |_| plan.selection.places(query));
        let cursor = |row: &[Cell]| {
            lists.codec.as_ref().map(|codec| codec.encode(order.iter().map(|place| &row[*place]))).unwrap_or_default()
        };
        let (has_next, has_previous) =
            neighbors(has_more, query.is_backward, query.after.as_ref(), query.before.as_ref());
        let mut object_index = 0;
        self.entries(&plan.selections, |writer, _, what| match what {
            ConnectionField::Typename => writer.text(&format!("{}Connection", plan.name)),
            ConnectionField::TotalCount => writer.total(lists.totals.get(&parent).copied().unwrap_or(0)),
            ConnectionField::PageInfo(selections) => writer.entries(selections, |writer, _, name| match *name {
                "hasNextPage" => writer.boolean(has_next),
                "hasPreviousPage" => writer.boolean(has_previous),
                "startCursor" | "endCursor" => {
                    let place = if *name == "startCursor" { range.start } else { range.end.wrapping_sub(1) };
                    match lists.rows.get(place).filter(|_| !range.is_empty()) {
                        Some(row) => writer.text(&cursor(row)),
                        None => writer.null(),
                    }
                }
                _ => writer.text("PageInfo"),
            }),
            ConnectionField::Nodes(object) => {
                let children = &lists.children[object_index];
                object_index += 1;
                writer.items(range.clone(), |writer, place| writer.object(object, &lists.rows[place], place, children));
            }
            ConnectionField::Edges(selections) => {
                let first = object_index;
                object_index += selections.iter().filter(|out| matches!(out.what, EdgeField::Node(_))).count();
                writer.items(range.clone(), |writer, place| {
                    let (row, mut node_index) = (&lists.rows[place], first);
                    writer.entries(selections, |writer, _, what| match what {
                        EdgeField::Typename => writer.text(&format!("{}Edge", plan.name)),
                        EdgeField::Cursor => writer.text(&cursor(row)),
                        EdgeField::Node(object) => {
                            writer.object(object, row, place, &lists.children[node_index]);
                            node_index += 1;
                        }
                        // The columns of the join table come last.
                        EdgeField::Cell(index, field) => {
                            writer.cell(&row[row.len() - plan.selection.edge.len() + index], field.kind, "");
                        }
                    });
                });
            }
        });
    }

    /// Writes the row that a union stands for.
    fn member(&mut self, plan: &ObjectPlan, row: &[Cell], children: &[Child]) {
        let found = plan.selections.iter().zip(children).find_map(|(out, child)| match (&out.what, child) {
            (ObjectField::One(column, plan), Child::One(places, rows)) => {
                Some((plan, rows, *places.get(&row[*column].id()?)?))
            }
            _ => None,
        });
        match found {
            Some((plan, rows, place)) => self.object(&plan.object, &rows.rows[place], place, &rows.children),
            None => self.null(),
        }
    }

    fn cell(&mut self, cell: &Cell, kind: Kind, prefix: &str) {
        json::write(&mut self.json, cell, kind, prefix);
    }

    fn attributes(&mut self, cell: &Cell, selections: &[SelectedField<&'static str>], shown: Option<&Shown>) {
        let mut pairs: Vec<serde_json::Value> =
            cell.text().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        if let Some(Shown { open, error }) = shown {
            let all = pairs.len();
            pairs.retain(|pair| pair["name"].as_str().is_some_and(|name| open.contains(name)));
            if pairs.len() < all {
                self.complain(error);
            }
        }
        self.items(pairs, |writer, pair| {
            writer.entries(selections, |writer, _, name| match pair[*name].as_str() {
                Some(text) => writer.text(text),
                None => writer.text("Attribute"),
            });
        });
    }

    fn money(&mut self, amount: &Cell, currency: &Cell, selections: &[SelectedField<&'static str>]) {
        let (Cell::Int(units), Cell::Text(currency)) = (amount, currency) else { return self.null() };
        self.entries(selections, |writer, _, part| match *part {
            name if name == AMOUNT.name => writer.text(&money::text(*units, currency)),
            name if name == CURRENCY.name => writer.text(currency),
            _ => writer.text(MONEY),
        });
    }

    fn external_id(&mut self, key: &ExternalId, selections: &[SelectedField<&'static str>]) {
        self.entries(selections, |writer, _, name| match *name {
            "system" => writer.text(&key.system),
            "id" => writer.text(&key.id),
            _ => writer.text("ExternalId"),
        });
    }

    /// Writes null for a field that the caller may not read, and reports the error once.
    pub fn refuse(&mut self, error: &Error) {
        self.null();
        self.complain(error);
    }

    /// Reports once that something is omitted.
    pub fn complain(&mut self, error: &Error) {
        let known = std::ptr::from_ref(error).addr();
        if !self.refused.contains(&known) {
            self.refused.push(known);
            self.errors.push(server_error(error.clone()));
        }
    }

    /// Writes the user errors of a mutation.
    pub fn user_errors(&mut self, errors: &[UserError], selections: &[SelectedField<&'static str>]) {
        self.items(errors, |writer, error| {
            writer.entries(selections, |writer, _, name| match *name {
                "code" => writer.text(error.code.name()),
                "message" => writer.text(&error.message),
                "path" => writer.items(&error.path, |writer, part| writer.text(part)),
                _ => writer.text("UserError"),
            });
        });
    }
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
