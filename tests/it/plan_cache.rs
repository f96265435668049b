//! A cached plan answers as one that was just compiled, whoever asks and whatever is given.

use entity::Permission;
use rapport::graphql::documents::cache::DocumentCache;
use serde_json::{Map, Value, json};

use crate::{
    app::{App, Caller},
    fixture::World,
    isolation::model_based::dice::Dice,
    outline::{Kind, Member, Outline, base},
};

/// How many documents are asked, and how often each.
const DOCUMENTS: usize = 60;
const QUESTIONS: usize = 14;

/// Fields of a list that show everything that depends on its page.
const PAGE: &str = "totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }";

/// Lists in lists, with arguments at every level.
const NESTED: [&str; 6] = [
    "query ($first: Int, $inner: Int, $of: ExpectationFilter, $order: [ExpectationOrder!], $after: String, $with: Boolean) {
        interactionPoints(first: $first) { nodes { name
            expectations(first: $inner, filter: $of, orderBy: $order, after: $after) {
                totalCount pageInfo { endCursor hasNextPage } nodes { statement rank point { owner { name } } } }
            feedbackRecords(filter: {body: {isNull: $with}}, last: 2) { nodes { id body } } } } }",
    "query ($inner: Int, $of: FeedbackRecordFilter, $after: String, $names: [String!]) {
        interactionPoints(filter: {name: {in: $names}}) { edges { cursor node { name
            influencers(last: $inner, before: $after) { totalCount edges { cursor strength node { name } } }
            records: feedbackRecords(filter: $of, last: $inner) { pageInfo { startCursor } nodes { body tags
                attributes { name value } customer { name email externalIds { id } } department { name } } } } } } }",
    "query ($first: Int, $order: [FeedbackRecordOrder!], $after: String, $before: String, $of: CustomerFilter) {
        feedbackRecords(first: $first, orderBy: $order, after: $after, before: $before, filter: {customer: $of}) {
            totalCount pageInfo { startCursor endCursor hasNextPage hasPreviousPage } nodes { id attributes { name } } } }",
    "query ($scores: [Float!], $tags: [String!], $prefix: String!, $at: DateTime, $kinds: [FeedbackKind!], $ids: [ID!]) {
        feedbackRecords(filter: {and: [{sentimentScore: {in: $scores}}, {tags: {hasAll: $tags, hasPrefix: $prefix}},
            {receivedAt: {gte: $at}}, {kind: {in: $kinds}}, {id: {in: $ids}}]}) { totalCount nodes { id kind } } }",
    "query ($name: String!, $text: NullableTextFilter, $first: Int) {
        feedbackRecords(filter: {attributes: {name: $name}, body: $text}, first: $first) {
            totalCount nodes { id attributes { name value } } } customers(first: $first) { nodes { name email } } }",
    "query ($with: Boolean!, $first: Int, $ids: [ID!]!, $id: ID!) {
        mediums(first: $first) { totalCount @include(if: $with) nodes { id name @skip(if: $with) } }
        nodes(ids: $ids) { id ... on Department { name } ... on Expectation { statement } }
        node(id: $id) { id ... on Customer { email } ... on InteractionPoint { expectations(first: $first) { totalCount } } } }",
];

/// Makes variables from what a document declares.
struct Giver<'a> {
    dice: Dice,
    outline: &'a Outline,
    ids: Vec<String>,
    /// Cursors that answers had.
    cursors: Vec<String>,
}

impl Giver<'_> {
    fn variables(&mut self, text: &str) -> Value {
        let mut given = Map::new();
        for declared in text.split('$').skip(1).filter_map(|rest| rest.split([',', ')']).next()) {
            let Some((name, ty)) = declared.split_once(": ") else { continue };
            if !ty.ends_with('!') && self.dice.happens(35) {
                if self.dice.happens(30) {
                    given.insert(name.to_owned(), Value::Null);
                }
                continue;
            }
            given.insert(name.to_owned(), self.value(ty, name, 0));
        }
        Value::Object(given)
    }

    fn value(&mut self, ty: &str, name: &str, depth: usize) -> Value {
        if let Some(inner) = ty.trim_end_matches('!').strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let length = [0, 1, 1, 2, 3][self.dice.below(5)];
            return (0..length).map(|_| self.value(inner, name, depth + 1)).collect();
        }
        let outline = self.outline;
        match outline.types.get(base(ty)) {
            Some(Kind::Enum(values)) => json!(self.dice.pick(values)),
            Some(Kind::Input(members)) => self.object(base(ty), members, depth),
            _ => self.scalar(base(ty), name),
        }
    }

    fn object(&mut self, ty: &str, members: &[Member], depth: usize) -> Value {
        let mut object = Map::new();
        if ty.ends_with("Ref") {
            let member = self.dice.pick(members).clone();
            object.insert(member.name.clone(), self.value(&member.ty, &member.name, depth + 1));
            return Value::Object(object);
        }
        let most = if depth > 3 { 1 } else { 3 };
        let wanted: Vec<Member> = (0..self.dice.below(most + 1)).map(|_| self.dice.pick(members).clone()).collect();
        for member in members.iter().filter(|member| member.is_required()).cloned().chain(wanted) {
            if depth > 4 && outline_is_deep(self.outline, &member) {
                continue;
            }
            object.insert(member.name.clone(), self.value(&member.ty, &member.name, depth + 1));
        }
        Value::Object(object)
    }

    fn scalar(&mut self, ty: &str, name: &str) -> Value {
        match (ty, name) {
            (_, "after" | "before") if !self.cursors.is_empty() && self.dice.happens(90) => {
                json!(self.dice.pick(&self.cursors))
            }
            ("ID", _) if self.dice.happens(90) => json!(self.dice.pick(&self.ids)),
            ("Int", _) => json!([1, 2, 2, 3, 25, 0][self.dice.below(6)]),
            ("Float", _) => json!([0.5, 0.25, 3.0][self.dice.below(3)]),
            ("Boolean", _) => json!(self.dice.happens(50)),
            ("DateTime", _) => {
                let given =
                    ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.0001Z", "2026-01-01", "2030-05-05T05:05:05Z", "soon"];
                json!(given[self.dice.below(given.len())])
            }
            ("Date", _) => json!("2026-01-01"),
            ("Decimal", _) => json!("0.5"),
            ("Duration", _) => json!("PT1H30M"),
            ("TimeZone", _) => json!("Europe/Berlin"),
            _ => {
                let given = ["Beta", "beta name", "e", "", "%", "\u{10ffff}", "Beta value 7", "en-GB", "nul\0"];
                json!(given[self.dice.below(given.len())])
            }
        }
    }

    /// Remembers the cursors of an answer.
    fn learn(&mut self, answer: &Value) {
        match answer {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value {
                        Value::String(cursor) if name.to_lowercase().ends_with("cursor") => {
                            self.cursors.push(cursor.clone());
                        }
                        _ => self.learn(value),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn(item)),
            _ => {}
        }
    }
}

fn outline_is_deep(outline: &Outline, member: &Member) -> bool {
    outline.is_input(member.base()) && !member.is_required()
}

/// Documents without strings, which are cached.
fn documents(outline: &Outline) -> Vec<String> {
    let mut documents: Vec<String> = NESTED.map(str::to_owned).into();
    for (noun, field) in outline.lists() {
        let selection = format!("{{ {PAGE} edges {{ cursor node {} }} }}", outline.select(noun, 2));
        documents.push(Outline::document("query", field, &selection));
        documents.push(Outline::document("query", field, &format!("{{ nodes {} }}", outline.select(noun, 1))));
    }
    for field in outline.queries().iter().filter(|field| !field.base().ends_with("Connection")) {
        documents.push(Outline::document("query", field, &outline.select(&field.ty, 2)));
    }
    documents
}

fn callers<'a>(worlds: [&Caller<'a>; 2]) -> Vec<Caller<'a>> {
    let all = || Permission::ALL.into_iter();
    worlds
        .iter()
        .flat_map(|caller| {
            [
                caller.with(all()),
                caller.with(all().filter(|known| *known != Permission::CustomersRead)),
                caller.with([Permission::MapRead]),
                caller.with([Permission::RecordRead]),
                caller.with([Permission::MapRead, Permission::RecordRead, Permission::ResponseRead]),
                caller.with([]),
            ]
        })
        .collect()
}

#[tokio::test]
async fn a_cached_plan_answers_as_a_new_one_whoever_asks_and_whatever_is_given() {
    let (app, outline) = (App::start().await, Outline::read());
    let alpha = World::filled(&outline, app.admin("alpha").await, "Alpha").await;
    let beta = World::filled(&outline, app.admin("beta").await, "Beta").await;
    let ids = [&alpha, &beta].iter().flat_map(|world| world.ids()).map(str::to_owned).collect();
    let mut giver = Giver { dice: Dice::new(7), outline: &outline, ids, cursors: Vec::new() };
    let (callers, mut all) = (callers([&alpha.caller, &beta.caller]), documents(&outline));
    let mut answered = 0;
    // The nested ones always, of the others some.
    for turn in 0..DOCUMENTS.min(all.len()) {
        let place = if turn < NESTED.len() { 0 } else { giver.dice.below(all.len()) };
        let text = all.remove(place);
        for _ in 0..QUESTIONS {
            let caller = giver.dice.pick(&callers).clone();
            let variables = giver.variables(&text);
            let fresh = caller.run_remembering(&DocumentCache::default(), &text, variables.clone()).await.body;
            for _ in 0..2 {
                let cached = caller.run(&text, variables.clone()).await.body;
                assert_eq!(cached.to_string(), fresh.to_string(), "{text}\n{variables:#}");
            }
            giver.learn(&fresh);
            answered += usize::from(fresh.get("errors").is_none());
        }
    }
    assert!(answered > DOCUMENTS * QUESTIONS / 4, "only {answered} questions were answered without errors");
}

#[tokio::test]
async fn a_plan_for_one_caller_never_serves_another() {
    let (app, outline) = (App::start().await, Outline::read());
    let world = World::filled(&outline, app.admin("alpha").await, "Alpha").await;
    let text = "{ feedbackRecords { nodes { body customer { email } point { name } } } customers { nodes { name } } }";
    let admin = &world.caller;
    for _ in 0..3 {
        admin.ask(text).await;
    }
    for permission in Permission::ALL {
        let narrowed = admin.with(Permission::ALL.into_iter().filter(|known| *known != permission));
        let fresh = narrowed.run_remembering(&DocumentCache::default(), text, json!({})).await.body;
        for _ in 0..2 {
            assert_eq!(narrowed.run(text, json!({})).await.body, fresh, "without {permission:?}");
        }
        let loses = [Permission::RecordRead, Permission::CustomersRead, Permission::MapRead].contains(&permission);
        assert_eq!(fresh.get("errors").is_some(), loses, "without {permission:?}");
    }
    let nobody = admin.with([]).run(text, json!({})).await.body;
    assert_eq!(nobody["data"], json!({ "feedbackRecords": null, "customers": null }));
}
