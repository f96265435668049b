//! Adds external ids to rows and removes them.

use std::collections::{HashMap, HashSet};

use entity::Noun;
use sea_orm::prelude::Uuid;

use super::{
    draft::{Draft, Reference, Target},
    write::MAX_VALUES,
};
use crate::{
    Result,
    error::Code,
    store::{
        ExternalId, Tx,
        erasure::erased::ERASED_KEY,
        statement::{
            builder::Alias,
            cell::{Cell, CellKind},
        },
    },
};

/// Maximum number of external ids of one row.
pub const MAX_EXTERNAL_IDS: usize = 100;

/// Rows by external id, each with whether it is about a person whose erasure is in progress.
pub(super) type Owners = HashMap<ExternalId, (Uuid, bool)>;

/// Returns the row with an external id, unless it is about a person whose erasure is in progress.
pub(super) fn unmasked(owners: &Owners, key: &ExternalId) -> Option<Uuid> {
    owners.get(key).filter(|(_, is_masked)| !is_masked).map(|(id, _)| *id)
}

/// Adds an error to drafts with external ids of rows about a person whose erasure is in progress, the same error as
/// after the erasure.
pub(super) fn refuse_masked(draft: &mut Draft, owners: &Owners) {
    let is_masked = |key: &ExternalId| owners.get(key).is_some_and(|(_, is_masked)| *is_masked);
    if draft.target_key().is_some_and(is_masked) {
        draft.refuse(Code::Erased, "externalId", ERASED_KEY);
    } else if draft.external_ids.iter().any(is_masked) {
        draft.refuse(Code::Erased, "externalIds", ERASED_KEY);
    }
}

/// Determines the external ids that a draft adds to its row and removes from it. An external id that is both added and
/// removed stays. An upsert can remove the external id that identifies its row only if it adds another one of the same
/// system: without any, repeating the upsert would create a second row.
pub(super) fn compare_external_ids(draft: &mut Draft, carried: &[ExternalId]) {
    let mut wanted: Vec<ExternalId> = Vec::new();
    for key in std::mem::take(&mut draft.external_ids) {
        if !wanted.contains(&key) {
            wanted.push(key);
        }
    }
    if let Some(target) = draft.target_key().filter(|target| !wanted.contains(target)).cloned() {
        let is_removed = draft.removes(&target);
        if is_removed && wanted.iter().all(|key| key.system != target.system) {
            let message = "the external id that identifies the row cannot be removed unless externalIds has another \
                           one of the same system";
            draft.refuse(Code::Invalid, "externalIdsRemove", message);
        } else if !is_removed && draft.is_new() {
            wanted.push(target);
        }
    }
    let goes = |key: &&ExternalId| !wanted.contains(key) && draft.removes(key);
    (draft.lost_external_ids, draft.kept_external_ids) = carried.iter().cloned().partition(|key| goes(&key));
    wanted.retain(|key| !carried.contains(key));
    let count = carried.len() - draft.lost_external_ids.len() + wanted.len();
    if !wanted.is_empty() && count > MAX_EXTERNAL_IDS {
        let message = format!("the row would have {count} external ids, more than {MAX_EXTERNAL_IDS}");
        draft.refuse(Code::TooLong, "externalIds", message);
    }
    draft.external_ids = wanted;
}

/// Adds an error to drafts with external ids that another row has and does not give up in the same call.
pub(super) fn refuse_taken(drafts: &mut [Draft], owners: &Owners) {
    let given_up: HashSet<ExternalId> = drafts.iter().flat_map(|draft| &draft.lost_external_ids).cloned().collect();
    for draft in drafts.iter_mut() {
        let is_taken = |key: &ExternalId| {
            let is_another = owners.get(key).is_some_and(|(owner, is_masked)| *owner != draft.id && !is_masked);
            is_another && !given_up.contains(key)
        };
        if draft.external_ids.iter().any(is_taken) {
            draft.refuse(Code::Taken, "externalIds", "another row has this external id");
        }
    }
}

/// Adds an error to drafts that need an external id of another row whose own draft failed and which therefore keeps it,
/// and to drafts that in turn depend on these. Returns whether there were any.
pub(super) fn refuse_kept(drafts: &mut [Draft]) -> bool {
    let mut is_any = false;
    loop {
        let failed = drafts.iter().filter(|draft| !draft.errors.is_empty());
        let kept: HashSet<ExternalId> = failed.flat_map(|draft| &draft.lost_external_ids).cloned().collect();
        let waits =
            |draft: &&mut Draft| draft.errors.is_empty() && draft.external_ids.iter().any(|key| kept.contains(key));
        let mut is_more = false;
        for draft in drafts.iter_mut().filter(waits) {
            draft.refuse(Code::Taken, "externalIds", "another row keeps this external id because its change failed");
            is_more = true;
        }
        if !is_more {
            return is_any;
        }
        is_any = true;
    }
}

impl Draft {
    /// Returns the external id that identifies the row.
    pub(in crate::store) const fn target_key(&self) -> Option<&ExternalId> {
        if let Target::External(key) = &self.target { Some(key) } else { None }
    }

    /// Returns the row with the external id of the target. If the draft removes that and no row has it, returns the row
    /// with an external id that replaces it: then the same upsert was already executed.
    pub(super) fn found(&self, owners: &Owners) -> Option<Uuid> {
        let target = self.target_key()?;
        let replaces = |key: &&ExternalId| key.system == target.system && self.removes(target);
        let instead = || self.external_ids.iter().filter(replaces).find_map(|key| owners.get(key));
        owners.get(target).or_else(instead).map(|(id, _)| *id)
    }

    fn removes(&self, key: &ExternalId) -> bool {
        self.removals.iter().any(|removal| removal.takes(key))
    }

    pub(super) fn gives_external_ids(&self) -> bool {
        !self.removals.is_empty() || !self.external_ids.is_empty()
    }

    /// Returns every external id in the draft except removals.
    pub(super) fn keys(&self) -> impl Iterator<Item = &ExternalId> {
        let named = if let Target::Row(Reference::External(key)) = &self.target { Some(key) } else { None };
        named.or_else(|| self.target_key()).into_iter().chain(&self.external_ids)
    }

    /// Returns the external ids that identify a created or changed row: those that are added, and the one that
    /// identifies a new row.
    pub(in crate::store) fn new_external_ids(&self) -> impl Iterator<Item = &ExternalId> {
        self.target_key().filter(|_| self.is_new()).into_iter().chain(&self.external_ids)
    }

    pub(super) const fn changes_external_ids(&self) -> bool {
        !self.lost_external_ids.is_empty() || !self.external_ids.is_empty()
    }
}

impl Tx {
    /// Writes the external ids that the drafts without errors add and remove.
    pub(super) async fn store_external_ids(&self, noun: &'static Noun, drafts: &[Draft]) -> Result<()> {
        let sound = || drafts.iter().filter(|draft| draft.errors.is_empty());
        // Deletes all removed external ids before adding any: rows may exchange external ids.
        let lost: Vec<(Uuid, &ExternalId)> =
            sound().flat_map(|draft| draft.lost_external_ids.iter().map(|key| (draft.id, key))).collect();
        self.drop_external_ids(noun, &lost).await?;
        let mut keys: Vec<(Uuid, &ExternalId)> =
            sound().flat_map(|draft| draft.external_ids.iter().map(|key| (draft.id, key))).collect();
        // In a fixed order, so that two calls with the same keys wait for each other and do not deadlock.
        keys.sort_unstable_by_key(|(_, key)| *key);
        let cells =
            |(id, key): (Uuid, &ExternalId)| [Cell::Id(id), Cell::Text(key.system.clone()), Cell::Text(key.id.clone())];
        let keys: Vec<[Cell; 3]> = keys.into_iter().map(cells).collect();
        for part in keys.chunks(MAX_VALUES / 4) {
            self.write_rows(part.len(), |sql| {
                sql.push("INSERT INTO ").name(&[noun.table, "_external_id"]).push(" (organization_id, ");
                sql.name(&[noun.table, "_id"]).push(", system, external_id) ");
                sql.tenant_rows(self.organization(), [CellKind::Id, CellKind::Text, CellKind::Text], part);
                sql.push(" RETURNING organization_id");
            })
            .await?;
        }
        for draft in sound().filter(|draft| draft.changes_external_ids()) {
            let ids = draft.kept_external_ids.iter().chain(&draft.external_ids).map(|key| key.id.as_str());
            self.index_external_ids(noun, draft.id, ids, draft.is_new());
        }
        if sound().all(Draft::is_new) {
            return Ok(());
        }
        // Existing rows may be written again.
        self.flush().await
    }

    /// Deletes all external ids of rows.
    pub(in crate::store) async fn forget_external_ids(&self, noun: &'static Noun, ids: &[Uuid]) -> Result<()> {
        let mut sql = self.sql();
        sql.push("DELETE FROM ").name(&[noun.table, "_external_id"]).push(" AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" AND ");
        sql.is_one_of_named(Alias::ROW, &[noun.table, "_id"], ids).push(" RETURNING organization_id");
        self.rows(sql.finish(), &[]).await.map(drop)
    }

    /// Deletes single external ids of rows, 1,000 per statement.
    async fn drop_external_ids(&self, noun: &'static Noun, lost: &[(Uuid, &ExternalId)]) -> Result<()> {
        for part in lost.chunks(1_000) {
            let ids: Vec<Uuid> = part.iter().map(|(id, _)| *id).collect();
            let mut sql = self.sql();
            sql.push("DELETE FROM ").name(&[noun.table, "_external_id"]).push(" AS t WHERE ");
            sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" AND ");
            // The rows once more by themselves, for the index.
            sql.is_one_of_named(Alias::ROW, &[noun.table, "_id"], &ids).push(" AND (t.").name(&[noun.table, "_id"]);
            sql.push(", t.system, t.external_id) IN (");
            if sql.is_postgres() {
                sql.push("SELECT * FROM UNNEST(");
                sql.array(CellKind::Id, part.iter().map(|(id, _)| Cell::Id(*id))).push(", ");
                sql.array(CellKind::Text, part.iter().map(|(_, key)| Cell::Text(key.system.clone()))).push(", ");
                sql.array(CellKind::Text, part.iter().map(|(_, key)| Cell::Text(key.id.clone()))).push(")");
            } else {
                sql.push("VALUES ").list(part, |sql, (id, key)| {
                    sql.push("(").bind(*id).push(", ").bind(key.system.as_str()).push(", ").bind(key.id.as_str());
                    sql.push(")");
                });
            }
            sql.push(") RETURNING organization_id");
            self.rows(sql.finish(), &[]).await?;
        }
        Ok(())
    }
}
