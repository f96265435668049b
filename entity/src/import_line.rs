//! Lines of imports, and what became of each.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{ImportId, ImportLineId, OrganizationId},
};

crate::string_enum! {
    /// What became of a line of an import.
    ImportOutcome as "ImportOutcome" {
        /// It was not tried: the import has not come so far, or ended before.
        Unprocessed = "UNPROCESSED",
        /// The row was created.
        Created = "CREATED",
        /// The row was updated.
        Updated = "UPDATED",
        /// The row had these values already.
        Unchanged = "UNCHANGED",
        /// The row was not written because of errors.
        Failed = "FAILED",
    }
}

/// Reason why the content of a line need not be erased.
const REMOVED: &str = "a line of an uploaded file, removed within 7 days, or at once when its row was written";

/// A line of an imported file, and what became of it. It is kept for 7 days.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "import_line")]
#[noun(prefix = "impln", read = ExchangeRead, write = ExchangeWrite, operations = [List], without_events)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ImportLineId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Number of the line in the file, from 1; the header of a CSV file counts, line breaks within cells do, too.
    #[noun(ordered, min = 1, max = i64::MAX)]
    pub line_number: i64,
    /// What became of it.
    pub outcome: ImportOutcome,
    /// Id of the row; null if there is none.
    #[noun(max = 64)]
    pub written_id: Option<String>,
    /// What is wrong: a list of objects with `code`, `message`, and `path` in the row's input. Null if nothing is.
    #[noun(json)]
    pub errors: Option<String>,
    /// The line as it was read: of CSV, a JSON object with its cells by column. Null once its row was written.
    #[noun(max = 65_536, personal = FreeText, retained_because = REMOVED)]
    pub content: Option<String>,
    /// The import that it belongs to.
    #[noun(inverse(lines = "Lines of the file, with what became of each."))]
    pub import_id: ImportId,
}
