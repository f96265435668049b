//! Erases, with a person, the people who were merged into that person.

use super::{
    erase::hash,
    ledger::{Entry, Erasure},
};
use crate::{
    Result,
    store::{Tx, merging::state::Merge},
};
use entity::{id, personal::PERSON};

/// The erasures of the people who were merged into an erased one.
pub(super) struct Merged {
    /// Entries for the ledger file.
    pub entries: Vec<Entry>,
    /// Whether rows are being moved to or from the person.
    pub is_merging: bool,
}

impl Tx {
    /// Erases what is left of the people who were merged into an erased one, and records their erasure: a backup may
    /// have them as they were before. Rows of merges in progress are masked at once, and emptied after they have moved.
    pub(super) async fn erase_merged(&self, erasure: &Erasure) -> Result<Merged> {
        let mut merges = self.merges_about(erasure.person).await?;
        let mut entries = Vec::new();
        let is_merging = merges.iter().any(Merge::is_running);
        // A merge that is being undone concerns two people again.
        merges.retain(|merge| merge.undone_at.is_none());
        if merges.is_empty() {
            return Ok(Merged { entries, is_merging });
        }
        self.forget_snapshots(erasure.person).await?;
        for merge in merges {
            let identifiers = merge.external_ids()?.iter().map(|key| hash(&erasure.salt, PERSON, key)).collect();
            let mut own = Erasure { id: id::new(), person: merge.loser, identifiers, ..erasure.clone() };
            let record = self.lock_person(merge.loser).await?;
            self.empty_person(record, &mut own).await?;
            self.overwrite_fingerprints(&[merge.loser]).await?;
            if merge.is_running() {
                self.go_on(&own).await?;
            } else {
                self.move_erasure(own.id, 0, true).await?;
            }
            entries.push(Entry::Erasure(own));
        }
        Ok(Merged { entries, is_merging })
    }
}
