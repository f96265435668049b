//! Events from before they had ids get some, in their order.

use std::collections::HashSet;

use migration::{Migrator, MigratorTrait};
use rapport::store::{Options, Store};
use sea_orm::{ConnectOptions, Database as Connections, DatabaseConnection};

use crate::{app::now, database::Database};

/// A connection to a database without any table.
#[expect(clippy::disallowed_methods, reason = "no store opens a database between two steps of its schema")]
async fn empty(database: &Database) -> (String, DatabaseConnection) {
    let url = if database.is_sqlite() {
        database.url.replace("test.db", "empty.db")
    } else {
        database.change("DROP SCHEMA public CASCADE").await;
        database.change("CREATE SCHEMA public").await;
        database.url.clone()
    };
    let connection = Connections::connect(ConnectOptions::new(&url)).await.unwrap();
    (url, connection)
}

#[tokio::test]
async fn events_of_an_older_schema_are_kept_and_can_be_sealed() {
    let database = Database::make().await;
    let (url, connection) = empty(&database).await;
    Migrator::up(&connection, Some(5)).await.unwrap();
    let organizations = [entity::id::new(), entity::id::new()];
    let sql = |id: &entity::id::OrganizationId| {
        if database.is_sqlite() { format!("x'{}'", id.0.simple()) } else { format!("'{}'", id.0) }
    };
    let mut run = Vec::new();
    for (place, id) in organizations.iter().enumerate() {
        let id = sql(&entity::id::OrganizationId(*id));
        run.push(format!(
            "INSERT INTO organization (id, version, created_at, updated_at, slug, name, time_zone, week_start, locale)
             VALUES ({id}, 1, 0, 0, 's{place}', 'n', 'UTC', 'MONDAY', 'en')"
        ));
        run.push(format!("INSERT INTO organization_sequence (organization_id, last) VALUES ({id}, 3)"));
        for sequence in 1..=3 {
            run.push(format!(
                "INSERT INTO event (organization_id, sequence, noun, row_id, operation, version, subject, client_id,
                 occurred_at, fields) VALUES ({id}, {sequence}, 'Department', {id}, 'UPDATED', {sequence}, 'ada', NULL,
                 1767225600000, '[\"name\"]')"
            ));
        }
    }
    for statement in &run {
        sea_orm::ConnectionTrait::execute_unprepared(&connection, statement).await.unwrap();
    }
    Migrator::up(&connection, None).await.unwrap();
    connection.close().await.unwrap();

    let store =
        Store::open(&Options { url, max_connections: 2, acquire_timeout: Options::COMMAND_TIMEOUT }).await.unwrap();
    let mut seen = HashSet::new();
    for (organization, slug) in store.organizations().await.unwrap() {
        assert!(!rapport::housekeeping::seal(&store, now()).await.unwrap());
        let verdict = store.verify(organization, Vec::new(), 1).await.unwrap().unwrap();
        assert_eq!((verdict.sealed, verdict.unsealed), (3, 0), "{slug}");
        let actor = rapport::auth::Actor {
            organization,
            subject: "tester".to_owned(),
            client: None,
            permissions: entity::Permission::ALL.into_iter().collect(),
            expires: None,
            departments: None,
        };
        let scope = store.scope(actor, now());
        let mut events = scope.all::<entity::event::Entity>(sea_orm::EntityTrait::find()).await.unwrap();
        events.sort_by_key(|event| event.id);
        assert!(events.iter().map(|event| event.sequence.number()).eq(1..=3));
        assert!(events.iter().all(|event| event.fields == "[\"name\"]" && event.subject == "ada"));
        for event in events {
            assert_eq!(event.id.0.get_version_num(), 7);
            assert!(seen.insert(event.id));
        }
    }
    assert_eq!(seen.len(), 6);
    store.close().await.unwrap();
}
