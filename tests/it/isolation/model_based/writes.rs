//! Changes, with what the model foresees of them, and how the model takes in what came of them.

use std::collections::BTreeSet;

use entity::{
    Noun, feedback_record, improvement, notice,
    noun::{Link, Operation},
    noun_named,
};
use serde_json::{Map, Value, json};

use super::{
    dice::Dice,
    model::{Holding, Row, id_of},
    reads::Asker,
    wide::{COPY, ERASE, RUNS_ONCE, apart, reach, written},
};
use crate::{
    fixture::{is_own, noun_of, noun_of_id, of_a_set, unique},
    outline::{FILES, Kind as Ty, Member, Outline, document},
};

/// Fields that make or change rows of another noun, or other fields of the row. Tests of their nouns try them.
const ASIDE: [(&str, &str); 8] = [
    ("Customer", "email"),
    ("Customer", "phone"),
    ("ContactPoint", "isPrimary"),
    ("ContactPoint", "verifiedAt"),
    ("Case", "stage"),
    ("Case", "isSafetyRelevant"),
    ("Interaction", "caseRef"),
    ("Import", "columns"),
];

/// Codes of the mistakes that rules find in rows of one's own; whether they are right is tested with each rule.
const OF_RULES: [&str; 7] =
    ["ARCHIVED", "CONTACT_NOT_ALLOWED", "CYCLE", "INVALID", "INVALID_TRANSITION", "OUT_OF_RANGE", "REQUIRED"];

/// What one row of a change is about.
#[derive(Clone, Debug)]
pub struct Foreseen {
    /// The own row it changes.
    pub current: Option<Row>,
    /// Whether it names a row to change that is not there.
    pub is_lost: bool,
    /// Input fields that name rows that are not there.
    pub missing: BTreeSet<String>,
    /// Values and relations that the row will show.
    pub given: Map<String, Value>,
}

/// A change to send.
#[derive(Debug)]
pub struct Change {
    pub field: String,
    pub noun: &'static Noun,
    pub document: String,
    pub variables: Value,
    pub rows: Vec<Foreseen>,
    pub is_bulk: bool,
    pub skips: bool,
    /// Nouns of which it changes other rows too: those are read again.
    pub wide: Vec<&'static Noun>,
}

impl Asker<'_> {
    /// A change of a random kind.
    pub fn change(&self, dice: &mut Dice, keys: usize) -> Change {
        let field = dice.pick(self.outline.mutations());
        // Rows are made more often than taken away.
        let field = if field.name.ends_with("Delete") && dice.happens(50) {
            dice.pick(self.outline.mutations())
        } else {
            field
        };
        let noun = noun_named(noun_of(field)).unwrap();
        let is_bulk = field.base().ends_with("BulkPayload");
        let members = self.outline.inputs(field.arguments[0].base());
        let (mut input, mut rows) = (Map::new(), Vec::new());
        if is_bulk {
            let mut given: Vec<Value> = Vec::new();
            let ty = self.outline.input(field.arguments[0].base(), "rows").unwrap().base();
            let target = if self.outline.input(ty, "by").is_some() { "by" } else { "externalId" };
            for _ in 0..=dice.below(5) {
                let (row, foreseen) = self.row(dice, noun, self.outline.inputs(ty), false);
                if given.iter().all(|known| known[target] != row[target]) {
                    given.push(Value::Object(row));
                    rows.push(foreseen);
                }
            }
            input.insert("rows".to_owned(), json!(given));
        } else {
            let (row, foreseen) = self.row(dice, noun, members, is_own(field));
            input = row;
            rows.push(foreseen);
        }
        let skips = is_bulk && dice.happens(50);
        if skips {
            input.insert("policy".to_owned(), json!("SKIP_INVALID"));
        }
        // Every organization uses the same keys.
        input.insert("idempotencyKey".to_owned(), json!(format!("key {keys}")));
        let node = written(noun, is_own(field));
        let errors = "errors { code path }";
        let answer = if is_bulk {
            format!("{{ isReplayed {errors} results {{ outcome deletedId node {node} {errors} }} }}")
        } else {
            format!("{{ isReplayed outcome deletedId node {node} {errors} }}")
        };
        let document = Outline::document("mutation", field, &answer);
        let variables = json!({ "input": input });
        let mut wide = reach(&field.name, noun);
        if noun.name == feedback_record::NOUN.name && rows.iter().any(|row| self.improves(row)) {
            wide = vec![&feedback_record::NOUN, &notice::NOUN];
        }
        Change { field: field.name.clone(), noun, document, variables, rows, is_bulk, skips, wide }
    }

    /// Whether a row names the customer of feedback that an improvement is made because of: there may be a notice.
    fn improves(&self, row: &Foreseen) -> bool {
        let links = self.own.links.iter().filter(|((table, _), _)| table.starts_with(improvement::NOUN.table));
        let mut linked = links.flat_map(|(_, records)| records);
        let current = row.current.as_ref().map(id_of);
        row.given.contains_key("customer") && linked.any(|record| Some(record.as_str()) == current)
    }

    /// One row of input.
    fn row(
        &self,
        dice: &mut Dice,
        noun: &'static Noun,
        members: &[Member],
        is_own: bool,
    ) -> (Map<String, Value>, Foreseen) {
        let (mut input, mut given, mut missing) = (Map::new(), Map::new(), BTreeSet::new());
        let (mut current, mut is_lost) = (None, false);
        let is_upsert = members.iter().any(|member| member.name == "externalId");
        let has_id = members.iter().any(|member| member.name == "by");
        if noun.tenant == "id" {
            current = self.own.all(noun).next().cloned();
        }
        for member in members {
            let name = member.name.as_str();
            // An upsert that makes the row needs what a new row needs.
            let is_needed = member.is_required() || (is_upsert && needs(self.outline, noun, name));
            if ["expectedVersion", "idempotencyKey", "mode", "policy", "rows"].contains(&name)
                || ASIDE.contains(&(noun.name, name))
                || !(is_needed || dice.happens(40))
            {
                continue;
            }
            let value = if name == "externalId" {
                let key = dice.key();
                current = self.own.external(noun, &key).cloned();
                key
            } else if name == "externalIds" {
                json!([{ "system": "erp", "id": dice.below(40).to_string() }])
            } else if name == "by" {
                let reference = dice.reference(noun, self.own, self.others);
                current = self.named(noun, &reference).cloned();
                is_lost = current.is_none();
                reference
            } else if name == "id" {
                if noun.tenant == "id" {
                    // Of a job: none has failed.
                    missing.insert(name.to_owned());
                }
                // Otherwise of an external id to take away.
                json!(dice.below(40).to_string())
            } else if let Some(target) = self.outline.referenced(&member.ty) {
                let reference = dice.reference(noun_named(target).unwrap(), self.own, self.others);
                match self.named(noun_named(target).unwrap(), &reference) {
                    None => drop(missing.insert(name.to_owned())),
                    Some(row) if member.is_list() => drop(given.insert(name.to_owned(), json!([{ "id": row["id"] }]))),
                    Some(row) => {
                        drop(given.insert(name.trim_end_matches("Ref").to_owned(), json!({ "id": row["id"] })));
                    }
                }
                if member.is_list() { json!([reference]) } else { reference }
            } else if member.base() == "ID" {
                let target = noun_named(noun_of_id(name, noun.name)).unwrap();
                let id = dice.id(target, self.own, self.others);
                if self.own.get(target, &id).is_none() {
                    missing.insert(name.to_owned());
                }
                json!([id])
            } else if self.outline.part_item(&member.ty).is_some() {
                // Parts are tested by themselves.
                continue;
            } else if let (Some(Ty::Input(inner)), None) = (self.outline.types.get(member.base()), noun.field(name)) {
                let (row, foreseen) = self.row(dice, noun, inner, true);
                if !foreseen.missing.is_empty() {
                    missing.insert(name.to_owned());
                }
                json!([row])
            } else if let Some(text) = of_a_set(name) {
                if member.is_list() { json!([text]) } else { json!(text) }
            } else if let Some(field) = noun.field(name) {
                // A consent to be quoted that is withdrawn changes testimonials.
                let is_purpose = (noun.name, name) == ("Consent", "purpose");
                let value = if is_purpose { json!("SERVICE") } else { dice.value(field, self.label) };
                given.insert(name.to_owned(), value.clone());
                value
            } else if let Some(Ty::Enum(values)) = self.outline.types.get(member.base()) {
                json!(dice.pick(values))
            } else if FILES.contains(&name) && (dice.happens(60) || has_id) {
                // One that cannot be read would be refused before the row is looked for.
                json!(document(noun.name, name, &format!("{} {}", self.label, dice.below(5))))
            } else {
                match member.base() {
                    "Boolean" => json!(dice.below(2) == 1),
                    "Int" => json!(1 + dice.below(5)),
                    "Date" => json!("2026-01-01"),
                    "DateTime" => json!("2026-01-01T00:00:00Z"),
                    _ => json!(format!("as {} said", self.label)),
                }
            };
            input.insert(name.to_owned(), value);
        }
        if is_own {
            given.clear();
        }
        is_lost = is_lost && has_id;
        (input, Foreseen { current, is_lost, missing, given })
    }
}

/// Whether a new row of the noun needs the input field.
fn needs(outline: &Outline, noun: &Noun, name: &str) -> bool {
    noun.offers(Operation::Create)
        && outline.input(&format!("{}CreateInput", noun.name), name).is_some_and(Member::is_required)
}

impl Change {
    /// Compares what is said of the change with what was foreseen, and takes it in.
    pub fn take_in(&self, own: &mut Holding, payload: &Value, is_first: bool) -> Result<(), String> {
        let text = || format!("{}\n{}\n{payload:#}", self.document, self.variables);
        if is_first && payload["isReplayed"] != json!(false) {
            return Err(format!("a key of another organization is known: {}", text()));
        }
        let results: Vec<&Value> =
            if self.is_bulk { payload["results"].as_array().unwrap().iter().collect() } else { vec![payload] };
        if results.len() != self.rows.len() {
            return Err(format!("another number of results: {}", text()));
        }
        let is_whole = !self.is_bulk || self.skips;
        let fails = self.rows.iter().any(|row| row.is_lost || !row.missing.is_empty());
        for (row, result) in self.rows.iter().zip(results) {
            let said = self.check(own, row, result).map_err(|why| format!("{why}: {}", text()))?;
            if said && fails && !is_whole {
                return Err(format!("a part was written: {}", text()));
            }
            if said && self.wide.is_empty() {
                self.learn(own, row, result).map_err(|why| format!("{why}: {}", text()))?;
            }
        }
        if self.field.ends_with(ERASE) {
            // What an erasure was told is forgotten, so that a repeat of it is no repeat.
            (own.has_erased, own.repeatable) = (own.has_erased || is_success(payload, self.is_bulk), None);
        } else if is_success(payload, self.is_bulk) && self.variables["input"]["dryRun"] != json!(true) {
            own.repeatable = Some((self.document.clone(), self.variables.clone(), outcomes(payload, self.is_bulk)));
        }
        Ok(())
    }

    /// Whether the row was written, if that is as foreseen.
    fn check(&self, own: &Holding, row: &Foreseen, result: &Value) -> Result<bool, String> {
        let is_failed = result["outcome"] == "FAILED";
        let mut told = BTreeSet::new();
        for error in result["errors"].as_array().unwrap() {
            let code = error["code"].as_str().unwrap();
            let path: Vec<&str> = error["path"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            if code == "NOT_FOUND" {
                told.extend(path);
            } else if code == "IN_USE" {
                let id = row.current.as_ref().map(id_of).unwrap_or_default();
                if !own.is_in_use(self.noun, id) {
                    return Err("a row that nothing refers to is in use".to_owned());
                }
            } else if code == "TAKEN" {
                // By an own row, or by an earlier one of the call: what another organization has is free.
                let input = &self.variables["input"];
                let is_own = match path.first().filter(|name| !name.starts_with("externalId")) {
                    Some(_) => {
                        let wanted = |name: &str| match (input.get(name), &row.current) {
                            (None | Some(Value::Null), Some(current)) => current[name].clone(),
                            (given, _) => given.cloned().unwrap_or_default(),
                        };
                        let has =
                            |known: &Row| unique(self.noun.name).iter().all(|key| known[key.name] == wanted(key.name));
                        own.all(self.noun).any(has)
                    }
                    None => input["externalIds"].get(0).is_some_and(|key| own.external(self.noun, key).is_some()),
                };
                if !self.is_bulk && !is_own {
                    return Err("what no own row has is taken".to_owned());
                }
            } else if code == "ERASED" {
                if !own.has_erased {
                    return Err("nobody of the organization was erased".to_owned());
                }
            } else if self.wide.is_empty() && !OF_RULES.contains(&code) && (code, &*self.field) != RUNS_ONCE {
                return Err(format!("there should be no {code}"));
            }
        }
        let is_missing = row.missing.iter().any(|name| told.contains(name.as_str()));
        // An external id that an erasure took away still names who had it.
        if self.field.ends_with(ERASE) && own.has_erased && !is_failed {
            return Ok(true);
        }
        if row.is_lost || !row.missing.is_empty() {
            let is_reported = is_failed && (is_missing || (row.is_lost && told.contains("by")));
            return if is_reported { Ok(false) } else { Err("what is not there should not be found".to_owned()) };
        }
        // A part must be one of its whole, and a loser one that was merged: another own row is not found either.
        let is_own_part = |name: &str| {
            ["expectations", "stages", "steps"].contains(&name) || (name == "loser" && self.field.ends_with("Unmerge"))
        };
        if told.iter().any(|name| !is_own_part(name) && name.parse::<usize>().is_err()) {
            return Err("an own row should be found".to_owned());
        }
        if !self.is_bulk
            && self.field.ends_with("Delete")
            && self.noun.offers(entity::noun::Operation::Delete)
            && !own.is_in_use(self.noun, row.current.as_ref().map(id_of).unwrap_or_default())
            && is_failed
        {
            return Err("an unused row should be deleted".to_owned());
        }
        if self.wide.is_empty() && row.current.is_none() && !is_failed && result["outcome"] != "CREATED" {
            return Err("the row should be new".to_owned());
        }
        let may_make = self.field.ends_with("Create") || self.field.ends_with(COPY);
        if row.current.is_some() && result["outcome"] == "CREATED" && !may_make {
            return Err("the row should be known".to_owned());
        }
        Ok(!is_failed)
    }

    /// Takes a written row in, if it is the known one with what was given.
    fn learn(&self, own: &mut Holding, row: &Foreseen, result: &Value) -> Result<(), String> {
        if result["outcome"] == "DELETED" {
            own.remove(self.noun, result["deletedId"].as_str().unwrap());
            return Ok(());
        }
        let (node, parts) = apart(own, self.noun, result["node"].clone())?;
        for (name, value) in &row.given {
            let is_as_given = match (self.noun.relation(name).map(|known| known.link), value.as_array()) {
                (Some(Link::Through { table, .. }), Some(listed)) => {
                    let listed: BTreeSet<String> = listed.iter().map(|row| id_of(row).to_owned()).collect();
                    own.links.get(&(table, id_of(&node).to_owned())) == Some(&listed)
                }
                _ => &node[name] == value,
            };
            if !is_as_given {
                return Err(format!("{name} should be {value}"));
            }
        }
        if let Some(current) = row.current.as_ref().filter(|current| current["id"] == node["id"]) {
            let is_same = result["outcome"] == "UNCHANGED";
            let version = current["version"].as_i64().unwrap() + i64::from(!is_same);
            let is_free =
                |name: &str| ["version", "updatedAt", "archivedAt", "revokedAt", "externalIds"].contains(&name);
            let routed = ["department", "priority"];
            // When a case is due follows from what decides about its policy.
            let is_due = |name: &str| (self.noun.name, name) == ("Case", "dueAt");
            for (name, value) in current.as_object().unwrap() {
                let may_change = is_free(name)
                    || is_due(name)
                    || row.given.contains_key(name)
                    || (routed.contains(&name.as_str()) && self.field.ends_with("Reroute"));
                if !may_change && &node[name] != value {
                    return Err(format!("{name} should stay {value}"));
                }
            }
            if node["version"] != json!(version) {
                return Err(format!("the version should be {version}"));
            }
        }
        own.put(self.noun, node);
        for (noun, part) in parts {
            own.put(noun, part);
        }
        Ok(())
    }
}

fn is_success(payload: &Value, is_bulk: bool) -> bool {
    let outcomes = outcomes(payload, is_bulk);
    outcomes.as_array().unwrap().iter().any(|outcome| outcome != "FAILED")
}

/// What a payload says happened.
pub fn outcomes(payload: &Value, is_bulk: bool) -> Value {
    if is_bulk {
        payload["results"].as_array().unwrap().iter().map(|result| result["outcome"].clone()).collect()
    } else {
        json!([payload["outcome"]])
    }
}
