//! Takes the file of an import piece by piece. Its lines are stored as they arrive; the import begins with the last one.

use entity::{
    ImportNoun, Permission,
    id::ImportId,
    import::{
        COLUMNS, DELIMITER, ENCODING, FAILED_COUNT, FILE_COLUMNS, FORMAT, ImportState, LINE_COUNT, NOUN, ROW_TYPE,
        STATE, UPLOADED_AT,
    },
    import_line::{self, CONTENT, ERRORS, IMPORT_ID, ImportOutcome, LINE_NUMBER, OUTCOME},
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};
use serde_json::json;

use super::{
    columns::Columns,
    create::ImportColumn,
    job::JOB,
    source::{Line, Source},
};
use crate::{
    Error, Result,
    error::Code,
    exchange::old_rows,
    store::{
        Scope, Tx,
        operation::jobs::NewJob,
        statement::{
            cell::{Cell, Record},
            filter::{Comparison, Predicate},
            typed::assign,
        },
    },
};

/// Maximum number of lines of a file.
const MAX_LINES: i64 = 1_000_000;
/// Number of lines that are stored at a time.
const AT_A_TIME: usize = 500;
/// Length of the lines that are stored at a time, in bytes.
const BYTES_AT_A_TIME: usize = 1 << 20;

/// Why a file is not taken.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such import exists.
    NotFound,
    /// The import has a file, has ended, or is being sent another file.
    Conflict(&'static str),
    /// The file cannot be read.
    Bad(String),
}

/// A file that is being uploaded.
pub struct Upload {
    import: Uuid,
    /// Version of the import: another one if another file is being uploaded, or the import was cancelled.
    version: i64,
    row_type: ImportNoun,
    /// The columns of the input; none until the header is read, if that names the fields.
    columns: Vec<ImportColumn>,
    is_header_checked: bool,
    source: Source,
    lines: Vec<Line>,
    count: i64,
    failed: i64,
}

impl Upload {
    /// Begins to take the file of an import. What is left of an earlier upload that broke off is removed.
    pub async fn begin(scope: &Scope, import: Uuid) -> Result<Result<Self, Refusal>> {
        scope.actor().require(Permission::ExchangeWrite)?;
        scope.actor().require_whole_organization()?;
        let tx = scope.begin().await?;
        let Some(record) = tx.lock(&NOUN, &[import]).await?.remove(&import) else {
            tx.roll_back().await?;
            return Ok(Err(Refusal::NotFound));
        };
        if record.get(STATE) != Some(ImportState::Waiting) {
            tx.roll_back().await?;
            return Ok(Err(Refusal::Conflict("the import has a file already, or was cancelled: create another one")));
        }
        let upload = Self::of(&record)?;
        tx.alter(&NOUN, vec![(record, Vec::new())]).await?;
        tx.commit().await?;
        let own = Predicate::Column(IMPORT_ID.into(), Comparison::Eq(Cell::Id(import)));
        loop {
            let tx = scope.begin().await?;
            let has_more = old_rows::remove_where(&tx, import_line::ID, &own).await?;
            tx.commit().await?;
            if !has_more {
                return Ok(Ok(upload));
            }
        }
    }

    fn of(record: &Record) -> Result<Self> {
        let unread = || Error::internal("an import cannot be read");
        let format = record.get(FORMAT).ok_or_else(unread)?;
        let encoding = record.get(ENCODING).ok_or_else(unread)?;
        let delimiter = record.get(DELIMITER).and_then(|text| text.bytes().next()).unwrap_or(b',');
        Ok(Self {
            import: record.id(),
            version: record.version() + 1,
            row_type: record.get(ROW_TYPE).ok_or_else(unread)?,
            columns: serde_json::from_str(&record.get(COLUMNS).unwrap_or_default()).map_err(|_| unread())?,
            is_header_checked: false,
            source: Source::new(format, encoding, delimiter),
            lines: Vec::new(),
            count: 0,
            failed: 0,
        })
    }

    /// Splits the next piece of the file, the last one if `is_last`.
    pub fn push(&mut self, piece: &[u8], is_last: bool) -> Result<(), Refusal> {
        let before = self.lines.len();
        self.source.push(piece, is_last, &mut self.lines).map_err(Refusal::Bad)?;
        let new = &self.lines[before..];
        self.count += i64::try_from(new.len()).unwrap_or(i64::MAX);
        self.failed += i64::try_from(new.iter().filter(|line| line.mistake.is_some()).count()).unwrap_or(i64::MAX);
        if self.count > MAX_LINES {
            return Err(Refusal::Bad(format!("the file has more than {MAX_LINES} lines: send it as several imports")));
        }
        let Some(header) = self.source.header().filter(|_| !self.is_header_checked) else { return Ok(()) };
        self.is_header_checked = true;
        if self.columns.is_empty() {
            return Columns::of_header(self.row_type.noun(), header).map(drop).map_err(Refusal::Bad);
        }
        let columns = Columns::read(self.row_type.noun(), &self.columns);
        match columns.ok().and_then(|columns| columns.missing(header)) {
            Some(place) => Err(Refusal::Bad(format!("the file lacks the column of columns.{place} of importCreate"))),
            None => Ok(()),
        }
    }

    /// Returns whether there are enough lines to store.
    pub fn is_full(&self) -> bool {
        self.lines.len() >= AT_A_TIME
            || self.lines.iter().map(|line| line.content.len()).sum::<usize>() >= BYTES_AT_A_TIME
    }

    /// Stores the lines that were read, and begins the import after the last ones.
    pub async fn store(&mut self, scope: &Scope, is_last: bool) -> Result<Result<(), Refusal>> {
        let tx = scope.begin().await?;
        let record = tx.lock(&NOUN, &[self.import]).await?.remove(&self.import);
        let Some(record) = record.filter(|record| record.version() == self.version) else {
            tx.roll_back().await?;
            let message = "the import was cancelled or deleted, or another file for it is being sent";
            return Ok(Err(Refusal::Conflict(message)));
        };
        for lines in self.lines.chunks(AT_A_TIME) {
            let rows = lines.iter().map(|line| self.row(line)).collect();
            tx.make(&import_line::NOUN, rows).await?;
        }
        if is_last {
            self.start(&tx, record).await?;
        }
        tx.commit().await?;
        self.lines.clear();
        Ok(Ok(()))
    }

    fn row(&self, line: &Line) -> crate::store::writing::write::NewRow {
        let errors =
            line.mistake.map(|message| json!([{ "code": Code::Invalid.text(), "message": message, "path": [] }]));
        let outcome = if errors.is_some() { ImportOutcome::Failed } else { ImportOutcome::Unprocessed };
        vec![
            assign(IMPORT_ID, ImportId(self.import)),
            assign(LINE_NUMBER, line.number),
            assign(OUTCOME, outcome),
            assign(ERRORS, errors.map(|errors| errors.to_string())),
            assign(CONTENT, Some(line.content.clone())),
        ]
    }

    /// Begins to write the rows.
    async fn start(&self, tx: &Tx, record: Record) -> Result<()> {
        let id = record.id();
        let changes = vec![
            assign(STATE, ImportState::Running),
            assign(FILE_COLUMNS, self.source.header().map(|header| json!(header).to_string())),
            assign(LINE_COUNT, self.count),
            assign(FAILED_COUNT, self.failed),
            assign(UPLOADED_AT, Some(ChronoUnixTimestampMillis(tx.now()))),
        ];
        tx.change(&NOUN, vec![(record, changes)]).await?;
        // The job has the id of the import, by which a command continues it.
        tx.begin_job(&NewJob { id, kind: &JOB, row: id, progress: String::new(), run_at: None }).await
    }

    /// Number of lines so far, without the header.
    pub const fn count(&self) -> i64 {
        self.count
    }
}
