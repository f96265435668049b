//! Rows changed past the server, one after the other: the first that is not as it was is named.

use aws_lc_rs::digest::{SHA256, digest};
use rapport::store::audit::{AuditFailure, Head};

use super::{head, seal, sealed, verify, write};
use crate::{app::App, database::Database};

/// Changes the tables, and asks what verification says of it; then all is as it was.
struct Attacker<'a> {
    app: &'a App,
    tables: [&'static str; 4],
}

impl<'a> Attacker<'a> {
    async fn on(app: &'a App) -> Self {
        let tables = ["event", "audit_seal", "audit_head", "organization_sequence"];
        for table in tables {
            app.database.change(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")).await;
        }
        Self { app, tables }
    }

    async fn restore(&self) {
        for table in self.tables {
            self.app.database.change(&format!("DELETE FROM {table}")).await;
            self.app.database.change(&format!("INSERT INTO {table} SELECT * FROM kept_{table}")).await;
        }
    }
}

/// SQL for another value than the one in a column of the event table.
fn other(database: &Database, column: &str) -> String {
    match column {
        "id" | "row_id" if database.is_sqlite() => "randomblob(16)".to_owned(),
        "id" | "row_id" => "gen_random_uuid()".to_owned(),
        "version" | "occurred_at" | "sequence" => format!("{column} + 1000"),
        "client_id" => "'client'".to_owned(),
        _ => format!("{column} || '!'"),
    }
}

#[tokio::test]
async fn an_edit_of_any_column_names_the_event() {
    let app = App::start().await;
    let caller = sealed(&app).await;
    let attacker = Attacker::on(&app).await;
    let mut columns: Vec<&str> = entity::event::NOUN.all_fields().map(|field| field.column).collect();
    assert_eq!(columns.len(), 10);
    columns.retain(|column| *column != "sequence");
    for column in columns {
        let value = other(&app.database, column);
        app.database.change(&format!("UPDATE event SET {column} = {value} WHERE sequence = 6")).await;
        let trouble = verify(&app, &caller, &[]).await.unwrap_err();
        assert!(matches!(trouble, AuditFailure::Changed(6, _)), "{column}: {trouble}");
        attacker.restore().await;
    }
    let verdict = verify(&app, &caller, &[]).await.unwrap();
    assert_eq!((verdict.sealed, verdict.unsealed), (8, 0));
}

#[tokio::test]
async fn an_event_removed_moved_or_added_is_named() {
    let app = App::start().await;
    let caller = sealed(&app).await;
    let neighbour = app.organization("two").await;
    let attacker = Attacker::on(&app).await;
    let theirs =
        if app.database.is_sqlite() { format!("x'{}'", neighbour.0.simple()) } else { format!("'{}'", neighbour.0) };
    let copied = "id, 0, noun, row_id, operation, version, subject, client_id, occurred_at, fields";
    let id = other(&app.database, "id");
    for (sql, expected) in [
        ("DELETE FROM event WHERE sequence = 3".to_owned(), "event 3 is missing"),
        ("DELETE FROM event WHERE sequence = 1".to_owned(), "event 1 is missing"),
        ("DELETE FROM event WHERE sequence <= 4".to_owned(), "event 1 is missing"),
        ("DELETE FROM event WHERE sequence >= 7".to_owned(), "event 7 is missing"),
        ("DELETE FROM event".to_owned(), "event 1 is missing"),
        (format!("UPDATE event SET organization_id = {theirs} WHERE sequence = 2"), "event 2 is missing"),
        ("UPDATE event SET sequence = 1000 WHERE sequence = 5".to_owned(), "event 5 is missing"),
        (
            "UPDATE event SET sequence = -1 WHERE sequence = 3; UPDATE event SET sequence = 3 WHERE sequence = 5; \
             UPDATE event SET sequence = 5 WHERE sequence = -1"
                .to_owned(),
            "event 3 (",
        ),
        (
            format!(
                "INSERT INTO event SELECT organization_id, {id}, {} FROM event WHERE sequence = 2",
                copied.strip_prefix("id, ").unwrap()
            ),
            "event 0 (",
        ),
    ] {
        for part in sql.split(';') {
            app.database.change(part).await;
        }
        let trouble = verify(&app, &caller, &[]).await.unwrap_err().to_string();
        assert!(trouble.starts_with(expected), "{sql}: {trouble}");
        attacker.restore().await;
    }
    verify(&app, &caller, &[]).await.unwrap();
}

#[tokio::test]
async fn an_event_removed_before_it_was_sealed_is_named() {
    let app = App::start().await;
    let caller = sealed(&app).await;
    write(&caller, 3).await;
    app.database.change("DELETE FROM event WHERE sequence = 10").await;
    assert_eq!(verify(&app, &caller, &[]).await, Err(AuditFailure::Missing(10)));
    seal(&app).await;
    assert_eq!(verify(&app, &caller, &[]).await, Err(AuditFailure::Missing(10)));
}

#[tokio::test]
async fn a_seal_or_a_count_that_was_changed_is_named() {
    let app = App::start().await;
    let caller = sealed(&app).await;
    let attacker = Attacker::on(&app).await;
    let cut = "DELETE FROM event WHERE sequence > 4; DELETE FROM audit_seal WHERE first_sequence > 4";
    let back = "UPDATE audit_head SET last_sequence = 4, \
                hash = (SELECT hash FROM audit_seal WHERE first_sequence = 1)";
    for (sql, expected) in [
        ("UPDATE audit_seal SET leaves = 'x' || leaves WHERE first_sequence = 1".to_owned(), AuditFailure::Seal(1, 4)),
        ("UPDATE audit_seal SET digest = 'x' WHERE first_sequence = 5".to_owned(), AuditFailure::Seal(5, 8)),
        ("UPDATE audit_seal SET sealed_at = 1 WHERE first_sequence = 5".to_owned(), AuditFailure::Seal(5, 8)),
        ("UPDATE audit_seal SET hash = 'x' WHERE first_sequence = 5".to_owned(), AuditFailure::Seal(5, 8)),
        ("UPDATE audit_seal SET last_sequence = 7 WHERE first_sequence = 5".to_owned(), AuditFailure::Seal(5, 7)),
        ("UPDATE audit_seal SET first_sequence = 6 WHERE first_sequence = 5".to_owned(), AuditFailure::SealMissing(5)),
        ("DELETE FROM audit_seal WHERE first_sequence = 1".to_owned(), AuditFailure::SealMissing(1)),
        ("DELETE FROM audit_seal".to_owned(), AuditFailure::SealMissing(1)),
        ("UPDATE audit_head SET hash = 'x'".to_owned(), AuditFailure::Head),
        ("DELETE FROM audit_head".to_owned(), AuditFailure::Head),
        ("UPDATE organization_sequence SET last = 5".to_owned(), AuditFailure::Sequence(5)),
        (cut.to_owned(), AuditFailure::SealMissing(5)),
        (format!("{cut}; {back}"), AuditFailure::Missing(5)),
    ] {
        for part in sql.split(';') {
            app.database.change(part).await;
        }
        assert_eq!(verify(&app, &caller, &[]).await, Err(expected), "{sql}");
        attacker.restore().await;
    }
    verify(&app, &caller, &[]).await.unwrap();
}

/// A seal keeps only the start of each event's hash, beside the hash of all of them.
#[tokio::test]
async fn a_seal_that_follows_from_itself_must_follow_from_the_events_too() {
    let app = App::start().await;
    let caller = sealed(&app).await;
    let sql = "SELECT CAST(sealed_at AS TEXT), leaves, (SELECT hash FROM audit_seal WHERE first_sequence = 1) \
               FROM audit_seal WHERE first_sequence = 5";
    let row: Vec<String> = app.database.look(sql.to_owned()).await.remove(0).into_iter().flatten().collect();
    let [sealed_at, leaves, previous] = &row[..] else { panic!("{row:?}") };
    let organization = caller.organization().0.simple();
    let text = format!("rapport audit 1\n{previous}\n{organization}\n5\n8\n{sealed_at}\nx\n{leaves}\n");
    let digest = digest(&SHA256, text.as_bytes());
    let digits = digest.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let hash: String = digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect();
    app.database.change(&format!("UPDATE audit_seal SET digest = 'x', hash = '{hash}' WHERE first_sequence = 5")).await;
    app.database.change(&format!("UPDATE audit_head SET hash = '{hash}'")).await;
    assert_eq!(verify(&app, &caller, &[]).await, Err(AuditFailure::Range(5, 8)));
}

/// Whoever owns the database can make a chain that agrees with itself; not one that leads to a head kept elsewhere.
#[tokio::test]
async fn a_chain_made_anew_does_not_lead_to_the_heads_kept_elsewhere() {
    let app = App::start().await;
    let caller = app.admin("one").await;
    write(&caller, 4).await;
    seal(&app).await;
    let first = head(&app, &caller).await;
    write(&caller, 4).await;
    seal(&app).await;
    let second = head(&app, &caller).await;
    let kept = [first.clone(), second.clone()];
    verify(&app, &caller, &kept).await.unwrap();
    let other = Head { hash: "x".to_owned(), ..first.clone() };
    assert_eq!(verify(&app, &caller, &[other, second.clone()]).await, Err(AuditFailure::Rewritten(1, 4)));
    let attacker = Attacker::on(&app).await;

    for part in [
        "DELETE FROM event WHERE sequence > 4",
        "DELETE FROM audit_seal WHERE first_sequence > 4",
        "UPDATE audit_head SET last_sequence = 4, hash = (SELECT hash FROM audit_seal)",
        "UPDATE organization_sequence SET last = 4",
    ] {
        app.database.change(part).await;
    }
    verify(&app, &caller, &[]).await.unwrap();
    verify(&app, &caller, std::slice::from_ref(&first)).await.unwrap();
    assert_eq!(verify(&app, &caller, &kept).await, Err(AuditFailure::Rewritten(5, 8)));
    let mut bare = second.clone();
    bare.sequence = None;
    assert_eq!(verify(&app, &caller, &[bare]).await, Err(AuditFailure::Unknown(second.hash.clone())));
    attacker.restore().await;

    for part in [
        "UPDATE event SET subject = 'somebody else' WHERE sequence = 2",
        "DELETE FROM audit_seal",
        "UPDATE audit_head SET last_sequence = 0, hash = ''",
    ] {
        app.database.change(part).await;
    }
    seal(&app).await;
    verify(&app, &caller, &[]).await.unwrap();
    assert_eq!(verify(&app, &caller, &kept).await, Err(AuditFailure::Rewritten(1, 4)));
    assert_eq!(verify(&app, &caller, &[second]).await, Err(AuditFailure::Rewritten(1, 8)));
}

#[tokio::test]
async fn a_pruned_start_still_verifies_when_it_is_said_to_be_pruned() {
    let app = App::start().await;
    let caller = sealed(&app).await;
    let kept = [head(&app, &caller).await];
    for (pruned, place) in [("sequence < 5", 5), ("sequence < 7", 7)] {
        app.database.change(&format!("DELETE FROM event WHERE {pruned}")).await;
        assert_eq!(verify(&app, &caller, &kept).await, Err(AuditFailure::Missing(1)));
        let verdict = app.store.verify(caller.organization(), kept.to_vec(), place).await.unwrap();
        assert_eq!(verdict.unwrap().sealed, 8);
        let earlier = app.store.verify(caller.organization(), kept.to_vec(), place - 1).await.unwrap();
        assert_eq!(earlier, Err(AuditFailure::Missing(place - 1)));
    }
    app.database.change("UPDATE event SET fields = '[]' WHERE sequence = 8").await;
    let trouble = app.store.verify(caller.organization(), kept.to_vec(), 7).await.unwrap().unwrap_err();
    assert!(matches!(trouble, AuditFailure::Changed(8, _)), "{trouble}");
}
