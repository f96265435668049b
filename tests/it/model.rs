//! Random writes against a model in memory: the same outcomes, and the same rows and versions in the end.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*, sample::select, test_runner};
use serde_json::{Value, json};

use crate::app::{App, Caller};

/// What a customer is in the model: name, segment, version, and whether it is archived.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    values: [Option<String>; 2],
    version: i64,
    is_archived: bool,
}

type Model = BTreeMap<usize, Row>;

/// A value to write: left out, null, or a text (of which the empty one is null too, and the long one wrong).
type Given = Option<Option<&'static str>>;

#[derive(Clone, Debug)]
struct Upsert {
    key: usize,
    values: [Given; 2],
    /// How far the expected version lies above the true one.
    offset: Option<i64>,
}

#[derive(Clone, Debug)]
enum Step {
    Upsert(Upsert, &'static str),
    Bulk(Vec<Upsert>, &'static str, bool),
    Update(Upsert),
    Archive(usize, bool),
    Delete(usize),
}

const KEYS: usize = 5;
const FIELDS: [&str; 2] = ["name", "segment"];
const MODES: [&str; 3] = ["UPSERT", "CREATE_ONLY", "UPDATE_ONLY"];

fn upsert() -> impl Strategy<Value = Upsert> {
    let long: &'static str = Box::leak("x".repeat(201).into_boxed_str());
    let given = prop_oneof![
        2 => Just(None),
        1 => Just(Some(None)),
        6 => select(vec!["a", "b", "ä", " "]).prop_map(|text| Some(Some(text))),
        1 => Just(Some(Some(long))),
    ];
    let offset = prop_oneof![4 => Just(None), 2 => Just(Some(0)), 1 => Just(Some(1))];
    (0..KEYS, [given.clone(), given], offset).prop_map(|(key, values, offset)| Upsert { key, values, offset })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (upsert(), select(&MODES[..])).prop_map(|(row, mode)| Step::Upsert(row, mode)),
        3 => (vec(upsert(), 1..6), select(&MODES[..]), any::<bool>())
            .prop_map(|(rows, mode, skips)| Step::Bulk(rows, mode, skips)),
        2 => upsert().prop_map(Step::Update),
        1 => (0..KEYS, any::<bool>()).prop_map(|(key, is_archived)| Step::Archive(key, is_archived)),
        1 => (0..KEYS).prop_map(Step::Delete),
    ]
}

impl Upsert {
    fn input(&self, model: &Model) -> Value {
        let mut input = json!({});
        for (field, given) in FIELDS.iter().zip(&self.values) {
            if let Some(value) = given {
                input[*field] = json!(value);
            }
        }
        if let Some(offset) = self.offset {
            input["expectedVersion"] = json!(model.get(&self.key).map_or(1, |row| row.version) + offset);
        }
        input
    }

    fn row(&self, model: &Model) -> Value {
        let mut row = self.input(model);
        row["externalId"] = json!({ "system": "test", "id": self.key.to_string() });
        row
    }

    /// What the contract says comes of it, and the row afterwards.
    fn expected(&self, model: &Model, mode: &str, clears: bool) -> (&'static str, Option<Row>) {
        let current = model.get(&self.key);
        let is_long = self.values.iter().flatten().flatten().any(|text| text.len() > 200);
        let is_stale = self.offset.is_some_and(|offset| offset != 0 || current.is_none());
        let is_refused = match mode {
            "CREATE_ONLY" => current.is_some(),
            "UPDATE_ONLY" => current.is_none(),
            _ => false,
        };
        if is_long || is_stale || is_refused {
            return ("FAILED", None);
        }
        let mut row = current.cloned().unwrap_or(Row { values: [None, None], version: 0, is_archived: false });
        for (value, given) in row.values.iter_mut().zip(&self.values) {
            // A null keeps what is there: its callers send one for what they do not set.
            if let Some(given) = given.filter(|given| clears || given.is_some()) {
                *value = given.filter(|text| !text.trim().is_empty()).map(str::to_owned);
            }
        }
        match current {
            Some(current) if current.values == row.values => ("UNCHANGED", None),
            known => {
                row.version += 1;
                (if known.is_some() { "UPDATED" } else { "CREATED" }, Some(row))
            }
        }
    }
}

/// Takes a step in both worlds and compares what is said of it.
async fn take(caller: &Caller<'_>, model: &mut Model, step: &Step) {
    let outcome = |payload: &Value| payload["outcome"].as_str().unwrap().to_owned();
    match step {
        Step::Upsert(row, mode) => {
            let mut input = row.row(model);
            input["mode"] = json!(mode);
            let done = caller.mutate("customerUpsert", input, "outcome").await;
            let (expected, after) = row.expected(model, mode, false);
            assert_eq!(outcome(&done), expected);
            model.extend(after.map(|after| (row.key, after)));
        }
        Step::Bulk(rows, mode, skips) => {
            let policy = if *skips { "SKIP_INVALID" } else { "ALL_OR_NOTHING" };
            let wired: Vec<Value> = rows.iter().map(|row| row.row(model)).collect();
            let input = json!({ "rows": wired, "mode": mode, "policy": policy });
            let done = caller.mutate("customersBulkUpsert", input, "results { outcome }").await;
            let mut expected: Vec<(&str, Option<Row>)> = Vec::new();
            for (place, row) in rows.iter().enumerate() {
                let is_repeated = rows[..place].iter().any(|earlier| earlier.key == row.key);
                expected.push(if is_repeated { ("FAILED", None) } else { row.expected(model, mode, false) });
            }
            if !skips && expected.iter().any(|(outcome, _)| *outcome == "FAILED") {
                expected.fill(("FAILED", None));
            }
            let outcomes: Vec<String> = done["results"].as_array().unwrap().iter().map(outcome).collect();
            assert_eq!(outcomes, expected.iter().map(|(outcome, _)| *outcome).collect::<Vec<_>>());
            for (row, (_, after)) in rows.iter().zip(expected) {
                model.extend(after.map(|after| (row.key, after)));
            }
        }
        Step::Update(row) => {
            let mut input = row.input(model);
            input["by"] = json!({ "id": id(caller, row.key).await });
            let done = caller.mutate("customerUpdate", input, "outcome").await;
            let (expected, after) = row.expected(model, "UPDATE_ONLY", true);
            assert_eq!(outcome(&done), expected);
            model.extend(after.map(|after| (row.key, after)));
        }
        Step::Archive(key, is_archived) => {
            let field = if *is_archived { "customerArchive" } else { "customerUnarchive" };
            let done = caller.mutate(field, json!({ "by": { "id": id(caller, *key).await } }), "outcome").await;
            let expected = match model.get_mut(key) {
                None => "FAILED",
                Some(row) if row.is_archived == *is_archived => "UNCHANGED",
                Some(row) => {
                    row.is_archived = *is_archived;
                    row.version += 1;
                    "UPDATED"
                }
            };
            assert_eq!(outcome(&done), expected);
        }
        Step::Delete(key) => {
            let done =
                caller.mutate("customerDelete", json!({ "by": { "id": id(caller, *key).await } }), "outcome").await;
            assert_eq!(outcome(&done), if model.remove(key).is_some() { "DELETED" } else { "FAILED" });
        }
    }
}

/// The id of a customer, or of none.
async fn id(caller: &Caller<'_>, key: usize) -> Value {
    let document = "query($id: String!) { customer(by: { externalId: { system: \"test\", id: $id } }) { id } }";
    let data = caller.data(document, json!({ "id": key.to_string() })).await;
    data.pointer("/customer/id").cloned().unwrap_or(json!("cust_01h455vb4pex5vsknk084sn02q"))
}

/// Every customer as the API shows it.
async fn shown(caller: &Caller<'_>) -> Model {
    let data = caller
        .ask("{ customers(filter: { archivedAt: {} }) { nodes { name segment version archivedAt externalIds { id } } } }")
        .await;
    let row = |node: &Value| {
        let text = |field: &str| node[field].as_str().map(str::to_owned);
        let is_archived = !node["archivedAt"].is_null();
        let version = node["version"].as_i64().unwrap();
        let key = node["externalIds"][0]["id"].as_str().unwrap().parse().unwrap();
        (key, Row { values: FIELDS.map(text), version, is_archived })
    };
    data["customers"]["nodes"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn any_sequence_of_writes_leaves_what_the_model_says() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(App::start());
    let config = ProptestConfig { cases: 24, max_shrink_iters: 60, failure_persistence: None, ..Default::default() };
    let count = std::cell::Cell::new(0);
    let result = test_runner::TestRunner::new(config).run(&vec(step(), 1..30), |steps| {
        count.set(count.get() + 1);
        runtime.block_on(async {
            let caller = app.admin(&format!("case-{}", count.get())).await;
            let mut model = Model::new();
            for step in &steps {
                take(&caller, &mut model, step).await;
            }
            assert_eq!(shown(&caller).await, model);
        });
        Ok(())
    });
    runtime.block_on(async { drop(app) });
    result.unwrap();
}
