//! Places in arguments and inputs that name a row, walked from the schema.

use serde_json::{Value, json};

use crate::{
    fixture::{World, noun_of, noun_of_id},
    outline::{Kind, Member, Outline},
};

/// An id of that noun that nobody has.
pub fn unknown_id(noun: &str) -> String {
    let known = entity::NOUNS.iter().find(|known| known.name == noun).unwrap();
    entity::id::encode(known.prefix, entity::id::new())
}

/// A place in an input that names a row.
#[derive(Clone, Debug)]
pub struct Pointer {
    pub path: Vec<Step>,
    pub noun: String,
    pub is_reference: bool,
}

#[derive(Clone, Debug)]
pub enum Step {
    Field(String),
    First,
}

impl Pointer {
    /// Whether it names a row that the mutation writes.
    pub fn is_a_written_row(&self) -> bool {
        self.field() == "by" || self.field() == "remove"
    }

    /// How deep it stands in the parts of a row: 0 for the row itself.
    pub fn part_depth(&self) -> usize {
        let is_list =
            |step: &Step| matches!(step, Step::Field(name) if ["upsert", "remove", "replace"].contains(&name.as_str()));
        self.path.iter().filter(|step| is_list(step)).count()
    }

    /// Ways to name a row there: the hidden one's, each with its twin that nobody has.
    pub fn names(&self, hidden: &World<'_>) -> Vec<(Value, Value)> {
        let row = hidden.newest(&self.noun);
        if !self.is_reference {
            return vec![(json!(row.id), json!(unknown_id(&self.noun)))];
        }
        let mut names = vec![(json!({"id": row.id}), json!({"id": unknown_id(&self.noun)}))];
        if let Some(external) = &row.external {
            let nobody = json!({"system": external["system"], "id": "nobody"});
            names.push((json!({"externalId": external}), json!({"externalId": nobody})));
        }
        names
    }

    /// The arguments with `name` at this place.
    pub fn put(&self, arguments: &Value, name: &Value) -> Value {
        let mut whole = arguments.clone();
        let mut place = &mut whole;
        for step in &self.path {
            place = match step {
                Step::Field(field) => {
                    if !place.is_object() {
                        *place = json!({});
                    }
                    &mut place[field.as_str()]
                }
                Step::First => {
                    if !place.is_array() {
                        *place = json!([null]);
                    }
                    &mut place[0]
                }
            };
        }
        *place = name.clone();
        whole
    }

    /// The input field it is about, as an error's path starts.
    pub fn field(&self) -> &str {
        self.path
            .iter()
            .rev()
            .find_map(|step| if let Step::Field(name) = step { Some(name.as_str()) } else { None })
            .unwrap()
    }
}

/// Every place below a field, an argument or an input field that names a row. `depth` is how many relations filters follow.
pub fn pointers(outline: &Outline, member: &Member, noun: &str, depth: usize) -> Vec<Pointer> {
    let mut path = vec![Step::Field(member.name.clone())];
    if member.is_list() {
        path.push(Step::First);
    }
    let ty = member.base();
    let here = |noun: &str, is_reference| vec![Pointer { path: path.clone(), noun: noun.to_owned(), is_reference }];
    if let Some(target) = outline.referenced(ty) {
        return here(target, true);
    }
    if ty == "ID" {
        // Inside a comparison of ids, the noun is the one of the filter.
        let noun =
            if ["eq", "neq", "in"].contains(&member.name.as_str()) { noun } else { noun_of_id(&member.name, noun) };
        return here(noun, false);
    }
    let Some(Kind::Input(members)) = outline.types.get(ty) else { return Vec::new() };
    let target = ty.strip_suffix("ListFilter").or_else(|| ty.strip_suffix("Filter"));
    let target = target.filter(|name| entity::NOUNS.iter().any(|known| known.name == *name));
    if target.is_some() && depth == 0 {
        return Vec::new();
    }
    let depth = if target.is_some() { depth - 1 } else { depth };
    let noun = if ty == "IDFilter" { noun_of_id(&member.name, noun) } else { target.unwrap_or(noun) };
    let inner = members.iter().flat_map(|inner| pointers(outline, inner, noun, depth));
    inner.map(|pointer| Pointer { path: path.iter().cloned().chain(pointer.path).collect(), ..pointer }).collect()
}

/// Every place in a mutation's input that names a row.
pub fn of_input(outline: &Outline, field: &Member) -> Vec<Pointer> {
    pointers(outline, &field.arguments[0], noun_of(field), 0)
}
