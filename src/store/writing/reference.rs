//! Resolves callers' references to rows, by id or by external id.

use std::collections::{HashMap, HashSet};

use entity::noun::{Noun, Relationship};
use sea_orm::prelude::Uuid;

use super::draft::{Draft, Reference};
use crate::{
    Error, Result,
    error::Code,
    store::{
        Connection, Scope, Tx,
        scope::ExternalId,
        statement::{
            builder::Alias,
            cell::{Cell, CellKind, Column, fold},
        },
    },
};

/// A reference of a draft, with the index of the draft.
pub(in crate::store) type Waiting = (usize, (&'static Relationship, Column, Reference));

impl<C: Connection> Scope<C> {
    /// Resolves references of drafts. What refers to no row is an error of its draft.
    pub(in crate::store) async fn resolve_in(&self, drafts: &mut [Draft], waiting: &[Waiting]) -> Result<()> {
        let mut wanted: Vec<(&'static Noun, Vec<&Reference>)> = Vec::new();
        for (_, (relation, _, reference)) in waiting {
            match wanted.iter_mut().find(|(noun, _)| noun.table == relation.target.table) {
                Some((_, references)) => references.push(reference),
                None => wanted.push((relation.target, vec![reference])),
            }
        }
        let found = self.resolve_references(&wanted).await?;
        let places: Vec<&str> = wanted.iter().map(|(noun, _)| noun.table).collect();
        for (place, (relation, column, reference)) in waiting {
            let target = relation.target;
            let of_noun = places.iter().position(|table| *table == target.table);
            if let Some(id) = of_noun.and_then(|of_noun| found[of_noun].get(reference)) {
                drafts[*place].values.push((*column, Cell::Id(*id)));
            } else {
                let field = format!("{}Ref", relation.name);
                drafts[*place].refuse(Code::NotFound, &field, format!("no such {}", target.name));
            }
        }
        Ok(())
    }

    /// Resolves references to rows of one noun. Requires the permission to read the noun.
    pub async fn references<'a>(
        &self,
        noun: &'static Noun,
        wanted: impl Iterator<Item = &'a Reference>,
    ) -> Result<ReferenceMap> {
        let mut found = self.resolve_references(&[(noun, wanted.collect())]).await?;
        found.pop().ok_or_else(|| Error::internal("a noun has no answer"))
    }

    /// Returns the id in a reference, or the id of the row with its external id. Does not check that a row with the id
    /// exists.
    pub async fn row_id(&self, noun: &'static Noun, reference: &Reference) -> Result<Option<Uuid>> {
        Ok(self.row_ids(noun, std::slice::from_ref(reference)).await?.pop().flatten())
    }

    /// Like [`Scope::row_id`], for many references in their order: without a statement, or in one if any reference is
    /// by external id.
    pub async fn row_ids(&self, noun: &'static Noun, references: &[Reference]) -> Result<Vec<Option<Uuid>>> {
        let external = |it: &Reference| if let Reference::External(key) = it { Some(key.clone()) } else { None };
        let keys: HashSet<ExternalId> = references.iter().filter_map(external).collect();
        let owners = self.by_external_ids(noun, &keys.into_iter().collect::<Vec<_>>()).await?;
        let id = |reference: &Reference| match reference {
            Reference::Id(id) => *id,
            Reference::External(key) => owners.get(key).copied(),
        };
        Ok(references.iter().map(id).collect())
    }

    /// Like [`Scope::references`], for several nouns: in one statement, and one more for each noun with external ids, or
    /// with ids of no row that may be those of merged ones.
    pub(in crate::store) async fn resolve_references(
        &self,
        wanted: &[(&'static Noun, Vec<&Reference>)],
    ) -> Result<Vec<ReferenceMap>> {
        wanted.iter().try_for_each(|(noun, _)| self.may_read(noun))?;
        let ids = |references: &[&Reference]| -> Vec<Uuid> {
            let ids = references.iter().filter_map(|it| if let Reference::Id(id) = it { *id } else { None });
            ids.collect::<HashSet<_>>().into_iter().collect()
        };
        let named: Vec<(&'static Noun, Vec<Uuid>)> =
            wanted.iter().map(|(noun, references)| (*noun, ids(references))).collect();
        let mut maps = Vec::with_capacity(wanted.len());
        for (known, ((noun, references), (_, ids))) in
            self.existing_ids(&named).await?.into_iter().zip(wanted.iter().zip(&named))
        {
            let mut known: HashMap<Uuid, Uuid> = known.into_iter().map(|id| (id, id)).collect();
            let unknown: Vec<Uuid> = ids.iter().copied().filter(|id| !known.contains_key(id)).collect();
            known.extend(self.merged_into(noun, unknown).await?);
            let keys =
                references.iter().filter_map(|it| if let Reference::External(key) = it { Some(key) } else { None });
            let keys: HashSet<&ExternalId> = keys.collect();
            let keys: Vec<ExternalId> = keys.into_iter().cloned().collect();
            maps.push(ReferenceMap { known, owners: self.by_external_ids(noun, &keys).await? });
        }
        Ok(maps)
    }

    /// Returns, for each noun, the ids for which a row exists.
    pub(super) async fn existing_ids(&self, named: &[(&'static Noun, Vec<Uuid>)]) -> Result<Vec<HashSet<Uuid>>> {
        let mut known = vec![HashSet::new(); named.len()];
        let mut sql = self.sql();
        for (place, (noun, ids)) in named.iter().enumerate().filter(|(_, (_, ids))| !ids.is_empty()) {
            sql.push(if sql.is_empty() { "SELECT " } else { " UNION ALL SELECT " }).column(Alias::ROW, noun.tenant);
            sql.push(", CAST(").number(place).push(" AS BIGINT), t.id FROM ").name(&[noun.table]).push(" AS t WHERE ");
            sql.filter_tenant(Alias::ROW, *noun, self.organization()).push(" AND ");
            sql.is_one_of(Alias::ROW, "id", ids).unmerged(noun, Alias::ROW, self.organization());
        }
        if sql.is_empty() {
            return Ok(known);
        }
        for row in self.read_rows(sql.finish(), &[CellKind::Int, CellKind::Id]).await? {
            if let [Cell::Int(place), Cell::Id(id)] = row.as_slice()
                && let Some(of_noun) = usize::try_from(*place).ok().and_then(|place| known.get_mut(place))
            {
                of_noun.insert(*id);
            }
        }
        Ok(known)
    }

    /// Returns, by folded name, the oldest row with each of these names that is not archived. Names are compared
    /// case-insensitively.
    pub async fn ids_by_name(&self, noun: &'static Noun, names: &[String]) -> Result<HashMap<String, Uuid>> {
        self.may_read(noun)?;
        let folded: Vec<Cell> = names.iter().map(|name| Cell::Text(fold(name))).collect();
        let mut found = HashMap::new();
        if folded.is_empty() {
            return Ok(found);
        }
        let mut sql = self.sql();
        sql.push("SELECT ").column(Alias::ROW, noun.tenant).push(", t.id, t.name_folded FROM ").name(&[noun.table]);
        sql.push(" AS t WHERE ");
        sql.filter_tenant(Alias::ROW, noun, self.organization()).push(" AND ");
        sql.is_one_of_cells(Alias::ROW, "name_folded", CellKind::Text, &folded);
        sql.push(" AND t.archived_at IS NULL ORDER BY t.id DESC");
        for row in self.read_rows(sql.finish(), &[CellKind::Id, CellKind::Text]).await? {
            if let [Cell::Id(id), Cell::Text(name)] = row.as_slice() {
                found.insert(name.clone(), *id);
            }
        }
        Ok(found)
    }
}

/// The table and the external id that a mutation names a row by, and the row.
pub(in crate::store) type NamedRow = (&'static str, ExternalId, Option<Uuid>);

impl Tx {
    /// Like [`Scope::row_id`], for the row that the mutation names: an external id is looked up once.
    pub async fn named_row(&self, noun: &'static Noun, reference: &Reference) -> Result<Option<Uuid>> {
        let Reference::External(key) = reference else { return self.row_id(noun, reference).await };
        if let Some((table, known, id)) = &self.conn.pending().named_row
            && *table == noun.table
            && known == key
        {
            return Ok(*id);
        }
        let id = self.row_id(noun, reference).await?;
        self.conn.pending().named_row = Some((noun.table, key.clone(), id));
        Ok(id)
    }
}

/// The references that were resolved.
#[derive(Clone, Debug)]
pub struct ReferenceMap {
    /// The row for each id: itself, or the row that a merged one became.
    known: HashMap<Uuid, Uuid>,
    owners: HashMap<ExternalId, Uuid>,
}

impl ReferenceMap {
    /// Returns the id of the row that a reference points to; `None` if it was not found.
    pub fn get(&self, reference: &Reference) -> Option<&Uuid> {
        match reference {
            Reference::Id(id) => self.known.get(id.as_ref()?),
            Reference::External(key) => self.owners.get(key),
        }
    }
}
