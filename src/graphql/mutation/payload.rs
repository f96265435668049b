//! The payload of a mutation: the current node, the outcome and the errors.

use std::collections::HashMap;

use async_graphql::parser::types::SelectionSet;
use entity::{Noun, noun::StringEnum};
use sea_orm::prelude::Uuid;
use secrecy::ExposeSecret;

use super::result::MutationResult;
use crate::{
    Error, Result,
    graphql::{
        execution::{load, render::Writer},
        planning::{
            arguments::Given,
            leaf::{Leaf, USER_ERROR},
            plan::{RowPlan, SelectedField},
            planner::Planner,
        },
        slice::{ComputedObject, Module},
    },
    store::{
        Scope,
        writing::draft::{Outcome, WriteResult},
    },
};

/// The selected fields of a payload.
#[derive(Debug)]
pub struct Payload {
    selections: Vec<SelectedField<PayloadField>>,
    is_bulk: bool,
}

#[derive(Debug)]
enum PayloadField {
    Leaf(&'static str),
    Node(std::result::Result<RowPlan, Error>),
    Errors(Vec<SelectedField<&'static str>>),
    Results(Vec<SelectedField<PayloadField>>),
    OneTime(&'static str),
    MutationResult(&'static str, RowPlan),
}

static PAYLOAD: Leaf = Leaf { name: "", fields: &["outcome", "deletedId", "isReplayed", "index"] };

impl Payload {
    /// Compiles the selection on a payload of the slice's noun.
    pub fn plan<'a>(
        planner: Planner<'a>,
        slice: &'static Module,
        sets: &[&'a SelectionSet],
        is_bulk: bool,
    ) -> Result<Self> {
        let (noun, name) = (slice.noun, if is_bulk { "BulkPayload" } else { "Payload" });
        let own = if is_bulk { None } else { Some(slice) };
        Ok(Self { selections: Self::selections(planner, noun, own, sets, &format!("{}{name}", noun.name))?, is_bulk })
    }

    fn selections<'a>(
        planner: Planner<'a>,
        noun: &'static Noun,
        own: Option<&'static Module>,
        sets: &[&'a SelectionSet],
        name: &str,
    ) -> Result<Vec<SelectedField<PayloadField>>> {
        let mut selections = Vec::new();
        for (key, selected, sets) in planner.collect(sets, name) {
            let what = match selected.name.node.as_str() {
                "node" => PayloadField::Node(
                    match noun.read.map(|permission| planner.attribute_access.actor.require(permission)) {
                        Some(Err(error)) => Err(error),
                        _ => Ok(planner.row(noun, &sets)?),
                    },
                ),
                "errors" => PayloadField::Errors(planner.leaves(&sets, &USER_ERROR)),
                "results" => PayloadField::Results(Self::selections(
                    planner,
                    noun,
                    None,
                    &sets,
                    &format!("{}BulkResult", noun.name),
                )?),
                leaf => {
                    let one_time = own.and_then(|slice| slice.one_time_fields.iter().find(|known| known.name == leaf));
                    let report = own.and_then(|slice| slice.reports.iter().find(|known| known.name == leaf));
                    match (one_time, report) {
                        (Some(known), _) => PayloadField::OneTime(known.name),
                        (_, Some(known)) => {
                            PayloadField::MutationResult(known.name, planner.row((known.noun)(), &sets)?)
                        }
                        _ => PayloadField::Leaf(
                            PAYLOAD.fields.iter().copied().find(|known| *known == leaf).unwrap_or(""),
                        ),
                    }
                }
            };
            selections.push(SelectedField { key, what });
        }
        Ok(selections)
    }

    /// Reads the nodes and writes the payload.
    pub async fn answer(
        &self,
        (scope, given): (&Scope, &Given),
        writer: &mut Writer,
        noun: &'static Noun,
        report: &MutationResult,
    ) -> Result<()> {
        let mut found = Vec::new();
        for plan in self.node_plans() {
            found.push(Found::new(load::written(scope, given, plan, &report.rows).await?));
        }
        let mut reports = Vec::new();
        for out in &self.selections {
            if let PayloadField::MutationResult(name, plan) = &out.what {
                let rows = report.reports.iter().filter(|(known, _)| known == name).flat_map(|(_, rows)| rows);
                let objects: Vec<ComputedObject> =
                    rows.map(|cells| ComputedObject { cells: cells.clone(), inside: Vec::new() }).collect();
                reports.push(load::made(scope, given, plan, &objects.iter().collect::<Vec<_>>()).await?);
            }
        }
        let mut reports = reports.iter();
        let one = report.rows.first();
        let name = if self.is_bulk { "BulkPayload" } else { "Payload" };
        let typename = format!("{}{name}", noun.name);
        let mut place = 0;
        writer.entries(&self.selections, |writer, _, what| match what {
            PayloadField::Results(selections) => {
                let first = place;
                place += selections.iter().filter(|out| matches!(out.what, PayloadField::Node(Ok(_)))).count();
                let typename = format!("{}BulkResult", noun.name);
                writer.items(report.rows.iter().enumerate(), |writer, (index, row)| {
                    let mut place = first;
                    writer.entries(selections, |writer, _, what| {
                        let whole = PayloadObject { row: Some(row), errors: &row.errors, index, report };
                        whole.write(writer, what, &found, &mut place, noun, &typename);
                    });
                });
            }
            PayloadField::MutationResult(_, plan) => {
                let rows = reports.next();
                writer.items(rows.iter().flat_map(|found| found.rows.iter().enumerate()), |writer, (place, row)| {
                    writer.object(&plan.object, row, place, rows.map_or(&[], |found| &found.children));
                });
            }
            what => {
                let errors: Vec<_> = report
                    .errors
                    .iter()
                    .chain(one.filter(|_| !self.is_bulk).map_or(&[][..], |row| &row.errors))
                    .cloned()
                    .collect();
                let whole = PayloadObject { row: one, errors: &errors, index: 0, report };
                whole.write(writer, what, &found, &mut place, noun, &typename);
            }
        });
        Ok(())
    }

    fn node_plans(&self) -> Vec<&RowPlan> {
        fn of(selections: &[SelectedField<PayloadField>]) -> Vec<&RowPlan> {
            selections
                .iter()
                .flat_map(|out| match &out.what {
                    PayloadField::Node(Ok(plan)) => vec![plan],
                    PayloadField::Results(selections) => of(selections),
                    _ => Vec::new(),
                })
                .collect()
        }
        of(&self.selections)
    }
}

/// The nodes of one plan, and the index of each by id.
struct Found {
    rows: load::Rows,
    places: HashMap<Uuid, usize>,
}

impl Found {
    fn new(rows: load::Rows) -> Self {
        Self { places: rows.places(), rows }
    }
}

/// A payload, or the result for one row of a bulk payload.
struct PayloadObject<'a> {
    row: Option<&'a WriteResult>,
    errors: &'a [crate::UserError],
    index: usize,
    report: &'a MutationResult,
}

impl PayloadObject<'_> {
    fn write(
        &self,
        writer: &mut Writer,
        what: &PayloadField,
        found: &[Found],
        place: &mut usize,
        noun: &Noun,
        typename: &str,
    ) {
        let outcome = self.row.map(|row| row.outcome);
        match what {
            PayloadField::Node(Ok(plan)) => {
                match self.row.and_then(|row| row.id) {
                    Some(id) => {
                        let Found { rows, places } = &found[*place];
                        writer.row_at(plan, rows, places.get(&id).copied());
                    }
                    None => writer.null(),
                }
                *place += 1;
            }
            PayloadField::Node(Err(error)) => writer.refuse(error),
            PayloadField::Errors(selections) => writer.user_errors(self.errors, selections),
            PayloadField::Leaf("outcome") => writer.text(outcome.unwrap_or(Outcome::Failed).name()),
            PayloadField::Leaf("deletedId") => match self.row {
                Some(WriteResult { id: Some(id), outcome: Outcome::Deleted, .. }) => {
                    writer.id(noun.prefix, *id);
                }
                _ => writer.null(),
            },
            PayloadField::Leaf("isReplayed") => writer.boolean(self.report.is_replayed),
            PayloadField::OneTime(field) => match self.report.secrets.iter().find(|(known, _)| known == field) {
                Some((_, text)) => writer.text(text.expose_secret()),
                None => writer.null(),
            },
            PayloadField::Leaf("index") => writer.int(i64::try_from(self.index).unwrap_or(i64::MAX)),
            PayloadField::Leaf(_) | PayloadField::Results(_) | PayloadField::MutationResult(..) => {
                writer.text(typename);
            }
        }
    }
}
