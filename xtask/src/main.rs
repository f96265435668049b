//! Tasks that developers run by hand. `cargo xtask` lists them; it requires only cargo.

mod book;

use std::{
    env, fs,
    path::Path,
    process::{Command, ExitCode},
};

type Result = std::result::Result<(), String>;

/// Name, description and function of a task.
type Task = (&'static str, &'static str, fn() -> Result);

const TASKS: [Task; 6] = [
    ("check", "format and lint, as CI does", check),
    ("generate", "update schema.graphql and the generated parts of docs/", generate),
    ("test", "run the tests on SQLite, and on PostgreSQL if RAPPORT_TEST_POSTGRES is set", test),
    ("test-postgres", "run the tests on PostgreSQL only", test_on_postgres),
    ("book", "build the book from docs/ into book/ and check its links (needs mdbook)", book::build),
    ("commands", "run the commands and queries of README.md and docs/ against a server", commands),
];

fn main() -> ExitCode {
    let name = env::args().nth(1).unwrap_or_default();
    let Some((_, _, task)) = TASKS.iter().find(|(known, ..)| *known == name) else {
        eprintln!("cargo xtask TASK");
        for (name, doc, _) in TASKS {
            eprintln!("  {name:13} {doc}");
        }
        return ExitCode::from(2);
    };
    match task() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo xtask {name}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the root folder of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository")
}

fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

fn run(mut command: Command) -> Result {
    let shown = format!("{command:?}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{shown} ended with {status}")),
        Err(error) => Err(format!("cannot start {shown}: {error}")),
    }
}

fn check() -> Result {
    run(command("cargo", &["fmt", "--all", "--check"]))?;
    run(command("cargo", &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))
}

fn generate() -> Result {
    let schema = command("cargo", &["run", "--quiet", "--", "schema"]).output().map_err(|error| error.to_string())?;
    if !schema.status.success() {
        return Err(String::from_utf8_lossy(&schema.stderr).into_owned());
    }
    fs::write(root().join("schema.graphql"), schema.stdout).map_err(|error| error.to_string())?;
    let filter = "book::the_generated_parts";
    let mut update = command("cargo", &["test", "--quiet", "--package", "rapport", "--test", "it", filter]);
    update.env("RAPPORT_TEST_REWRITE", "1");
    // The test fails if it updates a file, so this result is ignored; the second run must succeed.
    let _ = run(update);
    run(command("cargo", &["test", "--quiet", "--package", "rapport", "--test", "it", filter]))
}

/// Names the database on which the tests run; without it, they run on SQLite.
const POSTGRES: &str = "RAPPORT_TEST_POSTGRES";

fn test() -> Result {
    run_tests(|command| command.env_remove(POSTGRES))?;
    if env::var_os(POSTGRES).is_some() { test_on_postgres() } else { Ok(()) }
}

fn test_on_postgres() -> Result {
    let url =
        env::var_os(POSTGRES).ok_or_else(|| format!("set {POSTGRES} to a server on which to create databases"))?;
    run_tests(|command| command.env(POSTGRES, &url))
}

/// Runs the tests by cargo-nextest, or by cargo where that is not installed.
fn run_tests(on: impl Fn(&mut Command) -> &mut Command) -> Result {
    let cargo = |arguments: &[&str]| {
        let mut command = command("cargo", arguments);
        on(&mut command);
        run(command)
    };
    let nextest = command("cargo", &["nextest", "--version"]).output();
    if !nextest.is_ok_and(|output| output.status.success()) {
        return cargo(&["test", "--workspace", "--locked", "--no-fail-fast", "--quiet"]);
    }
    let shown = ["--status-level", "fail", "--final-status-level", "fail"];
    cargo(&[&["nextest", "run", "--workspace", "--locked", "--no-fail-fast"], &shown[..]].concat())?;
    cargo(&["test", "--workspace", "--locked", "--doc", "--quiet"])
}

fn commands() -> Result {
    run(command("cargo", &["build", "--quiet"]))?;
    run(command("python3", &["tests/docs/run.py", "target/debug/rapport"]))
}
