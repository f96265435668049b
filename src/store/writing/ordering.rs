//! Parts of a parent row: locks the parent before its parts and maintains their order.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use entity::{event::EventOperation, noun::Noun};
use sea_orm::prelude::Uuid;

use super::{draft::Draft, hooks::ChildOf};
use crate::{
    Result, UserError,
    error::Code,
    store::{
        Tx,
        statement::{
            builder::Alias,
            cell::{Cell, CellKind, Column, Record, column_named},
            template::Templates,
        },
    },
};

/// The parts of each parent with their positions, in order.
pub type Parts = BTreeMap<Uuid, Vec<(i64, Uuid)>>;

/// Whether archived parts are returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Archived {
    /// They are.
    Included,
    /// They are not.
    LeftOut,
}

impl Tx {
    /// Locks the parents in `named` and the parents of the rows `ids`, ordered by id.
    pub(in crate::store) async fn lock_parents(
        &self,
        noun: &'static Noun,
        child_of: &ChildOf,
        named: BTreeSet<Uuid>,
        ids: &[Uuid],
    ) -> Result<()> {
        let mut wholes = named;
        if !ids.is_empty() {
            let column = column_named(noun, child_of.column(noun));
            // A part never changes its parent, so the parent read here is still correct when the part itself is locked.
            let rows = self.by_ids_unchecked(noun, &[column], ids, &Templates::default()).await?;
            wholes.extend(rows.iter().filter_map(|row| row[0].id()));
        }
        let wholes: Vec<Uuid> = wholes.into_iter().collect();
        if !wholes.is_empty() {
            self.lock(child_of.relation(noun).target, &wholes).await?;
        }
        Ok(())
    }

    /// Locks the parent of a row.
    pub async fn lock_parent(&self, noun: &'static Noun, child_of: Option<&ChildOf>, id: Option<Uuid>) -> Result<()> {
        match child_of {
            Some(child_of) => self.lock_parents(noun, child_of, BTreeSet::new(), &[id.unwrap_or_default()]).await,
            None => Ok(()),
        }
    }

    /// Returns the parts of these locked parents, by the column that names the parent and in the order of the column
    /// with their position, if they have one.
    pub async fn parts(
        &self,
        noun: &'static Noun,
        (column, position): (&'static str, Option<&'static str>),
        wholes: &[Uuid],
        with: Archived,
    ) -> Result<Parts> {
        let place = position.unwrap_or("version");
        let mut sql = self.sql();
        sql.push("SELECT ").column(Alias::ROW, noun.tenant).push(", ").column(Alias::ROW, column).push(", ");
        sql.column(Alias::ROW, place).push(", ").column(Alias::ROW, "id").push(" FROM ").name(&[noun.table]);
        sql.push(" AS ").alias(Alias::ROW).push(" WHERE ");
        sql.filter_tenant(Alias::ROW, noun, self.organization()).push(" AND ");
        sql.is_one_of(Alias::ROW, column, wholes);
        if with == Archived::LeftOut && noun.is_archivable() {
            sql.push(" AND t.archived_at IS NULL");
        }
        sql.push(" ORDER BY ").column(Alias::ROW, place);
        let mut parts = Parts::new();
        for row in self.rows(sql.finish(), &[CellKind::Id, CellKind::Int, CellKind::Id]).await? {
            if let [Cell::Id(whole), Cell::Int(place), Cell::Id(id)] = row.as_slice() {
                parts.entry(*whole).or_default().push((*place, *id));
            }
        }
        Ok(parts)
    }

    /// Adds an error to new parts beyond the maximum, and sets the positions of new and moved parts: each gets the
    /// requested position, at most the end of the list, and the other parts are shifted.
    pub(in crate::store) async fn assign_positions(
        &self,
        noun: &'static Noun,
        child_of: &ChildOf,
        drafts: &mut [Draft],
        is_all_or_nothing: bool,
    ) -> Result<()> {
        let column = child_of.column(noun);
        let asks = |draft: &Draft| child_of.position.is_some_and(|position| draft.gives_cell(position));
        let concerned = |draft: &&Draft| draft.errors.is_empty() && (draft.is_new() || asks(draft));
        let wholes: BTreeSet<Uuid> =
            drafts.iter().filter(concerned).filter_map(|draft| draft.cell(column).id()).collect();
        if wholes.is_empty() {
            return Ok(());
        }
        let wholes: Vec<Uuid> = wholes.into_iter().collect();
        let parts = self.parts(noun, child_of.columns(noun), &wholes, Archived::Included).await?;
        let mut counts: HashMap<Uuid, usize> = parts.iter().map(|(whole, parts)| (*whole, parts.len())).collect();
        for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty() && draft.is_new()) {
            let count = counts.entry(draft.cell(column).id().unwrap_or_default()).or_default();
            *count += 1;
            if *count > child_of.most {
                let message = format!("it has {} {} already, and cannot have more", child_of.most, noun.plural);
                draft.refuse(Code::TooLong, &format!("{}Ref", child_of.relation), message);
            }
        }
        let Some(position) = child_of.position else { return Ok(()) };
        if is_all_or_nothing && drafts.iter().any(|draft| !draft.errors.is_empty()) {
            return Ok(());
        }
        let (mut aside, mut moved) = (Vec::new(), Vec::new());
        for whole in wholes {
            let before: HashMap<Uuid, i64> =
                parts.get(&whole).into_iter().flatten().map(|(place, id)| (*id, *place)).collect();
            let own = |draft: &&mut Draft| draft.errors.is_empty() && draft.cell(column).id() == Some(whole);
            let mut order: Vec<Uuid> = parts.get(&whole).into_iter().flatten().map(|(_, id)| *id).collect();
            let mut asking: Vec<(i64, Reverse<usize>, Uuid)> = Vec::new();
            for (index, draft) in drafts.iter_mut().enumerate().filter(|(_, draft)| own(draft)) {
                if let Some(place) = draft.cell(position).int().filter(|_| draft.gives_cell(position)) {
                    order.retain(|id| *id != draft.id);
                    asking.push((place, Reverse(index), draft.id));
                } else if draft.is_new() {
                    order.push(draft.id);
                }
            }
            // In ascending order, so that later insertions do not shift earlier ones. If two drafts request the same
            // position, the earlier one in the call comes first.
            asking.sort_unstable();
            for (place, _, id) in asking {
                let index = usize::try_from(place - 1).unwrap_or_default().min(order.len());
                order.insert(index, id);
            }
            let mut places: HashMap<Uuid, i64> = order.into_iter().zip(1..).collect();
            for draft in drafts.iter_mut().filter(own) {
                if let Some(place) = places.remove(&draft.id) {
                    draft.set_cell(position, Cell::Int(place));
                    aside.extend(before.get(&draft.id).filter(|known| **known != place).map(|_| draft.id));
                }
            }
            moved.extend(places.into_iter().filter(|(id, place)| before.get(id) != Some(place)));
        }
        self.place(noun, position, &moved, aside).await
    }

    /// Writes the new positions of parts. The parts in `aside` also give up their positions; the caller stores their
    /// new ones.
    async fn place(
        &self,
        noun: &'static Noun,
        position: &'static str,
        moved: &[(Uuid, i64)],
        mut aside: Vec<Uuid>,
    ) -> Result<()> {
        let ids: Vec<Uuid> = moved.iter().map(|(id, _)| *id).collect();
        aside.extend(&ids);
        if aside.is_empty() {
            return Ok(());
        }
        // Positions are unique at all times, so all changing parts give up their positions before any new one is
        // written.
        let mut sql = self.sql();
        sql.push("UPDATE ").name(&[noun.table]).push(" AS t SET ").name(&[position]).push(" = -").name(&[position]);
        sql.push(" WHERE ").filter_tenant(Alias::ROW, noun, self.organization()).push(" AND ");
        sql.is_one_of(Alias::ROW, "id", &aside).push(" RETURNING ").name(&[noun.tenant]);
        self.rows(sql.finish(), &[]).await?;
        if ids.is_empty() {
            return Ok(());
        }
        let mut records = self.lock(noun, &ids).await?;
        let change = |(id, place): &(Uuid, i64)| Some((records.remove(id)?, vec![placed(noun, position, *place)]));
        self.change(noun, moved.iter().filter_map(change).collect()).await
    }

    /// Shifts the parts after deleted ones up.
    pub(super) async fn renumber(
        &self,
        noun: &'static Noun,
        child_of: Option<&ChildOf>,
        deleted: &[Record],
    ) -> Result<()> {
        let Some((child_of, position)) = child_of.and_then(|child_of| Some((child_of, child_of.position?))) else {
            return Ok(());
        };
        let wholes: BTreeSet<Uuid> = deleted.iter().filter_map(|row| row.cell(child_of.column(noun)).id()).collect();
        let wholes: Vec<Uuid> = wholes.into_iter().collect();
        let parts = self.parts(noun, child_of.columns(noun), &wholes, Archived::Included).await?;
        let moved: Vec<(Uuid, i64)> = parts.values().flat_map(|parts| in_order(parts)).collect();
        self.place(noun, position, &moved, Vec::new()).await
    }

    /// Sets the order of all parts of a locked parent and increments the version of the parent. Returns a user error if
    /// the list does not contain each part exactly once. Returns whether anything changed.
    pub async fn order_parts(
        &self,
        whole: (&'static Noun, Record),
        noun: &'static Noun,
        child_of: &ChildOf,
        wanted: &[Option<Uuid>],
        relation: &'static str,
    ) -> Result<Result<bool, UserError>> {
        let (whole_noun, record) = whole;
        let position = child_of.position.expect("only parts with an order are ordered");
        let parts = self.parts(noun, child_of.columns(noun), &[record.id()], Archived::Included).await?;
        let parts = parts.get(&record.id()).cloned().unwrap_or_default();
        let known: BTreeSet<Uuid> = parts.iter().map(|(_, id)| *id).collect();
        let mut order: Vec<Uuid> = Vec::new();
        let mut seen = BTreeSet::new();
        for (index, id) in wanted.iter().enumerate() {
            let (code, message) = match id.filter(|id| known.contains(id)) {
                Some(id) if seen.insert(id) => {
                    order.push(id);
                    continue;
                }
                Some(_) => (Code::Invalid, "duplicate entry".to_owned()),
                None => (Code::NotFound, format!("it has no such {}", noun.name)),
            };
            return Ok(Err(UserError { code, message, path: vec![relation.to_owned(), index.to_string()] }));
        }
        if order.len() < known.len() {
            let message = format!("{} of {} {} are missing", known.len() - order.len(), known.len(), noun.plural);
            return Ok(Err(UserError::new(Code::Required, relation, message)));
        }
        let before: HashMap<Uuid, i64> = parts.iter().map(|(place, id)| (*id, *place)).collect();
        let moved: Vec<(Uuid, i64)> =
            order.into_iter().zip(1..).filter(|(id, place)| before.get(id) != Some(place)).collect();
        if moved.is_empty() {
            return Ok(Ok(false));
        }
        self.place(noun, position, &moved, Vec::new()).await?;
        let now = Cell::Int(self.now().timestamp_millis());
        self.put(whole_noun, vec![(record.changed(&[], &now), vec![relation])], EventOperation::Updated).await?;
        Ok(Ok(true))
    }
}

/// Returns the parts that are not at their position, with the correct position.
fn in_order(parts: &[(i64, Uuid)]) -> Vec<(Uuid, i64)> {
    parts.iter().zip(1..).filter(|((known, _), place)| known != place).map(|((_, id), place)| (*id, place)).collect()
}

fn placed(noun: &'static Noun, position: &'static str, place: i64) -> (Column, Cell) {
    (column_named(noun, position), Cell::Int(place))
}
