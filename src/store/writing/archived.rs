//! Prevents new references to archived rows.

use std::collections::HashSet;

use entity::noun::{ARCHIVED_AT, Link, Noun, Relationship};
use sea_orm::prelude::Uuid;

use super::{delete::JoinRow, draft::Draft};
use crate::{
    Result,
    error::{Code, UserError},
    store::{
        Connection, Scope, Tx,
        statement::{
            cell::{Column, Record, column_named},
            template::Templates,
        },
    },
};

impl<C: Connection> Scope<C> {
    /// Returns the ids of the archived rows among `ids`.
    pub async fn archived_among(&self, noun: &'static Noun, ids: &[Uuid]) -> Result<HashSet<Uuid>> {
        let columns = [column_named(noun, "id"), Column::of(&ARCHIVED_AT)];
        let rows = self.by_ids_unchecked(noun, &columns, ids, &Templates::default()).await?;
        Ok(rows.iter().filter(|row| !row[1].is_null()).filter_map(|row| row[0].id()).collect())
    }
}

impl Tx {
    /// Adds an error to drafts with a new reference to an archived row. An unchanged reference is allowed.
    pub(in crate::store) async fn refuse_archived(&self, noun: &'static Noun, drafts: &mut [Draft]) -> Result<()> {
        for relation in noun.relations.iter().filter(|relation| relation.wants_active(noun)) {
            let Link::One { column, .. } = relation.link else { continue };
            let chosen = |draft: &Draft| {
                let before = draft.current.as_ref().and_then(|row| row.cell(column).id());
                draft.cell(column).id().filter(|id| draft.gives_cell(column) && before != Some(*id))
            };
            let ids: HashSet<Uuid> = drafts.iter().filter_map(chosen).collect();
            if ids.is_empty() {
                continue;
            }
            let archived = self.archived_among(relation.target, &ids.into_iter().collect::<Vec<_>>()).await?;
            for draft in drafts.iter_mut() {
                if chosen(draft).is_some_and(|id| archived.contains(&id)) {
                    let message = format!("this {} is archived", relation.target.name);
                    draft.refuse(Code::Archived, &format!("{}Ref", relation.name), message);
                }
            }
        }
        Ok(())
    }

    /// Returns the new link rows that lead to an archived row: index of the owner in `wanted`, and index of the link
    /// row. Existing link rows are allowed.
    pub async fn archived_lines(
        &self,
        relation: &'static Relationship,
        wanted: &[(Uuid, Vec<JoinRow>)],
    ) -> Result<Vec<(usize, usize)>> {
        if !relation.target.is_archivable() {
            return Ok(Vec::new());
        }
        let targets: HashSet<Uuid> = wanted.iter().flat_map(|(_, lines)| lines.iter().map(|(id, _)| *id)).collect();
        let archived = self.archived_among(relation.target, &targets.into_iter().collect::<Vec<_>>()).await?;
        if archived.is_empty() {
            return Ok(Vec::new());
        }
        let owners: Vec<Uuid> = wanted.iter().map(|(owner, _)| *owner).collect();
        let present = self.present_lines(relation, &owners).await?;
        let mut found = Vec::new();
        for (owner_place, (owner, lines)) in wanted.iter().enumerate() {
            let present = present.get(owner).map_or(&[][..], Vec::as_slice);
            let is_new = |id: &Uuid| archived.contains(id) && present.iter().all(|(known, _)| known != id);
            let chosen = lines.iter().enumerate().filter(|(_, (id, _))| is_new(id));
            found.extend(chosen.map(|(place, _)| (owner_place, place)));
        }
        Ok(found)
    }

    /// Returns an error if a row must stay archived because it references an archived row; restoring the row would make
    /// this a reference from an active row.
    pub(in crate::store) async fn chooses_archived(
        &self,
        noun: &'static Noun,
        row: &Record,
    ) -> Result<Option<UserError>> {
        for relation in noun.relations.iter().filter(|relation| relation.wants_active(noun)) {
            let Link::One { column, .. } = relation.link else { continue };
            let Some(id) = row.cell(column).id() else { continue };
            if !self.archived_among(relation.target, &[id]).await?.is_empty() {
                let message = format!("its {} is archived; choose another one or restore it first", relation.name);
                return Ok(Some(UserError::new(Code::Archived, "by", message)));
            }
        }
        Ok(None)
    }
}
