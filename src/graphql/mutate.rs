//! Mutations: each field is one transaction with its effect, its idempotency row and its events.

use std::sync::Arc;

use async_graphql::Value;
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use entity::{
    Noun, Permission,
    noun::{Link, Named, Operation, Relationship, Writable},
};

use super::{
    input::{self, Input},
    report::Report,
    set,
    slice::{Done, Mutation, Slice},
};
use crate::{
    Error, Result, UserError,
    auth::Actor,
    error::Code,
    store::{
        Claim, KeyUse, Scope, Tx,
        draft::{Mode, Outcome, Written},
    },
};

/// Most rows of one bulk call.
const MOST_ROWS: usize = 1_000;
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
    let (scope, call) = (scope.clone().shared(), Arc::new(Call { slice, verb, key: Key::new(field, &input)?, input }));
    let task = tokio::spawn(async move {
        // At first in the cheapest way, which takes no notice of what others do meanwhile; then with care.
        let mut way = call.first_way();
        let mut tries = 1;
        loop {
            match call.attempt(&scope, way).await {
                Err(Error::Collision) if tries < MOST_TRIES => tries += 1,
                // What fails now may have been done already, under this key.
                Err(_) if way == Way::Hopeful && call.key.is_some() => {}
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
    /// What costs much is not done to find that its key was used.
    fn first_way(&self) -> Way {
        let costs_much = matches!(self.verb, Verb::Generic(Operation::BulkUpsert) | Verb::Own(_));
        if self.key.is_some() && costs_much { Way::Careful } else { Way::Hopeful }
    }

    async fn attempt(&self, scope: &Scope, way: Way) -> Result<Report> {
        if let Some(mistake) = self.key.as_ref().and_then(Key::mistake) {
            return Ok(Report { errors: vec![mistake], ..Report::default() });
        }
        let tx = if way == Way::Hopeful { scope.begin_later().await? } else { scope.begin().await? };
        let claims_first = !tx.gathers();
        if let Some(key) = self.key.as_ref().filter(|_| claims_first) {
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
            tx.settle().await?;
            // What fails now may have been done already, under this key, or for a row that is none or another by now.
            let is_certain = claims_first || (self.key.is_none() && !tx.trusts_references() && !tx.relies());
            tx.roll_back().await?;
            return if is_certain { Ok(report) } else { Err(Error::Collision) };
        }
        report.told = tx.told();
        let memory = report.memory();
        match &self.key {
            Some(key) if claims_first => {
                tx.remember(&key.text, &memory).await?;
                tx.commit().await?;
            }
            Some(Key { text: key, fingerprint }) => {
                tx.commit_under(Some(&KeyUse { key, fingerprint, result: Some(&memory) })).await?;
            }
            None => tx.commit().await?,
        }
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
                            match tx.archive(noun, &self.slice.rules, record, is_archived).await? {
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
                let rows = tx.write(noun, &self.slice.rules, &mut [draft], true).await?;
                Ok(Report { rows, ..Report::default() })
            }
            Verb::Set(relation) => self.done(set::named(tx, input, noun, relation).await?),
            Verb::Own(mutation) => self.done((mutation.run)(tx, input).await?),
        }
    }

    fn done(&self, done: Done) -> Result<Report> {
        Ok(Report::of(match done {
            Ok((id, outcome)) => Written { id: Some(id), outcome, errors: Vec::new(), row: None },
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
        let on_null = input::on_null(Operation::BulkUpsert, &self.input)?;
        for row in given {
            let mut draft = input::draft(noun, Operation::BulkUpsert, &Input::of("rows", row)?, on_null)?;
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
