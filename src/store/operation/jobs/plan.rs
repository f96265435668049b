//! Begins the jobs of standing kinds: in each organization that should have one and has none.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entity::id::{self, OrganizationId};

use super::{Kind, NewJob};
use crate::{Error, Result, auth::Actor, store::Store};

impl Store {
    /// Begins the jobs of standing kinds where they are missing; several servers may do so at once. If some cannot be
    /// begun, the others are.
    pub async fn plan_jobs(&self, now: DateTime<Utc>) -> Result<()> {
        for kind in self.job_kinds() {
            let Some(standing) = &kind.standing else { continue };
            let wanted = (standing.organizations)(self).await?;
            if wanted.is_empty() {
                continue;
            }
            let known: HashSet<OrganizationId> = self.with_job(kind).await?.into_iter().collect();
            for organization in wanted.into_iter().filter(|organization| !known.contains(organization)) {
                match self.begin_standing(organization, kind, now).await {
                    // The organization may have been deleted meanwhile.
                    Ok(()) | Err(Error::Collision) => {}
                    Err(Error::Unavailable) => return Err(Error::Unavailable),
                    Err(error) => tracing::warn!(%error, organization = %organization.0, "cannot begin a job"),
                }
            }
        }
        Ok(())
    }

    /// Returns the organizations that have a job of a kind, or are being deleted. Not scoped, because the server has no
    /// caller.
    async fn with_job(&self, kind: &Kind) -> Result<Vec<OrganizationId>> {
        let mut sql = self.sql();
        sql.push("SELECT organization_id FROM job WHERE kind IN (").bind(kind.name).push(", ");
        sql.bind(crate::store::erasure::deletion::JOB.name).push(")");
        self.owners(sql).await
    }

    async fn begin_standing(
        &self,
        organization: OrganizationId,
        kind: &'static Kind,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let tx = self.scope(Actor::operator(organization), now).begin().await?;
        let (row, progress, run_at) = (organization.0, String::new(), Some(now));
        tx.begin_job_once(&NewJob { id: id::new(), kind, row, progress, run_at }).await?;
        tx.commit().await
    }
}
