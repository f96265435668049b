//! Finds the rows that callers name, by id or by external id.

use std::collections::{HashMap, HashSet};

use entity::noun::Noun;
use sea_orm::{ConnectionTrait, prelude::Uuid};

use super::{
    Scope,
    cell::{Cell, CellKind, Column, fold},
    draft::Reference,
    narrow::Site,
    scope::ExternalId,
    sql::Alias,
};
use crate::Result;

impl<C: ConnectionTrait> Scope<C> {
    /// The ids of the rows that references of one noun name. Linking to a row needs the scope to read it.
    pub async fn references<'a>(
        &self,
        noun: &'static Noun,
        wanted: impl Iterator<Item = &'a Reference>,
    ) -> Result<ReferenceMap> {
        self.may_read(noun)?;
        let (mut ids, mut keys) = (HashSet::new(), HashSet::new());
        for reference in wanted {
            match reference {
                Reference::Id(Some(id)) => drop(ids.insert(*id)),
                Reference::Id(None) => {}
                Reference::External(key) => drop(keys.insert(key.clone())),
            }
        }
        let (ids, keys): (Vec<Uuid>, Vec<ExternalId>) = (ids.into_iter().collect(), keys.into_iter().collect());
        let id = Column { name: "id", kind: CellKind::Id, is_nullable: false, field: "id" };
        let known = self.by_ids(noun, &[id], &ids).await?.into_iter().filter_map(|row| row[0].id()).collect();
        Ok(ReferenceMap { known, owners: self.by_external_ids(noun, &keys).await? })
    }
}

impl<C: ConnectionTrait> Scope<C> {
    /// The oldest row out of the archive of each of these names, letter case ignored; by the folded name.
    pub async fn by_names(&self, noun: &'static Noun, names: &[String]) -> Result<HashMap<String, Uuid>> {
        self.may_read(noun)?;
        let folded: Vec<Cell> = names.iter().map(|name| Cell::Text(fold(name))).collect();
        let mut found = HashMap::new();
        if folded.is_empty() {
            return Ok(found);
        }
        let mut sql = self.sql();
        sql.push("SELECT ").column(Alias::ROW, noun.tenant).push(", t.id, t.name_folded FROM ").name(&[noun.table]);
        sql.push(" AS t WHERE ");
        sql.narrow(Site::Named, Alias::ROW, noun.tenant, self.organization()).push(" AND ");
        sql.is_one_of_cells(Alias::ROW, "name_folded", CellKind::Text, &folded);
        sql.push(" AND t.archived_at IS NULL ORDER BY t.id DESC");
        for row in self.rows(sql.finish(), &[CellKind::Id, CellKind::Text]).await? {
            if let [Cell::Id(id), Cell::Text(name)] = row.as_slice() {
                found.insert(name.clone(), *id);
            }
        }
        Ok(found)
    }
}

/// Which of the references were found.
#[derive(Clone, Debug)]
pub struct ReferenceMap {
    known: HashSet<Uuid>,
    owners: HashMap<ExternalId, Uuid>,
}

impl ReferenceMap {
    /// The id of the row a reference names.
    pub fn get(&self, reference: &Reference) -> Option<&Uuid> {
        match reference {
            Reference::Id(id) => self.known.get(id.as_ref()?),
            Reference::External(key) => self.owners.get(key),
        }
    }
}
