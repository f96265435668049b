//! Random documents, made of tokens and of mangled pieces of a corpus, through everything that reads them.
//!
//! `RAPPORT_TEST_FUZZ_SECONDS` says how long; a text that fails belongs into `tests/corpus/documents`.

use std::{
    cell::Cell,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestRunner},
};

use rapport::http::explorer::EXAMPLES;

use super::{MAX, answer, as_a_worker, measured};

const TOKENS: [&str; 64] = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "{a",
    "{...",
    "{a:",
    "(x:",
    "[[",
    "]]",
    "}}",
    "...",
    "...F",
    "... on",
    "fragment",
    "fragment F on Query",
    "on",
    "query",
    "mutation",
    "subscription",
    "query Q",
    "$",
    "$v",
    ":",
    "=",
    "!",
    "@",
    "@skip(if:",
    "@include(if: $v)",
    "|",
    "&",
    "\"",
    "\"\"\"",
    "\\",
    "\\\"\"\"",
    "\"a\"",
    "#",
    "\n",
    "\r",
    " ",
    ",",
    "\t",
    "\u{feff}",
    "0",
    "-",
    "1.5e9",
    "-0",
    "true",
    "null",
    "Int",
    "[Int!]!",
    "a",
    "__typename",
    "__schema",
    "organization",
    "departments",
    "nodes",
    "first:",
    "2147483647",
    "F",
    "é",
    "\0",
];

/// The committed documents, and those the explorer shows.
fn corpus() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/documents");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let committed = files.iter().map(|file| fs::read_to_string(file).unwrap());
    committed.chain(EXAMPLES.map(str::to_owned)).collect()
}

/// Tokens, some of them many times over.
fn soup() -> impl Strategy<Value = String> {
    let times = prop_oneof![12 => Just(1_usize), 3 => 2..40_usize, 1 => 40..6_000_usize];
    proptest::collection::vec((select(&TOKENS[..]), times), 1..60)
        .prop_map(|tokens| tokens.iter().map(|(token, times)| format!("{token} ").repeat(*times)).collect())
}

/// A document with pieces taken out, doubled, or put in from elsewhere.
fn mangled() -> impl Strategy<Value = String> {
    let edit = (
        any::<Index>(),
        0..80_usize,
        prop_oneof![Just(0_usize), 1..4_usize, 4..3_000_usize],
        select(&TOKENS[..]),
        any::<bool>(),
    );
    (select(corpus()), proptest::collection::vec(edit, 0..6)).prop_map(|(text, edits)| {
        edits.into_iter().fold(text, |text, (at, length, times, token, is_token)| {
            let characters: Vec<char> = text.chars().collect();
            let at = if characters.is_empty() { 0 } else { at.index(characters.len()) };
            let (before, rest) = characters.split_at(at);
            let (piece, after) = rest.split_at(length.min(rest.len()));
            let piece: String = if is_token { token.to_owned() } else { piece.iter().collect() };
            let most = 40_000 / piece.len().max(1);
            before.iter().chain(piece.repeat(times.min(most)).chars().collect::<Vec<_>>().iter()).chain(after).collect()
        })
    })
}

#[test]
fn every_document_of_the_corpus_is_answered() {
    as_a_worker(|| corpus().iter().for_each(|text| drop(answer(text))));
}

#[test]
fn random_documents_are_answered_soon() {
    let seconds = std::env::var_os("RAPPORT_TEST_FUZZ_SECONDS");
    let seconds = seconds.map_or(2, |seconds| seconds.to_str().and_then(|text| text.parse().ok()).unwrap());
    let end = Instant::now() + Duration::from_secs(seconds);
    let (documents, worst) = as_a_worker(move || {
        answer("{ __typename }");
        let (mut documents, worst) = (0, Cell::new(Duration::ZERO));
        while Instant::now() < end {
            let config = Config { cases: 64, failure_persistence: None, ..Config::default() };
            let result = TestRunner::new(config).run(&prop_oneof![soup(), mangled()], |text| {
                let (response, took) = measured(&text);
                // What is executed is priced.
                if !response.errors.is_empty() {
                    worst.set(worst.get().max(took));
                    prop_assert!(took < MAX, "{took:?}");
                }
                prop_assert!(response.errors.len() <= 10);
                let message = response.errors.iter().map(|error| error.message.len()).max();
                prop_assert!(message.unwrap_or(0) < 2_000);
                Ok(())
            });
            if let Err(failed) = result {
                panic!("{failed}");
            }
            documents += 64;
        }
        (documents, worst.get())
    });
    println!("{documents} documents, the worst took {worst:?}");
}
