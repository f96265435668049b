//! Pages concatenated are the whole list, once each, in order: for every order, with ties, nulls and rows that come
//! in between.

use std::collections::{HashMap, HashSet};

use entity::{
    Noun, customer, department, expectation, feedback_record, influencer, interaction_point, medium, noun::Field,
};
use proptest::{collection::vec, option, prelude::*, sample::select, test_runner};
use serde_json::{Value, json};

use crate::{
    app::{App, Caller, refs},
    listing::{Key, List, Row, Term, key, orderable, sorted, wire},
};

/// Texts that sort differently by bytes than by any alphabet; several differ only in case or accent.
const TEXTS: [&str; 10] = ["a", "A", "B", "b", "ä", "Z", "é", "10", "9", "a b"];

/// What a row is made of; each noun takes from it what it has.
#[derive(Clone, Debug)]
struct Seed {
    first: Option<usize>,
    second: Option<usize>,
    third: usize,
}

/// Rows, orders as places of fields with directions, the size of a page, and rows that come later.
#[derive(Clone, Debug)]
struct Case {
    rows: Vec<Seed>,
    late: Vec<Seed>,
    orders: Vec<Vec<(usize, bool, Option<&'static str>)>>,
    size: usize,
}

fn seed() -> impl Strategy<Value = Seed> {
    (option::weighted(0.7, 0..TEXTS.len()), option::weighted(0.6, 0..3_usize), 0..TEXTS.len())
        .prop_map(|(first, second, third)| Seed { first, second, third })
}

fn case() -> impl Strategy<Value = Case> {
    let nulls = option::of(select(&NULLS[..]));
    let order = vec((0..8_usize, any::<bool>(), nulls), 2..=3);
    (vec(seed(), 0..28), vec(seed(), 4), vec(order, 3), 1..9_usize).prop_map(|(rows, late, orders, size)| Case {
        rows,
        late,
        orders,
        size,
    })
}

fn named(id: impl std::fmt::Display) -> Value {
    json!({ "system": "test", "id": id.to_string() })
}

/// A row of a bulk upsert.
fn row(noun: &Noun, id: impl std::fmt::Display, seed: &Seed) -> Value {
    let text = |place: Option<usize>| place.map(|place| TEXTS[place]);
    let point = |place: usize| json!({ "externalId": named(format!("p{place}")) });
    let mut row = match noun.name {
        "Department" | "InteractionPoint" | "Influencer" | "Medium" => json!({ "name": TEXTS[seed.third] }),
        "Customer" => json!({ "name": text(seed.first), "segment": text(seed.second) }),
        "Expectation" => json!({
            "statement": "Fast", "source": "RESEARCH", "pointRef": point(seed.third % 3),
            "importance": seed.second.map(|number| number + 1),
        }),
        "FeedbackRecord" => json!({
            "kind": "COMPLAINT", "receivedAt": format!("2026-01-0{}T00:00:00Z", seed.third % 4 + 1),
            "product": text(seed.first), "pointRef": seed.second.map(point),
        }),
        other => unreachable!("{other} is not paged here"),
    };
    row["externalId"] = named(id);
    row
}

async fn upsert(caller: &Caller<'_>, noun: &Noun, rows: Vec<Value>) -> Vec<String> {
    if rows.is_empty() {
        return Vec::new();
    }
    let done = caller
        .mutate(
            &format!("{}BulkUpsert", noun.plural),
            json!({ "rows": rows }),
            "results { node { id } } errors { code }",
        )
        .await;
    assert_eq!(done["errors"], json!([]));
    let results = done["results"].as_array().unwrap();
    results.iter().map(|result| result["node"]["id"].as_str().unwrap().to_owned()).collect()
}

/// Every row with its values of the orderable fields, and the point it belongs to.
async fn read(caller: &Caller<'_>, noun: &'static Noun) -> Vec<(Row, Option<String>)> {
    let fields = orderable(noun);
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    let point = noun.relation("point").map_or("", |_| "point { id }");
    let document = format!("{{ list: {}(first: 1000) {{ nodes {{ {} {point} }} }} }}", noun.plural, names.join(" "));
    let data = caller.ask(&document).await;
    let row = |node: &Value| {
        let keys = fields.iter().map(|field| key(field, &node[field.name])).collect();
        ((node["id"].as_str().unwrap().to_owned(), keys), node["point"]["id"].as_str().map(str::to_owned))
    };
    data["list"]["nodes"].as_array().unwrap().iter().map(row).collect()
}

/// Where nulls may stand.
const NULLS: [&str; 2] = ["FIRST", "LAST"];

/// Every order by one field in either direction, with nulls at either end, and those of the case.
fn orders(noun: &'static Noun, case: &Case) -> Vec<Vec<Term>> {
    let fields = orderable(noun);
    let mut orders: Vec<Vec<Term>> =
        fields.iter().flat_map(|field| [false, true].map(|way| vec![(*field, way, None)])).collect();
    for field in fields.iter().filter(|field| field.is_nullable) {
        orders.extend(NULLS.iter().flat_map(|nulls| [false, true].map(|way| vec![(*field, way, Some(*nulls))])));
    }
    for places in &case.orders {
        let mut order: Vec<Term> = Vec::new();
        for (place, is_descending, nulls) in places {
            let field: &Field = fields[place % fields.len()];
            if order.iter().all(|(known, ..)| known.name != field.name) {
                order.push((field, *is_descending, *nulls));
            }
        }
        orders.push(order);
    }
    orders
}

/// Runs a check on a few random cases, each in an organization of its own.
fn run(cases: u32, check: &impl AsyncFn(&Caller<'_>, &Case)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(App::start());
    let config = ProptestConfig { cases, max_shrink_iters: 40, failure_persistence: None, ..Default::default() };
    let count = std::cell::Cell::new(0);
    let result = test_runner::TestRunner::new(config).run(&case(), |case| {
        count.set(count.get() + 1);
        runtime.block_on(async {
            let caller = app.admin(&format!("case-{}", count.get())).await;
            let points = (0..3).map(|place| row(&interaction_point::NOUN, format!("p{place}"), &case_seed(place)));
            upsert(&caller, &interaction_point::NOUN, points.collect()).await;
            check(&caller, &case).await;
        });
        Ok(())
    });
    runtime.block_on(async { drop(app) });
    result.unwrap();
}

const fn case_seed(place: usize) -> Seed {
    Seed { first: None, second: None, third: place }
}

const NOUNS: [&Noun; 4] = [&department::NOUN, &customer::NOUN, &expectation::NOUN, &feedback_record::NOUN];

/// Makes the rows of a case, and gives expectations their ranks.
async fn fill(caller: &Caller<'_>, noun: &'static Noun, case: &Case) -> Vec<String> {
    let rows = case.rows.iter().enumerate().map(|(index, seed)| row(noun, index, seed)).collect();
    let ids = upsert(caller, noun, rows).await;
    if noun.name == "Expectation" {
        let mut points: HashMap<Option<String>, Vec<String>> = HashMap::new();
        for ((id, _), point) in read(caller, noun).await {
            points.entry(point).or_default().push(id);
        }
        for (point, mut ids) in points {
            ids.truncate(5);
            ids.reverse();
            let input = json!({ "by": { "id": point }, "expectations": refs(ids) });
            caller.mutate("interactionPointRankExpectations", input, "errors { code }").await;
        }
    }
    ids
}

#[test]
fn pages_in_every_order_are_the_whole_list_once_each() {
    run(5, &async |caller, case| {
        for noun in NOUNS {
            let ids = fill(caller, noun, case).await;
            let rows: Vec<Row> = read(caller, noun).await.into_iter().map(|(row, _)| row).collect();
            let listed: HashSet<&String> = rows.iter().map(|(id, _)| id).collect();
            assert!(ids.iter().all(|id| listed.contains(id)));
            for order in orders(noun, case) {
                List::of(noun).check(caller, &rows, &order, case.size).await;
            }
        }
    });
}

#[test]
fn rows_that_come_between_two_pages_neither_repeat_nor_hide_others() {
    run(4, &async |caller, case| {
        for noun in NOUNS {
            fill(caller, noun, case).await;
            let mut count = 0;
            for order in orders(noun, case) {
                for is_backward in [false, true] {
                    let rows: Vec<Row> = read(caller, noun).await.into_iter().map(|(row, _)| row).collect();
                    let mut late = case.late.iter();
                    let insert = async || {
                        if let Some(seed) = late.next() {
                            count += 1;
                            upsert(caller, noun, vec![row(noun, format!("late-{count}"), seed)]).await;
                        }
                    };
                    let pages = List::of(noun).walk(caller, &order, case.size, is_backward, insert).await;
                    let told = format!("{} by {} in pages of {}", noun.plural, wire(&order), case.size);
                    let ids: Vec<String> = pages.into_iter().flat_map(|page| page.ids).collect();
                    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "{told}");
                    let before: HashSet<&String> = rows.iter().map(|(id, _)| id).collect();
                    let present: Vec<&String> = ids.iter().filter(|id| before.contains(id)).collect();
                    assert_eq!(present, sorted(noun, &rows, &order).iter().collect::<Vec<_>>(), "{told}");
                }
            }
        }
    });
}

#[test]
fn lists_below_a_row_are_paged_as_whole_lists_are() {
    run(4, &async |caller, case| {
        for (noun, relation) in [(&expectation::NOUN, "expectations"), (&feedback_record::NOUN, "feedbackRecords")] {
            fill(caller, noun, case).await;
            let rows = read(caller, noun).await;
            let parents: Vec<String> =
                read(caller, &interaction_point::NOUN).await.into_iter().map(|((id, _), _)| id).collect();
            let below = |parent: &String| -> Vec<Row> {
                rows.iter().filter(|(_, point)| point.as_ref() == Some(parent)).map(|(row, _)| row.clone()).collect()
            };
            for order in orders(noun, case) {
                check_all_parents(caller, noun, relation, &order, case.size, &parents, below).await;
            }
            for parent in &parents {
                for order in orders(noun, case).split_off(2 * orderable(noun).len() - 2) {
                    let list = List::below(&interaction_point::NOUN, relation, parent);
                    list.check(caller, &below(parent), &order, case.size).await;
                }
            }
        }
    });
}

/// The first rows below every parent at once, and the next ones after a cursor of one of them.
async fn check_all_parents(
    caller: &Caller<'_>,
    noun: &'static Noun,
    relation: &str,
    order: &[Term],
    size: usize,
    parents: &[String],
    below: impl Fn(&String) -> Vec<Row>,
) {
    let document = format!(
        "query($first: Int, $after: String, $order: [{}Order!]) {{ interactionPoints {{ nodes {{ id
            list: {relation}(first: $first, after: $after, orderBy: $order) {{
                totalCount edges {{ cursor node {{ id }} }} pageInfo {{ hasNextPage }}
        }} }} }} }}",
        noun.name
    );
    let all: Vec<Row> = parents.iter().flat_map(&below).collect();
    let mut after: Option<(String, String)> = None;
    for _ in 0..2 {
        let cursor = after.as_ref().map(|(_, cursor)| cursor);
        let variables = json!({ "first": size, "after": cursor, "order": wire(order) });
        let data = caller.data(&document, variables).await;
        let all = sorted(noun, &all, order);
        let start = after.as_ref().map_or(0, |(id, _)| all.iter().position(|known| known == id).unwrap() + 1);
        let mut next = None;
        for parent in data["interactionPoints"]["nodes"].as_array().unwrap() {
            let (rows, list) = (below(&parent["id"].as_str().unwrap().to_owned()), &parent["list"]);
            let later: Vec<String> =
                sorted(noun, &rows, order).into_iter().filter(|id| all[start..].contains(id)).collect();
            let edges = list["edges"].as_array().unwrap();
            let ids: Vec<&str> = edges.iter().map(|edge| edge["node"]["id"].as_str().unwrap()).collect();
            assert_eq!(ids, later[..later.len().min(size)], "{relation} by {}", wire(order));
            assert_eq!(list["totalCount"], rows.len());
            assert_eq!(list["pageInfo"]["hasNextPage"], later.len() > size);
            if let Some(edge) = edges.last() {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                next = Some((text(&edge["node"]["id"]), text(&edge["cursor"])));
            }
        }
        after = next;
    }
}

#[test]
fn lists_through_a_table_are_paged_and_their_edges_say_what_it_says() {
    run(3, &async |caller, case| {
        let (point, influencers) = (&interaction_point::NOUN, &influencer::NOUN);
        let ids = fill(caller, influencers, case).await;
        let parent = read(caller, point).await.swap_remove(0).0.0;
        let strength = |place: usize| place % 5 + 1;
        let links: Vec<Value> = ids
            .iter()
            .enumerate()
            .map(|(place, id)| json!({ "influencer": { "id": id }, "strength": strength(place) }))
            .collect();
        let input = json!({ "by": { "id": parent }, "influencers": links });
        caller.mutate("interactionPointSetInfluencers", input, "errors { code }").await;
        let rows: Vec<Row> = read(caller, influencers).await.into_iter().map(|(row, _)| row).collect();
        for order in orders(influencers, case) {
            List::below(point, "influencers", &parent).check(caller, &rows, &order, case.size).await;
        }
        let document = "query($id: ID!) { interactionPoint(by: { id: $id }) {
            influencers(first: 1000, orderBy: [{ field: NAME }]) { edges { strength node { id } } } } }";
        let data = caller.data(document, json!({ "id": parent })).await;
        for edge in data["interactionPoint"]["influencers"]["edges"].as_array().unwrap() {
            let place = ids.iter().position(|id| edge["node"]["id"] == **id).unwrap();
            assert_eq!(edge["strength"], strength(place));
        }
        // The other way round, and a table that says nothing more.
        let mediums = fill(caller, &medium::NOUN, case).await;
        let refs: Vec<Value> = mediums.iter().map(|id| json!({ "id": id })).collect();
        let input = json!({ "by": { "id": parent }, "mediums": refs });
        caller.mutate("interactionPointSetMediums", input, "errors { code }").await;
        let rows: Vec<Row> = read(caller, &medium::NOUN).await.into_iter().map(|(row, _)| row).collect();
        let order = [(medium::NOUN.field("name").unwrap(), true, None)];
        List::below(point, "mediums", &parent).check(caller, &rows, &order, case.size).await;
        if let Some(id) = ids.first() {
            let rows: Vec<Row> = read(caller, point).await.into_iter().map(|(row, _)| row).collect();
            let rows: Vec<Row> = rows.into_iter().filter(|(id, _)| *id == parent).collect();
            List::below(influencers, "interactionPoints", id).check(caller, &rows, &[], case.size).await;
        }
    });
}

#[tokio::test]
async fn twenty_thousand_rows_are_paged_in_order_with_ties_and_nulls() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    let noun = &feedback_record::NOUN;
    let fields = orderable(noun);
    let mut rows: Vec<Row> = Vec::new();
    for thousand in 0..20 {
        let made: Vec<(i64, Option<usize>)> = (0..1_000)
            .map(|index| {
                let number = thousand * 1_000 + index;
                (i64::try_from(number * 7_919 % 503).unwrap(), Some(number * 31 % 11).filter(|product| *product < 10))
            })
            .collect();
        let wired = made.iter().enumerate().map(|(index, (minute, product))| {
            let at = chrono::DateTime::from_timestamp(minute * 60, 0).unwrap().to_rfc3339();
            let id = named(thousand * 1_000 + index);
            json!({ "externalId": id, "kind": "PRAISE", "receivedAt": at, "product": product.map(|place| TEXTS[place]) })
        });
        let ids = upsert(&caller, noun, wired.collect()).await;
        for (id, (minute, product)) in ids.into_iter().zip(made) {
            let value = |field: &&Field| match field.name {
                "id" => Key::Text(id.clone()),
                "receivedAt" => Key::Number(minute * 60_000),
                "product" => product.map_or(Key::Null, |place| Key::Text(TEXTS[place].to_owned())),
                _ => Key::Null,
            };
            rows.push((id.clone(), fields.iter().map(value).collect()));
        }
    }
    let term = |name: &str, is_descending: bool| (noun.field(name).unwrap(), is_descending, None);
    let with_nulls = |name: &str, is_descending: bool, nulls| (noun.field(name).unwrap(), is_descending, Some(nulls));
    for order in [
        vec![term("receivedAt", true)],
        vec![term("product", false), term("receivedAt", true)],
        vec![term("product", true), term("receivedAt", false), term("id", true)],
        vec![with_nulls("product", false, "LAST"), term("receivedAt", true)],
        vec![with_nulls("product", true, "FIRST")],
    ] {
        List::of(noun).check(&caller, &rows, &order, 997).await;
    }
}
