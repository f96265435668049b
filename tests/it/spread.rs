//! Tables can be spread over nodes by organization: what would stop that is nowhere, though no such database runs here.

use rapport::{auth::Actor, demo, housekeeping, schema};
use serde_json::json;

use crate::{
    app::{App, now},
    database::Database,
    description::Table,
};

/// Tables for all organizations, which every node can hold whole.
const FOR_ALL: [&str; 5] =
    ["organization_slug", "organization_deletion", "api_client_owner", "token_withdrawal", "seaql_migrations"];

async fn tables(database: &Database) -> Vec<String> {
    let listed = if database.is_sqlite() {
        // The tables of FTS5 are of SQLite alone, which is not spread.
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
         AND name NOT LIKE 'search\\_text%' ESCAPE '\\' ORDER BY name"
    } else {
        "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    };
    database.look(listed.to_owned()).await.into_iter().map(|mut row| row.remove(0).unwrap()).collect()
}

#[tokio::test]
async fn every_key_and_every_index_of_a_tenants_table_holds_the_organization() {
    let database = Database::make().await;
    let tables = tables(&database).await;
    assert!(tables.len() > 50 && FOR_ALL.iter().all(|table| tables.iter().any(|known| known == table)), "{tables:?}");
    for name in tables.iter().filter(|name| !FOR_ALL.contains(&name.as_str())) {
        let table = Table::read(&database, name).await;
        let own = if name == "organization" { "id" } else { "organization_id" };
        // FTS5 finds an entry by a number, and the words in the index of PostgreSQL begin with the organization.
        let is_document = |columns: &[String]| name == "search_entry" && columns == ["document"];
        assert!(table.key[0] == own || database.is_sqlite() && is_document(&table.key), "{name}");
        for index in table.indexes.iter().chain(&table.unique) {
            // SQLite, which is not spread, cannot drop a key of a table.
            let is_left = database.is_sqlite() && name == "organization" && index == &["slug"];
            assert!(index[0] == own || is_left || is_document(index), "{name} has an index on {index:?}");
        }
        for (columns, other, there) in &table.references {
            let wanted = if other == "organization" { "id" } else { "organization_id" };
            assert!(columns[0] == own && there[0] == wanted, "{name} refers to {other} by {columns:?}");
            assert!(!FOR_ALL.contains(&other.as_str()), "{name} refers to {other}");
        }
    }
    for name in FOR_ALL {
        assert!(Table::read(&database, name).await.references.is_empty(), "{name} refers to a table that is spread");
    }
}

#[tokio::test]
async fn there_are_no_triggers_and_no_sequences() {
    let database = Database::make().await;
    let found = if database.is_sqlite() {
        "SELECT name FROM sqlite_master WHERE type = 'trigger' OR name = 'sqlite_sequence'"
    } else {
        "SELECT CAST(tgname AS TEXT) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT CAST(sequencename AS TEXT) FROM pg_sequences WHERE schemaname = 'public'"
    };
    assert_eq!(database.look(found.to_owned()).await, Vec::<Vec<Option<String>>>::new());
}

/// Statements that name no organization for some table, by how they begin, and why.
const FOR_EACH: [(&str, &str); 15] = [
    (r#"SELECT DISTINCT organization_id FROM "retention_rule""#, "which organizations have rows to remove"),
    (r#"SELECT DISTINCT organization_id FROM "playbook""#, "which organizations have dates to act on"),
    (r#"SELECT DISTINCT organization_id FROM "webhook_endpoint""#, "which organizations have a log of deliveries"),
    (r#"SELECT DISTINCT organization_id FROM "import""#, "which organizations have lines of imports"),
    ("SELECT u.organization_id, u.id, u.is_behind", "which webhook endpoints have messages to be sent"),
    ("SELECT c.organization_id, s.hash", "whoever asks for a token names a client; the organization is read with it"),
    (
        "SELECT s.organization_id FROM organization_sequence s JOIN audit_head",
        "which organizations have events to seal",
    ),
    ("SELECT organization_id FROM organization_sequence WHERE rolled_to", "which organizations have weeks to count"),
    ("SELECT o.id FROM organization AS o WHERE o.id >", "which organizations have jobs to do"),
    ("SELECT organization_id FROM job WHERE kind IN", "which organizations have a job that recurs"),
    ("SELECT organization_id, id FROM job WHERE", "the jobs that a command finishes"),
    ("SELECT t.kind, CASE", "metrics of jobs"),
    ("SELECT o.id, o.slug, o.name", "the command that lists all organizations"),
    (
        "INSERT INTO organization_slug (slug, organization_id) SELECT",
        "housekeeping after an update from an older version",
    ),
    ("INSERT INTO api_client_owner (api_client_id, organization_id) SELECT", "housekeeping after an update likewise"),
];

/// The tables that a statement names, each with the name it goes by there.
fn named(sql: &str, tables: &[String]) -> Vec<(String, String, bool)> {
    let spaced = sql.replace('"', "").replace(['(', ')', ','], " ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut found = Vec::new();
    for (place, pair) in words.windows(2).enumerate() {
        let [before, table] = pair else { continue };
        if !["FROM", "JOIN", "INTO", "UPDATE"].contains(before) || !tables.iter().any(|known| known == table) {
            continue;
        }
        let rest: Vec<&str> = words[place + 2..].iter().copied().skip_while(|word| *word == "AS").take(1).collect();
        let is_alias = |word: &&str| word.len() < 4 && word.starts_with(|letter: char| letter.is_ascii_lowercase());
        let alias = rest.first().copied().filter(is_alias).unwrap_or_default();
        found.push(((*table).to_owned(), alias.to_owned(), *before == "INTO"));
    }
    found
}

fn names_organization(sql: &str, (table, alias, is_new): &(String, String, bool)) -> bool {
    let sql = sql.replace('"', "");
    let own = if table == "organization" { "id" } else { "organization_id" };
    if *is_new {
        let columns = sql.split(&format!("INTO {table} ")).nth(1).and_then(|rest| rest.split(')').next());
        return columns.is_some_and(|columns| columns.contains(own));
    }
    let column = if alias.is_empty() { own.to_owned() } else { format!("{alias}.{own}") };
    [" = ", " IN "].iter().any(|sign| sql.contains(&format!("{column}{sign}"))) || sql.contains(&format!("= {column}"))
}

#[tokio::test]
async fn every_statement_names_its_organization_for_each_table() {
    let app = App::start().await;
    let tables: Vec<String> =
        tables(&app.database).await.into_iter().filter(|table| !FOR_ALL.contains(&table.as_str())).collect();
    assert!(app.store.texts().is_empty());
    let schema = schema::build();
    let organization = demo::seed(&app.store, &schema).await.unwrap().unwrap();
    let caller = app.caller(organization, entity::Permission::ALL);
    for document in [
        "{ interactionPoints(first: 3, filter: { owner: { name: { startsWith: \"M\" } } }) { totalCount nodes { name
            owner { name } mediums { nodes { name } } expectations(first: 5) { totalCount nodes { statement } }
            feedbackRecords(first: 2) { totalCount nodes { tags routings { nodes { department { name } } } } } } } }",
        "{ feedbackRecordGroups(groupBy: [POINT], first: 3) { nodes { count } }
            weeks: feedbackRecordGroups(groupBy: [], bucket: { unit: WEEK }) { nodes { count } } }",
        "{ auditLog(first: 5) { nodes { operation } } journeys { nodes { title } } coverage { pointCount } }",
        "{ customers(first: 2) { nodes { name externalIds { id } } } departments(first: 2) { nodes { name } } }",
    ] {
        let answer = caller.run(document, json!({})).await.body;
        assert!(answer["data"].is_object(), "{answer}");
    }
    for (field, input) in [
        ("customerUpsert", json!({ "externalId": { "system": "crm", "id": "1" }, "name": "Mia" })),
        (
            "feedbackRecordCreate",
            json!({ "kind": "PRAISE", "idempotencyKey": "k",
            "customerRef": { "externalId": { "system": "crm", "id": "1" } } }),
        ),
        ("customerErase", json!({ "by": { "externalId": { "system": "crm", "id": "1" } } })),
        ("quickJourney", json!({ "title": "Trip", "points": [{ "name": "One", "mediums": ["Web"] }] })),
        ("retentionRuleCreate", json!({ "noun": "FEEDBACK_RECORD", "days": 1 })),
        ("apiClientCreate", json!({ "name": "CRM", "scopes": ["map:read"] })),
    ] {
        let (first, rest) = field.split_at(1);
        let ty = format!("{}{rest}Input!", first.to_ascii_uppercase());
        let document = format!("mutation($input: {ty}) {{ {field}(input: $input) {{ errors {{ code path }} }} }}");
        let answer = caller.run(&document, json!({ "input": input })).await.body;
        assert_eq!(answer["data"][field]["errors"], json!([]), "{field}: {answer}");
    }
    while housekeeping::seal(&app.store, now()).await.unwrap() {}
    app.run_jobs(now()).await;
    app.store.measure_jobs().await.unwrap();
    app.store.busy_endpoints(now()).await.unwrap();
    app.store.complete_directories().await.unwrap();
    app.store.listed_organizations().await.unwrap();
    app.store.api_client(entity::id::new()).await.unwrap();
    app.store.verify(organization, Vec::new(), 1).await.unwrap().unwrap();
    let leaving = app.organization("leaving").await;
    let tx = app.store.scope(Actor::operator(leaving), now()).begin().await.unwrap();
    tx.row_counts().await.unwrap();
    assert!(tx.delete_organization().await.unwrap());
    tx.commit().await.unwrap();
    app.store.finish_jobs(now()).await.unwrap();

    let texts = app.store.texts();
    assert!(texts.len() > 100, "only {} statements", texts.len());
    let mut excused = std::collections::BTreeSet::new();
    for text in &texts {
        let lacking: Vec<_> =
            named(text, &tables).into_iter().filter(|table| !names_organization(text, table)).collect();
        match FOR_EACH.iter().find(|(start, _)| text.starts_with(start)) {
            Some((start, _)) => drop(excused.insert(*start)),
            None => assert!(lacking.is_empty(), "{lacking:?} in {text}"),
        }
    }
    assert_eq!(excused.len(), FOR_EACH.len(), "only {excused:?}");
}

/// A planner that spreads tables follows an organization through a table, and not through a part that changes one.
#[tokio::test]
async fn what_is_stored_after_a_part_of_a_batch_is_selected_from_a_table() {
    let app = App::start().await;
    if app.database.is_sqlite() {
        return;
    }
    let caller = app.admin("one").await;
    app.store.texts();
    caller.mutate("feedbackRecordCreate", json!({ "kind": "PRAISE", "idempotencyKey": "k" }), "outcome").await;
    let texts = app.store.texts();
    let batches: Vec<_> = texts.iter().filter(|text| text.contains("INSERT INTO event ")).collect();
    assert!(!batches.is_empty());
    for text in batches {
        let selected = text.split("INSERT INTO event ").nth(1).unwrap();
        assert!(selected.contains("FROM organization_sequence AS t CROSS JOIN UNNEST"), "{text}");
        assert!(!text.contains("FROM s CROSS JOIN") && !text.contains("CROSS JOIN b"), "{text}");
    }
}

/// Each node has samples of the values in its own tables.
#[tokio::test]
async fn a_scrub_rewrites_the_samples_of_every_node() {
    let app = App::start().await;
    if app.database.is_sqlite() {
        return;
    }
    for statement in [
        "CREATE TABLE asked (command TEXT)",
        "CREATE FUNCTION run_command_on_all_nodes(command TEXT) RETURNS TABLE (success BOOLEAN, result TEXT)
            LANGUAGE sql AS 'INSERT INTO asked VALUES (command) RETURNING TRUE, command'",
    ] {
        app.database.change(statement).await;
    }
    app.store.scrub(|_| {}).await.unwrap();
    let asked = app.database.look("SELECT command FROM asked".to_owned()).await;
    assert_eq!(asked, [[Some("VACUUM FULL pg_statistic".to_owned())]]);
}
