//! Rows of other departments do not exist for a caller whose token names departments: nothing of them is in an answer,
//! nothing changes them, and every answer is the one for an id that nobody has. The cases are walked from the schema.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value, json};

use super::DIGITS;
use crate::{
    app::{App, Caller},
    dump::Dump,
    fixture::{Extent, World, noun_of},
    outline::{Member, Outline, codes},
    pointer::{of_input, pointers, unknown_id},
};

/// What every text of the organization contains.
const LABEL: &str = "Alpha";
/// Fields that count rows of the whole organization, which a narrowed caller may not ask for.
const WHOLE: [&str; 2] = ["erasure", "merges"];
/// In the document of a published edition, the id of the feedback in which an expectation was discovered: what was
/// published stays as it was.
const PUBLISHED: &str = "discoveredInFeedback";
/// Queries that such a caller may not ask at all.
const REFUSED: [&str; 3] = ["changes", "customerExport", "webhookSamples"];

/// An organization, and callers who see all or none of its departments that have rows.
struct Narrowed<'a> {
    app: &'a App,
    world: World<'a>,
    /// Narrowed to a department without cases and feedback.
    outside: Caller<'a>,
    before: Dump,
    /// The ids of rows that belong to other departments, without the prefixes of their nouns.
    secrets: HashSet<String>,
    /// Texts that only such rows have.
    texts: BTreeSet<String>,
}

/// Returns whether rows of the noun belong to departments by themselves or by other rows.
fn is_narrowed(noun: &str) -> bool {
    entity::noun_named(noun).is_some_and(|noun| !noun.narrowed.is_empty())
}

/// Adds all texts in a value.
fn texts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => _ = found.insert(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        _ => {}
    }
}

/// Returns whether a text of the world, which ends in a number, is in another text.
fn has(text: &str, known: &str) -> bool {
    let ends = |at: usize| !text[at + known.len()..].starts_with(|next: char| next.is_ascii_digit());
    text.match_indices(known).any(|(at, _)| ends(at))
}

impl<'a> Narrowed<'a> {
    async fn settle(app: &'a App, outline: &'a Outline) -> Self {
        let world = World::filled(outline, app.admin("one").await, LABEL).await;
        let made = world.caller.mutate("departmentCreate", json!({ "name": "Outside" }), "node { id }").await;
        let outside = world.caller.of_departments([made["node"]["id"].as_str().unwrap()]);
        let (mut hidden, mut shown) = (BTreeSet::new(), BTreeSet::new());
        for (noun, list) in outline.lists().filter(|(noun, _)| *noun != "AuditEntry") {
            let rows = format!("{{ {}(first: 1000) {{ nodes {} }} }}", list.name, outline.select(noun, 0));
            texts(&world.caller.ask(&rows).await, if is_narrowed(noun) { &mut hidden } else { &mut shown });
        }
        let is_own = |text: &String| text.contains(LABEL) && text.len() > LABEL.len() + 2;
        let texts: BTreeSet<String> = hidden.difference(&shown).filter(|text| is_own(text)).cloned().collect();
        assert!(texts.len() > 20, "only {texts:?} would show that a row leaks");
        let narrowed = entity::NOUNS.into_iter().filter(|noun| !noun.narrowed.is_empty());
        let mut secrets = HashSet::new();
        for noun in narrowed {
            let rows = &world.rows[noun.name];
            assert!(!rows.is_empty(), "there is no {}", noun.name);
            let others = world.others.get(noun.name).into_iter().flatten();
            let ids = rows.iter().map(|row| &row.id).chain(others);
            secrets.extend(ids.map(|id| id.rsplit_once('_').unwrap().1.to_owned()));
        }
        let before = app.dump(world.caller.organization()).await;
        Self { app, world, outside, before, secrets, texts }
    }

    /// Runs a document as the narrowed caller and counts its statements. No id and no text of a hidden row is in the
    /// answer, unless the caller gave it.
    async fn probe(&self, document: &str, variables: Value) -> (Value, u64) {
        let before = self.app.store.statements();
        let mut reply = self.outside.run(document, variables.clone()).await.body;
        let statements = self.app.store.statements() - before;
        without(&mut reply, &|name, value| name == PUBLISHED && value.is_string());
        let (text, given) = (reply.to_string(), variables.to_string());
        for id in text.split('_').skip(1).filter_map(|rest| rest.get(..DIGITS)) {
            assert!(!self.secrets.contains(id), "{document} {variables} leaks {id}: {reply:#}");
        }
        for known in self.texts.iter().filter(|known| !given.contains(known.as_str())) {
            assert!(!has(&text, known), "{document} {variables} leaks {known}: {reply:#}");
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

    /// The required arguments of a query.
    fn arguments(&self, field: &Member) -> Value {
        let required = field.arguments.iter().filter(|argument| argument.is_required());
        let given = required.filter_map(|argument| {
            let value = self.world.value(&argument.ty, &argument.name, noun(field), Extent::Least)?;
            Some((argument.name.clone(), value))
        });
        Value::Object(given.collect::<Map<_, _>>())
    }

    async fn assert_unchanged(&self) {
        let after = self.app.dump(self.world.caller.organization()).await;
        for (table, rows) in &self.before {
            assert_eq!(rows, &after[table], "{table} has changed");
        }
    }
}

/// The noun a query is about.
fn noun(field: &Member) -> &str {
    field.base().strip_suffix("Connection").unwrap_or(field.base())
}

/// The queries, but for look-ups of any row by its id.
fn queries(outline: &Outline) -> impl Iterator<Item = &Member> {
    outline.queries().iter().filter(|field| field.base() != "Node")
}

/// Takes members of objects away.
fn without(value: &mut Value, is_gone: &impl Fn(&str, &Value) -> bool) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| without(item, is_gone)),
        Value::Object(members) => {
            members.retain(|name, value| !is_gone(name, value));
            members.values_mut().for_each(|member| without(member, is_gone));
        }
        _ => {}
    }
}

/// Asserts that only what concerns the whole organization was refused.
fn assert_only_whole_is_refused(field: &Member, answer: &Value) {
    let refused = answer["errors"].as_array().map_or(&[][..], Vec::as_slice);
    assert!(codes(answer).iter().all(|code| *code == "FORBIDDEN"), "{} {answer:#}", field.name);
    for error in refused {
        let last = error["path"].as_array().and_then(|path| path.last()).and_then(Value::as_str).unwrap_or_default();
        assert!(WHOLE.contains(&last) || REFUSED.contains(&field.name.as_str()), "{} {error:#}", field.name);
    }
}

#[tokio::test]
async fn a_caller_of_all_departments_reads_what_one_without_departments_reads() {
    let (app, outline) = (App::start().await, Outline::read());
    let narrowed = Narrowed::settle(&app, &outline).await;
    let all =
        narrowed.world.caller.ask("{ departments(first: 1000, filter: { archivedAt: {} }) { nodes { id } } }").await;
    let all: Vec<&str> =
        all["departments"]["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap()).collect();
    let caller = narrowed.world.caller.of_departments(all);
    for field in queries(&outline).filter(|field| field.name != "viewer") {
        let document = Outline::document("query", field, &outline.select(&field.ty, 3));
        let arguments = narrowed.arguments(field);
        let mut expected = narrowed.world.caller.run(&document, arguments.clone()).await.body;
        let mut answer = caller.run(&document, arguments).await.body;
        assert_only_whole_is_refused(field, &answer);
        if REFUSED.contains(&field.name.as_str()) {
            assert_eq!(codes(&answer), ["FORBIDDEN"], "{}", field.name);
            continue;
        }
        // A signed address names the departments.
        let differs = |name: &str, _: &Value| name == "url" || WHOLE.contains(&name);
        without(&mut expected["data"], &differs);
        without(&mut answer["data"], &differs);
        assert_eq!(answer["data"], expected["data"], "{}", field.name);
    }
}

#[tokio::test]
async fn nothing_of_other_departments_is_in_any_answer() {
    let (app, outline) = (App::start().await, Outline::read());
    let narrowed = Narrowed::settle(&app, &outline).await;
    let mut leaks = 0;
    for field in queries(&outline) {
        let document = Outline::document("query", field, &outline.select(&field.ty, 3));
        let arguments = narrowed.arguments(field);
        let (answer, _) = narrowed.probe(&document, arguments.clone()).await;
        assert_only_whole_is_refused(field, &answer);
        let seen = narrowed.world.caller.run(&document, arguments).await.body;
        leaks += usize::from(narrowed.texts.iter().any(|known| has(&seen.to_string(), known)));
        if let Some(total) = answer["data"][&field.name].get("totalCount") {
            let expected = &seen["data"][&field.name]["totalCount"];
            match noun(field) {
                "AuditEntry" => assert!(total.as_i64() < expected.as_i64(), "{total} of {expected} entries"),
                noun if is_narrowed(noun) => assert_eq!(*total, 0, "{}", field.name),
                _ => assert_eq!(total, expected, "{}", field.name),
            }
        }
    }
    assert!(leaks > 20, "only {leaks} queries show the texts to those who may see them");
}

#[tokio::test]
async fn the_search_finds_no_words_of_other_departments() {
    let (app, outline) = (App::start().await, Outline::read());
    let narrowed = Narrowed::settle(&app, &outline).await;
    let document = "query($text: String!) { search(text: $text, first: 100) { nodes { type id snippet { text } } } }";
    let mut found = 0;
    for text in &narrowed.texts {
        let seen = narrowed.world.caller.run(document, json!({ "text": text })).await.body;
        let types = seen["data"]["search"]["nodes"].as_array().cloned().unwrap_or_default();
        found += usize::from(types.iter().any(|hit| is_narrowed(hit["type"].as_str().unwrap())));
        narrowed.probe(document, json!({ "text": text })).await;
    }
    assert!(found > 5, "only {found} texts are found by those who may see them");
}

#[tokio::test]
async fn naming_a_row_of_another_department_in_a_query_is_naming_no_row() {
    let (app, outline) = (App::start().await, Outline::read());
    let narrowed = Narrowed::settle(&app, &outline).await;
    let mut cases = 0;
    for field in queries(&outline) {
        let document = Outline::document("query", field, &outline.select(&field.ty, 2));
        let sound = narrowed.arguments(field);
        let named = field.arguments.iter().flat_map(|argument| pointers(&outline, argument, noun(field), 2));
        for pointer in named.filter(|pointer| is_narrowed(&pointer.noun)) {
            for (hidden, unknown) in pointer.names(&narrowed.world) {
                narrowed.alike(&document, pointer.put(&sound, &hidden), pointer.put(&sound, &unknown)).await;
                cases += 1;
            }
        }
    }
    assert!(cases > 50, "only {cases} cases were found");
    for noun in entity::NOUNS.into_iter().filter(|noun| !noun.narrowed.is_empty()) {
        let everything = outline.select(noun.name, 2);
        let document = format!("query($id: ID!) {{ node(id: $id) {{ ... on {} {everything} }} }}", noun.name);
        let (theirs, nobodys) = (&narrowed.world.newest(noun.name).id, unknown_id(noun.name));
        let answer = narrowed.alike(&document, json!({ "id": theirs }), json!({ "id": nobodys })).await;
        assert_eq!(answer, json!({ "data": { "node": null } }), "{}", noun.name);
    }
    narrowed.assert_unchanged().await;
}

#[tokio::test]
async fn naming_a_row_of_another_department_in_a_mutation_is_naming_no_row() {
    let (app, outline) = (App::start().await, Outline::read());
    let mut narrowed = Narrowed::settle(&app, &outline).await;
    let mut sound = Vec::new();
    for field in outline.mutations() {
        sound.push(json!({ "input": narrowed.world.ready_input(field).await }));
    }
    narrowed.before = app.dump(narrowed.world.caller.organization()).await;
    let (mut cases, mut taken_count) = (0, 0);
    for (field, sound) in outline.mutations().iter().zip(sound) {
        let selection = if field.base().ends_with("BulkPayload") {
            "{ errors { code message path } results { outcome node { id } errors { code message path } } }"
        } else {
            "{ outcome deletedId node { id } errors { code message path } }"
        };
        let document = Outline::document("mutation", field, selection);
        for pointer in of_input(&outline, field).into_iter().filter(|pointer| is_narrowed(&pointer.noun)) {
            for (hidden, unknown) in pointer.names(&narrowed.world) {
                let is_external = hidden.get("externalId").is_some() || !hidden.to_string().contains('_');
                let (hidden, unknown) = (pointer.put(&sound, &hidden), pointer.put(&sound, &unknown));
                let (taken, _) = narrowed.probe(&document, hidden.clone()).await;
                if is_external && taken.to_string().contains("TAKEN") {
                    // An upsert by an external id that another department's row has.
                    taken_count += 1;
                    continue;
                }
                let answer = narrowed.alike(&document, hidden, unknown).await;
                let (payload, text) = (&answer["data"][&field.name], answer.to_string());
                assert!(text.contains("NOT_FOUND") || text.contains("FORBIDDEN"), "{} {answer:#}", field.name);
                assert_eq!(payload.get("deletedId").unwrap_or(&Value::Null), &Value::Null, "{}", noun_of(field));
                cases += 1;
            }
        }
    }
    assert!(cases > 40, "only {cases} cases were found");
    assert!(taken_count > 0 && taken_count < cases, "{taken_count} external ids are taken");
    narrowed.assert_unchanged().await;
}
