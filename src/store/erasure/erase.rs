//! Erases the data about a person and keeps the rows for counts: empties the person's own row and hides the other data
//! at once; empties the rows about the person in steps.

use std::collections::{BTreeMap, HashMap};

use aws_lc_rs::{hmac, rand};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use entity::{
    event::EventOperation,
    id,
    noun::Noun,
    personal::{self, ERASED_AT, PERSON},
};
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};

use super::{
    ledger::{Entry, Erasure, Part},
    mask::nothing,
    merged::Merged,
    subject_rows::Place,
};
use crate::{
    Error, Result,
    auth::Actor,
    store::{
        Connection, ExternalId, Scope, Tx,
        operation::jobs::{Job, Kind, NewJob, StepResult},
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind, Column, Record, column_named},
        },
        writing::lifecycle::ended_by_erasure,
    },
};

/// Maximum number of rows that one step empties. A smaller erasure is done in one transaction.
pub const STEP: usize = 200;

/// The job that empties the rows about a person.
pub(in crate::store) static JOB: Kind =
    Kind { name: "ERASURE", step: |scope, job| Box::pin(scope.step_erasure(job)), standing: None };

/// The erasure that a transaction performs.
#[derive(Clone, Debug)]
pub(in crate::store) struct Erasing {
    /// Entries that are not yet in the ledger file.
    pub entries: Vec<Entry>,
}

/// Progress of an erasure.
#[derive(Serialize, Deserialize)]
struct Progress {
    /// The subject that requested it.
    subject: String,
    /// The API client of the request.
    client: Option<String>,
    /// Where the next step begins; `None` when all rows are emptied.
    place: Option<Place>,
}

impl Progress {
    fn text(&self) -> String {
        serde_json::json!(self).to_string()
    }
}

impl Scope {
    /// Performs the next step of an erasure: empties some rows, or completes it once the data has left the files.
    pub(in crate::store) async fn step_erasure(&self, job: &Job) -> Result<StepResult> {
        let unreadable = || Error::internal("the progress of an erasure cannot be read");
        let mut progress: Progress = serde_json::from_str(&job.progress).map_err(|_| unreadable())?;
        let erasure = self.erasure(job.id).await?.ok_or_else(unreadable)?;
        if self.is_merging(erasure.person).await? {
            return Ok(StepResult::Waits);
        }
        // Events of the erasure carry the subject that requested it.
        let actor = Actor::operator(self.organization());
        let actor = Actor { subject: progress.subject.clone(), client: progress.client.clone(), ..actor };
        let scope = self.clone().by(actor);
        let Some(place) = progress.place.take() else { return scope.end_erasure(job).await };
        let page = scope.about(erasure.person, &place, STEP).await?;
        progress.place = page.next;
        let part = scope.part(&erasure, vec![(page.noun, page.ids)]).await?;
        if !part.rows.is_empty() {
            // The ledger is written before the commit, and before this step begins a transaction that others wait for.
            scope.store.append(vec![Entry::Part(part.clone())]).await?;
        }
        let tx = scope.begin().await?;
        if !tx.move_job(job, &progress.text()).await? {
            tx.roll_back().await?;
            return Ok(StepResult::Lost);
        }
        tx.empty_part(&erasure, &part).await?;
        tx.commit().await?;
        Ok(StepResult::On)
    }

    async fn end_erasure(&self, job: &Job) -> Result<StepResult> {
        if !self.store.clean().await? {
            return Ok(StepResult::Waits);
        }
        let tx = self.begin().await?;
        if !tx.end_job(job).await? {
            tx.roll_back().await?;
            return Ok(StepResult::Lost);
        }
        tx.move_erasure(job.id, 0, true).await?;
        tx.commit().await?;
        Ok(StepResult::Done)
    }
}

impl<C: Connection> Scope<C> {
    /// Creates a part of an erasure with these rows.
    async fn part(&self, erasure: &Erasure, rows: Vec<(&'static Noun, Vec<Uuid>)>) -> Result<Part> {
        let organization = self.organization().0;
        let (rows_by_name, identifiers) = (BTreeMap::new(), Vec::new());
        let mut part = Part { id: id::new(), organization, erasure: erasure.id, rows: rows_by_name, identifiers };
        for (noun, ids) in rows.into_iter().filter(|(_, ids)| !ids.is_empty()) {
            if noun.has_external_ids {
                let carried = self.kept_external_ids(noun, &ids, false).await?;
                part.identifiers.extend(carried.values().flatten().map(|key| hash(&erasure.salt, noun, key)));
            }
            part.rows.entry(noun.name.to_owned()).or_default().extend(ids);
        }
        part.identifiers.sort_unstable();
        Ok(part)
    }
}

impl Tx {
    /// Erases a person. Returns false if the person does not exist or is already erased.
    pub async fn erase(&self, person: Uuid) -> Result<bool> {
        self.require_whole_organization()?;
        let record = self.lock_person(person).await?;
        if record.as_ref().is_none_or(|record| !record.cell(ERASED_AT).is_null()) {
            return Ok(false);
        }
        let mut erasure = Erasure {
            id: id::new(),
            organization: self.organization().0,
            person,
            erased_at: self.now().timestamp_millis(),
            salt: self.salt().await?,
            identifiers: Vec::new(),
        };
        self.empty_person(record, &mut erasure).await?;
        let Merged { mut entries, is_merging } = self.erase_merged(&erasure).await?;
        // A small number of rows is emptied at once; not before those of merged people were moved.
        let (mut rows, mut count, mut place) = (Vec::new(), 0, Place::below_person());
        while let Some(at) = place.as_ref().filter(|_| count <= STEP && !is_merging) {
            let page = self.about(person, at, STEP + 1).await?;
            count += page.ids.len();
            rows.push((page.noun, page.ids));
            place = page.next;
        }
        if count > STEP || is_merging {
            self.go_on(&erasure).await?;
            entries.insert(0, Entry::Erasure(erasure));
            self.erases(Erasing { entries });
            return Ok(true);
        }
        let part = self.part(&erasure, rows).await?;
        self.empty_part(&erasure, &part).await?;
        self.move_erasure(erasure.id, 0, true).await?;
        entries.insert(0, Entry::Erasure(erasure));
        entries.extend((!part.rows.is_empty()).then_some(Entry::Part(part)));
        self.erases(Erasing { entries });
        Ok(true)
    }

    /// Repeats an erasure from the ledger. Returns false if this database knows it already.
    pub async fn repeat_erasure(&self, erasure: &Erasure) -> Result<bool> {
        if self.erasure(erasure.id).await?.is_some() {
            return Ok(false);
        }
        let record = self.lock_person(erasure.person).await?;
        self.empty_person(record, &mut erasure.clone()).await?;
        self.forget_snapshots(erasure.person).await?;
        self.go_on(erasure).await?;
        self.erases(Erasing { entries: Vec::new() });
        Ok(true)
    }

    /// Empties the rows of a part from the ledger, at most [`STEP`] of them beginning at the index `from`. Only its ids
    /// identify rows that came to refer to the person after the backup. Returns how many rows are left.
    pub async fn erase_part_again(&self, part: &Part, from: usize) -> Result<usize> {
        let Some(erasure) = self.erasure(part.erasure).await? else { return Ok(0) };
        if self.knows_part(part.id).await? {
            return Ok(0);
        }
        let nouns = personal::about_a_person();
        let known = |name: &String| nouns.iter().copied().find(|noun| noun.name == name);
        let rows = part.rows.iter().filter_map(|(name, ids)| Some((known(name)?, ids)));
        let all: Vec<(&'static Noun, Uuid)> =
            rows.flat_map(|(noun, ids)| ids.iter().map(move |id| (noun, *id))).collect();
        let some = &all[from.min(all.len())..(from + STEP).min(all.len())];
        let mut by_noun: Vec<(&'static Noun, Vec<Uuid>)> = Vec::new();
        for (noun, id) in some {
            match by_noun.iter_mut().find(|(known, _)| known.table == noun.table) {
                Some((_, ids)) => ids.push(*id),
                None => by_noun.push((noun, vec![*id])),
            }
        }
        let left = all.len().saturating_sub(from + STEP);
        let emptied = self.empty(&erasure, &by_noun).await?;
        self.move_erasure(erasure.id, emptied, false).await?;
        if left == 0 {
            self.enter_part(part).await?;
        }
        Ok(left)
    }

    /// Locks the person's row exclusively, which waits for transactions that refer to it: the steps see their rows.
    pub(super) async fn lock_person(&self, person: Uuid) -> Result<Option<Record>> {
        let mut sql = self.sql();
        if sql.is_postgres() {
            sql.push("SELECT t.organization_id FROM customer AS t WHERE ");
            sql.filter_tenant(Alias::ROW, PERSON, self.organization());
            sql.push(" AND t.id = ").bind(person).push(" FOR UPDATE");
            self.rows(sql.finish(), &[]).await?;
        }
        Ok(self.lock_as(PERSON, &[person], false).await?.remove(&person))
    }

    /// Empties the person's own row, and records the erasure with the hashes of the person's external ids.
    pub(super) async fn empty_person(&self, record: Option<Record>, erasure: &mut Erasure) -> Result<()> {
        let ids: Vec<Uuid> = record.iter().map(Record::id).collect();
        let own = self.part(erasure, vec![(PERSON, ids.clone())]).await?;
        erasure.identifiers.extend(own.identifiers);
        let emptied = self.empty(erasure, &[(PERSON, ids)]).await?;
        let mut sql = self.sql();
        sql.push("INSERT INTO erasure (organization_id, id, person_id, erased_at, salt, row_count) VALUES (");
        sql.bind_tenant(self.organization()).push(", ").bind(erasure.id).push(", ").bind(erasure.person).push(", ");
        sql.bind(erasure.erased_at).push(", ").bind(erasure.salt.as_str()).push(", ").bind(emptied).push(")");
        self.execute(sql.finish()).await?;
        self.enter_identifiers(erasure.id, None, &erasure.identifiers).await?;
        self.overwrite_unknown_fingerprints().await
    }

    /// Leaves the rows about the person to a job.
    pub(super) async fn go_on(&self, erasure: &Erasure) -> Result<()> {
        let actor = self.actor();
        let place = Place::below_person();
        let progress = Progress { subject: actor.subject.clone(), client: actor.client.clone(), place };
        let (id, row, progress) = (erasure.id, erasure.person, progress.text());
        self.begin_job(&NewJob { id, kind: &JOB, row, progress, run_at: None }).await
    }

    /// Empties the rows of a part and records the part.
    async fn empty_part(&self, erasure: &Erasure, part: &Part) -> Result<()> {
        if part.rows.is_empty() {
            return Ok(());
        }
        let nouns = personal::about_a_person();
        let rows = part
            .rows
            .iter()
            .filter_map(|(name, ids)| Some((nouns.iter().copied().find(|noun| noun.name == name)?, ids.clone())));
        let emptied = self.empty(erasure, &rows.collect::<Vec<_>>()).await?;
        self.move_erasure(erasure.id, emptied, false).await?;
        self.enter_part(part).await
    }

    /// Empties rows, and returns how many of them held erasable data.
    async fn empty(&self, erasure: &Erasure, rows: &[(&'static Noun, Vec<Uuid>)]) -> Result<i64> {
        let mut count = 0;
        for (noun, ids) in rows.iter().filter(|(_, ids)| !ids.is_empty()) {
            let carried = if noun.has_external_ids {
                self.kept_external_ids(noun, ids, false).await?
            } else {
                HashMap::default()
            };
            let (mut emptied, mut ended) = (Vec::new(), Vec::new());
            for record in self.lock_as(noun, ids, false).await?.into_values() {
                let mut changes = emptied_columns(noun, &record, erasure.erased_at);
                if let Some((end, change)) = ended_by_erasure(noun, &record, self.now(), &self.actor().subject) {
                    changes.extend(end);
                    ended.push(change);
                }
                let mut fields: Vec<&'static str> = changes.iter().map(|(column, _)| column.field).collect();
                fields.extend(carried.contains_key(&record.id()).then_some("externalIds"));
                if !fields.is_empty() {
                    let now = Cell::Int(self.now().timestamp_millis());
                    emptied.push((record.changed(&changes, &now), fields));
                }
            }
            emptied.sort_by_key(|(record, _)| record.id());
            count += i64::try_from(emptied.len()).unwrap_or(i64::MAX);
            if !carried.is_empty() {
                self.forget_external_ids(noun, ids).await?;
            }
            self.put(noun, emptied, EventOperation::Erased).await?;
            if let Some(lifecycle) = noun.lifecycle().filter(|_| !ended.is_empty()) {
                self.make_all(lifecycle.history.target, &ended).await?;
            }
            self.unindex_erased(noun, ids);
            self.overwrite_fingerprints(ids).await?;
        }
        Ok(count)
    }

    /// Returns the organization's newest salt, or generates one.
    async fn salt(&self) -> Result<String> {
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.salt FROM erasure AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
        sql.push(" ORDER BY t.erased_at DESC, t.id DESC LIMIT 1");
        let rows = self.rows(sql.finish(), &[CellKind::Text]).await?;
        if let Some(salt) = rows.first().and_then(|row| row[0].text()) {
            return Ok(salt.to_owned());
        }
        let mut bits = [0; 32];
        rand::fill(&mut bits).map_err(|_| Error::internal("the system has no random numbers"))?;
        Ok(URL_SAFE_NO_PAD.encode(bits))
    }

    /// Adds to the number of emptied rows of an erasure, and records its completion.
    pub(super) async fn move_erasure(&self, id: Uuid, emptied: i64, is_done: bool) -> Result<()> {
        let mut sql = self.sql();
        sql.push("UPDATE erasure AS t SET row_count = row_count + ").bind(emptied);
        if is_done {
            sql.push(", done_at = ").bind(self.now().timestamp_millis());
        }
        sql.push(" WHERE ").filter_tenant(Alias::ROW, "organization_id", self.organization());
        sql.push(" AND t.id = ").bind(id).push(" RETURNING organization_id");
        self.rows(sql.finish(), &[]).await.map(drop)
    }

    /// Records a part in the database.
    async fn enter_part(&self, part: &Part) -> Result<()> {
        let mut sql = self.sql();
        sql.push("INSERT INTO erasure_part (organization_id, id, erasure_id, erased_rows) VALUES (");
        sql.bind_tenant(self.organization()).push(", ").bind(part.id).push(", ").bind(part.erasure).push(", ");
        sql.bind(serde_json::json!(part.rows).to_string()).push(")");
        self.execute(sql.finish()).await?;
        self.enter_identifiers(part.erasure, Some(part.id), &part.identifiers).await
    }

    async fn enter_identifiers(&self, erasure: Uuid, part: Option<Uuid>, identifiers: &[String]) -> Result<()> {
        for some in identifiers.chunks(5_000) {
            let mut sql: Sql = self.sql();
            let part = part.map_or(Cell::Null, Cell::Id);
            let rows: Vec<_> =
                some.iter().map(|hash| [Cell::Text(hash.clone()), Cell::Id(erasure), part.clone()]).collect();
            sql.push("INSERT INTO erasure_identifier (organization_id, hash, erasure_id, part_id) ");
            sql.tenant_rows(self.organization(), [CellKind::Text, CellKind::Id, CellKind::Id], &rows);
            sql.push(" ON CONFLICT (organization_id, hash) DO NOTHING");
            self.execute(sql.finish()).await?;
        }
        Ok(())
    }
}

/// Returns the columns of a row that hold erasable data, each with its empty value.
fn emptied_columns(noun: &'static Noun, record: &Record, erased_at: i64) -> Vec<(Column, Cell)> {
    let erasable = noun.all_fields().filter(|field| field.is_erasable());
    let mut changes: Vec<(Column, Cell)> = erasable
        .map(|field| (Column::of(field), nothing(field)))
        .filter(|(column, nothing)| record.cell(column.name) != nothing)
        .collect();
    if noun.table == PERSON.table && record.cell(ERASED_AT).is_null() {
        changes.push((column_named(noun, ERASED_AT), Cell::Int(erased_at)));
    }
    changes
}

/// Hash by which a removed external id is recognized.
pub(in crate::store) fn hash(salt: &str, noun: &Noun, key: &ExternalId) -> String {
    let secret = hmac::Key::new(hmac::HMAC_SHA256, salt.as_bytes());
    let text = format!("{}\0{}\0{}", noun.table, key.system, key.id);
    URL_SAFE_NO_PAD.encode(hmac::sign(&secret, text.as_bytes()))
}
