//! What a mutation answers with: the node as it is now, what happened, and what was wrong.

use std::collections::HashMap;

use async_graphql::parser::types::SelectionSet;
use entity::{Noun, noun::Named};
use sea_orm::prelude::Uuid;
use secrecy::ExposeSecret;

use super::{
    leaf::{Leaf, USER_ERROR},
    load,
    plan::{Out, Planner, RowPlan},
    render::Writer,
    report::Report,
    slice::{Made, Slice},
};
use crate::{
    Error, Result,
    store::{
        Scope,
        draft::{Outcome, Written},
    },
};

/// A payload as selected.
pub struct Payload {
    outs: Vec<Out<PayloadOut>>,
    is_bulk: bool,
}

enum PayloadOut {
    Leaf(&'static str),
    Node(std::result::Result<RowPlan, Error>),
    Errors(Vec<Out<&'static str>>),
    Results(Vec<Out<PayloadOut>>),
    Told(&'static str),
    Report(&'static str, RowPlan),
}

static PAYLOAD: Leaf = Leaf { name: "", fields: &["outcome", "deletedId", "isReplayed", "index"] };

impl Payload {
    /// Compiles the selection on a payload of the slice's noun.
    pub fn plan<'a>(
        planner: Planner<'a>,
        slice: &'static Slice,
        sets: &[&'a SelectionSet],
        is_bulk: bool,
    ) -> Result<Self> {
        let (noun, name) = (slice.noun, if is_bulk { "BulkPayload" } else { "Payload" });
        let own = if is_bulk { None } else { Some(slice) };
        Ok(Self { outs: Self::outs(planner, noun, own, sets, &format!("{}{name}", noun.name))?, is_bulk })
    }

    fn outs<'a>(
        planner: Planner<'a>,
        noun: &'static Noun,
        own: Option<&'static Slice>,
        sets: &[&'a SelectionSet],
        name: &str,
    ) -> Result<Vec<Out<PayloadOut>>> {
        let mut outs = Vec::new();
        for (key, selected, sets) in planner.collect(sets, name) {
            let what = match selected.name.node.as_str() {
                "node" => PayloadOut::Node(match noun.read.map(|permission| planner.sight.actor.require(permission)) {
                    Some(Err(error)) => Err(error),
                    _ => Ok(planner.row(noun, &sets)?),
                }),
                "errors" => PayloadOut::Errors(planner.leaves(&sets, &USER_ERROR)),
                "results" => {
                    PayloadOut::Results(Self::outs(planner, noun, None, &sets, &format!("{}BulkResult", noun.name))?)
                }
                leaf => {
                    let told = own.and_then(|slice| slice.told_once.iter().find(|known| known.name == leaf));
                    let report = own.and_then(|slice| slice.reports.iter().find(|known| known.name == leaf));
                    match (told, report) {
                        (Some(known), _) => PayloadOut::Told(known.name),
                        (_, Some(known)) => PayloadOut::Report(known.name, planner.row(known.target, &sets)?),
                        _ => {
                            PayloadOut::Leaf(PAYLOAD.fields.iter().copied().find(|known| *known == leaf).unwrap_or(""))
                        }
                    }
                }
            };
            outs.push(Out { key, what });
        }
        Ok(outs)
    }

    /// Reads the nodes and writes the payload.
    pub async fn answer(self, scope: &Scope, writer: &mut Writer, noun: &'static Noun, report: &Report) -> Result<()> {
        let mut found = Vec::new();
        for plan in self.node_plans() {
            found.push(Found::new(load::written(scope, plan, &report.rows).await?));
        }
        let mut reports = Vec::new();
        for out in &self.outs {
            if let PayloadOut::Report(name, plan) = &out.what {
                let rows = report.reports.iter().filter(|(known, _)| known == name).flat_map(|(_, rows)| rows);
                let objects: Vec<Made> = rows.map(|cells| Made { cells: cells.clone(), inside: Vec::new() }).collect();
                reports.push(load::made(scope, plan, &objects.iter().collect::<Vec<_>>()).await?);
            }
        }
        let mut reports = reports.iter();
        let one = report.rows.first();
        let name = if self.is_bulk { "BulkPayload" } else { "Payload" };
        let typename = format!("{}{name}", noun.name);
        let mut place = 0;
        writer.entries(&self.outs, |writer, _, what| match what {
            PayloadOut::Results(outs) => {
                let first = place;
                place += outs.iter().filter(|out| matches!(out.what, PayloadOut::Node(Ok(_)))).count();
                let typename = format!("{}BulkResult", noun.name);
                writer.items(report.rows.iter().enumerate(), |writer, (index, row)| {
                    let mut place = first;
                    writer.entries(outs, |writer, _, what| {
                        let whole = Whole { row: Some(row), errors: &row.errors, index, report };
                        whole.write(writer, what, &found, &mut place, noun, &typename);
                    });
                });
            }
            PayloadOut::Report(_, plan) => {
                let told = reports.next();
                writer.items(told.iter().flat_map(|told| told.rows.iter().enumerate()), |writer, (place, row)| {
                    writer.object(&plan.object, row, place, told.map_or(&[], |told| &told.children));
                });
            }
            what => {
                let errors: Vec<_> = report
                    .errors
                    .iter()
                    .chain(one.filter(|_| !self.is_bulk).map_or(&[][..], |row| &row.errors))
                    .cloned()
                    .collect();
                let whole = Whole { row: one, errors: &errors, index: 0, report };
                whole.write(writer, what, &found, &mut place, noun, &typename);
            }
        });
        Ok(())
    }

    fn node_plans(&self) -> Vec<&RowPlan> {
        fn of(outs: &[Out<PayloadOut>]) -> Vec<&RowPlan> {
            outs.iter()
                .flat_map(|out| match &out.what {
                    PayloadOut::Node(Ok(plan)) => vec![plan],
                    PayloadOut::Results(outs) => of(outs),
                    _ => Vec::new(),
                })
                .collect()
        }
        of(&self.outs)
    }
}

/// The nodes of one plan, and where each stands.
struct Found {
    rows: load::Rows,
    places: HashMap<Uuid, usize>,
}

impl Found {
    fn new(rows: load::Rows) -> Self {
        let places = rows.rows.iter().enumerate().filter_map(|(place, row)| Some((row[0].id()?, place)));
        Self { places: places.collect(), rows }
    }
}

/// A payload, or one row of a bulk payload.
struct Whole<'a> {
    row: Option<&'a Written>,
    errors: &'a [crate::UserError],
    index: usize,
    report: &'a Report,
}

impl Whole<'_> {
    fn write(
        &self,
        writer: &mut Writer,
        what: &PayloadOut,
        found: &[Found],
        place: &mut usize,
        noun: &Noun,
        typename: &str,
    ) {
        let outcome = self.row.map(|row| row.outcome);
        match what {
            PayloadOut::Node(Ok(plan)) => {
                match self.row.and_then(|row| row.id) {
                    Some(id) => {
                        let Found { rows, places } = &found[*place];
                        writer.row_at(plan, rows, places.get(&id).copied());
                    }
                    None => writer.null(),
                }
                *place += 1;
            }
            PayloadOut::Node(Err(error)) => writer.refuse(error),
            PayloadOut::Errors(outs) => writer.user_errors(self.errors, outs),
            PayloadOut::Leaf("outcome") => writer.text(outcome.unwrap_or(Outcome::Failed).name()),
            PayloadOut::Leaf("deletedId") => match self.row {
                Some(Written { id: Some(id), outcome: Outcome::Deleted, .. }) => {
                    writer.id(noun.prefix, *id);
                }
                _ => writer.null(),
            },
            PayloadOut::Leaf("isReplayed") => writer.boolean(self.report.is_replayed),
            PayloadOut::Told(field) => match self.report.told.iter().find(|(known, _)| known == field) {
                Some((_, text)) => writer.text(text.expose_secret()),
                None => writer.null(),
            },
            PayloadOut::Leaf("index") => writer.int(i64::try_from(self.index).unwrap_or(i64::MAX)),
            PayloadOut::Leaf(_) | PayloadOut::Results(_) | PayloadOut::Report(..) => writer.text(typename),
        }
    }
}
