//! Reads the erasures recorded in the database: for the ledger, for progress queries, and for the steps that continue
//! them.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::prelude::Uuid;

use super::ledger::{Entry, Erasure, Part};
use crate::{
    Error, Result,
    store::{
        Connection, Scope,
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind},
        },
    },
};

/// Progress of an erasure.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Start of the erasure, in epoch milliseconds.
    pub erased_at: i64,
    /// Number of rows emptied so far, including the person's own row.
    pub rows: i64,
    /// Completion of the erasure, in epoch milliseconds; `None` while it is in progress.
    pub done_at: Option<i64>,
}

const ERASURE: [CellKind; 4] = [CellKind::Id, CellKind::Id, CellKind::Int, CellKind::Text];

impl<C: Connection> Scope<C> {
    /// Returns the erasures of the organization with their parts as ledger entries, oldest first: all of them, or only
    /// those whose ids were generated at or after `since`.
    pub async fn erasures(&self, since: Option<DateTime<Utc>>) -> Result<Vec<Entry>> {
        let first = since.map(|since| first_id(since.timestamp_millis()));
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.id, t.person_id, t.erased_at, t.salt FROM erasure AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
        made_since(&mut sql, first).push(" ORDER BY t.erased_at, t.id");
        let erasures = self.read_rows(sql.finish(), &ERASURE).await?;
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.id, t.erasure_id, t.erased_rows FROM erasure_part AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
        made_since(&mut sql, first).push(" ORDER BY t.id");
        let parts = self.read_rows(sql.finish(), &[CellKind::Id, CellKind::Id, CellKind::Text]).await?;
        let beginnings = erasures.iter().filter_map(|row| row[0].id());
        let of: HashSet<Uuid> = beginnings.chain(parts.iter().filter_map(|row| row[1].id())).collect();
        let of: Vec<Uuid> = of.into_iter().collect();
        let mut hashes = self.erased_hashes(first.map(|_| of.as_slice())).await?;
        let mut entries = Vec::new();
        for row in erasures {
            let erasure = self.read_erasure(&row)?;
            let identifiers = hashes.remove(&erasure.id).unwrap_or_default();
            entries.push(Entry::Erasure(Erasure { identifiers, ..erasure }));
        }
        for row in parts {
            let [Cell::Id(id), Cell::Id(erasure), Cell::Text(rows)] = row.as_slice() else { return Err(unreadable()) };
            let rows = serde_json::from_str(rows).map_err(|_| unreadable())?;
            // Parts written by an earlier version have the id of their erasure, and have no hashes of their own.
            let (id, organization) = (*id, self.organization().0);
            let identifiers = if id == *erasure { Vec::new() } else { hashes.remove(&id).unwrap_or_default() };
            entries.push(Entry::Part(Part { id, organization, erasure: *erasure, rows, identifiers }));
        }
        Ok(entries)
    }

    /// Returns the hashes by the id of the part, or of the erasure for those of its start: of all erasures, or of `of`.
    async fn erased_hashes(&self, of: Option<&[Uuid]>) -> Result<HashMap<Uuid, Vec<String>>> {
        let mut hashes: HashMap<Uuid, Vec<String>> = HashMap::new();
        if of.is_some_and(<[Uuid]>::is_empty) {
            return Ok(hashes);
        }
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.erasure_id, t.part_id, t.hash FROM erasure_identifier AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
        if let Some(of) = of {
            sql.push(" AND ").is_one_of(Alias::ROW, "erasure_id", of);
        }
        sql.push(" ORDER BY t.hash");
        for row in self.read_rows(sql.finish(), &[CellKind::Id, CellKind::Id, CellKind::Text]).await? {
            if let (Some(of), Some(hash)) = (row[1].id().or(row[0].id()), row[2].text()) {
                hashes.entry(of).or_default().push(hash.to_owned());
            }
        }
        Ok(hashes)
    }

    fn read_erasure(&self, row: &[Cell]) -> Result<Erasure> {
        let [Cell::Id(id), Cell::Id(person), Cell::Int(erased_at), Cell::Text(salt)] = row else {
            return Err(unreadable());
        };
        let (organization, identifiers) = (self.organization().0, Vec::new());
        let (id, person, erased_at) = (*id, *person, *erased_at);
        Ok(Erasure { id, organization, person, erased_at, salt: salt.clone(), identifiers })
    }

    /// Returns an erasure, without its hashes.
    pub(in crate::store) async fn erasure(&self, id: Uuid) -> Result<Option<Erasure>> {
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.id, t.person_id, t.erased_at, t.salt FROM erasure AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
        sql.push(" AND t.id = ").bind(id);
        self.read_rows(sql.finish(), &ERASURE).await?.first().map(|row| self.read_erasure(row)).transpose()
    }

    /// Returns whether a part is recorded.
    pub(in crate::store) async fn knows_part(&self, id: Uuid) -> Result<bool> {
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id FROM erasure_part AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
        sql.push(" AND t.id = ").bind(id);
        Ok(!self.read_rows(sql.finish(), &[]).await?.is_empty())
    }

    /// Returns the progress of the erasures of these people; people who were not erased are left out.
    pub async fn erasure_extents(&self, people: &[Uuid]) -> Result<HashMap<Uuid, Extent>> {
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.person_id, t.erased_at, t.row_count, t.done_at FROM erasure AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" AND ");
        sql.is_one_of(Alias::ROW, "person_id", people).push(" ORDER BY t.id");
        let mut extents = HashMap::new();
        for row in self.read_rows(sql.finish(), &[CellKind::Id, CellKind::Int, CellKind::Int, CellKind::Int]).await? {
            if let [Cell::Id(person), Cell::Int(erased_at), Cell::Int(rows), done_at] = row.as_slice() {
                let (erased_at, rows, done_at) = (*erased_at, *rows, done_at.int());
                extents.insert(*person, Extent { erased_at, rows, done_at });
            }
        }
        Ok(extents)
    }
}

fn made_since(sql: &mut Sql, first: Option<Uuid>) -> &mut Sql {
    match first {
        Some(first) => sql.push(" AND t.id >= ").bind(first),
        None => sql,
    }
}

/// Returns the smallest id that can be generated at an instant: ids begin with their timestamp (RFC 9562, version 7).
fn first_id(millis: i64) -> Uuid {
    Uuid::from_u128(u128::from(u64::try_from(millis).unwrap_or(0)) << 80)
}

fn unreadable() -> Error {
    Error::internal("an erasure cannot be read")
}
