//! The book in `docs/`: its generated parts are up to date and nothing is missing. `RAPPORT_TEST_REWRITE=1` updates it.

mod api;
mod codes;
mod command_line;
mod nouns;
mod scalars;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use api::Api;

const OPENING: &str = "<!-- generated: ";
const END: &str = "<!-- end of generated text -->";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages of the book, in the order of their paths.
fn pages() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join("docs"), &mut found);
    found.sort();
    found
}

/// What a generated part of that name says.
fn generated(api: &Api, name: &str) -> String {
    match name {
        "nouns" => nouns::index(api),
        "personal" => nouns::personal(),
        "operations" => nouns::other_operations(api),
        "scalars" => scalars::table(),
        "scopes" => nouns::scopes(api),
        "settings" => command_line::settings(),
        "commands" => command_line::commands(),
        _ => nouns::page(api, name.strip_prefix("noun ").expect("there is a generator of this name")),
    }
}

/// A page with its generated parts written anew.
fn updated(api: &Api, text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPENING) {
        let (name, after) = after.split_once(" -->").expect("a generated part has a name");
        let (_, after) = after.split_once(END).expect("a generated part has an end");
        let part = generated(api, name);
        result.extend([before, OPENING, name, " -->\n\n", part.trim(), "\n\n", END]);
        rest = after;
    }
    result + rest
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a setting of the tests themselves")]
fn the_generated_parts_of_the_book_are_up_to_date() {
    let api = Api::read();
    let mut stale = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let expected = updated(&api, &text);
        if text != expected {
            stale.push(page.display().to_string());
            if std::env::var("RAPPORT_TEST_REWRITE").is_ok() {
                fs::write(&page, expected).unwrap();
            }
        }
    }
    assert!(stale.is_empty(), "out of date, update with `cargo xtask generate`: {}", stale.join(", "));
}

#[test]
fn every_noun_has_a_page_with_its_facts_and_an_introduction() {
    for noun in Api::read().nouns() {
        let page = root().join("docs/nouns").join(nouns::file(noun));
        let text = fs::read_to_string(&page).unwrap_or_else(|_| panic!("{} is missing", page.display()));
        let (introduction, _) = text.split_once(&format!("{OPENING}noun {noun} -->")).expect("facts are generated");
        assert!(introduction.len() > 200, "{} needs an introduction", page.display());
    }
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let linked: BTreeSet<PathBuf> =
        summary.split("](").skip(1).map(|rest| root().join("docs").join(rest.split(')').next().unwrap())).collect();
    let written: BTreeSet<PathBuf> = pages().into_iter().filter(|page| !page.ends_with("SUMMARY.md")).collect();
    assert_eq!(linked, written);
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut texts = pages();
    texts.extend(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root().join(name)));
    for page in texts {
        let text = fs::read_to_string(&page).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#', ' ']).next()) {
            if target.is_empty() || target.contains("://") || target.contains(['`', '\n']) {
                continue;
            }
            let path = page.parent().unwrap().join(target);
            assert!(path.exists(), "{} links to {target}, which does not exist", page.display());
        }
    }
}

#[test]
fn the_readme_is_short() {
    let lines = fs::read_to_string(root().join("README.md")).unwrap().lines().count();
    assert!(lines <= 150, "README.md has {lines} lines: move details to docs/");
}
