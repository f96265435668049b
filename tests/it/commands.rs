//! The commands about who gets in, and what `serve` asks before it lets strangers near.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
};

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rapport"));
    command.args(arguments).env_clear().current_dir(folder);
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().expect("the program can be started")
}

/// What a command that succeeds prints.
#[track_caller]
fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn failure(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn clients_are_made_listed_and_revoked_at_the_machine() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| printed(folder.path(), arguments);
    run(&["organization", "create", "--slug", "acme", "--name", "Acme"]);
    let arguments =
        ["api-client", "create", "--organization", "acme", "--name", "CRM sync", "--scope", "map:read admin"];
    let output = run(&arguments);
    let [id, secret] = output.lines().collect::<Vec<_>>()[..] else { panic!("{output}") };
    let (Some(id), Some(secret)) = (id.strip_prefix("id: "), secret.strip_prefix("secret: ")) else {
        panic!("{output}")
    };
    assert!(id.starts_with("client_") && secret.starts_with("rps_"), "{output}");
    let list = || run(&["api-client", "list", "--organization", "acme"]);
    assert_eq!(list(), format!("{id}\tCRM sync\tmap:read admin\tactive\n"));
    let revoke = ["api-client", "revoke", "--organization", "acme", "--id", id];
    assert_eq!(run(&revoke), "");
    assert_eq!(run(&revoke), "");
    assert!(list().contains("\trevoked 20"), "{}", list());
    for wrong in ["client_x", "org_01h455vb4pex5vsknk084sn02q"] {
        let revoke = ["api-client", "revoke", "--organization", "acme", "--id", wrong];
        assert!(failure(folder.path(), &revoke, 1).contains("ApiClient"));
    }
    let elsewhere = ["api-client", "list", "--organization", "other"];
    assert!(failure(folder.path(), &elsewhere, 1).contains("other"));
}

#[test]
fn organizations_are_suspended_and_subjects_cut_off_at_the_machine() {
    let folder = tempfile::tempdir().unwrap();
    printed(folder.path(), &["organization", "create", "--slug", "acme", "--name", "Acme"]);
    for arguments in [
        &["organization", "suspend", "--slug", "acme"][..],
        &["organization", "suspend", "--slug", "acme"],
        &["organization", "resume", "--slug", "acme"],
        &["revoke", "--organization", "acme", "--subject", "ada"],
    ] {
        assert_eq!(printed(folder.path(), arguments), "");
    }
    let list = || printed(folder.path(), &["organization", "list"]);
    let lines = list();
    let [slug, id, name, state] = lines.trim_end().split('\t').collect::<Vec<_>>()[..] else { panic!("{lines}") };
    assert!((slug, name, state) == ("acme", "Acme", "active") && id.starts_with("org_"), "{lines}");
    printed(folder.path(), &["organization", "suspend", "--slug", "acme"]);
    printed(folder.path(), &["organization", "create", "--slug", "second", "--name", "Two names"]);
    let lines = list();
    let lines: Vec<_> = lines.lines().collect();
    assert!(lines[0].contains("\tsuspended 20") && lines[1].ends_with("\tTwo names\tactive"), "{lines:?}");
    let close = failure(folder.path(), &["token", "--organization", "acm", "--scope", "admin"], 1);
    assert!(close.contains("did you mean acme"), "{close}");
    let unknown = failure(folder.path(), &["organization", "suspend", "--slug", "other"], 1);
    assert!(unknown.contains("other"));
}

#[test]
fn a_server_with_other_issuers_alone_issues_no_tokens() {
    let folder = tempfile::tempdir().unwrap();
    printed(folder.path(), &["organization", "create", "--slug", "acme", "--name", "Acme"]);
    let tables = "[[external-issuer]]\nissuer = \"https://id.example/\"\njwks = \"https://id.example/keys\"\n\
                  audience = \"rapport\"\nalgorithm = \"RS256\"\n\
                  organizations = [\"acme\"]\nscopes = \"map:read\"\n";
    fs::write(folder.path().join("rapport.toml"), tables).unwrap();
    let token = ["token", "--organization", "acme", "--scope", "map:read"];
    assert!(failure(folder.path(), &token, 1).contains("--signing-key"));
    assert!(!folder.path().join("rapport.key").exists());
}

#[test]
fn strangers_are_served_by_the_built_in_issuer_only_when_told_so() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["serve", "demo"] {
        let refusal = failure(folder.path(), &[command, "--listen", "0.0.0.0:0"], 2);
        assert!(refusal.contains("--allow-built-in-issuer") && refusal.matches('\n').count() == 1, "{refusal}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was begun");

    let told = ["serve", "--listen", "0.0.0.0:0", "--allow-built-in-issuer"];
    let mut server = command(folder.path(), &told).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (log, errors) = (BufReader::new(server.stdout.take().unwrap()), BufReader::new(server.stderr.take().unwrap()));
    let is_listening = errors.lines().chain(log.lines()).any(|line| line.unwrap().contains("listening"));
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(is_listening);
}
