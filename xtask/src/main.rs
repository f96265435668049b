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

const TASKS: [Task; 5] = [
    ("check", "format and lint, as CI does", check),
    ("generate", "update schema.graphql and the generated parts of docs/", generate),
    ("test", "run the tests on SQLite, and on PostgreSQL if RAPPORT_TEST_POSTGRES is set", test),
    ("book", "build the book from docs/ into book/ and check its links (needs mdbook)", book::build),
    ("commands", "run the commands and queries of README.md and docs/ against a server", commands),
];

fn main() -> ExitCode {
    let name = env::args().nth(1).unwrap_or_default();
    let Some((_, _, task)) = TASKS.iter().find(|(known, ..)| *known == name) else {
        eprintln!("cargo xtask TASK");
        for (name, doc, _) in TASKS {
            eprintln!("  {name:10} {doc}");
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

fn test() -> Result {
    let mut on_sqlite = tests();
    on_sqlite.env_remove("RAPPORT_TEST_POSTGRES");
    run(on_sqlite)?;
    match env::var_os("RAPPORT_TEST_POSTGRES") {
        Some(_) => run(tests()),
        None => Ok(()),
    }
}

fn tests() -> Command {
    let nextest = command("cargo", &["nextest", "--version"]).output();
    if nextest.is_ok_and(|output| output.status.success()) {
        return command("cargo", &["nextest", "run", "--workspace", "--no-fail-fast"]);
    }
    command("cargo", &["test", "--workspace", "--no-fail-fast", "--quiet"])
}

fn commands() -> Result {
    run(command("cargo", &["build", "--quiet"]))?;
    run(command("python3", &["tests/docs/run.py", "target/debug/rapport"]))
}
