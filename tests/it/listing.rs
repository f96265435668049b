//! Walks lists page by page, and sorts the same rows in Rust to compare.

use std::cmp::Ordering;

use entity::{
    Noun,
    noun::{Field, Kind},
};
use serde_json::{Value, json};

use crate::app::Caller;

/// A value to sort by. Null is the smallest unless the order says otherwise, texts compare by bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Null,
    Number(i64),
    Text(String),
}

/// One term of an order: the field, whether the largest comes first, and where nulls stand if it says so.
pub type Term = (&'static Field, bool, Option<&'static str>);

/// A row: its id and its values of the noun's orderable fields.
pub type Row = (String, Vec<Key>);

/// A list of a whole noun, or of the children of one row.
pub struct List {
    noun: &'static Noun,
    document: String,
    pointer: &'static str,
    parent: Value,
}

/// One page.
#[derive(Debug)]
pub struct Page {
    pub ids: Vec<String>,
    pub cursors: Vec<String>,
    pub has_next: bool,
    pub has_previous: bool,
    pub total: usize,
}

const PAGE: &str = "(first: $first, after: $after, last: $last, before: $before, orderBy: $order)
    { edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount }";

/// What a noun can be ordered by.
pub fn orderable(noun: &'static Noun) -> Vec<&'static Field> {
    noun.all_fields().filter(|field| field.is_orderable).collect()
}

/// The value of a field as something to sort by.
pub fn key(field: &Field, value: &Value) -> Key {
    match (value, field.kind) {
        (Value::Null, _) => Key::Null,
        (Value::Number(number), _) => Key::Number(number.as_i64().unwrap()),
        (value, Kind::Instant) => {
            let at = chrono::DateTime::parse_from_rfc3339(value.as_str().unwrap()).unwrap();
            Key::Number(at.timestamp_millis())
        }
        (value, _) => Key::Text(value.as_str().unwrap().to_owned()),
    }
}

/// The order as the API takes it.
pub fn wire(order: &[Term]) -> Value {
    let term = |(field, is_descending, nulls): &Term| {
        let mut name = String::new();
        for sign in field.name.chars() {
            if sign.is_ascii_uppercase() {
                name.push('_');
            }
            name.push(sign.to_ascii_uppercase());
        }
        json!({ "field": name, "direction": if *is_descending { "DESC" } else { "ASC" }, "nulls": nulls })
    };
    order.iter().map(term).collect()
}

/// Sorts as the contract says: by each term, then by id in the direction of the last term.
pub fn sorted(noun: &'static Noun, rows: &[Row], order: &[Term]) -> Vec<String> {
    let fields = orderable(noun);
    let mut rows = rows.to_vec();
    rows.sort_by(|(left_id, left), (right_id, right)| {
        let mut last = false;
        for (field, is_descending, nulls) in order {
            let place = fields.iter().position(|known| known.name == field.name).unwrap();
            if let Some(nulls) = nulls
                && (left[place] == Key::Null) != (right[place] == Key::Null)
            {
                let is_left = (left[place] == Key::Null) == (*nulls == "FIRST");
                return if is_left { Ordering::Less } else { Ordering::Greater };
            }
            match left[place].cmp(&right[place]) {
                Ordering::Equal => last = *is_descending,
                unequal => return if *is_descending { unequal.reverse() } else { unequal },
            }
        }
        if last { right_id.cmp(left_id) } else { left_id.cmp(right_id) }
    });
    rows.into_iter().map(|(id, _)| id).collect()
}

impl List {
    /// Every row of a noun.
    pub fn of(noun: &'static Noun) -> Self {
        let document = format!(
            "query($first: Int, $after: String, $last: Int, $before: String, $order: [{}Order!]) {{ list: {} {PAGE} }}",
            noun.name, noun.plural
        );
        Self { noun, document, pointer: "/list", parent: Value::Null }
    }

    /// The rows that a relation of one row leads to.
    pub fn below(parent: &'static Noun, relation: &str, id: &str) -> Self {
        let noun = parent.relation(relation).unwrap().target;
        let document = format!(
            "query($parent: ID!, $first: Int, $after: String, $last: Int, $before: String, $order: [{}Order!])
            {{ parent: {}(by: {{ id: $parent }}) {{ list: {relation} {PAGE} }} }}",
            noun.name, parent.singular
        );
        Self { noun, document, pointer: "/parent/list", parent: id.into() }
    }

    /// One page; `arguments` are those of paging.
    pub async fn page(&self, caller: &Caller<'_>, order: &[Term], mut arguments: Value) -> Page {
        let (asked, limit) = (arguments.clone(), arguments["first"].as_u64().or(arguments["last"].as_u64()));
        arguments["order"] = wire(order);
        if self.pointer != "/list" {
            arguments["parent"] = self.parent.clone();
        }
        let data = caller.data(&self.document, arguments).await;
        let list = data.pointer(self.pointer).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let edges = list["edges"].as_array().unwrap();
        let page = Page {
            ids: edges.iter().map(|edge| text(&edge["node"]["id"])).collect(),
            cursors: edges.iter().map(|edge| text(&edge["cursor"])).collect(),
            has_next: list["pageInfo"]["hasNextPage"].as_bool().unwrap(),
            has_previous: list["pageInfo"]["hasPreviousPage"].as_bool().unwrap(),
            total: usize::try_from(list["totalCount"].as_u64().unwrap()).unwrap(),
        };
        assert_eq!(list["pageInfo"]["startCursor"].as_str(), page.cursors.first().map(String::as_str), "{asked}");
        assert_eq!(list["pageInfo"]["endCursor"].as_str(), page.cursors.last().map(String::as_str), "{asked}");
        assert!(page.ids.len() <= usize::try_from(limit.unwrap_or(25)).unwrap(), "{asked}");
        page
    }

    /// All pages of `size` from one end to the other, and what they say of themselves. `between` runs after each.
    pub async fn walk(
        &self,
        caller: &Caller<'_>,
        order: &[Term],
        size: usize,
        is_backward: bool,
        mut between: impl AsyncFnMut(),
    ) -> Vec<Page> {
        let (mut pages, mut cursor): (Vec<Page>, Option<String>) = (Vec::new(), None);
        loop {
            let arguments = if is_backward {
                json!({ "last": size, "before": cursor })
            } else {
                json!({ "first": size, "after": cursor })
            };
            let page = self.page(caller, order, arguments).await;
            let (goes_on, came) =
                if is_backward { (page.has_previous, page.has_next) } else { (page.has_next, page.has_previous) };
            assert_eq!(came, cursor.is_some());
            assert!(!goes_on || page.ids.len() == size, "only the last page is short");
            cursor = if is_backward { page.cursors.first().cloned() } else { page.cursors.last().cloned() };
            pages.push(page);
            if !goes_on {
                break;
            }
            between().await;
        }
        if is_backward {
            pages.reverse();
        }
        pages
    }

    /// Checks that pages in both directions concatenate to exactly `rows` in the order, and that ranges between two
    /// cursors hold what lies between.
    pub async fn check(&self, caller: &Caller<'_>, rows: &[Row], order: &[Term], size: usize) {
        let expected = sorted(self.noun, rows, order);
        let told = format!("{} by {} in pages of {size}", self.noun.plural, wire(order));
        for is_backward in [false, true] {
            let pages = self.walk(caller, order, size, is_backward, async || ()).await;
            let ids: Vec<&String> = pages.iter().flat_map(|page| &page.ids).collect();
            assert_eq!(ids, expected.iter().collect::<Vec<_>>(), "{told}");
            assert!(pages.iter().all(|page| page.total == rows.len()), "{told}");
            assert_eq!(pages.len(), rows.len().div_ceil(size).max(1), "{told}");
            let cursors: Vec<&String> = pages.iter().flat_map(|page| &page.cursors).collect();
            if cursors.len() < 3 {
                continue;
            }
            let (from, to) = (cursors.len() / 4, cursors.len() - 1 - cursors.len() / 5);
            let inside = &expected[from + 1..to];
            let name = if is_backward { "last" } else { "first" };
            let arguments = json!({ "after": cursors[from], "before": cursors[to], name: size });
            let page = self.page(caller, order, arguments).await;
            let start = if is_backward { inside.len().saturating_sub(size) } else { 0 };
            assert_eq!(page.ids, inside[start..(start + size).min(inside.len())], "{told} between two cursors");
            assert_eq!(page.total, rows.len(), "{told}");
            let goes_on = if is_backward { page.has_previous } else { page.has_next };
            assert_eq!(goes_on, inside.len() > size, "{told} between two cursors");
        }
    }
}
