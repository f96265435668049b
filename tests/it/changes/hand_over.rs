//! Whoever reads the head, then all rows, and then the changes after that head has what the database has, whoever writes
//! meanwhile.

use std::collections::BTreeMap;

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{change, page, sequences};
use crate::app::{App, Caller};

/// A sequence of numbers that looks random, the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// The ids and versions of all rows of the lists below.
type Rows = BTreeMap<String, i64>;

const LISTS: [&str; 4] = ["departments", "customers", "feedbackRecords", "mediums"];

fn key(number: usize) -> Value {
    json!({ "externalId": { "system": "dice", "id": number.to_string() } })
}

/// Writes at random; what is refused is no matter.
async fn write(caller: Caller<'_>, seed: u64) {
    let mut dice = Dice(seed);
    for _ in 0..25 {
        let (which, other) = (dice.roll(6), dice.roll(6));
        let name = dice.roll(1_000).to_string();
        let row = |input: Value| {
            let mut input = input;
            input["externalId"] = key(which)["externalId"].clone();
            input
        };
        let (field, input) = match dice.roll(12) {
            0 => ("departmentUpsert", row(json!({ "name": name }))),
            1 => ("departmentArchive", json!({ "by": key(which) })),
            2 => ("departmentUnarchive", json!({ "by": key(which) })),
            3 => ("departmentDelete", json!({ "by": key(which) })),
            4 => ("mediumUpsert", row(json!({ "name": name }))),
            5 => ("mediumDelete", json!({ "by": key(which) })),
            6 | 7 => ("customerUpsert", row(json!({ "name": name }))),
            8 => ("customerMerge", json!({ "winner": key(which), "loser": key(other) })),
            9 => ("customerErase", json!({ "by": key(which) })),
            _ => (
                "feedbackRecordsBulkUpsert",
                json!({ "rows": (0..3).map(|more| json!({ "externalId": key(which * 3 + more)["externalId"],
                    "kind": "PRAISE", "body": name, "customerRef": key(other) })).collect::<Vec<_>>() }),
            ),
        };
        let (first, rest) = field.split_at(1);
        let document = format!(
            "mutation($input: {}{rest}Input!) {{ {field}(input: $input) {{ errors {{ code }} }} }}",
            first.to_uppercase()
        );
        caller.run(&document, json!({ "input": input })).await;
    }
}

/// Reads all rows, page by page.
async fn all(caller: &Caller<'_>) -> Rows {
    let mut rows = Rows::new();
    for list in LISTS {
        let noun = format!("{}{}", list[..1].to_uppercase(), &list[1..list.len() - 1]);
        let both = "filter: {or: [{archivedAt: {isNull: true}}, {archivedAt: {isNull: false}}]}";
        let both = if noun == "FeedbackRecord" { "" } else { both };
        let mut after = Value::Null;
        loop {
            let document = format!(
                "query($after: String) {{ {list}(first: 3, after: $after {both}) {{ nodes {{ id version }}
                    pageInfo {{ hasNextPage endCursor }} }} }}"
            );
            let page = caller.data(&document, json!({ "after": after })).await[list].take();
            for row in page["nodes"].as_array().unwrap() {
                rows.insert(row["id"].as_str().unwrap().to_owned(), row["version"].as_i64().unwrap());
            }
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }
    rows
}

/// Applies changes as a copy does.
fn apply(rows: &mut Rows, page: &Value) {
    for change in page["nodes"].as_array().unwrap() {
        let (id, version) = (change["rowId"].as_str().unwrap().to_owned(), change["rowVersion"].as_i64().unwrap());
        match change["operation"].as_str().unwrap() {
            "DELETED" | "MERGED" => rows.remove(&id),
            _ => rows.insert(id, version),
        };
        if let Some(now) = change["row"]["version"].as_i64() {
            assert!(now >= version, "{change}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_read_after_a_head_and_the_changes_after_it_are_the_rows_of_the_end() {
    for seed in 0..3 {
        let app = App::start().await;
        let caller = app.admin("one").await;
        let (finished, is_finished) = watch::channel(false);
        let writers = async {
            let turns = (0..4).map(|writer| write(caller.named(&format!("writer {writer}")), seed * 10 + writer));
            join_all(turns).await;
            finished.send(true).unwrap();
        };
        let reader = async {
            let types = json!(["DEPARTMENT", "CUSTOMER", "FEEDBACK_RECORD", "MEDIUM"]);
            while page(&caller, json!({})).await["headSequence"] == 0 {
                tokio::task::yield_now().await;
            }
            let mut after = page(&caller, json!({ "first": 1 })).await["headCursor"].take();
            let mut rows = all(&caller).await;
            let mut last = 0;
            loop {
                let is_last = *is_finished.borrow();
                let page = page(&caller, json!({ "after": after, "first": 7, "types": types })).await;
                for sequence in sequences(&page) {
                    assert!(sequence > last, "{sequence} after {last}");
                    last = sequence;
                }
                apply(&mut rows, &page);
                if page["pageInfo"]["hasNextPage"] == true {
                    after = page["pageInfo"]["endCursor"].clone();
                } else if is_last {
                    return rows;
                } else {
                    after = page["headCursor"].clone();
                }
            }
        };
        let ((), followed) = join(writers, reader).await;
        let rows = all(&caller).await;
        assert_eq!(followed, rows, "seed {seed}");
        assert!(rows.len() > 10, "{rows:?}");
    }
}

/// The reader sees each sequence once: nothing commits behind its back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_among_concurrent_writers_misses_no_sequence() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let (finished, is_finished) = watch::channel(false);
    let writers = async {
        join_all((0..6).map(|writer| {
            let caller = caller.named(&format!("writer {writer}"));
            async move {
                for turn in 0..8 {
                    let row = |id: usize| json!({ "externalId": key(writer * 100 + id)["externalId"], "name": format!("{turn}") });
                    let rows: Vec<Value> = (0..=turn % 3).map(row).collect();
                    change(&caller, "departmentsBulkUpsert", json!({ "rows": rows })).await;
                }
            }
        }))
        .await;
        finished.send(true).unwrap();
    };
    let reader = async {
        let mut seen: Vec<i64> = Vec::new();
        loop {
            let is_last = *is_finished.borrow();
            let page = page(&caller, json!({ "afterSequence": seen.last().copied().unwrap_or(0), "first": 5 })).await;
            seen.extend(sequences(&page));
            if is_last && page["pageInfo"]["hasNextPage"] == false {
                return (seen, page["headSequence"].as_i64().unwrap());
            }
        }
    };
    let ((), (seen, head)) = join(writers, reader).await;
    assert!(seen.iter().copied().eq(1..=head), "{seen:?}");
    assert!(head > 60, "{head}");
}
