//! Idempotency records, stored in the same transaction as the effect of the mutation.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::Duration;
use entity::id;
use sea_orm::{Value, prelude::Uuid};

use super::transact::Key;
use crate::{
    Error, Result,
    store::{
        Tx,
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind},
        },
    },
};

/// Hours after which a key can be used again.
const REMEMBERED_HOURS: i64 = 24;

/// Result of claiming a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) enum Claim {
    /// The key was unused and is now claimed: the transaction may run and must call [`Tx::remember`] before it commits.
    New,
    /// The mutation already ran; the recorded result.
    Replay(String),
    /// The key was already used with a different input.
    Mismatch,
}

/// One use of a key.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct IdempotencyRecord<'a> {
    /// The key.
    pub key: &'a Key,
    /// Result of the call, once known.
    pub result: Option<&'a str>,
    /// Rows that the result contains and by which an erasure may have to find the record, each once.
    pub rows: &'a [Uuid],
}

/// Maximum number of rows of a call that one statement inserts.
const ROWS_AT_A_TIME: usize = 5_000;

/// Returns the hash that is stored instead of the key: a key chosen by a caller may contain personal data.
fn hashed(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, key.as_bytes()))
}

impl Tx {
    /// Claims the caller's key for the fingerprint of its input. A concurrent call with the same key waits here until
    /// the first one commits or rolls back.
    pub(in crate::store) async fn claim(&self, key: &Key) -> Result<Claim> {
        let mut sql = self.sql();
        self.insert_record(&mut sql, &IdempotencyRecord { key, result: None, rows: &[] }, id::new());
        if !self.rows(sql.finish(), &[]).await?.is_empty() {
            return Ok(Claim::New);
        }
        let mut sql = self.sql();
        sql.push("SELECT organization_id, fingerprint, result FROM idempotency AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization())
            .push(" AND subject = ")
            .bind(self.actor().subject.as_str());
        sql.push(" AND idempotency_key = ").bind(hashed(&key.text));
        let rows = self.rows(sql.finish(), &[CellKind::Text, CellKind::Text]).await?;
        let Some([known, result]) = rows.first().map(Vec::as_slice) else {
            // The transaction that held the key rolled back between the two statements: retry.
            return Err(Error::Collision);
        };
        if known.text() != Some(&key.fingerprint) {
            return Ok(Claim::Mismatch);
        }
        let result = result.text().ok_or_else(|| Error::internal("an idempotency row has no result"))?;
        Ok(Claim::Replay(result.to_owned()))
    }

    /// Appends the statement that records the use of a key; it writes a row only if the key is unused or has expired.
    pub(in crate::store) fn insert_record(&self, sql: &mut Sql, claim: &IdempotencyRecord<'_>, call: Uuid) {
        let forgotten = (self.now() - Duration::hours(REMEMBERED_HOURS)).timestamp_millis();
        sql.push(
            "INSERT INTO idempotency (organization_id, subject, idempotency_key, fingerprint, created_at, result, \
             call_id) ",
        );
        sql.push("VALUES (").bind_tenant(self.organization()).push(", ").bind(self.actor().subject.as_str()).push(", ");
        sql.bind(hashed(&claim.key.text))
            .push(", ")
            .bind(claim.key.fingerprint.as_str())
            .push(", ")
            .bind(self.now().timestamp_millis());
        sql.push(", ").bind(Value::String(claim.result.map(str::to_owned)));
        sql.push(", ").bind(call).push(") ON CONFLICT (organization_id, subject, idempotency_key) DO UPDATE SET ");
        sql.push("fingerprint = excluded.fingerprint, created_at = excluded.created_at, result = excluded.result, ");
        sql.push("call_id = excluded.call_id ");
        sql.push("WHERE idempotency.created_at < ").bind(forgotten).push(" RETURNING organization_id");
    }

    /// Stores the result of a claimed key, and the rows by which an erasure may have to find the record.
    pub(in crate::store) async fn remember(&self, key: &Key, result: &str, rows: &[Uuid]) -> Result<()> {
        let mut sql = self.sql();
        sql.push("UPDATE idempotency AS t SET result = ").bind(result).push(" WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization())
            .push(" AND subject = ")
            .bind(self.actor().subject.as_str());
        sql.push(" AND idempotency_key = ").bind(hashed(&key.text)).push(" RETURNING organization_id, call_id");
        let kept = self.rows(sql.finish(), &[CellKind::Id]).await?;
        let Some(call) = kept.first().and_then(|row| row[0].id()) else {
            return Err(Error::internal("a claimed key is gone"));
        };
        for part in rows.chunks(ROWS_AT_A_TIME) {
            self.write_rows(part.len(), |sql| self.write_named(sql, call, part)).await?;
        }
        Ok(())
    }

    /// Appends the statement that inserts the rows that the result of a call contains.
    pub(in crate::store) fn write_named(&self, sql: &mut Sql, call: Uuid, rows: &[Uuid]) {
        let at = self.now().timestamp_millis();
        let rows: Vec<[Cell; 3]> = rows.iter().map(|row| [Cell::Id(*row), Cell::Id(call), Cell::Int(at)]).collect();
        sql.push("INSERT INTO idempotency_row (organization_id, row_id, call_id, created_at) ");
        sql.tenant_rows(self.organization(), [CellKind::Id, CellKind::Id, CellKind::Int], &rows);
        sql.push(" RETURNING organization_id");
    }

    /// Overwrites the input fingerprints of calls about these rows but keeps the records: repeating such a call is
    /// refused and cannot create the rows again.
    pub(in crate::store) async fn overwrite_fingerprints(&self, ids: &[Uuid]) -> Result<()> {
        self.overwrite(|sql| {
            let calls = Alias::nested('m', 0);
            // With an array, PostgreSQL looks up each call instead of scanning all of them.
            sql.push(if sql.is_postgres() { " = ANY(ARRAY(" } else { " IN (" });
            sql.push("SELECT m.call_id FROM idempotency_row AS m WHERE ");
            sql.filter_tenant_again(
                "it only names calls, of which the statement changes the organization's own",
                calls,
                "organization_id",
                self.organization(),
            )
            .push(" AND ");
            let end = if sql.is_postgres() { "))" } else { ")" };
            sql.is_one_of(calls, "row_id", ids).push(end);
        })
        .await
    }

    /// Like [`Tx::overwrite_fingerprints`], for calls recorded by an older server version, whose rows are unknown.
    pub(in crate::store) async fn overwrite_unknown_fingerprints(&self) -> Result<()> {
        self.overwrite(|sql| {
            sql.push(" IS NULL");
        })
        .await
    }

    async fn overwrite(&self, calls: impl FnOnce(&mut Sql)) -> Result<()> {
        let mut sql = self.sql();
        sql.push("UPDATE idempotency AS t SET fingerprint = 'erased' WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
        calls(sql.push(" AND fingerprint <> 'erased' AND t.call_id"));
        sql.push(" RETURNING organization_id");
        self.rows(sql.finish(), &[]).await.map(drop)
    }
}
