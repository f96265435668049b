//! The words of texts as Rapport indexes them, for ASCII, which all texts of the benchmark are.

use std::fmt::Write;

use serde::Serialize;
use uuid::Uuid;

/// Name of the source of bodies in the index.
pub const BODY: &str = "FeedbackRecord.body";
/// Name of the source of summaries.
pub const SUMMARY: &str = "Interaction.summary";
/// Name of the source of titles of follow-ups.
pub const TITLE: &str = "FollowUp.title";
/// Name of the source of external ids of interactions.
pub const EXTERNAL_IDS: &str = "Interaction.externalIds";

/// Number of bytes before the first match that a snippet shows.
const BEFORE: usize = 60;
/// Number of bytes of a snippet after which it ends with the next word.
const LENGTH: usize = 240;

/// A part of a snippet.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Segment<'a> {
    pub text: std::borrow::Cow<'a, str>,
    pub is_match: bool,
}

/// Returns where the words of a text begin and end.
fn words(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let is_part = |sign: &u8| sign.is_ascii_alphanumeric();
        let start = at + text.as_bytes()[at..].iter().position(is_part)?;
        let length = text.as_bytes()[start..].iter().position(|sign| !is_part(sign));
        at = length.map_or(text.len(), |length| start + length);
        Some((start, at))
    })
}

/// Returns the beginning of every word of an organization in the index.
fn prefix(organization: Uuid) -> String {
    organization.as_bytes()[11..].iter().fold(String::with_capacity(10), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string succeeds");
        text
    })
}

/// Returns the words of a text as they are indexed: separated by spaces.
pub fn indexed(organization: Uuid, text: &str) -> String {
    let (prefix, mut line) = (prefix(organization), String::with_capacity(text.len() * 3));
    for (start, end) in words(text) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&prefix);
        line.extend(text[start..end].chars().map(|sign| sign.to_ascii_lowercase()));
    }
    line
}

/// Returns the part of a text around the first of the terms, which are words in lower case.
pub fn snippet<'a>(text: &'a str, terms: &[&str]) -> Vec<Segment<'a>> {
    let words: Vec<(usize, usize)> = words(text).collect();
    let is_match = |range: &(usize, usize)| terms.iter().any(|term| text[range.0..range.1].eq_ignore_ascii_case(term));
    let first = words.iter().find(|range| is_match(range)).map_or(0, |range| range.0);
    let from = words.iter().map(|word| word.0).find(|start| start + BEFORE >= first).filter(|_| first > BEFORE);
    let from = from.unwrap_or(0);
    let last = words.iter().map(|word| word.1).take_while(|end| *end <= from + LENGTH).last().unwrap_or(0);
    let to = if from + LENGTH >= text.len() { text.len() } else { last };
    let mut segments: Vec<Segment<'_>> = Vec::with_capacity(6);
    let mut add = |text: &'a str, is_match: bool| match segments.last_mut().filter(|last| last.is_match == is_match) {
        _ if text.is_empty() => {}
        Some(last) => last.text.to_mut().push_str(text),
        None => segments.push(Segment { text: text.into(), is_match }),
    };
    if from > 0 {
        add("…", false);
    }
    let mut at = from;
    for (start, end) in words.iter().copied().filter(|range| range.0 < to && range.0 >= from && is_match(range)) {
        add(&text[at..start], false);
        add(&text[start..end], true);
        at = end;
    }
    add(&text[at..to], false);
    if to < text.len() {
        add("…", false);
    }
    segments
}

/// Returns the query of FTS5 for words that an entry must have.
pub fn fts5(organization: Uuid, terms: &[&str]) -> String {
    let prefix = prefix(organization);
    terms.iter().map(|term| format!("\"{prefix}{term}\"")).collect::<Vec<_>>().join(" AND ")
}

/// Returns the query of PostgreSQL for words that an entry must have.
pub fn tsquery(organization: Uuid, terms: &[&str]) -> String {
    let prefix = prefix(organization);
    terms.iter().map(|term| format!("'{prefix}{term}'")).collect::<Vec<_>>().join(" & ")
}
