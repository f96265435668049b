//! Takes away what tells about a person, in one transaction, and keeps what is counted.

use std::collections::{BTreeMap, HashMap, HashSet};

use aws_lc_rs::{hmac, rand};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use entity::{
    event::EventOperation,
    id,
    noun::{Field, Noun},
    personal::{self, ERASED_AT, PERSON},
};
use sea_orm::prelude::Uuid;

use super::{
    Connection, ExternalId, Scope, Tx,
    cell::{Cell, CellKind, Column, Record, given},
    ledger::Entry,
    narrow::Site,
    sql::{Alias, Sql},
};
use crate::{Error, Result};

/// How many rows are emptied at a time.
const AT_A_TIME: usize = 500;

/// Rows about a person, by noun.
pub type RowsAbout = Vec<(&'static Noun, Vec<Uuid>)>;

impl<C: Connection> Scope<C> {
    /// The rows about a person, the person's own first: those that name it, those that name these, and so on.
    pub async fn rows_about(&self, person: Uuid) -> Result<RowsAbout> {
        self.rows_from(vec![(PERSON, vec![person])]).await
    }

    async fn rows_from(&self, start: RowsAbout) -> Result<RowsAbout> {
        let mut found: RowsAbout = Vec::new();
        let mut waiting = start;
        while let Some((noun, ids)) = waiting.pop() {
            let ids = add(&mut found, noun, ids);
            if ids.is_empty() {
                continue;
            }
            for reach in personal::reaches().iter().filter(|reach| reach.above.table == noun.table) {
                let mut sql = self.sql();
                sql.push("SELECT t.organization_id, t.id FROM ").name(&[reach.noun.table]).push(" AS t WHERE ");
                sql.narrow(Site::Reached, Alias::ROW, reach.noun.tenant, self.organization()).push(" AND ");
                sql.is_one_of(Alias::ROW, reach.column, &ids).push(" ORDER BY t.id");
                let rows = self.read_rows(sql.finish(), &[CellKind::Id]).await?;
                waiting.push((reach.noun, rows.iter().filter_map(|row| row[0].id()).collect()));
            }
        }
        Ok(found)
    }

    /// The erasures of the organization, the first one first.
    pub async fn erasures(&self) -> Result<Vec<Entry>> {
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.id, t.person_id, t.erased_at, t.salt, t.erased_rows FROM erasure AS t ");
        sql.push("WHERE ").narrow(Site::Erasures, Alias::ROW, "organization_id", self.organization());
        sql.push(" ORDER BY t.erased_at, t.id");
        let kinds = [CellKind::Id, CellKind::Id, CellKind::Int, CellKind::Text, CellKind::Text];
        let mut entries = Vec::new();
        for row in self.read_rows(sql.finish(), &kinds).await? {
            let [Cell::Id(id), Cell::Id(person), Cell::Int(erased_at), Cell::Text(salt), Cell::Text(rows)] =
                row.as_slice()
            else {
                return Err(Error::internal("an erasure cannot be read"));
            };
            let rows = serde_json::from_str(rows).map_err(|_| Error::internal("an erasure cannot be read"))?;
            let mut sql = self.sql();
            sql.push("SELECT t.organization_id, t.hash FROM erasure_identifier AS t WHERE ");
            sql.narrow(Site::ErasedHashes, Alias::ROW, "organization_id", self.organization());
            sql.push(" AND t.erasure_id = ").bind(*id).push(" ORDER BY t.hash");
            let hashes = self.read_rows(sql.finish(), &[CellKind::Text]).await?;
            entries.push(Entry {
                id: *id,
                organization: self.organization().0,
                person: *person,
                erased_at: *erased_at,
                salt: salt.clone(),
                rows,
                identifiers: hashes.iter().filter_map(|row| row[0].text().map(str::to_owned)).collect(),
            });
        }
        Ok(entries)
    }
}

impl Tx {
    /// Erases a person whose row the caller has locked. Answers whether anything was left to erase.
    pub async fn erase(&self, person: Uuid) -> Result<bool> {
        let rows = self.rows_about(person).await?;
        let mut entry = Entry {
            id: id::new(),
            organization: self.organization().0,
            person,
            erased_at: self.now().timestamp_millis(),
            salt: self.salt().await?,
            rows: BTreeMap::new(),
            identifiers: Vec::new(),
        };
        self.empty(&rows, &mut entry).await?;
        if entry.rows.is_empty() {
            return Ok(false);
        }
        self.enter(&entry).await?;
        self.erases(entry, true);
        Ok(true)
    }

    /// Erases what an erasure of another time had erased. Answers whether this database had not seen it yet.
    pub async fn erase_again(&self, entry: &Entry) -> Result<bool> {
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.id FROM erasure AS t WHERE ");
        sql.narrow(Site::KnownErasure, Alias::ROW, "organization_id", self.organization());
        sql.push(" AND t.id = ").bind(entry.id);
        if !self.rows(sql.finish(), &[CellKind::Id]).await?.is_empty() {
            return Ok(false);
        }
        self.lock(PERSON, &[entry.person]).await?;
        // What named the person only after the backup is known by its id alone.
        let mut start: RowsAbout = vec![(PERSON, vec![entry.person])];
        for noun in personal::about_a_person() {
            start.extend(entry.rows.get(noun.name).map(|ids| (*noun, ids.clone())));
        }
        let rows = self.rows_from(start).await?;
        self.empty(&rows, &mut entry.clone()).await?;
        self.enter(entry).await?;
        self.erases(entry.clone(), false);
        Ok(true)
    }

    /// Empties rows, and notes in the entry which they were and what identified them.
    async fn empty(&self, rows: &RowsAbout, entry: &mut Entry) -> Result<()> {
        for (noun, ids) in rows {
            for part in ids.chunks(AT_A_TIME) {
                let carried =
                    if noun.has_external_ids { self.external_ids(noun, part).await? } else { HashMap::default() };
                let mut emptied = Vec::new();
                for record in self.lock(noun, part).await?.into_values() {
                    let changes = emptied_columns(noun, &record, entry.erased_at);
                    let mut fields: Vec<&'static str> = changes.iter().map(|(column, _)| column.field).collect();
                    fields.extend(carried.contains_key(&record.id()).then_some("externalIds"));
                    if !fields.is_empty() {
                        entry.rows.entry(noun.name.to_owned()).or_default().push(record.id());
                        let now = Cell::Int(self.now().timestamp_millis());
                        emptied.push((record.changed(&changes, &now), fields));
                    }
                }
                emptied.sort_by_key(|(record, _)| record.id());
                if !carried.is_empty() {
                    self.forget_external_ids(noun, part).await?;
                }
                let keys = carried.values().flatten();
                entry.identifiers.extend(keys.map(|key| hash(&entry.salt, noun, key)));
                self.put(noun, emptied, EventOperation::Erased).await?;
            }
            self.overwrite_fingerprints(ids).await?;
        }
        entry.rows.values_mut().for_each(|ids| ids.sort_unstable());
        entry.identifiers.sort_unstable();
        Ok(())
    }

    /// Takes away the external ids of rows.
    pub(super) async fn forget_external_ids(&self, noun: &'static Noun, ids: &[Uuid]) -> Result<()> {
        let mut sql = self.sql();
        sql.push("DELETE FROM ").name(&[noun.table, "_external_id"]).push(" AS t WHERE ");
        sql.narrow(Site::ExternalIdsTaken, Alias::ROW, "organization_id", self.organization()).push(" AND ");
        sql.is_one_of_named(Alias::ROW, &[noun.table, "_id"], ids).push(" RETURNING organization_id");
        self.rows(sql.finish(), &[]).await.map(drop)
    }

    /// Takes single external ids away from rows, all with as many statements as by one.
    pub(super) async fn drop_external_ids(&self, noun: &'static Noun, lost: &[(Uuid, &ExternalId)]) -> Result<()> {
        for part in lost.chunks(1_000) {
            let ids: Vec<Uuid> = part.iter().map(|(id, _)| *id).collect();
            let mut sql = self.sql();
            sql.push("DELETE FROM ").name(&[noun.table, "_external_id"]).push(" AS t WHERE ");
            sql.narrow(Site::ExternalIdsTaken, Alias::ROW, "organization_id", self.organization()).push(" AND ");
            sql.is_one_of_named(Alias::ROW, &[noun.table, "_id"], &ids).push(" AND (t.system, t.external_id) IN (");
            if sql.is_postgres() {
                sql.push("SELECT * FROM UNNEST(");
                sql.array(CellKind::Text, part.iter().map(|(_, key)| Cell::Text(key.system.clone()))).push(", ");
                sql.array(CellKind::Text, part.iter().map(|(_, key)| Cell::Text(key.id.clone()))).push(")");
            } else {
                sql.push("VALUES ").list(part, |sql, (_, key)| {
                    sql.push("(").bind(key.system.as_str()).push(", ").bind(key.id.as_str()).push(")");
                });
            }
            sql.push(") RETURNING organization_id");
            self.rows(sql.finish(), &[]).await?;
        }
        Ok(())
    }

    /// The organization's newest salt, or a new one.
    async fn salt(&self) -> Result<String> {
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.salt FROM erasure AS t WHERE ");
        sql.narrow(Site::NewestSalt, Alias::ROW, "organization_id", self.organization());
        sql.push(" ORDER BY t.erased_at DESC, t.id DESC LIMIT 1");
        let rows = self.rows(sql.finish(), &[CellKind::Text]).await?;
        if let Some(salt) = rows.first().and_then(|row| row[0].text()) {
            return Ok(salt.to_owned());
        }
        let mut bits = [0; 32];
        rand::fill(&mut bits).map_err(|_| Error::internal("the system has no random numbers"))?;
        Ok(URL_SAFE_NO_PAD.encode(bits))
    }

    /// Writes an erasure into the database's own ledger.
    async fn enter(&self, entry: &Entry) -> Result<()> {
        let mut sql = self.sql();
        sql.push("INSERT INTO erasure (organization_id, id, person_id, erased_at, salt, erased_rows) VALUES (");
        sql.owner(self.organization()).push(", ").bind(entry.id).push(", ").bind(entry.person).push(", ");
        sql.bind(entry.erased_at).push(", ").bind(entry.salt.as_str()).push(", ");
        sql.bind(serde_json::json!(entry.rows).to_string()).push(")");
        self.execute(sql.finish()).await?;
        for part in entry.identifiers.chunks(5_000) {
            let mut sql: Sql = self.sql();
            sql.push("INSERT INTO erasure_identifier (organization_id, hash, erasure_id) VALUES ");
            sql.list(part, |sql, hash| {
                sql.push("(").owner(self.organization()).push(", ").bind(hash.as_str()).push(", ").bind(entry.id);
                sql.push(")");
            });
            sql.push(" ON CONFLICT (organization_id, hash) DO NOTHING");
            self.execute(sql.finish()).await?;
        }
        Ok(())
    }
}

/// Adds ids to those found of a noun, and answers which are new.
fn add(found: &mut RowsAbout, noun: &'static Noun, ids: Vec<Uuid>) -> Vec<Uuid> {
    let place = found.iter().position(|(known, _)| known.table == noun.table).unwrap_or_else(|| {
        found.push((noun, Vec::new()));
        found.len() - 1
    });
    let known: HashSet<Uuid> = found[place].1.iter().copied().collect();
    let new: Vec<Uuid> = ids.into_iter().filter(|id| !known.contains(id)).collect();
    found[place].1.extend(&new);
    new
}

/// The columns of a row that hold something to erase, each empty.
fn emptied_columns(noun: &'static Noun, record: &Record, erased_at: i64) -> Vec<(Column, Cell)> {
    let erasable = noun.all_fields().filter(|field| field.is_erasable());
    let mut changes: Vec<(Column, Cell)> = erasable
        .map(|field| (Column::of(field), nothing(field)))
        .filter(|(column, nothing)| record.get(column.name) != nothing)
        .collect();
    if noun.table == PERSON.table && record.get(ERASED_AT).is_null() {
        changes.push(given(noun, ERASED_AT, Cell::Int(erased_at)));
    }
    changes
}

/// What a column holds that says nothing.
fn nothing(field: &Field) -> Cell {
    if field.is_nullable {
        Cell::Null
    } else if field.kind.is_set() {
        Cell::Text("[]".to_owned())
    } else {
        Cell::Text(String::new())
    }
}

/// By what an external id is known again after it was taken away.
pub(super) fn hash(salt: &str, noun: &Noun, key: &ExternalId) -> String {
    let secret = hmac::Key::new(hmac::HMAC_SHA256, salt.as_bytes());
    let text = format!("{}\0{}\0{}", noun.table, key.system, key.id);
    URL_SAFE_NO_PAD.encode(hmac::sign(&secret, text.as_bytes()))
}
