//! Archives and restores rows, and prevents new references to archived rows.

use std::collections::{HashMap, HashSet};

use entity::{
    event::EventOperation,
    noun::{ARCHIVED_AT, Link, Noun, Relationship},
};
use sea_orm::prelude::Uuid;

use super::{
    draft::{Draft, Outcome, WriteResult},
    links::JoinRow,
    write::Hooks,
};
use crate::{
    Result,
    error::{Code, UserError},
    store::{
        Connection, Scope, Tx,
        statement::{
            cell::{Cell, Column, Record, column_named},
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

    /// Archives or restores the rows of drafts. With `is_all_or_nothing`, an error in one draft prevents changing any;
    /// the caller rolls back.
    pub async fn archive(
        &self,
        noun: &'static Noun,
        rules: &Hooks,
        drafts: &mut [Draft],
        is_archived: bool,
        is_all_or_nothing: bool,
    ) -> Result<Vec<WriteResult>> {
        self.actor().require(noun.write)?;
        self.find(noun, None, drafts).await?;
        let _whole = self.for_organization();
        let changes = |row: &&Record| row.cell(ARCHIVED_AT.column).is_null() == is_archived;
        let sound = drafts.iter().filter(|draft| draft.errors.is_empty());
        let changing: Vec<Record> = sound.filter_map(|draft| draft.current.as_ref()).filter(changes).cloned().collect();
        let mut refused = match is_archived {
            _ if changing.is_empty() => HashMap::new(),
            true => (rules.archive)(self, &changing).await?,
            false => self.choose_archived(noun, &changing).await?,
        };
        for draft in drafts.iter_mut() {
            draft.errors.extend(refused.remove(&draft.id));
        }
        let is_kept = is_all_or_nothing && drafts.iter().any(|draft| !draft.errors.is_empty());
        let now = Cell::Int(self.now().timestamp_millis());
        let at = [(Column::of(&ARCHIVED_AT), if is_archived { now.clone() } else { Cell::Null })];
        let written = drafts.iter().filter(|draft| !is_kept && draft.errors.is_empty());
        let written = written.filter_map(|draft| draft.current.as_ref()).filter(changes);
        let rows = written.map(|row| (row.clone().changed(&at, &now), vec![ARCHIVED_AT.name])).collect();
        let operation = if is_archived { EventOperation::Archived } else { EventOperation::Unarchived };
        let stored = self.put_rows(noun, rows, operation).await?;
        let mut stored: HashMap<Uuid, Record> = stored.into_iter().map(|row| (row.id(), row)).collect();
        let result = |draft: &Draft| {
            let id = (!draft.is_new()).then_some(draft.id);
            let is_failed = is_kept || !draft.errors.is_empty();
            let (outcome, row) = match stored.remove(&draft.id) {
                _ if is_failed => (Outcome::Failed, None),
                None => (Outcome::Unchanged, draft.current.clone()),
                row => (Outcome::Updated, row),
            };
            WriteResult { id, outcome, errors: draft.errors.clone(), row }
        };
        Ok(drafts.iter().map(result).collect())
    }

    /// Returns an error for each row that must stay archived because it references a row that stays archived; restoring
    /// it would make this a reference from an active row.
    async fn choose_archived(&self, noun: &'static Noun, rows: &[Record]) -> Result<HashMap<Uuid, UserError>> {
        let mut chosen = Vec::new();
        for relation in noun.relations.iter().filter(|relation| relation.wants_active(noun)) {
            let Link::One { column, .. } = relation.link else { continue };
            let ids: HashSet<Uuid> = rows.iter().filter_map(|row| row.cell(column).id()).collect();
            if !ids.is_empty() {
                let archived = self.archived_among(relation.target, &ids.into_iter().collect::<Vec<_>>()).await?;
                chosen.push((relation, column, archived));
            }
        }
        let mut restored: HashSet<Uuid> = rows.iter().map(Record::id).collect();
        let mut refused = HashMap::new();
        loop {
            let before = refused.len();
            for row in rows.iter().filter(|row| restored.contains(&row.id())).collect::<Vec<_>>() {
                let stays = |(relation, column, archived): &&(&Relationship, &str, HashSet<Uuid>)| {
                    let is_restored = |id: &Uuid| relation.target.table == noun.table && restored.contains(id);
                    row.cell(column).id().is_some_and(|id| archived.contains(&id) && !is_restored(&id))
                };
                if let Some((relation, ..)) = chosen.iter().find(stays) {
                    let message = format!("its {} is in the archive; change that, or take it out first", relation.name);
                    refused.insert(row.id(), UserError::new(Code::Archived, "by", message));
                    restored.remove(&row.id());
                }
            }
            if refused.len() == before {
                return Ok(refused);
            }
        }
    }
}
