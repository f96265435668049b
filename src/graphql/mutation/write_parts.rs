//! Writes rows together with their parts: one level at a time, each in the number of statements of a bulk call.

use std::collections::HashSet;

use entity::{
    Noun,
    noun::{Link, Relationship},
};
use futures_util::future::BoxFuture;
use sea_orm::prelude::Uuid;

use super::{
    input::BY,
    parts::{Inherited, PartChanges, PartList, REMOVE, RowDraft, inherited},
};
use crate::{
    Error, Result, UserError,
    error::Code,
    graphql::slice::{Api, reference_field},
    store::{
        Tx,
        statement::cell::{Cell, CellKind, Column},
        writing::{
            draft::{Draft, Mode, Outcome, Reference, Target, WriteResult},
            ordering::Archived,
        },
    },
};

/// A row that was written with its parts.
#[derive(Debug)]
pub struct WrittenRow {
    /// The result of the row. Its errors include those of its parts; it is updated if any of its parts changed.
    pub result: WriteResult,
    /// Whether the row was written although a part failed: the transaction must be rolled back.
    pub has_failed_parts: bool,
}

/// Writes rows with their parts in one transaction.
#[derive(Clone, Copy, Debug)]
pub struct RowWriter<'a> {
    /// The transaction.
    pub tx: &'a Tx,
    /// The API, with the modules of all nouns.
    pub api: &'static Api,
    /// Whether an error in one row prevents writing any.
    pub is_all_or_nothing: bool,
}

/// The place of a part in the input.
struct Place {
    /// Index of the whole.
    whole: usize,
    list: PartList,
    index: usize,
    /// Whether the caller identified the part.
    is_named: bool,
}

impl<'a> RowWriter<'a> {
    /// Writes rows of one noun with their parts.
    pub fn write(self, noun: &'static Noun, rows: Vec<RowDraft>) -> BoxFuture<'a, Result<Vec<WrittenRow>>> {
        Box::pin(async move {
            let (mut drafts, mut parts): (Vec<Draft>, Vec<Vec<PartChanges>>) =
                rows.into_iter().map(|row| (row.draft, row.parts)).unzip();
            let results =
                self.tx.write(noun, &self.api.module(noun)?.rules, &mut drafts, self.is_all_or_nothing).await?;
            let mut written: Vec<WrittenRow> =
                results.into_iter().map(|result| WrittenRow { result, has_failed_parts: false }).collect();
            if parts.iter().all(Vec::is_empty) {
                return Ok(written);
            }
            for (row, parts) in written.iter_mut().zip(&mut parts) {
                if row.result.outcome == Outcome::Failed {
                    for changes in std::mem::take(parts) {
                        row.result.errors.extend(mistakes(noun, changes));
                    }
                }
            }
            for relation in noun.parts() {
                let changes: Vec<(usize, PartChanges)> = parts
                    .iter_mut()
                    .enumerate()
                    .filter_map(|(whole, parts)| {
                        let place = parts.iter().position(|changes| changes.relation.name == relation.name)?;
                        Some((whole, parts.swap_remove(place)))
                    })
                    .collect();
                if !changes.is_empty() {
                    self.remove(relation, &drafts, &changes, &mut written).await?;
                    self.write_parts(noun, relation, &drafts, changes, &mut written).await?;
                }
            }
            if self.is_all_or_nothing && written.iter().any(|row| row.result.outcome == Outcome::Failed) {
                for (row, draft) in written.iter_mut().zip(&drafts) {
                    row.result.outcome = Outcome::Failed;
                    row.result.id = row.result.id.filter(|_| !draft.is_new());
                }
            }
            Ok(written)
        })
    }

    async fn write_parts(
        self,
        noun: &'static Noun,
        relation: &'static Relationship,
        wholes: &[Draft],
        changes: Vec<(usize, PartChanges)>,
        written: &mut [WrittenRow],
    ) -> Result<()> {
        let inherited = inherited(noun, relation);
        let (mut rows, mut places) = (Vec::new(), Vec::new());
        for (whole, changes) in changes {
            for (index, mut row) in changes.rows.into_iter().enumerate() {
                let is_named = !matches!(row.draft.target, Target::New);
                places.push(Place { whole, list: changes.list, index, is_named });
                inherit(&mut row.draft, &inherited, &wholes[whole]);
                rows.push(row);
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        for (place, part) in places.into_iter().zip(self.write(relation.target, rows).await?) {
            let row = &mut written[place.whole];
            if matches!(part.result.outcome, Outcome::Created | Outcome::Updated) {
                row.changes();
            }
            let errors = part.result.errors.into_iter().map(|error| place.error(relation, &inherited, error));
            row.fail(errors.collect());
        }
        Ok(())
    }

    /// Deletes the parts to remove, and those that a complete list does not contain.
    async fn remove(
        self,
        relation: &'static Relationship,
        wholes: &[Draft],
        changes: &[(usize, PartChanges)],
        written: &mut [WrittenRow],
    ) -> Result<()> {
        let Link::Many { column, .. } = relation.link else { return Err(Error::internal("parts name their whole")) };
        let (noun, mut drafts, mut places) = (relation.target, Vec::new(), Vec::new());
        let mut removes = |whole: usize, part: Reference, path: Vec<String>| {
            let mut draft = Draft::new(noun, Target::Row(part), Mode::UpdateOnly);
            // Only parts of this whole are deleted.
            draft.set_cell(column, Cell::Id(wholes[whole].id));
            drafts.push(draft);
            places.push((whole, path));
        };
        for (whole, changes) in changes {
            for (index, part) in changes.removed.iter().enumerate() {
                removes(*whole, part.clone(), vec![REMOVE.to_owned(), index.to_string()]);
            }
        }
        for (whole, id) in self.left_out(relation, column, wholes, changes).await? {
            removes(whole, Reference::Id(Some(id)), vec![PartList::Replace.name().to_owned()]);
        }
        if drafts.is_empty() {
            return Ok(());
        }
        let rules = &self.api.module(noun)?.rules;
        let results = self.tx.delete(noun, rules, &mut drafts, self.is_all_or_nothing).await?;
        for ((whole, path), result) in places.into_iter().zip(results) {
            if result.outcome == Outcome::Deleted {
                written[whole].changes();
            }
            let path: Vec<String> = std::iter::once(relation.name.to_owned()).chain(path).collect();
            let errors = result.errors.into_iter().map(|error| UserError { path: path.clone(), ..error });
            written[whole].fail(errors.collect());
        }
        Ok(())
    }

    /// Returns the existing parts that the complete lists of their wholes do not contain. Archived parts are in no list
    /// and stay.
    async fn left_out(
        self,
        relation: &'static Relationship,
        column: &'static str,
        wholes: &[Draft],
        changes: &[(usize, PartChanges)],
    ) -> Result<Vec<(usize, Uuid)>> {
        let complete: Vec<&(usize, PartChanges)> = changes
            .iter()
            .filter(|(whole, changes)| changes.list == PartList::Replace && !wholes[*whole].is_new())
            .collect();
        if complete.is_empty() {
            return Ok(Vec::new());
        }
        let named: Vec<Reference> =
            complete.iter().flat_map(|(_, changes)| changes.rows.iter().filter_map(reference)).collect();
        let kept: HashSet<Uuid> = self.tx.row_ids(relation.target, &named).await?.into_iter().flatten().collect();
        let ids: Vec<Uuid> = complete.iter().map(|(whole, _)| wholes[*whole].id).collect();
        let mut parts = self.tx.parts(relation.target, (column, None), &ids, Archived::LeftOut).await?;
        let mut left_out = Vec::new();
        for (whole, _) in complete {
            let parts = parts.remove(&wholes[*whole].id).unwrap_or_default();
            left_out.extend(parts.into_iter().filter(|(_, id)| !kept.contains(id)).map(|(_, id)| (*whole, id)));
        }
        Ok(left_out)
    }
}

impl WrittenRow {
    fn changes(&mut self) {
        if self.result.outcome == Outcome::Unchanged {
            self.result.outcome = Outcome::Updated;
        }
    }

    fn fail(&mut self, errors: Vec<UserError>) {
        if !errors.is_empty() {
            self.result.errors.extend(errors);
            self.result.outcome = Outcome::Failed;
            self.has_failed_parts = true;
        }
    }
}

impl Place {
    /// Returns an error of a part as an error of the whole.
    fn error(&self, relation: &Relationship, inherited: &[Inherited], mut error: UserError) -> UserError {
        let field = error.path.first().map_or("", String::as_str);
        if inherited.iter().any(|known| reference_field(known.relation) == field) {
            // The item has no field for what follows from the whole.
            error.path.clear();
            if self.is_named && error.code == Code::Invalid {
                let message = format!("no such {} among the {}", relation.target.name, relation.name);
                error = UserError::new(Code::NotFound, BY, message);
            }
        } else if field == "externalId" {
            BY.clone_into(&mut error.path[0]);
        }
        let path = [relation.name, self.list.name()].into_iter().map(str::to_owned).chain([self.index.to_string()]);
        UserError { path: path.chain(error.path).collect(), ..error }
    }
}

/// Sets the relations of a part that follow from its whole.
fn inherit(part: &mut Draft, inherited: &[Inherited], whole: &Draft) {
    for Inherited { relation, column } in inherited {
        let Link::One { column: name, is_nullable, .. } = relation.link else { continue };
        let cell = if *column == "id" { Cell::Id(whole.id) } else { whole.cell(column).clone() };
        part.values.push((Column { name, kind: CellKind::Id, is_nullable, field: relation.name }, cell));
    }
}

/// Returns the caller's reference to a part.
fn reference(part: &RowDraft) -> Option<Reference> {
    match &part.draft.target {
        Target::New => None,
        Target::Row(reference) => Some(reference.clone()),
        Target::External(key) => Some(Reference::External(key.clone())),
    }
}

/// Returns the errors of parts that are not written because their whole failed: those found while reading.
fn mistakes(noun: &'static Noun, changes: PartChanges) -> Vec<UserError> {
    let inherited = inherited(noun, changes.relation);
    let mut errors = Vec::new();
    for (index, row) in changes.rows.into_iter().enumerate() {
        let is_named = !matches!(row.draft.target, Target::New);
        let place = Place { whole: 0, list: changes.list, index, is_named };
        let own = row.draft.errors.into_iter();
        let inside = row.parts.into_iter().flat_map(|parts| mistakes(changes.relation.target, parts));
        errors.extend(own.chain(inside).map(|error| place.error(changes.relation, &inherited, error)));
    }
    errors
}
