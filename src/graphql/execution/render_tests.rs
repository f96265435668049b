//! Tests of how refused fields are written.

use entity::Permission;
use serde_json::json;

use super::{SelectedField, Writer, written};
use crate::Error;

#[test]
fn a_refusal_is_told_once_and_where_it_was_met_first() {
    let selections =
        ["one", "other"].map(|key| SelectedField { key: key.to_owned(), what: Error::Forbidden(Permission::MapRead) });
    let mut writer = Writer::at("root");
    writer.entries(&[SelectedField { key: "nodes".to_owned(), what: () }], |writer, _, ()| {
        writer.items(0..3, |writer, row| {
            writer.entries(&selections, |writer, _, error| if row == 0 { writer.int(7) } else { writer.refuse(error) });
        });
    });
    let (value, errors) = writer.finish();
    let row = r#"{"one":null,"other":null}"#;
    assert_eq!(written(&value), Some(format!(r#"{{"nodes":[{{"one":7,"other":7}},{row},{row}]}}"#).as_str()));
    let paths: Vec<_> = errors.iter().map(|error| json!(error.path)).collect();
    assert_eq!(paths, [json!(["root", "nodes", 1, "one"]), json!(["root", "nodes", 1, "other"])]);
}
