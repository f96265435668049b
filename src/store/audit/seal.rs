//! Seals new events, and reads seals and events. Runs without a caller, so without a scope.

use chrono::{DateTime, Utc};
use entity::id::OrganizationId;

use super::{Head, Seal, Sealed, chain::KINDS};
use crate::{
    Error, Result,
    store::{
        Connection, Store,
        driver::{Payer, RowLayout, TenantRow, Transaction},
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind},
        },
        transaction::event::COLUMNS,
    },
};

/// Maximum number of events per seal: a transaction reads and hashes them while writers wait.
pub(super) const BATCH: usize = 500;
/// Number of seals per read.
const SEALS: usize = 100;

/// Columns of a seal, in the order in which they are written and read.
const SEAL: &str = "first_sequence, last_sequence, leaves, digest, sealed_at, hash";

impl Store {
    /// Returns the organizations with events that no seal covers.
    pub async fn unsealed(&self) -> Result<Vec<OrganizationId>> {
        let mut sql = self.sql();
        sql.push("SELECT s.organization_id FROM organization_sequence s JOIN audit_head h ");
        sql.push("ON h.organization_id = s.organization_id WHERE s.last > h.last_sequence ORDER BY s.organization_id");
        self.owners(sql).await
    }

    /// Seals the next events of one organization. Returns whether there may be more. Several servers may call it at
    /// once: the one that locks the organization's head seals; the others find the head locked or the work done.
    pub async fn seal(&self, organization: OrganizationId, now: DateTime<Utc>) -> Result<bool> {
        let tx = self.writer.begin(false, Payer::default()).await?;
        let Some((sealed, hash)) = self.held(&tx, organization).await? else {
            tx.rollback().await?;
            return Ok(false);
        };
        let events = self.events(&tx, organization, sealed, i64::MAX, BATCH).await?;
        if events.is_empty() {
            tx.rollback().await?;
            return Ok(false);
        }
        let seal = Seal::over(organization, &hash, sealed + 1, &events, now.timestamp_millis());
        let mut sql = self.sql();
        sql.push("INSERT INTO audit_seal (organization_id, ").push(SEAL).push(") VALUES (").bind_tenant(organization);
        sql.push(", ").bind(seal.first).push(", ").bind(seal.last).push(", ").bind(seal.leaves).push(", ");
        sql.bind(seal.digest).push(", ").bind(seal.sealed_at).push(", ").bind(seal.hash.as_str()).push(")");
        tx.execute(sql.finish()).await?;
        let mut sql = self.sql();
        sql.push("UPDATE audit_head AS t SET last_sequence = ").bind(seal.last).push(", hash = ").bind(seal.hash);
        sql.push(" WHERE ").filter_tenant(Alias::ROW, "organization_id", organization);
        sql.push(" RETURNING organization_id");
        self.query(&tx, sql, &[], organization).await?;
        tx.commit().await?;
        Ok(events.len() == BATCH)
    }

    /// Returns the newest seal of an organization, if it has any.
    pub async fn audit_head(&self, organization: OrganizationId) -> Result<Option<Head>> {
        let head = self.head(organization).await?.filter(|(sequence, _)| *sequence > 0);
        Ok(head.map(|(sequence, hash)| Head { sequence: Some(sequence), hash }))
    }

    /// Returns sequence and hash of the newest seal; the sequence is 0 before the first seal.
    pub(super) async fn head(&self, organization: OrganizationId) -> Result<Option<(i64, String)>> {
        Ok(read_head(&self.query(&self.reader, self.select_head(organization), &HEAD, organization).await?))
    }

    /// Returns every organization with its slug, ordered by slug, for commands that process all of them.
    pub async fn organizations(&self) -> Result<Vec<(OrganizationId, String)>> {
        let sql = Sql::text_only(self.backend(), "SELECT organization_id, slug FROM organization_slug ORDER BY slug");
        let rows = self.reader.read(sql, RowLayout { has_parent: false, kinds: &[CellKind::Text] }).await?;
        let read = |row: TenantRow| Some((OrganizationId(row.tenant?), row.cells[0].text()?.to_owned()));
        Ok(rows.into_iter().filter_map(read).collect())
    }

    /// Returns the number of events that the organization's sequence has counted.
    pub(super) async fn last_sequence(&self, organization: OrganizationId) -> Result<i64> {
        let mut sql = self.sql();
        sql.push("SELECT organization_id, last FROM organization_sequence AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", organization);
        let rows = self.query(&self.reader, sql, &[CellKind::Int], organization).await?;
        Ok(rows.first().and_then(|row| row[0].int()).unwrap_or(0))
    }

    /// Returns events with a sequence after `after` and up to `to`, oldest first.
    pub(super) async fn sealed(&self, organization: OrganizationId, after: i64, to: i64) -> Result<Vec<Sealed>> {
        self.events(&self.reader, organization, after, to, BATCH + 1).await
    }

    /// Returns seals that start at `first` or later, oldest first, at most [`SEALS`].
    pub(super) async fn seals(&self, organization: OrganizationId, first: i64) -> Result<Vec<Seal>> {
        let mut sql = self.sql();
        sql.push("SELECT organization_id, ").push(SEAL).push(" FROM audit_seal AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", organization);
        sql.push(" AND first_sequence >= ").bind(first).push(" ORDER BY first_sequence LIMIT ").number(SEALS);
        let (int, text) = (CellKind::Int, CellKind::Text);
        let rows = self.query(&self.reader, sql, &[int, int, text, text, int, text], organization).await?;
        let seal = |row: Vec<Cell>| match <[Cell; 6]>::try_from(row) {
            Ok(
                [
                    Cell::Int(first),
                    Cell::Int(last),
                    Cell::Text(leaves),
                    Cell::Text(digest),
                    Cell::Int(sealed_at),
                    Cell::Text(hash),
                ],
            ) => Ok(Seal { first, last, leaves, digest, sealed_at, hash }),
            _ => Err(Error::internal("a seal has no such columns")),
        };
        rows.into_iter().map(seal).collect()
    }

    fn select_head(&self, organization: OrganizationId) -> Sql {
        let mut sql = self.sql();
        sql.push("SELECT organization_id, last_sequence, hash FROM audit_head AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", organization);
        sql
    }

    /// Locks an organization's head until the end of the transaction; returns `None` while another server has locked
    /// it. On `SQLite`, the transaction itself is exclusive.
    async fn held(&self, tx: &Transaction, organization: OrganizationId) -> Result<Option<(i64, String)>> {
        let mut sql = self.select_head(organization);
        if sql.is_postgres() {
            sql.push(" FOR UPDATE SKIP LOCKED");
        }
        Ok(read_head(&self.query(tx, sql, &HEAD, organization).await?))
    }

    async fn events(
        &self,
        connection: &impl Connection,
        organization: OrganizationId,
        after: i64,
        to: i64,
        most: usize,
    ) -> Result<Vec<Sealed>> {
        let mut sql = self.sql();
        sql.push("SELECT ").push(COLUMNS).push(" FROM event AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", organization);
        sql.push(" AND sequence > ").bind(after).push(" AND sequence <= ").bind(to);
        sql.push(" ORDER BY sequence LIMIT ").number(most);
        let rows = self.query(connection, sql, &KINDS, organization).await?;
        Ok(rows.iter().map(|cells| Sealed::read(organization, cells)).collect())
    }
}

/// Column types of a head.
const HEAD: [CellKind; 2] = [CellKind::Int, CellKind::Text];

fn read_head(rows: &[Vec<Cell>]) -> Option<(i64, String)> {
    let row = rows.first()?;
    Some((row[0].int()?, row[1].text()?.to_owned()))
}
