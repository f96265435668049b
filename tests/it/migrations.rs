//! Rows that an older version stored, after the steps that change their tables.

use migration::{Migrator, MigratorTrait};

use crate::database::Database;

/// Takes the steps before the named one.
#[expect(clippy::disallowed_methods, reason = "the store takes all steps")]
async fn migrate_before(database: &Database, step: &str) {
    let connection = sea_orm::Database::connect(&database.url).await.unwrap();
    let before = Migrator::migrations().iter().take_while(|known| known.name() != step).count();
    Migrator::up(&connection, Some(u32::try_from(before).unwrap())).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn external_ids_stay_when_rows_may_have_several_of_a_system() {
    let Some(database) = Database::bare().await else { return };
    migrate_before(&database, "m0021_external_ids").await;
    let id = |number: u32| {
        let hex = format!("{number:032x}");
        if database.is_sqlite() { format!("x'{hex}'") } else { format!("'{hex}'") }
    };
    let (organization, rows) = (id(1), [id(2), id(3)]);
    let key = |table: &str, row: &str, system: &str, external: &str| {
        format!(
            "INSERT INTO {table}_external_id (organization_id, {table}_id, system, external_id)
                VALUES ({organization}, {row}, '{system}', '{external}')"
        )
    };
    let change = async |sql: String| database.change(&sql).await;
    change(format!(
        "INSERT INTO organization (id, version, created_at, updated_at, slug, name, time_zone, week_start, locale)
            VALUES ({organization}, 1, 0, 0, 'a', 'A', 'UTC', 'MONDAY', 'en')"
    ))
    .await;
    for row in &rows {
        for table in ["department", "influencer"] {
            change(format!(
                "INSERT INTO {table} (organization_id, id, version, created_at, updated_at, name, name_folded)
                    VALUES ({organization}, {row}, 1, 0, 0, 'A', 'a')"
            ))
            .await;
            change(key(table, row, "crm", row.trim_matches(['x', '\'']))).await;
        }
    }
    database.migrate().await;
    let stored = async |table: &str| {
        let read =
            format!("SELECT {}, system, external_id FROM {table}_external_id", database.id(&format!("{table}_id")));
        let found = database.look(format!("{read} ORDER BY system, external_id")).await;
        found.into_iter().map(|row| row.into_iter().map(Option::unwrap).collect()).collect::<Vec<Vec<String>>>()
    };
    let hex = |number: u32| format!("{number:032x}");
    let before = [2, 3].map(|number| vec![hex(number), "crm".to_owned(), hex(number)]);
    for table in ["department", "influencer"] {
        assert_eq!(stored(table).await, before, "{table}");
        change(key(table, &rows[0], "crm", "another")).await;
        change(format!("DELETE FROM {table} WHERE id = {}", rows[1])).await;
        let expected = [before[0].clone(), vec![hex(2), "crm".to_owned(), "another".to_owned()]];
        assert_eq!(stored(table).await, expected, "{table}");
    }
    let repeated = key("department", &rows[0], "crm", "another");
    assert!(database.try_change(&repeated).await.is_err(), "an id of a system names one row");
}
