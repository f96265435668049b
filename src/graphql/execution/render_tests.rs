//! Instants and refusals as they are written.

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use entity::Permission;
use serde_json::json;

use super::{LAST, SelectedField, Writer, written};
use crate::Error;

#[test]
fn instants_are_those_of_rfc_3339() {
    let leap = 951_782_400_000;
    let edges = [0, -1, 1, 999, 1_000, leap, -62_135_596_800_000, -62_167_219_200_000, -62_167_219_200_001];
    let far = [253_402_300_799_999, 253_402_300_800_000, 1_795_706_615_120, i64::MAX];
    for at in edges.into_iter().chain(far).chain((0..500).map(|day| leap + day * 86_399_001)) {
        let mut writer = Writer::at("it");
        writer.instant(at);
        let shown = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let expected =
            DateTime::from_timestamp_millis(at).map(|at| if at.year() > 9_999 { LAST.to_owned() } else { shown(at) });
        assert_eq!(written(&writer.finish().0), Some(json!(expected).to_string().as_str()));
    }
}

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
