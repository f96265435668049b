//! Computes the changes between two editions of a journey: pure functions over the documents of the editions.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use entity::{Noun, expectation, influencer, interaction_point, journey, medium, stage, step, step_link};
use serde_json::{Map, Value};

entity::string_enum! {
    /// Kind of change to an element of a journey.
    ChangeKind as "JourneyChangeKind" {
        /// The element was added.
        Added = "ADDED",
        /// The element was removed.
        Removed = "REMOVED",
        /// The element has another position or stage.
        Moved = "MOVED",
        /// Fields of the element differ.
        Changed = "CHANGED",
    }
}

/// Change to one element of a journey.
#[derive(Clone, Debug)]
pub(super) struct Change {
    /// Kind of change.
    pub kind: ChangeKind,
    /// Noun of the element.
    pub noun: &'static Noun,
    /// Id of the element, as the API shows it.
    pub id: String,
    /// Name of the element, if it has one.
    pub name: Option<String>,
    /// Names of the fields that differ.
    pub fields: Vec<String>,
}

/// Nouns of an edition, each with a flag: whether added and removed rows are reported. The other nouns are shared
/// between journeys and appear or disappear together with the steps that use them.
const NOUNS: [(&Noun, bool); 8] = [
    (&journey::NOUN, true),
    (&stage::NOUN, true),
    (&step::NOUN, true),
    (&step_link::NOUN, true),
    (&interaction_point::NOUN, false),
    (&expectation::NOUN, true),
    (&medium::NOUN, false),
    (&influencer::NOUN, false),
];

/// Fields that hold the position of an element; a change to one of them is reported as a move.
const PLACE: [&str; 2] = ["position", "stage"];

/// Elements of a list by id.
type Elements<'a> = BTreeMap<&'a str, &'a Map<String, Value>>;

fn elements<'a>(document: &'a Value, noun: &Noun) -> Elements<'a> {
    let list = document[noun.plural].as_array().map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(Value::as_object).filter_map(|object| Some((object.get("id")?.as_str()?, object))).collect()
}

/// Returns the changes from one document to another, sorted by noun in the order of [`NOUNS`] and then by id.
pub(super) fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    let points = [before, after].map(|document| elements(document, &interaction_point::NOUN));
    for (noun, is_own) in NOUNS {
        let (old, new) = (elements(before, noun), elements(after, noun));
        let moved = moved(&old, &new);
        let ids: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
        for id in ids {
            let mut note = |kind, object: &Map<String, Value>, fields| {
                found.push(Change { kind, noun, id: id.to_owned(), name: name(object), fields });
            };
            match (old.get(id), new.get(id)) {
                (Some(old), Some(new)) => {
                    // A missing field compares as null: an older edition lacks the fields that were added later.
                    let value =
                        |object: &Map<String, Value>, field: &str| object.get(field).cloned().unwrap_or_default();
                    let differs = |field: &&String| value(old, field) != value(new, field);
                    let known: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
                    let differing: Vec<&String> = known.into_iter().filter(differs).collect();
                    let place = |field: &&&String| PLACE.contains(&field.as_str());
                    let has_moved = |field: &&String| field.as_str() != "position" || moved.contains(id);
                    let placed: Vec<String> =
                        differing.iter().filter(place).filter(|field| has_moved(field)).map(|f| (*f).clone()).collect();
                    if !placed.is_empty() {
                        note(ChangeKind::Moved, new, placed);
                    }
                    let others: Vec<String> =
                        differing.iter().filter(|field| !place(field)).map(|field| (*field).clone()).collect();
                    if !others.is_empty() {
                        note(ChangeKind::Changed, new, others);
                    }
                }
                (Some(old), None) if is_own && stays(old, &points[1]) => note(ChangeKind::Removed, old, Vec::new()),
                (None, Some(new)) if is_own && stays(new, &points[0]) => note(ChangeKind::Added, new, Vec::new()),
                _ => {}
            }
        }
    }
    found
}

/// Returns whether to report an added or removed element: true unless it is an expectation whose point is absent from
/// the other document, because the change of the step then covers it.
fn stays(element: &Map<String, Value>, others: &Elements<'_>) -> bool {
    let is_of_point = element.contains_key("point") && element.contains_key("statement");
    let point = element.get("point").and_then(Value::as_str);
    !is_of_point || point.is_some_and(|point| others.contains_key(point))
}

/// Returns the smallest set of elements whose move turns the old order of the common elements into the new order.
fn moved<'a>(old: &Elements<'a>, new: &Elements<'a>) -> HashSet<&'a str> {
    let place = |elements: &Elements<'a>, id: &str| elements.get(id)?.get("position")?.as_i64();
    let mut common: Vec<(i64, i64, &str)> =
        old.keys().filter_map(|id| Some((place(old, id)?, place(new, id)?, *id))).collect();
    common.sort_unstable();
    // The elements of a longest increasing subsequence of new positions do not move. `ends[n]` is the index of the
    // smallest last element of such a subsequence of length n + 1; `previous` links each element to its predecessor.
    let (mut ends, mut previous): (Vec<usize>, Vec<Option<usize>>) = (Vec::new(), vec![None; common.len()]);
    for (index, (_, place, _)) in common.iter().enumerate() {
        let length = ends.partition_point(|end| common[*end].1 < *place);
        previous[index] = length.checked_sub(1).map(|before| ends[before]);
        match ends.get_mut(length) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    let mut moved: HashSet<&str> = common.iter().map(|(.., id)| *id).collect();
    let mut stays = ends.last().copied();
    while let Some(index) = stays {
        moved.remove(common[index].2);
        stays = previous[index];
    }
    moved
}

fn name(object: &Map<String, Value>) -> Option<String> {
    ["title", "name", "label", "statement"].iter().find_map(|field| object.get(*field)?.as_str().map(str::to_owned))
}
