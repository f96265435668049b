//! The export of an organization: everything it has, in a stable order, to be continued anywhere.

use std::collections::BTreeMap;

use entity::{
    NOUNS, Permission,
    noun::{Link, Noun},
};
use serde_json::{Map, Value, json};

use crate::{
    fixture::World,
    outline::Outline,
    server::{Answer, Door},
};

const PATH: &str = "/organization/export";

/// The lines of an export, or of the rest after a row.
async fn lines(door: &Door, token: &str, after: Option<&str>) -> Vec<Value> {
    let path = after.map_or_else(|| PATH.to_owned(), |after| format!("{PATH}?after={after}"));
    let response = door.get(&path).bearer_auth(token).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    response.text().await.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn noun_of(line: &Value) -> &'static Noun {
    entity::noun_named(line["type"].as_str().unwrap()).unwrap()
}

fn id_of(line: &Value) -> &str {
    line["row"]["id"].as_str().unwrap()
}

fn counted(rows: &[Value]) -> Value {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        *counts.entry(row["type"].as_str().unwrap()).or_default() += 1;
    }
    json!({ "complete": true, "rowCount": rows.len(), "rows": counts })
}

#[actix_web::test]
async fn an_export_has_every_row_with_everything_in_order_and_goes_on_after_any_row() {
    let (door, outline) = (Door::open(Vec::new()).await, Outline::read());
    let other = World::filled(&outline, door.app.admin("other").await, "Alpha").await;
    let world = World::filled(&outline, door.app.caller(door.acme, Permission::ALL), "Own").await;
    let records: Vec<Value> = (0..60)
        .map(|row| json!({ "kind": "PRAISE", "externalId": { "system": "desk", "id": row.to_string() } }))
        .collect();
    world.caller.mutate("feedbackRecordsBulkUpsert", json!({ "rows": records }), "errors { code }").await;
    let token = door.token(Permission::ALL);
    let dump = door.app.dump(door.acme).await;
    let all = lines(&door, &token, None).await;

    let [first, rows @ .., last] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(first["organization"], world.newest("Organization").id);
    assert_eq!(last, &counted(rows));
    for noun in NOUNS {
        let own: Vec<&Map<String, Value>> =
            rows.iter().filter(|row| row["type"] == noun.name).map(|row| row["row"].as_object().unwrap()).collect();
        assert_eq!(own.len(), dump[noun.table].len(), "{}", noun.name);
        assert!(!own.is_empty(), "{}", noun.name);
        for field in noun.shown_fields() {
            assert!(own.iter().all(|row| row.contains_key(field.name)), "{}.{}", noun.name, field.name);
        }
        if noun.has_external_ids {
            assert!(own.iter().any(|row| row.contains_key("externalIds")), "{}", noun.name);
        }
        for relation in noun.relations {
            let Link::Through { table, edge, .. } = relation.link else { continue };
            if table.starts_with(noun.table) && !dump[table].is_empty() {
                let links: Vec<&Value> = own.iter().flat_map(|row| row[relation.name].as_array().unwrap()).collect();
                assert_eq!(links.len(), dump[table].len(), "{}.{}", noun.name, relation.name);
                assert!(edge.iter().all(|field| links.iter().all(|link| link.get(field.name).is_some())));
            }
        }
    }
    let places: Vec<(usize, &str)> = rows
        .iter()
        .map(|row| (NOUNS.iter().position(|noun| noun.table == noun_of(row).table).unwrap(), id_of(row)))
        .collect();
    assert!(places.is_sorted(), "nouns in their order, rows by id");
    let text = json!(all).to_string();
    assert!(!text.contains("Alpha"));
    assert!(other.ids().iter().all(|id| !text.contains(id)));

    // After the first and the last row, within a noun, and where one noun ends.
    for place in (0..rows.len()).step_by(17).chain([rows.len() - 1]) {
        let rest = lines(&door, &token, Some(id_of(&rows[place]))).await;
        let [first, rest @ .., last] = rest.as_slice() else { panic!("{rest:?}") };
        assert_eq!(first["after"], id_of(&rows[place]));
        assert_eq!(rest, &rows[place + 1..]);
        assert_eq!(last, &counted(rest));
    }
    if door.app.database.is_sqlite() {
        let _writer = door.app.database.hold("department").await;
        assert_eq!(lines(&door, &token, None).await.len(), all.len(), "it waits for no writer");
    }
}

#[actix_web::test]
async fn an_export_needs_an_admin_who_may_read_everything_and_a_row_to_go_on_after() {
    let door = Door::open(Vec::new()).await;
    let ask = async |path: String, token: Option<String>| {
        let mut asked = door.get(&path);
        if let Some(token) = token {
            asked = asked.bearer_auth(token);
        }
        Answer::of(asked.send().await.unwrap()).await
    };
    assert_eq!(ask(PATH.to_owned(), None).await.refused(), (401, "UNAUTHENTICATED"));
    let needed = NOUNS.into_iter().filter_map(|noun| noun.read).chain([Permission::Admin, Permission::CustomersRead]);
    for scope in needed {
        let token = door.token(Permission::ALL.into_iter().filter(|known| *known != scope));
        assert_eq!(ask(PATH.to_owned(), Some(token)).await.refused(), (403, "FORBIDDEN"), "{scope:?}");
    }
    for (query, code) in [
        ("after=none", "BAD_USER_INPUT"),
        ("after=", "BAD_USER_INPUT"),
        ("after=xyz_00000000000000000000000000", "BAD_USER_INPUT"),
        ("first=3", "BAD_REQUEST"),
    ] {
        let answer = ask(format!("{PATH}?{query}"), Some(door.token(Permission::ALL))).await;
        assert_eq!(answer.refused(), (400, code), "{query}");
    }
    let posted = Answer::of(door.post(PATH).send().await.unwrap()).await;
    assert_eq!(posted.refused(), (405, "METHOD_NOT_ALLOWED"));
}
