//! Jobs: which server performs them, what happens when it fails or ends, and when they run.

mod failures;
mod leases;
mod model;
mod schedules;

use chrono::{DateTime, Utc};
use entity::id::{self, OrganizationId};
use rapport::{
    Error, Result,
    auth::Actor,
    schema,
    store::{
        Scope,
        operation::jobs::{
            Job, Kind, NewJob, StepResult,
            kind::{Recurrence, ScheduleZone, Standing},
        },
    },
};
use serde_json::Value;
use uuid::Uuid;

use crate::app::{App, Caller, now};

/// A job whose progress is the number of steps left, or what goes wrong. Each step counts one effect.
static COUNT: Kind = Kind { name: "TEST_COUNT", step: |scope, job| Box::pin(count(scope, job)), standing: None };

/// The same, by a step that does not look whether it still holds the job.
static CARELESS: Kind =
    Kind { name: "TEST_CARELESS", step: |scope, job| Box::pin(careless(scope, job)), standing: None };

/// One effect each night at a time that a clock may skip, in each organization.
static NIGHTLY: Kind = Kind {
    name: "TEST_NIGHTLY",
    step: |scope, job| Box::pin(count(scope, job)),
    standing: Some(Standing {
        organizations: |store| {
            Box::pin(async {
                Ok(store.organizations().await?.into_iter().map(|(organization, _)| organization).collect())
            })
        },
        recurs: Some(Recurrence { cron: "30 2 * * *", zone: ScheduleZone::Organization }),
    }),
};

async fn count(scope: &Scope, job: &Job) -> Result<StepResult> {
    let left = match job.progress.as_str() {
        "fails" => return Err(Error::internal("the test says so")),
        "is late" => return Err(Error::Timeout),
        "waits" => return Ok(StepResult::Waits),
        "panics" => panic!("the test says so"),
        left => left.parse().unwrap_or(1),
    };
    let tx = scope.begin().await?;
    tx.note_act("jobs").await?;
    let is_held = if left > 1 { tx.move_job(job, &(left - 1).to_string()).await? } else { tx.end_job(job).await? };
    if !is_held {
        tx.roll_back().await?;
        return Ok(StepResult::Lost);
    }
    tx.commit().await?;
    Ok(if left > 1 { StepResult::On } else { StepResult::Done })
}

async fn careless(scope: &Scope, job: &Job) -> Result<StepResult> {
    let tx = scope.begin().await?;
    tx.note_act("jobs").await?;
    tx.end_job(job).await?;
    tx.commit().await?;
    Ok(StepResult::Done)
}

/// A server that also performs the jobs of these tests.
async fn server(app: &App, more: &[&'static Kind]) -> App {
    let mut other = App::on(app.database.clone()).await;
    let kinds = [schema::jobs(), more].concat();
    other.store = other.store.with_jobs(&kinds);
    other
}

/// Begins a job that is due at an instant.
async fn begin(
    app: &App,
    organization: OrganizationId,
    kind: &'static Kind,
    progress: &str,
    run_at: DateTime<Utc>,
) -> Uuid {
    let id = id::new();
    let tx = app.store.scope(Actor::operator(organization), now()).begin().await.unwrap();
    let job = NewJob { id, kind, row: id, progress: progress.to_owned(), run_at: Some(run_at) };
    tx.begin_job(&job).await.unwrap();
    tx.commit().await.unwrap();
    id
}

/// How many effects the jobs of an organization have had.
async fn effects(app: &App, organization: OrganizationId) -> usize {
    let sql = format!(
        "SELECT CAST(COUNT(*) AS TEXT) FROM event WHERE noun = 'Organization' AND {} = '{}'",
        app.database.id("organization_id"),
        organization.0.simple()
    );
    app.database.look(sql).await[0][0].as_deref().unwrap().parse().unwrap()
}

/// The jobs that an admin sees.
async fn listed(caller: &Caller<'_>) -> Vec<Value> {
    let document = "{ jobs { nodes { id kind state steps attempts runAt failedAt reason } } }";
    caller.ask(document).await["jobs"]["nodes"].as_array().unwrap().clone()
}
