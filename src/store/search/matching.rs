//! The condition that an entry of the index has the words of a search, in the language of each database.

use entity::{Noun, id::OrganizationId};

use super::source::{Source, word_prefix};
use crate::{
    store::{
        erasure::mask,
        statement::{
            builder::{Alias, Sql},
            cell::Column,
        },
    },
    words::{Term, Terms},
};

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
        let document = Alias::nested('f', alias.depth());
        // A cross join keeps the order: the words first.
        self.push("search_text AS ").alias(document).push(" CROSS JOIN search_entry AS ").alias(alias);
        self.push(" WHERE ").alias(document).push(".search_text MATCH ").bind(fts5(terms, &prefix)).push(" AND ");
        self.column(alias, "document").push(" = ").alias(document).push(".rowid AND ")
    }
}

/// Appends the condition that a searchable column of the row `alias` has all terms. A row about a person who is being
/// erased has none.
pub(in crate::store) fn is_matched(
    sql: &mut Sql,
    noun: &'static Noun,
    column: Column,
    terms: &Terms,
    organization: OrganizationId,
    alias: Alias,
) {
    let entry = Alias::nested('e', alias.depth() + 1);
    let source = Source::of_column(noun, column.name).map_or("", |source| source.name.as_str());
    sql.push("((").column(alias, noun.tenant).push(", ").column(alias, "id").push(") IN (SELECT ");
    sql.column(entry, "organization_id").push(", ").column(entry, "row_id").push(" FROM ");
    sql.entries_with(entry, terms, organization).filter_tenant_again(
        "the entries have the organization of their row",
        entry,
        "organization_id",
        organization,
    );
    sql.push(" AND ").column(entry, "source").push(" = ").bind(source).push(")");
    if mask::covered(noun, column.name).is_some() {
        sql.push(" AND NOT ").is_masked(noun, alias, organization);
    }
    sql.push(")");
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
