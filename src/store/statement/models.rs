//! Reads complete rows as `SeaORM` models, for the server's own rules.

use entity::Tenanted;
use sea_orm::{ActiveModelTrait, Iterable, QuerySelect, QueryTrait, Select, TryIntoModel};

use super::cell::CellKind;
use crate::{
    Error, Result,
    store::{Connection, Scope, driver::RowLayout, erasure::mask},
};

impl<C: Connection> Scope<C> {
    /// Returns all rows of a query, limited to the caller's tenant.
    pub async fn all<E: Tenanted>(&self, query: Select<E>) -> Result<Vec<E::Model>>
    where
        E::Model: Sync,
    {
        self.may_read(E::NOUN)?;
        self.all_unchecked(query).await
    }

    /// Returns the first row of a query, limited to the caller's tenant.
    pub async fn one<E: Tenanted>(&self, query: Select<E>) -> Result<Option<E::Model>>
    where
        E::Model: Sync,
    {
        Ok(self.all(query.limit(1)).await?.pop())
    }

    /// Like [`Scope::all`], without a permission check; for rules that the server applies to every caller: routing
    /// reads rules even if the caller may not.
    pub async fn all_unchecked<E: Tenanted>(&self, query: Select<E>) -> Result<Vec<E::Model>>
    where
        E::Model: Sync,
    {
        // Models contain the stored values; the erasure mask is not applied to them.
        debug_assert!(!mask::covers(E::NOUN), "{} may have to be hidden", E::NOUN.name);
        if self.narrows(E::NOUN) {
            // No rule reads such rows as models.
            return Err(Error::internal(format!("{} is read without the caller's departments", E::NOUN.name)));
        }
        let narrowed = self.sql().filter_models(query, self.organization());
        // The first column of every table is the tenant.
        let columns: Vec<(E::Column, CellKind)> =
            E::Column::iter().skip(1).map(|column| (column, CellKind::of_column(column))).collect();
        let kinds: Vec<CellKind> = columns.iter().map(|(_, kind)| *kind).collect();
        let statement = narrowed.build(self.store.backend());
        let mut rows = Vec::new();
        for row in self.answer(statement, RowLayout { has_parent: false, kinds: &kinds }).await? {
            let mut model = E::ActiveModel::default();
            model.try_set(E::TENANT, row.tenant.into())?;
            for ((column, kind), cell) in columns.iter().zip(&row.cells) {
                model.try_set(*column, cell.bound(*kind))?;
            }
            rows.push(model.try_into_model()?);
        }
        for row in &rows {
            self.verify_tenant(Some(E::tenant(row).0))?;
        }
        Ok(rows)
    }
}
