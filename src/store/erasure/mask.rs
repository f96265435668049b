//! Masks the data about a person from the start of the erasure until its steps have emptied the rows.
//!
//! The erasure of a person with many rows takes many transactions. From the first one on there is a job, and every read
//! of an erasable column goes through this module, which returns the emptied value for rows about a person with a job.
//! The personal tags of the schema determine the columns and rows.

use entity::{
    id::OrganizationId,
    merging,
    noun::{Field, Noun},
    personal::{self, PERSON},
};
use sea_orm::Statement;

use crate::{
    Result,
    store::{
        Connection, Scope,
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind, Column},
        },
        writing::external_ids::EXTERNAL_ID,
    },
};

/// Returns whether rows of the noun may have to be masked. The person's own row is emptied at once.
pub(in crate::store) fn covers(noun: &Noun) -> bool {
    noun.table != PERSON.table && personal::is_about_a_person(noun)
}

/// Returns the field of a column that may have to be masked.
pub(in crate::store) fn covered(noun: &'static Noun, column: &str) -> Option<&'static Field> {
    let field = noun.all_fields().find(|field| field.column == column)?;
    (field.is_erasable() && covers(noun)).then_some(field)
}

/// Returns the emptied value of a column.
pub(in crate::store) fn nothing(field: &Field) -> Cell {
    if field.is_nullable {
        Cell::Null
    } else if field.kind.is_set() {
        Cell::Text("[]".to_owned())
    } else {
        Cell::Text(String::new())
    }
}

impl<C: Connection> Scope<C> {
    /// Runs a statement whose last column is [`Sql::anybody_is_erased`]: first without the masks, and again with them if
    /// somebody is being erased. `PostgreSQL` plans a statement of changing shape anew each time, and the masks of several
    /// nouns take longer to plan than a search takes to run. `kinds` are those of the columns before the last one.
    pub(in crate::store) async fn read_masked(
        &self,
        write: impl Fn(bool) -> Statement,
        kinds: &[CellKind],
    ) -> Result<Vec<Vec<Cell>>> {
        let kinds: Vec<CellKind> = kinds.iter().copied().chain([CellKind::Bool]).collect();
        let rows = self.read_rows(write(false), &kinds).await?;
        if rows.iter().any(|row| row.last() == Some(&Cell::Bool(true))) {
            return self.read_rows(write(true), &kinds).await;
        }
        Ok(rows)
    }
}

impl Sql {
    /// Appends the visible value of a column: its value, or the emptied value if the row is about a person who is being
    /// erased, or the row that a merged one became.
    pub(in crate::store) fn shown(
        &mut self,
        noun: &'static Noun,
        alias: Alias,
        column: Column,
        organization: OrganizationId,
    ) -> &mut Self {
        if self.is_mute() {
            return self;
        }
        if merging::target(noun, column.name).is_some() {
            return self.followed(alias, column.name, organization);
        }
        let Some(field) = covered(noun, column.name) else { return self.column(alias, column.name) };
        let from = self.length();
        self.push("CASE WHEN ").is_masked(noun, alias, organization).push(" THEN ");
        match nothing(field) {
            Cell::Text(text) if text.is_empty() => self.push("''"),
            Cell::Text(_) => self.push("'[]'"),
            _ => self.push("NULL"),
        };
        self.push(" ELSE ").column(alias, column.name).push(" END").behind(from)
    }

    /// Appends the condition that a row of a noun is about a person who is being erased.
    pub(in crate::store) fn is_masked(
        &mut self,
        noun: &'static Noun,
        alias: Alias,
        organization: OrganizationId,
    ) -> &mut Self {
        if self.is_mute() {
            return self;
        }
        self.during_erasure(alias, organization).leads_to_masked(noun, alias, organization).push(")")
    }

    /// Opens a condition that is false unless a person is being erased.
    pub(in crate::store) fn during_erasure(&mut self, alias: Alias, organization: OrganizationId) -> &mut Self {
        // Evaluated once per statement and nearly always false, so that no row has to be tested.
        self.push("(").anybody_is_erased(alias, organization).push(" AND ")
    }

    /// Appends the condition that a person is being erased, whoever it is.
    pub(in crate::store) fn anybody_is_erased(&mut self, alias: Alias, organization: OrganizationId) -> &mut Self {
        let job = Alias::nested('q', alias.depth() + 1);
        self.push("EXISTS (SELECT 1 FROM job AS ").alias(job).push(" WHERE ");
        self.filter_tenant_again(
            "it only asks whether anybody is being erased; the conditions beside it ask whom",
            job,
            "organization_id",
            organization,
        );
        self.push(" AND ").alias(job).push(".kind = 'ERASURE')")
    }

    /// Appends, for an erasable set or external ids whose table was named last, the condition that the row is not about
    /// a person who is being erased.
    pub(crate) fn unmasked(
        &mut self,
        noun: &'static Noun,
        column: &'static str,
        alias: Alias,
        organization: OrganizationId,
    ) -> &mut Self {
        if covered(noun, column).is_none() && !(column == EXTERNAL_ID.name && covers(noun)) {
            return self;
        }
        self.behind_last(&[noun.table, "_", column]).push(" AND NOT ").is_masked(noun, alias, organization)
    }

    /// Like [`Sql::unmasked`], for rows of the column's index table, which refer to the noun's row.
    pub(in crate::store) fn unmasked_items(
        &mut self,
        noun: &'static Noun,
        column: &'static str,
        items: Alias,
        organization: OrganizationId,
    ) -> &mut Self {
        if covered(noun, column).is_none() {
            return self;
        }
        self.behind_last(&[noun.table, "_", column]).push(" AND NOT ").during_erasure(items, organization);
        self.names_masked(noun, items, &[noun.table, "_id"], organization).push(")")
    }

    /// Appends the condition that a column refers to a row of a noun that is about a person who is being erased.
    pub(in crate::store) fn names_masked(
        &mut self,
        noun: &'static Noun,
        alias: Alias,
        column: &[&'static str],
        organization: OrganizationId,
    ) -> &mut Self {
        let depth = alias.depth() + 1;
        if noun.table == PERSON.table {
            let job = Alias::nested('j', depth);
            self.push("EXISTS (SELECT 1 FROM job AS ").alias(job).push(" WHERE ");
            self.filter_tenant_again(
                "the job is found by an id in the organization's own row, and is never shown",
                job,
                "organization_id",
                organization,
            )
            .push(" AND ")
            .alias(job);
            self.push(".kind = 'ERASURE' AND ").alias(job).push(".row_id = ").alias(alias).push(".").name(column);
            return self.push(")");
        }
        let row = Alias::nested('v', depth);
        self.push("EXISTS (SELECT 1 FROM ").name(&[noun.table]).push(" AS ").alias(row).push(" WHERE ");
        self.filter_tenant_again(
            "the row is found by an id in the organization's own row, and is never shown",
            row,
            noun,
            organization,
        )
        .push(" AND ")
        .column(row, "id")
        .push(" = ");
        self.alias(alias).push(".").name(column).push(" AND ");
        self.leads_to_masked(noun, row, organization).push(")")
    }

    fn leads_to_masked(&mut self, noun: &'static Noun, alias: Alias, organization: OrganizationId) -> &mut Self {
        let is_up = |above: &Noun| {
            personal::paths().iter().any(|path| {
                path.last().is_some_and(|last| last.noun.table == noun.table && last.above.table == above.table)
            })
        };
        self.push("(");
        let mut is_first = true;
        for reach in
            personal::subject_paths().iter().filter(|reach| reach.noun.table == noun.table && is_up(reach.above))
        {
            if !std::mem::take(&mut is_first) {
                self.push(" OR ");
            }
            self.names_masked(reach.above, alias, &[reach.column], organization);
        }
        self.push(if is_first { "FALSE)" } else { ")" })
    }
}

#[cfg(debug_assertions)]
pub(in crate::store) use watch::must_hide;

/// Checks every statement in debug builds: none may read erasable data except through the mask.
#[cfg(debug_assertions)]
mod watch {
    use std::{ops::Range, sync::LazyLock};

    use entity::{noun::Noun, personal};

    use super::covers;

    /// The erasable data of a noun.
    struct Hidden {
        noun: &'static Noun,
        columns: Vec<String>,
        /// The tables of the noun besides its own.
        tables: Vec<String>,
    }

    static HIDDEN: LazyLock<Vec<Hidden>> = LazyLock::new(|| {
        let of = |noun: &'static Noun| {
            let fields = || noun.all_fields().filter(|field| field.is_erasable());
            let folded = fields().filter(|field| field.is_searchable).map(|field| format!("{}_folded", field.column));
            let sets = fields().filter(|field| field.kind.is_set());
            let sets = sets.map(|field| format!("\"{}_{}\"", noun.table, field.column));
            let keys = noun.has_external_ids.then(|| format!("\"{}_external_id\"", noun.table));
            let columns = fields().map(|field| field.column.to_owned()).chain(folded).collect();
            Hidden { noun, columns, tables: sets.chain(keys).collect() }
        };
        personal::about_a_person().iter().copied().filter(|noun| covers(noun)).map(of).collect()
    });

    /// Panics if a statement reads erasable data outside the ranges `behind`.
    pub fn must_hide(text: &str, behind: &[Range<usize>]) {
        let is_open = |at: usize| !behind.iter().any(|range| range.contains(&at));
        for Hidden { noun, columns, tables } in &*HIDDEN {
            if !text.contains(noun.table) {
                continue;
            }
            for column in columns {
                let quoted = format!(".\"{column}\"");
                let is_read = |at: usize| {
                    is_open(at) && !text[..at].ends_with("excluded") && !is_of_another(text, at, noun.table)
                };
                let is_word = |at: usize| {
                    let next = text[at + 1 + column.len()..].chars().next();
                    next.is_none_or(|next| !next.is_alphanumeric() && next != '_')
                };
                let bare = text.match_indices(&format!(".{column}")).any(|(at, _)| is_word(at) && is_read(at));
                let is_exposed = bare || text.match_indices(&quoted).any(|(at, _)| is_read(at));
                assert!(!is_exposed, "{}.{column} is read without Sql::shown: {text}", noun.name);
            }
            for table in tables {
                let is_written =
                    |at: usize| ["INTO ", "UPDATE ", "DELETE FROM "].iter().any(|verb| text[..at].ends_with(verb));
                let is_exposed = text.match_indices(table.as_str()).any(|(at, _)| is_open(at) && !is_written(at));
                assert!(!is_exposed, "{table} is read without Sql::unmasked: {text}");
            }
        }
    }

    /// Returns whether the alias before the point at `at` stands only for other tables than `table`, or for a subquery,
    /// of which each table is looked at by its own alias.
    fn is_of_another(text: &str, at: usize, table: &str) -> bool {
        let is_word = |sign: char| sign.is_alphanumeric() || sign == '_';
        let alias = text[..at].rsplit(|sign: char| !is_word(sign)).next().unwrap_or_default();
        let named = format!(" AS {alias}");
        let ends = |end: usize| text[end..].chars().next().is_none_or(|next| !is_word(next));
        let mut tables = text.match_indices(&named).filter(|(place, _)| ends(place + named.len())).map(|(place, _)| {
            let before = text[..place].trim_end_matches('"');
            before.rsplit(|sign: char| !is_word(sign)).next().unwrap_or_default()
        });
        let mut is_known = false;
        let is_another = tables.all(|known| {
            is_known = true;
            known != table
        });
        is_known && is_another && !alias.is_empty()
    }

    #[cfg(test)]
    mod tests {
        use super::must_hide;

        fn is_refused(text: &str) -> bool {
            std::panic::catch_unwind(|| must_hide(text, &[])).is_err()
        }

        #[test]
        fn a_statement_that_reads_what_is_hidden_is_refused_unless_it_says_so() {
            for text in [
                "SELECT t.\"body\" FROM \"feedback_record\" AS t",
                "SELECT t.body FROM feedback_record AS t",
                "SELECT 1 FROM \"feedback_record\" AS t WHERE t.\"body_folded\" LIKE ?",
                "SELECT r.\"reason\" FROM routing AS r",
                "SELECT i.item FROM \"feedback_record_attributes\" AS i",
                "SELECT t.system FROM \"feedback_record_external_id\" AS t",
                // The alias stands for both tables, for none, or for the table in a longer alias.
                "SELECT t.body FROM other AS t WHERE EXISTS (SELECT 1 FROM feedback_record AS t)",
                "SELECT u.body FROM feedback_record",
                "SELECT c.body FROM (SELECT t.body FROM feedback_record AS t) AS c",
                "SELECT t.body FROM other AS t1, feedback_record AS t",
            ] {
                assert!(is_refused(text), "{text}");
            }
            for text in [
                "SELECT t.\"kind\", t.bodyguard FROM \"feedback_record\" AS t",
                "SELECT t.\"name\" FROM \"customer\" AS t",
                "INSERT INTO \"routing\" (\"reason\") VALUES (?) ON CONFLICT (id) DO UPDATE SET \"reason\" = excluded.\"reason\"",
                "DELETE FROM \"feedback_record_external_id\" AS t WHERE t.system = ?",
                "SELECT o.body FROM other AS o, \"feedback_record\" AS t WHERE t.\"kind\" = o.\"body\"",
                "SELECT c.body FROM (SELECT o.body FROM other AS o, feedback_record AS t) AS c",
            ] {
                assert!(!is_refused(text), "{text}");
            }
            let text = "SELECT t.\"body\" FROM \"feedback_record\" AS t";
            let behind = 7..15;
            must_hide(text, std::slice::from_ref(&behind));
        }
    }
}
