//! What came of a mutation, and what of it is remembered under an idempotency key.

use entity::noun::Named;
use sea_orm::prelude::Uuid;
use secrecy::SecretString;

use super::tenths;
use crate::{
    Error, Result, UserError,
    error::Code,
    store::{
        ReportRow,
        draft::{Outcome, Written},
    },
};

/// What came of a mutation.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Each row of a bulk call, or the one row.
    pub rows: Vec<Written>,
    /// Whether it is the memory of an earlier call.
    pub is_replayed: bool,
    /// What is wrong with the call as a whole.
    pub errors: Vec<UserError>,
    /// What is told once, by the payload's field. Never remembered.
    pub told: Vec<(&'static str, SecretString)>,
    /// What is reported, by the payload's list. Never remembered.
    pub reports: Vec<(&'static str, Vec<ReportRow>)>,
}

impl Written {
    pub(super) fn failed(id: Option<Uuid>, errors: Vec<UserError>) -> Self {
        Self { id, outcome: Outcome::Failed, errors, row: None }
    }
}

impl Report {
    pub(super) fn of(row: Written) -> Self {
        Self { rows: vec![row], ..Self::default() }
    }

    /// What its rows cost, in tenths of points: little but for those that were written.
    pub(super) fn tenths(&self) -> u64 {
        let is_written = |row: &Written| matches!(row.outcome, Outcome::Created | Outcome::Updated | Outcome::Deleted);
        let of_row = |row| if is_written(row) && !self.is_replayed { tenths::WRITTEN } else { tenths::OBJECT };
        self.rows.iter().map(of_row).sum()
    }

    /// What is remembered under an idempotency key: ids, outcomes and errors, never field values.
    pub(super) fn memory(&self) -> String {
        let rows: Vec<Remembered> = self.rows.iter().map(Remembered::of).collect();
        serde_json::json!(rows).to_string()
    }

    /// The rows that this names, each once.
    pub(super) fn named(&self) -> Vec<Uuid> {
        let mut named: Vec<Uuid> = self.rows.iter().filter_map(|row| row.id).collect();
        named.sort_unstable();
        named.dedup();
        named
    }

    pub(super) fn recall(memory: &str) -> Result<Self> {
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
    fn of(row: &Written) -> Self {
        let error = |error: &UserError| (error.code.name().to_owned(), error.message.clone(), error.path.clone());
        Self { id: row.id, outcome: row.outcome.name().to_owned(), errors: row.errors.iter().map(error).collect() }
    }

    fn written(self) -> Option<Written> {
        let error = |(code, message, path): (String, String, Vec<String>)| {
            Some(UserError { code: Code::parse(&code)?, message, path })
        };
        let errors = self.errors.into_iter().map(error).collect::<Option<_>>()?;
        Some(Written { id: self.id, outcome: Outcome::parse(&self.outcome)?, errors, row: None })
    }
}
