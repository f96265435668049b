//! Another organization's rows do not exist: nothing leaks, nothing changes, and every answer is the one for an id
//! that nobody has. The cases are walked from the schema.

mod inputs;
mod queries;
mod search;

use serde_json::{Value, json};

use crate::{
    app::App,
    dump::Dump,
    outline::{Kind, Member, Outline},
    world::{World, noun_of_id},
};

/// What every text of the first organization contains.
const SECRET: &str = "Alpha";

/// The organization whose rows must stay hidden, and the one that looks for them.
struct Neighbours<'a> {
    app: &'a App,
    hidden: World<'a>,
    curious: World<'a>,
    before: Dump,
}

impl<'a> Neighbours<'a> {
    async fn settle(app: &'a App, outline: &'a Outline) -> Self {
        let hidden = World::filled(outline, app.admin("hidden").await, SECRET).await;
        let curious = World::filled(outline, app.admin("curious").await, "Beta").await;
        let before = app.dump(hidden.caller.organization()).await;
        for table in ["event", "department", "department_external_id", "feedback_record_tags", "routing"] {
            assert!(!before[table].is_empty(), "{table} is empty, so nothing could change");
        }
        Self { app, hidden, curious, before }
    }

    /// Runs a document as the curious caller and counts its statements. Whatever it is, no id and no text of the
    /// hidden organization is in the answer.
    async fn probe(&self, document: &str, variables: Value) -> (Value, u64) {
        let before = self.app.store.statements();
        let reply = self.curious.caller.run(document, variables.clone()).await.body;
        let statements = self.app.store.statements() - before;
        let text = reply.to_string();
        assert!(!text.contains(SECRET), "{document} {variables} leaks {text}");
        for id in self.hidden.ids() {
            assert!(!text.contains(id), "{document} {variables} leaks {text}");
        }
        (reply, statements)
    }

    /// Asserts that a hidden thing and one that nobody has are answered alike, and gives that answer.
    async fn alike(&self, document: &str, hidden: Value, unknown: Value) -> Value {
        let name = format!("{document} {hidden}");
        let (answer, statements) = self.probe(document, hidden).await;
        let (expected, expected_statements) = self.probe(document, unknown).await;
        assert_eq!(answer, expected, "{name}");
        assert_eq!(statements, expected_statements, "{name} takes another number of statements");
        answer
    }

    async fn assert_unchanged(&self) {
        let after = self.app.dump(self.hidden.caller.organization()).await;
        for (table, rows) in &self.before {
            assert_eq!(rows, &after[table], "{table} has changed");
        }
    }
}

/// An id of that noun that nobody has.
fn unknown_id(noun: &str) -> String {
    let known = entity::NOUNS.iter().find(|known| known.name == noun).unwrap();
    entity::id::encode(known.prefix, entity::id::new())
}

/// A place in an input that names a row.
#[derive(Clone, Debug)]
struct Pointer {
    path: Vec<Step>,
    noun: String,
    is_reference: bool,
}

#[derive(Clone, Debug)]
enum Step {
    Field(String),
    First,
}

impl Pointer {
    /// Ways to name a row there: the hidden one's, each with its twin that nobody has.
    fn names(&self, hidden: &World<'_>) -> Vec<(Value, Value)> {
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
    fn put(&self, arguments: &Value, name: &Value) -> Value {
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
    fn field(&self) -> &str {
        self.path
            .iter()
            .rev()
            .find_map(|step| if let Step::Field(name) = step { Some(name.as_str()) } else { None })
            .unwrap()
    }
}

/// Every place below a field, an argument or an input field that names a row. `depth` is how many relations filters follow.
fn pointers(outline: &Outline, member: &Member, noun: &str, depth: usize) -> Vec<Pointer> {
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
    let Some(Kind::Input { members, .. }) = outline.types.get(ty) else { return Vec::new() };
    let target = ty.strip_suffix("ListFilter").or_else(|| ty.strip_suffix("Filter"));
    let target = target.filter(|name| entity::NOUNS.iter().any(|known| known.name == *name));
    if target.is_some() && depth == 0 {
        return Vec::new();
    }
    let depth = if target.is_some() { depth - 1 } else { depth };
    let noun = target.unwrap_or(noun);
    let inner = members.iter().flat_map(|inner| pointers(outline, inner, noun, depth));
    inner.map(|pointer| Pointer { path: path.iter().cloned().chain(pointer.path).collect(), ..pointer }).collect()
}
