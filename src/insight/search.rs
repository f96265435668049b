//! The search over names, texts and external ids of all types.

use entity::noun::StringEnum;

use super::search_types::{SearchArguments, SearchHit, SearchResults, SearchRow, SearchSegment};
use crate::{
    Error, Result,
    graphql::{
        planning::distinct::PageInfo,
        slice::Query,
        typed::{fields::QueryFn, output::instant},
    },
    store::{
        Scope,
        paging::{cursor::Codec, page::trim},
        search::{
            find::{Found, Position},
            texts::RowTexts,
        },
        statement::cell::{Cell, CellKind},
    },
    words::{Segment, Terms, joined, snippet},
};

/// Number of bytes of texts that are looked through on the current thread.
const SMALL: usize = 16_384;

/// The query `search`.
pub(super) const SEARCH: Query = Query {
    name: "search",
    doc: "Finds rows of all types by the words in their names, texts and external ids. A row is found if one of these has \
          all words. Finds only what the caller may read: personal texts, and external ids of people, need \
          `customers:read`. Fails with BAD_USER_INPUT if the text has no letter or digit, or too many.",
    permissions: &[],
    run: &QueryFn::new(|scope, input| Box::pin(search(scope, input))),
};

async fn search(scope: &Scope, input: SearchArguments) -> Result<SearchResults> {
    let SearchArguments { text, types, first, after } = input;
    let terms = Terms::parse(&text).map_err(|mistake| Error::BadInput(format!("text: {mistake}")))?;
    let sources = scope.searchable(types.as_deref())?;
    let mut names: Vec<&str> = types.iter().flatten().map(|known| known.name()).collect();
    names.sort_unstable();
    names.dedup();
    let question = format!("search {}\n{text}", if types.is_some() { names.join(" ") } else { "*".to_owned() });
    let codec = Codec::for_query(&question, &[CellKind::Int, CellKind::Id], scope.organization());
    let position = |cells: Vec<Cell>| -> Option<Position> { Some((cells[0].int()?, cells[1].id()?)) };
    let after = after.map(|cursor| codec.decode(&cursor)).transpose()?.and_then(position);
    let limit = usize::try_from(first).unwrap_or_default();
    let mut found = scope.search(&terms, &sources, after, limit + 1).await?;
    let has_next_page = trim(&mut found, limit, false);
    let cursor =
        |found: Option<&Found>| found.map(|found| codec.encode([&Cell::Int(found.rank), &Cell::Id(found.row)]));
    let page_info = PageInfo {
        has_next_page,
        has_previous_page: after.is_some(),
        start_cursor: cursor(found.first()),
        end_cursor: cursor(found.last()),
    };
    let mut texts = scope.texts_of(&found, &sources).await?;
    let rows: Vec<(Found, RowTexts)> =
        found.into_iter().filter_map(|found| Some((found, texts.remove(&found.row)?))).collect();
    let size: usize =
        rows.iter().flat_map(|(_, row)| row.texts.iter().flat_map(|(_, texts)| texts)).map(String::len).sum();
    let nodes = scope.compute(size > SMALL, move |computation| {
        let mut nodes = Vec::with_capacity(rows.len());
        for (found, row) in &rows {
            computation.check()?;
            nodes.extend(hit(found, row, &terms));
        }
        Ok(nodes)
    });
    Ok(SearchResults { nodes: nodes.await?, page_info })
}

/// Returns what is shown of a found row; `None` if it was changed since it was found.
fn hit(found: &Found, row: &RowTexts, terms: &Terms) -> Option<SearchHit> {
    let matching = row.texts.iter().filter(|(source, _)| i64::from(!source.is_name()) == found.rank);
    let (source, (text, words)) =
        matching.map(|(source, texts)| (source, joined(texts))).find(|(_, (_, words))| terms.are_in(words))?;
    let shown = |Segment { text, is_match }| SearchSegment { text, is_match };
    Some(SearchHit {
        r#type: found.noun.name.to_owned(),
        id: found.row,
        row: SearchRow { noun: found.noun, id: found.row },
        field: source.field_name().to_owned(),
        score: 2 - found.rank,
        archived_at: row.archived_at.map(instant),
        snippet: snippet(&text, &words, terms).into_iter().map(shown).collect(),
    })
}
