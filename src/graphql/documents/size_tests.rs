//! Tests of each limit on the size of a document.

use std::fmt::Write as _;

use async_graphql::parser::parse_query;

use super::check_size;
use crate::graphql::{documents::limits::Limits, failure::code};

const LIMITS: Limits = Limits {
    document_nesting: 8,
    document_selections: 100,
    document_depth: 5,
    document_aliases: 3,
    document_root_fields: 4,
    document_directives: 2,
    ..Limits::DEFAULT
};

fn refusal(text: &str) -> Option<String> {
    let refused = check_size(&parse_query(text).unwrap(), &LIMITS).err()?;
    code(&refused).map(str::to_owned)
}

#[track_caller]
fn assert_passes(text: &str) {
    assert_eq!(refusal(text), None, "{text}");
}

#[track_caller]
fn assert_refused(text: &str, expected: &str) {
    assert_eq!(refusal(text).as_deref(), Some(expected), "{text}");
}

#[test]
fn fields_inside_one_another_are_counted_through_fragments() {
    assert_passes("{ a { b { c { d { e } } } } }");
    assert_passes("{ a { ... { ...F } } } fragment F on T { ... on T { b { c { d { e } } } } }");
    assert_refused("{ a { b { c { d { e { f } } } } } }", "TOO_DEEP");
    assert_refused("{ a { ...F } } fragment F on T { b { c { d { e { f } } } } }", "TOO_DEEP");
    assert_refused("{ a } fragment F on T { a { b { c { d { e { f } } } } } }", "TOO_DEEP");
}

#[test]
fn selection_sets_inside_one_another_are_counted_through_fragments() {
    assert_passes("{...{...{...{...{...{...{...{a}}}}}}}}");
    assert_refused("{...{...{...{...{...{...{...{...{a}}}}}}}}}", "TOO_NESTED");
    let chain = |length: usize| {
        let mut text = String::from("{ ...F0 }");
        for at in 0..length {
            write!(text, " fragment F{at} on T {{ ...F{} }}", at + 1).unwrap();
        }
        text + &format!(" fragment F{length} on T {{ a }}")
    };
    assert_passes(&chain(6));
    assert_refused(&chain(7), "TOO_NESTED");
    assert_refused(&chain(2_000), "TOO_NESTED");
}

#[test]
fn a_fragment_is_as_deep_as_where_it_is_spread_however_often_that_is() {
    let tail = "fragment F on T { ... { ... { ... { a } } } }";
    assert_passes(&format!("{{ ...F ... {{ ... {{ ... {{ ...F }} }} }} }} {tail}"));
    assert_refused(&format!("{{ ...F ... {{ ... {{ ... {{ ... {{ ...F }} }} }} }} }} {tail}"), "TOO_NESTED");
}

#[test]
fn selections_count_wherever_their_fragment_is_spread() {
    let text =
        |spreads: usize| format!("{{ a {{ {} }} }} fragment F on T {{ b c d e f g h }}", "...F ".repeat(spreads));
    assert_passes(&text(12));
    assert_refused(&text(13), "TOO_MANY_SELECTIONS");
    let bomb = "{ a { ...F } } fragment F on T { ...G ...G ...G ...G } fragment G on T { ...H ...H ...H ...H ...H }
        fragment H on T { a b c d e f }";
    assert_refused(bomb, "TOO_MANY_SELECTIONS");
}

#[test]
fn selections_of_all_operations_and_unused_fragments_count_together() {
    let half = "...F ".repeat(7);
    let tail = "fragment F on T { b c d e f g h }";
    assert_passes(&format!("query A {{ a {{ {half} }} }} {tail}"));
    assert_refused(
        &format!("query A {{ a {{ {half} }} }} query B {{ a {{ {half} }} }} ... ").replace("... ", tail),
        "TOO_MANY_SELECTIONS",
    );
    assert_refused(
        &format!("{{ a {{ {half} }} }} fragment Unused on T {{ {half} ...F }} {tail}"),
        "TOO_MANY_SELECTIONS",
    );
}

#[test]
fn sums_do_not_wrap() {
    let mut text = String::from("{ ...F0 }");
    for at in 0..5 {
        write!(text, " fragment F{at} on T {{ {} }}", format!("...F{} ", at + 1).repeat(250)).unwrap();
    }
    text += " fragment F5 on T { a { b } }";
    let limits = Limits { document_selections: usize::MAX - 1, document_root_fields: usize::MAX, ..Limits::DEFAULT };
    assert!(check_size(&parse_query(&text).unwrap(), &limits).is_ok());
    let mut text = text.replace("F5 on T { a { b } }", "F5 on T { ...G0 }");
    for at in 0..5 {
        write!(text, " fragment G{at} on T {{ {} }}", format!("...G{} ", at + 1).repeat(250)).unwrap();
    }
    let refused = check_size(&parse_query(text + " fragment G5 on T { a }").unwrap(), &limits).unwrap_err();
    assert_eq!(code(&refused), Some("TOO_MANY_SELECTIONS"));
}

#[test]
fn a_fragment_that_spreads_itself_is_refused_used_or_not() {
    for text in [
        "{ ...F } fragment F on T { ...F }",
        "{ a ...F } fragment F on T { b { ...G } } fragment G on T { ... { ...F } }",
        "{ a } fragment F on T { ...G } fragment G on T { ...F }",
    ] {
        assert_refused(text, "GRAPHQL_VALIDATION_FAILED");
    }
}

#[test]
fn aliases_count_as_written() {
    assert_passes("{ a: x { b: x } ...F ...F } fragment F on T { c: x }");
    assert_refused("{ a: x b: x ...F } fragment F on T { c: x d: x }", "TOO_MANY_ALIASES");
    assert_refused("{ x } fragment F on T { a: x b: x c: x d: x }", "TOO_MANY_ALIASES");
    assert_refused("query A { a: x b: x } query B { a: x b: x }", "TOO_MANY_ALIASES");
}

#[test]
fn root_fields_count_for_each_operation_through_fragments() {
    assert_passes("query A { a b c d } query B { a b c d { e f g h i } }");
    assert_refused("{ a b c d e }", "TOO_MANY_ROOT_FIELDS");
    assert_refused("{ a a a a a }", "TOO_MANY_ROOT_FIELDS");
    assert_refused("query A { a } query B { ...F ... { ...F } } fragment F on T { a b c }", "TOO_MANY_ROOT_FIELDS");
}

#[test]
fn directives_count_at_every_place_that_can_have_some() {
    assert_passes("query @a @b { x @a @b ... @a @b { y } ...F @a @b } fragment F on T @a @b { z }");
    for text in [
        "{ x @a @b @c }",
        "{ x { y @a @a @a } }",
        "{ ... @a @b @c { x } }",
        "{ ...F @a @b @c } fragment F on T { x }",
        "{ ...Unknown @a @b @c }",
        "{ x } fragment F on T @a @b @c { x }",
        "query @a @b @c { x }",
        "query ($v: Int @a @b @c) { x }",
    ] {
        assert_refused(text, "TOO_MANY_DIRECTIVES");
    }
}
