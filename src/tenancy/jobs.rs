//! The jobs of the organization, for its admins.

use entity::{Permission, id};
use sea_orm::prelude::ChronoUnixTimestampMillis;

use crate::{
    Result, UserError,
    error::Code,
    graphql::{
        planning::distinct::PageInfo,
        slice::{Done, Mutation, Query},
        typed::{
            fields::{MutationFn, QueryFn},
            input::Input,
            output::Output,
        },
    },
    store::{
        Scope, Tx,
        operation::jobs::list::{JobFailure, JobQuery, JobState, ListedJob},
        paging::{cursor::Codec, page::trim},
        statement::cell::{Cell, CellKind},
        writing::draft::Outcome,
    },
};

/// Prefix of the ids of jobs.
const PREFIX: &str = "job";

/// The query `jobs`.
pub const JOBS: Query = Query {
    name: "jobs",
    doc: "Work in the background of the organization: erasures, merges, retention and the like. A completed job is \
          removed, unless it recurs. Ordered by id, oldest first.",
    permissions: &[Permission::Admin],
    run: &QueryFn::new(|scope, input| Box::pin(jobs(scope, input))),
};

/// The mutation `organizationRetryJob`.
pub const RETRY: Mutation = Mutation {
    name: "organizationRetryJob",
    doc: "Makes a job that has failed for good due again, at once and with all its attempts. NOT_FOUND if no failed job \
          has this id.",
    permissions: &[Permission::Admin],
    run: &MutationFn::new(|tx, input| Box::pin(retry(tx, input))),
};

/// Arguments of `jobs`.
#[derive(Input)]
struct JobsArguments {
    /// Restricts the list to jobs in this state.
    state: Option<JobState>,
    /// Restricts the list to this kind, for example `ERASURE`.
    kind: Option<String>,
    /// Maximum number of jobs, 1 to 1,000.
    #[input(default = 25, range = 1..=1_000)]
    first: i64,
    /// Returns the jobs after this cursor: `pageInfo.endCursor` of the previous page of the same list.
    after: Option<String>,
}

/// Work in the background. It is done in steps; each is one transaction.
#[derive(Output)]
#[output(read = Admin)]
struct Job {
    /// Id of the job, for `organizationRetryJob`.
    id: String,
    /// What is done, for example `ERASURE`, `MERGE` or `RETENTION`.
    kind: String,
    /// Its state.
    state: JobState,
    /// Number of completed steps.
    steps: i64,
    /// How often in a row the next step has failed. After 20 times, the job has failed for good.
    attempts: i64,
    /// When the next step is due, UTC.
    run_at: ChronoUnixTimestampMillis,
    /// When the job failed for good, UTC; null if it did not.
    failed_at: Option<ChronoUnixTimestampMillis>,
    /// Why the last step failed; null if it did not.
    reason: Option<JobFailure>,
}

/// Jobs of the organization.
#[derive(Output)]
#[output(read = Admin)]
struct JobList {
    /// The jobs of the page.
    nodes: Vec<Job>,
    /// Position of the page among the jobs.
    page_info: PageInfo,
}

async fn jobs(scope: &Scope, input: JobsArguments) -> Result<JobList> {
    use entity::noun::StringEnum;
    let JobsArguments { state, kind, first, after } = input;
    let question = format!("jobs {}\n{}", state.map_or("*", StringEnum::name), kind.as_deref().unwrap_or_default());
    let codec = Codec::for_query(&question, &[CellKind::Id], scope.organization());
    let after = after.map(|cursor| codec.decode(&cursor)).transpose()?.and_then(|cells| cells[0].id());
    let limit = usize::try_from(first).unwrap_or_default();
    let mut found = scope.listed_jobs(&JobQuery { state, kind, after, most: limit + 1 }).await?;
    let has_next_page = trim(&mut found, limit, false);
    let cursor = |job: Option<&ListedJob>| job.map(|job| codec.encode([&Cell::Id(job.id)]));
    let page_info = PageInfo {
        has_next_page,
        has_previous_page: after.is_some(),
        start_cursor: cursor(found.first()),
        end_cursor: cursor(found.last()),
    };
    let shown = |job: ListedJob| Job {
        id: id::encode(PREFIX, job.id),
        kind: job.kind,
        state: job.state,
        steps: job.steps,
        attempts: job.attempts,
        run_at: ChronoUnixTimestampMillis(job.run_at),
        failed_at: job.failed_at.map(ChronoUnixTimestampMillis),
        reason: job.reason,
    };
    Ok(JobList { nodes: found.into_iter().map(shown).collect(), page_info })
}

/// Which job to try again.
#[derive(Input)]
struct JobRetry {
    /// Id of the job.
    id: String,
}

async fn retry(tx: &Tx, input: &JobRetry) -> Result<Done> {
    let id = id::decode(&input.id).filter(|(prefix, _)| *prefix == PREFIX);
    let is_due = match id {
        Some((_, id)) => tx.retry_job(id).await?,
        None => false,
    };
    if !is_due {
        return Ok(Err(vec![UserError::new(Code::NotFound, "id", "no job that has failed has this id")]));
    }
    tx.note_act("jobs").await?;
    Ok(Ok((tx.organization().0, Outcome::Updated)))
}
