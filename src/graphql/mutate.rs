//! Mutations: each field is one transaction with its effect, its idempotency row and its events.

use std::sync::Arc;

use entity::{
    Noun, Permission,
    noun::{Link, Named, Operation, Relationship, Writable},
    personal,
};

use super::{
    input::{self, Input},
    key, prepare,
    prepare::{Plan, Prepared},
    report::Report,
    set,
    slice::{Done, Mutation, Run, Slice},
};
use crate::{
    Error, Result, UserError,
    auth::Actor,
    error::Code,
    store::{
        Claim, KeyUse, Scope, Tx,
        draft::{Draft, Mode, Outcome, Written},
    },
};

/// How often a transaction runs that others got in the way of.
const MOST_TRIES: usize = 5;

/// What a mutation field does.
#[derive(Clone, Copy, Debug)]
pub enum Verb {
    /// `xCreate`, `xUpdate`, `xUpsert`, `xsBulkUpsert`, `xDelete`.
    Generic(Operation),
    /// `xArchive` or `xUnarchive`.
    Archive(bool),
    /// `xSetY`.
    Set(&'static Relationship),
    /// One of a slice's own.
    Own(&'static Mutation),
}

impl Verb {
    /// The scopes it needs, all of them. Naming a row needs the scope to read it, so making a row does where one
    /// must be named.
    pub fn permissions(self, noun: &Noun) -> Vec<Permission> {
        let mut needed = match self {
            Self::Own(mutation) => mutation.permissions.to_vec(),
            Self::Generic(_) | Self::Archive(_) => vec![noun.write],
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

    /// Refuses a caller who lacks one of them.
    pub fn require(self, noun: &Noun, actor: &Actor) -> Result<()> {
        self.permissions(noun).into_iter().try_for_each(|permission| actor.require(permission))
    }
}

/// Runs a mutation to its end, whatever becomes of the caller: a lost connection cannot cut it short.
pub async fn run(
    scope: &Scope,
    slice: &'static Slice,
    verb: Verb,
    field: &str,
    input: Input<'static>,
) -> Result<Report> {
    verb.require(slice.noun, scope.actor())?;
    let call = Arc::new(prepare::Call { slice, verb, field: field.to_owned(), input });
    // Ahead of the transaction, which others wait for, and for as long as the caller waits.
    let prepared = match Arc::clone(&call).prepared(scope).await? {
        Ok(prepared) => prepared,
        Err(report) => return Ok(report),
    };
    let (scope, call) = (scope.clone().shared(), Attempt { call, prepared });
    let task = tokio::spawn(async move {
        // At first in the cheapest way, which takes no notice of what others do meanwhile; then with care.
        let mut way = call.first_way();
        let mut tries = 1;
        loop {
            match call.attempt(&scope, way).await {
                Err(Error::Collision) if tries < MOST_TRIES => tries += 1,
                // What fails now may have been done already, under this key.
                Err(_) if way == Way::Hopeful && call.prepared.key.is_some() => {}
                // Or was taken for a row, and is none.
                Err(Error::Internal(_)) if way == Way::Hopeful => {}
                done => return done,
            }
            way = Way::Careful;
        }
    });
    match task.await {
        Ok(done) => done,
        // As if it had happened here: nothing was committed, and the edge answers for it.
        Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
        Err(_) => Err(Error::Unavailable),
    }
}

/// How a mutation is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// As if nothing stood in the way: the idempotency key is used together with the effect. Whatever turns out otherwise
    /// is an [`Error::Collision`].
    Hopeful,
    /// The idempotency key is claimed first, then step by step.
    Careful,
}

struct Attempt {
    call: Arc<prepare::Call>,
    prepared: Prepared,
}

impl Attempt {
    /// What costs much is not done to find that its key was used.
    fn first_way(&self) -> Way {
        let costs_much = matches!(self.call.verb, Verb::Generic(Operation::BulkUpsert) | Verb::Own(_));
        if self.prepared.key.is_some() && costs_much { Way::Careful } else { Way::Hopeful }
    }

    async fn attempt(&self, scope: &Scope, way: Way) -> Result<Report> {
        // Copied ahead of the transaction: it may be tried again.
        let drafts = if let Plan::Drafts(drafts) = &self.prepared.plan { drafts.clone() } else { Vec::new() };
        let tx = if way == Way::Hopeful { scope.begin_later().await? } else { scope.begin().await? };
        let claims_first = !tx.gathers();
        if let Some(key) = self.prepared.key.as_ref().filter(|_| claims_first) {
            match tx.claim(&key.text, &key.fingerprint).await? {
                Claim::Fresh => {}
                Claim::Done(result) => {
                    tx.roll_back().await?;
                    return Report::recall(&result);
                }
                Claim::Mismatch => {
                    tx.roll_back().await?;
                    let message = "the key was used with another input";
                    let error = UserError::new(Code::IdempotencyConflict, "idempotencyKey", message);
                    return Ok(Report { errors: vec![error], ..Report::default() });
                }
            }
        }
        let mut report = self.effect(&tx, drafts).await?;
        report.reports = tx.reports();
        let is_whole_failure =
            !report.errors.is_empty() || report.rows.iter().all(|row| row.outcome == Outcome::Failed);
        if is_whole_failure || tx.is_trial() {
            // A failed validation is not remembered: the caller may mend the input and use the key again. Nor is a
            // trial, which has no effect to repeat.
            tx.settle().await?;
            // What fails now may have been done already, under this key, or for a row that is none or another by now.
            let is_certain = claims_first || (self.prepared.key.is_none() && !tx.trusts_references() && !tx.relies());
            tx.roll_back().await?;
            return if is_certain { Ok(report) } else { Err(Error::Collision) };
        }
        report.told = tx.told();
        let memory = report.memory();
        let rows = if personal::is_about_a_person(self.call.slice.noun) { report.named() } else { Vec::new() };
        match &self.prepared.key {
            Some(key) if claims_first => {
                tx.remember(&key.text, &memory, &rows).await?;
                tx.commit().await?;
            }
            Some(key::Key { text: key, fingerprint }) => {
                let result = Some(memory.as_str());
                tx.commit_under(Some(&KeyUse { key, fingerprint, result, rows: &rows })).await?;
            }
            None => tx.commit().await?,
        }
        Ok(report)
    }

    async fn effect(&self, tx: &Tx, drafts: Vec<Draft>) -> Result<Report> {
        let (slice, input) = (self.call.slice, &self.call.input);
        let noun = slice.noun;
        match self.call.verb {
            Verb::Generic(Operation::BulkUpsert) => self.bulk(tx, drafts).await,
            Verb::Generic(Operation::Delete) => {
                let (id, part_of) = (input.id("id", noun)?, slice.rules.part_of.as_ref());
                tx.actor().require(noun.write)?;
                tx.lock_whole(noun, part_of, id).await?;
                let row = match tx.lock_one(noun, noun.write, id, input.int("expectedVersion")?).await? {
                    Ok(record) => match tx.delete(noun, &record).await? {
                        Ok(()) => {
                            tx.close_gap(noun, part_of, &record).await?;
                            (slice.rules.deleted)(tx, &record).await?;
                            Written { id, outcome: Outcome::Deleted, errors: Vec::new(), row: None }
                        }
                        Err(error) => Written::failed(id, vec![error]),
                    },
                    Err(error) => Written::failed(id, vec![error]),
                };
                Ok(Report::of(row))
            }
            Verb::Archive(is_archived) => {
                let row =
                    match tx.lock_one(noun, noun.write, input.id("id", noun)?, input.int("expectedVersion")?).await? {
                        Ok(record) => {
                            let id = record.id();
                            match tx.archive(noun, &slice.rules, record, is_archived).await? {
                                Ok(true) => {
                                    Written { id: Some(id), outcome: Outcome::Updated, errors: Vec::new(), row: None }
                                }
                                Ok(false) => {
                                    Written { id: Some(id), outcome: Outcome::Unchanged, errors: Vec::new(), row: None }
                                }
                                Err(error) => Written::failed(Some(id), vec![error]),
                            }
                        }
                        Err(error) => Written::failed(input.id("id", noun)?, vec![error]),
                    };
                Ok(Report::of(row))
            }
            Verb::Generic(operation) => {
                let mut draft = input::draft(noun, operation, input, input::on_null(operation, input)?)?;
                if noun.tenant == "id" {
                    draft.target = crate::store::draft::Target::Id(Some(tx.organization().0));
                }
                if operation == Operation::Upsert {
                    draft.mode = mode(input)?;
                }
                tx.trust_references();
                let rows = tx.write(noun, &slice.rules, &mut [draft], true).await?;
                Ok(Report { rows, ..Report::default() })
            }
            Verb::Set(relation) => self.done(set::named(tx, input, noun, relation).await?),
            Verb::Own(mutation) => self.done(match mutation.run {
                Run::Direct(run) => run(tx, input).await?,
                Run::Planned { run, .. } => run(tx, self.prepared.plan.own()?).await?,
            }),
        }
    }

    fn done(&self, done: Done) -> Result<Report> {
        Ok(Report::of(match done {
            Ok((id, outcome)) => Written { id: Some(id), outcome, errors: Vec::new(), row: None },
            Err(errors) => Written::failed(self.call.input.id("id", self.call.slice.noun)?, errors),
        }))
    }

    async fn bulk(&self, tx: &Tx, mut drafts: Vec<Draft>) -> Result<Report> {
        let (noun, rules) = (self.call.slice.noun, &self.call.slice.rules);
        let is_all_or_nothing = self.call.input.text("policy")? != Some(Policy::SkipInvalid.name());
        let rows = tx.write(noun, rules, &mut drafts, is_all_or_nothing).await?;
        let failed = rows.iter().filter(|row| !row.errors.is_empty()).count();
        if failed > 0 && is_all_or_nothing {
            let message = format!("{failed} of {} rows failed, so nothing was written", rows.len());
            return Ok(Report {
                rows,
                errors: vec![UserError::new(Code::Invalid, "rows", message)],
                ..Report::default()
            });
        }
        Ok(Report { rows, ..Report::default() })
    }
}

pub(super) fn mode(input: &Input) -> Result<Mode> {
    Ok(input.text("mode")?.and_then(Mode::parse).unwrap_or(Mode::Upsert))
}

entity::named! {
    /// What one wrong row does to the others of a bulk call.
    Policy as "BulkPolicy" {
        /// Nothing is written.
        AllOrNothing = "ALL_OR_NOTHING",
        /// The others are written.
        SkipInvalid = "SKIP_INVALID",
    }
}

/// The mutation fields of a noun, each with what it does.
pub fn verbs(slice: &'static Slice) -> Vec<(String, Verb)> {
    let noun: &'static Noun = slice.noun;
    let (one, many) = (noun.singular, noun.plural);
    let mut verbs = Vec::new();
    for operation in noun.operations {
        match operation {
            Operation::List => {}
            Operation::Create => verbs.push((format!("{one}Create"), Verb::Generic(*operation))),
            Operation::Update => verbs.push((format!("{one}Update"), Verb::Generic(*operation))),
            Operation::Upsert => verbs.push((format!("{one}Upsert"), Verb::Generic(*operation))),
            Operation::BulkUpsert => verbs.push((format!("{many}BulkUpsert"), Verb::Generic(*operation))),
            Operation::Delete => verbs.push((format!("{one}Delete"), Verb::Generic(*operation))),
            Operation::Archive => {
                verbs.push((format!("{one}Archive"), Verb::Archive(true)));
                verbs.push((format!("{one}Unarchive"), Verb::Archive(false)));
            }
        }
    }
    for name in slice.sets {
        let relation = noun.relation(name).expect("a set is a relation of its noun");
        let (first, rest) = name.split_at(1);
        verbs.push((format!("{one}Set{}{rest}", first.to_ascii_uppercase()), Verb::Set(relation)));
    }
    verbs.extend(slice.mutations.iter().map(|mutation| (mutation.name.to_owned(), Verb::Own(mutation))));
    verbs
}
