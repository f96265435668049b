//! Tenant conditions: the only way to add a condition on the organization to a statement.
//!
//! In a build with debug assertions, each call that adds one is a [`TenantCheck`], known by its place in the code. Tests
//! disable one condition at a time and check that a second safeguard (another condition, a key, or the check of the
//! tenants of returned rows) still hides rows and counts of other organizations. Release builds know no places and
//! cannot disable a condition.

use entity::{Noun, Tenanted, id::OrganizationId};
use sea_orm::{ColumnTrait, QueryFilter, Select};

use super::builder::{Alias, Sql};

/// A table that a statement limits to the organization: that of a noun, or another one by its column with the
/// organization.
#[derive(Clone, Copy, Debug)]
pub struct TenantTable {
    noun: Option<&'static Noun>,
    column: &'static str,
}

impl From<&'static Noun> for TenantTable {
    fn from(noun: &'static Noun) -> Self {
        Self { noun: Some(noun), column: noun.tenant }
    }
}

impl From<&'static str> for TenantTable {
    fn from(column: &'static str) -> Self {
        Self { noun: None, column }
    }
}

impl Sql {
    /// Appends the condition that a row belongs to the organization. Without it, the check of the tenants of returned
    /// rows would fail the request. A row of a noun must also be one that the caller's departments see.
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn filter_tenant(
        &mut self,
        alias: Alias,
        table: impl Into<TenantTable>,
        organization: OrganizationId,
    ) -> &mut Self {
        let TenantTable { noun, column } = table.into();
        let narrowed = noun.filter(|noun| self.narrows(noun));
        self.push(if narrowed.is_some() { "(" } else { "" });
        if self.is_disabled() {
            self.push("TRUE");
        } else {
            self.column(alias, column).push(" = ").bind_tenant(organization);
        }
        match narrowed {
            Some(noun) => self.narrow(noun, alias, organization).push(")"),
            None => self,
        }
    }

    /// Like [`Sql::filter_tenant`], where the answer would be the same without the condition; `_reason` says why.
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn filter_tenant_again(
        &mut self,
        _reason: &'static str,
        alias: Alias,
        table: impl Into<TenantTable>,
        organization: OrganizationId,
    ) -> &mut Self {
        self.filter_tenant(alias, table, organization)
    }

    /// Appends the condition that rows of two tables belong to the same organization. Without it, the check of the
    /// tenants of returned rows would fail the request.
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn same_tenant(&mut self, one: (Alias, &'static str), other: (Alias, &'static str)) -> &mut Self {
        if self.is_disabled() {
            return self.push("TRUE");
        }
        self.column(one.0, one.1).push(" = ").column(other.0, other.1)
    }

    /// Like [`Sql::same_tenant`], where the answer would be the same without the condition; `_reason` says why.
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn same_tenant_again(
        &mut self,
        _reason: &'static str,
        one: (Alias, &'static str),
        other: (Alias, &'static str),
    ) -> &mut Self {
        self.same_tenant(one, other)
    }

    /// Limits a query of models to the organization.
    #[cfg_attr(debug_assertions, track_caller)]
    pub(in crate::store) fn filter_models<E: Tenanted>(
        &self,
        query: Select<E>,
        organization: OrganizationId,
    ) -> Select<E> {
        if self.is_disabled() { query } else { query.filter(E::TENANT.eq(organization)) }
    }
}

#[cfg(not(debug_assertions))]
impl Sql {
    #[expect(clippy::unused_self, reason = "only a build for tests can disable anything")]
    const fn is_disabled(&self) -> bool {
        false
    }
}

#[cfg(debug_assertions)]
pub use switch::{Switch, TenantCheck};

#[cfg(debug_assertions)]
mod switch {
    use std::{
        collections::BTreeSet,
        fmt,
        panic::Location,
        sync::{Mutex, PoisonError},
    };

    use super::Sql;
    use crate::store::Store;

    /// A call that adds a tenant condition, by its place in the code.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct TenantCheck {
        /// File, from the root of the repository.
        pub file: &'static str,
        /// Line, from 1.
        pub line: u32,
        /// Column of the method's name in characters, from 1.
        pub column: u32,
    }

    impl TenantCheck {
        #[track_caller]
        const fn here() -> Self {
            let place = Location::caller();
            Self { file: place.file(), line: place.line(), column: place.column() }
        }
    }

    impl fmt::Display for TenantCheck {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}:{}:{}", self.file, self.line, self.column)
        }
    }

    /// The condition that is disabled, and the conditions that were used.
    #[derive(Debug, Default)]
    pub struct Switch {
        disabled: Mutex<Option<TenantCheck>>,
        reached: Mutex<BTreeSet<TenantCheck>>,
        /// Texts of the statements; `None` until a test asks for them.
        texts: Mutex<Option<BTreeSet<String>>>,
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
        /// Records that the caller's condition is used, and returns whether it is disabled.
        #[track_caller]
        pub(super) fn is_disabled(&self) -> bool {
            let Some(switch) = &self.switch else { return false };
            let check = TenantCheck::here();
            switch.reached.lock().unwrap_or_else(PoisonError::into_inner).insert(check);
            *switch.disabled.lock().unwrap_or_else(PoisonError::into_inner) == Some(check)
        }
    }

    impl Store {
        /// Disables one condition in all later statements of this store, or with `None` enables all again. For tests.
        pub fn disable_for_test(&self, check: Option<TenantCheck>) {
            *self.switch.disabled.lock().unwrap_or_else(PoisonError::into_inner) = check;
        }

        /// Returns the disabled condition.
        pub(in crate::store) fn disabled(&self) -> Option<TenantCheck> {
            *self.switch.disabled.lock().unwrap_or_else(PoisonError::into_inner)
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
