//! Writes a document: the rows of each noun in as few calls as possible, with the same rules as for any other write.

use std::collections::{HashMap, HashSet};

use entity::{
    expectation, interaction_point,
    noun::{Link, Noun, Relationship},
};
use sea_orm::prelude::Uuid;

use super::{
    Document, EXPORTED, IS_ARCHIVED, Identity, Row, SYSTEM, index_of,
    row::{Mistakes, PlacedLine},
    sets,
};
use crate::{
    Result, UserError,
    error::Code,
    graphql::{mutation::input::wire_id, slice::Module},
    map::expectation::{Ranked, Ranks, begin_all, set_ranks},
    store::{
        Tx,
        statement::cell::{Cell, CellKind, Column},
        writing::{
            delete::JoinRow,
            draft::{Draft, Mode, Outcome, Reference, Target},
        },
    },
};

/// Maximum nesting depth of rows of one noun.
const MAX_LEVELS: usize = 64;

/// How to treat existing rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Do not change them.
    Keep,
    /// Update them to match the document.
    Update,
}

/// Result of writing a document: for each noun in the order of [`EXPORTED`], the id and outcome of each row.
#[derive(Debug, Default)]
pub struct Done(pub Vec<Vec<(Uuid, Outcome)>>);

impl Done {
    /// Returns the ids and outcomes of the rows of a noun.
    pub fn of(&self, noun: &Noun) -> &[(Uuid, Outcome)] {
        index_of(noun).and_then(|place| self.0.get(place)).map_or(&[], Vec::as_slice)
    }

    /// Returns whether anything was written.
    pub fn is_change(&self) -> bool {
        self.0.iter().flatten().any(|(_, outcome)| *outcome != Outcome::Unchanged)
    }

    fn is_new_point(&self, place: usize) -> bool {
        self.of(&interaction_point::NOUN).get(place).is_some_and(|(_, outcome)| *outcome == Outcome::Created)
    }

    fn lines(&self, relation: &Relationship, lines: &[PlacedLine]) -> Vec<JoinRow> {
        let targets = self.of(relation.target);
        lines.iter().map(|(place, values)| (targets[*place].0, values.clone())).collect()
    }

    fn touch(&mut self, piece: usize, ids: &HashSet<Uuid>) {
        for (_, outcome) in self.0[piece].iter_mut().filter(|(id, _)| ids.contains(id)) {
            if *outcome == Outcome::Unchanged {
                *outcome = Outcome::Updated;
            }
        }
    }
}

/// Writes a document. On user errors, the caller must roll back the transaction.
pub async fn write(tx: &Tx, document: &Document, known: Known) -> Result<Result<Done, Vec<UserError>>> {
    if let Err(mistakes) = check_ranks(document) {
        return Ok(Err(mistakes));
    }
    tx.meter().writes_at_once(document.count());
    // No unique key stops two concurrent transactions from creating the same row if it is identified by name.
    tx.lock_organization().await?;
    let mut done = Done::default();
    for (slice, rows) in EXPORTED.iter().zip(&document.rows) {
        match write_rows(tx, slice, rows, known, &done).await? {
            Ok(written) => done.0.push(written),
            Err(mistakes) => return Ok(Err(mistakes)),
        }
    }
    if let Err(mistakes) = write_lines(tx, document, known, &mut done).await? {
        return Ok(Err(mistakes));
    }
    write_ranks(tx, document, known, &mut done).await?;
    if let Err(mistakes) = write_archive(tx, document, &mut done).await? {
        return Ok(Err(mistakes));
    }
    Ok(Ok(done))
}

/// Returns, for each row of a document, the id of the existing row that it stands for.
async fn find(tx: &Tx, noun: &'static Noun, rows: &[Row]) -> Result<Vec<Option<Uuid>>> {
    let key = |row: &Row| if let Identity::Key(key) = &row.identity { Some(key.clone()) } else { None };
    let keys: Vec<_> = rows.iter().filter_map(key).collect();
    let owners = tx.by_external_ids(noun, &keys).await?;
    let unknown = keys.iter().filter(|key| key.system == SYSTEM && !owners.contains_key(*key));
    let ids: Vec<Uuid> = unknown.filter_map(|key| wire_id(noun.prefix, &key.id)).collect();
    let own = tx.known_ids(noun, &ids).await?;
    let name = |row: &Row| row.get("name").text().map(crate::store::statement::cell::fold);
    let names: Vec<String> = rows.iter().filter(|row| row.identity == Identity::Name).filter_map(name).collect();
    let known = tx.ids_by_name(noun, &names).await?;
    let found = rows.iter().map(|row| match &row.identity {
        Identity::New => None,
        Identity::Name => known.get(&name(row)?).copied(),
        Identity::Key(key) => owners.get(key).copied().or_else(|| {
            let id = wire_id(noun.prefix, &key.id).filter(|_| key.system == SYSTEM)?;
            own.contains(&id).then_some(id)
        }),
    });
    Ok(found.collect())
}

async fn write_rows(
    tx: &Tx,
    slice: &Module,
    rows: &[Row],
    known: Known,
    done: &Done,
) -> Result<Result<Vec<(Uuid, Outcome)>, Vec<UserError>>> {
    let noun = slice.noun;
    let levels = match levels(noun, rows) {
        Ok(levels) => levels,
        Err(mistakes) => return Ok(Err(mistakes)),
    };
    let found = if rows.is_empty() { Vec::new() } else { find(tx, noun, rows).await? };
    let mut written: Vec<(Uuid, Outcome)> =
        found.iter().map(|id| (id.unwrap_or_default(), Outcome::Unchanged)).collect();
    for level in levels {
        let stays = |place: &usize| {
            found[*place].is_some() && (known == Known::Keep || rows[*place].identity == Identity::Name)
        };
        let places: Vec<usize> = level.into_iter().filter(|place| !stays(place)).collect();
        let id = |target: &Noun, place: usize| {
            if target.table == noun.table { written[place].0 } else { done.of(target)[place].0 }
        };
        let whole = |place: &usize| {
            let (row, mut draft) = (&rows[*place], draft(noun, &rows[*place], found[*place], id));
            if found[*place].is_none() {
                begin(noun, row, done, &mut draft);
            }
            draft
        };
        let mut drafts: Vec<Draft> = places.iter().map(whole).collect();
        if drafts.is_empty() {
            continue;
        }
        let mut mistakes = Mistakes::default();
        for relation in sets(noun) {
            let (wanted, owners): (Vec<_>, Vec<&Row>) = places
                .iter()
                .zip(&drafts)
                .flat_map(|(place, draft)| draft.lines.iter().map(|(set, lines)| (*set, lines, &rows[*place])))
                .filter(|(set, ..)| set.name == relation.name)
                .map(|(_, lines, row)| ((Uuid::nil(), lines.clone()), row))
                .unzip();
            refuse_archived(tx, relation, &wanted, &owners, &mut mistakes).await?;
        }
        if !mistakes.is_empty() {
            return Ok(mistakes.or(Vec::new()));
        }
        let answers = tx.write(noun, &slice.rules, &mut drafts, true).await?;
        for (place, answer) in places.into_iter().zip(answers) {
            for error in answer.errors {
                mistakes.add(error.code, path_in_input(noun, &rows[place], &error.path), error.message);
            }
            written[place] = (answer.id.unwrap_or_default(), answer.outcome);
        }
        if let Err(mistakes) = mistakes.or(()) {
            return Ok(Err(mistakes));
        }
    }
    Ok(Ok(written))
}

/// Groups the indexes of the rows into levels, so that rows reference only rows of earlier levels; each level is one
/// call. Err if the references form a cycle or there are more than [`MAX_LEVELS`] levels.
fn levels(noun: &'static Noun, rows: &[Row]) -> Result<Vec<Vec<usize>>, Vec<UserError>> {
    let above = |row: &Row| {
        let own = row.named.iter().filter(|(relation, _)| relation.target.table == noun.table);
        own.filter_map(|(relation, place)| Some((relation.name, (*place)?))).collect::<Vec<_>>()
    };
    let (mut levels, mut is_done) = (Vec::new(), vec![false; rows.len()]);
    let mut left: Vec<usize> = (0..rows.len()).collect();
    while !left.is_empty() {
        let (ready, later): (Vec<usize>, Vec<usize>) =
            left.into_iter().partition(|place| above(&rows[*place]).iter().all(|(_, above)| is_done[*above]));
        if ready.is_empty() || levels.len() == MAX_LEVELS {
            let row = &rows[ready.first().or(later.first()).copied().unwrap_or_default()];
            let field = above(row).first().map_or("key", |(name, _)| *name);
            let (code, message) = if ready.is_empty() {
                (Code::Cycle, format!("this {} would become its own ancestor", noun.name))
            } else {
                (Code::OutOfRange, format!("rows can be nested at most {MAX_LEVELS} deep"))
            };
            return Err(vec![UserError { code, message, path: row.at(field) }]);
        }
        for place in &ready {
            is_done[*place] = true;
        }
        levels.push(ready);
        left = later;
    }
    Ok(levels)
}

fn draft(noun: &'static Noun, row: &Row, found: Option<Uuid>, id: impl Fn(&Noun, usize) -> Uuid) -> Draft {
    let (target, mode) = match (found, &row.identity) {
        (Some(id), _) => (Target::Row(Reference::Id(Some(id))), Mode::UpdateOnly),
        (None, Identity::Key(key)) => (Target::External(key.clone()), Mode::Upsert),
        (None, _) => (Target::New, Mode::CreateOnly),
    };
    let mut draft = Draft::new(noun, target, mode);
    draft.values.clone_from(&row.values);
    for (relation, place) in &row.named {
        let Link::One { column, is_nullable, .. } = relation.link else { continue };
        let column = Column { name: column, kind: CellKind::Id, is_nullable, field: relation.name };
        draft.values.push((column, place.map_or(Cell::Null, |place| Cell::Id(id(relation.target, place)))));
    }
    draft.external_ids.clone_from(&row.external_ids);
    draft
}

/// Adds the initial links and rank to the draft of a new row, so that the row is written only once.
fn begin(noun: &'static Noun, row: &Row, done: &Done, draft: &mut Draft) {
    for (relation, lines) in
        row.lines.iter().filter(|(relation, lines)| is_earlier(relation, noun) && !lines.is_empty())
    {
        draft.lines.push((relation, done.lines(relation, lines)));
    }
    if let (Some(rank), true) = (&row.rank, point_of(row).is_some_and(|place| done.is_new_point(place))) {
        draft.set_cell(expectation::RANK.name(), rank.clone());
    }
}

/// Returns whether the target rows of the relation are written before the rows of `noun`.
fn is_earlier(relation: &Relationship, noun: &Noun) -> bool {
    index_of(relation.target) < index_of(noun)
}

/// Returns the index of the interaction point that a row references.
fn point_of(row: &Row) -> Option<usize> {
    row.named.iter().find(|(relation, _)| relation.name == "point").and_then(|(_, place)| *place)
}

/// Converts the path of a draft's error to a path in the input.
fn path_in_input(noun: &'static Noun, row: &Row, path: &[String]) -> Vec<String> {
    let field = path.first().map_or("", String::as_str);
    let relation = field.strip_suffix("Ref").and_then(|name| noun.relation(name));
    match field {
        "by" | "externalId" => row.at("key"),
        _ => row.at(relation.map_or(field, |relation| relation.name)),
    }
}

/// Refuses new links to archived rows; existing links to them are kept.
async fn refuse_archived(
    tx: &Tx,
    relation: &'static Relationship,
    wanted: &[(Uuid, Vec<JoinRow>)],
    owners: &[&Row],
    mistakes: &mut Mistakes,
) -> Result<()> {
    for (owner, line) in tx.archived_lines(relation, wanted).await? {
        let mut path = owners[owner].at(relation.name);
        path.push(line.to_string());
        mistakes.add(Code::Archived, path, format!("this {} is archived", relation.target.name));
    }
    Ok(())
}

async fn write_lines(
    tx: &Tx,
    document: &Document,
    known: Known,
    done: &mut Done,
) -> Result<Result<(), Vec<UserError>>> {
    let mut mistakes = Mistakes::default();
    for (piece, slice) in EXPORTED.iter().enumerate() {
        for relation in sets(slice.noun) {
            let (mut wanted, mut owners) = (Vec::new(), Vec::new());
            for (row, (owner, outcome)) in document.rows[piece].iter().zip(&done.0[piece]) {
                let Some((_, lines)) = row.lines.iter().find(|(set, _)| set.name == relation.name) else { continue };
                let is_due = match outcome {
                    Outcome::Created => !is_earlier(relation, slice.noun),
                    _ => known == Known::Update,
                };
                if is_due {
                    wanted.push((*owner, done.lines(relation, lines)));
                    owners.push(row);
                }
            }
            refuse_archived(tx, relation, &wanted, &owners, &mut mistakes).await?;
            if !wanted.is_empty() && mistakes.is_empty() {
                let changed = tx.set_all_links(slice.noun, relation, &wanted).await?;
                done.touch(piece, &changed.into_iter().collect());
            }
        }
    }
    Ok(mistakes.or(()))
}

/// Refuses a document in which two expectations of a point have the same rank.
fn check_ranks(document: &Document) -> Result<(), Vec<UserError>> {
    let (mut seen, mut mistakes) = (HashSet::new(), Mistakes::default());
    let rows = index_of(&expectation::NOUN).map_or(&[][..], |piece| &document.rows[piece]);
    for row in rows {
        if let (Some(rank), Some(point)) = (row.rank.as_ref().and_then(Cell::int), point_of(row))
            && !seen.insert((point, rank))
        {
            mistakes.add(Code::Invalid, row.at("rank"), "an earlier expectation of the point has this rank");
        }
    }
    mistakes.or(())
}

/// Replaces the top five of each existing point for which the document gives ranks. New points already have their top
/// five, for which only the ranking history is written.
async fn write_ranks(tx: &Tx, document: &Document, known: Known, done: &mut Done) -> Result<()> {
    let (points, noun) = (&interaction_point::NOUN, &expectation::NOUN);
    let (Some(point_piece), Some(piece)) = (index_of(points), index_of(noun)) else { return Ok(()) };
    let (mut ranks, mut begun) = (Ranks::new(), HashMap::<Uuid, Vec<Ranked>>::new());
    for (row, (id, _)) in document.rows[piece].iter().zip(&done.0[piece]) {
        let (Some(rank), Some(place)) = (&row.rank, point_of(row)) else { continue };
        let point = done.0[point_piece][place].0;
        if done.is_new_point(place) {
            let statement = row.get("statement").text().unwrap_or_default().to_owned();
            begun.entry(point).or_default().extend(rank.int().map(|rank| Ranked { rank, id: *id, statement }));
        } else if known == Known::Update {
            let top: &mut HashMap<Uuid, i64> = ranks.entry(point).or_default();
            top.extend(rank.int().map(|rank| (*id, rank)));
        }
    }
    begin_all(tx, begun).await?;
    let (points, expectations) = set_ranks(tx, &ranks).await?;
    done.touch(point_piece, &points);
    done.touch(piece, &expectations);
    Ok(())
}

/// Archives and restores rows as the document says.
async fn write_archive(tx: &Tx, document: &Document, done: &mut Done) -> Result<Result<(), Vec<UserError>>> {
    let mut mistakes = Mistakes::default();
    for (piece, slice) in EXPORTED.iter().enumerate() {
        let states: Vec<(&Row, Uuid, bool)> = document.rows[piece]
            .iter()
            .zip(&done.0[piece])
            .filter_map(|(row, (id, outcome))| Some((row, *id, row.is_archived?, *outcome)))
            .filter(|(.., is_archived, outcome)| *is_archived || *outcome != Outcome::Created)
            .map(|(row, id, is_archived, _)| (row, id, is_archived))
            .collect();
        if states.is_empty() {
            continue;
        }
        let ids: Vec<Uuid> = states.iter().map(|(_, id, _)| *id).collect();
        let mut records = tx.lock(slice.noun, &ids).await?;
        let mut changed = HashSet::new();
        for (row, id, is_archived) in states {
            let Some(record) = records.remove(&id) else { continue };
            match tx.archive(slice.noun, &slice.rules, record, is_archived).await? {
                Ok(true) => drop(changed.insert(id)),
                Ok(false) => {}
                Err(error) => mistakes.add(error.code, row.at(IS_ARCHIVED), error.message),
            }
        }
        done.touch(piece, &changed);
    }
    Ok(mistakes.or(()))
}
