//! Reads and checks the parts of a mutation that need no transaction, before the transaction begins.

use std::{any::Any, fmt};

use async_graphql::Value;
use entity::noun::Operation;

use super::{
    input::{self, Input},
    mutate::{MutationField, mode},
    parts::{Reading, RowDraft},
    result::MutationResult,
};
use crate::{
    Error, Result, UserError,
    error::Code,
    graphql::{
        documents::value_check::{ValueMismatch, split_valid},
        planning::stored_filter,
        slice::{Api, Module},
        typed::fields::Planning,
        types::schema_index::{NAMED_ROW, SchemaIndex, UPSERT_ROW},
    },
    store::{
        Key, Scope,
        usage::compute::Computation,
        writing::draft::{Draft, Target, WriteResult},
    },
};

/// Maximum number of rows of one bulk call.
const MAX_ROWS: usize = 1_000;
/// Maximum size of an input that is prepared on the current thread, in bytes of strings plus 16 for each other value.
const SMALL: usize = 4_096;

/// A requested mutation.
pub(in crate::graphql) struct MutationCall {
    pub schema_index: SchemaIndex,
    pub slice: &'static Module,
    /// The API, with the modules of all nouns.
    pub api: &'static Api,
    pub mutation_field: MutationField,
    pub field: String,
    pub input: Input<'static>,
}

/// A mutation that is ready for its transaction.
#[derive(Debug)]
pub(in crate::graphql) struct PreparedOperation {
    pub key: Option<Key>,
    pub plan: Plan,
}

/// The work of the transaction.
pub(in crate::graphql) enum Plan {
    /// Run the mutation from its input.
    Input,
    /// Write these rows.
    Rows(Vec<RowDraft>),
    /// Delete, archive or restore the rows of these drafts.
    Named(Vec<Draft>),
    /// Run the slice's mutation with the plan that it made from the input.
    Own(Box<dyn Any + Send + Sync>),
}

/// A prepared mutation, or the result of a mutation that fails regardless of the stored data.
pub(in crate::graphql) type Answered = std::result::Result<PreparedOperation, MutationResult>;

impl MutationCall {
    /// Prepares the mutation, on a blocking thread if the input is large.
    pub async fn prepared(self: std::sync::Arc<Self>, scope: &Scope) -> Result<Answered> {
        let mut left = SMALL;
        let is_small = self.input.fields().all(|(_, value)| is_within(value, &mut left));
        let organization = scope.organization();
        let prepare = move |computation: &Computation| {
            let mut prepared = self.prepare(computation)?;
            if let Ok(PreparedOperation { plan: Plan::Rows(rows), .. }) = &mut prepared {
                rows.iter_mut().try_for_each(|row| row.find_words(organization, computation))?;
            }
            Ok(prepared)
        };
        let mut prepared = scope.compute(!is_small, prepare).await?;
        if let Ok(PreparedOperation { plan: Plan::Rows(rows), .. }) = &mut prepared {
            stored_filter::check(scope, rows).await?;
        }
        Ok(prepared)
    }

    fn prepare(&self, computation: &Computation) -> Result<Answered> {
        let key = Key::new(&self.field, &self.input)?;
        if let Some(mistake) = key.as_ref().and_then(Key::mistake) {
            return Ok(Err(MutationResult::refused(mistake)));
        }
        let plan = match self.mutation_field {
            MutationField::Generic(Operation::BulkUpsert) => match self.rows(computation)? {
                Ok(rows) => Plan::Rows(rows),
                Err(mistake) => return Ok(Err(MutationResult::refused(mistake))),
            },
            MutationField::Generic(operation @ (Operation::Create | Operation::Update | Operation::Upsert)) => {
                let mut reading = Reading::new(operation, input::on_null(operation, &self.input)?);
                let mut row = reading.row(self.slice.noun, &self.input, Vec::new())?;
                if operation == Operation::Upsert {
                    row.draft.mode = mode(&self.input)?;
                }
                computation.meter().writes_at_once(reading.parts());
                Plan::Rows(vec![row])
            }
            MutationField::Generic(Operation::Delete) | MutationField::Archive(_) => {
                Plan::Named(vec![input::named(self.slice.noun, &self.input, Vec::new())?])
            }
            MutationField::BulkDelete | MutationField::BulkArchive(_) => match self.named(computation)? {
                Ok(drafts) => Plan::Named(drafts),
                Err(mistake) => return Ok(Err(MutationResult::refused(mistake))),
            },
            MutationField::Own(mutation) => {
                match mutation.run.plan(&self.input, Planning { computation, schema_index: &self.schema_index })? {
                    Ok(plan) => Plan::Own(plan),
                    Err(mistakes) => {
                        return Ok(Err(MutationResult::of(WriteResult::failed(None, mistakes))));
                    }
                }
            }
            _ => Plan::Input,
        };
        Ok(Ok(PreparedOperation { key, plan }))
    }

    /// Reads the rows of a bulk upsert. An error in a row belongs to that row only.
    fn rows(&self, computation: &Computation) -> Result<std::result::Result<Vec<RowDraft>, UserError>> {
        let mode = mode(&self.input)?;
        let mut reading = Reading::new(Operation::BulkUpsert, input::on_null(Operation::BulkUpsert, &self.input)?);
        let rows = self.each_row(computation, UPSERT_ROW, |row, mistakes| {
            let mut row = reading.row(self.slice.noun, row, mistakes)?;
            row.draft.mode = mode;
            debug_assert!(
                !matches!(row.draft.target, Target::New),
                "rows of a bulk call are identified by external ids"
            );
            Ok(row)
        })?;
        computation.meter().writes_at_once(rows.as_ref().map_or(0, Vec::len) + reading.parts());
        Ok(rows)
    }

    /// Reads the rows of another bulk call, which only names them.
    fn named(&self, computation: &Computation) -> Result<std::result::Result<Vec<Draft>, UserError>> {
        let rows =
            self.each_row(computation, NAMED_ROW, |row, mistakes| input::named(self.slice.noun, row, mistakes))?;
        computation.meter().writes_at_once(rows.as_ref().map_or(0, Vec::len));
        Ok(rows)
    }

    /// Reads each row of a bulk call from its fields that are of their types, and the errors of the others. `suffix` is
    /// that of the rows' type.
    fn each_row<T>(
        &self,
        computation: &Computation,
        suffix: &str,
        mut read: impl FnMut(&Input, Vec<UserError>) -> Result<T>,
    ) -> Result<std::result::Result<Vec<T>, UserError>> {
        let given = self.input.list("rows");
        let mistake = |code, message: String| Ok(Err(UserError::new(code, "rows", message)));
        if given.is_empty() {
            return mistake(Code::Required, "there are no rows".to_owned());
        }
        if given.len() > MAX_ROWS {
            return mistake(Code::TooLong, format!("there are more than {MAX_ROWS} rows"));
        }
        let ty = format!("{}{suffix}", self.slice.noun.name);
        let mut rows = Vec::with_capacity(given.len());
        for row in given {
            computation.check()?;
            let (fields, mismatches) = split_valid(row, &ty, &self.schema_index);
            let mistakes = mismatches.into_iter().map(ValueMismatch::into_user_error).collect();
            rows.push(read(&Input::within(&fields), mistakes)?);
        }
        Ok(Ok(rows))
    }
}

impl Plan {
    /// Returns the plan that the slice made from the input.
    pub fn own(&self) -> Result<&(dyn Any + Send + Sync)> {
        if let Self::Own(plan) = self { Ok(&**plan) } else { Err(Error::internal("the mutation was not planned")) }
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").finish_non_exhaustive()
    }
}

/// Returns whether the size of a value is at most `left`, and subtracts it from `left`.
fn is_within(value: &Value, left: &mut usize) -> bool {
    let size = if let Value::String(text) = value { text.len() } else { 16 };
    let Some(rest) = left.checked_sub(size) else { return false };
    *left = rest;
    match value {
        Value::List(items) => items.iter().all(|item| is_within(item, left)),
        Value::Object(fields) => fields.values().all(|field| is_within(field, left)),
        _ => true,
    }
}
