//! The result of a mutation, and the part of it that is stored under an idempotency key.

use entity::noun::StringEnum;
use sea_orm::prelude::Uuid;
use secrecy::SecretString;

use crate::{
    Error, Result, UserError,
    error::Code,
    graphql::documents::result_cost,
    store::{
        ReportRow,
        writing::draft::{Outcome, WriteResult},
    },
};

/// The result of a mutation.
#[derive(Clone, Debug, Default)]
pub struct MutationResult {
    /// The rows of a bulk call, or the only row.
    pub rows: Vec<WriteResult>,
    /// Whether the result is a replay of an earlier call.
    pub is_replayed: bool,
    /// The errors of the call as a whole.
    pub errors: Vec<UserError>,
    /// Values that are returned only once, by payload field. Never stored.
    pub secrets: Vec<(&'static str, SecretString)>,
    /// Errors of rows of a bulk call whose parts failed, by index. The transaction is rolled back and runs again without
    /// these rows.
    pub failed_parts: Vec<(usize, Vec<UserError>)>,
    /// Reported rows, by payload list. Never stored.
    pub reports: Vec<(&'static str, Vec<ReportRow>)>,
}

impl WriteResult {
    pub(in crate::graphql) fn failed(id: Option<Uuid>, errors: Vec<UserError>) -> Self {
        Self { id, outcome: Outcome::Failed, errors, row: None }
    }
}

impl MutationResult {
    pub(in crate::graphql) fn of(row: WriteResult) -> Self {
        Self { rows: vec![row], ..Self::default() }
    }

    /// Returns the result of a call that fails as a whole.
    pub(in crate::graphql) fn refused(error: UserError) -> Self {
        Self { errors: vec![error], ..Self::default() }
    }

    /// Returns the cost of the rows, in tenths of points. Rows that were not written cost little.
    pub(in crate::graphql) fn tenths(&self) -> u64 {
        let is_written =
            |row: &WriteResult| matches!(row.outcome, Outcome::Created | Outcome::Updated | Outcome::Deleted);
        let of_row =
            |row| if is_written(row) && !self.is_replayed { result_cost::WRITTEN } else { result_cost::OBJECT };
        self.rows.iter().map(of_row).sum()
    }

    /// Returns the part that is stored under an idempotency key: ids, outcomes and errors, never field values.
    pub(in crate::graphql) fn to_replay(&self) -> String {
        let rows: Vec<Remembered> = self.rows.iter().map(Remembered::of).collect();
        serde_json::json!(rows).to_string()
    }

    /// Returns the ids of the rows in the result, without duplicates.
    pub(in crate::graphql) fn named(&self) -> Vec<Uuid> {
        let mut named: Vec<Uuid> = self.rows.iter().filter_map(|row| row.id).collect();
        named.sort_unstable();
        named.dedup();
        named
    }

    pub(in crate::graphql) fn from_replay(memory: &str) -> Result<Self> {
        let remembered: Option<Vec<Remembered>> = serde_json::from_str(memory).ok();
        let rows = remembered.and_then(|rows| rows.into_iter().map(Remembered::written).collect());
        let rows = rows.ok_or_else(|| Error::internal("an idempotency row cannot be read"))?;
        Ok(Self { rows, is_replayed: true, ..Self::default() })
    }
}

/// The result for one row as it is stored under an idempotency key.
#[derive(serde::Serialize, serde::Deserialize)]
struct Remembered {
    id: Option<Uuid>,
    outcome: String,
    errors: Vec<(String, String, Vec<String>)>,
}

impl Remembered {
    fn of(row: &WriteResult) -> Self {
        let error = |error: &UserError| (error.code.name().to_owned(), error.message.clone(), error.path.clone());
        Self { id: row.id, outcome: row.outcome.name().to_owned(), errors: row.errors.iter().map(error).collect() }
    }

    fn written(self) -> Option<WriteResult> {
        let error = |(code, message, path): (String, String, Vec<String>)| {
            Some(UserError { code: Code::parse(&code)?, message, path })
        };
        let errors = self.errors.into_iter().map(error).collect::<Option<_>>()?;
        Some(WriteResult { id: self.id, outcome: Outcome::parse(&self.outcome)?, errors, row: None })
    }
}
