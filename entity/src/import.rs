//! Imports: files whose rows are written into a noun, and how far that has come.

use sea_orm::entity::prelude::*;

use crate::{
    ImportNoun, Noun,
    id::{ImportId, OrganizationId},
    upsert::{Mode, OnNull},
};

crate::string_enum! {
    /// The form of a file.
    ImportFormat as "ImportFormat" {
        /// Comma-separated values (RFC 4180), with a header.
        Csv = "CSV",
        /// JSON objects, one a line.
        Ndjson = "NDJSON",
    }
}

crate::string_enum! {
    /// How far an import has come.
    ImportState as "ImportState" {
        /// The file has not been uploaded yet.
        Waiting = "WAITING",
        /// The rows are being written.
        Running = "RUNNING",
        /// Every line of the file was tried; `failedCount` says how many failed.
        Completed = "COMPLETED",
        /// It ended before the last line: `failure` says why. What was written before stays.
        Failed = "FAILED",
        /// A caller cancelled it. What was written before stays.
        Cancelled = "CANCELLED",
    }
}

crate::string_enum! {
    /// The character encoding of a file.
    ImportEncoding as "ImportEncoding" {
        /// UTF-8 or UTF-16, told apart by the byte order mark; UTF-8 if there is none.
        Auto = "AUTO",
        /// UTF-8.
        Utf8 = "UTF_8",
        /// UTF-16, little-endian unless the byte order mark says otherwise.
        Utf16 = "UTF_16",
        /// Windows-1252, in which spreadsheets of Western Europe and America save CSV.
        Windows1252 = "WINDOWS_1252",
    }
}

/// A file whose lines are written as rows of one type, as a bulk upsert writes them. `importCreate` says which columns become
/// which fields, `POST /imports/{id}/file` takes the file, and the server writes its rows in the background: a server that
/// ends is replaced by another, and no line is written twice. Its lines, with what became of each, are kept for 7 days.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "import")]
#[noun(prefix = "imp", read = ExchangeRead, write = ExchangeWrite, operations = [List])]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ImportId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Type of the rows.
    pub row_type: ImportNoun,
    /// Form of the file.
    pub format: ImportFormat,
    /// Character encoding of the file.
    pub encoding: ImportEncoding,
    /// The character between two cells of a CSV file.
    #[noun(max = 1)]
    pub delimiter: String,
    /// Which fields are taken from which columns, as given to `importCreate`.
    #[noun(json)]
    pub columns: String,
    /// Whether rows may be created, updated, or both.
    pub mode: Mode,
    /// What an empty cell means.
    pub on_null: OnNull,
    /// Whether nothing is written: the lines then tell what would have become of each.
    pub is_dry_run: bool,
    /// Number of failed lines after which the import ends as FAILED; null if it goes on whatever fails.
    #[noun(min = 1, max = 1_000_000)]
    pub max_failures: Option<i64>,
    /// How far it has come.
    #[noun(ordered)]
    pub state: ImportState,
    /// Columns that the file has: of CSV those of its header. Null until it is uploaded, and for NDJSON.
    #[noun(names)]
    pub file_columns: Option<String>,
    /// Number of lines of the file, without the header; a CSV row that contains line breaks counts as one.
    #[noun(min = 0, max = i64::MAX)]
    pub line_count: i64,
    /// Number of lines that were created.
    #[noun(min = 0, max = i64::MAX)]
    pub created_count: i64,
    /// Number of lines that were updated.
    #[noun(min = 0, max = i64::MAX)]
    pub updated_count: i64,
    /// Number of lines that changed nothing.
    #[noun(min = 0, max = i64::MAX)]
    pub unchanged_count: i64,
    /// Number of lines that failed.
    #[noun(min = 0, max = i64::MAX)]
    pub failed_count: i64,
    /// Why it ended as FAILED; null otherwise.
    #[noun(max = 300)]
    pub failure: Option<String>,
    /// When the file had been uploaded, UTC; null while WAITING.
    pub uploaded_at: Option<ChronoUnixTimestampMillis>,
    /// When it ended, UTC; null until then.
    pub ended_at: Option<ChronoUnixTimestampMillis>,
    /// Subject of whoever created it, in whose name the rows are written.
    #[noun(max = 255)]
    pub subject: String,
    /// Scopes of whoever created it, with which the rows are written.
    #[noun(names)]
    pub scopes: String,
}
