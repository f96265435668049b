//! The program from outside: settings from the environment, exit codes, and what goes to which stream.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

/// Runs the program in `folder` with nothing in its environment but `variables`.
fn rapport(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rapport"))
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .current_dir(folder)
        .output()
        .expect("the program can be started")
}

/// The one line on standard error of a run that fails with `code`.
#[track_caller]
fn failure(output: &Output, code: i32) -> String {
    let text = String::from_utf8(output.stderr.clone()).expect("errors are text");
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(text.starts_with("rapport: ") && text.matches('\n').count() == 1 && text.ends_with('\n'), "{text}");
    assert!(output.stdout.is_empty());
    text
}

#[test]
fn a_flag_comes_before_a_variable_and_a_variable_before_the_file() {
    let folder = tempfile::tempdir().unwrap();
    // A key that is not there is named in the error, which shows where its path came from.
    fs::write(folder.path().join("rapport.toml"), "signing-key = \"from-file\"").unwrap();
    let variable = [("RAPPORT_SIGNING_KEY", "from-variable")];
    let flag = ["serve", "--signing-key", "from-flag"];
    for (arguments, variables, expected) in [
        (&flag[..], &variable[..], "from-flag"),
        (&flag[..1], &variable[..], "from-variable"),
        (&flag[..1], &[], "from-file"),
    ] {
        let output = rapport(folder.path(), arguments, variables);
        assert!(failure(&output, 1).contains(expected), "{expected}");
    }
}

#[test]
fn the_file_can_be_named_by_a_variable() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("other.toml"), "signing-key = \"from-other\"").unwrap();
    let output = rapport(folder.path(), &["serve"], &[("RAPPORT_CONFIG", "other.toml")]);
    assert!(failure(&output, 1).contains("from-other"));
}

#[test]
fn a_wrong_setting_ends_with_code_2_and_names_the_setting() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, variables, setting) in [
        (&["serve", "--lisen", "x"][..], &[][..], "--lisen"),
        (&["serve"], &[("RAPPORT_LISTEN", "nowhere")], "--listen"),
        (&["serve"], &[("RAPPORT_LISEN", "127.0.0.1:1")], "RAPPORT_LISEN"),
        (&["serve"], &[("RAPPORT_DATABASE_URL", "postgres://localhost/rapport")], "--signing-key"),
        (&["token", "--organization", "acme", "--scope", "map:red"], &[], "map:red"),
        (&[], &[], "serve"),
    ] {
        let sentence = failure(&rapport(folder.path(), arguments, variables), 2);
        assert!(sentence.contains(setting), "{sentence}");
    }
}

#[test]
fn results_and_help_go_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, expected) in
        [(&["schema"], "type Query"), (&["--help"], "RAPPORT_DATABASE_URL"), (&["--version"], "rapport ")]
    {
        let output = rapport(folder.path(), arguments, &[]);
        assert!(output.status.success() && output.stderr.is_empty());
        assert!(String::from_utf8(output.stdout).unwrap().contains(expected));
    }
}

#[test]
fn printing_the_schema_leaves_no_files() {
    let folder = tempfile::tempdir().unwrap();
    rapport(folder.path(), &["schema"], &[]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
