//! Diagrams byte for byte. `RAPPORT_TEST_REWRITE=1` writes them anew: look at them before they are committed.
//! `tests/clients/diagrams.mjs` shows them to Chromium, Graphviz and Mermaid.

use std::{fs, path::Path};

use rapport::map::diagram::{Theme, dot, mermaid, svg};

use super::{branched, difficult, formats::nasty, long, plain};

#[expect(clippy::disallowed_methods, reason = "a setting of the tests themselves")]
fn compare(name: &str, drawn: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden").join(name);
    if std::env::var("RAPPORT_TEST_REWRITE").is_ok() {
        fs::write(&file, drawn).unwrap();
    }
    assert!(fs::read_to_string(&file).unwrap() == drawn, "{name} differs");
}

#[test]
fn a_plain_flow_looks_as_it_did() {
    compare("plain.svg", &svg(&plain(), Theme::Auto));
}

#[test]
fn branches_parallels_and_ways_back_look_as_they_did() {
    compare("branched.svg", &svg(&branched(), Theme::Light));
}

#[test]
fn forty_steps_look_as_they_did() {
    compare("long.svg", &svg(&long(), Theme::Auto));
}

#[test]
fn other_scripts_long_words_and_markup_look_as_they_did() {
    compare("difficult.svg", &svg(&difficult(), Theme::Dark));
}

#[test]
fn other_tools_get_what_they_got() {
    for (name, drawing) in [("branched", branched()), ("difficult", difficult()), ("nasty", nasty())] {
        compare(&format!("{name}.dot"), &dot(&drawing));
        compare(&format!("{name}.mmd"), &mermaid(&drawing));
    }
}
