//! Parses and checks a document in JSON.

use std::collections::{HashMap, HashSet};

use async_graphql::Value;
use entity::{
    Noun,
    noun::{Field, Kind, Link, Relationship, Writable},
};
use serde_json::{Map, Value as Json};

use super::{
    Document, FORMAT, IS_ARCHIVED, Identity, MAX_BYTES, MAX_ROWS, Row, SYSTEM, exported_nouns, fields, index_of,
    is_outside, is_rank, references, row::Mistakes, sets,
};
use crate::{
    Result, UserError,
    error::Code,
    graphql::{mutation::input::check_external_id, values::text_mistake},
    store::{ExternalId, usage::compute::Computation, writing::external_id_changes::MAX_EXTERNAL_IDS},
    text::without_byte_order_mark,
};

/// Maximum length of a key: the same as of an external id.
const KEY: usize = 255;

type Object = Map<String, Json>;

/// Indexes of rows by key, for each noun in the order of `EXPORTED`.
type Places = Vec<HashMap<String, usize>>;

fn path(parts: &[&str]) -> Vec<String> {
    std::iter::once("document").chain(parts.iter().copied()).map(str::to_owned).collect()
}

/// Parses a document. Returns it, or the list of user errors.
pub(super) fn read(text: &str, computation: &Computation) -> Result<std::result::Result<Document, Vec<UserError>>> {
    let refuse = |code, path, message: &str| Ok(Err(vec![UserError { code, message: message.to_owned(), path }]));
    if text.len() > MAX_BYTES {
        return refuse(Code::TooLong, path(&[]), &format!("the document exceeds {MAX_BYTES} bytes"));
    }
    let Ok(Json::Object(lists)) = serde_json::from_str(without_byte_order_mark(text)) else {
        return refuse(Code::Invalid, path(&[]), "the document is not a JSON object");
    };
    if lists.get("format").and_then(Json::as_str) != Some(FORMAT) {
        return refuse(Code::Invalid, path(&["format"]), &format!("the format must be {FORMAT}"));
    }
    let mut mistakes = Mistakes::default();
    let mut given: Vec<(usize, &'static Noun, Vec<&Object>)> = Vec::new();
    for (place, noun) in exported_nouns() {
        let Some(list) = lists.get(noun.plural) else { continue };
        let Some(list) = list.as_array() else {
            mistakes.add(Code::Invalid, path(&[noun.plural]), "this must be a list");
            continue;
        };
        let mut objects = Vec::new();
        for (index, item) in list.iter().enumerate() {
            match item.as_object() {
                Some(object) => objects.push(object),
                None => {
                    mistakes.add(Code::Invalid, path(&[noun.plural, &index.to_string()]), "this must be an object");
                }
            }
        }
        given.push((place, noun, objects));
    }
    for name in lists.keys().filter(|name| *name != "format" && exported_nouns().all(|(_, noun)| noun.plural != *name))
    {
        mistakes.add(Code::Invalid, path(&[&shortened(name)]), "unknown list");
    }
    if !mistakes.is_empty() {
        return Ok(mistakes.or(Document::default()));
    }
    let mut places: Places = vec![HashMap::new(); Document::default().rows.len()];
    for (piece, noun, objects) in &given {
        for (index, object) in objects.iter().enumerate() {
            let mut refuse = |code, message: &str| {
                mistakes.add(code, path(&[noun.plural, &index.to_string(), "key"]), message);
            };
            match object.get("key").and_then(Json::as_str) {
                None => refuse(Code::Required, "a row needs a key, which must be a string"),
                Some(key) if crate::text::is_blank(key) => refuse(Code::Required, "the key must not be empty"),
                Some(key) => match text_mistake(key, KEY) {
                    Some((code, message)) => refuse(code, &message),
                    None if places[*piece].insert(key.to_owned(), index).is_some() => {
                        refuse(Code::Taken, "an earlier row has this key");
                    }
                    None => {}
                },
            }
        }
    }
    if !mistakes.is_empty() {
        return Ok(mistakes.or(Document::default()));
    }
    let mut document = Document::default();
    for (_, noun, objects) in given {
        for (index, object) in objects.into_iter().enumerate() {
            computation.check()?;
            let mut reader = Reader { noun, object, places: &places, document: &mut document, mistakes: &mut mistakes };
            let row = reader.row(index);
            document.add(noun, row);
        }
    }
    if document.count() > MAX_ROWS {
        mistakes.add(Code::TooLong, path(&[]), format!("the document has more than {MAX_ROWS} rows and links"));
    }
    Ok(mistakes.or(document))
}

/// Returns a name for an error path: at most 64 characters, without control characters.
fn shortened(name: &str) -> String {
    name.chars().filter(|sign| !sign.is_control()).take(64).collect()
}

/// Reads one row of a document.
struct Reader<'a> {
    noun: &'static Noun,
    object: &'a Object,
    places: &'a Places,
    document: &'a mut Document,
    mistakes: &'a mut Mistakes,
}

impl Reader<'_> {
    fn row(&mut self, index: usize) -> Row {
        let noun = self.noun;
        let key = self.object.get("key").and_then(Json::as_str).unwrap_or_default();
        let identity = Identity::Key(ExternalId { system: SYSTEM.to_owned(), id: key.to_owned() });
        let mut row = Row::new(identity, path(&[noun.plural, &index.to_string()]));
        for (name, value) in self.object {
            if name == "key" {
                continue;
            }
            let field = fields(noun).find(|field| field.name == name);
            let reference = references(noun).find(|relation| relation.name == name);
            let set = sets(noun).find(|relation| relation.name == name);
            match (field, reference, set) {
                (Some(field), ..) if is_rank(noun, field) => self.rank(&mut row, field, value),
                (Some(field), ..) => self.field(&mut row, field, value),
                (_, Some(relation), _) => self.reference(&mut row, relation, value),
                (.., Some(relation)) => self.set(&mut row, relation, value),
                _ if name == "externalIds" && noun.has_external_ids => self.external_ids(&mut row, value),
                _ if name == IS_ARCHIVED && noun.is_archivable() => match value {
                    Json::Bool(is_archived) => row.is_archived = Some(*is_archived),
                    _ => self.mistakes.add(Code::Invalid, row.at(IS_ARCHIVED), "this must be true or false"),
                },
                _ => {
                    let message = format!("unknown field of {}", noun.name);
                    self.mistakes.add(Code::Invalid, row.at(&shortened(name)), message);
                }
            }
        }
        if row.rank.is_some() && !row.named.iter().any(|(relation, _)| relation.name == "point") {
            self.mistakes.add(Code::Required, row.at("point"), "a rank requires its point");
        }
        row
    }

    fn field(&mut self, row: &mut Row, field: &'static Field, value: &Json) {
        match Value::from_json(value.clone()) {
            Ok(value) => row.give(field, &value, self.mistakes),
            Err(_) => self.mistakes.add(Code::Invalid, row.at(field.name), "the value does not fit the field's type"),
        }
    }

    fn rank(&mut self, row: &mut Row, field: &'static Field, value: &Json) {
        self.field(row, field, value);
        if let Some((_, cell)) = row.values.pop_if(|(column, _)| column.name == field.column) {
            row.rank = Some(cell);
        }
    }

    fn reference(&mut self, row: &mut Row, relation: &'static Relationship, value: &Json) {
        let Link::One { writable, .. } = relation.link else { return };
        let target = relation.target;
        match value {
            Json::Null if writable == Writable::Optional => row.named.push((relation, None)),
            Json::Null => self.mistakes.add(Code::Required, row.at(relation.name), "this field cannot be null"),
            Json::String(name) if is_outside(target) => {
                let place = self.document.named(target, name, row.at(relation.name), self.mistakes);
                row.named.push((relation, Some(place)));
            }
            _ => {
                if let Some(place) = self.known(relation, value) {
                    row.named.push((relation, Some(place)));
                } else {
                    let message = format!("the document has no {} with this key", target.name);
                    self.mistakes.add(Code::NotFound, row.at(relation.name), message);
                }
            }
        }
    }

    fn known(&self, relation: &Relationship, key: &Json) -> Option<usize> {
        self.places[index_of(relation.target)?].get(key.as_str()?).copied()
    }

    fn set(&mut self, row: &mut Row, relation: &'static Relationship, value: &Json) {
        let Some(items) = value.as_array() else {
            return self.mistakes.add(Code::Invalid, row.at(relation.name), "this must be a list");
        };
        let edge = relation.link.edge();
        let (mut lines, mut seen) = (Vec::<(usize, Vec<i64>)>::new(), HashSet::new());
        for (index, item) in items.iter().enumerate() {
            let mut at = row.at(relation.name);
            at.push(index.to_string());
            let mut refuse = |code, field: Option<&str>, message: &str| {
                self.mistakes.add(code, at.iter().cloned().chain(field.map(str::to_owned)).collect(), message);
            };
            let empty = Object::new();
            let object = item.as_object().unwrap_or(&empty);
            let is_known = |name: &str| name == "key" || edge.iter().any(|field| field.name == name);
            if let Some(name) = object.keys().find(|name| !is_known(name)) {
                refuse(Code::Invalid, Some(&shortened(name)), "unknown field of a link");
                continue;
            }
            let place =
                object.get("key").and_then(|key| self.places[index_of(relation.target)?].get(key.as_str()?).copied());
            let Some(place) = place else {
                refuse(Code::NotFound, Some("key"), "the document has no row of this key");
                continue;
            };
            if !seen.insert(place) {
                refuse(Code::Invalid, None, "duplicate entry");
                continue;
            }
            let mut values = Vec::new();
            for field in edge {
                let Kind::Int { min, max } = field.kind else { continue };
                match object.get(field.name).and_then(Json::as_i64) {
                    Some(number) if (min..=max).contains(&number) => values.push(number),
                    Some(_) => {
                        refuse(Code::OutOfRange, Some(field.name), &format!("the number must be from {min} to {max}"));
                    }
                    None => refuse(Code::Required, Some(field.name), "the value must be an integer"),
                }
            }
            if values.len() == edge.len() {
                lines.push((place, values));
            }
        }
        row.lines.push((relation, lines));
    }

    fn external_ids(&mut self, row: &mut Row, value: &Json) {
        let at = row.at("externalIds");
        let Some(items) = value.as_array() else {
            return self.mistakes.add(Code::Invalid, at, "this must be a list");
        };
        if items.len() > MAX_EXTERNAL_IDS {
            let message = format!("there are more than {MAX_EXTERNAL_IDS} external ids");
            return self.mistakes.add(Code::TooLong, at, message);
        }
        for (index, item) in items.iter().enumerate() {
            let at: Vec<String> = at.iter().cloned().chain([index.to_string()]).collect();
            let part = |name: &str| item.get(name).and_then(Json::as_str).map(str::to_owned);
            let (Some(system), Some(id)) = (part("system"), part("id")) else {
                self.mistakes.add(Code::Invalid, at, "an external id needs a system and an id");
                continue;
            };
            let key = ExternalId { system, id };
            if let Some(mistake) = check_external_id(&key, "externalIds") {
                self.mistakes.add(mistake.code, at, mistake.message);
            } else if key.system == SYSTEM {
                self.mistakes.add(Code::Invalid, at, "the system of map documents cannot be given");
            } else {
                row.external_ids.push(key);
            }
        }
    }
}
