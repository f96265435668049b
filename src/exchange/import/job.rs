//! Writes the rows of an import: the next lines by one bulk upsert, then what became of them.

use entity::{
    ImportNoun, Noun, Permission,
    id::ImportLineId,
    import::{
        COLUMNS, CREATED_COUNT, ENDED_AT, FAILED_COUNT, FAILURE, FILE_COLUMNS, IS_DRY_RUN, ImportState, MAX_FAILURES,
        MODE, NOUN, ON_NULL, ROW_TYPE, SCOPES, STATE, SUBJECT, UNCHANGED_COUNT, UPDATED_COUNT,
    },
    import_line::{self, CONTENT, ERRORS, ID, IMPORT_ID, ImportOutcome, OUTCOME, WRITTEN_ID},
    noun::StringEnum,
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};
use serde_json::{Map, Value, json};

use super::{columns::Columns, create::ImportColumn};
use crate::{
    Error, Result,
    auth::Actor,
    error::Code,
    store::{
        Scope, Tx,
        operation::jobs::{
            Job,
            kind::{Kind, StepResult},
        },
        statement::{
            cell::{Cell, Record},
            filter::{Comparison, Predicate},
            typed::assign,
        },
    },
};

/// Number of lines that one step writes.
const STEP: usize = 500;

/// The job of an import.
pub static JOB: Kind = Kind { name: "IMPORT", step: |scope, job| Box::pin(step(scope, job)), standing: None };

/// What became of a line.
struct Tried {
    line: Uuid,
    outcome: ImportOutcome,
    id: Option<String>,
    errors: Option<Value>,
}

async fn step(scope: &Scope, job: &Job) -> Result<StepResult> {
    let Some(import) = scope.records_by_ids(&NOUN, &[job.row]).await?.pop() else {
        // The import was deleted.
        return scope.begin().await?.commit_step(job, None).await;
    };
    if import.get(STATE) != Some(ImportState::Running) {
        return scope.begin().await?.commit_step(job, None).await;
    }
    let is_open = Comparison::Eq(Cell::Text(ImportOutcome::Unprocessed.text().to_owned()));
    let open = Predicate::All(vec![
        Predicate::Column(IMPORT_ID.into(), Comparison::Eq(Cell::Id(job.row))),
        Predicate::Column(OUTCOME.into(), is_open),
    ]);
    let lines = scope.select_where_unchecked((ID, CONTENT), &open, STEP - 1).await?;
    let tried = match write(scope, &import, &lines).await {
        Ok(tried) => tried,
        // The caller of importCreate may not do this any more: another try has the same end.
        Err(Error::Forbidden(permission)) => {
            let failure = format!("the scope {} is required", permission.name());
            return end(scope, job, &failure).await;
        }
        Err(error) => return Err(error),
    };
    let tx = scope.begin().await?;
    let has_more = lines.len() == STEP;
    let goes_on = record(&tx, job.row, tried, has_more).await?;
    tx.commit_step(job, goes_on.then_some("")).await
}

/// Writes the rows of lines, or tries to. A server that repeats this after another one has ended is told what the other did.
async fn write(scope: &Scope, import: &Record, lines: &[(ImportLineId, Option<String>)]) -> Result<Vec<Tried>> {
    let unread = || Error::internal("an import cannot be read");
    let noun = import.get(ROW_TYPE).map(ImportNoun::noun).ok_or_else(unread)?;
    let columns = columns(noun, import)?;
    let (mut tried, mut sent, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for (line, content) in lines {
        let cells = serde_json::from_str::<Map<String, Value>>(content.as_deref().unwrap_or_default());
        let Ok(cells) = cells else {
            let errors = json!([{ "code": Code::Invalid.text(), "message": "the line is no JSON object", "path": [] }]);
            tried.push(Tried { line: line.0, outcome: ImportOutcome::Failed, id: None, errors: Some(errors) });
            continue;
        };
        sent.push(line.0);
        rows.push(columns.row(cells));
    }
    let Some(first) = sent.first() else { return Ok(tried) };
    let actor = Actor {
        organization: scope.organization(),
        subject: import.get(SUBJECT).unwrap_or_default(),
        client: None,
        permissions: names(&import.get(SCOPES).unwrap_or_default())
            .iter()
            .filter_map(|name| Permission::parse(name))
            .collect(),
        expires: None,
        departments: None,
    };
    let input = json!({
        "rows": rows,
        "mode": import.get(MODE).ok_or_else(unread)?.text(),
        "onNull": import.get(ON_NULL).ok_or_else(unread)?.text(),
        "policy": "SKIP_INVALID",
        "idempotencyKey": format!("import-{first}"),
    });
    let text = document(noun, &actor);
    let is_dry_run = import.get(IS_DRY_RUN) == Some(true);
    let mut data = scope.run_document(actor, (text, json!({ "input": input })), is_dry_run).await?;
    let Value::Array(results) = data["payload"]["results"].take() else { return Err(unread()) };
    if results.len() != sent.len() {
        return Err(Error::internal(format!("{} of {} lines have a result", results.len(), sent.len())));
    }
    tried.extend(sent.into_iter().zip(results).map(|(line, mut result)| {
        let outcome = result["outcome"].as_str().and_then(ImportOutcome::parse).unwrap_or(ImportOutcome::Failed);
        let errors =
            Some(result["errors"].take()).filter(|errors| errors.as_array().is_some_and(|all| !all.is_empty()));
        Tried { line, outcome, id: result["node"]["id"].as_str().map(str::to_owned), errors }
    }));
    Ok(tried)
}

fn columns(noun: &'static Noun, import: &Record) -> Result<Columns> {
    let unread = || Error::internal("the columns of an import cannot be read");
    let given: Vec<ImportColumn> =
        serde_json::from_str(&import.get(COLUMNS).unwrap_or_default()).map_err(|_| unread())?;
    match import.get(FILE_COLUMNS).filter(|_| given.is_empty()) {
        Some(header) => Columns::of_header(noun, &names(&header)).map_err(|_| unread()),
        None => Columns::read(noun, &given).map_err(|_| unread()),
    }
}

fn names(list: &str) -> Vec<String> {
    serde_json::from_str(list).unwrap_or_default()
}

/// Returns the document that writes rows of a noun.
fn document(noun: &Noun, actor: &Actor) -> String {
    let (first, rest) = noun.plural.split_at(1);
    let input = format!("{}{rest}BulkUpsertInput", first.to_ascii_uppercase());
    // Whoever may write rows need not be allowed to read them.
    let may_read = noun.read.is_none_or(|permission| actor.permissions.holds(permission));
    let node = if may_read { "node { id }" } else { "" };
    format!(
        "mutation($input: {input}!) {{ payload: {}BulkUpsert(input: $input) \
         {{ results {{ outcome {node} errors {{ code message path }} }} }} }}",
        noun.plural
    )
}

/// Records what became of lines. Returns whether the import goes on.
async fn record(tx: &Tx, import: Uuid, tried: Vec<Tried>, has_more: bool) -> Result<bool> {
    let Some(row) = tx.lock(&NOUN, &[import]).await?.remove(&import) else { return Ok(false) };
    let ids: Vec<Uuid> = tried.iter().map(|line| line.line).collect();
    let mut lines = tx.lock(&import_line::NOUN, &ids).await?;
    let count = |outcome: ImportOutcome| i64::try_from(tried.iter().filter(|line| line.outcome == outcome).count());
    let mut changes = Vec::new();
    for (column, outcome) in [
        (CREATED_COUNT, ImportOutcome::Created),
        (UPDATED_COUNT, ImportOutcome::Updated),
        (UNCHANGED_COUNT, ImportOutcome::Unchanged),
        (FAILED_COUNT, ImportOutcome::Failed),
    ] {
        let more = count(outcome).unwrap_or_default();
        if more > 0 {
            changes.push(assign(column, row.get(column).unwrap_or(0) + more));
        }
    }
    let failed = row.get(FAILED_COUNT).unwrap_or(0) + count(ImportOutcome::Failed).unwrap_or_default();
    let has_failed = row.get(MAX_FAILURES).is_some_and(|most| failed >= most);
    let is_running = row.get(STATE) == Some(ImportState::Running);
    if is_running && (has_failed || !has_more) {
        let state = if has_failed { ImportState::Failed } else { ImportState::Completed };
        changes.push(assign(STATE, state));
        changes.push(assign(ENDED_AT, Some(ChronoUnixTimestampMillis(tx.now()))));
        if has_failed {
            changes.push(assign(FAILURE, Some("as many lines failed as maxFailures allows".to_owned())));
        }
    }
    let told = tried.into_iter().filter_map(|line| {
        let row = lines.remove(&line.line)?;
        let mut values = vec![assign(OUTCOME, line.outcome), assign(WRITTEN_ID, line.id)];
        values.push(assign(ERRORS, line.errors.map(|errors| errors.to_string())));
        if line.outcome != ImportOutcome::Failed {
            values.push(assign(CONTENT, None));
        }
        Some((row, values))
    });
    let told: Vec<_> = told.collect();
    if !told.is_empty() {
        tx.alter(&import_line::NOUN, told).await?;
    }
    if !changes.is_empty() {
        tx.change(&NOUN, vec![(row, changes)]).await?;
    }
    Ok(is_running && has_more && !has_failed)
}

/// Ends an import that cannot go on.
async fn end(scope: &Scope, job: &Job, failure: &str) -> Result<StepResult> {
    let tx = scope.begin().await?;
    if let Some(row) = tx.lock(&NOUN, &[job.row]).await?.remove(&job.row) {
        let changes = vec![
            assign(STATE, ImportState::Failed),
            assign(ENDED_AT, Some(ChronoUnixTimestampMillis(tx.now()))),
            assign(FAILURE, Some(failure.to_owned())),
        ];
        tx.change(&NOUN, vec![(row, changes)]).await?;
    }
    tx.commit_step(job, None).await
}
