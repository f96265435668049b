//! What came of a mutation, and what of it is remembered under an idempotency key.

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

/// What came of a mutation.
#[derive(Clone, Debug, Default)]
pub struct MutationResult {
    /// Each row of a bulk call, or the one row.
    pub rows: Vec<WriteResult>,
    /// Whether it is the memory of an earlier call.
    pub is_replayed: bool,
    /// What is wrong with the call as a whole.
    pub errors: Vec<UserError>,
    /// What is told once, by the payload's field. Never remembered.
    pub secrets: Vec<(&'static str, SecretString)>,
    /// What is reported, by the payload's list. Never remembered.
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

    /// What its rows cost, in tenths of points: little but for those that were written.
    pub(in crate::graphql) fn tenths(&self) -> u64 {
        let is_written =
            |row: &WriteResult| matches!(row.outcome, Outcome::Created | Outcome::Updated | Outcome::Deleted);
        let of_row =
            |row| if is_written(row) && !self.is_replayed { result_cost::WRITTEN } else { result_cost::OBJECT };
        self.rows.iter().map(of_row).sum()
    }

    /// What is remembered under an idempotency key: ids, outcomes and errors, never field values.
    pub(in crate::graphql) fn to_replay(&self) -> String {
        let rows: Vec<Remembered> = self.rows.iter().map(Remembered::of).collect();
        serde_json::json!(rows).to_string()
    }

    /// The rows that this names, each once.
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

/// One row as an idempotency row keeps it.
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
