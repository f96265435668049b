//! Changes that reach further than the rows they show: what they reach is read again.

use std::{collections::BTreeSet, fmt::Write as _};

use entity::{
    Noun, Permission, assumption, desired_result, expectation, holiday, improvement, interaction_point, journey,
    journey_edition, notice,
    noun::{Link, Operation},
    objective, objective_conflict, personal, review_question, stage, step, step_link, trusted_document,
    webhook_delivery, webhook_endpoint,
};
use serde_json::Value;

use super::model::{Holding, Row, id_of, is_owner, is_part, selection};

/// The end of the name of a mutation that takes away all that tells about somebody.
pub const ERASE: &str = "Erase";

/// The end of the name of a mutation that makes rows of the server's own.
const SEED: &str = "SeedReviewQuestions";

/// The end of the name of a mutation that makes parts of a calendar.
const HOLIDAYS: &str = "ImportHolidays";

/// The code of a mutation that begins what is already running for the row.
pub const RUNS_ONCE: (&str, &str) = ("CONFLICT", "webhookEndpointReplay");

/// The mutations that take expectations out of the top five of their points.
const UNRANK: [&str; 2] = ["expectationDelete", "expectationsBulkDelete"];

/// The end of the name of a mutation that copies a row and what belongs to it.
pub const COPY: &str = "Copy";

/// Nouns whose rows are moved, numbered and frozen together.
const JOURNEY: [&Noun; 5] = [&journey::NOUN, &stage::NOUN, &step::NOUN, &step_link::NOUN, &journey_edition::NOUN];

/// Nouns whose rows are copied with an interaction point.
const POINT: [&Noun; 6] = [
    &interaction_point::NOUN,
    &expectation::NOUN,
    &assumption::NOUN,
    &objective::NOUN,
    &objective_conflict::NOUN,
    &desired_result::NOUN,
];
/// Mutations that make rows of many nouns of the map.
const OF_THE_MAP: [&str; 5] = ["mapImport", "quickJourney", "templateApply", "journeyFromOutline", "journeyImport"];

/// Stores documents.
const PUSH: &str = "trustedDocumentsPush";

/// The nouns of which a mutation changes rows that it does not show.
pub fn reach(mutation: &str, noun: &'static Noun) -> Vec<&'static Noun> {
    if mutation.ends_with(ERASE) {
        personal::about_a_person().to_vec()
    } else if OF_THE_MAP.contains(&mutation) {
        entity::NOUNS.into_iter().filter(|noun| noun.write == Permission::MapWrite).collect()
    } else if JOURNEY.iter().any(|known| known.name == noun.name) {
        JOURNEY.to_vec()
    } else if mutation.ends_with(COPY) {
        POINT.to_vec()
    } else if mutation == PUSH {
        vec![&trusted_document::NOUN]
    } else if mutation.ends_with(HOLIDAYS) {
        vec![&holiday::NOUN]
    } else if mutation.ends_with(SEED) {
        vec![&review_question::NOUN]
    } else if noun.name == improvement::NOUN.name {
        // Once it is done, whoever contributed has a notice.
        vec![&improvement::NOUN, &notice::NOUN]
    } else if noun.name == webhook_endpoint::NOUN.name {
        // A test makes a delivery, and what is disabled has a reason.
        vec![&webhook_endpoint::NOUN, &webhook_delivery::NOUN]
    } else if UNRANK.contains(&mutation) {
        vec![&interaction_point::NOUN, &expectation::NOUN]
    } else {
        Vec::new()
    }
}

/// What a change asks for of its row: all that the change may have written.
pub fn written(noun: &Noun, is_deep: bool) -> String {
    let mut text = selection(noun);
    text.pop();
    for relation in noun.relations {
        let target = relation.target;
        let is_part = is_part(noun, relation);
        let all = if target.is_archivable() { "first: 100, filter: { archivedAt: {} }" } else { "first: 100" };
        match relation.link {
            Link::Many { .. } if is_part || is_deep => {
                write!(text, " {}({all}) {{ nodes {} }}", relation.name, selection(target)).unwrap();
            }
            Link::Through { .. } if is_owner(noun, relation) => {
                write!(text, " {}({all}) {{ nodes {{ id }} }}", relation.name).unwrap();
            }
            _ => {}
        }
    }
    text.push('}');
    text
}

/// A row that is part of another.
type Part = (&'static Noun, Row);

/// A row as [`written`] asks for it, and the rows that are part of it. What it is linked to is taken in.
pub fn apart(own: &mut Holding, noun: &'static Noun, mut node: Value) -> Result<(Row, Vec<Part>), String> {
    let id = node["id"].as_str().ok_or("the row is not shown")?.to_owned();
    let fields = node.as_object_mut().ok_or("the row is not shown")?;
    let mut parts: Vec<(&'static Noun, Row)> = Vec::new();
    for relation in noun.relations {
        if fields.get(relation.name).is_none_or(|value| value.get("nodes").is_none()) {
            continue;
        }
        let list = fields.remove(relation.name).expect("it is there");
        let rows = list["nodes"].as_array().ok_or("a list is not shown")?;
        if let Link::Through { table, .. } = relation.link {
            own.links.insert((table, id.clone()), rows.iter().map(|row| id_of(row).to_owned()).collect());
        } else {
            parts.extend(rows.iter().map(|row| (relation.target, row.clone())));
        }
    }
    Ok((node, parts))
}

/// What reads all rows of nouns, for [`relearn`].
pub fn everything(nouns: &[&'static Noun]) -> String {
    let listed = nouns.iter().filter(|noun| noun.offers(Operation::List)).map(|noun| {
        let all = if noun.is_archivable() { ", filter: { archivedAt: {} }" } else { "" };
        format!("{}(first: 1000{all}) {{ nodes {} }}", noun.plural, written(noun, false))
    });
    format!("{{ {} }}", listed.collect::<Vec<_>>().join(" "))
}

/// Takes in all rows of nouns.
pub fn relearn(own: &mut Holding, nouns: &[&'static Noun], data: &Value) -> Result<(), String> {
    for noun in nouns.iter().filter(|noun| noun.offers(Operation::List)) {
        let mut lost: BTreeSet<String> = own.all(noun).map(|row| id_of(row).to_owned()).collect();
        for node in data[noun.plural]["nodes"].as_array().ok_or_else(|| format!("{} are not shown", noun.plural))? {
            let (row, parts) = apart(own, noun, node.clone())?;
            lost.remove(id_of(&row));
            own.put(noun, row);
            for (noun, part) in parts {
                own.put(noun, part);
            }
        }
        for id in &lost {
            own.remove(noun, id);
        }
    }
    Ok(())
}
