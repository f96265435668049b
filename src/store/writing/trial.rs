//! Completes drafts of rows that are tried and not written.

use entity::{Tenanted, id};
use sea_orm::{ActiveModelTrait, ColumnTrait, Iden, Iterable, TryIntoModel};

use super::{defaults::complete, draft::Draft, reference::Waiting};
use crate::{
    Result,
    store::{
        Connection, Scope,
        statement::cell::{CellKind, fold},
    },
};

impl<C: Connection> Scope<C> {
    /// Gives drafts of new rows what a write would give them: ids, defaults and the rows that they refer to. What is
    /// wrong is an error of its draft.
    pub async fn complete_new(&self, drafts: &mut [Draft]) -> Result<()> {
        let mut waiting: Vec<Waiting> = Vec::new();
        for (place, draft) in drafts.iter_mut().enumerate() {
            draft.id = id::new();
            waiting.extend(std::mem::take(&mut draft.references).into_iter().map(|reference| (place, reference)));
        }
        self.resolve_in(drafts, &waiting).await?;
        for draft in drafts {
            complete(draft, self.now());
        }
        Ok(())
    }

    /// Returns the row of a complete draft without errors as a model, as if it had just been created.
    pub fn model<E: Tenanted>(&self, draft: &Draft) -> Result<E::Model> {
        let mut model = E::ActiveModel::default();
        for column in E::Column::iter() {
            let value = match column.to_string().as_str() {
                _ if column.as_column_ref() == E::TENANT.as_column_ref() => self.organization().0.into(),
                "id" => draft.id.into(),
                "version" => 1_i64.into(),
                "created_at" | "updated_at" => self.now().timestamp_millis().into(),
                name => match name.strip_suffix("_folded") {
                    Some(text) => draft.cell(text).text().map(fold).into(),
                    None => draft.cell(name).bound(CellKind::of_column(column)),
                },
            };
            model.try_set(column, value)?;
        }
        Ok(model.try_into_model()?)
    }
}
