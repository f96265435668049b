//! Reads and replaces the rows of link tables.

use std::collections::HashMap;

use entity::{
    event::EventOperation,
    noun::{Link, Noun, Relationship},
};
use sea_orm::prelude::Uuid;

use super::draft::Draft;
use crate::{
    Result,
    store::{
        Tx,
        statement::{
            builder::Alias,
            cell::{Cell, CellKind, Record},
        },
    },
};

/// Maximum number of link rows that one statement inserts.
const LINES: usize = 4_000;

/// A row of a link table: the target and the values of the additional columns.
pub type JoinRow = (Uuid, Vec<i64>);

/// A link row to insert: the owner, the target and the values of the additional columns.
pub(super) type NewLine = (Uuid, Uuid, Vec<Cell>);

fn new_line(owner: Uuid, (target, values): &JoinRow) -> NewLine {
    (owner, *target, values.iter().copied().map(Cell::Int).collect())
}

impl Tx {
    /// Replaces the link rows of an owner by `wanted` and increments the version of the owner. Returns whether anything
    /// changed.
    pub async fn set_links(
        &self,
        noun: &'static Noun,
        owner: Record,
        relation: &'static Relationship,
        wanted: &[JoinRow],
    ) -> Result<bool> {
        if self.relink(relation, &[(owner.id(), wanted.to_vec())]).await?.is_empty() {
            return Ok(false);
        }
        let now = Cell::Int(self.now().timestamp_millis());
        self.put(noun, vec![(owner.changed(&[], &now), vec![relation.name])], EventOperation::Updated).await?;
        Ok(true)
    }

    /// Like [`Tx::set_links`], for many owners in a fixed number of statements. Returns the owners that changed.
    pub async fn set_all_links(
        &self,
        noun: &'static Noun,
        relation: &'static Relationship,
        wanted: &[(Uuid, Vec<JoinRow>)],
    ) -> Result<Vec<Uuid>> {
        let owners: Vec<Uuid> = wanted.iter().map(|(owner, _)| *owner).collect();
        let mut records = self.lock(noun, &owners).await?;
        let changed = self.relink(relation, wanted).await?;
        let now = Cell::Int(self.now().timestamp_millis());
        let rows = changed.iter().filter_map(|id| Some((records.remove(id)?.changed(&[], &now), vec![relation.name])));
        self.put(noun, rows.collect(), EventOperation::Updated).await?;
        Ok(changed)
    }

    /// Returns the link rows of a relation through a link table, by owner.
    pub async fn present_lines(
        &self,
        relation: &'static Relationship,
        owners: &[Uuid],
    ) -> Result<HashMap<Uuid, Vec<JoinRow>>> {
        let Link::Through { table, from, to, edge } = relation.link else {
            unreachable!("only relations through a table have lines")
        };
        let mut sql = self.sql();
        sql.push("SELECT organization_id, ").name(&[from]).push(", ").name(&[to]);
        for field in edge {
            sql.push(", ").name(&[field.column]);
        }
        sql.push(" FROM ").name(&[table]).push(" AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" AND ");
        sql.is_one_of(Alias::ROW, from, owners);
        let mut kinds = vec![CellKind::Id, CellKind::Id];
        kinds.extend(edge.iter().map(|_| CellKind::Int));
        let mut present: HashMap<Uuid, Vec<JoinRow>> = HashMap::new();
        for row in self.rows(sql.finish(), &kinds).await? {
            if let (Some(owner), Some(target)) = (row[0].id(), row[1].id()) {
                present.entry(owner).or_default().push((target, row[2..].iter().filter_map(Cell::int).collect()));
            }
        }
        Ok(present)
    }

    /// Replaces the link rows of each owner whose rows differ from the wanted ones. Returns the changed owners.
    async fn relink(&self, relation: &'static Relationship, wanted: &[(Uuid, Vec<JoinRow>)]) -> Result<Vec<Uuid>> {
        let Link::Through { table, from, .. } = relation.link else {
            unreachable!("only relations through a table are set whole")
        };
        let owners: Vec<Uuid> = wanted.iter().map(|(owner, _)| *owner).collect();
        let present = self.present_lines(relation, &owners).await?;
        let differs = |(owner, rows): &&(Uuid, Vec<JoinRow>)| {
            let (mut before, mut after) = (present.get(owner).cloned().unwrap_or_default(), rows.clone());
            before.sort();
            after.sort();
            before != after
        };
        let changed: Vec<&(Uuid, Vec<JoinRow>)> = wanted.iter().filter(differs).collect();
        let owners: Vec<Uuid> = changed.iter().map(|(owner, _)| *owner).collect();
        if owners.is_empty() {
            return Ok(owners);
        }
        let mut sql = self.sql();
        sql.push("DELETE FROM ").name(&[table]).push(" AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" AND ");
        sql.is_one_of(Alias::ROW, from, &owners).push(" RETURNING organization_id");
        self.rows(sql.finish(), &[]).await?;
        let lines: Vec<NewLine> =
            changed.iter().flat_map(|(owner, rows)| rows.iter().map(|row| new_line(*owner, row))).collect();
        self.add_lines(relation, &lines).await?;
        Ok(owners)
    }

    /// Inserts the link rows of new rows.
    pub(in crate::store) async fn store_lines(&self, drafts: &[Draft]) -> Result<()> {
        let mut lines: Vec<(&'static Relationship, Vec<NewLine>)> = Vec::new();
        for draft in drafts.iter().filter(|draft| draft.errors.is_empty() && draft.is_new()) {
            for (relation, rows) in &draft.lines {
                let rows = rows.iter().map(|row| new_line(draft.id, row));
                match lines.iter_mut().find(|(known, _)| known.name == relation.name) {
                    Some((_, known)) => known.extend(rows),
                    None => lines.push((relation, rows.collect())),
                }
            }
        }
        for (relation, lines) in lines {
            self.add_lines(relation, &lines).await?;
        }
        Ok(())
    }

    /// Inserts link rows.
    pub(super) async fn add_lines(&self, relation: &'static Relationship, lines: &[NewLine]) -> Result<()> {
        let Link::Through { table, from, to, edge } = relation.link else {
            unreachable!("only relations through a table have lines")
        };
        for part in lines.chunks(LINES) {
            let mut sql = self.sql();
            sql.push("INSERT INTO ").name(&[table]).push(" (organization_id, ").name(&[from]).push(", ").name(&[to]);
            for field in edge {
                sql.push(", ").name(&[field.column]);
            }
            sql.push(") VALUES ").list(part, |sql, (owner, target, values)| {
                sql.push("(").bind_tenant(self.organization()).push(", ").bind(*owner).push(", ").bind(*target);
                for (field, value) in edge.iter().zip(values) {
                    sql.push(", ").cell(value, CellKind::of(field.kind));
                }
                sql.push(")");
            });
            self.execute(sql.finish()).await?;
        }
        Ok(())
    }
}
