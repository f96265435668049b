//! Finds and locks the rows of drafts, and resolves the references of drafts.

use std::collections::{HashMap, HashSet};

use entity::{
    Permission, id,
    noun::{Noun, Relationship},
};
use sea_orm::prelude::Uuid;

use super::{
    draft::{Draft, Mode, Reference, Target},
    external_id_changes::{compare_external_ids, refuse_masked, refuse_taken, unmasked},
    hooks::ChildOf,
    reference::Waiting,
};
use crate::{
    Error, Result,
    error::{Code, UserError},
    store::{
        Tx,
        scope::ExternalId,
        statement::{
            builder::Alias,
            cell::{Cell, CellKind, Record, columns},
        },
    },
};

impl Tx {
    /// Finds the rows of the drafts and locks them, ordered by id. If the rows are parts of parents, locks the parents
    /// first.
    pub(in crate::store) async fn find(
        &self,
        noun: &'static Noun,
        child_of: Option<&ChildOf>,
        drafts: &mut [Draft],
    ) -> Result<()> {
        let named: Vec<ExternalId> = drafts.iter().flat_map(Draft::keys).cloned().collect();
        let owners = self.owners(noun, &named, true).await?;
        for draft in drafts.iter_mut() {
            draft.id = match &draft.target {
                Target::New => id::new(),
                Target::Row(Reference::Id(known)) => known.unwrap_or_default(),
                Target::Row(Reference::External(key)) => unmasked(&owners, key).unwrap_or_default(),
                Target::External(_) => draft.found(&owners).unwrap_or_else(id::new),
            };
        }
        let ids: Vec<Uuid> = drafts.iter().map(|draft| draft.id).collect();
        let is_new = drafts.iter().all(|draft| matches!(draft.target, Target::New));
        if let Some(child_of) = child_of {
            self.resolve(drafts, |relation| relation.name == child_of.relation).await?;
            let named = drafts.iter().map(|draft| draft.cell(child_of.column(noun))).filter_map(Cell::id).collect();
            self.lock_parents(noun, child_of, named, if is_new { &[] } else { &ids }).await?;
        }
        let mut rows = if is_new { HashMap::new() } else { self.lock(noun, &ids).await? };
        self.follow(noun, drafts, &mut rows).await?;
        let given: Vec<Uuid> = rows.keys().copied().collect();
        let carried = if drafts.iter().any(Draft::gives_external_ids) {
            self.external_ids(noun, &given).await?
        } else {
            HashMap::new()
        };
        for draft in drafts.iter_mut() {
            draft.current = rows.get(&draft.id).cloned();
            if draft.is_new() && draft.found(&owners).is_some() && self.narrows(noun) {
                refuse_unseen(draft);
            } else if draft.is_new() && draft.found(&owners).is_some() {
                // The row was deleted after it was found. Retry; otherwise the draft would create a row with the same
                // id again.
                return Err(Error::Collision);
            }
            check_target(draft);
            refuse_masked(draft, &owners);
            compare_external_ids(draft, carried.get(&draft.id).map_or(&[], Vec::as_slice));
        }
        refuse_taken(drafts, &owners);
        let mut earlier = Earlier::default();
        for draft in drafts.iter_mut() {
            earlier.check(draft);
        }
        Ok(())
    }

    /// Names, in drafts whose rows were merged into others, the rows that these became, and locks them.
    async fn follow(&self, noun: &'static Noun, drafts: &mut [Draft], rows: &mut HashMap<Uuid, Record>) -> Result<()> {
        let is_missing =
            |draft: &&mut Draft| matches!(draft.target, Target::Row(Reference::Id(_))) && !rows.contains_key(&draft.id);
        let missing: Vec<Uuid> = drafts.iter_mut().filter(is_missing).map(|draft| draft.id).collect();
        let winners = self.merged_into(noun, missing).await?;
        let unlocked: Vec<Uuid> = winners.values().copied().filter(|id| !rows.contains_key(id)).collect();
        if !unlocked.is_empty() {
            rows.extend(self.lock(noun, &unlocked).await?);
        }
        for draft in drafts.iter_mut() {
            draft.id = winners.get(&draft.id).copied().unwrap_or(draft.id);
        }
        Ok(())
    }

    /// Locks one row for a caller with the permission to change it. Returns a user error if it does not exist or has
    /// another version than expected.
    pub async fn lock_one(
        &self,
        noun: &'static Noun,
        permission: Permission,
        reference: &Reference,
        expected_version: Option<i64>,
    ) -> Result<Result<Record, UserError>> {
        self.actor().require(permission)?;
        let id = self.named_row(noun, reference).await?.unwrap_or_default();
        let mut record = self.lock(noun, &[id]).await?.remove(&id);
        if record.is_none()
            && let Some(winner) = self.merged_into(noun, [id]).await?.remove(&id)
        {
            record = self.lock(noun, &[winner]).await?.remove(&winner);
        }
        let Some(record) = record else {
            return Ok(Err(UserError::new(Code::NotFound, "by", format!("no such {}", noun.name))));
        };
        if expected_version.is_some_and(|expected| expected != record.version()) {
            let message = format!("version conflict: the row is at version {}", record.version());
            return Ok(Err(UserError::new(Code::Conflict, "expectedVersion", message)));
        }
        Ok(Ok(record))
    }

    /// Reads complete rows and locks them against changes until the end of the transaction. For rows about a person
    /// whose erasure is in progress, the values to erase are returned as empty, so writing such a row empties it. Rows
    /// that are being merged into others are left out, and references to them are returned as those to the others.
    pub async fn lock(&self, noun: &'static Noun, ids: &[Uuid]) -> Result<HashMap<Uuid, Record>> {
        self.lock_as(noun, ids, true).await
    }

    /// Like [`Tx::lock`], but returns the stored values unless `hides`; for rows that are about to be emptied.
    pub(in crate::store) async fn lock_as(
        &self,
        noun: &'static Noun,
        ids: &[Uuid],
        hides: bool,
    ) -> Result<HashMap<Uuid, Record>> {
        let columns = columns(noun);
        let mut sql = self.sql();
        sql.push("SELECT ").column(Alias::ROW, noun.tenant);
        for column in &columns {
            if hides {
                sql.push(", ").shown(noun, Alias::ROW, *column, self.organization());
            } else {
                let from = sql.length();
                sql.push(", ").column(Alias::ROW, column.name).behind(from);
            }
        }
        sql.push(" FROM ").name(&[noun.table]).push(" AS ").alias(Alias::ROW).push(" WHERE ");
        sql.filter_tenant(Alias::ROW, noun, self.organization()).push(" AND ");
        sql.is_one_of(Alias::ROW, "id", ids);
        if hides {
            sql.unmerged(noun, Alias::ROW, self.organization());
        }
        sql.push(" ORDER BY ").column(Alias::ROW, "id");
        if sql.is_postgres() {
            // The same lock strength as an update, and no stronger: transactions that only insert references to the row
            // do not wait.
            sql.push(" FOR NO KEY UPDATE");
        }
        let kinds: Vec<CellKind> = columns.iter().map(|column| column.kind).collect();
        let rows = self.rows(sql.finish(), &kinds).await?;
        let record =
            |cells: Vec<Cell>| Record { cells: columns.iter().copied().zip(cells).collect(), before: Vec::new() };
        let mut records: HashMap<Uuid, Record> =
            rows.into_iter().map(record).map(|record| (record.id(), record)).collect();
        if hides && self.sql().is_postgres() {
            // The statement may have waited for a merge that it did not see.
            for merged in self.merged_into(noun, records.keys().copied()).await?.keys() {
                records.remove(merged);
            }
        }
        Ok(records)
    }

    /// Resolves the references of the relations that satisfy `is_wanted`, in as few statements as
    /// [`Tx::resolve_references`] needs.
    pub(in crate::store) async fn resolve(
        &self,
        drafts: &mut [Draft],
        is_wanted: impl Fn(&Relationship) -> bool,
    ) -> Result<()> {
        let mut waiting: Vec<Waiting> = Vec::new();
        for (place, draft) in drafts.iter_mut().enumerate() {
            let (wanted, others) = std::mem::take(&mut draft.references).into_iter().partition(|(r, ..)| is_wanted(r));
            draft.references = others;
            let wanted: Vec<_> = wanted;
            waiting.extend(wanted.into_iter().map(|reference| (place, reference)));
        }
        if self.defers_reference_checks() {
            let mut unknown = Vec::new();
            for (place, (relation, column, reference)) in waiting {
                self.may_read(relation.target)?;
                // The foreign key does not know which rows the caller sees.
                if let Reference::Id(Some(id)) = reference
                    && !self.narrows(relation.target)
                {
                    self.leave_unmerged(relation.target);
                    drafts[place].values.push((column, Cell::Id(id)));
                } else {
                    unknown.push((place, (relation, column, reference)));
                }
            }
            waiting = unknown;
        }
        self.resolve_in(drafts, &waiting).await
    }
}

/// Rows and external ids of the earlier drafts of a call.
#[derive(Default)]
struct Earlier {
    rows: HashSet<Uuid>,
    keys: HashSet<ExternalId>,
}

impl Earlier {
    /// Adds an error to a draft whose row or external id an earlier draft of the call already has.
    fn check(&mut self, draft: &mut Draft) {
        let is_same_row = !draft.id.is_nil() && !self.rows.insert(draft.id);
        let shares = draft.external_ids.iter().find(|key| self.keys.contains(*key));
        let is_same_key = shares.is_some() && shares == draft.target_key();
        let shares = shares.is_some();
        self.keys.extend(draft.external_ids.iter().cloned());
        if is_same_row || is_same_key {
            let field = if matches!(draft.target, Target::Row(_)) { "by" } else { "externalId" };
            draft.refuse(Code::Taken, field, "an earlier row of this call identifies the same row");
        } else if shares {
            draft.refuse(Code::Taken, "externalIds", "an earlier row of this call has this external id");
        }
    }
}

/// Adds an error to a draft that names, by an external id, a row that the caller's departments do not see: it cannot be
/// written, and the external id is no other row's.
fn refuse_unseen(draft: &mut Draft) {
    if draft.mode != Mode::UpdateOnly {
        let message = format!("another {} already has this external id", draft.noun.name);
        draft.refuse(Code::Taken, "externalId", message);
    }
}

/// Adds an error to a draft if the existence or version of its row does not match its mode or expected version.
fn check_target(draft: &mut Draft) {
    let is_unnamed = matches!(draft.target, Target::Row(Reference::Id(None))) && !draft.errors.is_empty();
    if is_unnamed || draft.has_mistake_at("externalId") {
        // The invalid key is already reported.
        return;
    }
    let name = draft.noun.name;
    match (&draft.target, draft.mode, &draft.current) {
        (Target::Row(_), _, None) => draft.refuse(Code::NotFound, "by", format!("no such {name}")),
        (Target::External(_), Mode::UpdateOnly, None) => {
            draft.refuse(Code::NotFound, "externalId", format!("no {name} has this external id"));
        }
        (Target::External(_), Mode::CreateOnly, Some(_)) => {
            draft.refuse(Code::Taken, "externalId", format!("another {name} already has this external id"));
        }
        (Target::External(_), _, None) if draft.expected_version.is_some() => {
            draft.refuse(Code::Conflict, "expectedVersion", "the row no longer exists");
        }
        _ => {}
    }
    if let (Some(expected), Some(current)) = (draft.expected_version, &draft.current)
        && expected != current.version()
    {
        let message = format!("version conflict: the row is at version {}", current.version());
        draft.refuse(Code::Conflict, "expectedVersion", message);
    }
}
