//! API types of the search.

use entity::SearchNoun;
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use crate::graphql::{
    planning::distinct::PageInfo,
    typed::{input::Input, output::Output, union::row_union},
};

row_union! {
    /// A row that the search found.
    pub(super) SearchRow, None, SearchNoun::all().map(SearchNoun::noun)
}

/// Arguments of `search`.
#[derive(Input)]
pub(super) struct SearchArguments {
    /// What to look for, up to 500 characters and 32 words: words, `wor*` for words that begin so, and
    /// `"words in this order"`. Case, accents and width do not matter. In Chinese, Japanese and Thai each character is a
    /// word, and characters without a space between them are looked for in this order.
    pub text: String,
    /// Types to search. Defaults to all that the caller may read; a named one that the caller may not read fails with
    /// FORBIDDEN.
    pub types: Option<Vec<SearchNoun>>,
    /// Maximum number of rows, 1 to 1,000.
    #[input(default = 25, range = 1..=1_000)]
    pub first: i64,
    /// Returns the rows after this cursor: `pageInfo.endCursor` of the previous page of the same search.
    pub after: Option<String>,
}

/// A part of a snippet. It is plain text: escape it like any other text before it becomes HTML.
#[derive(Output)]
pub(super) struct SearchSegment {
    /// The text.
    pub text: String,
    /// Whether the search matches it.
    pub is_match: bool,
}

/// What the search found: a row, and why.
#[derive(Output)]
pub(super) struct SearchHit {
    /// Type of the row, for example `Interaction`.
    pub r#type: String,
    /// Id of the row, for `node`.
    #[output(row_of = "type")]
    pub id: Uuid,
    /// The row itself.
    pub row: SearchRow,
    /// Field of the type in which all words were found; `externalIds` for an external id. If there are several, a name
    /// or an external id before other texts.
    pub field: String,
    /// 2 if the words are in a name or an external id, 1 if they are in another text.
    pub score: i64,
    /// When the row was archived, UTC; null if it is active. Archived rows are found, too.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
    /// Part of that field's text around the first match, about 240 characters, in segments that follow each other.
    pub snippet: Vec<SearchSegment>,
}

/// Rows that the search found, by `score`, then newest first.
#[derive(Output)]
pub(super) struct SearchResults {
    /// The rows of the page, each once.
    pub nodes: Vec<SearchHit>,
    /// Position of the page among the rows.
    pub page_info: PageInfo,
}
