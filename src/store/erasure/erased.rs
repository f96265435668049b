//! Prevents an import, a retry or an update from restoring data about an erased person.

use std::collections::{HashMap, HashSet};

use entity::{
    noun::{Link, Noun},
    personal::{self, ERASED_AT, PERSON, SubjectPath},
};
use sea_orm::prelude::Uuid;

use super::{
    erase::hash,
    mask::{covered, nothing},
};
use crate::{
    Result,
    error::Code,
    store::{
        Connection, ExternalId, Scope, Tx,
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind, Column},
            template::Templates,
        },
        writing::{
            draft::{Draft, Target},
            write::NewRow,
        },
    },
};

/// Lets no other transaction erase the rows that a statement returns, but refer to them.
const LOCK: &str = " FOR KEY SHARE";

/// Why an external id is refused.
pub(in crate::store) const ERASED_KEY: &str = "the customer with this external id was erased";

impl<C: Connection> Scope<C> {
    /// Returns which of these external ids were removed by an erasure, each with the erased person: the one who had the
    /// external id, or whom the row with it was about.
    pub async fn erased_keys(&self, noun: &'static Noun, keys: Vec<ExternalId>) -> Result<HashMap<ExternalId, Uuid>> {
        let mut erased = HashMap::new();
        if keys.is_empty() {
            return Ok(erased);
        }
        let mut sql = self.sql();
        sql.push("SELECT DISTINCT t.organization_id, t.salt FROM erasure AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
        for row in self.read_rows(sql.finish(), &[CellKind::Text]).await? {
            let salt = row[0].text().unwrap_or_default();
            let hashes: HashMap<String, &ExternalId> = keys.iter().map(|key| (hash(salt, noun, key), key)).collect();
            let cells: Vec<Cell> = hashes.keys().cloned().map(Cell::Text).collect();
            let mut sql = self.sql();
            let erasure = Alias::nested('e', 0);
            sql.push(
                "SELECT t.organization_id, t.hash, e.person_id FROM erasure_identifier AS t JOIN erasure AS e ON ",
            );
            sql.same_tenant_again(
                "the hashes are filtered, and name their erasure by its id",
                (erasure, "organization_id"),
                (Alias::ROW, "organization_id"),
            );
            sql.push(" AND e.id = t.erasure_id WHERE ");
            sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" AND ");
            sql.is_one_of_cells(Alias::ROW, "hash", CellKind::Text, &cells);
            for row in self.read_rows(sql.finish(), &[CellKind::Text, CellKind::Id]).await? {
                let key = row[0].text().and_then(|hash| hashes.get(hash).copied());
                erased.extend(key.cloned().zip(row[1].id()));
            }
        }
        Ok(erased)
    }
}

impl Tx {
    /// Refuses drafts that would restore an erased person, or data about one.
    pub(in crate::store) async fn refuse_erased(&self, noun: &'static Noun, drafts: &mut [Draft]) -> Result<()> {
        if !personal::is_about_a_person(noun) {
            return Ok(());
        }
        let sound = drafts.iter().filter(|draft| draft.errors.is_empty());
        let keys: Vec<ExternalId> = sound.flat_map(Draft::new_external_ids).cloned().collect();
        let keys = self.erased_keys(noun, keys).await?;
        for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
            let is_target = draft.target_key().is_some_and(|key| keys.contains_key(key));
            if is_target || draft.new_external_ids().any(|key| keys.contains_key(key)) {
                let field = if is_target { "externalId" } else { "externalIds" };
                draft.refuse(Code::Erased, field, ERASED_KEY);
            }
            let was_erased = draft.current.as_ref().is_some_and(|row| !row.cell(ERASED_AT).is_null());
            if noun.table == PERSON.table && was_erased {
                let field = if matches!(draft.target, Target::External(_)) { "externalId" } else { "by" };
                draft.refuse(Code::Erased, field, "this customer was erased");
            }
        }
        for relation in noun.relations.iter().filter(|relation| relation.target.table == PERSON.table) {
            if let Link::One { column, .. } = relation.link {
                self.refuse_words(column, relation.name, drafts).await?;
            }
        }
        Ok(())
    }

    /// Refuses drafts that refer to an erased person anew, or add personal data to a row about one.
    async fn refuse_words(&self, column: &str, relation: &str, drafts: &mut [Draft]) -> Result<()> {
        let before = |draft: &Draft| draft.current.as_ref().and_then(|row| row.cell(column).id());
        let named: HashSet<Uuid> =
            drafts.iter().flat_map(|draft| [before(draft), draft.cell(column).id()]).flatten().collect();
        let erased = self.erased_among(named.into_iter().collect()).await?;
        if erased.is_empty() {
            return Ok(());
        }
        let is_erased = |id: Option<Uuid>| id.is_some_and(|id| erased.contains(&id));
        for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
            let (before, after) = (before(draft), draft.cell(column).id());
            // A row must not change the person it refers to either: the erasure would not find it when it empties the
            // person's rows.
            if before != after && (is_erased(after) || is_erased(before)) {
                draft.refuse(Code::Erased, &format!("{relation}Ref"), "this customer was erased");
            } else if is_erased(before) {
                if draft.new_external_ids().next().is_some() {
                    draft.refuse(Code::Erased, "externalIds", "the customer whom this row is about was erased");
                }
                let noun = draft.noun;
                for field in noun.fields.iter().filter(|field| field.is_erasable()) {
                    let is_said = draft.changes().iter().any(|(column, _)| column.name == field.column);
                    if is_said {
                        draft.refuse(Code::Erased, field.name, "the customer whom this row is about was erased");
                    }
                }
            }
        }
        Ok(())
    }

    /// Empties the erasable fields of new rows that are about an erased person. No later erasure step would remove
    /// them.
    pub(in crate::store) async fn leave_out_words(&self, noun: &'static Noun, rows: &mut [NewRow]) -> Result<()> {
        let is_there = |path: &&Vec<SubjectPath>| path.last().is_some_and(|last| last.noun.table == noun.table);
        for path in personal::paths().iter().filter(is_there) {
            let Some((last, above)) = path.split_last() else { continue };
            let named = |row: &NewRow| value(row, last.column).and_then(Cell::id);
            let mut people: HashMap<Uuid, Uuid> = rows.iter().filter_map(named).map(|id| (id, id)).collect();
            for reach in above.iter().rev() {
                let ids: Vec<Uuid> = people.values().copied().collect();
                let column = |name| Column { name, kind: CellKind::Id, is_nullable: true, field: name };
                let mut up = HashMap::new();
                for row in self
                    .by_ids_unchecked(reach.noun, &[column("id"), column(reach.column)], &ids, &Templates::default())
                    .await?
                {
                    up.extend(row[0].id().zip(row[1].id()));
                }
                people = people.into_iter().filter_map(|(id, at)| Some((id, *up.get(&at)?))).collect();
            }
            let erased = self.erased_among(people.values().copied().collect()).await?;
            let is_erased =
                |row: &NewRow| named(row).and_then(|id| people.get(&id)).is_some_and(|person| erased.contains(person));
            for row in rows.iter_mut().filter(|row| is_erased(row)) {
                for (column, cell) in row {
                    if let Some(field) = covered(noun, column.name) {
                        *cell = nothing(field);
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns which of these people were erased, and sees to it that no one else among them is erased before this
    /// transaction ends: it waits for an erasure in progress and locks the rows, or an optimistic one that has not begun
    /// leaves both to its last statement. Who was not erased is asked for once.
    pub(crate) async fn erased_among(&self, people: Vec<Uuid>) -> Result<HashSet<Uuid>> {
        let people: Vec<Uuid> = {
            let pending = self.conn.pending();
            people.into_iter().filter(|person| !pending.not_erased.contains(person)).collect()
        };
        if people.is_empty() {
            return Ok(HashSet::new());
        }
        let is_checked_later = match self.conn.transaction.deferred_writes() {
            Some(open) => open.is_unstarted().await,
            None => false,
        };
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.id, t.").name(&[ERASED_AT]).push(" FROM ").name(&[PERSON.table]);
        sql.push(" AS t WHERE ").filter_tenant(Alias::ROW, PERSON, self.organization());
        sql.push(" AND ");
        sql.is_one_of(Alias::ROW, "id", &people).push(" ORDER BY t.id");
        let kinds = [CellKind::Id, CellKind::Int];
        let rows = if is_checked_later {
            self.read_rows(sql.finish(), &kinds).await?
        } else {
            if sql.is_postgres() {
                sql.push(LOCK);
            }
            self.rows(sql.finish(), &kinds).await?
        };
        let with = |is_erased: bool| {
            let rows = rows.iter().filter(move |row| row[1].is_null() != is_erased);
            rows.filter_map(|row| row[0].id())
        };
        let mut pending = self.conn.pending();
        if is_checked_later {
            pending.checked_later.extend(with(false));
        }
        pending.not_erased.extend(with(false));
        Ok(with(true).collect())
    }

    /// Appends, after other conditions, that none was erased of the people of whom [`Tx::erased_among`] said so without a
    /// lock. It waits for an erasure in progress and locks the rows.
    pub(in crate::store) fn are_still_not_erased(&self, sql: &mut Sql) {
        let people = self.conn.pending().checked_later.clone();
        if people.is_empty() {
            return;
        }
        sql.push(" AND (SELECT COUNT(*) FROM (SELECT t.id FROM ").name(&[PERSON.table]).push(" AS t WHERE ");
        let reason = "the rows were found with the filter, and one more or less can only make the comparison fail";
        sql.filter_tenant_again(reason, Alias::ROW, PERSON, self.organization()).push(" AND ");
        sql.is_one_of(Alias::ROW, "id", &people).push(" AND t.").name(&[ERASED_AT]).push(" IS NULL ORDER BY t.id");
        sql.push(LOCK).push(") AS p) = ").number(people.len());
    }
}

fn value<'a>(row: &'a NewRow, column: &str) -> Option<&'a Cell> {
    row.iter().find(|(known, _)| known.name == column).map(|(_, cell)| cell)
}
