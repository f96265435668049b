//! Reads the values of a column of related rows for many rows at once.

use std::collections::HashMap;

use entity::noun::{Link, Relationship};
use sea_orm::prelude::Uuid;

use super::{
    builder::Alias,
    cell::{Cell, CellKind, column_named},
};
use crate::{
    Error, Result,
    store::{Connection, Scope},
};

impl<C: Connection> Scope<C> {
    /// Returns, for each of these rows, the distinct values of a column of the rows related through a link table, with
    /// one statement. Archived related rows are ignored; rows without related rows are omitted.
    pub async fn values_among(
        &self,
        relation: &'static Relationship,
        column: &'static str,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Vec<Cell>>> {
        let target = relation.target;
        self.may_read(target)?;
        let Link::Through { table, from, to, .. } = relation.link else {
            return Err(Error::internal("only relations through a table are asked for their values"));
        };
        let kind = column_named(target, column).kind;
        let mut sql = self.sql();
        sql.push("SELECT DISTINCT ").column(Alias::ROW, target.tenant).push(", ").column(Alias::LINK, from);
        sql.push(", ").column(Alias::ROW, column).push(" FROM ").name(&[table]).push(" AS ").alias(Alias::LINK);
        sql.push(" JOIN ").name(&[target.table]).push(" AS ").alias(Alias::ROW).push(" ON ");
        sql.same_tenant((Alias::ROW, target.tenant), (Alias::LINK, "organization_id"));
        sql.push(" AND ").column(Alias::ROW, "id").push(" = ").column(Alias::LINK, to).push(" WHERE ");
        sql.filter_tenant(Alias::LINK, "organization_id", self.organization());
        sql.push(" AND ").is_one_of(Alias::LINK, from, ids);
        sql.narrow(target, Alias::ROW, self.organization());
        if target.is_archivable() {
            sql.push(" AND ").column(Alias::ROW, "archived_at").push(" IS NULL");
        }
        let mut found: HashMap<Uuid, Vec<Cell>> = HashMap::new();
        for mut row in self.read_rows(sql.finish(), &[CellKind::Id, kind]).await? {
            if let (Some(value), Some(id)) = (row.pop(), row[0].id()) {
                found.entry(id).or_default().push(value);
            }
        }
        Ok(found)
    }
}
