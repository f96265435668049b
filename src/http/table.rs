//! Writes the answer of a query as a document or a table.

use std::borrow::Cow;

use async_graphql::{Response, Value, indexmap::IndexSet};

use super::{error_response::ErrorResponse, response::data_bytes};
use crate::graphql::documents::columns::{ROWS, VALUE};

/// In which form an answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// The data as one JSON document.
    Json,
    /// The rows, a JSON document a line.
    NdJson,
    /// The rows as comma-separated values.
    Csv,
}

/// Whether a table has a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// It has one.
    Written,
    /// It continues a table that has one.
    Omitted,
}

/// An answer in a form.
pub(super) struct Answer {
    pub body: Vec<u8>,
    /// Number of rows; 1 for a document.
    pub row_count: usize,
    pub next: NextPage,
}

/// Whether another page follows an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NextPage {
    /// The answer does not tell.
    Untold,
    /// None follows.
    Nothing,
    /// One follows, after this cursor.
    After(String),
}

impl Format {
    /// Returns the format with this file extension.
    pub fn parse(extension: &str) -> Option<Self> {
        [Self::Json, Self::NdJson, Self::Csv].into_iter().find(|format| format.extension() == extension)
    }

    pub const fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::NdJson => "ndjson",
            Self::Csv => "csv",
        }
    }

    pub const fn media(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::NdJson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

impl Answer {
    /// Reads the data of a response without errors. `columns` are those of a table. Err if it has more than `most_bytes` bytes
    /// as JSON, or is no table but one is wanted.
    pub fn read(
        response: &Response,
        (format, columns, header): (Format, &[String], Header),
        most_bytes: usize,
    ) -> Result<Self, ErrorResponse> {
        let unread = || ErrorResponse::internal(None);
        let body = data_bytes(&response.data, most_bytes)?;
        let data: Value = serde_json::from_slice(&body).map_err(|_| unread())?;
        let root = only_root(&data);
        let next = root.and_then(next_page).unwrap_or(NextPage::Untold);
        if format == Format::Json {
            return Ok(Self { body, row_count: 1, next });
        }
        let rows = root.map(rows).ok_or_else(|| {
            let message = "a table needs a document with one root field; read this one as .json";
            ErrorResponse::bad_request(message)
        })?;
        let body = if format == Format::NdJson { lines(rows) } else { table(rows, columns, header) };
        Ok(Self { body: body.ok_or_else(unread)?, row_count: rows.len(), next })
    }
}

fn only_root(data: &Value) -> Option<&Value> {
    let Value::Object(roots) = data else { return None };
    roots.values().next().filter(|_| roots.len() == 1)
}

/// Returns whether another page of a connection follows, if it tells.
fn next_page(root: &Value) -> Option<NextPage> {
    let Value::Object(root) = root else { return None };
    let Value::Object(page) = root.get("pageInfo")? else { return None };
    match (page.get("hasNextPage")?, page.get("endCursor")?) {
        (Value::Boolean(true), Value::String(cursor)) => Some(NextPage::After(cursor.clone())),
        (Value::Boolean(false), _) => Some(NextPage::Nothing),
        _ => None,
    }
}

/// Returns the rows of a root field: those of its connection or list, or itself.
fn rows(root: &Value) -> &[Value] {
    match root {
        Value::List(rows) => rows,
        Value::Object(object) => match ROWS.iter().find_map(|name| object.get(*name)) {
            Some(Value::List(rows)) => rows,
            _ => std::slice::from_ref(root),
        },
        Value::Null => &[],
        _ => std::slice::from_ref(root),
    }
}

fn lines(rows: &[Value]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut body, row).ok()?;
        body.push(b'\n');
    }
    Some(body)
}

/// Returns rows with these columns: a value in an object is named by the path to it, and a list is JSON. Values that have no
/// column get one of their own; `None` if the header that would name it is omitted.
fn table(rows: &[Value], columns: &[String], header: Header) -> Option<Vec<u8>> {
    let known = columns.len();
    let mut columns: IndexSet<Cow<'_, str>> = columns.iter().map(|name| name.as_str().into()).collect();
    let mut cells = Vec::with_capacity(rows.len());
    for row in rows {
        let mut found = Vec::new();
        flatten("", row, &mut columns, &mut found);
        cells.push(found);
    }
    let mut body = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    if columns.is_empty() {
        return Some(Vec::new());
    }
    if header == Header::Omitted && columns.len() > known {
        return None;
    }
    if header == Header::Written {
        body.write_record(columns.iter().map(|name| harmless(name.as_ref().into()).into_owned())).ok()?;
    }
    for found in cells {
        let mut record = vec![Cow::Borrowed(""); columns.len()];
        for (place, value) in found {
            record[place] = cell(value)?;
        }
        body.write_record(record.iter().map(|cell| cell.as_bytes())).ok()?;
    }
    body.into_inner().ok()
}

/// Adds the value of each column of a row, and the columns that are missing.
fn flatten<'a>(
    path: &str,
    value: &'a Value,
    columns: &mut IndexSet<Cow<'_, str>>,
    found: &mut Vec<(usize, &'a Value)>,
) {
    let name = if path.is_empty() { VALUE } else { path };
    if let Some(place) = columns.get_index_of(name) {
        found.push((place, value));
        return;
    }
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let path = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
                flatten(&path, value, columns, found);
            }
        }
        // An object that is null has no values in its columns.
        Value::Null if columns.iter().any(|column| is_below(column, path)) => {}
        value => found.push((columns.insert_full(name.to_owned().into()).0, value)),
    }
}

/// Returns whether a column is that of a value in the object at a path.
fn is_below(column: &str, path: &str) -> bool {
    path.is_empty() || column.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'))
}

/// Returns a value as the text of a cell.
fn cell(value: &Value) -> Option<Cow<'_, str>> {
    Some(match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => harmless(text.into()),
        Value::Enum(name) => Cow::Borrowed(name.as_str()),
        Value::Boolean(is) => Cow::Borrowed(if *is { "true" } else { "false" }),
        Value::Number(number) => number.to_string().into(),
        other => harmless(serde_json::to_string(other).ok()?.into()),
    })
}

/// Returns a text that a spreadsheet does not run as a formula: one that begins like a formula gets an apostrophe in front
/// (OWASP, CSV injection).
fn harmless(text: Cow<'_, str>) -> Cow<'_, str> {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if is_formula { format!("'{text}").into() } else { text }
}

#[cfg(test)]
mod tests {
    use async_graphql::value;

    use super::*;

    fn csv(data: Value) -> String {
        with_columns(&[], data)
    }

    fn with_columns(columns: &[&str], data: Value) -> String {
        let columns: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
        let answer = Answer::read(&Response::new(data), (Format::Csv, &columns, Header::Written), 1_000).unwrap();
        String::from_utf8(answer.body).unwrap()
    }

    #[test]
    fn a_table_has_its_columns_whatever_rows_there_are() {
        let columns = ["id", "owner.id", "owner.tags", "payload"];
        let header = "id,owner.id,owner.tags,payload\r\n";
        assert_eq!(with_columns(&columns, value!({ "points": { "nodes": [] } })), header);
        assert_eq!(with_columns(&columns, value!({ "point": null })), header);
        let rows = value!({ "points": [
            { "owner": null, "payload": { "a": 1 } },
            { "id": "a", "owner": { "tags": [], "id": 1 }, "payload": null },
        ] });
        let expected = format!("{header},,,\"{{\"\"a\"\":1}}\"\r\na,1,[],\r\n");
        assert_eq!(with_columns(&columns, rows), expected);
        assert_eq!(with_columns(&["value"], value!({ "counts": [1, null] })), "value\r\n1\r\n\"\"\r\n");
    }

    #[test]
    fn a_row_has_a_column_for_each_value_in_it() {
        let data = value!({ "points": { "nodes": [
            { "id": "a", "name": "Till", "owner": { "id": 1, "tags": ["x", "y"] } },
            { "id": "b", "name": "A, \"B\"", "owner": null, "rank": 2.5, "isOpen": true },
        ], "pageInfo": { "hasNextPage": true, "endCursor": "c" } } });
        let expected = "id,name,owner.id,owner.tags,rank,isOpen\r\n\
                        a,Till,1,\"[\"\"x\"\",\"\"y\"\"]\",,\r\n\
                        b,\"A, \"\"B\"\"\",,,2.5,true\r\n";
        assert_eq!(csv(data.clone()), expected);
        let lines = Answer::read(&Response::new(data), (Format::NdJson, &[], Header::Written), 1_000).unwrap();
        assert_eq!((lines.next, lines.row_count), (NextPage::After("c".to_owned()), 2));
        assert_eq!(String::from_utf8(lines.body).unwrap().lines().count(), 2);
    }

    #[test]
    fn a_table_that_continues_another_has_the_same_columns_and_no_header() {
        let more = |data: Value, columns: &[&str]| {
            let columns: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
            let answer = Answer::read(&Response::new(data), (Format::Csv, &columns, Header::Omitted), 1_000);
            answer.ok().map(|answer| String::from_utf8(answer.body).unwrap())
        };
        let data = || value!({ "points": { "nodes": [{ "b": 1, "a": "x" }], "pageInfo": { "hasNextPage": false, "endCursor": "c" } } });
        assert_eq!(more(data(), &["a", "b"]), Some("x,1\r\n".to_owned()));
        assert_eq!(more(data(), &["a"]), None);
        let last = Answer::read(&Response::new(data()), (Format::NdJson, &[], Header::Omitted), 1_000).unwrap();
        assert_eq!(last.next, NextPage::Nothing);
    }

    #[test]
    fn no_cell_is_a_formula() {
        let risky = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "=cmd|' /C calc'!A0"];
        for text in risky {
            let written = csv(value!({ "a": [{ "b": text }] }));
            let cell = written.strip_prefix("b\r\n").unwrap().trim_start_matches('"');
            assert!(cell.starts_with(&format!("'{text}")), "{written:?}");
        }
        assert_eq!(csv(value!({ "a": [{ "b": -1.5 }, { "b": "plain" }] })), "b\r\n-1.5\r\nplain\r\n");
    }

    #[test]
    fn a_table_has_one_root_field() {
        let refused =
            Answer::read(&Response::new(value!({ "a": 1, "b": 2 })), (Format::Csv, &[], Header::Written), 1_000);
        assert!(refused.is_err());
        assert_eq!(csv(value!({ "a": null })), "");
        assert_eq!(csv(value!({ "a": [1, 2] })), "value\r\n1\r\n2\r\n");
        assert_eq!(csv(value!({ "a": { "mean": 1.5, "n": 2 } })), "mean,n\r\n1.5,2\r\n");
        assert_eq!(csv(value!({ "a": { "edges": [{ "node": { "id": "x" } }] } })), "node.id\r\nx\r\n");
    }
    #[test]
    fn an_answer_has_no_more_bytes_than_it_may() {
        let response = Response::new(value!({ "a": ["1234"] }));
        for format in [Format::Json, Format::NdJson, Format::Csv] {
            assert!(Answer::read(&response, (format, &[], Header::Written), 14).is_ok(), "{format:?}");
            assert!(Answer::read(&response, (format, &[], Header::Written), 13).is_err(), "{format:?}");
        }
    }
}
