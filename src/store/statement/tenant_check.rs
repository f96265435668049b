//! Narrowing to an organization: the one way by which a condition on it gets into a statement.
//!
//! Each place that narrows has a [`TenantCheck`]. Tests take one away at a time and see that a second wall, a key or the
//! tripwire, still keeps other organizations' rows and numbers out. Nothing can be taken away in a release build.

use entity::{Tenanted, id::OrganizationId};
use sea_orm::{ColumnTrait, QueryFilter, Select};

use super::builder::{Alias, Sql};

macro_rules! sites {
    ($($(#[doc = $doc:literal])+ $site:ident,)+) => {
        /// A place in a statement that narrows to an organization, or ties rows of two tables to one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum TenantCheck { $($(#[doc = $doc])+ $site,)+ }

        impl TenantCheck {
            /// Every place.
            pub const ALL: &[Self] = &[$(Self::$site,)+];
        }
    };
}

sites! {
    /// Whole rows for the server's own rules.
    Models,
    /// Rows by id.
    LookUp,
    /// Rows that references name.
    References,
    /// Rows by external id.
    ExternalIdLookUp,
    /// External ids of rows.
    ExternalIds,
    /// Rows by name.
    ByName,
    /// Rows locked for a change.
    Lock,
    /// A list of a noun.
    List,
    /// Lists below rows.
    ChildList,
    /// The table between rows and the lists below them.
    ChildListLink,
    /// That table to the rows of the lists.
    ChildListLinkRow,
    /// The number of rows of a list.
    Count,
    /// The numbers of rows below rows.
    ChildCount,
    /// The table between rows and what is counted below them.
    ChildCountLink,
    /// That table to the rows that are counted.
    ChildCountLinkRow,
    /// A condition on the items of a set.
    SetFilter,
    /// The items to their row.
    SetFilterRow,
    /// A condition on related rows.
    RelationFilter,
    /// The related rows to theirs.
    RelationFilterRow,
    /// The table between rows and the related ones of a condition.
    RelationFilterLink,
    /// That table to the related rows.
    RelationFilterLinkRow,
    /// Attributes that are declared not personal.
    OpenAttributes,
    /// Names and values of attributes, and tags, that are counted.
    Distinct,
    /// The rows they are of.
    DistinctRows,
    /// Those to their items.
    DistinctRow,
    /// Attributes that are yet to be read as numbers and instants.
    UnreadAttributes,
    /// Those that have been.
    ReadAttributes,
    /// The first and the last record of a bucket, or of stretches of time.
    GroupRange,
    /// Records that are grouped.
    Groups,
    /// Tags and attributes that records are grouped by.
    GroupTags,
    /// Those to their records.
    GroupTagsRow,
    /// Points whose review is told.
    ReviewedPoints,
    /// Answers at those points.
    ReviewAnswers,
    /// Those answers to their point.
    ReviewAnswersRow,
    /// Rows that were remembered, to see whether they are what they were (PostgreSQL).
    RowCache,
    /// A row deleted.
    Delete,
    /// A column cleared.
    Clear,
    /// The lines of a table between two nouns.
    Links,
    /// Those lines taken away.
    LinksTaken,
    /// The items of sets taken away.
    ItemsTaken,
    /// State changes of rows that are deleted.
    StateChangesTaken,
    /// External ids taken away.
    ExternalIdsTaken,
    /// Single external ids taken away.
    ExternalIdsDropped,
    /// The lock on an organization (PostgreSQL).
    OrganizationLock,
    /// What is known of an idempotency key.
    IdempotencyKey,
    /// The result kept under an idempotency key.
    IdempotencyResult,
    /// The sequence of events.
    Sequence,
    /// When an API client last got a token.
    ClientUse,
    /// A suspension taken back.
    Resumption,
    /// An organization's row when it is suspended or resumed.
    Suspension,
    /// The fallback department of an organization just made.
    FirstDepartment,
    /// The newest seal of the audit log.
    Head,
    /// The newest seal when it gets a successor.
    HeadMoved,
    /// How many events there are, to seal and to verify them.
    LastSequence,
    /// Seals of the audit log.
    Seals,
    /// Events to seal and to verify.
    SealedEvents,
    /// Events of rows.
    History,
    /// Erasures.
    Erasures,
    /// Hashes of external ids that an erasure took away.
    ErasedHashes,
    /// An erasure that may have been made again.
    KnownErasure,
    /// The salt of the last erasure.
    NewestSalt,
    /// Salts of all erasures.
    Salts,
    /// External ids that were taken away.
    ErasedKeys,
    /// The erasure that took them away.
    ErasedKeysOf,
    /// People who may have been erased.
    ErasedPeople,
    /// Inputs kept of calls about erased rows.
    Fingerprints,
    /// Calls whose results name erased rows.
    CallsAbout,
    /// Whether anybody is being erased.
    Veil,
    /// People who are being erased.
    Veiled,
    /// Rows between a row and whom it is about, that person's own left out.
    VeiledRow,
    /// Work in steps that goes on.
    Job,
    /// Work in steps that has come further.
    JobMoved,
    /// Work in steps that is done.
    JobDone,
    /// The row of a person to be erased (PostgreSQL).
    ErasedPerson,
    /// An erasure that has come further.
    ErasureMoved,
    /// What erasures have emptied so far.
    ErasedParts,
    /// A part of an erasure that may have been made again.
    KnownPart,
    /// How far erasures are.
    ErasureExtent,
    /// Rows about a person, a page at a time.
    SubjectRows,
    /// Parts of a whole, in their order.
    Parts,
    /// Parts that leave their places.
    LeavingParts,
    /// Rows of a whole: those that are copied, published or compared, and what follows what.
    Aggregate,
    /// Lines of a whole to other rows.
    JoinedRows,
    /// Whether rows are counted by week, and by whose.
    Rolled,
    /// The counts.
    Counts,
    /// The counts to their organization.
    CountsOfOwner,
    /// What they come to, to their organization.
    TotalsOfOwner,
    /// How far rows are counted, to count on.
    UncountedWeeks,
    /// How far rows are counted, when it has gone on.
    CountedWeeks,
    /// Counts to be made anew.
    CountsTaken,
    /// When the organization's weeks begin.
    OwnWeeks,
    /// Rows to count.
    RowsToCount,
    /// The table between rows and those whose values are asked for.
    Among,
    /// That table to the rows whose values are asked for.
    AmongRow,
}

impl Sql {
    /// Appends the test that a row is of the organization.
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

    /// Appends the test that rows of two tables are of one organization.
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

    /// Narrows a query of models.
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

    /// Which narrowing is taken away, and which places were reached.
    #[derive(Debug)]
    pub struct Switch {
        taken: AtomicUsize,
        reached: Mutex<BTreeSet<TenantCheck>>,
        /// The texts of statements, once somebody wants them.
        texts: Mutex<Option<BTreeSet<String>>>,
    }

    impl Default for Switch {
        fn default() -> Self {
            Self { taken: AtomicUsize::new(usize::MAX), reached: Mutex::default(), texts: Mutex::default() }
        }
    }

    impl Switch {
        /// Notes the text of a statement.
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
        /// Takes one narrowing away from all that this store does from now on, or gives it back. For tests.
        pub fn disable_for_test(&self, site: Option<TenantCheck>) {
            self.switch.taken.store(site.map_or(usize::MAX, |site| site as usize), Ordering::Relaxed);
        }

        /// The texts of the statements since this was last asked; nothing the first time. For tests.
        pub fn texts(&self) -> BTreeSet<String> {
            let mut texts = self.switch.texts.lock().unwrap_or_else(PoisonError::into_inner);
            texts.replace(BTreeSet::new()).unwrap_or_default()
        }

        /// The places reached since this was last asked. For tests.
        pub fn reached(&self) -> BTreeSet<TenantCheck> {
            std::mem::take(&mut *self.switch.reached.lock().unwrap_or_else(PoisonError::into_inner))
        }
    }
}

/// In a build without debug assertions a store has no such methods: if it had, these calls would mean them and not
/// compile.
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
