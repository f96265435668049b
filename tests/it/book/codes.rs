//! Every error code has a row in the reference, with its cause and its cure.

use std::{collections::BTreeSet, fs, path::Path};

use super::{api::Api, root};

/// Words in capitals within quotes that stand for a code: five letters at least.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let is_code = |word: &&str| {
        word.len() > 4
            && word.starts_with(char::is_uppercase)
            && word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
    };
    text.split('"').skip(1).step_by(2).filter(is_code)
}

/// The codes that the sources in `folder` name, for lines that `holds` chooses.
fn codes_in(path: &Path, holds: &dyn Fn(&str) -> bool, found: &mut BTreeSet<String>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            codes_in(&entry.unwrap().path(), holds, found);
        }
        return;
    }
    let is_source = path.extension().is_some_and(|extension| extension == "rs");
    if !is_source || path.iter().any(|part| part == "tests") {
        return;
    }
    let text = fs::read_to_string(path).unwrap();
    let code = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
    for line in code.filter(|line| !line.trim_start().starts_with("//") && holds(line)) {
        found.extend(quoted(line).map(str::to_owned));
    }
}

/// The first cells of a table's rows, which must have three filled cells.
fn rows(page: &str, heading: &str) -> BTreeSet<String> {
    let (_, section) = page.split_once(heading).expect("the page has this heading");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_end_matches('|').split(" | ").map(str::trim).collect();
        assert!(cells.len() == 3 && cells.iter().all(|cell| !cell.is_empty()), "code, cause and cure: {row}");
        cells[0].trim_end_matches('`').to_owned()
    })
    .collect()
}

#[test]
fn every_code_of_a_request_has_its_cause_and_cure() {
    let page = fs::read_to_string(root().join("docs/reference/errors.md")).unwrap();
    let mut codes = BTreeSet::new();
    codes_in(
        &root().join("src/graphql"),
        &|line| line.starts_with("pub const ") && line.contains("&str = \""),
        &mut codes,
    );
    codes_in(&root().join("src/error.rs"), &|line| line.contains("=> \""), &mut codes);
    codes_in(&root().join("src/http"), &|line| line.contains("StatusCode::"), &mut codes);
    assert!(codes.contains("GRAPHQL_PARSE_FAILED") && codes.contains("FORBIDDEN") && codes.contains("NOT_ACCEPTABLE"));
    assert_eq!(rows(&page, "## Errors of the request"), codes);
}

#[test]
fn every_code_of_a_mutation_has_its_cause_and_cure() {
    let page = fs::read_to_string(root().join("docs/reference/errors.md")).unwrap();
    let api = Api::read();
    let known = api.enumeration("UserErrorCode").expect("codes are an enum");
    let codes: BTreeSet<String> = known.values.iter().map(|value| value.node.value.node.to_string()).collect();
    assert_eq!(rows(&page, "## Errors in the input of a mutation"), codes);
}
