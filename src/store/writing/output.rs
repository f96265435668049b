//! What a transaction gives its caller besides rows: what is told once, what is reported, and whether it was a trial.

use secrecy::SecretString;

use crate::store::{Tx, statement::cell::Cell};

/// A row of a report: its values by column.
pub type ReportRow = Vec<(&'static str, Cell)>;

/// What a transaction gives its caller besides rows.
#[derive(Debug, Default)]
pub(in crate::store) struct MutationOutput {
    secrets: Vec<(&'static str, SecretString)>,
    reports: Vec<(&'static str, Vec<ReportRow>)>,
    is_dry_run: bool,
}

impl Tx {
    /// Tells the caller something once, in the payload's field of that name: a repeat of the call does not tell it.
    pub fn add_secret(&self, field: &'static str, text: SecretString) {
        self.conn.pending().output.secrets.push((field, text));
    }

    /// What was told, which is then forgotten.
    pub fn take_secrets(&self) -> Vec<(&'static str, SecretString)> {
        std::mem::take(&mut self.conn.pending().output.secrets)
    }

    /// Shows the caller rows in the payload's list of that name. A repeat of the call does not show them.
    pub fn add_report(&self, field: &'static str, rows: Vec<ReportRow>) {
        self.conn.pending().output.reports.push((field, rows));
    }

    /// What was reported, which is then forgotten.
    pub fn take_reports(&self) -> Vec<(&'static str, Vec<ReportRow>)> {
        std::mem::take(&mut self.conn.pending().output.reports)
    }

    /// Makes the mutation a trial: when it is done, all of it is undone.
    pub fn set_dry_run(&self) {
        self.conn.pending().output.is_dry_run = true;
    }

    /// Whether the mutation is a trial.
    pub fn is_dry_run(&self) -> bool {
        self.conn.pending().output.is_dry_run
    }
}
