//! Output of a transaction besides rows: secrets, reports, and whether it is a dry run.

use secrecy::SecretString;

use crate::store::{Tx, statement::cell::Cell};

/// A row of a report: values by column.
pub type ReportRow = Vec<(&'static str, Cell)>;

/// Output of a transaction besides rows.
#[derive(Debug, Default)]
pub(in crate::store) struct MutationOutput {
    secrets: Vec<(&'static str, SecretString)>,
    reports: Vec<(&'static str, Vec<ReportRow>)>,
    is_dry_run: bool,
}

impl Tx {
    /// Adds a secret to the payload field `field`. A replay of the call does not include it.
    pub fn add_secret(&self, field: &'static str, text: SecretString) {
        self.conn.pending().output.secrets.push((field, text));
    }

    /// Takes the secrets.
    pub fn take_secrets(&self) -> Vec<(&'static str, SecretString)> {
        std::mem::take(&mut self.conn.pending().output.secrets)
    }

    /// Adds rows to the payload list `field`. A replay of the call does not include them.
    pub fn add_report(&self, field: &'static str, rows: Vec<ReportRow>) {
        self.conn.pending().output.reports.push((field, rows));
    }

    /// Takes the reports.
    pub fn take_reports(&self) -> Vec<(&'static str, Vec<ReportRow>)> {
        std::mem::take(&mut self.conn.pending().output.reports)
    }

    /// Makes the mutation a dry run: it is rolled back at the end.
    pub fn set_dry_run(&self) {
        self.conn.pending().output.is_dry_run = true;
    }

    /// Returns whether the mutation is a dry run.
    pub fn is_dry_run(&self) -> bool {
        self.conn.pending().output.is_dry_run
    }
}
