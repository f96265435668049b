//! A grid of bombs: nesting of every kind, fragments of fragments, and documents as dear as the limits let them be.

use std::{fmt::Write as _, time::Duration};

use super::{MAX, SERVED, answer, as_a_worker, timed};

/// Some 500 lists overflow a worker's stack where nothing is optimized, and some 2,500 where all is.
const DEPTHS: [usize; 14] = [8, 15, 33, 64, 128, 256, 400, 500, 700, 1_000, 1_500, 2_500, 5_000, 10_000];

fn nested(depth: usize) -> Vec<(&'static str, String)> {
    let around = |open: &str, core: &str, close: &str| format!("{}{core}{}", open.repeat(depth), close.repeat(depth));
    vec![
        ("fields", around("{a", "", "}")),
        ("fields left open", around("{a", "", "")),
        ("inline fragments", format!("{}{{a}}{}", "{...".repeat(depth), "}".repeat(depth))),
        ("lists", format!("{{a(x:{})}}", around("[", "", "]"))),
        ("lists left open", format!("{{a(x:{}", "[".repeat(depth))),
        ("objects", format!("{{a(x:{})}}", around("{b:", "1", "}"))),
        ("objects left open", format!("{{a(x:{}", "{b:".repeat(depth))),
        ("lists of objects", format!("{{a(x:{})}}", around("[{b:", "1", "}]"))),
        ("directive arguments", format!("{{a @b(x:{})}}", around("[", "", "]"))),
        ("list types", format!("query($x:{}){{a}}", around("[", "Int", "]"))),
        ("defaults", format!("query($x:Int={}){{a}}", around("[", "", "]"))),
        ("after a block string", format!("{{a(s:\"\"\"\\\"\"\"\"\"\",x:{})}}", around("[", "", "]"))),
        ("after a comment", format!("{{a # \"\"\"\n(x:{})}}", around("[", "", "]"))),
        ("after a string left open", format!("{{a(s:\"\"\" \" x:{})}}", around("[", "", "]"))),
    ]
}

#[test]
fn nothing_nested_aborts_the_process() {
    let answers = as_a_worker(|| {
        let all = DEPTHS.into_iter().flat_map(|depth| nested(depth).into_iter().map(move |bomb| (depth, bomb)));
        all.map(|(depth, (what, text))| (depth, what, timed(&text))).collect::<Vec<_>>()
    });
    for (depth, what, (code, took)) in answers {
        assert!(code.is_some() && took < MAX, "{depth} {what}: {code:?} in {took:?}");
        if depth > 32 && !what.ends_with("string left open") {
            assert!(matches!(code.as_deref(), Some("TOO_NESTED" | "DOCUMENT_TOO_LARGE")), "{depth} {what}: {code:?}");
        }
    }
}

/// `length` fragments, of which each spreads the next so many times.
fn fragments(length: usize, spreads: usize, opening: &str, end: &str) -> String {
    let mut text = format!("{opening} fragment F{length} on Query {{ {end} }}");
    for at in 0..length {
        write!(text, " fragment F{at} on Query {{ {} }}", format!("...F{} ", at + 1).repeat(spreads)).unwrap();
    }
    text
}

#[test]
fn no_bomb_of_fragments_keeps_a_worker_busy() {
    as_a_worker(|| {
        for length in [1, 2, 3, 6, 12, 20, 30, 60, 120, 250] {
            for spreads in [1, 2, 4, 8, 16, 30, 200] {
                for (opening, end) in [
                    ("{ ...F0 }", "__typename"),
                    ("{ ...F0 }", "...F0"),
                    ("{ __typename }", "__typename"),
                    ("{ __typename }", "...F0"),
                    ("{ organization { id } ...F0 }", "organization { name }"),
                ] {
                    let text = fragments(length, spreads, opening, end);
                    let (code, took) = timed(&text);
                    assert!(took < MAX, "{length} × {spreads} {opening} {end}: {code:?} in {took:?}");
                    if end == "...F0" || length > 30 || spreads.pow(u32::try_from(length.min(6)).unwrap()) > 4_000 {
                        assert!(code.is_some(), "{length} × {spreads} {opening} {end} passed");
                    }
                }
            }
        }
    });
}

fn numbered(range: std::ops::Range<usize>, write: impl Fn(usize) -> String) -> String {
    range.map(write).collect::<Vec<_>>().join(" ")
}

/// Documents near the limits, each the worst of its kind that was found for some pass.
fn dear() -> Vec<(&'static str, String)> {
    let chain = |length: usize, width: &str| {
        let links = numbered(0..length, |at| format!("fragment F{at} on Organization {{ {width} ...F{} }}", at + 1));
        format!("{{ organization {{ ...F0 }} }} {links} fragment F{length} on Organization {{ id }}")
    };
    let sets = |fragment: &str, count: usize, field: &str| {
        let spreads = numbered(0..count, |_| format!("{field} {{ ...F }}"));
        format!("{{ organization {{ {spreads} }} }} fragment F on Organization {{ {fragment} }}")
    };
    vec![
        ("fields", format!("{{ organization {{ {} }} }}", "id ".repeat(1_990))),
        ("unknown fields", format!("{{ organization {{ {} }} }}", numbered(0..1_990, |at| format!("f{at}")))),
        ("conflicting arguments", format!("{{ organization {{ {} }} }}", numbered(0..330, |at| format!("id(a:{at})")))),
        (
            "many arguments",
            format!(
                "{{ organization {{ {} }} }}",
                format!("id({}) ", numbered(0..100, |at| format!("a{at}:1"))).repeat(6)
            ),
        ),
        ("a fragment in many sets", sets(&numbered(0..36, |at| format!("id(a:{at})")), 50, "id")),
        ("a fragment in many fragments", sets(&"id ".repeat(180), 10, "... on Organization")),
        ("a chain of fragments", chain(28, "id name slug ... { id name }")),
        ("a chain of wide fragments", chain(28, &"id(a:1) ".repeat(10))),
        (
            "nested sets",
            format!(
                "{{ organization {{ {} {} }} }}",
                format!("... {{ {}", "id ".repeat(60)).repeat(30),
                "}".repeat(30)
            ),
        ),
        (
            "unused fragments",
            format!("{{ __typename }} {}", numbered(0..240, |at| format!("fragment F{at} on Query {{ a }}"))),
        ),
        ("unknown fragments", format!("{{ organization {{ {} }} }}", numbered(0..990, |at| format!("...F{at}")))),
        ("operations", numbered(0..200, |at| format!("query Q{at} {{ ...F }}")) + " fragment F on Query { a b c d }"),
        (
            "undefined variables in many operations",
            numbered(0..60, |at| format!("query Q{at} {{ ...F }}"))
                + &format!(
                    " fragment F on Query {{ {} }}",
                    numbered(0..18, |at| format!("a(b:$v{at} c:$w{at} d:$x{at})"))
                ),
        ),
        (
            "variables",
            format!(
                "query ({}) {{ organization {{ id(a: [{}]) }} }}",
                numbered(0..280, |at| format!("$v{at}: Int")),
                numbered(0..280, |at| format!("$v{at}")),
            ),
        ),
        (
            "directives",
            format!("{{ organization {{ {} }} }}", "id @skip(if: true) @include(if: $a) @b @c @d ".repeat(80)),
        ),
        (
            "a long list",
            format!("{{ departments(filter: {{id: {{in: [{}]}}}}) {{ totalCount }} }}", "1 ".repeat(1_900)),
        ),
        (
            "nested filters",
            format!(
                "{{ departments(filter: {}{{}}{}) {{ totalCount }} }}",
                "{and: [{or: [{not: ".repeat(5),
                "}]}]}".repeat(5)
            ),
        ),
        (
            "wide filters",
            format!("{{ departments(filter: {{or: [{}]}}) {{ totalCount }} }}", "{name: {eq: \"a\"}} ".repeat(200)),
        ),
        (
            "an interface",
            format!("{{ node(id: \"x\") {{ {} }} }}", "... on Department { id } ... on Medium { id } ".repeat(130)),
        ),
        ("a spread behind comments", format!("{{ ... {} F }}", "#\n".repeat(16_000))),
        ("zeros", format!("{{ organization(a: [{}]) {{ id }} }}", "0".repeat(1_980))),
        ("a long name", format!("{{ {} }}", "a".repeat(32_000))),
        ("a long string", format!("{{ organization(a: \"{}\") {{ id }} }}", "\\u00e9".repeat(5_300))),
        ("a long block string", format!("{{ organization(a: \"\"\"{}\"\"\") {{ id }} }}", " \n".repeat(16_000))),
        ("comments", format!("{{ organization {}{{ id }} }}", "#\n".repeat(16_000))),
        ("comments everywhere", format!("{{ organization {{ {} }} }}", format!("id {}", "#\n".repeat(15)).repeat(900))),
        ("commas", format!("{{ organization {{ id {} }} }}", ",".repeat(32_000))),
        ("introspection by tools", include_str!("../../corpus/documents/introspection.graphql").to_owned()),
        (
            "introspection",
            "{ __schema { types { fields { name args { name type { name } } type { fields { name } } } } } }"
                .to_owned(),
        ),
    ]
}

#[test]
fn documents_as_dear_as_the_limits_allow_are_answered_soon() {
    let worst = as_a_worker(|| {
        answer("{ __typename }");
        let measure = |(what, text): (&'static str, String)| {
            assert!(text.len() <= 32 * 1_024, "{what} is {} bytes long", text.len());
            let (code, took) = timed(&text);
            println!("{took:>12.3?} {what} {code:?}");
            // What is executed is priced: the schema's own answer is long.
            (if code.is_some() { took } else { Duration::ZERO }, what)
        };
        dear().into_iter().map(measure).max().unwrap()
    });
    assert!(worst.0 < MAX, "{worst:?}");
}

#[test]
fn what_fits_the_limits_is_validated_and_not_refused_by_them() {
    let text = format!("{{ organization {{ {} }} }}", "id ".repeat(1_990));
    let (code, _) = timed(&text);
    assert_eq!(code.as_deref(), Some("UNAUTHENTICATED"));
    assert!(!SERVED.0.sdl().is_empty());
}
