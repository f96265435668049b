//! Narrowing by department: the condition that the departments of the caller's token see a row.
//!
//! A noun declares how its rows belong to departments ([`Narrowing`]). Wherever a statement limits a table of such a noun
//! to the organization, [`Sql::filter_tenant`] also writes this condition. A statement for a narrowed caller that reads
//! such a table without it is refused before it runs, so that no reader can forget it.

use entity::{
    NOUNS, Noun,
    id::OrganizationId,
    noun::{Link, Narrowing},
};

use super::{
    builder::{Alias, Sql},
    template::{Source, ids_value},
};
use crate::{
    Result,
    auth::Departments,
    store::{Connection, Scope, Tx, driver::Pools, transaction::unit_of_work::Whole},
};

/// The text of a statement that was refused. No database runs it.
const REFUSED: &str = "a statement reads rows of departments without the condition that the caller sees them";

impl Sql {
    /// Narrows the statement to these departments.
    pub(in crate::store) fn narrowed_to(mut self, departments: Option<&Departments>) -> Self {
        self.departments = departments.cloned();
        self
    }

    /// Returns whether the caller sees only some rows of the noun.
    pub(in crate::store) fn narrows(&self, noun: &Noun) -> bool {
        self.departments.is_some() && noun.is_narrowed()
    }

    /// Appends to a condition that the caller's departments see a row of the noun; nothing if the caller sees all rows.
    pub(in crate::store) fn narrow(
        &mut self,
        noun: &'static Noun,
        alias: Alias,
        organization: OrganizationId,
    ) -> &mut Self {
        if !self.narrows(noun) {
            return self;
        }
        let known = (noun.table, alias);
        if !self.narrowed.contains(&known) {
            self.narrowed.push(known);
        }
        for narrowing in noun.narrowed {
            self.push(" AND ");
            match narrowing {
                Narrowing::By(column) => self.column(alias, column).is_one_of_departments(),
                Narrowing::Through(name) => {
                    let relation = noun.relation(name).expect("a noun is narrowed through one of its relations");
                    let Link::One { column, .. } = relation.link else { unreachable!("it leads to one row") };
                    self.names_seen(relation.target, alias, &[column], organization)
                }
            };
        }
        if let Some((row, of_noun)) = noun.row_column() {
            self.push(" AND (").column(alias, of_noun).push(" NOT IN (");
            self.list(seen_by_departments(), |sql, about| _ = sql.push("'").push(about.name).push("'")).push(")");
            for about in seen_by_departments() {
                self.push(" OR ").column(alias, of_noun).push(" = '").push(about.name).push("' AND ");
                self.names_seen(about, alias, &[row], organization);
            }
            self.push(")");
        }
        self
    }

    /// Appends the condition that the column, whose name is the concatenation of `column`, names a row of the noun that
    /// the caller sees.
    pub(in crate::store) fn names_seen(
        &mut self,
        noun: &'static Noun,
        alias: Alias,
        column: &[&'static str],
        organization: OrganizationId,
    ) -> &mut Self {
        let row = Alias::nested('w', alias.depth() + 1);
        self.push("EXISTS (SELECT 1 FROM ").name(&[noun.table]).push(" AS ").alias(row).push(" WHERE ");
        self.filter_tenant_again(
            "the row is found by an id in the organization's own row, and is never shown",
            row,
            noun,
            organization,
        );
        self.push(" AND ").column(row, "id").push(" = ").alias(alias).push(".").name(column).push(")")
    }

    /// Appends to a column the condition that it is one of the caller's departments.
    fn is_one_of_departments(&mut self) -> &mut Self {
        let ids = ids_value(self.backend, self.departments.as_ref().map_or(&[], Departments::uuids));
        if self.is_postgres() {
            return self.push(" = ANY(").value(ids, Source::Departments).push(")");
        }
        self.push(" IN (SELECT unhex(value) FROM json_each(").value(ids, Source::Departments).push("))")
    }

    /// Notes that the statement reads rows of all departments in this table; `_reason` says why the caller may know what
    /// follows from them.
    pub(in crate::store) fn reads_whole(
        &mut self,
        _reason: &'static str,
        table: &'static str,
        alias: Alias,
    ) -> &mut Self {
        if self.departments.is_some() {
            self.narrowed.push((table, alias));
        }
        self
    }

    /// Returns the text, or one that no database runs if it reads a table of a noun without the condition that the
    /// caller's departments see the rows.
    pub(super) fn only_what_is_seen(&self, text: String) -> String {
        let Some(table) = self.departments.as_ref().and_then(|_| self.unnarrowed(&text)) else { return text };
        debug_assert!(false, "{table} is read without Sql::narrow: {text}");
        tracing::error!(table, "a statement for a caller with departments is refused");
        REFUSED.to_owned()
    }

    /// Returns a table whose rows belong to departments and that the text reads without the condition.
    fn unnarrowed(&self, text: &str) -> Option<&'static str> {
        let is_open = |table: &'static str, (at, _): (usize, &str)| {
            let (before, after) = (&text[..at], &text[at + table.len()..]);
            let quoted = before.strip_suffix('"').zip(after.strip_prefix('"'));
            let (before, after) = quoted.unwrap_or((before, after));
            let is_word = |sign: char| sign.is_alphanumeric() || matches!(sign, '_' | '.' | '"');
            let Some(alias) = after.strip_prefix(" AS ").filter(|_| !before.ends_with(is_word)) else { return false };
            let alias = alias.split(|sign: char| !sign.is_alphanumeric()).next().unwrap_or_default();
            let is_known = |known: &(&str, Alias)| known.0 == table && known.1.to_string() == alias;
            !before.ends_with("INTO ") && !self.narrowed.iter().any(is_known)
        };
        let tables = NOUNS.into_iter().filter(|noun| noun.is_narrowed()).map(|noun| noun.table);
        tables.into_iter().find(|table| text.match_indices(table).any(|found| is_open(table, found)))
    }
}

/// Returns the nouns whose rows the rows of other nouns can be about, as those of the audit log are.
fn seen_by_departments() -> impl Iterator<Item = &'static Noun> {
    NOUNS.into_iter().filter(|noun| !noun.narrowed.is_empty())
}

impl<C: Connection> Scope<C> {
    /// Returns the departments that the caller's token names, unless the statement is one of the organization's own.
    pub(in crate::store) fn departments(&self) -> Option<&Departments> {
        self.actor.departments.as_ref().filter(|_| !self.conn.acts_for_organization())
    }

    /// Returns whether the caller sees only some rows of the noun.
    pub fn narrows(&self, noun: &Noun) -> bool {
        noun.is_narrowed() && self.departments().is_some()
    }

    /// Err if the caller's token names departments: what follows concerns rows that they may not see.
    pub fn require_whole_organization(&self) -> Result<()> {
        self.actor.require_whole_organization()
    }
}

impl Scope<Pools> {
    /// Returns a scope that sees the rows of all departments, for what the server decides for the organization, whoever
    /// asks. Rows that it reads must not be shown.
    #[must_use]
    pub fn for_organization(&self) -> Self {
        let actor = crate::auth::Actor { departments: None, ..(*self.actor).clone() };
        self.clone().by(actor)
    }
}

impl Tx {
    /// Lets the transaction see and write rows of all departments until the guard is dropped: for rules, which the server
    /// applies for the organization, whoever the caller is, after it has found the rows that the caller named.
    pub fn for_organization(&self) -> Whole<'_> {
        self.conn.for_organization()
    }
}

#[cfg(test)]
mod tests {
    use entity::{case, event, id::DepartmentId};
    use sea_orm::DbBackend;

    use super::*;

    fn narrowed() -> Sql {
        let departments = Departments::new([DepartmentId(entity::id::new())]).unwrap();
        Sql::new(DbBackend::Postgres).narrowed_to(Some(&departments))
    }

    #[test]
    fn a_statement_that_reads_rows_of_departments_without_the_condition_is_refused() {
        let organization = OrganizationId(entity::id::new());
        for text in [
            "SELECT t.id FROM \"customer_case\" AS t",
            "SELECT t.id FROM customer_case AS t",
            "SELECT 1 FROM customer AS t JOIN \"feedback_record\" AS l ON TRUE",
            "SELECT 1 FROM (SELECT r.id FROM deadline AS r) AS t",
            "SELECT t.row_id FROM event AS t",
            "UPDATE \"customer_case\" AS t SET x = 1",
        ] {
            assert!(narrowed().unnarrowed(text).is_some(), "{text}");
        }
        for text in [
            "SELECT t.id FROM customer AS t",
            "INSERT INTO \"customer_case\" AS t (id) VALUES (1)",
            "SELECT t.\"customer_case\" AS x, CASE WHEN TRUE THEN 1 END AS y FROM \"customer_case_external_id\" AS t",
        ] {
            assert_eq!(narrowed().unnarrowed(text), None, "{text}");
        }
        let mut sql = narrowed();
        sql.push("SELECT t.id FROM \"customer_case\" AS t WHERE ");
        Sql::filter_tenant(&mut sql, Alias::ROW, &case::NOUN, organization);
        let text = sql.text().to_owned();
        assert_eq!(sql.unnarrowed(&text), None);
        assert!(text.contains("\"department_id\""), "{text}");
        // The condition of one table is none of another.
        assert_eq!(sql.unnarrowed(&text.replace(" AS t ", " AS t1 ")), Some("customer_case"));
        let mut sql = narrowed();
        sql.push("SELECT t.id FROM event AS t WHERE ");
        Sql::filter_tenant(&mut sql, Alias::ROW, &event::NOUN, organization);
        let text = sql.text().to_owned();
        assert_eq!(sql.unnarrowed(&text), None);
    }

    #[test]
    fn a_caller_without_departments_gets_the_statement_of_before() {
        let organization = OrganizationId(entity::id::new());
        let mut sql = Sql::new(DbBackend::Postgres);
        Sql::filter_tenant(&mut sql, Alias::ROW, &case::NOUN, organization);
        assert_eq!(sql.text(), "t.\"organization_id\" = $1");
    }
}
