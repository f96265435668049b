//! Follows the id of a merged row to the row that it became.
//!
//! A merged row is removed in the transaction of the merge if few rows refer to it, and otherwise by the last step. Until
//! then every statement that reads rows by id, or lists them, leaves it out, and every reference to it that is read
//! shows the other row. Both conditions begin with the question whether the organization has jobs that merge, which is
//! answered once per statement and is nearly always no.

use std::collections::HashMap;

use entity::{id::OrganizationId, merging, noun::Noun};
use sea_orm::prelude::Uuid;

use crate::{
    Result,
    store::{
        Connection, Scope, Tx,
        statement::{
            builder::{Alias, Sql},
            cell::CellKind,
        },
    },
};

impl<C: Connection> Scope<C> {
    /// Returns the rows that these merged rows became, by the id of the merged row. Other ids are left out. Without a
    /// statement if rows of the noun cannot be merged.
    pub async fn merged_into(
        &self,
        noun: &'static Noun,
        ids: impl IntoIterator<Item = Uuid>,
    ) -> Result<HashMap<Uuid, Uuid>> {
        if !merging::is_mergeable(noun) {
            return Ok(HashMap::new());
        }
        let ids: Vec<Uuid> = ids.into_iter().filter(|id| !id.is_nil()).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.loser_id, t.target_id FROM row_merge AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" AND ");
        sql.is_one_of(Alias::ROW, "loser_id", &ids).push(" AND t.noun = ").bind(noun.name);
        sql.push(" AND t.undone_at IS NULL");
        let rows = self.read_rows(sql.finish(), &[CellKind::Id, CellKind::Id]).await?;
        Ok(rows.iter().filter_map(|row| row[0].id().zip(row[1].id())).collect())
    }
}

impl Tx {
    /// Notes that the transaction writes an id of the noun without a check. An id of a merged row fails the foreign key;
    /// one that is being merged still has its row, so the last statement asks for merges.
    pub(in crate::store) fn leave_unmerged(&self, noun: &Noun) {
        if merging::is_mergeable(noun) {
            self.conn.pending().may_name_merged = true;
        }
    }

    /// Appends, after other conditions, that nothing is being merged, if an unchecked id may be that of a merged row.
    pub(in crate::store) fn names_no_merged(&self, sql: &mut Sql) {
        if self.conn.pending().may_name_merged {
            sql.push(" AND NOT ").is_merging(Alias::ROW, self.organization());
        }
    }
}

impl Sql {
    /// Appends, after other conditions, the condition that a row of a mergeable noun is not being merged into another.
    pub(in crate::store) fn unmerged(&mut self, noun: &Noun, alias: Alias, organization: OrganizationId) -> &mut Self {
        if self.is_mute() || !merging::is_mergeable(noun) {
            return self;
        }
        self.push(" AND NOT (").is_merging(alias, organization).push(" AND EXISTS (SELECT 1");
        self.merge_of(alias, "id", organization).push(")")
    }

    /// Appends the visible value of a column that refers to rows of a mergeable noun: the row that a merged one became.
    pub(in crate::store) fn followed(
        &mut self,
        alias: Alias,
        column: &'static str,
        organization: OrganizationId,
    ) -> &mut Self {
        self.push("CASE WHEN ").is_merging(alias, organization).push(" THEN COALESCE((SELECT ");
        self.alias(merge_alias(alias)).push(".target_id");
        self.merge_of(alias, column, organization).push(", ").column(alias, column);
        self.push(") ELSE ").column(alias, column).push(" END")
    }

    /// Appends the row that the one which a column names was merged into; null if it was not.
    pub(in crate::store) fn merged_target(
        &mut self,
        alias: Alias,
        column: &'static str,
        organization: OrganizationId,
    ) -> &mut Self {
        self.push("(SELECT ").alias(merge_alias(alias)).push(".target_id").merge_of(alias, column, organization)
    }

    /// Appends the condition that rows of the organization are being merged.
    fn is_merging(&mut self, alias: Alias, organization: OrganizationId) -> &mut Self {
        let job = Alias::nested('g', alias.depth() + 1);
        self.push("EXISTS (SELECT 1 FROM job AS ").alias(job).push(" WHERE ");
        self.filter_tenant_again(
            "it only asks whether anything is being merged; the condition beside it asks what",
            job,
            "organization_id",
            organization,
        );
        self.push(" AND ").alias(job).push(".kind = 'MERGE')")
    }

    /// Appends the rest of a subquery for the merge of the row that a column names, including the closing parenthesis.
    fn merge_of(&mut self, alias: Alias, column: &'static str, organization: OrganizationId) -> &mut Self {
        let merge = merge_alias(alias);
        self.push(" FROM row_merge AS ").alias(merge).push(" WHERE ");
        self.filter_tenant_again(
            "the merge is found by an id in the organization's own row",
            merge,
            "organization_id",
            organization,
        );
        self.push(" AND ").alias(merge).push(".loser_id = ").column(alias, column);
        self.push(" AND ").alias(merge).push(".undone_at IS NULL)")
    }

    /// Appends the condition that a column names one of these rows, or one that a merged row among them became. The ids
    /// are replaced before the comparison, so that it uses the same index as without merges.
    pub(in crate::store) fn is_one_of_followed(
        &mut self,
        (alias, column): (Alias, &'static str),
        ids: &[Uuid],
        organization: OrganizationId,
    ) -> &mut Self {
        let merge = merge_alias(alias);
        self.column(alias, column);
        if let [only] = ids {
            self.push(" = COALESCE((SELECT ").alias(merge).push(".target_id").merge_among(merge, ids, organization);
            return self.push("), ").bind(*only).push(")");
        }
        let is_postgres = self.is_postgres();
        if is_postgres {
            self.push(" = ANY(ARRAY(SELECT UNNEST(").ids(ids).push(")");
        } else {
            self.push(" IN (SELECT unhex(value) FROM json_each(").ids(ids).push(")");
        }
        self.push(" UNION ALL SELECT ").alias(merge).push(".target_id").merge_among(merge, ids, organization);
        self.push(if is_postgres { "))" } else { ")" })
    }

    /// Appends the rest of a subquery for the merges of these rows.
    fn merge_among(&mut self, merge: Alias, ids: &[Uuid], organization: OrganizationId) -> &mut Self {
        self.push(" FROM row_merge AS ").alias(merge).push(" WHERE ");
        self.filter_tenant_again("the rows of the result are filtered", merge, "organization_id", organization);
        self.push(" AND ").is_one_of(merge, "loser_id", ids).push(" AND ").alias(merge).push(".undone_at IS NULL")
    }
}

const fn merge_alias(alias: Alias) -> Alias {
    Alias::nested('h', alias.depth() + 1)
}
