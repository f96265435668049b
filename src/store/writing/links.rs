//! Reads and replaces the rows of link tables.

use std::collections::{HashMap, HashSet};

use entity::{
    event::EventOperation,
    noun::{Link, Noun, Relationship},
};
use sea_orm::prelude::Uuid;

use super::draft::{Draft, Reference};
use crate::{
    Result, UserError,
    error::Code,
    store::{
        Tx,
        statement::{
            builder::Alias,
            cell::{Cell, CellKind, Record},
        },
    },
};

/// Maximum number of rows of a list that a call sets.
const MAX_SET: usize = 1_000;
/// Maximum number of link rows that one statement inserts.
const LINES: usize = 4_000;

/// A row of a link table: the target and the values of the additional columns.
pub type JoinRow = (Uuid, Vec<i64>);

/// A link row to insert: the owner, the target and the values of the additional columns.
pub(super) type NewLine = (Uuid, Uuid, Vec<Cell>);

fn new_line(owner: Uuid, (target, values): &JoinRow) -> NewLine {
    (owner, *target, values.iter().copied().map(Cell::Int).collect())
}

/// Returns whether link rows are others than those that are there, in whatever order.
fn differs(present: Option<&Vec<JoinRow>>, wanted: &[JoinRow]) -> bool {
    let (mut before, mut after) = (present.cloned().unwrap_or_default(), wanted.to_vec());
    before.sort();
    after.sort();
    before != after
}

/// Returns the link rows of a list of rows that were found or not, or the user errors in the list: `NOT_FOUND`, and
/// INVALID for a row that is there twice.
pub fn chosen(
    relation: &'static Relationship,
    found: impl ExactSizeIterator<Item = (Option<Uuid>, Vec<i64>)>,
) -> std::result::Result<Vec<JoinRow>, Vec<UserError>> {
    if found.len() > MAX_SET {
        let message = format!("at most {MAX_SET} are allowed");
        return Err(vec![UserError::new(Code::TooLong, relation.name, message)]);
    }
    let (mut rows, mut mistakes): (Vec<JoinRow>, _) = (Vec::new(), Vec::new());
    for (index, (id, values)) in found.enumerate() {
        let mut refuse = |code, message: &str| {
            let path = vec![relation.name.to_owned(), index.to_string()];
            mistakes.push(UserError { code, message: message.to_owned(), path });
        };
        match id {
            None => refuse(Code::NotFound, &format!("no such {}", relation.target.name)),
            Some(id) if rows.iter().any(|(known, _)| *known == id) => refuse(Code::Invalid, "duplicate entry"),
            Some(id) => rows.push((id, values)),
        }
    }
    if mistakes.is_empty() { Ok(rows) } else { Err(mistakes) }
}

/// Returns the user error of a row of a list that is archived.
pub fn archived(relation: &'static Relationship, index: usize) -> UserError {
    let message = format!("this {} is archived", relation.target.name);
    UserError { code: Code::Archived, message, path: vec![relation.name.to_owned(), index.to_string()] }
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

    /// Resolves the lists of rows with which drafts replace those of a relation. An existing row is changed only if its
    /// list differs.
    pub(super) async fn resolve_sets(&self, drafts: &mut [Draft]) -> Result<()> {
        let mut relations: Vec<&'static Relationship> = Vec::new();
        for (relation, _) in drafts.iter().flat_map(|draft| &draft.sets) {
            if !relations.iter().any(|known| known.name == relation.name) {
                relations.push(relation);
            }
        }
        for relation in relations {
            let mut named: Vec<Reference> = Vec::new();
            for (known, rows) in drafts.iter().flat_map(|draft| &draft.sets) {
                named.extend(rows.iter().filter(|_| known.name == relation.name).cloned());
            }
            let found = self.references(relation.target, named.iter()).await?;
            let (mut wanted, mut places) = (Vec::new(), Vec::new());
            for (place, draft) in drafts.iter_mut().enumerate() {
                let Some(at) = draft.sets.iter().position(|(known, _)| known.name == relation.name) else { continue };
                let (_, references) = draft.sets.swap_remove(at);
                match chosen(relation, references.iter().map(|reference| (found.get(reference).copied(), Vec::new()))) {
                    Ok(rows) => {
                        wanted.push((draft.id, rows));
                        places.push(place);
                    }
                    Err(mistakes) => draft.errors.extend(mistakes),
                }
            }
            for (owner, line) in self.archived_lines(relation, &wanted).await? {
                drafts[places[owner]].errors.push(archived(relation, line));
            }
            let is_known = |place: &usize| drafts[*place].current.is_some();
            let owners: Vec<Uuid> = places.iter().filter(|place| is_known(place)).map(|at| drafts[*at].id).collect();
            let present =
                if owners.is_empty() { HashMap::new() } else { self.present_lines(relation, &owners).await? };
            self.keep_unseen(relation, &present, &mut wanted).await?;
            for ((owner, rows), place) in wanted.into_iter().zip(places) {
                let draft = &mut drafts[place];
                if draft.is_new() {
                    draft.lines.push((relation, rows));
                } else if differs(present.get(&owner), &rows) {
                    draft.changed_relations.push(relation.name);
                    draft.lines.push((relation, rows));
                }
            }
        }
        Ok(())
    }

    /// Replaces the link rows of each owner whose rows differ from the wanted ones. Returns the changed owners.
    async fn relink(&self, relation: &'static Relationship, wanted: &[(Uuid, Vec<JoinRow>)]) -> Result<Vec<Uuid>> {
        let owners: Vec<Uuid> = wanted.iter().map(|(owner, _)| *owner).collect();
        let present = self.present_lines(relation, &owners).await?;
        let mut wanted = wanted.to_vec();
        self.keep_unseen(relation, &present, &mut wanted).await?;
        let changed: Vec<&(Uuid, Vec<JoinRow>)> =
            wanted.iter().filter(|(owner, rows)| differs(present.get(owner), rows)).collect();
        let owners: Vec<Uuid> = changed.iter().map(|(owner, _)| *owner).collect();
        if !owners.is_empty() {
            self.unlink(relation, &owners).await?;
            let lines: Vec<NewLine> =
                changed.iter().flat_map(|(owner, rows)| rows.iter().map(|row| new_line(*owner, row))).collect();
            self.add_lines(relation, &lines).await?;
        }
        Ok(owners)
    }

    /// Adds the present link rows to rows that the caller does not see to the wanted ones: they stay.
    async fn keep_unseen(
        &self,
        relation: &'static Relationship,
        present: &HashMap<Uuid, Vec<JoinRow>>,
        wanted: &mut [(Uuid, Vec<JoinRow>)],
    ) -> Result<()> {
        if !self.narrows(relation.target) || present.is_empty() {
            return Ok(());
        }
        let named: HashSet<Uuid> = present.values().flatten().map(|(id, _)| *id).collect();
        let named: Vec<Uuid> = named.into_iter().collect();
        let seen = self.existing_ids(&[(relation.target, named)]).await?.pop().unwrap_or_default();
        for (owner, rows) in wanted {
            rows.extend(present.get(owner).into_iter().flatten().filter(|(id, _)| !seen.contains(id)).cloned());
        }
        Ok(())
    }

    /// Deletes the link rows of these owners.
    async fn unlink(&self, relation: &'static Relationship, owners: &[Uuid]) -> Result<()> {
        let Link::Through { table, from, .. } = relation.link else {
            unreachable!("only relations through a table are set whole")
        };
        let mut sql = self.sql();
        sql.push("DELETE FROM ").name(&[table]).push(" AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" AND ");
        sql.is_one_of(Alias::ROW, from, owners).push(" RETURNING organization_id");
        self.rows(sql.finish(), &[]).await.map(drop)
    }

    /// Inserts the link rows of drafts, in place of those of existing rows.
    pub(in crate::store) async fn store_lines(&self, drafts: &[Draft]) -> Result<()> {
        let mut lines: Vec<(&'static Relationship, Vec<Uuid>, Vec<NewLine>)> = Vec::new();
        for draft in drafts.iter().filter(|draft| draft.errors.is_empty()) {
            for (relation, rows) in &draft.lines {
                let rows = rows.iter().map(|row| new_line(draft.id, row));
                let place = lines.iter().position(|(known, ..)| known.name == relation.name).unwrap_or_else(|| {
                    lines.push((relation, Vec::new(), Vec::new()));
                    lines.len() - 1
                });
                lines[place].1.extend((!draft.is_new()).then_some(draft.id));
                lines[place].2.extend(rows);
            }
        }
        for (relation, changed, lines) in lines {
            if !changed.is_empty() {
                self.unlink(relation, &changed).await?;
            }
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
