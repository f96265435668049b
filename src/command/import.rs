//! `import`: writes the rows of a file, and shows how far that is.

use std::{fmt::Write as _, fs::File, io::Read};

use anyhow::{Context, Result, bail};
use entity::{
    id, import,
    import::{
        CREATED_COUNT, FAILED_COUNT, FAILURE, ImportFormat, ImportState, LINE_COUNT, NOUN, STATE, UNCHANGED_COUNT,
        UPDATED_COUNT,
    },
    import_line::{self, CONTENT, ERRORS, ImportOutcome, LINE_NUMBER, OUTCOME},
};
use indicatif::{ProgressBar, ProgressStyle};
use sea_orm::prelude::Uuid;

use super::{commit, operator};
use crate::{
    clock,
    config::{ImportRequest, Settings},
    exchange::import::{ImportColumn, ImportCreate, Refusal, Upload, begin},
    graphql::mutation::input::wire_id,
    store::{
        Scope,
        operation::jobs::StepResult,
        statement::{
            cell::{Cell, Record},
            filter::{Comparison, Predicate},
        },
    },
};

/// Bytes of the file that are read at a time.
const PIECE: usize = 64 << 10;
/// Number of failed lines that are printed.
const SHOWN: usize = 20;

/// Imports a file, or continues an import that a crash or a signal interrupted. Fails if a line failed.
pub async fn import(settings: &Settings, request: &ImportRequest) -> Result<String> {
    let scope = operator(settings, &request.organization).await?;
    let id = match &request.resume {
        Some(text) => wire_id(NOUN.prefix, text).context("--resume takes the id of an import, imp_…")?,
        None => upload(&scope, request).await?,
    };
    write(&scope, id).await?;
    summary(&scope, id).await
}

/// Creates the import and takes the file. Returns the id of the import.
async fn upload(scope: &Scope, request: &ImportRequest) -> Result<Uuid> {
    let path = request.file.as_ref().context("give the file to import")?;
    let row_type = request.noun.context("--noun is required")?;
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let format = match (request.format, extension) {
        (Some(format), _) => format,
        (None, "csv" | "tsv" | "txt") => ImportFormat::Csv,
        (None, "ndjson" | "jsonl") => ImportFormat::Ndjson,
        (None, _) => bail!("--format is required: the name of the file ends in none of .csv, .tsv, .ndjson and .jsonl"),
    };
    let mut columns: Vec<ImportColumn> = Vec::new();
    for (field, column) in &request.map {
        columns.push(ImportColumn { field: field.clone(), column: Some(column.clone()), value: None, separator: None });
    }
    for (field, value) in &request.set {
        columns.push(ImportColumn { field: field.clone(), column: None, value: Some(value.clone()), separator: None });
    }
    for (field, separator) in &request.split {
        let column = columns.iter_mut().find(|column| column.field == *field);
        let column = column.with_context(|| format!("--split {field}: --map does not name this field"))?;
        column.separator = Some(separator.clone());
    }
    let delimiter = if extension == "tsv" { "\t" } else { "," };
    let input = ImportCreate {
        row_type,
        format,
        columns,
        mode: request.mode,
        on_null: request.on_null,
        is_dry_run: request.dry_run,
        max_failures: request.max_failures,
        encoding: request.encoding,
        delimiter: request.delimiter.clone().unwrap_or_else(|| delimiter.to_owned()),
    };
    let mut file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    let tx = scope.begin().await?;
    let begun = begin(&tx, &input).await?;
    let (id, _) = commit(tx, begun).await?;
    let bar = ProgressBar::new(size).with_style(style("{bar:40} {bytes} of {total_bytes} read")?);
    let mut upload = taken(Upload::begin(scope, id).await?)?;
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece).with_context(|| format!("cannot read {}", path.display()))?;
        taken(upload.push(&piece[..read], read == 0))?;
        if read == 0 || upload.is_full() {
            taken(upload.store(scope, read == 0).await?)?;
        }
        bar.inc(read as u64);
        if read == 0 {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(id)
}

fn taken<T>(done: Result<T, Refusal>) -> Result<T> {
    done.map_err(|refusal| match refusal {
        Refusal::NotFound => anyhow::anyhow!("the import was deleted"),
        Refusal::Conflict(message) => anyhow::anyhow!(message),
        Refusal::Bad(message) => anyhow::anyhow!(message),
    })
}

fn style(template: &str) -> Result<ProgressStyle> {
    Ok(ProgressStyle::with_template(template)?)
}

/// Performs the steps of the import.
async fn write(scope: &Scope, id: Uuid) -> Result<()> {
    let bar = ProgressBar::new(0).with_style(style("{bar:40} {pos} of {len} lines, {per_sec}, {eta} left{msg}")?);
    let public = id::encode(NOUN.prefix, id);
    eprintln!("if this is interrupted, continue it with --resume {public}");
    loop {
        let import = row(scope, id).await?;
        if import.get(STATE) == Some(ImportState::Waiting) {
            bail!("the file of this import was not read to its end: import the file again");
        }
        let count = |column| u64::try_from(import.get(column).unwrap_or(0)).unwrap_or(0);
        bar.set_length(count(LINE_COUNT));
        bar.set_position(count(CREATED_COUNT) + count(UPDATED_COUNT) + count(UNCHANGED_COUNT) + count(FAILED_COUNT));
        if count(FAILED_COUNT) > 0 {
            bar.set_message(format!(", {} failed", count(FAILED_COUNT)));
        }
        match scope.step_job(id, clock::now()).await? {
            StepResult::On => {}
            StepResult::Waits => tokio::time::sleep(std::time::Duration::from_millis(200)).await,
            StepResult::PutOff | StepResult::Done | StepResult::Lost => break,
        }
    }
    bar.finish_and_clear();
    Ok(())
}

async fn row(scope: &Scope, id: Uuid) -> Result<Record> {
    let found = scope.records_by_ids(&NOUN, &[id]).await?.pop();
    found.context("the organization has no such import")
}

/// Returns what became of the lines. `Err` with the same if one failed, or the import did not reach the end.
async fn summary(scope: &Scope, id: Uuid) -> Result<String> {
    let import = row(scope, id).await?;
    let count = |column| import.get(column).unwrap_or(0);
    let is_dry_run = import.get(import::IS_DRY_RUN) == Some(true);
    let mut text = format!(
        "{} lines{}: {} created, {} updated, {} unchanged, {} failed\n",
        count(LINE_COUNT),
        if is_dry_run { ", nothing written" } else { "" },
        count(CREATED_COUNT),
        count(UPDATED_COUNT),
        count(UNCHANGED_COUNT),
        count(FAILED_COUNT)
    );
    let failed = Predicate::All(vec![
        Predicate::Column(import_line::IMPORT_ID.into(), Comparison::Eq(Cell::Id(id))),
        Predicate::Column(OUTCOME.into(), Comparison::Eq(Cell::Text(ImportOutcome::Failed.text().to_owned()))),
    ]);
    let lines = scope.select_where_unchecked((LINE_NUMBER, ERRORS, CONTENT), &failed, SHOWN - 1).await?;
    for (number, errors, content) in &lines {
        let (errors, content) = (errors.as_deref().unwrap_or_default(), content.as_deref().unwrap_or_default());
        writeln!(text, "line {number}: {errors} {content}")?;
    }
    if let Some(failure) = import.get(FAILURE) {
        writeln!(text, "the import ended before the last line: {failure}")?;
    }
    if import.get(STATE) == Some(ImportState::Completed) && count(FAILED_COUNT) == 0 {
        return Ok(text);
    }
    bail!(text.trim_end().to_owned())
}
