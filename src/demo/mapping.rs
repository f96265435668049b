//! The mapping in `mapping.json`: templates that are filled from the records of a file. `examples/complaints/README.md`
//! describes the format.

use std::collections::{HashMap, HashSet};

use chrono::{LocalResult, NaiveDate, NaiveTime, SecondsFormat, TimeZone};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value};

use super::{Ids, broken, fingerprint, plain};
use crate::Result;

const MAPPING: &str = include_str!("../../examples/complaints/mapping.json");
const FILE: &[u8] = include_bytes!("../../examples/complaints/consumer_complaints.csv");
/// Maximum length of a text that `fit` leaves unchanged: a tag has at most 64 characters, of which `company:` takes 8.
const MAX_LENGTH: usize = 56;

type Record = Map<String, Value>;

/// The mapping file and the records that it applies to.
#[derive(Deserialize)]
pub(super) struct Mapping {
    #[serde(deserialize_with = "zone")]
    zone: Tz,
    derived: Vec<Derived>,
    tables: HashMap<String, HashMap<String, Value>>,
    data: HashMap<String, Vec<Record>>,
    pub(super) steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Derived {
    name: String,
    value: String,
}

#[derive(Deserialize)]
pub(super) struct Step {
    pub(super) name: String,
    from: String,
    #[serde(rename = "where")]
    known: Option<String>,
    #[serde(rename = "with")]
    filled: Option<String>,
    distinct: Option<Vec<String>>,
    pub(super) batch: Option<usize>,
    pub(super) item: Record,
    pub(super) document: String,
}

/// The records that one item is made from, and the number of the item in its step, from 1.
pub(super) struct Group<'a> {
    number: usize,
    records: Vec<&'a Record>,
}

impl Mapping {
    /// Parses the mapping and the file, which are both compiled into the binary.
    pub(super) fn read() -> Result<Self> {
        let mut mapping: Self = serde_json::from_str(MAPPING).map_err(broken)?;
        let mut records = Vec::new();
        for row in csv::Reader::from_reader(FILE).deserialize::<HashMap<String, String>>() {
            let mut record: Record = row.map_err(broken)?.into_iter().map(|(name, text)| (name, text.into())).collect();
            for Derived { name, value } in &mapping.derived {
                let text = mapping.text(value, &Group { number: records.len() + 1, records: vec![&record] })?;
                record.insert(name.clone(), text.into());
            }
            records.push(record);
        }
        mapping.data.insert("file".to_owned(), records);
        Ok(mapping)
    }

    /// Returns the records of a step: one group for each item.
    pub(super) fn groups(&self, step: &Step) -> Vec<Group<'_>> {
        let mut records: Vec<&Record> = self.data.get(&step.from).into_iter().flatten().collect();
        if let Some(column) = &step.known {
            let known: HashSet<_> = self.data["file"].iter().map(|record| record.get(column)).collect();
            records.retain(|record| known.contains(&record.get(column)));
        }
        if let Some(column) = &step.filled {
            records.retain(|record| present(record.get(column)).is_some());
        }
        let parts = match &step.distinct {
            Some(columns) => grouped(&records, columns),
            None => records.into_iter().map(|record| vec![record]).collect(),
        };
        parts.into_iter().zip(1..).map(|(records, number)| Group { number, records }).collect()
    }

    /// Returns an item of a step: the filled template without members whose value is missing.
    pub(super) fn item(&self, template: &Record, group: &Group<'_>, ids: &Ids) -> Result<Value> {
        let members = template.iter().map(|(name, part)| Ok((name.clone(), self.fill(part, group, ids)?)));
        let members = members.collect::<Result<Vec<_>>>()?;
        Ok(members.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
    }

    /// Fills the template from the first record of the group. Returns `None` if a value is missing.
    fn fill(&self, template: &Value, group: &Group<'_>, ids: &Ids) -> Result<Option<Value>> {
        let members = match template {
            Value::String(text) => return self.text(text, group),
            Value::Array(parts) => {
                let values = parts.iter().map(|part| self.fill(part, group, ids)).collect::<Result<Vec<_>>>()?;
                return Ok(Some(values.into_iter().flatten().collect()));
            }
            Value::Object(members) => members,
            constant => return Ok(Some(constant.clone())),
        };
        if let (Some(Value::String(step)), Some(of)) = (members.get("$id"), members.get("of")) {
            let of = self.fill(of, group, ids)?.as_ref().map(plain).unwrap_or_default();
            let id = ids.get(&(step.clone(), of.clone())).cloned();
            return id.map(Some).ok_or_else(|| broken(format!("{step} gave no id for {of}")));
        }
        if let (Some(Value::String(column)), Some(value)) = (members.get("$each"), members.get("value")) {
            let parts = grouped(&group.records, std::slice::from_ref(column)).into_iter();
            let values = parts.map(|records| self.fill(value, &Group { number: group.number, records }, ids));
            return Ok(Some(values.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect()));
        }
        let values =
            members.iter().map(|(name, part)| Ok(self.fill(part, group, ids)?.map(|value| (name.clone(), value))));
        Ok(values.collect::<Result<Option<Record>>>()?.map(Value::Object))
    }

    /// Replaces the placeholders in a text. A text that is a single placeholder keeps the type of its value.
    fn text(&self, template: &str, group: &Group<'_>) -> Result<Option<Value>> {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (placeholder, after) = after.split_once('}').ok_or_else(|| broken("a placeholder has no end"))?;
            let Some(value) = self.value(placeholder, group)? else { return Ok(None) };
            if placeholder.len() + 2 == template.len() {
                return Ok(Some(value));
            }
            text.push_str(before);
            text.push_str(&plain(&value));
            rest = after;
        }
        text.push_str(rest);
        Ok(Some(text.into()))
    }

    /// Returns the value of the column that a placeholder names, after the functions it names.
    fn value(&self, placeholder: &str, group: &Group<'_>) -> Result<Option<Value>> {
        let mut names = placeholder.split('|');
        let mut value = match names.next() {
            Some("#") => Some(group.number.into()),
            column => present(column.and_then(|column| group.records.first()?.get(column))).cloned(),
        };
        for name in names {
            let absent = Value::from("");
            let input = match &value {
                Some(value) => value,
                None if self.tables.contains_key(name) => &absent,
                None => break,
            };
            let applied = match name {
                "text" => plain(input).into(),
                "fit" => fit(&plain(input)).into(),
                "midnight" => midnight(&plain(input), self.zone)?.into(),
                table => self.look_up(table, input)?.clone(),
            };
            value = present(Some(&applied)).cloned();
        }
        Ok(value)
    }

    fn look_up<'a>(&'a self, table: &str, value: &'a Value) -> Result<&'a Value> {
        let table = self.tables.get(table).ok_or_else(|| broken(format!("there is no table {table}")))?;
        let other = || table.get("*").filter(|_| present(Some(value)).is_some());
        Ok(table.get(&plain(value)).or_else(other).unwrap_or(value))
    }
}

/// Groups records with equal values in these columns, in order of first appearance.
fn grouped<'a>(records: &[&'a Record], columns: &[String]) -> Vec<Vec<&'a Record>> {
    let mut places = HashMap::new();
    let mut groups: Vec<Vec<&Record>> = Vec::new();
    for &record in records {
        let key: Vec<_> = columns.iter().map(|column| record.get(column)).collect();
        let place = *places.entry(key).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(record);
    }
    groups
}

/// Returns the value unless it is absent, null or an empty string.
fn present(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| !value.is_null() && *value != "")
}

/// Shortens a text for a tag: a text that is too long is truncated and gets a digest, so that tags stay distinct.
fn fit(text: &str) -> String {
    if text.chars().count() <= MAX_LENGTH {
        return text.to_owned();
    }
    text.chars().take(MAX_LENGTH - 9).chain(['~']).chain(fingerprint(text).chars().take(8)).collect()
}

/// Returns the first instant of a month/day/year in the zone, with its offset.
fn midnight(date: &str, zone: Tz) -> Result<String> {
    let day = NaiveDate::parse_from_str(date, "%m/%d/%Y").map_err(broken)?;
    match zone.from_local_datetime(&day.and_time(NaiveTime::MIN)) {
        LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => {
            Ok(instant.to_rfc3339_opts(SecondsFormat::Secs, false))
        }
        LocalResult::None => Err(broken(format!("{date} has no midnight in {zone}"))),
    }
}

fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tz, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}
