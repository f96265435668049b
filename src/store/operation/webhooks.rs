//! Which webhook endpoints have something to do, in all organizations.

use chrono::{DateTime, Utc};
use entity::{id::OrganizationId, noun::StringEnum, webhook_delivery, webhook_endpoint};
use sea_orm::prelude::Uuid;

use crate::{
    Error, Result,
    auth::revoked::Revocation,
    outbound::Outbound,
    store::{Connection, Scope, Store, driver::RowLayout, statement::cell::CellKind},
};

/// A webhook endpoint with something to do.
#[derive(Clone, Copy, Debug)]
pub struct BusyEndpoint {
    /// Its organization.
    pub organization: OrganizationId,
    /// Its id.
    pub id: Uuid,
    /// Whether there are changes that it has not considered.
    pub is_behind: bool,
    /// Whether a delivery to it is due.
    pub is_due: bool,
    /// Whether its last attempt failed.
    pub is_failing: bool,
}

impl Store {
    /// Returns the enabled endpoints with changes to consider or deliveries to send, but for those of organizations that are
    /// suspended or deleted. Not scoped, because the server has no caller.
    pub async fn busy_endpoints(&self, now: DateTime<Utc>) -> Result<Vec<BusyEndpoint>> {
        let mut sql = self.sql();
        sql.push("SELECT u.organization_id, u.id, u.is_behind, u.is_due, u.is_failing FROM (");
        sql.push("SELECT s.organization_id, s.id, CASE WHEN EXISTS (SELECT 1 FROM organization_sequence AS q ");
        sql.push("WHERE q.organization_id = s.organization_id AND q.last > s.position) ");
        sql.push("THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS is_behind, CASE WHEN EXISTS (SELECT 1 FROM ");
        sql.name(&[webhook_delivery::TABLE]).push(" AS d WHERE d.organization_id = s.organization_id ");
        sql.push("AND d.endpoint_id = s.id AND d.next_attempt_at <= ").bind(now.timestamp_millis());
        sql.push(") THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS is_due, CASE WHEN s.first_failed_at IS NULL ");
        sql.push("THEN CAST(0 AS BIGINT) ELSE CAST(1 AS BIGINT) END AS is_failing FROM ");
        sql.name(&[webhook_endpoint::TABLE]).push(" AS s WHERE s.is_enabled AND NOT EXISTS (SELECT 1 FROM ");
        sql.push("token_withdrawal AS w WHERE w.organization_id = s.organization_id AND w.kind = ");
        sql.bind(Revocation::Organization.name()).push(")) AS u WHERE u.is_behind + u.is_due > 0");
        let kinds = [CellKind::Id, CellKind::Int, CellKind::Int, CellKind::Int];
        let found = self.reader.read(sql.finish(), RowLayout { has_parent: false, kinds: &kinds }).await?;
        let busy = found.into_iter().filter_map(|row| {
            let is = |place: usize| row.cells[place].int() == Some(1);
            let (is_behind, is_due, is_failing) = (is(1), is(2), is(3));
            let organization = OrganizationId(row.tenant?);
            Some(BusyEndpoint { organization, id: row.cells[0].id()?, is_behind, is_due, is_failing })
        });
        Ok(busy.collect())
    }
}

impl<C> Scope<C> {
    /// Returns the sender of requests to addresses that callers give. `Err` in a process that sends none.
    pub fn outbound(&self) -> Result<&Outbound> {
        self.store.outbound.as_deref().ok_or_else(|| Error::internal("this process sends no requests"))
    }
}
