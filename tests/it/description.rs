//! The description of every noun against the tables that the migrations make and the models that read them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use entity::{
    NOUNS, Noun,
    noun::{Field, Kind, Link, Operation, Personal},
    personal::is_about_a_person,
};
use rapport::store::writing::delete::uses;

use crate::{app::App, database::Database};

/// A table as the database knows it.
#[derive(Debug, Default)]
pub struct Table {
    /// Columns, and whether they may be null.
    pub columns: BTreeMap<String, bool>,
    pub key: Vec<String>,
    /// Columns of each index in order, those of keys included.
    pub indexes: Vec<Vec<String>>,
    /// Those of them of which each row has values of its own.
    pub unique: Vec<Vec<String>>,
    /// Columns, table and columns there of each foreign key.
    pub references: Vec<(Vec<String>, String, Vec<String>)>,
}

/// Reads rows of a name and the text columns after it, grouped by name in order.
async fn grouped(database: &Database, sql: String) -> Vec<(String, Vec<Vec<String>>)> {
    let mut groups: Vec<(String, Vec<Vec<String>>)> = Vec::new();
    for row in database.look(sql).await {
        let mut cells = row.into_iter().map(Option::unwrap_or_default);
        let name = cells.next().unwrap();
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, rows)) => rows.push(cells.collect()),
            None => groups.push((name, vec![cells.collect()])),
        }
    }
    groups
}

fn place(rows: &[Vec<String>], place: usize) -> Vec<String> {
    rows.iter().map(|row| row[place].clone()).collect()
}

impl Table {
    pub async fn read(database: &Database, name: &str) -> Self {
        let (columns, key, indexes, references) = if database.is_sqlite() {
            (
                format!(r#"SELECT name, CAST("notnull" OR pk > 0 AS TEXT) FROM pragma_table_info('{name}')"#),
                format!("SELECT 'key', name FROM pragma_table_info('{name}') WHERE pk > 0 ORDER BY pk"),
                format!(
                    "SELECT i.name, c.name, CAST(i.\"unique\" AS TEXT) FROM pragma_index_list('{name}') AS i
                    JOIN pragma_index_info(i.name) AS c ORDER BY i.seq, c.seqno"
                ),
                format!(
                    r#"SELECT CAST(id AS TEXT), "from", "table", "to" FROM pragma_foreign_key_list('{name}') ORDER BY id, seq"#
                ),
            )
        } else {
            let keys = |kind: &str, what: &str| {
                format!(
                    "SELECT {what} FROM pg_constraint AS c CROSS JOIN LATERAL unnest(c.conkey, c.confkey) WITH ORDINALITY
                        AS k(own, other, place) JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.own
                    LEFT JOIN pg_attribute AS o ON o.attrelid = c.confrelid AND o.attnum = k.other
                    WHERE c.conrelid = '{name}'::regclass AND c.contype = '{kind}' ORDER BY c.oid, k.place"
                )
            };
            (
                format!(
                    "SELECT column_name::text, CASE is_nullable WHEN 'NO' THEN '1' ELSE '0' END
                    FROM information_schema.columns WHERE table_name = '{name}'"
                ),
                keys("p", "'key', a.attname::text"),
                format!(
                    "SELECT i.indexrelid::regclass::text, a.attname::text, i.indisunique::int::text FROM pg_index AS i
                    CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(own, place)
                    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.own
                    WHERE i.indrelid = '{name}'::regclass ORDER BY 1, k.place"
                ),
                keys("f", "c.oid::text, a.attname::text, c.confrelid::regclass::text, o.attname::text"),
            )
        };
        let columns = grouped(database, columns).await.into_iter().map(|(name, rows)| (name, rows[0][0] == "0"));
        let indexes = grouped(database, indexes).await;
        let unique = indexes.iter().filter(|(_, rows)| rows[0][1] == "1");
        Self {
            unique: unique.map(|(_, rows)| place(rows, 0)).collect(),
            columns: columns.collect(),
            key: grouped(database, key).await.iter().flat_map(|(_, rows)| place(rows, 0)).collect(),
            indexes: indexes.iter().map(|(_, rows)| place(rows, 0)).collect(),
            references: grouped(database, references)
                .await
                .iter()
                .map(|(_, rows)| (place(rows, 0), rows[0][1].clone(), place(rows, 2)))
                .collect(),
        }
    }
}

fn stored() -> impl Iterator<Item = &'static Noun> {
    NOUNS.into_iter().filter(|noun| noun.is_stored())
}

/// Columns that a noun's description names, and whether they may be null.
fn described(noun: &'static Noun) -> BTreeMap<String, bool> {
    let fields = noun.all_fields().flat_map(|field| {
        let twin = field.is_searchable.then(|| (format!("{}_folded", field.column), field.is_nullable));
        [(field.column.to_owned(), field.is_nullable)].into_iter().chain(twin)
    });
    let links = noun.relations.iter().filter_map(|relation| match relation.link {
        Link::One { column, is_nullable, .. } => Some((column.to_owned(), is_nullable)),
        _ => None,
    });
    fields.chain(links).chain([(noun.tenant.to_owned(), false)]).collect()
}

#[tokio::test]
async fn a_description_names_exactly_the_columns_of_the_table() {
    let app = App::start().await;
    for noun in stored() {
        let table = Table::read(&app.database, noun.table).await;
        assert_eq!(table.columns, described(noun), "{}", noun.table);
    }
}

#[tokio::test]
async fn rows_are_kept_by_organization_and_refer_only_to_rows_of_their_own() {
    let app = App::start().await;
    let mut tables: Vec<String> = Vec::new();
    for noun in stored().filter(|noun| noun.tenant != "id") {
        tables.push(noun.table.to_owned());
        let table = Table::read(&app.database, noun.table).await;
        assert_eq!(table.key, ["organization_id", "id"], "{}", noun.table);
        if noun.has_external_ids {
            tables.push(format!("{}_external_id", noun.table));
        }
        let sets = noun.all_fields().filter(|field| field.kind.is_set());
        tables.extend(sets.map(|field| format!("{}_{}", noun.table, field.column)));
        for relation in noun.relations {
            match relation.link {
                Link::One { column, .. } => {
                    let own = vec!["organization_id".to_owned(), column.to_owned()];
                    let there = vec!["organization_id".to_owned(), "id".to_owned()];
                    let wanted = (own, relation.target.table.to_owned(), there);
                    assert!(table.references.contains(&wanted), "{}.{column}", noun.table);
                }
                Link::Through { table, .. } => tables.push(table.to_owned()),
                _ => {}
            }
        }
    }
    for name in tables {
        let table = Table::read(&app.database, &name).await;
        assert!(!table.references.is_empty(), "{name}");
        for (columns, other, there) in &table.references {
            let is_organization = other == "organization" && columns == &["organization_id"];
            let is_composite = columns[0] == "organization_id" && columns.len() > 1 && there[0] == "organization_id";
            assert!(is_organization || is_composite, "{name} refers to {other} by {columns:?}");
        }
        for index in &table.indexes {
            assert_eq!(index[0], "organization_id", "{name} has an index on {index:?}");
        }
    }
}

#[tokio::test]
async fn every_order_and_every_relation_walks_along_an_index_of_the_organization() {
    let app = App::start().await;
    for noun in stored().filter(|noun| noun.tenant != "id") {
        let table = Table::read(&app.database, noun.table).await;
        let has_index = |columns: &[&str]| {
            table.indexes.iter().chain([&table.key]).any(|index| {
                columns.iter().zip(index).all(|(wanted, found)| wanted == found) && columns.len() <= index.len()
            })
        };
        // Rows that are only listed below another one are found by that, and are few.
        let is_listed = noun.offers(Operation::List);
        for field in noun.all_fields().filter(|field| field.is_orderable && is_listed) {
            let columns: &[&str] = if field.column == "id" {
                &["organization_id", "id"]
            } else {
                &["organization_id", field.column, "id"]
            };
            // Where no two rows are alike, the id decides nothing.
            let is_unique = table.unique.iter().any(|index| index == &columns[..2]);
            assert!(has_index(columns) || is_unique, "{} by {}", noun.table, field.column);
        }
        for relation in noun.relations {
            match relation.link {
                Link::One { column, .. } => {
                    assert!(has_index(&["organization_id", column]), "{} by {column}", noun.table);
                }
                Link::Through { table, from, .. } => {
                    let between = Table::read(&app.database, table).await;
                    let leads = |index: &Vec<String>| index[0] == "organization_id" && index[1] == from;
                    assert!(between.indexes.iter().chain([&between.key]).any(leads), "{table} by {from}");
                }
                _ => {}
            }
        }
    }
}

/// A bulk deletion asks them which rows are in use.
#[tokio::test]
async fn the_columns_that_keep_rows_from_being_deleted_are_those_whose_keys_do() {
    let app = App::start().await;
    let mut tables: Vec<String> = app.tables().await.into_keys().collect();
    tables.sort();
    let mut kept: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for name in tables {
        let keys = if app.database.is_sqlite() {
            format!(
                r#"SELECT CAST(id AS TEXT), "table", "from", on_delete FROM pragma_foreign_key_list('{name}') ORDER BY id, seq"#
            )
        } else {
            format!(
                "SELECT c.oid::text, c.confrelid::regclass::text, a.attname::text,
                    CASE c.confdeltype WHEN 'c' THEN 'CASCADE' ELSE 'NO ACTION' END FROM pg_constraint AS c
                CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY AS k(own, place)
                JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.own
                WHERE c.conrelid = '{name}'::regclass AND c.contype = 'f' ORDER BY c.oid, k.place"
            )
        };
        for (_, columns) in grouped(&app.database, keys).await {
            // The last column of a key is the id of the row.
            let [other, column, action] = columns.last().unwrap().as_slice() else { panic!("three columns") };
            if columns.len() > 1 && action == "NO ACTION" {
                kept.entry(other.clone()).or_default().insert((name.clone(), column.clone()));
            }
        }
    }
    for noun in stored().filter(|noun| noun.offers(Operation::Delete)) {
        let uses = uses(noun).into_iter().map(|known| (known.table.to_owned(), known.column.to_owned()));
        assert_eq!(uses.collect::<BTreeSet<_>>(), kept.remove(noun.table).unwrap_or_default(), "{}", noun.name);
    }
}

#[test]
fn a_model_has_exactly_the_columns_of_its_noun() {
    let models: BTreeMap<&str, BTreeSet<String>> = entity::models()
        .into_iter()
        .map(|(table, columns)| (table, columns.into_iter().map(str::to_owned).collect()))
        .collect();
    for noun in stored() {
        assert_eq!(models.get(noun.table), Some(&described(noun).into_keys().collect()), "{}", noun.table);
    }
}

#[test]
fn names_and_prefixes_are_used_once() {
    let mut seen = HashSet::new();
    for noun in NOUNS {
        for name in [noun.name, noun.singular, noun.plural, noun.prefix].into_iter().chain(Some(noun.table)) {
            let place = if name == noun.table { format!("table {name}") } else { format!("name {name}") };
            assert!(seen.insert(place.clone()) || name == noun.singular, "{place}");
        }
        let mut fields = HashSet::new();
        let members = noun.all_fields().map(|field| (field.name, field.column));
        for (name, column) in members.chain(noun.relations.iter().map(|relation| (relation.name, relation.name))) {
            assert!(
                fields.insert(name.to_owned()) && fields.insert(format!("column {column}")),
                "{}.{name}",
                noun.name
            );
        }
    }
}

/// Free text and whatever tells of a person is marked, wherever it stands. `docs/architecture/erasure.md` lists it all.
#[test]
fn what_tells_about_a_person_is_marked() {
    let marked = |noun: &'static Noun| -> Vec<(&str, Personal)> {
        let personal = |field: &&Field| field.personal != Personal::None;
        noun.all_fields().filter(personal).map(|field| (field.name, field.personal)).collect()
    };
    assert_eq!(
        marked(&entity::customer::NOUN),
        [
            ("name", Personal::Identifier),
            ("email", Personal::Contact),
            ("phone", Personal::Contact),
            ("attributes", Personal::FreeText)
        ]
    );
    let words = [("body", Personal::FreeText), ("attributes", Personal::FreeText)];
    assert_eq!(marked(&entity::feedback_record::NOUN), words);
    let words = [("reason", Personal::FreeText), ("subject", Personal::Identifier)];
    assert_eq!(marked(&entity::routing::NOUN), words);
    assert_eq!(marked(&entity::department::NOUN), [("contact", Personal::Contact)]);
    assert_eq!(marked(&entity::event::NOUN), [("subject", Personal::Identifier)]);
    assert_eq!(marked(&entity::expectation_ranking::NOUN), [("subject", Personal::Identifier)]);
    assert_eq!(marked(&entity::review_answer::NOUN), [("author", Personal::Identifier)]);
    for noun in stored() {
        for field in noun.all_fields() {
            let name = format!("{}.{}", noun.name, field.name);
            let is_marked = field.personal != Personal::None;
            if is_about_a_person(noun) {
                let is_words =
                    matches!(field.kind, Kind::Attributes { .. } | Kind::Text { .. }) && !field.kind.is_name();
                assert!(is_marked || !is_words, "{name} may contain anything about the person");
            } else {
                assert!(!is_marked || field.kept.is_some(), "{name} is about no customer");
            }
        }
    }
    let names: Vec<&str> = entity::customer::NOUN.fields.iter().map(|field| field.name).collect();
    assert_eq!(
        names,
        ["name", "email", "phone", "segment", "language", "timeZone", "interests", "tags", "attributes", "erasedAt"]
    );
}
