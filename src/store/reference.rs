//! Finds the rows that callers name, by id or by external id.

use std::collections::{HashMap, HashSet};

use entity::noun::Noun;
use sea_orm::{ConnectionTrait, prelude::Uuid};

use super::{
    Scope,
    cell::{CellKind, Column},
    draft::Reference,
    scope::ExternalId,
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
