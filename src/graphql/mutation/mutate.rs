//! Runs mutations. Each mutation field runs in one transaction with its effect, its idempotency row and its events.

use std::{collections::HashMap, sync::Arc};

use entity::{
    Noun, Permission,
    lifecycle::Transition,
    noun::{Kind, Link, Operation, Relationship, StringEnum, Writable},
    personal,
};

use super::{
    input::{self, BY, Input},
    parts::RowDraft,
    prepare::{self, Plan, PreparedOperation},
    replace_links,
    result::MutationResult,
    write_parts::RowWriter,
};
use crate::{
    Error, Result, UserError,
    auth::Actor,
    error::Code,
    graphql::{
        slice::{Api, Done, Module, Mutation},
        types::schema_index::SchemaIndex,
    },
    store::{
        Effect, Scope, Strategy, Transacted, Tx,
        writing::draft::{Draft, Mode, Outcome, Reference, Target, WriteResult},
    },
};

/// The kind of a mutation field.
#[derive(Clone, Copy, Debug)]
pub enum MutationField {
    /// `xCreate`, `xUpdate`, `xUpsert`, `xsBulkUpsert`, `xDelete`.
    Generic(Operation),
    /// `xArchive` or `xUnarchive`.
    Archive(bool),
    /// `xsBulkDelete`.
    BulkDelete,
    /// `xsBulkArchive` or `xsBulkUnarchive`.
    BulkArchive(bool),
    /// A transition of the row's state.
    Transition(&'static Transition),
    /// `xSetY`.
    Set(&'static Relationship),
    /// A mutation of a slice.
    Own(&'static Mutation),
}

impl MutationField {
    /// Returns the required scopes; the caller needs all of them. To reference a row, a caller needs the scope to read
    /// it, so creating a row also needs the read scopes of its required relations.
    pub fn permissions(self, noun: &Noun) -> Vec<Permission> {
        let mut needed = match self {
            Self::Own(mutation) => mutation.permissions.to_vec(),
            Self::Generic(_) | Self::Archive(_) | Self::BulkDelete | Self::BulkArchive(_) => vec![noun.write],
            Self::Transition(transition) => {
                std::iter::once(noun.write).chain(transition.permissions.iter().copied()).collect()
            }
            Self::Set(relation) => std::iter::once(noun.write).chain(relation.target.read).collect(),
        };
        if let Self::Generic(Operation::Create) = self {
            let must_be_named = |relation: &&Relationship| {
                matches!(relation.link, Link::One { writable: Writable::Required | Writable::Fixed, .. })
            };
            needed.extend(noun.relations.iter().filter(must_be_named).filter_map(|relation| relation.target.read));
        }
        needed
    }

    /// Returns whether the mutation takes many rows and returns a result for each.
    pub const fn is_bulk(self) -> bool {
        matches!(self, Self::Generic(Operation::BulkUpsert) | Self::BulkDelete | Self::BulkArchive(_))
    }

    /// Returns an error if the caller lacks one of the required scopes, or is narrowed to departments and the mutation
    /// decides for all: one of an admin, or of rules with stored filters, which can ask for rows of every department.
    pub fn require(self, noun: &Noun, actor: &Actor) -> Result<()> {
        let needed = self.permissions(noun);
        needed.iter().try_for_each(|permission| actor.require(*permission))?;
        let has_filters = noun.fields.iter().any(|field| matches!(field.kind, Kind::Filter(_)));
        if needed.contains(&Permission::Admin) || has_filters {
            actor.require_whole_organization()?;
        }
        Ok(())
    }
}

/// Runs a mutation.
pub async fn run(
    scope: &Scope,
    schema_index: &SchemaIndex,
    api: &'static Api,
    slice: &'static Module,
    mutation_field: MutationField,
    (field, input): (&str, Input<'static>),
) -> Result<MutationResult> {
    mutation_field.require(slice.noun, scope.actor())?;
    let (schema_index, field) = (schema_index.clone(), field.to_owned());
    let call = Arc::new(prepare::MutationCall { schema_index, slice, api, mutation_field, field, input });
    // Prepared before the transaction begins, because other requests wait for an open transaction. Preparation stops
    // if the caller goes away.
    let PreparedOperation { key, plan } = match Arc::clone(&call).prepared(scope).await? {
        Ok(prepared) => prepared,
        Err(mut report) => {
            if let (Some(row), true) = (report.rows.first_mut(), call.input.present(BY).is_some()) {
                row.id = scope.row_id(slice.noun, &call.input.row(slice.noun)?).await?;
            }
            return Ok(report);
        }
    };
    let costs_much =
        mutation_field.is_bulk() || matches!(mutation_field, MutationField::Transition(_) | MutationField::Own(_));
    let strategy = if key.is_some() && costs_much { Strategy::Pessimistic } else { Strategy::Optimistic };
    let (plan, mut failed) = (Arc::new(plan), HashMap::new());
    for _ in 0..MAX_ROUNDS {
        let attempt =
            Arc::new(Attempt { call: Arc::clone(&call), plan: Arc::clone(&plan), failed: std::mem::take(&mut failed) });
        let body = Arc::clone(&attempt);
        match scope.transact(key.clone(), strategy, move |tx| Box::pin(Arc::clone(&body).run(tx))).await? {
            Transacted::Done(report) if report.failed_parts.is_empty() => return Ok(report),
            Transacted::Done(report) => {
                failed.clone_from(&attempt.failed);
                failed.extend(report.failed_parts);
            }
            Transacted::Replay(result) => return MutationResult::from_replay(&result),
            Transacted::Mismatch => {
                let message = "the key was used with another input";
                return Ok(MutationResult::refused(UserError::new(
                    Code::IdempotencyConflict,
                    "idempotencyKey",
                    message,
                )));
            }
        }
    }
    let message = "the rows depend on one another in too many ways; send them in several calls";
    Ok(MutationResult::refused(UserError::new(Code::Invalid, "rows", message)))
}

/// Maximum number of transactions of one call: a row that fails because of its parts is left out of the next one, which
/// may make other rows fail.
const MAX_ROUNDS: usize = 5;

struct Attempt {
    call: Arc<prepare::MutationCall>,
    plan: Arc<Plan>,
    /// Errors of rows whose parts failed in earlier transactions of the call, by index.
    failed: HashMap<usize, Vec<UserError>>,
}

impl Attempt {
    async fn run(self: Arc<Self>, tx: &Tx) -> Result<Effect<MutationResult>> {
        let mut report = match &*self.plan {
            Plan::Rows(rows) => self.write(tx, rows).await?,
            Plan::Named(drafts) => self.change_named(tx, drafts).await?,
            _ => self.effect(tx).await?,
        };
        report.reports = tx.take_reports();
        if !report.failed_parts.is_empty()
            || !report.errors.is_empty()
            || report.rows.iter().all(|row| row.outcome == Outcome::Failed)
        {
            return Ok(Effect::RollBack(report));
        }
        report.secrets = tx.take_secrets();
        let rows = if personal::is_about_a_person(self.call.slice.noun) { report.named() } else { Vec::new() };
        Ok(Effect::Commit { replay: report.to_replay(), rows, done: report })
    }

    async fn effect(&self, tx: &Tx) -> Result<MutationResult> {
        let (slice, input) = (self.call.slice, &self.call.input);
        let noun = slice.noun;
        match self.call.mutation_field {
            MutationField::Transition(transition) => {
                let draft = input::transition(noun, transition, input)?;
                let rows = tx.write(noun, &slice.rules, &mut [draft], true).await?;
                Ok(MutationResult { rows, ..MutationResult::default() })
            }
            MutationField::Generic(_)
            | MutationField::Archive(_)
            | MutationField::BulkDelete
            | MutationField::BulkArchive(_) => Err(Error::internal("rows are read before the transaction")),
            MutationField::Set(relation) => {
                let done = replace_links::named(tx, input, noun, relation).await?;
                if let Ok((id, Outcome::Updated)) = done {
                    slice.rules.relinked_all(tx, relation, id).await?;
                }
                self.done(tx, done).await
            }
            MutationField::Own(mutation) => {
                let done = mutation.run.run(tx, self.plan.own()?).await?;
                self.done(tx, done).await
            }
        }
    }

    /// Returns the result for the written row. If the mutation failed, this is the row that the input references, as it
    /// is stored.
    async fn done(&self, tx: &Tx, done: Done) -> Result<MutationResult> {
        let (noun, input) = (self.call.slice.noun, &self.call.input);
        Ok(MutationResult::of(match done {
            Ok((id, outcome)) => WriteResult { id: Some(id), outcome, errors: Vec::new(), row: None },
            Err(errors) if input.present(BY).is_none() => WriteResult::failed(None, errors),
            Err(errors) => WriteResult::failed(tx.named_row(noun, &input.row(noun)?).await?, errors),
        }))
    }

    async fn write(&self, tx: &Tx, rows: &[RowDraft]) -> Result<MutationResult> {
        // Cloned, because the transaction may run again.
        let (noun, mut rows) = (self.call.slice.noun, rows.to_vec());
        for (at, errors) in &self.failed {
            rows[*at].draft.errors.extend(errors.iter().cloned());
            rows[*at].parts.clear();
        }
        if !self.call.mutation_field.is_bulk() {
            if noun.tenant == "id" {
                rows[0].draft.target = Target::Row(Reference::Id(Some(tx.organization().0)));
            }
            tx.defer_reference_checks();
        }
        let is_all_or_nothing = self.is_all_or_nothing()?;
        let writer = RowWriter { tx, api: self.call.api, is_all_or_nothing };
        let written = writer.write(noun, rows).await?;
        if !is_all_or_nothing && written.iter().any(|row| row.has_failed_parts) {
            let failed = written.into_iter().enumerate().filter(|(_, row)| row.has_failed_parts);
            let failed_parts = failed.map(|(at, row)| (at, row.result.errors)).collect();
            return Ok(MutationResult { failed_parts, ..MutationResult::default() });
        }
        Ok(self.result(written.into_iter().map(|row| row.result).collect(), is_all_or_nothing))
    }

    /// Deletes, archives or restores the rows that the input names.
    async fn change_named(&self, tx: &Tx, drafts: &[Draft]) -> Result<MutationResult> {
        // Cloned, because the transaction may run again.
        let (noun, rules, mut drafts) = (self.call.slice.noun, &self.call.slice.rules, drafts.to_vec());
        let is_all_or_nothing = self.is_all_or_nothing()?;
        let rows = match self.call.mutation_field {
            MutationField::Archive(is_archived) | MutationField::BulkArchive(is_archived) => {
                tx.archive(noun, rules, &mut drafts, is_archived, is_all_or_nothing).await?
            }
            _ => tx.delete(noun, rules, &mut drafts, is_all_or_nothing).await?,
        };
        Ok(self.result(rows, is_all_or_nothing))
    }

    fn is_all_or_nothing(&self) -> Result<bool> {
        Ok(self.call.input.text("policy")? != Some(Policy::SkipInvalid.name()))
    }

    /// Returns the result of the call for the results of its rows.
    fn result(&self, rows: Vec<WriteResult>, is_all_or_nothing: bool) -> MutationResult {
        let failed: Vec<usize> =
            rows.iter().enumerate().filter(|(_, row)| !row.errors.is_empty()).map(|(at, _)| at).collect();
        let mut errors = Vec::new();
        if let (Some(first), true) = (failed.first(), is_all_or_nothing && self.call.mutation_field.is_bulk()) {
            let message = format!("{} of {} rows failed, so nothing was written", failed.len(), rows.len());
            let path = vec!["rows".to_owned(), first.to_string()];
            errors.push(UserError { path, ..UserError::new(Code::Invalid, "rows", message) });
        }
        MutationResult { rows, errors, ..MutationResult::default() }
    }
}

pub(in crate::graphql) fn mode(input: &Input) -> Result<Mode> {
    Ok(input.text("mode")?.and_then(Mode::parse).unwrap_or(Mode::Upsert))
}

entity::string_enum! {
    /// How invalid rows of a bulk call are handled.
    Policy as "BulkPolicy" {
        /// Write nothing if any row is invalid.
        AllOrNothing = "ALL_OR_NOTHING",
        /// Write the valid rows.
        SkipInvalid = "SKIP_INVALID",
    }
}

/// Returns the mutation fields of a noun with their kinds.
pub fn mutation_fields(slice: &'static Module) -> Vec<(String, MutationField)> {
    let noun: &'static Noun = slice.noun;
    let (one, many) = (noun.singular, noun.plural);
    let mut mutation_fields = Vec::new();
    for operation in noun.operations {
        match operation {
            Operation::List => {}
            Operation::Create => mutation_fields.push((format!("{one}Create"), MutationField::Generic(*operation))),
            Operation::Update => mutation_fields.push((format!("{one}Update"), MutationField::Generic(*operation))),
            Operation::Upsert => mutation_fields.push((format!("{one}Upsert"), MutationField::Generic(*operation))),
            Operation::BulkUpsert => {
                mutation_fields.push((format!("{many}BulkUpsert"), MutationField::Generic(*operation)));
            }
            Operation::Delete => {
                mutation_fields.push((format!("{one}Delete"), MutationField::Generic(*operation)));
                mutation_fields.push((format!("{many}BulkDelete"), MutationField::BulkDelete));
            }
            Operation::Archive => {
                mutation_fields.push((format!("{one}Archive"), MutationField::Archive(true)));
                mutation_fields.push((format!("{one}Unarchive"), MutationField::Archive(false)));
                mutation_fields.push((format!("{many}BulkArchive"), MutationField::BulkArchive(true)));
                mutation_fields.push((format!("{many}BulkUnarchive"), MutationField::BulkArchive(false)));
            }
        }
    }
    let transitions = noun.lifecycle().into_iter().flat_map(|lifecycle| lifecycle.transitions);
    mutation_fields
        .extend(transitions.map(|transition| (transition.field.to_owned(), MutationField::Transition(transition))));
    for relation in noun.sets() {
        let (first, rest) = relation.name.split_at(1);
        mutation_fields.push((format!("{one}Set{}{rest}", first.to_ascii_uppercase()), MutationField::Set(relation)));
    }
    mutation_fields
        .extend(slice.mutations.iter().map(|mutation| (mutation.name.to_owned(), MutationField::Own(mutation))));
    mutation_fields
}
