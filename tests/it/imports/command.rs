//! `rapport import`.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rapport"));
    command.args(arguments).env_clear().current_dir(folder).output().expect("the program can be started")
}

fn import(folder: &Path, more: &[&str]) -> (bool, String, String) {
    let arguments = [&["import", "--organization", "acme"], more].concat();
    let output = run(folder, &arguments);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

const MAP: [&str; 8] =
    ["--noun", "customer", "--map", "externalId.id=No", "--map", "name=Name", "--set", "externalId.system=crm"];

#[test]
fn a_file_is_imported_at_the_machine() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert!(run(folder, &["organization", "create", "--slug", "acme", "--name", "Acme"]).status.success());
    fs::write(folder.join("people.csv"), "No,Name\n1,Ada\n2,Bob\n").unwrap();
    let with = |more: &[&str]| import(folder, &[&["people.csv"], &MAP[..], more].concat());

    let (_, told, _) = with(&["--dry-run"]);
    assert_eq!(told, "2 lines, nothing written: 2 created, 0 updated, 0 unchanged, 0 failed\n");
    let (is_done, told, shown) = with(&[]);
    assert!(is_done && told == "2 lines: 2 created, 0 updated, 0 unchanged, 0 failed\n", "{told} {shown}");
    assert_eq!(with(&[]).1, "2 lines: 0 created, 0 updated, 2 unchanged, 0 failed\n");

    fs::write(folder.join("people.csv"), "No,Name\n,Nobody\n2,Eve\n").unwrap();
    let (is_done, told, shown) = with(&[]);
    assert!(!is_done && told.is_empty());
    assert!(shown.contains("2 lines: 0 created, 1 updated, 0 unchanged, 1 failed\nline 2: [{"), "{shown}");
    for (arguments, said) in [
        (&["people.csv", "--noun", "custmer"][..], "did you mean customer?"),
        (&["people.csv", "--noun", "customer", "--encoding", "latin"], "expected one of AUTO, UTF_8"),
        (&["people.txt", "--noun", "customer"], "cannot read people.txt"),
        (&["people", "--noun", "customer"], "--format is required"),
        (&["people.csv", "--noun", "customer", "--map", "nam=Name"], "columns.0.field: the type has no such field"),
        (&["people.csv", "--noun", "customer", "--split", "tags=|"], "--map does not name this field"),
        (&["people.csv", "--noun", "customer"], "column 1 of the header: "),
        (&["--resume", "imp_01h455vb4pex5vsknk084sn02q"], "the organization has no such import"),
        (&["--resume", "7"], "--resume takes the id of an import"),
    ] {
        let (is_done, _, shown) = import(folder, arguments);
        assert!(!is_done && shown.contains(said), "{arguments:?}: {shown}");
    }
}

#[test]
fn an_import_that_was_interrupted_goes_on_with_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert!(run(folder, &["organization", "create", "--slug", "acme", "--name", "Acme"]).status.success());
    let rows = super::text(3_000, |row| format!("{row},N{row}\n"));
    fs::write(folder.join("people.csv"), format!("No,Name\n{rows}")).unwrap();
    let arguments = [&["import", "--organization", "acme", "people.csv"], &MAP[..]].concat();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rapport"));
    command.args(arguments).env_clear().current_dir(folder).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It says its id as soon as the file is stored and the rows begin.
    let mut said = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("--resume imp_") {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut said, &mut line).unwrap() > 0);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let id = line.trim_end().rsplit(' ').next().unwrap();
    let (is_done, told, shown) = import(folder, &["--resume", id]);
    assert!(is_done && told == "3000 lines: 3000 created, 0 updated, 0 unchanged, 0 failed\n", "{told} {shown}");
}
