//! Secrets of the configuration in what the commands complain of.

use std::fs;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{SONG, served::command};

/// What a run says that must fail.
#[track_caller]
fn complaint(folder: &std::path::Path, database: &str, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = command(folder, database).args(arguments).envs(variables.iter().copied()).output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!output.status.success() && text.contains("rapport: "), "{text}");
    assert!(!text.to_lowercase().contains(SONG), "{text}");
    text
}

#[test]
fn no_command_complains_of_a_secret_by_repeating_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let token = ["token", "--organization", "acme", "--scope", "map:read", "--log", "trace"];
    for database in [
        format!("postgres://rapport:{SONG}@127.0.0.1:1/rapport"),
        format!("postgres://rapport:{SONG}@127.0.0.1:nowhere/rapport"),
        format!("postgres://rapport:{SONG}@127.0.0.1:1/rapport?sslmode={SONG}"),
        format!("postgres://rapport:{SONG}@"),
        format!("mysql://rapport:{SONG}@127.0.0.1/rapport"),
        format!("sqlite://gone/rapport.db?mode={SONG}"),
        SONG.to_owned(),
    ] {
        complaint(folder, &database, &token, &[]);
    }
    let sqlite = "sqlite://rapport.db?mode=rwc";
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(SONG.repeat(9)));
    for key in [SONG.to_owned(), pem] {
        fs::write(folder.join("key.der"), key).unwrap();
        complaint(folder, sqlite, &token, &[]);
        complaint(folder, sqlite, &["serve", "--log", "trace"], &[]);
    }
    for issuer in [
        SONG.to_owned(),
        format!("{{\"issuer\": \"{SONG}\", \"jwks\": \"https://id.example/{SONG}?key={SONG}\"}}"),
        format!("{{\"issuer\": 1, \"jwks\": \"http://id.example/{SONG}\", \"unknown\": 1}}"),
    ] {
        complaint(folder, sqlite, &["serve"], &[("RAPPORT_EXTERNAL_ISSUER", &issuer)]);
        complaint(folder, sqlite, &["serve", "--external-issuer", &issuer], &[]);
    }
    for file in [
        format!("database-url = \"postgres://rapport:{SONG}@db/rapport\nlisten = 1"),
        format!("database-url = {SONG}"),
        format!("[[external-issuer]]\nissuer = \"{SONG}\"\njwks = \"http://id.example/{SONG}\""),
        format!("external-issuer = [\"{SONG}\"]"),
    ] {
        fs::write(folder.join("rapport.toml"), file).unwrap();
        complaint(folder, sqlite, &["serve"], &[]);
        fs::remove_file(folder.join("rapport.toml")).unwrap();
    }
}
