//! Rows that were there before the search: indexed in steps by a job that survives its server.

use std::sync::Arc;

use entity::{Permission, id::OrganizationId};
use migration::{Migrator, MigratorTrait};
use rapport::store::{STEP, operation::jobs::StepResult};
use serde_json::json;

use super::{count, found};
use crate::{
    app::{App, now},
    database::Database,
};

/// Takes the steps before that of the search.
#[expect(clippy::disallowed_methods, reason = "the store takes all steps")]
async fn migrate_before(database: &Database) {
    let connection = sea_orm::Database::connect(&database.url).await.unwrap();
    let before = Migrator::migrations().iter().take_while(|known| known.name() != "m0043_search").count();
    Migrator::up(&connection, Some(u32::try_from(before).unwrap())).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn what_was_there_before_is_found_once_the_job_has_passed_whoever_takes_its_steps() {
    let Some(database) = Database::bare().await else { return };
    migrate_before(&database).await;
    let id = |number: usize| {
        let hex = format!("{number:032x}");
        if database.is_sqlite() { format!("x'{hex}'") } else { format!("'{hex}'") }
    };
    let rows = 2 * STEP + 10;
    let mut statements = vec![format!(
        "INSERT INTO organization (id, version, created_at, updated_at, slug, name, time_zone, week_start, locale)
            VALUES ({}, 1, 0, 0, 'a', 'A', 'UTC', 'MONDAY', 'en')",
        id(1)
    )];
    statements.push(format!(
        "INSERT INTO organization_sequence (organization_id, last, rolled_to, rolled_until, rolled_zone, rolled_week_start)
            VALUES ({}, 0, 0, 9223372036854775807, 'UTC', 'MONDAY')",
        id(1)
    ));
    for number in 0..rows {
        let (organization, row) = (id(1), id(100 + number));
        statements.push(format!(
            "INSERT INTO department (organization_id, id, version, created_at, updated_at, name, name_folded)
                VALUES ({organization}, {row}, 1, 0, 0, 'Éarlier {number}', 'éarlier {number}')"
        ));
    }
    statements.push(format!(
        "INSERT INTO department_external_id (organization_id, department_id, system, external_id)
            VALUES ({}, {}, 'crm', 'KEY-7')",
        id(1),
        id(107)
    ));
    statements.push(format!(
        "INSERT INTO journey (organization_id, id, version, created_at, updated_at, title, title_folded, summary, status)
            VALUES ({}, {}, 1, 0, 0, 'T', 't', 'ÄRGER mit Paketen', 'DRAFT')",
        id(1),
        id(50)
    ));
    database.force(statements).await;
    database.migrate().await;
    let database = Arc::new(database);
    let organization = OrganizationId(uuid::Uuid::from_u128(1));
    let app = App::on(Arc::clone(&database)).await;
    let caller = app.caller(organization, Permission::ALL);
    assert_eq!(count(&caller, "earlier").await, 0);
    let filter = "{ journeys(filter: { summary: { contains: \"ärger\" } }) { totalCount } }";
    assert_eq!(caller.ask(filter).await["journeys"]["totalCount"], 1, "its text is folded");
    let jobs = app.store.jobs(now()).await.unwrap();
    let [(_, job)] = jobs.as_slice() else { panic!("{jobs:?}") };
    assert_eq!(app.store.step(organization, *job, now()).await.unwrap(), StepResult::On);
    assert_eq!(count(&caller, "earlier").await, STEP);
    assert_eq!(count(&caller, "paketen").await, 0);
    // What is changed meanwhile is found as it is now, also when the job comes to it.
    let last = json!({ "id": entity::id::encode("dept", uuid::Uuid::from_u128(100 + rows as u128 - 1)) });
    caller.mutate("departmentUpdate", json!({ "by": last, "name": "Changed" }), "outcome").await;
    assert_eq!(count(&caller, "changed").await, 1);
    // The server ends; another one goes on.
    let other = App::on(Arc::clone(&database)).await;
    other.store.finish_jobs(now()).await.unwrap();
    let caller = other.caller(organization, Permission::ALL);
    assert_eq!(count(&caller, "earlier").await, rows - 1);
    assert_eq!(count(&caller, "changed").await, 1);
    assert_eq!(count(&caller, "argert").await + count(&caller, "arger paketen").await, 1);
    assert_eq!(found(&caller, "key-7").await, ["Department.externalIds: [KEY-7]"]);
    assert!(other.store.jobs(now()).await.unwrap().is_empty());
}
