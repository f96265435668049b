//! An organization with rows of every noun, and valid inputs for every mutation, both derived from the schema.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

use entity::{
    NOUNS, Noun, id,
    noun::{Link, Relationship},
    organization,
};
use serde_json::{Map, Value, json};

use crate::{
    app::{Caller, refs},
    outline::{Kind, Member, Outline, base},
};

/// Input fields that say how to write and not what.
const MANNER: [&str; 5] = ["expectedVersion", "idempotencyKey", "mode", "onNull", "policy"];

/// Rows of every noun in one organization. Every text in them contains the label.
pub struct World<'a> {
    pub caller: Caller<'a>,
    pub outline: &'a Outline,
    pub rows: BTreeMap<String, Vec<Row>>,
    /// Rows that came with others: by copies, and with the organization.
    pub others: BTreeMap<String, Vec<String>>,
    /// What an input field names that takes all parts of the newest row, in their order.
    wholes: BTreeMap<&'static str, Vec<String>>,
    /// The organization's slug, without which nothing deletes it.
    slug: String,
    label: &'static str,
    count: Cell<u32>,
}

/// One row.
#[derive(Clone, Debug)]
pub struct Row {
    pub id: String,
    pub external: Option<Value>,
}

/// How much of an input to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// What is required.
    Least,
    /// All that says something about the row.
    Full,
}

impl<'a> World<'a> {
    /// An empty world, of which only the organization is known.
    pub fn new(outline: &'a Outline, caller: Caller<'a>, label: &'static str) -> Self {
        let organization = id::encode(organization::NOUN.prefix, caller.organization().0);
        let row = Row { id: organization, external: None };
        let rows = BTreeMap::from([("Organization".to_owned(), vec![row])]);
        let (others, wholes) = (BTreeMap::new(), BTreeMap::new());
        Self { caller, outline, rows, others, wholes, slug: String::new(), label, count: Cell::new(0) }
    }

    /// Two rows of every noun, linked wherever the schema has a link.
    pub async fn filled(outline: &'a Outline, caller: Caller<'a>, label: &'static str) -> Self {
        let mut world = Self::new(outline, caller, label);
        let slug = world.caller.ask("{ organization { slug } }").await["organization"]["slug"].take();
        slug.as_str().unwrap().clone_into(&mut world.slug);
        let mut waiting: Vec<&Member> =
            outline.mutations().iter().filter(|field| field.name.ends_with("Create")).collect();
        let mut incomplete = Vec::new();
        while !waiting.is_empty() {
            let (mut ready, mut later): (Vec<_>, Vec<_>) =
                waiting.into_iter().partition(|field| world.is_ready(field, Extent::Full));
            if ready.is_empty() {
                // The rows refer to each other in a circle: a row of it comes first, without what it may refer to.
                let first = later.iter().position(|field| world.is_ready(field, Extent::Least));
                ready.push(later.remove(first.unwrap_or_else(|| panic!("nothing can be made before {later:?}"))));
                incomplete.push(noun_of(ready[0]));
            }
            for field in ready {
                for _ in 0..alternatives(noun_of(field)).len().max(2) {
                    world.make(field).await;
                }
            }
            waiting = later;
        }
        for noun in incomplete {
            world.complete(noun).await;
        }
        world.learn_wholes().await;
        for field in outline.mutations().iter().filter(|field| is_own(field)) {
            let input = world.ready_input(field).await;
            let reply = world.mutate(field, &input).await;
            assert_eq!(reply["errors"], json!([]), "{} {reply:#}", field.name);
        }
        let row = |part: &Value| Row { id: part["id"].as_str().unwrap().to_owned(), external: None };
        for (noun, list, parts) in
            [("Routing", "feedbackRecords", "routings"), ("ExpectationRanking", "interactionPoints", "rankings")]
        {
            let reply = world.caller.ask(&format!("{{ {list} {{ nodes {{ {parts} {{ nodes {{ id }} }} }} }} }}")).await;
            let wholes = reply[list]["nodes"].as_array().unwrap();
            let found = wholes.iter().flat_map(|whole| whole[parts]["nodes"].as_array().unwrap());
            world.rows.insert(noun.to_owned(), found.map(row).collect());
        }
        let reply = world.caller.ask("{ auditLog(first: 1000) { nodes { id } } }").await;
        let entries = reply["auditLog"]["nodes"].as_array().unwrap();
        world.rows.insert("AuditEntry".to_owned(), entries.iter().map(row).collect());
        world.learn_others().await;
        world.learn_wholes().await;
        world
    }

    /// Gives the rows of a noun the references that they were made without.
    async fn complete(&self, noun: &str) {
        let (first, rest) = noun.split_at(1);
        let name = format!("{}{rest}Update", first.to_ascii_lowercase());
        let field = self.outline.mutations().iter().find(|field| field.name == name).unwrap();
        let members = self.outline.inputs(field.arguments[0].base()).iter();
        let references = members.filter(|member| member.name != "by" && self.outline.referenced(&member.ty).is_some());
        let given = references.filter_map(|member| {
            Some((member.name.clone(), self.value(&member.ty, &member.name, noun, Extent::Full)?))
        });
        let given: Map<String, Value> = given.collect();
        for row in &self.rows[noun] {
            let mut input = Value::Object(given.clone());
            input["by"] = json!({ "id": row.id });
            let payload = self.mutate(field, &input).await;
            assert_eq!(payload["errors"], json!([]), "{name} {input:#} {payload:#}");
        }
    }

    /// Finds the rows that no creation made.
    async fn learn_others(&mut self) {
        for (noun, list) in self.outline.lists() {
            let reply = self.caller.ask(&format!("{{ {}(first: 1000) {{ nodes {{ id }} }} }}", list.name)).await;
            let nodes = reply[&list.name]["nodes"].as_array().unwrap();
            let ids = nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned());
            match self.rows.get(noun) {
                Some(rows) => {
                    let others = ids.filter(|id| rows.iter().all(|row| row.id != *id)).collect();
                    self.others.insert(noun.to_owned(), others);
                }
                None => drop(self.rows.insert(noun.to_owned(), ids.map(|id| Row { id, external: None }).collect())),
            }
        }
    }

    async fn learn_wholes(&mut self) {
        let id = &self.newest("Journey").id;
        let order = "orderBy: [{ field: POSITION }]) { nodes { id } }";
        let parts = format!("{{ journey(by: {{ id: \"{id}\" }}) {{ stages({order} steps({order} }} }}");
        let reply = self.caller.ask(&parts).await;
        for list in ["stages", "steps"] {
            let nodes = reply["journey"][list]["nodes"].as_array().unwrap();
            let ids = nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned());
            self.wholes.insert(list, ids.collect());
        }
    }

    /// Whether rows of every other noun it refers to are there, or of every one that it must refer to.
    fn is_ready(&self, field: &Member, extent: Extent) -> bool {
        let noun = noun_of(field);
        let inputs = self.outline.inputs(field.arguments[0].base()).iter();
        let inputs = inputs.filter(|member| extent == Extent::Full || member.is_required());
        let mut needed = inputs.filter_map(|member| self.outline.referenced(&member.ty)).filter(|name| *name != noun);
        needed.all(|name| self.rows.contains_key(name))
    }

    async fn make(&mut self, field: &Member) {
        let input = self.input(field, Extent::Full);
        let payload = self.mutate(field, &input).await;
        assert_eq!(payload["errors"], json!([]), "{} {input:#} {payload:#}", field.name);
        let external = payload["node"]["externalIds"].get(0);
        let row = Row {
            id: payload["node"]["id"].as_str().unwrap().to_owned(),
            external: external.map(|key| json!({"system": key["system"], "id": key["id"]})),
        };
        self.rows.entry(noun_of(field).to_owned()).or_default().push(row);
    }

    /// Runs a mutation and answers its payload.
    pub async fn mutate(&self, field: &Member, input: &Value) -> Value {
        let document = Outline::document("mutation", field, &self.outline.select(&field.ty, 2));
        let reply = self.caller.run(&document, json!({"input": input})).await;
        assert_eq!(reply.body.get("errors"), None, "{} {input:#} {:#}", field.name, reply.body);
        reply.body["data"][&field.name].clone()
    }

    /// A valid input of a mutation, about the newest row of its noun.
    pub fn input(&self, field: &Member, extent: Extent) -> Value {
        self.object(field.arguments[0].base(), noun_of(field), extent)
    }

    /// A valid input object.
    pub fn object(&self, ty: &str, noun: &str, extent: Extent) -> Value {
        let mut object = Map::new();
        let is_new = ty.contains("Create");
        let turn = self.rows.get(noun).map_or(0, |rows| if is_new { rows.len() } else { rows.len() - 1 });
        for member in self.outline.inputs(ty) {
            let is_wanted = match alternatives(noun).iter().position(|field| *field == member.name) {
                Some(place) => (is_new || extent == Extent::Full) && place == turn % alternatives(noun).len(),
                None => extent == Extent::Full || member.is_required(),
            };
            if MANNER.contains(&member.name.as_str()) || !is_wanted {
                continue;
            }
            if let Some(value) = self.value(&member.ty, &member.name, noun, extent) {
                object.insert(member.name.clone(), value);
            }
        }
        Value::Object(object)
    }

    /// A valid value; none for what there is nothing to name yet, for filters, and for parts, which are written alone.
    pub fn value(&self, ty: &str, name: &str, noun: &str, extent: Extent) -> Option<Value> {
        if self.outline.part_item(ty).is_some() {
            return None;
        }
        if let Some(ids) = self.wholes.get(name) {
            return Some(refs(ids));
        }
        if ty.starts_with('[') {
            let inner = ty.trim_end_matches('!').strip_prefix('[')?.strip_suffix(']')?;
            return self.value(inner, name, noun, extent).map(|item| json!([item]));
        }
        let ty = base(ty);
        if let Some(target) = self.outline.referenced(ty) {
            let rows = self.rows.get(target)?;
            // Two references of a row to one noun are to two rows.
            let row = if (target == noun && name != "by") || has_later_twin(noun, name) {
                rows.first()?
            } else {
                rows.last()?
            };
            return Some(json!({"id": row.id}));
        }
        Some(match self.outline.types.get(ty) {
            // Each objective is somebody else's, what is wrong can be corrected, and what is completed has occurred.
            Some(Kind::Enum(values)) if name == "owner" => {
                json!(values[self.rows.get(noun).map_or(0, Vec::len) % values.len()])
            }
            Some(Kind::Enum(_)) if name == "truth" => json!("WRONG"),
            // Not every text is an e-mail address.
            Some(Kind::Enum(_)) if name == "kind" && noun == "ContactPoint" => json!("POSTAL"),
            Some(Kind::Enum(_)) if name == "status" && noun == "Interaction" => json!("COMPLETED"),
            Some(Kind::Enum(values)) => json!(values[0]),
            Some(Kind::Input(_)) if ty.ends_with("Filter") => return None,
            Some(Kind::Input(_)) if ty == "ExternalIdInput" => {
                // Those to carry are of another system than the one that names the row of an upsert.
                let system = if name == "externalIds" { "erp" } else { "crm" };
                json!({"system": system, "id": self.text("external").to_lowercase()})
            }
            Some(Kind::Input(_)) => self.object(ty, noun, extent),
            _ => match ty {
                "ID" => json!(self.rows.get(noun_of_id(name, noun))?.last()?.id),
                "String" if name == "scopes" => json!("map:read"),
                // Where everything is given, it is a dry run.
                "String" if name == "slug" && extent == Extent::Full => json!(self.slug),
                "URL" => json!(format!("https://example.org/{}", self.text(name).replace(' ', "-"))),
                "EmailAddress" => json!(format!("{}@example.org", self.text(name).replace(' ', "."))),
                "LanguageTag" => json!("en-GB"),
                "CurrencyCode" => json!("EUR"),
                "Date" => json!("2026-01-01"),
                "Decimal" => json!("0.5"),
                "Duration" => json!("PT1H30M"),
                "String" if name == "document" => json!(document(noun, &self.text(name))),
                "String" => json!(self.text(name)),
                "Int" => json!(1),
                "Float" => json!(0.5),
                "Boolean" => json!(true),
                "DateTime" => json!("2026-01-01T00:00:00Z"),
                "TimeZone" => json!("Europe/Berlin"),
                other => panic!("no sample of {other}"),
            },
        })
    }

    /// A full input of a mutation; that of a transition is about a new row in a state that allows it.
    pub async fn ready_input(&self, field: &Member) -> Value {
        let mut input = self.input(field, Extent::Full);
        if let Some((noun, state)) = state_before(field) {
            let upsert = format!("{}Upsert", noun.singular);
            let made = self.caller.mutate(&upsert, self.in_state(noun, state), "node { id }").await;
            input["by"] = json!({ "id": made["node"]["id"] });
        }
        let name = &field.name;
        if let Some(noun) = name.strip_suffix("Merge").or_else(|| name.strip_suffix("Unmerge")) {
            let (create, mut rows) = (format!("{noun}Create"), Vec::new());
            for _ in 0..2 {
                let made = self.caller.mutate(&create, json!({ "name": self.text(noun) }), "node { id }");
                rows.push(made.await["node"].take());
            }
            let merge = json!({ "winner": rows[0], "loser": rows[1] });
            if !name.ends_with("Unmerge") {
                return merge;
            }
            self.caller.mutate(&format!("{noun}Merge"), merge, "outcome").await;
            return json!({ "loser": rows[1] });
        }
        input
    }

    /// The input of the upsert that makes a row in a state.
    pub fn in_state(&self, noun: &Noun, state: &str) -> Value {
        let create = self.outline.mutations().iter().find(|field| field.name == format!("{}Create", noun.singular));
        let mut input = self.input(create.unwrap(), Extent::Full);
        if state != "COMPLETED" {
            input.as_object_mut().unwrap().remove("occurredAt");
        }
        let lifecycle = noun.lifecycle().unwrap();
        let status = noun.fields.iter().find(|field| field.column == lifecycle.column).unwrap().name;
        input["externalId"] = json!({ "system": "test", "id": format!("{state} {}", self.text("state")) });
        input[status] = json!(state);
        input
    }

    fn text(&self, name: &str) -> String {
        self.count.set(self.count.get() + 1);
        format!("{} {name} {}", self.label, self.count.get())
    }

    /// How many texts were made.
    pub fn count(&self) -> usize {
        usize::try_from(self.count.get()).unwrap()
    }

    /// Every id of this world.
    pub fn ids(&self) -> BTreeSet<&str> {
        let own = self.rows.values().flatten().map(|row| row.id.as_str());
        own.chain(self.others.values().flatten().map(String::as_str)).collect()
    }

    pub fn newest(&self, noun: &str) -> &Row {
        self.rows.get(noun).and_then(|rows| rows.last()).unwrap_or_else(|| panic!("there is no {noun}"))
    }
}

/// The text of a document that a mutation of the noun takes, with one name in it.
pub fn document(noun: &str, name: &str) -> String {
    if noun == "Organization" {
        json!({ "format": "rapport-map/1", "mediums": [{ "key": name, "name": name }] }).to_string()
    } else {
        format!(
            "<CJML version=\"2.0\"><plannedJourney><journeyID>{name}</journeyID><touchpoints><plannedAction>\
             <touchpointID>1</touchpointID><initiator><initiatorLabel>{name}</initiatorLabel></initiator>\
             </plannedAction></touchpoints></plannedJourney></CJML>"
        )
    }
}

/// The references of which a row of the noun has exactly one; rows take turns.
pub fn alternatives(noun: &str) -> Vec<String> {
    let names = entity::noun_named(noun).map_or(&[][..], |noun| noun.exactly_one);
    names.iter().map(|name| format!("{name}Ref")).collect()
}

/// The noun of a transition that is not allowed in every state, and a state in which it is.
fn state_before(field: &Member) -> Option<(&'static Noun, &'static str)> {
    let with_states = NOUNS.into_iter().filter_map(|noun| Some((noun, noun.lifecycle()?)));
    let mut transitions = with_states
        .flat_map(|(noun, lifecycle)| lifecycle.transitions.iter().map(move |known| (noun, lifecycle, known)));
    let (noun, lifecycle, transition) = transitions.find(|(.., known)| known.field == field.name)?;
    (transition.from.len() < lifecycle.states.values.len()).then(|| (noun, transition.from[0]))
}

/// The noun a mutation is about.
pub fn noun_of(field: &Member) -> &str {
    let name = field.base();
    name.strip_suffix("BulkPayload").or_else(|| name.strip_suffix("Payload")).expect("mutations answer with payloads")
}

/// The noun of an id that an input field takes. A new field of type ID needs a line here.
pub fn noun_of_id<'a>(field: &str, noun: &'a str) -> &'a str {
    match field {
        "id" => noun,
        // Of any noun: one that has rows.
        "rowId" => "Department",
        other => panic!("there is no case for the id {other} of {noun}"),
    }
}

/// Whether rows of the noun have another reference to the noun of this one, declared after it.
fn has_later_twin(noun: &str, field: &str) -> bool {
    let relations = entity::noun_named(noun).map_or(&[][..], |noun| noun.relations);
    let mut own = relations.iter().skip_while(|relation| field != format!("{}Ref", relation.name));
    let is_one = |relation: &Relationship| matches!(relation.link, Link::One { .. });
    own.next().is_some_and(|relation| {
        own.any(|other| is_one(other) && is_one(relation) && other.target.table == relation.target.table)
    })
}

/// Whether a mutation is none of those that every noun has, and leaves its row as full as it was.
pub fn is_own(field: &Member) -> bool {
    const GENERIC: [&str; 7] = ["Create", "Update", "Upsert", "Delete", "Erase", "Archive", "Unarchive"];
    // A merge takes a row of the world away.
    const MERGES: [&str; 2] = ["Merge", "Unmerge"];
    !GENERIC.iter().chain(&MERGES).any(|verb| field.name.ends_with(verb))
}
