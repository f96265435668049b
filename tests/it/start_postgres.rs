//! The program on a PostgreSQL that is not as it needs it: what is wrong is told, with what mends it.

use std::path::Path;

use crate::{
    database::Database,
    start::{program, refusal, run},
};

const LIST: [&str; 2] = ["organization", "list"];

/// Commands, each on this database.
fn on<'a>(url: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &["--database-url", url]].concat()
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

#[tokio::test]
async fn a_database_of_another_encoding_is_refused() {
    let options = "ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0";
    let Some(database) = Database::empty(options).await else { return };
    let key = ["serve", "--signing-key", "none", "--listen", "127.0.0.1:0"];
    for arguments in [&["migrate"][..], &LIST, &["demo", "--listen", "127.0.0.1:0"]] {
        let said = refusal(&run(here(), &on(&database.url, arguments)));
        assert!(said.contains("LATIN1") && said.contains("UTF8"), "{said}");
    }
    assert!(refusal(&run(here(), &on(&database.url, &key))).contains("none"));
    let tables = "SELECT CAST(COUNT(*) AS TEXT) FROM pg_tables WHERE schemaname = 'public'".to_owned();
    assert_eq!(database.look(tables).await, [[Some("0".to_owned())]]);
}

#[tokio::test]
async fn several_that_migrate_at_once_all_succeed() {
    let Some(database) = Database::empty("").await else { return };
    let arguments = on(&database.url, &["migrate"]);
    let started: Vec<_> = (0..4).map(|_| program(here(), &arguments).spawn().unwrap()).collect();
    for process in started {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(run(here(), &on(&database.url, &LIST)).status.success());
}

#[tokio::test]
async fn steps_are_counted_only_where_they_can_be() {
    let Some(database) = Database::empty("").await else { return };
    let said = refusal(&run(here(), &on(&database.url, &LIST)));
    assert!(said.contains("schema steps") && said.contains("rapport migrate"), "{said}");
}

#[tokio::test]
async fn a_role_that_may_not_read_is_told_so() {
    let database = Database::make().await;
    if database.is_sqlite() {
        return;
    }
    let role = format!("{}_role", database.name());
    database.change(&format!("CREATE ROLE {role} LOGIN PASSWORD 'x'")).await;
    let url = database.url.replacen("://postgres@", &format!("://{role}:x@"), 1);
    let said = refusal(&run(here(), &on(&url, &LIST)));
    assert!(said.contains("permission denied for table seaql_migrations") && said.contains("grant"), "{said}");
    database.change(&format!("GRANT SELECT ON seaql_migrations TO {role}")).await;
    let said = refusal(&run(here(), &on(&url, &LIST)));
    assert!(said.contains("permission denied for table"), "{said}");
    database.change(&format!("DROP OWNED BY {role}")).await;
    database.change(&format!("DROP ROLE {role}")).await;
}

#[tokio::test]
async fn a_name_that_is_not_there_is_told() {
    let database = Database::make().await;
    if database.is_sqlite() {
        return;
    }
    let said = refusal(&run(here(), &on(&format!("{}_not", database.url), &LIST)));
    assert!(said.contains("does not exist") && said.contains("createdb"), "{said}");
    let nobody = database.url.replacen("://postgres@", "://nobody_of_that_name@", 1);
    let said = refusal(&run(here(), &on(&nobody, &LIST)));
    assert!(said.contains("nobody_of_that_name") && said.contains("--database-url"), "{said}");
}

/// What a role or a database is set to is set otherwise for our sessions, or refused where that cannot be.
#[tokio::test]
async fn settings_of_the_database_do_not_change_what_sessions_rely_on() {
    let database = Database::make().await;
    if database.is_sqlite() {
        return;
    }
    let create = ["organization", "create", "--name", "A", "--slug"];
    for (place, setting) in [
        "default_transaction_isolation = 'serializable'",
        "default_transaction_read_only = on",
        "standard_conforming_strings = off",
        "transform_null_equals = on",
        "statement_timeout = '1ms'",
        "lock_timeout = '1ms'",
        "timezone = 'Asia/Kathmandu'",
        "client_encoding = 'LATIN1'",
        "DateStyle = 'German'",
        "bytea_output = 'escape'",
        "extra_float_digits = -15",
    ]
    .into_iter()
    .enumerate()
    {
        database.change(&format!("ALTER DATABASE {} SET {setting}", database.name())).await;
        let slug = format!("a-{place}");
        let output = run(here(), &on(&database.url, &[&create[..], &[&slug]].concat()));
        assert!(output.status.success(), "{setting}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(run(here(), &on(&database.url, &["migrate"])).status.success(), "{setting}");
        let reset = format!("BEGIN READ WRITE; ALTER DATABASE {} RESET ALL; COMMIT", database.name());
        database.change(&reset).await;
    }
    for (setting, said) in
        [("session_replication_role = 'replica'", "foreign keys"), ("search_path = 'nowhere'", "search_path")]
    {
        database.change(&format!("ALTER DATABASE {} SET {setting}", database.name())).await;
        let told = refusal(&run(here(), &on(&database.url, &LIST)));
        assert!(told.contains(said), "{told}");
        let reset = format!("BEGIN READ WRITE; ALTER DATABASE {} RESET ALL; COMMIT", database.name());
        database.change(&reset).await;
    }
}
