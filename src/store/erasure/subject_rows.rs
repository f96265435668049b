//! Reads the rows about a person page by page in a stable order: path by path, and within a path by ids.

use std::collections::{HashMap, HashSet};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use entity::{
    noun::Noun,
    personal::{self, PERSON, SubjectPath},
};
use futures_util::future::BoxFuture;
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};

use crate::{
    Result,
    store::{
        Connection, Scope,
        merging::kept::KeptPlace,
        statement::{
            builder::Alias,
            cell::{CellKind, column_named},
            template::Templates,
        },
    },
};

/// A position in this order: the next page begins after it. The default is the start, before the person's own row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The path: names of nouns and columns. Empty for the person's own row.
    path: String,
    /// The ids along the path of the last row that was read.
    after: Vec<Uuid>,
}

/// A page of rows about a person, of one noun.
#[derive(Clone, Debug)]
pub struct SubjectRows {
    /// The noun.
    pub noun: &'static Noun,
    /// Ids of the rows, in order. May be empty although more pages follow.
    pub ids: Vec<Uuid>,
    /// Where the next page begins; `None` after the last page.
    pub next: Option<Place>,
    path: String,
    found: Vec<IdPath>,
}

impl SubjectRows {
    /// Returns the position after the row with this index.
    pub fn after(&self, index: usize) -> Option<Place> {
        let after = self.found.get(index)?.clone();
        Some(Place { path: self.path.clone(), after })
    }
}

/// Begins the paths of what is kept of merges, which follows all rows about a person.
const MERGES: &str = "RowMerge";

/// The ids along a path, down to a row.
type IdPath = Vec<Uuid>;

fn name(path: &[SubjectPath]) -> String {
    let names: Vec<String> = path.iter().map(|reach| format!("{}.{}", reach.noun.name, reach.column)).collect();
    names.join("/")
}

impl Place {
    /// Encodes the position as a cursor for callers.
    pub fn cursor(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::json!((&self.path, &self.after)).to_string())
    }

    /// Parses a cursor; returns `None` if it is invalid.
    pub fn parse(cursor: &str) -> Option<Self> {
        let text = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (path, after): (String, Vec<Uuid>) = serde_json::from_slice(&text).ok()?;
        if path.starts_with(MERGES) {
            let place = Self { path, after };
            return place.of_merges().is_some().then_some(place);
        }
        let known = personal::paths().iter().find(|known| name(known) == path)?;
        (after.is_empty() || after.len() == known.len()).then_some(Self { path, after })
    }

    /// Returns the position of something that is kept of a merge.
    pub fn kept(place: &KeptPlace) -> Self {
        let of_merge = (!place.merge.is_nil()).then_some(place.merge);
        let (path, row) = match place.moved {
            None => (MERGES.to_owned(), None),
            Some((reference, row)) => (format!("{MERGES}/{}", reference.name()), Some(row)),
        };
        Self { path, after: of_merge.into_iter().chain(row).collect() }
    }

    /// Returns the position among what is kept of merges; `None` if rows about the person come first.
    pub fn of_merges(&self) -> Option<KeptPlace> {
        let rest = self.path.strip_prefix(MERGES)?;
        match (self.after.as_slice(), rest.strip_prefix('/')) {
            ([], None) if rest.is_empty() => Some(KeptPlace::default()),
            ([merge], None) if rest.is_empty() => Some(KeptPlace { merge: *merge, moved: None }),
            ([merge, row], Some(name)) => {
                let moved = Some((KeptPlace::reference(name)?, *row));
                Some(KeptPlace { merge: *merge, moved })
            }
            _ => None,
        }
    }

    /// Returns the position after the person's own row; `None` if no other rows are about people.
    pub(in crate::store) fn below_person() -> Option<Self> {
        personal::paths().first().map(|path| Self { path: name(path), after: Vec::new() })
    }
}

impl<C: Connection> Scope<C> {
    /// Returns the next rows about a person from a position on, at most `most`, with a fixed number of statements.
    pub async fn about(&self, person: Uuid, place: &Place, most: usize) -> Result<SubjectRows> {
        let paths = personal::paths();
        // A path of another version restarts from the beginning: repeating a step is harmless.
        let Some(at) = paths.iter().position(|path| name(path) == place.path) else {
            let (path, found) = (String::new(), Vec::new());
            return Ok(SubjectRows { noun: PERSON, ids: vec![person], next: Place::below_person(), path, found });
        };
        let path = &paths[at];
        let (found, more) = self.id_path(path, person, &place.after, most).await?;
        let ids = found.iter().filter_map(|id_path| id_path.last().copied()).collect();
        let next = match more {
            Some(after) => Some(Place { path: place.path.clone(), after }),
            None => paths.get(at + 1).map(|path| Place { path: name(path), after: Vec::new() }),
        };
        Ok(SubjectRows { noun: path[path.len() - 1].noun, ids, next, path: place.path.clone(), found })
    }

    /// Returns those of the rows that an earlier path reaches too: whoever reads all pages has read them already.
    pub async fn reached_before(&self, person: Uuid, rows: &SubjectRows) -> Result<HashSet<Uuid>> {
        let is_same = |path: &&Vec<SubjectPath>| path.last().is_some_and(|last| last.noun.table == rows.noun.table);
        let earlier = personal::paths().iter().take_while(|path| name(path) != rows.path).filter(is_same);
        let mut reached = HashSet::new();
        for path in earlier.filter(|_| !rows.ids.is_empty()) {
            // From each row upwards: the row of the path that it has reached.
            let mut above: HashMap<Uuid, Uuid> = rows.ids.iter().map(|id| (*id, *id)).collect();
            for step in path.iter().rev() {
                let columns = [column_named(step.noun, "id"), column_named(step.noun, step.column)];
                let ids: Vec<Uuid> = above.values().copied().collect();
                let found = self.by_ids_unchecked(step.noun, &columns, &ids, &Templates::default()).await?;
                let links: HashMap<Uuid, Uuid> = found.iter().filter_map(|row| row[0].id().zip(row[1].id())).collect();
                above = above.into_iter().filter_map(|(row, id)| Some((row, *links.get(&id)?))).collect();
            }
            reached.extend(above.into_iter().filter(|(_, id)| *id == person).map(|(row, _)| row));
        }
        Ok(reached)
    }

    /// Reads the rows at the end of a path after a position, in the order of the ids along the path, and the position
    /// of the next page.
    fn id_path<'a>(
        &'a self,
        path: &'a [SubjectPath],
        person: Uuid,
        after: &'a [Uuid],
        most: usize,
    ) -> BoxFuture<'a, Result<(Vec<IdPath>, Option<IdPath>)>> {
        Box::pin(async move {
            let Some((last, above)) = path.split_last() else { return Ok((vec![Vec::new()], None)) };
            if above.is_empty() {
                let found: Vec<IdPath> = self
                    .named(last, &[person], after.first().copied(), most)
                    .await?
                    .into_iter()
                    .map(|id| vec![id.1])
                    .collect();
                let more = found.last().filter(|_| found.len() == most).cloned();
                return Ok((found, more));
            }
            let (parent, own) = after.split_at_checked(above.len()).unwrap_or((&[], &[]));
            // The remaining rows below the parent row at which the last page ended.
            if let (Some(below), Some(own)) = (parent.last(), own.first().filter(|own| **own != Uuid::max())) {
                let rows = self.named(last, &[*below], Some(*own), most).await?;
                if !rows.is_empty() {
                    let found: Vec<IdPath> = rows.iter().map(|(_, id)| [parent, &[*id]].concat()).collect();
                    let end = if found.len() == most { found[most - 1].clone() } else { passed(parent) };
                    return Ok((found, Some(end)));
                }
            }
            let (parents, more) = self.id_path(above, person, parent, most).await?;
            let Some(end) = parents.last() else { return Ok((Vec::new(), None)) };
            let mut found: Vec<IdPath> = Vec::new();
            // If the parent rows are ordered by their ids, one statement finds the first rows below all of them.
            let at_once = if above.len() == 1 { parents.len() } else { 1 };
            for some in parents.chunks(at_once) {
                let ids: Vec<Uuid> = some.iter().filter_map(|id_path| id_path.last().copied()).collect();
                let left = most - found.len();
                for (parent, id) in self.named(last, &ids, None, left).await? {
                    let id_path = some.iter().find(|id_path| id_path.last() == Some(&parent));
                    found.extend(id_path.map(|id_path| [id_path.as_slice(), &[id]].concat()));
                }
                if found.len() >= most {
                    let end = found[most - 1].clone();
                    return Ok((found, Some(end)));
                }
            }
            Ok((found, more.map(|_| passed(end))))
        })
    }

    /// Returns the first rows that refer to one of the rows `above`, each as the pair of the referenced id and its own
    /// id; after an id, if `above` is a single row.
    async fn named(
        &self,
        reach: &SubjectPath,
        above: &[Uuid],
        after: Option<Uuid>,
        most: usize,
    ) -> Result<Vec<(Uuid, Uuid)>> {
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, ").column(Alias::ROW, reach.column).push(", t.id FROM ");
        sql.name(&[reach.noun.table]).push(" AS t WHERE ");
        sql.filter_tenant(Alias::ROW, reach.noun, self.organization()).push(" AND ");
        sql.is_one_of(Alias::ROW, reach.column, above);
        if let Some(after) = after {
            sql.push(" AND t.id > ").bind(after);
        }
        sql.push(" ORDER BY ").column(Alias::ROW, reach.column).push(", t.id LIMIT ").number(most);
        let rows = self.read_rows(sql.finish(), &[CellKind::Id, CellKind::Id]).await?;
        Ok(rows.iter().filter_map(|row| row[0].id().zip(row[1].id())).collect())
    }
}

/// Returns the position after all rows below a row.
fn passed(parent: &[Uuid]) -> IdPath {
    [parent, &[Uuid::max()]].concat()
}
