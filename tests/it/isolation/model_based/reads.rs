//! Questions, each with the answer that the model gives.

use std::{cmp::Ordering, collections::BTreeMap, fmt::Write as _};

use entity::{
    Noun,
    noun::{Field, Kind, Link, Operation},
};
use serde_json::{Map, Value, json};

use super::{
    dice::Dice,
    model::{Cursor, Holding, Order, Row, changing, compare, key, selection},
};
use crate::outline::{Kind as Ty, Outline};

/// One aliased field of a request.
pub struct Question {
    pub text: String,
    /// Variables with their types.
    pub variables: Vec<(String, String, Value)>,
    /// The answer; null with an error if it is a refusal.
    pub expected: Value,
    pub is_refused: bool,
    /// The list whose last cursor the answer tells.
    pub list: Option<(&'static str, Order, Vec<Value>)>,
}

/// Who asks, beside whom.
pub struct Asker<'a> {
    pub outline: &'a Outline,
    pub own: &'a Holding,
    pub others: &'a [&'a Holding],
    pub label: &'a str,
}

fn enum_values<'a>(outline: &'a Outline, name: &str) -> &'a [String] {
    match outline.types.get(name) {
        Some(Ty::Enum(values)) => values,
        _ => panic!("{name} is no enum"),
    }
}

impl Asker<'_> {
    /// A question of a random kind.
    pub fn question(&self, dice: &mut Dice, place: usize) -> Question {
        let listed: Vec<&'static Noun> = changing().into_iter().filter(|noun| noun.offers(Operation::List)).collect();
        let noun = *dice.pick(&listed);
        match dice.below(10) {
            0..=3 => self.list(dice, noun, place),
            4 => self.next_page(dice, place).unwrap_or_else(|| self.list(dice, noun, place)),
            5 => self.look_up(dice, noun, place),
            6 => self.nodes(dice, place),
            7 | 8 => self.below(dice, place),
            _ => self.groups(dice, place),
        }
    }

    fn list(&self, dice: &mut Dice, noun: &'static Noun, place: usize) -> Question {
        let (filter, order, first) = (self.filter(dice, noun, 2), self.order(dice, noun), 1 + dice.below(6));
        self.page(noun, place, (filter, order, first), None)
    }

    /// A whole list.
    pub fn whole(&self, noun: &'static Noun, place: usize, filter: Value) -> Question {
        self.page(noun, place, (filter, vec![(noun.field("id").unwrap(), false)], 100), None)
    }

    /// A list from a cursor on: an own one, or one of another organization.
    fn next_page(&self, dice: &mut Dice, place: usize) -> Option<Question> {
        let is_foreign = dice.happens(40);
        let of = if is_foreign { *dice.pick(self.others) } else { self.own };
        if of.cursors.is_empty() {
            return None;
        }
        let cursor = dice.pick(&of.cursors);
        let noun = entity::NOUNS.into_iter().find(|noun| noun.name == cursor.noun)?;
        let filter = self.filter(dice, noun, 1);
        let mut question = self.page(noun, place, (filter, cursor.order.clone(), 1 + dice.below(6)), Some(cursor));
        if is_foreign {
            (question.expected, question.is_refused, question.list) = (Value::Null, true, None);
        }
        Some(question)
    }

    fn page(
        &self,
        noun: &'static Noun,
        place: usize,
        (filter, order, first): (Value, Order, usize),
        after: Option<&Cursor>,
    ) -> Question {
        let all = self.own.list(noun, self.own.all(noun), &filter, &order);
        let behind = |row: &&Row| {
            after.is_none_or(|cursor| compare(&order, &key(&order, row), &cursor.key) == Ordering::Greater)
        };
        let rest: Vec<&Row> = all.iter().copied().filter(behind).collect();
        let shown = &rest[..first.min(rest.len())];
        let expected =
            json!({ "totalCount": all.len(), "pageInfo": { "hasNextPage": rest.len() > first }, "nodes": shown });
        let list = shown.last().map(|row| (noun.name, order.clone(), key(&order, row)));
        let terms: Vec<Value> = order
            .iter()
            .map(|(field, descends)| {
                json!({ "field": enum_value_name(field.name), "direction": if *descends { "DESC" } else { "ASC" } })
            })
            .collect();
        let after = after.map_or(String::new(), |cursor| format!(", after: \"{}\"", cursor.text));
        Question {
            text: format!(
                "{}(filter: $f{place}, orderBy: $o{place}, first: {first}{after}) {{
                    totalCount pageInfo {{ hasNextPage endCursor }} nodes {} }}",
                noun.plural,
                selection(noun)
            ),
            variables: vec![
                (format!("f{place}"), format!("{}Filter", noun.name), filter),
                (format!("o{place}"), format!("[{}Order!]", noun.name), json!(terms)),
            ],
            expected,
            is_refused: false,
            list,
        }
    }

    fn look_up(&self, dice: &mut Dice, noun: &'static Noun, place: usize) -> Question {
        let by = dice.reference(noun, self.own, self.others);
        let found = self.named(noun, &by);
        Question {
            text: format!("{}(by: $b{place}) {}", noun.singular, selection(noun)),
            variables: vec![(format!("b{place}"), format!("{}Ref!", noun.name), by)],
            expected: json!(found),
            is_refused: false,
            list: None,
        }
    }

    /// The own row that a reference names.
    pub fn named(&self, noun: &Noun, by: &Value) -> Option<&Row> {
        match by.get("externalId") {
            Some(key) => self.own.external(noun, key),
            None => self.own.get(noun, by["id"].as_str()?),
        }
    }

    fn nodes(&self, dice: &mut Dice, place: usize) -> Question {
        let noun = *dice.pick(&changing());
        let ids: Vec<String> = (0..4).map(|_| dice.id(noun, self.own, self.others)).collect();
        let rows: Vec<Option<&Row>> = ids.iter().map(|id| self.own.get(noun, id)).collect();
        let one = dice.happens(30);
        let inner = format!("{{ ... on {} {} }}", noun.name, selection(noun));
        let (text, ty, value) = if one {
            (format!("node(id: $i{place}) {inner}"), "ID!", json!(ids[0]))
        } else {
            (format!("nodes(ids: $i{place}) {inner}"), "[ID!]!", json!(ids))
        };
        Question {
            text,
            variables: vec![(format!("i{place}"), ty.to_owned(), value)],
            expected: if one { json!(rows[0]) } else { json!(rows) },
            is_refused: false,
            list: None,
        }
    }

    /// The lists below a row.
    fn below(&self, dice: &mut Dice, place: usize) -> Question {
        let noun = *dice.pick(&changing());
        let id = dice.id(noun, self.own, self.others);
        let row = self.own.get(noun, &id);
        let (mut text, mut variables) = (String::from("id"), vec![(format!("i{place}"), "ID!".to_owned(), json!(id))]);
        let mut expected = Map::from_iter([("id".to_owned(), json!(id))]);
        for relation in noun.relations {
            let target = relation.target;
            if let Link::One { .. } = relation.link {
                write!(text, " {} {}", relation.name, selection(target)).unwrap();
                let found = row.and_then(|row| self.own.related(noun, row, relation).into_iter().next());
                expected.insert(relation.name.to_owned(), json!(found));
                continue;
            }
            let (filter, order, first) = (self.filter(dice, target, 1), self.order(dice, target), 1 + dice.below(4));
            let all = row.map_or(Vec::new(), |row| {
                self.own.list(target, self.own.related(noun, row, relation).into_iter(), &filter, &order)
            });
            let terms: Vec<String> = order
                .iter()
                .map(|(field, descends)| {
                    let way = if *descends { "DESC" } else { "ASC" };
                    format!("{{ field: {}, direction: {way} }}", enum_value_name(field.name))
                })
                .collect();
            let variable = format!("f{place}_{}", relation.name);
            write!(text, " {}(filter: ${variable}, orderBy: [{}], first: {first}) {{ totalCount pageInfo {{ hasNextPage }} nodes {} }}",
                relation.name,
                terms.join(", "),
                selection(target)).unwrap();
            variables.push((variable, format!("{}Filter", target.name), filter));
            let shown = &all[..first.min(all.len())];
            let page =
                json!({ "totalCount": all.len(), "pageInfo": { "hasNextPage": all.len() > first }, "nodes": shown });
            expected.insert(relation.name.to_owned(), page);
        }
        Question {
            text: format!("node(id: $i{place}) {{ ... on {} {{ {text} }} }}", noun.name),
            variables,
            expected: if row.is_some() { Value::Object(expected) } else { Value::Null },
            is_refused: false,
            list: None,
        }
    }

    /// Records counted by what they share. Groups of the same count come in an order of their own, so they are compared
    /// sorted.
    fn groups(&self, dice: &mut Dice, place: usize) -> Question {
        let noun = &entity::feedback_record::NOUN;
        let filter = self.filter(dice, noun, 2);
        let known = enum_values(self.outline, "FeedbackRecordGroupKey");
        let keys: Vec<&String> = known.iter().filter(|_| dice.happens(30)).collect();
        let rows = self.own.list(noun, self.own.all(noun), &filter, &Vec::new());
        let mut groups: BTreeMap<String, (Value, usize)> = BTreeMap::new();
        for row in &rows {
            let tags = row["tags"].as_array().cloned().unwrap_or_default();
            let is_by_tag = keys.iter().any(|key| *key == "TAG");
            let tags = if is_by_tag && !tags.is_empty() { tags } else { vec![Value::Null] };
            for tag in tags {
                let shared = keys.iter().map(|key| {
                    let name = key.to_lowercase();
                    let value = if name == "tag" { tag.clone() } else { row[&name].clone() };
                    (name, value)
                });
                let group = Value::Object(shared.collect());
                groups.entry(group.to_string()).or_insert((group, 0)).1 += 1;
            }
        }
        let nodes = groups.into_values().map(|(mut group, count)| {
            group["count"] = json!(count);
            group
        });
        let nodes = sorted(nodes.collect());
        let shown: Vec<String> = keys
            .iter()
            .map(|key| key.to_lowercase())
            .map(|name| if noun.relation(&name).is_some() { format!("{name} {{ id }}") } else { name })
            .collect();
        let keys: Vec<&str> = keys.iter().map(|key| key.as_str()).collect();
        Question {
            text: format!(
                "feedbackRecordGroups(filter: $f{place}, groupBy: [{}]) {{ recordCount groupCount nodes {{ count {} }} }}",
                keys.join(", "),
                shown.join(" ")
            ),
            variables: vec![(format!("f{place}"), format!("{}Filter", noun.name), filter)],
            expected: json!({ "recordCount": rows.len(), "groupCount": nodes.len(), "nodes": nodes }),
            is_refused: false,
            list: None,
        }
    }

    fn order(&self, dice: &mut Dice, noun: &Noun) -> Order {
        let known = enum_values(self.outline, &format!("{}OrderField", noun.name));
        let mut order: Order = Vec::new();
        for _ in 0..dice.below(3) {
            let wanted = dice.pick(known);
            let field = noun.all_fields().find(|field| enum_value_name(field.name) == *wanted).unwrap();
            // Amounts of money have an order of their own: `money` tests it.
            if field.currency.is_none() && order.iter().all(|(known, _)| known.name != field.name) {
                order.push((field, dice.happens(50)));
            }
        }
        if order.iter().all(|(field, _)| field.name != "id") {
            order.push((noun.field("id").unwrap(), order.last().is_some_and(|(_, descends)| *descends)));
        }
        order
    }

    /// A filter over the fields and relations that the schema offers, `depth` relations deep.
    fn filter(&self, dice: &mut Dice, noun: &'static Noun, depth: usize) -> Value {
        let members = self.outline.inputs(&format!("{}Filter", noun.name));
        let mut filter = Map::new();
        for _ in 0..dice.below(3) {
            let member = dice.pick(members);
            let inner = match member.name.as_str() {
                _ if depth == 0 => continue,
                "and" | "or" => json!([self.filter(dice, noun, depth - 1), self.filter(dice, noun, depth - 1)]),
                "not" => self.filter(dice, noun, depth - 1),
                "externalIds" => {
                    let quantifier = if dice.happens(30) { "none" } else { "some" };
                    let key = dice.key();
                    let test = if dice.happens(50) {
                        json!({ "system": { "eq": key["system"] }, "id": { "eq": key["id"] } })
                    } else {
                        json!({ "id": { "startsWith": dice.below(4).to_string() } })
                    };
                    json!({ quantifier: test })
                }
                name => match noun.relation(name) {
                    Some(relation) if matches!(relation.link, Link::One { .. }) => {
                        self.filter(dice, relation.target, depth - 1)
                    }
                    Some(relation) => {
                        let quantifier = if dice.happens(30) { "none" } else { "some" };
                        json!({ quantifier: self.filter(dice, relation.target, depth - 1) })
                    }
                    None if noun.field(name).unwrap().currency.is_some() => continue,
                    None => self.comparison(dice, noun, noun.field(name).unwrap(), member.base()),
                },
            };
            filter.insert(member.name.clone(), inner);
        }
        Value::Object(filter)
    }

    fn comparison(&self, dice: &mut Dice, noun: &Noun, field: &'static Field, ty: &str) -> Value {
        // Of attributes only whole ones: comparisons of one by its name are tested by themselves.
        let is_asked = |name: &&str| !matches!(field.kind, Kind::Attributes { .. }) || name.starts_with("has");
        let operators: Vec<&str> =
            self.outline.inputs(ty).iter().map(|member| member.name.as_str()).filter(is_asked).collect();
        let operator = *dice.pick(&operators);
        let value = |dice: &mut Dice| match field.kind {
            Kind::Id => json!(dice.id(noun, self.own, self.others)),
            // What another organization's row says, as often as an own word.
            Kind::Text { .. } if dice.happens(30) => {
                let rows: Vec<&Row> =
                    dice.pick(self.others).all(noun).filter(|row| row[field.name].is_string()).collect();
                if rows.is_empty() { dice.value(field, self.label) } else { dice.pick(&rows)[field.name].clone() }
            }
            _ => dice.value(field, self.label),
        };
        let given = match operator {
            "isNull" => json!(dice.happens(50)),
            "in" => json!([value(dice), value(dice)]),
            "hasPrefix" => {
                let word = value(dice)[0].as_str().unwrap_or("a").to_owned();
                json!(word.chars().take(2).collect::<String>())
            }
            _ => value(dice),
        };
        json!({ operator: given })
    }
}

/// Values in an order that does not depend on who made them.
pub fn sorted(mut values: Vec<Value>) -> Vec<Value> {
    let canonical = |value: &Value| {
        let fields: BTreeMap<_, _> = value.as_object().into_iter().flatten().collect();
        format!("{fields:?}")
    };
    values.sort_by_key(canonical);
    values
}

fn enum_value_name(name: &str) -> String {
    rapport::graphql::planning::filter::enum_value_name(name)
}
