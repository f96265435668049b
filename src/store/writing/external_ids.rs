//! Looks up external ids by row, and rows by external id.

use std::collections::HashMap;

use entity::{Noun, Permission};
use sea_orm::prelude::Uuid;

use crate::{
    Result,
    store::{
        Connection, ExternalId, Scope,
        erasure::mask,
        statement::{
            builder::Alias,
            cell::{Cell, CellKind, Column},
        },
    },
};

/// The system, a column of the tables of external ids.
pub const SYSTEM: Column = Column { name: "system", kind: CellKind::Text, is_nullable: false, field: "system" };
/// The id in the system, a column of the tables of external ids, whose names end in it.
pub const EXTERNAL_ID: Column = Column { name: "external_id", kind: CellKind::Text, is_nullable: false, field: "id" };

impl<C: Connection> Scope<C> {
    /// Returns the external ids of these rows, sorted by system and id. Rows about a person whose erasure is in progress have
    /// none.
    pub async fn external_ids(&self, noun: &'static Noun, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<ExternalId>>> {
        self.kept_external_ids(noun, ids, mask::covers(noun)).await
    }

    /// Like [`Scope::external_ids`], but includes the rows about a person whose erasure is in progress unless `hides`.
    pub(in crate::store) async fn kept_external_ids(
        &self,
        noun: &'static Noun,
        ids: &[Uuid],
        hides: bool,
    ) -> Result<HashMap<Uuid, Vec<ExternalId>>> {
        let mut found: HashMap<Uuid, Vec<ExternalId>> = HashMap::new();
        if ids.is_empty() {
            return Ok(found);
        }
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.").name(&[noun.table, "_id"]).push(", t.system, t.external_id FROM ");
        sql.name(&[noun.table, "_external_id"]).behind_last(&[noun.table, "_external_id"]).push(" AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
        sql.push(" AND ").is_one_of_named(Alias::ROW, &[noun.table, "_id"], ids);
        if hides {
            sql.push(" AND NOT ").names_masked(noun, Alias::ROW, &[noun.table, "_id"], self.organization());
        }
        sql.push(" ORDER BY t.system, t.external_id");
        for row in self.read_rows(sql.finish(), &[CellKind::Id, CellKind::Text, CellKind::Text]).await? {
            if let [Cell::Id(id), Cell::Text(system), Cell::Text(external)] = row.as_slice() {
                found.entry(*id).or_default().push(ExternalId { system: system.clone(), id: external.clone() });
            }
        }
        Ok(found)
    }

    /// Returns the rows with these external ids. Rows about a person whose erasure is in progress are omitted. External
    /// ids of people require `customers:read`, or the permission to write the noun.
    pub async fn by_external_ids(
        &self,
        noun: &'static Noun,
        wanted: &[ExternalId],
    ) -> Result<HashMap<ExternalId, Uuid>> {
        let is_identified = !wanted.is_empty() && entity::personal::guards_external_ids(noun);
        if is_identified && self.actor.require(noun.write).is_err() {
            self.actor.require(Permission::CustomersRead)?;
        }
        let owners = self.owners(noun, wanted, false).await?;
        Ok(owners.into_iter().filter_map(|(key, (id, is_masked))| (!is_masked).then_some((key, id))).collect())
    }

    /// Returns the rows with these external ids, each with whether it is about a person whose erasure is in progress; with
    /// `is_whole` also those that the caller's departments do not see.
    pub(in crate::store) async fn owners(
        &self,
        noun: &'static Noun,
        wanted: &[ExternalId],
        is_whole: bool,
    ) -> Result<HashMap<ExternalId, (Uuid, bool)>> {
        let mut found = HashMap::new();
        // PostgreSQL rejects texts with a NUL byte; no row contains one.
        let wanted: Vec<&ExternalId> =
            wanted.iter().filter(|key| !key.system.contains('\0') && !key.id.contains('\0')).collect();
        // In chunks: pairs are bound individually, and the number of parameters of a statement is limited.
        for part in wanted.chunks(1_000) {
            let mut sql = self.sql();
            // A join instead of `IN`: with `IN`, SQLite reads every external id of the organization.
            sql.push("SELECT t.organization_id, t.").name(&[noun.table, "_id"]).push(", t.system, t.external_id, ");
            if mask::covers(noun) {
                sql.names_masked(noun, Alias::ROW, &[noun.table, "_id"], self.organization());
            } else {
                sql.push("FALSE");
            }
            sql.push(" FROM ");
            if sql.is_postgres() {
                sql.push("UNNEST(").array(CellKind::Text, part.iter().map(|key| Cell::Text(key.system.clone())));
                sql.push(", ").array(CellKind::Text, part.iter().map(|key| Cell::Text(key.id.clone())));
                sql.push(") AS w(column1, column2)");
            } else {
                sql.push("(VALUES ").list(part, |sql, key| {
                    sql.push("(").bind(key.system.as_str()).push(", ").bind(key.id.as_str()).push(")");
                });
                sql.push(") AS w");
            }
            sql.push(" CROSS JOIN ").name(&[noun.table, "_external_id"]).behind_last(&[noun.table, "_external_id"]);
            sql.push(" AS t WHERE ");
            sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
            sql.push(" AND t.system = w.column1 AND t.external_id = w.column2");
            if !is_whole && self.narrows(noun) {
                sql.push(" AND ").names_seen(noun, Alias::ROW, &[noun.table, "_id"], self.organization());
            }
            let kinds = [CellKind::Id, CellKind::Text, CellKind::Text, CellKind::Bool];
            for row in self.read_rows(sql.finish(), &kinds).await? {
                if let [Cell::Id(id), Cell::Text(system), Cell::Text(external), Cell::Bool(is_masked)] = row.as_slice()
                {
                    found.insert(ExternalId { system: system.clone(), id: external.clone() }, (*id, *is_masked));
                }
            }
        }
        Ok(found)
    }
}
