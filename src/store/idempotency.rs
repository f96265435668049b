//! The memory of idempotency keys, stored in the transaction of the effect they stand for.

use chrono::Duration;

use super::{Tx, cell::CellKind};
use crate::{Error, Result};

/// Hours for which a key is remembered.
const REMEMBERED_HOURS: i64 = 24;

/// What a key says about a mutation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It was not used: the mutation may run, and must call [`Tx::remember`].
    Fresh,
    /// It ran already, with this result.
    Done(String),
    /// The key was used with another input.
    Mismatch,
}

impl Tx {
    /// Claims a key of the caller for an input with this fingerprint. A concurrent twin waits here until the
    /// first has committed.
    pub async fn claim(&self, key: &str, fingerprint: &str) -> Result<Claim> {
        let forgotten = (self.now() - Duration::hours(REMEMBERED_HOURS)).timestamp_millis();
        let mut sql = self.sql();
        sql.push(
            "INSERT INTO idempotency (organization_id, subject, idempotency_key, fingerprint, created_at) VALUES (",
        );
        sql.bind(self.organization()).push(", ").bind(self.actor().subject.as_str()).push(", ").bind(key).push(", ");
        sql.bind(fingerprint).push(", ").bind(self.now().timestamp_millis());
        sql.push(") ON CONFLICT (organization_id, subject, idempotency_key) DO UPDATE SET ");
        sql.push("fingerprint = excluded.fingerprint, created_at = excluded.created_at, result = NULL ");
        sql.push("WHERE idempotency.created_at < ").bind(forgotten).push(" RETURNING organization_id");
        if !self.rows(sql.finish(), &[]).await?.is_empty() {
            return Ok(Claim::Fresh);
        }
        let mut sql = self.sql();
        sql.push("SELECT organization_id, fingerprint, result FROM idempotency WHERE organization_id = ");
        sql.bind(self.organization()).push(" AND subject = ").bind(self.actor().subject.as_str());
        sql.push(" AND idempotency_key = ").bind(key);
        let rows = self.rows(sql.finish(), &[CellKind::Text, CellKind::Text]).await?;
        let Some([known, result]) = rows.first().map(Vec::as_slice) else {
            // Its owner rolled back between the two statements: run again.
            return Err(Error::Collision);
        };
        if known.text() != Some(fingerprint) {
            return Ok(Claim::Mismatch);
        }
        let result = result.text().ok_or_else(|| Error::internal("an idempotency row has no result"))?;
        Ok(Claim::Done(result.to_owned()))
    }

    /// Stores the result under a claimed key.
    pub async fn remember(&self, key: &str, result: &str) -> Result<()> {
        let mut sql = self.sql();
        sql.push("UPDATE idempotency SET result = ").bind(result).push(" WHERE organization_id = ");
        sql.bind(self.organization()).push(" AND subject = ").bind(self.actor().subject.as_str());
        sql.push(" AND idempotency_key = ").bind(key);
        self.execute(sql.finish()).await?;
        Ok(())
    }
}
