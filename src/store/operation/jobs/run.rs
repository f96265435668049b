//! Runs jobs: claims those that are due, performs their steps, and repeats later what failed.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::OrganizationId;
use metrics::counter;
use sea_orm::prelude::Uuid;
use tokio::task::JoinSet;

use super::{
    Claim, StepResult,
    claim::GivenBack,
    list::{FAILURES, JobFailure, STEPS},
};
use crate::{
    Error, Result,
    auth::Actor,
    store::{Scope, Store},
};

/// Number of jobs that a server performs at a time.
const AT_ONCE: usize = 8;

/// Number of steps after which a job goes to the end of the line.
const TURN: usize = 20;

/// How long a job that must wait for others is left alone.
const WAIT: TimeDelta = TimeDelta::seconds(15);

/// Number of attempts at a step after which a job has failed for good; with [`backoff`], after 6 to 12 hours.
pub const MAX_ATTEMPTS: i64 = 20;

/// The wait after the first failure, in milliseconds.
const FIRST_WAIT: i64 = 10_000;

/// The longest wait, in milliseconds.
const LONGEST_WAIT: i64 = 3_600_000;

/// Returns how long a job waits after its step has failed so often in a row: from half to the whole of 10 s, then 20 s,
/// and so on up to an hour. The half is spread by the id of the job, so that jobs that failed together do not return
/// together.
pub fn backoff(id: Uuid, attempts: i64) -> TimeDelta {
    let doublings = u32::try_from(attempts.clamp(1, 20) - 1).unwrap_or_default();
    let most = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
    // The last bits of an id are random; the count moves them, so that two jobs do not meet again and again.
    let spread = (id.as_u64_pair().1 ^ attempts.unsigned_abs()).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    let share = i64::try_from(spread).unwrap_or_default();
    TimeDelta::milliseconds(most / 2 + (((most / 2) * share) >> 32))
}

impl Store {
    /// Performs all jobs that are due, some at a time, until none is left that this server can claim. `now` tells the
    /// time of each step.
    pub async fn run_jobs(&self, now: impl Fn() -> DateTime<Utc> + Clone + Send + 'static) -> Result<()> {
        loop {
            let claims = self.claim_jobs(AT_ONCE, now()).await?;
            if claims.is_empty() {
                return Ok(());
            }
            let mut turns = JoinSet::new();
            for claim in claims {
                let (store, now) = (self.clone(), now.clone());
                turns.spawn(async move { store.take_turn(&claim, now).await });
            }
            while let Some(turn) = turns.join_next().await {
                // The lease of what is left here ends, and another claim counts it as an attempt.
                match turn {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::warn!(%error, "a job could not be given back"),
                    Err(error) => tracing::error!(%error, "a step of a job panicked"),
                }
            }
        }
    }

    /// Performs the next steps of a job that this server has claimed.
    async fn take_turn(&self, claim: &Claim, now: impl Fn() -> DateTime<Utc>) -> Result<()> {
        let mut attempts = claim.attempts;
        if attempts >= MAX_ATTEMPTS {
            return self.fail(claim, attempts, JobFailure::Abandoned, now()).await;
        }
        for _ in 0..TURN {
            match self.step_claimed(claim, now()).await {
                Ok(StepResult::On) => attempts = 0,
                Ok(StepResult::Waits) => return self.release(claim, now() + WAIT, now()).await,
                Ok(StepResult::PutOff | StepResult::Done | StepResult::Lost) => return Ok(()),
                Err(error) => {
                    tracing::warn!(%error, source = std::error::Error::source(&error),
                        organization = %claim.organization.0, job = %claim.id, kind = claim.kind.name, "job step failed");
                    return self.fail(claim, attempts + 1, JobFailure::of(&error), now()).await;
                }
            }
        }
        self.release(claim, now(), now()).await
    }

    /// Gives a job back, due at `run_at`. Does nothing if another server has claimed it.
    pub async fn release(&self, claim: &Claim, run_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
        self.give_back(claim, &GivenBack { run_at, failure: None, is_failed: false }, now).await
    }

    /// Gives a job back whose step has failed: to be repeated later, or, after too many attempts, for an admin to look
    /// at.
    async fn fail(&self, claim: &Claim, attempts: i64, reason: JobFailure, now: DateTime<Utc>) -> Result<()> {
        counter!(FAILURES, "kind" => claim.kind.name).increment(1);
        let is_failed = attempts >= MAX_ATTEMPTS;
        if is_failed {
            tracing::error!(organization = %claim.organization.0, job = %claim.id, kind = claim.kind.name,
                ?reason, "a job has failed for good; see the query `jobs`");
        }
        let (run_at, failure) = (now + backoff(claim.id, attempts), Some((attempts, reason)));
        self.give_back(claim, &GivenBack { run_at, failure, is_failed }, now).await
    }

    /// Performs the next step of a job that this server has claimed.
    pub async fn step_claimed(&self, claim: &Claim, now: DateTime<Utc>) -> Result<StepResult> {
        let scope = self.scope(Actor::operator(claim.organization), now);
        let Some(job) = scope.job(claim).await? else { return Ok(StepResult::Lost) };
        let done = (claim.kind.step)(&scope, &job).await?;
        counter!(STEPS, "kind" => claim.kind.name).increment(1);
        Ok(done)
    }

    /// Claims a job, whoever holds it, and performs its next step. For commands of the operator, which wait for nobody.
    pub async fn step(&self, organization: OrganizationId, id: Uuid, now: DateTime<Utc>) -> Result<StepResult> {
        match self.seize(organization, id, now).await? {
            Some(claim) => self.step_claimed(&claim, now).await,
            None => Ok(StepResult::Done),
        }
    }

    /// Performs all steps of the jobs that an operator's command waits for, whoever holds them.
    pub async fn finish_jobs(&self, now: DateTime<Utc>) -> Result<()> {
        for (organization, id) in self.jobs(DateTime::<Utc>::MAX_UTC).await? {
            let Some(claim) = self.seize(organization, id, now).await? else { continue };
            loop {
                match self.step_claimed(&claim, now).await? {
                    StepResult::On => {}
                    StepResult::Waits => return Err(Error::Unavailable),
                    StepResult::PutOff | StepResult::Done | StepResult::Lost => break,
                }
            }
        }
        Ok(())
    }
}

impl Scope {
    /// Claims a job of the organization, whoever holds it, and performs its next step. For commands of the operator.
    pub async fn step_job(&self, id: Uuid, now: DateTime<Utc>) -> Result<StepResult> {
        self.store.step(self.organization(), id, now).await
    }
}
