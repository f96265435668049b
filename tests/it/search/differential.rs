//! The search against a plain scan: on random texts in several languages it finds the same rows in the same order.

use std::{cmp::Reverse, collections::BTreeSet};

use rapport::words::{Terms, joined};
use serde_json::{Value, json};

use super::{make, page};
use crate::app::{App, Caller};

/// Words of which texts are made. Some are the beginning of others, or differ only in what does not matter.
const WORDS: [&str; 22] = [
    "red",
    "Red",
    "réd",
    "redder",
    "shoe",
    "shoes",
    "Straße",
    "strasse",
    "東京",
    "京",
    "タワー",
    "ขอบคุณ",
    "คุณ",
    "день",
    "Дня",
    "한국어",
    "INV-7",
    "7",
    "a",
    "ann@example.com",
    "don't",
    "ﬁnal",
];

/// Where texts can stand: the list, the type, and its texts in the order of a hit, those of names first.
const PLACES: [(&str, &str, &[&str], usize); 4] = [
    ("messages", "Message", &["name", "externalIds", "statement"], 2),
    ("contentItems", "ContentItem", &["title", "externalIds", "summary"], 2),
    ("customers", "Customer", &["name", "externalIds"], 2),
    ("feedbackRecords", "FeedbackRecord", &["externalIds", "body"], 1),
];

/// A source of numbers: `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(bound).unwrap()).unwrap()
    }

    fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len())]
    }

    /// Up to so many words, with and without spaces between them.
    fn text(&mut self, most: usize) -> String {
        let mut text = self.word().to_owned();
        for _ in 0..self.below(most) {
            text.push_str([" ", " ", ", ", "", "\n"][self.below(5)]);
            text.push_str(self.word());
        }
        text
    }

    /// A word, a beginning, a phrase, or several of them.
    fn query(&mut self) -> String {
        let term = |dice: &mut Self| {
            let word = dice.word();
            match dice.below(4) {
                0 => format!("\"{} {}\"", dice.word(), dice.word()),
                1 => {
                    let length = 1 + dice.below(word.chars().count());
                    format!("{}*", word.chars().take(length).collect::<String>())
                }
                _ => word.to_owned(),
            }
        };
        let mut query = term(self);
        for _ in 0..self.below(3) {
            query = format!("{query} {}", term(self));
        }
        query
    }
}

/// A row: type, id, and its texts by field.
type Row = (&'static str, String, Vec<(&'static str, Vec<String>)>);

/// Every row.
async fn rows(caller: &Caller<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for (list, noun, fields, _) in PLACES {
        let selected = fields.iter().map(|field| if *field == "externalIds" { "externalIds { id }" } else { field });
        let document =
            format!("{{ {list}(first: 1000) {{ nodes {{ id {} }} }} }}", selected.collect::<Vec<_>>().join(" "));
        for row in caller.ask(&document).await[list]["nodes"].as_array().unwrap() {
            let texts = |field: &&'static str| {
                let given = match &row[*field] {
                    Value::Array(keys) => keys.iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect(),
                    value => value.as_str().map(str::to_owned).into_iter().collect(),
                };
                (*field, given)
            };
            rows.push((noun, row["id"].as_str().unwrap().to_owned(), fields.iter().map(texts).collect()));
        }
    }
    rows
}

/// Id, field and score of every row that a plain scan of all texts finds, in order.
fn scanned(rows: &[Row], query: &str) -> Vec<(String, String, i64)> {
    let terms = Terms::parse(query).unwrap();
    // The external ids of a row count as one text.
    let has = |texts: &Vec<String>| terms.are_in(&joined(texts).1);
    let mut found = Vec::new();
    for (noun, id, texts) in rows {
        let names = PLACES.iter().find(|(_, known, ..)| known == noun).unwrap().3;
        if let Some(place) = texts.iter().position(|(_, texts)| has(texts)) {
            found.push((id.clone(), texts[place].0.to_owned(), if place < names { 2 } else { 1 }));
        }
    }
    found.sort_by_key(|(id, _, score)| Reverse((*score, entity::id::decode(id).unwrap().1)));
    found
}

/// A filter by words finds the rows whose column has them, and its complement the others.
async fn filtered(caller: &Caller<'_>, rows: &[Row], query: &str) {
    let terms = Terms::parse(query).unwrap();
    for (list, noun, field) in [("messages", "Message", "statement"), ("feedbackRecords", "FeedbackRecord", "body")] {
        let has = |(_, _, texts): &&Row| {
            let (_, texts) = texts.iter().find(|(known, _)| *known == field).unwrap();
            terms.are_in(&joined(texts).1)
        };
        let expected = rows.iter().filter(|(known, ..)| *known == noun).filter(has).count();
        let all = rows.iter().filter(|(known, ..)| *known == noun).count();
        let document = format!(
            "query($filter: {noun}Filter) {{ has: {list}(filter: $filter) {{ totalCount }}
                not: {list}(filter: {{ not: $filter }}) {{ totalCount }} }}"
        );
        let found = caller.data(&document, json!({ "filter": { field: { "matches": query } } })).await;
        assert_eq!(
            found,
            json!({ "has": { "totalCount": expected }, "not": { "totalCount": all - expected } }),
            "{query}"
        );
    }
}

#[tokio::test]
async fn the_search_finds_what_a_plain_scan_finds_in_the_same_order_on_both_databases() {
    let app = App::start().await;
    let (caller, other) = (app.admin("one").await, app.admin("two").await);
    let mut dice = Dice(20_261_129);
    for of in [&other, &caller] {
        for number in 0..80 {
            let mut keys: BTreeSet<String> = BTreeSet::new();
            keys.extend((0..dice.below(3)).map(|_| format!("{}-{number}", dice.word())));
            let keys: Vec<Value> = keys.into_iter().map(|id| json!({ "system": "crm", "id": id })).collect();
            let (name, text) = (dice.word(), dice.text(12));
            let (field, input) = match dice.below(4) {
                0 => ("messageCreate", json!({ "name": name, "statement": text })),
                1 => ("contentItemCreate", json!({ "kind": "BOOK", "title": name, "summary": text })),
                2 => ("customerCreate", json!({ "name": dice.text(3).replace('\n', " ") })),
                _ => ("feedbackRecordCreate", json!({ "kind": "PRAISE", "body": text })),
            };
            let mut input = input;
            input["externalIds"] = keys.into();
            let id = make(of, field, input).await;
            if number % 5 == 0 {
                let changed = field.replace("Create", "Update");
                let input =
                    json!({ "by": { "id": id }, "externalIds": [{ "system": "crm", "id": format!("new {number}") }] });
                of.mutate(&changed, input, "errors { code }").await;
            }
        }
    }
    let rows = rows(&caller).await;
    assert_eq!(rows.len(), 80);
    let mut hits = 0;
    for number in 0..250 {
        let query = dice.query();
        let expected = scanned(&rows, &query);
        hits += expected.len();
        let (mut seen, mut after) = (Vec::new(), Value::Null);
        let first = if number % 3 == 0 { 7 } else { 1000 };
        loop {
            let page = page(&caller, json!({ "text": query, "first": first, "after": after })).await;
            for hit in page["nodes"].as_array().unwrap() {
                let text = |field: &str| hit[field].as_str().unwrap().to_owned();
                seen.push((text("id"), text("field"), hit["score"].as_i64().unwrap()));
                let is_marked = |segment: &Value| segment["isMatch"] == true;
                assert!(hit["snippet"].as_array().unwrap().iter().any(is_marked), "{query}: {hit}");
            }
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(seen, expected, "{query}");
        filtered(&caller, &rows, &query).await;
    }
    assert!(hits > 1_000, "{hits}");
}
