//! The condition that an entry of the index has the words of a search, in the language of each database.

use entity::id::OrganizationId;

use super::source::word_prefix;
use crate::{
    store::statement::builder::{Alias, Sql},
    words::{Term, Terms},
};

/// Alias of the documents of FTS5.
const DOCUMENT: Alias = Alias::nested('f', 0);

impl Sql {
    /// Appends the tables and the beginning of the condition of a query of the entries `alias` that have all terms: it
    /// ends with `AND `, and the caller adds the organization.
    pub(in crate::store) fn entries_with(
        &mut self,
        alias: Alias,
        terms: &Terms,
        organization: OrganizationId,
    ) -> &mut Self {
        let prefix = word_prefix(organization);
        if self.is_postgres() {
            self.push("search_entry AS ").alias(alias).push(" WHERE ").column(alias, "document");
            self.push(" @@ CAST(CAST(").bind(tsquery(terms, &prefix)).push(" AS TEXT) AS TSQUERY) AND ");
            // The index has no positions: PostgreSQL would keep only some of them of a long text.
            for phrase in terms.all().iter().filter(|term| term.tokens.len() > 1) {
                let end = if phrase.is_prefix { "" } else { " " };
                let words = format!(" {}{end}", prefixed(phrase, &prefix).join(" "));
                self.push("strpos(' ' || ").column(alias, "tokens").push(" || ' ', ").bind(words).push(") > 0 AND ");
            }
            return self;
        }
        // A cross join keeps the order: the words first.
        self.push("search_text AS ").alias(DOCUMENT).push(" CROSS JOIN search_entry AS ").alias(alias);
        self.push(" WHERE ").alias(DOCUMENT).push(".search_text MATCH ").bind(fts5(terms, &prefix)).push(" AND ");
        self.column(alias, "document").push(" = ").alias(DOCUMENT).push(".rowid AND ")
    }
}

/// Returns the words of a term as they are indexed.
fn prefixed(term: &Term, prefix: &str) -> Vec<String> {
    term.tokens.iter().map(|token| format!("{prefix}{token}")).collect()
}

/// Returns the query of FTS5. Words need no escaping: they have no quotation marks.
fn fts5(terms: &Terms, prefix: &str) -> String {
    let term =
        |term: &Term| format!("\"{}\"{}", prefixed(term, prefix).join(" "), if term.is_prefix { " *" } else { "" });
    terms.all().iter().map(term).collect::<Vec<_>>().join(" AND ")
}

/// Returns the query of PostgreSQL: the words, in any order. Words need no escaping: they have no apostrophes.
fn tsquery(terms: &Terms, prefix: &str) -> String {
    let words = terms.all().iter().flat_map(|term| {
        let words = prefixed(term, prefix);
        let last = words.len() - 1;
        let sign = move |place: usize| if term.is_prefix && place == last { ":*" } else { "" };
        words.into_iter().enumerate().map(move |(place, word)| format!("'{word}'{}", sign(place)))
    });
    words.collect::<Vec<_>>().join(" & ")
}
