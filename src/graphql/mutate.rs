//! Mutations: each field is one transaction with its effect, its idempotency row and its events.

use std::sync::Arc;

use async_graphql::Value;
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use entity::{
    Noun, Permission,
    noun::{Link, Named, Operation, Relationship, Writable},
};
use sea_orm::prelude::Uuid;
use secrecy::SecretString;

use super::{
    input::{self, Input},
    set,
    slice::{Done, Mutation, Slice},
};
use crate::{
    Error, Result, UserError,
    auth::Actor,
    error::Code,
    store::{
        Claim, ReportRow, Scope, Tx,
        draft::{Mode, Outcome, Written},
    },
};

/// Most rows of one bulk call.
const MOST_ROWS: usize = 1_000;
/// How often a transaction runs that others got in the way of.
const MOST_TRIES: usize = 4;

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

/// Runs a mutation to its end, whatever becomes of the caller: a lost connection cannot cut it short.
pub async fn run(
    scope: &Scope,
    slice: &'static Slice,
    verb: Verb,
    field: &str,
    input: Input<'static>,
) -> Result<Report> {
    verb.require(slice.noun, scope.actor())?;
    let (scope, call) = (scope.clone(), Arc::new(Call { slice, verb, key: Key::new(field, &input)?, input }));
    let task = tokio::spawn(async move {
        let mut tries = 1;
        loop {
            match call.attempt(&scope).await {
                Err(Error::Collision) if tries < MOST_TRIES => tries += 1,
                done => return done,
            }
        }
    });
    match task.await {
        Ok(done) => done,
        // As if it had happened here: nothing was committed, and the edge answers for it.
        Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
        Err(_) => Err(Error::Unavailable),
    }
}

struct Call {
    slice: &'static Slice,
    verb: Verb,
    key: Option<Key>,
    input: Input<'static>,
}

/// An idempotency key and the fingerprint of the call it was given with.
struct Key {
    text: String,
    fingerprint: String,
}

impl Key {
    fn new(field: &str, input: &Input) -> Result<Option<Self>> {
        let Some(text) = input.text("idempotencyKey")? else { return Ok(None) };
        let mut canonical = field.to_owned();
        let mut fields: Vec<_> = input.fields().filter(|(name, _)| *name != "idempotencyKey").collect();
        fields.sort_by_key(|(name, _)| *name);
        for (name, value) in fields {
            canonical.push_str(name);
            write_canonical(value, &mut canonical);
        }
        let digest = digest(&SHA256, canonical.as_bytes());
        let fingerprint = URL_SAFE_NO_PAD.encode(digest.as_ref());
        Ok(Some(Self { text: text.to_owned(), fingerprint }))
    }

    fn mistake(&self) -> Option<UserError> {
        let is_sound =
            (1..=255).contains(&self.text.len()) && self.text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        let message = "a key is 1 to 255 printable ASCII characters";
        (!is_sound).then(|| UserError::new(Code::Invalid, "idempotencyKey", message))
    }
}

/// A value as text that is equal for equal values: object fields in order, literals and variables alike.
fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by_key(|(name, _)| name.as_str());
            text.push('{');
            for (name, value) in sorted {
                text.push_str(name);
                text.push(':');
                write_canonical(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::List(items) => {
            text.push('[');
            for item in items {
                write_canonical(item, text);
                text.push(',');
            }
            text.push(']');
        }
        Value::Enum(name) => write_canonical(&Value::String(name.to_string()), text),
        other => text.push_str(&serde_json::to_string(other).unwrap_or_default()),
    }
}

impl Call {
    async fn attempt(&self, scope: &Scope) -> Result<Report> {
        if let Some(mistake) = self.key.as_ref().and_then(Key::mistake) {
            return Ok(Report { errors: vec![mistake], ..Report::default() });
        }
        let tx = scope.begin().await?;
        if let Some(key) = &self.key {
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
        let mut report = self.effect(&tx).await?;
        report.reports = tx.reports();
        let is_whole_failure =
            !report.errors.is_empty() || report.rows.iter().all(|row| row.outcome == Outcome::Failed);
        if is_whole_failure || tx.is_trial() {
            // A failed validation is not remembered: the caller may mend the input and use the key again. Nor is a
            // trial, which has no effect to repeat.
            tx.roll_back().await?;
            return Ok(report);
        }
        if let Some(key) = &self.key {
            tx.remember(&key.text, &report.memory()).await?;
        }
        report.told = tx.told();
        tx.commit().await?;
        Ok(report)
    }

    async fn effect(&self, tx: &Tx) -> Result<Report> {
        let (noun, input) = (self.slice.noun, &self.input);
        match self.verb {
            Verb::Generic(Operation::BulkUpsert) => self.bulk(tx).await,
            Verb::Generic(Operation::Delete) => {
                let (id, part_of) = (input.id("id", noun)?, self.slice.rules.part_of.as_ref());
                tx.actor().require(noun.write)?;
                tx.lock_whole(noun, part_of, id).await?;
                let row = match tx.lock_one(noun, noun.write, id, input.int("expectedVersion")?).await? {
                    Ok(record) => match tx.delete(noun, &record).await? {
                        Ok(()) => {
                            tx.close_gap(noun, part_of, &record).await?;
                            (self.slice.rules.deleted)(tx, &record).await?;
                            Written { id, outcome: Outcome::Deleted, errors: Vec::new() }
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
                            match tx.archive(noun, &self.slice.rules, record, is_archived).await? {
                                Ok(true) => Written { id: Some(id), outcome: Outcome::Updated, errors: Vec::new() },
                                Ok(false) => Written { id: Some(id), outcome: Outcome::Unchanged, errors: Vec::new() },
                                Err(error) => Written::failed(Some(id), vec![error]),
                            }
                        }
                        Err(error) => Written::failed(input.id("id", noun)?, vec![error]),
                    };
                Ok(Report::of(row))
            }
            Verb::Generic(operation) => {
                let mut draft = input::draft(noun, operation, input)?;
                if noun.tenant == "id" {
                    draft.target = crate::store::draft::Target::Id(Some(tx.organization().0));
                }
                if operation == Operation::Upsert {
                    draft.mode = mode(input)?;
                }
                let rows = tx.write(noun, &self.slice.rules, &mut [draft], true).await?;
                Ok(Report { rows, ..Report::default() })
            }
            Verb::Set(relation) => self.done(set::named(tx, input, noun, relation).await?),
            Verb::Own(mutation) => self.done((mutation.run)(tx, input).await?),
        }
    }

    fn done(&self, done: Done) -> Result<Report> {
        Ok(Report::of(match done {
            Ok((id, outcome)) => Written { id: Some(id), outcome, errors: Vec::new() },
            Err(errors) => Written::failed(self.input.id("id", self.slice.noun)?, errors),
        }))
    }

    async fn bulk(&self, tx: &Tx) -> Result<Report> {
        let (noun, given) = (self.slice.noun, self.input.list("rows"));
        let mistake = |code, message: String| {
            Ok(Report { errors: vec![UserError::new(code, "rows", message)], ..Report::default() })
        };
        if given.is_empty() {
            return mistake(Code::Required, "there are no rows".to_owned());
        }
        if given.len() > MOST_ROWS {
            return mistake(Code::TooLong, format!("there are more than {MOST_ROWS} rows"));
        }
        let (mode, mut drafts) = (mode(&self.input)?, Vec::with_capacity(given.len()));
        for row in given {
            let mut draft = input::draft(noun, Operation::BulkUpsert, &Input::of("rows", row)?)?;
            draft.mode = mode;
            drafts.push(draft);
        }
        let is_all_or_nothing = self.input.text("policy")? != Some(Policy::SkipInvalid.name());
        let rows = tx.write(noun, &self.slice.rules, &mut drafts, is_all_or_nothing).await?;
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

fn mode(input: &Input) -> Result<Mode> {
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

impl Written {
    fn failed(id: Option<Uuid>, errors: Vec<UserError>) -> Self {
        Self { id, outcome: Outcome::Failed, errors }
    }
}

impl Report {
    fn of(row: Written) -> Self {
        Self { rows: vec![row], ..Self::default() }
    }

    /// What is remembered under an idempotency key: ids, outcomes and errors, never field values.
    fn memory(&self) -> String {
        let rows: Vec<Remembered> = self.rows.iter().map(Remembered::of).collect();
        serde_json::json!(rows).to_string()
    }

    fn recall(memory: &str) -> Result<Self> {
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
        Some(Written { id: self.id, outcome: Outcome::parse(&self.outcome)?, errors })
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
