//! How imports are created and cancelled.

use entity::{
    ImportNoun, Permission,
    id::ImportId,
    import::{
        COLUMNS, CREATED_COUNT, DELIMITER, ENCODING, ENDED_AT, FAILED_COUNT, FORMAT, IS_DRY_RUN, ImportEncoding,
        ImportFormat, ImportState, LINE_COUNT, MAX_FAILURES, MODE, NOUN, ON_NULL, ROW_TYPE, SCOPES, STATE, SUBJECT,
        UNCHANGED_COUNT, UPDATED_COUNT,
    },
    upsert::{Mode, OnNull},
};
use sea_orm::prelude::ChronoUnixTimestampMillis;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::columns::Columns;
use crate::{
    Error, Result, UserError,
    error::Code,
    graphql::{
        slice::{Done, Module, Mutation},
        typed::{
            fields::MutationFn,
            input::{Input, RefTo},
        },
    },
    store::{
        Tx,
        statement::typed::assign,
        writing::{
            draft::{Draft, Mode as WriteMode, Outcome, Target},
            write::Hooks,
        },
    },
};

/// Delimiters that a CSV file can have.
const DELIMITERS: [&str; 4] = [",", ";", "\t", "|"];

/// GraphQL module of imports.
pub const SLICE: Module = Module { mutations: &[CREATE, CANCEL], ..Module::new(&NOUN) };

const CREATE: Mutation = Mutation {
    name: "importCreate",
    doc: "Prepares an import of a file. Then send the file by `POST /imports/{id}/file`, with its bytes as the body; as soon as \
          it has arrived, its rows are written in the background, with the scopes of the caller of this mutation. Fails with \
          INVALID at rowType if they do not suffice to write the rows.",
    permissions: &[Permission::ExchangeWrite],
    run: &MutationFn::new(|tx, input| Box::pin(begin(tx, input))),
};

const CANCEL: Mutation = Mutation {
    name: "importCancel",
    doc: "Ends an import. What was written before stays written. Fails with INVALID if it has ended.",
    permissions: &[Permission::ExchangeWrite],
    run: &MutationFn::new(|tx, ImportCancel { by }| Box::pin(cancel(tx, by))),
};

/// A file to be imported.
#[derive(Clone, Debug, Input)]
pub struct ImportCreate {
    /// Type of the rows.
    pub row_type: ImportNoun,
    /// Form of the file.
    pub format: ImportFormat,
    /// Which fields are taken from which columns, at most 500. Without them, the header of a CSV file names the fields as
    /// `field` does here, and each line of an NDJSON file is a row as the bulk upsert of the type takes it.
    #[input(default = Vec::new(), most = 500)]
    pub columns: Vec<ImportColumn>,
    /// Whether rows may be created, updated, or both.
    #[input(default = Mode::Upsert)]
    pub mode: Mode,
    /// What an empty cell means: KEEP changes nothing, CLEAR clears the field.
    #[input(default = OnNull::Keep)]
    pub on_null: OnNull,
    /// Whether nothing is written: the lines then tell what would have become of each. Lines are tried 500 at a time, so a line
    /// that needs a row of an earlier line of the same file can fail in a dry run only.
    #[input(default = false)]
    pub is_dry_run: bool,
    /// Number of failed lines after which the import ends as FAILED, 1 to 1,000,000. Without it, the import goes on whatever
    /// fails.
    #[input(range = 1..=1_000_000)]
    pub max_failures: Option<i64>,
    /// Character encoding of the file.
    #[input(default = ImportEncoding::Auto)]
    pub encoding: ImportEncoding,
    /// The character between two cells of a CSV file: a comma, a semicolon, a tab or a vertical bar.
    #[input(default = ",".to_owned(), max = 1)]
    pub delimiter: String,
}

/// A field of the rows, and where its value comes from: a column of the file, or one value for all rows.
#[derive(Clone, Debug, Deserialize, Input, Serialize)]
pub struct ImportColumn {
    /// Path of the field in a row of the bulk upsert: `name`, `externalId.system`, `externalId.id`, `accountRef.id`,
    /// `accountRef.externalId.id`, `attributes.plan` for the attribute plan, `amount.currency`.
    #[input(max = 320)]
    pub field: String,
    /// Name of the column: of CSV as in the header, of NDJSON the key. Give either this or value.
    #[input(max = 320)]
    pub column: Option<String>,
    /// The value in every row. Give either this or column.
    #[input(max = 2_000)]
    pub value: Option<String>,
    /// What separates the items of a list in a cell; by default a semicolon. Only for lists.
    #[input(max = 8)]
    pub separator: Option<String>,
}

/// An import to end.
#[derive(Input)]
struct ImportCancel {
    /// The import.
    by: RefTo<ImportId>,
}

/// Creates an import. Returns its id.
pub async fn begin(tx: &Tx, input: &ImportCreate) -> Result<Done> {
    tx.actor().require_whole_organization()?;
    let noun = input.row_type.noun();
    let mut mistakes = Columns::read(noun, &input.columns).err().unwrap_or_default();
    if !tx.actor().permissions.holds(noun.write) {
        let message = format!("to write these rows, the scope {} is required", noun.write.name());
        mistakes.push(UserError::new(Code::Invalid, "rowType", message));
    }
    if !DELIMITERS.contains(&input.delimiter.as_str()) {
        mistakes.push(UserError::new(Code::Invalid, "delimiter", "give a comma, a semicolon, a tab or a vertical bar"));
    }
    if !mistakes.is_empty() {
        return Ok(Err(mistakes));
    }
    let mut scopes: Vec<&str> = tx.actor().permissions.iter().map(Permission::name).collect();
    scopes.sort_unstable();
    let columns = serde_json::to_string(&input.columns).map_err(|error| Error::internal(error.to_string()))?;
    let mut draft = Draft::new(&NOUN, Target::New, WriteMode::CreateOnly);
    draft.set(ROW_TYPE, input.row_type);
    draft.set(FORMAT, input.format);
    draft.set(ENCODING, input.encoding);
    draft.set(DELIMITER, input.delimiter.clone());
    draft.set(COLUMNS, columns);
    draft.set(MODE, input.mode);
    draft.set(ON_NULL, input.on_null);
    draft.set(IS_DRY_RUN, input.is_dry_run);
    draft.set(MAX_FAILURES, input.max_failures);
    draft.set(STATE, ImportState::Waiting);
    for count in [LINE_COUNT, CREATED_COUNT, UPDATED_COUNT, UNCHANGED_COUNT, FAILED_COUNT] {
        draft.set(count, 0);
    }
    draft.set(SUBJECT, tx.actor().subject.clone());
    draft.set(SCOPES, json!(scopes).to_string());
    let mut drafts = vec![draft];
    let written = tx.write(&NOUN, &Hooks::NONE, &mut drafts, true).await?.pop();
    let written = written.ok_or_else(|| Error::internal("an import was not written"))?;
    if !written.errors.is_empty() {
        return Ok(Err(written.errors));
    }
    let id = written.id.ok_or_else(|| Error::internal("an import has no id"))?;
    Ok(Ok((id, Outcome::Created)))
}

async fn cancel(tx: &Tx, by: &RefTo<ImportId>) -> Result<Done> {
    let record = match tx.lock_one(&NOUN, Permission::ExchangeWrite, &by.reference, None).await? {
        Ok(record) => record,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    if !matches!(record.get(STATE), Some(ImportState::Waiting | ImportState::Running)) {
        return Ok(Err(vec![UserError::new(Code::Invalid, "by", "the import has ended")]));
    }
    let id = record.id();
    let ended = assign(ENDED_AT, Some(ChronoUnixTimestampMillis(tx.now())));
    tx.change(&NOUN, vec![(record, vec![assign(STATE, ImportState::Cancelled), ended])]).await?;
    Ok(Ok((id, Outcome::Updated)))
}
