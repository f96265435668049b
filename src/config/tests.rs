//! Tests of the settings from flags, file and defaults. The environment is tested from outside the process.

use std::fs;

use entity::Permission;

use super::*;

const ISSUER: &str = r#"{"issuer": "https://id.example", "jwks": "https://id.example/keys", "audience": "rapport",
    "algorithm": "RS256", "organizations": ["acme"], "scopes": "map:read"}"#;
/// A folder without a configuration file.
pub(super) const NO_FOLDER: &str = "does-not-exist";

pub(super) fn read(arguments: &[&str], variables: &[(&str, &str)], folder: &Path) -> Result<Settings, ConfigError> {
    let arguments = ["rapport"].iter().chain(arguments).map(OsString::from);
    Settings::gather(arguments, variables.iter().map(|(name, text)| (name.into(), text.into())), folder)
}

#[track_caller]
pub(super) fn settings(arguments: &[&str]) -> Settings {
    read(arguments, &[], Path::new(NO_FOLDER)).unwrap_or_else(|stop| panic!("{stop}"))
}

pub(super) fn with_file(text: &str, arguments: &[&str]) -> Result<Settings, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rapport.toml");
    fs::write(&file, text).unwrap();
    read(arguments, &[], folder.path())
}

#[test]
fn a_file_saved_by_an_editor_is_read_and_one_in_another_encoding_is_named() {
    let saved =
        with_file("\u{feff}listen = \"127.0.0.1:9000\"\r\n", &["serve"]).unwrap_or_else(|stop| panic!("{stop}"));
    assert_eq!(saved.http.listen.to_string(), "127.0.0.1:9000");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rapport.toml");
    let utf16: Vec<u8> = "\u{feff}listen = 1".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [utf16.as_slice(), b"listen = \"\xe9\""] {
        fs::write(&file, bytes).unwrap();
        assert_stopped(read(&["serve"], &[], folder.path()), "UTF-8");
    }
}

/// Asserts that reading the settings fails with a single line that names the setting.
#[track_caller]
pub(super) fn assert_stopped(result: Result<Settings, ConfigError>, setting: &str) {
    match result {
        Err(ConfigError::Wrong(sentence)) => {
            assert!(sentence.contains(setting) && !sentence.contains('\n'), "{sentence}");
        }
        Err(ConfigError::Shown(help)) => panic!("showed {help}"),
        Ok(_) => panic!("started in spite of {setting}"),
    }
}

#[test]
fn without_any_settings_everything_has_a_default() {
    let settings = settings(&["serve"]);
    assert_eq!(settings.database.url, "sqlite://rapport.db?mode=rwc");
    assert_eq!(settings.database.max_connections, 8);
    assert_eq!(settings.issuer, "rapport");
    assert_eq!(settings.http.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.http.admin_listen.to_string(), "127.0.0.1:8081");
    assert!(settings.http.cors_origins.is_empty());
    assert_eq!(settings.http.body_limit, 4 * 1_024 * 1_024);
    assert_eq!(settings.http.request_timeout, Duration::from_secs(10));
    assert_eq!(settings.http.drain_timeout, Duration::from_secs(25));
    assert_eq!(settings.http.limits, Limits::DEFAULT);
    assert_eq!(settings.log.to_string(), "info");
    assert_eq!(settings.log_format, LogFormat::Text);
}

#[test]
fn the_demo_has_a_database_of_its_own() {
    assert_eq!(settings(&["demo"]).database.url, "sqlite://rapport-demo.db?mode=rwc");
    assert_eq!(settings(&["demo", "--database-url", "sqlite://x.db"]).database.url, "sqlite://x.db");
}

#[test]
fn settings_may_stand_before_and_after_the_command() {
    assert_eq!(settings(&["--listen", "[::1]:90", "serve"]).http.listen.to_string(), "[::1]:90");
    assert_eq!(settings(&["serve", "--listen", "[::1]:90"]).http.listen.to_string(), "[::1]:90");
}

#[test]
fn the_admin_address_follows_the_other_on_loopback() {
    let admin =
        |listen| settings(&["serve", "--listen", listen, "--allow-built-in-issuer"]).http.admin_listen.to_string();
    assert_eq!(admin("0.0.0.0:9000"), "127.0.0.1:9001");
    assert_eq!(admin("[::]:0"), "127.0.0.1:0");
    let last = read(&["serve", "--listen", "127.0.0.1:65535"], &[], Path::new(NO_FOLDER));
    assert_stopped(last, "--admin-listen");
    let same = ["serve", "--listen", "127.0.0.1:9000", "--admin-listen", "127.0.0.1:9000"];
    assert_stopped(read(&same, &[], Path::new(NO_FOLDER)), "--admin-listen");
}

#[test]
fn the_file_stands_behind_flags_and_before_defaults() {
    let file =
        "listen = \"127.0.0.1:7000\"\ndatabase-connections = 3\ncors-origin = [\"https://a.example\", \"http://b:1\"]";
    let settings = with_file(file, &["serve", "--listen", "127.0.0.1:6000"]).unwrap_or_else(|stop| panic!("{stop}"));
    assert_eq!(settings.http.listen.port(), 6000);
    assert_eq!(settings.database.max_connections, 3);
    assert_eq!(settings.http.cors_origins, ["https://a.example", "http://b:1"]);
    assert_eq!(settings.issuer, "rapport");
}

#[test]
fn the_public_url_is_the_issuer_unless_another_is_named() {
    let public = ["serve", "--public-url", "https://rapport.example/"];
    let read_with = |more: &[&str]| {
        let settings = settings(&[&public, more].concat());
        (settings.issuer, settings.is_issuer_public)
    };
    assert_eq!(read_with(&[]), ("https://rapport.example".to_owned(), true));
    assert_eq!(read_with(&["--issuer", "elsewhere"]), ("elsewhere".to_owned(), false));
    let default = settings(&["serve"]);
    assert_eq!((default.issuer.as_str(), default.is_issuer_public), ("rapport", false));
    // Tokens of both names are its own, so that no provider may have either.
    for name in ["rapport", "https://rapport.example"] {
        let provider = ISSUER.replace("https://id.example\"", &format!("{name}\""));
        let twice = [&public[..], &["--external-issuer", &provider, "--signing-key", "k"]].concat();
        assert_stopped(read(&twice, &[], Path::new(NO_FOLDER)), "--issuer");
    }
}

#[test]
fn a_list_from_a_flag_replaces_the_list_of_the_file() {
    let file = "cors-origin = [\"https://a.example\"]";
    let flags = ["serve", "--cors-origin", "https://b.example,https://c.example", "--cors-origin", "https://d.example"];
    let origins = with_file(file, &flags).unwrap_or_else(|stop| panic!("{stop}")).http.cors_origins;
    assert_eq!(origins, ["https://b.example", "https://c.example", "https://d.example"]);
}

#[test]
fn a_wrong_file_stops_the_start() {
    for (text, setting) in [
        ("lisen = \"127.0.0.1:7000\"", "lisen"),
        ("config = \"other.toml\"", "config"),
        ("help = \"yes\"", "help"),
        ("slug = \"acme\"", "slug"),
        ("[http]\nlisten = \"127.0.0.1:7000\"", "http"),
        ("listen = \"nowhere\"", "--listen"),
        ("listen = [\"127.0.0.1:7000\"]", "listen"),
        ("listen = true", "listen"),
        ("database-connections = 0", "--database-connections"),
        ("database-connections = \"many\"", "--database-connections"),
        ("cors-origin = [1]", "cors-origin"),
        ("request-timeout = 10", "--request-timeout"),
        ("listen = 1\nlisten = 2", "line 2"),
        ("listen", "line 1"),
    ] {
        assert_stopped(with_file(text, &["serve"]), setting);
        assert_stopped(with_file(text, &["serve"]), "rapport.toml");
    }
}

#[test]
fn the_usual_file_may_be_absent_but_a_named_one_may_not() {
    assert!(read(&["serve"], &[], Path::new(NO_FOLDER)).is_ok());
    assert_stopped(read(&["serve", "--config", NO_FOLDER], &[], Path::new(NO_FOLDER)), NO_FOLDER);
}

#[test]
fn wrong_flags_stop_the_start() {
    for (arguments, setting) in [
        (vec!["serve", "--lisen", "127.0.0.1:1"], "--lisen"),
        (vec!["serve", "--listen", "8080"], "--listen"),
        (vec!["serve", "--listen"], "--listen"),
        (vec!["serve", "--database-connections", "1001"], "--database-connections"),
        (vec!["serve", "--database-url", "mysql://root:secret@host/db"], "--database-url"),
        (vec!["serve", "--database-url", "sqlite::memory:"], "--database-url"),
        (vec!["serve", "--database-url", "sqlite://:memory:"], "--database-url"),
        (vec!["serve", "--database-url", "sqlite://"], "--database-url"),
        (vec!["serve", "--issuer", ""], "--issuer"),
        (vec!["serve", "--cors-origin", "*"], "--cors-origin"),
        (vec!["serve", "--cors-origin", "https://*.example"], "--cors-origin"),
        (vec!["serve", "--cors-origin", "https://a.example/"], "--cors-origin"),
        (vec!["serve", "--cors-origin", "https://a@b.example"], "--cors-origin"),
        (vec!["serve", "--log", "loud"], "--log"),
        (vec!["serve", "--log-format", "xml"], "--log-format"),
        (vec!["serve", "--body-limit", "10"], "--body-limit"),
        (vec!["serve", "--document-nesting", "65"], "--document-nesting"),
        (vec!["serve", "--points-per-second", "0"], "--points-per-second"),
        (vec!["serve", "--points", "19999"], "--cost-limit"),
        (vec!["serve", "--request-timeout", "0s"], "--request-timeout"),
        (vec!["serve", "--request-timeout", "10"], "--request-timeout"),
        (vec!["serve", "--drain-timeout=-5s"], "--drain-timeout"),
        (vec!["serve", "extra"], "extra"),
        (vec![], "serve"),
        (vec!["start"], "start"),
        (vec!["organization"], "create"),
        (vec!["organization", "create", "--slug", "Acme", "--name", "Acme"], "--slug"),
        (vec!["organization", "create", "--slug", "acme", "--name", " "], "--name"),
        (vec!["organization", "create", "--slug", "acme"], "--name"),
        (vec!["organization", "create", "--slug", "a", "--name", "A", "--time-zone", "Mars/Base"], "--time-zone"),
        (vec!["token", "--organization", "acme"], "--scope"),
        (vec!["token", "--organization", "acme", "--scope", "map:read map:red"], "map:red"),
        (vec!["token", "--organization", "acme", "--scope", ""], "--scope"),
        (vec!["token", "--organization", "acme", "--scope", "admin", "--ttl", "25h"], "--ttl"),
        (vec!["api-client"], "create"),
        (vec!["api-client", "create", "--organization", "acme", "--name", "CRM", "--scope", "all"], "all"),
        (vec!["api-client", "revoke", "--organization", "acme"], "--id"),
        (vec!["organization", "suspend"], "--slug"),
        (vec!["revoke", "--organization", "acme"], "--subject"),
        (vec!["serve", "--client-token-ttl", "61m"], "--client-token-ttl"),
        (vec!["serve", "--allow-built-in-issuer=maybe"], "--allow-built-in-issuer"),
        (vec!["serve", "--external-issuer", "https://id.example"], "--external-issuer"),
        (vec!["serve", "--external-issuer", "{\"issuer\": \"a\"}"], "jwks"),
        (vec!["serve", "--external-issuer", ISSUER, "--external-issuer", ISSUER], "--external-issuer"),
        (
            vec!["serve", "--external-issuer", ISSUER, "--signing-key", "k", "--issuer", "https://id.example"],
            "--issuer",
        ),
    ] {
        assert_stopped(read(&arguments, &[], Path::new(NO_FOLDER)), setting);
    }
}

#[test]
fn a_wrong_database_address_is_not_repeated() {
    let Err(stop) = read(&["serve", "--database-url", "mysql://root:secret@host/db"], &[], Path::new(NO_FOLDER)) else {
        panic!("started");
    };
    assert!(!stop.to_string().contains("secret"));
}

#[test]
fn each_setting_is_a_flag_and_the_variable_of_that_name_and_has_help() {
    let command = CommandLine::command();
    let settings: Vec<_> = command.get_arguments().collect();
    assert_eq!(settings.len(), 39);
    let Err(ConfigError::Shown(help)) = read(&["--help"], &[], Path::new(NO_FOLDER)) else { panic!("no help") };
    for setting in settings {
        let flag = setting.get_long().unwrap();
        let variable = format!("RAPPORT_{}", flag.to_uppercase().replace('-', "_"));
        assert_eq!(setting.get_env().unwrap().to_str(), Some(variable.as_str()));
        assert!(setting.is_global_set() && setting.is_hide_env_values_set());
        let sign = if flag == "allow-built-in-issuer" { "[" } else { " " };
        let shown = help.split(&format!("--{flag}{sign}")).nth(1).unwrap().split("\n      --").next().unwrap();
        assert!(shown.contains(&format!("[env: {variable}]")) && shown.contains("[default: "), "{shown}");
    }
}

#[test]
fn help_shows_defaults_not_what_the_file_says() {
    let Err(ConfigError::Shown(help)) = with_file("issuer = \"private-name\"", &["--help"]) else { panic!("no help") };
    assert!(!help.contains("private-name"));
}

#[test]
fn a_token_is_asked_for_with_scopes_and_a_life() {
    let Command::Token(asked) = settings(&["token", "--organization", "acme", "--scope", "map:read admin"]).command
    else {
        panic!("another command")
    };
    assert_eq!(asked.permissions, [Permission::MapRead, Permission::Admin].into_iter().collect());
    assert_eq!((asked.life, asked.subject.as_str()), (TimeDelta::hours(1), "operator"));
}

#[test]
fn the_key_is_kept_beside_a_sqlite_file_and_must_be_given_on_postgresql_but_for_the_demo() {
    let key_file = |url, more: &[&str]| settings(&[&["serve", "--database-url", url], more].concat()).key_file();
    let own = key_file("sqlite:///var/lib/rapport/data.db?mode=rwc", &[]).unwrap_or_else(|stop| panic!("{stop}"));
    assert_eq!(own, Some(KeyFile::Own("/var/lib/rapport/data.key".into())));
    let given = key_file("postgres://localhost/rapport", &["--signing-key", "k.pem"]).ok();
    assert_eq!(given, Some(Some(KeyFile::Given("k.pem".into()))));
    let stop = key_file("postgres://localhost/rapport", &[]).unwrap_err();
    assert!(stop.to_string().contains("--signing-key"));
    let demo = settings(&["demo", "--database-url", "postgres://localhost/rapport"]).key_file().ok();
    assert_eq!(demo, Some(Some(KeyFile::Own("rapport-demo.key".into()))));
}

#[test]
fn the_built_in_issuer_is_off_where_another_is_named_and_no_key_is() {
    let is_on = |more: &[&str]| settings(&[&["serve", "--external-issuer", ISSUER], more].concat()).key_file();
    assert_eq!(is_on(&[]).ok(), Some(None));
    assert_eq!(is_on(&["--database-url", "postgres://localhost/rapport"]).ok(), Some(None));
    assert!(is_on(&["--signing-key", "k.pem"]).is_ok_and(|file| file.is_some()));
    assert!(is_on(&["--allow-built-in-issuer"]).is_ok_and(|file| file.is_some()));
}

#[test]
fn the_built_in_issuer_serves_no_strangers_unasked() {
    let read = |arguments: &[&str]| read(arguments, &[], Path::new(NO_FOLDER));
    for listen in ["0.0.0.0:80", "[::]:80", "10.0.0.1:80", "[::ffff:10.0.0.1]:80"] {
        for command in ["serve", "demo"] {
            assert_stopped(read(&[command, "--listen", listen]), "--allow-built-in-issuer");
            assert_stopped(read(&[command, "--listen", listen, "--signing-key", "k"]), "--allow-built-in-issuer");
            assert!(read(&[command, "--listen", listen, "--allow-built-in-issuer"]).is_ok());
        }
        assert!(read(&["serve", "--listen", listen, "--external-issuer", ISSUER]).is_ok());
        let both = ["serve", "--listen", listen, "--external-issuer", ISSUER, "--signing-key", "k"];
        assert_stopped(read(&both), "--allow-built-in-issuer");
        assert_stopped(read(&["demo", "--listen", listen, "--external-issuer", ISSUER]), "--allow-built-in-issuer");
        assert!(read(&["migrate", "--listen", listen]).is_ok());
    }
    for listen in ["127.0.0.1:80", "127.9.9.9:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
        assert!(read(&["serve", "--listen", listen]).is_ok());
    }
}

#[test]
fn issuers_stand_in_the_file_as_tables() {
    let file = "allow-built-in-issuer = true
        [[external-issuer]]
        issuer = \"https://one.example\"
        jwks = \"https://one.example/keys\"
        audience = \"rapport\"
        algorithm = \"ES256\"
        organizations = \"*\"
        scopes = [\"map:read\"]
        [[external-issuer]]
        issuer = \"https://two.example\"
        jwks = \"https://two.example/keys\"
        audience = \"rapport\"
        algorithm = \"RS256\"
        organizations = \"*\"
        scopes = [\"map:read\"]
        type = \"JWT\"
        role-claim = \"/realm_access/roles\"
        [external-issuer.role-scopes]
        clerk = \"map:read record:read\"";
    let settings = with_file(file, &["serve", "--listen", "0.0.0.0:80"]).unwrap_or_else(|stop| panic!("{stop}"));
    let issuers: Vec<_> = settings.external_issuers.iter().map(|terms| terms.issuer.as_str()).collect();
    assert_eq!(issuers, ["https://one.example", "https://two.example"]);
    let clerk = settings.external_issuers[1].role_scopes["clerk"].0;
    assert_eq!(clerk, [Permission::MapRead, Permission::RecordRead].into_iter().collect());
    assert_stopped(with_file("[[external-issuer]]\nissuer = \"a\"", &["serve"]), "jwks");
    assert_stopped(with_file("[external-issuer]\nissuer = \"a\"", &["serve"]), "external-issuer");
}

#[test]
fn durations_have_a_unit() {
    assert_eq!(values::duration("90s"), Ok(Duration::from_secs(90)));
    assert_eq!(values::duration("30m"), Ok(Duration::from_mins(30)));
    assert_eq!(values::duration("24h"), Ok(Duration::from_hours(24)));
    for text in ["", "s", "1", "1d", "1.5h", "-1s", "+", "é", "99999999999s", "1 h"] {
        assert!(values::duration(text).is_err(), "{text}");
    }
}
