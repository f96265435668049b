//! Deletes rows: the same code for one row and for a thousand, in a fixed number of statements.

use std::collections::HashSet;

use entity::{
    NOUNS, deadline,
    event::EventOperation,
    expectation_ranking,
    id::OrganizationId,
    noun::{Link, Noun},
    routing, webhook_delivery,
};
use sea_orm::prelude::Uuid;

use super::{
    draft::{Draft, Outcome, WriteResult},
    write::Hooks,
};
use crate::{
    Error, Result,
    error::Code,
    store::{
        FailureKind, Tx,
        driver::RowLayout,
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind, Record},
        },
        transaction::event::Event,
    },
};

const IN_USE: &str = "other rows refer to it; archive it instead, or delete them first";

/// A column of a table that refers to the rows of a noun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The table.
    pub table: &'static str,
    /// Its column with the organization.
    pub tenant: &'static str,
    /// Its column with the id of the noun's row.
    pub column: &'static str,
}

/// Returns the columns that keep rows of a noun from being deleted: all that refer to them, but the columns of parts and
/// links that are deleted with the row.
pub fn uses(noun: &Noun) -> Vec<Use> {
    let goes = |other: &Noun, column: &str| {
        (other.table == routing::NOUN.table && column == routing::FEEDBACK_RECORD_ID.name())
            || (other.table == expectation_ranking::NOUN.table && column == expectation_ranking::POINT_ID.name())
            || (other.table == deadline::NOUN.table && column == deadline::CASE_ID.name())
            || (other.table == webhook_delivery::NOUN.table && column == webhook_delivery::ENDPOINT_ID.name())
    };
    let mut uses = Vec::new();
    for other in NOUNS.into_iter().filter(|other| other.is_stored()) {
        for relation in other.relations.iter().filter(|relation| relation.target.table == noun.table) {
            match relation.link {
                Link::One { column, .. } if !goes(other, column) => {
                    uses.push(Use { table: other.table, tenant: other.tenant, column });
                }
                // The links of a row go with it; the table is named after the noun whose rows have them.
                Link::Through { table, to, .. } if table.starts_with(other.table) => {
                    uses.push(Use { table, tenant: "organization_id", column: to });
                }
                _ => {}
            }
        }
    }
    uses.sort_unstable();
    uses.dedup();
    uses
}

impl Tx {
    /// Deletes the rows of drafts permanently. A draft with values is refused with `NOT_FOUND` unless its row has them,
    /// one whose row is referenced by other rows with `IN_USE`. With `is_all_or_nothing`, an error in one draft prevents
    /// deleting any; the caller rolls back. The event of a deletion is the tombstone.
    pub async fn delete(
        &self,
        noun: &'static Noun,
        rules: &Hooks,
        drafts: &mut [Draft],
        is_all_or_nothing: bool,
    ) -> Result<Vec<WriteResult>> {
        self.actor().require(noun.write)?;
        self.find(noun, rules.child_of.as_ref(), drafts).await?;
        let _whole = self.for_organization();
        for draft in drafts.iter_mut().filter(|draft| !draft.is_new() && !draft.changes().is_empty()) {
            draft.refuse(Code::NotFound, "by", format!("no such {} among the parts", noun.name));
        }
        let sound = drafts.iter().filter(|draft| draft.errors.is_empty());
        let records: Vec<Record> = sound.filter_map(|draft| draft.current.clone()).collect();
        if !records.is_empty() {
            let mut refused = (rules.delete)(self, &records).await?;
            for draft in drafts.iter_mut() {
                draft.errors.extend(refused.remove(&draft.id));
            }
        }
        if drafts.len() > 1 {
            // The database tells that some row is in use, but not which one.
            self.refuse_used(noun, drafts).await?;
        }
        let has_mistakes = drafts.iter().any(|draft| !draft.errors.is_empty());
        if !(has_mistakes && is_all_or_nothing) {
            self.delete_rows(noun, rules, drafts).await?;
        }
        let is_kept = has_mistakes && is_all_or_nothing;
        let result = |draft: &Draft| WriteResult {
            id: (!draft.is_new()).then_some(draft.id),
            outcome: if is_kept || !draft.errors.is_empty() { Outcome::Failed } else { Outcome::Deleted },
            errors: draft.errors.clone(),
            row: None,
        };
        Ok(drafts.iter().map(result).collect())
    }

    /// Deletes the rows of the drafts without errors. If the only one is in use, adds an error to it.
    async fn delete_rows(&self, noun: &'static Noun, rules: &Hooks, drafts: &mut [Draft]) -> Result<()> {
        let wanted: Vec<Uuid> = drafts.iter().filter(|draft| draft.errors.is_empty()).map(|draft| draft.id).collect();
        let merging = self.forget_merges(noun, &wanted).await?;
        for draft in drafts.iter_mut().filter(|draft| merging.contains(&draft.id)) {
            draft.refuse(Code::InUse, "by", "another row is being merged into it; try again later");
        }
        let mut sound: Vec<&mut Draft> = drafts.iter_mut().filter(|draft| draft.errors.is_empty()).collect();
        let records: Vec<Record> = sound.iter().filter_map(|draft| draft.current.clone()).collect();
        let ids: Vec<Uuid> = records.iter().map(Record::id).collect();
        if ids.is_empty() {
            return Ok(());
        }
        // Flush first, so that a failure can only come from the deletion itself.
        self.flush().await?;
        let mut sql = self.sql();
        sql.push("DELETE FROM ").name(&[noun.table]).push(" AS t WHERE ");
        sql.filter_tenant(Alias::ROW, noun, self.organization()).push(" AND ");
        sql.is_one_of(Alias::ROW, "id", &ids).push(" RETURNING ").name(&[noun.tenant]);
        match self.query(sql.finish(), RowLayout { has_parent: false, kinds: &[] }).await {
            Err(error) if error.kind() == FailureKind::ForeignKey => {
                // One of several got into use since that was checked: the retry finds out which.
                let [only] = sound.as_mut_slice() else { return Err(Error::Collision) };
                only.refuse(Code::InUse, "by", IN_USE);
                return Ok(());
            }
            rows => {
                for row in rows? {
                    self.verify_tenant(row.tenant)?;
                }
            }
        }
        self.forget_states(noun, &ids).await?;
        self.unindex_rows(&ids);
        let (operation, has_events) = (EventOperation::Deleted, noun.has_events());
        for record in &records {
            self.count_later(noun, record, operation);
            let (row, version) = (record.id(), record.version() + 1);
            if has_events {
                self.note(Event { noun: noun.name, row, operation, version, fields: Vec::new() });
            }
        }
        self.renumber(noun, rules.child_of.as_ref(), &records).await?;
        (rules.deleted)(self, &records).await
    }

    /// Adds an error to the drafts whose rows are referenced by rows that are not deleted by the same call.
    async fn refuse_used(&self, noun: &'static Noun, drafts: &mut [Draft]) -> Result<()> {
        let ids: Vec<Uuid> = drafts.iter().filter(|draft| draft.errors.is_empty()).map(|draft| draft.id).collect();
        let used = self.used(noun, &ids).await?;
        for draft in drafts.iter_mut().filter(|draft| used.contains(&draft.id)) {
            draft.refuse(Code::InUse, "by", IN_USE);
        }
        // What a row that stays refers to stays, too.
        let columns: Vec<&str> =
            uses(noun).iter().filter(|known| known.table == noun.table).map(|it| it.column).collect();
        loop {
            let staying =
                drafts.iter().filter(|draft| !draft.errors.is_empty()).filter_map(|draft| draft.current.as_ref());
            let named: HashSet<Uuid> =
                staying.flat_map(|row| columns.iter().filter_map(|column| row.cell(column).id())).collect();
            let mut is_more = false;
            for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty() && named.contains(&draft.id)) {
                draft.refuse(Code::InUse, "by", IN_USE);
                is_more = true;
            }
            if !is_more {
                return Ok(());
            }
        }
    }

    /// Returns the rows among `ids` that rows other than `ids` refer to.
    async fn used(&self, noun: &'static Noun, ids: &[Uuid]) -> Result<HashSet<Uuid>> {
        let uses = uses(noun);
        if ids.is_empty() || uses.is_empty() {
            return Ok(HashSet::new());
        }
        let mut sql = self.sql();
        sql.push("SELECT ").column(Alias::ROW, noun.tenant).push(", t.id FROM ").name(&[noun.table]);
        sql.push(" AS t WHERE ").filter_tenant_again(
            "the rows have the organization of those that refer to them, which are filtered",
            Alias::ROW,
            noun,
            self.organization(),
        );
        sql.push(" AND ").is_one_of(Alias::ROW, "id", ids).push(" AND (");
        is_used(&mut sql, noun, &uses, ids, self.organization());
        sql.push(")");
        let rows = self.rows(sql.finish(), &[CellKind::Id]).await?;
        Ok(rows.iter().filter_map(|row| row.first().and_then(Cell::id)).collect())
    }
}

/// Appends the condition that rows refer to a row by one of these columns, other than rows of its own noun among `but`.
pub(in crate::store) fn is_used(
    sql: &mut Sql,
    noun: &'static Noun,
    uses: &[Use],
    but: &[Uuid],
    organization: OrganizationId,
) {
    for (place, Use { table, tenant, column }) in uses.iter().enumerate() {
        let referrer = Alias::nested('u', place);
        sql.reads_whole("a row that is in use cannot be deleted, whoever uses it", table, referrer);
        sql.push(if place > 0 { " OR EXISTS (" } else { "EXISTS (" }).push("SELECT 1 FROM ").name(&[table]);
        sql.push(" AS ").alias(referrer).push(" WHERE ");
        sql.filter_tenant_again(
            "the referring rows have the organization of the used ones, which are filtered",
            referrer,
            *tenant,
            organization,
        )
        .push(" AND ");
        sql.same_tenant_again("used and referring rows are filtered", (referrer, tenant), (Alias::ROW, noun.tenant))
            .push(" AND ");
        sql.column(referrer, column).push(" = t.id");
        if *table == noun.table && !but.is_empty() {
            sql.push(" AND NOT ").is_one_of(referrer, "id", but);
        }
        sql.push(")");
    }
}
