//! Which module may use which, and how long a file may be.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Most lines of a file.
const MAX_LINES: usize = 400;

/// What each module of the crate may use besides itself. Modules that are not named here stand on top and use any.
const MAY_USE: [(&str, &[&str]); 24] = [
    ("clock", &[]),
    ("calendar", &[]),
    ("business_time", &["calendar"]),
    ("faults", &[]),
    ("runtime", &[]),
    ("schedule", &[]),
    ("text", &[]),
    ("words", &[]),
    ("suggest", &[]),
    ("instant", &[]),
    ("outbound", &[]),
    // A failure of the database is sorted where errors are made of it.
    ("error", &["store"]),
    ("telemetry", &[]),
    ("auth", &["error"]),
    ("store", &["auth", "calendar", "error", "faults", "instant", "outbound", "runtime", "schedule", "text", "words"]),
    ("graphql", &["auth", "error", "instant", "store", "suggest", "text", "words"]),
    ("tenancy", &["auth", "error", "graphql", "store"]),
    ("map", &["auth", "error", "graphql", "store", "text"]),
    ("record", &["auth", "calendar", "error", "graphql", "store", "map"]),
    ("response", &["auth", "business_time", "calendar", "error", "graphql", "store", "text", "map", "record"]),
    ("insight", &["auth", "calendar", "error", "graphql", "store", "words", "map", "record", "response"]),
    ("exchange", &["auth", "error", "graphql", "outbound", "store", "text", "map", "record", "response"]),
    ("schema", &["auth", "error", "graphql", "store", "tenancy", "map", "record", "response", "insight", "exchange"]),
    (
        "http",
        &[
            "auth",
            "clock",
            "config",
            "error",
            "exchange",
            "graphql",
            "insight",
            "response",
            "runtime",
            "schema",
            "store",
            "telemetry",
        ],
    ),
];

/// Crates that only these modules may name.
const RESERVED: [(&str, &[&str]); 4] = [
    ("actix_web", &["http", "telemetry", "main"]),
    (
        "async_graphql",
        &["graphql", "schema", "http", "demo", "tenancy", "map", "record", "response", "insight", "exchange"],
    ),
    ("sqlx", &["store"]),
    ("std::env", &["config", "main"]),
];

pub struct File {
    pub path: PathBuf,
    module: String,
    lines: usize,
    /// The text without comments and without tests, which may use anything.
    pub code: String,
}

fn files(folder: &str) -> Vec<File> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    walk(&root, &mut found);
    let file = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let inside = path.strip_prefix(&root).unwrap();
        let module = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
        let code: Vec<&str> = lines.filter(|line| !line.trim_start().starts_with("//")).collect();
        File { path: path.clone(), module, lines: text.lines().count(), code: code.join("\n") }
    };
    found.into_iter().map(file).collect()
}

/// The files of a folder that are no tests of their own.
pub fn sources(folder: &str) -> impl Iterator<Item = File> {
    let is_test =
        |file: &File| file.path.iter().any(|part| part == "tests") || file.path.to_str().unwrap().ends_with("tests.rs");
    files(folder).into_iter().filter(move |file| !is_test(file))
}

/// Names right after `start`, those of a group included: `a::{b::c, d}` names `b` and `d`.
fn named<'a>(code: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    code.match_indices(start).flat_map(|(place, _)| {
        let rest = &code[place + start.len()..];
        let word = |text: &'a str| {
            let text = text.trim_start();
            &text[..text.find(|sign: char| !sign.is_alphanumeric() && sign != '_').unwrap_or(text.len())]
        };
        let Some(group) = rest.strip_prefix('{') else { return vec![word(rest)] };
        let (mut depth, mut items, mut begin) = (0_usize, Vec::new(), 0);
        for (index, sign) in group.char_indices() {
            match sign {
                '{' => depth += 1,
                '}' if depth == 0 => {
                    items.push(word(&group[begin..index]));
                    break;
                }
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    items.push(word(&group[begin..index]));
                    begin = index + 1;
                }
                _ => {}
            }
        }
        items
    })
}

#[test]
fn modules_use_only_what_lies_below_them() {
    for file in sources("src") {
        let Some((_, allowed)) = MAY_USE.iter().find(|(module, _)| *module == file.module) else { continue };
        let used: BTreeSet<&str> = named(&file.code, "crate::")
            .filter(|name| !name.is_empty())
            // What the root shows again is the error's.
            .map(|name| if matches!(name, "Error" | "Result" | "UserError") { "error" } else { name })
            .filter(|name| *name != file.module && !allowed.contains(name))
            .collect();
        assert!(used.is_empty(), "{} uses {used:?}", file.path.display());
    }
}

#[test]
fn a_crate_that_one_layer_wraps_is_named_there_only() {
    for file in sources("src") {
        for (name, allowed) in RESERVED {
            let is_named = file.code.match_indices(name).any(|(place, _)| {
                let before = file.code[..place].chars().next_back();
                let after = file.code[place + name.len()..].chars().next();
                before.is_none_or(|sign| !sign.is_alphanumeric() && sign != '_' && sign != ':')
                    && after.is_some_and(|sign| sign == ':' || sign == ';')
            });
            assert!(!is_named || allowed.contains(&file.module.as_str()), "{} names {name}", file.path.display());
        }
    }
    for file in sources("entity/src").chain(sources("migration/src")) {
        for name in ["async_graphql", "actix_web", "rapport"] {
            assert!(!file.code.contains(&format!("{name}::")), "{} names {name}", file.path.display());
        }
    }
    for file in sources("migration/src") {
        assert!(!file.code.contains("entity::"), "{} is frozen and the entities are not", file.path.display());
    }
}

#[test]
fn statements_are_written_in_the_store_and_by_measures_only() {
    for file in sources("src") {
        let may = matches!(file.module.as_str(), "store" | "insight");
        let has_statement =
            ["\"SELECT ", "\"INSERT ", "\"UPDATE ", "\"DELETE "].iter().any(|sql| file.code.contains(sql));
        assert!(may || !has_statement, "{} writes SQL", file.path.display());
    }
}

/// Tables that are spread cannot have triggers: events and seals stay as they are because nothing changes them.
#[test]
fn events_and_seals_are_only_ever_added() {
    assert_eq!(entity::event::NOUN.operations, [entity::noun::Operation::List]);
    for file in sources("src") {
        for (verb, table) in
            [("UPDATE ", "event"), ("DELETE FROM ", "event"), ("UPDATE ", "audit_seal"), ("DELETE FROM ", "audit_seal")]
        {
            assert!(!file.code.contains(&format!("{verb}{table}")), "{} changes {table}", file.path.display());
        }
        let may_name = ["schema", "store"].contains(&file.module.as_str());
        assert!(may_name || !file.code.contains("event::NOUN"), "{} names events", file.path.display());
    }
}

#[test]
#[cfg(debug_assertions)]
fn every_condition_on_an_organization_is_a_tenant_check_of_its_own() {
    use crate::isolation::places::{METHODS, callers, places};
    let files: Vec<File> = callers().collect();
    // Every mention is a call, whose place tells it from all others: nothing passes a method on or calls it in a macro.
    let named: usize =
        files.iter().map(|file| METHODS.map(|name| file.code.matches(name).count()).iter().sum::<usize>()).sum();
    assert_eq!(places().len(), named);
    for file in &files {
        for word in ["track_caller", "macro_rules!"] {
            let has_check = METHODS.iter().any(|name| file.code.contains(name));
            assert!(!has_check || !file.code.contains(word), "{} has {word}", file.path.display());
        }
        let lines = file.code.lines().filter(|line| {
            let mut bound = line.split(".bind(").skip(1).filter_map(|rest| rest.split(')').next());
            let is_bound = bound.any(|value| value.contains("organization"));
            // What is asked before anybody has a scope joins by the organization and narrows to none.
            let is_written = line.contains("organization_id = ") && !line.contains("s.organization_id");
            is_bound || is_written
        });
        assert_eq!(lines.collect::<Vec<_>>(), Vec::<&str>::new(), "{} narrows by itself", file.path.display());
    }
}

/// A slice reads and sets rows by the constants of their columns, which are checked when it is compiled.
#[test]
fn no_slice_names_a_column_in_quotes() {
    let slices = ["tenancy", "map", "record", "response", "insight", "exchange"];
    for file in sources("src").filter(|file| slices.contains(&file.module.as_str())) {
        for call in [".cell(\"", ".set_cell(\"", ".gives_cell(\""] {
            assert!(!file.code.contains(call), "{} has {call}", file.path.display());
        }
    }
}

/// A slice takes structs and answers with structs: `graphql::typed` makes the types of the API of them.
#[test]
fn no_slice_writes_a_type_of_the_api_or_reads_a_cell_by_its_place() {
    let slices = ["tenancy", "map", "record", "response", "insight", "exchange"];
    for file in sources("src").filter(|file| slices.contains(&file.module.as_str())) {
        let has_type = file.code.split('"').skip(1).step_by(2).any(|text| {
            let name = text.trim_matches(['[', ']', '!']);
            let is_name = name.starts_with(char::is_uppercase) && name.chars().all(char::is_alphanumeric);
            is_name && name.len() < text.len()
        });
        assert!(!has_type, "{} has a type of the API in quotes", file.path.display());
        assert!(!file.code.contains("row["), "{} reads a row by places", file.path.display());
        assert!(!file.code.contains("ComputedObject"), "{} makes an object by hand", file.path.display());
    }
}

/// Only text that is known when the program is compiled becomes SQL, and only the store has a connection.
#[test]
fn nothing_smuggles_text_into_a_statement_or_holds_a_connection() {
    for file in sources("src") {
        for call in ["Expr::cust", "expr_as(", "column_as(", "raw_sql!", "from_raw_sql"] {
            assert!(!file.code.contains(call), "{} has {call}", file.path.display());
        }
        for name in ["ConnectionTrait", "DatabaseConnection", "ActiveModelTrait"] {
            let may = file.module == "store";
            assert!(may || !file.code.contains(name), "{} names {name}", file.path.display());
        }
    }
}

#[test]
fn no_file_is_too_long() {
    for folder in ["src", "entity", "migration", "tests"] {
        for file in files(folder) {
            assert!(file.lines <= MAX_LINES, "{} has {} lines", file.path.display(), file.lines);
        }
    }
}

#[test]
fn the_drawing_of_modules_shows_what_they_use() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap();
    let drawing = page.split("```").find_map(|block| block.strip_prefix("mermaid")).expect("there is a drawing");
    let arrows: BTreeSet<(&str, &str)> = drawing.lines().filter_map(|line| line.trim().split_once(" --> ")).collect();
    let modules: BTreeSet<&str> = arrows.iter().flat_map(|(from, to)| [*from, *to]).collect();
    let files: Vec<File> = sources("src").collect();
    let mut used: BTreeSet<(&str, &str)> = BTreeSet::new();
    for file in &files {
        let names = named(&file.code, "crate::")
            .map(|name| if matches!(name, "Error" | "Result" | "UserError") { "error" } else { name });
        used.extend(names.filter(|name| *name != file.module).map(|name| (file.module.as_str(), name)));
    }
    used.retain(|(from, to)| modules.contains(from) && modules.contains(to));
    for arrow in &arrows {
        assert!(used.contains(arrow), "{} does not use {}", arrow.0, arrow.1);
    }
    // An import that leaps over modules is drawn as the way between them.
    for (from, to) in used {
        let mut reached = BTreeSet::from([from]);
        loop {
            let next: Vec<&str> =
                arrows.iter().filter(|arrow| reached.contains(arrow.0)).map(|arrow| arrow.1).collect();
            let before = reached.len();
            reached.extend(next);
            if reached.len() == before {
                break;
            }
        }
        assert!(reached.contains(to), "the drawing has no way from {from} to {to}");
    }
}
