//! Tests of values that new users and their platforms put into flags and the environment.

use std::{fs, path::Path};

use super::{
    DEMO_FILE, USUAL_FILE,
    tests::{NO_FOLDER, assert_stopped, read, settings, with_file},
};

#[test]
fn unknown_variables_stop_the_start_and_what_was_meant_is_told() {
    let read = |name, text| read(&["serve"], &[(name, text)], Path::new(NO_FOLDER));
    for (name, text, meant) in [
        ("RAPPORT_LISTN", "127.0.0.1:1", "RAPPORT_LISTEN"),
        ("RAPPORT_PORT", "8080", "RAPPORT_LISTEN"),
        ("RAPPORT_DB_PORT", "5432", "RAPPORT_DB_PORT"),
        ("RAPPORT_DATABASE_ULR", "sqlite://x", "RAPPORT_DATABASE_URL"),
        ("RAPPORT_DB_URL", "sqlite://x", "RAPPORT_DATABASE_URL"),
        ("RAPPORT_SLUG", "acme", "RAPPORT_SLUG"),
        ("RAPPORT_NAME", "acme", "RAPPORT_NAME"),
        ("RAPPORT_PORT_HTTP_TCP", "tcp://10.0.0.1:80", "RAPPORT_PORT_HTTP_TCP"),
    ] {
        assert_stopped(read(name, text), name);
        assert_stopped(read(name, text), meant);
    }
    for known in ["RAPPORT_LISTEN", "RAPPORT_CONFIG", "RAPPORT_TEST_POSTGRES", "RAPPORT_TOKEN", "PATH"] {
        assert!(read(known, "x").is_ok(), "{known}");
    }
}

#[test]
fn what_kubernetes_docker_and_compose_files_put_into_the_environment_is_passed_over() {
    for service in ["RAPPORT", "RAPPORT_DB", "RAPPORT_LISTEN_2", "RAPPORT_ADMIN"] {
        for (end, text) in [
            ("SERVICE_HOST", "10.0.0.1"),
            ("SERVICE_PORT", "8080"),
            ("SERVICE_PORT_HTTP", "8080"),
            ("SERVICE_PORT_HTTP_ADMIN", "8081"),
            ("PORT", "tcp://10.0.0.1:8080"),
            ("PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ("PORT_8080_TCP_PROTO", "tcp"),
            ("PORT_8080_TCP_PORT", "8080"),
            ("PORT_8080_TCP_ADDR", "10.0.0.1"),
            ("PORT_53_UDP_ADDR", "fd00::1"),
            ("NAME", "/app/rapport"),
            ("ENV_PATH", "/usr/bin"),
        ] {
            let name = format!("{service}_{end}");
            assert!(read(&["serve"], &[(&name, text)], Path::new(NO_FOLDER)).is_ok(), "{name}");
        }
    }
    // A compose file sets `RAPPORT_…: ${UNSET:-}`, which is empty.
    assert!(read(&["serve"], &[("RAPPORT_LISTN", ""), ("RAPPORT_LISTEN", "")], Path::new(NO_FOLDER)).is_ok());
}

#[test]
fn an_address_to_listen_on_has_every_usual_form() {
    for (given, listen) in [
        ("localhost:7000", "127.0.0.1:7000"),
        (":7000", "127.0.0.1:7000"),
        ("127.0.0.1:7000", "127.0.0.1:7000"),
        ("[::1]:7000", "[::1]:7000"),
    ] {
        assert_eq!(settings(&["serve", "--listen", given]).http.listen.to_string(), listen);
        assert_eq!(settings(&["serve", "--admin-listen", given]).http.admin_listen.to_string(), listen);
    }
    for (given, said) in [("8080", "127.0.0.1:8080"), ("localhost", "HOST:PORT"), ("localhost:http", "HOST:PORT")] {
        assert_stopped(read(&["serve", "--listen", given], &[], Path::new(NO_FOLDER)), said);
        assert_stopped(read(&["serve", "--admin-listen", given], &[], Path::new(NO_FOLDER)), "--admin-listen");
    }
}

#[test]
fn a_slip_of_the_pen_is_told_from_what_was_meant() {
    let create = ["organization", "create", "--slug", "a", "--name", "A", "--time-zone"];
    for (arguments, meant) in [
        (vec!["serve", "--lisen", "127.0.0.1:1"], "--listen"),
        (vec!["sreve"], "serve"),
        (vec!["organization", "crate"], "create"),
        (vec!["serve", "--log-format", "jsn"], "json"),
        (vec!["token", "--organisation", "acme", "--scope", "admin"], "--organization"),
        ([&create[..], &["Berlin"]].concat(), "Europe/Berlin"),
        ([&create[..], &["europe/berlin"]].concat(), "Europe/Berlin"),
    ] {
        assert_stopped(read(&arguments, &[], Path::new(NO_FOLDER)), meant);
        assert_stopped(read(&arguments, &[], Path::new(NO_FOLDER)), "--help");
    }
    assert_stopped(with_file("lisen = \"127.0.0.1:7000\"", &["serve"]), "listen");
}

#[test]
fn commands_find_the_database_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let token = ["token", "--organization", "acme", "--scope", "admin"];
    let create = ["organization", "create", "--slug", "acme", "--name", "Acme"];
    let of = |arguments: &[&str]| {
        let settings = read(arguments, &[], folder.path()).unwrap_or_else(|stop| panic!("{stop}"));
        (settings.database.url, settings.note.is_some())
    };
    let usual = ("sqlite://rapport.db?mode=rwc".to_owned(), false);
    assert_eq!(of(&token), usual);
    fs::write(folder.path().join(DEMO_FILE), "").unwrap();
    assert_eq!(of(&token), ("sqlite://rapport-demo.db?mode=rwc".to_owned(), true));
    for makes in [&["serve"][..], &["migrate"], &["schema"], &create, &["restore", "x"]] {
        assert_eq!(of(makes), usual, "{makes:?}");
    }
    fs::write(folder.path().join(USUAL_FILE), "").unwrap();
    assert_eq!(of(&token), usual);
}
