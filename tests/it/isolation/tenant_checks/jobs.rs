//! Jobs of both organizations: the twin has copies of the curious one's, which are under the same claims.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use rapport::{
    Error,
    auth::Actor,
    store::{
        erasure::ledger::{Erasure, Part},
        operation::jobs::{Claim, Kind, NewJob, StepResult},
    },
};
use uuid::Uuid;

use super::super::{Neighbours, places::Place};
use crate::app::{App, Caller, now};

fn kind(app: &App, name: &str) -> &'static Kind {
    app.store.job_kinds().find(|kind| kind.name == name).unwrap()
}

/// The claim of an erasure by the server that has begun it.
fn claim(app: &App, both: &Neighbours<'_>, id: Uuid) -> Claim {
    let organization = both.curious.caller.organization();
    Claim { organization, id, kind: kind(app, "ERASURE"), fence: 1, attempts: 0 }
}

/// An erasure that has begun, has a part and no rows to empty, as a job that has taken some steps.
pub async fn begin(app: &App, both: &Neighbours<'_>, steps: usize) -> Uuid {
    let (id, person, organization) = (entity::id::new(), entity::id::new(), both.curious.caller.organization().0);
    let erasure = Erasure { id, organization, person, erased_at: 0, salt: "salt".to_owned(), identifiers: Vec::new() };
    let tx = app.store.scope(Actor::operator(both.curious.caller.organization()), now()).begin().await.unwrap();
    assert!(tx.repeat_erasure(&erasure).await.unwrap());
    let part =
        Part { id: entity::id::new(), organization, erasure: id, rows: BTreeMap::new(), identifiers: Vec::new() };
    assert_eq!(tx.erase_part_again(&part, 0).await.unwrap(), 0);
    tx.commit().await.unwrap();
    for _ in 0..steps {
        assert_eq!(app.store.step_claimed(&claim(app, both, id), now()).await.unwrap(), StepResult::On);
    }
    id
}

/// Lets a job have failed for good.
pub async fn fail(app: &App, id: Uuid) {
    let id = if app.database.is_sqlite() { format!("x'{}'", id.simple()) } else { format!("'{id}'") };
    app.database.change(&format!("UPDATE job SET failed_at = 0 WHERE id = {id}")).await;
}

/// Does with jobs, without one narrowing, what reaches it: the first goes on, the second ends, the third has failed.
pub async fn work(app: &App, both: &Neighbours<'_>, place: &Place, jobs: [Uuid; 3]) -> Option<Error> {
    let own = both.curious.caller.organization();
    let (first, second) = (claim(app, both, jobs[0]), claim(app, both, jobs[1]));
    match place.function.strip_prefix("store::operation::jobs::").unwrap_or(&place.function) {
        "job" | "advance_job" => app.store.step_claimed(&first, now()).await.err(),
        "end_job" | "store::erasure::erase::move_erasure" => app.store.step_claimed(&second, now()).await.err(),
        "claim::hold" => app.store.claim_jobs(100, now()).await.err(),
        "claim::claiming" => app.store.claim(own, 100, now() + TimeDelta::hours(1)).await.err(),
        // Nothing is due yet: a claim would no longer be the twin's.
        "claim::claim" => app.store.claim(own, 100, now() - TimeDelta::hours(1)).await.err(),
        "claim::give_back" => app.store.release(&first, now(), now()).await.err(),
        "claim::retry_job" => {
            let tx = app.store.scope(Actor::operator(own), now()).begin().await.unwrap();
            let retried = tx.retry_job(jobs[2]).await;
            tx.roll_back().await.unwrap();
            retried.err()
        }
        _ => None,
    }
}

/// Counts the weeks of an organization, until all are counted or it is stopped.
pub async fn count_weeks(app: &App, caller: &Caller<'_>) -> Option<Error> {
    let (own, kind) = (caller.organization(), kind(app, "WEEKLY_COUNTS"));
    let tx = app.store.scope(Actor::operator(own), now()).begin().await.unwrap();
    let job = NewJob { id: own.0, kind, row: own.0, progress: String::new(), run_at: Some(now()) };
    // One that was stopped goes on.
    tx.begin_job_once(&job).await.unwrap();
    tx.commit().await.unwrap();
    loop {
        match app.store.step(own, own.0, now()).await {
            Ok(StepResult::On) => {}
            Ok(_) => return None,
            Err(error) => return Some(error),
        }
    }
}
