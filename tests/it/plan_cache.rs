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

/// How many documents are asked, and how often each; those with lists in lists more often.
const DOCUMENTS: usize = 50;
const QUESTIONS: usize = 14;
const NESTED_QUESTIONS: usize = 90;

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
            // Most cursors are of other lists, and refused.
            (_, "after" | "before") if self.dice.happens(40) => Value::Null,
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
            // Mostly something to look for.
            ("String", "matches" | "text") if self.dice.happens(90) => {
                json!(["Beta", "beta name", "be*"][self.dice.below(3)])
            }
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
                        // No list of rows continues from the cursors of a timeline.
                        _ if name == "timeline" => {}
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

/// Adds rows with little in them, so that there are several pages, nulls in every order, and lists of any length.
async fn crowd(caller: &Caller<'_>) {
    let rows = |each: &dyn Fn(usize) -> Value| -> Value { (0..6).map(each).collect() };
    let key = |place: usize| json!({ "system": "crowd", "id": place.to_string() });
    let point = |place: usize| json!({ "externalId": key(place / 3) });
    let scores = [json!(0.5), json!(0.25), Value::Null];
    let products = [json!("b"), json!("a"), Value::Null];
    for (field, rows) in [
        ("departmentsBulkUpsert", rows(&|place| json!({ "externalId": key(place), "name": format!("Beta {place}") }))),
        (
            "interactionPointsBulkUpsert",
            rows(&|place| json!({ "externalId": key(place), "name": format!("beta name {place}") })),
        ),
        (
            "expectationsBulkUpsert",
            rows(&|place| {
                json!({ "externalId": key(place), "statement": "Beta", "source": "RESEARCH",
            "pointRef": point(place) })
            }),
        ),
        (
            "feedbackRecordsBulkUpsert",
            rows(&|place| {
                json!({ "externalId": key(place), "kind": "PRAISE",
            "receivedAt": "2026-01-01T00:00:00Z", "pointRef": point(place), "sentimentScore": scores[place % 3], "product": products[place % 3] })
            }),
        ),
    ] {
        let done =
            caller.mutate(field, json!({ "rows": rows }), "errors { code } results { errors { code path } }").await;
        assert_eq!(done["errors"], json!([]), "{field} {done:#}");
    }
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
    crowd(&alpha.caller).await;
    let ids = [&alpha, &beta].iter().flat_map(|world| world.ids()).map(str::to_owned).collect();
    let mut giver = Giver { dice: Dice::new(7), outline: &outline, ids, cursors: Vec::new() };
    let (callers, mut all) = (callers([&alpha.caller, &beta.caller]), documents(&outline));
    let mut answered = 0;
    // The nested ones always, of the others some.
    for turn in 0..DOCUMENTS.min(all.len()) {
        let is_nested = turn < NESTED.len();
        let place = if is_nested { 0 } else { giver.dice.below(all.len()) };
        let text = all.remove(place);
        let (mut caller, mut variables) = (callers[0].clone(), giver.variables(&text));
        for _ in 0..if is_nested { NESTED_QUESTIONS } else { QUESTIONS } {
            let fresh = caller.run_remembering(&DocumentCache::default(), &text, variables.clone()).await.body;
            for _ in 0..2 {
                let cached = caller.run(&text, variables.clone()).await.body;
                assert_eq!(cached.to_string(), fresh.to_string(), "{text}\n{variables:#}");
            }
            let known = giver.cursors.len();
            giver.learn(&fresh);
            let follows = giver.cursors.len() > known && giver.dice.happens(50) && text.contains("$after");
            if follows {
                // The page after this one, in the same order.
                variables["after"] = json!(giver.dice.pick(&giver.cursors[known..]));
            } else {
                // Administrators half of the time: others are refused much.
                caller = callers[if giver.dice.happens(50) { 0 } else { giver.dice.below(callers.len()) }].clone();
                variables = giver.variables(&text);
            }
            answered += usize::from(fresh.get("errors").is_none());
        }
    }
    assert!(answered > DOCUMENTS * QUESTIONS / 2, "only {answered} questions were answered without errors");
}

#[tokio::test]
async fn a_plan_does_not_keep_which_attributes_are_personal() {
    let app = App::start().await;
    let admin = app.admin("acme").await;
    let record = json!({ "kind": "PRAISE", "receivedAt": "2026-01-01T00:00:00Z",
        "attributes": [{ "name": "size", "value": "L" }] });
    let made = admin.mutate("feedbackRecordCreate", record, "errors { code path message }").await;
    assert_eq!(made["errors"], json!([]));
    let caller = admin.with(Permission::ALL.into_iter().filter(|known| *known != Permission::CustomersRead));
    let text = "{ feedbackRecords { nodes { attributes { name value } } } }";
    let mut shown = Vec::new();
    let mut definition = Value::Null;
    for turn in 0..3 {
        let is_open = json!({ "noun": "FEEDBACK_RECORD", "name": "size", "isPersonal": false });
        match turn {
            1 => {
                definition = admin
                    .mutate("attributeDefinitionCreate", is_open, "node { id } errors { code path }")
                    .await["node"]["id"]
                    .take();
            }
            2 => {
                let closed = json!({ "by": { "id": definition }, "isPersonal": true });
                admin.mutate("attributeDefinitionUpdate", closed, "outcome").await;
            }
            _ => {}
        }
        for _ in 0..2 {
            let answer = caller.run(text, json!({})).await.body;
            shown.push(answer["data"]["feedbackRecords"]["nodes"][0]["attributes"][0]["value"] == "L");
        }
    }
    assert_eq!(shown, [false, false, true, true, false, false]);
}

#[tokio::test]
async fn a_plan_does_not_keep_a_refusal_of_other_values() {
    let app = App::start().await;
    let admin = app.admin("acme").await;
    crowd(&admin).await;
    let caller = admin.with(Permission::ALL.into_iter().filter(|known| *known != Permission::CustomersRead));
    let text = "query ($of: FeedbackRecordFilter) { interactionPoints { nodes { name
        feedbackRecords(filter: $of) { totalCount } } } }";
    let (open, guarded) =
        (json!({ "of": { "kind": { "eq": "PRAISE" } } }), json!({ "of": { "body": { "isNull": true } } }));
    for variables in [&guarded, &open, &guarded, &open, &open] {
        let fresh = caller.run_remembering(&DocumentCache::default(), text, variables.clone()).await.body;
        assert_eq!(caller.run(text, variables.clone()).await.body, fresh, "{variables}");
        assert_eq!(fresh.get("errors").is_some(), variables == &guarded);
    }
}

#[tokio::test]
async fn a_page_of_any_size_and_after_any_cursor_is_that_of_a_new_plan() {
    let app = App::start().await;
    let admin = app.admin("acme").await;
    crowd(&admin).await;
    let text =
        "query ($first: Int, $after: String, $before: String, $order: [FeedbackRecordOrder!], $names: [String!]) {
        feedbackRecords(first: $first, after: $after, before: $before, orderBy: $order) {
            nodes { id } edges { cursor } pageInfo { hasNextPage } }
        interactionPoints(filter: {name: {in: $names}}) { nodes { name
            feedbackRecords(first: $first, orderBy: $order) { nodes { id } pageInfo { endCursor } } } } }";
    let order = json!([{ "field": "PRODUCT" }]);
    let all = admin.data(text, json!({ "order": order })).await["feedbackRecords"]["edges"].take();
    // The products are null, a and b, twice each.
    let cursor = |place: usize| &all[place]["cursor"];
    let names = ["beta name 0", "beta name 1"];
    let asked = [
        json!({}),
        json!({ "first": 1 }),
        json!({ "first": 3 }),
        json!({ "order": order, "first": 2 }),
        json!({ "order": order, "after": cursor(0) }),
        json!({ "order": order, "after": cursor(3) }),
        json!({ "order": order, "before": cursor(1) }),
        json!({ "order": order, "before": cursor(4) }),
        json!({ "order": order, "after": cursor(0), "before": cursor(4) }),
        json!({ "order": [{ "field": "PRODUCT", "direction": "DESC" }] }),
        json!({ "order": [{ "field": "PRODUCT", "nulls": "LAST" }] }),
        json!({ "names": [] }),
        json!({ "names": names[..1] }),
        json!({ "names": names }),
    ];
    for before in &asked {
        for variables in &asked {
            let documents = DocumentCache::default();
            admin.run_remembering(&documents, text, before.clone()).await;
            let cached = admin.run_remembering(&documents, text, variables.clone()).await.body;
            let fresh = admin.run_remembering(&DocumentCache::default(), text, variables.clone()).await.body;
            assert_eq!(cached, fresh, "{variables} after {before}");
        }
    }
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
