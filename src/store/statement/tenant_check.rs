//! Tenant conditions: the only way to add a condition on the organization to a statement.
//!
//! Each such condition has a [`TenantCheck`]. Tests disable one condition at a time and check that a second safeguard
//! (another condition, a key, or the check of the tenants of returned rows) still hides rows and counts of other
//! organizations. Release builds cannot disable a condition.

use entity::{Tenanted, id::OrganizationId};
use sea_orm::{ColumnTrait, QueryFilter, Select};

use super::builder::{Alias, Sql};

macro_rules! sites {
    ($($(#[doc = $doc:literal])+ $site:ident,)+) => {
        /// A condition that limits a statement to an organization, or requires that rows of two tables have the same
        /// one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum TenantCheck { $($(#[doc = $doc])+ $site,)+ }

        impl TenantCheck {
            /// All conditions.
            pub const ALL: &[Self] = &[$(Self::$site,)+];
        }
    };
}

sites! {
    /// Complete rows for the server's own rules.
    Models,
    /// Rows by id.
    LookUp,
    /// Rows that references point to.
    References,
    /// Rows by external id.
    ExternalIdLookUp,
    /// External ids of rows.
    ExternalIds,
    /// Rows by name.
    ByName,
    /// Rows locked for a change.
    Lock,
    /// A list of the rows of a noun.
    List,
    /// Lists of related rows of parents.
    ChildList,
    /// Link table of such lists.
    ChildListLink,
    /// Join of this link table to the listed rows.
    ChildListLinkRow,
    /// Count of the rows of a list.
    Count,
    /// Counts of related rows of parents.
    ChildCount,
    /// Link table of such counts.
    ChildCountLink,
    /// Join of this link table to the counted rows.
    ChildCountLinkRow,
    /// A condition on the items of a set.
    SetFilter,
    /// Join of the items to their row.
    SetFilterRow,
    /// A condition on related rows.
    RelationFilter,
    /// Join of the related rows to the filtered rows.
    RelationFilterRow,
    /// Link table of a condition on related rows.
    RelationFilterLink,
    /// Join of this link table to the related rows.
    RelationFilterLinkRow,
    /// Attributes that are declared as not personal.
    OpenAttributes,
    /// Counted names and values of attributes, and counted tags.
    Distinct,
    /// Rows of the counted items.
    DistinctRows,
    /// Join of these rows to their items.
    DistinctRow,
    /// Attributes that are not yet parsed as numbers and instants.
    UnreadAttributes,
    /// Update of attributes that were parsed.
    ReadAttributes,
    /// First and last record of a bucket or of time intervals.
    GroupRange,
    /// Grouped records.
    Groups,
    /// Tags and attributes by which records are grouped.
    GroupTags,
    /// Join of these tags and attributes to their records.
    GroupTagsRow,
    /// Points whose review is reported.
    ReviewedPoints,
    /// Answers at these points.
    ReviewAnswers,
    /// Join of these answers to their point.
    ReviewAnswersRow,
    /// Comparison of cached rows with the current rows (PostgreSQL).
    RowCache,
    /// Deletion of a row.
    Delete,
    /// Clearing of a column.
    Clear,
    /// Rows of a link table.
    Links,
    /// Deletion of rows of a link table.
    LinksTaken,
    /// Deletion of the items of sets.
    ItemsTaken,
    /// Deletion of the state changes of deleted rows.
    StateChangesTaken,
    /// Deletion of external ids.
    ExternalIdsTaken,
    /// Deletion of individual external ids.
    ExternalIdsDropped,
    /// The lock on an organization (PostgreSQL).
    OrganizationLock,
    /// Lookup of an idempotency key.
    IdempotencyKey,
    /// Result stored for an idempotency key.
    IdempotencyResult,
    /// Event sequence of the organization.
    Sequence,
    /// Time at which an API client last received a token.
    ClientUse,
    /// End of a suspension.
    Resumption,
    /// Row of an organization that is suspended or resumed.
    Suspension,
    /// Fallback department of a new organization.
    FirstDepartment,
    /// Latest seal of the audit log.
    Head,
    /// Latest seal when a new one is added.
    HeadMoved,
    /// Number of events, for sealing and verification.
    LastSequence,
    /// Seals of the audit log.
    Seals,
    /// Events to seal or verify.
    SealedEvents,
    /// Events of rows.
    History,
    /// Erasures.
    Erasures,
    /// Hashes of external ids that an erasure removed.
    ErasedHashes,
    /// Lookup of an erasure by id, to detect a repeated one.
    KnownErasure,
    /// Salt of the latest erasure.
    NewestSalt,
    /// Salts of all erasures.
    Salts,
    /// Erased external ids.
    ErasedKeys,
    /// The erasure that removed these external ids.
    ErasedKeysOf,
    /// People who may have been erased.
    ErasedPeople,
    /// Stored input fingerprints of calls about erased rows.
    Fingerprints,
    /// Calls whose results contain erased rows.
    CallsAbout,
    /// Whether an erasure is in progress.
    MaskActive,
    /// People whose erasure is in progress.
    MaskedPerson,
    /// Rows on the path from a row to the person it is about, without the row of that person.
    MaskedRow,
    /// A job in progress.
    Job,
    /// Progress of a job.
    JobMoved,
    /// Completion of a job.
    JobDone,
    /// The row of a person to be erased (PostgreSQL).
    ErasedPerson,
    /// Progress of an erasure.
    ErasureMoved,
    /// Data that erasures have emptied so far.
    ErasedParts,
    /// Lookup of a part of an erasure by id, to detect a repeated one.
    KnownPart,
    /// Progress of all erasures.
    ErasureExtent,
    /// Pages of rows about a person.
    SubjectRows,
    /// Ordered parts of a parent row.
    Parts,
    /// Parts that give up their positions.
    LeavingParts,
    /// Rows of an aggregate that is copied, published or compared, and rows of references between rows of a noun.
    Aggregate,
    /// Rows of the link tables of an aggregate.
    JoinedRows,
    /// Whether rows are counted by week, and by which weeks.
    Rolled,
    /// Weekly counts.
    Counts,
    /// Join of the counts to their organization.
    CountsOfOwner,
    /// Join of the totals to their organization.
    TotalsOfOwner,
    /// Position up to which rows are counted, to continue counting.
    UncountedWeeks,
    /// Update of the position up to which rows are counted.
    CountedWeeks,
    /// Deletion of counts that are rebuilt.
    CountsTaken,
    /// Week start of the organization.
    OwnWeeks,
    /// Rows to count.
    RowsToCount,
    /// Link table to rows whose column values are read.
    Among,
    /// Join of this link table to these rows.
    AmongRow,
}

impl Sql {
    /// Appends the condition that a row belongs to the organization.
    pub fn filter_tenant(
        &mut self,
        site: TenantCheck,
        alias: Alias,
        column: &'static str,
        organization: OrganizationId,
    ) -> &mut Self {
        if self.is_taken_away(site) {
            return self.push("TRUE");
        }
        self.column(alias, column).push(" = ").bind_tenant(organization)
    }

    /// Appends the condition that rows of two tables belong to the same organization.
    pub fn same_tenant(
        &mut self,
        site: TenantCheck,
        one: (Alias, &'static str),
        other: (Alias, &'static str),
    ) -> &mut Self {
        if self.is_taken_away(site) {
            return self.push("TRUE");
        }
        self.column(one.0, one.1).push(" = ").column(other.0, other.1)
    }

    /// Limits a query of models to the organization.
    pub(in crate::store) fn filter_models<E: Tenanted>(
        &self,
        query: Select<E>,
        organization: OrganizationId,
    ) -> Select<E> {
        if self.is_taken_away(TenantCheck::Models) { query } else { query.filter(E::TENANT.eq(organization)) }
    }
}

#[cfg(not(debug_assertions))]
impl Sql {
    #[expect(clippy::unused_self, reason = "only a build for tests can take anything away")]
    const fn is_taken_away(&self, _: TenantCheck) -> bool {
        false
    }
}

#[cfg(debug_assertions)]
pub use switch::Switch;

#[cfg(debug_assertions)]
mod switch {
    use std::{
        collections::BTreeSet,
        sync::{
            Mutex, PoisonError,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use super::{Sql, TenantCheck};
    use crate::store::Store;

    /// The condition that is disabled, and the conditions that were used.
    #[derive(Debug)]
    pub struct Switch {
        taken: AtomicUsize,
        reached: Mutex<BTreeSet<TenantCheck>>,
        /// Texts of the statements; `None` until a test asks for them.
        texts: Mutex<Option<BTreeSet<String>>>,
    }

    impl Default for Switch {
        fn default() -> Self {
            Self { taken: AtomicUsize::new(usize::MAX), reached: Mutex::default(), texts: Mutex::default() }
        }
    }

    impl Switch {
        /// Records the text of a statement.
        pub(in crate::store) fn note(&self, text: &str) {
            if let Some(texts) = &mut *self.texts.lock().unwrap_or_else(PoisonError::into_inner) {
                texts.insert(text.to_owned());
            }
        }
    }

    impl Sql {
        pub(in crate::store) fn is_taken_away(&self, site: TenantCheck) -> bool {
            let Some(switch) = &self.switch else { return false };
            switch.reached.lock().unwrap_or_else(PoisonError::into_inner).insert(site);
            switch.taken.load(Ordering::Relaxed) == site as usize
        }
    }

    impl Store {
        /// Disables one condition in all later statements of this store, or with `None` enables all again. For tests.
        pub fn disable_for_test(&self, site: Option<TenantCheck>) {
            self.switch.taken.store(site.map_or(usize::MAX, |site| site as usize), Ordering::Relaxed);
        }

        /// Returns the disabled condition.
        pub(in crate::store) fn disabled(&self) -> Option<usize> {
            Some(self.switch.taken.load(Ordering::Relaxed)).filter(|taken| *taken != usize::MAX)
        }

        /// Returns the texts of the statements since the last call; empty on the first call. For tests.
        pub fn texts(&self) -> BTreeSet<String> {
            let mut texts = self.switch.texts.lock().unwrap_or_else(PoisonError::into_inner);
            texts.replace(BTreeSet::new()).unwrap_or_default()
        }

        /// Returns the conditions used since the last call. For tests.
        pub fn reached(&self) -> BTreeSet<TenantCheck> {
            std::mem::take(&mut *self.switch.reached.lock().unwrap_or_else(PoisonError::into_inner))
        }
    }
}

/// Checks that a store has no such methods in a build without debug assertions: if it had, these calls would resolve to
/// them and not compile.
#[cfg(not(debug_assertions))]
const _: () = {
    trait Absent {
        fn disable_for_test(&self, _: &str) {}
        fn reached(&self, _: &str) {}
    }
    impl Absent for crate::store::Store {}
    let _: fn(&crate::store::Store) = |store| {
        store.disable_for_test("");
        store.reached("");
    };
};
