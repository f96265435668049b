//! Hides what tells about somebody from the moment their erasure begins, until its steps have taken the bytes.
//!
//! The erasure of a person with many rows takes many transactions. From the first of them on there is a job, and whatever
//! reads a column that an erasure empties reads it by way of this module, which answers for rows about a person with a
//! job what will stand there in the end. Which columns of which rows these are follows from the personal tags.

use entity::{
    id::OrganizationId,
    noun::{Field, Noun},
    personal::{self, PERSON},
};

use crate::store::statement::{
    builder::{Alias, Sql},
    cell::{Cell, Column},
    tenant_check::TenantCheck,
};

/// Whether rows of the noun may have to be hidden. The person's own row is emptied at once.
pub(in crate::store) fn covers(noun: &Noun) -> bool {
    noun.table != PERSON.table && personal::is_about_a_person(noun)
}

/// The field behind a column that may have to be hidden.
pub(in crate::store) fn covered(noun: &'static Noun, column: &str) -> Option<&'static Field> {
    let field = noun.all_fields().find(|field| field.column == column)?;
    (field.is_erasable() && covers(noun)).then_some(field)
}

/// What a column holds that says nothing.
pub(in crate::store) fn nothing(field: &Field) -> Cell {
    if field.is_nullable {
        Cell::Null
    } else if field.kind.is_set() {
        Cell::Text("[]".to_owned())
    } else {
        Cell::Text(String::new())
    }
}

impl Sql {
    /// Appends what a column of a row shows: its value, or nothing where the row is about somebody who is being erased.
    pub(in crate::store) fn shown(
        &mut self,
        noun: &'static Noun,
        alias: Alias,
        column: Column,
        organization: OrganizationId,
    ) -> &mut Self {
        let Some(field) = covered(noun, column.name) else { return self.column(alias, column.name) };
        self.push("CASE WHEN ").is_masked(noun, alias, organization).push(" THEN ");
        match nothing(field) {
            Cell::Text(text) if text.is_empty() => self.push("''"),
            Cell::Text(_) => self.push("'[]'"),
            _ => self.push("NULL"),
        };
        self.push(" ELSE ").column(alias, column.name).push(" END")
    }

    /// Appends the test that a row of a noun is about somebody who is being erased.
    pub(in crate::store) fn is_masked(
        &mut self,
        noun: &'static Noun,
        alias: Alias,
        organization: OrganizationId,
    ) -> &mut Self {
        self.during_erasure(alias, organization).leads_to_masked(noun, alias, organization).push(")")
    }

    /// Opens a condition that holds only while somebody is being erased.
    fn during_erasure(&mut self, alias: Alias, organization: OrganizationId) -> &mut Self {
        // Asked once for a statement, and nearly always false: then no row is looked at.
        let job = Alias::nested('q', alias.depth() + 1);
        self.push("(EXISTS (SELECT 1 FROM job AS ").alias(job).push(" WHERE ");
        self.filter_tenant(TenantCheck::Veil, job, "organization_id", organization).push(") AND ")
    }

    /// Appends, for a column that an erasure empties, that the row is not about somebody who is being erased.
    pub(crate) fn unmasked(
        &mut self,
        noun: &'static Noun,
        column: &str,
        alias: Alias,
        organization: OrganizationId,
    ) -> &mut Self {
        match covered(noun, column) {
            Some(_) => self.push(" AND NOT ").is_masked(noun, alias, organization),
            None => self,
        }
    }

    /// The same for rows of the column's index table, which name the noun's row.
    pub(in crate::store) fn unmasked_items(
        &mut self,
        noun: &'static Noun,
        column: &str,
        items: Alias,
        organization: OrganizationId,
    ) -> &mut Self {
        if covered(noun, column).is_none() {
            return self;
        }
        self.push(" AND NOT ").during_erasure(items, organization);
        self.names_masked(noun, items, &[noun.table, "_id"], organization).push(")")
    }

    /// Appends the test that the row of a noun whose id stands in a column is about somebody who is being erased.
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
            self.filter_tenant(TenantCheck::Veiled, job, "organization_id", organization).push(" AND ").alias(job);
            self.push(".kind = 'ERASURE' AND ").alias(job).push(".row_id = ").alias(alias).push(".").name(column);
            return self.push(")");
        }
        let row = Alias::nested('v', depth);
        self.push("EXISTS (SELECT 1 FROM ").name(&[noun.table]).push(" AS ").alias(row).push(" WHERE ");
        self.filter_tenant(TenantCheck::VeiledRow, row, noun.tenant, organization)
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
