//! Splits a file into lines, piece by piece: the records of CSV, and the lines of NDJSON.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use entity::import::{ImportEncoding, ImportFormat};
use serde_json::{Map, Value};

use super::encoding::TextDecoder;

/// Maximum length of a line, in characters of its content.
pub(super) const MAX_LINE: usize = 65_536;
/// Maximum number of columns.
const MAX_COLUMNS: usize = 500;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file, from 1.
    pub number: i64,
    /// Its content: JSON.
    pub content: String,
    /// What is wrong with it, if it cannot be written.
    pub mistake: Option<&'static str>,
}

/// A file that is being split.
pub(super) struct Source {
    decoder: TextDecoder,
    /// Text that was decoded and not split yet.
    text: String,
    /// Number of the line at the beginning of `text`.
    number: i64,
    form: Form,
}

enum Form {
    NdJson,
    Csv(Box<Csv>),
}

struct Csv {
    reader: Reader,
    /// The cells of the record so far, one after the other, and where each ends.
    cells: Vec<u8>,
    ends: Vec<usize>,
    filled: (usize, usize),
    /// Whether a record has begun.
    is_within: bool,
    /// Line breaks in the record so far.
    breaks: i64,
    header: Option<Vec<String>>,
}

impl Source {
    pub(super) fn new(format: ImportFormat, encoding: ImportEncoding, delimiter: u8) -> Self {
        let form = match format {
            ImportFormat::Ndjson => Form::NdJson,
            ImportFormat::Csv => Form::Csv(Box::new(Csv {
                reader: ReaderBuilder::new().delimiter(delimiter).build(),
                cells: vec![0; MAX_LINE],
                ends: vec![0; MAX_COLUMNS],
                filled: (0, 0),
                is_within: false,
                breaks: 0,
                header: None,
            })),
        };
        Self { decoder: TextDecoder::new(encoding), text: String::new(), number: 1, form }
    }

    /// Returns the columns, once the header of a CSV file was read.
    pub(super) fn header(&self) -> Option<&[String]> {
        match &self.form {
            Form::NdJson => None,
            Form::Csv(csv) => csv.header.as_deref(),
        }
    }

    /// Returns the number of the line at the end of what was split.
    fn reached(&self) -> i64 {
        match &self.form {
            Form::NdJson => self.number,
            Form::Csv(csv) => self.number + csv.breaks,
        }
    }

    /// Splits the next piece, the last one if `is_last`, and appends its lines. `Err` says why the file cannot be read.
    pub(super) fn push(&mut self, piece: &[u8], is_last: bool, lines: &mut Vec<Line>) -> Result<(), String> {
        let before = self.text.len();
        let decoded = self.decoder.decode(piece, &mut self.text, is_last);
        decoded.map_err(|_| {
            let number = self.reached() + breaks(self.text.as_bytes());
            format!("line {number} is not of this encoding: give the encoding of the file, for example WINDOWS_1252")
        })?;
        if let Some(place) = self.text[before..].find('\0') {
            let number = self.reached() + breaks(&self.text.as_bytes()[..before + place]);
            return Err(format!("line {number} contains a NUL byte"));
        }
        let text = std::mem::take(&mut self.text);
        let rest = match &mut self.form {
            Form::NdJson => split(&text, &mut self.number, is_last, lines)?,
            Form::Csv(csv) => {
                csv.split(text.as_bytes(), &mut self.number, lines)?;
                if is_last {
                    csv.finish(&mut self.number, lines)?;
                }
                ""
            }
        };
        if rest.len() > MAX_LINE * 4 {
            return Err(too_long(self.number));
        }
        self.text = rest.to_owned();
        Ok(())
    }
}

fn too_long(number: i64) -> String {
    format!("line {number} is longer than {MAX_LINE} characters")
}

fn breaks(text: &[u8]) -> i64 {
    i64::try_from(memchr::memchr_iter(b'\n', text).count()).unwrap_or(i64::MAX)
}

/// Splits lines of JSON. Returns the rest, which is not a whole line.
fn split<'a>(text: &'a str, number: &mut i64, is_last: bool, lines: &mut Vec<Line>) -> Result<&'a str, String> {
    let mut rest = text;
    loop {
        let (line, next) = match rest.split_once('\n') {
            Some((line, next)) => (line, Some(next)),
            None if is_last && !rest.is_empty() => (rest, None),
            None => return Ok(rest),
        };
        let content = line.trim();
        if content.chars().count() > MAX_LINE {
            return Err(too_long(*number));
        }
        if !content.is_empty() {
            lines.push(Line { number: *number, content: content.to_owned(), mistake: None });
        }
        *number += 1;
        let Some(next) = next else { return Ok("") };
        rest = next;
    }
}

impl Csv {
    /// Splits records. `number` is the number of the line at which the current record begins.
    fn split(&mut self, mut text: &[u8], number: &mut i64, lines: &mut Vec<Line>) -> Result<(), String> {
        while !text.is_empty() {
            if !self.is_within {
                // Line breaks between records, which the reader would skip uncounted.
                match text[0] {
                    b'\n' => {
                        *number += 1;
                        text = &text[1..];
                        continue;
                    }
                    b'\r' => {
                        text = &text[1..];
                        continue;
                    }
                    _ => {}
                }
            }
            text = &text[self.read(text, number, lines)?..];
        }
        Ok(())
    }

    /// Ends the last record, which may lack a line break.
    fn finish(&mut self, number: &mut i64, lines: &mut Vec<Line>) -> Result<(), String> {
        while self.is_within {
            self.read(&[], number, lines)?;
        }
        Ok(())
    }

    /// Reads until the end of a record, or of the text. Returns the number of bytes that were read.
    fn read(&mut self, text: &[u8], number: &mut i64, lines: &mut Vec<Line>) -> Result<usize, String> {
        self.is_within = true;
        let (cells, ends) = (&mut self.cells[self.filled.0..], &mut self.ends[self.filled.1..]);
        let (result, read, written, ended) = self.reader.read_record(text, cells, ends);
        self.filled = (self.filled.0 + written, self.filled.1 + ended);
        self.breaks += breaks(&text[..read]);
        match result {
            ReadRecordResult::Record => {
                let record = self.record()?;
                self.take(record, *number, lines)?;
                *number += self.breaks;
                (self.filled, self.breaks, self.is_within) = ((0, 0), 0, false);
            }
            ReadRecordResult::OutputFull => return Err(too_long(*number)),
            ReadRecordResult::OutputEndsFull => {
                return Err(format!("line {number} has more than {MAX_COLUMNS} columns"));
            }
            ReadRecordResult::InputEmpty => {}
            ReadRecordResult::End => self.is_within = false,
        }
        Ok(read)
    }

    fn record(&self) -> Result<Vec<String>, String> {
        let mut start = 0;
        let cells = self.ends[..self.filled.1].iter().map(|end| {
            let cell = std::str::from_utf8(&self.cells[start..*end]);
            start = *end;
            cell.map(str::to_owned).map_err(|_| "the file cannot be read".to_owned())
        });
        cells.collect()
    }

    fn take(&mut self, record: Vec<String>, number: i64, lines: &mut Vec<Line>) -> Result<(), String> {
        let Some(header) = &self.header else {
            for (place, name) in record.iter().enumerate() {
                if record[..place].contains(name) {
                    return Err(format!("column {} of the header has the name of an earlier one", place + 1));
                }
            }
            self.header = Some(record);
            return Ok(());
        };
        let mistake = match record.len().cmp(&header.len()) {
            std::cmp::Ordering::Less => Some("the line has fewer cells than the header"),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some("the line has more cells than the header"),
        };
        let cells = header.iter().cloned().zip(record.into_iter().map(Value::String));
        let content = Value::Object(cells.collect::<Map<_, _>>()).to_string();
        if content.chars().count() > MAX_LINE {
            return Err(too_long(number));
        }
        lines.push(Line { number, content, mistake });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(format: ImportFormat, text: &str, piece: usize) -> Result<Vec<(i64, String)>, String> {
        let (mut source, mut lines) = (Source::new(format, ImportEncoding::Auto, b','), Vec::new());
        for piece in text.as_bytes().chunks(piece) {
            source.push(piece, false, &mut lines)?;
        }
        source.push(&[], true, &mut lines)?;
        Ok(lines.into_iter().map(|line| (line.number, line.content)).collect())
    }

    #[test]
    fn records_have_the_number_of_their_first_line() {
        let text = "\r\nname,note\r\nAda,\"two\r\nlines\"\r\n\r\nBob,\"a \"\"b\"\"\"\nCem,\n\n\"\",last";
        for piece in 1..text.len() {
            let expected = [
                (3, r#"{"name":"Ada","note":"two\r\nlines"}"#.to_owned()),
                (6, r#"{"name":"Bob","note":"a \"b\""}"#.to_owned()),
                (7, r#"{"name":"Cem","note":""}"#.to_owned()),
                (9, r#"{"name":"","note":"last"}"#.to_owned()),
            ];
            assert_eq!(lines(ImportFormat::Csv, text, piece).unwrap(), expected, "{piece}");
        }
        let text = "\n{\"a\":1}\r\n\n {\"a\":2} \n{\"a\":\"é\"}";
        for piece in 1..text.len() {
            let expected = [(2, "{\"a\":1}".to_owned()), (4, "{\"a\":2}".to_owned()), (5, "{\"a\":\"é\"}".to_owned())];
            assert_eq!(lines(ImportFormat::Ndjson, text, piece).unwrap(), expected, "{piece}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_refused_with_the_line() {
        let long = "x".repeat(MAX_LINE + 1);
        for (format, text, said) in [
            (ImportFormat::Csv, "a,b,a\n1,2,3\n".to_owned(), "column 3 of the header has the name of an earlier one"),
            (ImportFormat::Csv, format!("a\n1\n{long}\n"), "line 3 is longer than 65536 characters"),
            (ImportFormat::Csv, format!("a\n1\n\"{long}"), "line 3 is longer than 65536 characters"),
            (ImportFormat::Csv, "a\n1\n2\0\n".to_owned(), "line 3 contains a NUL byte"),
            (ImportFormat::Csv, format!("a\n{}\n", ",".repeat(MAX_COLUMNS)), "line 2 has more than 500 columns"),
            (ImportFormat::Ndjson, format!("{{}}\n{long}\n"), "line 2 is longer than 65536 characters"),
            (ImportFormat::Ndjson, format!("{{}}\n{}", long.repeat(4)), "line 2 is longer than 65536 characters"),
        ] {
            assert_eq!(lines(format, &text, 1_000).unwrap_err(), said);
        }
        let header: Vec<String> = (0..MAX_COLUMNS).map(|place| place.to_string()).collect();
        let widest = format!("{}\n{}\n", header.join(","), ",".repeat(MAX_COLUMNS - 1));
        assert_eq!(lines(ImportFormat::Csv, &widest, 1_000).unwrap().len(), 1);
        let mut source = Source::new(ImportFormat::Csv, ImportEncoding::Auto, b',');
        let refused = source.push(b"name\nAda\nM\xFCnchen\n", false, &mut Vec::new()).unwrap_err();
        assert!(refused.starts_with("line 3 is not of this encoding"), "{refused}");
    }

    #[test]
    fn a_line_with_other_cells_than_the_header_is_a_mistake() {
        let (mut source, mut lines) = (Source::new(ImportFormat::Csv, ImportEncoding::Auto, b';'), Vec::new());
        source.push(b"a;b\n1;2\n1\n1;2;3\n", true, &mut lines).unwrap();
        let mistakes: Vec<_> = lines.iter().map(|line| line.mistake).collect();
        let (fewer, more) = ("the line has fewer cells than the header", "the line has more cells than the header");
        assert_eq!(mistakes, [None, Some(fewer), Some(more)]);
        assert_eq!(source.header(), Some(&["a".to_owned(), "b".to_owned()][..]));
    }

    proptest! {
        /// What a CSV writer writes is read as it was, wherever the pieces of the upload end.
        #[test]
        fn what_was_written_is_read(
            rows in prop::collection::vec(prop::collection::vec("[ -~\n\r\u{e9}]{0,5}", 3), 1..8),
            piece in 1_usize..40,
        ) {
            let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
            writer.write_record(["a", "b", "c"]).unwrap();
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let read = lines(ImportFormat::Csv, &text, piece).unwrap();
            let expected: Vec<String> = rows.iter().map(|row| {
                serde_json::json!({ "a": row[0], "b": row[1], "c": row[2] }).to_string()
            }).collect();
            prop_assert_eq!(read.into_iter().map(|(_, content)| content).collect::<Vec<_>>(), expected);
        }
    }
}
