//! What a transaction gives its caller besides rows: what is told once, what is reported, and whether it was a trial.

use secrecy::SecretString;

use super::{Tx, cell::Cell};

/// A row of a report: its values by column.
pub type ReportRow = Vec<(&'static str, Cell)>;

/// What a transaction gives its caller besides rows.
#[derive(Debug, Default)]
pub(super) struct Aside {
    told: Vec<(&'static str, SecretString)>,
    reports: Vec<(&'static str, Vec<ReportRow>)>,
    is_trial: bool,
}

impl Tx {
    /// Tells the caller something once, in the payload's field of that name: a repeat of the call does not tell it.
    pub fn tell(&self, field: &'static str, text: SecretString) {
        self.aside.lock().expect("no holder of the lock panics").told.push((field, text));
    }

    /// What was told, which is then forgotten.
    pub fn told(&self) -> Vec<(&'static str, SecretString)> {
        std::mem::take(&mut self.aside.lock().expect("no holder of the lock panics").told)
    }

    /// Shows the caller rows in the payload's list of that name. A repeat of the call does not show them.
    pub fn report(&self, field: &'static str, rows: Vec<ReportRow>) {
        self.aside.lock().expect("no holder of the lock panics").reports.push((field, rows));
    }

    /// What was reported, which is then forgotten.
    pub fn reports(&self) -> Vec<(&'static str, Vec<ReportRow>)> {
        std::mem::take(&mut self.aside.lock().expect("no holder of the lock panics").reports)
    }

    /// Makes the mutation a trial: when it is done, all of it is undone.
    pub fn try_only(&self) {
        self.aside.lock().expect("no holder of the lock panics").is_trial = true;
    }

    /// Whether the mutation is a trial.
    pub fn is_trial(&self) -> bool {
        self.aside.lock().expect("no holder of the lock panics").is_trial
    }
}
