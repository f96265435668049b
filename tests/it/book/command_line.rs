//! The settings and commands, as `--help` tells them.

use std::{fmt::Write, process::Command};

/// What the program prints for `arguments` and `--help`.
fn help(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rapport"));
    let output = command.args(arguments).arg("--help").env_clear().output().expect("the program can be started");
    String::from_utf8(output.stdout).expect("help is text")
}

/// The lines under a heading, up to the next one.
fn section<'a>(help: &'a str, heading: &str) -> Vec<&'a str> {
    let lines = help.lines().skip_while(|line| *line != heading).skip(1);
    lines.take_while(|line| line.is_empty() || line.starts_with(' ')).collect()
}

/// An option or a positional argument.
#[derive(Default)]
struct Given {
    form: String,
    variable: String,
    default: String,
    meaning: String,
}

impl Given {
    fn read(lines: &[&str]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for line in lines {
            let text = line.trim();
            let indent = line.len() - line.trim_start().len();
            if text.is_empty() {
                continue;
            }
            if indent < 10 {
                all.push(Self { form: text.to_owned(), ..Self::default() });
                continue;
            }
            let Some(known) = all.last_mut() else { continue };
            if let Some(name) = text.strip_prefix("[env: ") {
                name.trim_end_matches(['=', ']']).clone_into(&mut known.variable);
            } else if let Some(default) = text.strip_prefix("[default: ") {
                known.default = format!("`{}`", default.trim_end_matches(']'));
            } else if let Some(values) = text.strip_prefix("[possible values: ") {
                write!(known.meaning, " ({})", values.trim_end_matches(']')).unwrap();
            } else if text == "Possible values:" {
                known.meaning.push(':');
            } else {
                let text = text.strip_prefix("- ").map_or_else(|| text.to_owned(), |value| format!("{value};"));
                if !known.meaning.is_empty() {
                    known.meaning.push(' ');
                }
                known.meaning.push_str(&text);
            }
        }
        for known in &mut all {
            known.meaning = known.meaning.trim_end_matches(';').to_owned();
            if let Some((meaning, default)) = known.meaning.clone().split_once(" [default: ") {
                meaning.clone_into(&mut known.meaning);
                default.trim_end_matches(']').clone_into(&mut known.default);
            }
        }
        all.retain(|known| !known.form.contains("--help") && !known.form.contains("--version"));
        all
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Every setting.
pub fn settings() -> String {
    let help = help(&[]);
    let mut text = String::new();
    for heading in ["Settings:", "Limits:"] {
        write!(
            text,
            "## {}\n\n| Flag and variable | Default | Meaning |\n|---|---|---|\n",
            heading.trim_end_matches(':')
        )
        .unwrap();
        let found = Given::read(&section(&help, heading));
        assert!(found.len() > 10, "{heading}");
        for Given { form, variable, default, meaning } in found {
            let flag = form.split([' ', '[']).next().unwrap_or_default();
            writeln!(text, "| `{flag}` `{variable}` | {} | {} |", cell(&default), cell(&meaning)).unwrap();
        }
        text.push('\n');
    }
    text
}

/// Every command.
pub fn commands() -> String {
    let mut text = String::new();
    write_commands(&mut text, &[]);
    text
}

fn write_commands(text: &mut String, path: &[&str]) {
    let help = help(path);
    let subcommands: Vec<&str> = section(&help, "Commands:")
        .iter()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    if subcommands.is_empty() {
        let about = help.lines().next().unwrap_or_default();
        let usage = help.lines().find_map(|line| line.strip_prefix("Usage: ")).unwrap_or_default();
        write!(text, "## `rapport {}`\n\n{about}.\n\n```text\n{usage}\n```\n\n", path.join(" ")).unwrap();
        let mut given = Given::read(&section(&help, "Arguments:"));
        given.extend(Given::read(&section(&help, "Options:")));
        if !given.is_empty() {
            text.push_str("| Argument | Default | Meaning |\n|---|---|---|\n");
        }
        for Given { form, default, meaning, .. } in &given {
            writeln!(text, "| `{}` | {} | {} |", cell(form), cell(default), cell(meaning)).unwrap();
        }
        if !given.is_empty() {
            text.push('\n');
        }
    }
    for name in subcommands {
        write_commands(text, &[path, &[name]].concat());
    }
}
