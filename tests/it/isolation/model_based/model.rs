//! What one organization holds, and what the contract says a list of it shows.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use entity::{
    Noun, attempt, case, deadline,
    kind::Stored,
    noun::{Field, Kind, Link, Relationship},
};
use rapport::words::{Terms, words};
use serde_json::{Value, json};

/// A noun's row as [`selection`] asks for it.
pub type Row = Value;

/// The fields of an order, each with whether it descends.
pub type Order = Vec<(&'static Field, bool)>;

/// What one organization holds.
#[derive(Clone, Debug, Default)]
pub struct Holding {
    /// Rows by noun and id.
    pub rows: BTreeMap<&'static str, BTreeMap<String, Row>>,
    /// Ids that were deleted, by noun.
    pub gone: BTreeMap<&'static str, Vec<String>>,
    /// Targets by table between nouns and owner's id.
    pub links: BTreeMap<(&'static str, String), BTreeSet<String>>,
    /// Cursors seen: where they stand in which list.
    pub cursors: Vec<Cursor>,
    /// Ids ever seen.
    pub known: BTreeSet<String>,
    /// The last write that succeeded with an idempotency key: document, variables, outcome.
    pub repeatable: Option<(String, Value, Value)>,
    /// Whether anybody was erased.
    pub has_erased: bool,
    /// How many keys were used.
    pub keys: usize,
}

/// A cursor and the place it stands for.
#[derive(Clone, Debug)]
pub struct Cursor {
    pub noun: &'static str,
    pub order: Order,
    pub text: String,
    pub key: Vec<Value>,
}

/// The nouns whose rows change. Those that are only ever added come with the changes of others.
pub fn changing() -> Vec<&'static Noun> {
    entity::NOUNS.into_iter().filter(|noun| noun.field("version").is_some()).collect()
}

/// What is asked of every row of a noun.
pub fn selection(noun: &Noun) -> String {
    let mut text = String::from("{");
    for field in noun.shown_fields() {
        text.push(' ');
        text.push_str(field.name);
        if field.currency.is_some() {
            text.push_str(" { amount currency }");
        } else if matches!(field.kind, Kind::Attributes { .. }) {
            text.push_str(" { name value }");
        }
    }
    for relation in noun.relations.iter().filter(|relation| matches!(relation.link, Link::One { .. })) {
        write!(text, " {} {{ id }}", relation.name).unwrap();
    }
    if noun.has_external_ids {
        text.push_str(" externalIds { system id }");
    }
    text.push_str(" }");
    text
}

/// Whether a relation through a table is set from this noun.
pub fn is_owner(noun: &Noun, relation: &Relationship) -> bool {
    matches!(relation.link, Link::Through { table, .. } if table.starts_with(noun.table))
}

pub fn id_of(row: &Row) -> &str {
    row["id"].as_str().expect("a row has an id")
}

impl Holding {
    pub fn all(&self, noun: &Noun) -> impl Iterator<Item = &Row> {
        self.rows.get(noun.name).into_iter().flat_map(BTreeMap::values)
    }

    pub fn get(&self, noun: &Noun, id: &str) -> Option<&Row> {
        self.rows.get(noun.name)?.get(id)
    }

    /// The row with that external id.
    pub fn external(&self, noun: &Noun, key: &Value) -> Option<&Row> {
        self.all(noun).find(|row| row["externalIds"].as_array().is_some_and(|keys| keys.contains(key)))
    }

    pub fn put(&mut self, noun: &'static Noun, row: Row) {
        self.known.insert(id_of(&row).to_owned());
        self.rows.entry(noun.name).or_default().insert(id_of(&row).to_owned(), row);
    }

    /// Takes a row away, and what goes with it.
    pub fn remove(&mut self, noun: &'static Noun, id: &str) {
        if self.rows.get_mut(noun.name).is_some_and(|rows| rows.remove(id).is_some()) {
            self.gone.entry(noun.name).or_default().push(id.to_owned());
        }
        self.links.retain(|(_, owner), _| owner != id);
        for relation in parts(noun) {
            let below: Vec<String> =
                self.all(relation.target).filter(|row| names(row, id)).map(|row| id_of(row).to_owned()).collect();
            for id in &below {
                self.remove(relation.target, id);
            }
        }
    }

    /// Whether a row that does not go with it refers to a row.
    pub fn is_in_use(&self, noun: &'static Noun, id: &str) -> bool {
        let parts: Vec<&str> = parts(noun).map(|relation| relation.target.name).collect();
        let others = entity::NOUNS.into_iter().filter(|other| !parts.contains(&other.name));
        let is_named = others.flat_map(|other| self.all(other)).any(|row| names(row, id));
        is_named || self.links.values().any(|targets| targets.contains(id)) || self.solves(noun, id)
    }

    /// Whether a row is an attempt that a case is closed as solved for.
    fn solves(&self, noun: &'static Noun, id: &str) -> bool {
        let attempt = self.get(noun, id).filter(|_| noun.table == attempt::NOUN.table);
        let has_worked = attempt.filter(|attempt| attempt["hasWorked"] == true);
        let case = has_worked.and_then(|attempt| self.get(&case::NOUN, attempt["case"]["id"].as_str()?));
        case.is_some_and(|case| case["stage"] == "CLOSED" && case["resolution"] == "SOLVED")
    }

    /// The rows of a relation.
    pub fn related(&self, noun: &Noun, row: &Row, relation: &Relationship) -> Vec<&Row> {
        let target = relation.target;
        match relation.link {
            Link::One { .. } => {
                row[relation.name]["id"].as_str().and_then(|id| self.get(target, id)).into_iter().collect()
            }
            Link::Many { column, .. } => {
                let back = target.relations.iter().find(|back| {
                    matches!(back.link, Link::One { column: known, .. } if known == column && back.target.name == noun.name)
                });
                let back = back.expect("the target names the row").name;
                self.all(target).filter(|other| other[back]["id"] == row["id"]).collect()
            }
            Link::Through { table, .. } => {
                let has = |owner: &str, target: &str| {
                    self.links.get(&(table, owner.to_owned())).is_some_and(|targets| targets.contains(target))
                };
                let is_linked = |other: &&Row| {
                    if is_owner(noun, relation) { has(id_of(row), id_of(other)) } else { has(id_of(other), id_of(row)) }
                };
                self.all(target).filter(is_linked).collect()
            }
            Link::Embedded(_) | Link::Member { .. } => Vec::new(),
        }
    }

    /// Whether a filter holds for a row.
    pub fn holds(&self, noun: &Noun, row: &Row, filter: &Value) -> bool {
        let each = |value: &Value| value.as_array().cloned().unwrap_or_default();
        filter.as_object().expect("a filter is an object").iter().all(|(name, value)| match name.as_str() {
            "and" => each(value).iter().all(|part| self.holds(noun, row, part)),
            "or" => each(value).iter().any(|part| self.holds(noun, row, part)),
            "not" => !self.holds(noun, row, value),
            "externalIds" => quantified(value, |test| {
                each(&row["externalIds"]).iter().any(|key| {
                    test.as_object().expect("a condition is an object").iter().all(|(part, tests)| {
                        let is_met = |(operator, given): (&String, &Value)| match operator.as_str() {
                            "eq" => &key[part] == given,
                            _ => key[part].as_str().unwrap().starts_with(given.as_str().unwrap()),
                        };
                        tests.as_object().expect("comparisons are an object").iter().all(is_met)
                    })
                })
            }),
            name => match noun.relation(name) {
                None => passes(noun.field(name).expect("a field or a relation"), &row[name], value),
                Some(relation) => {
                    let related = self.related(noun, row, relation);
                    let some = |inner: &Value| related.iter().any(|other| self.holds(relation.target, other, inner));
                    if matches!(relation.link, Link::One { .. }) {
                        return some(value);
                    }
                    quantified(value, some)
                }
            },
        })
    }

    /// The rows a list shows, in its order.
    pub fn list<'a>(
        &self,
        noun: &Noun,
        rows: impl Iterator<Item = &'a Row>,
        filter: &Value,
        order: &Order,
    ) -> Vec<&'a Row> {
        let shows_archived = !noun.is_archivable() || mentions(filter);
        let mut found: Vec<&Row> = rows
            .filter(|row| (shows_archived || row["archivedAt"].is_null()) && self.holds(noun, row, filter))
            .collect();
        found.sort_by(|one, other| compare(order, &key(order, one), &key(order, other)));
        found
    }
}

/// Whether a condition on a list holds, if `some` tells whether one on some of it does.
fn quantified(condition: &Value, some: impl Fn(&Value) -> bool) -> bool {
    let quantifiers = condition.as_object().expect("a list's condition is an object");
    quantifiers.iter().all(|(name, inner)| some(inner) != (name == "none"))
}

/// Whether the rows of a relation are part of a row and go with it: those nobody can make by themselves.
pub fn is_part(noun: &Noun, relation: &Relationship) -> bool {
    let target = relation.target;
    let is_clock = noun.table == case::NOUN.table && target.table == deadline::NOUN.table;
    matches!(relation.link, Link::Many { .. }) && (target.operations.is_empty() || is_clock)
}

fn parts(noun: &'static Noun) -> impl Iterator<Item = &'static Relationship> {
    noun.relations.iter().filter(|relation| is_part(noun, relation))
}

/// Whether a row names another one.
fn names(row: &Row, id: &str) -> bool {
    row.as_object().expect("a row is an object").values().any(|value| value["id"] == id)
}

fn mentions(filter: &Value) -> bool {
    filter.as_object().expect("a filter is an object").iter().any(|(name, value)| match name.as_str() {
        "and" | "or" => value.as_array().is_some_and(|parts| parts.iter().any(mentions)),
        "not" => mentions(value),
        name => name == "archivedAt",
    })
}

/// The values of a row that an order looks at, the id last.
pub fn key(order: &Order, row: &Row) -> Vec<Value> {
    order.iter().map(|(field, _)| row[field.name].clone()).collect()
}

/// How two places of an order stand to each other: null is the smallest value, and texts go by bytes.
pub fn compare(order: &Order, one: &[Value], other: &[Value]) -> Ordering {
    let pairs = order.iter().zip(one.iter().zip(other));
    let mut ways = pairs.map(|((field, descends), (one, other))| {
        let way = weigh(field, one, other);
        if *descends { way.reverse() } else { way }
    });
    ways.find(|way| way.is_ne()).unwrap_or(Ordering::Equal)
}

fn weigh(field: &Field, one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        // Durations, dates and decimals go by what they are, not by their texts.
        (Value::String(one), Value::String(other)) => match field.kind {
            Kind::Scalar(scalar) => match ((scalar.parse)(one), (scalar.parse)(other)) {
                (Ok(Stored::Int(one)), Ok(Stored::Int(other))) => one.cmp(&other),
                _ => one.cmp(other),
            },
            _ => one.cmp(other),
        },
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        _ => one
            .as_f64()
            .zip(other.as_f64())
            .and_then(|(one, other)| one.partial_cmp(&other))
            .expect("both are finite numbers"),
    }
}

/// Whether a text has the words of another one.
fn has_words(value: &Value, given: &Value) -> bool {
    let terms = Terms::parse(given.as_str().unwrap_or_default()).expect("the words of a row are searched for");
    terms.are_in(&words(value.as_str().unwrap_or_default()).collect::<Vec<_>>())
}

/// Whether a value passes every comparison.
fn passes(field: &Field, value: &Value, tests: &Value) -> bool {
    let items = |given: &Value| given.as_array().cloned().unwrap_or_default();
    let is_among = |given: &Value| items(value).iter().any(|item| item == given);
    let way = |given: &Value| (!value.is_null()).then(|| weigh(field, value, given));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
    tests.as_object().expect("comparisons are an object").iter().all(|(operator, given)| match operator.as_str() {
        "eq" => way(given) == Some(Ordering::Equal),
        "neq" => way(given) != Some(Ordering::Equal),
        "in" => items(given).iter().any(|given| way(given) == Some(Ordering::Equal)),
        "gt" => way(given) == Some(Ordering::Greater),
        "gte" => way(given).is_some_and(Ordering::is_ge),
        "lt" => way(given) == Some(Ordering::Less),
        "lte" => way(given).is_some_and(Ordering::is_le),
        "contains" => !value.is_null() && text(value).contains(&text(given)),
        "startsWith" => !value.is_null() && text(value).starts_with(&text(given)),
        "matches" => has_words(value, given),
        "isNull" => value.is_null() == (given == &json!(true)),
        "hasPrefix" => {
            let starts =
                |item: &Value| item.as_str().unwrap_or_default().starts_with(given.as_str().unwrap_or_default());
            items(value).iter().any(starts)
        }
        "hasAny" => items(given).iter().any(is_among),
        "hasAll" => items(given).iter().all(is_among),
        "hasNone" => !items(given).iter().any(is_among),
        other => panic!("{} has a comparison {other} that the model does not know", field.name),
    })
}
