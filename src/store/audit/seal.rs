//! Seals what was not sealed yet, and reads seals and events. Runs on nobody's behalf, so without a scope.

use chrono::{DateTime, Utc};
use entity::id::OrganizationId;
use sea_orm::{ConnectionTrait, QueryResult, prelude::Uuid};

use super::{Head, Seal, Sealed};
use crate::{
    Result,
    store::{
        Store,
        event::COLUMNS,
        line::Transaction,
        narrow::Site,
        sql::{Alias, Sql},
    },
};

/// Most events under one seal: what a transaction reads and hashes while others wait.
pub(super) const BATCH: usize = 500;
/// How many seals are read at a time.
const SEALS: usize = 100;

/// Columns of a seal, in the order in which they are written and read.
const SEAL: &str = "first_sequence, last_sequence, leaves, digest, sealed_at, hash";

impl Store {
    /// The organizations with events that no seal covers.
    pub async fn unsealed(&self) -> Result<Vec<OrganizationId>> {
        let mut sql = Sql::new(self.backend());
        sql.push("SELECT s.organization_id FROM organization_sequence s JOIN audit_head h ");
        sql.push("ON h.organization_id = s.organization_id WHERE s.last > h.last_sequence ORDER BY s.organization_id");
        let rows = self.reader.query_all_raw(sql.finish()).await?;
        Ok(rows.iter().map(|row| row.try_get_by_index(0).map(OrganizationId)).collect::<Result<_, _>>()?)
    }

    /// Seals the next events of one organization. Answers whether there may be more. Any number of servers may do it
    /// at once: who holds the organization's head seals, the others find it held or done.
    pub async fn seal(&self, organization: OrganizationId, now: DateTime<Utc>) -> Result<bool> {
        let tx = self.writer.begin().await?;
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
        sql.push("INSERT INTO audit_seal (organization_id, ").push(SEAL).push(") VALUES (").owner(organization);
        sql.push(", ").bind(seal.first).push(", ").bind(seal.last).push(", ").bind(seal.leaves).push(", ");
        sql.bind(seal.digest).push(", ").bind(seal.sealed_at).push(", ").bind(seal.hash.as_str()).push(")");
        tx.execute_raw(sql.finish()).await?;
        let mut sql = self.sql();
        sql.push("UPDATE audit_head AS t SET last_sequence = ").bind(seal.last).push(", hash = ").bind(seal.hash);
        sql.push(" WHERE ").narrow(Site::HeadMoved, Alias::ROW, "organization_id", organization);
        sql.push(" RETURNING organization_id");
        for row in tx.query_all_raw(sql.finish()).await? {
            self.trip(row.try_get_by_index(0)?, organization)?;
        }
        tx.commit().await?;
        Ok(events.len() == BATCH)
    }

    /// The newest seal of an organization, if it has any.
    pub async fn audit_head(&self, organization: OrganizationId) -> Result<Option<Head>> {
        let head = self.head(organization).await?.filter(|(sequence, _)| *sequence > 0);
        Ok(head.map(|(sequence, hash)| Head { sequence: Some(sequence), hash }))
    }

    /// Sequence and hash of the newest seal; 0 before there is any.
    pub(super) async fn head(&self, organization: OrganizationId) -> Result<Option<(i64, String)>> {
        let row = self.only(&self.reader, self.select_head(organization), organization).await?;
        row.map(|row| read_head(&row)).transpose()
    }

    /// Every organization with its slug, for commands that go through all of them.
    pub async fn organizations(&self) -> Result<Vec<(OrganizationId, String)>> {
        let sql = Sql::text_only(self.backend(), "SELECT id, slug FROM organization ORDER BY slug");
        let rows = self.reader.query_all_raw(sql).await?;
        let read = |row: &QueryResult| {
            Ok((OrganizationId(row.try_get_by_index::<Uuid>(0)?), row.try_get_by_index::<String>(1)?))
        };
        rows.iter().map(read).collect()
    }

    /// How many events the organization says it has had.
    pub(super) async fn last_sequence(&self, organization: OrganizationId) -> Result<i64> {
        let mut sql = self.sql();
        sql.push("SELECT organization_id, last FROM organization_sequence AS t WHERE ");
        sql.narrow(Site::LastSequence, Alias::ROW, "organization_id", organization);
        let row = self.only(&self.reader, sql, organization).await?;
        Ok(row.map_or(Ok(0), |row| row.try_get_by_index(1))?)
    }

    /// Events after one sequence and up to another, oldest first.
    pub(super) async fn sealed(&self, organization: OrganizationId, after: i64, to: i64) -> Result<Vec<Sealed>> {
        self.events(&self.reader, organization, after, to, BATCH + 1).await
    }

    /// Seals from the one that starts at `first` or later, oldest first, so many at a time.
    pub(super) async fn seals(&self, organization: OrganizationId, first: i64) -> Result<Vec<Seal>> {
        let mut sql = self.sql();
        sql.push("SELECT organization_id, ").push(SEAL).push(" FROM audit_seal AS t WHERE ");
        sql.narrow(Site::Seals, Alias::ROW, "organization_id", organization);
        sql.push(" AND first_sequence >= ").bind(first).push(" ORDER BY first_sequence LIMIT ").number(SEALS);
        let rows = self.reader.query_all_raw(sql.finish()).await?;
        let seal = |row: &QueryResult| {
            self.trip(row.try_get_by_index(0)?, organization)?;
            Ok(Seal {
                first: row.try_get_by_index(1)?,
                last: row.try_get_by_index(2)?,
                leaves: row.try_get_by_index(3)?,
                digest: row.try_get_by_index(4)?,
                sealed_at: row.try_get_by_index(5)?,
                hash: row.try_get_by_index(6)?,
            })
        };
        rows.iter().map(seal).collect()
    }

    fn select_head(&self, organization: OrganizationId) -> Sql {
        let mut sql = self.sql();
        sql.push("SELECT organization_id, last_sequence, hash FROM audit_head AS t WHERE ");
        sql.narrow(Site::Head, Alias::ROW, "organization_id", organization);
        sql
    }

    /// Takes an organization's head until the end of the transaction; `None` while another server has it. On `SQLite`
    /// the transaction itself keeps others out.
    async fn held(&self, tx: &Transaction, organization: OrganizationId) -> Result<Option<(i64, String)>> {
        let mut sql = self.select_head(organization);
        if sql.is_postgres() {
            sql.push(" FOR UPDATE SKIP LOCKED");
        }
        self.only(tx, sql, organization).await?.map(|row| read_head(&row)).transpose()
    }

    /// The one row of an organization.
    async fn only<C: ConnectionTrait>(
        &self,
        connection: &C,
        sql: Sql,
        organization: OrganizationId,
    ) -> Result<Option<QueryResult>> {
        let rows = connection.query_all_raw(sql.finish()).await?;
        for row in &rows {
            self.trip(row.try_get_by_index(0)?, organization)?;
        }
        Ok(rows.into_iter().next())
    }

    async fn events<C: ConnectionTrait>(
        &self,
        connection: &C,
        organization: OrganizationId,
        after: i64,
        to: i64,
        most: usize,
    ) -> Result<Vec<Sealed>> {
        let mut sql = self.sql();
        sql.push("SELECT ").push(COLUMNS).push(" FROM event AS t WHERE ");
        sql.narrow(Site::SealedEvents, Alias::ROW, "organization_id", organization);
        sql.push(" AND sequence > ").bind(after).push(" AND sequence <= ").bind(to);
        sql.push(" ORDER BY sequence LIMIT ").number(most);
        let rows = connection.query_all_raw(sql.finish()).await?;
        let read = |row: &QueryResult| {
            self.trip(row.try_get_by_index(0)?, organization)?;
            Sealed::read(row)
        };
        rows.iter().map(read).collect()
    }
}

fn read_head(row: &QueryResult) -> Result<(i64, String)> {
    Ok((row.try_get_by_index(1)?, row.try_get_by_index(2)?))
}
