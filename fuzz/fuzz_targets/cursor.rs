//! Decodes any text as a cursor. If decoding succeeds, the values must survive encoding and decoding.

#![no_main]

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use entity::id::OrganizationId;
use libfuzzer_sys::fuzz_target;
use rapport::store::{statement::cell::{CellKind, Column}, paging::{cursor::Codec, page::Term}};

static CODECS: LazyLock<Vec<Codec>> = LazyLock::new(|| {
    let kinds = [CellKind::Text, CellKind::Int, CellKind::Float, CellKind::Bool, CellKind::Id];
    let term = |kind: CellKind, is_nullable| Term {
        column: Column { name: "x", kind, is_nullable, field: "x" },
        is_descending: false,
    };
    let organization = OrganizationId(entity::id::new());
    kinds
        .into_iter()
        .flat_map(|kind| [vec![term(kind, true), term(CellKind::Id, false)], vec![term(kind, false)]])
        .map(|order| Codec::new(&entity::department::NOUN, &order, organization))
        .collect()
});

/// Returns a cursor with the genuine prefix of the list's cursors and the given values.
fn sealed(codec: &Codec, values: &str) -> String {
    let empty = BASE64.decode(codec.encode([])).expect("a cursor is base64");
    let empty = String::from_utf8(empty).expect("a cursor is JSON");
    BASE64.encode(format!("{},{values}]", empty.trim_end_matches(']')))
}

fuzz_target!(|text: &str| {
    for codec in &*CODECS {
        for cursor in [text.to_owned(), sealed(codec, text)] {
            if let Ok(values) = codec.decode(&cursor) {
                let again = codec.decode(&codec.encode(&values));
                assert_eq!(again.expect("what we wrote can be read"), values);
            }
        }
    }
});
